/* SPDX-License-Identifier: Apache-2.0
 *
 * Which cell may start now, and what a failure means for the rest.
 */
#include "core/run/walk.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/run/course.h"

static const struct playbook *playbook_of(const struct walk *walk)
{
    return walk->course->pc->plan->playbook;
}

static const struct step *row_of(const struct walk *walk, size_t row)
{
    return &playbook_of(walk)->steps[row];
}

static size_t columns(const struct walk *walk)
{
    return walk->course->pc->n_nodes + 1; /* the last one: STEP_ONCE */
}

struct cell *walk_cell(const struct walk *walk, size_t row, size_t node)
{
    size_t column = node == SIZE_MAX ? columns(walk) - 1 : node;

    return &walk->cells[(row - walk->first) * columns(walk) + column];
}

void walk_init(struct walk *walk, struct course *course, size_t first,
               size_t last, bool back)
{
    memset(walk, 0, sizeof(*walk));
    walk->course = course;
    walk->first = first;
    walk->last = last;
    walk->back = back;
    walk->served = back && course->pc->turned;
    walk->cells =
        calloc((last - first + 1) * columns(walk), sizeof(*walk->cells));
    if (!walk->cells)
        abort();
    for (size_t i = 0; i < course->pc->n_nodes; i++)
        course->pc->nodes[i].dropped = false;
    for (size_t row = first; row <= last; row++)
        for (size_t i = 0; i < columns(walk); i++) {
            size_t node = i == columns(walk) - 1 ? SIZE_MAX : i;
            cell_init(walk_cell(walk, row, node), walk, row, node);
        }
}

void walk_release(struct walk *walk)
{
    if (!walk->cells)
        return;
    for (size_t i = 0; i < (walk->last - walk->first + 1) * columns(walk); i++)
        cell_release(&walk->cells[i]);
    free(walk->cells);
    walk->cells = NULL;
}

/* -- questions ------------------------------------------------------------ */

static bool has_cell(const struct walk *walk, size_t row, size_t node)
{
    const struct step *step = row_of(walk, row);

    if (node == SIZE_MAX)
        return step->order == STEP_ONCE;
    return step->order != STEP_ONCE &&
           plan_has_cell(walk->course->pc, step, node);
}

static bool is_one_by_one(const struct walk *walk)
{
    const struct cluster *cluster = walk->course->pc->cluster;

    switch (row_of(walk, walk->block)->order) {
    case STEP_ONE_BY_ONE:
        return true;
    case STEP_AS_LEAVE:
        return cluster->leave == LANE_ONE_BY_ONE;
    case STEP_AS_JOIN:
        return cluster->join == LANE_ONE_BY_ONE;
    case STEP_ONCE:
    case STEP_PARALLEL:
        break;
    }
    return false;
}

static bool in_block(const struct walk *walk, size_t node)
{
    for (size_t row = walk->block; row <= walk->block_end; row++)
        if (has_cell(walk, row, node))
            return true;
    return false;
}

/* After a rewind a node has unsettled cells in earlier blocks: these first. */
static struct cell *next_cell(const struct walk *walk, size_t node)
{
    for (size_t row = walk->first; row <= walk->block_end; row++)
        if (has_cell(walk, row, node) &&
            !cell_is_settled(walk_cell(walk, row, node)))
            return walk_cell(walk, row, node);
    return NULL;
}

/* -- going on ------------------------------------------------------------- */

static void end(struct walk *walk, enum walk_end how)
{
    if (walk->ended)
        return;
    walk->ended = true;
    walk->end = how;
    course_walk_ended(walk->course);
}

static void start_cell(struct walk *walk, struct cell *cell)
{
    walk->running++;
    cell_start(cell);
}

/* The node of the i-th column in the order of this walk. */
static size_t node_at(const struct walk *walk, size_t i)
{
    size_t last = columns(walk) - 1;

    if (i == last)
        return SIZE_MAX;
    return walk->back && (row_of(walk, walk->block)->flags & STEP_MIRROR)
               ? last - 1 - i
               : i;
}

/* Starts what may start in this block; true when the block is not yet
 * through. */
static bool fill_block(struct walk *walk)
{
    bool busy = false, one_by_one = is_one_by_one(walk);

    for (size_t i = 0; i < columns(walk); i++) {
        size_t node = node_at(walk, i);
        struct cell *cell;

        if (!in_block(walk, node))
            continue;
        cell = next_cell(walk, node);
        if (!cell)
            continue;
        busy = true;
        if (cell->state == CELL_PENDING)
            start_cell(walk, cell);
        if (one_by_one)
            break;
    }
    return busy;
}

static void open_block(struct walk *walk, size_t row)
{
    walk->block = walk->block_end = row;
    while (walk->block_end < walk->last &&
           (row_of(walk, walk->block_end + 1)->flags & STEP_CHAIN))
        walk->block_end++;
}

static void count_block(const struct walk *walk, size_t *met, size_t *failed)
{
    *met = *failed = 0;
    for (size_t row = walk->block; row <= walk->block_end; row++)
        for (size_t i = 0; i < walk->course->pc->n_nodes; i++) {
            const struct cell *cell = walk_cell(walk, row, i);
            if (plan_is_apart(&walk->course->pc->nodes[i]))
                continue; /* says nothing about the others' set */
            *met += cell_is_met(cell);
            *failed += cell->state == CELL_FAILED;
        }
}

/* After the turn a failed node is left out; only when all nodes of a row have
 * failed is the set itself suspect, unless the holder serves with it. */
static bool is_suspect(const struct walk *walk)
{
    size_t met, failed;

    count_block(walk, &met, &failed);
    if (walk->served && !in_block(walk, walk->course->pc->holder))
        return false;
    return failed > 0 && met == 0 && !walk->hold;
}

static bool acts_remain(const struct walk *walk, size_t row)
{
    for (; row <= walk->last; row++)
        if (row_of(walk, row)->acts)
            return true;
    return false;
}

static bool outage_remains(const struct walk *walk, size_t row)
{
    for (; row <= walk->last; row++)
        if (plan_has_outage(walk->course->pc, row_of(walk, row)))
            return true;
    return false;
}

static bool any_cell(const struct walk *walk, size_t row)
{
    for (size_t i = 0; i < walk->course->pc->n_nodes; i++)
        if (has_cell(walk, row, i))
            return true;
    return false;
}

static void block_through(struct walk *walk)
{
    const struct step *step = row_of(walk, walk->block_end);

    /* a row that nobody has turns nothing */
    if ((step->flags & STEP_TURN) && any_cell(walk, walk->block_end))
        walk->course->pc->turned = true;
    if (step->flags & STEP_LIVE) {
        if (walk->course->pc->turned &&
            !outage_remains(walk, walk->block_end + 1))
            course_note_served(walk->course);
        if (!acts_remain(walk, walk->block_end + 1))
            course_note_whole(walk->course);
    }
}

static bool reached_until(const struct walk *walk)
{
    const char *until = walk->course->until;

    if (!until || walk->back ||
        walk->block_end == playbook_of(walk)->n_steps - 1)
        return false;
    for (size_t row = walk->block_end + 1; row < playbook_of(walk)->n_steps;
         row++)
        if (strcmp(row_of(walk, row)->id, until) == 0)
            return false;
    for (size_t row = 0; row <= walk->block_end; row++)
        if (strcmp(row_of(walk, row)->id, until) == 0)
            return true;
    return false;
}

/* An interrupted walk goes on until everyone is served; only the rows that
 * just look are left away. */
static bool may_stop_here(const struct walk *walk)
{
    return walk->course->interrupted &&
           (!walk->course->pc->left || !acts_remain(walk, walk->block_end + 1));
}

static void advance(struct walk *walk)
{
    while (!walk->stopping && !fill_block(walk)) {
        if (is_suspect(walk)) {
            walk_stop(walk, WALK_FAILED);
            return;
        }
        block_through(walk);
        if (reached_until(walk)) {
            end(walk, WALK_STOPPED);
            return;
        }
        if (walk->block_end == walk->last) {
            end(walk, walk->hold ? WALK_HOLD : WALK_MET);
            return;
        }
        if (may_stop_here(walk)) {
            end(walk, WALK_STOPPED);
            return;
        }
        open_block(walk, walk->block_end + 1);
    }
    if (walk->stopping && walk->running == 0)
        end(walk, walk->end);
}

void walk_start(struct walk *walk)
{
    walk->began_ms = clock_mono_ms();
    open_block(walk, walk->first);
    advance(walk);
}

void walk_moved(struct walk *walk, size_t holder)
{
    course_holder_moved(walk->course, holder);
    walk_stop(walk, WALK_MOVED);
}

void walk_stop(struct walk *walk, enum walk_end how)
{
    if (walk->ended || walk->stopping)
        return;
    walk->stopping = true;
    walk->end = how;
    if (walk->running == 0)
        end(walk, how);
}

/* -- what happens to cells ------------------------------------------------ */

static void note_why(struct walk *walk, const struct cell *cell)
{
    const struct plan_cluster *pc = walk->course->pc;

    if (walk->why.cause)
        return;
    walk->why = cell->err;
    if (cell->node != SIZE_MAX)
        err_context(&walk->why, "node %s: step %s",
                    pc->nodes[cell->node].node->name, cell->step->id);
    else
        err_context(&walk->why, "step %s", cell->step->id);
}

static void cell_failed(struct walk *walk, struct cell *cell)
{
    note_why(walk, cell);
    if (walk->course->pc->turned && cell->node != SIZE_MAX) {
        walk->course->pc->nodes[cell->node].dropped = true;
        walk->hold = walk->hold || cell->hold;
        return;
    }
    walk_stop(walk, cell->hold ? WALK_HOLD : WALK_FAILED);
}

void walk_cell_settled(struct walk *walk, struct cell *cell)
{
    walk->running--;
    if (cell->state == CELL_FAILED)
        cell_failed(walk, cell);
    if (!walk->ended)
        advance(walk);
}

/* The node goes once more through its live rows up to this one. */
void walk_rewind(struct walk *walk, size_t node, size_t row)
{
    walk->running--;
    for (size_t r = walk->first; r <= row; r++)
        if (has_cell(walk, r, node))
            cell_rewind(walk_cell(walk, r, node));
    advance(walk);
}

void walk_halted(struct walk *walk, struct cell *cell)
{
    walk->running--;
    note_why(walk, cell);
    walk_stop(walk, WALK_WAITING);
    if (walk->stopping && !walk->ended && walk->running == 0)
        end(walk, walk->end); /* it was being stopped already */
}

void walk_paused(struct walk *walk)
{
    walk->running--;
    walk_stop(walk, WALK_STOPPED);
    if (!walk->ended && walk->running == 0)
        end(walk, walk->end); /* it was being stopped already */
}
