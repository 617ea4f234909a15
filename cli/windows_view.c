/* SPDX-License-Identifier: Apache-2.0
 *
 * Spans of seconds as people say them: by the clock of the first window's
 * zone, and in UTC.  A length stands beside them because on some nights it is
 * not what the two clocks tell.
 */
#include "cli/windows_view.h"

#include <stdlib.h>
#include <time.h>

#include "cli/app.h"

enum {
    AHEAD = 3, /* windows shown besides the open one */
    DAY_SECONDS = 86400,
    MINUTE = 60,
    HOUR = 3600
};

const char *const windows_heads[] = {"cluster", "when",   "window", "zone",
                                     "UTC",     "length", NULL};

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
                                   "Thu", "Fri", "Sat"};

void windows_utc_clock(int64_t at, struct window_clock *clock)
{
    time_t seconds = at;
    struct tm tm = {0};

    (void)gmtime_r(&seconds, &tm);
    *clock = (struct window_clock){.year = tm.tm_year + 1900,
                                   .month = tm.tm_mon + 1,
                                   .day = tm.tm_mday,
                                   .hour = tm.tm_hour,
                                   .minute = tm.tm_min,
                                   .second = tm.tm_sec,
                                   .weekday = tm.tm_wday,
                                   .offset_s = 0};
}

/* One span of one cluster.  A begin is not known when it is long ago, nor an
 * end far ahead: windows_next looks so far and no further. */
struct view {
    const struct cluster *cluster;
    struct window_span span;
    bool is_open, has_begin, has_end;
    struct window_clock begin, end;
    int change;
};

/* `at`: what windows_next was asked. */
static void look(struct view *v, int64_t now, int64_t at)
{
    const struct windows *windows = v->cluster->windows;

    v->is_open = v->span.begin <= now;
    v->has_begin = v->span.begin > now - 7 * DAY_SECONDS;
    v->has_end = v->span.end < at + WINDOW_AHEAD;
    windows_clock(windows, v->span.begin, &v->begin);
    windows_clock(windows, v->span.end, &v->end);
    v->change = windows_change(windows, &v->span);
}

static void add_day(struct str *out, const struct window_clock *c)
{
    str_addf(out, "%s %04d-%02d-%02d ", days[c->weekday], c->year, c->month,
             c->day);
}

static void add_time(struct str *out, const struct window_clock *c)
{
    str_addf(out, "%02d:%02d", c->hour, c->minute);
}

/* "Sat 2026-11-28 01:00 - 05:00", "Sat 2026-11-28 23:00 - Sun 03:00" */
static void add_span(struct str *out, const struct view *v,
                     const struct window_clock *begin,
                     const struct window_clock *end)
{
    if (v->has_begin) {
        add_day(out, begin);
        add_time(out, begin);
        str_add(out, " - ");
    }
    if (!v->has_end) {
        str_add(out, "no end within a year");
        return;
    }
    if (!v->has_begin)
        str_add(out, "until ");
    if (!v->has_begin || v->span.end - v->span.begin > 6 * DAY_SECONDS)
        add_day(out, end);
    else if (end->weekday != begin->weekday)
        str_addf(out, "%s ", days[end->weekday]);
    add_time(out, end);
}

static void add_length(struct str *out, const struct view *v)
{
    long long length = v->span.end - v->span.begin;
    int change = abs(v->change);

    str_addf(out, "%lld:%02lld", length / HOUR, length % HOUR / MINUTE);
    if (change)
        str_addf(out, ", the clock goes %s by %d:%02d",
                 v->change > 0 ? "forward" : "back", change / HOUR,
                 change % HOUR / MINUTE);
}

static void add_row(struct table *table, const struct view *v)
{
    struct window_clock begin, end;
    struct str local, utc, length;

    str_init(&local, 128);
    str_init(&utc, 128);
    str_init(&length, 128);
    windows_utc_clock(v->span.begin, &begin);
    windows_utc_clock(v->span.end, &end);
    add_span(&local, v, &v->begin, &v->end);
    add_span(&utc, v, &begin, &end);
    if (v->has_begin && v->has_end)
        add_length(&length, v);
    else
        str_addc(&length, '-');
    table_add(table, (const char *const[]){v->cluster->name,
                                           v->is_open ? "now" : "next",
                                           str_text(&local), v->begin.zone,
                                           str_text(&utc), str_text(&length)});
    str_release(&local);
    str_release(&utc);
    str_release(&length);
}

/* "2027-03-28T02:00:00+01:00" */
static json_t *local_time(const struct window_clock *c)
{
    return json_sprintf("%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", c->year,
                        c->month, c->day, c->hour, c->minute, c->second,
                        c->offset_s < 0 ? '-' : '+', abs(c->offset_s) / HOUR,
                        abs(c->offset_s) % HOUR / MINUTE);
}

static json_t *window_event(const struct cluster *cluster, const char *state)
{
    json_t *event = app_event("window");

    json_object_set_new(event, "cluster", app_text(cluster->name));
    json_object_set_new(event, "state", json_string(state));
    return event;
}

static void set(json_t *event, const char *key, bool known, json_t *value)
{
    json_object_set_new(event, key, known ? value : json_null());
    if (!known)
        json_decref(value);
}

static json_t *span_event(const struct view *v)
{
    json_t *event = window_event(v->cluster, v->is_open ? "open" : "next");
    bool both = v->has_begin && v->has_end;

    set(event, "begin", v->has_begin, app_time(v->span.begin));
    set(event, "end", v->has_end, app_time(v->span.end));
    set(event, "zone", true, app_text(v->begin.zone));
    set(event, "local_begin", v->has_begin, local_time(&v->begin));
    set(event, "local_end", v->has_end, local_time(&v->end));
    set(event, "length_s", both, json_integer(v->span.end - v->span.begin));
    set(event, "clock_change_s", both, json_integer(v->change));
    return event;
}

/* A cluster that has no span to show. */
static void show_none(struct out *out, struct table *table,
                      const struct cluster *cluster)
{
    bool any = !cluster->windows;

    if (out->json)
        out_json(out, window_event(cluster, any ? "any time" : "none"));
    else
        table_add(table,
                  (const char *const[]){cluster->name, NULL,
                                        any ? "any time" : "none within a year",
                                        NULL, NULL, NULL});
}

void windows_view(struct out *out, struct table *table,
                  const struct cluster *cluster, int64_t now)
{
    struct view v = {.cluster = cluster};
    int64_t at = now;

    for (unsigned ahead = 0; ahead < AHEAD; ahead += !v.is_open) {
        if (!cluster->windows || !windows_next(cluster->windows, at, &v.span)) {
            if (at == now)
                show_none(out, table, cluster);
            return;
        }
        look(&v, now, at);
        if (out->json)
            out_json(out, span_event(&v));
        else
            add_row(table, &v);
        if (!v.has_end)
            return;
        at = v.span.end;
    }
}
