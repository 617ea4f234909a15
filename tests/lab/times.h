/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/times.h - how long an appliance takes in the field, for labs that
 * are to be as slow, or a known part of it (--times).
 *
 * No document of Cisco's says how long anything takes.  facts/cms.md 3.5 gives
 * ranges; these are their middles.
 */
#ifndef CERTFLEET_LAB_TIMES_H
#define CERTFLEET_LAB_TIMES_H

#include <stddef.h>

enum {
    TIMES_MAX = 16
};

/* Settings as --set takes them ("remove_ms=1750"), a `by`-th of the field's;
 * they stay until the next call.  Returns how many. */
size_t times_settings(unsigned by, const char *settings[TIMES_MAX]);

#endif
