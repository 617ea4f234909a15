/* SPDX-License-Identifier: Apache-2.0
 *
 * The set that a database cluster is given: server, client and CA bundle
 * looked at together (facts/certs.md 6, E and F; facts/cms.md 3.2).  Knows what
 * the database wants of names; everything else is asked of the other files.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    TOGETHER_DAYS = 30,
    SET_FILES = 5,
    CLIENT_FILES = 3
};

static const char db_user[] = "postgres"; /* PostgreSQL maps the CN to it */

/* -- reading ------------------------------------------------------------- */

void pki_lint_key(struct pki_member *m, const void *data, size_t len,
                  struct pki_findings *findings)
{
    struct pki_cert_info info;
    struct err err = {0};

    if (!data) {
        pki_find(findings, "B1", "%s certificate: its private key is missing",
                 m->what);
        return;
    }
    m->key = pki_read_key(data, len, NULL, &err);
    if (m->key)
        return;
    if (pki_describe(data, len, &info, NULL) == 0 &&
        strcmp(info.key, "encrypted") == 0)
        pki_find(findings, "A8", "%s key: it is encrypted; decrypt it first",
                 m->what);
    else
        pki_find(findings, "A9", "%s key: %.*s", m->what,
                 str_fit(err.text, PKI_CAUSE_SHOWN), err.text);
}

/* One file's bytes, as the set has them. */
struct bytes {
    const void *data;
    size_t len;
};

static void load_member(struct pki_member *m, struct bytes key,
                        struct bytes cert, struct pki_findings *findings)
{
    char what[64];

    snprintf(what, sizeof(what), "%s certificate", m->what);
    m->extra = pki_lint_load(what, cert.data, cert.len, findings);
    if (m->extra)
        m->cert = sk_X509_shift(m->extra);
    pki_lint_key(m, key.data, key.len, findings);
}

/* -- names --------------------------------------------------------------- */

static bool has_value(const ASN1_STRING *s, const char *text)
{
    return (size_t)ASN1_STRING_length(s) == strlen(text) &&
           memcmp(ASN1_STRING_get0_data(s), text, strlen(text)) == 0;
}

static bool san_has(const GENERAL_NAMES *san, const char *text)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(san); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(san, i);
        if (name->type == GEN_DNS && has_value(name->d.dNSName, text))
            return true;
    }
    return false;
}

static void check_client_names(X509 *cert, struct pki_findings *findings)
{
    GENERAL_NAMES *san =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    const ASN1_STRING *cn;
    int n = pki_common_names(cert, &cn);

    if (n != 1 || !has_value(cn, db_user))
        pki_find(findings, "F1",
                 "client certificate: %s; it must be exactly %s",
                 n == 0  ? "it has no common name"
                 : n > 1 ? "it has several common names"
                         : "its common name is another",
                 db_user);
    if (san && !san_has(san, db_user))
        pki_find(findings, "F2",
                 "client certificate: its SAN lacks DNS:%s, which the recipe "
                 "for ECDSA wants",
                 db_user);
    GENERAL_NAMES_free(san);
}

/* -- server and client together ------------------------------------------ */

static bool same_root(const struct pki_member *a, const struct pki_member *b)
{
    return X509_cmp(sk_X509_value(a->chain, sk_X509_num(a->chain) - 1),
                    sk_X509_value(b->chain, sk_X509_num(b->chain) - 1)) == 0;
}

static void check_pair(const struct pki_member *server,
                       const struct pki_member *client,
                       struct pki_findings *findings)
{
    if (server->chain && client->chain && !same_root(server, client))
        pki_find(findings, "F4",
                 "server and client certificates end at different roots; "
                 "have both signed by the same one");
    if (EVP_PKEY_eq(X509_get0_pubkey(server->cert),
                    X509_get0_pubkey(client->cert)) == 1)
        pki_find(findings, "B6",
                 "server and client certificates share a key; make one for "
                 "each");
    if (X509_cmp(server->cert, client->cert) != 0 &&
        X509_NAME_cmp(X509_get_issuer_name(server->cert),
                      X509_get_issuer_name(client->cert)) == 0 &&
        ASN1_INTEGER_cmp(X509_get0_serialNumber(server->cert),
                         X509_get0_serialNumber(client->cert)) == 0)
        pki_find(findings, "B10",
                 "server and client certificates have the same issuer and "
                 "serial number; have one issued again");
}

/* Whoever has the key of the old one can go on as this one. */
static void check_old_keys(const struct pki_member *m,
                           const char *const *old_keys,
                           struct pki_findings *findings)
{
    struct pki_cert_info info;
    unsigned char *der = NULL;
    int n = i2d_X509(m->cert, &der);

    if (n > 0 && pki_describe(der, (size_t)n, &info, NULL) == 0)
        for (; old_keys && *old_keys; old_keys++)
            if (strcmp(*old_keys, info.spki_sha256) == 0)
                pki_find(findings, "B5",
                         "%s certificate: its key is that of a certificate "
                         "that is replaced; make a new one",
                         m->what);
    OPENSSL_free(der);
}

static void check_member(struct pki_member *m, STACK_OF(X509) * bundle,
                         const struct pki_db_set *set,
                         struct pki_findings *findings)
{
    if (!m->cert)
        return;
    m->spare_days = set->spare_days;
    pki_lint_member(m, bundle, set->at, findings);
    check_old_keys(m, set->old_keys, findings);
    if (m->purpose == PKI_SERVER)
        pki_lint_names(m, set->hosts, findings);
    else
        check_client_names(m->cert, findings);
}

/* Renewed a little later, the leaves would have no CA to be signed by. */
static void check_ends(const struct pki_member *m,
                       struct pki_findings *findings)
{
    int n = m->chain ? sk_X509_num(m->chain) : 0, days, seconds;
    X509 *root = n > 1 ? sk_X509_value(m->chain, n - 1) : NULL;

    if (root &&
        ASN1_TIME_diff(&days, &seconds, X509_get0_notAfter(m->cert),
                       X509_get0_notAfter(root)) == 1 &&
        days >= 0 && seconds >= -PKI_ONE_GO_S && days < TOGETHER_DAYS)
        pki_find(findings, "F11",
                 "%s certificate: its root ends within %d days of it; renew "
                 "the root with the next set",
                 m->what, TOGETHER_DAYS);
}

static bool names_issuer(const struct pki_member *m)
{
    return !m->cert || X509_get0_authority_key_id(m->cert) != NULL;
}

void pki_lint_db_set(const struct pki_db_set *set,
                     struct pki_findings *findings)
{
    struct pki_member server = {.what = "server", .purpose = PKI_SERVER};
    struct pki_member client = {.what = "client", .purpose = PKI_CLIENT};
    STACK_OF(X509) *bundle =
        pki_lint_load("CA bundle", set->ca, set->ca_len, findings);

    if (set->server_cert || set->server_key)
        load_member(
            &server, (struct bytes){set->server_key, set->server_key_len},
            (struct bytes){set->server_cert, set->server_cert_len}, findings);
    load_member(&client, (struct bytes){set->client_key, set->client_key_len},
                (struct bytes){set->client_cert, set->client_cert_len},
                findings);
    check_member(&server, bundle, set, findings);
    check_member(&client, bundle, set, findings);
    check_ends(&server, findings);
    check_ends(&client, findings);
    if (server.cert && client.cert)
        check_pair(&server, &client, findings);
    if (bundle)
        pki_lint_bundle(bundle, names_issuer(&server) && names_issuer(&client),
                        findings);
    pki_member_release(&server);
    pki_member_release(&client);
    sk_X509_pop_free(bundle, X509_free);
    ERR_clear_error();
}

void pki_lint_count(size_t files, struct pki_findings *findings)
{
    if (files != SET_FILES && files != CLIENT_FILES)
        pki_find(findings, "F10",
                 "%zu files; a database node is given %d (server key and "
                 "certificate, client key and certificate, CA bundle), one "
                 "that connects only the last %d",
                 files, SET_FILES, CLIENT_FILES);
}

void pki_lint_issuer(const void *ca, size_t len, int64_t at,
                     struct pki_findings *findings)
{
    STACK_OF(X509) *bundle = pki_lint_load("CA", ca, len, findings);
    X509 *cert = bundle ? sk_X509_value(bundle, 0) : NULL;

    if (bundle) {
        pki_lint_bundle(bundle, true, findings);
        for (int i = 0; i < sk_X509_num(bundle); i++)
            pki_lint_dates(sk_X509_value(bundle, i), at, findings);
        if (!pki_key_is_strong(X509_get0_pubkey(cert)))
            pki_find(findings, "B2",
                     "CA: its key is weak or unusual; use RSA of at least 2048 "
                     "bits, P-256 or P-384");
    }
    sk_X509_pop_free(bundle, X509_free);
    ERR_clear_error();
}
