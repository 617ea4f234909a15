/* SPDX-License-Identifier: Apache-2.0
 *
 * The families of the daemon behind those of `check'.
 */
#include "cli/daemon_metrics.h"

#include "cli/fleet_metrics.h"
#include "cli/metrics.h"
#include "cli/reading.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/fleet/window.h"

struct source {
    struct app *app;
    const struct daemon_facts *facts;
    int64_t now;
    const struct run_history *history; /* NULL: it cannot be read */
};

static void fill_started(struct metrics *m, const struct source *from)
{
    metrics_add(m, NULL, from->facts->started);
}

static void fill_running(struct metrics *m, const struct source *from)
{
    metrics_add(m, NULL, from->facts->running);
}

static void fill_began(struct metrics *m, const struct source *from)
{
    if (from->facts->pass_began)
        metrics_add(m, NULL, from->facts->pass_began);
}

static void fill_ended(struct metrics *m, const struct source *from)
{
    if (from->facts->pass_ended)
        metrics_add(m, NULL, from->facts->pass_ended);
}

static void fill_exit(struct metrics *m, const struct source *from)
{
    if (from->facts->pass_ended)
        metrics_add(m, NULL, from->facts->last_exit);
}

static void fill_next(struct metrics *m, const struct source *from)
{
    if (from->facts->next_pass)
        metrics_add(m, NULL, from->facts->next_pass);
}

static void fill_held(struct metrics *m, const struct source *from)
{
    if (from->history)
        metrics_add(m, NULL, (int64_t)from->history->held);
}

/* Of the one that is open, or that opens next. */
static void add_windows(struct metrics *m, const struct source *from, bool ends)
{
    const struct inventory *inv = from->app->inventory;

    for (size_t i = 0; i < inv->n_clusters; i++) {
        const struct cluster *c = inv->clusters[i];
        struct window_span span;

        if (c->windows && windows_next(c->windows, from->now, &span))
            metrics_add(m,
                        (const struct metrics_label[]){{"cluster", c->name},
                                                       {NULL, NULL}},
                        ends ? span.end : span.begin);
    }
}

static void fill_opens(struct metrics *m, const struct source *from)
{
    add_windows(m, from, false);
}

static void fill_closes(struct metrics *m, const struct source *from)
{
    add_windows(m, from, true);
}

/* clang-format off */
static const struct {
    struct metrics_family family;
    void (*fill)(struct metrics *, const struct source *);
} rows[] = {
    {{"certfleet_daemon_start_time_seconds", "gauge",
      "Unix time at which the daemon began."}, fill_started},
    {{"certfleet_daemon_pass_running", "gauge",
      "1 while a pass of run is at work."}, fill_running},
    {{"certfleet_daemon_pass_start_time_seconds", "gauge",
      "Unix time at which the last pass began."}, fill_began},
    {{"certfleet_daemon_pass_end_time_seconds", "gauge",
      "Unix time at which the last pass to end did."}, fill_ended},
    {{"certfleet_daemon_pass_exit_code", "gauge",
      "Its exit code; -1 when a signal ended it."}, fill_exit},
    {{"certfleet_daemon_next_pass_time_seconds", "gauge",
      "Unix time at which the next pass begins; absent while one is at work."},
      fill_next},
    {{"certfleet_clusters_held", "gauge",
      "Clusters that a run holds which has not ended well, or is at work."},
      fill_held},
    {{"certfleet_window_opens_time_seconds", "gauge",
      "Unix time at which the cluster's window opened or opens."}, fill_opens},
    {{"certfleet_window_closes_time_seconds", "gauge",
      "Unix time at which that window closes."}, fill_closes},
};
/* clang-format on */

static void add_daemon(struct source *from, struct str *out)
{
    struct metrics m;

    metrics_init(&m, out);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        metrics_open(&m, &rows[i].family);
        rows[i].fill(&m, from);
    }
    metrics_release(&m);
}

bool daemon_metrics(struct app *app, const struct daemon_facts *facts,
                    struct str *out)
{
    struct source from = {
        .app = app, .facts = facts, .now = clock_wall_ms() / 1000};
    struct fleet_facts fleet = {.now = from.now,
                                .warn_days = app->inventory->warn_days};
    struct err err = {.cause = CAUSE_NONE};
    struct run_history history = {0};
    struct arena arena;

    arena_init(&arena);
    if (reading_load(app->inventory, &arena, &fleet, &err) == 0) {
        if (run_history_read(app->inventory, &arena, &history, &err) == 0)
            from.history = &history;
        fleet_metrics(&fleet, from.history, out);
        add_daemon(&from, out);
    }
    if (err.cause)
        log_warn("/metrics: %s", err.text);
    fleet_release(&fleet);
    arena_release(&arena);
    return out->len > 0;
}
