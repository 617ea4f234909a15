/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fault/play.h - one cell: a lab, a fault, a run, and what came of it.
 */
#ifndef CERTFLEET_FAULT_PLAY_H
#define CERTFLEET_FAULT_PLAY_H

#include "tests/fault/axes.h"

enum mark {
    MARK_WRONG = 0, /* also: it has not come to an end */
    MARK_DONE,
    MARK_BACK,       /* the old state is proven */
    MARK_REFUSED,    /* and untouched */
    MARK_INCOMPLETE, /* and its `next' ended well */
    MARK_UNFIT,
    MARK_SKIPPED, /* not in this sample */
    MARKS
};

/* In a process of its own.  Prints what happened. */
enum mark play(const struct cell *cell);

#endif
