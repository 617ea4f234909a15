/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/pool.c - slots and the line for them.
 */
#include "transport/pool.h"

#include <stddef.h>

void pool_init(struct pool *p, unsigned max)
{
    p->max = max;
    p->used = 0;
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
    return slot;
}

void pool_nudge(struct pool *p)
{
    if (p->first != NULL && p->used >= p->max && p->evict != NULL)
        (void)p->evict(p->user);
}

void pool_take(struct pool *p, struct pool_slot *slot)
{
    if (p->used < p->max) {
        grant(p, slot);
        return;
    }
    slot->waiting = true;
    slot->next = NULL;
    *p->last = slot;
    p->last = &slot->next;
    pool_nudge(p);
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
    if (p->first != NULL && p->used < p->max)
        grant(p, leave_line(p, &p->first));
    pool_nudge(p);
}
