/* SPDX-License-Identifier: Apache-2.0
 *
 * CHECK and VERIFY: the node is read, the goal is asked, and what it says is
 * turned into an event.
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/act.h"
#include "core/run/cell_priv.h"
#include "core/run/course.h"
#include "core/run/probe.h"

/* Has this run changed anything live, and is this cell part of that? */
static bool is_live(const struct cell *cell)
{
    return (cell->step->flags & STEP_LIVE) && cell_course(cell)->pc->left;
}

/* Nothing is done beside a holder of the data that does not answer: what it
 * said before is not what it is now. */
static void open_check(struct cell *cell)
{
    const struct plan_cluster *pc = cell_course(cell)->pc;
    struct err err = {0};

    if (!cell->holder_unseen) {
        cell->again = false;
        cell_move(cell, EV_OPEN);
    } else if (is_live(cell) && !cell_is_late(cell) && !cell->walk->stopping) {
        cell_poll_later(cell);
    } else {
        err_set(&err, CAUSE_LOST,
                "node %s, which holds the data, does not answer",
                pc->nodes[pc->holder].node->name);
        cell_fail(cell, &err, false);
    }
}

static void judge_check(struct cell *cell, enum goal goal, struct err *why)
{
    bool nothing_to_do = act_at(&(struct view){.plan = cell_course(cell)->pc,
                                               .node = cell->node,
                                               .back = cell->walk->back,
                                               .tries = cell->tries},
                                cell->step, 0) == NULL;

    if (goal == GOAL_MET) {
        cell_move(cell, cell->step->acts ? EV_MET : EV_PROVEN);
    } else if (goal == GOAL_UNKNOWN && is_live(cell) && !cell_is_late(cell) &&
               !cell->walk->stopping) {
        cell_poll_later(cell); /* still running, for all that we know */
    } else if (goal == GOAL_BUSY || (goal == GOAL_OPEN && nothing_to_do)) {
        cell->err = *why;
        if (cell->step->flags & STEP_WAITS)
            cell_tell(cell, "step-waiting", NULL, why->text);
        cell_move(cell, EV_BUSY);
    } else if (cell->spent && goal == GOAL_OPEN) {
        cell_move(cell, EV_FATAL); /* what it said is the last word */
    } else if (goal == GOAL_OPEN) {
        open_check(cell);
    } else {
        cell_fail(cell, why, false);
    }
}

/* A join that the node still reports as running is left alone: taking it back
 * would destroy what it is about to finish. */
static void judge_verify(struct cell *cell, enum goal goal, struct err *why)
{
    if (goal == GOAL_MET) {
        cell_move(cell, EV_MET);
    } else if (goal == GOAL_ERROR) {
        cell_fail(cell, why, false);
    } else if (!cell_is_late(cell)) {
        cell_poll_later(cell);
    } else {
        cell->hold = goal == GOAL_BUSY && cell->step->within == WITHIN_JOIN;
        err_context(why, "not there after %u s", cell_within_ms(cell) / 1000);
        cell_fail(cell, why, cell->hold);
    }
}

/* I1: while any node reports that it holds the data, that node does. */
static bool holder_moved(struct cell *cell, const struct view *view)
{
    const struct plan_cluster *pc = cell_course(cell)->pc;
    const struct playbook *pb = pc->plan->playbook;
    size_t now = pb->holder_now ? pb->holder_now(view) : SIZE_MAX;
    struct err err = {0};

    if (now == SIZE_MAX || now == pc->holder)
        return false;
    err_set(&err, CAUSE_REFUSED, "the primary has moved to node %s",
            pc->nodes[now].node->name);
    walk_moved(cell->walk, now);
    cell_fail(cell, &err, true);
    return true;
}

static void judge(struct cell *cell)
{
    struct view view = cell_view(cell);
    struct err why = {0};
    enum goal goal;

    if (is_live(cell) && holder_moved(cell, &view))
        return;
    goal = cell->step->goal(&view, &why);
    if (goal == GOAL_PASSED) {
        cell_tell(cell, "warning", NULL, why.text);
        goal = GOAL_MET;
    }
    if (cell->state == CELL_CHECK)
        judge_check(cell, goal, &why);
    else
        judge_verify(cell, goal, &why);
}

/* Once something live was changed, a node that does not answer is still at
 * work (or rebooting) until the deadline; before that it is a failure. */
static void on_unread(struct cell *cell)
{
    struct facts *facts = cell_course(cell)->pc->nodes[cell->node].facts;
    struct err err = facts->err;
    bool live = is_live(cell);

    if (cell->self_refused) {
        cell->refused = true;
        cell_fail(cell, &err, true);
    } else if ((live || cell->state == CELL_VERIFY) && !cell_is_late(cell) &&
               !cell->walk->stopping) {
        cell_poll_later(cell);
    } else {
        /* One lost answer takes all the time of a row that is bounded by a
         * command's: that must not cost the whole rotation. */
        err_context(&err, "cannot be read");
        cell_fail(cell, &err, live && cell->step->within != WITHIN_COMMAND);
    }
}

/* Nothing is under way while it waits, and everybody serves: the run ends here,
 * rather than go on to what it waited to spare people. */
static bool pauses(struct cell *cell)
{
    if (cell->state != CELL_VERIFY || !(cell->step->flags & STEP_WAITS) ||
        !(cell_course(cell)->interrupted || cell->walk->stopping))
        return false;
    err_set(&cell->err, CAUSE_CANCELED, "interrupted while it waited");
    cell_move(cell, EV_HALT);
    walk_paused(cell->walk);
    return true;
}

static void on_probes(struct cell *cell)
{
    if (pauses(cell))
        return;
    if (cell->state != CELL_CHECK && cell->state != CELL_VERIFY)
        log_debug("%s: a late reading is ignored", cell->step->id);
    else if (cell->self_rc < 0)
        on_unread(cell);
    else
        judge(cell);
}

struct reading { /* one probe of a cell */
    struct cell *cell;
    bool self, holder;
};

static void on_probe(void *user, int rc, bool refused, const struct err *err)
{
    struct reading *reading = user;
    struct cell *cell = reading->cell;

    if (reading->self) {
        cell->self_rc = rc;
        cell->self_refused = refused;
        if (rc < 0)
            cell_course(cell)->pc->nodes[cell->node].facts->err = *err;
    } else if (reading->holder && rc < 0) {
        cell->holder_unseen = true;
    }
    free(reading);
    if (--cell->probes == 0)
        on_probes(cell);
}

static void probe_node(struct cell *cell, size_t node, uint32_t reads)
{
    struct course *course = cell_course(cell);
    struct view view = cell_view(cell);
    struct reading *reading = calloc(1, sizeof(*reading));

    if (!reading)
        abort();
    view.node = node;
    reading->cell = cell;
    reading->self = node == cell->node;
    reading->holder = node == course->pc->holder;
    cell->probes++;
    const struct probe_options options = {
        .loop = course->loop,
        .ops = course->ops,
        .link = course->links[node],
        .view = &view,
        .reads = reads,
    };
    probe_start(&options, on_probe, reading);
}

/* A live row that only looks and did not see what it should: the holder may
 * have moved since the others were read, and then that is why. */
static bool looks_again(const struct cell *cell)
{
    return cell->tries > 0 && !cell->step->acts && is_live(cell);
}

static bool sees(const struct cell *cell, size_t node)
{
    const struct plan_cluster *pc = cell_course(cell)->pc;

    if (cell->state != CELL_CHECK || node == cell->node ||
        pc->nodes[node].left_out)
        return false;
    if ((cell->step->flags & STEP_SEES_ALL) || looks_again(cell))
        return (pc->nodes[node].roles & pc->plan->playbook->data_roles) != 0;
    return (cell->step->flags & STEP_SEES_HOLDER) && node == pc->holder;
}

void cell_read(struct cell *cell)
{
    const struct plan_cluster *pc = cell_course(cell)->pc;
    const struct product *product = pc->plan->playbook->product;
    uint32_t reads = cell->step->reads;

    if (cell->node == SIZE_MAX || reads == 0) {
        judge(cell);
        return;
    }
    if (cell->state == CELL_CHECK && (cell->step->flags & STEP_LIVE) &&
        cell->step->acts)
        reads |= product->ground_reads;
    if (cell->state == CELL_VERIFY && (cell->step->flags & STEP_WAITS))
        reads &= product->wait_reads;
    cell->probes = 1; /* until all are on their way */
    cell->self_rc = -1;
    cell->holder_unseen = false;
    probe_node(cell, cell->node, reads);
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (sees(cell, i))
            probe_node(cell, i, product->status_read);
    cell->probes--;
}
