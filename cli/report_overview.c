/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of several clusters at a glance: a row a cluster, from its first step
 * to its last, with what users noticed and what it came to.
 */
#include <string.h>

#include "cli/html.h"
#include "cli/report_page_priv.h"

enum {
    ROW = 22,
    BAR = 14
};

/* From the first step of this part to the last; false: it had none. */
static bool work_of(const struct report_cluster *c, size_t part, int64_t *from,
                    int64_t *to)
{
    bool any = false;

    for (size_t l = 0; l < c->n_lanes; l++)
        for (size_t b = 0; b < c->lanes[l].n_bars; b++) {
            const struct report_bar *bar = &c->lanes[l].bars[b];

            if (bar->part != part)
                continue;
            if (!any || bar->from_ms < *from)
                *from = bar->from_ms;
            if (!any || bar->to_ms > *to)
                *to = bar->to_ms;
            any = true;
        }
    return any;
}

static const struct report_outcome *outcome_of(const struct report_cluster *c,
                                               size_t part)
{
    for (size_t i = c->n_outcomes; i-- > 0;)
        if (c->outcomes[i].part == part)
            return &c->outcomes[i];
    return NULL;
}

static void add_span(const struct figure *f, const char *class, int64_t from,
                     int64_t to, int64_t y)
{
    long long x = figure_x(f, from), wide = figure_x(f, to) - x;

    str_addf(f->out,
             "<rect class=\"%s\" x=\"%lld\" y=\"%lld\" width=\"%lld\""
             " height=\"%d\"/>",
             class, x, (long long)y, wide > 2 ? wide : 2, BAR);
}

static void add_clocks(const struct figure *f, bool outage, int64_t y)
{
    for (size_t i = 0; i < f->cluster->n_spans; i++) {
        const struct report_span *s = &f->cluster->spans[i];

        if (s->outage == outage && s->from_ms <= f->to_ms &&
            s->to_ms >= f->from_ms)
            add_span(f, outage ? "outage" : "degraded", s->from_ms, s->to_ms,
                     y);
    }
}

static void add_outcome(const struct figure *f, const struct report_outcome *o,
                        int64_t to, int64_t y)
{
    const int64_t x = figure_x(f, to);
    const bool right = x < FIGURE_LEFT + FIGURE_PLOT * 3 / 4;
    struct str took;

    str_init(&took, 64);
    if (o->outage_ms) {
        str_add(&took, ", outage ");
        report_took(&took, o->outage_ms);
    }
    str_addf(f->out, "<text%s x=\"%lld\" y=\"%lld\">",
             right ? "" : " class=\"end\"", (long long)x + (right ? 6 : -4),
             (long long)y + 11);
    HTML(f->out, "{}{}</text>\n", report_says(o->outcome), str_text(&took));
    str_release(&took);
}

static int64_t add_rows(struct figure *f, bool draw)
{
    int64_t y = FIGURE_TOP, from = 0, to = 0;

    for (size_t i = 0; i < f->report->n_clusters; i++) {
        const struct report_outcome *o;

        f->cluster = &f->report->clusters[i];
        if (!work_of(f->cluster, f->part, &from, &to))
            continue;
        if (draw) {
            figure_name(f, f->cluster->name, y + 15);
            add_span(f, "work", from, to, y + (ROW - BAR) / 2);
            add_clocks(f, false, y + (ROW - BAR) / 2);
            add_clocks(f, true, y + (ROW - BAR) / 2);
            o = outcome_of(f->cluster, f->part);
            if (o)
                add_outcome(f, o, to, y + (ROW - BAR) / 2);
        }
        y += ROW;
    }
    return y;
}

void report_overview(const struct report *report, size_t part, struct str *out)
{
    const struct report_part *p = &report->parts[part];
    struct figure f = {report, NULL, part, p->from_ms, p->to_ms, out};
    int64_t bottom;

    if (f.to_ms <= f.from_ms)
        f.to_ms = f.from_ms + 1;
    bottom = add_rows(&f, false);
    str_addf(out,
             "<svg class=\"fig\" viewBox=\"0 0 %d %lld\" role=\"img\""
             " aria-label=\"",
             FIGURE_WIDTH, (long long)bottom + 6);
    HTML(out,
         "All clusters, {}: from the first step to the last, with degraded "
         "time and outage; the table of clusters below has the same in "
         "words\">\n",
         p->what);
    figure_axis(&f, bottom);
    add_rows(&f, true);
    str_add(out, "</svg>\n");
}
