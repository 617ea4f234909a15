/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions that a test may wait for: no sleeps, only events and a deadline.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/control.h"
#include "tests/lab/faults.h"
#include "tests/lab/mmp.h"

enum {
    DEADLINE_MS = 30000
};

/* -- conditions -------------------------------------------------------------
 */

static bool has_reached(const struct entry *e, const char *word)
{
    if (strcmp(word, "seen") == 0)
        return true;
    if (strcmp(word, "asked") == 0)
        return strcmp(e->state, "taken") != 0;
    if (strcmp(word, "answered") == 0)
        return e->answered_ms != 0;
    if (strcmp(word, "done") == 0)
        return e->outcome && strcmp(e->outcome, "pending") != 0;
    return e->outcome && strcmp(e->outcome, word) == 0;
}

static bool met_command(struct waiter *w, json_t *told)
{
    struct lab *lab = ask_lab(w->ask);
    unsigned n = 0;

    for (uint64_t seq = w->after + 1; seq <= lab->record->n; seq++) {
        struct entry *e = record_entry(lab, seq);
        if (w->node && e->node != w->node)
            continue;
        if (fnmatch(w->text, e->text, 0) != 0 || !has_reached(e, w->word))
            continue;
        if (++n < w->number)
            continue;
        json_object_set_new(told, "entry", verdict_entry(e));
        return true;
    }
    return false;
}

static bool met_held(struct waiter *w, json_t *told)
{
    const struct mmp_run *r = mmp_held(ask_lab(w->ask), w->number);

    if (!r)
        return false;
    json_object_set_new(told, "node", json_string(r->node->name));
    json_object_set_new(told, "text", json_string(r->text));
    json_object_set_new(told, "id", json_integer(r->held));
    return true;
}

static bool met_fault(struct waiter *w, json_t *told)
{
    for (struct fault *f = ask_lab(w->ask)->faults->list; f; f = f->next)
        if (f->id == w->number && f->hits > 0) {
            json_object_set_new(told, "hits", json_integer(f->hits));
            return true;
        }
    return false;
}

/* `services.webadmin.state' is a field within fields. */
static const json_t *field_at(const json_t *o, const char *path)
{
    char *copy = lab_strdup(path), *rest = copy, *word;

    while (o && (word = strsep(&rest, ".")))
        o = json_object_get(o, word);
    free(copy);
    return o;
}

/* Any field of the JSON of a node or a cluster, compared as text. */
static bool met_field(struct waiter *w, json_t *told)
{
    json_t *o = w->node ? verdict_node(w->node) : verdict_cluster(w->cluster);
    const json_t *v = field_at(o, w->text);
    char number[32];
    const char *text = "";
    bool met;

    if (json_is_string(v))
        text = json_string_value(v);
    else if (json_is_boolean(v))
        text = json_is_true(v) ? "true" : "false";
    else if (json_is_null(v))
        text = "null";
    else if (json_is_integer(v)) {
        snprintf(number, sizeof(number), "%lld",
                 (long long)json_integer_value(v));
        text = number;
    }
    met = fnmatch(w->word, text, 0) == 0;
    if (met)
        json_object_set_new(told, "value", json_string(text));
    json_decref(o);
    return met;
}

/* -- the command ------------------------------------------------------------
 */

static void on_deadline(void *user)
{
    struct waiter *w = user;

    w->deadline = NULL;
    waiters_drop(ask_lab(w->ask), w->ask);
}

/* count=N after=SEQ timeout=MS */
static unsigned take_options(struct waiter *w, char **words, int n)
{
    unsigned ms = DEADLINE_MS;

    for (int i = 0; i < n; i++) {
        if (strncmp(words[i], "count=", 6) == 0)
            w->number = (unsigned)strtoul(words[i] + 6, NULL, 10);
        else if (strncmp(words[i], "after=", 6) == 0)
            w->after = strtoull(words[i] + 6, NULL, 10);
        else if (strncmp(words[i], "timeout=", 8) == 0)
            ms = (unsigned)strtoul(words[i] + 8, NULL, 10);
    }
    return ms;
}

static void start(struct waiter *w, char **options, int n)
{
    struct lab *lab = ask_lab(w->ask);
    unsigned ms = take_options(w, options, n);

    w->deadline = later_start(lab->loop, ms, on_deadline, w);
    waiters_add(w);
    waiters_look(lab);
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* wait held|fault ID, wait NODE|* command PATTERN POINT, wait NODE|CLUSTER
 * FIELD PATTERN */
void wait_run(struct ask *ask, char **words, int n)
{
    struct waiter *w = lab_calloc(1, sizeof(*w));
    struct lab *lab = ask_lab(ask);
    int used = 3;

    w->ask = ask;
    w->number = 1;
    if (n >= 3 && is_number(words[2]) &&
        (strcmp(words[1], "held") == 0 || strcmp(words[1], "fault") == 0)) {
        w->met = *words[1] == 'h' ? met_held : met_fault;
        w->number = (unsigned)strtoul(words[2], NULL, 10);
    } else if (n >= 5 && strcmp(words[2], "command") == 0) {
        w->met = met_command;
        w->node = lab_node(lab, words[1]);
        w->text = lab_strdup(words[3]);
        w->word = lab_strdup(words[4]);
        used = 5;
    } else if (n >= 4) {
        w->met = met_field;
        w->node = lab_node(lab, words[1]);
        w->cluster = lab_cluster(lab, words[1]);
        w->text = lab_strdup(words[2]);
        w->word = lab_strdup(words[3]);
        used = 4;
    }
    if (!w->met ||
        (n >= 4 && !w->node && !w->cluster && strcmp(words[1], "*") != 0 &&
         w->met != met_held && w->met != met_fault)) {
        ask_fail(ask, "wait: no such node, cluster or condition");
        free(w->text);
        free(w->word);
        free(w);
        return;
    }
    start(w, words + used, n - used);
}
