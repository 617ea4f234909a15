/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a cell as a table: every state has a way on, every way ends, and
 * nothing goes out but through a check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "core/run/cell.h"

enum {
    STATES = CELL_FAILED + 1
};

static const struct cell_edge *edges;
static size_t n_edges;

static int read_table(void **state)
{
    (void)state;
    edges = cell_edges(&n_edges);
    return 0;
}

static bool is_end(enum cell_state s)
{
    return s == CELL_DONE || s == CELL_SKIPPED || s == CELL_FAILED;
}

static void one_edge_for_each_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_edges; i++)
        for (size_t k = i + 1; k < n_edges; k++)
            assert_false(edges[i].from == edges[k].from &&
                         edges[i].event == edges[k].event);
}

static void reach(enum cell_state from, bool seen[STATES])
{
    if (seen[from])
        return;
    seen[from] = true;
    for (size_t i = 0; i < n_edges; i++)
        if (edges[i].from == from)
            reach(edges[i].to, seen);
}

static void every_state_is_reached(void **state)
{
    bool seen[STATES] = {false};

    (void)state;
    reach(CELL_PENDING, seen);
    for (int s = 0; s < STATES; s++)
        assert_true(seen[s]);
}

static void from_every_state_an_end_is_reached(void **state)
{
    (void)state;
    for (int s = 0; s < STATES; s++) {
        bool seen[STATES] = {false};
        reach((enum cell_state)s, seen);
        assert_true(seen[CELL_DONE] && seen[CELL_FAILED] ? true
                                                         : s == CELL_FAILED);
    }
}

/* Every working state can fail for good: no trap. */
static void every_working_state_can_fail(void **state)
{
    (void)state;
    for (int s = CELL_CHECK; s <= CELL_WAIT; s++) {
        bool fatal = false;
        for (size_t i = 0; i < n_edges; i++)
            fatal = fatal ||
                    (edges[i].from == (enum cell_state)s &&
                     edges[i].event == EV_FATAL && edges[i].to == CELL_FAILED);
        assert_true(fatal);
    }
}

static void acts_go_out_only_after_a_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_edges; i++)
        if (edges[i].to == CELL_APPLY)
            assert_int_equal(edges[i].from, CELL_CHECK);
}

/* In doubt the node is asked, never the record. */
static void a_lost_answer_leads_to_a_check(void **state)
{
    bool found = false;

    (void)state;
    for (size_t i = 0; i < n_edges; i++)
        if (edges[i].event == EV_LOST) {
            assert_int_equal(edges[i].to, CELL_CHECK);
            found = true;
        }
    assert_true(found);
}

static void only_a_rewind_leaves_an_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_edges; i++)
        if (is_end(edges[i].from)) {
            assert_int_equal(edges[i].event, EV_REWIND);
            assert_int_not_equal(edges[i].from, CELL_FAILED);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_edge_for_each_event),
        cmocka_unit_test(every_state_is_reached),
        cmocka_unit_test(from_every_state_an_end_is_reached),
        cmocka_unit_test(every_working_state_can_fail),
        cmocka_unit_test(acts_go_out_only_after_a_check),
        cmocka_unit_test(a_lost_answer_leads_to_a_check),
        cmocka_unit_test(only_a_rewind_leaves_an_end),
    };

    return cmocka_run_group_tests(tests, read_table, NULL);
}
