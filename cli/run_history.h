/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/run_history.h - the store's runs in numbers: how many came to what, and
 * each cluster's last outage.
 */
#ifndef CERTFLEET_CLI_RUN_HISTORY_H
#define CERTFLEET_CLI_RUN_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/fleet/inventory.h"

struct history_count {
    const char *outcome; /* "done" ... "running", "cut-off", "other" */
    size_t n;
};
struct history_outage {
    const char *cluster; /* the inventory's */
    int64_t ms;          /* how long */
    int64_t t_ms;        /* wall: when the run was through with the cluster */
};

struct run_history {
    struct history_count *counts; /* all outcomes, also those of no run */
    size_t n_counts;
    struct history_outage *outages; /* of clusters that had one */
    size_t n_outages;
    size_t held; /* clusters of a run that has not ended well, or is at work */
};

/* No database yet: no runs, and none is made.  All that it gives lives in
 * `arena`.  Blocking. */
int run_history_read(const struct inventory *inventory, struct arena *arena,
                     struct run_history *history, struct err *err);

#endif
