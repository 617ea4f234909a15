/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/cluster.h - membership, quorum and background operations.
 *
 * The only place that changes role, group and pending operation of a node.
 * Asks the engine (engine.h) whether the database can follow.
 */
#ifndef CERTFLEET_LAB_CLUSTER_H
#define CERTFLEET_LAB_CLUSTER_H

#include "tests/lab/lab.h"

/* What is to run in the background; the text is what `Last command` shows
 * when it has ended. */
struct db_order {
    enum db_verb verb;
    struct lab_node *peer; /* join, connect: as typed; NULL: unknown address */
    const char *text;
    unsigned extra_ms; /* a fault makes it slower */
    bool fails;        /* a fault makes it fail */
    uint64_t entry;    /* its record */
};

void db_begin(struct lab_node *node, const struct db_order *order);
/* Something done at once (certs, localnode): only `Last command`. */
void db_note(struct lab_node *node, const char *text, bool failed);
void db_clear_error(struct lab_node *node);

bool db_is_clustered(const struct lab_node *node);
/* Up and Connected Primary of its group. */
bool db_leads(const struct lab_node *node);
/* Both are up and their copied certificates have not ended. */
bool db_sees(const struct lab_node *a, const struct lab_node *b);
bool db_expired(const struct lab_node *node); /* on its own clock */

/* Quorum and failover, after anything that may matter. */
void db_reconsider(struct lab_group *group);
void db_power_lost(struct lab_node *node);
void db_power_back(struct lab_node *node);
/* `node` leads from now on; the old primary follows. */
int db_move_primary(struct lab_node *node, struct err *err);

struct lab_group *group_new(struct lab_cluster *home);
void group_add(struct lab_group *group, struct lab_node *node);
void group_drop(struct lab_node *node);

#endif
