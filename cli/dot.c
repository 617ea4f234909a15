/* SPDX-License-Identifier: Apache-2.0
 *
 * What core/run/walk.c and core/run/course.c do with a table, drawn.
 */
#include "cli/dot.h"

#include "cli/step_words.h"

struct drawing {
    const struct playbook *pb;
    struct str *out;
    size_t live; /* the first row that changes what is live */
    size_t turn; /* the row after which service comes first */
};

static size_t first_with(const struct playbook *pb, unsigned flag)
{
    size_t row = 0;

    while (row < pb->n_steps && !(pb->steps[row].flags & flag))
        row++;
    return row;
}

static size_t block_end(const struct playbook *pb, size_t row)
{
    while (row + 1 < pb->n_steps && (pb->steps[row + 1].flags & STEP_CHAIN))
        row++;
    return row;
}

/* Between double quotes. */
static void add_quoted(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            str_addc(out, '\\');
        str_addc(out, *text);
    }
}

/* -- rows and blocks ------------------------------------------------------ */

static void add_flags(struct str *out, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {
        {STEP_TURN, "the turn"},
        {STEP_REWIND, "rewinds"},
        {STEP_SEES_ALL, "sees all data nodes"},
        {STEP_SEES_HOLDER, "sees the holder"},
    };

    str_add(out, step_kind_word(flags));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (flags & words[i].flag)
            str_addf(out, ", %s", words[i].word);
}

static void draw_row(const struct drawing *d, size_t row)
{
    const struct step *step = &d->pb->steps[row];
    struct str *out = d->out;

    str_addf(out, "    row%zu [label=\"%zu  %s\\n", row + 1, row + 1, step->id);
    add_quoted(out, step->title);
    str_add(out, "\\n");
    if (step->order != STEP_ONCE) {
        step_add_roles(out, d->pb, step->roles);
        str_add(out, ", ");
    }
    add_quoted(out, step_order_word(step->order));
    str_add(out, "\\n");
    add_flags(out, step->flags);
    str_addf(out, "\"%s];\n",
             step->flags & STEP_OUTAGE ? ", fillcolor=\"#f6c6c0\""
             : step->flags & STEP_LIVE ? ", fillcolor=\"#fbe9c0\""
                                       : "");
}

static void draw_block(const struct drawing *d, size_t first, size_t last)
{
    str_addf(d->out, "  subgraph cluster%zu {\n    label=\"\";\n", first + 1);
    for (size_t row = first; row <= last; row++)
        draw_row(d, row);
    for (size_t row = first; row < last; row++)
        str_addf(d->out, "    row%zu -> row%zu [label=\"same node\"];\n",
                 row + 1, row + 2);
    str_add(d->out, "  }\n");
}

/* -- where it leads ------------------------------------------------------- */

/* A node that rewinds begins with its own first live row. */
static size_t rewinds_to(const struct drawing *d, size_t row)
{
    size_t to = d->live;

    while (!(d->pb->steps[to].roles & d->pb->steps[row].roles))
        to++;
    return to;
}

static void draw_failure(const struct drawing *d, size_t row)
{
    const char *to = row < d->live ? "untouched" : "back";

    if (row <= d->turn)
        str_addf(d->out, "  row%zu -> %s [style=dashed];\n", row + 1, to);
    else
        str_addf(d->out,
                 "  row%zu -> leftout [style=dashed, label=\"one node\"];\n"
                 "  row%zu -> back [style=dashed, label=\"all nodes\"];\n",
                 row + 1, row + 1);
    if (d->pb->steps[row].flags & STEP_REWIND)
        str_addf(d->out,
                 "  row%zu -> row%zu [style=dotted, constraint=false, "
                 "label=\"another try\"];\n",
                 row + 1, rewinds_to(d, row) + 1);
}

static const char *barrier(const struct drawing *d, size_t next)
{
    if (next == d->live)
        return " [label=\"all clusters are staged\"]";
    return next == first_with(d->pb, STEP_STAGE)
               ? " [label=\"all clusters are decided\"]"
               : "";
}

static void draw_ways(const struct drawing *d)
{
    size_t last;

    for (size_t row = 0; row < d->pb->n_steps; row = last + 1) {
        last = block_end(d->pb, row);
        if (last + 1 < d->pb->n_steps)
            str_addf(d->out, "  row%zu -> row%zu%s;\n", last + 1, last + 2,
                     barrier(d, last + 1));
        else
            str_addf(d->out, "  row%zu -> done;\n", last + 1);
    }
    for (size_t row = 0; row < d->pb->n_steps; row++)
        draw_failure(d, row);
}

static void draw_ends(const struct drawing *d)
{
    str_addf(d->out,
             "  done [shape=ellipse, label=\"done\\nexit 0\"];\n"
             "  untouched [shape=ellipse, label=\"nothing live was changed\\n"
             "exit 5 or 1\"];\n"
             "  back [shape=ellipse, label=\"the way back: rows %zu to %zu,\\n"
             "aimed at the old set\\nexit 1; on_failure = hold: 4\"];\n",
             d->live + 1, d->pb->n_steps);
    if (d->turn + 1 < d->pb->n_steps)
        str_add(d->out,
                "  leftout [shape=ellipse, label=\"the node is left out,\\n"
                "the others go on\\nexit 4\"];\n");
}

void dot_playbook(const struct playbook *playbook, struct str *out)
{
    const struct drawing d = {
        .pb = playbook,
        .out = out,
        .live = first_with(playbook, STEP_LIVE),
        .turn = first_with(playbook, STEP_TURN),
    };
    size_t last;

    str_addf(out,
             "digraph \"%s\" {\n"
             "  label=\"%s: ",
             playbook->id, playbook->id);
    add_quoted(out, playbook->title);
    str_add(out, "\";\n  labelloc=t;\n  fontname=sans;\n"
                 "  node [shape=box, style=filled, fillcolor=\"#e4eef6\", "
                 "fontname=sans];\n"
                 "  edge [fontname=sans, fontsize=10];\n");
    for (size_t row = 0; row < playbook->n_steps; row = last + 1) {
        last = block_end(playbook, row);
        draw_block(&d, row, last);
    }
    draw_ends(&d);
    draw_ways(&d);
    str_add(out, "}\n");
}
