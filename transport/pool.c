/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/pool.c - slots and the line for them.
 */
#include "transport/pool.h"

#include <stddef.h>

#include "core/base/clock.h"

void pool_init(struct pool *p, unsigned max)
{
    p->max = max;
    p->used = 0;
    p->in_line = 0;
    p->asked = 0;
    p->first = NULL;
    p->last = &p->first;
    p->evict = NULL;
    p->user = NULL;
}

static void grant(struct pool *p, struct pool_slot *slot)
{
    slot->waiting = false;
    slot->held = true;
    p->used++;
    slot->granted(slot);
}

static struct pool_slot *leave_line(struct pool *p, struct pool_slot **at)
{
    struct pool_slot *slot = *at;

    *at = slot->next;
    if (slot->next == NULL)
        p->last = at;
    slot->next = NULL;
    slot->waiting = false;
    p->in_line--;
    return slot;
}

/* One idle holder for each that waits, not more: they end later. */
void pool_nudge(struct pool *p)
{
    while (p->evict != NULL && p->used >= p->max && p->asked < p->in_line) {
        p->asked++;
        if (!p->evict(p->user)) {
            p->asked--;
            return;
        }
    }
}

void pool_take(struct pool *p, struct pool_slot *slot)
{
    if (p->used < p->max) {
        grant(p, slot);
        return;
    }
    slot->waiting = true;
    slot->since_ms = clock_mono_ms();
    slot->next = NULL;
    *p->last = slot;
    p->last = &slot->next;
    p->in_line++;
    pool_nudge(p);
}

void pool_force(struct pool *p, struct pool_slot *slot)
{
    slot->held = true;
    p->used++;
}

void pool_set_max(struct pool *p, unsigned max)
{
    p->max = max;
    while (p->first != NULL && p->used < p->max)
        grant(p, leave_line(p, &p->first));
}

static void drop_from_line(struct pool *p, const struct pool_slot *slot)
{
    struct pool_slot **at = &p->first;

    while (*at != NULL && *at != slot)
        at = &(*at)->next;
    if (*at != NULL)
        leave_line(p, at);
}

void pool_give(struct pool *p, struct pool_slot *slot)
{
    if (slot->waiting)
        drop_from_line(p, slot);
    if (!slot->held)
        return;
    slot->held = false;
    p->used--;
    if (p->asked > 0)
        p->asked--;
    if (p->first != NULL && p->used < p->max)
        grant(p, leave_line(p, &p->first));
    pool_nudge(p);
}
