/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/newcomer.h - beds for cms/db-add-node: core1 to core3 and
 * edge1 are a cluster, core4 and edge2 are standalone and empty.
 */
#ifndef CERTFLEET_SCENARIO_NEWCOMER_H
#define CERTFLEET_SCENARIO_NEWCOMER_H

#include "tests/scenario/bed.h"

#define ADD_CORE "apply cms/db-add-node lab node=core4 role=database --yes"
#define ADD_EDGE "apply cms/db-add-node lab node=edge2 role=connect --yes"
#define JOIN "database cluster join *"
#define CONNECT "database cluster connect *"
#define REMOVE "database cluster remove"
#define INIT "database cluster initialize"
#define CHANGES "database cluster [!s]*"

/* certfleet-lab's arguments for the two. */
extern const char *const newcomer_args[];

/* The lab's first set, of which nobody here has the keys; core4 is new. */
struct bed *newcomer_bed(void **state);
/* A set of ours that names core4. */
struct bed *newcomer_bed_named(void **state);
/* A set of ours that does not. */
struct bed *newcomer_bed_unnamed(void **state);
/* core4 is added, and then somebody takes it out. */
void newcomer_was_in(struct bed *bed);

/* How many commands that change something the members were given. */
unsigned newcomer_changes(struct bed *bed);
/* In sync, in this role of the lab. */
void newcomer_is_in(struct bed *bed, const char *node, const char *role);
/* The cluster is whole, core1 leads it, no row is lost. */
void newcomer_members_are_well(struct bed *bed);
/* In no cluster, as the lab has made it. */
void newcomer_is_out(struct bed *bed, const char *node);
/* Nothing was said to the new node that changes it. */
void newcomer_is_untouched(struct bed *bed, const char *node);

#endif
