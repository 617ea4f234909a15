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
#include "core/run/course.h"
#include "core/run/probe.h"
#include "core/run/send.h"

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
    { CELL_VERIFY,  EV_MET,    CELL_DONE    },
    { CELL_VERIFY,  EV_ERROR,  CELL_WAIT    },
    { CELL_VERIFY,  EV_FATAL,  CELL_FAILED  },
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
    "rewind", "proven",
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

static struct course *course_of(const struct cell *cell)
{
    return cell->walk->course;
}

static const struct node *node_of(const struct cell *cell)
{
    return cell->node == SIZE_MAX ? NULL
                                  : course_of(cell)->pc->nodes[cell->node].node;
}

static struct view view_of(const struct cell *cell)
{
    return (struct view){
        .plan = course_of(cell)->pc,
        .node = cell->node,
        .back = cell->walk->back,
        .acted = cell->acted,
        .acted_ms = cell->acted_ms,
        .tries = cell->tries,
        .walk_ms = cell->walk->began_ms,
    };
}

static unsigned within_ms(const struct cell *cell)
{
    const struct node *n = node_of(cell);
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
        }
    return s * 1000;
}

/* -- telling ----------------------------------------------------------------
 */

static void tell(const struct cell *cell, const char *event,
                 const char *command, const char *detail)
{
    const struct node *n = node_of(cell);
    struct event e = {
        .event = event,
        .cluster = course_of(cell)->pc->cluster->name,
        .node = n ? n->name : NULL,
        .step = cell->step->id,
        .state = cell->walk->back ? "back" : NULL,
        .command = command,
        .detail = detail,
        .took_ms = cell_is_settled(cell)
                       ? (int64_t)(clock_mono_ms() - cell->began_ms)
                       : -1,
    };
    journal_tell(course_of(cell)->journal, &e);
}

static void tell_settled(const struct cell *cell)
{
    if (cell->state == CELL_DONE)
        tell(cell, "step-done", NULL, NULL);
    else if (cell->state == CELL_SKIPPED)
        tell(cell, "step-skipped", NULL, "already as wanted");
    else
        tell(cell, "step-failed", NULL, cell->err.text);
}

/* -- the setter --------------------------------------------------------------
 */

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
    struct view view = view_of(cell);
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
        edge->event == EV_LOST)
        json_object_set_new(data, "detail", json_string(cell->err.text));
    return data;
}

static void on_intent(void *user, const struct err *err);

static void move(struct cell *cell, enum cell_event event)
{
    const struct cell_edge *edge = find_edge(cell, event);
    const struct node *n = node_of(cell);

    if (!edge) {
        log_warn("%s %s: event %s in state %s is impossible", n ? n->name : "-",
                 cell->step->id, event_names[event], state_names[cell->state]);
        abort();
    }
    log_debug("%s %s: %s: %s -> %s", n ? n->name : "-", cell->step->id,
              event_names[event], state_names[edge->from],
              state_names[edge->to]);
    const struct journal_record record = {
        .cluster = course_of(cell)->pc->cluster->name,
        .node = n ? n->name : NULL,
        .step = cell->step->id,
        .kind = "cell",
        .data = edge_json(cell, edge),
    };
    cell->state = edge->to;
    journal_write(course_of(cell)->journal, &record,
                  edge->to == CELL_APPLY ? on_intent : NULL, cell);
    enter(cell);
}

static void fail(struct cell *cell, const struct err *err, bool fatal)
{
    cell->err = *err;
    if (!fatal) {
        cell->tries++;
        if (cell->walk->stopping ||
            cell->tries > (node_of(cell) ? node_of(cell)->retries : 0))
            fatal = true;
    }
    move(cell, fatal ? EV_FATAL : EV_ERROR);
}

/* -- waiting ------------------------------------------------------------------
 */

static void start_timer(struct cell *cell, uv_timer_cb cb, uint64_t ms)
{
    if (!cell->timer) {
        cell->timer = calloc(1, sizeof(*cell->timer));
        if (!cell->timer)
            abort();
        uv_timer_init(course_of(cell)->loop, cell->timer);
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

static void read_now(struct cell *cell);

static void on_poll(uv_timer_t *timer)
{
    read_now(timer->data);
}

static void poll_later(struct cell *cell)
{
    uint64_t waited = clock_mono_ms() - cell->polls_since_ms;
    uint64_t ms = waited / 20;

    if (ms < LEAST_POLL)
        ms = waited < FIRST_POLL ? FIRST_POLL : LEAST_POLL;
    if (ms > MOST_POLL)
        ms = MOST_POLL;
    start_timer(cell, on_poll, ms);
}

static bool past_deadline(const struct cell *cell)
{
    return clock_mono_ms() >= cell->deadline_ms;
}

/* -- CHECK and VERIFY: read, then ask the goal
 * --------------------------------- */

/* Has this run changed anything live, and is this cell part of that? */
static bool is_live(const struct cell *cell)
{
    return (cell->step->flags & STEP_LIVE) && course_of(cell)->pc->left;
}

static void judge_check(struct cell *cell, enum goal goal, struct err *why)
{
    bool nothing_to_do = act_at(&(struct view){.plan = course_of(cell)->pc,
                                               .node = cell->node,
                                               .back = cell->walk->back,
                                               .tries = cell->tries},
                                cell->step, 0) == NULL;

    if (goal == GOAL_MET && !cell->force) {
        move(cell, cell->step->acts ? EV_MET : EV_PROVEN);
    } else if (goal == GOAL_UNKNOWN && is_live(cell) && !past_deadline(cell) &&
               !cell->walk->stopping) {
        poll_later(cell); /* still running, for all that we know */
    } else if (goal == GOAL_BUSY || (goal == GOAL_OPEN && nothing_to_do)) {
        cell->err = *why;
        move(cell, EV_BUSY);
    } else if (goal == GOAL_OPEN || goal == GOAL_MET) {
        cell->force = false;
        move(cell, EV_OPEN);
    } else {
        fail(cell, why, false);
    }
}

/* A join that the node still reports as running is left alone: taking it back
 * would destroy what it is about to finish. */
static void judge_verify(struct cell *cell, enum goal goal, struct err *why)
{
    if (goal == GOAL_MET) {
        move(cell, EV_MET);
    } else if (goal == GOAL_ERROR) {
        fail(cell, why, false);
    } else if (!past_deadline(cell)) {
        poll_later(cell);
    } else {
        cell->hold = goal == GOAL_BUSY && cell->step->within == WITHIN_JOIN;
        err_context(why, "not there after %u s", within_ms(cell) / 1000);
        fail(cell, why, cell->hold);
    }
}

static void judge(struct cell *cell)
{
    struct view view = view_of(cell);
    struct err why = {0};
    enum goal goal = cell->step->goal(&view, &why);

    if (cell->state == CELL_CHECK)
        judge_check(cell, goal, &why);
    else
        judge_verify(cell, goal, &why);
}

/* Once something live was changed, a node that does not answer is still at
 * work (or rebooting) until the deadline; before that it is a failure. */
static void on_unread(struct cell *cell)
{
    struct facts *facts = course_of(cell)->pc->nodes[cell->node].facts;
    struct err err = facts->err;
    bool live = is_live(cell);

    if (cell->self_refused) {
        cell->refused = true;
        fail(cell, &err, true);
    } else if ((live || cell->state == CELL_VERIFY) && !past_deadline(cell) &&
               !cell->walk->stopping) {
        poll_later(cell);
    } else {
        err_context(&err, "cannot be read");
        fail(cell, &err, live);
    }
}

static void on_probes(struct cell *cell)
{
    if (cell->state != CELL_CHECK && cell->state != CELL_VERIFY)
        log_debug("%s: a late reading is ignored", cell->step->id);
    else if (cell->self_rc < 0)
        on_unread(cell);
    else
        judge(cell);
}

struct reading { /* one probe of a cell */
    struct cell *cell;
    bool self;
};

static void on_probe(void *user, int rc, bool refused, const struct err *err)
{
    struct reading *reading = user;
    struct cell *cell = reading->cell;

    if (reading->self) {
        cell->self_rc = rc;
        cell->self_refused = refused;
        if (rc < 0)
            course_of(cell)->pc->nodes[cell->node].facts->err = *err;
    }
    free(reading);
    if (--cell->probes == 0)
        on_probes(cell);
}

static void probe_node(struct cell *cell, size_t node, uint32_t reads)
{
    struct course *course = course_of(cell);
    struct view view = view_of(cell);
    struct reading *reading = calloc(1, sizeof(*reading));

    if (!reading)
        abort();
    view.node = node;
    reading->cell = cell;
    reading->self = node == cell->node;
    cell->probes++;
    const struct probe_options options = {
        .ops = course->ops,
        .link = course->links[node],
        .view = &view,
        .reads = reads,
    };
    probe_start(&options, on_probe, reading);
}

static bool sees(const struct cell *cell, size_t node)
{
    const struct plan_cluster *pc = course_of(cell)->pc;

    if (cell->state != CELL_CHECK || node == cell->node ||
        pc->nodes[node].left_out)
        return false;
    if (cell->step->flags & STEP_SEES_ALL)
        return (pc->nodes[node].roles & pc->plan->playbook->data_roles) != 0;
    return (cell->step->flags & STEP_SEES_HOLDER) && node == pc->holder;
}

static void read_now(struct cell *cell)
{
    const struct plan_cluster *pc = course_of(cell)->pc;
    const struct product *product = pc->plan->playbook->product;
    uint32_t reads = cell->step->reads;

    if (cell->node == SIZE_MAX || reads == 0) {
        judge(cell);
        return;
    }
    if (cell->state == CELL_CHECK && (cell->step->flags & STEP_LIVE) &&
        cell->step->acts)
        reads |= product->ground_reads;
    cell->probes = 1; /* until all are on their way */
    cell->self_rc = -1;
    probe_node(cell, cell->node, reads);
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (sees(cell, i))
            probe_node(cell, i, product->status_read);
    cell->probes--;
}

/* -- APPLY: the acts, one after the other
 * ---------------------------------------- */

static void send_next(struct cell *cell);

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
        if (cell->tries > (node_of(cell) ? node_of(cell)->retries : 0) + 1)
            move(cell, EV_FATAL);
        else
            move(cell, EV_LOST);
        return;
    case SENT_REFUSED:
        cell->refused = true;
        fail(cell, err, true);
        return;
    case SENT_UNSENT:
    case SENT_ERROR:
        fail(cell, err, false);
        return;
    }
}

static void note_act(struct cell *cell, const struct act *act,
                     const struct view *view)
{
    struct course *course = course_of(cell);
    struct str text;

    str_init(&text, 4096);
    if (act->kind != ACT_LOCAL && act_text(view, act, &text, NULL) == 0) {
        if (act->kind == ACT_PUT)
            plan_note_file(course->pc, cell->node, str_text(&text));
        else if (act->kind != ACT_FETCH)
            plan_note_sent(course->pc, cell->node, str_text(&text));
        tell(cell, "command", str_text(&text), NULL);
    }
    str_release(&text);
}

static void send_next(struct cell *cell)
{
    struct course *course = course_of(cell);
    struct view view = view_of(cell);
    const struct act *act = act_at(&view, cell->step, cell->act);
    const struct sending sending = {course, &view, act, on_sent, cell};
    struct err err = {0};
    bool hold = false;

    if (!act) {
        if (cell->step->flags & STEP_LIVE)
            course_note_live_act(course, cell->step);
        move(cell, EV_OK);
        return;
    }
    if (send_act(&sending, &hold, &err) < 0) {
        cell->hold = hold;
        fail(cell, &err, true);
        return;
    }
    note_act(cell, act, &view);
    if (cell->step->flags & STEP_LIVE)
        course->pc->left = true;
    cell->acted = true;
    cell->acted_ms = clock_mono_ms();
}

/* The intent is durable (or the store is broken: then nothing goes out). */
static void on_intent(void *user, const struct err *err)
{
    struct cell *cell = user;

    if (cell->state != CELL_APPLY) {
        log_debug("%s: a late intent is ignored", cell->step->id);
    } else if (err) {
        cell->hold = true;
        fail(cell, err, true);
    } else if (cell->walk->stopping) {
        const struct err stopped = {CAUSE_CANCELED, "stopped before it was "
                                                    "sent"};
        fail(cell, &stopped, true);
    } else {
        send_next(cell);
    }
}

/* -- states
 * ------------------------------------------------------------------------ */

static void enter_check(struct cell *cell)
{
    if (!cell->told) {
        cell->told = true;
        cell->began_ms = clock_mono_ms();
        tell(cell, "step-started", NULL, NULL);
    }
    cell->acted = false;
    cell->act = 0;
    cell->polls_since_ms = clock_mono_ms();
    cell->deadline_ms = cell->polls_since_ms + within_ms(cell);
    /* not at once: a goal without a reading would settle in the caller */
    start_timer(cell, on_poll, 0);
}

static void enter_verify(struct cell *cell)
{
    cell->polls_since_ms = clock_mono_ms();
    cell->deadline_ms = cell->polls_since_ms + within_ms(cell);
    start_timer(cell, on_poll,
                cell->acted && cell->step->reads ? FIRST_POLL : 0);
}

static void on_waited(uv_timer_t *timer)
{
    struct cell *cell = timer->data;

    if (cell->walk->stopping) {
        move(cell, EV_FATAL);
    } else if (cell->step->flags & STEP_REWIND) {
        walk_rewind(cell->walk, cell->node, cell->row);
    } else {
        move(cell, EV_AGAIN);
    }
}

static void enter_wait(struct cell *cell)
{
    uint64_t ms = FIRST_WAIT;

    for (unsigned i = 1; i < cell->tries && ms < MOST_WAIT; i++)
        ms *= 4;
    tell(cell, "retry", NULL, cell->err.text);
    start_timer(cell, on_waited, ms < MOST_WAIT ? ms : MOST_WAIT);
}

static void enter(struct cell *cell)
{
    switch (cell->state) {
    case CELL_CHECK:
        enter_check(cell);
        break;
    case CELL_APPLY: /* on_intent goes on */
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
    move(cell, EV_START);
}

void cell_rewind(struct cell *cell)
{
    if (cell->state == CELL_PENDING)
        return;
    cell->force = (cell->step->flags & STEP_CHAIN) != 0;
    move(cell, EV_REWIND);
}
