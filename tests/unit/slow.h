/* SPDX-License-Identifier: Apache-2.0
 *
 * Below valgrind, where scripts/check.sh sets CERTFLEET_SLOW, a unit that does
 * one thing a thousand times does less of it.
 */
#ifndef CERTFLEET_TESTS_UNIT_SLOW_H
#define CERTFLEET_TESTS_UNIT_SLOW_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool is_slow(void)
{
    return getenv("CERTFLEET_SLOW") != NULL;
}

#endif
