/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fault/aim.h - from a cell to what the lab is told: which line, which
 * file, and what must have happened before the fault may strike.
 */
#ifndef CERTFLEET_FAULT_AIM_H
#define CERTFLEET_FAULT_AIM_H

#include <stdint.h>

#include "tests/fault/axes.h"
#include "tests/scenario/bed.h"

uint32_t axes_roles(const char *node);
/* The step's first act of this kind that has no condition; NULL: none. */
const struct act *act_of_kind(const struct step *step, enum act_kind kind);

/* Tells the lab; the id of the fault that must strike. */
int aim(struct bed *bed, const struct cell *cell);

#endif
