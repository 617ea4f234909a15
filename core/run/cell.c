/* SPDX-License-Identifier: Apache-2.0
 *
 * The only place that changes a cell's state.  Disk first, then act: entering
 * APPLY journals every act of the row for this node, and the first one goes
 * out when that record is durable.
 */
#include "core/run/cell.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/act.h"
#include "core/run/cell_priv.h"
#include "core/run/course.h"

/* ms; polls: design.md, "Transport": 50, then max(100, 5 % of the wait) */
enum {
    FIRST_POLL = 50,
    LEAST_POLL = 100,
    MOST_POLL = 3000
};
enum {
    FIRST_WAIT = 250,
    MOST_WAIT = 8000
}; /* ms before another try */

/* clang-format off */
static const struct cell_edge edges[] = {
    { CELL_PENDING, EV_START,  CELL_CHECK   },
    { CELL_CHECK,   EV_MET,    CELL_SKIPPED },
    { CELL_CHECK,   EV_OPEN,   CELL_APPLY   },
    { CELL_CHECK,   EV_BUSY,   CELL_VERIFY  }, /* a command of before a crash */
    { CELL_CHECK,   EV_ERROR,  CELL_WAIT    },
    { CELL_CHECK,   EV_FATAL,  CELL_FAILED  },
    { CELL_APPLY,   EV_OK,     CELL_VERIFY  },
    { CELL_APPLY,   EV_LOST,   CELL_CHECK   }, /* in doubt: ask the node */
    { CELL_APPLY,   EV_ERROR,  CELL_WAIT    },
    { CELL_APPLY,   EV_FATAL,  CELL_FAILED  },
    { CELL_APPLY,   EV_HALT,   CELL_PENDING }, /* a person is waited for */
    { CELL_APPLY,   EV_BUSY,   CELL_WAIT    }, /* it did nothing */
    { CELL_VERIFY,  EV_MET,    CELL_DONE    },
    { CELL_VERIFY,  EV_ERROR,  CELL_WAIT    },
    { CELL_VERIFY,  EV_FATAL,  CELL_FAILED  },
    { CELL_VERIFY,  EV_HALT,   CELL_PENDING }, /* interrupted while it waits */
    { CELL_CHECK,   EV_PROVEN, CELL_DONE    }, /* a row that only reads */
    { CELL_WAIT,    EV_AGAIN,  CELL_CHECK   },
    { CELL_WAIT,    EV_FATAL,  CELL_FAILED  },
    { CELL_WAIT,    EV_REWIND, CELL_PENDING }, /* the node starts again */
    { CELL_DONE,    EV_REWIND, CELL_PENDING },
    { CELL_SKIPPED, EV_REWIND, CELL_PENDING },
};
static const char *const state_names[] = {
    "pending", "check", "apply", "verify", "wait", "done", "skipped", "failed",
};
static const char *const event_names[] = {
    "start", "met", "open", "busy", "ok", "lost", "error", "fatal", "again",
    "rewind", "proven", "halt",
};
/* clang-format on */

const struct cell_edge *cell_edges(size_t *n)
{
    *n = sizeof(edges) / sizeof(edges[0]);
    return edges;
}

const char *cell_state_name(enum cell_state state)
{
    return state_names[state];
}

bool cell_is_settled(const struct cell *cell)
{
    return cell->state >= CELL_DONE;
}

bool cell_is_met(const struct cell *cell)
{
    return cell->state == CELL_DONE || cell->state == CELL_SKIPPED;
}

void cell_init(struct cell *cell, struct walk *walk, size_t row, size_t node)
{
    const struct playbook *pb = walk->course->pc->plan->playbook;

    memset(cell, 0, sizeof(*cell));
    cell->walk = walk;
    cell->row = row;
    cell->node = node;
    cell->step = &pb->steps[row];
}

struct course *cell_course(const struct cell *cell)
{
    return cell->walk->course;
}

const struct node *cell_node(const struct cell *cell)
{
    return cell->node == SIZE_MAX
               ? NULL
               : cell_course(cell)->pc->nodes[cell->node].node;
}

struct view cell_view(const struct cell *cell)
{
    return (struct view){
        .plan = cell_course(cell)->pc,
        .node = cell->node,
        .step = cell->step,
        .back = cell->walk->back,
        .acted = cell->acted,
        .again = cell->again && cell->state == CELL_CHECK,
        .begun = cell->node != SIZE_MAX &&
                 plan_has_begun(&cell_course(cell)->pc->nodes[cell->node],
                                cell->row, cell->walk->back),
        .acted_ms = cell->acted_ms,
        .tries = cell->tries,
        .walk_ms = cell->walk->began_ms,
        .began_ms = cell->began_ms,
    };
}

unsigned cell_within_ms(const struct cell *cell)
{
    const struct node *n = cell_node(cell);
    const struct plan_cluster *pc = cell_course(cell)->pc;
    unsigned s = 300;

    if (n)
        switch (cell->step->within) {
        case WITHIN_COMMAND:
            s = n->command_timeout_s;
            break;
        case WITHIN_LEAVE:
            s = n->timeout_leave_s;
            break;
        case WITHIN_INIT:
            s = n->timeout_init_s;
            break;
        case WITHIN_CONNECT:
            s = n->timeout_connect_s;
            break;
        case WITHIN_JOIN:
            s = n->timeout_join_s;
            break;
        case WITHIN_ASKED:
            s = pc->plan->playbook->asked_s(pc);
            break;
        }
    return s * 1000;
}

/* -- telling -------------------------------------------------------------- */

void cell_tell(const struct cell *cell, const char *event, const char *command,
               const char *detail)
{
    const struct node *n = cell_node(cell);
    struct event e = {
        .event = event,
        .cluster = cell_course(cell)->pc->cluster->name,
        .node = n ? n->name : NULL,
        .step = cell->step->id,
        .state = cell->walk->back ? "back" : NULL,
        .command = command,
        .detail = detail,
        .took_ms = cell_is_settled(cell)
                       ? (int64_t)(clock_mono_ms() - cell->began_ms)
                       : -1,
    };
    journal_tell(cell_course(cell)->journal, &e);
}

static void tell_settled(const struct cell *cell)
{
    /* an act whose answer was lost has done its work all the same */
    if (cell->state == CELL_DONE ||
        (cell->state == CELL_SKIPPED && cell->ever_acted))
        cell_tell(cell, "step-done", NULL, NULL);
    else if (cell->state == CELL_SKIPPED)
        cell_tell(cell, "step-skipped", NULL, "already as wanted");
    else
        cell_tell(cell, "step-failed", NULL, cell->err.text);
}

/* -- the setter ----------------------------------------------------------- */

static void enter(struct cell *cell);

static const struct cell_edge *find_edge(const struct cell *cell,
                                         enum cell_event event)
{
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
        if (edges[i].from == cell->state && edges[i].event == event)
            return &edges[i];
    return NULL;
}

static json_t *acts_json(const struct cell *cell)
{
    struct view view = cell_view(cell);
    json_t *list = json_array();
    const struct act *act;

    for (size_t n = 0; (act = act_at(&view, cell->step, n)); n++) {
        struct str text;

        str_init(&text, 4096);
        if (act->kind == ACT_LOCAL)
            str_add(&text, act->text);
        else
            act_describe(&view, act, &text, NULL);
        json_array_append_new(list, json_string(str_text(&text)));
        str_release(&text);
    }
    return list;
}

static json_t *edge_json(const struct cell *cell, const struct cell_edge *edge)
{
    json_t *data = json_pack(
        "{s:s, s:s, s:s, s:s, s:i}", "from", state_names[edge->from], "event",
        event_names[edge->event], "to", state_names[edge->to], "walk",
        cell->walk->back ? "back" : "forward", "tries", (int)cell->tries);

    if (edge->to == CELL_APPLY)
        json_object_set_new(data, "acts", acts_json(cell));
    if (edge->event == EV_ERROR || edge->event == EV_FATAL ||
        edge->event == EV_LOST || edge->event == EV_HALT)
        json_object_set_new(data, "detail", json_string(cell->err.text));
    return data;
}

void cell_move(struct cell *cell, enum cell_event event)
{
    const struct cell_edge *edge = find_edge(cell, event);
    const struct node *n = cell_node(cell);

    if (!edge) {
        log_warn("%s %s: event %s in state %s is impossible", n ? n->name : "-",
                 cell->step->id, event_names[event], state_names[cell->state]);
        abort();
    }
    log_debug("%s %s: %s: %s -> %s", n ? n->name : "-", cell->step->id,
              event_names[event], state_names[edge->from],
              state_names[edge->to]);
    const struct journal_record record = {
        .cluster = cell_course(cell)->pc->cluster->name,
        .node = n ? n->name : NULL,
        .step = cell->step->id,
        .kind = "cell",
        .data = edge_json(cell, edge),
    };
    cell->state = edge->to;
    if (cell->node != SIZE_MAX)
        plan_note_row(&cell_course(cell)->pc->nodes[cell->node], cell->row,
                      cell->walk->back, state_names[edge->to]);
    journal_write(cell_course(cell)->journal, &record,
                  edge->to == CELL_APPLY ? cell_on_intent : NULL, cell);
    enter(cell);
}

void cell_fail(struct cell *cell, const struct err *err, bool fatal)
{
    cell->err = *err;
    cell->busy_ms = 0;
    if (!fatal) {
        cell->tries++;
        if (cell->walk->stopping ||
            cell->tries > (cell_node(cell) ? cell_node(cell)->retries : 0))
            fatal = true;
    }
    cell_move(cell, fatal ? EV_FATAL : EV_ERROR);
}

/* -- waiting -------------------------------------------------------------- */

static void start_timer(struct cell *cell, uv_timer_cb cb, uint64_t ms)
{
    if (!cell->timer) {
        cell->timer = calloc(1, sizeof(*cell->timer));
        if (!cell->timer)
            abort();
        uv_timer_init(cell_course(cell)->loop, cell->timer);
        cell->timer->data = cell;
    }
    uv_timer_start(cell->timer, cb, ms, 0);
}

static void free_timer(uv_handle_t *timer)
{
    free(timer);
}

void cell_release(struct cell *cell)
{
    if (cell->timer)
        uv_close((uv_handle_t *)cell->timer, free_timer);
    cell->timer = NULL;
}

static void on_poll(uv_timer_t *timer)
{
    cell_read(timer->data);
}

static uint64_t pace_ms(uint64_t since_ms)
{
    uint64_t waited = clock_mono_ms() - since_ms;
    uint64_t ms = waited / 20;

    if (ms < LEAST_POLL)
        ms = waited < FIRST_POLL ? FIRST_POLL : LEAST_POLL;
    return ms > MOST_POLL ? MOST_POLL : ms;
}

void cell_poll_later(struct cell *cell)
{
    start_timer(cell, on_poll, pace_ms(cell->polls_since_ms));
}

bool cell_is_late(const struct cell *cell)
{
    return clock_mono_ms() >= cell->deadline_ms;
}

/* -- states --------------------------------------------------------------- */

static void enter_check(struct cell *cell)
{
    if (!cell->told) {
        cell->told = true;
        cell->began_ms = clock_mono_ms();
        cell_tell(cell, "step-started", NULL, NULL);
    }
    cell->acted = false;
    cell->act = 0;
    cell->polls_since_ms = clock_mono_ms();
    cell->deadline_ms = cell->polls_since_ms + cell_within_ms(cell);
    /* not at once: a goal without a reading would settle in the caller */
    start_timer(cell, on_poll, 0);
}

static void enter_verify(struct cell *cell)
{
    cell->polls_since_ms = clock_mono_ms();
    cell->deadline_ms = cell->polls_since_ms + cell_within_ms(cell);
    start_timer(cell, on_poll,
                cell->acted && cell->step->reads ? FIRST_POLL : 0);
}

static void on_waited(uv_timer_t *timer)
{
    struct cell *cell = timer->data;

    if (cell->walk->stopping) {
        cell_move(cell, EV_FATAL);
    } else if ((cell->step->flags & STEP_REWIND) && !cell->busy_ms) {
        walk_rewind(cell->walk, cell->node, cell->row);
    } else {
        cell_move(cell, EV_AGAIN);
    }
}

static void enter_wait(struct cell *cell)
{
    uint64_t ms = FIRST_WAIT;

    if (cell->busy_ms) { /* told once, when it began */
        start_timer(cell, on_waited, pace_ms(cell->busy_ms));
        return;
    }
    for (unsigned i = 1; i < cell->tries && ms < MOST_WAIT; i++)
        ms *= 4;
    cell_tell(cell, "retry", NULL, cell->err.text);
    start_timer(cell, on_waited, ms < MOST_WAIT ? ms : MOST_WAIT);
}

static void enter(struct cell *cell)
{
    switch (cell->state) {
    case CELL_CHECK:
        enter_check(cell);
        break;
    case CELL_APPLY: /* cell_on_intent goes on */
        cell->act = 0;
        break;
    case CELL_VERIFY:
        enter_verify(cell);
        break;
    case CELL_WAIT:
        enter_wait(cell);
        break;
    case CELL_DONE:
    case CELL_SKIPPED:
    case CELL_FAILED:
        tell_settled(cell);
        walk_cell_settled(cell->walk, cell);
        break;
    case CELL_PENDING:
        cell->told = false;
        break;
    }
}

void cell_start(struct cell *cell)
{
    cell_move(cell, EV_START);
}

void cell_rewind(struct cell *cell)
{
    if (cell->state == CELL_PENDING)
        return;
    cell->again = (cell->step->flags & STEP_CHAIN) != 0;
    cell->spent = false;
    cell_move(cell, EV_REWIND);
}
