/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-remove-node: a replica or a connect-only node goes; the others are
 * only asked.
 */
#include <signal.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/newcomer.h"

#define GO "apply cms/db-remove-node lab node=%s --yes"

/* Four database nodes, so that three are left; and two connect-only ones. */
static struct bed *start(void **state)
{
    struct bed *bed = bed_start(state, "4+2", NULL);

    bed_inventory(bed, "fleet", "connect_timeout = 3");
    return bed;
}

static void core4_is_out(struct bed *bed)
{
    assert_string_equal(bed_node(bed, "core4", "role"), "standalone");
    assert_string_equal(bed_node(bed, "core4", "error"), "null");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), 0);
}

static void test_replica(void **state)
{
    struct bed *bed = start(state);
    struct bed_run *run = bed_do(bed, GO, "core4");

    bed_ends(run, 0, "done");
    core4_is_out(bed);
    assert_int_equal(bed_files(bed, "core4", "cf-*-replica.bak"), 1);
    assert_int_equal(bed_count(bed, "core4", CHANGES), 1);
    assert_int_equal(bed_events(run, "outage-started", NULL, NULL), 0);
    /* asked again, it is out already */
    run = bed_do(bed, GO, "core4");
    bed_ends(run, 0, "ok");
    assert_true(bed_said(run, "is in no cluster"));
    assert_int_equal(bed_count(bed, "core4", CHANGES), 1);
}

static void test_client(void **state)
{
    struct bed *bed = start(state);

    bed_ends(bed_do(bed, GO, "edge2"), 0, "done");
    assert_string_equal(bed_node(bed, "edge2", "role"), "standalone");
    newcomer_members_are_well(bed);
    newcomer_is_in(bed, "core4", "replica");
    assert_int_equal(newcomer_changes(bed), 0);
    assert_int_equal(bed_count(bed, "edge2", CHANGES), 1);
}

/* Who leads next is no by-product. */
static void test_primary(void **state)
{
    struct bed *bed = start(state);
    struct bed_run *run = bed_do(bed, GO, "core1");

    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "it is the primary"));
    bed_is_untouched(bed, "lab", "core1");
}

/* It comes to lead between the gates and its remove. */
static void test_primary_moves_to_it(void **state)
{
    struct bed *bed = start(state);
    int hold = bed_id(bed_lab(bed, "hold core4 after 'backup snapshot cf-*'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, GO, "core4");

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "move-primary core4");
    bed_lab(bed, "wait core4 role primary");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "I1"));
    assert_int_equal(bed_count(bed, "core4", REMOVE), 0);
    bed_is_safe(bed);
}

static void test_another_is_not_in_sync(void **state)
{
    struct bed *bed = start(state);

    bed_lab(bed, "down core3");
    bed_ends(bed_do(bed, GO, "core4"), 5, "refused");
    assert_int_equal(bed_count(bed, "core4", CHANGES), 0);
}

static void test_inputs(void **state)
{
    struct bed *bed = start(state);
    struct bed_run *run = bed_do(bed, "apply cms/db-remove-node lab --yes");

    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "which node is to go?"));
    bed_ends(bed_do(bed, GO, "core9"), 2, "error");
    assert_int_equal(bed_count(bed, "*", "*"), 0);
}

static void test_remove_fails_once(void **state)
{
    struct bed *bed = start(state);

    bed_lab(bed, "inject core4 fail '" REMOVE "'");
    bed_ends(bed_do(bed, GO, "core4"), 0, "done");
    core4_is_out(bed);
}

/* It stays what it was. */
static void test_remove_fails_for_good(void **state)
{
    struct bed *bed = start(state);

    bed_lab(bed, "inject core4 fail '" REMOVE "' always");
    bed_ends(bed_do(bed, GO, "core4"), 1, "rolled-back");
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), 0);
}

static void test_rollback(void **state)
{
    struct bed *bed = start(state);

    bed_ends(bed_do(bed, GO, "core4"), 0, "done");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    newcomer_is_in(bed, "core4", "replica");
    bed_is_old(bed, "lab", "core1");
    assert_int_equal(newcomer_changes(bed), 0);
    bed_ends(bed_do(bed, GO, "edge2"), 0, "done");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

static void test_killed(void **state)
{
    static const char *const moments[] = {"before", "after"};

    for (size_t i = 0; i < 2; i++) {
        struct bed *bed = start(state);
        int hold =
            bed_id(bed_lab(bed, "hold core4 %s '" REMOVE "'", moments[i]));
        struct bed_run *run = bed_begin(bed, BED_JSON, GO, "core4");

        bed_lab(bed, "wait held %d", hold);
        assert_int_equal(kill(run->pid, SIGKILL), 0);
        bed_lab(bed, "release %d", hold);
        bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
        core4_is_out(bed);
        bed_stop(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_replica, bed_stop),
        cmocka_unit_test_teardown(test_client, bed_stop),
        cmocka_unit_test_teardown(test_primary, bed_stop),
        cmocka_unit_test_teardown(test_primary_moves_to_it, bed_stop),
        cmocka_unit_test_teardown(test_another_is_not_in_sync, bed_stop),
        cmocka_unit_test_teardown(test_inputs, bed_stop),
        cmocka_unit_test_teardown(test_remove_fails_once, bed_stop),
        cmocka_unit_test_teardown(test_remove_fails_for_good, bed_stop),
        cmocka_unit_test_teardown(test_rollback, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
    };

    return crew_tests(tests);
}
