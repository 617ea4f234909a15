/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/pool.h - how many connections may be open at once.
 *
 * Who wants one gets a slot or waits in line.  It knows no connection: when
 * the line is not empty and no slot is free it asks to be freed one that is
 * idle (`evict`), so that more nodes than slots are served in turn instead
 * of waiting for ever on sessions that are kept for the run.
 */
#ifndef CERTFLEET_TRANSPORT_POOL_H
#define CERTFLEET_TRANSPORT_POOL_H

#include <stdbool.h>
#include <stdint.h>

struct pool_slot { /* lives in who wants it; zero it before the first use */
    struct pool_slot *next;
    void (*granted)(struct pool_slot *); /* from pool_give or pool_take */
    uint64_t since_ms;                   /* in line, by clock_mono_ms() */
    bool waiting;
    bool held;
};

struct pool {
    unsigned max;
    unsigned used;
    unsigned in_line;
    unsigned asked;          /* evictions under way */
    struct pool_slot *first; /* in line */
    struct pool_slot **last;
    bool (*evict)(void *user); /* asks one idle holder to give up; false:
                                  none can be asked now */
    void *user;
};

void pool_init(struct pool *p, unsigned max);

/* Either `granted` runs in this call, or later in pool_give. */
void pool_take(struct pool *p, struct pool_slot *slot);

/* Gives it back, or leaves the line; fine when neither holds. */
void pool_give(struct pool *p, struct pool_slot *slot);

/* Takes one at once, whatever the limit is: for a holder that gave its own back
 * and needs one again. */
void pool_force(struct pool *p, struct pool_slot *slot);

/* Another limit; a lower one takes nothing away. */
void pool_set_max(struct pool *p, unsigned max);

/* A holder can be asked to give up: the next in line may want its place. */
void pool_nudge(struct pool *p);

#endif
