/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in the one form that every device reads (facts/cms.md 1.5): blocks
 * adjacent, LF, 64 columns, one final newline.  The bytes inside a block stay
 * what they are; text around blocks, a BOM, blank lines and curve parameters
 * go.  What it cannot carry over unharmed it refuses.
 */
#include <openssl/err.h>
#include <string.h>

#include "core/pki/pki_priv.h"

/* A base64 text that came without line ends grows by one in 64, and a block
 * by its three line ends; DER grows by a third. */
static size_t room_for(size_t len)
{
    return 2 * len + 512;
}

/* What the label promises must be what the bytes are. */
static bool holds(enum pki_label label, const unsigned char *der, size_t len)
{
    X509_REQ *request = NULL;
    EVP_PKEY *key = NULL;
    bool locked = false;
    X509 *cert = NULL;
    bool ok;

    if (label == PKI_LABEL_CERT)
        cert = pki_der_cert(der, len);
    else if (label == PKI_LABEL_REQUEST)
        request = pki_der_request(der, len);
    else
        key = pki_der_key(der, len, NULL, &locked);
    ok = cert || request || key || locked;
    X509_free(cert);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok;
}

static const char *plain_label(enum pki_label label,
                               const struct pki_block *block)
{
    return label == PKI_LABEL_CERT      ? "CERTIFICATE"
           : label == PKI_LABEL_REQUEST ? "CERTIFICATE REQUEST"
                                        : block->label;
}

static int refuse(const struct pki_block *block, int number, const char *why,
                  struct err *err)
{
    return err_set(err, CAUSE_INPUT, "PEM block %d (%s): %s", number,
                   block->label, why);
}

/* Appends one block to `out`, of which *used bytes are taken. */
static int add_block(const struct pki_block *block, int number,
                     struct secret *out, size_t *used, struct err *err)
{
    enum pki_label label = pki_pem_label(block);
    struct secret *der;
    int rc = 0;

    if (label == PKI_LABEL_PARAMS)
        return 0; /* the key that follows names its curve itself */
    if (label == PKI_LABEL_TRUSTED)
        return refuse(block, number,
                      "OpenSSL's own form, which devices cannot read; "
                      "convert it with \"openssl x509 -in FILE\"",
                      err);
    if (label == PKI_LABEL_OTHER)
        return refuse(block, number,
                      "neither a certificate nor a request nor a private key",
                      err);
    if (memmem(block->body, block->body_len, "Proc-Type:", 10))
        return refuse(block, number,
                      "encrypted in the old form; convert it with "
                      "\"openssl pkey -in FILE\"",
                      err);
    der = pki_pem_decode(block);
    if (!der || !holds(label, der->data, der->len))
        rc = refuse(block, number, "damaged", err);
    else
        *used += pki_pem_encode(plain_label(label, block), der->data, der->len,
                                (char *)out->data + *used);
    secret_free(der);
    return rc;
}

static int from_pem(const void *data, size_t len, struct secret *out,
                    size_t *used, struct err *err)
{
    const char *at = data, *end = at + len;
    struct pki_block block;
    int got, number = 0;

    while ((got = pki_pem_next(&at, end, &block)) > 0)
        if (add_block(&block, ++number, out, used, err) < 0)
            return -1;
    if (got < 0)
        return err_set(err, CAUSE_INPUT, "PEM block %d begins and does not end",
                       number + 1);
    if (*used == 0)
        return err_set(err, CAUSE_INPUT,
                       "it holds no certificate, request or key");
    return 0;
}

/* A key in DER may be of any form; as PEM it becomes PKCS#8. */
static int key_from_der(const void *data, size_t len, struct secret *out,
                        size_t *used, struct err *err)
{
    bool locked = false;
    EVP_PKEY *key = len ? pki_der_key(data, len, NULL, &locked) : NULL;
    struct secret *pem = NULL;
    int rc = -1;

    if (locked) {
        *used = pki_pem_encode("ENCRYPTED PRIVATE KEY", data, len,
                               (char *)out->data);
        return 0;
    }
    if (!key)
        return pki_fail(err, CAUSE_INPUT,
                        "it holds no certificate, request or key, neither as "
                        "PEM nor as DER");
    pem = pki_key_pem(key, NULL, err);
    if (pem && pem->len <= out->len) {
        memcpy(out->data, pem->data, pem->len);
        *used = pem->len;
        rc = 0;
    } else if (pem) {
        err_set(err, CAUSE_INPUT, "the private key is of an unusual form");
    }
    secret_free(pem);
    EVP_PKEY_free(key);
    return rc;
}

static int from_der(const void *data, size_t len, struct secret *out,
                    size_t *used, struct err *err)
{
    const char *label = NULL;

    if (len > 0 && holds(PKI_LABEL_CERT, data, len))
        label = "CERTIFICATE";
    else if (len > 0 && holds(PKI_LABEL_REQUEST, data, len))
        label = "CERTIFICATE REQUEST";
    if (!label)
        return key_from_der(data, len, out, used, err);
    *used = pki_pem_encode(label, data, len, (char *)out->data);
    return 0;
}

/* Built in wiped memory and added at once, so that a growing string leaves no
 * copies of a key behind. */
int pki_normalize(const void *data, size_t len, struct str *out,
                  struct err *err)
{
    struct secret *text;
    size_t used = 0;
    int rc;

    if (len > PKI_MAX_BYTES)
        return err_set(err, CAUSE_INPUT, "over %d bytes", PKI_MAX_BYTES);
    text = secret_new(room_for(len));
    rc = pki_pem_is(data, len) ? from_pem(data, len, text, &used, err)
                               : from_der(data, len, text, &used, err);
    if (rc == 0 && str_addn(out, text->data, used) < 0)
        rc = err_set(err, CAUSE_INPUT, "over %zu bytes", out->cap);
    secret_free(text);
    ERR_clear_error();
    return rc;
}
