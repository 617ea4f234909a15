/* SPDX-License-Identifier: Apache-2.0
 *
 * A dedicated root and the first database certificates, made by OpenSSL.
 */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lab/config.h"

enum {
    DAY = 86400,
    CA_DAYS = 3650
};

struct issue {
    const char *folder;
    const struct make_options *options;
    X509 *ca;
    EVP_PKEY *ca_key;
    struct err *err;
};

static EVP_PKEY *make_key(const char *kind)
{
    if (strncmp(kind, "rsa:", 4) == 0)
        return EVP_RSA_gen((unsigned)strtoul(kind + 4, NULL, 10));
    return EVP_EC_gen("P-256");
}

static void add_extension(X509 *x, X509 *ca, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (ext)
        X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
}

static X509 *begin(EVP_PKEY *key, const char *cn, long from_s, long to_s)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    unsigned char serial[16];
    BIGNUM *bn;

    X509_set_version(x, 2);
    if (RAND_bytes(serial, sizeof(serial)) != 1)
        abort();
    serial[0] &= 0x7f;
    bn = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
    BN_free(bn);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                               (const unsigned char *)"Lab Inc.", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_pubkey(x, key);
    return x;
}

static int write_bio(struct issue *i, const char *name, BIO *bio, unsigned mode)
{
    char *data, *path = NULL;
    long n = BIO_get_mem_data(bio, &data);
    int rc;

    if (asprintf(&path, "%s/%s", i->folder, name) < 0)
        abort();
    rc = make_write(path, data, (size_t)n, mode, i->err);
    free(path);
    BIO_free(bio);
    return rc;
}

static int write_cert(struct issue *i, const char *name, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, x);
    return write_bio(i, name, bio, 0644);
}

static int write_key(struct issue *i, const char *name, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return write_bio(i, name, bio, 0600);
}

static int make_ca(struct issue *i, const char *cn)
{
    i->ca_key = make_key(i->options->key);
    i->ca = begin(i->ca_key, cn, -(long)800 * DAY, (long)CA_DAYS * DAY);
    X509_set_issuer_name(i->ca, X509_get_subject_name(i->ca));
    add_extension(i->ca, i->ca, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(i->ca, i->ca, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(i->ca, i->ca, NID_subject_key_identifier, "hash");
    if (!X509_sign(i->ca, i->ca_key, EVP_sha256()))
        return err_set(i->err, CAUSE_SYSTEM, "cannot sign the root");
    return 0;
}

/* "DNS:a,IP:1.2.3.4"; malloc'd */
static char *alt_names(const char *const *hosts)
{
    struct str out;

    str_init(&out, 1 << 16);
    for (; *hosts; hosts++) {
        struct in_addr a;
        str_addf(&out, "%s%s:%s", out.len ? "," : "",
                 inet_pton(AF_INET, *hosts, &a) == 1 ? "IP" : "DNS", *hosts);
    }
    return str_take(&out);
}

struct leaf {
    const char *base, *cn;
    const char *const *hosts;
    const char *usage;
    bool chain; /* BASE-chain.cer too */
};

static X509 *sign_leaf(struct issue *i, const struct leaf *leaf, EVP_PKEY *key)
{
    long to = (long)i->options->days * DAY;
    long from = to - (long)730 * DAY;
    X509 *x = begin(key, leaf->cn, from < -3600 ? from : -3600, to);
    char *alt = alt_names(leaf->hosts);

    X509_set_issuer_name(x, X509_get_subject_name(i->ca));
    add_extension(x, i->ca, NID_basic_constraints, "CA:FALSE");
    add_extension(x, i->ca, NID_key_usage,
                  "critical,digitalSignature,keyEncipherment");
    add_extension(x, i->ca, NID_ext_key_usage, leaf->usage);
    add_extension(x, i->ca, NID_subject_key_identifier, "hash");
    add_extension(x, i->ca, NID_authority_key_identifier, "keyid");
    if (*alt)
        add_extension(x, i->ca, NID_subject_alt_name, alt);
    free(alt);
    if (X509_sign(x, i->ca_key, EVP_sha256()))
        return x;
    err_set(i->err, CAUSE_SYSTEM, "cannot sign %s", leaf->base);
    X509_free(x);
    return NULL;
}

static int write_leaf(struct issue *i, const struct leaf *leaf, X509 *x)
{
    char name[128];
    BIO *bio;

    snprintf(name, sizeof(name), "%s.cer", leaf->base);
    if (write_cert(i, name, x) < 0)
        return -1;
    if (!leaf->chain)
        return 0;
    snprintf(name, sizeof(name), "%s-chain.cer", leaf->base);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    PEM_write_bio_X509(bio, i->ca);
    return write_bio(i, name, bio, 0644);
}

static int make_leaf(struct issue *i, const struct leaf *leaf)
{
    EVP_PKEY *key = make_key(i->options->key);
    X509 *x = sign_leaf(i, leaf, key);
    char name[128];
    int rc = x ? write_leaf(i, leaf, x) : -1;

    snprintf(name, sizeof(name), "%s.key", leaf->base);
    if (rc == 0)
        rc = write_key(i, name, key);
    X509_free(x);
    EVP_PKEY_free(key);
    return rc;
}

int issue_set(const char *folder, const char *cluster, const char *const *hosts,
              const struct make_options *options, struct err *err)
{
    static const char *const nobody[] = {NULL};
    const struct leaf server = {"dbclusterserver", hosts[0], hosts,
                                "serverAuth", false};
    const struct leaf client = {"dbclusterclient", "postgres", nobody,
                                "clientAuth", false};
    struct issue i = {.folder = folder, .options = options, .err = err};
    char cn[128];
    int rc;

    snprintf(cn, sizeof(cn), "Lab database CA %s", cluster);
    rc = make_ca(&i, cn);
    if (rc == 0)
        rc = write_cert(&i, "dbclusterca.cer", i.ca);
    if (rc == 0)
        rc = make_leaf(&i, &server);
    if (rc == 0)
        rc = make_leaf(&i, &client);
    X509_free(i.ca);
    EVP_PKEY_free(i.ca_key);
    return rc;
}

/* -- services -------------------------------------------------------------- */

struct issuer {
    struct issue issue;
};

struct issuer *issuer_new(const char *cluster,
                          const struct make_options *options, struct err *err)
{
    struct issuer *r = lab_calloc(1, sizeof(*r));
    char cn[128];

    r->issue.options = options;
    r->issue.err = err;
    snprintf(cn, sizeof(cn), "Lab services CA %s", cluster);
    if (make_ca(&r->issue, cn) == 0)
        return r;
    issuer_free(r);
    return NULL;
}

int issuer_add(struct issuer *r, const char *folder, const char *const *hosts,
               struct err *err)
{
    static const char *const bases[] = {"webadmin", "callbridge", "media",
                                        "web", "c2w"};
    int rc;

    r->issue.folder = folder;
    r->issue.err = err;
    rc = write_cert(&r->issue, "root.cer", r->issue.ca);
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]) && rc == 0; i++) {
        const struct leaf leaf = {bases[i], hosts[0], hosts,
                                  "serverAuth,clientAuth", true};
        rc = make_leaf(&r->issue, &leaf);
    }
    return rc;
}

void issuer_free(struct issuer *r)
{
    if (!r)
        return;
    X509_free(r->issue.ca);
    EVP_PKEY_free(r->issue.ca_key);
    free(r);
}
