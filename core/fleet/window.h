/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/window.h - when changes may be made: the windows of a cluster
 * (docs/fleet.md, "Windows").
 *
 * A window is days of the week, a begin and an end by the clock on the wall
 * of its zone; days can be excepted, from 00:00 to 24:00 by the clock of the
 * window that they except.  The clock is changed in some nights:
 *
 *   a time that comes twice   is its first coming, for a begin and an end:
 *                             01:00-03:00 is three hours long when the clock
 *                             goes back from 02:00 to 01:00, 00:30-01:30 one
 *   a time that does not come is the moment of the change: 01:00-03:00 and
 *                             01:30-03:00 begin at 02:00, one hour before
 *                             their end, when the clock goes from 01:00 to
 *                             02:00; 23:00-01:30 ends then; 01:15-01:45 is
 *                             no window in that night
 *
 * Neither $TZ nor the zone of the machine matters.  Nothing here changes once
 * it is made: any thread may ask at any time, as long as the inventory lives.
 */
#ifndef CERTFLEET_FLEET_WINDOW_H
#define CERTFLEET_FLEET_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct window_span {
    int64_t begin, end; /* seconds since 1970; `end` is exclusive */
};

struct windows;

/* The span that holds `at` or, when none does, the first that begins after
 * it.  Windows that touch or overlap are one span.  What is open all week is
 * given from at least a week before `at` to WINDOW_AHEAD after it.  False:
 * there is none within WINDOW_AHEAD, or `at` is not from 1970 to 2500. */
enum {
    WINDOW_AHEAD = 366 * 86400
};
bool windows_next(const struct windows *windows, int64_t at,
                  struct window_span *span);

/* A moment by the clock of the first window's zone. */
struct window_clock {
    int year, month, day, hour, minute, second;
    int weekday;      /* 0: Sunday */
    int offset_s;     /* of the clock, east of UTC */
    const char *zone; /* "Europe/London"; as long as the inventory */
};
void windows_clock(const struct windows *windows, int64_t at,
                   struct window_clock *clock);

/* How far the clock of that zone is set forward (negative: back) while `span`
 * is open or at its begin; 0: not at all. */
int windows_change(const struct windows *windows,
                   const struct window_span *span);

#endif
