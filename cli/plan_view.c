/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands around the steps of a plan: who holds the data, the way back,
 * findings, cautions, the sum.
 */
#include "cli/plan_view.h"

#include <string.h>

#include "cli/help.h"
#include "cli/plan_view_priv.h"
#include "core/base/clock.h"
#include "core/run/preflight.h"

enum {
    SECONDS_A_DAY = 86400,
    VIEW_CAP = 1 << 24
};

const char *pen_paint(const struct plan_pen *pen, const char *code)
{
    return pen->options->color ? code : "";
}

void pen_duration(struct plan_pen *pen, uint64_t ms)
{
    uint64_t s = (ms + 999) / 1000;

    if (s < 120)
        str_addf(pen->out, "about %llu s", (unsigned long long)s);
    else
        str_addf(pen->out, "about %llu min",
                 (unsigned long long)((s + 59) / 60));
}

static void add_visible(struct str *out, const char *text)
{
    str_add_visible(out, text, strlen(text), false);
}

void plan_view_until(struct str *out, int64_t until, int64_t now)
{
    char text[CLOCK_TEXT_BYTES];
    long long days = (until - now) / SECONDS_A_DAY;

    clock_rfc3339(until * 1000, text);
    str_addf(out, "until %.19sZ", text);
    if (until <= now)
        str_add(out, " (over)");
    else if (days > 0)
        str_addf(out, " (%lld day%s)", days, days == 1 ? "" : "s");
    else
        str_addf(out, " (%lld h)", (long long)((until - now) / 3600));
}

static void add_way_back(struct plan_pen *pen)
{
    const struct plan_cluster *pc = pen->pc;

    if (!pc->decided)
        return;
    if (!pc->way_back) {
        pen->sum->no_way_back = true;
        str_addf(pen->out, "  %sNO WAY BACK:%s ", pen_paint(pen, "\033[1;31m"),
                 pen_paint(pen, "\033[0m"));
        add_visible(pen->out, *pc->no_way_back ? pc->no_way_back
                                               : "the old state cannot be "
                                                 "put back");
        str_add(pen->out, "\n");
        return;
    }
    str_addf(pen->out, "  %sWAY BACK%s ", pen_paint(pen, "\033[1;32m"),
             pen_paint(pen, "\033[0m"));
    if (pc->way_back_until)
        plan_view_until(pen->out, pc->way_back_until, clock_wall_ms() / 1000);
    else
        str_add(pen->out, "stands");
    str_add(pen->out, "\n");
}

static bool makes_set(const struct plan_cluster *pc)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].own.n)
            return true;
    return pc->set.n > 0;
}

static void add_set(struct plan_pen *pen)
{
    const struct plan_cluster *pc = pen->pc;

    if (pen->options->back) {
        str_add(pen->out, "  back to each node's old files\n");
    } else if (pc->reused) {
        str_addf(pen->out, "  the cluster's set: generation %u, tag %s\n",
                 pc->number, pc->tag);
    } else if (pc->number && makes_set(pc)) {
        str_addf(pen->out, "  new set: generation %u, tag %s%s\n", pc->number,
                 pc->tag, pc->issued ? ", made already" : "");
    }
}

static void add_nodes(struct plan_pen *pen)
{
    const struct plan_cluster *pc = pen->pc;
    bool any = false;

    if (pc->holder != SIZE_MAX)
        str_addf(pen->out, "  holds the data: %s%s%s\n",
                 pen_paint(pen, "\033[1m"), pc->nodes[pc->holder].node->name,
                 pen_paint(pen, "\033[0m"));
    for (size_t i = 0; i < pc->n_nodes; i++) {
        if (!pc->nodes[i].left_out)
            continue;
        str_addf(pen->out, "%s%s",
                 any ? ", " : "  left out: ", pc->nodes[i].node->name);
        any = true;
    }
    if (any)
        str_add(pen->out, "\n");
    if (pc->expired)
        str_add(pen->out, "  the old database certificates have expired\n");
}

static void add_estimates(struct plan_pen *pen)
{
    const struct plan_cluster *pc = pen->pc;

    if (pc->outage_estimate_ms) {
        str_add(pen->out, "  outage: ");
        pen_duration(pen, pc->outage_estimate_ms);
        str_add(pen->out, "\n");
    }
    if (pc->degraded_estimate_ms) {
        str_add(pen->out, "  without full redundancy: ");
        pen_duration(pen, pc->degraded_estimate_ms);
        str_add(pen->out, "\n");
    }
}

static void add_finding(struct plan_pen *pen, const struct finding *f)
{
    static const struct {
        const char *word, *color;
    } looks[] = {
        [SEVERITY_INFO] = {"note", "\033[2m"},
        [SEVERITY_WARNING] = {"warning", "\033[33m"},
        [SEVERITY_BLOCK] = {"BLOCKS", "\033[1;31m"},
        [SEVERITY_ERROR] = {"ERROR", "\033[1;31m"},
    };
    bool accepted =
        f->severity == SEVERITY_BLOCK && plan_accepts(pen->pc->plan, f->id);

    str_addf(pen->out, "  %s%s%s ", pen_paint(pen, looks[f->severity].color),
             accepted ? "accepted" : looks[f->severity].word,
             pen_paint(pen, "\033[0m"));
    if (f->node)
        str_addf(pen->out, "%s: ", f->node);
    add_visible(pen->out, f->text);
    if (f->severity == SEVERITY_BLOCK && !accepted)
        str_addf(pen->out, " (--accept %s)", f->id);
    str_add(pen->out, " [");
    preflight_add_ids(pen->out, f->id);
    str_add(pen->out, "]\n");
}

static void add_findings(struct plan_pen *pen)
{
    for (int severity = SEVERITY_ERROR; severity >= SEVERITY_INFO; severity--)
        for (size_t i = 0; i < pen->pc->findings.n; i++)
            if ((int)pen->pc->findings.list[i].severity == severity)
                add_finding(pen, &pen->pc->findings.list[i]);
}

static void add_cluster(struct plan_pen *pen)
{
    const struct plan_cluster *pc = pen->pc;

    str_addf(pen->out, "%scluster %s%s\n", pen_paint(pen, "\033[1m"),
             pc->cluster->name, pen_paint(pen, "\033[0m"));
    pen->sum->clusters++;
    if (pc->not_due) {
        str_add(pen->out, "  not due: ");
        add_visible(pen->out, pc->why_not_due);
        str_add(pen->out, "\n\n");
        return;
    }
    pen->sum->nodes += pc->n_nodes;
    add_set(pen);
    add_nodes(pen);
    add_way_back(pen);
    add_estimates(pen);
    add_findings(pen);
    str_add(pen->out, "\n");
    plan_steps(pen);
    str_add(pen->out, "\n");
}

static void add_sum(struct str *out, const struct plan_sum *sum)
{
    str_addf(out,
             "Plan: %zu cluster%s, %zu node%s, %zu commands that change a "
             "node, %zu files to push.%s%s%s\n",
             sum->clusters, sum->clusters == 1 ? "" : "s", sum->nodes,
             sum->nodes == 1 ? "" : "s", sum->commands, sum->files,
             sum->outage ? " Users will notice." : "",
             sum->one_way ? " There are ONE_WAY steps." : "",
             sum->no_way_back ? " There is NO WAY BACK." : "");
}

static void view(const struct plan *plan,
                 const struct plan_view_options *options, struct str *out,
                 struct plan_sum *sum)
{
    for (size_t c = 0; c < plan->n_clusters; c++) {
        struct plan_pen pen = {
            .out = out,
            .options = options,
            .pc = &plan->clusters[c],
            .sum = sum,
        };
        add_cluster(&pen);
    }
}

void plan_view(const struct plan *plan, const struct plan_view_options *options,
               struct str *out)
{
    struct plan_sum sum = {.clusters = 0};

    str_addf(out, "%s%s%s %s", options->color ? "\033[1m" : "",
             plan->playbook->id, options->color ? "\033[0m" : "",
             options->back ? "taken back on " : "on ");
    add_visible(out, plan->target);
    for (size_t i = 0; i < plan->n_inputs; i++) {
        str_addf(out, " %s=", plan->inputs[i].key);
        add_visible(out, plan->inputs[i].value);
    }
    str_addf(out, ": %s\n\n", plan->playbook->title);
    view(plan, options, out, &sum);
    if (plan->playbook->caution && (sum.outage || sum.commands)) {
        str_add(out, "What no order can save:\n");
        help_fill(out, plan->playbook->caution, 2);
        str_add(out, "\n");
    }
    add_sum(out, &sum);
}

void plan_sum(const struct plan *plan, bool back, struct plan_sum *sum)
{
    struct plan_view_options options = {.back = back};
    struct str text;

    memset(sum, 0, sizeof(*sum));
    str_init(&text, VIEW_CAP);
    view(plan, &options, &text, sum);
    str_release(&text);
}
