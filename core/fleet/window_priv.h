/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/window_priv.h - what a window is made of; the reader of the
 * inventory fills it in.
 */
#ifndef CERTFLEET_FLEET_WINDOW_PRIV_H
#define CERTFLEET_FLEET_WINDOW_PRIV_H

#include <stddef.h>

#include "core/base/arena.h"
#include "core/fleet/calendar.h"
#include "core/fleet/window.h"

/* `window = Sat 01:00-05:00 Europe/London' */
struct window_rule {
    unsigned days;  /* as calendar_days_new takes them */
    int begin, end; /* minutes past midnight; the end may be a day later */
    const char *zone_name;
    const struct calendar_zone *zone;
};

/* `no_window = 2026-12-24..2027-01-02': both days count. */
struct window_pause {
    struct calendar_date first, last;
};

struct windows {
    const struct window_rule *rules; /* in the order of the file */
    size_t n_rules;                  /* never 0 */
    const struct window_pause *pauses;
    size_t n_pauses;
};

/* From the text behind the `='; `zone' of the rule is still NULL.  0, or -1
 * with the reason. */
int window_rule_read(struct arena *arena, const char *text,
                     struct window_rule *rule, struct err *err);
int window_pause_read(const char *text, struct window_pause *pause,
                      struct err *err);

#endif
