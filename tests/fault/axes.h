/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fault/axes.h - what the fault matrix is made of.
 *
 * Rows are those of cms_db_rotate.steps, once for each kind of node that has a
 * part in them: taken from the table, so that a row that is added there is
 * tested here.  Columns are faults of the lab (docs/lab.md).  A cell is both,
 * a way and a span.  What does not go together says why.
 */
#ifndef CERTFLEET_FAULT_AXES_H
#define CERTFLEET_FAULT_AXES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/run/step.h"

enum way {
    WAY_FORWARD, /* apply; the fault strikes in the row */
    WAY_BACK,    /* apply; every join fails for good, so that all is taken
                    back; the fault strikes in the row of the way back */
    WAY_TAKEN,   /* apply is done; `rollback' of it meets the fault */
    WAYS
};
enum span {
    SPAN_ONCE,
    SPAN_GOOD, /* at every time, until the program has ended */
    SPANS
};
enum reach { /* at what a fault strikes */
    AT_LINE,
    AT_QUESTION,   /* a line that asks */
    AT_BACKGROUND, /* what goes on behind the line's answer */
    AT_WRITE,      /* a file that is put */
    AT_FILE,       /* a file that is put or fetched, a list that is read */
    AT_CHANNEL,
    AT_LOGIN, /* the one after the connection was lost at the line */
};

struct row {
    const struct step *step;
    const char *node; /* NULL: the work is done here */
    const char *name; /* "leave core2" */
};

struct column {
    const char *name; /* as it is printed */
    const char *kind; /* as the lab calls it */
    enum reach reach;
    bool parts;         /* for good: the node cannot be worked with */
    unsigned ms[SPANS]; /* the fault's number; 0: none */
};

struct cell {
    size_t row, column;
    enum way way;
    enum span span;
};

enum {
    MAX_ROWS = 48
};
extern struct row rows[MAX_ROWS];
extern size_t n_rows;
extern const struct column columns[];
extern const size_t n_columns;

void axes_init(void);
const char *way_name(enum way way);
const char *span_name(enum span span);
const struct row *cell_row(const struct cell *cell);
const struct column *cell_column(const struct cell *cell);
/* "forward/leave core2/drop before/once" */
void cell_name(const struct cell *cell, char *text, size_t size);

/* NULL, or why the cell makes no sense. */
const char *cell_unfit(const struct cell *cell);

#endif
