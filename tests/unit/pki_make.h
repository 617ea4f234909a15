/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/pki_make.h - certificates of any shape for the tests of core/pki:
 * also those that our own issuer refuses to make.
 */
#ifndef CERTFLEET_TESTS_PKI_MAKE_H
#define CERTFLEET_TESTS_PKI_MAKE_H

#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/pki/pki.h"

enum {
    MAKE_NOW = 1800000000
}; /* 2027-01-15; all times hang on it */

struct recipe {
    const char *cn;
    const char *second_cn;
    int kind;             /* bits of RSA, or -NID of a curve; 0: P-256 */
    const EVP_MD *digest; /* NULL: SHA-256 */
    bool v1;
    int64_t from, to; /* 0: an hour before and a year after MAKE_NOW */
    long serial;      /* 0: random */
    EVP_PKEY *key;    /* NULL: a new one */
    /* extensions in OpenSSL's words; NULL: absent */
    const char *basic, *ku, *eku, *san, *ski, *aki, *nc, *ns,
        *policies;   /* one OID */
    const char *odd; /* a critical extension nobody knows */
};

struct made {
    X509 *cert;
    EVP_PKEY *key;
    char *pem; /* of the certificate */
    struct secret *key_pem;
};

// clang-format off
#define CA_RECIPE(name) \
    { .cn = (name), .basic = "critical,CA:TRUE", \
      .ku = "critical,keyCertSign,cRLSign", .ski = "hash" }
#define SERVER_RECIPE(name, names) \
    { .cn = (name), .basic = "critical,CA:FALSE", \
      .ku = "critical,digitalSignature", .eku = "serverAuth", \
      .san = (names), .ski = "hash", .aki = "keyid" }
#define CLIENT_RECIPE() \
    { .cn = "postgres", .basic = "critical,CA:FALSE", \
      .ku = "critical,digitalSignature", .eku = "clientAuth", \
      .san = "DNS:postgres", .ski = "hash", .aki = "keyid" }
// clang-format on

static inline EVP_PKEY *make_key(int kind)
{
    EVP_PKEY *key;

    if (kind == -NID_ED25519)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else if (kind > 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)kind);
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
                                kind ? OBJ_nid2sn(-kind) : "P-256");
    assert_non_null(key);
    return key;
}

/* By the openssl program: valgrind, which makes it a hundred times as dear,
 * does not follow children. */
static inline struct secret *make_rsa(void)
{
    char *argv[] = {"openssl",
                    "genpkey",
                    "-quiet",
                    "-algorithm",
                    "RSA",
                    "-pkeyopt",
                    "rsa_keygen_bits:2048",
                    NULL};
    posix_spawn_file_actions_t actions;
    char pem[4096];
    size_t len = 0;
    ssize_t n;
    int out[2], status;
    pid_t pid;

    assert_int_equal(pipe(out), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    while ((n = read(out[0], pem + len, sizeof(pem) - len)) > 0)
        len += (size_t)n;
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return secret_from(pem, len);
}

static inline char *make_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *pem;
    long len;

    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    len = BIO_get_mem_data(bio, &data);
    pem = strndup(data, (size_t)len);
    BIO_free(bio);
    return pem;
}

static inline struct secret *make_key_pem(EVP_PKEY *key,
                                          const EVP_CIPHER *cipher,
                                          const char *pass)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct secret *pem;
    char *data;
    long len;

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, pass,
                                                   pass ? (int)strlen(pass) : 0,
                                                   NULL, NULL),
                     1);
    len = BIO_get_mem_data(bio, &data);
    pem = secret_from(data, (size_t)len);
    BIO_free(bio);
    return pem;
}

static inline void make_ext(X509 *cert, X509 *issuer, int nid,
                            const char *value)
{
    X509_EXTENSION *ext;
    X509V3_CTX ctx;

    if (!value)
        return;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static inline void make_odd(X509 *cert, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2);
    ext = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static inline void make_policy(X509 *cert, const char *oid)
{
    CERTIFICATEPOLICIES *list = CERTIFICATEPOLICIES_new();
    POLICYINFO *one = POLICYINFO_new();

    one->policyid = OBJ_txt2obj(oid, 1);
    sk_POLICYINFO_push(list, one);
    assert_int_equal(
        X509_add1_ext_i2d(cert, NID_certificate_policies, list, 0, 0), 1);
    CERTIFICATEPOLICIES_free(list);
}

static inline void make_cn(X509_NAME *name, const char *cn)
{
    if (cn)
        X509_NAME_add_entry_by_txt(name, "CN",
                                   V_ASN1_UTF8STRING, /* any length */
                                   (const unsigned char *)cn, -1, -1, 0);
}

static inline void make_head(X509 *cert, const struct recipe *r)
{
    X509_NAME *name = X509_NAME_new();
    int64_t from = r->from ? r->from : MAKE_NOW - 3600;
    int64_t to = r->to ? r->to : MAKE_NOW + 365LL * 86400;
    static long counter = 1000;

    make_cn(name, r->cn);
    make_cn(name, r->second_cn);
    X509_set_version(cert, r->v1 ? X509_VERSION_1 : X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert),
                     r->serial ? r->serial : counter++);
    X509_set_subject_name(cert, name);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from);
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)to);
    X509_NAME_free(name);
}

/* `by` NULL: self-signed. */
static inline struct made make_cert(const struct recipe *r,
                                    const struct made *by)
{
    struct made made = {.cert = X509_new()};
    X509 *issuer;
    EVP_PKEY *key;
    const EVP_MD *digest = r->digest ? r->digest : EVP_sha256();

    made.key = r->key ? r->key : make_key(r->kind);
    if (r->key)
        EVP_PKEY_up_ref(r->key);
    issuer = by ? by->cert : made.cert;
    key = by ? by->key : made.key;
    make_head(made.cert, r);
    X509_set_pubkey(made.cert, made.key);
    X509_set_issuer_name(made.cert, X509_get_subject_name(issuer));
    make_ext(made.cert, issuer, NID_basic_constraints, r->basic);
    make_ext(made.cert, issuer, NID_key_usage, r->ku);
    make_ext(made.cert, issuer, NID_ext_key_usage, r->eku);
    make_ext(made.cert, issuer, NID_subject_alt_name, r->san);
    make_ext(made.cert, issuer, NID_subject_key_identifier, r->ski);
    make_ext(made.cert, issuer, NID_authority_key_identifier, r->aki);
    make_ext(made.cert, issuer, NID_name_constraints, r->nc);
    make_ext(made.cert, issuer, NID_netscape_cert_type, r->ns);
    if (r->policies)
        make_policy(made.cert, r->policies);
    if (r->odd)
        make_odd(made.cert, r->odd);
    if (EVP_PKEY_is_a(key, "ED25519"))
        digest = NULL;
    assert_true(X509_sign(made.cert, key, digest) > 0);
    made.pem = make_pem(made.cert);
    made.key_pem = make_key_pem(made.key, NULL, NULL);
    return made;
}

static inline void made_free(struct made *made)
{
    X509_free(made->cert);
    EVP_PKEY_free(made->key);
    free(made->pem);
    secret_free(made->key_pem);
    memset(made, 0, sizeof(*made));
}

/* The texts one behind the other; the caller frees. */
static inline char *join(const char *a, const char *b, const char *c)
{
    struct str all;

    str_init(&all, 1 << 20);
    str_add(&all, a);
    str_add(&all, b ? b : "");
    str_add(&all, c ? c : "");
    return str_take(&all);
}

static inline X509 *parse(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static inline struct pki_cert_info info_of(const char *pem)
{
    struct pki_cert_info info;
    struct err err = {0};

    assert_int_equal(pki_describe(pem, strlen(pem), &info, &err), 0);
    return info;
}

/* A leaf with exactly these bits, in critical extensions where that is due. */
static inline void check_usage(const char *pem, uint32_t ku, uint32_t eku)
{
    X509 *cert = parse(pem);
    int at = X509_get_ext_by_NID(cert, NID_key_usage, -1);

    assert_int_equal(X509_get_key_usage(cert), ku);
    assert_int_equal(X509_get_extended_key_usage(cert), eku);
    assert_true(X509_EXTENSION_get_critical(X509_get_ext(cert, at)));
    at = X509_get_ext_by_NID(cert, NID_basic_constraints, -1);
    assert_true(X509_EXTENSION_get_critical(X509_get_ext(cert, at)));
    assert_int_equal(X509_check_ca(cert), 0);
    X509_free(cert);
}

static inline bool has_finding(const struct pki_findings *findings,
                               const char *id, enum pki_severity severity)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->list[i].id, id) == 0 &&
            findings->list[i].severity == severity)
            return true;
    return false;
}

static inline void print_findings(const struct pki_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        print_message("  %s %d %s\n", findings->list[i].id,
                      (int)findings->list[i].severity, findings->list[i].text);
}

#endif
