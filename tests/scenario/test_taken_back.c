/* SPDX-License-Identifier: Apache-2.0
 *
 * Something fails for good: nothing was left, or the old state is put back and
 * proven (exit 1); with on_failure = hold a person decides (4).
 */
#include "tests/scenario/crew.h"

#include <string.h>

#define REMOVE "database cluster remove"
#define CERTS "database cluster certs*"
#define INIT "database cluster initialize"
#define CONNECT "database cluster connect*"
#define JOIN "database cluster join*"

/* clang-format off */
static const char patience[] =
    "command_timeout = 3\nconnect_timeout = 3\nretries = 1\n"
    "timeout_leave = 4\ntimeout_init = 4\ntimeout_connect = 4\n"
    "timeout_join = 6";
/* clang-format on */

static struct bed *start(void **state, const char *shape)
{
    struct bed *bed = bed_start(state, shape, NULL);

    bed_inventory(bed, "fleet", patience);
    return bed;
}

/* -- before the first remove: never left, and tidied ----------------------- */

static void never_left(void **state, const char *fault)
{
    struct bed *bed = start(state, "3+1");

    bed_lab(bed, "inject %s always", fault);
    bed_ends(bed_apply(bed, ""), 1, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
    bed_lab(bed, "clear");
    bed_ends(bed_apply(bed, ""), 0, "done");
}

static void test_backup_fails(void **state)
{
    never_left(state, "core2 fail 'backup snapshot*'");
}

static void test_backup_cannot_be_fetched(void **state)
{
    never_left(state, "core2 sftp-fail 'open *.bak'");
}

static void test_push_fails(void **state)
{
    never_left(state, "core2 sftp-fail 'open db*'");
}

static void test_push_is_torn(void **state)
{
    never_left(state, "core2 short-write 'write db*'");
}

static void test_push_is_corrupted(void **state)
{
    never_left(state, "core1 corrupt 'write dbserver*'");
}

static void test_disk_is_full(void **state)
{
    never_left(state, "core3 disk-full 'write db*'");
}

static void test_match_says_no(void **state)
{
    never_left(state, "core2 fail 'pki match*'");
}

static void test_verify_says_no(void **state)
{
    never_left(state, "edge1 fail 'pki verify*'");
}

/* A folder where the key of the new CA should go: nothing can be issued. */
static void test_issue_fails(void **state)
{
    struct bed *bed = start(state, "2+1");

    bed_inventory(bed, "issuer dbca", "ca_key_password = file:password");
    bed_ends(bed_apply(bed, "--until issue"), 0, "ok");
    bed_write(bed, "password2", "another");
    bed_inventory_drop(bed, "issuer dbca");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[issuer dbca]\nkind = internal\n"
                           "ca_cert = dbca-{cluster}.crt\n"
                           "ca_key = dbca-{cluster}.key\n"
                           "ca_key_password = file:password2\n",
                           bed_read(bed, "certfleet.ini")));
    bed_ends(bed_apply(bed, ""), 1, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* A node goes down in push and stays away: its staged files cannot be
 * removed, and it is said so. */
static void test_node_lost_in_push(void **state)
{
    struct bed *bed = start(state, "3+0");
    struct bed_run *run;
    int hold = bed_id(bed_lab(bed, "hold core2 before 'pki match dbclient*'"));

    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "down core2");
    bed_finish(run);
    bed_ends(run, 1, "rolled-back");
    assert_true(bed_said(run, "core2"));
    bed_lab(bed, "release");
    bed_lab(bed, "up core2");
    bed_lab(bed, "wait lab healthy true");
    bed_is_untouched(bed, "lab", "core1");
    assert_int_equal(bed_files(bed, "core1", "db*-g1-*"), 0);
    assert_int_equal(bed_files(bed, "core3", "db*-g1-*"), 0);
}

/* -- taken back ------------------------------------------------------------ */

/* `outage`: did the primary ever leave? */
static struct bed_run *taken_back(void **state, const char *fault, bool outage)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run;

    bed_lab(bed, "inject %s", fault);
    run = bed_apply(bed, "");
    bed_ends(run, 1, "rolled-back");
    bed_is_old(bed, "lab", "core1");
    assert_int_equal(bed_events(run, "rollback-started", NULL, NULL), 1);
    assert_int_equal(bed_count(bed, "core1", REMOVE) > 0, outage);
    assert_int_equal(bed_events(run, "outage-started", NULL, NULL) > 0, outage);
    bed_ends(bed_do(bed, "check lab"), 3, "due"); /* ten days, but healthy */
    return run;
}

static void test_leave_fails_on_a_replica(void **state)
{
    taken_back(state, "core3 fail '" REMOVE "' always", false);
}

static void test_leave_fails_async_on_a_replica(void **state)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run;
    int fault =
        bed_id(bed_lab(bed, "inject core3 fail-async '" REMOVE "' always"));

    /* Error for good: it cannot be taken back either, until it is mended */
    run = bed_apply(bed, "");
    if (run->code == 4) {
        bed_lab(bed, "clear %d", fault);
        run = bed_next(run, "rollback");
        bed_ends(run, 0, "rolled-back");
    } else {
        bed_ends(run, 1, "rolled-back");
    }
    bed_is_old(bed, "lab", "core1");
}

static void test_leave_fails_on_a_client(void **state)
{
    taken_back(state, "edge1 fail '" REMOVE "' always", false);
}

static void test_leave_fails_on_the_primary(void **state)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run;

    bed_lab(bed, "inject core1 fail '" REMOVE "' always");
    run = bed_apply(bed, "");
    bed_ends(run, 1, "rolled-back");
    bed_is_old(bed, "lab", "core1");
    /* the primary went on serving; those that left were joined to it again */
    assert_int_equal(bed_count(bed, "core1", INIT), 0);
    assert_int_equal(bed_count(bed, "core2", JOIN), 1);
    assert_int_equal(bed_count(bed, "core3", JOIN), 1);
}

static void test_certs_fail_on_a_replica(void **state)
{
    taken_back(state, "core2 fail 'database cluster certs *-g1-*' always",
               false);
}

static void test_certs_fail_on_a_client(void **state)
{
    taken_back(state, "edge2 fail 'database cluster certs *-g1-*' always",
               false);
}

static void test_certs_fail_on_the_primary(void **state)
{
    taken_back(state, "core1 fail 'database cluster certs *-g1-*' always",
               true);
}

/* Two tries, both fail; the way back's own succeeds. */
/* Nothing is waited for to its end, and valgrind's run of it is slow. */
static void test_init_fails(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;

    bed_inventory(bed, "fleet", "retries = 1");
    bed_lab(bed, "inject core1 fail '" INIT "'");
    bed_lab(bed, "inject core1 fail '" INIT "'");
    run = bed_apply(bed, "");
    bed_ends(run, 1, "rolled-back");
    bed_is_old(bed, "lab", "core1");
    assert_int_equal(bed_count(bed, "core1", INIT), 3);
    assert_int_equal(bed_events(run, "outage-ended", NULL, NULL), 1);
}

static void test_init_fails_async(void **state)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run;

    bed_lab(bed, "inject core1 fail-async '" INIT "'");
    bed_lab(bed, "inject core1 fail-async '" INIT "'");
    run = bed_apply(bed, "");
    bed_ends(run, 1, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* Every try on every node: the set itself is suspect. */
static void all_fail(void **state, const char *pattern, unsigned tries)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run;

    while (tries-- > 0)
        bed_lab(bed, "inject * fail-async '%s'", pattern);
    run = bed_apply(bed, "");
    bed_ends(run, 1, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

static void test_connect_fails_everywhere(void **state)
{
    all_fail(state, CONNECT, 4);
}

static void test_join_fails_everywhere(void **state)
{
    all_fail(state, JOIN, 4);
}

/* A node that cannot be brought back is left out: the primary never left, and
 * the others come back to it. */
static void one_stays_out(void **state, const char *shape, const char *fault)
{
    struct bed *bed = start(state, shape);
    struct bed_run *run;
    const json_t *node;
    size_t i;

    bed_lab(bed, "inject edge1 %s always", fault);
    run = bed_apply(bed, "");
    bed_ends(run, 4, "incomplete");
    assert_int_equal(bed_count(bed, "core1", REMOVE), 0);
    json_array_foreach(json_object_get(bed_lab(bed, "nodes"), "nodes"), i, node)
    {
        if (strcmp(bed_text(node, "node"), "edge1") != 0)
            assert_true(json_is_true(json_object_get(node, "in_sync")));
    }
    assert_string_equal(
        json_string_value(json_array_get(
            json_object_get(bed_cluster(run, "lab"), "left_out"), 0)),
        "edge1");
    bed_lab(bed, "clear");
    bed_ends(bed_next(run, "rollback"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

static void test_one_cannot_come_back(void **state)
{
    one_stays_out(state, "3+2", "fail '" CERTS "'");
}

static void test_the_only_one_cannot_come_back(void **state)
{
    one_stays_out(state, "3+1", "fail-async '" REMOVE "'");
}

/* -- hold ------------------------------------------------------------------ */

static struct bed_run *held(void **state, struct bed **bed)
{
    struct bed_run *run;

    *bed = start(state, "3+2");
    bed_inventory(*bed, "cluster lab", "on_failure = hold");
    bed_lab(*bed, "inject core1 fail 'database cluster certs *-g1-*' always");
    run = bed_apply(*bed, "");
    bed_ends(run, 4, "incomplete");
    bed_is_safe(*bed);
    bed_lab(*bed, "clear");
    return run;
}

static void test_hold_then_resume(void **state)
{
    struct bed *bed;
    struct bed_run *run = held(state, &bed);

    /* it holds the cluster until somebody decides */
    bed_ends(bed_apply(bed, ""), 6, "locked");
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_true(json_integer_value(
                    json_object_get(bed_cluster(run, "lab"), "outage_ms")) > 0);
}

static void test_hold_then_rollback(void **state)
{
    struct bed *bed;

    held(state, &bed);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

static void test_hold_by_option(void **state)
{
    struct bed *bed = start(state, "2+1");

    bed_lab(bed, "inject core1 fail 'database cluster certs *-g1-*' always");
    bed_ends(bed_apply(bed, "--on-failure hold"), 4, "incomplete");
    bed_lab(bed, "clear");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* While the primary serves there is nothing to decide: those that left are
 * joined to it again, whatever on_failure says. */
static void test_hold_before_the_outage(void **state)
{
    struct bed *bed = start(state, "2+1");

    bed_lab(bed, "inject core2 fail 'database cluster certs *-g1-*' always");
    bed_ends(bed_apply(bed, "--on-failure hold"), 1, "rolled-back");
    assert_int_equal(bed_count(bed, "core1", REMOVE), 0);
    bed_is_old(bed, "lab", "core1");
}

/* A lock that nobody wants any more. */
static void test_hold_then_unlock(void **state)
{
    struct bed *bed;
    struct bed_run *run = held(state, &bed);

    bed_ends(bed_do(bed, "unlock lab --run %s", bed_run_id(run)), 0, "ok");
    /* the cluster is in pieces: a new apply sees that, and refuses */
    bed_ends(bed_apply(bed, ""), 5, "refused");
    bed_is_safe(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_backup_fails, bed_stop),
        cmocka_unit_test_teardown(test_backup_cannot_be_fetched, bed_stop),
        cmocka_unit_test_teardown(test_push_fails, bed_stop),
        cmocka_unit_test_teardown(test_push_is_torn, bed_stop),
        cmocka_unit_test_teardown(test_push_is_corrupted, bed_stop),
        cmocka_unit_test_teardown(test_disk_is_full, bed_stop),
        cmocka_unit_test_teardown(test_match_says_no, bed_stop),
        cmocka_unit_test_teardown(test_verify_says_no, bed_stop),
        cmocka_unit_test_teardown(test_issue_fails, bed_stop),
        cmocka_unit_test_teardown(test_node_lost_in_push, bed_stop),
        cmocka_unit_test_teardown(test_leave_fails_on_a_replica, bed_stop),
        cmocka_unit_test_teardown(test_leave_fails_async_on_a_replica,
                                  bed_stop),
        cmocka_unit_test_teardown(test_leave_fails_on_a_client, bed_stop),
        cmocka_unit_test_teardown(test_leave_fails_on_the_primary, bed_stop),
        cmocka_unit_test_teardown(test_certs_fail_on_a_replica, bed_stop),
        cmocka_unit_test_teardown(test_certs_fail_on_a_client, bed_stop),
        cmocka_unit_test_teardown(test_certs_fail_on_the_primary, bed_stop),
        cmocka_unit_test_teardown(test_init_fails, bed_stop),
        cmocka_unit_test_teardown(test_init_fails_async, bed_stop),
        cmocka_unit_test_teardown(test_connect_fails_everywhere, bed_stop),
        cmocka_unit_test_teardown(test_join_fails_everywhere, bed_stop),
        cmocka_unit_test_teardown(test_one_cannot_come_back, bed_stop),
        cmocka_unit_test_teardown(test_the_only_one_cannot_come_back, bed_stop),
        cmocka_unit_test_teardown(test_hold_then_resume, bed_stop),
        cmocka_unit_test_teardown(test_hold_then_rollback, bed_stop),
        cmocka_unit_test_teardown(test_hold_by_option, bed_stop),
        cmocka_unit_test_teardown(test_hold_before_the_outage, bed_stop),
        cmocka_unit_test_teardown(test_hold_then_unlock, bed_stop),
    };

    return crew_tests(tests);
}
