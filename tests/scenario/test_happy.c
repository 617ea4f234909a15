/* SPDX-License-Identifier: Apache-2.0
 *
 * Rotations in which nothing goes wrong: shapes, vocabularies, lanes, kinds of
 * keys, expired certificates, several clusters; the two clocks.
 */
#include "tests/scenario/crew.h"

#include <string.h>

static void test_three_and_two(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_int_equal(bed_files(bed, "core1", "cf-*-primary.bak"), 1);
    assert_int_equal(bed_files(bed, "core2", "cf-*-replica.bak"), 1);
    assert_int_equal(bed_files(bed, "core1", "dbclusterserver.key"), 1);
}

static void test_five_nodes(void **state)
{
    struct bed *bed = bed_start(state, "5+0", NULL);

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_int_equal(bed_count(bed, "*", "database cluster join *"), 4);
    assert_int_equal(bed_count(bed, "*", "database cluster connect *"), 0);
}

static void test_single_node(void **state)
{
    struct bed *bed = bed_start(state, "1+0", NULL);

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_primary_on_the_third(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;

    bed_lab(bed, "move-primary core3");
    bed_lab(bed, "wait lab healthy true");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core3");
    assert_string_equal(bed_text(bed_cluster(run, "lab"), "primary"), "core3");
    assert_int_equal(bed_count(bed, "core3", "database cluster initialize"), 1);
    assert_int_equal(bed_count(bed, "*", "database cluster initialize"), 1);
}

static void test_old_vocabulary(void **state)
{
    static const char *const args[] = {"--set", "vocabulary=master", NULL};
    struct bed *bed = bed_start(state, "3+2", args);

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Lines that no document knows, the prompt in two packets, small packets. */
static void test_odd_words(void **state)
{
    static const char *const args[] = {
        "--set", "extra_lines=1", "--set", "prompt_split=1",
        "--set", "trickle=7",     "--set", "client_lines=1",
        "--set", "empty_lists=1", NULL};
    struct bed *bed = bed_start(state, "2+1", args);

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- expired --------------------------------------------------------------- */

static void test_expired(void **state)
{
    static const char *const args[] = {"--days", "-1", NULL};
    struct bed *bed = bed_start(state, "3+2", args);
    struct bed_run *plan = bed_begin(bed, BED_PLAIN, "plan cms/db-rotate lab");
    struct bed_run *run;

    assert_int_equal(bed_finish(plan), 0);
    assert_true(bed_said(plan, "NO WAY BACK"));
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_true(
        json_is_null(json_object_get(bed_result(run), "way_back_until")));
}

/* -- lanes ----------------------------------------------------------------- */

/* Which comes first: the end of core2's command, or the start of core3's? */
static bool is_one_by_one(struct bed *bed, const char *pattern)
{
    const json_t *second = json_object_get(
        bed_lab(bed, "wait core2 command '%s' done", pattern), "entry");
    const json_t *third = json_object_get(
        bed_lab(bed, "wait core3 command '%s' done", pattern), "entry");

    return json_integer_value(json_object_get(second, "outcome_ms")) <=
           json_integer_value(json_object_get(third, "t_ms"));
}

static void test_one_by_one(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);

    bed_ends(bed_apply(bed, ""), 0, "done");
    assert_true(is_one_by_one(bed, "database cluster remove"));
    assert_true(is_one_by_one(bed, "database cluster join*"));
}

static void test_parallel(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);

    bed_inventory(bed, "cluster lab", "leave = parallel\njoin = parallel");
    for (int i = 2; i <= 3; i++) {
        bed_lab(bed, "set core%d remove_ms 600", i);
        bed_lab(bed, "set core%d join_ms 600", i);
    }
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_false(is_one_by_one(bed, "database cluster remove"));
    assert_false(is_one_by_one(bed, "database cluster join*"));
}

/* -- keys ------------------------------------------------------------------ */

static void test_rsa(void **state)
{
    static const char *const args[] = {"--key", "rsa:2048", NULL};
    struct bed *bed = bed_start(state, "2+1", args);

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_login_by_key(void **state)
{
    static const char *const args[] = {"--auth", "key", "--set",
                                       "auth_password=0", NULL};
    struct bed *bed = bed_start(state, "2+1", args);

    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- several, and again ---------------------------------------------------- */

static void test_three_clusters(void **state)
{
    static const char *const args[] = {"--clusters", "3", NULL};
    struct bed *bed = bed_start(state, "2+1", args);
    struct bed_run *run = bed_do(bed, "apply cms/db-rotate lab* --yes");

    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
    bed_is_new(bed, "lab3", "lab3-core1");
    for (int i = 1; i <= 3; i++) {
        char name[8] = {'l', 'a', 'b', (char)('0' + i)};
        assert_string_equal(bed_text(bed_cluster(run, name), "outcome"),
                            "done");
    }
}

static void test_twice(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_ends(bed_apply(bed, ""), 0, "done");
    assert_int_equal(bed_files(bed, "core1", "dbserver-g1-*.key"), 1);
    bed_ends(bed_apply(bed, ""), 0, "done");
    assert_int_equal(bed_files(bed, "core1", "dbserver-g2-*.key"), 1);
    bed_is_new(bed, "lab", "core1");
}

/* -- the clocks ------------------------------------------------------------ */

static json_int_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static const json_t *entry(struct bed *bed, const char *node,
                           const char *pattern)
{
    return json_object_get(
        bed_lab(bed, "wait %s command '%s' success", node, pattern), "entry");
}

/* From the primary's confirmed remove until the last connect-only node is
 * connected, as the lab saw it; what we measure ends a poll later. */
static void test_outage(void **state)
{
    struct bed *bed = bed_start(state, "2+2", NULL);
    json_int_t began, ended = 0, outage, degraded;
    struct bed_run *run;

    bed_lab(bed, "set edge2 connect_ms 700");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    outage = number(bed_cluster(run, "lab"), "outage_ms");
    degraded = number(bed_cluster(run, "lab"), "degraded_ms");
    began =
        number(entry(bed, "core1", "database cluster remove"), "answered_ms");
    ended =
        number(entry(bed, "edge2", "database cluster connect*"), "outcome_ms");
    assert_true(ended > began + 700);
    assert_in_range(outage, (ended - began) - 50, (ended - began) + 1000);
    assert_in_range(degraded, outage + 1, outage + 20000);
    assert_int_equal(bed_events(run, "outage-started", NULL, NULL), 1);
    assert_int_equal(bed_events(run, "outage-ended", NULL, NULL), 1);
}

/* Without connect-only nodes it ends when init is met; joins come later. */
static void test_outage_without_clients(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    struct bed_run *run;
    json_int_t outage, degraded;

    bed_lab(bed, "set core2 join_ms 1500");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    outage = number(bed_cluster(run, "lab"), "outage_ms");
    degraded = number(bed_cluster(run, "lab"), "degraded_ms");
    assert_true(outage > 0);
    assert_true(degraded >= outage + 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_three_and_two, bed_stop),
        cmocka_unit_test_teardown(test_five_nodes, bed_stop),
        cmocka_unit_test_teardown(test_single_node, bed_stop),
        cmocka_unit_test_teardown(test_primary_on_the_third, bed_stop),
        cmocka_unit_test_teardown(test_old_vocabulary, bed_stop),
        cmocka_unit_test_teardown(test_odd_words, bed_stop),
        cmocka_unit_test_teardown(test_expired, bed_stop),
        cmocka_unit_test_teardown(test_one_by_one, bed_stop),
        cmocka_unit_test_teardown(test_parallel, bed_stop),
        cmocka_unit_test_teardown(test_rsa, bed_stop),
        cmocka_unit_test_teardown(test_login_by_key, bed_stop),
        cmocka_unit_test_teardown(test_three_clusters, bed_stop),
        cmocka_unit_test_teardown(test_twice, bed_stop),
        cmocka_unit_test_teardown(test_outage, bed_stop),
        cmocka_unit_test_teardown(test_outage_without_clients, bed_stop),
    };

    return crew_tests(tests);
}
