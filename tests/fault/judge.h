/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fault/judge.h - what a run came to, judged by the lab.
 */
#ifndef CERTFLEET_FAULT_JUDGE_H
#define CERTFLEET_FAULT_JUDGE_H

#include "tests/fault/play.h"
#include "tests/scenario/bed.h"

/* Fails the test (cmocka) when it is wrong. */
enum mark judge(struct bed_run *run, const struct cell *cell);
/* Prints all that was said and how the lab stands, and fails the test. */
_Noreturn void judge_wrong(struct bed *bed, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
