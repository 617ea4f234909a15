/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/probe.h - one reading of one node, by the product's table of reads.
 *
 * Reads nothing from any record: what it finds comes from the node, now.  Rows
 * are made in the table's order; the files of one row at once.  A row that is
 * not optional and fails ends the probe; the facts then say `unreachable` when
 * the node did not answer at all.  Completes once, later, on the loop.
 */
#ifndef CERTFLEET_RUN_PROBE_H
#define CERTFLEET_RUN_PROBE_H

#include "core/link.h"
#include "core/run/plan.h"

/* rc 0: every asked read that is not optional is fresh in the facts.
 * refused: the node or we refused the login; do not try again. */
typedef void probe_done_f(void *user, int rc, bool refused,
                          const struct err *err);

struct probe_options {
    struct uv_loop_s *loop;
    const struct link_ops *ops;
    struct link *link;
    const struct view *view; /* copied */
    uint32_t reads;
    unsigned timeout_ms; /* of one request; 0: the link's */
};
/* The probe frees itself after `done`.  There is no cancel: cancelling the
 * link completes it. */
void probe_start(const struct probe_options *options, probe_done_f *done,
                 void *user);

/* Milliseconds since the read was made; UINT64_MAX: never. */
uint64_t facts_age_ms(const struct facts *facts, uint32_t bit);
/* Has it been read since this monotonic time? */
bool facts_since(const struct facts *facts, uint32_t bit, uint64_t since_ms);

#endif
