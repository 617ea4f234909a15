/* SPDX-License-Identifier: Apache-2.0
 *
 * From rules to spans: the days of every rule near a moment, the pauses cut
 * out, what touches joined.  Clocks and zones are calendar.c's.
 */
#include "core/fleet/window.h"

#include <stdlib.h>

#include "core/fleet/window_priv.h"

enum {
    DAY_SECONDS = 86400,
    LOOK_BACK = 9 * DAY_SECONDS, /* a week, and a window across midnight */
    LOOK_NEAR = 16 * DAY_SECONDS
};
static const int64_t latest = 16725225600; /* 2500-01-01 */

struct spans {
    struct window_span *list;
    size_t n, room;
};

static void add_span(struct spans *spans, int64_t begin, int64_t end)
{
    if (begin >= end)
        return;
    if (spans->n == spans->room) {
        spans->room = spans->room ? spans->room * 2 : 64;
        spans->list = realloc(spans->list, spans->room * sizeof(*spans->list));
        if (!spans->list)
            abort();
    }
    spans->list[spans->n++] = (struct window_span){begin, end};
}

/* Takes [from, to) out of the spans from number `n` on; a span cut in two
 * grows the list, and its second part is looked at in its turn. */
static void cut(struct spans *spans, size_t n, int64_t from, int64_t to)
{
    for (size_t i = n; i < spans->n; i++) {
        struct window_span *s = &spans->list[i];
        int64_t end = s->end;

        if (s->end <= from || s->begin >= to)
            continue;
        s->end = s->begin < from ? from : s->begin;
        add_span(spans, to, end); /* may move the list */
    }
}

/* The spans of one rule that begin from `from` on and before `to`. */
static void add_rule(struct spans *spans, const struct windows *windows,
                     const struct window_rule *rule, struct window_span within)
{
    size_t first = spans->n;
    struct window_clock clock;
    struct calendar_date day;
    struct calendar_days *days;
    int64_t begin;

    calendar_clock(rule->zone, within.begin, &clock);
    day = (struct calendar_date){clock.year, clock.month, clock.day};
    days = calendar_days_new(&day, rule->days);
    for (;;) {
        calendar_days_next(days, &day);
        begin = calendar_moment(rule->zone, &day, rule->begin);
        if (begin >= within.end)
            break;
        add_span(spans, begin, calendar_moment(rule->zone, &day, rule->end));
    }
    calendar_days_free(days);
    for (size_t i = 0; i < windows->n_pauses; i++)
        cut(spans, first,
            calendar_moment(rule->zone, &windows->pauses[i].first, 0),
            calendar_moment(rule->zone, &windows->pauses[i].last, DAY_MINUTES));
}

static int by_begin(const void *a, const void *b)
{
    const struct window_span *x = a, *y = b;

    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* The span of `spans` that holds `at` or follows it. */
static bool find(struct spans *spans, int64_t at, struct window_span *span)
{
    bool found = false;

    if (spans->n)
        qsort(spans->list, spans->n, sizeof(*spans->list), by_begin);
    for (size_t i = 0; i < spans->n; i++) {
        const struct window_span *s = &spans->list[i];

        if (s->begin >= s->end)
            continue; /* cut away */
        if (found && s->begin <= span->end) {
            if (s->end > span->end)
                span->end = s->end;
        } else if (found && span->end > at) {
            break;
        } else {
            *span = *s;
            found = true;
        }
    }
    return found && span->end > at;
}

/* Whether the answer holds whatever lies beyond `until`. */
static bool look(const struct windows *windows, int64_t at, int64_t until,
                 struct window_span *span)
{
    int64_t from = at > LOOK_BACK ? at - LOOK_BACK : 0;
    struct spans spans = {0};
    bool found;

    for (size_t i = 0; i < windows->n_rules; i++)
        add_rule(&spans, windows, &windows->rules[i],
                 (struct window_span){from, until});
    found = find(&spans, at, span);
    free(spans.list);
    return found && span->begin < until;
}

bool windows_next(const struct windows *windows, int64_t at,
                  struct window_span *span)
{
    if (at < 0 || at >= latest)
        return false;
    /* Nearly always it is near; what reaches the horizon may go on. */
    if (look(windows, at, at + LOOK_NEAR, span) && span->end < at + LOOK_NEAR)
        return true;
    if (!look(windows, at, at + WINDOW_AHEAD, span))
        return false;
    if (span->end > at + WINDOW_AHEAD)
        span->end = at + WINDOW_AHEAD;
    return true;
}

void windows_clock(const struct windows *windows, int64_t at,
                   struct window_clock *clock)
{
    calendar_clock(windows->rules[0].zone, at, clock);
}

int windows_change(const struct windows *windows,
                   const struct window_span *span)
{
    struct window_clock before, after;

    windows_clock(windows, span->begin - 1, &before);
    windows_clock(windows, span->end - 1, &after);
    return after.offset_s - before.offset_s;
}
