/* SPDX-License-Identifier: Apache-2.0
 *
 * A fault must strike in its row and in no other.  Most rows have a command of
 * their own on their node; where the same line or channel is used before (the
 * status that proves, the shell that asks), a marker that does nothing (an
 * answer that is 0 ms late) is put on the line before, and the fault waits for
 * it.
 */
#include "tests/fault/aim.h"

#include <string.h>

#include "playbooks/cms/cms.h"

/* The last node of the last row that acts: what its join follows is proof. */
#define LAST_NODE "core3"

const struct act *act_of_kind(const struct step *step, enum act_kind kind)
{
    for (const struct act *a = step->acts; a && a->kind != ACT_END; a++)
        if (a->kind == kind && !a->when)
            return a;
    return NULL;
}

static const struct act *command_of(const struct row *row)
{
    const struct act *asks = act_of_kind(row->step, ACT_CONFIRM);

    if (asks)
        return asks;
    for (const struct act *a = row->step->acts; a && a->kind != ACT_END; a++)
        if (a->kind == ACT_COMMAND && !a->when &&
            (!a->roles || (a->roles & axes_roles(row->node))))
            return a;
    return NULL;
}

/* A row without a command of its own is aimed at where it reads. */
static const char *status_line(void)
{
    const struct read_row *read = cms_product.reads;

    while (read->bit != cms_product.status_read)
        read++;
    return read->text;
}

/* "database cluster join {primary.db_address}": a glob */
static const char *line_of(struct bed *bed, const struct row *row)
{
    const struct act *act = command_of(row);
    const char *text = act ? act->text : status_line();
    size_t len = strcspn(text, "{");

    return arena_printf(&bed->arena, "%.*s%s", (int)len, text,
                        text[len] ? "*" : "");
}

static const char *file_of(const struct cell *cell)
{
    const struct step *step = cell_row(cell)->step;

    if (act_of_kind(step, ACT_PUT))
        return "write *";
    if (act_of_kind(step, ACT_FETCH))
        return "read *.bak";
    return step->flags & STEP_LIVE ? "open db*" : "list *";
}

/* -- what must have happened before ---------------------------------------- */

static int inject(struct bed *bed, const char *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int inject(struct bed *bed, const char *node, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return bed_id(bed_lab(bed, "inject %s %s", node, text));
}

/* All joins fail until the row has failed for good (retries = 1, play.c); the
 * replicas stand in Error then, so that every row of the way back acts. */
static int fail_forward(struct bed *bed)
{
    int last = 0;

    for (int node = 2; node <= 3; node++)
        for (int i = 0; i < 2; i++)
            last = inject(bed, arena_printf(&bed->arena, "core%d", node),
                          "fail-async 'database cluster join *'");
    return last;
}

/* The live row of the same node before this one, or of the whole walk. */
static const struct row *row_before(const struct row *row)
{
    for (const struct row *r = row; r-- > rows;)
        if ((r->step->flags & STEP_LIVE) && r->step->acts &&
            (!row->step->acts || r->node == row->node))
            return r;
    return NULL;
}

static int mark(struct bed *bed, const char *node, const struct row *row,
                int after)
{
    return inject(bed, node, "slow '%s' once ms=0 after=%d", line_of(bed, row),
                  after);
}

static const struct row *turning_row(void)
{
    const struct row *r = rows;

    while (!(r->step->flags & STEP_TURN))
        r++;
    return r;
}

static int wait_for_its_turn(struct bed *bed, const struct cell *cell,
                             int after)
{
    const struct row *row = cell_row(cell), *before = row_before(row);

    if (!(row->step->flags & STEP_LIVE) || !before)
        return after;
    if (row->step->acts)
        return cell_column(cell)->reach == AT_CHANNEL
                   ? mark(bed, before->node, before, after)
                   : after;
    /* a join of the way there is not the one that is waited for */
    if (cell->way == WAY_BACK)
        after = mark(bed, turning_row()->node, turning_row(), after);
    return mark(bed, LAST_NODE, before, after);
}

/* -- the fault itself ------------------------------------------------------ */

static const char *subject_of(struct bed *bed, const struct cell *cell)
{
    const struct row *row = cell_row(cell);
    const char *line = line_of(bed, row);

    switch (cell_column(cell)->reach) {
    case AT_WRITE:
    case AT_FILE:
        return file_of(cell);
    case AT_CHANNEL:
        if (act_of_kind(row->step, ACT_CONFIRM))
            return "shell";
        return arena_printf(&bed->arena, "exec %s", line);
    case AT_LOGIN:
        return "*";
    case AT_LINE:
    case AT_QUESTION:
    case AT_BACKGROUND:
        break;
    }
    return line;
}

int aim(struct bed *bed, const struct cell *cell)
{
    const struct column *column = cell_column(cell);
    const char *node = cell_row(cell)->node;
    int after = cell->way == WAY_BACK ? fail_forward(bed) : 0;

    after = wait_for_its_turn(bed, cell, after);
    if (column->reach == AT_LOGIN)
        after = inject(bed, node, "drop-before '%s' once after=%d",
                       line_of(bed, cell_row(cell)), after);
    return inject(bed, node, "%s '%s' %s ms=%u after=%d", column->kind,
                  subject_of(bed, cell),
                  cell->span == SPAN_ONCE ? "once" : "always",
                  column->ms[cell->span], after);
}
