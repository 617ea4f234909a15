/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fault/pool.h - many cells, several at a time, each in a process of its
 * own whose words are kept when it went wrong.
 */
#ifndef CERTFLEET_FAULT_POOL_H
#define CERTFLEET_FAULT_POOL_H

#include "tests/fault/play.h"

struct pool {
    const struct cell *cells;
    enum mark *marks; /* MARK_SKIPPED: not played; overwritten otherwise */
    size_t n;
    unsigned jobs;    /* at a time */
    const char *keep; /* folder for the words; NULL: none is kept */
    bool talk;        /* a line a cell */
};

void pool_run(const struct pool *pool);

#endif
