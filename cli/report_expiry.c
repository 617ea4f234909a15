/* SPDX-License-Identifier: Apache-2.0
 *
 * The expiry timeline of the fleet: a row for each certificate, those that
 * end first on top.  One that several nodes share is one row.
 */
#include "cli/report_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/html.h"
#include "core/base/clock.h"

enum { /* SVG's units */
    WIDTH = 1000,
    LEFT = 330, /* what it is */
    PLOT = 500,
    TOP = 28,
    ROW = 22,
    BAR = 12,
    LETTERS = 46,
    ROWS = 150, /* more are no picture: the table has them */
    DAY_S = 86400
};

struct row { /* one certificate, wherever it lies */
    const struct fleet_cert *cert;
    size_t nodes, clusters;
};

struct figure {
    const struct fleet_facts *facts;
    struct row *rows;
    size_t n;
    int64_t from, to; /* seconds */
    struct str *out;
};

static bool is_same(const struct fleet_cert *a, const struct fleet_cert *b)
{
    return a->row.info.not_after == b->row.info.not_after &&
           *a->row.info.sha256 &&
           strcmp(a->row.info.sha256, b->row.info.sha256) == 0 &&
           strcmp(a->service, b->service) == 0;
}

/* Certificates come sorted by their days. */
static void add_cert(struct figure *f, const struct fleet_cert *cert)
{
    for (size_t i = f->n; i-- > 0 && f->rows[i].cert->days == cert->days;)
        if (is_same(f->rows[i].cert, cert)) {
            f->rows[i].nodes++;
            f->rows[i].clusters +=
                strcmp(f->rows[i].cert->cluster, cert->cluster) != 0;
            return;
        }
    f->rows[f->n++] = (struct row){cert, 1, 1};
}

/* From a little before today, or the first end; 400 days at most. */
static void choose_range(struct figure *f)
{
    const int64_t now = f->facts->now;

    f->from = now - 10 * DAY_S;
    f->to = now + 100 * DAY_S;
    for (size_t i = 0; i < f->n; i++) {
        int64_t end = f->rows[i].cert->row.info.not_after;

        if (end < f->from)
            f->from = end - 5 * DAY_S;
        if (end > f->to)
            f->to = end + 5 * DAY_S;
    }
    if (f->to > now + 400 * DAY_S)
        f->to = now + 400 * DAY_S;
    if (f->from < now - 90 * DAY_S)
        f->from = now - 90 * DAY_S;
}

static int64_t x_of(const struct figure *f, int64_t t)
{
    if (t <= f->from)
        return LEFT;
    if (t >= f->to)
        return LEFT + PLOT;
    return LEFT + (t - f->from) * PLOT / (f->to - f->from);
}

static void add_lines(const struct figure *f, int64_t bottom)
{
    static const struct line_row {
        int days;
        const char *class, *text, *side;
    } lines[] = {
        {0, "today", "today", "end"},    {30, "soon", "30 days", "mid"},
        {90, "later", "90 days", "mid"}, {180, "grid", "180 days", "mid"},
        {365, "grid", "1 year", "mid"},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int64_t t = f->facts->now + lines[i].days * (int64_t)DAY_S;
        long long x = x_of(f, t);

        if (t >= f->to)
            break;
        str_addf(f->out,
                 "<line class=\"%s\" x1=\"%lld\" x2=\"%lld\" y1=\"%d\""
                 " y2=\"%lld\"/><text class=\"axis %s\" x=\"%lld\""
                 " y=\"%d\">%s</text>\n",
                 lines[i].class, x, x, TOP - 8, (long long)bottom,
                 lines[i].side, x, TOP - 13, lines[i].text);
    }
}

static const char *class_of(const struct figure *f, const struct fleet_cert *c)
{
    if (c->days < (long long)f->facts->warn_days)
        return "b-bad";
    return c->days < 90 ? "b-warn" : "b-good";
}

static void add_label(const struct figure *f, const struct row *row, int64_t y)
{
    const struct fleet_cert *c = row->cert;
    struct str all, cut;

    str_init(&all, 1024);
    str_init(&cut, LETTERS);
    if (row->clusters > 1)
        str_addf(&all, "%s, %zu nodes of %zu clusters", c->service, row->nodes,
                 row->clusters);
    else if (row->nodes > 1)
        str_addf(&all, "%s %s, %zu nodes", c->cluster, c->service, row->nodes);
    else
        str_addf(&all, "%s %s %s", c->cluster, c->node, c->service);
    str_add_visible(&cut, str_text(&all), all.len, false);
    str_addf(f->out, "<text class=\"end\" x=\"%d\" y=\"%lld\">", LEFT - 10,
             (long long)y + 10);
    HTML(f->out, "{}{}<title>{}: {}</title></text>", str_text(&cut),
         cut.cut ? "\xe2\x80\xa6" : "", str_text(&all), c->row.info.subject);
    str_release(&all);
    str_release(&cut);
}

static void add_end(const struct figure *f, const struct fleet_cert *c,
                    int64_t y)
{
    char t[CLOCK_TEXT_BYTES], days[48];

    clock_rfc3339(c->row.info.not_after * 1000, t);
    t[10] = '\0';
    snprintf(days, sizeof(days), c->days < 0 ? "expired" : "%lld days",
             c->days);
    str_addf(f->out, "<text x=\"%d\" y=\"%lld\">", LEFT + PLOT + 10,
             (long long)y + 10);
    HTML(f->out, "{}, {}</text>\n", t, days);
}

static void add_row(const struct figure *f, const struct row *row, int64_t y)
{
    const struct pki_cert_info *info = &row->cert->row.info;
    int64_t x = x_of(f, info->not_before), end = x_of(f, info->not_after);

    add_label(f, row, y);
    str_addf(f->out,
             "<rect class=\"%s\" x=\"%lld\" y=\"%lld\" width=\"%lld\""
             " height=\"%d\" rx=\"2\"/>",
             class_of(f, row->cert), (long long)x, (long long)y,
             (long long)(end > x + 2 ? end - x : 2), BAR);
    if (info->not_after > f->to) /* it goes on */
        str_addf(f->out, "<path class=\"%s\" d=\"M%lld %lldl7 6l-7 6z\"/>",
                 class_of(f, row->cert), (long long)end, (long long)y);
    add_end(f, row->cert, y);
}

static void draw(struct figure *f)
{
    size_t shown = f->n < ROWS ? f->n : ROWS;
    int64_t bottom = TOP + (int64_t)shown * ROW;

    str_addf(f->out,
             "<svg class=\"fig\" viewBox=\"0 0 %d %lld\" role=\"img\""
             " aria-label=\"Certificates by the day on which they end; the"
             " table below has the same in words\">\n",
             WIDTH, (long long)bottom + 4);
    for (size_t i = 0; i < shown; i++)
        add_row(f, &f->rows[i], TOP + (int64_t)i * ROW + (ROW - BAR) / 2);
    add_lines(f, bottom);
    str_add(f->out, "</svg>\n");
}

void fleet_timeline(const struct fleet_facts *facts, struct str *out)
{
    struct figure f = {.facts = facts, .out = out};
    char left[32];

    f.rows = calloc(facts->n_certs + 1, sizeof(*f.rows));
    if (!f.rows)
        abort();
    for (size_t i = 0; i < facts->n_certs; i++)
        add_cert(&f, &facts->certs[i]);
    choose_range(&f);
    str_add(out, "<figure><div class=\"box\" role=\"region\" tabindex=\"0\""
                 " aria-label=\"Expiry timeline\">\n");
    draw(&f);
    str_add(out, "</div>\n");
    snprintf(left, sizeof(left), "%zu", f.n > ROWS ? f.n - ROWS : 0);
    if (f.n > ROWS)
        HTML(out,
             "<figcaption>{} that end later are in the table only."
             "</figcaption>\n",
             left);
    str_add(out, "</figure>\n");
    free(f.rows);
}
