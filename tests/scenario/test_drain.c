/* SPDX-License-Identifier: Apache-2.0
 *
 * drain=MINUTES: a node's calls are waited for, by its REST interface, before
 * what drops them is restarted; and what is done when they cannot be counted.
 * A service that is busy with a start of before is waited for, too.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"
#include "tests/scenario/services.h"

#define ROTATE "apply cms/service-rotate lab --yes --accept trust-store "
#define BRIDGE ROTATE "service=callbridge "

#define SOME "webadmin,callbridge"

static void give_access(struct bed *bed, const char *password)
{
    bed_inventory(bed, "cluster lab", "api_user = admin");
    bed_inventory(
        bed, "cluster lab",
        arena_printf(&bed->arena, "api_password = file:%s", password));
    bed_inventory(bed, "cluster lab",
                  "api_ca = certs/lab-services/core1/root.cer");
}

static struct bed *api_bed(void **state)
{
    struct bed *bed = services_bed(state, SOME);

    give_access(bed, "password");
    return bed;
}

static json_int_t number(struct bed *bed, const char *node, const char *field)
{
    return json_integer_value(
        json_object_get(bed_lab(bed, "node %s", node), field));
}

static void lost(struct bed *bed, json_int_t core1, json_int_t core2)
{
    assert_int_equal(number(bed, "core1", "calls_lost"), core1);
    assert_int_equal(number(bed, "core2", "calls_lost"), core2);
    assert_int_equal(number(bed, "core3", "calls_lost"), 0);
    bed_is_safe(bed);
}

/* -- they end in time ------------------------------------------------------ */

/* Node by node: core1 is waited for while core2 has calls, and the other way
 * round.  The webadmin's new certificate is trusted from the switch on. */
static void test_calls_end(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run;

    for (size_t i = 0; i < 3; i++) /* who trusts all need not change */
        bed_lab(bed, "foreign %s 'callbridge trust cluster none'",
                services_nodes[i]);
    bed_lab(bed, "calls core1 7");
    bed_lab(bed, "calls core2 2");
    run =
        bed_begin(bed, BED_JSON, ROTATE "service=webadmin,callbridge drain=30");
    bed_await(run, "step-waiting", "core1", "drain");
    assert_int_equal(bed_count(bed, "core1", "callbridge certs *"), 0);
    bed_lab(bed, "calls core1 0");
    bed_await(run, "step-waiting", "core2", "drain");
    assert_int_equal(bed_count(bed, "core1", "callbridge restart"), 1);
    assert_int_equal(bed_count(bed, "core2", "callbridge certs *"), 0);
    bed_lab(bed, "calls core2 0");
    assert_int_equal(bed_finish(run), 0);
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "7 call legs are active"));
    assert_true(bed_said(run, "2 call legs are active"));
    services_state(bed, "callbridge", "new");
    lost(bed, 0, 0);
}

/* A change of trust restarts the Call Bridge before the switch and after it. */
static void test_trust_waits(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run;

    bed_lab(bed, "calls core2 3");
    run = bed_begin(bed, BED_JSON, ROTATE "service=webadmin drain=30");
    bed_await(run, "step-waiting", "core2", "drain-trust");
    assert_int_equal(bed_count(bed, "core1", "callbridge restart"), 1);
    assert_int_equal(bed_count(bed, "core2", "callbridge ?*"), 0);
    bed_lab(bed, "calls core1 4"); /* new ones, until it drops the old */
    bed_lab(bed, "calls core2 0");
    bed_await(run, "step-waiting", "core1", "drain-drop");
    assert_int_equal(bed_count(bed, "core1", "callbridge restart"), 1);
    bed_lab(bed, "calls core1 0");
    assert_int_equal(bed_finish(run), 0);
    bed_ends(run, 0, "done");
    assert_int_equal(bed_count(bed, "*", "callbridge restart"), 6);
    lost(bed, 0, 0);
}

/* No calls, no wait. */
static void test_no_calls(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run = bed_do(bed, BRIDGE "drain=30");

    bed_ends(run, 0, "done");
    assert_int_equal(bed_events(run, "step-done", NULL, "drain"), 3);
    assert_int_equal(bed_events(run, "warning", NULL, "drain"), 0);
    lost(bed, 0, 0);
}

/* -- they do not ----------------------------------------------------------- */

static void test_calls_stay(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run;
    json_t *warning;

    bed_lab(bed, "calls core1 7");
    run = bed_begin(bed, BED_JSON, BRIDGE "drain=0.02");
    warning = bed_await(run, "warning", "core1", "drain");
    assert_string_equal(bed_text(warning, "detail"),
                        "7 call legs are still active after 0.02 minutes: "
                        "they drop");
    assert_int_equal(bed_finish(run), 0);
    bed_ends(run, 0, "done");
    assert_int_equal(bed_events(run, "warning", "core2", "drain"), 0);
    services_state(bed, "callbridge", "new");
    lost(bed, 7, 0);
}

/* Without drain= the plan says what drops. */
static void test_counted_in_the_plan(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run;

    bed_lab(bed, "calls core2 5");
    run = bed_do(bed, "plan cms/service-rotate lab service=callbridge "
                      "--accept trust-store");
    bed_ends(run, 0, "ok");
    assert_true(bed_said(run, "5 call legs are active: they drop"));
    assert_int_equal(number(bed, "core2", "calls"), 5);
}

/* -- Ctrl-C, a kill -------------------------------------------------------- */

static struct bed_run *waits_on_core2(struct bed *bed, enum bed_flag flag)
{
    struct bed_run *run;

    bed_lab(bed, "calls core2 3");
    run = bed_begin(bed, flag, BRIDGE "drain=30");
    if (flag == BED_JSON)
        bed_await(run, "step-waiting", "core2", "drain");
    else
        bed_lab(bed, "wait core1 services.callbridge.state new");
    return run;
}

/* It stops where everybody serves, and drops nobody's calls. */
static void test_interrupted(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run = waits_on_core2(bed, BED_JSON);

    assert_int_equal(kill(run->pid, SIGINT), 0);
    assert_int_equal(bed_finish(run), 130);
    bed_ends(run, 130, "interrupted");
    assert_int_equal(bed_count(bed, "core2", "callbridge ?*"), 0);
    lost(bed, 0, 0);
    /* core1 is as wanted: its calls are not waited for */
    bed_lab(bed, "calls core1 4");
    bed_lab(bed, "calls core2 0");
    bed_ends(bed_next(run, "resume"), 0, "done");
    services_state(bed, "callbridge", "new");
    lost(bed, 0, 0);
}

/* Today's input counts: who cannot wait any longer says so. */
static void test_resumed_without_waiting(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run = waits_on_core2(bed, BED_JSON);

    assert_int_equal(kill(run->pid, SIGTERM), 0);
    assert_int_equal(bed_finish(run), 130);
    run = bed_do(bed, "resume last --yes drain=0");
    bed_ends(run, 0, "done");
    assert_int_equal(bed_events(run, "warning", "core2", "drain"), 1);
    services_state(bed, "callbridge", "new");
    lost(bed, 0, 3);
}

/* And who did not wait before may begin to. */
static void test_resumed_with_waiting(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run;
    int id = bed_id(bed_lab(bed, "hold core2 before 'callbridge certs*'"));

    run = bed_begin(bed, BED_PLAIN, BRIDGE);
    bed_lab(bed, "wait held %d", id);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    run->plain = true;
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
    bed_lab(bed, "calls core2 3");
    run = bed_begin(bed, BED_JSON, "resume last --yes drain=30");
    bed_await(run, "step-waiting", "core2", "drain");
    bed_lab(bed, "calls core2 0");
    assert_int_equal(bed_finish(run), 0);
    bed_ends(run, 0, "done");
    assert_int_equal(bed_events(run, "step-waiting", "core1", "drain"), 0);
    lost(bed, 0, 0);
}

static void test_killed(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run = waits_on_core2(bed, BED_PLAIN);

    assert_int_equal(kill(run->pid, SIGKILL), 0);
    run->plain = true;
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    run = bed_begin(bed, BED_JSON, "resume last --yes");
    bed_await(run, "step-waiting", "core2", "drain");
    assert_int_equal(bed_count(bed, "core2", "callbridge ?*"), 0);
    bed_lab(bed, "calls core2 0");
    assert_int_equal(bed_finish(run), 0);
    bed_ends(run, 0, "done");
    lost(bed, 0, 0);
}

/* -- the way back ---------------------------------------------------------- */

/* The node that failed is mended at once; the one before it waits again. */
static void test_way_back(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core2 fail-async 'callbridge restart'");
    run = bed_begin(bed, BED_JSON, BRIDGE "drain=30");
    bed_await(run, "step-started", "core2", "callbridge");
    bed_lab(bed, "calls core1 6");
    bed_await(run, "rollback-started", NULL, NULL);
    bed_lab(bed, "wait core2 services.callbridge.state old");
    bed_lab(bed, "calls core1 0");
    assert_int_equal(bed_finish(run), 1);
    bed_ends(run, 1, "rolled-back");
    services_state(bed, "callbridge", "old");
    lost(bed, 0, 0);
}

/* -- they cannot be counted ------------------------------------------------ */

static void untouched(struct bed *bed)
{
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bed_files(bed, services_nodes[i], "*-g1-*"), 0);
}

static void test_no_access(void **state)
{
    struct bed *bed = services_bed(state, SOME);
    struct bed_run *run = bed_do(bed, BRIDGE "drain=30");

    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "so nothing can wait until they end: the "
                              "inventory gives no access to its API"));
    assert_true(bed_said(run, "--accept no-api"));
    untouched(bed);
    bed_lab(bed, "calls core1 1");
    run = bed_do(bed, BRIDGE "drain=30 --accept no-api");
    bed_ends(run, 0, "done");
    assert_int_equal(bed_events(run, "warning", "core1", "drain"), 1);
    assert_int_equal(number(bed, "core1", "api_asked"), 0);
    lost(bed, 1, 0);
}

/* One try on one node, and none on the others that share it. */
static void test_password_refused(void **state)
{
    struct bed *bed = services_bed(state, SOME);
    struct bed_run *run;
    json_int_t asked = 0;

    bed_write(bed, "api.pass", "not-the-password\n");
    give_access(bed, "api.pass");
    run = bed_do(bed, BRIDGE "drain=30");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "(API) refused the password of user admin; it is "
                              "not sent again in this run"));
    assert_true(bed_said(run, "the password of user admin was not sent to"));
    assert_false(bed_said(run, "not-the-password"));
    for (size_t i = 0; i < 3; i++)
        asked += number(bed, services_nodes[i], "api_refused");
    assert_int_equal(asked, 1);
    untouched(bed);
    /* without drain= it is no more than a word */
    bed_ends(bed_do(bed, BRIDGE), 0, "done");
}

static void test_broken_answers(void **state)
{
    static const char *const answers[][2] = {
        {"nothing", "so nothing can wait"},
        {"odd", "its API's answer is no status with one callLegsActive"},
        {"cut", "its API's answer is no status with one callLegsActive"},
        {"twice", "its API's answer is no status with one callLegsActive"},
        {"endless", "its answer is too long"},
        {"elsewhere", "answers with status 302"},
    };
    struct bed *bed = api_bed(state);

    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        struct bed_run *run;

        bed_lab(bed, "set core3 api_answer %s", answers[i][0]);
        run = bed_do(bed, BRIDGE "drain=30");
        bed_ends(run, 5, "refused");
        assert_true(bed_said(run, answers[i][1]));
        untouched(bed);
    }
}

/* It breaks while it is waited for: the time is waited, then it goes on. */
static void test_breaks_while_waiting(void **state)
{
    struct bed *bed = api_bed(state);
    struct bed_run *run;

    bed_lab(bed, "calls core1 7");
    run = bed_begin(bed, BED_JSON, BRIDGE "drain=0.05");
    bed_await(run, "step-waiting", "core1", "drain");
    bed_lab(bed, "set core1 api_answer cut");
    bed_await(run, "warning", "core1", "drain");
    assert_int_equal(bed_finish(run), 0);
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "how many calls drop cannot be known after 0.05 "
                              "minutes"));
    lost(bed, 7, 0);
}

/* The password goes to nobody whose certificate is not the node's. */
static void test_not_trusted(void **state)
{
    struct bed *bed = services_bed(state, SOME);
    struct bed_run *run;

    give_access(bed, "password");
    bed_inventory(bed, "node core2", "api_ca = certs/lab/dbclusterserver.cer");
    run = bed_do(bed, BRIDGE "drain=30");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "its certificate is not trusted"));
    assert_int_equal(number(bed, "core1", "api_asked"), 1);
    assert_int_equal(number(bed, "core2", "api_asked"), 0);
}

/* It stands in no command line, environment, file, event or log, raw or as HTTP
 * has it; not while it is used over and over either. */
static void test_secret(void **state)
{
    struct bed *bed = services_bed(state, SOME);
    const char *password = bed_read(bed, "password");
    struct bed_run *run;

    hunt_start(bed);
    hunt_keep_word("the API login",
                   arena_printf(&bed->arena, "admin:%.*s",
                                (int)strcspn(password, "\n"), password));
    bed->env[0] = arena_printf(&bed->arena, "API_PASSWORD=%.*s",
                               (int)strcspn(password, "\n"), password);
    bed_inventory(bed, "cluster lab",
                  "api_user = admin\napi_password = env:API_PASSWORD\n"
                  "api_ca = certs/lab-services/core1/root.cer");
    bed_lab(bed, "calls core1 7");
    run = bed_begin(bed, BED_JSON, BRIDGE "drain=30 -v");
    bed_await(run, "step-waiting", "core1", "drain");
    hunt_processes(run->pid);
    bed_lab(bed, "calls core1 0");
    assert_int_equal(bed_finish(run), 0);
    hunt_everywhere(bed);
    assert_true(hunt_looks.environments >= 1 && hunt_looks.files > 10);
}

static void test_wrong_words(void **state)
{
    static const char *const words[] = {"drain=",    "drain=x",    "drain=-1",
                                        "drain=1e3", "drain=1441", "drain=1.",
                                        "drain=1.5m"};
    struct bed *bed = api_bed(state);

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        bed_ends(bed_do(bed, BRIDGE "%s", words[i]), 2, "error");
    bed_inventory(bed, "node core1", "api_ca = nowhere.crt");
    bed_ends(bed_do(bed, BRIDGE "drain=1"), 2, "error");
}

/* -- busy ------------------------------------------------------------------ */

static void killed_while_it_starts(struct bed *bed, unsigned ms)
{
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "set core2 service_ms %u", ms);
    run = bed_begin(bed, BED_PLAIN, BRIDGE);
    bed_lab(bed, "wait core2 services.callbridge.state down");
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    run->plain = true;
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
}

/* A restart that the dead process began is still running: the node answers that
 * it is busy, which ends by itself and is no reason to go back. */
static void test_busy(void **state)
{
    struct bed *bed = services_bed(state, SOME);
    struct bed_run *run;
    json_t *retry;

    killed_while_it_starts(bed, 4000);
    run = bed_begin(bed, BED_JSON, "resume last --yes");
    retry = bed_await(run, "retry", "core2", "callbridge");
    assert_string_equal(bed_text(retry, "detail"),
                        "the node says: FAILURE: callbridge is busy");
    assert_int_equal(bed_finish(run), 0);
    bed_ends(run, 0, "done");
    assert_int_equal(bed_events(run, "retry", NULL, NULL), 1);
    assert_int_equal(bed_events(run, "rollback-started", NULL, NULL), 0);
    services_state(bed, "callbridge", "new");
    bed_is_safe(bed);
}

/* One that is busy for longer than the row has, on both ways, is a failure. */
static void test_busy_for_too_long(void **state)
{
    struct bed *bed = services_bed(state, SOME);
    struct bed_run *run;

    killed_while_it_starts(bed, 10000);
    bed_inventory(bed, "cluster lab", "timeout_connect = 1");
    run = bed_do(bed, "resume last --yes");
    bed_ends(run, 4, "incomplete");
    assert_true(bed_said(run, "FAILURE: callbridge is busy"));
    bed_lab(bed, "set core2 service_ms 100");
    bed_lab(bed, "wait core2 services.callbridge.state new");
    bed_ends(bed_next(run, "rollback"), 0, "rolled-back");
    services_state(bed, "callbridge", "old");
    bed_is_safe(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_calls_end, bed_stop),
        cmocka_unit_test_teardown(test_trust_waits, bed_stop),
        cmocka_unit_test_teardown(test_no_calls, bed_stop),
        cmocka_unit_test_teardown(test_calls_stay, bed_stop),
        cmocka_unit_test_teardown(test_counted_in_the_plan, bed_stop),
        cmocka_unit_test_teardown(test_interrupted, bed_stop),
        cmocka_unit_test_teardown(test_resumed_without_waiting, bed_stop),
        cmocka_unit_test_teardown(test_resumed_with_waiting, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
        cmocka_unit_test_teardown(test_way_back, bed_stop),
        cmocka_unit_test_teardown(test_no_access, bed_stop),
        cmocka_unit_test_teardown(test_password_refused, bed_stop),
        cmocka_unit_test_teardown(test_broken_answers, bed_stop),
        cmocka_unit_test_teardown(test_breaks_while_waiting, bed_stop),
        cmocka_unit_test_teardown(test_not_trusted, bed_stop),
        cmocka_unit_test_teardown(test_secret, bed_stop),
        cmocka_unit_test_teardown(test_wrong_words, bed_stop),
        cmocka_unit_test_teardown(test_busy, bed_stop),
        cmocka_unit_test_teardown(test_busy_for_too_long, bed_stop),
    };

    return crew_tests(tests);
}
