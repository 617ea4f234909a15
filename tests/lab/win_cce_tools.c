/* SPDX-License-Identifier: Apache-2.0
 *
 * certreq, certutil, netsh and DiagFwCertMgr, as far as a rotation calls them
 * (facts/uc.md 4).  What they print is from there; where no sample is known the
 * form is Microsoft's.  Exit codes are always 0: nothing may rest on them.
 */
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/lab/record.h"
#include "tests/lab/win_cce.h"

/* "shoumeisho hasshu" in code page 932 */
#define HASH_932 "\x8f\xd8\x96\xbe\x8f\x91 \x83n\x83\x62\x83V\x83\x85"

static struct lab_file *file_of(struct mmp_run *run, const char *word)
{
    char name[256];

    return win_file_name(run->node->win, word, name, sizeof(name))
               ? lab_file(run->node, name)
               : NULL;
}

static void says(struct mmp_run *run, const char *text)
{
    mmp_print(run, "%s\n", text);
    mmp_end(run, "ok");
}

static char *text_of(const struct lab_file *f)
{
    return f ? strndup((const char *)f->data, f->len) : NULL;
}

/* -- certreq --------------------------------------------------------------- */

static void new_request(struct mmp_run *run, const char *from, const char *to)
{
    struct cce *cce = cce_of(run->node);
    char *inf = text_of(file_of(run, from)), *request = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (inf && cce->n_my < CCE_CERTS && !cce_lies(run))
        request = cce_request(inf, key);
    if (request) {
        lab_file_set(run->node, to, request, strlen(request));
        cce->my[cce->n_my++].key = key;
        says(run, "CertReq: Request Created");
    } else {
        EVP_PKEY_free(key);
        says(run, "Error parsing INF file: 0xe0000100");
    }
    free(request);
    free(inf);
}

static struct cce_cert *waiting_for(struct cce *cce, const X509 *cert)
{
    for (size_t i = 0; i < cce->n_my; i++)
        if (!cce->my[i].cert &&
            EVP_PKEY_eq(cce->my[i].key, X509_get0_pubkey(cert)) == 1)
            return &cce->my[i];
    return NULL;
}

static void take_signed(struct mmp_run *run, const char *from)
{
    struct cce *cce = cce_of(run->node);
    struct lab_file *f = file_of(run, from);
    X509 *cert = f ? cce_read_cert(f->data, f->len) : NULL;
    struct cce_cert *c = cert ? waiting_for(cce, cert) : NULL;

    if (cce_lies(run))
        c = NULL;
    if (c && !cce_is_signed_by(cce->trusted, cce->n_trusted, cert))
        says(run, "Certificate Request Processor: A certificate chain could "
                  "not be built to a trusted root authority. 0x800b010a");
    else if (!c)
        says(run, "Certificate Request Processor: Cannot find object or "
                  "property. 0x80092004");
    else {
        c->cert = cert;
        cert = NULL;
        cce_thumb(c->cert, c->thumb);
        says(run, "Installed Certificate:");
    }
    X509_free(cert);
}

void cce_certreq(struct mmp_run *run, char **words, int n)
{
    bool machine = n > 3 && strcasecmp(words[2], "-machine") == 0;

    if (machine && n == 7 && strcasecmp(words[1], "-new") == 0)
        new_request(run, words[5], words[6]);
    else if (machine && n == 5 && strcasecmp(words[1], "-accept") == 0)
        take_signed(run, words[4]);
    else
        says(run, "Usage: certreq");
}

/* -- certutil -------------------------------------------------------------- */

static void add(struct mmp_run *run, const char *from)
{
    struct cce *cce = cce_of(run->node);
    struct lab_file *f = file_of(run, from);
    X509 *cert = f ? cce_read_cert(f->data, f->len) : NULL;
    struct cce_cert *c = &cce->trusted[cce->n_trusted];

    if (!cert || cce->n_trusted == CCE_CERTS || cce_lies(run)) {
        X509_free(cert);
        says(run, "CertUtil: -addstore command FAILED: 0x80070002");
        return;
    }
    cce_thumb(cert, c->thumb);
    if (cce_find(cce->trusted, cce->n_trusted, c->thumb)) {
        X509_free(cert);
    } else {
        c->cert = cert;
        cce->n_trusted++;
    }
    says(run, "CertUtil: -addstore command completed successfully.");
}

/* A label may be followed by what nobody sees (facts/uc.md 10). */
static void store(struct mmp_run *run, const char *name, const char *thumb)
{
    struct cce *cce = cce_of(run->node);
    const struct cce_cert *c =
        strcasecmp(name, "My") == 0
            ? cce_find(cce->my, cce->n_my, thumb)
            : cce_find(cce->trusted, cce->n_trusted, thumb);

    if (!c) {
        says(run, "CertUtil: -store command FAILED: 0x80090011");
        return;
    }
    mmp_print(run, "%s \"%s\"\n================\n", name, name);
    mmp_print(run, "%s(sha1): %s%s\n", cce->japanese ? HASH_932 : "Cert Hash",
              cce->japanese ? "\xe2\x80\x8e" : "", c->thumb);
    says(run, "CertUtil: -store command completed successfully.");
}

void cce_certutil(struct mmp_run *run, char **words, int n)
{
    if (n == 5 && strcasecmp(words[1], "-addstore") == 0)
        add(run, words[4]);
    else if (n == 4 && strcasecmp(words[1], "-store") == 0)
        store(run, words[2], words[3]);
    else
        win_certutil(run, words, n);
}

/* -- netsh ----------------------------------------------------------------- */

static struct cce_binding *binding_of(struct mmp_run *run, const char *word)
{
    struct cce *cce = cce_of(run->node);
    unsigned port = strncmp(word, "ipport=0.0.0.0:", 15) == 0
                        ? (unsigned)strtoul(word + 15, NULL, 10)
                        : 0;

    for (size_t i = 0; i < CCE_BINDINGS; i++)
        if (cce->bound[i].port == port)
            return &cce->bound[i];
    return NULL;
}

static void show(struct mmp_run *run, const struct cce_binding *b)
{
    if (!b || !b->thumb[0]) {
        says(run, "SSL Certificate bindings:\n-------------------------\n\n"
                  "The system cannot find the file specified.");
        return;
    }
    mmp_print(run,
              "\nSSL Certificate bindings:\n-------------------------\n\n"
              "    IP:port                      : 0.0.0.0:%u\n"
              "    %s             : %s\n"
              "    Application ID               : %s\n"
              "    Certificate Store Name       : MY\n",
              b->port,
              cce_of(run->node)->japanese ? HASH_932 : "Certificate Hash",
              b->thumb, b->app);
    mmp_end(run, "ok");
}

static const char *after(const char *word, const char *label)
{
    return strncasecmp(word, label, strlen(label)) == 0 ? word + strlen(label)
                                                        : "";
}

/* "update" needs a binding, "add" takes none for granted; 1312: the key that
 * belongs to the certificate is not there. */
static void bind_port(struct mmp_run *run, char **words, bool adds)
{
    static const char failed[] = "SSL Certificate %s failed, Error: %s\n";
    struct cce *cce = cce_of(run->node);
    struct cce_binding *b = binding_of(run, words[4]);
    const char *verb = adds ? "add" : "update";
    const struct cce_cert *c =
        cce_find(cce->my, cce->n_my, after(words[5], "certhash="));

    if (adds && b && b->thumb[0]) {
        mmp_print(run, failed, verb, "183");
        says(run, "Cannot create a file when that file already exists.");
    } else if (!b || (!adds && !b->thumb[0]) ||
               strcmp(after(words[6], "appid="), b->app) != 0) {
        mmp_print(run, failed, verb, "2");
        says(run, "The system cannot find the file specified.");
    } else if (!c || !c->key || cce_lies(run)) {
        mmp_print(run, failed, verb, "1312");
        says(run, "A specified logon session does not exist. It may already "
                  "have been terminated.");
    } else {
        memcpy(b->thumb, c->thumb, sizeof(b->thumb));
        cce_rebound(run->node, b);
        says(run, adds ? "SSL Certificate successfully added"
                       : "SSL Certificate successfully updated");
    }
}

static void delete_binding(struct mmp_run *run, struct cce_binding *b)
{
    if (!b || !b->thumb[0] || cce_lies(run)) {
        says(run, "SSL Certificate deletion failed, Error: 2\nThe system "
                  "cannot find the file specified.");
        return;
    }
    b->thumb[0] = '\0';
    cce_rebound(run->node, b);
    says(run, "SSL Certificate successfully deleted");
}

void cce_netsh(struct mmp_run *run, char **words, int n)
{
    bool ssl = n >= 5 && strcasecmp(words[1], "http") == 0 &&
               strcasecmp(words[3], "sslcert") == 0;

    if (ssl && n == 5 && strcasecmp(words[2], "show") == 0)
        show(run, binding_of(run, words[4]));
    else if (ssl && n == 8 && strcasecmp(words[2], "update") == 0)
        bind_port(run, words, false);
    else if (ssl && n == 8 && strcasecmp(words[2], "add") == 0)
        bind_port(run, words, true);
    else if (ssl && n == 5 && strcasecmp(words[2], "delete") == 0)
        delete_binding(run, binding_of(run, words[4]));
    else
        says(run, "The following command was not found.");
}

/* -- DiagFwCertMgr --------------------------------------------------------- */

static void validate(struct mmp_run *run, const struct cce_binding *b)
{
    const struct cce *cce = cce_of(run->node);

    mmp_print(run, "ATTEMPTING TO VALIDATE CERTIFICATE BINDING WITH WINDOWS "
                   "HTTP SERVICE\nBinding IP Address: '0.0.0.0:7890'\n"
                   "Attempting to query HTTP service for SSL certificate "
                   "binding\n");
    if (!b->thumb[0] || !cce_find(cce->my, cce->n_my, b->thumb)) {
        says(run, "No certificate binding was found on 0.0.0.0:7890");
        return;
    }
    mmp_print(run,
              "Found a certificate binding on 0.0.0.0:7890\n"
              "Attempting to locate this certificate in the Local Computer "
              "certificate store\nTrying to look up certificate: %s\n"
              "Local Computer Personal certificate store was opened "
              "successfully\nCertificate requested found in store\n"
              "Certificate store was closed successfully\n",
              b->thumb);
    if (cce_lies(run)) {
        says(run, "The certificate binding is INVALID");
        return;
    }
    mmp_print(run, "The certificate binding is VALID\n"
                   "Certificate hash stored in service registry matches "
                   "certificate used by service\n");
    says(run, "ALL TASKS FOR VALIDATING CERTIFICATE BINDING COMPLETED "
              "SUCCESSFULLY");
}

static void bind_it(struct mmp_run *run, struct cce_binding *b,
                    const char *thumb)
{
    const struct cce *cce = cce_of(run->node);
    const struct cce_cert *c = cce_find(cce->my, cce->n_my, thumb);

    if (!c || b->thumb[0]) {
        says(run, "UNABLE TO BIND CERTIFICATE");
        return;
    }
    if (!cce_lies(run)) {
        memcpy(b->thumb, c->thumb, sizeof(b->thumb));
        cce_rebound(run->node, b);
    }
    says(run, "ALL TASKS FOR BINDING CERTIFICATE COMPLETED SUCCESSFULLY");
}

void cce_diagfw(struct mmp_run *run, char **words, int n)
{
    struct cce_binding *b = &cce_of(run->node)->bound[1];
    const char *task = n > 1 ? after(words[1], "/task:") : "";

    mmp_print(run,
              "Cisco Unified ICM/CCE Diagnostic Framework Certificate Manager\n"
              "Executing Task: '%s'\n"
              "Read port number from service configuration file: '7890'\n",
              task);
    if (strcasecmp(task, "ValidateCertBinding") == 0) {
        validate(run, b);
    } else if (strcasecmp(task, "UnbindCert") == 0) {
        b->thumb[0] = '\0';
        cce_rebound(run->node, b);
        says(run, "ALL TASKS FOR UNBINDING CERTIFICATE COMPLETED SUCCESSFULLY");
    } else if (strcasecmp(task, "BindCertFromStore") == 0 && n == 3) {
        bind_it(run, b, after(words[2], "/certhash:"));
    } else {
        says(run, "Invalid task");
    }
}
