/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of the fleet: what ends when, who did not answer, what is wrong.
 */
#include <stdio.h>

#include "cli/html.h"
#include "cli/report_page.h"
#include "core/base/clock.h"

static void tile(struct str *out, size_t n, const char *class, const char *what)
{
    char number[32];

    snprintf(number, sizeof(number), "%zu", n);
    HTML(out, "<li><b class=\"{}\">{}</b>{}</li>\n", n ? class : "mute", number,
         what);
}

static void say_tiles(const struct fleet_facts *facts, struct str *out)
{
    size_t expired = 0;
    char due[64];

    for (size_t i = 0; i < facts->n_certs; i++)
        expired += facts->certs[i].days < 0;
    snprintf(due, sizeof(due), "end within %u days", facts->warn_days);
    str_add(out, "<ul class=\"tiles\">\n");
    tile(out, facts->n_nodes, "", "nodes asked");
    tile(out, facts->unreachable, "bad", "did not answer");
    tile(out, facts->unhealthy, "bad", "are unhealthy");
    tile(out, facts->n_certs, "", "certificates");
    tile(out, facts->due, "bad", due);
    tile(out, expired, "bad", "have expired");
    str_add(out, "</ul>\n");
}

static void say_troubles(const struct fleet_facts *facts, bool silent,
                         struct str *out)
{
    static const char *const heads[] = {"state",   "cluster", "node",
                                        "finding", "what",    NULL};
    const char *label = silent ? "Nodes that did not answer" : "Findings";
    bool any = false;

    HTML(out, "<section><h2>{}</h2>\n", label);
    for (size_t i = 0; i < facts->n_troubles; i++) {
        const struct fleet_trouble *t = &facts->troubles[i];

        if (t->unreachable != silent)
            continue;
        if (!any)
            html_table_begin(out, label, heads);
        any = true;
        html_row_begin(out);
        html_cell(out, t->bad ? "bad" : "warn", fleet_state(t));
        html_cell(out, "name", t->cluster);
        html_cell(out, "name", t->node);
        html_cell(out, NULL, t->id);
        html_cell(out, "text", t->text);
        html_row_end(out);
    }
    if (any)
        html_table_end(out);
    else
        str_add(out, silent ? "<p>All answered.</p>\n" : "<p>None.</p>\n");
    str_add(out, "</section>\n");
}

static void say_cert(const struct fleet_facts *facts,
                     const struct fleet_cert *c, struct str *out)
{
    char days[48], t[CLOCK_TEXT_BYTES];

    snprintf(days, sizeof(days), "%lld%s", c->days,
             c->days < 0 ? " EXPIRED" : "");
    clock_rfc3339(c->row.info.not_after * 1000, t);
    t[10] = '\0';
    html_row_begin(out);
    html_cell(out,
              c->days < (long long)facts->warn_days ? "num bad"
              : c->days < 90                        ? "num warn"
                                                    : "num",
              days);
    html_cell(out, "time", t);
    html_cell(out, "name", c->cluster);
    html_cell(out, "name", c->node);
    html_cell(out, "name", c->service);
    html_cell(out, "name", c->file);
    html_cell(out, "text", c->row.info.subject);
    html_cell(out, "text", c->row.info.issuer);
    html_cell(out, *c->row.findings ? "text" : NULL, c->row.findings);
    html_cell(out, "print mono", c->row.info.sha256);
    html_row_end(out);
}

static void say_certs(const struct fleet_facts *facts, struct str *out)
{
    static const char *const heads[] = {
        "days left", "ends",   "cluster",  "node",    "service", "file",
        "subject",   "issuer", "findings", "SHA-256", NULL};

    str_add(out, "<section><h2>All certificates</h2>\n");
    html_table_begin(out, "All certificates", heads);
    for (size_t i = 0; i < facts->n_certs; i++)
        say_cert(facts, &facts->certs[i], out);
    html_table_end(out);
    str_add(out, "</section>\n");
}

void fleet_page(const struct fleet_facts *facts, const char *what,
                struct str *out)
{
    char t[CLOCK_TEXT_BYTES];

    clock_rfc3339(facts->now * 1000, t);
    html_begin(out, "Certificates of the fleet");
    HTML(out,
         "<header><p class=\"kicker\">certfleet: report of the fleet</p>\n"
         "<h1>Certificates of {}</h1>\n<p>Read from the nodes on "
         "<time>{}</time>.</p></header>\n",
         what, t);
    say_tiles(facts, out);
    str_add(out, "<section><h2>What ends when</h2>\n");
    if (facts->n_certs)
        fleet_timeline(facts, out);
    else
        str_add(out, "<p>No certificate was read.</p>\n");
    str_add(out, "</section>\n");
    say_troubles(facts, true, out);
    say_troubles(facts, false, out);
    if (facts->n_certs)
        say_certs(facts, out);
    html_end(out);
}
