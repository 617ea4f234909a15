/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run says, to whom, and that nobody who stops to listen stops it: JSON
 * lines, a closed output, a terminal that goes away, `show -f'.
 */
#include "tests/scenario/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REMOVE "database cluster remove"
#define INIT "database cluster initialize"
#define APPLY "apply cms/db-rotate lab --yes"

/* -- JSON ------------------------------------------------------------------ */

/* 2026-01-31T23:59:59.999Z */
static bool is_time(const char *text)
{
    const char *shape = "dddd-dd-ddTdd:dd:dd.dddZ";
    size_t i;

    for (i = 0; shape[i] && text[i]; i++)
        if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9'
                            : text[i] != shape[i])
            return false;
    return !shape[i] && !text[i];
}

static void has_keys(const json_t *object, const char *const *keys)
{
    for (; *keys; keys++)
        if (!json_object_get(object, *keys))
            fail_msg("no field %s: %s", *keys,
                     json_dumps(object, JSON_COMPACT));
}

/* Every field that the contract names, whether it applies or is null. */
static void is_whole_result(const struct bed_run *run)
{
    static const char *const keys[] = {
        "t",    "event",          "outcome",  "exit", "run",
        "next", "way_back_until", "clusters", NULL};
    static const char *const cluster_keys[] = {
        "cluster",     "outcome",  "primary", "outage_ms",
        "degraded_ms", "left_out", NULL};
    const json_t *result = bed_result(run), *clusters, *c;
    size_t i;

    has_keys(result, keys);
    assert_true(is_time(bed_text(result, "t")));
    clusters = json_object_get(result, "clusters");
    assert_true(json_is_array(clusters));
    json_array_foreach(clusters, i, c)
    {
        has_keys(c, cluster_keys);
        assert_true(json_is_array(json_object_get(c, "left_out")));
    }
}

static void events_are_whole(const struct bed_run *run)
{
    const char *id = bed_run_id(run);
    const json_t *e;
    size_t i;

    json_array_foreach(run->events, i, e)
    {
        bool of_node = *bed_text(e, "node") != '\0';

        if (!is_time(bed_text(e, "t")) || strcmp(bed_text(e, "run"), id) != 0)
            fail_msg("no time or run: %s", json_dumps(e, JSON_COMPACT));
        if (of_node && !*bed_text(e, "cluster"))
            fail_msg("a node without cluster: %s", json_dumps(e, JSON_COMPACT));
        if (strcmp(bed_text(e, "event"), "step-done") == 0 &&
            !json_is_integer(json_object_get(e, "took_ms")))
            fail_msg("it took no time: %s", json_dumps(e, JSON_COMPACT));
    }
}

static void test_events(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;
    const json_t *c;

    /* what was done without an answer is done, not skipped */
    bed_lab(bed, "inject core2 drop-after 'database cluster remove'");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    is_whole_result(run);
    events_are_whole(run);
    assert_string_equal(bed_text(json_array_get(run->events, 0), "event"),
                        "run-started");
    assert_int_equal(bed_events(run, "run-started", NULL, NULL), 1);
    assert_int_equal(bed_events(run, "outage-started", NULL, NULL), 1);
    assert_int_equal(bed_events(run, "outage-ended", NULL, NULL), 1);
    assert_int_equal(bed_events(run, "step-done", NULL, "issue"), 1);
    assert_int_equal(bed_events(run, "step-done", NULL, "prove"), 5);
    assert_int_equal(bed_events(run, "step-done", "core2", "leave"), 1);
    assert_int_equal(bed_events(run, "step-skipped", "core2", "leave"), 0);
    assert_int_equal(bed_events(run, "step-failed", NULL, NULL), 0);
    c = bed_cluster(run, "lab");
    assert_string_equal(bed_text(c, "primary"), "core1");
    assert_true(json_integer_value(json_object_get(c, "outage_ms")) > 0);
    assert_true(json_integer_value(json_object_get(c, "degraded_ms")) >
                json_integer_value(json_object_get(c, "outage_ms")));
    assert_true(is_time(bed_text(bed_result(run), "way_back_until")));
    assert_true(json_is_null(json_object_get(bed_result(run), "next")));
}

/* Refused, misused, looked up: all end with the same object. */
static void test_every_command_has_a_result(void **state)
{
    static const char *const words[] = {
        "apply",
        "apply cms/db-rotate nowhere --yes",
        "apply cms/db-rotate lab",
        "check",
        "check core1",
        "inventory check",
        "inventory list",
        "inventory sample",
        "playbooks",
        "playbooks cms/db-rotate",
        "plan cms/db-rotate lab",
        "prune lab --yes",
        "resume last --yes",
        "rollback last --yes",
        "runs",
        "show last",
        "unlock lab --run last",
        "pki inspect certs/lab/dbclusterca.cer",
        "pki inspect nothing.crt",
        "version",
        "help",
        "help apply",
        "nonsense",

    };
    struct bed *bed = bed_start(state, "1+0", NULL);

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        is_whole_result(bed_do(bed, "%s", words[i]));
    bed_is_untouched(bed, "lab", "core1");
}

/* -- nobody reads ---------------------------------------------------------- */

static void says_done(struct bed *bed)
{
    struct bed_run *show = bed_begin(bed, BED_PLAIN, "show last");

    assert_int_equal(bed_finish(show), 0);
    assert_true(bed_said(show, "done"));
    assert_true(bed_said(show, "prove"));
    bed_is_new(bed, "lab", "core1");
}

static void close_fd(int *fd)
{
    close(*fd);
    *fd = -1;
}

static void test_closed_outputs(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);

    bed_await(run, "step-started", NULL, "gates");
    run->plain = true; /* its result is told to nobody */
    close_fd(&run->out);
    close_fd(&run->err);
    assert_int_equal(bed_finish(run), 0);
    says_done(bed);
}

/* Without --json the same text goes out on standard output. */
static void test_closed_output_of_text(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    int hold = bed_id(bed_lab(bed, "hold core2 before '" REMOVE "'"));
    struct bed_run *run = bed_begin(bed, BED_PLAIN, APPLY);

    bed_lab(bed, "wait held %d", hold);
    close_fd(&run->out);
    bed_lab(bed, "release %d", hold);
    assert_int_equal(bed_finish(run), 0);
    says_done(bed);
}

/* A pipe that nobody empties: the run must not wait for it. */
static void test_full_pipe(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run = bed_begin(bed, BED_PLAIN, "-v -v --json " APPLY);

    assert_true(fcntl(run->out, F_SETPIPE_SZ, 4096) > 0);
    assert_true(fcntl(run->err, F_SETPIPE_SZ, 4096) > 0);
    bed_lab(bed, "wait lab state new");
    bed_lab(bed, "wait lab healthy true");
    assert_int_equal(bed_finish(run), 0); /* reads now */
    assert_true(bed_said(run, "\"result\""));
    says_done(bed);
}

/* -- a terminal ------------------------------------------------------------ */

struct terminal {
    int fd;
    struct bed_run *run;
    struct str text;
};

static void start_on_terminal(struct bed *bed, struct terminal *t,
                              const char *words)
{
    const char **argv = bed_argv(bed, BED_PLAIN, words);
    const char **env = bed_environment(bed);
    struct winsize size = {.ws_row = 40, .ws_col = 120};
    pid_t pid = forkpty(&t->fd, NULL, NULL, &size);

    if (pid < 0)
        fail_msg("no terminal: %s", strerror(errno));
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        if (chdir(bed->dir) < 0)
            _exit(126);
        execvpe(argv[0], (char *const *)(uintptr_t)argv,
                (char *const *)(uintptr_t)env);
        _exit(127);
    }
    str_init(&t->text, 1 << 20);
    t->run = bed_adopt(bed, pid, -1, -1);
    t->run->plain = true;
}

static void read_until(struct terminal *t, const char *word)
{
    char buf[4096];

    while (!strstr(str_text(&t->text), word)) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        ssize_t n = poll(&p, 1, BED_DEADLINE_MS) == 1
                        ? read(t->fd, buf, sizeof(buf))
                        : 0;
        if (n <= 0)
            fail_msg("the terminal never showed `%s': %s", word,
                     str_text(&t->text));
        str_addn(&t->text, buf, (size_t)n);
    }
}

static void type(struct terminal *t, const char *text)
{
    assert_int_equal(write(t->fd, text, strlen(text)), strlen(text));
}

/* What is still shown must be taken, or its end would be waited for. */
static int end_of(struct terminal *t)
{
    char buf[4096];

    while (t->fd >= 0 && read(t->fd, buf, sizeof(buf)) > 0)
        ;
    if (t->fd >= 0)
        close(t->fd);
    str_release(&t->text);
    return bed_finish(t->run);
}

static void hang_up(struct terminal *t)
{
    close(t->fd);
    t->fd = -1;
}

static void test_asked(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct terminal t;

    start_on_terminal(bed, &t, "apply cms/db-rotate lab");
    read_until(&t, "Only `yes'");
    type(&t, "yes\n");
    assert_int_equal(end_of(&t), 0);
    says_done(bed);
}

static void answered(void **state, const char *what, int code)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct terminal t;

    start_on_terminal(bed, &t, "apply cms/db-rotate lab");
    read_until(&t, "Only `yes'");
    if (what)
        type(&t, what);
    else
        hang_up(&t);
    assert_int_equal(end_of(&t), code);
    bed_is_untouched(bed, "lab", "core1");
    assert_string_equal(bed_node(bed, "core1", "uploads"), "0");
    bed_ends(bed_apply(bed, ""), 0, "done"); /* nothing is held */
}

static void test_answered_no(void **state)
{
    answered(state, "no\n", 5);
}

static void test_answered_y(void **state)
{
    answered(state, "y\n", 5);
}

static void test_answered_by_end_of_file(void **state)
{
    answered(state, "\004", 5);
}

static void test_answered_by_interrupt(void **state)
{
    answered(state, "\003", 130);
}

static void test_answered_by_hanging_up(void **state)
{
    answered(state, NULL, 5);
}

static void test_lost_terminal(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    int hold = bed_id(bed_lab(bed, "hold core2 after '" REMOVE "'"));
    struct terminal t;

    start_on_terminal(bed, &t, APPLY);
    bed_lab(bed, "wait held %d", hold);
    hang_up(&t);
    bed_lab(bed, "release %d", hold);
    assert_int_equal(end_of(&t), 0);
    says_done(bed);
}

static void test_interrupt_on_terminal(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    int hold = bed_id(bed_lab(bed, "hold core1 before '" INIT "'"));
    struct terminal t;

    start_on_terminal(bed, &t, APPLY);
    bed_lab(bed, "wait held %d", hold);
    type(&t, "\003");
    read_until(&t, "stops where it is safe");
    bed_lab(bed, "release %d", hold);
    read_until(&t, "resume 2");
    assert_int_equal(end_of(&t), 130);
    bed_is_new(bed, "lab", "core1");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
}

/* -- show -f --------------------------------------------------------------- */

static void test_followed(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    int hold = bed_id(bed_lab(bed, "hold core2 before '" REMOVE "'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY), *show;

    bed_lab(bed, "wait held %d", hold);
    show = bed_begin(bed, BED_JSON, "show -f last");
    bed_await(show, "record", "core2", "leave");
    bed_lab(bed, "release %d", hold);
    bed_await(show, "record", "core3", "prove"); /* seen from beside */
    bed_finish(run);
    bed_ends(run, 0, "done");
    bed_finish(show);
    assert_int_equal(show->code, 0);
    assert_string_equal(bed_run_id(show), bed_run_id(run));
}

/* Who follows may leave; what is followed may die. */
static void test_follower_leaves(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    int hold = bed_id(bed_lab(bed, "hold core2 before '" REMOVE "'"));
    struct bed_run *run = bed_begin(bed, BED_PLAIN, APPLY), *first, *second;

    bed_lab(bed, "wait held %d", hold);
    first = bed_begin(bed, BED_JSON, "show -f last");
    second = bed_begin(bed, BED_JSON, "show -f last");
    bed_await(first, "record", "core2", "leave");
    bed_await(second, "record", "core2", "leave");
    assert_int_equal(kill(first->pid, SIGINT), 0);
    bed_finish(first);
    bed_ends(first, 130, "interrupted");
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    bed_finish(second);
    bed_ends(second, 4, "incomplete");
    bed_finish(run);
    bed_lab(bed, "release %d", hold);
    bed_ends(bed_next(second, "resume"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_events, bed_stop),
        cmocka_unit_test_teardown(test_every_command_has_a_result, bed_stop),
        cmocka_unit_test_teardown(test_closed_outputs, bed_stop),
        cmocka_unit_test_teardown(test_closed_output_of_text, bed_stop),
        cmocka_unit_test_teardown(test_full_pipe, bed_stop),
        cmocka_unit_test_teardown(test_asked, bed_stop),
        cmocka_unit_test_teardown(test_answered_no, bed_stop),
        cmocka_unit_test_teardown(test_answered_y, bed_stop),
        cmocka_unit_test_teardown(test_answered_by_end_of_file, bed_stop),
        cmocka_unit_test_teardown(test_answered_by_interrupt, bed_stop),
        cmocka_unit_test_teardown(test_answered_by_hanging_up, bed_stop),
        cmocka_unit_test_teardown(test_lost_terminal, bed_stop),
        cmocka_unit_test_teardown(test_interrupt_on_terminal, bed_stop),
        cmocka_unit_test_teardown(test_followed, bed_stop),
        cmocka_unit_test_teardown(test_follower_leaves, bed_stop),
    };

    return crew_tests(tests);
}
