/* SPDX-License-Identifier: Apache-2.0
 *
 * A fleet renewed: what is due, in what order, and when it stops.
 */
#include "tests/scenario/crew.h"

#include <signal.h>
#include <string.h>
#include <time.h>

static const char *const three[] = {"--clusters", "3", NULL};

static const char *outcome_of(struct bed_run *run, const char *cluster)
{
    return bed_text(bed_cluster(run, cluster), "outcome");
}

/* The order in which the clusters' runs began, "lab3 lab1". */
static const char *order_of(struct bed_run *run)
{
    const char *text = "", *last = "";
    size_t i;
    json_t *event;

    json_array_foreach(run->events, i, event)
    {
        const char *cluster = bed_text(event, "cluster");
        if (strcmp(bed_text(event, "event"), "step-started") != 0 ||
            strcmp(bed_text(event, "step"), "leave") != 0 ||
            strcmp(cluster, last) == 0)
            continue;
        text = arena_printf(&run->bed->arena, "%s%s%s", text, *text ? " " : "",
                            cluster);
        last = cluster;
    }
    return text;
}

static void test_all_are_due(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run =
        bed_do(bed, "apply fleet/renew lab* canary=lab3 batch=1 --yes");

    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
    bed_is_new(bed, "lab3", "lab3-core1");
    assert_string_equal(order_of(run), "lab3 lab1 lab2");
    /* each is a run of its own, which can be taken back by itself */
    assert_int_equal(bed_events(run, "run-started", NULL, NULL), 3);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab2", "lab2-core1");
    bed_is_new(bed, "lab1", "lab1-core1");
    /* of the three only that one is due again */
    run = bed_do(bed, "apply fleet/renew lab* --yes");
    bed_ends(run, 0, "done");
    assert_string_equal(order_of(run), "lab2");
    assert_string_equal(outcome_of(run, "lab1"), "ok");
    bed_is_new(bed, "lab2", "lab2-core1");
}

static void test_nothing_is_due(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run = bed_do(bed, "apply fleet/renew lab* due=5 --yes");

    bed_ends(run, 0, "done");
    bed_is_untouched(bed, "lab1", "lab1-core1");
    assert_string_equal(outcome_of(run, "lab3"), "ok");
    /* ten days are left of 375: a share of the lifetime says so, too */
    bed_ends(bed_do(bed, "apply fleet/renew lab* due=1%% --yes"), 0, "done");
    bed_is_untouched(bed, "lab2", "lab2-core1");
}

static void test_plan_only_reads(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run = bed_do(bed, "plan fleet/renew lab* canary=lab2");

    bed_ends(run, 0, "ok");
    assert_true(bed_said(run, "canary"));
    bed_is_untouched(bed, "lab2", "lab2-core1");
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    assert_int_equal(bed_count(bed, "*", "backup*"), 0);
}

/* It goes back by itself, and nobody else is begun. */
static void test_canary_fails(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run;

    bed_lab(bed,
            "inject lab3-core1 fail 'database cluster certs *-g1-*' always");
    run = bed_do(bed,
                 "apply fleet/renew lab* canary=lab3 max_failures=50%% --yes");
    bed_ends(run, 1, "rolled-back");
    assert_string_equal(outcome_of(run, "lab3"), "rolled-back");
    assert_string_equal(outcome_of(run, "lab1"), "left");
    bed_is_old(bed, "lab3", "lab3-core1");
    bed_is_untouched(bed, "lab1", "lab1-core1");
    bed_is_untouched(bed, "lab2", "lab2-core1");
}

/* It was done, and fell ill while it was watched. */
static void test_canary_falls_ill(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run = bed_begin(
        bed, BED_JSON, "apply fleet/renew lab* canary=lab3 settle=3s --yes");

    bed_await(run, "settling", NULL, NULL);
    bed_lab(bed, "sync lab3-core2 off");
    bed_finish(run);
    bed_ends(run, 5, "refused");
    assert_string_equal(outcome_of(run, "lab3"), "refused");
    assert_string_equal(outcome_of(run, "lab1"), "left");
    bed_is_untouched(bed, "lab1", "lab1-core1");
    bed_is_untouched(bed, "lab2", "lab2-core1");
}

static void test_unreachable_counts(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run;

    bed_lab(bed, "down lab2-core2");
    run = bed_do(bed, "apply fleet/renew lab* --yes");
    bed_ends(run, 5, "refused");
    bed_is_untouched(bed, "lab1", "lab1-core1");
    run = bed_do(bed, "apply fleet/renew lab* max_failures=1 --yes");
    bed_ends(run, 5, "refused");
    assert_string_equal(outcome_of(run, "lab2"), "refused");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab3", "lab3-core1");
    assert_int_equal(bed_count(bed, "lab2-*", "database cluster [!s]*"), 0);
}

/* -- windows ----------------------------------------------------------------
 */

/* "daily 01:10-02:40", from and to so many minutes from now, UTC. */
static void set_window(struct bed *bed, const char *section, int from, int to)
{
    time_t begin = time(NULL) + (time_t)from * 60;
    time_t end = time(NULL) + (time_t)to * 60;
    struct tm a, b;

    gmtime_r(&begin, &a);
    gmtime_r(&end, &b);
    bed_inventory(bed, section,
                  arena_printf(&bed->arena,
                               "window = daily %02d:%02d-%02d:%02d", a.tm_hour,
                               a.tm_min, b.tm_hour, b.tm_min));
}

static void test_windows(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run;

    set_window(bed, "cluster lab1", -60, 300);
    set_window(bed, "cluster lab2", 60, 300);
    run = bed_do(bed, "apply fleet/renew lab* --yes");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab3", "lab3-core1");
    assert_string_equal(outcome_of(run, "lab2"), "left");
    assert_string_equal(bed_text(bed_cluster(run, "lab2"), "detail"),
                        "its window is not open");
    bed_is_untouched(bed, "lab2", "lab2-core1");
    bed_ends(bed_do(bed, "apply fleet/renew lab* window=ignore --yes"), 0,
             "done");
    bed_is_new(bed, "lab2", "lab2-core1");
}

/* Six minutes, as the playbook estimates, do not fit into five; the seconds
 * that it took the last time do. */
static void test_window_too_short(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;

    set_window(bed, "cluster lab", -60, 5);
    run = bed_do(bed, "apply fleet/renew lab --yes");
    bed_ends(run, 0, "done");
    assert_string_equal(outcome_of(run, "lab"), "left");
    bed_is_untouched(bed, "lab", "core1");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_inventory(bed, "fleet", "warn_days = 2000"); /* due again */
    run = bed_do(bed, "apply fleet/renew lab --yes");
    bed_ends(run, 0, "done");
    assert_string_equal(outcome_of(run, "lab"), "done");
}

/* It is over before the next window opens: nobody must find that in a log. */
static void test_alarm(void **state)
{
    static const char *const args[] = {"--days", "1", NULL};
    struct bed *bed = bed_start(state, "2+1", args);
    struct bed_run *run;
    struct tm t;
    time_t day = time(NULL) + 3 * 86400;

    gmtime_r(&day, &t);
    bed_inventory(bed, "cluster lab",
                  arena_printf(&bed->arena, "window = %.3s 01:00-05:00",
                               &"SunMonTueWedThuFriSat"[t.tm_wday * 3]));
    run = bed_do(bed, "apply fleet/renew lab --yes");
    bed_ends(run, 3, "due");
    assert_int_equal(bed_events(run, "alarm", NULL, NULL), 1);
    assert_true(
        json_is_true(json_object_get(bed_cluster(run, "lab"), "alarm")));
    bed_is_untouched(bed, "lab", "core1");
}

/* Who wants signed plans gets none from a timer. */
static void test_wants_approval(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    struct bed_run *run;

    bed_write(bed, "approvers",
              "alice@example.com ssh-ed25519 "
              "AAAAC3NzaC1lZDI1NTE5AAAAIDyb74h8DT"
              "9mnUpo4E73v9OfXs0Gi7pOXmZSDURYdwT4\n");
    bed_inventory(bed, "cluster lab2", "approvals = 1\napprovers = approvers");
    run = bed_do(bed, "apply fleet/renew lab* --yes");
    bed_ends(run, 3, "due");
    assert_string_equal(outcome_of(run, "lab2"), "left");
    assert_true(bed_said(run, "it wants 1 approval"));
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab3", "lab3-core1");
    bed_is_untouched(bed, "lab2", "lab2-core1");
    bed_ends(bed_do(bed, "run"), 3, "due");
    bed_is_untouched(bed, "lab2", "lab2-core1");
}

/* -- dying, stopping ---------------------------------------------------------
 */

/* Begun, and held in lab1's outage by the hold *id. */
static struct bed_run *begin_held(struct bed *bed, int *id)
{
    struct bed_run *run;

    *id = bed_id(
        bed_lab(bed, "hold lab1-core1 before 'database cluster initialize'"));
    run = bed_begin(bed, BED_JSON, "apply fleet/renew lab* batch=1 --yes");
    bed_lab(bed, "wait held %d", *id);
    return run;
}

/* Killed in the middle of an outage: the cluster is held by its run, and that
 * one resumes; the next call begins the others. */
static void test_killed(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    int id;
    struct bed_run *run = begin_held(bed, &id);

    kill(run->pid, SIGKILL);
    run->plain = true; /* it could not say how it ended */
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
    run = bed_do(bed, "apply fleet/renew lab* --yes");
    bed_ends(run, 6, "locked");
    bed_is_untouched(bed, "lab2", "lab2-core1");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_ends(bed_do(bed, "apply fleet/renew lab* --yes"), 0, "done");
    bed_is_new(bed, "lab2", "lab2-core1");
    bed_is_new(bed, "lab3", "lab3-core1");
}

/* One is finished, none is begun any more. */
static void test_interrupted(void **state)
{
    struct bed *bed = bed_start(state, "2+1", three);
    int id;
    struct bed_run *run = begin_held(bed, &id);

    kill(run->pid, SIGTERM);
    bed_lab(bed, "release %d", id);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    assert_string_equal(outcome_of(run, "lab2"), "left");
    bed_is_untouched(bed, "lab2", "lab2-core1");
    bed_is_untouched(bed, "lab3", "lab3-core1");
    bed_ends(bed_next(run, "resume"), 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
}

static void test_wrong_words(void **state)
{
    static const char *const lines[] = {
        "apply fleet/renew --yes",
        "apply fleet/renew nowhere --yes",
        "apply fleet/renew lab cannary=lab --yes",
        "apply fleet/renew lab canary=lab7 --yes",
        "apply fleet/renew lab due=soon --yes",
        "apply fleet/renew lab due=101% --yes",
        "apply fleet/renew lab batch=x --yes",
        "apply fleet/renew lab max_failures=-1 --yes",
        "apply fleet/renew lab settle=1d --yes",
        "apply fleet/renew lab window=open --yes",
        "apply fleet/renew lab due=5 due=6 --yes",
        "apply fleet/renew lab --until push --yes",
        "plan fleet/renew lab -o x.plan",
    };
    struct bed *bed = bed_start(state, "2+0", NULL);

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        bed_ends(bed_do(bed, "%s", lines[i]), 2, "error");
    bed_ends(bed_do(bed, "apply fleet/renew lab"), 5, "refused");
    assert_int_equal(bed_count(bed, "*", "*"), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_are_due, bed_stop),
        cmocka_unit_test_teardown(test_nothing_is_due, bed_stop),
        cmocka_unit_test_teardown(test_plan_only_reads, bed_stop),
        cmocka_unit_test_teardown(test_canary_fails, bed_stop),
        cmocka_unit_test_teardown(test_canary_falls_ill, bed_stop),
        cmocka_unit_test_teardown(test_unreachable_counts, bed_stop),
        cmocka_unit_test_teardown(test_windows, bed_stop),
        cmocka_unit_test_teardown(test_window_too_short, bed_stop),
        cmocka_unit_test_teardown(test_alarm, bed_stop),
        cmocka_unit_test_teardown(test_wants_approval, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
        cmocka_unit_test_teardown(test_interrupted, bed_stop),
        cmocka_unit_test_teardown(test_wrong_words, bed_stop),
    };

    return crew_tests(tests);
}
