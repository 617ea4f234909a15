/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in words.  The journal's texts may hold what a node sent.
 */
#include "cli/run_words.h"

#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "core/base/clock.h"

enum {
    VALUE_CAP = 2000,
    LIST_SHOWN = 6
};

const char *run_state(const struct store_run *run)
{
    if (run->ended_ms && run->outcome)
        return run->outcome;
    return run->living ? "running" : "cut off";
}

void run_time(struct str *out, int64_t ms)
{
    char t[CLOCK_TEXT_BYTES];

    if (!ms) {
        str_add(out, "-");
        return;
    }
    clock_rfc3339(ms, t);
    str_addf(out, "%.10s %.8sZ", t, t + 11);
}

static json_t *ms_json(int64_t ms)
{
    char t[CLOCK_TEXT_BYTES];

    if (!ms)
        return json_null();
    clock_rfc3339(ms, t);
    return json_string(t);
}

static json_t *parsed(const char *text)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    return json ? json : app_text(text);
}

json_t *run_json(const struct store_run *run)
{
    json_t *json = app_event("run");

    json_object_set_new(json, "run", app_text(run->id));
    json_object_set_new(json, "playbook", app_text(run->playbook));
    json_object_set_new(json, "target", app_text(run->target));
    json_object_set_new(json, "inputs", parsed(run->inputs));
    json_object_set_new(json, "clusters", parsed(run->clusters));
    json_object_set_new(json, "user", app_text(run->user));
    json_object_set_new(json, "host", app_text(run->host));
    json_object_set_new(json, "state", app_text(run_state(run)));
    json_object_set_new(json, "outcome", app_text(run->outcome));
    json_object_set_new(json, "exit",
                        run->ended_ms ? json_integer(run->exit_code)
                                      : json_null());
    json_object_set_new(json, "started", ms_json(run->started_ms));
    json_object_set_new(json, "ended", ms_json(run->ended_ms));
    json_object_set_new(json, "living", json_boolean(run->living));
    json_object_set_new(json, "holds", json_boolean(run->holds));
    return json;
}

json_t *entry_json(const struct store_entry *entry)
{
    json_t *json = json_object();

    json_object_set_new(json, "t", ms_json(entry->t_ms));
    json_object_set_new(json, "event", json_string("record"));
    json_object_set_new(json, "seq", json_integer(entry->seq));
    json_object_set_new(json, "run", app_text(entry->record.run));
    json_object_set_new(json, "cluster", app_text(entry->record.cluster));
    json_object_set_new(json, "node", app_text(entry->record.node));
    json_object_set_new(json, "step", app_text(entry->record.step));
    json_object_set_new(json, "kind", app_text(entry->record.kind));
    json_object_set_new(json, "data", parsed(entry->record.data));
    return json;
}

bool entry_cell(const struct store_entry *entry, struct cell_change *change)
{
    memset(change, 0, sizeof(*change));
    if (strcmp(entry->record.kind, "cell") != 0 || !entry->record.step ||
        !entry->record.data)
        return false;
    change->data = json_loads(entry->record.data, 0, NULL);
    change->from = json_string_value(json_object_get(change->data, "from"));
    change->event = json_string_value(json_object_get(change->data, "event"));
    change->to = json_string_value(json_object_get(change->data, "to"));
    change->walk = json_string_value(json_object_get(change->data, "walk"));
    change->detail = json_string_value(json_object_get(change->data, "detail"));
    if (change->to)
        return true;
    json_decref(change->data);
    return false;
}

static void add_visible(struct str *out, const char *text)
{
    str_add_visible(out, text, strlen(text), false);
}

static void add_value(struct str *out, const json_t *value)
{
    size_t i, n = json_array_size(value);
    char *text;

    if (json_is_string(value)) {
        add_visible(out, json_string_value(value));
        return;
    }
    if (json_is_array(value) &&
        (n > LIST_SHOWN || json_is_object(json_array_get(value, 0)))) {
        str_addf(out, "(%zu)", n);
        return;
    }
    if (json_is_array(value)) {
        for (i = 0; i < n; i++) {
            str_add(out, i ? ", " : "");
            add_value(out, json_array_get(value, i));
        }
        return;
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text && strlen(text) > 200)
        str_add(out, "{...}");
    else if (text)
        add_visible(out, text);
    free(text);
}

static void add_data(struct str *out, const char *text)
{
    json_t *data = json_loads(text, 0, NULL), *value;
    const char *key;

    if (!json_is_object(data))
        add_visible(out, text);
    json_object_foreach(data, key, value)
    {
        if (json_is_null(value) ||
            (json_is_string(value) && !*json_string_value(value)))
            continue;
        str_addf(out, " %s=", key);
        add_value(out, value);
    }
    json_decref(data);
}

static void add_word(struct str *out, const char *word)
{
    if (!word)
        return;
    str_addc(out, ' ');
    add_visible(out, word);
}

/* "03:15:59Z emea core1 join: check -> apply (open)" */
static void add_change(struct str *out, const struct cell_change *change)
{
    json_t *acts = json_object_get(change->data, "acts");

    str_addf(out, ": %s -> ", change->from ? change->from : "?");
    add_visible(out, change->to);
    if (change->event)
        str_addf(out, " (%s)", change->event);
    if (change->walk && strcmp(change->walk, "back") == 0)
        str_add(out, " on the way back");
    if (json_array_size(acts) > 0) {
        str_add(out, ": ");
        add_value(out, acts);
    }
    if (change->detail && *change->detail) {
        str_add(out, ": ");
        add_visible(out, change->detail);
    }
}

void entry_line(const struct store_entry *entry, struct str *out)
{
    const struct store_record *record = &entry->record;
    struct cell_change change;

    run_time(out, entry->t_ms);
    add_word(out, record->cluster);
    add_word(out, record->node);
    add_word(out, record->step);
    if (entry_cell(entry, &change)) {
        add_change(out, &change);
        json_decref(change.data);
        return;
    }
    add_word(out, record->kind);
    if (record->data) {
        str_addc(out, ':');
        add_data(out, record->data);
    }
}
