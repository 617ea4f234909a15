/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/sock.c - name, addresses, connect.  It must not know SSH.
 */
#include "transport/sock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"

enum {
    DIAL_SHARE_MIN_MS = 2000, /* an address gets at least this, if there is */
};

struct dial {
    uv_loop_t *loop;
    uv_getaddrinfo_t lookup;
    uv_timer_t timer;
    uv_poll_t *poll; /* of the address being tried; its own memory */
    int fd;
    struct addrinfo *list;
    struct addrinfo *at; /* the next one to try */
    uint64_t until_ms;
    unsigned port;
    bool looking; /* the pool holds `lookup` */
    bool canceled;
    bool timer_closed;
    dial_done_f *done;
    void *user;
    int error; /* of the last address; 0: it had none */
    struct err err;
    char *host;
};

static void dial_next(struct dial *d);

static void dial_free(struct dial *d)
{
    if (!d->timer_closed || d->looking)
        return;
    if (d->list != NULL)
        uv_freeaddrinfo(d->list);
    free(d->host);
    free(d);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct dial *d = handle->data;

    d->timer_closed = true;
    dial_free(d);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Ends the try at one address.  The handle goes before the descriptor: a
 * new socket may get the same number at once (facts/transport.md 2.3.3). */
static void drop_poll(struct dial *d)
{
    if (d->poll == NULL)
        return;
    uv_close((uv_handle_t *)d->poll, on_poll_closed);
    d->poll = NULL;
}

static void dial_end(struct dial *d, int fd)
{
    drop_poll(d);
    if (fd < 0 && d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    uv_close((uv_handle_t *)&d->timer, on_timer_closed);
    if (!d->canceled)
        d->done(d->user, fd, fd >= 0 ? NULL : &d->err);
    else if (fd >= 0)
        close(fd);
}

/* "10.0.0.1 port 22", and the name when it is another. */
static void tell_address(const struct dial *d, char *text, size_t room)
{
    char number[NI_MAXHOST] = "?";

    if (d->at != NULL)
        (void)getnameinfo(d->at->ai_addr, d->at->ai_addrlen, number,
                          sizeof(number), NULL, 0, NI_NUMERICHOST);
    if (strcmp(number, d->host) == 0 || d->at == NULL)
        snprintf(text, room, "%s port %u", d->host, d->port);
    else
        snprintf(text, room, "%s (%s) port %u", d->host, number, d->port);
}

static void attempt_failed(struct dial *d, int error)
{
    char where[NI_MAXHOST * 2];

    d->error = error;
    tell_address(d, where, sizeof(where));
    err_set(&d->err, CAUSE_LOST, "cannot connect to %s: %s", where,
            strerror(error));
    drop_poll(d);
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    d->at = d->at->ai_next;
    dial_next(d);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    struct dial *d = poll->data;
    int error = 0;
    socklen_t len = sizeof(error);

    (void)status; /* EBADF for every error: the socket knows better */
    (void)events;
    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0)
        attempt_failed(d, error);
    else
        dial_end(d, d->fd);
}

static void on_share_over(uv_timer_t *timer)
{
    struct dial *d = timer->data;

    if (d->at == NULL) { /* the name was not answered in time */
        err_set(&d->err, CAUSE_LOST,
                "the name %s was not resolved in time; ask the resolver "
                "(getent hosts %s)",
                d->host, d->host);
        if (d->looking)
            uv_cancel((uv_req_t *)&d->lookup);
        dial_end(d, -1);
        d->canceled = true; /* `done` was called */
        return;
    }
    attempt_failed(d, ETIMEDOUT);
}

static unsigned addresses_left(const struct dial *d)
{
    unsigned n = 0;

    for (const struct addrinfo *a = d->at; a != NULL; a = a->ai_next)
        n++;
    return n;
}

/* Time for this address: an even share of what is left, but enough that a
 * far one can answer. */
static uint64_t share_ms(const struct dial *d)
{
    uint64_t now = clock_mono_ms();
    uint64_t left = d->until_ms > now ? d->until_ms - now : 0;
    uint64_t share = left / addresses_left(d);

    if (share < DIAL_SHARE_MIN_MS)
        share = DIAL_SHARE_MIN_MS;
    return share < left ? share : left;
}

static int start_connect(struct dial *d)
{
    const struct addrinfo *a = d->at;

    d->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   a->ai_protocol);
    if (d->fd < 0)
        return errno;
    if (connect(d->fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS)
        return errno;
    d->poll = malloc(sizeof(*d->poll));
    if (d->poll == NULL)
        abort();
    if (uv_poll_init(d->loop, d->poll, d->fd) != 0) {
        free(d->poll);
        d->poll = NULL;
        return EMFILE;
    }
    d->poll->data = d;
    uv_poll_start(d->poll, UV_WRITABLE, on_writable);
    return 0;
}

static void dial_next(struct dial *d)
{
    uint64_t share;
    int error;

    if (d->at == NULL) {
        dial_end(d, -1);
        return;
    }
    share = share_ms(d);
    error = share > 0 ? start_connect(d) : ETIMEDOUT;
    if (error == 0)
        uv_timer_start(&d->timer, on_share_over, share, 0);
    else
        attempt_failed(d, error); /* comes back here for the next one */
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status,
                      struct addrinfo *list)
{
    struct dial *d = lookup->data;

    d->looking = false;
    d->list = list;
    if (d->canceled) {
        dial_free(d);
        return;
    }
    if (status < 0) {
        err_set(&d->err, CAUSE_LOST, "the name %s cannot be resolved: %s",
                d->host, uv_strerror(status));
        dial_end(d, -1);
        return;
    }
    d->at = list;
    dial_next(d);
}

static void on_number(uv_timer_t *timer)
{
    dial_next(timer->data);
}

/* A number needs no resolver and no thread: without a callback the call is
 * made here, and with these flags it asks nobody. */
static bool is_number(struct dial *d, const char *service)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    uv_getaddrinfo_t now;

    if (uv_getaddrinfo(d->loop, &now, NULL, d->host, service, &hints) != 0)
        return false;
    d->list = now.addrinfo;
    return true;
}

static void dial_lookup(struct dial *d, unsigned timeout_ms)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
    char service[16];

    snprintf(service, sizeof(service), "%u", d->port);
    if (is_number(d, service)) {
        d->at = d->list;
        uv_timer_start(&d->timer, on_number, 0, 0);
        return;
    }
    d->lookup.data = d;
    d->looking = uv_getaddrinfo(d->loop, &d->lookup, on_lookup, d->host,
                                service, &hints) == 0;
    if (!d->looking)
        timeout_ms = 0;
    uv_timer_start(&d->timer, on_share_over, timeout_ms, 0);
}

struct dial *dial_start(uv_loop_t *loop, const struct dial_wish *wish,
                        dial_done_f *done, void *user)
{
    struct dial *d = calloc(1, sizeof(*d));

    if (d == NULL || (d->host = strdup(wish->host)) == NULL)
        abort();
    d->loop = loop;
    d->port = wish->port;
    d->fd = -1;
    d->done = done;
    d->user = user;
    d->until_ms = clock_mono_ms() + wish->timeout_ms;
    uv_timer_init(loop, &d->timer);
    d->timer.data = d;
    dial_lookup(d, wish->timeout_ms);
    return d;
}

bool dial_is_unheard(const struct dial *d)
{
    return d->error == ECONNREFUSED || d->error == EHOSTUNREACH ||
           d->error == ENETUNREACH;
}

void dial_cancel(struct dial *d)
{
    if (d == NULL || d->canceled)
        return;
    d->canceled = true;
    if (d->looking)
        uv_cancel((uv_req_t *)&d->lookup);
    dial_end(d, -1);
}

void dial_tune(int fd, unsigned dead_ms)
{
    const int on = 1;
    const int idle_s = dead_ms > 3000 ? (int)(dead_ms / 3000) : 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms,
                     sizeof(dead_ms));
}
