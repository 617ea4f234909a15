/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/matrix.h - the same rotation, once for each row of a table of
 * faults that strike once: it must end well.
 *
 * The table is the test: each row becomes a cmocka test of its own.
 */
#ifndef CERTFLEET_SCENARIO_MATRIX_H
#define CERTFLEET_SCENARIO_MATRIX_H

#include "tests/scenario/bed.h"

struct mishap {
    const char *node;    /* glob */
    const char *kind;    /* of docs/lab.md */
    const char *subject; /* glob of the command, or "OP NAME" */
    const char *more;    /* "nth=2 ms=700", or "" */
};

/* Runs them all in a lab of this shape; what main() returns. */
int matrix_run(const struct mishap *rows, size_t n, const char *shape);

#endif
