/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated engine: copies are counters, certificates and TLS are real.
 *
 * A writer adds rows to every living primary; replicas that see it follow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/cluster.h"
#include "tests/lab/engine.h"
#include "tests/lab/record.h"
#include "tests/lab/tlsport.h"

enum {
    TICK_MS = 50,
    FIRST_ROWS = 1000
};

struct engine {
    struct lab *lab;
    uv_timer_t writer;
    uint64_t last_ms;
};

/* -- one completion, never inside the call --------------------------------- */

struct answer {
    engine_done_f *done;
    void *user;
    struct err why;
};

static void on_answer(void *user)
{
    struct answer *a = user;

    a->done(a->user, a->why.cause == CAUSE_NONE ? NULL : &a->why);
    free(a);
}

static void answer(struct engine *e, engine_done_f *done, void *user,
                   const struct err *why)
{
    struct answer *a = lab_calloc(1, sizeof(*a));

    a->done = done;
    a->user = user;
    if (why)
        a->why = *why;
    later_start(e->lab->loop, 0, on_answer, a);
}

/* -- the writer ------------------------------------------------------------ */

static void follow(struct lab_group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct lab_node *m = g->members[i];
        if (m == g->primary)
            continue;
        if (!db_sees(m, g->primary) || m->db.sync_frozen) {
            m->db.in_sync = false;
            continue;
        }
        if (m->resync)
            continue;
        m->db.copy = g->primary->db.copy;
        m->db.in_sync = true;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct engine *e = timer->data;
    uint64_t now = lab_age_ms(e->lab);

    for (struct lab_group *g = e->lab->groups; g; g = g->next) {
        uint64_t rows;
        if (!g->primary || !g->primary->up || g->electing)
            continue;
        rows = now * g->primary->set.rows_per_s / 1000 -
               e->last_ms * g->primary->set.rows_per_s / 1000;
        g->primary->db.copy.rows += rows;
        g->home->acked += rows;
        follow(g);
    }
    e->last_ms = now;
    lab_changed(e->lab);
}

/* -- listeners ------------------------------------------------------------- */

static void stop_server(struct lab_node *node)
{
    tlsport_close(node->engine_data);
    node->engine_data = NULL;
}

static int start_server(struct lab_node *node, struct err *err)
{
    stop_server(node);
    node->engine_data = tlsport_open(node, err);
    return node->engine_data ? 0 : -1;
}

/* -- certificates between two nodes ---------------------------------------- */

static bool verifies(const struct lab_node *node)
{
    return strcmp(node->set.verify_at, "never") != 0;
}

/* What a libpq client on `node` and the server on `peer` make of each other */
static int verify_link(const struct lab_node *node, const struct lab_node *peer,
                       struct err *err)
{
    const char *host = node->set.verify_host ? peer->db_address : NULL;

    if (!verifies(node))
        return 0;
    if (certset_accepts_server(&node->db.certs, &peer->db.certs, host,
                               lab_node_now(node), err) < 0)
        return err_context(err, "could not connect to %s: SSL error",
                           peer->db_address);
    if (certset_accepts_client(&peer->db.certs, &node->db.certs,
                               lab_node_now(peer), err) < 0)
        return err_context(err, "%s refused us: SSL error", peer->db_address);
    return 0;
}

static int verify_own(const struct lab_node *node, struct err *err)
{
    if (!verifies(node))
        return 0;
    return certset_check(&node->db.certs, lab_node_now(node), err);
}

/* -- operations ------------------------------------------------------------ */

static struct engine *sim_create(struct lab *lab, struct err *err)
{
    struct engine *e = lab_calloc(1, sizeof(*e));

    (void)err;
    e->lab = lab;
    e->last_ms = lab_age_ms(lab);
    uv_timer_init(lab->loop, &e->writer);
    e->writer.data = e;
    uv_timer_start(&e->writer, on_tick, TICK_MS, TICK_MS);
    return e;
}

static void on_writer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void sim_free(struct engine *e)
{
    for (size_t i = 0; i < e->lab->n_nodes; i++) {
        stop_server(e->lab->nodes[i]);
        later_cancel(e->lab->nodes[i]->resync);
        e->lab->nodes[i]->resync = NULL;
    }
    uv_timer_stop(&e->writer);
    uv_close((uv_handle_t *)&e->writer, on_writer_closed);
}

static void sim_bootstrap(struct engine *e, struct lab_cluster *cluster,
                          struct lab_node *primary, engine_done_f *done,
                          void *user)
{
    struct err why = {0};

    for (size_t i = 0; i < cluster->n_nodes; i++) {
        struct lab_node *n = cluster->nodes[i];
        if (!(n->roles & LAB_DATABASE) || n->spare)
            continue;
        n->db.copy.generation = 1;
        n->db.copy.rows = cluster->acked = FIRST_ROWS;
        if (primary && n->up && start_server(n, &why) < 0)
            err_context(&why, "%s", n->name);
    }
    answer(e, done, user, why.cause == CAUSE_NONE ? NULL : &why);
}

static void sim_initialize(struct engine *e, struct lab_node *node,
                           engine_done_f *done, void *user)
{
    struct err why = {0};

    if (verify_own(node, &why) == 0 && start_server(node, &why) == 0)
        node->db.copy.generation = ++node->cluster->generation;
    answer(e, done, user, why.cause == CAUSE_NONE ? NULL : &why);
}

static void sim_join(struct engine *e, struct lab_node *node,
                     struct lab_node *primary, engine_done_f *done, void *user)
{
    struct err why = {0};

    if (verify_own(node, &why) == 0 && verify_link(node, primary, &why) == 0 &&
        verify_link(primary, node, &why) == 0 &&
        start_server(node, &why) == 0) {
        node->db.copy = primary->db.copy;
        node->db.in_sync = !node->db.sync_frozen;
    }
    answer(e, done, user, why.cause == CAUSE_NONE ? NULL : &why);
}

static void sim_connect(struct engine *e, struct lab_node *node,
                        struct lab_node *primary, engine_done_f *done,
                        void *user)
{
    struct err why = {0};

    if (verify_own(node, &why) == 0)
        verify_link(node, primary, &why);
    answer(e, done, user, why.cause == CAUSE_NONE ? NULL : &why);
}

static void sim_remove(struct engine *e, struct lab_node *node,
                       engine_done_f *done, void *user)
{
    stop_server(node);
    answer(e, done, user, NULL);
}

static void sim_promote(struct engine *e, struct lab_node *node,
                        struct lab_node *old, engine_done_f *done, void *user)
{
    (void)node;
    (void)old;
    answer(e, done, user, NULL);
}

static void on_resynced(void *user)
{
    struct lab_node *node = user;

    node->resync = NULL;
}

static void sim_power(struct engine *e, struct lab_node *node, bool up,
                      engine_done_f *done, void *user)
{
    struct err why = {0};

    later_cancel(node->resync);
    node->resync = NULL;
    if (!up) {
        stop_server(node);
    } else if (node->db.role == DB_PRIMARY || node->db.role == DB_REPLICA) {
        start_server(node, &why);
        node->resync =
            later_start(e->lab->loop, node->set.resync_ms, on_resynced, node);
    }
    answer(e, done, user, why.cause == CAUSE_NONE ? NULL : &why);
}

static void sim_settle(struct engine *e, engine_done_f *done, void *user)
{
    answer(e, done, user, NULL);
}

const struct engine_ops engine_sim = {
    .name = "sim",
    .create = sim_create,
    .free = sim_free,
    .bootstrap = sim_bootstrap,
    .initialize = sim_initialize,
    .join = sim_join,
    .connect = sim_connect,
    .remove = sim_remove,
    .promote = sim_promote,
    .power = sim_power,
    .settle = sim_settle,
};
