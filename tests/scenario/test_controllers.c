/* SPDX-License-Identifier: Apache-2.0
 *
 * Several controllers and one PostgreSQL: who dies, is cut off, or stands
 * still, loses his clusters to the others, and sends nothing more to them.
 */
#include "tests/scenario/crew.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/scenario/relay.h"
#include "tests/unit/pg_server.h"

enum {
    CLUSTERS = 4
};

static const char *const four[] = {"--clusters", "4", NULL};
static struct pg_server server;
static struct relay relay;
static pid_t passes[CLUSTERS]; /* they are sessions of their own */

/* -- the servers -------------------------------------------------------------
 */

static struct bed *controllers_start(void **state, const char *shape,
                                     const char *const *args)
{
    char path[128];
    struct bed *bed;

    if (!pg_server_find(&server))
        skip();
    assert_true(pg_server_start(&server));
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", server.folder);
    relay_start(&relay, path);
    bed = bed_start(state, shape, args);
    bed_inventory(bed, "fleet", "store = postgresql://certfleet@/postgres");
    bed_inventory(bed, "fleet", "store_lease = 10");
    return bed;
}

static int controllers_stop(void **state)
{
    int rc;

    for (size_t i = 0; i < CLUSTERS; i++)
        if (passes[i])
            kill(passes[i], SIGKILL);
    rc = bed_stop(state);
    relay_end(&relay);
    pg_server_stop(&server);
    return rc;
}

static long long ask(const char *sql)
{
    char url[256];

    pg_server_url(&server, "", url, sizeof(url));
    return pg_server_ask(url, sql);
}

static void await(const char *sql, long long wanted)
{
    uint64_t until = clock_mono_ms() + BED_DEADLINE_MS;

    while (ask(sql) != wanted) {
        if (clock_mono_ms() > until)
            fail_msg("%s: never %lld", sql, wanted);
        poll(NULL, 0, 100);
    }
}

/* -- controllers --------------------------------------------------------------
 */

static void way(struct bed *bed, bool by_relay)
{
    memset(bed->env, 0, sizeof(bed->env));
    bed->env[0] = arena_printf(&bed->arena, "PGHOST=%s",
                               by_relay ? "127.0.0.1" : server.folder);
    bed->env[1] =
        arena_printf(&bed->arena, "PGPORT=%d", by_relay ? relay.port : 5432);
}

/* What is loaded before the sanitizer would stop it. */
static void wrong_clock(struct bed *bed)
{
#ifndef __SANITIZE_ADDRESS__
    bed->env[2] = "LD_PRELOAD=" SKEW_LIBRARY;
    bed->env[3] = "SKEW_S=200";
#else
    (void)bed;
#endif
}

static pid_t pass_of(const struct bed_run *run)
{
    char path[64], text[64] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)run->pid,
             (int)run->pid);
    f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    return (pid_t)strtol(text, NULL, 10);
}

/* A daemon whose pass stands in the outage of this cluster. */
static struct bed_run *in_outage(struct bed *bed, int cluster, int *hold)
{
    struct bed_run *run;

    *hold = bed_id(bed_lab(
        bed, "hold lab%d-core1 before 'database cluster initialize'", cluster));
    run = bed_begin(bed, BED_JSON, "run --daemon max_clusters=1");
    bed_lab(bed, "wait held %d", *hold);
    passes[cluster - 1] = pass_of(run);
    return run;
}

static void kill_now(struct bed_run *run, int cluster)
{
    kill(run->pid, SIGKILL);
    kill(passes[cluster - 1], SIGKILL);
    passes[cluster - 1] = 0;
    run->plain = true;
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
}

static void end_daemon(struct bed_run *run)
{
    kill(run->pid, SIGTERM);
    run->plain = true;
    assert_int_equal(bed_finish(run), 0);
}

static unsigned commands(struct bed *bed, int cluster)
{
    return bed_count(bed, arena_printf(&bed->arena, "lab%d-core1", cluster),
                     "*") +
           bed_count(bed, arena_printf(&bed->arena, "lab%d-core2", cluster),
                     "*") +
           bed_count(bed, arena_printf(&bed->arena, "lab%d-edge1", cluster),
                     "*");
}

#define DONE_RUNS                                                              \
    "SELECT COUNT(*) FROM runs WHERE outcome = 'done' AND clusters LIKE "
#define TAKEN                                                                  \
    "SELECT COUNT(*) FROM journal WHERE kind = 'run' AND data LIKE "           \
    "'%\"takeover\"%'"

static void test_all_of_it(void **state)
{
    struct bed *bed = controllers_start(state, "2+1", four);
    struct bed_run *killed, *cut, *still, *rest;
    int holds[3];
    unsigned before;

    way(bed, false);
    killed = in_outage(bed, 1, &holds[0]);
    way(bed, true);
    cut = in_outage(bed, 2, &holds[1]);
    way(bed, false);
    still = in_outage(bed, 3, &holds[2]);
    wrong_clock(bed);
    rest = bed_begin(bed, BED_JSON, "run --daemon max_clusters=1");
    await(DONE_RUNS "'%lab4%'", 1);
    assert_int_equal(ask(TAKEN), 0); /* the living keep what they have */

    kill_now(killed, 1);
    bed_lab(bed, "release %d", holds[0]);
    relay_cut(&relay);
    assert_int_equal(kill(passes[2], SIGSTOP), 0);
    bed_lab(bed, "release %d", holds[2]);
    bed_await_count(cut, "result", 1); /* by itself, at its lease's end */
    assert_true(bed_said(cut, "has run out"));
    passes[1] = 0;
    bed_lab(bed, "release %d", holds[1]);

    for (int i = 1; i <= 3; i++)
        await(arena_printf(&bed->arena, DONE_RUNS "'%%lab%d%%'", i), 1);
    assert_true(ask(TAKEN) >= 3);
    end_daemon(rest); /* nobody else has anything to say to it now */
    end_daemon(cut);
    before = commands(bed, 3);
    assert_int_equal(kill(passes[2], SIGCONT), 0);
    bed_await_count(still, "result", 1);
    assert_true(bed_said(still, "has run out"));
    passes[2] = 0;
    assert_int_equal(commands(bed, 3), before);

    for (int i = 1; i <= CLUSTERS; i++)
        bed_is_new(bed, arena_printf(&bed->arena, "lab%d", i),
                   arena_printf(&bed->arena, "lab%d-core1", i));
    way(bed, false);
    bed_ends(bed_do(bed, "audit verify"), 0, "ok");
    end_daemon(still);
}

/* What reads the store and what changes it, on the other database. */
static void test_commands(void **state)
{
    struct bed *bed = controllers_start(state, "2+1", NULL);
    struct bed_run *run;

    way(bed, false);
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_ends(bed_do(bed, "runs"), 0, "ok");
    bed_ends(bed_do(bed, "show last"), 0, "ok");
    bed_ends(bed_do(bed, "audit verify"), 0, "ok");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
    pg_server_down(&server, SIGQUIT);
    run = bed_apply(bed, "");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "store postgresql://certfleet@/postgres cannot be"
                              " reached"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_commands, controllers_stop),
        cmocka_unit_test_teardown(test_all_of_it, controllers_stop),
    };

    return crew_tests(tests);
}
