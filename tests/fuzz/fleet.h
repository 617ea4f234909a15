/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fuzz/fleet.h - a plan of cms/db-rotate for a small cluster that a
 * fuzzer fills with what it likes, and what must hold of every text that such
 * a plan would send.  No packet, no folder.
 */
#ifndef CERTFLEET_FUZZ_FLEET_H
#define CERTFLEET_FUZZ_FLEET_H

#include "core/run/plan.h"

/* The inventory: cluster lab, core1 to core3 and edge1.  Made once. */
const struct inventory *fleet_inventory(void);

/* A plan without facts, tag 3f9a; free it with plan_free. */
struct plan *fleet_plan(void);

/* A command that may go out: words of [A-Za-z0-9.:_-] parted by one blank, none
 * beginning with "-", and none that a node would be lost by. */
void fleet_must_be_plain(const char *command);

/* Every act of every row on every node, there and back: what can be expanded
 * and is let through by the table of commands is plain; the guard is asked
 * about it, and has an answer. */
void fleet_check_acts(const struct plan_cluster *pc);

#endif
