/* SPDX-License-Identifier: Apache-2.0
 *
 * What others sent, made visible: controls of both sets, broken UTF-8, what
 * reorders and what hides; whole characters only, also where text is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct look {
    const char *text, *seen;
};

static void check(const struct look *look, bool lines)
{
    struct str once, twice;

    str_init(&once, 4096);
    str_init(&twice, 4096);
    assert_int_equal(
        str_add_visible(&once, look->text, strlen(look->text), lines), 0);
    assert_string_equal(str_text(&once), look->seen);
    str_add_visible(&twice, str_text(&once), once.len, lines);
    assert_string_equal(str_text(&twice), look->seen);
    str_release(&once);
    str_release(&twice);
}

static void test_text_stays(void **state)
{
    /* clang-format off */
    static const struct look looks[] = {
        { "core1: done, 12 s", "core1: done, 12 s" },
        { "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92 \xe6\x97\xa5",
          "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92 \xe6\x97\xa5" },
        { "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xf4\x8f\xbf\xbf",
          "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xf4\x8f\xbf\xbf" },
        { "back\\slash \\x1b", "back\\slash \\x1b" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++)
        check(&looks[i], false);
}

static void test_nothing_steers(void **state)
{
    /* clang-format off */
    static const struct look looks[] = {
        { "\x1b[2J\x1b]0;t\x07", "\\x1b[2J\\x1b]0;t\\x07" },
        { "a\rb\x7f", "a\\x0db\\x7f" },
        { "\xc2\x9b" "31m", "\\xc2\\x9b31m" },           /* CSI of C1 */
        { "\xe2\x80\xae" "gpj\xe2\x80\xac", "\\xe2\\x80\\xaegpj\\xe2\\x80\\xac" }, /* RLO */
        { "\xe2\x81\xa6x\xe2\x81\xa9", "\\xe2\\x81\\xa6x\\xe2\\x81\\xa9" },
        { "\xd8\x9c" "x", "\\xd8\\x9cx" },               /* ALM */
        { "core\xe2\x80\x8b" "1", "core\\xe2\\x80\\x8b1" }, /* ZWSP */
        { "\xef\xbb\xbf" "x", "\\xef\\xbb\\xbfx" },      /* BOM */
        { "a\xe2\x80\xa8" "b", "a\\xe2\\x80\\xa8b" },    /* LS */
        { "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" },  /* a tag */
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++)
        check(&looks[i], false);
    check(&(struct look){"a\n\tb\r", "a\n\tb\\x0d"}, true);
    check(&(struct look){"a\n\tb", "a\\x0a\\x09b"}, false);
}

static void test_no_broken_text_stays(void **state)
{
    /* clang-format off */
    static const struct look looks[] = {
        { "\xff\xfe", "\\xff\\xfe" },
        { "\xc0\xaf", "\\xc0\\xaf" },                   /* overlong / */
        { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
        { "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
        { "\xe0\x82\x9b", "\\xe0\\x82\\x9b" },          /* overlong CSI */
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* past the end */
        { "\xe2\x82", "\\xe2\\x82" },                   /* cut short */
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++)
        check(&looks[i], true);
}

/* At every cap: whole characters, whole escapes. */
static void test_the_cap_cuts_between_characters(void **state)
{
    static const char text[] = "\xe2\x82\xac\x1b\xc3\xa9";
    static const size_t ends[] = {0, 0, 0, 3, 3, 3, 3, 7, 7, 9};

    (void)state;
    for (size_t cap = 0; cap < sizeof(ends) / sizeof(*ends); cap++) {
        struct str s;

        str_init(&s, cap);
        assert_int_equal(str_add_visible(&s, text, sizeof(text) - 1, false),
                         cap < 9 ? -1 : 0);
        assert_int_equal(s.cut, cap < 9);
        assert_int_equal(s.len, ends[cap]);
        str_release(&s);
    }
}

static void test_what_fits_is_whole(void **state)
{
    static const char text[] = "a\xe2\x82\xac\xc3\xa9";
    static const int fits[] = {0, 1, 1, 1, 4, 4, 6, 6};

    (void)state;
    for (size_t max = 0; max < sizeof(fits) / sizeof(*fits); max++)
        assert_int_equal(str_fit(text, max), fits[max]);
}

/* Wherever an error is cut, what is left of it is UTF-8. */
static void test_errors_are_cut_between_characters(void **state)
{
    char text[2048];
    struct err err;
    struct str s;

    (void)state;
    for (size_t at = 0; at < 4; at++) {
        memset(text, 'x', at);
        for (size_t i = at; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        err_set(&err, CAUSE_REMOTE, "%s", text);
        err_context(&err, "node core%zu", at);
        str_init(&s, 4096);
        str_add_visible(&s, err.text, strlen(err.text), false);
        assert_string_equal(str_text(&s), err.text);
        assert_string_equal(err.text + strlen(err.text) - 3, "...");
        str_release(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_stays),
        cmocka_unit_test(test_nothing_steers),
        cmocka_unit_test(test_no_broken_text_stays),
        cmocka_unit_test(test_the_cap_cuts_between_characters),
        cmocka_unit_test(test_what_fits_is_whole),
        cmocka_unit_test(test_errors_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
