/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/ssh_open.c - places for connections on their way to a login.  A
 * place is held for a second at most; what is known by then is told the ramp.
 */
#include <stddef.h>

#include "core/base/clock.h"
#include "transport/ssh_priv.h"

enum {
    PATIENCE_MS = 1000,
    LOOK_EVERY_MS = 250,
};

static void set_limit(struct link_port *p)
{
    pool_set_max(&p->opening, p->ramp.limit);
}

/* Its deadline goes on without a slot, as far as descriptors last. */
static void stand_aside(struct conn *c)
{
    struct link_port *p = c->port;

    pool_give(&p->opening, &c->open_slot);
    if (!c->slot.held || p->aside >= p->aside_most)
        return;
    c->aside = true;
    p->aside++;
    pool_give(&p->slots, &c->slot);
}

static void on_look(uv_timer_t *timer)
{
    struct link_port *p = timer->data;
    uint64_t now = clock_mono_ms();

    for (struct conn *c = p->conns; c != NULL; c = c->next)
        if (c->open_slot.held && now - c->started_ms >= PATIENCE_MS)
            stand_aside(c);
    if (p->opening.used == 0)
        uv_timer_stop(timer);
}

static void on_place(struct pool_slot *slot)
{
    struct conn *c =
        (struct conn *)((char *)slot - offsetof(struct conn, open_slot));

    if (!uv_is_active((uv_handle_t *)&c->port->looker))
        uv_timer_start(&c->port->looker, on_look, LOOK_EVERY_MS, LOOK_EVERY_MS);
    conn_dial(c);
}

void open_take(struct conn *c)
{
    c->open_slot.granted = on_place;
    pool_take(&c->port->opening, &c->open_slot);
}

void open_shaken(struct conn *c)
{
    c->shaken_ms = clock_mono_ms() - c->started_ms;
}

void open_won(struct conn *c)
{
    struct link_port *p = c->port;

    if (c->aside) {
        c->aside = false;
        p->aside--;
        pool_force(&p->slots, &c->slot);
    }
    if (route_has_proxy(c->route))
        return;
    ramp_won(&p->ramp, c->shaken_ms);
    pool_give(&p->opening, &c->open_slot);
    set_limit(p);
}

/* What the node itself says is no matter of how many: a host key, a login, a
 * port on which nobody listens. */
static bool is_loss(const struct conn *c)
{
    return c->started_ms != 0 && c->end == LINK_UNSENT && c->again &&
           !c->unheard && !route_has_proxy(c->route);
}

void open_over(struct conn *c)
{
    struct link_port *p = c->port;

    if (is_loss(c))
        ramp_lost(&p->ramp, c->started_ms, clock_mono_ms());
    pool_give(&p->opening, &c->open_slot);
    set_limit(p);
}

void open_end(struct conn *c)
{
    if (c->aside)
        c->port->aside--;
    c->aside = false;
}
