/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-add-node: a further node for a cluster that runs; the others keep
 * what they have and are asked only, unless a rotation must be folded in.
 */
#include <stdio.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/newcomer.h"

/* -- it comes in ----------------------------------------------------------- */

static void test_database_node(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);
    struct bed_run *run = bed_do(bed, ADD_CORE);

    bed_ends(run, 0, "done");
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
    assert_int_equal(bed_count(bed, "core4", INIT), 0);
    assert_int_equal(bed_files(bed, "core4", "cf-*-new.bak"), 1);
    assert_int_equal(bed_files(bed, "core4", "dbserver-g1-*.key"), 1);
    assert_int_equal(bed_events(run, "outage-started", NULL, NULL), 0);
    assert_true(
        json_is_null(json_object_get(bed_cluster(run, "lab"), "outage_ms")));
    /* asked again, it is there already */
    run = bed_do(bed, ADD_CORE);
    bed_ends(run, 0, "ok");
    assert_true(bed_said(run, "is a member of the cluster already"));
    assert_int_equal(bed_count(bed, "core4", JOIN), 1);
}

static void test_connect_node(void **state)
{
    struct bed *bed = bed_start(state, "3+1", newcomer_args);
    unsigned before;
    struct bed_run *run;

    bed_inventory_drop(bed, "node core4");
    bed_ends(bed_apply(bed, "without=edge2"), 0, "done");
    before = newcomer_changes(bed);
    run = bed_do(bed, ADD_EDGE);
    bed_ends(run, 0, "done");
    newcomer_is_in(bed, "edge2", "connected");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
    assert_int_equal(bed_files(bed, "edge2", "dbserver*"), 0);
    assert_int_equal(bed_events(run, "outage-started", NULL, NULL), 0);
}

/* By day all that changes nothing live; at night the rest. */
static void test_in_two_parts(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);
    struct bed_run *run = bed_do(bed, ADD_CORE " --until push");

    bed_ends(run, 0, "ok");
    assert_int_equal(bed_count(bed, "core4", CHANGES), 0);
    bed_ends(bed_next(run, "resume"), 0, "done");
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
}

/* Keys that are locked here are opened, and the very ones of the nodes. */
static void test_locked_keys(void **state)
{
    struct bed *bed = newcomer_bed(state);
    unsigned before;

    bed_write(bed, "phrase", "open sesame, please\n");
    bed_inventory(bed, "cluster lab", "key_passphrase = file:phrase");
    bed_ends(bed_apply(bed, "without=core4"), 0, "done");
    before = newcomer_changes(bed);
    bed_ends(bed_do(bed, ADD_CORE), 0, "done");
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
    assert_int_equal(newcomer_changes(bed), before);
}

/* -- a rotation is folded in ------------------------------------------------
 */

static void test_not_named(void **state)
{
    struct bed *bed = newcomer_bed_unnamed(state);
    unsigned before = newcomer_changes(bed);
    struct bed_run *run = bed_do(bed, ADD_CORE " rotate=no");

    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "the server certificate does not name"));
    assert_int_equal(newcomer_changes(bed), before);
    newcomer_is_untouched(bed, "core4");
    run = bed_do(bed, ADD_CORE);
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "a rotation of the whole cluster is folded in"));
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
    assert_int_equal(bed_files(bed, "core4", "dbserver-g2-*.key"), 1);
    assert_int_equal(bed_count(bed, "core1", INIT), 2);
    assert_int_equal(bed_count(bed, "core4", REMOVE), 0);
    assert_int_equal(bed_count(bed, "core4", INIT), 0);
}

/* Nobody here has the keys of the set that the cluster has. */
static void test_foreign_set(void **state)
{
    struct bed *bed = newcomer_bed(state);
    struct bed_run *run = bed_do(bed, ADD_CORE);

    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "certfleet has not made dbclusterserver.key"));
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
    assert_int_equal(bed_count(bed, "*", INIT), 1);
}

/* A done run is taken back: the new node is out, the others as they were. */
static void test_folded_and_rolled_back(void **state)
{
    struct bed *bed = newcomer_bed(state);

    bed_ends(bed_do(bed, ADD_CORE), 0, "done");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    newcomer_is_out(bed, "core4");
    newcomer_members_are_well(bed);
    assert_string_equal(bed_node(bed, "core2", "set"), "old");
    assert_string_equal(bed_node(bed, "edge1", "set"), "old");
    assert_int_equal(bed_count(bed, "core4", INIT), 0);
}

/* The rotation goes its way back, and the new node with it. */
static void test_folded_and_taken_back(void **state)
{
    struct bed *bed = newcomer_bed(state);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core1 fail '" INIT "'");
    run = bed_do(bed, ADD_CORE);
    bed_ends(run, 1, "rolled-back");
    newcomer_is_out(bed, "core4");
    newcomer_members_are_well(bed);
    assert_string_equal(bed_node(bed, "core1", "set"), "old");
    assert_string_equal(bed_node(bed, "edge1", "set"), "old");
    assert_int_equal(bed_count(bed, "core4", JOIN), 0);
}

/* It fails when the others are through: they are served, it is left out. */
static void test_folded_and_left_out(void **state)
{
    struct bed *bed = newcomer_bed(state);
    struct bed_run *run;

    bed_lab(bed, "inject core4 fail '" JOIN "' always");
    run = bed_do(bed, ADD_CORE);
    bed_ends(run, 4, "incomplete");
    newcomer_members_are_well(bed);
    assert_string_equal(bed_node(bed, "core4", "role"), "standalone");
    bed_lab(bed, "clear");
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    newcomer_is_in(bed, "core4", "replica");
    newcomer_members_are_well(bed);
}

/* -- it is refused ----------------------------------------------------------
 */

static void test_member_elsewhere(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed), own;
    struct bed_run *run;

    newcomer_was_in(bed);
    /* somebody has made a cluster of its own of it */
    bed_lab(bed, "foreign core4 'database cluster initialize'");
    bed_lab(bed, "wait core4 role primary");
    own = bed_count(bed, "core4", CHANGES);
    run = bed_do(bed, ADD_CORE " --accept has-data");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "a new node must be in none"));
    assert_int_equal(newcomer_changes(bed), before);
    assert_int_equal(bed_count(bed, "core4", CHANGES), own);
}

static void test_has_data(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);
    struct bed_run *run;

    newcomer_was_in(bed);
    run = bed_do(bed, ADD_CORE);
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "its own database is wiped"));
    assert_true(bed_said(run, "--accept has-data"));
    assert_int_equal(bed_count(bed, "core4", JOIN), 1);
    run = bed_do(bed, ADD_CORE " --accept has-data");
    bed_ends(run, 0, "done");
    newcomer_is_in(bed, "core4", "replica");
    assert_int_equal(newcomer_changes(bed), before);
}

static void test_down(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    unsigned before = newcomer_changes(bed);

    bed_lab(bed, "down core4");
    bed_ends(bed_do(bed, ADD_CORE), 5, "refused");
    assert_int_equal(newcomer_changes(bed), before);
    newcomer_members_are_well(bed);
}

static void test_a_member_is_down(void **state)
{
    struct bed *bed = newcomer_bed_named(state);

    bed_lab(bed, "down core3");
    bed_ends(bed_do(bed, ADD_CORE), 5, "refused");
    newcomer_is_untouched(bed, "core4");
}

static void test_other_version(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    struct bed_run *run;

    bed_lab(bed, "set core4 version 3.8");
    run = bed_do(bed, ADD_CORE);
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "3.8"));
    newcomer_is_untouched(bed, "core4");
}

static void test_inputs(void **state)
{
    static const struct {
        const char *words, *said;
    } rows[] = {
        {"", "which node is new?"},
        {"node=core9", "has no such node"},
        {"node=core4 role=connect", "with another role"},
        {"node=core4 role=turn", "neither database nor connect"},
        {"node=core4 rotate=maybe", "neither yes nor no"},
    };
    struct bed *bed = newcomer_bed(state);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct bed_run *run =
            bed_do(bed, "apply cms/db-add-node lab %s --yes", rows[i].words);
        bed_ends(run, 2, "error");
        assert_true(bed_said(run, rows[i].said));
    }
    assert_int_equal(bed_count(bed, "*", "*"), 0);
}

/* The folder has the files no more: what the cluster has cannot be given on. */
static void test_key_is_gone(void **state)
{
    struct bed *bed = newcomer_bed_named(state);
    struct bed_run *run;

    assert_int_equal(
        rename(arena_printf(&bed->arena, "%s/state/clusters/lab", bed->dir),
               arena_printf(&bed->arena, "%s/elsewhere", bed->dir)),
        0);
    run = bed_do(bed, ADD_CORE " rotate=no");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "No such file"));
    newcomer_is_untouched(bed, "core4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_database_node, bed_stop),
        cmocka_unit_test_teardown(test_connect_node, bed_stop),
        cmocka_unit_test_teardown(test_not_named, bed_stop),
        cmocka_unit_test_teardown(test_foreign_set, bed_stop),
        cmocka_unit_test_teardown(test_folded_and_rolled_back, bed_stop),
        cmocka_unit_test_teardown(test_in_two_parts, bed_stop),
        cmocka_unit_test_teardown(test_locked_keys, bed_stop),
        cmocka_unit_test_teardown(test_folded_and_taken_back, bed_stop),
        cmocka_unit_test_teardown(test_folded_and_left_out, bed_stop),
        cmocka_unit_test_teardown(test_member_elsewhere, bed_stop),
        cmocka_unit_test_teardown(test_has_data, bed_stop),
        cmocka_unit_test_teardown(test_down, bed_stop),
        cmocka_unit_test_teardown(test_a_member_is_down, bed_stop),
        cmocka_unit_test_teardown(test_other_version, bed_stop),
        cmocka_unit_test_teardown(test_inputs, bed_stop),
        cmocka_unit_test_teardown(test_key_is_gone, bed_stop),
    };

    return crew_tests(tests);
}
