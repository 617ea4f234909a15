/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that may happen next: the engine's own next turn, an answer or
 * none, a node, somebody, the end of the process and the person who types.
 */
#include <stdio.h>
#include <string.h>

#include "tests/model/harness.h"

struct events {
    event_t *list;
    size_t n;
};

static void add(struct events *e, enum kind kind, size_t node)
{
    e->list[e->n++] = (event_t)(kind * 8 + node);
}

/* -- what may happen ------------------------------------------------------ */

static bool any_stray(void)
{
    for (size_t i = 0; i < h.world.n; i++)
        if (h.world.node[i].stray)
            return true;
    return false;
}

static void add_reads(struct events *e, size_t i, const struct cell *cell)
{
    const struct world_node *n = &h.world.node[i];
    bool verify = cell->state == CELL_VERIFY;

    if (any_stray()) /* it arrives, or never will, before anything is read */
        return;
    add(e, DO_READ, i);
    if (!harness_is_live(cell)) {
        if (cell->step->acts && !verify && h.left.faults)
            add(e, DO_SPOIL, i);
        if (!n->up || verify)
            add(e, DO_LATE, i);
        return;
    }
    if (!n->up || h.left.faults || world_is_still(&h.world))
        add(e, DO_LATE, i);
}

static void add_cell(struct events *e, size_t i)
{
    const struct cell *cell = harness_cell(i);

    if (!cell)
        return;
    if (cell->state == CELL_CHECK || cell->state == CELL_VERIFY) {
        add_reads(e, i, cell);
    } else if (cell->state == CELL_WAIT) {
        add(e, DO_WAITED, i);
    } else if (!h.flight[i]) {
        add(e, DO_INTENT, i);
    } else {
        add(e, DO_ARRIVE, i);
        if (h.left.faults && h.world.node[i].up) {
            add(e, DO_LOSE, i);
            add(e, DO_REFUSE, i);
        }
    }
}

static void add_node(struct events *e, size_t i)
{
    const struct world_node *n = &h.world.node[i];

    if (n->verb) {
        add(e, NODE_ENDS, i);
        if (h.left.faults)
            add(e, NODE_FAILS, i);
    }
    if (!n->up)
        add(e, NODE_UP, i);
    else if (h.left.downs)
        add(e, NODE_DOWN, i);
    if (n->stray) {
        if (world_takes(&h.world, i, n->stray))
            add(e, STRAY_ACTS, i);
        add(e, STRAY_GONE, i);
    }
    if (world_may_lead(&h.world, i))
        add(e, NODE_LEADS, i);
    if (h.left.moves && world_may_move(&h.world, i))
        add(e, NODE_MOVES, i);
    if (world_may_sync(&h.world, i))
        add(e, NODE_SYNCS, i);
    if (h.left.writes && world_may_write(&h.world, i))
        add(e, NODE_WRITES, i);
    if (h.left.foreigns && n->up && !n->verb)
        add(e, SOMEBODY, i);
}

/* A person who looked: a primary stands in Error; or nobody leads or can come
 * to lead, and this copy is the newest. */
static void add_repairs(struct events *e)
{
    bool led = false;

    for (size_t i = 0; i < h.world.n_data; i++) {
        const struct world_node *n = &h.world.node[i];

        led = led || n->role == LEADS || (n->role == FOLLOWS && n->in_sync);
        if (h.world.node[i].role == LEADS &&
            world_takes(&h.world, i, CODE_CLEAR))
            add(e, CLEARS, i);
    }
    for (size_t i = 0; !led && i < h.world.n_data; i++)
        if (h.journal.left && h.world.node[i].newest)
            add(e, NAMES, i);
}

static void add_person(struct events *e, const struct shot *s)
{
    if (h.life == LIFE_RUNNING && h.left.crashes)
        add(e, CRASH, 0);
    if (h.life == LIFE_RUNNING || any_stray())
        return;
    if (h.life == LIFE_ENDED && model_end(s) != END_INCOMPLETE)
        return;
    add(e, RESUME, 0);
    add(e, ROLLBACK, 0);
    if (h.options.budgets.foreigns)
        add(e, ACCEPT, 0);
    add_repairs(e);
}

size_t model_events(const struct shot *s, event_t list[MODEL_EVENTS])
{
    struct events e = {list, 0};

    harness_put(s);
    if (h.life == LIFE_RUNNING) {
        for (size_t i = 0; i < h.world.n; i++)
            add_cell(&e, i);
        if (harness_once())
            add(&e, ONCE_READ, 0);
        if (h.course_waits) {
            add(&e, DO_LOOK, 0);
            add(&e, DO_LOOK_LATE, 0);
        }
    }
    if (h.life != LIFE_ENDED || model_end(s) == END_INCOMPLETE)
        for (size_t i = 0; i < h.world.n; i++)
            add_node(&e, i);
    add_person(&e, s);
    return e.n;
}

/* -- making it happen ----------------------------------------------------- */

static void wake(struct cell *cell, uv_timer_cb cb)
{
    uv_timer_t timer;

    memset(&timer, 0, sizeof(timer));
    timer.data = cell;
    cb(&timer);
}

static void read_node(size_t i, bool late)
{
    struct cell *cell = harness_cell(i);

    if (late)
        cell->deadline_ms = 0;
    h.led[i] = 0;
    for (size_t k = 0; k < h.world.n_data; k++)
        h.led[i] |= (uint8_t)(world_leads(&h.world, k) << k);
    if (late && h.world.node[i].up && harness_is_live(cell) &&
        !world_is_still(&h.world))
        h.left.faults--;
    wake(cell, h.on_poll);
}

static void lose(size_t i)
{
    static const struct err lost = {CAUSE_LOST, "the connection broke"};
    struct cell *cell = harness_cell(i);

    if (h.world.node[i].up)
        h.world.node[i].stray = h.flight[i];
    h.flight[i] = 0;
    h.on_sent(cell, SENT_LOST, &lost);
}

static void answer(size_t i, bool refuse)
{
    static const struct err failure = {CAUSE_REMOTE, "FAILURE"};
    struct cell *cell = harness_cell(i);
    uint8_t code = h.flight[i];

    if (!h.world.node[i].up) {
        lose(i);
        return;
    }
    h.flight[i] = 0;
    if (refuse || !world_takes(&h.world, i, code)) {
        h.on_sent(cell, SENT_ERROR, &failure);
        return;
    }
    outside_arrive(i, code, cell->walk->back);
    if (!breach.found)
        h.on_sent(cell, SENT_OK, NULL);
}

/* What was on its way may still arrive, until the node is read again. */
static void crash(void)
{
    h.left.crashes--;
    for (size_t i = 0; i < h.world.n; i++)
        if (h.flight[i] && h.world.node[i].up)
            h.world.node[i].stray = h.flight[i];
    h.life = LIFE_GONE;
}

static void settle_foreign(void)
{
    harness_accept(ACCEPTED_FOREIGN);
    for (size_t i = 0; i < h.world.n; i++) {
        struct world_node *n = &h.world.node[i];

        n->foreign = 0;
        /* its status no longer tells that it is connected: done once more */
        if (n->role == CLIENT && n->last == CODE_FOREIGN)
            n->last = CODE_CONNECT;
    }
}

static void person(enum kind kind, size_t node)
{
    struct plan_input named = {"primary", h.pc->nodes[node].node->name};

    if (kind == CLEARS) {
        world_take(&h.world, node, CODE_CLEAR);
        return;
    }
    harness_accept(ACCEPTED_NOTHING);
    if (kind == ACCEPT)
        settle_foreign();
    if (kind == NAMES) {
        harness_accept(ACCEPTED_LOSS);
        h.plan->inputs = &named;
        h.plan->n_inputs = 1;
    }
    harness_start(kind == ROLLBACK ? RUN_ROLLBACK : RUN_RESUME);
    h.plan->n_inputs = 0;
    h.plan->inputs = NULL;
}

static void look_again(bool late)
{
    h.course_waits = false;
    h.course.later = h.look_again;
    if (late)
        h.course.read_deadline_ms = 0;
    h.on_course(&h.course.timer);
}

static void step_engine(enum kind kind, size_t i)
{
    switch (kind) {
    case DO_SPOIL:
        h.left.faults--;
        h.spoil = true;
        read_node(i, false);
        break;
    case DO_READ:
    case DO_LATE:
        read_node(i, kind == DO_LATE);
        break;
    case DO_WAITED:
        wake(harness_cell(i), h.on_waited);
        break;
    case DO_INTENT:
        h.on_intent(harness_cell(i), NULL);
        break;
    case DO_LOSE:
        h.left.faults--;
        lose(i);
        break;
    case DO_REFUSE:
        h.left.faults--;
        answer(i, true);
        break;
    case DO_ARRIVE:
        answer(i, false);
        break;
    case DO_LOOK:
    case DO_LOOK_LATE:
        look_again(kind == DO_LOOK_LATE);
        break;
    default: /* ONCE_READ */
        wake(harness_once(), h.on_poll);
        break;
    }
    outside_drain();
}

static void somebody(size_t i)
{
    struct world_node *n = &h.world.node[i];

    h.left.foreigns--;
    n->foreign = 1;
    n->last = CODE_FOREIGN;
    n->badly = 0;
}

static void step_node(enum kind kind, size_t i)
{
    struct world_node *n = &h.world.node[i];
    uint8_t stray = n->stray;

    switch (kind) {
    case NODE_ENDS:
    case NODE_FAILS:
        h.left.faults = (uint8_t)(h.left.faults - (kind == NODE_FAILS));
        world_finish(&h.world, i, kind == NODE_FAILS);
        break;
    case NODE_DOWN:
        h.left.downs--;
        world_down(&h.world, i);
        break;
    case NODE_UP:
        world_up(&h.world, i);
        break;
    case NODE_MOVES:
        h.left.moves--;
        world_lead(&h.world, i);
        break;
    case NODE_LEADS:
        world_lead(&h.world, i);
        break;
    case NODE_SYNCS:
        world_sync(&h.world, i);
        break;
    case NODE_WRITES:
        h.left.writes--;
        world_write(&h.world, i);
        break;
    case STRAY_ACTS:
    case STRAY_GONE:
        n->stray = CODE_NONE;
        if (kind == STRAY_ACTS)
            outside_arrive(i, stray, h.journal.was_back);
        break;
    default: /* SOMEBODY */
        somebody(i);
        break;
    }
}

/* -- what an end must be -------------------------------------------------- */

static bool stands(size_t i, bool new_set)
{
    const struct world_node *n = &h.world.node[i];

    return n->new_set == new_set && n->role != ALONE &&
           n->group == h.world.node[0].group;
}

/* The outcome is the truth: who is not left out is a member with this set. */
static void check_end(void)
{
    enum outcome outcome = h.course.outcome;

    for (size_t i = 0; i < h.world.n; i++)
        if ((outcome == OUTCOME_DONE && !stands(i, true)) ||
            ((outcome == OUTCOME_ROLLED_BACK || outcome == OUTCOME_CLEANED) &&
             !stands(i, false)))
            breach_note("outcome", "%s is told, and %s is not so",
                        outcome_word(outcome), h.pc->nodes[i].node->name);
}

void model_step(const struct shot *from, event_t event, struct shot *to)
{
    enum kind kind = (enum kind)(event / 8);

    harness_put(from);
    breach.found = false;
    if (kind >= RESUME)
        person(kind, event % 8);
    else if (kind == CRASH)
        crash();
    else if (kind >= NODE_ENDS)
        step_node(kind, event % 8);
    else
        step_engine(kind, event % 8);
    if (h.life == LIFE_ENDED && from->life != LIFE_ENDED)
        check_end();
    world_check(&h.world);
    harness_take(to);
}

void model_first(struct shot *shot)
{
    world_begin(&h.world, h.options.data, h.options.clients);
    h.world.lag = h.options.lag;
    h.left = h.options.budgets;
    memset(&h.journal, 0, sizeof(h.journal));
    h.journal.holder = SIZE_MAX;
    h.life = LIFE_GONE;
    breach.found = false;
    harness_start(RUN_APPLY);
    harness_take(shot);
}

enum model_end model_end(const struct shot *s)
{
    if (s->life != LIFE_ENDED)
        return END_NOT;
    switch ((enum outcome)s->outcome) {
    case OUTCOME_DONE:
        return END_DONE;
    case OUTCOME_ROLLED_BACK:
    case OUTCOME_CLEANED:
        return END_BACK;
    case OUTCOME_REFUSED:
        return s->journal_bits & 1 ? END_INCOMPLETE : END_BACK;
    default:
        return END_INCOMPLETE;
    }
}
