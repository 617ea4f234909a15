/* SPDX-License-Identifier: Apache-2.0
 *
 * A command line without a shell: quotes and backslashes part words, and
 * nothing that a shell would do is done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/str.h"
#include "core/base/words.h"

/* clang-format off */
static const struct {
    const char *line, *words; /* joined by `|'; NULL: refused */
    const char *why;
} rows[] = {
    { "/bin/sign",                     "/bin/sign" },
    { "  /bin/sign \t a  b ",          "/bin/sign|a|b" },
    { "/bin/sign 'a b' \"c d\"",       "/bin/sign|a b|c d" },
    { "/bin/sign a\\ b 'c\\d' \"e\\\"f\"", "/bin/sign|a b|c\\d|e\"f" },
    { "/bin/sign '' x\"\"",            "/bin/sign||x" },
    { "/bin/sign --x='a b'c",          "/bin/sign|--x=a bc" },
    { "/bin/sign $HOME *.c ~ `id` $(id) a;b|c&d>e",
      "/bin/sign|$HOME|*.c|~|`id`|$(id)|a;b|c&d>e" },
    { "/bin/sign 'a",                  NULL, "a ' that is not closed" },
    { "/bin/sign \"a'",                NULL, "a \" that is not closed" },
    { "/bin/sign a\\",                 NULL, "a backslash with nothing" },
    { "",                              NULL, "no word" },
    { " \t ",                          NULL, "no word" },
};
/* clang-format on */

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {0};
        struct arena arena;
        const char **list;
        struct str text;

        arena_init(&arena);
        str_init(&text, 1024);
        list = words_split(&arena, rows[i].line, &err);
        if (!rows[i].words) {
            assert_null(list);
            assert_int_equal(err.cause, CAUSE_INPUT);
            assert_non_null(strstr(err.text, rows[i].why));
        } else {
            assert_non_null(list);
            for (size_t n = 0; list[n]; n++)
                str_addf(&text, "%s%s", n ? "|" : "", list[n]);
            assert_string_equal(str_text(&text), rows[i].words);
        }
        str_release(&text);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
