/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/clock.h - two clocks: one for durations, one for people.
 */
#ifndef CERTFLEET_BASE_CLOCK_H
#define CERTFLEET_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ms(void); /* never jumps; for deadlines and durations */
/* The same, and it goes on while the machine is suspended: for what others
 * count too. */
uint64_t clock_boot_ms(void);
int64_t clock_wall_ms(void); /* since 1970, UTC; for people and validity */

enum {
    CLOCK_TEXT_BYTES = 25
};
/* "2026-11-21T03:15:59.123Z" (RFC 3339, UTC, ms) */
void clock_rfc3339(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);

#endif
