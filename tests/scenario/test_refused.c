/* SPDX-License-Identifier: Apache-2.0
 *
 * What a gate refuses: exit 5, and no node is changed.
 */
#include "tests/scenario/crew.h"

#include <stdio.h>
#include <string.h>

/* Refused, untouched, and nothing of ours is left anywhere. */
static void refuses(struct bed *bed, const char *words, const char *why)
{
    struct bed_run *run = bed_apply(bed, words);

    bed_ends(run, 5, "refused");
    if (why && !bed_said(run, why))
        fail_msg("it did not say why: `%s'", why);
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    assert_int_equal(bed_count(bed, "*", "backup*"), 0);
    bed_is_clean(bed);
    bed_is_safe(bed);
}

/* -- what the nodes show --------------------------------------------------- */

static void test_out_of_sync(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_lab(bed, "sync core3 off");
    bed_lab(bed, "wait lab healthy false");
    refuses(bed, "", "core3");
    bed_lab(bed, "sync core3 on");
    bed_lab(bed, "wait lab healthy true");
    bed_is_untouched(bed, "lab", "core1");
    bed_ends(bed_apply(bed, ""), 0, "done");
}

static void test_node_down(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_inventory(bed, "fleet", "connect_timeout = 2");
    bed_lab(bed, "down core2");
    refuses(bed, "", "core2");
    bed_lab(bed, "up core2");
    bed_lab(bed, "wait lab healthy true");
    bed_is_untouched(bed, "lab", "core1");
}

static void test_client_down(void **state)
{
    struct bed *bed = bed_start(state, "2+2", NULL);

    bed_inventory(bed, "fleet", "connect_timeout = 2");
    bed_lab(bed, "down edge2");
    refuses(bed, "", "edge2");
}

/* A connection that is accepted and says nothing. */
static void test_mute_node(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_inventory(bed, "fleet", "connect_timeout = 1");
    bed_lab(bed, "inject core2 stall always");
    refuses(bed, "", "core2");
}

static void test_unknown_status(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_lab(bed, "set core2 status_word Sideways");
    refuses(bed, "", "Sideways");
    bed_is_untouched(bed, "lab", "core1");
}

static void test_stranger(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_inventory_drop(bed, "node core3");
    refuses(bed, "", "inventory");
    bed_is_untouched(bed, "lab", "core1");
}

static void test_not_a_member(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);

    bed_lab(bed, "foreign core3 'database cluster remove'");
    bed_lab(bed, "wait core3 role standalone");
    refuses(bed, "", "core3");
}

static void test_versions_differ(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);

    bed_lab(bed, "set core2 version 3.9.1");
    refuses(bed, "", "3.9.1");
    bed_is_untouched(bed, "lab", "core1");
}

/* -- clocks ---------------------------------------------------------------- */

static void test_clock_off(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_lab(bed, "clock core2 +600");
    refuses(bed, "", "clock");
    bed_lab(bed, "clock core2 -1200"); /* relative to the former */
    refuses(bed, "", "clock");
    bed_lab(bed, "clock core2 0");
    bed_is_untouched(bed, "lab", "core1");
}

static void test_clock_a_little_off(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;

    bed_lab(bed, "clock core2 -60");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    assert_true(bed_events(run, "warning", "core2", "gates") > 0);
    bed_is_new(bed, "lab", "core1");
}

/* What only warns, made to block by the inventory, until it is accepted. */
static void test_a_check_that_blocks(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/certfleet.ini", bed->dir);
    f = fopen(path, "a");
    assert_non_null(f);
    assert_true(fputs("\n[preflight lab]\nG1 = block\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    bed_lab(bed, "clock core2 -60");
    refuses(bed, "", "(--accept clock-skew goes on all the same)");
    run = bed_apply(bed, "--accept G1");
    bed_ends(run, 0, "done");
    assert_true(strstr(str_text(&run->out_text), "\"check\":\"G1\"") ||
                strstr(str_text(&run->out_text), "\"check\": \"G1\""));
    bed_is_new(bed, "lab", "core1");
}

/* -- logging in ------------------------------------------------------------ */

/* "N" of logins.admin.KIND over all nodes */
static json_int_t logins(struct bed *bed, const char *kind)
{
    json_t *answer = bed_lab(bed, "nodes");
    const json_t *node;
    json_int_t sum = 0;
    size_t i;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        const json_t *user =
            json_object_get(json_object_get(node, "logins"), "admin");
        sum += json_integer_value(json_object_get(user, kind));
    }
    return sum;
}

static void test_wrong_password(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_write(bed, "password", "not-the-password");
    refuses(bed, "", "password");
    assert_int_equal(logins(bed, "failed"), 1);
    assert_int_equal(logins(bed, "ok"), 0);
    bed_is_untouched(bed, "lab", "core1");
}

/* One node has another: it alone is refused, and only once. */
static void test_wrong_on_one_node(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_lab(bed, "password core3 admin another-one");
    refuses(bed, "", "core3");
    assert_int_equal(logins(bed, "failed"), 1);
    bed_is_untouched(bed, "lab", "core1");
}

static void test_expired_password(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_inventory(bed, "fleet", "command_timeout = 5");
    bed_lab(bed, "password core2 admin");
    refuses(bed, "", "core2");
    bed_is_untouched(bed, "lab", "core1");
}

static void test_unknown_host_key(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_write(bed, "known_hosts", "");
    refuses(bed, "", "host key");
    assert_int_equal(logins(bed, "ok") + logins(bed, "failed"), 0);
}

static void test_changed_host_key(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_lab(bed, "host-key core2");
    refuses(bed, "", "core2");
    assert_int_equal(logins(bed, "failed"), 0);
}

static void test_accept_new(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_write(bed, "known_hosts", "");
    bed_inventory(bed, "fleet", "host_keys = accept-new");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_non_null(strstr(bed_read(bed, "known_hosts"), "ssh-ed25519"));
}

/* -- between gates and the first remove ------------------------------------ */

/* Stops the run at its last read-only command on the node. */
static int hold_before_leave(struct bed *bed)
{
    return bed_id(bed_lab(bed, "hold core1 before 'pki verify dbclient*'"));
}

static void test_primary_moves_before(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    int hold = hold_before_leave(bed);
    struct bed_run *run =
        bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "move-primary core2");
    bed_lab(bed, "wait lab healthy true");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 5, "refused");
    bed_is_untouched(bed, "lab", "core2");
    bed_is_clean(bed);
}

static void test_foreign_command_before(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    int hold = hold_before_leave(bed);
    struct bed_run *run =
        bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "foreign core2 'database cluster remove'");
    bed_lab(bed, "wait core2 role standalone");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 5, "refused");
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    bed_is_clean(bed);
    bed_is_safe(bed);
}

static void test_foreign_file_before(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);
    int hold = hold_before_leave(bed);
    struct bed_run *run =
        bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");

    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "put core2 webbridge.crt %s/known_hosts", bed->dir);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 5, "refused");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* -- several clusters ------------------------------------------------------ */

static const char *const two[] = {"--clusters", "2", NULL};

static void test_one_of_two(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run;

    bed_lab(bed, "sync lab2-core2 off");
    bed_lab(bed, "wait lab2 healthy false");
    run = bed_do(bed, "apply cms/db-rotate lab* --yes");
    bed_ends(run, 5, "refused");
    bed_lab(bed, "sync lab2-core2 on");
    bed_lab(bed, "wait lab2 healthy true");
    bed_is_untouched(bed, "lab1", "lab1-core1");
    bed_is_untouched(bed, "lab2", "lab2-core1");
    bed_is_clean(bed);
}

static void test_one_of_two_keep_going(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run;

    bed_lab(bed, "sync lab2-core2 off");
    bed_lab(bed, "wait lab2 healthy false");
    run = bed_do(bed, "apply cms/db-rotate lab* --yes --keep-going");
    bed_ends(run, 5, "refused");
    assert_string_equal(bed_text(bed_cluster(run, "lab1"), "outcome"), "done");
    assert_string_equal(bed_text(bed_cluster(run, "lab2"), "outcome"),
                        "refused");
    bed_lab(bed, "sync lab2-core2 on");
    bed_lab(bed, "wait lab2 healthy true");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_untouched(bed, "lab2", "lab2-core1");
}

/* The other one fails in push: neither is changed, and both are tidied. */
static void test_one_of_two_in_push(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run;

    bed_inventory(bed, "fleet", "retries = 0");
    bed_lab(bed, "inject lab2-core2 disk-full always");
    run = bed_do(bed, "apply cms/db-rotate lab* --yes");
    assert_int_equal(run->code, 1);
    bed_is_untouched(bed, "lab1", "lab1-core1");
    bed_is_untouched(bed, "lab2", "lab2-core1");
    bed_is_clean(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_out_of_sync, bed_stop),
        cmocka_unit_test_teardown(test_node_down, bed_stop),
        cmocka_unit_test_teardown(test_client_down, bed_stop),
        cmocka_unit_test_teardown(test_mute_node, bed_stop),
        cmocka_unit_test_teardown(test_unknown_status, bed_stop),
        cmocka_unit_test_teardown(test_stranger, bed_stop),
        cmocka_unit_test_teardown(test_not_a_member, bed_stop),
        cmocka_unit_test_teardown(test_versions_differ, bed_stop),
        cmocka_unit_test_teardown(test_clock_off, bed_stop),
        cmocka_unit_test_teardown(test_clock_a_little_off, bed_stop),
        cmocka_unit_test_teardown(test_a_check_that_blocks, bed_stop),
        cmocka_unit_test_teardown(test_wrong_password, bed_stop),
        cmocka_unit_test_teardown(test_wrong_on_one_node, bed_stop),
        cmocka_unit_test_teardown(test_expired_password, bed_stop),
        cmocka_unit_test_teardown(test_unknown_host_key, bed_stop),
        cmocka_unit_test_teardown(test_changed_host_key, bed_stop),
        cmocka_unit_test_teardown(test_accept_new, bed_stop),
        cmocka_unit_test_teardown(test_primary_moves_before, bed_stop),
        cmocka_unit_test_teardown(test_foreign_command_before, bed_stop),
        cmocka_unit_test_teardown(test_foreign_file_before, bed_stop),
        cmocka_unit_test_teardown(test_one_of_two, bed_stop),
        cmocka_unit_test_teardown(test_one_of_two_keep_going, bed_stop),
        cmocka_unit_test_teardown(test_one_of_two_in_push, bed_stop),
    };

    return crew_tests(tests);
}
