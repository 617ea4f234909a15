/* SPDX-License-Identifier: Apache-2.0
 *
 * The inputs of cms/db-rotate: primary=NODE and without=NODE.
 */
#include "tests/scenario/crew.h"

#include <string.h>

#define REMOVE "database cluster remove"
#define INIT "database cluster initialize"

static const char *const expired[] = {"--days", "-1", "--set",
                                      "expiry_demotes=1", NULL};

static json_int_t left_out(const struct bed_run *run, const char *node)
{
    const json_t *list = json_object_get(bed_cluster(run, "lab"), "left_out");
    const json_t *name;
    size_t i;

    json_array_foreach(list, i, name)
    {
        if (strcmp(json_string_value(name), node) == 0)
            return (json_int_t)json_array_size(list);
    }
    return 0;
}

/* -- primary=NODE ---------------------------------------------------------- */

/* Expired, and nobody says that he leads. */
static void test_nobody_leads(void **state)
{
    struct bed *bed = bed_start(state, "3+2", expired);
    struct bed_run *run;

    bed_lab(bed, "reboot core3 50"); /* makes them look at each other */
    bed_lab(bed, "wait core1 role replica");
    bed_lab(bed, "wait core3 up true");
    run = bed_apply(bed, "");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "primary=NODE") || bed_said(run, "primary="));
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    run = bed_apply(bed, "primary=core1");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_int_equal(bed_count(bed, "*", INIT), 1);
    assert_int_equal(bed_count(bed, "core1", INIT), 1);
}

static void test_primary_that_is_none(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_ends(bed_apply(bed, "primary=core9"), 2, "error");
    bed_ends(bed_apply(bed, "primary=edge1"), 2, "error");
    bed_ends(bed_apply(bed, "colour=blue"), 2, "error");
    bed_ends(bed_apply(bed, "without=core1 primary=core1"), 2, "error");
    bed_ends(bed_apply(bed, "if_days_left=soon"), 2, "error");
    assert_int_equal(bed_count(bed, "*", "*"), 0);
    bed_is_untouched(bed, "lab", "core1");
}

/* The one that leads may be named; it changes nothing. */
static void test_primary_that_leads(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_ends(bed_apply(bed, "primary=core1"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_primary_against_a_claim(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *run = bed_apply(bed, "primary=core2");

    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "node core1 reports that it is the primary: "
                              "what was written there is lost (--accept "
                              "data-loss goes on all the same)"));
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* Said twice, and refused all the same while core1 lives (I1): what to do
 * about that is said. */
static void test_primary_against_a_claim_accepted(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *run = bed_apply(bed, "primary=core2 --accept data-loss");

    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "I1"));
    assert_true(bed_said(run, "without=core1"));
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* On resume only the recorded holder, unless accepted. */
static void test_primary_on_resume(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "on_failure = hold\nretries = 0");
    bed_lab(bed, "inject core1 fail '" INIT "' always");
    run = bed_apply(bed, "");
    bed_ends(run, 4, "incomplete");
    bed_lab(bed, "clear");
    run = bed_do(bed, "resume last primary=core2 --yes");
    bed_ends(run, 4, "incomplete");
    assert_true(bed_said(run, "--accept data-loss"));
    assert_true(bed_said(run, " s before it")); /* how much it would cost */
    assert_int_equal(bed_count(bed, "core2", INIT), 0);
    bed_ends(bed_do(bed, "resume last primary=core1 --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_primary_on_resume_accepted(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "on_failure = hold\nretries = 0");
    bed_lab(bed, "inject core1 fail '" INIT "' always");
    bed_ends(bed_apply(bed, ""), 4, "incomplete");
    bed_lab(bed, "clear");
    run = bed_do(bed, "resume last primary=core2 --accept data-loss --yes");
    bed_ends(run, 0, "done");
    assert_string_equal(bed_node(bed, "core2", "role"), "primary");
    assert_string_equal(bed_node(bed, "core1", "in_sync"), "true");
    assert_int_equal(bed_count(bed, "core2", INIT), 1);
}

/* -- without=NODE ---------------------------------------------------------- */

static void test_without_a_replica(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;

    bed_inventory(bed, "fleet", "connect_timeout = 2");
    bed_lab(bed, "down core3");
    bed_ends(bed_apply(bed, ""), 5, "refused");
    run = bed_apply(bed, "without=core3");
    bed_ends(run, 0, "done");
    assert_int_equal(left_out(run, "core3"), 1);
    assert_string_equal(bed_node(bed, "core2", "set"), "new");
    assert_string_equal(bed_node(bed, "core1", "role"), "primary");
    assert_string_equal(bed_node(bed, "core2", "in_sync"), "true");
    bed_is_safe(bed);
    /* it comes back, and is brought in */
    bed_lab(bed, "up core3");
    run = bed_do(bed, "resume %s --yes", bed_run_id(run));
    bed_ends(run, 0, "done");
    assert_int_equal(left_out(run, "core3"), 0);
    bed_is_new(bed, "lab", "core1");
    /* for that nobody else was touched */
    assert_int_equal(bed_count(bed, "core1", REMOVE), 1);
    assert_int_equal(bed_count(bed, "core2", REMOVE), 1);
}

static void test_without_a_client(void **state)
{
    struct bed *bed = bed_start(state, "2+2", NULL);
    struct bed_run *run;

    bed_inventory(bed, "fleet", "connect_timeout = 2");
    bed_lab(bed, "down edge2");
    run = bed_apply(bed, "without=edge2");
    bed_ends(run, 0, "done");
    assert_int_equal(left_out(run, "edge2"), 1);
    bed_lab(bed, "up edge2");
    run = bed_do(bed, "resume last --yes");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_int_equal(bed_events(run, "outage-started", NULL, NULL), 0);
}

/* Still away: nothing happens to the rest, and one is told. */
static void test_without_and_still_away(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);
    struct bed_run *run;

    bed_inventory(bed, "fleet", "connect_timeout = 2");
    bed_lab(bed, "down core3");
    run = bed_apply(bed, "without=core3");
    bed_ends(run, 0, "done");
    run = bed_do(bed, "resume last --yes");
    assert_true(run->code == 4 || run->code == 5);
    assert_true(bed_said(run, "core3"));
    bed_lab(bed, "up core3");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Never the holder. */
static void test_without_the_primary(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);

    bed_ends(bed_apply(bed, "without=core1"), 5, "refused");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_nobody_leads, bed_stop),
        cmocka_unit_test_teardown(test_primary_that_is_none, bed_stop),
        cmocka_unit_test_teardown(test_primary_that_leads, bed_stop),
        cmocka_unit_test_teardown(test_primary_against_a_claim, bed_stop),
        cmocka_unit_test_teardown(test_primary_against_a_claim_accepted,
                                  bed_stop),
        cmocka_unit_test_teardown(test_primary_on_resume, bed_stop),
        cmocka_unit_test_teardown(test_primary_on_resume_accepted, bed_stop),
        cmocka_unit_test_teardown(test_without_a_replica, bed_stop),
        cmocka_unit_test_teardown(test_without_a_client, bed_stop),
        cmocka_unit_test_teardown(test_without_and_still_away, bed_stop),
        cmocka_unit_test_teardown(test_without_the_primary, bed_stop),
    };

    return crew_tests(tests);
}
