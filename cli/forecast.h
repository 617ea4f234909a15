/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/forecast.h - what `run' would begin in the windows to come, from what is
 * known here: the last reading of the nodes, and the runs before.
 *
 * The passes of `run' are played with the pace of core/run/pace.h: one now, one
 * as each window opens, one in the hour in which something becomes due while a
 * window is open.  Each renewal is taken to go well, in the time that it took
 * the last time.  Contacts nothing.
 */
#ifndef CERTFLEET_CLI_FORECAST_H
#define CERTFLEET_CLI_FORECAST_H

#include "cli/renew.h"

enum {
    FORECAST_AHEAD = 3 /* windows of each cluster besides the open one */
};

enum cast_state {
    CAST_BEGINS,
    CAST_SHORT,       /* not in this window: it closes too early */
    CAST_HALT,        /* not begun, since others fail */
    CAST_UNREACHABLE, /* a node did not answer the last time */
    CAST_HELD,        /* by a run that has not ended */
    CAST_UNAPPROVED,  /* it wants a signed plan */
    CAST_NOT_DUE,     /* not in these windows */
    CAST_NOT_READ     /* nobody knows: not read, or changed since */
};

struct cast_row {
    const struct cluster *cluster;
    enum cast_state state;
    int64_t opens, closes; /* its window; 0: any time, or none is meant */
    int64_t begins;        /* 0: it does not */
    int64_t due;           /* the end of the first certificate; 0: not known */
    int64_t need_s;        /* with its way back; 0: nobody has measured it */
    bool of_others;        /* ... here: so long it took in other clusters */
    int64_t read_at;       /* 0: never */
    struct campaign_task tasks[CAMPAIGN_TASKS_MAX];
    size_t n_tasks;
    const char *why; /* or NULL */
};
struct forecast {
    struct cast_row *rows; /* those that begin, in time; then the others */
    size_t n;
};

/* Of renew's target at renew->now, with its settings; its lists stay as they
 * are.  What is given lives in renew->arena.  -1 with the cause. */
int forecast_make(struct renew *renew, struct forecast *forecast,
                  struct err *err);

/* The rows as a table of their own, or with --json as events. */
void forecast_show(const struct renew *renew, const struct forecast *forecast);
const char *forecast_word(enum cast_state state);

#endif
