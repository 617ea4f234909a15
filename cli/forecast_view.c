/* SPDX-License-Identifier: Apache-2.0
 *
 * A forecast as a table and as events.
 */
#include "cli/console_model.h"
#include "cli/forecast.h"
#include "cli/table.h"

enum {
    SECONDS_A_DAY = 86400,
    CELL_BYTES = 1024
};

const char *forecast_word(enum cast_state state)
{
    static const char *const words[] = {
        [CAST_BEGINS] = "begins",   [CAST_SHORT] = "too short",
        [CAST_HALT] = "not begun",  [CAST_UNREACHABLE] = "unreachable",
        [CAST_HELD] = "held",       [CAST_UNAPPROVED] = "to approve",
        [CAST_NOT_DUE] = "not due", [CAST_NOT_READ] = "not known",
    };

    return words[state];
}

static void add_tasks(struct str *out, const struct cast_row *row)
{
    for (size_t i = 0; i < row->n_tasks; i++)
        str_addf(out, "%s%s%s%s", i ? "; " : "", row->tasks[i].playbook->id,
                 row->tasks[i].inputs ? " " : "",
                 row->tasks[i].inputs ? row->tasks[i].inputs[0] : "");
}

static void add_due(struct str *out, const struct renew *renew,
                    const struct cast_row *row)
{
    long long days = (long long)(row->due - renew->now) / SECONDS_A_DAY;

    if (row->due)
        str_addf(out, "the first certificate has %lld day%s left", days,
                 days == 1 ? "" : "s");
    else
        str_add(out, "no certificate that a playbook renews");
}

static void add_need(struct str *out, const struct cast_row *row)
{
    if (!row->need_s) {
        str_add(out, "not measured yet");
        return;
    }
    model_duration(out, row->need_s * 1000);
    str_add(out, " with its way back");
    if (row->of_others)
        str_add(out, ", as others took");
    if (row->closes && row->begins)
        str_add(out, pace_fits(row->need_s, row->closes, row->begins)
                         ? "; fits"
                         : "; too long");
}

/* Why, in a word or two. */
static void add_note(struct str *out, const struct renew *renew,
                     const struct cast_row *row)
{
    switch (row->state) {
    case CAST_BEGINS:
        add_need(out, row);
        return;
    case CAST_SHORT:
        add_need(out, row);
        str_add(out, "; the window closes before that");
        return;
    case CAST_HALT:
        str_add(out, "others fail: see max_failures and canary");
        return;
    case CAST_NOT_DUE:
        add_due(out, renew, row);
        return;
    case CAST_UNREACHABLE:
    case CAST_HELD:
    case CAST_UNAPPROVED:
    case CAST_NOT_READ:
        str_add(out, row->why ? row->why : "");
        return;
    }
}

static void add_row(const struct renew *renew, struct table *table,
                    const struct cast_row *row)
{
    struct str when, what, note;

    str_init(&when, CELL_BYTES);
    str_init(&what, CELL_BYTES);
    str_init(&note, CELL_BYTES);
    if (row->begins)
        renew_add_clock(&when, row->cluster->windows, row->begins);
    else if (row->state == CAST_SHORT || row->state == CAST_HALT) {
        str_add(&when, forecast_word(row->state));
        if (row->opens)
            str_add(&when, " in the window of ");
        if (row->opens)
            renew_add_clock(&when, row->cluster->windows, row->opens);
    } else
        str_add(&when, forecast_word(row->state));
    add_tasks(&what, row);
    add_note(&note, renew, row);
    table_add(table, (const char *const[]){row->cluster->name, str_text(&when),
                                           what.len ? str_text(&what) : NULL,
                                           str_text(&note)});
    str_release(&when);
    str_release(&what);
    str_release(&note);
}

static json_t *tasks_json(const struct cast_row *row)
{
    json_t *tasks = json_array();

    for (size_t i = 0; i < row->n_tasks; i++)
        json_array_append_new(
            tasks,
            json_pack("{s:s, s:s?}", "playbook", row->tasks[i].playbook->id,
                      "input",
                      row->tasks[i].inputs ? row->tasks[i].inputs[0] : NULL));
    return tasks;
}

static json_t *row_json(const struct cast_row *row)
{
    json_t *event = app_event("window-run");
    bool judged = row->need_s && row->closes &&
                  (row->state == CAST_BEGINS || row->state == CAST_SHORT);

    json_object_set_new(event, "cluster", app_text(row->cluster->name));
    json_object_set_new(event, "state", json_string(forecast_word(row->state)));
    json_object_set_new(event, "begins", app_time(row->begins));
    json_object_set_new(event, "window_opens", app_time(row->opens));
    json_object_set_new(event, "window_closes", app_time(row->closes));
    json_object_set_new(event, "tasks", tasks_json(row));
    json_object_set_new(event, "need_s",
                        row->need_s ? json_integer(row->need_s) : json_null());
    json_object_set_new(event, "of_others", json_boolean(row->of_others));
    json_object_set_new(
        event, "fits",
        judged ? json_boolean(row->state == CAST_BEGINS &&
                              pace_fits(row->need_s, row->closes, row->begins))
               : json_null());
    json_object_set_new(event, "due", app_time(row->due));
    json_object_set_new(event, "read_at", app_time(row->read_at));
    json_object_set_new(event, "detail", app_text(row->why));
    return event;
}

void forecast_show(const struct renew *renew, const struct forecast *forecast)
{
    static const char *const heads[] = {"cluster", "begins", "what", "time",
                                        NULL};
    struct out *out = &renew->app->out;
    struct table table;

    table_init(&table, heads);
    for (size_t i = 0; i < forecast->n; i++)
        if (out->json)
            out_json(out, row_json(&forecast->rows[i]));
        else
            add_row(renew, &table, &forecast->rows[i]);
    if (!out->json) {
        out_say(out, "\n");
        table_say(&table, out);
    }
    table_release(&table);
}
