/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/pace.h - which cluster of a fleet may begin now, and why the others
 * may not: canaries, batches, how many side by side, how many may fail, and
 * whether the window is long enough.
 *
 * Pure: no loop, no clock, no store.  campaign.c asks and does.  All times are
 * seconds; `now` is the caller's.
 */
#ifndef CERTFLEET_RUN_PACE_H
#define CERTFLEET_RUN_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum pace_state {
    PACE_WAITING,
    PACE_RUNNING,
    PACE_DONE,
    PACE_FAILED, /* whatever is not done: rolled back, refused, unreachable */
    PACE_LEFT,   /* not begun in this campaign, and that is no failure */
};

/* One cluster, in the order in which they are to begin: canaries first. */
struct pace_item {
    enum pace_state state;
    bool canary;
    int64_t need_s; /* to finish and, if need be, to go back; 0: not known */
    int64_t opens, closes; /* its window; 0: any time is good */
};

struct pace {
    struct pace_item *items;
    size_t n;
    size_t batch;           /* clusters a batch; 0: all that are no canaries */
    size_t max_clusters;    /* side by side; 0: any number */
    size_t max_failures;    /* more than these, and nothing begins any more */
    int64_t settle_s;       /* between the last canary and the first batch */
    int64_t canaries_ended; /* when the last canary did; 0: not yet */
    bool watched;           /* and were looked at again after settle_s: well */
    bool stopped;           /* by a person */
};

enum pace_answer {
    PACE_GO,
    PACE_NOT_YET, /* others must end first */
    PACE_SETTLE,  /* the canaries are through: wait, then look at them */
    PACE_CLOSED,  /* its window is not open */
    PACE_SHORT,   /* its window closes too early */
    PACE_HALT,    /* too many failed, a canary among them, or a person stops */
    /* never the answer of pace_ask, but of a campaign: */
    PACE_ONE_WAY, /* it cannot be taken back, and nobody is there to be asked */
    PACE_HELD,    /* another run has it, or had it since it was looked at */
};
/* May this waiting one begin?  CLOSED, SHORT and HALT are for good; the first
 * two are said only when its turn has come. */
enum pace_answer pace_ask(const struct pace *pace, size_t item, int64_t now);

/* Is `need_s` left before `closes`?  0 for either: yes. */
bool pace_fits(int64_t need_s, int64_t closes, int64_t now);

size_t pace_count(const struct pace *pace, enum pace_state state);
bool pace_has_canary(const struct pace *pace);
/* Are all canaries through, well or not? */
bool pace_canaries_are_through(const struct pace *pace);

/* "12" or "25%" of `all`, rounded up; at least 1 of a share above 0.
 * CAUSE_INPUT for anything else. */
int pace_share(const char *text, size_t all, size_t *n, struct err *err);

#endif
