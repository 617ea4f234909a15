/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-add-node when something fails: the new node is in no cluster again,
 * with what it had, and the others have never been touched.
 */
#include <signal.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/newcomer.h"

/* -- it fails ---------------------------------------------------------------
 */

static void test_join_fails_once(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);
    int fault = bed_id(bed_lab(bed, "inject core4 fail-async '" JOIN "'"));
    struct bed_run *run = bed_do(bed, ADD_CORE);

    bed_ends(run, 0, "done");
    bed_lab(bed, "wait fault %d timeout=1", fault);
    assert_int_equal(bed_events(run, "retry", "core4", "join"), 1);
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
}

static void fails_for_good(void **state, const char *kind)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "on_failure = hold");
    bed_lab(bed, "inject core4 %s '" JOIN "' always", kind);
    run = bed_do(bed, ADD_CORE);
    bed_ends(run, 1, "rolled-back");
    assert_int_equal(bed_events(run, "rollback-started", NULL, NULL), 1);
    newcomer_is_out(bed, "core4");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
    /* and when that is mended, all the same */
    bed_lab(bed, "clear");
    run = bed_do(bed, ADD_CORE " --accept has-data");
    bed_ends(run, 0, "done");
    newcomer_is_in(bed, "core4", "replica");
}

static void test_join_is_refused(void **state)
{
    fails_for_good(state, "fail");
}

static void test_join_ends_in_error(void **state)
{
    fails_for_good(state, "fail-async");
}

/* In staging: its files are taken off again. */
static void test_push_fails(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);

    bed_lab(bed, "inject core4 corrupt 'write dbclient*' always");
    bed_ends(bed_do(bed, ADD_CORE), 1, "rolled-back");
    newcomer_is_out(bed, "core4");
    assert_int_equal(bed_files(bed, "core4", "db*"), 0);
    assert_int_equal(bed_files(bed, "core1", "dbserver-g1-*.key"), 1);
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
}

/* A node with a set of its own has that again. */
static void test_own_files_again(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    struct bed_run *run;

    newcomer_was_in(bed);
    bed_lab(bed, "inject core4 fail '" JOIN "' always");
    run = bed_do(bed, ADD_CORE " --accept has-data");
    bed_ends(run, 1, "rolled-back");
    assert_string_equal(bed_node(bed, "core4", "role"), "standalone");
    assert_string_equal(bed_node(bed, "core4", "set"), "new");
    assert_int_equal(bed_files(bed, "core4", "dbserver-g1-*.key"), 1);
    newcomer_members_are_well(bed);
}

/* -- taken back, killed, resumed --------------------------------------------
 */

static void test_rollback(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);

    bed_ends(bed_do(bed, ADD_CORE), 0, "done");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    newcomer_is_out(bed, "core4");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
}

struct moment {
    const char *how, *command;
};

static void killed_at(struct bed *bed, const struct moment *m)
{
    int hold = bed_id(bed_lab(bed, "hold core4 %s '%s'", m->how, m->command));
    struct bed_run *run = bed_begin(bed, BED_JSON, ADD_CORE);

    bed_lab(bed, "wait held %d", hold);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    bed_lab(bed, "release %d", hold);
}

static void test_killed(void **state)
{
    static const struct moment moments[] = {
        {"before", "backup snapshot *"},
        {"before", "database cluster certs *"},
        {"after", "database cluster localnode *"},
        {"before", JOIN},
        {"after", JOIN},
    };
    struct bed *bed;

    for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
        unsigned before;

        bed = newcomer_bed_named(state);
        before = newcomer_changes(bed);
        killed_at(bed, &moments[i]);
        bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
        newcomer_is_in(bed, "core4", "replica");
        newcomer_members_are_well(bed);
        assert_int_equal(newcomer_changes(bed), before);
        bed_stop(state);
    }
}

static void test_killed_and_taken_back(void **state)
{
    static const struct moment moments[] = {
        {"after", "database cluster localnode *"},
        {"after", JOIN},
    };
    struct bed *bed;

    for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
        bed = newcomer_bed_named(state);
        killed_at(bed, &moments[i]);
        bed_lab(bed, "wait core4 pending false");
        bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
        newcomer_is_out(bed, "core4");
        newcomer_members_are_well(bed);
        bed_stop(state);
    }
}

/* The primary moves while the new node joins: it is told, and followed. */
static void test_primary_moves(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    int hold = bed_id(bed_lab(bed, "hold core4 after 'database cluster "
                                   "localnode *'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, ADD_CORE);

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "move-primary core2");
    bed_lab(bed, "wait core2 role primary");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "the primary has moved"));
    assert_string_equal(bed_text(bed_cluster(run, "lab"), "primary"), "core2");
    newcomer_is_in(bed, "core4", "replica");
    bed_is_safe(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_join_fails_once, bed_stop),
        cmocka_unit_test_teardown(test_join_is_refused, bed_stop),
        cmocka_unit_test_teardown(test_join_ends_in_error, bed_stop),
        cmocka_unit_test_teardown(test_push_fails, bed_stop),
        cmocka_unit_test_teardown(test_own_files_again, bed_stop),
        cmocka_unit_test_teardown(test_rollback, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
        cmocka_unit_test_teardown(test_killed_and_taken_back, bed_stop),
        cmocka_unit_test_teardown(test_primary_moves, bed_stop),
    };

    return crew_tests(tests);
}
