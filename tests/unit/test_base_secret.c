/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets begin as zeros whatever their pages held before, no two of them
 * share a page, and what one thread lets go another may take.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/secret.h"

enum {
    MANY = 200, /* more than are kept */
    THREADS = 4,
    ROUNDS = 500,
    BIG = 3 * 4096
};

static void assert_zero(const struct secret *s)
{
    for (size_t i = 0; i <= s->len; i++)
        assert_int_equal(s->data[i], 0);
}

static void test_begins_as_zeros(void **state)
{
    static const size_t lens[] = {0, 1, 15, 4095, 4096, BIG};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        for (int again = 0; again < 2; again++) {
            struct secret *s = secret_new(lens[i]);

            assert_int_equal(s->len, lens[i]);
            assert_zero(s);
            memset(s->data, 'x', s->len);
            secret_free(s);
        }
}

static void test_each_has_its_own(void **state)
{
    struct secret *list[MANY];

    (void)state;
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < MANY; i++) {
            list[i] = secret_new(sizeof(i));
            assert_zero(list[i]);
            memcpy(list[i]->data, &i, sizeof(i));
        }
        for (size_t i = 0; i < MANY; i++) {
            assert_memory_equal(list[i]->data, &i, sizeof(i));
            secret_free(list[i]);
        }
    }
}

static void test_last_owner_wipes(void **state)
{
    struct secret *one = secret_from("horse", 5), *two = secret_share(one);

    (void)state;
    secret_free(one);
    assert_string_equal(secret_text(two), "horse");
    secret_free(two);
    secret_free(NULL);
    assert_string_equal(secret_text(NULL), "");
}

static void *come_and_go(void *user)
{
    unsigned char mark = *(unsigned char *)user;
    uintptr_t wrong = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct secret *s = secret_new(64);

        for (size_t k = 0; k < s->len; k++)
            wrong += s->data[k] != 0;
        memset(s->data, mark, s->len);
        for (size_t k = 0; k < s->len; k++)
            wrong += s->data[k] != mark;
        secret_free(s);
    }
    return (void *)wrong;
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    unsigned char marks[THREADS];
    void *wrong;

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        marks[i] = (unsigned char)(i + 1);
        assert_int_equal(
            pthread_create(&threads[i], NULL, come_and_go, &marks[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins_as_zeros),
        cmocka_unit_test(test_each_has_its_own),
        cmocka_unit_test(test_last_owner_wipes),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
