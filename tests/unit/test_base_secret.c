/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets: each has memory of its own while it lives, and a page that is used
 * again shows nothing of what it held.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/secret.h"

enum {
    MANY = 80, /* more than the pages that are kept */
    BYTES = 4095,
};

static void test_used_again_it_is_empty(void **state)
{
    static const unsigned char nothing[BYTES + 1];
    struct secret *all[MANY];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            all[i] = secret_new(BYTES);
            assert_memory_equal(all[i]->data, nothing, sizeof(nothing));
            memset(all[i]->data, (int)(i + 1), BYTES);
        }
        for (size_t i = 0; i < MANY; i++)
            for (size_t at = 0; at < BYTES; at++)
                assert_int_equal(all[i]->data[at], i + 1);
        for (size_t i = 0; i < MANY; i++)
            secret_free(all[i]);
    }
}

static void test_a_text_ends(void **state)
{
    struct secret *s = secret_from("word", 4), *more, *big;

    (void)state;
    assert_string_equal(secret_text(s), "word");
    more = secret_share(s);
    secret_free(s);
    assert_string_equal(secret_text(more), "word"); /* it has an owner yet */
    secret_free(more);
    big = secret_new((size_t)1 << 20);
    assert_int_equal(big->data[1 << 20], 0);
    secret_free(big);
    secret_free(NULL);
    assert_string_equal(secret_text(NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_used_again_it_is_empty),
        cmocka_unit_test(test_a_text_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
