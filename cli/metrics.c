/* SPDX-License-Identifier: Apache-2.0
 *
 * Families and samples.  Knows nothing of what they mean.
 */
#include "cli/metrics.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUE_CAP = 1024,
    LABELS_CAP = 16 * 1024
};

/* Samples of one family are kept by a hash of their labels: a fleet has tens
 * of thousands. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

static void forget(struct metrics *m)
{
    for (size_t i = 0; i < m->room; i++)
        free(m->seen[i]);
    free(m->seen);
    m->seen = NULL;
    m->n_seen = m->room = 0;
}

/* The text's place, or where it would be. */
static char **place_of(char **seen, size_t room, const char *text)
{
    size_t i = (size_t)hash_of(text) & (room - 1);

    while (seen[i] && strcmp(seen[i], text) != 0)
        i = (i + 1) & (room - 1);
    return &seen[i];
}

static void widen(struct metrics *m)
{
    size_t room = m->room ? m->room * 2 : 64;
    char **seen = calloc(room, sizeof(*seen));

    if (!seen)
        abort();
    for (size_t i = 0; i < m->room; i++)
        if (m->seen[i])
            *place_of(seen, room, m->seen[i]) = m->seen[i];
    free(m->seen);
    m->seen = seen;
    m->room = room;
}

static bool is_new(struct metrics *m, const char *labels)
{
    char **place;

    if (m->n_seen * 2 >= m->room)
        widen(m);
    place = place_of(m->seen, m->room, labels);
    if (*place)
        return false;
    *place = strdup(labels);
    if (!*place)
        abort();
    m->n_seen++;
    return true;
}

void metrics_init(struct metrics *metrics, struct str *out)
{
    *metrics = (struct metrics){.out = out};
}

void metrics_release(struct metrics *metrics)
{
    forget(metrics);
}

void metrics_open(struct metrics *metrics, const struct metrics_family *family)
{
    forget(metrics);
    metrics->family = family;
    str_addf(metrics->out, "# HELP %s %s\n# TYPE %s %s\n", family->name,
             family->help, family->name, family->type);
}

/* Backslash, quote and newline: the format's three. */
static void add_value(struct str *out, const char *value)
{
    struct str visible;

    str_init(&visible, VALUE_CAP);
    str_add_visible(&visible, value ? value : "", value ? strlen(value) : 0,
                    true);
    for (const char *p = str_text(&visible); *p; p++) {
        if (*p == '\n') {
            str_add(out, "\\n");
            continue;
        }
        if (*p == '\\' || *p == '"')
            str_addc(out, '\\');
        str_addc(out, *p);
    }
    str_release(&visible);
}

/* Adds `{a="b"}'; false when such a sample is there already. */
static bool add_labels(struct metrics *m, const struct metrics_label *labels)
{
    struct str text;
    bool fresh;

    str_init(&text, LABELS_CAP);
    for (size_t i = 0; labels && labels[i].name; i++) {
        str_addf(&text, "%s%s=\"", i ? "," : "{", labels[i].name);
        add_value(&text, labels[i].value);
        str_addc(&text, '"');
    }
    if (text.len)
        str_addc(&text, '}');
    fresh = !text.cut && is_new(m, str_text(&text));
    if (fresh)
        str_addf(m->out, "%s%s", m->family->name, str_text(&text));
    str_release(&text);
    return fresh;
}

void metrics_add(struct metrics *metrics, const struct metrics_label *labels,
                 int64_t value)
{
    if (add_labels(metrics, labels))
        str_addf(metrics->out, " %lld\n", (long long)value);
}

void metrics_add_ms(struct metrics *metrics, const struct metrics_label *labels,
                    int64_t ms)
{
    if (add_labels(metrics, labels))
        str_addf(metrics->out, " %s%lld.%03lld\n", ms < 0 ? "-" : "",
                 (long long)(ms < 0 ? -ms : ms) / 1000,
                 (long long)(ms < 0 ? -ms : ms) % 1000);
}
