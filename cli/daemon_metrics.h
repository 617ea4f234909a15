/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/daemon_metrics.h - what /metrics says: the nodes as they were last read,
 * the runs in the store, and the daemon itself.  Contacts no node.
 */
#ifndef CERTFLEET_CLI_DAEMON_METRICS_H
#define CERTFLEET_CLI_DAEMON_METRICS_H

#include "cli/app.h"
#include "core/base/str.h"

struct daemon_facts { /* seconds; 0: not yet */
    int64_t started, pass_began, pass_ended, next_pass;
    int64_t last_exit; /* of the last pass; -1: a signal ended it */
    bool running;
};

/* False: the reading cannot be read; nothing was added. */
bool daemon_metrics(struct app *app, const struct daemon_facts *facts,
                    struct str *out);

#endif
