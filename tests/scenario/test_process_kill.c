/* SPDX-License-Identifier: Apache-2.0
 *
 * The process dies (SIGKILL) while a file is on its way, in the moment in which
 * the connection breaks, again and again: rollback takes such a run back,
 * resume ends such a run, and nothing is lost.  tests/prove kills it at every
 * point.
 */
#include "tests/scenario/crew.h"

#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS "database cluster status"
#define REMOVE "database cluster remove"
#define CERTS "database cluster certs*"
#define LOCALNODE "database cluster localnode*"
#define INIT "database cluster initialize"
#define CONNECT "database cluster connect*"
#define JOIN "database cluster join*"
#define APPLY "apply cms/db-rotate lab --yes"

enum {
    CUT = 1 << 0,    /* the node's connections are cut at the same moment */
    STAGED = 1 << 1, /* nothing live was changed: all is tidied */
};

struct moment {
    const char *node;
    const char *how; /* before, after: held; else a fault that strikes once */
    const char *subject;
    unsigned flags;
};

/* clang-format off */
static const struct moment forward[] = {
    { "edge1", "after",         STATUS,                STAGED }, /* gates */
    { "core1", "after",         "backup snapshot*",    STAGED },
    { "core3", "sftp-no-reply", "read *.bak",          STAGED },
    { "core2", "sftp-no-reply", "open dbserver*.key",  STAGED },
    { "core1", "sftp-no-reply", "write dbclient*.crt", STAGED },
    { "edge2", "sftp-no-reply", "close dbca*",         STAGED },
    { "edge1", "after",         "pki verify*",         STAGED | CUT },
    { "core3", "after",         REMOVE,                CUT },
    { "core3", "before",        LOCALNODE },
    { "core1", "after",         REMOVE,                CUT },
    { "core1", "before",        CERTS,                 CUT },
    { "core1", "after",         INIT,                  CUT },
    { "edge1", "after",         CONNECT,               CUT },
    { "core3", "before",        JOIN,                  CUT },
};
static const struct moment backward[] = {
    { "core1", "after",         REMOVE },
    { "core1", "after",         INIT },
    { "core2", "after",         JOIN,                  CUT },
};
/* clang-format on */

/* -- the moment ------------------------------------------------------------ */

static bool is_hold(const struct moment *m)
{
    return strcmp(m->how, "before") == 0 || strcmp(m->how, "after") == 0;
}

static int set_trap(struct bed *bed, const struct moment *m)
{
    if (is_hold(m))
        return bed_id(
            bed_lab(bed, "hold %s %s '%s'", m->node, m->how, m->subject));
    return bed_id(
        bed_lab(bed, "inject %s %s '%s'", m->node, m->how, m->subject));
}

static void kill_run(struct bed_run *run)
{
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    run->plain = true; /* it could not say how it ended */
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
}

/* Begins such a command, and kills it when the moment has come.  What was held
 * goes on: a node does not know that its client is dead. */
static void killed_in(struct bed *bed, const struct moment *m,
                      const char *words)
{
    int id = set_trap(bed, m);
    struct bed_run *run = bed_begin(bed, BED_PLAIN, "%s", words);

    bed_lab(bed, "wait %s %d", is_hold(m) ? "held" : "fault", id);
    if (m->flags & CUT)
        bed_lab(bed, "cut %s", m->node);
    kill_run(run);
    bed_lab(bed, "%s %d", is_hold(m) ? "release" : "clear", id);
}

/* -- what must come of it -------------------------------------------------- */

static void takes_back(struct bed *bed, bool staged)
{
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    if (staged) {
        bed_is_untouched(bed, "lab", "core1");
        bed_is_clean(bed);
    }
    bed_is_old(bed, "lab", "core1");
}

/* The figures are of the whole run, whoever has measured them. */
static void goes_on(struct bed *bed)
{
    struct bed_run *run = bed_do(bed, "resume last --yes");
    const json_t *cluster;

    bed_ends(run, 0, "done");
    cluster = bed_cluster(run, "lab");
    assert_string_equal(bed_text(cluster, "primary"), "core1");
    if (json_integer_value(json_object_get(cluster, "outage_ms")) <= 0 ||
        json_integer_value(json_object_get(cluster, "degraded_ms")) <= 0)
        fail_msg("a rotation without an outage: %s",
                 json_dumps(cluster, JSON_COMPACT));
    bed_is_new(bed, "lab", "core1");
}

static void test_forward(void **state)
{
    const struct moment *m = *state;
    struct bed *bed;

    *state = NULL;
    bed = bed_start(state, "3+2", NULL);
    killed_in(bed, m, APPLY);
    takes_back(bed, m->flags & STAGED);
    killed_in(bed, m, APPLY);
    goes_on(bed);
}

/* A dead way back is gone on with by either word: back it goes. */
static void test_backward(void **state)
{
    const struct moment *m = *state;
    struct bed *bed;
    unsigned removed;

    *state = NULL;
    bed = bed_start(state, "3+2", NULL);
    bed_ends(bed_apply(bed, ""), 0, "done");
    killed_in(bed, m, "rollback last --yes");
    takes_back(bed, false);
    removed = bed_count(bed, "*", REMOVE);
    bed_ends(bed_do(bed, "resume last --yes"), 1, "rolled-back");
    assert_int_equal(bed_count(bed, "*", REMOVE), removed);
    bed_is_old(bed, "lab", "core1");

    bed_ends(bed_apply(bed, ""), 0, "done");
    killed_in(bed, m, "rollback last --yes");
    bed_ends(bed_do(bed, "resume last --yes"), 1, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* -- moments that are no command of a node --------------------------------- */

/* Only the last look is left. */
static void killed_in_prove(struct bed *bed)
{
    int join = bed_id(bed_lab(bed, "hold core3 after '" JOIN "'"));
    struct bed_run *run = bed_begin(bed, BED_JSON, APPLY);
    int look;

    bed_lab(bed, "wait held %d", join);
    look = bed_id(bed_lab(bed, "hold edge1 before '" STATUS "'"));
    bed_lab(bed, "release %d", join);
    bed_lab(bed, "wait held %d", look);
    bed_await(run, "step-started", "edge1", "prove");
    kill_run(run);
    bed_lab(bed, "release %d", look);
}

static void test_prove(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);

    killed_in_prove(bed);
    takes_back(bed, false);
    killed_in_prove(bed);
    goes_on(bed);
}

/* -- in issue: at the very file that it makes ------------------------------ */

static int watch(struct bed *bed, const char *folder)
{
    int fd = inotify_init1(IN_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(inotify_add_watch(
                    fd, arena_printf(&bed->arena, "%s/%s", bed->dir, folder),
                    IN_CREATE | IN_MOVED_TO) >= 0);
    return fd;
}

static bool saw(int fd, const char *pattern)
{
    _Alignas(struct inotify_event) char buf[4096];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n;

    if (poll(&p, 1, BED_DEADLINE_MS) != 1)
        fail_msg("no file %s was made", pattern);
    n = read(fd, buf, sizeof(buf));
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *e = (const void *)(buf + at);
        if (e->len && fnmatch(pattern, e->name, 0) == 0)
            return true;
        at += (ssize_t)(sizeof(*e) + e->len);
    }
    return false;
}

static void killed_at_file(struct bed *bed, const char *folder,
                           const char *pattern)
{
    int fd = watch(bed, folder);
    struct bed_run *run = bed_begin(bed, BED_PLAIN, APPLY);

    while (!saw(fd, pattern))
        ;
    kill_run(run);
    close(fd);
}

/* A CA half made must neither be lost nor be in the way. */
static void test_issue_of_the_ca(void **state)
{
    static const char *const files[] = {"*dbca-lab.key*", "*dbca-lab.crt*"};
    struct bed *bed;

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        bed = bed_start(state, "1+1", NULL);
        killed_at_file(bed, ".", files[i]);
        takes_back(bed, true);
        bed_ends(bed_apply(bed, "--until issue"), 0, "ok");
        bed_stop(state);
        bed = bed_start(state, "1+1", NULL);
        killed_at_file(bed, ".", files[i]);
        goes_on(bed);
        bed_stop(state);
    }
}

static void test_issue_of_the_set(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    const char *const folders[] = {"state", "state/clusters",
                                   "state/clusters/lab"};

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            mkdir(arena_printf(&bed->arena, "%s/%s", bed->dir, folders[i]),
                  0700),
            0);
    killed_at_file(bed, "state/clusters/lab", "g1-*");
    takes_back(bed, true);
    killed_at_file(bed, "state/clusters/lab", "g*-*");
    goes_on(bed);
}

/* -- many deaths ----------------------------------------------------------- */

/* Killed again and again, a run still comes to its end. */
static void test_many_times(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    static const struct moment all[] = {
        {"core2", "after", REMOVE},  {"core3", "before", CERTS},
        {"edge1", "before", REMOVE}, {"core1", "after", REMOVE},
        {"core1", "before", INIT},   {"edge2", "after", CONNECT},
        {"core3", "before", JOIN},
    };

    killed_in(bed, &all[0], APPLY);
    for (size_t i = 1; i < sizeof(all) / sizeof(*all); i++)
        killed_in(bed, &all[i], "resume last --yes");
    goes_on(bed);
}

/* Half way there, half way back, there again. */
static void test_to_and_fro(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    static const struct moment there = {"core1", "after", INIT};
    static const struct moment back = {"core1", "before", INIT};

    killed_in(bed, &there, APPLY);
    killed_in(bed, &back, "rollback last --yes");
    killed_in(bed, &there, "resume last --yes");
    takes_back(bed, false);
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- the list -------------------------------------------------------------- */

static struct CMUnitTest test_of(const struct moment *m, bool back)
{
    char *name = NULL;

    if (asprintf(&name, "%s%s %s %s%s", back ? "back: " : "", m->node, m->how,
                 m->subject, m->flags & CUT ? ", cut" : "") < 0)
        abort();
    return (struct CMUnitTest){
        .name = name,
        .test_func = back ? test_backward : test_forward,
        .teardown_func = bed_stop,
        .initial_state = (void *)(uintptr_t)m,
    };
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test_teardown(test_prove, bed_stop),
        cmocka_unit_test_teardown(test_issue_of_the_ca, bed_stop),
        cmocka_unit_test_teardown(test_issue_of_the_set, bed_stop),
        cmocka_unit_test_teardown(test_many_times, bed_stop),
        cmocka_unit_test_teardown(test_to_and_fro, bed_stop),
    };
    enum {
        FORWARD = sizeof(forward) / sizeof(*forward),
        BACKWARD = sizeof(backward) / sizeof(*backward),
        OTHERS = sizeof(others) / sizeof(*others)
    };
    static struct CMUnitTest tests[FORWARD + BACKWARD + OTHERS];
    size_t n = 0;

    for (size_t i = 0; i < FORWARD; i++)
        tests[n++] = test_of(&forward[i], false);
    for (size_t i = 0; i < BACKWARD; i++)
        tests[n++] = test_of(&backward[i], true);
    for (size_t i = 0; i < OTHERS; i++)
        tests[n++] = others[i];
    return crew_run(tests, n);
}
