/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates by the platform's shell, and a restart of the node (facts/uc.md
 * 1.2, 1.3, 1.4).
 */
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/record.h"
#include "tests/lab/ucm.h"

static void refuse(struct mmp_run *run, const char *why)
{
    mmp_print(run, "Executed command unsuccessfully\n%s\n", why);
    mmp_end(run, "failure");
}

static void ok(struct mmp_run *run)
{
    mmp_end(run, "ok");
}

static bool is_appliance(const struct mmp_run *run)
{
    return (run->node->ucm->role & UCM_APPLIANCE) != 0;
}

static char *serial_of(X509 *cert)
{
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = BN_bn2hex(bn), *copy = lab_strdup(hex);

    OPENSSL_free(hex);
    BN_free(bn);
    return copy;
}

/* -- what is shown --------------------------------------------------------- */

/* Two of the shapes of facts/uc.md 1.2, and the one with a PEM behind it. */
static void print_cert(struct mmp_run *run, X509 *cert)
{
    unsigned shape = run->node->set.ucm_shape;
    char *serial = serial_of(cert), *pem = ucm_cert_pem(cert);

    if (shape == 0)
        mmp_print(run, "[\n  Version: V3\n  Serial Number: %s\n]\n", serial);
    else
        mmp_print(run,
                  "  [0]         Version: 3\n         SerialNumber: %s\n"
                  "             IssuerDN: CN=a\n            Final Date: b\n",
                  serial);
    if (shape == 2)
        mmp_print(run, "%s", pem);
    free(serial);
    free(pem);
}

static void show_own(struct mmp_run *run)
{
    for (int i = 0; i < UCM_UNITS; i++)
        if (strcmp(ucm_kinds[i].name, run->args[0]) == 0 &&
            run->node->ucm->units[i].cert) {
            print_cert(run, run->node->ucm->units[i].cert);
            ok(run);
            return;
        }
    refuse(run, "no such certificate");
}

static void print_trust(struct mmp_run *run, X509 *cert)
{
    char cn[256] = "", *serial = serial_of(cert);

    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn,
                              sizeof(cn));
    for (char *p = cn; *p; p++)
        if (*p == ' ')
            *p = '_';
    mmp_print(run, "tomcat-trust/%s_%s.pem: Trust Certificate\n", cn, serial);
    free(serial);
}

static void list_trust(struct mmp_run *run)
{
    const struct ucm_unit *unit = &run->node->ucm->units[UCM_TOMCAT];

    for (int i = 0; i < sk_X509_num(unit->trusts); i++)
        print_trust(run, sk_X509_value(unit->trusts, i));
    ok(run);
}

static void show_version(struct mmp_run *run)
{
    mmp_print(run, "Active Master Version: 12.6.2.10000-5\n"
                   "Active Version Installed Software Options:\n"
                   "No Installed Software Options Found.\n");
    ok(run);
}

static void pagination(struct mmp_run *run)
{
    mmp_print(run, "Automatic pagination is turned off\n");
    ok(run);
}

/* -- requests -------------------------------------------------------------- */

static void show_csr(struct mmp_run *run)
{
    X509_REQ *request = run->node->ucm->units[UCM_TOMCAT].request;
    char *pem = request ? ucm_request_pem(request) : NULL;

    if (pem)
        mmp_print(run, "%s", pem);
    else
        mmp_print(run, "CSR for tomcat is not there\n");
    free(pem);
    ok(run);
}

static void make_request(struct mmp_run *run)
{
    if (ucm_make_request(run->node->ucm, UCM_TOMCAT, ucm_fqdn(run->node)) < 0) {
        refuse(run, "no request");
        return;
    }
    mmp_print(run, "Successfully Generated CSR  for tomcat\n");
    ok(run);
}

static void gen_csr(struct mmp_run *run)
{
    if (!is_appliance(run) || strcmp(run->args[0], "tomcat") != 0)
        refuse(run, "not here");
    else if (run->node->set.ucm_asks_ou)
        mmp_ask_either(run, "Include OU in CSR (yes|no)? ", make_request,
                       make_request);
    else
        make_request(run);
}

/* -- imports --------------------------------------------------------------- */

static void imported(struct mmp_run *run, const char *why)
{
    if (why) {
        refuse(run, why);
        return;
    }
    mmp_print(run, "Successfully imported certificate for tomcat.\n"
                   "Please restart services related to tomcat for the new "
                   "certificate to\nbecome active.\n");
    ok(run);
}

static void take_trust(struct mmp_run *run, const char *text)
{
    imported(run, ucm_trust(run->node->ucm, UCM_TOMCAT, text));
}

static void take_own(struct mmp_run *run, const char *text)
{
    int status;

    imported(run, ucm_upload(run->node->ucm, UCM_TOMCAT, text, &status));
}

static void import(struct mmp_run *run)
{
    bool trust = strcmp(run->args[0], "trust") == 0;

    if (!is_appliance(run) || strcmp(run->args[1], "tomcat") != 0 ||
        (!trust && strcmp(run->args[0], "own") != 0))
        refuse(run, "not here");
    else
        mmp_ask_text(run, "Paste the Certificate and Hit Enter\n",
                     trust ? take_trust : take_own);
}

/* -- the node -------------------------------------------------------------- */

static void watch_over(struct mmp_run *run)
{
    struct lab_cluster *c = run->node->cluster;
    unsigned down = 1;

    for (size_t i = 0; i < c->n_nodes; i++) {
        struct ucm_service *s = ucm_service(c->nodes[i]->ucm, "Cisco Tomcat");
        down += c->nodes[i] != run->node && !s->running;
    }
    if (down > c->most_dropping)
        c->most_dropping = down;
}

static void restart(struct mmp_run *run)
{
    watch_over(run);
    mmp_print(run, "Appliance is being Restarted ...\n"
                   "Warning: Restart could take up to 5 minutes.\n"
                   "Stopping Service Manager...\n");
    mmp_restart(run, run->node->set.ucm_boot_ms);
}

static void ask_restart(struct mmp_run *run)
{
    mmp_ask(run,
            "     ***   W A R N I N G   ***\n"
            "Do you really want to restart ?\nEnter (yes/no)? ",
            restart);
}

/* clang-format off */
const struct mmp_command ucm_cert_commands[] = {
    { "show cert own",        show_own, 1, 1, "UNIT" },
    { "show cert list trust", list_trust, 0, 0, "" },
    { "show csr own",         show_csr, 1, 1, "UNIT" },
    { "show version active",  show_version, 0, 0, "" },
    { "set cli pagination off", pagination, 0, 0, "" },
    { "set csr gen",          gen_csr, 1, 1, "UNIT" },
    { "set cert import",      import, 2, 2, "own|trust UNIT" },
    { "utils system restart", ask_restart, 0, 0, "" },
    { NULL },
};
/* clang-format on */
