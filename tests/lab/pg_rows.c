/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows: the writer of each cluster, what each copy holds, who is in sync.
 *
 * Rows are numbered 1, 2, ... in each cluster of the lab.  The writer sends
 * the next ones to the primary over TLS, as a client does, and counts a row
 * as acknowledged when the primary has said so; after a lost connection it
 * sends the same numbers again.  So the acknowledged rows are always 1 to
 * cluster->acked, and a copy with fewer rows up to there has lost some.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/lab/cluster.h"
#include "tests/lab/pg_priv.h"
#include "tests/lab/record.h"

enum {
    TICK_MS = 50,
    RETRY_MS = 100,
    SETTLE_MS = 8000,
    TEXT_CAP = 1 << 16
};

/* -- the writer ------------------------------------------------------------ */

/* The newest group of the cluster that somebody leads. */
static struct lab_node *find_leader(struct lab *lab, struct lab_cluster *c)
{
    for (struct lab_group *g = lab->groups; g; g = g->next)
        if (g->home == c && g->primary && pg_living(g->primary) &&
            !pg_node(g->primary)->followed)
            return g->primary;
    return NULL;
}

static void on_acknowledged(void *user, const char *line)
{
    struct pg_writer *w = user;
    uint64_t rows = line ? strtoull(line, NULL, 10) : 0;

    w->is_waiting = false;
    if (rows <= w->cluster->acked)
        return; /* lost: what happened to them shows when they go again */
    if (w->to && w->to->db.copy.rows == w->cluster->acked)
        w->to->db.copy.rows = rows;
    w->cluster->acked = rows;
    lab_changed(w->cluster->nodes[0]->lab);
}

static void connect_writer(struct engine *e, struct pg_writer *w)
{
    struct str info;

    w->retry_ms = clock_mono_ms() + RETRY_MS;
    str_init(&info, TEXT_CAP);
    pg_conninfo(&info, w->to, w->to);
    str_add(&info, " dbname=postgres");
    w->console = pg_console_open(e, str_text(&info), &w->console);
    str_release(&info);
}

static void send_rows(struct pg_writer *w, uint64_t n)
{
    char sql[300];

    w->asked = w->cluster->acked + n;
    snprintf(sql, sizeof(sql),
             "WITH added AS (INSERT INTO space (id, name) SELECT i, 'space ' "
             "|| i FROM generate_series(%llu, %llu) i ON CONFLICT DO NOTHING) "
             "SELECT %llu;",
             (unsigned long long)w->cluster->acked + 1,
             (unsigned long long)w->asked, (unsigned long long)w->asked);
    w->is_waiting = true;
    pg_console_ask(w->console, sql, on_acknowledged, w);
}

static void write_some(struct engine *e, struct lab_cluster *c)
{
    struct pg_writer *w = c->engine_data;
    struct lab_node *leader = find_leader(e->lab, c);
    uint64_t now = clock_mono_ms(), due;

    if (w->to != leader) {
        pg_console_close(w->console);
        w->to = leader;
        w->last_ms = now;
    }
    if (!leader || w->is_waiting)
        return;
    if (!w->console && now >= w->retry_ms)
        connect_writer(e, w);
    due = (now - w->last_ms) * leader->set.rows_per_s / 1000;
    if (!w->console || due == 0 || e->paused)
        return;
    w->last_ms = now;
    send_rows(w, due);
}

/* -- what a server says of itself ------------------------------------------ */

struct look {
    struct pg_node *pn;
    uint64_t at_ms, acked;
};

/* " a b c " holds " b " */
static bool is_listed(const char *names, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = names; (p = strstr(p, name)); p++)
        if (p > names && p[-1] == ' ' && (p[len] == ' ' || p[len] == '\0'))
            return true;
    return false;
}

static void take_followers(struct pg_node *pn, const char *names)
{
    struct lab_cluster *c = pn->node->cluster;

    for (size_t i = 0; i < c->n_nodes; i++) {
        struct pg_node *other = pg_node(c->nodes[i]);
        if (other->followed == pn->node)
            other->is_streaming =
                other->ready && is_listed(names, other->node->name);
    }
}

/* Only while somebody leads: a group in election keeps what it knew. */
static void take_sync(struct lab_node *leader)
{
    struct lab_group *g = leader->db.group;

    for (size_t i = 0; i < g->n; i++) {
        struct lab_node *m = g->members[i];
        if (m != leader)
            m->db.in_sync = pg_node(m)->is_streaming &&
                            pg_node(m)->followed == leader &&
                            !m->db.sync_frozen && db_sees(m, leader);
    }
}

static void on_look(void *user, const char *line)
{
    struct look *l = user;
    struct pg_node *pn = l->pn;
    struct lab_node *n = pn->node;
    char *names;
    uint64_t rows;

    pn->is_asking = false;
    if (line) {
        rows = strtoull(line, &names, 10);
        pn->counted_ms = l->at_ms;
        pn->missing = l->acked > rows ? l->acked - rows : 0;
        n->db.copy.rows = pn->followed ? rows : n->cluster->acked - pn->missing;
        take_followers(pn, names);
        if (db_leads(n) && !n->db.group->electing && !pn->followed)
            take_sync(n);
        lab_changed(n->lab);
    }
    free(l);
}

static void look_at(struct pg_node *pn)
{
    struct look *l = lab_calloc(1, sizeof(*l));
    char sql[400];

    l->pn = pn;
    l->at_ms = clock_mono_ms();
    l->acked = pn->node->cluster->acked;
    pn->is_asking = true;
    snprintf(sql, sizeof(sql),
             "SELECT (SELECT count(*) FROM space WHERE id <= %llu) || ' ' || "
             "CASE WHEN pg_is_in_recovery() THEN '' ELSE coalesce((SELECT "
             "string_agg(application_name, ' ') FROM pg_stat_replication "
             "WHERE state = 'streaming' AND pg_wal_lsn_diff("
             "pg_current_wal_lsn(), replay_lsn) < 65536), '') END;",
             (unsigned long long)l->acked);
    pg_console_ask(pn->console, sql, on_look, l);
}

static void watch(struct pg_node *pn)
{
    struct str info;

    if (!pn->ready || !pn->server || pn->is_stopping || pn->is_asking)
        return;
    if (pn->console) {
        look_at(pn);
        return;
    }
    str_init(&info, TEXT_CAP);
    pg_conninfo_local(&info, pn);
    pn->console = pg_console_open(pn->engine, str_text(&info), &pn->console);
    str_release(&info);
}

/* -- settling -------------------------------------------------------------- */

struct pg_settle {
    struct pg_settle *next;
    struct engine *engine;
    engine_done_f *done;
    void *user;
    uint64_t began_ms;
    bool is_quiet; /* nothing is under way to a primary */
};

static bool is_quiet(struct engine *e)
{
    for (size_t i = 0; i < e->lab->n_clusters; i++) {
        const struct pg_writer *w = e->lab->clusters[i]->engine_data;
        if (w->is_waiting)
            return false;
    }
    return true;
}

/* Counted since; a follower besides holds what its primary holds. */
static bool is_counted(const struct pg_node *pn, uint64_t since_ms)
{
    const struct lab_node *n = pn->node;

    if (!pn->server || !pn->ready || pn->is_stopping)
        return !pn->is_uncounted || pn->dead || n->db.role != DB_STANDALONE ||
               n->db.pending != DB_NOTHING;
    if (pn->counted_ms < since_ms)
        return false;
    return !pn->followed || !n->db.in_sync ||
           n->db.copy.rows == pn->followed->db.copy.rows;
}

static void count_stopped(struct pg_node *pn)
{
    struct pg_order order = {.at = pn, .steps = pg_count_steps};

    if (!pn->jobs && !pn->server && pn->is_uncounted && !pn->dead &&
        pn->node->db.role == DB_STANDALONE &&
        pn->node->db.pending == DB_NOTHING)
        pg_job_add(&order);
}

static bool is_settled(struct pg_settle *s)
{
    struct lab *lab = s->engine->lab;
    bool settled = true;

    if (!s->is_quiet) {
        s->is_quiet = is_quiet(s->engine);
        s->began_ms = s->is_quiet ? clock_mono_ms() : s->began_ms;
        return false;
    }
    for (size_t i = 0; i < lab->n_nodes; i++)
        if (lab->nodes[i]->roles & LAB_DATABASE) {
            count_stopped(pg_node(lab->nodes[i]));
            settled =
                settled && is_counted(pg_node(lab->nodes[i]), s->began_ms);
        }
    return settled;
}

static void end_settle(struct pg_settle *s)
{
    s->engine->paused--;
    s->done(s->user, NULL);
    free(s);
}

static void look_at_settles(struct engine *e)
{
    struct pg_settle **p = &e->settles;

    while (*p) {
        struct pg_settle *s = *p;
        if (!is_settled(s) && clock_mono_ms() < s->began_ms + SETTLE_MS) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        end_settle(s);
    }
}

void pg_rows_settle(struct engine *e, engine_done_f *done, void *user)
{
    struct pg_settle *s = lab_calloc(1, sizeof(*s));

    s->engine = e;
    s->done = done;
    s->user = user;
    s->began_ms = clock_mono_ms();
    s->next = e->settles;
    e->settles = s;
    e->paused++;
}

/* -- the tick -------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct engine *e = timer->data;
    struct lab *lab = e->lab;

    for (size_t i = 0; i < lab->n_nodes; i++)
        if (lab->nodes[i]->roles & LAB_DATABASE)
            watch(pg_node(lab->nodes[i]));
    for (size_t i = 0; i < lab->n_clusters; i++)
        write_some(e, lab->clusters[i]);
    look_at_settles(e);
}

void pg_rows_start(struct engine *e)
{
    for (size_t i = 0; i < e->lab->n_clusters; i++) {
        struct pg_writer *w = lab_calloc(1, sizeof(*w));
        w->cluster = e->lab->clusters[i];
        w->cluster->engine_data = w;
    }
    uv_timer_init(e->lab->loop, &e->tick);
    e->tick.data = e;
    e->handles++;
    uv_timer_start(&e->tick, on_tick, TICK_MS, TICK_MS);
}

static void on_tick_closed(uv_handle_t *handle)
{
    struct engine *e = handle->data;

    e->handles--;
}

void pg_rows_end(struct engine *e)
{
    uv_close((uv_handle_t *)&e->tick, on_tick_closed);
    while (e->settles) {
        struct pg_settle *s = e->settles;
        e->settles = s->next;
        end_settle(s);
    }
    for (size_t i = 0; i < e->lab->n_clusters; i++) {
        struct pg_writer *w = e->lab->clusters[i]->engine_data;
        pg_console_close(w->console);
    }
}
