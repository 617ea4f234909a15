/* SPDX-License-Identifier: Apache-2.0
 *
 * How many may be on their way at once: the arithmetic, and crowds played
 * against servers that turn some of them away.  And the line itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/pool.h"
#include "transport/ramp.h"

static void test_doubles_until_one_is_lost(void **state)
{
    struct ramp r;

    (void)state;
    ramp_init(&r, 400);
    assert_int_equal(r.limit, RAMP_FIRST);
    for (unsigned i = 0; i < RAMP_FIRST; i++)
        ramp_won(&r, 20);
    assert_int_equal(r.limit, 2 * RAMP_FIRST);
    ramp_lost(&r, 10, 50);
    assert_int_equal(r.limit, RAMP_FIRST);
    /* from now on a whole round is worth one */
    for (unsigned i = 0; i + 1 < RAMP_FIRST; i++)
        ramp_won(&r, 20);
    assert_int_equal(r.limit, RAMP_FIRST);
    ramp_won(&r, 20);
    assert_int_equal(r.limit, RAMP_FIRST + 1);
}

static void test_a_round_is_lost_once(void **state)
{
    struct ramp r;

    (void)state;
    ramp_init(&r, 400);
    ramp_lost(&r, 0, 100);
    for (uint64_t began = 0; began <= 100; began++)
        ramp_lost(&r, began, 101 + began);
    assert_int_equal(r.limit, RAMP_FIRST / 2);
    ramp_lost(&r, 101, 300);
    assert_int_equal(r.limit, RAMP_LEAST);
}

static void test_slow_ones_are_worth_nothing(void **state)
{
    struct ramp r;

    (void)state;
    ramp_init(&r, 400);
    for (unsigned i = 0; i < 1000; i++)
        ramp_won(&r, RAMP_GOOD_MS + 1);
    assert_int_equal(r.limit, RAMP_FIRST);
}

static void test_bounds(void **state)
{
    struct ramp r;

    (void)state;
    ramp_init(&r, 20);
    for (unsigned i = 0; i < 100; i++)
        ramp_won(&r, 1);
    assert_int_equal(r.limit, 20);
    for (uint64_t t = 1; t < 100; t++)
        ramp_lost(&r, t * 10, t * 10 + 1);
    assert_int_equal(r.limit, RAMP_LEAST);
    ramp_init(&r, 2); /* fewer sessions than that are allowed at all */
    assert_int_equal(r.limit, 2);
    ramp_lost(&r, 1, 2);
    assert_int_equal(r.limit, 2);
}

/* -- a crowd ----------------------------------------------------------------
 */

enum {
    NODES = 1000,
    TRIES = 3 /* a connection's */
};

struct crowd {
    unsigned tries[NODES];
    unsigned left;  /* neither in nor given up */
    unsigned given; /* up */
    unsigned most;  /* that were on their way at once */
    uint64_t now;   /* ms */
};

/* A round of 50 ms: who waits longest goes first, who is turned away waits at
 * the end of the line; a server of `room` takes no more. */
static void play_round(struct crowd *c, struct ramp *r, unsigned room)
{
    unsigned out = 0;

    c->now += 50;
    for (unsigned i = 0; i < NODES && out < r->limit; i++) {
        if (c->tries[i] == UINT32_MAX)
            continue;
        if (++out > room) {
            ramp_lost(r, c->now, c->now + 1);
            if (++c->tries[i] < TRIES)
                continue;
            c->given++;
        } else {
            ramp_won(r, 50);
        }
        c->tries[i] = UINT32_MAX;
        c->left--;
    }
    if (out > c->most)
        c->most = out;
}

static void play(struct crowd *c, struct ramp *r, unsigned room)
{
    *c = (struct crowd){.left = NODES};
    ramp_init(r, 400);
    for (unsigned rounds = 0; c->left > 0; rounds++) {
        assert_true(rounds < 1000); /* it never starves */
        play_round(c, r, room);
    }
}

static void test_crowds(void **state)
{
    static const unsigned rooms[] = {4, 5, 10, 30, 100, 1000};
    struct crowd c;
    struct ramp r;

    (void)state;
    for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
        play(&c, &r, rooms[i]);
        assert_int_equal(c.given, 0);
        assert_true(c.most >= (rooms[i] < 100 ? rooms[i] : 100));
    }
}

/* -- the line ---------------------------------------------------------------
 */

static unsigned granted;

static void on_granted(struct pool_slot *slot)
{
    (void)slot;
    granted++;
}

static void test_line(void **state)
{
    struct pool_slot slots[6];
    struct pool pool;

    (void)state;
    memset(slots, 0, sizeof(slots));
    granted = 0;
    pool_init(&pool, 1);
    for (size_t i = 0; i < 5; i++) {
        slots[i].granted = on_granted;
        pool_take(&pool, &slots[i]);
    }
    assert_int_equal(granted, 1);
    pool_set_max(&pool, 3);
    assert_int_equal(granted, 3);
    pool_set_max(&pool, 1); /* nothing is taken away */
    assert_int_equal(pool.used, 3);
    pool_give(&pool, &slots[0]);
    pool_give(&pool, &slots[1]);
    assert_int_equal(granted, 3);
    pool_give(&pool, &slots[2]);
    assert_int_equal(granted, 4);
    pool_force(&pool, &slots[5]);
    assert_int_equal(pool.used, 2);
    pool_give(&pool, &slots[3]);
    assert_int_equal(granted, 4); /* one too many was there */
    pool_give(&pool, &slots[5]);
    assert_int_equal(granted, 5);
    pool_give(&pool, &slots[4]);
    assert_int_equal(pool.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_until_one_is_lost),
        cmocka_unit_test(test_a_round_is_lost_once),
        cmocka_unit_test(test_slow_ones_are_worth_nothing),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_crowds),
        cmocka_unit_test(test_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
