/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: rows of steps on one node, one job at a time, each ending once.
 *
 * A step starts something and returns; what it started calls one of
 * pg_job_next, pg_job_fail.  Knows no step and no SQL.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/lab/pg_priv.h"

enum {
    POLL_MS = 10
};

static void start_first(struct pg_node *at);

static void on_timer_closed(uv_handle_t *handle)
{
    struct pg_job *job = handle->data;

    job->at->engine->handles--;
    free(job);
}

static void end(struct pg_job *job)
{
    struct pg_node *at = job->at;
    struct pg_job **p = &at->jobs;

    while (*p != job)
        p = &(*p)->next;
    *p = job->next;
    if (job->done)
        job->done(job->user, job->has_failed ? &job->why : NULL);
    uv_close((uv_handle_t *)&job->timer, on_timer_closed);
    start_first(at);
}

void pg_job_next(struct pg_job *job)
{
    pg_step_f *step = *job->steps;

    uv_timer_stop(&job->timer);
    job->check = NULL;
    if (!step) {
        end(job);
        return;
    }
    job->steps++;
    step(job);
}

static void turn(struct pg_job *job)
{
    if (job->otherwise) {
        job->steps = job->otherwise;
        job->otherwise = NULL;
        if (job->forgives)
            job->has_failed = false;
        pg_job_next(job);
    } else {
        end(job);
    }
}

void pg_job_refuse(struct pg_job *job, const struct err *why)
{
    uv_timer_stop(&job->timer);
    job->check = NULL;
    if (!job->has_failed)
        job->why = *why;
    job->has_failed = true;
    turn(job);
}

void pg_job_fail(struct pg_job *job, const char *fmt, ...)
{
    struct err why;
    char text[sizeof(why.text)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_set(&why, CAUSE_REMOTE, "%s", text);
    pg_job_refuse(job, &why);
}

/* -- waiting --------------------------------------------------------------- */

static void on_poll(uv_timer_t *timer)
{
    struct pg_job *job = timer->data;
    int met = job->check(job);

    if (met > 0)
        pg_job_next(job);
    else if (met == 0 && clock_mono_ms() >= job->until)
        pg_job_fail(job, "%s: no end within the time allowed", job->awaited);
}

void pg_job_await(struct pg_job *job, pg_check_f *check, unsigned ms,
                  const char *what)
{
    job->check = check;
    job->awaited = what;
    job->until = clock_mono_ms() + ms;
    uv_timer_start(&job->timer, on_poll, 0, POLL_MS);
}

/* -- children -------------------------------------------------------------- */

static void on_child(struct pg_proc *proc, void *user, int code)
{
    struct pg_job *job = user;
    char text[512];

    job->child = NULL;
    if (code == 0) {
        if (job->on_output)
            job->on_output(job, pg_proc_output(proc));
        job->on_output = NULL;
        pg_job_next(job);
        return;
    }
    pg_proc_complaint(proc, text, sizeof(text));
    pg_job_fail(job, "%s", *text ? text : "killed");
}

static void on_overdue(uv_timer_t *timer)
{
    struct pg_job *job = timer->data;

    if (job->child)
        pg_proc_kill(job->child, SIGKILL);
}

void pg_job_run(struct pg_job *job, const char *program,
                const char *const *args)
{
    struct pg_spawn how = {.program = program,
                           .has_input = job->input != NULL,
                           .on_exit = on_child,
                           .user = job};
    struct err why;

    for (size_t i = 0; i < PG_ARGS - 1 && args[i]; i++)
        how.args[i] = args[i];
    job->child = pg_proc_start(job->at->engine, &how, &why);
    if (!job->child) {
        pg_job_refuse(job, &why);
        return;
    }
    if (job->input)
        pg_proc_finish(job->child, job->input);
    job->input = NULL;
    uv_timer_start(&job->timer, on_overdue, PG_JOB_MS, 0);
}

/* -- beginning and breaking off -------------------------------------------- */

static void on_begin(uv_timer_t *timer)
{
    pg_job_next(timer->data);
}

static void start_first(struct pg_node *at)
{
    if (!at->jobs || at->jobs->is_started)
        return;
    at->jobs->is_started = true;
    uv_timer_start(&at->jobs->timer, on_begin, 0, 0);
}

/* No further step; it ends with what runs, or at its turn. */
static void break_off(struct pg_job *job)
{
    static pg_step_f *const nothing[] = {NULL};

    if (!job->has_failed)
        err_set(&job->why, CAUSE_LOST, "power lost");
    job->has_failed = true;
    job->steps = nothing;
    job->otherwise = NULL;
}

void pg_job_add(const struct pg_order *order)
{
    struct pg_job *job = lab_calloc(1, sizeof(*job));
    struct pg_job **p = &order->at->jobs;
    struct engine *e = order->at->engine;

    job->at = order->at;
    job->peer = order->peer;
    job->steps = order->steps;
    job->otherwise = order->otherwise;
    job->forgives = order->forgives;
    job->done = order->done;
    job->user = order->user;
    uv_timer_init(e->lab->loop, &job->timer);
    job->timer.data = job;
    e->handles++;
    while (*p)
        p = &(*p)->next;
    *p = job;
    if (e->ending)
        break_off(job);
    start_first(order->at);
}

static int is_lost(struct pg_job *job)
{
    pg_job_next(job);
    return -1;
}

/* What waits for a child or a console ends with it: both are killed. */
void pg_job_abort_all(struct pg_node *at)
{
    for (struct pg_job *job = at->jobs; job; job = job->next) {
        break_off(job);
        if (job->child)
            pg_proc_kill(job->child, SIGKILL);
        else if (job->check)
            job->check = is_lost;
    }
}
