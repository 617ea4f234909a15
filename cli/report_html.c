/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of a run from top to bottom: what it came to, figures, timelines;
 * then the tables of report_tables.c.
 */

#include <stdio.h>
#include <string.h>

#include "cli/html.h"
#include "cli/report_page_priv.h"
#include "cli/run_words.h"
#include "playbooks/registry.h"

enum {
    SMALL = 256,
    BADGES = 12 /* of other clusters; the table has them all */
};

/* -- the head ------------------------------------------------------------- */

static void fact(struct str *out, const char *name, const char *value)
{
    if (value && *value)
        HTML(out, "<dt>{}</dt><dd>{}</dd>\n", name, value);
}

static void fact_code(struct str *out, const char *name, const char *value)
{
    if (value && *value)
        HTML(out, "<dt>{}</dt><dd><code>{}</code></dd>\n", name, value);
}

static void fact_time(struct str *out, const char *name, int64_t ms)
{
    struct str text;

    str_init(&text, SMALL);
    if (ms)
        run_time(&text, ms);
    fact(out, name, str_text(&text));
    str_release(&text);
}

static const json_t *last_deed(const struct report *r)
{
    size_t n = json_array_size(r->audit.deeds);

    return n ? json_array_get(r->audit.deeds, n - 1) : NULL;
}

static void say_chain(const struct report *r, struct str *out)
{
    char records[64], head[STORE_HASH_BYTES + 32];

    snprintf(records, sizeof(records), "%lld record%s of %lld run%s",
             (long long)r->chain.records, r->chain.records == 1 ? "" : "s",
             (long long)r->chain.runs, r->chain.runs == 1 ? "" : "s");
    snprintf(head, sizeof(head), "%lld:%s", (long long)r->chain.head.seq,
             r->chain.head.hash);
    if (r->chain.misfits)
        HTML(out,
             "<dt>journal</dt><dd><span class=\"bad\">does not verify: it was "
             "changed by another hand.</span> {} What stands below may not "
             "be what happened; <code>certfleet audit verify</code> tells "
             "more.</dd>\n",
             r->chain.why);
    else
        HTML(out,
             "<dt>journal</dt><dd><span class=\"good\">verifies</span>: {}, "
             "each follows from the one before; head <code>{}</code></dd>\n",
             records, head);
}

static void say_next(const struct report *r, const char *self, struct str *out)
{
    static const char program[] = "certfleet";
    struct str line;

    if (!r->next[0])
        return;
    str_init(&line, 4096);
    str_addf(&line, "%s%s", self, r->next + strlen(program));
    fact_code(out, "next", str_text(&line));
    str_release(&line);
}

static const char *last_outcome(const struct report_cluster *c)
{
    return c->n_outcomes ? c->outcomes[c->n_outcomes - 1].outcome : NULL;
}

/* A run is called by one outcome: what another of its clusters came to must
 * not be overlooked for it. */
static void say_others(const struct report *r, struct str *out)
{
    size_t n = 0;
    char more[32];

    for (size_t i = 0; i < r->n_clusters && r->ended_ms; i++) {
        const char *word = last_outcome(&r->clusters[i]);
        const struct report_tone *tone = report_tone(word);

        if (!word || !r->state || strcmp(word, r->state) == 0)
            continue;
        if (n++ < BADGES)
            HTML(out, "<span class=\"badge {}\">{}: {}</span>\n",
                 tone->word ? tone->class : "mute", r->clusters[i].name,
                 report_says(word));
    }
    snprintf(more, sizeof(more), "%zu", n > BADGES ? n - BADGES : 0);
    if (n > BADGES)
        HTML(out, "<span class=\"badge bad\">and {} more</span>\n", more);
}

static void say_head(const struct report *r, const char *self, struct str *out)
{
    const struct report_tone *tone = report_tone(r->state);
    char code[16] = "";

    if (r->ended_ms)
        snprintf(code, sizeof(code), "%d", r->exit_code);
    HTML(out,
         "<header><p class=\"kicker\">certfleet: report of a run</p>\n"
         "<h1>{} of {}</h1>\n<p class=\"badges\"><span class=\"badge {}\">"
         "{}</span>\n",
         r->playbook, r->target, tone->word ? tone->class : "mute",
         report_says(r->state));
    say_others(r, out);
    str_add(out, "</p>\n</header>\n<dl>\n");
    fact_code(out, "run", r->id);
    fact(out, "by", r->by);
    fact(out, "from", report_member(last_deed(r), "from"));
    fact_time(out, "started", r->started_ms);
    fact_time(out, "ended", r->ended_ms);
    fact(out, "exit code", code);
    if (r->inputs && strcmp(r->inputs, "{}") != 0)
        fact_code(out, "inputs", r->inputs);
    fact_code(out, "plan", report_member(last_deed(r), "plan_sha256"));
    if (r->holds && !r->living)
        fact(out, "clusters", "still held by this run");
    say_next(r, self, out);
    say_chain(r, out);
    str_add(out, "</dl>\n");
}

/* -- the figures that are asked for first --------------------------------- */

static void tile(struct str *out, const char *class, const char *figure,
                 const char *what)
{
    HTML(out, "<li><b class=\"{}\">{}</b>{}</li>\n", class, figure, what);
}

static void tile_count(struct str *out, const char *class, size_t n,
                       const char *what)
{
    char figure[32];

    snprintf(figure, sizeof(figure), "%zu", n);
    tile(out, n ? class : "mute", figure, what);
}

static size_t count_nodes(const struct report_cluster *c, size_t *failed)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_lanes; i++) {
        n += c->lanes[i].node != NULL;
        *failed += c->lanes[i].n_marks;
        for (size_t k = 0; k < c->lanes[i].n_bars; k++)
            *failed += strcmp(c->lanes[i].bars[k].state, "failed") == 0;
    }
    return n;
}

static void say_tiles(const struct report *r, struct str *out)
{
    size_t nodes = 0, failed = 0;
    int64_t longest = 0;
    struct str took;

    for (size_t i = 0; i < r->n_clusters; i++) {
        const struct report_cluster *c = &r->clusters[i];

        nodes += count_nodes(c, &failed);
        for (size_t k = 0; k < c->n_outcomes; k++)
            if (c->outcomes[k].outage_ms > longest)
                longest = c->outcomes[k].outage_ms;
    }
    str_init(&took, SMALL);
    report_took(&took, longest);
    str_add(out, "<ul class=\"tiles\">\n");
    tile_count(out, "", r->n_clusters,
               r->n_clusters == 1 ? "cluster" : "clusters");
    tile_count(out, "", nodes, nodes == 1 ? "node" : "nodes");
    tile(out, longest ? "" : "mute", longest ? str_text(&took) : "none",
         r->n_clusters > 1 ? "longest outage" : "outage");
    tile_count(out, "warn", failed,
               failed == 1 ? "failed try" : "failed tries");
    str_add(out, "</ul>\n");
    str_release(&took);
}

/* -- timelines ------------------------------------------------------------ */

static void key_of(struct str *out, const char *mark, const char *word,
                   const char *meaning)
{
    str_add(out, "<li><svg viewBox=\"0 0 22 14\" aria-hidden=\"true\">");
    str_add(out, mark); /* ours */
    HTML(out, "</svg><span>{}{}{}</span></li>\n", word,
         word && meaning ? ": " : "", meaning);
}

static const struct mark_row {
    const char *mark, *meaning;
} marks[] = {
    {"<rect class=\"degraded\" width=\"22\" height=\"14\"/>",
     "degraded: not every node is in sync"},
    {"<rect class=\"outage\" width=\"22\" height=\"14\"/>",
     "outage: the database does not serve"},
    {"<path class=\"mark\" d=\"M11 1l7 12h-14z\"/>", "a try failed"},
    {"<rect class=\"failed\" width=\"9\" height=\"14\"/>"
     "<path class=\"cross\" d=\"M12 3l8 8m0 -8l-8 8\"/>",
     "failed for good"},
    {"<rect class=\"skipped\" x=\"1\" y=\"1\" width=\"20\" height=\"12\"/>",
     "skipped: it was so already"},
    {"<rect class=\"c7\" width=\"22\" height=\"14\"/>"
     "<rect class=\"back\" width=\"22\" height=\"14\"/>",
     "hatched: on the way back"},
};

static bool has_step(const struct report *r, const char *step)
{
    for (size_t c = 0; c < r->n_clusters; c++)
        for (size_t l = 0; l < r->clusters[c].n_lanes; l++)
            for (size_t b = 0; b < r->clusters[c].lanes[l].n_bars; b++)
                if (strcmp(r->clusters[c].lanes[l].bars[b].step, step) == 0)
                    return true;
    return false;
}

/* "take the replicas out; take the primary out, last" */
static void add_titles(const struct playbook *pb, const char *id,
                       struct str *titles)
{
    for (size_t i = 0; i < pb->n_steps; i++)
        if (strcmp(pb->steps[i].id, id) == 0)
            str_addf(titles, "%s%s", titles->len ? "; " : "",
                     pb->steps[i].title);
}

static void key_of_step(const struct report *r, const struct playbook *pb,
                        const char *id, struct str *out)
{
    struct str titles;
    char mark[80];

    str_init(&titles, 2048);
    add_titles(pb, id, &titles);
    snprintf(mark, sizeof(mark),
             "<rect class=\"c%u\" width=\"22\" height=\"14\"/>",
             report_color(r, id));
    key_of(out, mark, id, str_text(&titles));
    str_release(&titles);
}

static void say_key(const struct report *r, struct str *out)
{
    const struct playbook *pb =
        r->playbook ? registry_playbook(r->playbook) : NULL;

    str_add(out, "<ul class=\"key\">\n");
    for (size_t i = 0; pb && i < pb->n_steps; i++) {
        const char *id = pb->steps[i].id;
        size_t first = 0;

        while (strcmp(pb->steps[first].id, id) != 0)
            first++;
        if (first == i && has_step(r, id))
            key_of_step(r, pb, id, out);
    }
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        key_of(out, marks[i].mark, NULL, marks[i].meaning);
    str_add(out, "</ul>\n");
}

/* `c' NULL: all clusters at a glance. */
static void say_figure(const struct report *r, const struct report_cluster *c,
                       size_t part, struct str *out)
{
    const char *of = c ? c->name : "all clusters";
    struct str when;

    str_init(&when, SMALL);
    run_time(&when, r->parts[part].from_ms);
    HTML(out,
         "<figure><figcaption>{}, {}{}: time since {}</figcaption>\n"
         "<div class=\"box\" role=\"region\" tabindex=\"0\""
         " aria-label=\"Timeline of {}\">\n",
         r->parts[part].what, c ? "cluster " : "", of, str_text(&when), of);
    if (c)
        report_timeline(r, c, part, out);
    else
        report_overview(r, part, out);
    str_add(out, "</div></figure>\n");
    str_release(&when);
}

static bool is_shared(const struct report *r, size_t part)
{
    size_t n = 0;

    for (size_t c = 0; c < r->n_clusters; c++)
        n += report_has_bars(&r->clusters[c], part);
    return n > 1;
}

static void say_timelines(const struct report *r, struct str *out)
{
    str_add(out, "<section><h2>Timeline</h2>\n");
    for (size_t part = 0; part < r->n_parts; part++) {
        if (is_shared(r, part))
            say_figure(r, NULL, part, out);
        for (size_t c = 0; c < r->n_clusters; c++)
            if (report_has_bars(&r->clusters[c], part))
                say_figure(r, &r->clusters[c], part, out);
    }
    say_key(r, out);
    str_add(out, "</section>\n");
}

void report_page(const struct report *report, const char *self, struct str *out)
{
    struct str title;

    str_init(&title, 4096);
    str_addf(&title, "%s of %s: %s", report->playbook, report->target,
             report_says(report->state));
    html_begin(out, str_text(&title));
    str_release(&title);
    say_head(report, self, out);
    say_tiles(report, out);
    say_timelines(report, out);
    report_clusters(report, out);
    report_certificates(report, out);
    report_notes(report, out);
    report_deeds(report, out);
    report_steps(report, out);
    html_end(out);
}
