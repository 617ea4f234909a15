/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/plan_view_priv.h - shared by the parts of the plan view: the cluster's
 * frame (plan_view.c) and its steps (plan_steps.c).
 */
#ifndef CERTFLEET_CLI_PLAN_VIEW_PRIV_H
#define CERTFLEET_CLI_PLAN_VIEW_PRIV_H

#include "cli/plan_view.h"

struct plan_pen {
    struct str *out;
    const struct plan_view_options *options;
    const struct plan_cluster *pc;
    struct plan_sum *sum;
    bool outage; /* inside one */
    bool ended;  /* --until was passed */
    unsigned number;
};

const char *pen_paint(const struct plan_pen *pen, const char *code);
void pen_duration(struct plan_pen *pen, uint64_t ms); /* "about 40 s" */

/* Every row of the playbook, block by block. */
void plan_steps(struct plan_pen *pen);

#endif
