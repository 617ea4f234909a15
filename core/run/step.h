/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/step.h - one row of a playbook.
 *
 * The engine multiplies rows by nodes into cells and drives every cell.  A row
 * never sees the loop, a socket or a callback.  It may be run again at any
 * time: `goal` is asked before `acts` go out and polled after them, from what
 * was just read from the node, for as long as `within` says.
 */
#ifndef CERTFLEET_RUN_STEP_H
#define CERTFLEET_RUN_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

struct view;

enum goal {
    GOAL_MET,     /* nothing to do, or done */
    GOAL_OPEN,    /* the node is ready for the acts */
    GOAL_BUSY,    /* the node is at work on it: wait */
    GOAL_ERROR,   /* the node says that it failed; may be tried again */
    GOAL_UNKNOWN, /* what the node shows fits no rule: act on nothing */
    GOAL_PASSED,  /* not met, and waited for long enough: goes on as if it
                     were; `why` is told as a warning */
};
/* Pure: looks at the view only.  `why` is filled unless met. */
typedef enum goal goal_f(const struct view *view, struct err *why);

enum step_order {
    STEP_ONCE,       /* one cell for the cluster, done here */
    STEP_PARALLEL,   /* all nodes of the row at once */
    STEP_ONE_BY_ONE, /* the next node when this one is through */
    STEP_AS_LEAVE,   /* as the inventory's `leave` says */
    STEP_AS_JOIN,    /* as the inventory's `join` says */
};

enum step_flag {
    STEP_READ = 1 << 0,    /* sends nothing that changes a node */
    STEP_STAGE = 1 << 1,   /* changes nothing that is live */
    STEP_LIVE = 1 << 2,    /* changes what is live: part of every way back */
    STEP_OUTAGE = 1 << 3,  /* users notice */
    STEP_ONE_WAY = 1 << 4, /* cannot be taken back: asks first */
    STEP_CHAIN = 1 << 5,   /* a node goes on to it right after the row
                              above, before the next node begins */
    STEP_TURN = 1 << 6,    /* once met, service comes first: a node that
                              fails later is left out, not all taken back */
    STEP_SEES_HOLDER = 1 << 7, /* the holder is read right before it, too */
    STEP_SEES_ALL = 1 << 8,    /* every node with data is read, too */
    STEP_REWIND = 1 << 9,      /* tried again from the node's first LIVE row */
    STEP_MIRROR = 1 << 10,     /* one by one, and back from the last node to the
                                  first: the one that failed is mended before
                                  another is disturbed */
    STEP_WAITS = 1 << 11,      /* waits, changes nothing, and all serve while it
                                 does: an interrupted run may stop in it */
};

enum step_within { /* which of the node's times, in seconds, bounds a row */
    WITHIN_COMMAND,
    WITHIN_LEAVE,
    WITHIN_INIT,
    WITHIN_CONNECT,
    WITHIN_JOIN,
    WITHIN_ASKED, /* as the playbook says, from its inputs */
};

enum act_kind {
    ACT_END,     /* closes a table of acts */
    ACT_COMMAND, /* a command that asks nothing */
    ACT_CONFIRM, /* a command that asks, and is answered when it did */
    ACT_ASKED,   /* a command that may ask, and is answered if it does */
    ACT_PASTE,   /* a command that asks for a file of the target set */
    ACT_KEEP,    /* a command whose answer holds a file of the new set */
    ACT_PUT,     /* a file of the target set, by slot; read back and compared */
    ACT_FETCH,   /* a file of the node, kept in the store's backup folder */
    ACT_TAKE,    /* a file of the new set that the node made, by slot: kept in
                    the set's folder; of a node's own set, in that node's */
    ACT_REMOVE,  /* a file of the node, which this run had made there */
    ACT_POST,    /* an order to the node's REST interface: "POST /path WORD";
                    its body and what it answers are the product's */
    ACT_LOCAL,   /* the playbook's own work on this machine (`issue`) */
};

struct act {
    enum act_kind kind;
    const char *text; /* "database cluster join {primary.db_address}" */
    uint32_t roles;   /* only on nodes with one of these; 0: on all */
    bool (*when)(const struct view *view); /* only then; NULL: always.
                             Must not change while the acts of a try go out */
    const char *answer; /* to what it asks; NULL: the dialect's */
    const char *slot;   /* of ACT_PASTE and ACT_KEEP: which file */
};

struct step {
    const char *id; /* stable: it stands in journals; the same id may stand
                       in rows of disjoint roles */
    const char *title;
    uint32_t roles; /* which nodes, in the product's own bits */
    enum step_order order;
    unsigned flags;
    enum step_within within;
    uint32_t reads; /* what `goal` looks at: bits of the product's reads */
    goal_f *goal;
    const struct act *acts;
};

#endif
