/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/bed_priv.h - between the files of the bed.
 */
#ifndef CERTFLEET_SCENARIO_BED_PRIV_H
#define CERTFLEET_SCENARIO_BED_PRIV_H

#include "tests/scenario/bed.h"

enum {
    BED_TEXT_CAP = 64 << 20
};

void bed_close(int *fd); /* and -1 it */
/* All that a run has said, for a failed test. */
void bed_print(const struct bed_run *run);
/* What every run that has ended must have said (bed.h, at the top). */
void bed_examine(struct bed_run *run);

#endif
