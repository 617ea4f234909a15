/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a fleet is due, which playbooks renew it, in what order, and how long
 * it takes: from every node's certificates and from the runs before.
 */
#include "cli/renew.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reading.h"
#include "cli/scan.h"
#include "core/base/clock.h"
#include "core/fleet/suggest.h"
#include "core/fleet/window.h"
#include "playbooks/registry.h"

enum {
    SECONDS_A_DAY = 86400
};

/* What is gathered while one node is looked at. */
struct look {
    struct renew *renew;
    struct renew_cluster *c;
    const char *node;
};

struct reader { /* and what is kept of the nodes for others */
    struct renew *renew;
    struct reading reading;
};

static struct renew_cluster *find(struct renew *renew, const char *name)
{
    for (size_t i = 0; i < renew->n; i++)
        if (strcmp(renew->clusters[i].cluster->name, name) == 0)
            return &renew->clusters[i];
    return NULL;
}

/* -- certificates --------------------------------------------------------- */

static bool is_due(const struct renew *renew, const struct pki_cert_info *info)
{
    const struct renew_settings *s = &renew->settings;
    int64_t left = info->not_after - renew->now;

    if (s->due_share)
        return left * 100 <=
               (info->not_after - info->not_before) * (int64_t)s->due_share;
    return left <= (int64_t)s->due_days * SECONDS_A_DAY;
}

static struct campaign_task *task_of(struct renew_cluster *c,
                                     const struct playbook *playbook)
{
    for (size_t i = 0; i < c->n_tasks; i++)
        if (c->tasks[i].playbook == playbook)
            return &c->tasks[i];
    if (c->n_tasks == CAMPAIGN_TASKS_MAX)
        return NULL;
    c->tasks[c->n_tasks].playbook = playbook;
    return &c->tasks[c->n_tasks++];
}

static bool has_value(const char *list, const char *value)
{
    size_t len = strlen(value);

    for (const char *p = strchr(list, '=') + 1; *p; p += *p == ',') {
        size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, value, n) == 0)
            return true;
        p += n;
    }
    return false;
}

/* "service=callbridge,webadmin": one input, each value once. */
static void add_input(struct renew *renew, struct campaign_task *task,
                      const struct cert_row *row)
{
    const char *old = task->inputs ? task->inputs[0] : NULL;
    const char **inputs;

    if (!row->input_key || (old && has_value(old, row->input_value)))
        return;
    inputs = arena_alloc(&renew->arena, 2 * sizeof(*inputs));
    inputs[0] =
        old ? arena_printf(&renew->arena, "%s,%s", old, row->input_value)
            : arena_printf(&renew->arena, "%s=%s", row->input_key,
                           row->input_value);
    task->inputs = inputs;
}

static void note_by_hand(struct renew_cluster *c, const char *node,
                         const struct cert_row *row)
{
    if (c->by_hand)
        return;
    c->by_hand = true;
    snprintf(c->why, sizeof(c->why),
             "%s on %s (%s): not begun by fleet/renew: by its own "
             "playbook, or by its issuer",
             row->service, node, row->file);
}

void renew_offer(struct renew *renew, struct renew_cluster *c, const char *node,
                 const struct cert_row *row)
{
    bool due = is_due(renew, &row->info);
    const struct playbook *playbook;
    struct campaign_task *task;

    if (!row->playbook) {
        if (due)
            note_by_hand(c, node, row);
        return;
    }
    if (!c->due || row->info.not_after < c->due)
        c->due = row->info.not_after;
    if (!due)
        return;
    playbook = registry_playbook(row->playbook);
    task = playbook ? task_of(c, playbook) : NULL;
    if (!task)
        return;
    if (c->kind == RENEW_NOT_DUE)
        c->kind = RENEW_DUE;
    add_input(renew, task, row);
}

static void on_cert(void *user, const struct cert_row *row)
{
    const struct look *look = user;

    if (look->renew->on_cert)
        look->renew->on_cert(look->renew->user, look->c->cluster->name,
                             look->node, row);
    renew_offer(look->renew, look->c, look->node, row);
}

static void on_node(void *user, const struct view *view)
{
    struct reader *reader = user;
    struct renew *renew = reader->renew;
    const struct plan_node *pn = &view->plan->nodes[view->node];
    struct look look = {renew, find(renew, view->plan->cluster->name),
                        pn->node->name};

    if (!look.c)
        return;
    reading_take(&reader->reading, view);
    if (pn->facts->unreachable) {
        look.c->kind = RENEW_UNREACHABLE;
        snprintf(look.c->why, sizeof(look.c->why), "%s", pn->facts->err.text);
        return;
    }
    view->plan->plan->playbook->product->certificates(view, on_cert, &look);
}

/* -- the runs before ------------------------------------------------------- */

static void note_holder(struct renew_cluster *c, const struct store_run *run)
{
    if (!run->holds || c->kind == RENEW_HELD)
        return;
    c->kind = RENEW_HELD;
    c->held_alive = run->living;
    snprintf(c->held_by, sizeof(c->held_by), "%s", run->id);
    snprintf(c->why, sizeof(c->why), "run %s %s", run->id,
             run->living ? "is at work on it"
                         : "did not end: resume it, or roll it back");
}

/* Of a playbook that is due: the newest that went well. */
static void note_time(struct renew_cluster *c, const struct store_run *run)
{
    if (!run->outcome || strcmp(run->outcome, "done") != 0 || !run->ended_ms)
        return;
    for (size_t i = 0; i < c->n_tasks; i++)
        if (c->took_ms[i] == 0 &&
            strcmp(run->playbook, c->tasks[i].playbook->id) == 0)
            c->took_ms[i] = run->ended_ms - run->started_ms;
}

/* Newest first.  How long a cluster takes is told by runs that had it alone. */
void renew_note_run(struct renew *renew, const struct store_run *run)
{
    json_t *list = run->clusters ? json_loads(run->clusters, 0, NULL) : NULL;
    json_t *name;
    size_t i;

    json_array_foreach(list, i, name)
    {
        struct renew_cluster *c =
            json_is_string(name) ? find(renew, json_string_value(name)) : NULL;

        if (!c)
            continue;
        note_holder(c, run);
        if (json_array_size(list) == 1)
            note_time(c, run);
    }
    json_decref(list);
}

static bool on_run(void *user, const struct store_run *run)
{
    renew_note_run(user, run);
    return true;
}

/* There and back take as long as there took; a task that nobody has measured
 * leaves the whole to the playbook's estimate (0). */
static void add_times(struct renew_cluster *c)
{
    int64_t sum = 0;

    for (size_t i = 0; i < c->n_tasks; i++) {
        if (c->took_ms[i] == 0)
            return;
        sum += c->took_ms[i];
    }
    c->pace.need_s = (2 * sum + 999) / 1000;
}

/* -- order ---------------------------------------------------------------- */

static int by_turn(const void *a, const void *b)
{
    const struct renew_cluster *x = a, *y = b;

    if ((x->kind == RENEW_NOT_DUE) != (y->kind == RENEW_NOT_DUE))
        return x->kind == RENEW_NOT_DUE ? 1 : -1;
    if (x->canary != y->canary)
        return x->canary ? -1 : 1;
    if (x->due != y->due)
        return x->due < y->due ? -1 : 1;
    return x->cluster->index < y->cluster->index ? -1 : 1;
}

static int name_canary(struct renew *renew, const char *word, size_t len,
                       struct err *err)
{
    const char *name = arena_strndup(&renew->arena, word, len);
    struct renew_cluster *c = find(renew, name);
    struct suggest near;

    if (c) {
        c->canary = c->pace.canary = true;
        return 0;
    }
    suggest_start(&near, name);
    for (size_t i = 0; i < renew->n; i++)
        suggest_offer(&near, renew->clusters[i].cluster->name);
    return suggest_fail(&near, "canary: no cluster of the target is called",
                        err);
}

static int name_canaries(struct renew *renew, struct err *err)
{
    const char *p = renew->settings.canary;

    while (p && *p) {
        size_t len = strcspn(p, ",");
        if (name_canary(renew, p, len, err) < 0)
            return -1;
        p += len + (p[len] == ',');
    }
    return 0;
}

/* -- all of it ------------------------------------------------------------ */

int renew_list(struct renew *renew, struct err *err)
{
    renew->n = renew->target.n_clusters;
    renew->clusters =
        arena_alloc(&renew->arena, (renew->n + 1) * sizeof(*renew->clusters));
    for (size_t i = 0; i < renew->n; i++) {
        renew->clusters[i].cluster = renew->target.clusters[i];
        renew->clusters[i].kind = RENEW_NOT_DUE;
    }
    return name_canaries(renew, err);
}

/* This window, or when none is open the next one. */
static void take_window(struct renew *renew, struct renew_cluster *c)
{
    const struct windows *windows = c->cluster->windows;
    struct window_span span, next;

    if (!windows || renew->settings.ignore_windows)
        return;
    if (!windows_next(windows, renew->now, &span)) {
        c->pace.opens = c->pace.closes = INT64_MAX;
        return;
    }
    c->pace.opens = span.begin;
    c->pace.closes = span.end;
    if (span.begin > renew->now)
        c->next_opens = span.begin;
    else if (windows_next(windows, span.end, &next))
        c->next_opens = next.begin;
}

/* Nobody may sign for people: they plan, approve and apply it themselves. */
static void want_approval(struct renew_cluster *c)
{
    if (c->kind != RENEW_DUE || c->cluster->approvals == 0)
        return;
    c->kind = RENEW_UNAPPROVED;
    snprintf(c->why, sizeof(c->why),
             "it wants %u approval%s: certfleet plan %s %s%s%s -o FILE, "
             "approve FILE, apply --plan FILE",
             c->cluster->approvals, c->cluster->approvals == 1 ? "" : "s",
             c->tasks[0].playbook->id, c->cluster->name,
             c->tasks[0].inputs ? " " : "",
             c->tasks[0].inputs ? c->tasks[0].inputs[0] : "");
}

static enum pace_state first_state(const struct renew_cluster *c)
{
    switch (c->kind) {
    case RENEW_DUE:
        return PACE_WAITING;
    case RENEW_UNAPPROVED:
        return PACE_LEFT;
    case RENEW_HELD: /* somebody goes on with it, or nobody does */
        return c->held_alive ? PACE_LEFT : PACE_FAILED;
    default:
        return PACE_FAILED;
    }
}

static int set_pace(struct renew *renew, struct err *err)
{
    struct renew_settings *s = &renew->settings;

    for (size_t i = 0; i < renew->n; i++) {
        struct renew_cluster *c = &renew->clusters[i];

        renew->n_due += c->kind != RENEW_NOT_DUE;
        c->pace.state = first_state(c);
        take_window(renew, c);
    }
    renew->pace.max_clusters = s->max_clusters;
    renew->pace.settle_s = s->settle_s;
    if (pace_share(s->batch, renew->n_due, &renew->pace.batch, err) < 0)
        return -1;
    return pace_share(s->max_failures, renew->n_due, &renew->pace.max_failures,
                      err);
}

int renew_decide(struct renew *renew, struct err *err)
{
    for (size_t i = 0; i < renew->n; i++) {
        add_times(&renew->clusters[i]);
        want_approval(&renew->clusters[i]);
    }
    qsort(renew->clusters, renew->n, sizeof(*renew->clusters), by_turn);
    return set_pace(renew, err);
}

int renew_look(struct renew *renew, struct session *session)
{
    struct reader reader = {.renew = renew};
    const struct scan_options options = {
        .target = &renew->target, .on_node = on_node, .user = &reader};
    struct err err = {.cause = CAUSE_NONE};
    int code;

    if (renew_list(renew, &err) < 0 ||
        store_head(session->store, &renew->seen, &err) < 0)
        return app_fail(renew->app, &err);
    reading_start(&reader.reading, renew->now);
    code = scan_run(session, &options);
    reading_keep(&reader.reading, renew->app->inventory);
    if (code != EXIT_DONE)
        return code;
    if (store_runs(session->store, NULL, on_run, renew, &err) < 0 ||
        renew_decide(renew, &err) < 0)
        return app_fail(renew->app, &err);
    return EXIT_DONE;
}

/* -- afterwards ----------------------------------------------------------- */

static void keep_node(void *user, const struct view *view)
{
    struct reader *reader = user;

    reading_take(&reader->reading, view);
}

static bool was_begun(const struct renew_cluster *c)
{
    for (size_t i = 0; i < c->n_tasks; i++)
        if (c->tasks[i].outcome != OUTCOME_NONE)
            return true;
    return false;
}

void renew_read_again(struct renew *renew, struct session *session)
{
    struct reader reader = {.renew = renew};
    struct target target = {
        .clusters = arena_alloc(&renew->arena,
                                (renew->n + 1) * sizeof(*target.clusters))};
    const struct scan_options options = {
        .target = &target, .on_node = keep_node, .user = &reader};

    for (size_t i = 0; i < renew->n; i++)
        if (was_begun(&renew->clusters[i]))
            target.clusters[target.n_clusters++] = renew->clusters[i].cluster;
    if (target.n_clusters == 0 || session->n_signals)
        return;
    reading_start(&reader.reading, clock_wall_ms() / 1000);
    (void)scan_run(session, &options);
    reading_keep(&reader.reading, renew->app->inventory);
}
