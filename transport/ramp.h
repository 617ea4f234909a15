/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/ramp.h - how many connections may be on their way to a login at
 * once: as many as the nodes, the network and this machine bear.
 *
 * Pure arithmetic, no clock: `now` and `began` are the caller's, in ms.  It
 * grows with each login that came in good time, by one while nothing was ever
 * lost (so twice as many each round), then by one a round; and it is halved
 * when one is lost on the way.  What was lost in the same round is one loss: a
 * crowd that is turned away says so many times at once.
 */
#ifndef CERTFLEET_TRANSPORT_RAMP_H
#define CERTFLEET_TRANSPORT_RAMP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RAMP_FIRST = 16,     /* how many at the beginning */
    RAMP_LEAST = 4,      /* never fewer */
    RAMP_GOOD_MS = 1000, /* from connect to the end of the key exchange */
};

struct ramp {
    unsigned limit;
    unsigned most;   /* never more */
    unsigned credit; /* logins towards the next one more */
    bool has_lost;
    uint64_t lost_ms; /* when it was halved last */
};

void ramp_init(struct ramp *ramp, unsigned most);
/* A login; its key exchange took so long. */
void ramp_won(struct ramp *ramp, uint64_t took_ms);
/* One that began then was cut off or got no answer, or no socket was left. */
void ramp_lost(struct ramp *ramp, uint64_t began_ms, uint64_t now_ms);

#endif
