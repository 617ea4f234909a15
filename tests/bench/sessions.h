/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/sessions.h - thousands of sessions, all open at once, in one
 * process: what each costs.
 */
#ifndef CERTFLEET_BENCH_SESSIONS_H
#define CERTFLEET_BENCH_SESSIONS_H

#include "tests/bench/figures.h"

/* Dies when the limit of open files does not bear so many. */
void sessions_run(unsigned sessions, unsigned rounds, struct figures *figures);

#endif
