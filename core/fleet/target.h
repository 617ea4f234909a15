/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/target.h - which clusters or nodes the user's words mean.
 *
 * A word is a cluster's name, a node's name, or a glob of cluster names
 * (fnmatch).  A word that matches nothing, or a node where only clusters are
 * wanted, is CAUSE_INPUT with the names that come nearest.
 */
#ifndef CERTFLEET_FLEET_TARGET_H
#define CERTFLEET_FLEET_TARGET_H

#include "core/fleet/inventory.h"

struct target {
    struct cluster **clusters; /* each once, in the order of the file */
    size_t n_clusters;
    struct node **nodes; /* target_nodes: every node meant, each once */
    size_t n_nodes;
};

/* Clusters only.  n_words == 0 means all.  Arrays are in `arena`. */
int target_clusters(const struct inventory *inv, struct arena *arena,
                    const char *const *words, size_t n_words,
                    struct target *target, struct err *err);
/* Clusters and nodes; a cluster means all its nodes. */
int target_nodes(const struct inventory *inv, struct arena *arena,
                 const char *const *words, size_t n_words,
                 struct target *target, struct err *err);

#endif
