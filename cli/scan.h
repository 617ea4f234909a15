/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/scan.h - a survey of some nodes from beginning to end, product by
 * product: what `check' and `prune' share.
 */
#ifndef CERTFLEET_CLI_SCAN_H
#define CERTFLEET_CLI_SCAN_H

#include "cli/session.h"
#include "core/fleet/target.h"
#include "core/run/survey.h"

struct scan_options {
    const struct target *target; /* clusters and, if any, only these nodes */
    /* Once for each node.  Facts are valid while it is called, and with
     * `on_read` until that is settled. */
    void (*on_node)(void *user, const struct view *view);
    /* NULL, or called when all nodes of one product are through, with the
     * survey's links still there; it calls scan_go when it is done. */
    void (*on_read)(void *user, struct survey *survey, const struct plan *plan);
    void *user;
};

struct scan;
/* Runs the loop until all is read and closed.  0, or an exit code: app_fail
 * was called; EXIT_INTERRUPTED after a signal. */
int scan_run(struct session *session, const struct scan_options *options);
/* For on_read: this product is settled; may be called in it or later. */
void scan_go(struct session *session);

#endif
