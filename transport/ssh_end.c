/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/ssh_end.c - how a connection ends, whatever it was doing, and
 * what a port does for all that stand: probes, and taking back idle ones.
 */
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "transport/compat.h"
#include "transport/ssh_priv.h"

enum {
    SILENT_MAX = 3, /* probes without a byte: dead */
    IDLE_GRACE_MS = 150,
    LINE_PATIENCE_MS = 1000,
};

static void unlist(struct conn *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        c->port->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
}

void conn_end_if_closed(struct conn *c)
{
    struct conn_end end = {
        .end = c->end,
        .again = c->again,
        .without_agent = c->blame_agent,
        .next_key_type = c->blame_key_type,
        .err = c->err,
    };

    if (c->handles > 0 || c->noted)
        return;
    if (c->started_ms != 0)
        end.active_ms = clock_mono_ms() - c->started_ms;
    unlist(c);
    open_end(c);
    pool_give(&c->port->slots, &c->slot);
    c->owner->ended(c->user, &end);
    chan_free_all(c);
    auth_release(c);
    free(c->err);
    free(c);
}

static void on_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;

    c->handles--;
    conn_end_if_closed(c);
}

/* Our descriptor may be closed as soon as nobody watches it; libssh's
 * duplicate is compat's matter. */
static void drop_socket(struct conn *c)
{
    bool watched = c->handles > 1;

    compat_session_drop(c->session, c->event);
    c->session = NULL;
    c->event = NULL;
    if (watched)
        uv_close((uv_handle_t *)&c->poll, on_closed);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    proxy_stop(c->proxy);
    c->proxy = NULL;
}

void conn_teardown(struct conn *c)
{
    if (c->gone)
        return;
    c->gone = true;
    auth_abandon(c);
    pool_give(&c->port->proxies, &c->proxy_slot);
    dial_cancel(c->dial);
    c->dial = NULL;
    chan_detach_all(c);
    drop_socket(c);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void probe(struct conn *c)
{
    uint64_t before = c->counter.out_bytes;

    compat_probe(c->session);
    if (c->counter.out_bytes == before)
        compat_probe(c->session);
}

/* A server that never answered a probe may be one that never does: then only
 * the kernel's own timeout ends it (sock.h). */
static bool is_dead(struct conn *c)
{
    if (c->counter.in_bytes != c->seen_bytes) {
        if (c->silent > 0)
            c->answers_probes = true;
        c->seen_bytes = c->counter.in_bytes;
        c->silent = 0;
        return false;
    }
    return c->silent++ >= SILENT_MAX && c->answers_probes;
}

void port_keepalive(struct link_port *p)
{
    struct conn *next;

    for (struct conn *c = p->conns; c != NULL; c = next) {
        next = c->next;
        if (c->state != CONN_READY || c->in_step)
            continue;
        if (is_dead(c))
            conn_failf(c, LINK_LOST, true,
                       "%s answered nothing for %u s: the connection is dead",
                       c->route->address, SILENT_MAX * p->keepalive_ms / 1000);
        else if (c->silent > 0)
            probe(c);
        conn_step(c);
    }
}

static struct conn *longest_idle(const struct link_port *p)
{
    struct conn *oldest = NULL;

    for (struct conn *c = p->conns; c != NULL; c = c->next) {
        if (c->state != CONN_READY || !c->idle)
            continue;
        if (oldest == NULL || c->idle_since_ms < oldest->idle_since_ms)
            oldest = c;
    }
    return oldest;
}

static void on_evictor(uv_timer_t *timer)
{
    struct link_port *p = timer->data;

    pool_nudge(&p->slots);
}

/* How long it is to be left alone yet: between two requests of one piece of
 * work a connection is idle for a moment, and to take it then costs a login
 * for each request.  Who waits too long gets any: those that are asked again
 * and again would never be idle for long. */
static uint64_t grace_ms(const struct link_port *p, const struct conn *c)
{
    uint64_t now = clock_mono_ms();
    uint64_t idle = c->idle_since_ms + IDLE_GRACE_MS;
    uint64_t patience = p->slots.first->since_ms + LINE_PATIENCE_MS;
    uint64_t until = idle < patience ? idle : patience;

    return until > now ? until - now : 0;
}

bool port_evict(void *port)
{
    struct link_port *p = port;
    struct conn *oldest;
    uint64_t grace;

    if (uv_is_active((uv_handle_t *)&p->evictor))
        return false;
    oldest = longest_idle(p);
    if (oldest == NULL)
        return false;
    /* closing costs too, and a row may begin on all nodes in one turn */
    grace = port_turn_is_long(p) ? 1 : grace_ms(p, oldest);
    if (grace > 0) {
        uv_timer_start(&p->evictor, on_evictor, grace, 0);
        return false;
    }
    log_debug("%s: idle connection gives way", oldest->route->target->name);
    conn_close(oldest);
    return true;
}
