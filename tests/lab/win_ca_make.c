/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, certificates and files of a CA.
 */
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/lab.h"
#include "tests/lab/win_ca.h"

enum {
    DAY = 86400,
    BACK_S = 600
};

static void extend(X509 *x, X509 *by, int nid, const char *value)
{
    X509_EXTENSION *ext;
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, by, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!ext)
        abort();
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
}

static X509 *blank(int64_t from, int64_t to)
{
    X509 *x = X509_new();
    unsigned char serial[16];
    BIGNUM *bn;

    if (!x || RAND_bytes(serial, sizeof(serial)) != 1)
        abort();
    serial[0] &= 0x7f;
    bn = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
    BN_free(bn);
    X509_set_version(x, 2);
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from);
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)to);
    return x;
}

/* By itself when `by' is NULL. */
static X509 *authority(const char *cn, EVP_PKEY *key, X509 *by,
                       EVP_PKEY *by_key)
{
    int64_t now = time(NULL);
    X509 *x = blank(now - DAY, now + 3650 * (int64_t)DAY);

    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(by ? by : x));
    X509_set_pubkey(x, key);
    extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
    extend(x, x, NID_key_usage,
           "critical,digitalSignature,keyCertSign,cRLSign");
    extend(x, x, NID_subject_key_identifier, "hash");
    if (by)
        extend(x, by, NID_authority_key_identifier, "keyid");
    if (!X509_sign(x, by ? by_key : key, EVP_sha256()))
        abort();
    return x;
}

void win_ca_make(struct win_ca_maker *maker)
{
    maker->root_key = EVP_EC_gen("P-256");
    maker->key = EVP_EC_gen("P-256");
    maker->root = authority("Lab Root CA", maker->root_key, NULL, NULL);
    maker->cert =
        authority("IssuingCA", maker->key, maker->root, maker->root_key);
}

void win_ca_release(struct win_ca_maker *maker)
{
    X509_free(maker->root);
    X509_free(maker->cert);
    EVP_PKEY_free(maker->root_key);
    EVP_PKEY_free(maker->key);
}

X509_REQ *win_ca_request(const void *data, size_t len)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

    BIO_free(bio);
    if (req && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1)
        return req;
    X509_REQ_free(req);
    return NULL;
}

static void copy_names(X509 *x, X509_REQ *req)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(req);
    int at = X509v3_get_ext_by_NID(list, NID_subject_alt_name, -1);

    if (at >= 0)
        X509_add_ext(x, X509v3_get_ext(list, at), -1);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

X509 *win_ca_sign(const struct win_ca_maker *maker, X509_REQ *req,
                  const struct win_ca_template *template, int64_t now)
{
    X509 *x = blank(now - BACK_S, now + 365 * (int64_t)DAY);

    X509_set_subject_name(x, X509_REQ_get_subject_name(req));
    X509_set_issuer_name(x, X509_get_subject_name(maker->cert));
    X509_set_pubkey(x, X509_REQ_get0_pubkey(req));
    copy_names(x, req);
    extend(x, x, NID_key_usage, template->usage);
    extend(x, x, NID_ext_key_usage, template->purposes);
    extend(x, x, NID_subject_key_identifier, "hash");
    extend(x, maker->cert, NID_authority_key_identifier, "keyid");
    if (!X509_sign(x, maker->key, EVP_sha256()))
        abort();
    return x;
}

/* -- files ----------------------------------------------------------------- */

static char *text_of(BIO *bio)
{
    struct str out;
    char *data;
    long n = BIO_get_mem_data(bio, &data);

    str_init(&out, 1 << 20);
    for (long i = 0; i < n; i++) {
        if (data[i] == '\n')
            str_addc(&out, '\r');
        str_addc(&out, data[i]);
    }
    BIO_free(bio);
    return str_take(&out);
}

char *win_ca_pem(const X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, (X509 *)(uintptr_t)cert);
    return text_of(bio);
}

char *win_ca_path(const struct win_ca_maker *maker, const X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS7 *p7 = PKCS7_new();
    unsigned char *der = NULL;
    int len;

    PKCS7_set_type(p7, NID_pkcs7_signed);
    PKCS7_content_new(p7, NID_pkcs7_data);
    PKCS7_add_certificate(p7, maker->root);
    PKCS7_add_certificate(p7, maker->cert);
    PKCS7_add_certificate(p7, (X509 *)(uintptr_t)cert);
    len = i2d_PKCS7(p7, &der);
    if (len <= 0)
        abort();
    PEM_write_bio(bio, "CERTIFICATE", "", der, len);
    OPENSSL_free(der);
    PKCS7_free(p7);
    return text_of(bio);
}
