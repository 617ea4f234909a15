/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/crew.h - many tests of one program, several at a time.
 *
 * A rotation mostly waits, so that a row of twenty takes a minute one by one
 * and a quarter of it in four processes.  Each process runs every n-th test of
 * the group and writes to a file of its own; the texts are printed one behind
 * the other when it has ended.
 */
#ifndef CERTFLEET_SCENARIO_CREW_H
#define CERTFLEET_SCENARIO_CREW_H

#include "tests/scenario/bed.h"

enum {
    CREW_SIZE = 4
};

/* The end of main(); what it returns.  $BED_ONLY runs the tests that match it,
 * in this process; that none does is a failure. */
int crew_run(const struct CMUnitTest *tests, size_t n);
#define crew_tests(tests) crew_run(tests, sizeof(tests) / sizeof((tests)[0]))

#endif
