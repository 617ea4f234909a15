/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices as JSON.
 */
#include "cli/run_notices.h"

#include "core/base/clock.h"

enum {
    SECONDS_A_DAY = 86400
};

void run_notices_open(struct run_notices *notices, struct session *session)
{
    const struct inventory *inv = session->app->inventory;

    *notices = (struct run_notices){.session = session};
    if (inv->notify)
        notices->notify =
            notify_new(&session->loop, inv->state_dir, inv->notify);
}

void run_notices_close(struct run_notices *notices)
{
    notify_free(notices->notify);
    notices->notify = NULL;
}

/* -- delivery, while the work goes on ---------------------------------------
 */

static void kick(struct run_notices *notices);

static void on_delivered(void *user, size_t left, const struct err *err)
{
    struct run_notices *notices = user;

    notices->busy = false;
    if (err) {
        notices->deaf = true; /* once more at the very end, and next time */
        notices->left = left;
        notices->err = *err;
    } else if (notices->more) {
        kick(notices);
    }
}

static void kick(struct run_notices *notices)
{
    notices->more = true;
    if (notices->busy || notices->deaf)
        return;
    notices->more = false;
    notices->busy = true;
    notify_deliver(notices->notify, on_delivered, notices);
}

static void turn(struct run_notices *notices)
{
    while (notices->busy)
        uv_run(&notices->session->loop, UV_RUN_ONCE);
}

void run_notices_deliver(struct run_notices *notices)
{
    struct out *out = &notices->session->app->out;

    if (!notices->notify)
        return;
    turn(notices);
    notices->deaf = false;
    kick(notices);
    turn(notices);
    if (notices->deaf)
        out_warn(out,
                 "certfleet: %zu notice%s not taken, and will be told again: "
                 "%s\n",
                 notices->left, notices->left == 1 ? " was" : "s were",
                 notices->err.text);
}

/* -- notices ----------------------------------------------------------------
 */

/* What cannot be written down is told here; the work goes on. */
static void put(struct run_notices *notices, json_t *notice)
{
    struct err err = {.cause = CAUSE_NONE};

    if (notify_put(notices->notify, notice, &err) < 0)
        out_error(&notices->session->app->out, err.text);
    else
        kick(notices);
}

void run_notices_cert(void *user, const char *cluster, const char *node,
                      const struct cert_row *row)
{
    struct run_notices *notices = user;
    struct err err = {.cause = CAUSE_NONE};
    int64_t left = row->info.not_after - clock_wall_ms() / 1000;
    long long days = left < 0 ? -1 : left / SECONDS_A_DAY;
    json_t *notice;
    bool due;
    int mark;

    if (!notices->notify)
        return;
    if (notify_mark(notices->notify, row->info.sha256, days, &due, &mark,
                    &err) < 0)
        out_error(&notices->session->app->out, err.text);
    else if (due) {
        notice = app_event("expiring");
        json_object_set_new(notice, "cluster", app_text(cluster));
        json_object_set_new(notice, "node", app_text(node));
        json_object_set_new(notice, "service", app_text(row->service));
        json_object_set_new(notice, "file", app_text(row->file));
        json_object_set_new(notice, "sha256", app_text(row->info.sha256));
        json_object_set_new(notice, "not_after", app_time(row->info.not_after));
        json_object_set_new(notice, "days_left", json_integer(days));
        json_object_set_new(notice, "mark", json_integer(mark));
        put(notices, notice);
    }
}

void run_notices_begin(void *user, const struct campaign_cluster *c,
                       size_t task)
{
    struct run_notices *notices = user;
    json_t *notice;

    if (!notices->notify)
        return;
    notice = app_event("started");
    json_object_set_new(notice, "cluster", app_text(c->cluster->name));
    json_object_set_new(notice, "playbook",
                        json_string(c->tasks[task].playbook->id));
    put(notices, notice);
}

void run_notices_task(void *user, const struct campaign_cluster *c, size_t task,
                      const struct run_result *result)
{
    struct run_notices *notices = user;
    json_t *notice;

    if (!notices->notify)
        return;
    notice = app_event(outcome_word(result->outcome));
    json_object_set_new(notice, "cluster", app_text(c->cluster->name));
    json_object_set_new(notice, "playbook",
                        json_string(c->tasks[task].playbook->id));
    json_object_set_new(notice, "run", app_text(result->run));
    json_object_set_new(notice, "next", app_text(result->next));
    if (*c->tasks[task].why)
        json_object_set_new(notice, "detail", app_text(c->tasks[task].why));
    put(notices, notice);
}

void run_notices_resumed(struct run_notices *notices, const char *run,
                         const char *clusters, const char *outcome)
{
    json_t *notice;

    if (!notices->notify)
        return;
    notice = app_event(outcome);
    json_object_set_new(notice, "run", app_text(run));
    json_object_set_new(notice, "clusters",
                        json_loads(clusters ? clusters : "[]", 0, NULL));
    json_object_set_new(notice, "detail", json_string("resumed"));
    put(notices, notice);
}
