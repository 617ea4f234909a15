/* SPDX-License-Identifier: Apache-2.0
 *
 * vos/rotate against a pair of appliances: order and proof, what refuses it,
 * and what it leaves when something fails.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/theirs.h"

#define ROTATE "apply vos/rotate lab --yes"
#define UPLOAD "set cert import own tomcat"
#define TRUST "set cert import trust tomcat"
#define RESTART "utils system restart"

static const char *const quick[] = {"--set", "ucm_days=100", NULL};

static struct bed *pair(void **state)
{
    struct bed *bed = bed_start(state, "vos:1", quick);

    bed_inventory(bed, "cluster lab", "retries = 0\ntimeout_connect = 5");
    return bed;
}

static void shows(struct bed *bed, const char *node, const char *state)
{
    assert_string_equal(
        bed_text(json_object_get(bed_lab(bed, "node %s", node), "ucm"),
                 "tomcat"),
        state);
}

/* Where in the lab's record a node's command first stands; 0: nowhere. */
static json_int_t when(struct bed *bed, const char *node, const char *command)
{
    json_t *list =
        json_object_get(bed_lab(bed, "history %s", node), "commands");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(bed_text(json_array_get(list, i), "text"), command) == 0)
            return json_integer_value(
                json_object_get(json_array_get(list, i), "seq"));
    return 0;
}

static void was_orderly(struct bed *bed)
{
    json_t *c = bed_lab(bed, "cluster lab");

    assert_true(json_integer_value(json_object_get(c, "most_dropping")) <= 1);
    bed_is_safe(bed);
}

static void both_are_new(struct bed *bed)
{
    shows(bed, "vos1", "new");
    shows(bed, "vos2", "new");
    assert_int_equal(bed_count(bed, "vos1", UPLOAD), 1);
    assert_int_equal(bed_count(bed, "vos2", UPLOAD), 1);
    assert_int_equal(bed_count(bed, "*", "set csr gen tomcat"), 2);
    was_orderly(bed);
}

/* Seed 003's VOS part: and a shell that is slow, asks and says it twice. */
static void test_pair(void **state)
{
    struct bed *bed = pair(state);
    struct bed_run *run;

    bed_lab(bed, "set vos1 ucm_asks_ou 1");
    bed_lab(bed, "set vos1 ucm_nudged 1");
    bed_lab(bed, "set vos2 ucm_twice 1");
    bed_lab(bed, "set vos1 ucm_shape 1");
    bed_lab(bed, "set vos2 ucm_shape 2");
    run = bed_do(bed, ROTATE);
    bed_ends(run, 0, "done");
    both_are_new(bed);
    assert_true(when(bed, "vos1", TRUST) < when(bed, "vos1", UPLOAD));
    assert_true(when(bed, "vos1", UPLOAD) < when(bed, "vos1", RESTART));
    assert_true(when(bed, "vos1", RESTART) < when(bed, "vos2", UPLOAD));
    assert_true(when(bed, "vos2", UPLOAD) < when(bed, "vos2", RESTART));
    assert_int_equal(bed_count(bed, "*", RESTART), 2);
    assert_int_equal(bed_count(bed, "*", "set cli pagination off") > 0, 1);
    assert_int_equal(bed_events(run, "step-done", NULL, "prove"), 2);
    run = bed_do(bed, "check lab");
    assert_int_equal(run->code, 0);
    run = bed_do(bed, "plan vos/rotate lab if_days_left=1");
    assert_true(bed_said(run, "days left, more than 1"));
    run = bed_do(bed, "rollback last --yes");
    assert_int_equal(run->code, 5);
    assert_true(bed_said(run, "there is no way back"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_pair, bed_stop),
    };

    return crew_tests(tests);
}
