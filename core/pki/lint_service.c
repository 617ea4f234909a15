/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of one CMS service, as its `certs' command takes them: key,
 * certificate or full chain, bundle (facts/certs.md 3.1; facts/cms.md 5).  A
 * table says what each service needs; the database has lint_db.c.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "core/pki/pki_priv.h"

// clang-format off
const struct pki_service pki_services[] = {
    /* name         client full   browsers names */
    { "callbridge",  true,  false, false,  "E2" },
    { "webadmin",    false, false, true,   "E4" },
    { "webbridge3",  false, true,  true,   "E5" },
    { "c2w",         false, true,  false,  "E3" },
    { "turn",        false, false, false,  "E2" },
    { "recorder",    false, false, false,  "E2" },
    { "streamer",    false, false, false,  "E2" },
    { "meetingapps", false, true,  true,   "E2" },
    { "webbridge",   false, false, true,   "E2" },
    { "xmpp",        false, false, false,  "E2" },
    { NULL },
};
// clang-format on

const struct pki_service *pki_service_find(const char *name)
{
    for (const struct pki_service *s = pki_services; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

/* -- usage --------------------------------------------------------------- */

/* Toward CUCM, Lync and Web Bridges it is the client (CG 2.1, 3.3). */
static void check_client(const struct pki_member *m,
                         struct pki_findings *findings)
{
    struct pki_member as_client = *m;
    const struct pki_usage_fault *fault = pki_usage_check(m->cert, PKI_CLIENT);

    if (fault && strcmp(fault->id, "D1") == 0)
        pki_find(findings, "D5",
                 "%s certificate: its extended key usage lacks clientAuth, "
                 "and it calls others; have it issued for both",
                 m->what);
    if (!(X509_get_extension_flags(m->cert) & EXFLAG_KUSAGE) ||
        !(X509_get_key_usage(m->cert) & KU_DIGITAL_SIGNATURE))
        pki_find(findings, "D4",
                 "%s certificate: it has no key usage with digitalSignature, "
                 "without which WebRTC has no media; have it issued with it",
                 m->what);
    /* what has a date for clients; the rest was told of the server */
    as_client.purpose = PKI_CLIENT;
    as_client.spare_days = 0;
    pki_lint_dated(&as_client, 0, findings);
}

/* -- the chain ----------------------------------------------------------- */

static bool is_among(X509 *cert, STACK_OF(X509) * list)
{
    for (int i = 0; i < sk_X509_num(list); i++)
        if (X509_cmp(sk_X509_value(list, i), cert) == 0)
            return true;
    return false;
}

static void check_full(const struct pki_member *m,
                       struct pki_findings *findings)
{
    bool first_is_ca = X509_check_ca(m->cert) != 0, leaf_below = false;

    for (int i = 0; i < sk_X509_num(m->extra); i++)
        leaf_below =
            leaf_below || X509_check_ca(sk_X509_value(m->extra, i)) == 0;
    if (first_is_ca && leaf_below)
        pki_find(findings, "C4",
                 "%s certificate: a CA stands first in the full chain; the "
                 "leaf does",
                 m->what);
    if (sk_X509_num(m->extra) == 0)
        pki_find(findings, "C3",
                 "%s certificate: the file holds the leaf alone; the service "
                 "takes the full chain, the root last",
                 m->what);
    else
        pki_lint_bundle(m->extra, true, findings);
}

static void check_apart(const struct pki_member *m, STACK_OF(X509) * bundle,
                        struct pki_findings *findings)
{
    if (sk_X509_num(m->extra) > 0)
        pki_find_as(findings, "C4", PKI_WARNING,
                    "%s certificate: its file holds %d more; the service takes "
                    "the leaf alone and the rest in the bundle",
                    m->what, sk_X509_num(m->extra));
    if (is_among(m->cert, bundle))
        pki_find(findings, "C4",
                 "CA bundle: it holds the leaf of the %s certificate; take it "
                 "out",
                 m->what);
    if (bundle)
        pki_lint_bundle(bundle, true, findings);
}

/* -- all of it ----------------------------------------------------------- */

static void judge(struct pki_member *m, STACK_OF(X509) * bundle,
                  const struct pki_service_set *set,
                  struct pki_findings *findings)
{
    STACK_OF(X509) *trust = set->service->full_chain ? m->extra : bundle;
    bool alone = X509_self_signed(m->cert, 0) == 1;

    if (!trust && !alone)
        pki_find(findings, "C1",
                 "%s certificate: no CA bundle; give it as the third file",
                 m->what);
    /* a self-signed one is its own end; B13 says what that means */
    pki_lint_member(m, alone ? NULL : trust, set->at, findings);
    if (alone || !trust)
        pki_lint_dates(m->cert, set->at, findings);
    if (set->service->full_chain && !alone)
        check_full(m, findings);
    else if (!set->service->full_chain)
        check_apart(m, bundle, findings);
    if (set->service->client)
        check_client(m, findings);
    pki_lint_names(m, set->hosts, findings);
}

void pki_lint_service(const struct pki_service_set *set,
                      struct pki_findings *findings)
{
    struct pki_member m = {.what = set->service->name,
                           .purpose = PKI_SERVER,
                           .profile = PKI_SERVICE,
                           .names = set->service->names,
                           .spare_days = set->spare_days,
                           .browsers = set->service->browsers};
    STACK_OF(X509) *bundle = NULL;
    char what[64];

    snprintf(what, sizeof(what), "%s certificate", m.what);
    m.extra = pki_lint_load(what, set->cert, set->cert_len, findings);
    if (set->bundle)
        bundle =
            pki_lint_load("CA bundle", set->bundle, set->bundle_len, findings);
    pki_lint_key(&m, set->key, set->key_len, findings);
    if (m.extra) {
        m.cert = sk_X509_shift(m.extra);
        judge(&m, bundle, set, findings);
    }
    pki_member_release(&m);
    sk_X509_pop_free(bundle, X509_free);
    ERR_clear_error();
}
