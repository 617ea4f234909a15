/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, requests and certificates of a CUCM cluster, by OpenSSL itself: the
 * lab must not share the product's mistakes.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/record.h"
#include "tests/lab/ucm.h"

enum {
    DAY_S = 86400,
    NAMES_CAP = 1 << 16
};

/* -- small parts ----------------------------------------------------------- */

static void add_ext(X509 *x, X509 *ca, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (ext)
        X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
}

static X509 *blank(EVP_PKEY *key, const char *cn, int days)
{
    X509 *x = X509_new();
    unsigned char serial[12];
    BIGNUM *bn;

    X509_set_version(x, 2);
    if (RAND_bytes(serial, sizeof(serial)) != 1)
        abort();
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
    bn = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
    BN_free(bn);
    X509_gmtime_adj(X509_getm_notBefore(x), -(long)400 * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(x), (long)days * DAY_S);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_pubkey(x, key);
    return x;
}

/* Whom a certificate of this node is for: an appliance's for itself alone. */
static bool is_for(const struct lab_node *node, const struct ucm *u,
                   unsigned scope)
{
    return (node->ucm->role & scope) &&
           (!(u->role & UCM_APPLIANCE) || node->ucm == u);
}

/* "DNS:pub.example.com,...,DNS:example.com": every node, the parent domain. */
static char *names_of(const struct ucm *u, unsigned scope)
{
    const struct lab_cluster *cluster = u->node->cluster;
    struct str out;

    str_init(&out, NAMES_CAP);
    for (size_t i = 0; i < cluster->n_nodes; i++)
        if (is_for(cluster->nodes[i], u, scope) &&
            !cluster->nodes[i]->set.ucm_not_named)
            str_addf(&out, "DNS:%s,", ucm_fqdn(cluster->nodes[i]));
    str_add(&out, "DNS:example.com");
    return str_take(&out);
}

static char *bio_text(BIO *bio)
{
    char *data, *text;
    long n = BIO_get_mem_data(bio, &data);

    text = strndup(data, (size_t)n);
    BIO_free(bio);
    return text;
}

char *ucm_cert_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, cert);
    return bio_text(bio);
}

char *ucm_request_pem(X509_REQ *request)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509_REQ(bio, request);
    return bio_text(bio);
}

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    ERR_clear_error();
    return x;
}

void ucm_release_unit(struct ucm_unit *unit)
{
    EVP_PKEY_free(unit->key);
    EVP_PKEY_free(unit->request_key);
    X509_free(unit->cert);
    X509_free(unit->first);
    X509_free(unit->shown);
    X509_REQ_free(unit->request);
    sk_X509_pop_free(unit->trusts, X509_free);
    memset(unit, 0, sizeof(*unit));
}

SSL_CTX *ucm_context(const struct ucm_unit *unit, struct err *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx && unit->cert && SSL_CTX_use_certificate(ctx, unit->cert) == 1 &&
        SSL_CTX_use_PrivateKey(ctx, unit->key) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    ERR_clear_error();
    err_set(err, CAUSE_SYSTEM, "no certificate to serve");
    return NULL;
}

/* -- the first ones -------------------------------------------------------- */

static void give(struct ucm_unit *unit, EVP_PKEY *key, X509 *cert, X509 *ca)
{
    EVP_PKEY_up_ref(key);
    X509_up_ref(cert);
    unit->key = key;
    unit->cert = cert;
    X509_up_ref(cert);
    unit->first = cert;
    unit->trusts = sk_X509_new_null();
    X509_up_ref(ca);
    sk_X509_push(unit->trusts, ca);
}

static void make_unit(const struct ucm *u, enum ucm_unit_id id, int days,
                      X509 *ca, EVP_PKEY *ca_key)
{
    struct lab_cluster *cluster = u->node->cluster;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = blank(key, "pub-ms.example.com", days);
    char *names = names_of(u, ucm_kinds[id].scope);

    X509_set_issuer_name(x, X509_get_subject_name(ca));
    add_ext(x, ca, NID_subject_alt_name, names);
    add_ext(x, ca, NID_ext_key_usage, "serverAuth,clientAuth");
    X509_sign(x, ca_key, EVP_sha256());
    for (size_t i = 0; i < cluster->n_nodes; i++)
        if (is_for(cluster->nodes[i], u, ucm_kinds[id].scope))
            give(&cluster->nodes[i]->ucm->units[id], key, x, ca);
    free(names);
    X509_free(x);
    EVP_PKEY_free(key);
}

int ucm_make_first(struct lab_cluster *cluster, int days, struct str *roots,
                   struct err *err)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    X509 *ca = blank(ca_key, "Lab voice CA", 3650);
    char *pem;

    for (size_t i = 0; i < cluster->n_nodes; i++)
        if (!cluster->nodes[i]->ucm)
            return err_set(err, CAUSE_INPUT,
                           "cluster %s has nodes of other products",
                           cluster->name);
    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    add_ext(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
    add_ext(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(ca, ca_key, EVP_sha256());
    pem = ucm_cert_pem(ca);
    str_add(roots, pem);
    free(pem);
    for (int id = 0; id < UCM_UNITS; id++)
        for (size_t i = 0; i < cluster->n_nodes; i++)
            if (i == 0 || (cluster->nodes[i]->ucm->role & UCM_APPLIANCE))
                make_unit(cluster->nodes[i]->ucm, (enum ucm_unit_id)id, days,
                          ca, ca_key);
    /* the very one, too: it need not name a node that was added */
    pem = ucm_cert_pem(cluster->nodes[0]->ucm->units[UCM_TOMCAT].cert);
    str_add(roots, pem);
    free(pem);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    return 0;
}

/* -- requests -------------------------------------------------------------- */

static void add_wish(STACK_OF(X509_EXTENSION) * *list, int nid,
                     const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509v3_add_ext(list, ext, -1);
    X509_EXTENSION_free(ext);
}

int ucm_make_request(struct ucm *u, enum ucm_unit_id id, const char *cn)
{
    struct ucm_unit *unit = &u->units[id];
    STACK_OF(X509_EXTENSION) *list = NULL;
    char *names = names_of(u, ucm_kinds[id].scope);

    EVP_PKEY_free(unit->request_key);
    X509_REQ_free(unit->request);
    unit->request_key = EVP_RSA_gen(2048);
    unit->request = X509_REQ_new();
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(unit->request), "CN",
                               MBSTRING_UTF8, (const unsigned char *)cn, -1, -1,
                               0);
    X509_REQ_set_pubkey(unit->request, unit->request_key);
    add_wish(&list, NID_key_usage,
             "digitalSignature,keyEncipherment,dataEncipherment");
    add_wish(&list, NID_ext_key_usage, "serverAuth,clientAuth");
    add_wish(&list, NID_subject_alt_name, names);
    X509_REQ_add_extensions(unit->request, list);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    free(names);
    return X509_REQ_sign(unit->request, unit->request_key, EVP_sha256()) > 0
               ? 0
               : -1;
}

/* -- uploads --------------------------------------------------------------- */

static bool has_trust(const struct ucm_unit *unit, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(unit->trusts); i++)
        if (X509_cmp(sk_X509_value(unit->trusts, i), cert) == 0)
            return true;
    return false;
}

/* What is uploaded into a trust store goes to all nodes (facts/uc.md 1.2). */
const char *ucm_trust(struct ucm *u, enum ucm_unit_id id, const char *pem)
{
    struct lab_cluster *c = u->node->cluster;
    X509 *x = read_cert(pem);

    if (!x)
        return "The file is not a certificate";
    if (has_trust(&u->units[id], x)) {
        X509_free(x);
        return "Certificate already exists in the trust store";
    }
    for (size_t i = 0; i < c->n_nodes; i++) {
        struct ucm_unit *unit = &c->nodes[i]->ucm->units[id];
        if (is_for(c->nodes[i], u, ~0U) && unit->trusts &&
            !has_trust(unit, x) && X509_up_ref(x))
            sk_X509_push(unit->trusts, x);
    }
    X509_free(x);
    return NULL;
}

static bool is_trusted(const struct ucm_unit *unit, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(unit->trusts); i++) {
        X509 *ca = sk_X509_value(unit->trusts, i);
        if (X509_check_issued(ca, cert) == X509_V_OK &&
            X509_verify(cert, X509_get0_pubkey(ca)) == 1)
            return true;
    }
    ERR_clear_error();
    return false;
}

static GENERAL_NAMES *request_names(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names =
        X509V3_get_d2i(list, NID_subject_alt_name, NULL, NULL);

    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return names;
}

static bool all_in(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(a); i++) {
        bool found = false;
        for (int k = 0; k < sk_GENERAL_NAME_num(b); k++)
            found |= GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i),
                                      sk_GENERAL_NAME_value(b, k)) == 0;
        if (!found)
            return false;
    }
    return true;
}

static bool same_names(X509_REQ *request, X509 *cert)
{
    GENERAL_NAMES *a = request_names(request);
    GENERAL_NAMES *b = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool same = all_in(a, b) && all_in(b, a);

    GENERAL_NAMES_free(a);
    GENERAL_NAMES_free(b);
    return same;
}

static const char *refusal(const struct ucm_unit *unit, X509 *cert, int *status)
{
    *status = 400;
    if (!cert)
        return "The file is not a certificate";
    if (!is_trusted(unit, cert))
        return "CA Certificate is not available in the trust-store";
    *status = 500;
    if (!unit->request)
        return "The CSR does not exist";
    if (EVP_PKEY_eq(X509_get0_pubkey(cert), unit->request_key) != 1)
        return "CSR public key and certificate public key do not match";
    *status = 400;
    if (!same_names(unit->request, cert))
        return "CSR SAN and Certificate SAN does not match";
    if (!(X509_get_key_usage(cert) & KU_DATA_ENCIPHERMENT))
        return "Key usage does not match the CSR";
    return NULL;
}

static void replace(struct ucm_unit *unit, EVP_PKEY *key, X509 *cert)
{
    EVP_PKEY_free(unit->key);
    X509_free(unit->cert);
    EVP_PKEY_up_ref(key);
    X509_up_ref(cert);
    unit->key = key;
    unit->cert = cert;
}

const char *ucm_upload(struct ucm *u, enum ucm_unit_id id, const char *pem,
                       int *status)
{
    struct lab_cluster *c = u->node->cluster;
    struct ucm_unit *own = &u->units[id];
    X509 *cert = read_cert(pem);
    const char *why = refusal(own, cert, status);

    for (size_t i = 0; i < c->n_nodes && !why; i++) {
        struct ucm *other = c->nodes[i]->ucm;
        if (is_for(c->nodes[i], u, ucm_kinds[id].scope) &&
            !other->node->set.ucm_misses)
            replace(&other->units[id], own->request_key, cert);
    }
    if (!why) { /* "the CSR disappears" */
        X509_REQ_free(own->request);
        EVP_PKEY_free(own->request_key);
        own->request = NULL;
        own->request_key = NULL;
    }
    X509_free(cert);
    lab_changed(u->node->lab);
    return why;
}

const char *ucm_state(const struct ucm *u, enum ucm_unit_id id)
{
    const struct ucm_unit *unit = &u->units[id];

    if (!unit->cert || !(ucm_kinds[id].scope & u->role))
        return NULL;
    if (!unit->shown)
        return "down";
    if (unit->shown != unit->cert)
        return "stale";
    return unit->shown == unit->first ? "old" : "new";
}
