/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/reach.h - how a node is reached: from what the inventory says and
 * the secrets it names to a link's target.
 */
#ifndef CERTFLEET_RUN_REACH_H
#define CERTFLEET_RUN_REACH_H

#include "core/fleet/inventory.h"
#include "core/fleet/secret_ref.h"
#include "core/link.h"

/* Fills the target; its secrets are shared (reach_release frees our share).
 * Blocking (a prompt, a command): before the loop starts.  CAUSE_INPUT. */
int reach_target(const struct inventory *inventory, const struct node *node,
                 const struct link_dialect *dialect,
                 struct secret_cache *secrets, struct link_target *target,
                 struct err *err);
/* The same for its REST interface; nothing when the inventory gives no access
 * to it.  Into a target of reach_target's, which is released on error. */
int reach_api(const struct inventory *inventory, const struct node *node,
              struct secret_cache *secrets, struct link_target *target,
              struct err *err);
void reach_release(struct link_target *target);

#endif
