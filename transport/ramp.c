/* SPDX-License-Identifier: Apache-2.0
 *
 * Additive increase, multiplicative decrease.
 */
#include "transport/ramp.h"

void ramp_init(struct ramp *ramp, unsigned most)
{
    *ramp = (struct ramp){.limit = RAMP_FIRST < most ? RAMP_FIRST : most,
                          .most = most};
}

/* Since a loss only a whole round of good ones is worth one more. */
void ramp_won(struct ramp *ramp, uint64_t took_ms)
{
    if (took_ms > RAMP_GOOD_MS || ramp->limit >= ramp->most)
        return;
    if (ramp->has_lost && ++ramp->credit < ramp->limit)
        return;
    ramp->credit = 0;
    ramp->limit++;
}

void ramp_lost(struct ramp *ramp, uint64_t began_ms, uint64_t now_ms)
{
    unsigned least = RAMP_LEAST < ramp->most ? RAMP_LEAST : ramp->most;

    if (ramp->has_lost && began_ms <= ramp->lost_ms)
        return;
    ramp->has_lost = true;
    ramp->lost_ms = now_ms;
    ramp->credit = 0;
    ramp->limit = ramp->limit / 2 > least ? ramp->limit / 2 : least;
}
