/* SPDX-License-Identifier: Apache-2.0
 *
 * Record by record.  What a record lacks, or a kind that nobody here knows, is
 * passed over: an older program's journal is read, too.
 */
#include "cli/report_facts.h"

#include <stdio.h>
#include <string.h>

#include "cli/run_words.h"

#define LATEST_S INT64_C(253402300799) /* the year 9999 ends */

/* Another hand may have written anything: from 1970 to the year 9999, so that
 * what is computed of it fits. */
static int64_t sane(int64_t number, int64_t most)
{
    return number < 0 ? 0 : number > most ? most : number;
}

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Room for one more, zeroed; it doubles, and the old ones stay in the arena. */
static void *grown(struct arena *arena, void *list, size_t n, size_t size)
{
    void *wider;

    if (n > 0 && (n & (n - 1)) != 0)
        return list;
    wider = arena_alloc(arena, (n ? n * 2 : 1) * size);
    if (n)
        memcpy(wider, list, n * size);
    return wider;
}

static struct report_part *add_part(struct report *r)
{
    r->parts = grown(&r->arena, r->parts, r->n_parts, sizeof(*r->parts));
    return &r->parts[r->n_parts++];
}

static struct report_cluster *cluster_of(struct report *r, const char *name)
{
    struct report_cluster *c;

    for (size_t i = 0; i < r->n_clusters; i++)
        if (is(r->clusters[i].name, name))
            return &r->clusters[i];
    r->clusters =
        grown(&r->arena, r->clusters, r->n_clusters, sizeof(*r->clusters));
    c = &r->clusters[r->n_clusters++];
    c->name = arena_strdup(&r->arena, name);
    return c;
}

static struct report_lane *lane_of(struct report *r, struct report_cluster *c,
                                   const char *node)
{
    struct report_lane *l;

    for (size_t i = 0; i < c->n_lanes; i++)
        if (same(c->lanes[i].node, node))
            return &c->lanes[i];
    c->lanes = grown(&r->arena, c->lanes, c->n_lanes, sizeof(*c->lanes));
    l = &c->lanes[c->n_lanes++];
    l->node = arena_strdup(&r->arena, node);
    return l;
}

/* -- cells ---------------------------------------------------------------- */

static struct report_bar *add_bar(struct report *r, struct report_lane *lane,
                                  const char *step, int64_t t_ms)
{
    struct report_bar *b;

    lane->bars = grown(&r->arena, lane->bars, lane->n_bars, sizeof(*b));
    b = &lane->bars[lane->n_bars++];
    b->step = arena_strdup(&r->arena, step);
    b->part = r->n_parts - 1;
    b->from_ms = t_ms;
    b->open = true;
    return b;
}

/* The cell's bar of this part that has not ended. */
static struct report_bar *open_bar(const struct report *r,
                                   struct report_lane *lane, const char *step,
                                   bool back)
{
    for (size_t i = lane->n_bars; i-- > 0;) {
        struct report_bar *b = &lane->bars[i];

        if (b->open && b->part == r->n_parts - 1 && b->back == back &&
            is(b->step, step))
            return b;
    }
    return NULL;
}

static void add_mark(struct report *r, struct report_lane *lane,
                     const struct report_bar *bar, int64_t t_ms)
{
    struct report_mark *m;

    lane->marks = grown(&r->arena, lane->marks, lane->n_marks, sizeof(*m));
    m = &lane->marks[lane->n_marks++];
    m->part = bar->part;
    m->t_ms = t_ms;
    m->step = bar->step;
    m->detail = bar->detail;
}

static void take_cell(struct report *r, const struct store_entry *entry,
                      const struct cell_change *change)
{
    static const char *const ends[] = {"done", "skipped", "failed", "pending",
                                       NULL};
    const struct store_record *rec = &entry->record;
    struct report_cluster *c = cluster_of(r, rec->cluster ? rec->cluster : "");
    struct report_lane *lane = lane_of(r, c, rec->node);
    bool back = is(change->walk, "back");
    struct report_bar *b =
        is(change->event, "start") ? NULL : open_bar(r, lane, rec->step, back);

    if (!b)
        b = add_bar(r, lane, rec->step, entry->t_ms);
    b->back = c->back = back;
    b->to_ms = entry->t_ms;
    b->state = arena_strdup(&r->arena,
                            is(change->event, "halt") ? "waiting" : change->to);
    if (change->detail && *change->detail)
        b->detail = arena_strdup(&r->arena, change->detail);
    for (const char *const *end = ends; *end; end++)
        b->open = b->open && !is(change->to, *end);
    if (is(change->to, "wait")) {
        b->tries++;
        add_mark(r, lane, b, entry->t_ms);
    }
    c->touched = c->touched || !is(rec->step, "gates");
}

/* -- the other records ---------------------------------------------------- */

static const char *text_of(struct report *r, const json_t *data,
                           const char *key)
{
    return arena_strdup(&r->arena,
                        json_string_value(json_object_get(data, key)));
}

static int64_t number_of(const json_t *data, const char *key)
{
    return json_integer_value(json_object_get(data, key));
}

static void take_run(struct report *r, const struct store_entry *entry,
                     const json_t *data)
{
    const char *event = json_string_value(json_object_get(data, "event"));

    if (is(event, "begin") || is(event, "takeover")) {
        struct report_part *part = add_part(r);

        part->what = arena_strdup(&r->arena, event);
        part->from_ms = part->to_ms = entry->t_ms;
    }
}

static void take_go(struct report *r, const json_t *data)
{
    const char *mode = text_of(r, data, "mode");

    if (mode)
        r->parts[r->n_parts - 1].what = mode;
}

static void take_clock(struct report *r, const struct store_entry *entry,
                       const json_t *data)
{
    struct report_cluster *c = cluster_of(r, entry->record.cluster);
    const char *clock = json_string_value(json_object_get(data, "clock"));
    const char *edge = json_string_value(json_object_get(data, "edge"));
    bool outage = is(clock, "outage");
    struct report_span *s;

    for (size_t i = 0; i < c->n_spans; i++)
        if (c->spans[i].open && c->spans[i].outage == outage) {
            c->spans[i].to_ms = entry->t_ms;
            c->spans[i].open = false;
        }
    if (!is(edge, "began"))
        return;
    c->spans = grown(&r->arena, c->spans, c->n_spans, sizeof(*c->spans));
    s = &c->spans[c->n_spans++];
    s->outage = outage;
    s->open = true;
    s->part = r->n_parts - 1;
    s->from_ms = s->to_ms = entry->t_ms;
}

static void take_outcome(struct report *r, const struct store_entry *entry,
                         const json_t *data)
{
    struct report_cluster *c = cluster_of(r, entry->record.cluster);
    struct report_outcome *o;

    c->outcomes =
        grown(&r->arena, c->outcomes, c->n_outcomes, sizeof(*c->outcomes));
    o = &c->outcomes[c->n_outcomes++];
    o->part = r->n_parts - 1;
    o->outcome = text_of(r, data, "outcome");
    o->why = text_of(r, data, "why");
    o->outage_ms = number_of(data, "outage_ms");
    o->degraded_ms = number_of(data, "degraded_ms");
}

static void take_plan(struct report *r, const struct store_entry *entry,
                      const json_t *data)
{
    struct report_cluster *c = cluster_of(r, entry->record.cluster);

    c->holder = text_of(r, data, "holder");
    c->way_back_until = 0;
    if (json_is_true(json_object_get(data, "way_back")))
        c->way_back_until = sane(number_of(data, "way_back_until"), LATEST_S);
}

static void take_holder(struct report *r, const struct store_entry *entry,
                        const json_t *data)
{
    cluster_of(r, entry->record.cluster)->holder = text_of(r, data, "holder");
}

static void take_note(struct report *r, const struct store_entry *entry,
                      const json_t *data)
{
    struct report_note *n;

    r->notes = grown(&r->arena, r->notes, r->n_notes, sizeof(*r->notes));
    n = &r->notes[r->n_notes++];
    n->t_ms = entry->t_ms;
    n->cluster = arena_strdup(&r->arena, entry->record.cluster);
    n->node = arena_strdup(&r->arena, entry->record.node);
    n->step = arena_strdup(&r->arena, entry->record.step);
    n->id = text_of(r, data, "id");
    n->weight = text_of(r, data, "weight");
    n->text = text_of(r, data, "text");
}

static const struct kind_row {
    const char *kind;
    void (*take)(struct report *, const struct store_entry *, const json_t *);
} kinds[] = {
    {"clock", take_clock},   {"outcome", take_outcome}, {"plan", take_plan},
    {"holder", take_holder}, {"note", take_note},       {NULL, NULL},
};

static void take_data(struct report *r, const struct store_entry *entry)
{
    const struct store_record *rec = &entry->record;
    json_t *data = rec->data ? json_loads(rec->data, 0, NULL) : NULL;

    if (is(rec->kind, "run"))
        take_run(r, entry, data);
    if (is(rec->kind, "go") && r->n_parts)
        take_go(r, data);
    for (const struct kind_row *k = kinds; k->kind; k++)
        if (rec->cluster && r->n_parts && is(rec->kind, k->kind))
            k->take(r, entry, data);
    json_decref(data);
}

void report_take(struct report *report, const struct store_entry *entry)
{
    struct store_entry e = *entry;
    struct cell_change change;

    e.t_ms = sane(entry->t_ms, LATEST_S * 1000);
    report->records++;
    run_audit_take(&report->audit, &e);
    if (!report->n_parts) /* a journal without its beginning */
        *add_part(report) = (struct report_part){"begin", e.t_ms, e.t_ms};
    if (entry_cell(&e, &change)) {
        take_cell(report, &e, &change);
        json_decref(change.data);
    } else {
        take_data(report, &e);
    }
    report->parts[report->n_parts - 1].to_ms = e.t_ms;
}

static bool on_entry(void *user, const struct store_entry *entry)
{
    report_take(user, entry);
    return true;
}

/* -- the run as a whole --------------------------------------------------- */

static bool on_run(void *user, const struct store_run *run)
{
    struct report *r = user;

    r->playbook = arena_strdup(&r->arena, run->playbook);
    r->target = arena_strdup(&r->arena, run->target);
    r->inputs = arena_strdup(&r->arena, run->inputs);
    r->by = arena_printf(&r->arena, "%s@%s", run->user ? run->user : "?",
                         run->host ? run->host : "?");
    r->state = arena_strdup(&r->arena, run_state(run));
    r->started_ms = sane(run->started_ms, LATEST_S * 1000);
    r->ended_ms = sane(run->ended_ms, LATEST_S * 1000);
    r->exit_code = run->exit_code;
    r->living = run->living;
    r->holds = run->holds;
    return false;
}

static bool any_stopped(const struct report *r, bool back)
{
    for (size_t i = 0; i < r->n_clusters; i++) {
        const struct report_cluster *c = &r->clusters[i];
        const char *last =
            c->n_outcomes ? c->outcomes[c->n_outcomes - 1].outcome : NULL;

        if (c->back == back &&
            (is(last, "incomplete") || is(last, "interrupted") ||
             (is(last, "ok") && c->touched && !back)))
            return true;
    }
    return false;
}

/* As the run itself said it, from what its journal holds of that. */
static void say_next(struct report *r)
{
    const char *verb = NULL;

    if (r->living && !r->ended_ms)
        verb = "show -f";
    else if (!r->ended_ms)
        verb = "resume";
    else if (any_stopped(r, true))
        verb = "rollback";
    else if (any_stopped(r, false))
        verb = "resume";
    if (r->ended_ms && is(r->state, "waiting"))
        snprintf(r->next, sizeof(r->next), "certfleet issue %s FILE...", r->id);
    else if (verb)
        snprintf(r->next, sizeof(r->next), "certfleet %s %s", verb, r->id);
}

/* What has no end in its part goes on until the part's last record. */
static void close_lane(const struct report *r, struct report_lane *lane)
{
    for (size_t i = 0; i < lane->n_bars; i++)
        if (lane->bars[i].open)
            lane->bars[i].to_ms = r->parts[lane->bars[i].part].to_ms;
}

void report_close(struct report *report)
{
    for (size_t i = 0; i < report->n_clusters; i++) {
        struct report_cluster *c = &report->clusters[i];

        for (size_t k = 0; k < c->n_spans; k++)
            if (c->spans[k].open)
                c->spans[k].to_ms = report->parts[c->spans[k].part].to_ms;
        for (size_t k = 0; k < c->n_lanes; k++)
            close_lane(report, &c->lanes[k]);
    }
    say_next(report);
}

void report_init(struct report *report)
{
    *report = (struct report){.n_parts = 0};
    arena_init(&report->arena);
    run_audit_init(&report->audit);
}

int report_read(struct report *report, struct store *store, const char *run,
                struct err *err)
{
    char id[STORE_ID_BYTES];

    report_init(report);
    if (store_find(store, run, id, err) < 0)
        return -1;
    report->id = arena_strdup(&report->arena, id);
    /* the row first: what it says ended has all its records already */
    if (store_runs(store, id, on_run, report, err) < 0 ||
        store_journal(store, id, 0, on_entry, report, err) < 0 ||
        store_audit(store, NULL, &report->chain, err) < 0)
        return -1;
    report_close(report);
    return 0;
}

void report_release(struct report *report)
{
    run_audit_release(&report->audit);
    arena_release(&report->arena);
}
