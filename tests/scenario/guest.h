/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/guest.h - a second lab whose cluster joins the first one's
 * inventory: nodes of several products in one fleet.
 */
#ifndef CERTFLEET_SCENARIO_GUEST_H
#define CERTFLEET_SCENARIO_GUEST_H

#include "tests/scenario/bed.h"

/* The sections of `other' from its issuer on, its cluster under this name, into
 * the inventory of `bed'; its host keys are known there, too. */
void guest_join(struct bed *bed, const char *name, struct bed *other);

#endif
