/* SPDX-License-Identifier: Apache-2.0
 *
 * Two questions about a pair: does this key belong to that certificate, and
 * does this certificate carry that host.  Judges neither dates nor trust.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <string.h>

#include "core/pki/pki_priv.h"

bool pki_is_ip(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 ||
           inet_pton(AF_INET6, host, bytes) == 1;
}

bool pki_cert_names_host(X509 *cert, const char *host)
{
    size_t len = strlen(host);

    if (pki_is_ip(host))
        return X509_check_ip_asc(cert, host, 0) == 1;
    if (len > 1 && host[len - 1] == '.')
        len--; /* the root's dot is written, never certified */
    return len > 0 &&
           X509_check_host(cert, host, len,
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

bool pki_names_host(const void *cert, size_t cert_len, const char *host)
{
    X509 *x = pki_read_cert(cert, cert_len, NULL);
    bool named = x && pki_cert_names_host(x, host);

    X509_free(x);
    ERR_clear_error();
    return named;
}

/* The public key of a certificate or, failing that, of a request. */
static EVP_PKEY *public_key(const void *data, size_t len, struct err *err)
{
    struct pki_cert_info info;
    X509_REQ *request;
    EVP_PKEY *key;
    X509 *cert;

    if (pki_describe(data, len, &info, NULL) == 0 && info.kind == PKI_REQUEST) {
        request = pki_read_request(data, len, err);
        key = request ? X509_REQ_get_pubkey(request) : NULL;
        X509_REQ_free(request);
    } else {
        cert = pki_read_cert(data, len, err);
        if (!cert)
            return NULL;
        key = X509_get_pubkey(cert);
        X509_free(cert);
    }
    if (!key)
        pki_fail(err, CAUSE_INPUT, "its public key cannot be read");
    return key;
}

int pki_match(const void *key, size_t key_len, const struct secret *passphrase,
              const void *cert, size_t cert_len, struct err *err)
{
    EVP_PKEY *private = pki_read_key(key, key_len, passphrase, err);
    EVP_PKEY *public = private ? public_key(cert, cert_len, err) : NULL;
    int rc = -1;

    if (public && EVP_PKEY_eq(private, public) == 1)
        rc = 0;
    else if (public)
        err_set(err, CAUSE_INPUT,
                "the private key does not belong to the certificate");
    EVP_PKEY_free(private);
    EVP_PKEY_free(public);
    ERR_clear_error();
    return rc;
}
