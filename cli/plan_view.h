/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/plan_view.h - a plan as people read it: another walk over the same rows
 * and nodes as the run's, with the same texts (core/run/act.h).
 *
 * What is printed is what would be sent: the dry run has no code of its own
 * in the playbooks.
 */
#ifndef CERTFLEET_CLI_PLAN_VIEW_H
#define CERTFLEET_CLI_PLAN_VIEW_H

#include "core/base/str.h"
#include "core/run/plan.h"

struct plan_view_options {
    bool back;         /* the same rows, aimed at the old sets */
    const char *until; /* the last step that will be done, or NULL */
    bool color;
    bool unread; /* out of a file: nobody knows what is already so */
};

void plan_view(const struct plan *plan, const struct plan_view_options *options,
               struct str *out);

/* What the walk counted. */
struct plan_sum {
    size_t clusters, nodes, commands, files, steps;
    bool outage, one_way, no_way_back;
};
void plan_sum(const struct plan *plan, bool back, struct plan_sum *sum);

/* "until 2027-03-01T00:00:00Z (100 days)", seconds, now in seconds. */
void plan_view_until(struct str *out, int64_t until, int64_t now);

#endif
