/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of one cluster: blocks of rows in the engine's order, for each
 * node the exact commands.  A block is a row with the rows chained to it: a
 * node goes through all of them before the next one begins.
 */
#include <string.h>

#include "cli/help.h"
#include "cli/plan_view_priv.h"
#include "core/run/act.h"

enum {
    ACTS_CAP = 1 << 16,
    INDENT = 6
};

static struct view view_of(const struct plan_pen *pen, size_t node)
{
    struct view view = {
        .plan = pen->pc, .node = node, .back = pen->options->back};

    return view;
}

static bool in_lane(const struct plan_pen *pen, const struct step *step)
{
    switch (step->order) {
    case STEP_ONE_BY_ONE:
        return true;
    case STEP_AS_LEAVE:
        return pen->pc->cluster->leave == LANE_ONE_BY_ONE;
    case STEP_AS_JOIN:
        return pen->pc->cluster->join == LANE_ONE_BY_ONE;
    case STEP_ONCE:
    case STEP_PARALLEL:
        break;
    }
    return false;
}

/* A node may have some rows of a block only. */
static bool block_has(const struct plan_pen *pen, size_t first, size_t last,
                      size_t node)
{
    const struct step *steps = pen->pc->plan->playbook->steps;

    for (size_t row = first; row <= last; row++)
        if (plan_has_cell(pen->pc, &steps[row], node))
            return true;
    return false;
}

static size_t count_nodes(const struct plan_pen *pen, size_t first, size_t last)
{
    size_t n = 0;

    for (size_t i = 0; i < pen->pc->n_nodes; i++)
        n += block_has(pen, first, last, i);
    return n;
}

static void count_act(struct plan_pen *pen, const struct view *view,
                      const struct act *act)
{
    const struct product *product = pen->pc->plan->playbook->product;
    const struct command_row *row;
    struct str text;

    if (act->kind == ACT_PUT)
        pen->sum->files++;
    if (!act_is_text(act))
        return;
    str_init(&text, 4096);
    row = act_text(view, act, &text, NULL) < 0
              ? NULL
              : command_match(product, str_text(&text), NULL);
    pen->sum->commands += !row || !(row->flags & COMMAND_READS);
    str_release(&text);
}

static void add_answer(const struct view *view, const struct act *act,
                       struct str *lines)
{
    const char *answer =
        act->answer ? act->answer
                    : view->plan->plan->playbook->product->dialect->answer;

    if (act->kind == ACT_CONFIRM)
        str_addf(lines, "   (asks; answered %s)", answer);
    else if (act->kind == ACT_ASKED)
        str_addf(lines, "   (may ask; answered %s)", answer);
}

/* One act as it will be: with what is not known yet as its variable. */
static void add_act(struct plan_pen *pen, const struct view *view,
                    const struct act *act, struct str *lines)
{
    struct str text;
    struct err err = {.cause = CAUSE_NONE};
    static const char *const signs[] = {
        [ACT_COMMAND] = "> ", [ACT_CONFIRM] = "> ", [ACT_PUT] = "+ ",
        [ACT_FETCH] = "< ",   [ACT_TAKE] = "< ",    [ACT_REMOVE] = "- ",
        [ACT_ASKED] = "> ",   [ACT_PASTE] = "> ",   [ACT_KEEP] = "> ",
        [ACT_POST] = "> ",    [ACT_LOCAL] = "* ",
    };

    str_init(&text, 4096);
    str_add(lines, signs[act->kind]);
    if (act_describe(view, act, &text, &err) < 0) {
        str_reset(&text);
        str_addf(&text, "%s   (%s)", act->text, err.text);
    }
    str_add_visible(lines, str_text(&text), text.len, false);
    add_answer(view, act, lines);
    str_add(lines, "\n");
    count_act(pen, view, act);
    str_release(&text);
}

/* A node that is already as a live row wants it is skipped by the run: say
 * so, from the same goal and the facts just read. */
static bool is_met(const struct view *view, const struct step *step)
{
    struct err why = {.cause = CAUSE_NONE};

    return view->plan->decided && view->node != SIZE_MAX && step->goal &&
           (step->flags & STEP_LIVE) && step->goal(view, &why) == GOAL_MET;
}

static void add_acts(struct plan_pen *pen, const struct step *step, size_t node,
                     struct str *lines)
{
    struct view view = view_of(pen, node);
    const struct act *act;

    if (!pen->options->unread && is_met(&view, step))
        str_addf(lines, "(%s: already so, nothing is sent)\n", step->id);
    for (size_t n = 0; (act = act_at(&view, step, n)); n++)
        add_act(pen, &view, act, lines);
}

static void add_lines(struct plan_pen *pen, const struct str *lines)
{
    const char *p = str_text(lines);

    while (*p) {
        size_t len = strcspn(p, "\n");
        str_addf(pen->out, "%*s%.*s\n", INDENT, "", (int)len, p);
        p += len + (p[len] == '\n');
    }
}

static void block_acts(struct plan_pen *pen, size_t first, size_t last,
                       size_t node, struct str *lines)
{
    const struct playbook *pb = pen->pc->plan->playbook;

    for (size_t row = first; row <= last; row++)
        if (node == SIZE_MAX || plan_has_cell(pen->pc, &pb->steps[row], node))
            add_acts(pen, &pb->steps[row], node, lines);
}

/* Nodes that get the same words share one list, when the block's order does
 * not matter. */
static void add_nodes(struct plan_pen *pen, size_t first, size_t last)
{
    const struct step *step = &pen->pc->plan->playbook->steps[first];
    bool lane = in_lane(pen, step);
    bool mirrored = pen->options->back && (step->flags & STEP_MIRROR);
    bool any = false;
    struct str lines, previous;

    str_init(&lines, ACTS_CAP);
    str_init(&previous, ACTS_CAP);
    for (size_t k = 0; k < pen->pc->n_nodes; k++) {
        size_t i = mirrored ? pen->pc->n_nodes - 1 - k : k;
        const char *name = pen->pc->nodes[i].node->name;

        if (!block_has(pen, first, last, i))
            continue;
        str_reset(&lines);
        block_acts(pen, first, last, i, &lines);
        if (any && !lane &&
            strcmp(str_text(&lines), str_text(&previous)) == 0) {
            str_addf(pen->out, ", %s", name);
            continue;
        }
        if (any) {
            str_add(pen->out, "\n");
            add_lines(pen, &previous);
        }
        str_addf(pen->out, "    %s", name);
        str_reset(&previous);
        str_add(&previous, str_text(&lines));
        any = true;
    }
    if (any) {
        str_add(pen->out, "\n");
        add_lines(pen, &previous);
    }
    str_release(&lines);
    str_release(&previous);
}

static void add_once(struct plan_pen *pen, size_t first, size_t last)
{
    struct str lines;

    str_init(&lines, ACTS_CAP);
    block_acts(pen, first, last, SIZE_MAX, &lines);
    add_lines(pen, &lines);
    str_release(&lines);
}

static void add_reads(struct plan_pen *pen, const struct step *step)
{
    const struct playbook *pb = pen->pc->plan->playbook;
    uint32_t bits = step->reads;
    static const char *const words[] = {
        [READ_COMMAND] = "",
        [READ_LIST] = "the list of files",
        [READ_FILES] = "the files that its status names",
        [READ_SERVED] = "the certificate that it serves",
        [READ_API] = "its API",
    };
    unsigned said = 0;
    bool any = false;

    if (step->acts && step->acts->kind != ACT_END)
        return; /* what it reads besides is the goal's business */
    for (const struct read_row *r = pb->product->reads; r && r->bit; r++) {
        bool again = r->kind != READ_COMMAND && (said & (1U << r->kind));

        /* READ_WORK: nothing is asked of the node */
        if (!(r->bit & bits) || again || r->kind == READ_WORK)
            continue;
        said |= 1U << r->kind;
        str_addf(pen->out, "%s%s", any ? "; " : "      reads: ",
                 r->kind == READ_COMMAND ? r->text : words[r->kind]);
        any = true;
    }
    if (any)
        str_add(pen->out, "\n");
}

static const char *order_words(const struct plan_pen *pen, size_t first,
                               size_t last)
{
    const struct step *step = &pen->pc->plan->playbook->steps[first];

    if (step->order == STEP_ONCE)
        return "here";
    if (count_nodes(pen, first, last) < 2)
        return "";
    return in_lane(pen, step) ? "one by one" : "in parallel";
}

static void mark_outage(struct plan_pen *pen, bool outage)
{
    if (outage == pen->outage)
        return;
    pen->outage = outage;
    pen->sum->outage |= outage;
    str_addf(pen->out, "  %s%s", pen_paint(pen, "\033[1;31m"),
             outage ? "---- OUTAGE BEGINS: users notice" : "---- OUTAGE ENDS");
    if (outage && pen->pc->outage_estimate_ms) {
        str_add(pen->out, ", ");
        pen_duration(pen, pen->pc->outage_estimate_ms);
    }
    str_addf(pen->out, " ----%s\n", pen_paint(pen, "\033[0m"));
}

/* Of a block's rows those that nobody has are not told. */
static bool row_is_had(const struct plan_pen *pen, const struct step *step)
{
    if (step->order == STEP_ONCE)
        return true;
    for (size_t i = 0; i < pen->pc->n_nodes; i++)
        if (plan_has_cell(pen->pc, step, i))
            return true;
    return false;
}

static void add_heading(struct plan_pen *pen, size_t first, size_t last)
{
    const struct step *steps = pen->pc->plan->playbook->steps;
    const char *order = order_words(pen, first, last);
    unsigned flags = 0, said = 0;

    str_addf(pen->out, "  %2u. %s", ++pen->number, pen_paint(pen, "\033[1m"));
    for (size_t row = first; row <= last; row++) {
        if (!row_is_had(pen, &steps[row]))
            continue;
        str_addf(pen->out, "%s%s", said++ ? ", " : "", steps[row].id);
        flags |= steps[row].flags;
        pen->sum->steps++;
    }
    str_addf(pen->out, "%s: ", pen_paint(pen, "\033[0m"));
    said = 0;
    for (size_t row = first; row <= last; row++)
        if (row_is_had(pen, &steps[row]))
            str_addf(pen->out, "%s%s", said++ ? "; " : "", steps[row].title);
    if (*order)
        str_addf(pen->out, " (%s)", order);
    if (flags & STEP_ONE_WAY) {
        str_add(pen->out, " ONE_WAY: cannot be taken back");
        pen->sum->one_way = true;
    }
    str_add(pen->out, "\n");
}

static bool has_outage(const struct plan_pen *pen, size_t first, size_t last)
{
    const struct step *steps = pen->pc->plan->playbook->steps;

    for (size_t row = first; row <= last; row++)
        if (plan_has_outage(pen->pc, &steps[row]))
            return true;
    return false;
}

static size_t block_end(const struct playbook *pb, size_t first)
{
    size_t last = first;

    while (last + 1 < pb->n_steps && (pb->steps[last + 1].flags & STEP_CHAIN))
        last++;
    return last;
}

/* A way back goes through the live rows only. */
static bool is_walked(const struct plan_pen *pen, const struct step *step)
{
    return !pen->options->back || (step->flags & STEP_LIVE);
}

/* A row whose acts are for other ways than this one is left away. */
static bool says_something(const struct plan_pen *pen, size_t first,
                           size_t last)
{
    const struct step *steps = pen->pc->plan->playbook->steps;

    for (size_t row = first; row <= last; row++) {
        if (steps[row].order == STEP_ONCE)
            return true;
        for (size_t i = 0; i < pen->pc->n_nodes; i++) {
            struct view view = view_of(pen, i);
            if (plan_has_cell(pen->pc, &steps[row], i) &&
                (!steps[row].acts || act_at(&view, &steps[row], 0)))
                return true;
        }
    }
    return false;
}

void plan_steps(struct plan_pen *pen)
{
    const struct playbook *pb = pen->pc->plan->playbook;
    size_t last;

    for (size_t first = 0; first < pb->n_steps; first = last + 1) {
        const struct step *step = &pb->steps[first];

        last = block_end(pb, first);
        if (!is_walked(pen, step) || !says_something(pen, first, last))
            continue;
        mark_outage(pen, has_outage(pen, first, last));
        add_heading(pen, first, last);
        add_reads(pen, step);
        if (step->order == STEP_ONCE)
            add_once(pen, first, last);
        else
            add_nodes(pen, first, last);
        if (pen->options->until &&
            strcmp(pb->steps[last].id, pen->options->until) == 0) {
            mark_outage(pen, false);
            str_add(pen->out, "  ---- ends here (--until) ----\n");
            return;
        }
    }
    mark_outage(pen, false);
}
