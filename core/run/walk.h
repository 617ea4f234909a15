/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/walk.h - one pass over some rows of the table for one cluster.
 *
 * Forwards and backwards are the same walk: `back` only changes the set that
 * the goals aim at.  A block is a row with the rows chained to it; a block's
 * nodes go one by one or in parallel; the next block begins when this one is
 * settled.  What a failure means is decided here (design.md, "When something
 * fails for good").
 */
#ifndef CERTFLEET_RUN_WALK_H
#define CERTFLEET_RUN_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/run/cell.h"

struct course;

enum walk_end {
    WALK_MET,     /* every row, every node that is not dropped */
    WALK_FAILED,  /* a cell failed for good, and it stands for the set */
    WALK_HOLD,    /* something that nothing automatic may follow */
    WALK_STOPPED, /* interrupted, or `until` reached */
    WALK_MOVED,   /* another node holds the data now: walk anew */
    WALK_WAITING, /* a person must bring something; nothing has failed */
};

struct walk {
    struct course *course;
    bool back;
    bool served;        /* a way back, and the holder serves with the old set */
    size_t first, last; /* rows, both inclusive */
    size_t block, block_end; /* rows of the block under way */
    struct cell *cells;      /* [row - first][node], one column for ONCE */
    uint64_t began_ms;       /* monotonic */
    size_t running;          /* cells between start and settled */
    bool stopping;           /* start nothing more */
    bool hold;               /* a dropped node must not be taken back */
    bool ended;
    enum walk_end end;
    struct err why; /* the first failure */
};

/* Cells are allocated; nothing is started. */
void walk_init(struct walk *walk, struct course *course, size_t first,
               size_t last, bool back);
void walk_start(struct walk *walk);
/* No new cell is begun; the walk ends when the running ones are settled. */
void walk_stop(struct walk *walk, enum walk_end how);
void walk_release(struct walk *walk); /* only when ended */

/* For cell.c: the node that holds the data is another than the plan says. */
void walk_moved(struct walk *walk, size_t holder);

/* For cell.c: a cell is settled (done, skipped, failed), or was put back to
 * PENDING by a rewind. */
void walk_cell_settled(struct walk *walk, struct cell *cell);
void walk_rewind(struct walk *walk, size_t node, size_t row);
/* For cell.c: the cell can go on only when a person has brought something. */
void walk_halted(struct walk *walk, struct cell *cell);
/* For cell.c: the run was interrupted, and the cell has stopped waiting. */
void walk_paused(struct walk *walk);
struct cell *walk_cell(const struct walk *walk, size_t row, size_t node);

#endif
