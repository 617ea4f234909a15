/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/input.h - values of inputs (struct input_row) that several playbooks
 * take.  0, or -1 with CAUSE_INPUT.
 */
#ifndef CERTFLEET_RUN_INPUT_H
#define CERTFLEET_RUN_INPUT_H

#include "core/run/plan.h"

int input_number(const char *value, unsigned least, unsigned most,
                 struct err *err);
/* `if_days_left'; fits input_row.check. */
int input_days(const struct plan_cluster *pc, const char *value,
               struct err *err);

#endif
