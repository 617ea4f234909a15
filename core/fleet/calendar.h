/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/calendar.h - zones, days and clocks; the only room of libical.
 *
 * Zones are read from the system's tzdata, so that one update serves all
 * programs, and are kept by the caller, not in the table that libical shares
 * among threads.  A zone may be asked by any thread: libical locks the list
 * of changes that it fills in.
 */
#ifndef CERTFLEET_FLEET_CALENDAR_H
#define CERTFLEET_FLEET_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/fleet/window.h"

enum {
    DAY_MINUTES = 24 * 60,
    EVERY_DAY = 0x7f
};

struct calendar_zone;
struct calendar_date {
    int year, month, day;
};

/* `name` is an IANA name; UTC needs no file.  NULL: there is no such zone.
 * Free with calendar_zone_free. */
struct calendar_zone *calendar_zone_new(const char *name, struct err *err);
void calendar_zone_free(struct calendar_zone *zone);
const char *calendar_zone_name(const struct calendar_zone *zone);

/* Is there such a day? */
bool calendar_is_date(const struct calendar_date *date);

/* The moment at which the clock shows so many minutes (beyond a day: of the
 * days after) past midnight of `date`; window.h says which, in a night in
 * which the clock is changed. */
int64_t calendar_moment(const struct calendar_zone *zone,
                        const struct calendar_date *date, int minutes);
void calendar_clock(const struct calendar_zone *zone, int64_t at,
                    struct window_clock *clock);

/* The days of the week in `days` (1: Sunday, 2: Monday, 4 ...) from `date` on,
 * without an end. */
struct calendar_days;
struct calendar_days *calendar_days_new(const struct calendar_date *date,
                                        unsigned days);
void calendar_days_next(struct calendar_days *days, struct calendar_date *date);
void calendar_days_free(struct calendar_days *days);

#endif
