/* SPDX-License-Identifier: Apache-2.0
 *
 * Inputs' values.  Knows no playbook.
 */
#include "core/run/input.h"

#include <stdlib.h>

enum {
    MOST_DAYS = 36500
};

int input_number(const char *value, unsigned least, unsigned most,
                 struct err *err)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end || n < least || n > most)
        return err_set(err, CAUSE_INPUT, "a number from %u to %u is wanted",
                       least, most);
    return 0;
}

int input_days(const struct plan_cluster *pc, const char *value,
               struct err *err)
{
    (void)pc;
    return input_number(value, 0, MOST_DAYS, err);
}
