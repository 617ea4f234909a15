/* SPDX-License-Identifier: Apache-2.0
 *
 * A wall clock that is wrong, put below a program by LD_PRELOAD: ahead by
 * $SKEW_S seconds.  Steady clocks are left alone: on a machine that is set
 * wrong they are right, too.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t skew_s(void)
{
    const char *text = getenv("SKEW_S");

    return text ? (time_t)strtol(text, NULL, 10) : 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *t)
{
    int (*real)(clockid_t, struct timespec *);
    int rc;

    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    rc = real(clock, t);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        t->tv_sec += skew_s();
    return rc;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
time_t time(time_t *t)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}
