/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/run_audit.h - a run's records as an auditor asks for them: who did what,
 * when, from where, by which plan; and of every node the fingerprints of the
 * certificates that it had and that were made for it.
 */
#ifndef CERTFLEET_CLI_RUN_AUDIT_H
#define CERTFLEET_CLI_RUN_AUDIT_H

#include <jansson.h>

#include "cli/app.h"
#include "core/store/store.h"

struct run_audit {
    json_t *deeds;    /* array: {what, t, user, host, login, from, version,
                         plan_sha256, approved}; what a journal does not have
                         is null */
    json_t *clusters; /* object: name to {plan, files} as journaled */
};

void run_audit_init(struct run_audit *audit);
void run_audit_release(struct run_audit *audit);
/* Every record of one run, in order; most are of no interest. */
void run_audit_take(struct run_audit *audit, const struct store_entry *entry);
/* A certificate of a node, as journaled; one of the files may be NULL or lack
 * "cert_sha256": there was none, or none was made. */
struct run_pair {
    const char *cluster, *node, *slot;
    const json_t *was, *made; /* {name, sha256, cert_sha256} */
};
typedef void run_pair_f(void *user, const struct run_pair *pair);
void run_audit_pairs(const struct run_audit *audit, run_pair_f *each,
                     void *user);
/* Two tables, or "deed" and "fingerprints" events. */
void run_audit_say(const struct run_audit *audit, struct out *out);
void run_audit_tell(const struct run_audit *audit, struct out *out);

#endif
