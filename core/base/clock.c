/* SPDX-License-Identifier: Apache-2.0
 *
 * CLOCK_MONOTONIC, CLOCK_BOOTTIME and CLOCK_REALTIME, in ms.
 */
#include "core/base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t steady_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(void)
{
    return steady_ms(CLOCK_MONOTONIC);
}

uint64_t clock_boot_ms(void)
{
    return steady_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_rfc3339(int64_t wall_ms, char text[CLOCK_TEXT_BYTES])
{
    time_t secs = (time_t)(wall_ms / 1000);
    struct tm tm;
    size_t n;

    gmtime_r(&secs, &tm);
    n = strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, CLOCK_TEXT_BYTES - n, ".%03uZ",
             (unsigned)(wall_ms % 1000) % 1000u);
}
