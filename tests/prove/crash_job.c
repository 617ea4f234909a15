/* SPDX-License-Identifier: Apache-2.0
 *
 * One death: the bed is a lab that answers in no time, the verdict is the
 * lab's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/store/store.h"
#include "tests/prove/crash.h"
#include "tests/scenario/bed.h"
#include "tests/scenario/cce.h"

enum {
    MOST_NEXTS = 3, /* commands that a person is told to type */
};

static struct crash_job *the_job;
static const char *list_path;

/* clang-format off */
static const char *const no_time[] = {
    "--set", "remove_ms=0",    "--set", "initialize_ms=0",
    "--set", "join_ms=0",      "--set", "connect_ms=0",
    "--set", "snapshot_ms=0",  "--set", "resync_ms=0",
    "--set", "certs_ms=0",     "--set", "localnode_ms=0",
    "--set", "service_ms=0",
    NULL,
};
static const char *const servers[] = {"--servers", "cce-aw,cce-router", NULL};
static const struct {
    const char *verb, *outcome;
} passes[CRASH_PASSES] = {
    [CRASH_RESUME] = { "resume", "done" },
    [CRASH_ROLLBACK] = { "rollback", "rolled-back" },
};
/* clang-format on */

const char *crash_pass_word(enum crash_pass pass)
{
    return passes[pass].verb;
}

/* clang-format off */
static const struct {
    const char *word, *shape, *words;
    const char *const *args; /* of the lab; NULL: no_time */
} ways[CRASH_WAYS] = {
    [CRASH_FORWARD] = { "forth", "3+2", "apply cms/db-rotate lab --yes" },
    [CRASH_BACK] = { "back", "3+2", "rollback last --yes" },
    [CRASH_CUCM] = { "cucm", "ucm:1+0", "apply cucm/rotate lab --yes type=tomcat" },
    [CRASH_CCE] = { "cce", "1+0", "apply cce/rotate lab --yes", servers },
};
/* clang-format on */

const char *crash_way_word(enum crash_way way)
{
    return ways[way].word;
}

enum crash_way crash_way_of(const char *word)
{
    int way = 0;

    while (way < CRASH_WAYS && strcmp(ways[way].word, word) != 0)
        way++;
    return (enum crash_way)way;
}

static struct bed *begin(void **state)
{
    const char *const *args = ways[the_job->way].args;

    return bed_start(state, ways[the_job->way].shape, args ? args : no_time);
}

/* -- who is killed -------------------------------------------------------- */

/* The program with points; its environment is of this start alone. */
static struct bed_run *begin_mortal(struct bed *bed, enum bed_flag flag,
                                    const char *words, const char *more)
{
    struct bed_run *run;
    size_t n = 0;

    bed->program = MORTAL_PROGRAM;
    if (the_job->power)
        bed->env[n++] = "CRASH_POWER=1";
    bed->env[n++] = arena_printf(&bed->arena, "CRASH_LIST=%s/points", bed->dir);
    bed->env[n++] = more;
    unlink(arena_printf(&bed->arena, "%s/points", bed->dir));
    run = bed_begin(bed, flag, "%s", words);
    bed->program = NULL;
    memset(bed->env, 0, sizeof(bed->env));
    return run;
}

/* What a node was told to do goes on without us; no trap is left. */
static void clear_traps(struct bed *bed)
{
    bed_lab(bed, "clear");
    bed_lab(bed, "release");
}

static const char *first_words(const struct crash_job *job)
{
    return ways[job->way].words;
}

static void first_death(struct bed *bed)
{
    const char *at = arena_printf(&bed->arena, "CRASH_AT=%s", the_job->label);
    int code;

    if (the_job->way == CRASH_BACK)
        bed_ends(bed_apply(bed, ""), 0, "done");
    code = bed_finish(begin_mortal(bed, BED_PLAIN, first_words(the_job), at));
    if (code != 128 + SIGKILL)
        fail_msg("it did not die: exit %d", code);
    clear_traps(bed);
}

static void note_points(struct bed *bed)
{
    const char *text = bed_read(bed, "points");
    const char *last = text;

    the_job->points = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++) {
        the_job->points++;
        if (p[1])
            last = p + 1;
    }
    snprintf(the_job->died, sizeof(the_job->died), "%.*s",
             (int)strcspn(last, "\n"), last);
}

/* Dies in what was to mend it.  It may come to its end sooner: its way depends
 * on what the nodes had done by the first death. */
static void second_death(struct bed *bed)
{
    const char *at = arena_printf(&bed->arena, "CRASH_NTH=%zu", the_job->again);
    const char *words =
        arena_printf(&bed->arena, "%s last --yes", passes[the_job->pass].verb);
    int code = bed_finish(begin_mortal(bed, BED_PLAIN, words, at));

    note_points(bed);
    clear_traps(bed);
    if (code != 128 + SIGKILL)
        the_job->died[0] = '\0';
}

/* -- what comes after ----------------------------------------------------- */

/* Only then is there nothing to go on with. */
static bool was_never_begun(const struct crash_job *job)
{
    return strcmp(job->label, "run begin, not stored") == 0;
}

static struct bed_run *type_next(struct bed_run *run)
{
    const char *next = bed_text(bed_result(run), "next");

    return bed_next(run, strstr(next, " rollback ") ? "rollback" : "resume");
}

static struct bed_run *go_on(struct bed *bed, unsigned *nexts)
{
    const char *words =
        arena_printf(&bed->arena, "%s last --yes", passes[the_job->pass].verb);
    struct bed_run *run = begin_mortal(bed, BED_JSON, words, NULL);

    bed_finish(run);
    if (the_job->again == 0)
        note_points(bed);
    for (*nexts = 0; run->code == 4 && *nexts < MOST_NEXTS; ++*nexts)
        run = type_next(run);
    return run;
}

static bool is_held(void *user, const struct store_run *run)
{
    *(bool *)user |= run->holds;
    return true;
}

/* A chain without a gap, and nobody's cluster is held. */
static void store_is_whole(struct bed *bed)
{
    struct err err = {0};
    struct store *store =
        store_open(arena_printf(&bed->arena, "%s/state", bed->dir), NULL, &err);
    bool held = false;
    int64_t records = 0;

    if (!store || store_verify(store, &records, &err) < 0 ||
        store_runs(store, NULL, is_held, &held, &err) < 0)
        fail_msg("the store: %s", err.text);
    store_close(store);
    if (held)
        fail_msg("the cluster is still held");
}

/* A run that never went live takes its files away again; later they stay, as
 * an old generation does. */
static void is_back(struct bed *bed, const struct bed_run *run)
{
    bed_is_old(bed, "lab", "core1");
    if (bed_events(run, "rollback-started", NULL, NULL) == 0)
        bed_is_clean(bed);
    the_job->end = CRASH_OLD;
}

/* Every node with the new certificate, and never two of them down. */
static void is_rotated(struct bed *bed, const struct bed_run *run)
{
    static const char *const nodes[] = {"ucm1", "ucm2"};
    json_t *c = bed_lab(bed, "cluster lab");

    bed_ends(run, 0, "done");
    for (size_t i = 0; i < 2; i++)
        if (strcmp(bed_text(json_object_get(bed_lab(bed, "node %s", nodes[i]),
                                            "ucm"),
                            "tomcat"),
                   "new") != 0)
            fail_msg("%s does not show the new certificate", nodes[i]);
    if (json_integer_value(json_object_get(c, "most_dropping")) > 1)
        fail_msg("two nodes were down at once");
    bed_is_safe(bed);
    the_job->end = CRASH_NEW;
}

/* Bindings, trust stores and ports of both servers, all new or all old. */
static void is_cce(struct bed *bed, const struct bed_run *run)
{
    bool back =
        strcmp(bed_text(bed_result(run), "outcome"), "rolled-back") == 0;

    bed_ends(run, 0, back ? "rolled-back" : "done");
    cce_is(bed, "aw1", back ? "old" : "new");
    cce_is(bed, "router2", back ? "old" : "new");
    cce_is_safe(bed);
    the_job->end = back ? CRASH_OLD : CRASH_NEW;
}

/* What was asked for must come of it.  `resume' of a way back goes back; and a
 * done run of which not even that had begun is done. */
static void judge_db(struct bed *bed, const struct bed_run *run)
{
    const char *outcome = bed_text(bed_result(run), "outcome");
    bool back = strcmp(outcome, "rolled-back") == 0;

    if (the_job->way == CRASH_FORWARD || the_job->pass == CRASH_ROLLBACK)
        bed_ends(run, 0, passes[the_job->pass].outcome);
    else if (back)
        bed_ends(run, 1, "rolled-back");
    else
        bed_ends(run, 0, "done");
    if (back) {
        is_back(bed, run);
    } else {
        bed_is_new(bed, "lab", "core1");
        the_job->end = CRASH_NEW;
    }
}

static void judge(struct bed *bed, const struct bed_run *run)
{
    bool begun = !was_never_begun(the_job);

    if (!begun) {
        bed_ends(run, 2, "error");
        the_job->end = CRASH_OLD;
    }
    if (the_job->way == CRASH_CCE && begun)
        is_cce(bed, run);
    else if (the_job->way == CRASH_CCE)
        cce_is(bed, "aw1", "old");
    else if (the_job->way == CRASH_CUCM && begun)
        is_rotated(bed, run);
    else if (the_job->way != CRASH_CUCM && begun)
        judge_db(bed, run);
    else if (the_job->way != CRASH_CUCM) {
        bed_is_untouched(bed, "lab", "core1");
        is_back(bed, run);
    }
}

static void test_job(void **state)
{
    struct bed *bed = begin(state);
    struct bed_run *run;
    unsigned nexts = 0;

    first_death(bed);
    if (the_job->again)
        second_death(bed);
    run = go_on(bed, &nexts);
    judge(bed, run);
    store_is_whole(bed);
    if (nexts)
        the_job->end = CRASH_NEXT;
}

static int run_one(void (*test)(void **state))
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test, bed_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}

int crash_job(struct crash_job *job)
{
    the_job = job;
    return run_one(test_job);
}

/* -- which points there are ----------------------------------------------- */

static void test_list(void **state)
{
    struct bed *bed = begin(state);
    bool back = the_job->way == CRASH_BACK;

    if (back)
        bed_ends(bed_apply(bed, ""), 0, "done");
    bed_finish(begin_mortal(bed, BED_JSON, first_words(the_job), NULL));
    bed_ends(bed->runs, 0, back ? "rolled-back" : "done");
    if (rename(arena_printf(&bed->arena, "%s/points", bed->dir), list_path) < 0)
        fail_msg("%s cannot be made: %s", list_path, strerror(errno));
}

int crash_list(enum crash_way way, bool power, const char *path)
{
    static struct crash_job job;

    job.way = way;
    job.power = power;
    the_job = &job;
    list_path = path;
    return run_one(test_list);
}
