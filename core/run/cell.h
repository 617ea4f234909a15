/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/cell.h - one step on one node: a life of its own.
 *
 * A table of edges {from, event, to} and one function that follows it; the
 * change is journaled, then traced.  An act goes out only when the record of
 * its intent is durable and the guard has agreed.  Settled exactly once for
 * each start; an event that comes too late is logged and ignored.
 */
#ifndef CERTFLEET_RUN_CELL_H
#define CERTFLEET_RUN_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "core/base/err.h"
#include "core/run/product.h"
#include "core/run/step.h"

struct walk;

enum cell_state {
    CELL_PENDING,
    CELL_CHECK,  /* the node is read, the goal is asked */
    CELL_APPLY,  /* the acts go out */
    CELL_VERIFY, /* the goal is polled */
    CELL_WAIT,   /* before another try */
    CELL_DONE,
    CELL_SKIPPED, /* it was met already */
    CELL_FAILED,  /* for good */
};

enum cell_event {
    EV_START,
    EV_MET,
    EV_OPEN,
    EV_BUSY,   /* the node is at work, on this or on something else */
    EV_OK,     /* all acts are answered */
    EV_LOST,   /* in doubt: ask the node */
    EV_ERROR,  /* this try failed */
    EV_FATAL,  /* no further try */
    EV_AGAIN,  /* the wait is over */
    EV_REWIND, /* the node starts again from an earlier row */
    EV_PROVEN, /* met, in a row without acts */
    EV_HALT,   /* a person must bring something first, or it waits and was
                  interrupted: on resume, anew */
};

struct cell {
    const struct step *step;
    struct walk *walk;
    size_t row, node; /* node SIZE_MAX: STEP_ONCE */
    enum cell_state state;
    unsigned tries;  /* failed ones */
    bool again;      /* rewound: its goal is asked more strictly */
    bool acted;      /* acts went out in this try */
    bool ever_acted; /* in any */
    bool told;       /* step-started was told */
    bool spent;      /* no try is left: the node is asked a last time */
    bool hold;       /* failed so that nothing may be taken back */
    bool refused;    /* failed on login or host key */
    size_t act;      /* which one is out */
    size_t probes;   /* answers awaited */
    int self_rc;     /* of the own node's probe */
    bool self_refused;
    bool holder_unseen; /* it was to be read, too, and did not answer */
    struct err err;     /* of the last failure */
    uint64_t began_ms, acted_ms, deadline_ms, polls_since_ms;
    uint64_t busy_ms;  /* since when the node says that it is at work; 0: it
                          does not */
    uv_timer_t *timer; /* NULL until first needed */
};

void cell_init(struct cell *cell, struct walk *walk, size_t row, size_t node);
void cell_release(struct cell *cell); /* when its walk has ended */
void cell_start(struct cell *cell);
bool cell_is_settled(const struct cell *cell);
bool cell_is_met(const struct cell *cell);
void cell_rewind(struct cell *cell);
const char *cell_state_name(enum cell_state state);

/* The edge table, for the test of reachability and for drawing. */
struct cell_edge {
    enum cell_state from;
    enum cell_event event;
    enum cell_state to;
};
const struct cell_edge *cell_edges(size_t *n);

#endif
