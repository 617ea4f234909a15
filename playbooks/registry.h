/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/registry.h - the products and playbooks that this program has.
 */
#ifndef CERTFLEET_PLAYBOOKS_REGISTRY_H
#define CERTFLEET_PLAYBOOKS_REGISTRY_H

#include "core/run/product.h"

/* NULL: there is none of this name. */
const struct playbook *registry_playbook(const char *id);
const struct product *registry_product(const char *name);
/* What the inventory must know of all products, {NULL}-ended. */
const struct product_words *registry_words(void);
/* All of them, NULL-ended. */
const struct playbook *const *registry_playbooks(void);

#endif
