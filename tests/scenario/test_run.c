/* SPDX-License-Identifier: Apache-2.0
 *
 * `run': nobody is asked, what died is resumed, who must know is told.
 */
#include "tests/scenario/crew.h"

#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
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

/* The old certificates are over: nobody could put them back, and nobody is
 * there to be asked. */
static void test_no_way_back(void **state)
{
    static const char *const expired[] = {"--days", "-1", NULL};
    struct bed *bed = bed_start(state, "2+1", expired);
    struct bed_run *run = bed_do(bed, "run");

    bed_ends(run, 3, "due");
    assert_true(bed_said(run, "there is no way back, and nobody was there"));
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    bed_ends(bed_do(bed, "apply fleet/renew lab --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* What `windows' says of a cluster. */
static const char *forecast(struct bed_run *run, const char *cluster,
                            const char *key)
{
    json_t *event;
    size_t i;

    json_array_foreach(run->events, i, event)
    {
        if (strcmp(bed_text(event, "event"), "window-run") == 0 &&
            strcmp(bed_text(event, "cluster"), cluster) == 0)
            return bed_text(event, key);
    }
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

/* The lab's issuer makes EC keys. */
static void use_rsa(struct bed *bed)
{
    const char *text = bed_read(bed, "certfleet.ini");
    const char *at = strstr(text, "key = ec:P-256\n");

    assert_non_null(at);
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*skey = rsa:2048\n%s",
                           (int)(at - text), text,
                           at + strlen("key = ec:P-256\n")));
}

/* "daily 01:10-02:40": from and to so many minutes from now, UTC. */
static const char *window(struct bed *bed, int from, int to)
{
    time_t begin = time(NULL) + (time_t)from * 60;
    time_t end = time(NULL) + (time_t)to * 60;
    struct tm a, b;

    gmtime_r(&begin, &a);
    gmtime_r(&end, &b);
    return arena_printf(&bed->arena, "window = daily %02d:%02d-%02d:%02d",
                        a.tm_hour, a.tm_min, b.tm_hour, b.tm_min);
}

/* How many there are; each gets this mode (0: its own). */
static size_t spares_with(struct bed *bed, const char *cluster, mode_t mode)
{
    const char *path =
        arena_printf(&bed->arena, "%s/state/spare/%s", bed->dir, cluster);
    DIR *folder = opendir(path);
    struct dirent *entry;
    size_t n = 0;

    while (folder && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
        if (mode)
            assert_int_equal(fchmodat(dirfd(folder), entry->d_name, mode, 0),
                             0);
    }
    if (folder)
        closedir(folder);
    return n;
}

static size_t spares_of(struct bed *bed, const char *cluster)
{
    return spares_with(bed, cluster, 0);
}

static const char *keys_of(struct bed_run *run)
{
    json_t *event;
    size_t i;

    json_array_foreach(run->events, i, event)
    {
        if (strcmp(bed_text(event, "event"), "keys") == 0)
            return bed_text(event, "detail");
    }
    return "none";
}

/* A window that opens in three hours: its keys are there long before, and in
 * it none is made.  They are used once. */
static void test_keys_ahead(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run;

    use_rsa(bed);
    bed_inventory(bed, "fleet", window(bed, 180, 300));
    run = bed_do(bed, "run lab1");
    assert_int_equal(bed_events(run, "keys-ahead", NULL, NULL), 1);
    assert_int_equal(spares_of(bed, "lab1"), 2);
    assert_int_equal(spares_of(bed, "lab2"), 0);
    bed_is_untouched(bed, "lab1", "lab1-core1");
    /* nothing more is made when they are there */
    run = bed_do(bed, "run lab1");
    assert_int_equal(bed_events(run, "keys-ahead", NULL, NULL), 0);
    assert_int_equal(spares_of(bed, "lab1"), 2);
    run = bed_do(bed, "apply fleet/renew lab1 window=ignore --yes");
    bed_ends(run, 0, "done");
    assert_string_equal(keys_of(run), "2 made ahead, 0 made now");
    bed_is_new(bed, "lab1", "lab1-core1");
    assert_int_equal(spares_of(bed, "lab1"), 0);
    /* another cluster has its own, and none is there */
    run = bed_do(bed, "apply cms/db-rotate lab2 --yes");
    bed_ends(run, 0, "done");
    assert_string_equal(keys_of(run), "none");
    assert_int_equal(spares_of(bed, "lab2"), 0);
}

/* What was not as it was made is not used, and what nobody needs goes. */
static void test_keys_that_are_thrown_away(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run;

    use_rsa(bed);
    bed_inventory(bed, "fleet", window(bed, 180, 300));
    bed_do(bed, "run");
    assert_int_equal(spares_of(bed, "lab1"), 2);
    assert_int_equal(spares_of(bed, "lab2"), 2);
    assert_int_equal(spares_with(bed, "lab1", 0644), 2);
    run = bed_do(bed, "apply cms/db-rotate lab1 --yes");
    bed_ends(run, 0, "done");
    assert_string_equal(keys_of(run), "none");
    assert_int_equal(spares_of(bed, "lab1"), 0);
    bed_do(bed, "run due=1");
    assert_int_equal(spares_of(bed, "lab2"), 0);
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

static int dial(unsigned port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
        0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* What the daemon answers on the port that it has told. */
static const char *scrape(struct bed_run *run)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n";
    const char *said = strstr(str_text(&run->err_text), "answered on port ");
    char *text = arena_alloc(&run->bed->arena, 1 << 18);
    size_t len = 0;
    ssize_t n;
    int fd;

    assert_non_null(said);
    fd = dial((unsigned)strtoul(said + strlen("answered on port "), NULL, 10));
    assert_int_equal(write(fd, request, sizeof(request) - 1),
                     sizeof(request) - 1);
    while ((n = read(fd, text + len, (1 << 18) - 1 - len)) > 0)
        len += (size_t)n;
    assert_int_equal(n, 0);
    close(fd);
    return text;
}

static void must_say(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("`%s' is not in:\n%s", line, text);
}

/* Prometheus asks the daemon, and the daemon asks no node for it. */
static void test_daemon_is_scraped(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two);
    struct bed_run *run = bed_begin(
        bed, BED_JSON, "run lab1 --daemon --metrics-listen 127.0.0.1:0");
    unsigned before;
    const char *text;

    bed_await_count(run, "result", 1);
    before = bed_count(bed, "*", "*");
    text = scrape(run);
    must_say(text, "HTTP/1.1 200 OK\r\n");
    must_say(text, "\ncertfleet_node_up{cluster=\"lab1\",node=\"lab1-core1\"}"
                   " 1\n");
    must_say(text, "\ncertfleet_runs{outcome=\"done\"} 1\n");
    must_say(text, "\ncertfleet_daemon_start_time_seconds ");
    must_say(text, "\ncertfleet_daemon_pass_start_time_seconds ");
    must_say(text, "\ncertfleet_clusters_held 0\n");
    must_say(text, "\nx509_cert_not_after{cluster=\"lab1\"");
    /* read once more, after it was renewed: the new names */
    must_say(text, "filename=\"dbserver-g1-");
    assert_null(strstr(text, "lab2"));
    assert_int_equal(bed_count(bed, "*", "*"), before);
    end_daemon(run);
    run = bed_do(bed, "run --metrics-listen 9793");
    bed_ends(run, 2, "error");
    run = bed_do(bed, "run --daemon --metrics-listen elsewhere:1");
    bed_ends(run, 2, "error");
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
        cmocka_unit_test_teardown(test_no_way_back, bed_stop),
        cmocka_unit_test_teardown(test_windows_know, bed_stop),
        cmocka_unit_test_teardown(test_keys_ahead, bed_stop),
        cmocka_unit_test_teardown(test_keys_that_are_thrown_away, bed_stop),
        cmocka_unit_test_teardown(test_told_again, bed_stop),
        cmocka_unit_test_teardown(test_resumes, bed_stop),
        cmocka_unit_test_teardown(test_leaves_incomplete, bed_stop),
        cmocka_unit_test_teardown(test_daemon, bed_stop),
        cmocka_unit_test_teardown(test_daemon_is_scraped, bed_stop),
        cmocka_unit_test_teardown(test_daemon_stops_in_an_outage, bed_stop),
    };

    return crew_tests(tests);
}
