/* SPDX-License-Identifier: Apache-2.0
 *
 * APPLY: the acts of a cell go out one after the other, the first one when the
 * record of all of them is durable.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/act.h"
#include "core/run/cell_priv.h"
#include "core/run/course.h"
#include "core/run/send.h"

static void send_next(struct cell *cell);

/* A node that says no may be as wanted all the same: an earlier act of the try
 * did it, or a try whose answer was lost.  So when no try is left it is asked,
 * as it would be before another one. */
static bool ask_once_more(struct cell *cell, const struct err *err)
{
    if (!(cell->step->flags & STEP_LIVE) || cell->spent ||
        cell->walk->stopping || cell->tries < cell_node(cell)->retries)
        return false;
    cell->spent = true;
    cell->tries++;
    cell->err = *err;
    cell_move(cell, EV_LOST);
    return true;
}

/* It is at work on what an earlier process sent, or somebody else: that ends
 * by itself, and is no try of ours. */
static bool wait_while_busy(struct cell *cell, const struct err *err)
{
    uint64_t now = clock_mono_ms();

    if (cell->busy_ms && now - cell->busy_ms >= cell_within_ms(cell))
        return false;
    if (cell->walk->stopping)
        return false;
    cell->err = *err;
    if (!cell->busy_ms) {
        cell_tell(cell, "retry", NULL, err->text);
        cell->busy_ms = now;
    }
    cell_move(cell, EV_BUSY);
    return true;
}

static void on_sent(void *user, enum sent sent, const struct err *err)
{
    struct cell *cell = user;

    if (cell->state != CELL_APPLY) {
        log_debug("%s: a late answer is ignored", cell->step->id);
        return;
    }
    switch (sent) {
    case SENT_OK:
        cell->act++;
        send_next(cell);
        return;
    case SENT_LOST:
        cell->err = *err;
        cell->tries++;
        if (cell->tries > (cell_node(cell) ? cell_node(cell)->retries : 0) + 1)
            cell_move(cell, EV_FATAL);
        else
            cell_move(cell, EV_LOST);
        return;
    case SENT_REFUSED:
        cell->refused = true;
        cell_fail(cell, err, true);
        return;
    case SENT_ERROR:
        if (!ask_once_more(cell, err))
            cell_fail(cell, err, false);
        return;
    case SENT_BUSY:
        if (!wait_while_busy(cell, err))
            cell_fail(cell, err, false);
        return;
    case SENT_UNSENT:
        cell_fail(cell, err, false);
        return;
    case SENT_WAITING:
        cell->err = *err;
        cell_move(cell, EV_HALT);
        cell_tell(cell, "step-waiting", NULL, err->text);
        walk_halted(cell->walk, cell);
        return;
    }
}

static void note_act(struct cell *cell, const struct act *act,
                     const struct view *view)
{
    struct course *course = cell_course(cell);
    struct str text;

    str_init(&text, 4096);
    if (act->kind != ACT_LOCAL && act_text(view, act, &text, NULL) == 0) {
        if (act->kind == ACT_PUT)
            plan_note_put(course->pc, cell->node, str_text(&text));
        else if (act_is_text(act))
            plan_note_sent(course->pc, cell->node, str_text(&text));
        str_reset(&text);
        act_describe(view, act, &text, NULL);
        cell_tell(cell, "command", str_text(&text), NULL);
    }
    str_release(&text);
}

static bool is_apart(const struct cell *cell)
{
    return cell->node != SIZE_MAX &&
           plan_is_apart(&cell_course(cell)->pc->nodes[cell->node]);
}

static void send_next(struct cell *cell)
{
    struct course *course = cell_course(cell);
    struct view view = cell_view(cell);
    const struct act *act = act_at(&view, cell->step, cell->act);
    const struct sending sending = {course, &view, act, on_sent, cell};
    struct err err = {0};
    bool hold = false;

    if (!act) {
        if ((cell->step->flags & STEP_LIVE) && !is_apart(cell))
            course_note_live_act(course, cell->step);
        cell->busy_ms = 0;
        cell_move(cell, EV_OK);
        return;
    }
    if (send_act(&sending, &hold, &err) < 0) {
        cell->hold = hold;
        cell_fail(cell, &err, true);
        return;
    }
    note_act(cell, act, &view);
    if (cell->step->flags & STEP_LIVE)
        course->pc->left = course->acted = true;
    if ((cell->step->flags & STEP_OUTAGE) && !is_apart(cell))
        course->pc->outage_sent = true;
    cell->acted = cell->ever_acted = true;
    cell->acted_ms = clock_mono_ms();
}

/* The intent is durable (or the store is broken: then nothing goes out). */
void cell_on_intent(void *user, const struct err *err)
{
    struct cell *cell = user;

    if (cell->state != CELL_APPLY) {
        log_debug("%s: a late intent is ignored", cell->step->id);
    } else if (err) {
        cell->hold = true;
        cell_fail(cell, err, true);
    } else if (cell->walk->stopping) {
        const struct err stopped = {CAUSE_CANCELED, "stopped before it was "
                                                    "sent"};
        cell_fail(cell, &stopped, true);
    } else {
        send_next(cell);
    }
}
