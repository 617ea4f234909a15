/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of a run's page: clusters, certificates, what was noted, who did
 * what, every step.
 */
#include <stdio.h>
#include <string.h>

#include "cli/html.h"
#include "cli/report_page_priv.h"
#include "cli/run_words.h"

enum {
    SMALL = 256
};

/* -- words ---------------------------------------------------------------- */

static const struct report_tone tones[] = {
    {"done", "good", "done"},
    {"ok", "good", "ok"},
    {"rolled-back", "warn", "rolled back"},
    {"waiting", "warn", "waits for certificates"},
    {"interrupted", "warn", "interrupted"},
    {"running", "warn", "running"},
    {"refused", "bad", "refused"},
    {"incomplete", "bad", "incomplete"},
    {"cut off", "bad", "cut off: its process is gone"},
    {"failed", "bad", "failed"},
    {"skipped", "mute", "skipped"},
    {NULL, NULL, NULL},
};

const struct report_tone *report_tone(const char *word)
{
    const struct report_tone *row = tones;

    while (row->word && (!word || strcmp(row->word, word) != 0))
        row++;
    return row;
}

const char *report_says(const char *word)
{
    const struct report_tone *row = report_tone(word);

    return row->word ? row->says : word;
}

static void cell_time(struct str *out, int64_t ms)
{
    struct str text;

    str_init(&text, SMALL);
    run_time(&text, ms);
    html_cell(out, "time", str_text(&text));
    str_release(&text);
}

static void cell_took(struct str *out, int64_t ms)
{
    struct str text;

    str_init(&text, SMALL);
    report_took(&text, ms);
    html_cell(out, "num", str_text(&text));
    str_release(&text);
}

const char *report_member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* -- clusters ------------------------------------------------------------- */

static void say_outcome(const struct report *r, const struct report_cluster *c,
                        const struct report_outcome *o, struct str *out)
{
    const struct report_tone *tone = report_tone(o->outcome);

    html_row_begin(out);
    html_cell(out, "name", c->name);
    html_cell(out, NULL, r->parts[o->part].what);
    html_cell(out, tone->word ? tone->class : NULL, report_says(o->outcome));
    cell_took(out, o->outage_ms);
    cell_took(out, o->degraded_ms);
    html_cell(out, NULL, c->holder);
    if (c->way_back_until)
        cell_time(out, c->way_back_until * 1000);
    else
        html_cell(out, NULL, NULL);
    html_cell(out, "text", o->why);
    html_row_end(out);
}

void report_clusters(const struct report *r, struct str *out)
{
    static const char *const heads[] = {"cluster",        "what",     "outcome",
                                        "outage",         "degraded", "primary",
                                        "way back until", "why",      NULL};

    str_add(out, "<section><h2>Clusters</h2>\n"
                 "<p>Outage: from the primary's confirmed remove until the "
                 "last connect-only node is connected. Degraded: from the "
                 "first confirmed remove until all are in sync.</p>\n");
    html_table_begin(out, "Clusters", heads);
    for (size_t i = 0; i < r->n_clusters; i++)
        for (size_t k = 0; k < r->clusters[i].n_outcomes; k++)
            say_outcome(r, &r->clusters[i], &r->clusters[i].outcomes[k], out);
    html_table_end(out);
    str_add(out, "</section>\n");
}

/* -- certificates --------------------------------------------------------- */

static void cell_file(struct str *out, const json_t *file)
{
    const char *sha256 = report_member(file, "cert_sha256");

    if (sha256)
        HTML(out,
             "<td class=\"print\">{}<br/><span class=\"mono\">{}</span></td>",
             report_member(file, "name"), sha256);
    else
        html_cell(out, "print", NULL);
}

static void say_pair(void *user, const struct run_pair *pair)
{
    struct str *out = user;

    html_row_begin(out);
    html_cell(out, "name", pair->cluster);
    html_cell(out, "name", pair->node);
    html_cell(out, "name", pair->slot);
    cell_file(out, pair->was);
    cell_file(out, pair->made);
    html_row_end(out);
}

void report_certificates(const struct report *r, struct str *out)
{
    static const char *const heads[] = {"cluster", "node",  "place",
                                        "before",  "after", NULL};
    bool back = r->state && strcmp(r->state, "rolled-back") == 0;

    str_add(out, "<section><h2>Certificates before and after</h2>\n<p>File "
                 "and SHA-256 fingerprint. ");
    str_add(out, back ? "The run was taken back: the nodes have those of "
                        "<em>before</em>.</p>\n"
                      : "After: those that the run made for the node.</p>\n");
    html_table_begin(out, "Certificates before and after", heads);
    run_audit_pairs(&r->audit, say_pair, out);
    html_table_end(out);
    str_add(out, "</section>\n");
}

/* -- what was noted, and every step --------------------------------------- */

void report_notes(const struct report *r, struct str *out)
{
    static const char *const heads[] = {"when", "cluster", "node", "step",
                                        "id",   "weight",  "what", NULL};

    str_add(out, "<section><h2>Warnings and notes</h2>\n");
    if (!r->n_notes) {
        str_add(out, "<p>None is in the journal.</p></section>\n");
        return;
    }
    html_table_begin(out, "Warnings and notes", heads);
    for (size_t i = 0; i < r->n_notes; i++) {
        const struct report_note *n = &r->notes[i];

        html_row_begin(out);
        cell_time(out, n->t_ms);
        html_cell(out, "name", n->cluster);
        html_cell(out, "name", n->node);
        html_cell(out, NULL, n->step);
        html_cell(out, NULL, n->id);
        html_cell(out, n->weight ? "warn" : NULL,
                  n->weight ? n->weight : "note");
        html_cell(out, "text", n->text);
        html_row_end(out);
    }
    html_table_end(out);
    str_add(out, "</section>\n");
}

static void say_bar(const struct report *r, const struct report_lane *lane,
                    const struct report_bar *b, struct str *out)
{
    const struct report_tone *tone = report_tone(b->state);
    char tries[40] = "";

    if (b->tries)
        snprintf(tries, sizeof(tries), "%u failed", b->tries);
    html_row_begin(out);
    cell_time(out, b->from_ms);
    cell_took(out, b->to_ms - b->from_ms);
    html_cell(out, NULL, r->parts[b->part].what);
    HTML(out, "<td>{}{}</td>", b->step, b->back ? " (back)" : "");
    html_cell(out, "name", lane->node ? lane->node : "this machine");
    html_cell(out, tone->word ? tone->class : NULL, report_says(b->state));
    html_cell(out, b->tries ? "warn" : NULL, tries);
    html_cell(out, "text", b->detail);
    html_row_end(out);
}

void report_steps(const struct report *r, struct str *out)
{
    static const char *const heads[] = {"started", "took",   "what",
                                        "step",    "node",   "outcome",
                                        "tries",   "detail", NULL};

    str_add(out, "<section><h2>Every step</h2>\n");
    for (size_t c = 0; c < r->n_clusters; c++) {
        const struct report_cluster *cluster = &r->clusters[c];

        HTML(out, "<h3>Cluster {}</h3>\n", cluster->name);
        html_table_begin(out, "Steps", heads);
        for (size_t l = 0; l < cluster->n_lanes; l++)
            for (size_t b = 0; b < cluster->lanes[l].n_bars; b++)
                say_bar(r, &cluster->lanes[l], &cluster->lanes[l].bars[b], out);
        html_table_end(out);
    }
    str_add(out, "</section>\n");
}

/* -- who did what --------------------------------------------------------- */

void report_deeds(const struct report *r, struct str *out)
{
    static const char *const heads[] = {"what",    "when", "by", "from",
                                        "program", "plan", NULL};
    const json_t *deed;
    size_t i;

    str_add(out, "<section><h2>Who did what</h2>\n");
    html_table_begin(out, "Who did what", heads);
    json_array_foreach(r->audit.deeds, i, deed)
    {
        const char *user = report_member(deed, "user"),
                   *host = report_member(deed, "host");
        const char *login = report_member(deed, "login");
        const char *plan = report_member(deed, "plan_sha256");

        html_row_begin(out);
        html_cell(out, NULL, report_member(deed, "what"));
        cell_time(out, json_integer_value(json_object_get(deed, "t_ms")));
        HTML(out, "<td>{}@{}{}{}</td>", user ? user : "?", host ? host : "?",
             login ? ", logged in as " : "", login);
        html_cell(out, NULL, report_member(deed, "from"));
        html_cell(out, NULL, report_member(deed, "version"));
        html_cell(out, plan ? "print mono" : NULL,
                  plan ? plan : "none was agreed to");
        html_row_end(out);
    }
    html_table_end(out);
    str_add(out, "</section>\n");
}
