/* SPDX-License-Identifier: Apache-2.0
 *
 * A person is needed (exit 4): what is left, what `next` says, and that it
 * works.  Besides: what moves under a run's feet.
 */
#include "tests/scenario/crew.h"

#include <stdio.h>
#include <string.h>

#define REMOVE "database cluster remove"
#define CONNECT "database cluster connect*"
#define JOIN "database cluster join*"
#define APPLY "apply cms/db-rotate lab --yes"

/* clang-format off */
static const char patience[] =
    "command_timeout = 3\nconnect_timeout = 2\nretries = 1\n"
    "timeout_leave = 3\ntimeout_init = 3\ntimeout_connect = 3\n"
    "timeout_join = 3";
/* clang-format on */

static struct bed *start(void **state, const char *shape)
{
    struct bed *bed = bed_start(state, shape, NULL);

    bed_inventory(bed, "fleet", patience);
    return bed;
}

static void is_left_out(const struct bed_run *run, const char *node)
{
    const json_t *list = json_object_get(bed_cluster(run, "lab"), "left_out");

    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_array_get(list, 0)), node);
}

/* All but one serve with the new set; nobody of them was taken back. */
static void others_are_new(struct bed *bed, const char *outsider)
{
    json_t *answer = bed_lab(bed, "nodes");
    const json_t *node;
    size_t i;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        if (strcmp(bed_text(node, "node"), outsider) == 0)
            continue;
        assert_string_equal(bed_text(node, "set"), "new");
        assert_string_not_equal(bed_text(node, "role"), "standalone");
        assert_true(json_is_true(json_object_get(node, "in_sync")));
    }
    bed_is_safe(bed);
}

static void resumes(struct bed *bed, struct bed_run *run, const char *primary)
{
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    assert_int_equal(
        json_array_size(json_object_get(bed_cluster(run, "lab"), "left_out")),
        0);
    bed_is_new(bed, "lab", primary);
}

/* -- one node fails after the turn ----------------------------------------- */

/* As on another controller, which has the store but not these files. */
static void not_without_its_keys(struct bed *bed)
{
    const char *here = arena_printf(&bed->arena, "%s/state/clusters", bed->dir);
    const char *away = arena_printf(&bed->arena, "%s/away", bed->dir);
    unsigned said = bed_count(bed, "*", "*");
    struct bed_run *run;

    assert_int_equal(rename(here, away), 0);
    run = bed_do(bed, "resume last --yes");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "the run's keys and certificates are not here"));
    assert_int_equal(bed_count(bed, "*", "*"), said);
    assert_int_equal(rename(away, here), 0);
}

static void one_is_left_out(void **state, const char *node, const char *fault)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run;

    bed_lab(bed, "inject %s %s always", node, fault);
    run = bed_apply(bed, "");
    bed_ends(run, 4, "incomplete");
    is_left_out(run, node);
    others_are_new(bed, node);
    not_without_its_keys(bed);
    bed_lab(bed, "clear");
    resumes(bed, run, "core1");
}

static void test_connect_fails_on_one(void **state)
{
    one_is_left_out(state, "edge2", "fail '" CONNECT "'");
}

static void test_connect_fails_async_on_one(void **state)
{
    one_is_left_out(state, "edge1", "fail-async '" CONNECT "'");
}

static void test_join_fails_on_one(void **state)
{
    one_is_left_out(state, "core2", "fail '" JOIN "'");
}

static void test_join_fails_async_on_one(void **state)
{
    one_is_left_out(state, "core3", "fail-async '" JOIN "'");
}

/* No try is left, and the node says no: to a remove behind the clear_error
 * that took it out already.  It is where it should be, and goes on. */
static void test_no_but_as_wanted(void **state)
{
    struct bed *bed = start(state, "2+1");
    int fault;

    bed_lab(bed, "inject core2 fail-async '" JOIN "'");
    fault = bed_id(bed_lab(bed, "inject core2 drop-asked '" REMOVE "' nth=2"));
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_lab(bed, "wait fault %d timeout=1", fault);
    assert_int_equal(bed_count(bed, "core2", "database cluster clear_error"),
                     1);
    bed_is_new(bed, "lab", "core1");
}

/* The other way out of it. */
static void test_join_fails_then_rollback(void **state)
{
    struct bed *bed = start(state, "3+1");
    struct bed_run *run;

    bed_lab(bed, "inject core3 fail '" JOIN "' always");
    run = bed_apply(bed, "");
    bed_ends(run, 4, "incomplete");
    bed_lab(bed, "clear");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* A node goes down when it is to join, and comes back the day after. */
static void test_node_away_after_the_turn(void **state)
{
    struct bed *bed = start(state, "3+1");
    int hold = bed_id(bed_lab(bed, "hold core2 after '" JOIN "'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "down core3");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 4, "incomplete");
    is_left_out(run, "core3");
    others_are_new(bed, "core3");
    /* told at once, and nothing is lost by asking too early */
    bed_ends(bed_do(bed, "resume last --yes"), 4, "incomplete");
    bed_lab(bed, "up core3");
    resumes(bed, run, "core1");
}

/* -- a node stays away before the primary leaves --------------------------- */

/* core3 goes down when it is about to leave, and comes back for `resume'. */
static struct bed_run *away_before_the_outage(struct bed *bed)
{
    int hold = bed_id(bed_lab(bed, "hold core3 before '" REMOVE "'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "down core3");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    /* nothing can be taken back without it */
    bed_ends(run, 4, "incomplete");
    is_left_out(run, "core3");
    assert_int_equal(bed_count(bed, "core1", REMOVE), 0);
    bed_is_safe(bed);
    return run;
}

static void test_node_away_before_the_outage(void **state)
{
    struct bed *bed = start(state, "5+0");

    away_before_the_outage(bed);
    assert_string_equal(bed_node(bed, "core1", "role"), "primary");
    bed_lab(bed, "up core3");
    bed_lab(bed, "wait core3 in_sync true");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Of three, one has left and one is away: the primary has no majority and
 * steps down; whoever is elected then holds the data. */
static void test_majority_lost(void **state)
{
    struct bed *bed = start(state, "3+1");
    struct bed_run *run;

    away_before_the_outage(bed);
    assert_string_equal(bed_node(bed, "core1", "role"), "replica");
    bed_ends(bed_do(bed, "resume last --yes"), 4, "incomplete");
    bed_lab(bed, "up core3");
    bed_lab(bed, "wait core3 in_sync true");
    run = bed_do(bed, "resume last --yes");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", bed_text(bed_cluster(run, "lab"), "primary"));
}

static void test_primary_away_in_the_outage(void **state)
{
    struct bed *bed = start(state, "2+1");
    int hold =
        bed_id(bed_lab(bed, "hold core1 before 'database cluster initialize'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "down core1");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 4, "incomplete");
    bed_is_safe(bed);
    bed_lab(bed, "up core1");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- what takes its time --------------------------------------------------- */

/* Tried again, and connected by then: nothing is begun anew. */
static void test_connect_past_its_deadline(void **state)
{
    struct bed *bed = start(state, "2+1");

    bed_lab(bed, "inject edge1 slow-async '" CONNECT "' ms=4500");
    bed_ends(bed_apply(bed, ""), 0, "done");
    assert_int_equal(bed_count(bed, "edge1", CONNECT), 1);
    bed_is_new(bed, "lab", "core1");
}

static void test_join_past_its_deadline(void **state)
{
    struct bed *bed = start(state, "2+1");
    struct bed_run *run;

    bed_lab(bed, "inject core2 slow-async '" JOIN "' ms=8000");
    run = bed_apply(bed, "");
    bed_ends(run, 4, "incomplete");
    assert_int_equal(bed_events(run, "rollback-started", NULL, NULL), 0);
    assert_string_equal(bed_node(bed, "core2", "pending"), "true");
    assert_int_equal(bed_count(bed, "core2", JOIN), 1);
    bed_lab(bed, "wait core2 in_sync true");
    resumes(bed, run, "core1");
    assert_int_equal(bed_count(bed, "core2", JOIN), 1);
}

/* Resumed while it still runs: it is waited for, not begun again. */
static void test_resume_of_a_running_join(void **state)
{
    struct bed *bed = start(state, "2+1");
    struct bed_run *run;

    bed_lab(bed, "inject core2 slow-async '" JOIN "' ms=5000");
    run = bed_apply(bed, "");
    bed_ends(run, 4, "incomplete");
    resumes(bed, run, "core1");
    assert_int_equal(bed_count(bed, "core2", JOIN), 1);
}

/* -- the primary moves ----------------------------------------------------- */

static void test_primary_moves_in_mid_run(void **state)
{
    struct bed *bed = start(state, "3+2");
    int hold = bed_id(bed_lab(bed, "hold core2 after '" REMOVE "'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "move-primary core3");
    bed_lab(bed, "wait core3 role primary");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core3");
    assert_string_equal(bed_text(bed_cluster(run, "lab"), "primary"), "core3");
    assert_int_equal(bed_count(bed, "*", "database cluster initialize"), 1);
    assert_int_equal(bed_count(bed, "core3", "database cluster initialize"), 1);
}

/* When all of them but the primary have been proven. */
static void test_primary_moves_at_the_end(void **state)
{
    struct bed *bed = start(state, "3+2");
    int join = bed_id(bed_lab(bed, "hold core3 after '" JOIN "'"));
    int look = bed_id(bed_lab(bed,
                              "hold core1 before 'database cluster status' "
                              "after=%d",
                              join));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_lab(bed, "wait held %d", join);
    bed_lab(bed, "release %d", join);
    bed_await(run, "step-done", "core2", "prove");
    bed_await(run, "step-done", "core3", "prove");
    bed_lab(bed, "wait held %d", look);
    bed_lab(bed, "move-primary core2");
    bed_lab(bed, "wait core2 role primary");
    bed_lab(bed, "release %d", look);
    bed_finish(run);
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "the primary has moved to node core2"));
    bed_is_new(bed, "lab", "core2");
    assert_string_equal(bed_text(bed_cluster(run, "lab"), "primary"), "core2");
    assert_int_equal(bed_count(bed, "*", "database cluster initialize"), 1);
}

/* -- somebody else --------------------------------------------------------- */

static void test_foreign_command_in_mid_run(void **state)
{
    struct bed *bed = start(state, "3+2");
    int hold = bed_id(bed_lab(bed, "hold core2 after '" REMOVE "'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "foreign core3 '" REMOVE "'");
    bed_lab(bed, "wait core3 role standalone");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 4, "incomplete");
    assert_int_equal(bed_events(run, "rollback-started", NULL, NULL), 0);
    assert_int_equal(bed_count(bed, "core1", REMOVE), 0);
    assert_int_equal(bed_count(bed, "core3", "database cluster [!s]*"), 0);
    bed_is_safe(bed);
}

static void test_foreign_file_in_mid_run(void **state)
{
    struct bed *bed = start(state, "3+0");
    int hold = bed_id(bed_lab(bed, "hold core2 after '" REMOVE "'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "put core3 webbridge.crt %s/known_hosts", bed->dir);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 4, "incomplete");
    assert_int_equal(bed_count(bed, "core3", "database cluster [!s]*"), 0);
    /* a person has looked */
    bed_lab(bed, "rm core3 webbridge.crt");
    resumes(bed, run, "core1");
}

/* -- more clusters --------------------------------------------------------- */

/* One is left incomplete; the other one is done all the same. */
static void test_one_of_two(void **state)
{
    static const char *const two[] = {"--clusters", "2", NULL};
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run;

    bed_inventory(bed, "fleet", patience);
    bed_inventory(bed, "cluster lab2", "on_failure = hold");
    bed_lab(bed, "inject lab2-core2 fail '" JOIN "' always");
    run = bed_do(bed, "apply cms/db-rotate lab* --yes");
    bed_ends(run, 4, "incomplete");
    assert_string_equal(bed_text(bed_cluster(run, "lab1"), "outcome"), "done");
    assert_string_equal(bed_text(bed_cluster(run, "lab2"), "outcome"),
                        "incomplete");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_lab(bed, "clear");
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
    assert_int_equal(bed_count(bed, "lab1-core1", REMOVE), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_connect_fails_on_one, bed_stop),
        cmocka_unit_test_teardown(test_connect_fails_async_on_one, bed_stop),
        cmocka_unit_test_teardown(test_join_fails_on_one, bed_stop),
        cmocka_unit_test_teardown(test_join_fails_async_on_one, bed_stop),
        cmocka_unit_test_teardown(test_no_but_as_wanted, bed_stop),
        cmocka_unit_test_teardown(test_join_fails_then_rollback, bed_stop),
        cmocka_unit_test_teardown(test_node_away_after_the_turn, bed_stop),
        cmocka_unit_test_teardown(test_node_away_before_the_outage, bed_stop),
        cmocka_unit_test_teardown(test_majority_lost, bed_stop),
        cmocka_unit_test_teardown(test_primary_away_in_the_outage, bed_stop),
        cmocka_unit_test_teardown(test_connect_past_its_deadline, bed_stop),
        cmocka_unit_test_teardown(test_join_past_its_deadline, bed_stop),
        cmocka_unit_test_teardown(test_resume_of_a_running_join, bed_stop),
        cmocka_unit_test_teardown(test_primary_moves_in_mid_run, bed_stop),
        cmocka_unit_test_teardown(test_primary_moves_at_the_end, bed_stop),
        cmocka_unit_test_teardown(test_foreign_command_in_mid_run, bed_stop),
        cmocka_unit_test_teardown(test_foreign_file_in_mid_run, bed_stop),
        cmocka_unit_test_teardown(test_one_of_two, bed_stop),
    };

    return crew_tests(tests);
}
