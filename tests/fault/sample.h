/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fault/sample.h - a part of the matrix that is the same every time.
 */
#ifndef CERTFLEET_FAULT_SAMPLE_H
#define CERTFLEET_FAULT_SAMPLE_H

#include "tests/fault/play.h"

/* Each row and each fault at least once forward and while rolling back, once
 * and for good in turn: what is not among them is marked MARK_SKIPPED. */
void sample_take(const struct cell *cells, enum mark *marks, size_t n);

#endif
