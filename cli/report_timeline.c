/* SPDX-License-Identifier: Apache-2.0
 *
 * The timeline of a run: one figure for each part and cluster.  Above, the
 * cluster's clocks; below, a row for each node, with a bar for each step.
 */
#include "cli/report_page_priv.h"

#include <string.h>

#include "cli/console_model.h"
#include "cli/html.h"
#include "cli/html_style.h"
#include "playbooks/registry.h"

enum {
    ROW = 28,
    BAR = 18,
    CLOCK_ROW = 24,
    LETTER = 7, /* wide, of a bar's text */
    NAME_LETTERS = 18,
    TICKS = 8
};

int64_t figure_x(const struct figure *f, int64_t t_ms)
{
    int64_t span = f->to_ms - f->from_ms;

    if (t_ms <= f->from_ms)
        return FIGURE_LEFT;
    if (t_ms >= f->to_ms)
        return FIGURE_LEFT + FIGURE_PLOT;
    return FIGURE_LEFT + (t_ms - f->from_ms) * FIGURE_PLOT / span;
}

/* Several rows may have one id (`leave' of replicas, then of the primary). */
static bool is_first(const struct playbook *pb, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(pb->steps[i].id, pb->steps[row].id) == 0)
            return false;
    return true;
}

unsigned report_color(const struct report *report, const char *step)
{
    const struct playbook *pb =
        report->playbook ? registry_playbook(report->playbook) : NULL;
    unsigned n = 0;

    for (size_t i = 0; pb && i < pb->n_steps; i++) {
        if (!is_first(pb, i))
            continue;
        if (strcmp(pb->steps[i].id, step) == 0)
            return n % HTML_COLORS;
        n++;
    }
    for (n = 0; *step; step++) /* a step of a playbook that is no more */
        n += (unsigned char)*step;
    return n % HTML_COLORS;
}

void report_took(struct str *out, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    if (ms < 60000)
        str_addf(out, "%lld.%03lld s", (long long)(ms / 1000),
                 (long long)(ms % 1000));
    else
        model_duration(out, ms);
}

bool report_has_bars(const struct report_cluster *cluster, size_t part)
{
    for (size_t i = 0; i < cluster->n_lanes; i++)
        for (size_t k = 0; k < cluster->lanes[i].n_bars; k++)
            if (cluster->lanes[i].bars[k].part == part)
                return true;
    return false;
}

/* -- the axis ------------------------------------------------------------- */

static int64_t tick_of(int64_t span_ms)
{
    static const int64_t steps[] = {
        10,     20,      50,      100,     200,      500,      1000,    2000,
        5000,   10000,   15000,   30000,   60000,    120000,   300000,  600000,
        900000, 1800000, 3600000, 7200000, 14400000, 21600000, 43200000};
    size_t i = 0;

    while (i + 1 < sizeof(steps) / sizeof(steps[0]) &&
           steps[i] * TICKS < span_ms)
        i++;
    return steps[i] * TICKS < span_ms ? span_ms / TICKS : steps[i];
}

static void add_elapsed(struct str *out, int64_t ms, int64_t step)
{
    if (step < 1000)
        str_addf(out, "%lld.%02lld s", (long long)(ms / 1000),
                 (long long)(ms % 1000 / 10));
    else if (ms < 60000 && step < 60000)
        str_addf(out, "%lld s", (long long)(ms / 1000));
    else if (ms < 3600000)
        str_addf(out, "%lld:%02lld", (long long)(ms / 60000),
                 (long long)(ms / 1000 % 60));
    else
        str_addf(out, "%lld:%02lld:%02lld", (long long)(ms / 3600000),
                 (long long)(ms / 60000 % 60), (long long)(ms / 1000 % 60));
}

void figure_axis(const struct figure *f, int64_t bottom)
{
    int64_t step = tick_of(f->to_ms - f->from_ms);

    for (int64_t ms = 0; f->from_ms + ms <= f->to_ms; ms += step) {
        long long x = figure_x(f, f->from_ms + ms);

        str_addf(f->out,
                 "<line class=\"grid\" x1=\"%lld\" x2=\"%lld\" y1=\"%d\""
                 " y2=\"%lld\"/><text class=\"axis mid\" x=\"%lld\" y=\"%d\">",
                 x, x, FIGURE_TOP - 6, (long long)bottom, x, FIGURE_TOP - 11);
        add_elapsed(f->out, ms, step);
        str_add(f->out, "</text>\n");
    }
}

/* -- the cluster's clocks ------------------------------------------------- */

static void add_bands(const struct figure *f, int64_t bottom)
{
    for (int outage = 0; outage <= 1; outage++)
        for (size_t i = 0; i < f->cluster->n_spans; i++) {
            const struct report_span *s = &f->cluster->spans[i];
            long long x = figure_x(f, s->from_ms);

            if (s->outage != (outage == 1) || s->from_ms > f->to_ms ||
                s->to_ms < f->from_ms)
                continue;
            str_addf(f->out,
                     "<rect class=\"%s\" x=\"%lld\" y=\"%d\" width=\"%lld\""
                     " height=\"%lld\"/>\n",
                     outage ? "outage" : "degraded", x, FIGURE_TOP - 6,
                     (long long)figure_x(f, s->to_ms) - x + 1,
                     (long long)bottom - FIGURE_TOP + 6);
        }
}

static void add_clock_text(const struct figure *f, const struct report_span *s)
{
    struct str took;

    str_init(&took, 64);
    report_took(&took, s->to_ms - s->from_ms);
    str_addf(f->out, "<text class=\"mid\" x=\"%lld\" y=\"%d\">",
             (long long)(figure_x(f, s->from_ms) + figure_x(f, s->to_ms)) / 2,
             FIGURE_TOP + (s->outage ? 11 : CLOCK_ROW + 10));
    HTML(f->out, "{} {}{}</text>\n", s->outage ? "outage" : "degraded",
         str_text(&took), s->open ? ", not ended" : "");
    str_release(&took);
}

static void add_clocks(const struct figure *f)
{
    for (size_t i = 0; i < f->cluster->n_spans; i++) {
        const struct report_span *s = &f->cluster->spans[i];

        if (s->from_ms <= f->to_ms && s->to_ms >= f->from_ms)
            add_clock_text(f, s);
    }
}

/* -- the nodes ------------------------------------------------------------ */

static const char *class_of(const struct report_bar *b)
{
    if (b->state && strcmp(b->state, "failed") == 0)
        return "failed";
    if (b->state && strcmp(b->state, "skipped") == 0)
        return "skipped";
    return b->open ? "open" : "";
}

/* What a mouse or a screen reader is told of it. */
static void add_title(const struct figure *f, const struct report_bar *b)
{
    struct str took;

    str_init(&took, 64);
    report_took(&took, b->to_ms - b->from_ms);
    HTML(f->out, "<title>{}{}: {}, {}{}{}</title>", b->step,
         b->back ? " (way back)" : "", b->state, str_text(&took),
         b->detail ? ": " : "", b->detail);
    str_release(&took);
}

static void add_rect(const struct figure *f, const struct report_bar *b,
                     int64_t y, const char *class)
{
    int64_t x = figure_x(f, b->from_ms), wide = figure_x(f, b->to_ms) - x;

    str_addf(f->out,
             "<rect class=\"%s\" x=\"%lld\" y=\"%lld\" width=\"%lld\""
             " height=\"%d\" rx=\"2\"/>",
             class, (long long)x, (long long)y,
             (long long)(wide > 2 ? wide : 2), BAR);
}

static void add_bar(const struct figure *f, const struct report_bar *b,
                    int64_t y)
{
    int64_t x = figure_x(f, b->from_ms), wide = figure_x(f, b->to_ms) - x;
    const char *class = class_of(b);
    struct str both;

    str_init(&both, 64);
    str_addf(&both, "c%u %s", report_color(f->report, b->step), class);
    str_add(f->out, "<g>");
    add_title(f, b);
    add_rect(f, b, y, str_text(&both));
    if (b->back)
        add_rect(f, b, y, "back");
    if (wide > (int64_t)strlen(b->step) * LETTER + 4 &&
        strcmp(class, "skipped") != 0) {
        str_addf(f->out, "<text class=\"onbar\" x=\"%lld\" y=\"%lld\">",
                 (long long)x + 4, (long long)y + 13);
        HTML(f->out, "{}</text>", b->step);
    }
    if (strcmp(class, "failed") == 0)
        str_addf(f->out,
                 "<path class=\"cross\" d=\"M%lld %lldl9 9m0 -9l-9 9\"/>",
                 (long long)(x + wide) + 4, (long long)y + 5);
    str_add(f->out, "</g>\n");
    str_release(&both);
}

static void add_marks(const struct figure *f, const struct report_lane *lane,
                      int64_t y)
{
    for (size_t i = 0; i < lane->n_marks; i++) {
        const struct report_mark *m = &lane->marks[i];

        if (m->part != f->part)
            continue;
        str_addf(f->out, "<path class=\"mark\" d=\"M%lld %lldl6 10h-12z\">",
                 (long long)figure_x(f, m->t_ms), (long long)y + 4);
        HTML(f->out, "<title>{}: a try failed: {}</title></path>\n", m->step,
             m->detail);
    }
}

void figure_name(const struct figure *f, const char *name, int64_t y)
{
    struct str cut;

    str_init(&cut, NAME_LETTERS);
    str_add_visible(&cut, name, strlen(name), false);
    str_addf(f->out, "<text class=\"end\" x=\"%d\" y=\"%lld\">",
             FIGURE_LEFT - 10, (long long)y);
    HTML(f->out, "{}{}<title>{}</title></text>\n", str_text(&cut),
         cut.cut ? "\xe2\x80\xa6" : "", name);
    str_release(&cut);
}

static bool has_part(const struct report_lane *lane, size_t part)
{
    for (size_t i = 0; i < lane->n_bars; i++)
        if (lane->bars[i].part == part)
            return true;
    return false;
}

static int64_t add_lanes(const struct figure *f, int64_t y, bool draw)
{
    for (size_t i = 0; i < f->cluster->n_lanes; i++) {
        const struct report_lane *lane = &f->cluster->lanes[i];

        if (!has_part(lane, f->part))
            continue;
        if (draw) {
            figure_name(f, lane->node ? lane->node : "(this machine)", y + 18);
            str_addf(f->out,
                     "<line class=\"lane\" x1=\"%d\" x2=\"%d\" y1=\"%lld\""
                     " y2=\"%lld\"/>\n",
                     FIGURE_LEFT, FIGURE_LEFT + FIGURE_PLOT, (long long)y + ROW,
                     (long long)y + ROW);
            for (size_t k = 0; k < lane->n_bars; k++)
                if (lane->bars[k].part == f->part)
                    add_bar(f, &lane->bars[k], y + (ROW - BAR) / 2);
            add_marks(f, lane, y + (ROW - BAR) / 2);
        }
        y += ROW;
    }
    return y;
}

void report_timeline(const struct report *report,
                     const struct report_cluster *cluster, size_t part,
                     struct str *out)
{
    const struct report_part *p = &report->parts[part];
    struct figure f = {report, cluster, part, p->from_ms, p->to_ms, out};
    int64_t first = FIGURE_TOP + 2 * CLOCK_ROW, bottom;

    if (f.to_ms <= f.from_ms)
        f.to_ms = f.from_ms + 1;
    bottom = add_lanes(&f, first, false);
    str_addf(out,
             "<svg class=\"fig\" viewBox=\"0 0 %d %lld\" role=\"img\""
             " aria-label=\"",
             FIGURE_WIDTH, (long long)bottom + 6);
    HTML(out,
         "Timeline of cluster {}, {}: every bar is a step on a node; the "
         "table of steps below has the same in words\">\n",
         cluster->name, p->what);
    add_bands(&f, bottom);
    figure_axis(&f, bottom);
    figure_name(&f, cluster->name, FIGURE_TOP + 11);
    add_clocks(&f);
    add_lanes(&f, first, true);
    str_add(out, "</svg>\n");
}
