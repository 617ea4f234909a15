/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL's word on certificates: match, verify, purpose, validity.
 */
#include "tests/lab/certset.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "tests/lab/lab.h"

const char *certset_label(enum certset_file which)
{
    /* clang-format off */
    static const char *const labels[CERTSET_FILES] = {
        "Server Key", "Server Certificate", "Client Key",
        "Client Certificate", "CA Certificate",
    };
    /* clang-format on */
    return labels[which];
}

/* -- reading --------------------------------------------------------------- */

static BIO *open_bytes(const void *data, size_t len)
{
    return BIO_new_mem_buf(data, (int)len);
}

static void free_certs(STACK_OF(X509) * certs)
{
    sk_X509_pop_free(certs, X509_free);
}

/* Every certificate of a PEM bundle, or the one of a DER file. */
static STACK_OF(X509) * read_certs(const void *data, size_t len)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    BIO *bio = open_bytes(data, len);
    X509 *x;

    while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        sk_X509_push(certs, x);
    BIO_free(bio);
    if (sk_X509_num(certs) == 0) {
        const unsigned char *p = data;
        x = d2i_X509(NULL, &p, (long)len);
        if (x)
            sk_X509_push(certs, x);
    }
    ERR_clear_error();
    return certs;
}

static int no_passphrase(char *buf, int size, int rw, void *user)
{
    (void)buf, (void)size, (void)rw, (void)user;
    return -1; /* never ask the terminal */
}

static EVP_PKEY *read_key(const void *data, size_t len)
{
    BIO *bio = open_bytes(data, len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

    BIO_free(bio);
    if (!key) {
        const unsigned char *p = data;
        key = d2i_AutoPrivateKey(NULL, &p, (long)len);
    }
    ERR_clear_error();
    return key;
}

static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(t, &tm))
        return 0;
    return timegm(&tm);
}

/* -- the set --------------------------------------------------------------- */

void certset_release(struct certset *set)
{
    for (int i = 0; i < CERTSET_FILES; i++) {
        free(set->part[i].name);
        free(set->part[i].data);
    }
    memset(set, 0, sizeof(*set));
}

void certset_put(struct certset *set, enum certset_file which, const char *name,
                 const void *data, size_t len)
{
    struct certset_part *p = &set->part[which];
    STACK_OF(X509) * certs;

    free(p->name);
    free(p->data);
    p->name = lab_strdup(name);
    p->data = lab_calloc(1, len + 1);
    if (len)
        memcpy(p->data, data, len);
    p->len = len;
    lab_digest(p->data, len, p->digest);
    p->not_after = 0;
    if (which == CERTSET_SERVER_KEY || which == CERTSET_CLIENT_KEY)
        return;
    certs = read_certs(p->data, len);
    if (sk_X509_num(certs) > 0)
        p->not_after = seconds_of(X509_get0_notAfter(sk_X509_value(certs, 0)));
    free_certs(certs);
}

void certset_copy(struct certset *to, const struct certset *from)
{
    certset_release(to);
    for (int i = 0; i < CERTSET_FILES; i++)
        if (from->part[i].name)
            certset_put(to, (enum certset_file)i, from->part[i].name,
                        from->part[i].data, from->part[i].len);
}

bool certset_is_empty(const struct certset *set)
{
    return !set->part[CERTSET_CA].name;
}

bool certset_has_server(const struct certset *set)
{
    return set->part[CERTSET_SERVER_CERT].name != NULL;
}

bool certset_expired(const struct certset *set, int64_t now)
{
    for (int i = 0; i < CERTSET_FILES; i++)
        if (set->part[i].not_after && set->part[i].not_after < now)
            return true;
    return false;
}

/* -- verification ---------------------------------------------------------- */

struct trust {
    int purpose;      /* X509_PURPOSE_* or 0 */
    const char *host; /* or NULL */
    int64_t now;
};

static X509_STORE *make_store(const void *data, size_t len)
{
    STACK_OF(X509) *cas = read_certs(data, len);
    X509_STORE *store = X509_STORE_new();

    for (int i = 0; i < sk_X509_num(cas); i++)
        X509_STORE_add_cert(store, sk_X509_value(cas, i));
    free_certs(cas);
    return store;
}

static void set_trust(X509_STORE_CTX *ctx, const struct trust *trust)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

    X509_VERIFY_PARAM_set_time(param, trust->now);
    if (trust->purpose)
        X509_VERIFY_PARAM_set_purpose(param, trust->purpose);
    if (trust->host && !X509_VERIFY_PARAM_set1_ip_asc(param, trust->host))
        X509_VERIFY_PARAM_set1_host(param, trust->host, 0);
}

static int verify(const struct certset_part *cert,
                  const struct certset_part *ca, const struct trust *trust,
                  struct err *err)
{
    STACK_OF(X509) *chain = read_certs(cert->data, cert->len);
    X509_STORE *store = make_store(ca->data, ca->len);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc = 0;

    if (sk_X509_num(chain) == 0) {
        rc = err_set(err, CAUSE_REMOTE, "%s: not a certificate", cert->name);
        goto out;
    }
    X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain);
    set_trust(ctx, trust);
    if (X509_verify_cert(ctx) != 1)
        rc = err_set(
            err, CAUSE_REMOTE, "%s: verification failed: %s", cert->name,
            X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
out:
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    free_certs(chain);
    ERR_clear_error();
    return rc;
}

static int check_common_name(const struct certset_part *cert, struct err *err)
{
    STACK_OF(X509) *chain = read_certs(cert->data, cert->len);
    char cn[64] = "";

    if (sk_X509_num(chain) > 0)
        X509_NAME_get_text_by_NID(
            X509_get_subject_name(sk_X509_value(chain, 0)), NID_commonName, cn,
            sizeof(cn));
    free_certs(chain);
    if (strcmp(cn, "postgres") != 0)
        return err_set(err, CAUSE_REMOTE,
                       "%s: the common name is '%s', not 'postgres'",
                       cert->name, cn);
    return 0;
}

int certset_match(const void *key, size_t key_len, const void *cert,
                  size_t cert_len, struct err *err)
{
    EVP_PKEY *pkey = read_key(key, key_len);
    STACK_OF(X509) *chain = read_certs(cert, cert_len);
    int rc = 0;

    if (!pkey)
        rc = err_set(err, CAUSE_REMOTE, "the key cannot be read");
    else if (sk_X509_num(chain) == 0)
        rc = err_set(err, CAUSE_REMOTE, "the certificate cannot be read");
    else if (X509_check_private_key(sk_X509_value(chain, 0), pkey) != 1)
        rc = err_set(err, CAUSE_REMOTE, "certificate and key do not match");
    EVP_PKEY_free(pkey);
    free_certs(chain);
    ERR_clear_error();
    return rc;
}

int certset_verify(const void *cert, size_t cert_len, const void *bundle,
                   size_t bundle_len, int64_t now, struct err *err)
{
    struct certset_part c = {.name = (char[]){"certificate"},
                             .data = (unsigned char *)(uintptr_t)cert,
                             .len = cert_len};
    struct certset_part b = {.data = (unsigned char *)(uintptr_t)bundle,
                             .len = bundle_len};
    struct trust trust = {.now = now};

    return verify(&c, &b, &trust, err);
}

bool certset_chains(const void *cert, size_t cert_len, const void *by,
                    size_t by_len, bool root)
{
    STACK_OF(X509) *chain = read_certs(cert, cert_len);
    X509_STORE *store = make_store(by, by_len);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    unsigned long flags =
        X509_V_FLAG_NO_CHECK_TIME | (root ? 0 : X509_V_FLAG_PARTIAL_CHAIN);
    bool good = sk_X509_num(chain) > 0;

    if (good) {
        X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain);
        X509_STORE_CTX_set_flags(ctx, flags);
        good = X509_verify_cert(ctx) == 1;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    free_certs(chain);
    ERR_clear_error();
    return good;
}

static int check_pair(const struct certset *set, int first, int64_t now,
                      struct err *err)
{
    const struct certset_part *key = &set->part[first];
    const struct certset_part *cert = &set->part[first + 1];
    struct trust trust = {.now = now};

    trust.purpose = first == CERTSET_SERVER_KEY ? X509_PURPOSE_SSL_SERVER
                                                : X509_PURPOSE_SSL_CLIENT;
    if (certset_match(key->data, key->len, cert->data, cert->len, err) < 0)
        return err_context(err, "%s, %s", key->name, cert->name);
    return verify(cert, &set->part[CERTSET_CA], &trust, err);
}

int certset_check(const struct certset *set, int64_t now, struct err *err)
{
    if (certset_is_empty(set))
        return err_set(err, CAUSE_REMOTE, "no certificates are configured");
    if (certset_has_server(set) &&
        check_pair(set, CERTSET_SERVER_KEY, now, err) < 0)
        return -1;
    if (check_pair(set, CERTSET_CLIENT_KEY, now, err) < 0)
        return -1;
    return check_common_name(&set->part[CERTSET_CLIENT_CERT], err);
}

int certset_accepts_server(const struct certset *set,
                           const struct certset *peer, const char *host,
                           int64_t now, struct err *err)
{
    struct trust trust = {X509_PURPOSE_SSL_SERVER, host, now};

    if (!certset_has_server(peer) || certset_is_empty(set))
        return err_set(err, CAUSE_REMOTE, "no server certificate");
    return verify(&peer->part[CERTSET_SERVER_CERT], &set->part[CERTSET_CA],
                  &trust, err);
}

int certset_accepts_client(const struct certset *set,
                           const struct certset *peer, int64_t now,
                           struct err *err)
{
    struct trust trust = {X509_PURPOSE_SSL_CLIENT, NULL, now};

    if (certset_is_empty(peer) || certset_is_empty(set))
        return err_set(err, CAUSE_REMOTE, "no client certificate");
    if (verify(&peer->part[CERTSET_CLIENT_CERT], &set->part[CERTSET_CA], &trust,
               err) < 0)
        return -1;
    return check_common_name(&peer->part[CERTSET_CLIENT_CERT], err);
}

/* -- serving --------------------------------------------------------------- */

static int use_chain(SSL_CTX *ctx, const struct certset_part *part)
{
    STACK_OF(X509) *chain = read_certs(part->data, part->len);
    int ok = sk_X509_num(chain) > 0 &&
             SSL_CTX_use_certificate(ctx, sk_X509_value(chain, 0)) == 1;

    for (int i = 1; ok && i < sk_X509_num(chain); i++)
        ok = SSL_CTX_add1_chain_cert(ctx, sk_X509_value(chain, i)) == 1;
    free_certs(chain);
    return ok;
}

SSL_CTX *certset_context(const struct certset *set, struct err *err)
{
    const struct certset_part *key = &set->part[CERTSET_SERVER_KEY];
    const struct certset_part *ca = &set->part[CERTSET_CA];
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *pkey = key->data ? read_key(key->data, key->len) : NULL;
    int ok = certset_has_server(set) && pkey &&
             use_chain(ctx, &set->part[CERTSET_SERVER_CERT]) &&
             SSL_CTX_use_PrivateKey(ctx, pkey) == 1;

    EVP_PKEY_free(pkey);
    ERR_clear_error();
    if (!ok) {
        SSL_CTX_free(ctx);
        err_set(err, CAUSE_REMOTE, "the server certificate cannot be used");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (ca->data)
        SSL_CTX_set_cert_store(ctx, make_store(ca->data, ca->len));
    return ctx;
}

/* -- describing ------------------------------------------------------------ */

static void add_text(BIO *bio, struct str *out)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);

    if (out && n > 0)
        str_addn(out, text, (size_t)n);
    BIO_free(bio);
}

static bool describe_certs(const void *data, size_t len, struct str *out)
{
    STACK_OF(X509) *certs = read_certs(data, len);
    int n = sk_X509_num(certs);

    for (int i = 0; i < n; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        X509_print(bio, sk_X509_value(certs, i));
        add_text(bio, out);
    }
    free_certs(certs);
    return n > 0;
}

static bool describe_request(const void *data, size_t len, struct str *out)
{
    BIO *in = open_bytes(data, len), *bio;
    X509_REQ *req = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);

    BIO_free(in);
    ERR_clear_error();
    if (!req)
        return false;
    bio = BIO_new(BIO_s_mem());
    X509_REQ_print(bio, req);
    add_text(bio, out);
    X509_REQ_free(req);
    return true;
}

const char *certset_describe(const void *data, size_t len, struct str *out)
{
    EVP_PKEY *key;

    if (describe_certs(data, len, out))
        return "certificate";
    key = read_key(data, len);
    EVP_PKEY_free(key);
    if (key)
        return "key";
    return describe_request(data, len, out) ? "request" : NULL;
}
