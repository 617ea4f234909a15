/* SPDX-License-Identifier: Apache-2.0
 *
 * The first state: one fresh database is made, every node gets a copy of it,
 * and servers are started on the copies, all nodes at once.  Clusters wait
 * here for the fresh database.
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "tests/lab/pg_priv.h"

struct pg_boot {
    struct pg_boot *next;
    struct engine *engine;
    struct lab_cluster *cluster;
    struct lab_node *primary;
    engine_done_f *done;
    void *user;
    size_t open; /* nodes at work */
    bool has_failed;
    struct err why;
};

static void one_less(struct pg_boot *b, const char *name, const struct err *why)
{
    if (why && !b->has_failed) {
        b->has_failed = true;
        b->why = *why;
        if (name)
            err_context(&b->why, "%s", name);
    }
    if (--b->open > 0)
        return;
    b->done(b->user, b->has_failed ? &b->why : NULL);
    free(b);
}

struct boot_node {
    struct pg_boot *boot;
    struct lab_node *node;
};

static void on_node(void *user, const struct err *why)
{
    struct boot_node *n = user;

    one_less(n->boot, n->node->name, why);
    free(n);
}

static void start_node(struct pg_boot *b, struct lab_node *node)
{
    struct boot_node *n = lab_calloc(1, sizeof(*n));
    struct pg_order order = {
        .at = pg_node(node), .peer = b->primary, .done = on_node, .user = n};

    n->boot = b;
    n->node = node;
    node->db.copy.generation = 1;
    node->db.copy.rows = PG_FIRST_ROWS;
    order.steps = !b->primary || !node->up || node->spare ? pg_first_steps
                  : node == b->primary                    ? pg_lead_steps
                                                          : pg_trail_steps;
    b->open++;
    pg_job_add(&order);
}

static void start_nodes(struct pg_boot *b)
{
    struct lab_cluster *c = b->cluster;

    c->acked = PG_FIRST_ROWS;
    b->open = 1; /* so that it does not end while nodes are added */
    for (size_t i = 0; i < c->n_nodes; i++)
        if (c->nodes[i]->roles & LAB_DATABASE)
            start_node(b, c->nodes[i]);
    one_less(b, NULL, NULL);
}

static void on_template(void *user, const struct err *why)
{
    struct engine *e = user;

    e->has_template = why == NULL;
    while (e->boots) {
        struct pg_boot *b = e->boots;
        e->boots = b->next;
        if (why) {
            b->open = 1;
            one_less(b, "initdb", why);
        } else {
            start_nodes(b);
        }
    }
}

void pg_bootstrap(struct engine *e, struct lab_cluster *cluster,
                  struct lab_node *primary, engine_done_f *done, void *user)
{
    struct pg_boot *b = lab_calloc(1, sizeof(*b));
    struct pg_order order = {.at = &e->template,
                             .steps = pg_template_steps,
                             .done = on_template,
                             .user = e};

    b->engine = e;
    b->cluster = cluster;
    b->primary = primary;
    b->done = done;
    b->user = user;
    if (e->has_template) {
        start_nodes(b);
        return;
    }
    b->next = e->boots;
    e->boots = b;
    if (!e->template.jobs)
        pg_job_add(&order);
}
