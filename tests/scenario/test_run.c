/* SPDX-License-Identifier: Apache-2.0
 *
 * `run': nobody is asked, what died is resumed, who must know is told.
 */
#include "tests/scenario/crew.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const two[] = {"--clusters", "2", NULL};

/* Writes down what it is told, unless there is a file `deaf'. */
static void tell_us(struct bed *bed)
{
    const char *path = arena_printf(&bed->arena, "%s/tell", bed->dir);

    bed_write(bed, "tell",
              arena_printf(&bed->arena,
                           "#!/bin/sh\n[ ! -e %s/deaf ] || exit 1\n"
                           "cat >>%s/told\necho >>%s/told\n",
                           bed->dir, bed->dir, bed->dir));
    assert_int_equal(chmod(path, 0700), 0);
    bed_write(bed, "told", "");
    bed_inventory(bed, "fleet", arena_printf(&bed->arena, "notify = %s", path));
}

/* How many notices of this event were told. */
static unsigned told(struct bed *bed, const char *event)
{
    const char *word = arena_printf(&bed->arena, "\"event\":\"%s\"", event);
    const char *text = bed_read(bed, "told");
    unsigned n = 0;

    while ((text = strstr(text, word)) != NULL) {
        text += strlen(word);
        n++;
    }
    return n;
}

static void test_once(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);

    tell_us(bed);
    bed_ends(bed_do(bed, "run lab* canary=lab2"), 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
    assert_int_equal(told(bed, "started"), 2);
    assert_int_equal(told(bed, "done"), 2);
    /* server and client of each; those new have years */
    assert_int_equal(told(bed, "expiring"), 4);
    /* the same is not told twice, nor done */
    bed_ends(bed_do(bed, "run"), 0, "done");
    assert_int_equal(told(bed, "started"), 2);
    assert_int_equal(told(bed, "expiring"), 4);
}

/* What `windows' says of a cluster. */
static const char *forecast(struct bed_run *run, const char *cluster,
                            const char *key)
{
    json_t *event;
    size_t i;

    json_array_foreach(
        run->events, i,
        event) if (strcmp(bed_text(event, "event"), "window-run") == 0 &&
                   strcmp(bed_text(event, "cluster"), cluster) ==
                       0) return bed_text(event, key);
    fail_msg("nothing is said of %s", cluster);
    return NULL;
}

/* What the nodes were read to say tells what would begin, and when what they
 * say is known no more; nobody is asked for it. */
static void test_windows_know(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run = bed_do(bed, "windows");
    unsigned before;

    bed_ends(run, 0, "ok");
    assert_string_equal(forecast(run, "lab1", "state"), "not known");
    bed_do(bed, "check");
    before = bed_count(bed, "*", "*");
    assert_true(before > 0);
    run = bed_do(bed, "windows");
    assert_string_equal(forecast(run, "lab1", "state"), "begins");
    assert_string_equal(forecast(run, "lab2", "state"), "begins");
    assert_int_equal(bed_count(bed, "*", "*"), before);
    bed_ends(bed_do(bed, "apply cms/db-rotate lab2 --yes"), 0, "done");
    run = bed_do(bed, "windows");
    assert_string_equal(forecast(run, "lab1", "state"), "begins");
    assert_string_equal(forecast(run, "lab2", "state"), "not known");
    assert_non_null(
        strstr(forecast(run, "lab2", "detail"), "not read since run"));
    bed_do(bed, "check");
    run = bed_do(bed, "windows");
    assert_string_equal(forecast(run, "lab2", "state"), "not due");
}

/* What was not taken is told the next time, in its order. */
static void test_told_again(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    struct bed_run *run;
    const char *text;

    tell_us(bed);
    bed_write(bed, "deaf", "");
    run = bed_do(bed, "run");
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "will be told again"));
    assert_string_equal(bed_read(bed, "told"), "");
    unlink(arena_printf(&bed->arena, "%s/deaf", bed->dir));
    bed_ends(bed_do(bed, "run"), 0, "done");
    text = bed_read(bed, "told");
    assert_non_null(strstr(text, "expiring"));
    assert_true(strstr(text, "expiring") < strstr(text, "started"));
    assert_true(strstr(text, "started") < strstr(text, "\"done\""));
    assert_int_equal(told(bed, "done"), 1);
}

static void kill_in_outage(struct bed *bed, struct bed_run *run, int id)
{
    bed_lab(bed, "wait held %d", id);
    kill(run->pid, SIGKILL);
    run->plain = true; /* it could not say how it ended */
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
}

static void test_resumes(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    int id = bed_id(
        bed_lab(bed, "hold lab1-core1 before 'database cluster initialize'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, "run max_clusters=1");

    tell_us(bed);
    kill_in_outage(bed, run, id);
    run = bed_do(bed, "run");
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "resumed"));
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
    assert_int_equal(told(bed, "done"), 2);
}

/* A run that ended and wants a person is not touched, and stops nobody who may
 * fail. */
static void test_leaves_incomplete(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run;
    int id = bed_id(bed_lab(bed, "inject lab1-core1 fail 'database cluster "
                                 "initialize*' always"));

    tell_us(bed);
    run = bed_do(bed, "run max_clusters=1 max_failures=1");
    bed_ends(run, 4, "incomplete");
    bed_is_new(bed, "lab2", "lab2-core1");
    bed_lab(bed, "clear %d", id);
    bed_ends(bed_do(bed, "run"), 6, "locked");
    assert_int_equal(told(bed, "incomplete"), 1);
    bed_ends(bed_do(bed, "rollback %s --yes", bed_run_id(run)), 0,
             "rolled-back");
    bed_is_old(bed, "lab1", "lab1-core1");
}

/* -- the daemon --------------------------------------------------------------
 */

static void end_daemon(struct bed_run *run)
{
    kill(run->pid, SIGTERM);
    run->plain = true; /* each pass had a result */
    assert_int_equal(bed_finish(run), 0);
}

static void test_daemon(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run = bed_begin(bed, BED_JSON, "run --daemon");

    bed_await_count(run, "result", 1);
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
    /* a faulty inventory is told, and does not end it */
    bed_inventory(bed, "fleet", "max_sesions = 3");
    kill(run->pid, SIGHUP);
    bed_await_count(run, "result", 2);
    assert_true(bed_said(run, "max_sesions"));
    end_daemon(run);
}

/* The pass stops where it is safe; the next daemon resumes it. */
static void test_daemon_stops_in_an_outage(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    int id =
        bed_id(bed_lab(bed, "hold core1 before 'database cluster initialize'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, "run --daemon");

    bed_lab(bed, "wait held %d", id);
    kill(run->pid, SIGTERM);
    bed_lab(bed, "release %d", id);
    bed_await_count(run, "result", 1);
    run->plain = true;
    assert_int_equal(bed_finish(run), 0);
    assert_int_equal(bed_count(bed, "core1", "database cluster initialize*"),
                     1);
    run = bed_begin(bed, BED_JSON, "run --daemon");
    bed_await_count(run, "result", 1);
    bed_is_new(bed, "lab", "core1");
    end_daemon(run);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_once, bed_stop),
        cmocka_unit_test_teardown(test_windows_know, bed_stop),
        cmocka_unit_test_teardown(test_told_again, bed_stop),
        cmocka_unit_test_teardown(test_resumes, bed_stop),
        cmocka_unit_test_teardown(test_leaves_incomplete, bed_stop),
        cmocka_unit_test_teardown(test_daemon, bed_stop),
        cmocka_unit_test_teardown(test_daemon_stops_in_an_outage, bed_stop),
    };

    return crew_tests(tests);
}
