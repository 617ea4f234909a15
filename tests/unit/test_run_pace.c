/* SPDX-License-Identifier: Apache-2.0
 *
 * The pace of a fleet: whose turn it is, and who is left for another night.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/run/pace.h"

enum {
    ITEMS = 6,
    NOW = 1000000
};

static struct pace_item items[ITEMS];
static struct pace pace;

/* Two canaries and four others, nothing begun, no window. */
static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEMS; i++)
        items[i] = (struct pace_item){.canary = i < 2};
    pace = (struct pace){.items = items, .n = ITEMS};
    return 0;
}

static void all_are(size_t first, size_t last, enum pace_state state)
{
    for (size_t i = first; i <= last; i++)
        items[i].state = state;
}

static void answers(size_t item, enum pace_answer answer)
{
    assert_int_equal(pace_ask(&pace, item, NOW), answer);
}

static void test_canaries_first(void **state)
{
    (void)state;
    answers(0, PACE_GO);
    answers(1, PACE_GO);
    answers(2, PACE_NOT_YET);
    all_are(0, 0, PACE_DONE);
    all_are(1, 1, PACE_RUNNING);
    answers(2, PACE_NOT_YET);
    assert_false(pace_canaries_are_through(&pace));
    all_are(1, 1, PACE_DONE);
    assert_true(pace_canaries_are_through(&pace));
    answers(2, PACE_SETTLE);
    pace.watched = true;
    for (size_t i = 2; i < ITEMS; i++)
        answers(i, PACE_GO);
}

static void test_without_canaries(void **state)
{
    (void)state;
    items[0].canary = items[1].canary = false;
    assert_false(pace_has_canary(&pace));
    for (size_t i = 0; i < ITEMS; i++)
        answers(i, PACE_GO);
}

static void test_a_canary_fails(void **state)
{
    (void)state;
    pace.max_failures = 5;
    all_are(0, 0, PACE_FAILED);
    answers(1, PACE_HALT);
    answers(2, PACE_HALT);
}

/* Its window was not open: nobody knows whether the others may. */
static void test_a_canary_is_left(void **state)
{
    (void)state;
    pace.max_failures = 5;
    all_are(0, 0, PACE_LEFT);
    answers(1, PACE_GO);
    all_are(1, 1, PACE_DONE);
    answers(2, PACE_HALT);
}

/* It failed when it was looked at again. */
static void test_a_canary_fails_later(void **state)
{
    (void)state;
    all_are(0, 1, PACE_DONE);
    pace.watched = true;
    answers(2, PACE_GO);
    all_are(1, 1, PACE_FAILED);
    answers(2, PACE_HALT);
}

static void test_batches(void **state)
{
    (void)state;
    all_are(0, 1, PACE_DONE);
    pace.watched = true;
    pace.batch = 2;
    answers(2, PACE_GO);
    answers(3, PACE_GO);
    answers(4, PACE_NOT_YET);
    all_are(2, 2, PACE_DONE);
    all_are(3, 3, PACE_RUNNING);
    answers(5, PACE_NOT_YET);
    all_are(3, 3, PACE_LEFT);
    answers(4, PACE_GO);
    answers(5, PACE_GO);
}

static void test_side_by_side(void **state)
{
    (void)state;
    pace.max_clusters = 2;
    answers(0, PACE_GO);
    all_are(0, 0, PACE_RUNNING);
    answers(1, PACE_GO);
    pace.max_clusters = 1;
    answers(1, PACE_NOT_YET);
}

static void test_failures(void **state)
{
    (void)state;
    all_are(0, 1, PACE_DONE);
    pace.watched = true;
    pace.max_failures = 1;
    all_are(2, 2, PACE_FAILED);
    answers(3, PACE_GO);
    all_are(3, 3, PACE_FAILED);
    answers(4, PACE_HALT);
    all_are(3, 3, PACE_LEFT);
    answers(4, PACE_GO);
    pace.stopped = true;
    answers(4, PACE_HALT);
}

static void test_windows(void **state)
{
    (void)state;
    items[0].opens = NOW + 1;
    items[0].closes = NOW + 100;
    answers(0, PACE_CLOSED);
    items[0].opens = NOW;
    answers(0, PACE_GO);
    items[0].need_s = 99;
    answers(0, PACE_GO);
    items[0].need_s = 100;
    answers(0, PACE_SHORT);
    items[0].closes = NOW;
    answers(0, PACE_CLOSED);
    /* not said before its turn has come: until then it may open */
    items[3].opens = NOW + 1;
    items[3].closes = NOW + 100;
    answers(3, PACE_NOT_YET);
}

static void test_shares(void **state)
{
    static const struct {
        const char *text;
        size_t all, n;
    } good[] = {{"0", 7, 0},   {"3", 7, 3},   {"0%", 7, 0},
                {"1%", 7, 1},  {"50%", 7, 4}, {"100%", 7, 7},
                {"25%", 8, 2}, {"5", 0, 5},   {"5%", 0, 0}};
    static const char *const bad[] = {"",    "%",    "x",   "-1",     "101%",
                                      "1 %", "1.5%", "1%%", "9999999"};
    struct err err = {.cause = CAUSE_NONE};
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_int_equal(pace_share(good[i].text, good[i].all, &n, &err), 0);
        assert_int_equal(n, good[i].n);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(pace_share(bad[i], 7, &n, &err), -1);
        assert_int_equal(err.cause, CAUSE_INPUT);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_canaries_first, set_up),
        cmocka_unit_test_setup(test_without_canaries, set_up),
        cmocka_unit_test_setup(test_a_canary_fails, set_up),
        cmocka_unit_test_setup(test_a_canary_is_left, set_up),
        cmocka_unit_test_setup(test_a_canary_fails_later, set_up),
        cmocka_unit_test_setup(test_batches, set_up),
        cmocka_unit_test_setup(test_side_by_side, set_up),
        cmocka_unit_test_setup(test_failures, set_up),
        cmocka_unit_test_setup(test_windows, set_up),
        cmocka_unit_test_setup(test_shares, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
