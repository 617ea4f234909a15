/* SPDX-License-Identifier: Apache-2.0
 *
 * One survey a product, one after the other: a fleet has few products, and
 * each survey already reads all its nodes side by side.
 */
#include "cli/scan.h"
#include "playbooks/registry.h"

#include <string.h>

struct scan {
    struct session *session;
    const struct scan_options *options;
    struct survey *survey;
    struct plan *plan;
    struct playbook reads; /* of a product that has no playbook */
    bool read, settled, closed;
};

/* session->user is the scan while one is under way. */
void scan_go(struct session *session)
{
    struct scan *scan = session->user;

    scan->settled = true;
}

static void on_signal(void *user)
{
    struct scan *scan = user;

    if (scan->survey)
        survey_cancel(scan->survey);
}

static void on_node(void *user, const struct view *view)
{
    struct scan *scan = user;

    scan->options->on_node(scan->options->user, view);
}

static void on_end(void *user)
{
    struct scan *scan = user;

    scan->read = true;
}

static void on_closed(void *user)
{
    struct scan *scan = user;

    scan->closed = true;
}

static int prepare_nothing(struct plan_cluster *pc, struct err *err)
{
    (void)pc;
    (void)err;
    return 0;
}

/* Nodes that are changed by nobody are looked at all the same. */
static const struct playbook *playbook_of(struct scan *scan,
                                          const struct product *product)
{
    for (const struct playbook *const *p = registry_playbooks(); *p; p++)
        if ((*p)->product == product)
            return *p;
    scan->reads = (struct playbook){
        .id = product->name,
        .title = product->title,
        .product = product,
        .prepare = prepare_nothing,
    };
    return &scan->reads;
}

static int start(struct scan *scan, const struct product *product,
                 struct cluster **clusters, size_t n, struct err *err)
{
    const struct target *target = scan->options->target;
    struct survey_options options = {
        .loop = &scan->session->loop,
        .links = scan->session->links,
        .secrets = scan->session->secrets,
        .reads = product->check_reads,
        .on_node = on_node,
        .on_end = on_end,
        .user = scan,
    };

    scan->plan = survey_plan(scan->session->app->inventory,
                             playbook_of(scan, product), clusters, n, err);
    if (!scan->plan)
        return -1;
    scan->survey =
        survey_new(&options, scan->plan, target->n_nodes ? target->nodes : NULL,
                   target->n_nodes, err);
    if (scan->survey)
        survey_start(scan->survey);
    return scan->survey ? 0 : -1;
}

static void settle(struct scan *scan)
{
    const struct scan_options *o = scan->options;

    session_turn(scan->session, &scan->read);
    if (o->on_read && scan->session->n_signals == 0) {
        o->on_read(o->user, scan->survey, scan->plan);
        session_turn(scan->session, &scan->settled);
    }
    survey_free(scan->survey, on_closed, scan);
    session_turn(scan->session, &scan->closed);
}

static int scan_product(struct session *session,
                        const struct scan_options *options,
                        const struct product *product,
                        struct cluster **clusters, size_t n)
{
    struct scan scan = {.session = session, .options = options};
    struct err err = {.cause = CAUSE_NONE};
    int code = EXIT_DONE;

    session->user = &scan;
    session->on_signal = on_signal;
    if (start(&scan, product, clusters, n, &err) < 0)
        code = app_fail(session->app, &err);
    else
        settle(&scan);
    session->on_signal = NULL;
    session->user = NULL;
    plan_free(scan.plan);
    if (code == EXIT_DONE && session->n_signals)
        code = EXIT_INTERRUPTED;
    return code;
}

/* Of the clusters from `from` on those with nodes, of the first's product;
 * they are taken out of the list. */
static size_t take_product(struct cluster **left, size_t *n_left,
                           struct cluster **taken)
{
    const char *product = NULL;
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < *n_left; i++) {
        if (left[i]->n_nodes == 0)
            continue;
        if (!product)
            product = left[i]->product;
        if (strcmp(left[i]->product, product) == 0)
            taken[n++] = left[i];
        else
            left[kept++] = left[i];
    }
    *n_left = kept;
    return n;
}

int scan_run(struct session *session, const struct scan_options *options)
{
    size_t n_left = options->target->n_clusters, n;
    struct arena arena;
    struct cluster **left, **taken;
    int code = EXIT_DONE;

    arena_init(&arena);
    left = arena_alloc(&arena, (n_left + 1) * sizeof(struct cluster *));
    taken = arena_alloc(&arena, (n_left + 1) * sizeof(struct cluster *));
    memcpy(left, options->target->clusters, n_left * sizeof(struct cluster *));
    while (code == EXIT_DONE && (n = take_product(left, &n_left, taken)) > 0)
        code = scan_product(session, options,
                            registry_product(taken[0]->product), taken, n);
    arena_release(&arena);
    return code;
}
