/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/survey.h - reads every node of some clusters, changes nothing:
 * what `check` and `prune` stand on.
 *
 * Asynchronous; `on_node` once for each node as it is through (its facts in
 * plan->clusters[c].nodes[n].facts, `unreachable` set when it could not be
 * read), then `on_end` once.
 */
#ifndef CERTFLEET_RUN_SURVEY_H
#define CERTFLEET_RUN_SURVEY_H

#include <uv.h>

#include "core/fleet/secret_ref.h"
#include "core/link.h"
#include "core/run/plan.h"

struct survey;
struct survey_options {
    uv_loop_t *loop;
    struct link_provider links;
    struct secret_cache *secrets;
    uint32_t reads; /* bits of the product's reads */
    void (*on_node)(void *user, const struct view *view);
    void (*on_end)(void *user);
    void *user;
};

/* A plan for reading only: the clusters with their nodes and empty facts, no
 * playbook's inputs.  `nodes` NULL: all nodes; else only these. */
struct plan *survey_plan(const struct inventory *inventory,
                         const struct playbook *playbook,
                         struct cluster **clusters, size_t n_clusters,
                         struct err *err);
/* Reads the secrets (CAUSE_INPUT), sends nothing yet. */
struct survey *survey_new(const struct survey_options *options,
                          struct plan *plan, struct node **nodes,
                          size_t n_nodes, struct err *err);
void survey_start(struct survey *survey);
/* The link to a node of the survey, after on_node, until survey_free. */
struct link *survey_link(struct survey *survey, const struct node *node);
void survey_cancel(struct survey *survey);
void survey_free(struct survey *survey, void (*closed)(void *), void *user);

#endif
