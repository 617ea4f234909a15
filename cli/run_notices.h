/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/run_notices.h - what `certfleet run' has to tell to the inventory's
 * `notify' program: begun, done, rolled back, incomplete, expiring.
 */
#ifndef CERTFLEET_CLI_RUN_NOTICES_H
#define CERTFLEET_CLI_RUN_NOTICES_H

#include "cli/renew.h"
#include "core/run/notify.h"

struct run_notices {
    struct session *session;
    struct notify *notify; /* NULL: the inventory names no program */
    bool busy, more, deaf; /* a delivery is out; there is more; it failed */
    size_t left;
    struct err err;
};

void run_notices_open(struct run_notices *notices, struct session *session);
/* For renew's on_cert, on_begin, on_task; `user` is the notices. */
void run_notices_cert(void *user, const char *cluster, const char *node,
                      const struct cert_row *row);
void run_notices_begin(void *user, const struct campaign_cluster *c,
                       size_t task);
void run_notices_task(void *user, const struct campaign_cluster *c, size_t task,
                      const struct run_result *result);
/* A run of before that was gone on with, and one that nobody can. */
void run_notices_resumed(struct run_notices *notices, const char *run,
                         const char *clusters, const char *outcome);
/* Each goes out as soon as it is there; this waits for the last, and tries once
 * more what was not taken. */
void run_notices_deliver(struct run_notices *notices);
void run_notices_close(struct run_notices *notices);

#endif
