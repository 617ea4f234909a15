/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this the certificate of the node that is to get the password?  Asked of
 * OpenSSL in the middle of the handshake, before a byte of HTTP goes out.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "transport/https_priv.h"

/* -- names ----------------------------------------------------------------- */

static bool is_ip(const char *text)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, text, bytes) == 1 ||
           inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_called(X509 *leaf, const char *name)
{
    return is_ip(name) ? X509_check_ip_asc(leaf, name, 0) == 1
                       : X509_check_host(leaf, name, 0,
                                         X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                                         NULL) == 1;
}

static bool names_peer(const struct https_request *r, X509 *leaf)
{
    bool named = is_called(leaf, r->address);

    for (const char *const *n = r->names; !named && n && *n; n++)
        named = is_called(leaf, *n);
    return named;
}

/* -- the very certificate -------------------------------------------------- */

static bool has_digest(X509 *leaf, const char *hex)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    unsigned len = 0;

    if (!hex || !*hex || X509_digest(leaf, EVP_sha256(), digest, &len) != 1)
        return false;
    for (unsigned i = 0; i < len; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
    return strcasecmp(text, hex) == 0;
}

static bool is_in_store(X509_STORE_CTX *sc, X509 *leaf)
{
    X509_STORE *store = X509_STORE_CTX_get0_store(sc);
    const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);
    bool found = false;

    for (int i = 0; !found && i < sk_X509_OBJECT_num(all); i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        found = cert && X509_cmp(cert, leaf) == 0;
    }
    return found;
}

/* -- the answer ------------------------------------------------------------ */

static int refuse(X509_STORE_CTX *sc, struct https_trust *t, int error,
                  const char *why)
{
    X509_STORE_CTX_set_error(sc, error);
    snprintf(t->why, sizeof(t->why), "%s", why);
    return 0;
}

static int on_verify(X509_STORE_CTX *sc, void *arg)
{
    struct https_trust *t = arg;
    X509 *leaf = X509_STORE_CTX_get0_cert(sc);

    if (!leaf)
        return refuse(sc, t, X509_V_ERR_UNSPECIFIED, "it shows none");
    if (has_digest(leaf, t->request->pin) || is_in_store(sc, leaf)) {
        X509_STORE_CTX_set_error(sc, X509_V_OK);
        return 1;
    }
    if (X509_verify_cert(sc) != 1) {
        int error = X509_STORE_CTX_get_error(sc);
        return refuse(sc, t, error ? error : X509_V_ERR_UNSPECIFIED,
                      X509_verify_cert_error_string(error));
    }
    if (!names_peer(t->request, leaf))
        return refuse(sc, t, X509_V_ERR_HOSTNAME_MISMATCH,
                      "it names neither the node's address nor one of its "
                      "`names'");
    return 1;
}

static int add_all(X509_STORE *store, const struct secret *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    int n = 0;
    X509 *cert;

    while (bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        n += X509_STORE_add_cert(store, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the file is one */
    return n;
}

/* The context's own store is another's: libcurl may share it. */
int https_trust_use(SSL_CTX *ctx, struct https_trust *trust)
{
    X509_STORE *store = X509_STORE_new();

    trust->why[0] = '\0';
    if (!store)
        return -1;
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_cert_store(ctx, store); /* which takes it */
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, trust);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return add_all(store, trust->request->ca) > 0 || trust->request->pin ? 0
                                                                         : -1;
}
