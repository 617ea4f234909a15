/* SPDX-License-Identifier: Apache-2.0
 *
 * A fault must strike in its row and in no other.  Most rows have a command of
 * their own on their node.  Where the same line is used before (the status
 * that proves), a marker that does nothing (an answer that is 0 ms late) is put
 * on the row before, and the fault waits for it.  A login or a shell that is
 * already there is lost first.
 */
#include "tests/fault/aim.h"

#include <stdlib.h>
#include <string.h>

#include "playbooks/cms/cms.h"

/* The last node of the last row that acts: what its join follows is proof. */
#define LAST_NODE "core3"

/* Is it sent in a rotation, to a node that was in the cluster, at the first
 * try? */
static bool is_usual(const struct act *act, uint32_t roles)
{
    struct plan plan = {.playbook = &cms_db_rotate};
    struct plan_node node = {.roles = roles, .facts = cms_facts_new()};
    struct plan_cluster pc = {
        .plan = &plan, .nodes = &node, .n_nodes = 1, .holder = SIZE_MAX};
    const struct view view = {.plan = &pc};
    bool usual;

    cms_db_blank_set(&pc);
    usual = !act->when || act->when(&view);
    cms_facts_free(node.facts);
    return usual;
}

const struct act *act_of_kind(const struct step *step, enum act_kind kind)
{
    for (const struct act *a = step->acts; a && a->kind != ACT_END; a++)
        if (a->kind == kind && is_usual(a, CMS_DATABASE))
            return a;
    return NULL;
}

static const struct act *command_of(const struct row *row)
{
    const struct act *asks = act_of_kind(row->step, ACT_CONFIRM);

    if (asks)
        return asks;
    for (const struct act *a = row->step->acts; a && a->kind != ACT_END; a++)
        if (a->kind == ACT_COMMAND && is_usual(a, axes_roles(row->node)) &&
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

/* The last row of the walk that acts. */
static const struct row *last_acting_row(void)
{
    const struct row *r = &rows[n_rows - 1];

    while (!r->step->acts)
        r--;
    return r;
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

/* A row that proves reads what others read before it. */
static int wait_for_its_turn(struct bed *bed, const struct cell *cell,
                             int after)
{
    const struct step *step = cell_row(cell)->step;

    if (!(step->flags & STEP_LIVE) || step->acts)
        return after;
    /* a join of the way there is not the one that is waited for */
    if (cell->way == WAY_BACK)
        after = mark(bed, turning_row()->node, turning_row(), after);
    return mark(bed, LAST_NODE, last_acting_row(), after);
}

/* A login is made once in a run, unless the connection is lost. */
static int lose_login(struct bed *bed, const struct cell *cell, int after)
{
    const struct row *row = cell_row(cell);

    if (row->step == rows[0].step && cell->way != WAY_BACK)
        return after; /* the first login is that of the first row */
    return inject(bed, row->node, "drop-before '%s' once after=%d",
                  line_of(bed, row), after);
}

static const struct row *row_before(const struct row *row)
{
    for (const struct row *r = row; r-- > rows;)
        if (r->node == row->node && r->step->acts)
            return r;
    abort();
}

/* So is a shell, when it is first needed, to leave.  Later on it goes with the
 * connection, at a status that was answered: no command is lost. */
static int lose_shell(struct bed *bed, const struct cell *cell, int after)
{
    const struct row *row = cell_row(cell), *before;

    if (!act_of_kind(row->step, ACT_CONFIRM))
        return after;
    before = row_before(row);
    if (before->step->flags & STEP_LIVE)
        after = mark(bed, row->node, before, after);
    else if (cell->way != WAY_BACK)
        return after;
    return inject(bed, row->node, "drop-after '%s' once after=%d",
                  status_line(), after);
}

static int prepare(struct bed *bed, const struct cell *cell, int after)
{
    switch (cell_column(cell)->reach) {
    case AT_LOGIN:
        return lose_login(bed, cell, after);
    case AT_CHANNEL:
        return lose_shell(bed, cell, after);
    case AT_LINE:
    case AT_QUESTION:
    case AT_BACKGROUND:
    case AT_WRITE:
    case AT_FILE:
        break;
    }
    return after;
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
    after = prepare(bed, cell, after);
    return inject(bed, node, "%s '%s' %s ms=%u after=%d", column->kind,
                  subject_of(bed, cell),
                  cell->span == SPAN_ONCE ? "once" : "always",
                  column->ms[cell->span], after);
}
