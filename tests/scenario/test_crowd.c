/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixty nodes at once: servers that turn away a crowd, and nodes that hang.
 */
#include "tests/scenario/crew.h"

#include <signal.h>
#include <string.h>

enum {
    CLUSTERS = 20,
    NODES = 3 * CLUSTERS,
    HUNG = NODES / 3
};

/* As MaxStartups does: more than twelve that have not logged in are cut off,
 * without a word.  Sixty at once would lose most of their three tries. */
static void test_all_are_reached(void **state)
{
    static const char *const args[] = {"--clusters", "20", "--set",
                                       "max_startups=12", NULL};
    struct bed *bed = bed_start(state, "2+1", args);
    struct bed_run *run = bed_do(bed, "check");

    bed_ends(run, 3, "due");
    assert_int_equal(bed_events(run, "warning", NULL, NULL), 0);
    assert_int_equal(bed_count(bed, "*", "database cluster status"), NODES);
}

/* One node of each cluster takes the connection and says nothing.  There are
 * fewer slots than such nodes; the others are all asked long before these
 * have had their time. */
static void test_hung_nodes_hold_nobody(void **state)
{
    static const char *const args[] = {"--clusters", "20", NULL};
    struct bed *bed = bed_start(state, "2+1", args);
    struct bed_run *run;

    for (size_t i = 1; i <= HUNG; i++)
        bed_lab(bed, "inject lab%zu-core2 stall always", i);
    bed_inventory(bed, "fleet", "max_sessions = 4");
    bed_inventory(bed, "fleet", "connect_timeout = 300");
    run = bed_begin(bed, BED_JSON, "check");
    bed_lab(bed, "wait * command date answered count=%d", NODES - HUNG);
    assert_int_equal(run->code, -1); /* it still waits for the others */
    kill(run->pid, SIGINT);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    for (size_t i = 1; i <= HUNG; i++)
        assert_int_equal(
            bed_count(bed, arena_printf(&bed->arena, "lab%zu-core2", i), "*"),
            0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_are_reached, bed_stop),
        cmocka_unit_test_teardown(test_hung_nodes_hold_nobody, bed_stop),
    };

    return crew_tests(tests);
}
