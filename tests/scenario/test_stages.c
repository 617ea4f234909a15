/* SPDX-License-Identifier: Apache-2.0
 *
 * A rotation in parts: planned, staged, gone on with, taken back, skipped.
 */
#include "tests/scenario/crew.h"

#include <signal.h>
#include <string.h>

/* -- staging --------------------------------------------------------------- */

static void test_until_push(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run = bed_apply(bed, "--until push");

    bed_ends(run, 0, "ok");
    bed_is_untouched(bed, "lab", "core1");
    assert_int_equal(bed_files(bed, "core2", "dbserver-g1-*"), 2);
    assert_int_equal(bed_files(bed, "edge1", "db*-g1-*"), 3);
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
    /* the set that was staged is the one in use, and it was not put anew */
    assert_int_equal(bed_files(bed, "core2", "dbserver-g[0-9]*"), 2);
    assert_string_equal(bed_node(bed, "core2", "uploads"), "5");
}

/* resume runs the gates again. */
static void test_until_push_then_sick(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);
    struct bed_run *run = bed_apply(bed, "--until push");

    bed_ends(run, 0, "ok");
    bed_lab(bed, "sync core3 off");
    bed_lab(bed, "wait lab healthy false");
    bed_ends(bed_next(run, "resume"), 5, "refused");
    bed_lab(bed, "sync core3 on");
    bed_lab(bed, "wait lab healthy true");
    bed_is_untouched(bed, "lab", "core1");
}

static void test_until_leaves_no_lock(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);

    bed_ends(bed_apply(bed, "--until backup"), 0, "ok");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_until_gates(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_ends(bed_apply(bed, "--until gates"), 0, "ok");
    bed_is_untouched(bed, "lab", "core1");
    assert_int_equal(bed_files(bed, "core1", "*-g1-*"), 0);
}

static void test_resume_of_a_done_run(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    unsigned before;

    bed_ends(bed_apply(bed, ""), 0, "done");
    before = bed_count(bed, "*", "*");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_int_equal(bed_count(bed, "*", "*"), before);
}

/* -- not due --------------------------------------------------------------- */

static void test_not_due(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run = bed_apply(bed, "if_days_left=5");

    bed_ends(run, 0, "ok");
    assert_string_equal(bed_text(bed_cluster(run, "lab"), "outcome"), "ok");
    bed_is_untouched(bed, "lab", "core1");
    assert_string_equal(bed_node(bed, "core1", "uploads"), "0");
}

static void test_due(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_ends(bed_apply(bed, "if_days_left=30"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- plan ------------------------------------------------------------------ */

static void test_plan_touches_nothing(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *plan = bed_begin(bed, BED_PLAIN, "plan cms/db-rotate lab");

    assert_int_equal(bed_finish(plan), 0);
    assert_true(bed_said(plan, "database cluster initialize"));
    assert_true(bed_said(plan, "backup snapshot"));
    bed_is_untouched(bed, "lab", "core1");
    for (int i = 1; i <= 3; i++) {
        char name[8] = {'c', 'o', 'r', 'e', (char)('0' + i)};
        assert_string_equal(bed_node(bed, name, "uploads"), "0");
        assert_int_equal(bed_count(bed, name, "backup*"), 0);
    }
}

static void test_plan_file(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *plan =
        bed_do(bed, "plan cms/db-rotate lab -o %s/x.plan", bed->dir);

    bed_ends(plan, 0, "ok");
    bed_ends(bed_do(bed, "apply --plan %s/x.plan --yes", bed->dir), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* What the plan said would be sent is what was sent, node by node. */
static void test_plan_is_what_happens(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *plan = bed_begin(
        bed, BED_PLAIN, "plan cms/db-rotate lab -o %s/x.plan", bed->dir);
    struct bed_run *run;
    const json_t *e;
    size_t i;

    assert_int_equal(bed_finish(plan), 0);
    run = bed_do(bed, "apply --plan %s/x.plan --yes", bed->dir);
    bed_ends(run, 0, "done");
    json_array_foreach(run->events, i, e)
    {
        const char *command = bed_text(e, "command");
        if (*command && strncmp(command, "put ", 4) != 0 &&
            strncmp(command, "get ", 4) != 0 && !bed_said(plan, command))
            fail_msg("`%s' was sent, and the plan did not say so", command);
    }
}

static void test_plan_has_moved(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_ends(bed_do(bed, "plan cms/db-rotate lab -o %s/x.plan", bed->dir), 0,
             "ok");
    bed_lab(bed, "move-primary core2");
    bed_lab(bed, "wait lab healthy true");
    bed_ends(bed_do(bed, "apply --plan %s/x.plan --yes", bed->dir), 5,
             "refused");
    bed_is_untouched(bed, "lab", "core2");
    bed_is_clean(bed);
}

/* -- taking a done run back ------------------------------------------------ */

static void test_rollback(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run = bed_apply(bed, "");

    bed_ends(run, 0, "done");
    run = bed_do(bed, "rollback last --yes");
    bed_ends(run, 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
    assert_int_equal(bed_events(run, "rollback-started", NULL, NULL), 1);
}

/* From the second generation back to the first, that certfleet made. */
static void test_rollback_to_a_generation(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    const char *first;

    bed_ends(bed_apply(bed, ""), 0, "done");
    first = bed_node(bed, "core2", "certs");
    bed_ends(bed_apply(bed, ""), 0, "done");
    assert_string_not_equal(bed_node(bed, "core2", "certs"), first);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    assert_string_equal(bed_node(bed, "core2", "certs"), first);
    bed_is_new(bed, "lab", "core1");
}

static void test_rollback_twice(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    unsigned before;

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    before = bed_count(bed, "*", "database cluster remove");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    assert_int_equal(bed_count(bed, "*", "database cluster remove"), before);
    bed_is_old(bed, "lab", "core1");
}

/* A run that was only staged: what it put there goes. */
static void test_rollback_of_a_staged_run(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_ends(bed_apply(bed, "--until push"), 0, "ok");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

static void test_rollback_below_a_later_run(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *first = bed_apply(bed, "");

    bed_ends(first, 0, "done");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_ends(bed_do(bed, "rollback %s --yes", bed_run_id(first)), 5, "refused");
    bed_is_new(bed, "lab", "core1");
}

static void test_rollback_without_an_old_file(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    unsigned before;

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_lab(bed, "rm core2 dbclusterclient.cer");
    before = bed_count(bed, "*", "database cluster remove");
    bed_ends(bed_do(bed, "rollback last --yes"), 5, "refused");
    /* it is still what it was, to the next command and in history */
    bed_ends(bed_do(bed, "rollback last --yes"), 5, "refused");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_int_equal(bed_count(bed, "*", "database cluster remove"), before);
    assert_string_equal(
        bed_text(json_array_get(bed_do(bed, "runs")->events, 0), "outcome"),
        "done");
}

/* Refusing the second run's way back must not open the first one's. */
static void test_rollback_below_a_refused_one(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *first = bed_apply(bed, "");
    unsigned before;

    bed_ends(first, 0, "done");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_lab(bed, "down core2");
    bed_ends(bed_do(bed, "rollback last --yes"), 5, "refused");
    bed_lab(bed, "up core2");
    bed_lab(bed, "wait lab healthy true");
    before = bed_count(bed, "*", "database cluster remove");
    bed_ends(bed_do(bed, "rollback %s --yes", bed_run_id(first)), 5, "refused");
    assert_int_equal(bed_count(bed, "*", "database cluster remove"), before);
    bed_is_new(bed, "lab", "core1");
}

/* The process dies in the middle of a way back: the run is no longer done. */
static void test_resume_of_a_dead_rollback(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;
    int hold;

    bed_ends(bed_apply(bed, ""), 0, "done");
    hold = bed_id(bed_lab(bed, "hold core1 before 'database cluster init*'"));
    run = bed_begin(bed, BED_PLAIN, "rollback last --yes");
    bed_lab(bed, "wait held %d", hold);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", hold);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

static void test_rollback_to_another_file(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    unsigned before;

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_lab(bed, "put core1 dbclusterclient.cer %s/known_hosts", bed->dir);
    before = bed_count(bed, "*", "database cluster remove");
    bed_ends(bed_do(bed, "rollback last --yes"), 5, "refused");
    assert_int_equal(bed_count(bed, "*", "database cluster remove"), before);
}

static void test_rollback_with_other_members(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);
    unsigned before;

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_inventory_drop(bed, "node core3");
    before = bed_count(bed, "*", "database cluster remove");
    bed_ends(bed_do(bed, "rollback last --yes"), 5, "refused");
    assert_int_equal(bed_count(bed, "*", "database cluster remove"), before);
    bed_is_new(bed, "lab", "core1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_until_push, bed_stop),
        cmocka_unit_test_teardown(test_until_push_then_sick, bed_stop),
        cmocka_unit_test_teardown(test_until_leaves_no_lock, bed_stop),
        cmocka_unit_test_teardown(test_until_gates, bed_stop),
        cmocka_unit_test_teardown(test_resume_of_a_done_run, bed_stop),
        cmocka_unit_test_teardown(test_not_due, bed_stop),
        cmocka_unit_test_teardown(test_due, bed_stop),
        cmocka_unit_test_teardown(test_plan_touches_nothing, bed_stop),
        cmocka_unit_test_teardown(test_plan_file, bed_stop),
        cmocka_unit_test_teardown(test_plan_is_what_happens, bed_stop),
        cmocka_unit_test_teardown(test_plan_has_moved, bed_stop),
        cmocka_unit_test_teardown(test_rollback, bed_stop),
        cmocka_unit_test_teardown(test_rollback_to_a_generation, bed_stop),
        cmocka_unit_test_teardown(test_rollback_twice, bed_stop),
        cmocka_unit_test_teardown(test_rollback_of_a_staged_run, bed_stop),
        cmocka_unit_test_teardown(test_rollback_below_a_later_run, bed_stop),
        cmocka_unit_test_teardown(test_rollback_without_an_old_file, bed_stop),
        cmocka_unit_test_teardown(test_rollback_below_a_refused_one, bed_stop),
        cmocka_unit_test_teardown(test_resume_of_a_dead_rollback, bed_stop),
        cmocka_unit_test_teardown(test_rollback_to_another_file, bed_stop),
        cmocka_unit_test_teardown(test_rollback_with_other_members, bed_stop),
    };

    return crew_tests(tests);
}
