/* SPDX-License-Identifier: Apache-2.0
 *
 * A fleet's renewal before it begins: who is due, whose turn comes when.
 */
#include <stdio.h>
#include <time.h>

#include "cli/console_model.h"
#include "cli/renew.h"
#include "cli/table.h"
#include "cli/windows_view.h"
#include "core/fleet/window.h"

enum {
    SECONDS_A_DAY = 86400,
    CELL_BYTES = 1024
};

const char *renew_left_word(enum pace_answer answer)
{
    switch (answer) {
    case PACE_CLOSED:
        return "its window is not open";
    case PACE_SHORT:
        return "its window closes before it could finish and go back";
    case PACE_HALT:
        return "others failed, or it was stopped";
    case PACE_ONE_WAY:
        return "there is no way back, and nobody was there to be asked: look "
               "at its plan and apply it by hand";
    case PACE_HELD:
        return "another run has it, or has changed it since it was looked at";
    case PACE_GO:
    case PACE_NOT_YET:
    case PACE_SETTLE:
        break;
    }
    return "";
}

bool renew_is_alarm(const struct renew *renew, const struct renew_cluster *c)
{
    if (c->by_hand || c->kind == RENEW_UNREACHABLE ||
        (c->kind == RENEW_HELD && !c->held_alive) ||
        c->kind == RENEW_UNAPPROVED || c->left == PACE_ONE_WAY)
        return true;
    if (c->kind == RENEW_HELD || c->left == PACE_HELD)
        return false; /* others see to it */
    if (c->kind == RENEW_NOT_DUE || c->pace.state == PACE_DONE)
        return false;
    if (c->due <= renew->now)
        return true;
    return c->pace.closes != 0 &&
           (c->next_opens == 0 || c->due <= c->next_opens);
}

/* -- one cluster in words -------------------------------------------------- */

static void add_tasks(struct str *out, const struct renew_cluster *c)
{
    for (size_t i = 0; i < c->n_tasks; i++)
        str_addf(out, "%s%s%s%s", i ? "; " : "", c->tasks[i].playbook->id,
                 c->tasks[i].inputs ? " " : "",
                 c->tasks[i].inputs ? c->tasks[i].inputs[0] : "");
}

static void add_turn(struct str *out, const struct renew *renew, size_t i)
{
    const struct renew_cluster *c = &renew->clusters[i];
    size_t first = 0;

    while (first < renew->n_due && renew->clusters[first].canary)
        first++;
    if (c->kind == RENEW_UNREACHABLE)
        str_add(out, "UNREACHABLE");
    else if (c->kind == RENEW_HELD)
        str_add(out, "HELD");
    else if (c->kind == RENEW_UNAPPROVED)
        str_add(out, "to approve");
    else if (c->kind == RENEW_NOT_DUE)
        str_add(out, "not due");
    else if (c->canary)
        str_add(out, "canary");
    else if (renew->pace.batch)
        str_addf(out, "batch %zu", (i - first) / renew->pace.batch + 1);
    else
        str_add(out, "due");
}

void renew_add_clock(struct str *out, const struct windows *windows, int64_t at)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
                                       "Thu", "Fri", "Sat"};
    struct window_clock c;

    if (windows)
        windows_clock(windows, at, &c);
    else
        windows_utc_clock(at, &c);
    str_addf(out, "%s %04d-%02d-%02d %02d:%02d %s", days[c.weekday], c.year,
             c.month, c.day, c.hour, c.minute, windows ? c.zone : "UTC");
}

static void add_clock(struct str *out, const char *word,
                      const struct windows *windows, int64_t at)
{
    str_addf(out, "%s%s ", out->len ? "; " : "", word);
    renew_add_clock(out, windows, at);
}

static void add_window(struct str *out, const struct renew *renew,
                       const struct renew_cluster *c)
{
    const char *sep = out->len ? "; " : "";

    if (c->pace.closes == 0)
        return;
    if (c->pace.opens == INT64_MAX)
        str_addf(out, "%sno window in a year", sep);
    else if (renew->now < c->pace.opens)
        add_clock(out, "window opens", c->cluster->windows, c->pace.opens);
    else if (pace_fits(c->pace.need_s, c->pace.closes, renew->now))
        add_clock(out, "window until", c->cluster->windows, c->pace.closes);
    else
        add_clock(out, "too short: window until", c->cluster->windows,
                  c->pace.closes);
}

static void add_time(struct str *out, const struct renew *renew,
                     const struct renew_cluster *c)
{
    if (c->kind != RENEW_DUE)
        return;
    if (c->pace.need_s) {
        str_add(out, "with its way back ");
        model_duration(out, c->pace.need_s * 1000);
    }
    add_window(out, renew, c);
}

static void add_row(struct table *table, const struct renew *renew, size_t i)
{
    const struct renew_cluster *c = &renew->clusters[i];
    struct str turn, tasks, time;
    char days[32] = "-";

    str_init(&turn, CELL_BYTES);
    str_init(&tasks, CELL_BYTES);
    str_init(&time, CELL_BYTES);
    add_turn(&turn, renew, i);
    add_tasks(&tasks, c);
    add_time(&time, renew, c);
    if (c->due)
        snprintf(days, sizeof(days), "%lld",
                 (long long)(c->due - renew->now) / SECONDS_A_DAY);
    table_add(table,
              (const char *const[]){str_text(&turn), c->cluster->name, days,
                                    str_text(&tasks), str_text(&time)});
    str_release(&turn);
    str_release(&tasks);
    str_release(&time);
}

static void warn_alarms(const struct renew *renew)
{
    for (size_t i = 0; i < renew->n; i++) {
        const struct renew_cluster *c = &renew->clusters[i];

        if (*c->why)
            out_warn(&renew->app->out, "warning: %s: %s\n", c->cluster->name,
                     c->why);
    }
}

static void show_table(const struct renew *renew)
{
    static const char *const heads[] = {"turn", "cluster", "days",
                                        "what", "time",    NULL};
    struct table table;

    table_init(&table, heads);
    for (size_t i = 0; i < renew->n; i++)
        add_row(&table, renew, i);
    table_say(&table, &renew->app->out);
    table_release(&table);
    warn_alarms(renew);
    out_say(&renew->app->out, "%zu of %zu cluster%s due\n", renew->n_due,
            renew->n, renew->n == 1 ? "" : "s");
}

/* -- for programs -----------------------------------------------------------
 */

static json_t *cluster_json(const struct renew *renew, size_t i)
{
    const struct renew_cluster *c = &renew->clusters[i];
    json_t *tasks = json_array();
    struct str turn;
    json_t *json;

    str_init(&turn, CELL_BYTES);
    add_turn(&turn, renew, i);
    for (size_t t = 0; t < c->n_tasks; t++)
        json_array_append_new(
            tasks,
            json_pack("{s:s, s:s?}", "playbook", c->tasks[t].playbook->id,
                      "input",
                      c->tasks[t].inputs ? c->tasks[t].inputs[0] : NULL));
    json =
        json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "cluster",
                  app_text(c->cluster->name), "turn", str_text(&turn), "due",
                  app_time(c->due), "tasks", tasks, "need_s",
                  c->pace.need_s ? json_integer(c->pace.need_s) : json_null(),
                  "window_opens", app_time(c->pace.opens), "window_closes",
                  app_time(c->pace.closes));
    if (*c->why)
        json_object_set_new(json, "detail", app_text(c->why));
    str_release(&turn);
    return json;
}

static void show_json(const struct renew *renew)
{
    json_t *event = app_event("plan"), *clusters = json_array();

    for (size_t i = 0; i < renew->n; i++)
        json_array_append_new(clusters, cluster_json(renew, i));
    json_object_set_new(event, "playbook", json_string(RENEW_ID));
    json_object_set_new(event, "clusters", clusters);
    out_json(&renew->app->out, event);
}

void renew_show(const struct renew *renew)
{
    if (renew->app->out.json)
        show_json(renew);
    else
        show_table(renew);
}
