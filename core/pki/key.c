/* SPDX-License-Identifier: Apache-2.0
 *
 * Private keys: which kinds there are, making them, writing them as PKCS#8.
 * Their text is only ever in memory that is wiped.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <string.h>

#include "core/pki/pki_priv.h"

/* OWASP's figure for PBKDF2 with SHA-256; about 0.2 s, once for each open */
enum {
    PBKDF2_ROUNDS = 600000,
    SALT_BYTES = 16,
};

struct key_kind {
    const char *name;
    unsigned bits; /* of RSA; 0: a curve */
    const char *curve;
};

// clang-format off
static const struct key_kind kinds[] = {
    { "rsa:2048", 2048, NULL    },
    { "rsa:3072", 3072, NULL    },
    { "rsa:4096", 4096, NULL    },
    { "ec:P-256", 0,    "P-256" },
    { "ec:P-384", 0,    "P-384" },
};
// clang-format on

static const struct key_kind *find_kind(const char *name)
{
    for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int pki_key_kind_check(const char *kind, struct err *err)
{
    if (find_kind(kind))
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "key \"%s\": not rsa:2048, rsa:3072, rsa:4096, ec:P-256 "
                   "or ec:P-384",
                   kind ? kind : "");
}

bool pki_key_is_strong(EVP_PKEY *key)
{
    char text[32];

    if (!key)
        return false;
    pki_key_text(key, text, sizeof(text));
    if (EVP_PKEY_is_a(key, "RSA"))
        return EVP_PKEY_get_bits(key) >= 2048;
    return find_kind(text) != NULL;
}

EVP_PKEY *pki_key_generate(const char *kind, struct err *err)
{
    const struct key_kind *k = find_kind(kind);
    EVP_PKEY *key;

    if (!k) {
        pki_key_kind_check(kind, err);
        return NULL;
    }
    key = k->bits ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)k->bits)
                  : EVP_PKEY_Q_keygen(NULL, NULL, "EC", k->curve);
    if (!key)
        pki_fail(err, CAUSE_SYSTEM, "make a key %s", kind);
    return key;
}

/* PEM_write_bio_PKCS8PrivateKey would do, but with 2048 rounds. */
static int write_locked(BIO *bio, EVP_PKEY *key, const struct secret *password)
{
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    X509_ALGOR *pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, NULL,
                                        SALT_BYTES, NULL, NID_hmacWithSHA256);
    X509_SIG *locked = NULL;
    int ok = 0;

    if (plain && pbe)
        locked = PKCS8_set0_pbe((const char *)password->data,
                                (int)password->len, plain, pbe);
    if (locked) {
        pbe = NULL; /* it belongs to `locked` now */
        ok = PEM_write_bio_PKCS8(bio, locked);
    }
    X509_SIG_free(locked);
    X509_ALGOR_free(pbe);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return ok;
}

struct secret *pki_key_pem(EVP_PKEY *key, const struct secret *password,
                           struct err *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    struct secret *pem = NULL;
    char *text;
    long len;
    int ok = 0;

    if (bio && password)
        ok = write_locked(bio, key, password);
    else if (bio)
        ok = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    len = ok ? BIO_get_mem_data(bio, &text) : 0;
    if (len > 0)
        pem = secret_from(text, (size_t)len);
    else
        pki_fail(err, CAUSE_SYSTEM, "write a private key");
    BIO_free(bio);
    return pem;
}

struct secret *pki_key_make(const char *kind, struct err *err)
{
    EVP_PKEY *key = pki_key_generate(kind, err);
    struct secret *pem = key ? pki_key_pem(key, NULL, err) : NULL;

    EVP_PKEY_free(key);
    ERR_clear_error();
    return pem;
}

struct secret *pki_key_lock(const struct secret *pem,
                            const struct secret *passphrase, struct err *err)
{
    EVP_PKEY *key = pki_read_key(pem->data, pem->len, NULL, err);
    struct secret *locked = key ? pki_key_pem(key, passphrase, err) : NULL;

    EVP_PKEY_free(key);
    ERR_clear_error();
    return locked;
}

static bool is_locked(const struct secret *pem)
{
    const char *at = (const char *)pem->data, *end = at + pem->len;
    struct pki_block block;
    bool locked = false;

    if (!pki_pem_is(pem->data, pem->len))
        EVP_PKEY_free(pki_der_key(pem->data, pem->len, NULL, &locked));
    while (pki_pem_next(&at, end, &block) > 0)
        if (pki_pem_label(&block) == PKI_LABEL_LOCKED_KEY)
            return true;
    return locked;
}

struct secret *pki_key_unlock(struct secret *pem,
                              const struct secret *passphrase, struct err *err)
{
    struct secret *open;
    EVP_PKEY *key;

    if (!is_locked(pem))
        return secret_share(pem);
    key = pki_read_key(pem->data, pem->len, passphrase, err);
    open = key ? pki_key_pem(key, NULL, err) : NULL;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return open;
}
