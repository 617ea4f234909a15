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

static const char db_user[] = "postgres"; /* PostgreSQL maps the CN to it */

/* -- reading ------------------------------------------------------------- */

static void load_key(struct pki_member *m, const void *data, size_t len,
                     struct pki_findings *findings)
{
    struct pki_cert_info info;
    struct err err = {0};

    if (!data) {
        pki_find(findings, "B1", PKI_ERROR,
                 "%s certificate: its private key is missing", m->what);
        return;
    }
    m->key = pki_read_key(data, len, NULL, &err);
    if (m->key)
        return;
    if (pki_describe(data, len, &info, NULL) == 0 &&
        strcmp(info.key, "encrypted") == 0)
        pki_find(findings, "A8", PKI_ERROR,
                 "%s key: it is encrypted; decrypt it first", m->what);
    else
        pki_find(findings, "A9", PKI_ERROR, "%s key: %.150s", m->what,
                 err.text);
}

static STACK_OF(X509) * load_certs(const char *what, const void *data,
                                   size_t len, struct pki_findings *findings)
{
    STACK_OF(X509) *certs = NULL;
    struct err err = {0};

    if (data)
        certs = pki_read_certs(data, len, &err);
    if (!certs)
        pki_find(findings, "A9", PKI_ERROR, "%s: %.150s", what,
                 data ? err.text : "it is missing");
    return certs;
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
    m->extra = load_certs(what, cert.data, cert.len, findings);
    if (m->extra)
        m->cert = sk_X509_shift(m->extra);
    load_key(m, key.data, key.len, findings);
}

static void release_member(struct pki_member *m)
{
    sk_X509_pop_free(m->chain, X509_free);
    sk_X509_pop_free(m->extra, X509_free);
    X509_free(m->cert);
    EVP_PKEY_free(m->key);
}

/* -- names --------------------------------------------------------------- */

static bool has_value(const ASN1_STRING *s, const char *text)
{
    return (size_t)ASN1_STRING_length(s) == strlen(text) &&
           memcmp(ASN1_STRING_get0_data(s), text, strlen(text)) == 0;
}

/* Every common name, visited as the device would read it. */
static int common_names(X509 *cert, const ASN1_STRING **first)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    int at = -1, n = 0;

    *first = NULL;
    while ((at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
        if (n++ == 0)
            *first = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return n;
}

static void check_wildcard(const ASN1_STRING *name,
                           struct pki_findings *findings)
{
    if (memchr(ASN1_STRING_get0_data(name), '*',
               (size_t)ASN1_STRING_length(name)))
        pki_find(findings, "E6", PKI_ERROR,
                 "server certificate: the database takes no wildcard; name "
                 "every node");
}

static void check_wildcards(X509 *cert, const GENERAL_NAMES *san,
                            struct pki_findings *findings)
{
    const ASN1_STRING *cn;

    if (common_names(cert, &cn) > 0)
        check_wildcard(cn, findings);
    for (int i = 0; san && i < sk_GENERAL_NAME_num(san); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(san, i);
        if (name->type == GEN_DNS)
            check_wildcard(name->d.dNSName, findings);
    }
}

/* Common names that are hosts; a text with a NUL is no host's. */
static bool cn_host(X509 *cert, char *text, size_t room)
{
    const ASN1_STRING *cn;
    size_t len;

    if (common_names(cert, &cn) == 0)
        return false;
    len = (size_t)ASN1_STRING_length(cn);
    if (len == 0 || len >= room || memchr(ASN1_STRING_get0_data(cn), 0, len))
        return false;
    memcpy(text, ASN1_STRING_get0_data(cn), len);
    text[len] = '\0';
    return pki_is_host(text);
}

/* A device's address is a warning: its older releases look at the chain only,
 * and a DNS name may be what is used in the end (facts F3). */
static void check_host(X509 *cert, const char *host, bool has_san,
                       struct pki_findings *findings)
{
    if (!pki_cert_names_host(cert, host)) {
        bool ip = pki_is_ip(host);
        pki_find(findings, "F3", ip ? PKI_WARNING : PKI_ERROR,
                 "server certificate: it does not carry %.120s, which peers "
                 "use; add it to the %s",
                 host, ip ? "IP addresses of the SAN" : "SAN");
    } else if (!has_san) {
        pki_find(findings, "E2", PKI_WARNING,
                 "server certificate: %.120s is only its common name; put it "
                 "into the SAN too",
                 host);
    }
}

static void check_server_names(X509 *cert, const char *const *hosts,
                               struct pki_findings *findings)
{
    GENERAL_NAMES *san =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    char cn[256];

    for (; hosts && *hosts; hosts++)
        check_host(cert, *hosts, san != NULL, findings);
    if (san && cn_host(cert, cn, sizeof(cn)) && !pki_cert_names_host(cert, cn))
        pki_find(findings, "E1", PKI_ERROR,
                 "server certificate: its common name %.120s is not in its "
                 "SAN; add it",
                 cn);
    check_wildcards(cert, san, findings);
    GENERAL_NAMES_free(san);
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
    int n = common_names(cert, &cn);

    if (n != 1 || !has_value(cn, db_user))
        pki_find(findings, "F1", PKI_ERROR,
                 "client certificate: %s; it must be exactly %s",
                 n == 0  ? "it has no common name"
                 : n > 1 ? "it has several common names"
                         : "its common name is another",
                 db_user);
    if (san && !san_has(san, db_user))
        pki_find(findings, "F2", PKI_WARNING,
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
        pki_find(findings, "F4", PKI_ERROR,
                 "server and client certificates end at different roots; "
                 "have both signed by the same one");
    if (EVP_PKEY_eq(X509_get0_pubkey(server->cert),
                    X509_get0_pubkey(client->cert)) == 1)
        pki_find(findings, "B6", PKI_WARNING,
                 "server and client certificates share a key; make one for "
                 "each");
    if (X509_cmp(server->cert, client->cert) != 0 &&
        X509_NAME_cmp(X509_get_issuer_name(server->cert),
                      X509_get_issuer_name(client->cert)) == 0 &&
        ASN1_INTEGER_cmp(X509_get0_serialNumber(server->cert),
                         X509_get0_serialNumber(client->cert)) == 0)
        pki_find(findings, "B10", PKI_ERROR,
                 "server and client certificates have the same issuer and "
                 "serial number; have one issued again");
}

static void check_member(struct pki_member *m, STACK_OF(X509) * bundle,
                         const struct pki_db_set *set,
                         struct pki_findings *findings)
{
    if (!m->cert)
        return;
    if (bundle)
        pki_lint_path(m, bundle, set->at, findings);
    pki_lint_leaf(m, findings);
    if (m->purpose == PKI_SERVER)
        check_server_names(m->cert, set->hosts, findings);
    else
        check_client_names(m->cert, findings);
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
        load_certs("CA bundle", set->ca, set->ca_len, findings);

    if (set->server_cert || set->server_key)
        load_member(
            &server, (struct bytes){set->server_key, set->server_key_len},
            (struct bytes){set->server_cert, set->server_cert_len}, findings);
    load_member(&client, (struct bytes){set->client_key, set->client_key_len},
                (struct bytes){set->client_cert, set->client_cert_len},
                findings);
    check_member(&server, bundle, set, findings);
    check_member(&client, bundle, set, findings);
    if (server.cert && client.cert)
        check_pair(&server, &client, findings);
    if (bundle)
        pki_lint_bundle(bundle, names_issuer(&server) && names_issuer(&client),
                        findings);
    release_member(&server);
    release_member(&client);
    sk_X509_pop_free(bundle, X509_free);
    ERR_clear_error();
}
