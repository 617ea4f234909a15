/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps that jobs are made of, and the tables of them.
 *
 * A copy without standby.signal leads when it is started, one with it
 * follows: what a node holds decides, not what somebody remembers.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/lab/cluster.h"
#include "tests/lab/pg_priv.h"

enum {
    TEXT_CAP = 1 << 16,
    STOP_MS = 10000,
    READY_MS = 30000,
    SYNC_MS = 20000,
    FOLLOW_MS = 3000 /* then it gets a new copy */
};
#define SIGNAL_FILE "data/standby.signal"

void pg_in_folder(struct pg_job *job, const char *name, char path[PG_PATH])
{
    pg_path(path, job->at->folder, name);
}

bool pg_is_follower(struct pg_node *pn)
{
    char path[PG_PATH];

    pg_path(path, pn->folder, SIGNAL_FILE);
    return file_exists(path);
}

/* -- certificates and configuration ---------------------------------------- */

/* The servers know only the clock of this machine. */
static void s_clock(struct pg_job *job)
{
    struct lab_node *n = job->at->node;
    struct err why;

    if (n->set.clock_offset_s && strcmp(n->set.verify_at, "never") != 0 &&
        certset_check(&n->db.certs, lab_node_now(n), &why) < 0)
        pg_job_refuse(job, &why);
    else
        pg_job_next(job);
}

static void s_certs(struct pg_job *job)
{
    struct err why;

    if (pg_write_certs(job->at, &why) < 0)
        pg_job_refuse(job, &why);
    else
        pg_job_next(job);
}

static void configure(struct pg_job *job, struct lab_node *followed)
{
    struct err why;

    job->at->followed = followed;
    job->at->is_streaming = false;
    if (pg_write_config(job->at, &why) < 0)
        pg_job_refuse(job, &why);
    else
        pg_job_next(job);
}

static void s_lead(struct pg_job *job)
{
    char path[PG_PATH];

    pg_in_folder(job, SIGNAL_FILE, path);
    unlink(path);
    configure(job, NULL);
}

static void s_follow(struct pg_job *job)
{
    configure(job, job->peer);
}

static void s_as_it_was(struct pg_job *job)
{
    configure(job, pg_is_follower(job->at) ? job->at->followed : NULL);
}

static void s_signal(struct pg_job *job)
{
    char path[PG_PATH];
    struct err why;

    pg_in_folder(job, SIGNAL_FILE, path);
    if (pg_place_write(&job->at->engine->place, path, "", 0, &why) < 0)
        pg_job_refuse(job, &why);
    else
        pg_job_next(job);
}

/* -- copies ---------------------------------------------------------------- */

static void s_clear(struct pg_job *job)
{
    char fresh[PG_PATH], old[PG_PATH];
    const char *args[] = {"-rf", "--", fresh, old, NULL};

    pg_in_folder(job, "data.new", fresh);
    pg_in_folder(job, "data.old", old);
    pg_job_run(job, "/bin/rm", args);
}

/* fetch, not stream: one process, which a power cut can kill whole. */
static void s_fetch(struct pg_job *job)
{
    char fresh[PG_PATH];
    struct str from;
    const char *args[] = {"-D",        fresh, "-X", "fetch", "-c", "fast",
                          "--no-sync", "-w",  "-d", NULL,    NULL};

    pg_in_folder(job, "data.new", fresh);
    str_init(&from, TEXT_CAP);
    pg_conninfo(&from, job->at->node, job->peer);
    args[9] = str_text(&from);
    pg_job_run(job, "pg_basebackup", args);
    str_release(&from);
}

static void s_swap(struct pg_job *job)
{
    char data[PG_PATH], fresh[PG_PATH], old[PG_PATH];

    pg_in_folder(job, "data", data);
    pg_in_folder(job, "data.new", fresh);
    pg_in_folder(job, "data.old", old);
    if ((rename(data, old) < 0 && errno != ENOENT) || rename(fresh, data) < 0)
        pg_job_fail(job, "%s: %s", data, strerror(errno));
    else
        s_signal(job);
}

static void s_copy_template(struct pg_job *job)
{
    struct pg_node *pn = job->at;
    char from[PG_PATH], to[PG_PATH];
    const char *args[] = {"-a", from, to, NULL};

    pg_path(from, pn->engine->template.folder, "data");
    pg_in_folder(job, "data", to);
    pn->is_uncounted = true;
    pg_job_run(job, "/bin/cp", args);
}

static void s_initdb(struct pg_job *job)
{
    char data[PG_PATH];
    const char *args[] = {
        "-D",          data,    "-U",        "postgres",
        "-A",          "trust", "--no-sync", "--no-instructions",
        "--no-locale", "-E",    "UTF8",      "--wal-segsize=1",
        NULL};

    pg_in_folder(job, "data", data);
    pg_job_run(job, "initdb", args);
}

/* -- SQL ------------------------------------------------------------------- */

/* A backend of its own on a copy that no server has open. */
static void single_user(struct pg_job *job, const char *sql)
{
    char data[PG_PATH];
    const char *args[] = {
        "--single",       "-D",       data, "-c", "fsync=off", "-c",
        "autovacuum=off", "postgres", NULL};

    pg_in_folder(job, "data", data);
    job->input = sql;
    pg_job_run(job, "postgres", args);
}

/* What a call bridge would keep in its database. */
static void s_fill(struct pg_job *job)
{
    single_user(job,
                "CREATE TABLE space (id bigint PRIMARY KEY, name text NOT "
                "NULL, made timestamptz NOT NULL DEFAULT now())\n"
                "INSERT INTO space (id, name) SELECT i, 'space ' || i FROM "
                "generate_series(1, 1000) i\n");
}

static void take_count(struct pg_job *job, const char *text)
{
    struct pg_node *pn = job->at;
    const char *at = strstr(text, "\"rows=");

    if (!at)
        return;
    pn->node->db.copy.rows = strtoull(at + 6, NULL, 10);
    pn->is_uncounted = false;
}

/* A copy that has left is nobody's standby any more. */
static void s_count(struct pg_job *job)
{
    char path[PG_PATH];

    pg_in_folder(job, SIGNAL_FILE, path);
    unlink(path);
    job->on_output = take_count;
    single_user(job, "SELECT 'rows=' || count(*) FROM space\n");
}

static void link_to(struct pg_job *job, struct lab_node *from,
                    struct lab_node *to)
{
    struct str info;
    const char *args[] = {
        "-X", "-q", "-A", "-t", "-w", "-c", "SELECT 1 FROM space LIMIT 1",
        "-d", NULL, NULL};

    str_init(&info, TEXT_CAP);
    pg_conninfo(&info, from, to);
    str_add(&info, " dbname=postgres");
    args[8] = str_text(&info);
    pg_job_run(job, "psql", args);
    str_release(&info);
}

static void s_link(struct pg_job *job)
{
    link_to(job, job->at->node, job->peer);
}

static void s_link_back(struct pg_job *job)
{
    link_to(job, job->peer, job->at->node);
}

static void s_link_self(struct pg_job *job)
{
    link_to(job, job->at->node, job->at->node);
}

static void on_promoted(void *user, const char *line)
{
    struct pg_job *job = user;

    if (line && strcmp(line, "t") == 0)
        pg_job_next(job);
    else
        pg_job_fail(job, "could not be promoted");
}

static int has_console(struct pg_job *job)
{
    return job->at->console != NULL;
}

static void s_await_console(struct pg_job *job)
{
    pg_job_await(job, has_console, READY_MS, "connection to the server");
}

static void s_promote(struct pg_job *job)
{
    pg_console_ask(job->at->console,
                   "SELECT CASE WHEN pg_is_in_recovery() THEN "
                   "pg_promote(true, 30) ELSE true END;",
                   on_promoted, job);
}

/* -- one node and the others ----------------------------------------------- */

static int is_in_sync(struct pg_job *job)
{
    struct pg_node *pn = job->at;

    if (!pn->server)
        return pg_is_ready(job);
    return pn->is_streaming || pn->node->db.sync_frozen;
}

static void s_await_sync(struct pg_job *job)
{
    /* Expired certificates keep the two apart; both have the data. */
    if (db_expired(job->at->node) || db_expired(job->peer))
        pg_job_next(job);
    else
        pg_job_await(job, is_in_sync, SYNC_MS, "streaming replication");
}

static void s_await_follow(struct pg_job *job)
{
    pg_job_await(job, is_in_sync, FOLLOW_MS, "streaming replication");
}

static void s_stop_peer(struct pg_job *job)
{
    if (job->peer)
        pg_end_server(pg_node(job->peer), SIGINT);
    pg_job_next(job);
}

static int is_peer_stopped(struct pg_job *job)
{
    return !job->peer || !pg_node(job->peer)->server;
}

static void s_await_peer_stopped(struct pg_job *job)
{
    pg_job_await(job, is_peer_stopped, STOP_MS, "stop of the old primary");
}

/* The others follow in their own time: in_sync shows when. */
static void s_call_others(struct pg_job *job)
{
    struct lab_group *g = job->at->node->db.group;

    job->at->followed = NULL;
    for (size_t i = 0; g && i < g->n; i++) {
        struct pg_order order = {.peer = job->at->node,
                                 .steps = pg_follow_steps,
                                 .otherwise = pg_refetch_steps,
                                 .forgives = true};
        order.at = pg_node(g->members[i]);
        if (order.at != job->at && !order.at->dead)
            pg_job_add(&order);
    }
    pg_job_next(job);
}

static void s_new_generation(struct pg_job *job)
{
    struct lab_node *n = job->at->node;

    n->db.copy.generation = ++n->cluster->generation;
    pg_job_next(job);
}

static void s_copied(struct pg_job *job)
{
    struct lab_node *n = job->at->node;

    n->db.copy = job->peer->db.copy;
    n->db.in_sync = !n->db.sync_frozen;
    pg_job_next(job);
}

/* -- the tables ------------------------------------------------------------ */

/* clang-format off */
pg_step_f *const pg_initialize_steps[] = {
    s_clock, s_certs, s_lead, pg_s_start, pg_s_await_ready, s_link_self,
    s_new_generation, NULL };
pg_step_f *const pg_join_steps[] = {
    s_clock, s_certs, s_clear, s_fetch, pg_s_stop, pg_s_await_stopped, s_swap,
    s_follow, pg_s_start, pg_s_await_ready, s_link_back, s_await_sync, s_copied,
    NULL };
pg_step_f *const pg_connect_steps[] = { s_clock, s_certs, s_link, NULL };
pg_step_f *const pg_stop_steps[] = { pg_s_stop, pg_s_await_stopped, NULL };
pg_step_f *const pg_kill_steps[] = { pg_s_kill, pg_s_await_stopped, NULL };
pg_step_f *const pg_start_steps[] = {
    s_as_it_was, pg_s_start, pg_s_await_ready, NULL };
pg_step_f *const pg_follow_steps[] = {
    s_follow, pg_s_reload, pg_s_await_ready, s_await_follow, NULL };
pg_step_f *const pg_refetch_steps[] = {
    s_clear, s_fetch, pg_s_stop, pg_s_await_stopped, s_swap, s_follow, pg_s_start,
    pg_s_await_ready, s_await_sync, NULL };
pg_step_f *const pg_promote_steps[] = {
    s_stop_peer, s_await_peer_stopped, s_await_console, s_promote,
    s_call_others, NULL };
pg_step_f *const pg_count_steps[] = { s_count, NULL };
pg_step_f *const pg_template_steps[] = { s_initdb, s_fill, NULL };
pg_step_f *const pg_first_steps[] = { s_copy_template, s_certs, NULL };
pg_step_f *const pg_lead_steps[] = {
    s_copy_template, s_certs, s_lead, pg_s_start, pg_s_await_ready, NULL };
pg_step_f *const pg_trail_steps[] = {
    s_copy_template, s_certs, s_signal, s_follow, pg_s_start, pg_s_await_ready,
    s_await_sync, NULL };
/* clang-format on */
