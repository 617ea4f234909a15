/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine of real PostgreSQL servers: what is asked of it becomes jobs.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/cluster.h"
#include "tests/lab/pg_priv.h"

struct pg_node *pg_node(struct lab_node *node)
{
    return node->engine_data;
}

struct pg_node *pg_living(struct lab_node *node)
{
    struct pg_node *pn = node->engine_data;

    return pn->ready && pn->server ? pn : NULL;
}

/* -- the beginning --------------------------------------------------------- */

static int init_node(struct engine *e, struct pg_node *pn,
                     struct lab_node *node, struct err *err)
{
    pn->engine = e;
    pn->node = node;
    pg_path(pn->folder, e->place.base, node ? node->name : "template");
    if (strlen(pn->folder) > 80) /* a socket's path lies in it */
        return err_set(err, CAUSE_INPUT, "%s: too long for a socket",
                       pn->folder);
    return pg_place_folder(&e->place, pn->folder, err);
}

static int init_nodes(struct engine *e, struct err *err)
{
    for (size_t i = 0; i < e->lab->n_nodes; i++) {
        struct lab_node *n = e->lab->nodes[i];
        n->engine_data = lab_calloc(1, sizeof(struct pg_node));
        if (init_node(e, n->engine_data, n, err) < 0)
            return -1;
    }
    return init_node(e, &e->template, NULL, err);
}

static void forget(struct engine *e)
{
    for (size_t i = 0; i < e->lab->n_nodes; i++) {
        free(e->lab->nodes[i]->engine_data);
        e->lab->nodes[i]->engine_data = NULL;
    }
    for (size_t i = 0; i < e->lab->n_clusters; i++) {
        free(e->lab->clusters[i]->engine_data);
        e->lab->clusters[i]->engine_data = NULL;
    }
    pg_place_remove(&e->place, e->lab);
    free(e);
}

static struct engine *engine_create(struct lab *lab, struct err *err)
{
    struct engine *e = lab_calloc(1, sizeof(*e));

    e->lab = lab;
    if (pg_place_make(&e->place, lab, err) == 0 && init_nodes(e, err) == 0) {
        pg_rows_start(e);
        return e;
    }
    forget(e);
    return NULL;
}

/* -- the end --------------------------------------------------------------- */

static void kill_all(struct engine *e, int server_signal)
{
    for (struct pg_proc *p = e->procs; p; p = pg_proc_next(p))
        pg_proc_kill(p, pg_proc_is_server(p) ? server_signal : SIGKILL);
}

static void on_late(uv_timer_t *timer)
{
    kill_all(timer->data, SIGKILL);
}

static void on_late_closed(uv_handle_t *handle)
{
    bool *closed = handle->data;

    *closed = true;
}

/* Jobs that wait for one that began meanwhile are broken off in turn. */
static void abort_jobs(struct engine *e)
{
    pg_job_abort_all(&e->template);
    for (size_t i = 0; i < e->lab->n_nodes; i++)
        pg_job_abort_all(pg_node(e->lab->nodes[i]));
}

static void engine_free(struct engine *e)
{
    enum {
        PATIENCE_MS = 5000
    };
    uv_timer_t late;
    bool closed = false;

    e->ending = true;
    pg_rows_end(e);
    uv_timer_init(e->lab->loop, &late);
    late.data = e;
    uv_timer_start(&late, on_late, PATIENCE_MS, 0);
    abort_jobs(e);
    kill_all(e, SIGQUIT);
    while (e->handles > 0)
        uv_run(e->lab->loop, UV_RUN_ONCE);
    late.data = &closed;
    uv_close((uv_handle_t *)&late, on_late_closed);
    while (!closed)
        uv_run(e->lab->loop, UV_RUN_ONCE);
    forget(e);
}

/* -- operations ------------------------------------------------------------ */

static void op_initialize(struct engine *e, struct lab_node *node,
                          engine_done_f *done, void *user)
{
    struct pg_order order = {.at = pg_node(node),
                             .steps = pg_initialize_steps,
                             .otherwise = pg_kill_steps,
                             .done = done,
                             .user = user};

    (void)e;
    pg_job_add(&order);
}

static void op_join(struct engine *e, struct lab_node *node,
                    struct lab_node *primary, engine_done_f *done, void *user)
{
    struct pg_order order = {.at = pg_node(node),
                             .peer = primary,
                             .steps = pg_join_steps,
                             .otherwise = pg_kill_steps,
                             .done = done,
                             .user = user};

    (void)e;
    pg_job_add(&order);
}

static void op_connect(struct engine *e, struct lab_node *node,
                       struct lab_node *primary, engine_done_f *done,
                       void *user)
{
    struct pg_order order = {.at = pg_node(node),
                             .peer = primary,
                             .steps = pg_connect_steps,
                             .done = done,
                             .user = user};

    (void)e;
    pg_job_add(&order);
}

static void op_remove(struct engine *e, struct lab_node *node,
                      engine_done_f *done, void *user)
{
    struct pg_order order = {.at = pg_node(node),
                             .steps = pg_stop_steps,
                             .otherwise = pg_kill_steps,
                             .done = done,
                             .user = user};

    (void)e;
    pg_job_add(&order);
}

static void op_promote(struct engine *e, struct lab_node *node,
                       struct lab_node *old, engine_done_f *done, void *user)
{
    struct pg_order order = {.at = pg_node(node),
                             .peer = old && old->up ? old : NULL,
                             .steps = pg_promote_steps,
                             .done = done,
                             .user = user};

    (void)e;
    pg_job_add(&order);
}

static bool is_member(const struct lab_node *node)
{
    return node->db.role == DB_PRIMARY || node->db.role == DB_REPLICA;
}

static void op_power(struct engine *e, struct lab_node *node, bool up,
                     engine_done_f *done, void *user)
{
    static pg_step_f *const nothing[] = {NULL};
    struct lab_group *g = node->db.group;
    struct pg_order order = {.at = pg_node(node), .done = done, .user = user};

    (void)e;
    order.at->dead = !up;
    if (!up) {
        order.steps = pg_kill_steps;
        pg_job_abort_all(order.at);
        order.at->is_stopping = true;
        if (order.at->server)
            pg_proc_kill(order.at->server, SIGQUIT);
        pg_console_close(order.at->console);
    } else if (!is_member(node)) {
        order.steps = nothing;
    } else if (g && g->primary && g->primary != node) {
        order.peer = g->primary;
        order.steps = pg_follow_steps;
        order.otherwise = pg_refetch_steps;
        order.forgives = true;
    } else {
        order.steps = pg_start_steps;
    }
    pg_job_add(&order);
}

const struct engine_ops engine_pg = {
    .name = "pg",
    .create = engine_create,
    .free = engine_free,
    .bootstrap = pg_bootstrap,
    .initialize = op_initialize,
    .join = op_join,
    .connect = op_connect,
    .remove = op_remove,
    .promote = op_promote,
    .power = op_power,
    .settle = pg_rows_settle,
};
