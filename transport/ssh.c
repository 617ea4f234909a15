/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/ssh.c - the states of a connection up to the host key, and the
 * engine that runs them all.  One function a state, one setter, on until
 * libssh says AGAIN.  It must not know commands, files or logins.
 */
#include "transport/ssh.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "transport/compat.h"
#include "transport/ssh_priv.h"

enum {
    FLUSHES_A_STEP = 4, /* then others have their turn */
};

static const char *const state_names[CONN_STATES] = {
    [CONN_SLOT] = "waits for a slot",
    [CONN_DIAL] = "connects",
    [CONN_HANDSHAKE] = "exchanges keys",
    [CONN_HOSTKEY] = "checks the host key",
    [CONN_NONE] = "asks for logins",
    [CONN_KEY_LOAD] = "loads a key",
    [CONN_KEY] = "logs in by key",
    [CONN_AGENT] = "logs in by agent",
    [CONN_GATE] = "waits at the gate",
    [CONN_PASSWORD] = "logs in by password",
    [CONN_KBDINT] = "logs in by keyboard-interactive",
    [CONN_READY] = "is ready",
    [CONN_OVER] = "is over",
};

void conn_enter(struct conn *c, enum conn_state state)
{
    log_debug("%s: connection to %s %s", c->route->target->name,
              c->route->address, state_names[state]);
    if (state == CONN_HOSTKEY)
        open_shaken(c);
    else if (state == CONN_READY)
        open_won(c);
    else if (state == CONN_OVER && c->state != CONN_READY)
        open_over(c);
    c->state = state;
}

enum step conn_fail(struct conn *c, enum link_end end, bool again,
                    const struct err *err)
{
    if (c->state == CONN_OVER)
        return STEP_GO;
    c->end = end;
    c->again = again;
    c->err = malloc(sizeof(*c->err));
    if (c->err == NULL)
        abort();
    *c->err = *err;
    conn_enter(c, CONN_OVER);
    if (c->in_pool)
        auth_wake_pool(c);
    return STEP_GO;
}

enum step conn_failf(struct conn *c, enum link_end end, bool again,
                     const char *fmt, ...)
{
    struct str text;
    struct err err;
    va_list ap;

    str_init(&text, sizeof(err.text));
    va_start(ap, fmt);
    (void)str_addv(&text, fmt, ap);
    va_end(ap);
    err_set(&err, end == LINK_REFUSED ? CAUSE_REFUSED : CAUSE_LOST, "%s",
            str_text(&text));
    str_release(&text);
    return conn_fail(c, end, again, &err);
}

/* Nothing both sides know: a second try changes nothing. */
static bool is_mismatch(const char *text)
{
    return strstr(text, "no match for method") != NULL;
}

static enum step fail_by_session(struct conn *c)
{
    const char *why = ssh_get_error(c->session);
    const char *proxy = proxy_words(c->proxy);

    if (*why == '\0')
        why = "closed";
    if (c->state == CONN_READY)
        return conn_failf(c, LINK_LOST, true,
                          "the connection to %s was lost: %s",
                          c->route->address, why);
    if (is_mismatch(why) && c->key_types > 0)
        c->blame_key_type = true; /* nor does it have this kind of key */
    if (is_mismatch(why))
        return conn_failf(c, LINK_REFUSED, false,
                          "%s and we have no algorithm in common: %s (an old "
                          "appliance may need weak_algorithms)",
                          c->route->address, why);
    return conn_failf(c, LINK_UNSENT, true,
                      "the connection to %s ended while it %s: %s%s%s",
                      c->route->address, state_names[c->state], why,
                      *proxy ? "; its proxy says: " : "", proxy);
}

enum step conn_wait(struct conn *c)
{
    if (c->state == CONN_OVER)
        return STEP_GO;
    if (!compat_is_alive(c->session))
        return fail_by_session(c);
    return STEP_WAIT;
}

enum step conn_pump(struct conn *c)
{
    (void)ssh_event_dopoll(c->event, 0);
    return conn_wait(c);
}

static void on_deadline(uv_timer_t *timer)
{
    struct conn *c = timer->data;

    conn_failf(c, LINK_UNSENT, true,
               "no answer from %s in %u s: it %s; is the address right and "
               "the node up?",
               c->route->address, (c->budget_ms + 999) / 1000,
               state_names[c->state]);
    conn_step(c);
}

void conn_clock_stop(struct conn *c)
{
    c->gate_ms = clock_mono_ms();
    uv_timer_stop(&c->timer);
}

void conn_clock_go(struct conn *c)
{
    uint64_t now = clock_mono_ms();

    c->until_ms += now - c->gate_ms;
    uv_timer_start(&c->timer, on_deadline,
                   c->until_ms > now ? c->until_ms - now : 0, 0);
}

static enum step step_idle(struct conn *c)
{
    (void)c;
    return STEP_WAIT;
}

static enum step step_handshake(struct conn *c)
{
    struct err err;
    int rc;

    if (!c->given && compat_session_take(c->session, c->fd, &err) != 0)
        return conn_fail(c, LINK_UNSENT, true, &err);
    c->given = true;
    rc = ssh_connect(c->session);
    compat_unblock(c->fd);
    if (rc == SSH_AGAIN)
        return conn_wait(c);
    if (rc != SSH_OK)
        return fail_by_session(c);
    c->event = ssh_event_new();
    if (c->event == NULL ||
        ssh_event_add_session(c->event, c->session) != SSH_OK)
        return conn_failf(c, LINK_UNSENT, true, "libssh gives no event");
    conn_enter(c, CONN_HOSTKEY);
    return STEP_GO;
}

static enum step step_ready(struct conn *c)
{
    (void)ssh_event_dopoll(c->event, 0);
    if (compat_is_alive(c->session))
        chan_step_all(c);
    return conn_wait(c);
}

static enum step (*const steps[CONN_STATES])(struct conn *) = {
    [CONN_SLOT] = step_idle,           [CONN_DIAL] = step_idle,
    [CONN_HANDSHAKE] = step_handshake, [CONN_HOSTKEY] = hostkey_step,
    [CONN_NONE] = auth_step_none,      [CONN_KEY_LOAD] = auth_step_key_load,
    [CONN_KEY] = auth_step_key,        [CONN_AGENT] = auth_step_agent,
    [CONN_GATE] = auth_step_gate,      [CONN_PASSWORD] = auth_step_password,
    [CONN_KBDINT] = auth_step_kbdint,  [CONN_READY] = step_ready,
    [CONN_OVER] = step_idle,
};

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct conn *c = poll->data;

    (void)events;
    if (status < 0) /* libuv has stopped watching; libssh reads the error */
        c->poll_events = 0;
    else if (port_turn_is_long(c->port))
        return; /* it will be told again: polling is level-triggered */
    conn_step(c);
}

/* Always for reading; for writing only while libssh has something to say, or
 * the loop would spin. */
static void watch(struct conn *c)
{
    int events = UV_READABLE;

    if (c->session == NULL || c->in_pool)
        return;
    if (ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING)
        events |= UV_WRITABLE;
    if (events == c->poll_events)
        return;
    c->poll_events = events;
    uv_poll_start(&c->poll, events, on_socket);
}

/* libssh asks for a writable socket after each write, though the kernel has
 * taken it all: to look costs one poll here, to wait for it two epoll_ctl and
 * a turn of the loop.  True: the state has something to do. */
static bool flush(struct conn *c)
{
    uint64_t before = c->counter.in_bytes;

    if (c->event == NULL || c->in_pool ||
        !(ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING))
        return false;
    (void)ssh_event_dopoll(c->event, 0);
    return c->counter.in_bytes != before || !compat_is_alive(c->session) ||
           (c->state == CONN_READY &&
            !(ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING));
}

void conn_step(struct conn *c)
{
    unsigned flushed = 0;
    enum step step;

    if (c->in_step || c->in_pool || c->gone) {
        c->kicked = true;
        return;
    }
    c->in_step = true;
    do {
        c->kicked = false;
        step = steps[c->state](c);
    } while (c->state != CONN_OVER && !c->in_pool &&
             (step == STEP_GO || c->kicked ||
              (flushed++ < FLUSHES_A_STEP && flush(c))));
    c->in_step = false;
    if (c->in_pool)
        return;
    if (c->state == CONN_OVER)
        conn_teardown(c);
    else
        watch(c);
}

static void on_note(struct port_note *note)
{
    struct conn *c =
        (struct conn *)((char *)note - offsetof(struct conn, note));

    c->noted = false;
    if (c->gone)
        conn_end_if_closed(c);
    else
        conn_step(c);
}

void conn_kick(struct conn *c)
{
    c->kicked = true;
    if (c->in_step || c->in_pool || c->gone || c->noted)
        return;
    c->noted = true;
    c->note.tell = on_note;
    port_tell(c->port, &c->note);
}

/* The list without the first `skip` kinds of keys: a server shows only one,
 * and the pin may be another's. */
static int pinned_order(const char *defaults, unsigned skip, struct str *order)
{
    static const char *const kinds[CONN_KEY_TYPES] = {"ssh-ed25519", "ecdsa-",
                                                      "rsa"};
    const char *at = defaults;

    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        unsigned kind = 0;

        while (kind < CONN_KEY_TYPES &&
               memmem(at, len, kinds[kind], strlen(kinds[kind])) == NULL)
            kind++;
        if (kind >= skip && (str_add(order, order->len ? "," : "") != 0 ||
                             str_addn(order, at, len) != 0))
            return -1;
        at += len + (at[len] == ',');
    }
    return 0;
}

static int host_key_order(struct conn *c, struct str *order, struct err *err)
{
    const struct link_target *t = c->route->target;
    const char *defaults = c->route->lists.hostkeys;
    struct hostkeys *known;

    if (t->host_key != NULL)
        return pinned_order(defaults, c->key_types, order);
    known = port_hostkeys(c->port, t->known_hosts, err);
    if (known == NULL)
        return -1;
    return hostkeys_algorithms(known, c->route->host.host, c->route->port,
                               defaults, order);
}

static void start_session(struct conn *c)
{
    struct compat_session want = {.user = c->route->user,
                                  .lists = c->route->lists};
    struct err err;
    struct str order;

    err_reset(&err);
    str_init(&order, 4096);
    if (host_key_order(c, &order, &err) == 0) {
        want.lists.hostkeys = str_text(&order);
        c->session = compat_session_new(&want, &err);
    }
    str_release(&order);
    if (c->session == NULL) {
        c->blame_key_type = c->key_types > 0; /* an empty list, then */
        conn_fail(c, LINK_REFUSED, false, &err);
        return;
    }
    ssh_set_counters(c->session, NULL, &c->counter);
    conn_enter(c, CONN_HANDSHAKE);
}

static void adopt_socket(struct conn *c, int fd)
{
    c->fd = fd;
    if (uv_poll_init(c->port->loop, &c->poll, fd) != 0) {
        conn_failf(c, LINK_UNSENT, true, "no room to watch %s",
                   c->route->address);
        return;
    }
    c->handles++;
    start_session(c);
}

static void on_dialed(void *user, int fd, const struct err *err)
{
    struct conn *c = user;

    c->unheard = fd < 0 && dial_is_unheard(c->dial);
    c->dial = NULL;
    if (fd < 0) {
        conn_fail(c, LINK_UNSENT, true, err);
    } else {
        dial_tune(fd, c->port->keepalive_ms * 3);
        adopt_socket(c, fd);
    }
    conn_step(c);
}

static void start_proxy(struct conn *c)
{
    struct err err;
    int fd = -1;

    c->proxy = proxy_start(c->port->loop, c->route, &fd, &err);
    if (c->proxy == NULL)
        conn_fail(c, LINK_UNSENT, false, &err);
    else
        adopt_socket(c, fd);
    conn_kick(c);
}

static void start_clock(struct conn *c)
{
    c->started_ms = clock_mono_ms();
    c->until_ms = c->started_ms + c->budget_ms;
    uv_timer_start(&c->timer, on_deadline, c->budget_ms, 0);
    conn_enter(c, CONN_DIAL);
}

static void on_proxy_granted(struct pool_slot *slot)
{
    struct conn *c =
        (struct conn *)((char *)slot - offsetof(struct conn, proxy_slot));

    if (c->state == CONN_OVER)
        return;
    start_clock(c);
    start_proxy(c);
}

static void on_granted(struct pool_slot *slot)
{
    struct conn *c =
        (struct conn *)((char *)slot - offsetof(struct conn, slot));

    if (c->state == CONN_OVER)
        return; /* closed in the line; it gives the slot back as it ends */
    if (!route_has_proxy(c->route)) {
        open_take(c);
        return;
    }
    c->proxy_slot.granted = on_proxy_granted;
    pool_take(&c->port->proxies, &c->proxy_slot);
}

void conn_dial(struct conn *c)
{
    const struct dial_wish wish = {
        .host = c->route->host.host,
        .port = c->route->port,
        /* longer than our own deadline, which tells more */
        .timeout_ms = c->budget_ms + 1000,
    };

    start_clock(c);
    c->dial = dial_start(c->port->loop, &wish, on_dialed, c);
}

struct conn *conn_open(struct link_port *port, const struct conn_wish *wish,
                       const struct conn_owner *owner, void *user)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->port = port;
    c->route = wish->route;
    c->budget_ms = wish->budget_ms;
    c->without_agent = wish->without_agent;
    c->key_types = wish->key_types;
    c->owner = owner;
    c->user = user;
    c->fd = -1;
    c->state = CONN_SLOT;
    c->slot.granted = on_granted;
    auth_init(c);
    uv_timer_init(port->loop, &c->timer);
    c->timer.data = c;
    c->poll.data = c;
    c->handles = 1;
    c->next = port->conns;
    if (c->next != NULL)
        c->next->prev = c;
    port->conns = c;
    pool_take(&port->slots, &c->slot);
    return c;
}

void conn_close(struct conn *c)
{
    struct err err;

    if (c->state == CONN_OVER)
        return;
    err_set(&err, CAUSE_CANCELED, "the connection to %s was closed",
            c->route->address);
    conn_fail(c, LINK_CANCELED, true, &err);
    if (!c->in_step && !c->in_pool)
        conn_teardown(c);
}

bool conn_is_ready(const struct conn *c)
{
    return c->state == CONN_READY;
}

void conn_set_idle(struct conn *c, bool idle)
{
    if (idle && !c->idle)
        c->idle_since_ms = clock_mono_ms();
    c->idle = idle;
    if (idle)
        pool_nudge(&c->port->slots);
}
