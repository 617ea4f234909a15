/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/model/model.h - the real engine on a world that is a few bytes.
 *
 * Walk, course, cell, goals, guard and the playbook's table are the product's
 * own objects, linked as they are; only what lies outside of them is replaced
 * (outside.c, by the linker's --wrap): clock, timers, journal, the reading of
 * a node, the sending of a command.  What the engine remembers between two
 * events is packed into a `struct shot`, and put back from it: so every state
 * can be left in every way that there is.
 */
#ifndef CERTFLEET_TESTS_MODEL_MODEL_H
#define CERTFLEET_TESTS_MODEL_MODEL_H

#include "core/run/product.h"
#include "tests/model/world.h"

enum {
    MODEL_ROWS = 15
};

/* How often each may happen on one path. */
struct budgets {
    uint8_t faults;   /* a command refused, its answer lost, a slow one */
    uint8_t downs;    /* a node goes down; it may come up at any time */
    uint8_t moves;    /* another node leads, without a loss */
    uint8_t crashes;  /* of the controller; resume and rollback are free */
    uint8_t foreigns; /* somebody else's command */
    uint8_t writes;   /* with a lag: rows that only the primary has */
};

/* A run has ended: in which way. */
enum model_end {
    END_NOT,
    END_DONE,
    END_BACK,      /* rolled back, or never left */
    END_INCOMPLETE /* a person types resume or rollback */
};

struct model_options {
    size_t data, clients; /* 3+2 */
    struct budgets budgets;
    unsigned retries;
    bool no_guard, hold, parallel, lag;
    enum model_end show; /* tell the shortest way to one; END_NOT: none */
    const struct playbook *playbook; /* NULL: cms/db-rotate itself */
};

enum life {
    LIFE_GONE, /* no process: the journal and the nodes are all there is */
    LIFE_RUNNING,
    LIFE_ENDED
};

/* One node, as bytes: the node, what the engine last saw of it, its cells. */
struct shot_node {
    struct world_node w;
    uint8_t place, age, alone, target; /* what was seen (outside.c) */
    uint8_t silent, saw_foreign;
    uint8_t led;    /* who led when this cell's ground was read: a bit a node */
    uint8_t flight; /* code on its way */
    uint8_t dropped, sent, journaled, first, backup;
    uint8_t pad;   /* no byte that nobody wrote: shots are compared */
    uint16_t view; /* the whole status, while acts stand on it */
    uint16_t cell[MODEL_ROWS];
};

struct shot {
    struct budgets left;
    uint8_t life, mode, course, outcome, acted, moved_to, cause, waiting;
    uint8_t plan_bits, journal_bits, holder, journal_holder, accept;
    uint8_t first, last, block, block_end, running, walk_bits, walk_end;
    uint16_t once;
    struct shot_node node[WORLD_MAX];
};

/* The events of one state; each is kind * 8 + node. */
enum {
    MODEL_EVENTS = 128
};
typedef uint8_t event_t;

void model_open(const struct model_options *options);
void model_close(void);
size_t model_shot_bytes(void); /* of this shape */
void model_first(struct shot *shot);
size_t model_events(const struct shot *shot, event_t list[MODEL_EVENTS]);
/* Makes `event` happen.  What must not be is then in `breach`. */
void model_step(const struct shot *from, event_t event, struct shot *to);
void model_describe(event_t event, const struct shot *from,
                    const struct shot *to, char *text, size_t room);

enum model_end model_end(const struct shot *shot);
/* Removes that met a node which had begun to lead since it was read. */
extern unsigned long model_unseen_moves;

#endif
