/* SPDX-License-Identifier: Apache-2.0
 *
 * From a forecast to keys: how many each cluster needs, and the pool.
 */
#include "cli/spares.h"

#include <stdlib.h>
#include <string.h>

#include "cli/forecast.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/spare.h"

enum {
    AT_ONCE_MOST = 16,
    MARGIN_S = 30,   /* before a window opens */
    LONGEST_S = 3000 /* then the next pass goes on */
};

struct order { /* keys of one cluster */
    const struct cluster *cluster;
    struct spare spare;
    struct secret *passphrase;
    size_t wanted, missing, made;
};

struct spares;
struct worker {
    struct spares *spares;
    struct order *order;
    uv_work_t work;
    int rc;
    struct err err;
};

struct spares {
    struct renew renew; /* of its own: the forecast's */
    struct session *session;
    struct order *orders;
    size_t n;
    struct worker workers[AT_ONCE_MOST];
    size_t at_work;
    bool stop, done;
    int64_t until; /* seconds */
};

/* -- what is needed -------------------------------------------------------- */

static size_t count_keys(struct plan_cluster *pc)
{
    size_t n = 0;

    for (size_t part = 0; part <= pc->n_nodes; part++) {
        const struct file_set *set = plan_part(pc, part);

        for (size_t i = 0; i < set->n; i++)
            n += set->files[i].secret;
    }
    return n;
}

static struct order *order_of(struct spares *s, const struct cluster *cluster,
                              const char *kind)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->orders[i].cluster == cluster)
            return strcmp(s->orders[i].spare.kind, kind) == 0 ? &s->orders[i]
                                                              : NULL;
    s->orders[s->n].cluster = cluster;
    s->orders[s->n].spare = (struct spare){
        .state_dir = s->renew.app->inventory->state_dir,
        .cluster = cluster->name,
        .kind = kind,
    };
    return &s->orders[s->n++];
}

/* The plan says which files the set has, before any packet. */
static void order_task(struct spares *s, const struct cast_row *row,
                       const struct campaign_task *task)
{
    static const char *const none[] = {NULL};
    struct cluster *cluster =
        s->renew.app->inventory->clusters[row->cluster->index];
    const struct plan_request request = {
        .inventory = s->renew.app->inventory,
        .playbook = task->playbook,
        .target = cluster->name,
        .clusters = &cluster,
        .n_clusters = 1,
        .inputs = task->inputs ? task->inputs : none,
    };
    struct plan *plan = plan_new(&request, NULL);
    const struct issuer *issuer = plan ? plan_issuer(&plan->clusters[0]) : NULL;
    struct order *order = NULL;

    if (issuer && issuer->kind != ISSUER_APPLIANCE &&
        spare_is_of_use(issuer->key))
        order = order_of(s, cluster, issuer->key);
    if (order) {
        order->wanted += count_keys(&plan->clusters[0]);
        if (order->wanted > SPARE_MOST)
            order->wanted = SPARE_MOST;
    }
    plan_free(plan);
}

static void take_forecast(struct spares *s, const struct forecast *forecast)
{
    int64_t now = s->renew.now;

    s->orders =
        arena_alloc(&s->renew.arena, (forecast->n + 1) * sizeof(*s->orders));
    s->until = now + LONGEST_S;
    for (size_t i = 0; i < forecast->n; i++) {
        const struct cast_row *row = &forecast->rows[i];

        if (row->state != CAST_BEGINS || row->begins <= now)
            continue;
        if (row->begins - MARGIN_S < s->until)
            s->until = row->begins - MARGIN_S;
        for (size_t t = 0;
             row->begins <= now + SPARES_AHEAD_S && t < row->n_tasks; t++)
            order_task(s, row, &row->tasks[t]);
    }
}

/* A person who would have to be asked is not there. */
static bool read_passphrase(struct spares *s, struct order *order)
{
    const char *ref = order->cluster->key_passphrase;
    struct err err = {.cause = CAUSE_NONE};

    if (!ref)
        return true;
    if (strncmp(ref, "prompt", 6) == 0)
        return false;
    order->passphrase = secret_ref_read(s->session->secrets, ref,
                                        s->renew.app->inventory->folder,
                                        "key_passphrase", &err);
    order->spare.passphrase = order->passphrase;
    if (!order->passphrase)
        log_info("no keys are made ahead for %s: %s", order->cluster->name,
                 err.text);
    return order->passphrase != NULL;
}

static bool is_wanted(void *user, const char *cluster)
{
    const struct spares *s = user;

    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->orders[i].cluster->name, cluster) == 0)
            return true;
    return false;
}

static void tidy(struct spares *s)
{
    spare_tidy_others(s->renew.app->inventory->state_dir, is_wanted, s);
    for (size_t i = 0; i < s->n; i++) {
        struct order *order = &s->orders[i];
        size_t there = spare_tidy(&order->spare, order->wanted);

        if (there < order->wanted && read_passphrase(s, order))
            order->missing = order->wanted - there;
    }
}

/* -- made ------------------------------------------------------------------ */

static void begin_next(struct spares *s);

static void work(uv_work_t *req)
{
    struct worker *w = req->data;

    w->rc = spare_make(&w->order->spare, &w->err);
}

static void on_made(uv_work_t *req, int status)
{
    struct worker *w = req->data;
    struct spares *s = w->spares;

    if (status == 0 && w->rc == 0) {
        w->order->made++;
    } else {
        log_warn("a key made ahead for %s cannot be kept: %s",
                 w->order->cluster->name, w->err.text);
        s->stop = true;
    }
    w->order = NULL;
    s->at_work--;
    begin_next(s);
}

static struct order *next_order(struct spares *s)
{
    if (s->stop || clock_wall_ms() / 1000 >= s->until)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        if (s->orders[i].missing) {
            s->orders[i].missing--;
            return &s->orders[i];
        }
    return NULL;
}

static void begin_next(struct spares *s)
{
    size_t most = uv_available_parallelism();

    for (size_t i = 0; i < AT_ONCE_MOST && i < most; i++) {
        struct worker *w = &s->workers[i];

        if (w->order || !(w->order = next_order(s)))
            continue;
        w->spares = s;
        w->work.data = w;
        s->at_work++;
        uv_queue_work(&s->session->loop, &w->work, work, on_made);
    }
    s->done = s->at_work == 0;
}

static void on_signal(void *user)
{
    struct spares *s = user;

    s->stop = true;
}

static void make_all(struct spares *s)
{
    s->session->on_signal = on_signal;
    s->session->user = s;
    begin_next(s);
    session_turn(s->session, &s->done);
    s->session->on_signal = NULL;
    s->session->user = NULL;
}

static void tell(const struct spares *s)
{
    struct out *out = &s->renew.app->out;

    for (size_t i = 0; i < s->n; i++) {
        const struct order *order = &s->orders[i];
        json_t *event;

        secret_free(order->passphrase);
        if (!order->made)
            continue;
        event = app_event("keys-ahead");
        json_object_set_new(event, "cluster", app_text(order->cluster->name));
        json_object_set_new(event, "kind", app_text(order->spare.kind));
        json_object_set_new(event, "keys",
                            json_integer((json_int_t)order->made));
        out_json(out, event);
        out_say(out, "%s: %zu key%s %s made ahead of its window\n",
                order->cluster->name, order->made, order->made == 1 ? "" : "s",
                order->spare.kind);
    }
}

void spares_fill(struct renew *renew, struct session *session)
{
    struct spares *s = calloc(1, sizeof(*s));
    struct err err = {.cause = CAUSE_NONE};
    struct forecast forecast;

    if (!s)
        abort();
    s->session = session;
    s->renew = (struct renew){.app = renew->app,
                              .settings = renew->settings,
                              .target = renew->target,
                              .now = clock_wall_ms() / 1000};
    arena_init(&s->renew.arena);
    if (session->n_signals == 0 &&
        forecast_make(&s->renew, &forecast, &err) == 0) {
        take_forecast(s, &forecast);
        tidy(s);
        make_all(s);
        tell(s);
    } else if (err.cause) {
        log_info("no keys are made ahead: %s", err.text);
    }
    arena_release(&s->renew.arena);
    free(s);
}
