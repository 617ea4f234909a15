/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes of `run', played.
 */
#include "cli/forecast.h"

#include <stdlib.h>
#include <string.h>

#include "cli/forecast_priv.h"
#include "core/fleet/window.h"

enum {
    SECONDS_A_DAY = 86400,
    PASS_EVERY_S = 3600,
    TAKES_S = 60, /* where nobody has measured it */
    ROWS_MAX = 100000
};

/* -- rows ------------------------------------------------------------------ */

static struct cast_row *add_row(struct cast *cast,
                                const struct cluster *cluster,
                                enum cast_state state)
{
    struct forecast *f = cast->forecast;
    struct cast_row *row;

    if (f->n == cast->room) {
        size_t room = cast->room ? cast->room * 2 : 64;
        struct cast_row *grown =
            arena_alloc(&cast->renew->arena, room * sizeof(*grown));

        if (f->n)
            memcpy(grown, f->rows, f->n * sizeof(*grown));
        f->rows = grown;
        cast->room = room;
    }
    row = &f->rows[f->n++];
    *row = (struct cast_row){.cluster = cluster, .state = state};
    return row;
}

/* Has it such a row for this window already? */
static bool is_told(const struct cast *cast, const struct renew_cluster *c,
                    enum cast_state state)
{
    for (size_t i = 0; i < cast->forecast->n; i++) {
        const struct cast_row *row = &cast->forecast->rows[i];

        if (row->cluster == c->cluster && row->state == state &&
            row->opens == c->pace.opens)
            return true;
    }
    return false;
}

/* The tasks as they are now: their texts are a pass's own. */
static void take_tasks(struct cast *cast, struct cast_row *row,
                       const struct renew_cluster *c)
{
    row->n_tasks = c->n_tasks;
    for (size_t i = 0; i < c->n_tasks; i++) {
        const char **inputs =
            arena_alloc(&cast->renew->arena, 2 * sizeof(*inputs));

        if (c->tasks[i].inputs)
            inputs[0] =
                arena_strdup(&cast->renew->arena, c->tasks[i].inputs[0]);
        row->tasks[i].playbook = c->tasks[i].playbook;
        row->tasks[i].inputs = inputs[0] ? inputs : NULL;
    }
}

static struct cast_row *add(struct cast *cast, const struct renew_cluster *c,
                            enum cast_state state)
{
    struct cast_row *row = add_row(cast, c->cluster, state);

    row->opens = c->pace.opens == INT64_MAX ? 0 : c->pace.opens;
    row->closes = c->pace.closes == INT64_MAX ? 0 : c->pace.closes;
    row->due = c->due;
    row->need_s = c->pace.need_s;
    if (!row->need_s)
        row->of_others = (row->need_s = cast_need_of_others(cast, c)) > 0;
    row->why = *c->why ? arena_strdup(&cast->renew->arena, c->why) : NULL;
    row->read_at = cast_cluster_of(cast, c->cluster)->read_at;
    take_tasks(cast, row, c);
    return row;
}

/* -- one pass -------------------------------------------------------------- */

struct play {
    struct cast *cast;
    struct renew renew;
    struct pace_item *items;
    int64_t *ends; /* of those that run */
    int64_t now;
};

static void begin(struct play *play, size_t i)
{
    const struct renew_cluster *c = &play->renew.clusters[i];
    struct cast_cluster *cc = cast_cluster_of(play->cast, c->cluster);
    struct cast_row *row = add(play->cast, c, CAST_BEGINS);

    row->begins = play->now;
    play->items[i].state = PACE_RUNNING;
    play->ends[i] = play->now + (row->need_s ? row->need_s / 2 : TAKES_S);
    for (size_t t = 0; t < c->n_tasks; t++)
        cc->renewed[cc->n_renewed++ % CAMPAIGN_TASKS_MAX] =
            c->tasks[t].playbook;
}

static bool is_open(const struct play *play, size_t i)
{
    const struct pace_item *item = &play->items[i];

    return item->closes == 0 ||
           (play->now >= item->opens && play->now < item->closes);
}

static void leave(struct play *play, size_t i, enum pace_answer answer)
{
    const struct renew_cluster *c = &play->renew.clusters[i];
    enum cast_state state = answer == PACE_SHORT ? CAST_SHORT : CAST_HALT;

    play->items[i].state = PACE_LEFT;
    if (answer != PACE_CLOSED && is_open(play, i) &&
        !is_told(play->cast, c, state))
        add(play->cast, c, state);
}

/* True: something may be different now. */
static bool settle(struct play *play)
{
    struct pace *pace = &play->renew.pace;

    if (play->now < pace->canaries_ended + pace->settle_s)
        return false;
    pace->watched = true;
    return true;
}

static bool ask(struct play *play, size_t i)
{
    enum pace_answer answer = pace_ask(&play->renew.pace, i, play->now);

    switch (answer) {
    case PACE_GO:
        begin(play, i);
        return true;
    case PACE_SETTLE:
        return settle(play);
    case PACE_CLOSED:
    case PACE_SHORT:
    case PACE_HALT:
        leave(play, i, answer);
        return true;
    case PACE_NOT_YET:
    case PACE_ONE_WAY:
    case PACE_HELD:
        break;
    }
    return false;
}

/* What happens next, and when; false: nothing. */
static bool go_on(struct play *play)
{
    struct pace *pace = &play->renew.pace;
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < pace->n; i++)
        if (play->items[i].state == PACE_RUNNING && play->ends[i] < next)
            next = play->ends[i];
    if (next == INT64_MAX && pace_count(pace, PACE_WAITING) &&
        pace->canaries_ended && !pace->watched)
        next = pace->canaries_ended + pace->settle_s;
    if (next == INT64_MAX)
        return false;
    play->now = next;
    for (size_t i = 0; i < pace->n; i++)
        if (play->items[i].state == PACE_RUNNING && play->ends[i] <= next)
            play->items[i].state = PACE_DONE;
    if (!pace->canaries_ended && pace_has_canary(pace) &&
        pace_canaries_are_through(pace))
        pace->canaries_ended = next;
    return true;
}

static void play_all(struct play *play)
{
    struct pace *pace = &play->renew.pace;
    bool moved;

    do {
        do {
            moved = false;
            for (size_t i = 0; i < pace->n; i++)
                if (play->items[i].state == PACE_WAITING)
                    moved = ask(play, i) || moved;
        } while (moved);
    } while (go_on(play));
}

/* Those who cannot be begun at all are told once. */
static void tell_kinds(struct play *play)
{
    static const enum cast_state states[] = {
        [RENEW_UNREACHABLE] = CAST_UNREACHABLE,
        [RENEW_HELD] = CAST_HELD,
        [RENEW_UNAPPROVED] = CAST_UNAPPROVED,
    };

    for (size_t i = 0; i < play->renew.n_due; i++) {
        const struct renew_cluster *c = &play->renew.clusters[i];
        struct cast_cluster *cc = cast_cluster_of(play->cast, c->cluster);

        if (c->kind == RENEW_DUE || c->kind == RENEW_NOT_DUE || cc->told)
            continue;
        cc->told = true;
        add(play->cast, c, states[c->kind])->opens = 0;
    }
}

static void lend(struct play *play)
{
    struct renew *r = &play->renew;

    play->items = arena_alloc(&r->arena, (r->n_due + 1) * sizeof(*play->items));
    play->ends = arena_alloc(&r->arena, (r->n_due + 1) * sizeof(*play->ends));
    for (size_t i = 0; i < r->n_due; i++)
        play->items[i] = r->clusters[i].pace;
    r->pace.items = play->items;
    r->pace.n = r->n_due;
}

/* A pass that begins at `at`; when it ends. */
static int pass(struct cast *cast, int64_t *at, struct err *err)
{
    struct play play = {.cast = cast,
                        .now = *at,
                        .renew = {.app = cast->renew->app,
                                  .settings = cast->renew->settings,
                                  .target = cast->renew->target,
                                  .now = *at}};
    int rc;

    arena_init(&play.renew.arena);
    rc = renew_list(&play.renew, err);
    if (rc == 0) {
        cast_fill(cast, &play.renew);
        rc = renew_decide(&play.renew, err);
    }
    if (rc == 0) {
        lend(&play);
        tell_kinds(&play);
        play_all(&play);
    }
    *at = play.now;
    arena_release(&play.renew.arena);
    return rc;
}

/* -- when ------------------------------------------------------------------ */

struct times {
    int64_t *list;
    size_t n, room;
};

static void add_time(struct times *times, int64_t at)
{
    if (times->n == times->room) {
        times->room = times->room ? times->room * 2 : 64;
        times->list = realloc(times->list, times->room * sizeof(*times->list));
        if (!times->list)
            abort();
    }
    times->list[times->n++] = at;
}

/* The windows that are shown; when the last of them ends. */
static int64_t add_windows(const struct cast *cast, struct times *times)
{
    const struct target *target = &cast->renew->target;
    int64_t last = cast->renew->now;

    for (size_t i = 0; i < target->n_clusters; i++) {
        const struct windows *windows = target->clusters[i]->windows;
        int64_t at = cast->renew->now;
        struct window_span span;

        for (unsigned n = 0; n < FORECAST_AHEAD && windows;) {
            if (!windows_next(windows, at, &span) ||
                span.begin >= cast->renew->now + WINDOW_AHEAD)
                break;
            if (span.begin > cast->renew->now) {
                add_time(times, span.begin);
                n++;
            }
            at = span.end;
            if (last < at)
                last = at;
        }
    }
    return last;
}

static int64_t due_at(const struct renew_settings *s,
                      const struct pki_cert_info *info)
{
    if (s->due_share)
        return info->not_after - (info->not_after - info->not_before) *
                                     (int64_t)s->due_share / 100;
    return info->not_after - (int64_t)s->due_days * SECONDS_A_DAY;
}

/* The hour in which it becomes due, when its window is open then: the one that
 * opens later is there already. */
static void add_due(const struct cast *cast, struct times *times, int64_t last)
{
    int64_t now = cast->renew->now;

    for (size_t i = 0; i < cast->facts.n_certs; i++) {
        const struct fleet_cert *c = &cast->facts.certs[i];
        const struct cast_cluster *cc = cast_cluster_named(cast, c->cluster);
        int64_t at = due_at(&cast->renew->settings, &c->row.info);
        struct window_span span;

        if (!cc || !c->row.playbook || at <= now || at > last)
            continue;
        at = now + (at - now + PASS_EVERY_S - 1) / PASS_EVERY_S * PASS_EVERY_S;
        if (!cc->cluster->windows ||
            (windows_next(cc->cluster->windows, at, &span) && span.begin <= at))
            add_time(times, at);
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int play_passes(struct cast *cast, struct err *err)
{
    struct times times = {.list = NULL};
    int64_t ended = cast->renew->now - 1;
    int rc = 0;

    add_time(&times, cast->renew->now);
    add_due(cast, &times, add_windows(cast, &times));
    qsort(times.list, times.n, sizeof(*times.list), by_time);
    for (size_t i = 0; i < times.n && rc == 0; i++) {
        int64_t at = times.list[i];

        if (i && at == times.list[i - 1])
            continue;
        if (at < ended)
            at = ended;
        rc = pass(cast, &at, err);
        ended = at;
        if (cast->forecast->n > ROWS_MAX)
            rc = err_set(err, CAUSE_SYSTEM, "more than %d rows", ROWS_MAX);
    }
    free(times.list);
    return rc;
}

/* -- the others ------------------------------------------------------------ */

/* The end of what a playbook renews first, as far as it is known. */
static int64_t first_end(const struct cast *cast, const char *cluster)
{
    int64_t first = 0;

    for (size_t i = 0; i < cast->facts.n_certs; i++) {
        const struct fleet_cert *c = &cast->facts.certs[i];
        int64_t end = c->row.info.not_after;

        if (c->row.playbook && strcmp(c->cluster, cluster) == 0 &&
            (!first || end < first))
            first = end;
    }
    return first;
}

static void tell_others(struct cast *cast)
{
    size_t n = cast->forecast->n;

    for (size_t i = 0; i < cast->renew->target.n_clusters; i++) {
        const struct cast_cluster *cc = &cast->clusters[i];
        struct cast_row *row;
        bool told = false;

        for (size_t r = 0; r < n; r++)
            told = told || cast->forecast->rows[r].cluster == cc->cluster;
        if (told)
            continue;
        row = add_row(cast, cc->cluster,
                      cc->unread ? CAST_NOT_READ : CAST_NOT_DUE);
        row->why = cc->unread;
        row->read_at = cc->read_at;
        if (!cc->unread)
            row->due = first_end(cast, cc->cluster->name);
    }
}

static int by_begin(const void *a, const void *b)
{
    const struct cast_row *x = a, *y = b;
    int64_t t = x->begins ? x->begins : x->opens;
    int64_t u = y->begins ? y->begins : y->opens;

    if ((t == 0) != (u == 0))
        return t ? -1 : 1;
    if (t != u)
        return t < u ? -1 : 1;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return x->cluster->index < y->cluster->index ? -1 : 1;
}

int forecast_make(struct renew *renew, struct forecast *forecast,
                  struct err *err)
{
    struct cast cast = {.renew = renew, .forecast = forecast};
    int rc;

    *forecast = (struct forecast){.n = 0};
    rc = cast_open(&cast, err);
    if (rc == 0)
        rc = play_passes(&cast, err);
    if (rc == 0) {
        tell_others(&cast);
        if (forecast->n)
            qsort(forecast->rows, forecast->n, sizeof(*forecast->rows),
                  by_begin);
    }
    cast_close(&cast);
    return rc;
}
