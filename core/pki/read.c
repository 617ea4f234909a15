/* SPDX-License-Identifier: Apache-2.0
 *
 * From bytes to OpenSSL's objects: PEM or DER, told apart by a BEGIN line.
 * Strict about what it reads (a certificate fills its bytes exactly, a block
 * that begins also ends), indifferent to what stands around blocks: that is
 * for the checks of a file's form.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>

#include "core/pki/pki_priv.h"

int pki_fail(struct err *err, enum cause cause, const char *fmt, ...)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    char text[768];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_set(err, cause, "%s%s%s", text, reason ? ": " : "",
            reason ? reason : "");
    ERR_clear_error();
    return -1;
}

size_t pki_der_length(const unsigned char *p, size_t len)
{
    size_t n = 0, count;

    if (len < 2 || p[0] != 0x30)
        return 0;
    if (p[1] < 0x80)
        return 2 + (size_t)p[1];
    count = p[1] & 0x7fU;
    if (count == 0 || count > 4 || len < 2 + count)
        return 0;
    for (size_t i = 0; i < count; i++)
        n = n << 8 | p[2 + i];
    return 2 + count + n;
}

bool pki_der_is_whole(const unsigned char *der, size_t len)
{
    return len <= PKI_MAX_BYTES && pki_der_length(der, len) == len;
}

X509_REQ *pki_der_request(const unsigned char *der, size_t len)
{
    const unsigned char *p = der;
    X509_REQ *request =
        pki_der_is_whole(der, len) ? d2i_X509_REQ(NULL, &p, (long)len) : NULL;

    if (request && p != der + len) {
        X509_REQ_free(request);
        request = NULL;
    }
    return request;
}

static EVP_PKEY *locked_key(const X509_SIG *sig,
                            const struct secret *passphrase)
{
    PKCS8_PRIV_KEY_INFO *info;
    EVP_PKEY *key = NULL;

    if (!passphrase)
        return NULL;
    info = PKCS8_decrypt(sig, (const char *)passphrase->data,
                         (int)passphrase->len);
    if (info)
        key = EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

EVP_PKEY *pki_der_key(const unsigned char *der, size_t len,
                      const struct secret *passphrase, bool *locked)
{
    const unsigned char *p = der;
    EVP_PKEY *key = NULL;
    X509_SIG *sig;

    *locked = false;
    if (!pki_der_is_whole(der, len))
        return NULL;
    sig = d2i_X509_SIG(NULL, &p, (long)len);
    if (sig && p == der + len) {
        key = locked_key(sig, passphrase);
        *locked = key == NULL;
    } else {
        p = der;
        key = d2i_AutoPrivateKey(NULL, &p, (long)len);
    }
    X509_SIG_free(sig);
    if (key && p != der + len) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* OpenSSL asks the terminal when it has no callback; ours never does. */
static int give_passphrase(char *buf, int size, int writing, void *arg)
{
    const struct secret *passphrase = arg;

    (void)writing;
    if (!passphrase || passphrase->len > (size_t)size)
        return -1;
    memcpy(buf, passphrase->data, passphrase->len);
    return (int)passphrase->len;
}

/* The old form carries its cipher in header lines, so that only OpenSSL's
 * own reader of text can open it. */
static EVP_PKEY *old_locked_key(const struct pki_block *block,
                                const struct secret *passphrase)
{
    BIO *bio = BIO_new_mem_buf(block->start, (int)block->len);
    EVP_PKEY *key = NULL;

    if (bio)
        key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase,
                                      (void *)(uintptr_t)passphrase);
    BIO_free(bio);
    return key;
}

static EVP_PKEY *block_key(const struct pki_block *block,
                           const struct secret *passphrase, bool *locked)
{
    struct secret *der;
    EVP_PKEY *key = NULL;

    *locked = false;
    if (block->len > PKI_MAX_BYTES)
        return NULL;
    if (memmem(block->body, block->body_len, "Proc-Type:", 10)) {
        key = old_locked_key(block, passphrase);
        *locked = key == NULL;
        return key;
    }
    der = pki_pem_decode(block);
    if (der)
        key = pki_der_key(der->data, der->len, passphrase, locked);
    secret_free(der);
    return key;
}

static EVP_PKEY *key_failed(bool locked, const struct secret *passphrase,
                            struct err *err)
{
    ERR_clear_error();
    if (locked)
        err_set(err, CAUSE_INPUT, "%s",
                passphrase ? "the passphrase does not open the private key"
                           : "the private key is encrypted, and no "
                             "passphrase was given");
    else
        err_set(err, CAUSE_INPUT, "the private key cannot be read");
    return NULL;
}

EVP_PKEY *pki_read_key(const void *data, size_t len,
                       const struct secret *passphrase, struct err *err)
{
    const char *at = data, *end = at + len;
    struct pki_block block;
    bool locked = false;
    EVP_PKEY *key;
    int got;

    if (!pki_pem_is(data, len)) {
        key = len ? pki_der_key(data, len, passphrase, &locked) : NULL;
        ERR_clear_error();
        return key ? key : key_failed(locked, passphrase, err);
    }
    while ((got = pki_pem_next(&at, end, &block)) > 0) {
        enum pki_label label = pki_pem_label(&block);
        if (label != PKI_LABEL_KEY && label != PKI_LABEL_LOCKED_KEY)
            continue;
        key = block_key(&block, passphrase, &locked);
        ERR_clear_error();
        return key ? key : key_failed(locked, passphrase, err);
    }
    err_set(err, CAUSE_INPUT, "%s",
            got < 0 ? "a PEM block begins and does not end"
                    : "it holds no private key");
    return NULL;
}

bool pki_push_cert(STACK_OF(X509) * certs, const struct pki_block *block)
{
    struct secret *der = pki_pem_decode(block);
    X509 *cert = der ? pki_der_cert(der->data, der->len) : NULL;

    secret_free(der);
    if (cert && sk_X509_push(certs, cert))
        return true;
    X509_free(cert);
    return false;
}

/* 0: added or not a certificate; -1: broken. */
static int add_block(STACK_OF(X509) * certs, const struct pki_block *block,
                     int number, struct err *err)
{
    enum pki_label label = pki_pem_label(block);

    if (label == PKI_LABEL_TRUSTED)
        return err_set(err, CAUSE_INPUT,
                       "PEM block %d is a TRUSTED CERTIFICATE: convert it "
                       "with \"openssl x509 -in FILE\"",
                       number);
    if (label != PKI_LABEL_CERT)
        return 0;
    if (sk_X509_num(certs) >= PKI_MAX_CERTS)
        return err_set(err, CAUSE_INPUT, "more than %d certificates",
                       PKI_MAX_CERTS);
    if (!pki_push_cert(certs, block))
        return pki_fail(err, CAUSE_INPUT,
                        "PEM block %d is not a readable certificate", number);
    return 0;
}

static int add_blocks(STACK_OF(X509) * certs, const void *data, size_t len,
                      struct err *err)
{
    const char *at = data, *end = at + len;
    struct pki_block block;
    int got, number = 0;

    while ((got = pki_pem_next(&at, end, &block)) > 0)
        if (add_block(certs, &block, ++number, err) < 0)
            return -1;
    if (got < 0)
        return err_set(err, CAUSE_INPUT, "PEM block %d begins and does not end",
                       number + 1);
    if (sk_X509_num(certs) == 0)
        return err_set(err, CAUSE_INPUT, "it holds no certificate");
    return 0;
}

static int add_der(STACK_OF(X509) * certs, const void *data, size_t len,
                   struct err *err)
{
    X509 *cert = len ? pki_der_cert(data, len) : NULL;

    if (cert && sk_X509_push(certs, cert))
        return 0;
    X509_free(cert);
    return pki_fail(err, CAUSE_INPUT,
                    "it holds no certificate, neither as PEM nor as DER");
}

STACK_OF(X509) * pki_read_certs(const void *data, size_t len, struct err *err)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    int rc;

    if (!certs) {
        pki_fail(err, CAUSE_SYSTEM, "out of memory");
        return NULL;
    }
    rc = pki_pem_is(data, len) ? add_blocks(certs, data, len, err)
                               : add_der(certs, data, len, err);
    ERR_clear_error();
    if (rc == 0)
        return certs;
    sk_X509_pop_free(certs, X509_free);
    return NULL;
}

X509 *pki_read_cert(const void *data, size_t len, struct err *err)
{
    STACK_OF(X509) *certs = pki_read_certs(data, len, err);
    X509 *cert = certs ? sk_X509_shift(certs) : NULL;

    sk_X509_pop_free(certs, X509_free);
    return cert;
}

X509_REQ *pki_read_request(const void *data, size_t len, struct err *err)
{
    const char *at = data, *end = at + len;
    X509_REQ *request = NULL;
    struct pki_block block;
    bool seen = false;

    if (!pki_pem_is(data, len) && len > 0)
        request = pki_der_request(data, len);
    while (!seen && pki_pem_next(&at, end, &block) > 0) {
        struct secret *der;
        if (pki_pem_label(&block) != PKI_LABEL_REQUEST)
            continue;
        seen = true;
        der = pki_pem_decode(&block);
        if (der)
            request = pki_der_request(der->data, der->len);
        secret_free(der);
    }
    if (!request)
        err_set(err, CAUSE_INPUT, "%s",
                seen ? "the certificate request cannot be read"
                     : "it holds no certificate request");
    ERR_clear_error();
    return request;
}
