/* SPDX-License-Identifier: Apache-2.0
 *
 * A self-signed CA certificate by OpenSSL.  Knows no file.
 */
#include "cli/selfsigned.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SERIAL_BITS = 127,
    BACKDATE_S = 3600,
    SECONDS_A_DAY = 86400
};

static bool set_serial(X509 *cert)
{
    BIGNUM *n = BN_new();
    bool ok = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, 0) &&
              BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));

    BN_free(n);
    return ok;
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;
    bool ok;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* The names that the request asks for; without any there are none. */
static bool add_names(X509 *cert, X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
    int at = X509v3_get_ext_by_NID(list, NID_subject_alt_name, -1);
    bool ok = at < 0 || X509_add_ext(cert, X509v3_get_ext(list, at), -1) == 1;

    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return ok;
}

static bool fill(X509 *cert, X509_REQ *request, unsigned days, int64_t now)
{
    X509_NAME *name = X509_REQ_get_subject_name(request);
    int64_t after = now + (int64_t)days * SECONDS_A_DAY;

    return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
           X509_set_subject_name(cert, name) &&
           X509_set_issuer_name(cert, name) &&
           X509_set_pubkey(cert, X509_REQ_get0_pubkey(request)) &&
           ASN1_TIME_set(X509_getm_notBefore(cert),
                         (time_t)(now - BACKDATE_S)) &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)after) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(cert, NID_key_usage,
                         "critical,digitalSignature,keyCertSign,cRLSign") &&
           add_names(cert, request) &&
           add_extension(cert, NID_subject_key_identifier, "hash") &&
           add_extension(cert, NID_authority_key_identifier, "keyid:always");
}

static char *to_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL, *pem = NULL;
    long len;

    if (bio && PEM_write_bio_X509(bio, cert)) {
        len = BIO_get_mem_data(bio, &data);
        pem = strndup(data, (size_t)len);
    }
    BIO_free(bio);
    return pem;
}

int selfsigned_make(const struct secret *key, const char *request,
                    unsigned days, int64_t now, char **pem, struct err *err)
{
    BIO *key_bio = BIO_new_mem_buf(key->data, (int)key->len);
    BIO *request_bio = BIO_new_mem_buf(request, -1);
    EVP_PKEY *private = NULL;
    X509_REQ *asked = NULL;
    X509 *cert = X509_new();

    *pem = NULL;
    if (key_bio && request_bio && cert) {
        private = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
        asked = PEM_read_bio_X509_REQ(request_bio, NULL, NULL, NULL);
    }
    if (private && asked && fill(cert, asked, days, now) &&
        X509_sign(cert, private, EVP_sha256()) > 0 &&
        X509_verify(cert, private) == 1)
        *pem = to_pem(cert);
    BIO_free(key_bio);
    BIO_free(request_bio);
    EVP_PKEY_free(private);
    X509_REQ_free(asked);
    X509_free(cert);
    ERR_clear_error();
    return *pem ? 0
                : err_set(err, CAUSE_SYSTEM,
                          "the certificate could not be made");
}
