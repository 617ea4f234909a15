/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys locked for the disk, and unlocked again to the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <string.h>

#include "core/pki/pki.h"

static struct secret *words(const char *text)
{
    return secret_from(text, strlen(text));
}

static void there_and_back(const char *kind)
{
    struct secret *good = words("staple"), *bad = words("stapler");
    struct err err = {0};
    struct secret *key = pki_key_make(kind, &err);
    struct secret *locked = pki_key_lock(key, good, &err);
    struct secret *open;

    assert_non_null(locked);
    assert_non_null(strstr(secret_text(locked), "BEGIN ENCRYPTED PRIVATE KEY"));
    open = pki_key_unlock(locked, good, &err);
    assert_non_null(open);
    assert_int_equal(open->len, key->len);
    assert_memory_equal(open->data, key->data, key->len);
    secret_free(open);
    assert_null(pki_key_unlock(locked, bad, &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "does not open"));
    err_reset(&err);
    assert_null(pki_key_unlock(locked, NULL, &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "no passphrase was given"));
    secret_free(locked);
    secret_free(key);
    secret_free(good);
    secret_free(bad);
}

static void test_there_and_back(void **state)
{
    (void)state;
    there_and_back("ec:P-256");
    there_and_back("ec:P-384");
    there_and_back("rsa:2048");
}

/* A generation of before the inventory had a passphrase. */
static void test_an_open_key_stays_what_it_is(void **state)
{
    struct secret *key = pki_key_make("ec:P-256", NULL);
    struct secret *pass = words("staple");
    struct secret *same = pki_key_unlock(key, pass, NULL);

    (void)state;
    assert_ptr_equal(same, key);
    secret_free(same);
    secret_free(pass);
    secret_free(key);
}

static bool holds(const char *pem, const unsigned char *der, size_t len)
{
    char text[64 * 1024];
    unsigned char bytes[64 * 1024];
    size_t n = 0;
    int got;

    for (const char *p = strchr(pem, '\n'); *p && *p != '-'; p++)
        if (*p != '\n')
            text[n++] = *p;
    got = EVP_DecodeBlock(bytes, (unsigned char *)text, (int)n);
    assert_true(got > 0);
    return memmem(bytes, (size_t)got, der, len) != NULL;
}

/* What it is locked with, as it is written: PBKDF2 of 600,000 rounds, SHA-256,
 * AES-256 in CBC. */
static void test_how_it_is_locked(void **state)
{
    static const unsigned char pbkdf2[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                           0xf7, 0x0d, 0x01, 0x05, 0x0c};
    static const unsigned char rounds[] = {0x02, 0x03, 0x09, 0x27, 0xc0};
    static const unsigned char sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                                           0x86, 0xf7, 0x0d, 0x02, 0x09};
    static const unsigned char aes256[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                           0x65, 0x03, 0x04, 0x01, 0x2a};
    struct secret *key, *pass, *locked;

    (void)state;
    key = pki_key_make("ec:P-256", NULL);
    pass = words("staple");
    locked = pki_key_lock(key, pass, NULL);
    assert_true(holds(secret_text(locked), pbkdf2, sizeof(pbkdf2)));
    assert_true(holds(secret_text(locked), rounds, sizeof(rounds)));
    assert_true(holds(secret_text(locked), sha256, sizeof(sha256)));
    assert_true(holds(secret_text(locked), aes256, sizeof(aes256)));
    secret_free(locked);
    secret_free(pass);
    secret_free(key);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_an_open_key_stays_what_it_is),
        cmocka_unit_test(test_how_it_is_locked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
