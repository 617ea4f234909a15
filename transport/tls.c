/* SPDX-License-Identifier: Apache-2.0
 *
 * One probe: resolve, connect, ask (tls_ask.c), shake hands, read the chain,
 * close.  One function for each state; only end_probe() ends it.  What the
 * chain is worth is not known here.
 */
#include "transport/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "transport/tls_ask.h"
#include "transport/tls_priv.h"

enum {
    DEFAULT_TIMEOUT_MS = 10000,
    READ_BYTES = 16 * 1024
};

enum state {
    RESOLVE,
    CONNECT,
    ASK,
    HANDSHAKE,
    END
};

struct tls_probe {
    uv_loop_t *loop;
    struct link_peer peer;
    char *address, *domain;
    struct tls_ask ask;
    link_done_f *done;
    void *user;
    enum state state;
    uint64_t deadline_ms, began_ms;
    uv_timer_t timer;
    uv_tcp_t tcp;
    uv_connect_t connecting;
    uv_getaddrinfo_t resolving;
    bool is_name, is_resolving, tcp_open, timer_open;
    struct addrinfo *found; /* to be freed */
    struct sockaddr_storage numeric;
    const struct addrinfo *next; /* to try when this one fails */
    struct shake shake;
    uv_work_t work; /* one step of the handshake, in the pool */
    bool working;
    bool shaking; /* the first step was made */
    size_t came;  /* bytes in `buffer` that the step takes */
    enum shake_end step;
    struct err step_err;
    enum link_end end;
    struct err err;
    char buffer[READ_BYTES];
};

struct writing {
    uv_write_t request;
    char data[];
};

static void connect_next(struct tls_probe *p);
static void end_probe(struct tls_probe *p, enum link_end end, enum cause cause,
                      const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* -------------------------------------------------------------------- end */

static void free_probe(struct tls_probe *p)
{
    shake_release(&p->shake);
    tls_ask_release(&p->ask);
    uv_freeaddrinfo(p->found);
    free(p->address);
    free(p->domain);
    free(p);
}

/* Completes when the last handle is closed.  A name that is still being
 * looked up cannot be called back: its answer frees the probe. */
static void complete_if_closed(struct tls_probe *p)
{
    struct link_result r = {.end = p->end};

    if (p->tcp_open || p->timer_open || p->working)
        return;
    if (p->end == LINK_OK) {
        r.data = str_text(&p->shake.chain);
        r.len = p->shake.chain.len;
    } else {
        r.err = &p->err;
    }
    if (p->began_ms)
        r.took_ms = clock_mono_ms() - p->began_ms;
    p->done(p->user, &r);
    if (!p->is_resolving)
        free_probe(p);
}

static void on_tcp_closed(uv_handle_t *handle)
{
    struct tls_probe *p = handle->data;

    p->tcp_open = false;
    if (p->state == END)
        complete_if_closed(p);
    else
        connect_next(p);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct tls_probe *p = handle->data;

    p->timer_open = false;
    complete_if_closed(p);
}

static void close_tcp(struct tls_probe *p)
{
    if (p->tcp_open && !uv_is_closing((uv_handle_t *)&p->tcp))
        uv_close((uv_handle_t *)&p->tcp, on_tcp_closed);
}

static void end_probe(struct tls_probe *p, enum link_end end, enum cause cause,
                      const char *fmt, ...)
{
    struct str text;
    va_list ap;

    if (p->state == END)
        return;
    p->state = END;
    if (!p->working && p->shake.chain.len > 0 && end != LINK_CANCELED)
        end = LINK_OK; /* what came after it does not matter */
    p->end = end;
    str_init(&text, 900);
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    err_set(&p->err, cause, "%s port %u: %s", p->address, p->peer.port,
            str_text(&text));
    str_release(&text);
    if (p->is_resolving)
        uv_cancel((uv_req_t *)&p->resolving);
    close_tcp(p);
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

/* ------------------------------------------------------------- connection */

static void on_written(uv_write_t *request, int status)
{
    struct tls_probe *p = request->data;

    free(request);
    if (status < 0 && status != UV_ECANCELED)
        end_probe(p, LINK_LOST, CAUSE_LOST, "%s", uv_strerror(status));
}

static void send_bytes(struct tls_probe *p, const void *data, size_t len)
{
    struct writing *w = malloc(sizeof(*w) + len);
    uv_buf_t buf;
    int rc;

    if (!w)
        abort();
    memcpy(w->data, data, len);
    w->request.data = p;
    buf = uv_buf_init(w->data, (unsigned)len);
    if (p->began_ms == 0)
        p->began_ms = clock_mono_ms();
    rc = uv_write(&w->request, (uv_stream_t *)&p->tcp, &buf, 1, on_written);
    if (rc == 0)
        return;
    free(w);
    end_probe(p, LINK_LOST, CAUSE_LOST, "%s", uv_strerror(rc));
}

/* -------------------------------------------------------------- handshake */

static void read_on(struct tls_probe *p);

/* In the pool: a step costs a millisecond or two. */
static void do_step(uv_work_t *work)
{
    struct tls_probe *p = work->data;

    err_reset(&p->step_err);
    if (!p->shaking &&
        shake_init(&p->shake, p->is_name ? p->address : NULL) < 0) {
        err_set(&p->step_err, CAUSE_SYSTEM, "OpenSSL cannot be set up");
        p->step = SHAKE_FAILED;
        return;
    }
    p->shaking = true;
    p->step = shake_take(&p->shake, p->came > 0 ? p->buffer : NULL, p->came,
                         &p->step_err);
}

static void on_step(uv_work_t *work, int status)
{
    struct tls_probe *p = work->data;
    const void *out;
    size_t n;

    (void)status;
    p->working = false;
    if (p->state == END) { /* canceled, or out of time meanwhile */
        if (p->shake.chain.len > 0 && p->end != LINK_CANCELED)
            p->end = LINK_OK;
        complete_if_closed(p);
        return;
    }
    out = p->shaking ? shake_output(&p->shake, &n) : NULL;
    if (out != NULL && n > 0)
        send_bytes(p, out, n);
    if (p->shaking)
        shake_sent(&p->shake);
    if (p->step == SHAKE_FAILED)
        end_probe(p, LINK_FAILED, CAUSE_REMOTE, "%s", p->step_err.text);
    else if (p->step == SHAKE_DONE)
        end_probe(p, LINK_FAILED, CAUSE_REMOTE, "it showed no certificate");
    else
        read_on(p);
}

/* Nothing is read until the step is made: its bytes are in `buffer`. */
static void handshake(struct tls_probe *p, size_t came)
{
    uv_read_stop((uv_stream_t *)&p->tcp);
    p->came = came;
    p->working = true;
    p->work.data = p;
    uv_queue_work(p->loop, &p->work, do_step, on_step);
}

static void start_handshake(struct tls_probe *p)
{
    p->state = HANDSHAKE;
    handshake(p, 0);
}

/* --------------------------------------------------------- asking for TLS */

static void send_text(struct tls_probe *p, struct str *out)
{
    if (out->len > 0)
        send_bytes(p, str_text(out), out->len);
    str_release(out);
}

static void ask(struct tls_probe *p)
{
    struct str out;

    p->state = ASK;
    str_init(&out, READ_BYTES);
    tls_ask_begin(&p->ask, p->peer.tls, p->domain, &out);
    send_text(p, &out);
}

static void take_answer(struct tls_probe *p, const char *data, size_t len)
{
    struct err err = {0};
    enum ask_step step;
    struct str out;

    str_init(&out, READ_BYTES);
    step = tls_ask_take(&p->ask, data, len, &out, &err);
    send_text(p, &out);
    if (step == ASK_BEGIN)
        start_handshake(p);
    else if (step == ASK_FAILED)
        end_probe(p, LINK_FAILED, CAUSE_REMOTE, "%s", err.text);
}

/* ---------------------------------------------------------------- reading */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct tls_probe *p = handle->data;

    (void)hint;
    *buf = uv_buf_init(p->buffer, sizeof(p->buffer));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct tls_probe *p = stream->data;

    if (n == 0)
        return;
    if (n == UV_EOF)
        end_probe(p, LINK_FAILED, CAUSE_REMOTE,
                  "it closed the connection before it showed a certificate");
    else if (n < 0)
        end_probe(p, LINK_LOST, CAUSE_LOST, "%s", uv_strerror((int)n));
    else if (p->state == ASK)
        take_answer(p, buf->base, (size_t)n);
    else if (p->state == HANDSHAKE)
        handshake(p, (size_t)n);
}

static void read_on(struct tls_probe *p)
{
    int rc = uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);

    if (rc < 0 && p->state != END)
        end_probe(p, LINK_LOST, CAUSE_SYSTEM, "%s", uv_strerror(rc));
}

/* ------------------------------------------------------------- connecting */

static void connect_failed(struct tls_probe *p, int status)
{
    if (p->next && p->tcp_open)
        close_tcp(p); /* the next one when it is closed */
    else
        end_probe(p, LINK_UNSENT, CAUSE_LOST, "%s", uv_strerror(status));
}

static void on_timer(uv_timer_t *timer)
{
    struct tls_probe *p = timer->data;

    if (p->state == CONNECT && p->next) {
        close_tcp(p); /* its share of the time is over */
        return;
    }
    end_probe(p, p->state <= CONNECT ? LINK_UNSENT : LINK_LOST, CAUSE_LOST,
              "no %s within %u ms",
              p->state <= CONNECT ? "connection" : "whole answer",
              p->peer.timeout_ms);
}

/* Arms the timer; an address that does not answer takes only its share. */
static void arm(struct tls_probe *p)
{
    uint64_t now = clock_mono_ms(), left = 0, shares = 1;

    if (p->deadline_ms > now)
        left = p->deadline_ms - now;
    if (p->state == CONNECT)
        for (const struct addrinfo *a = p->next; a; a = a->ai_next)
            shares++;
    uv_update_time(p->loop);
    uv_timer_start(&p->timer, on_timer, left / shares, 0);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct tls_probe *p = request->data;
    int rc;

    if (p->state != CONNECT || uv_is_closing((uv_handle_t *)&p->tcp))
        return; /* ended or out of time */
    if (status < 0) {
        connect_failed(p, status);
        return;
    }
    p->next = NULL;
    arm(p); /* for all that is left of the time */
    rc = uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);
    if (rc < 0) {
        end_probe(p, LINK_UNSENT, CAUSE_SYSTEM, "%s", uv_strerror(rc));
        return;
    }
    if (p->peer.tls != LINK_TLS_PLAIN)
        ask(p);
    else
        start_handshake(p);
}

static void connect_to(struct tls_probe *p, const struct sockaddr *address)
{
    int rc = uv_tcp_init(p->loop, &p->tcp);

    p->state = CONNECT;
    p->tcp.data = p;
    p->tcp_open = rc == 0;
    arm(p);
    p->connecting.data = p;
    if (rc == 0)
        rc = uv_tcp_connect(&p->connecting, &p->tcp, address, on_connect);
    if (rc < 0)
        connect_failed(p, rc);
}

static void connect_next(struct tls_probe *p)
{
    const struct addrinfo *a = p->next;

    p->next = a->ai_next;
    connect_to(p, a->ai_addr);
}

static void on_resolved(uv_getaddrinfo_t *request, int status,
                        struct addrinfo *found)
{
    struct tls_probe *p = request->data;

    p->is_resolving = false;
    p->found = found;
    if (p->state == END) {
        if (!p->tcp_open && !p->timer_open)
            free_probe(p); /* it has completed long ago */
        return;
    }
    if (status < 0 || !found) {
        end_probe(p, LINK_UNSENT, CAUSE_LOST, "%s",
                  status < 0 ? uv_strerror(status) : "no address");
        return;
    }
    p->next = found;
    connect_next(p);
}

static void resolve(struct tls_probe *p)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV};
    char port[16];
    int rc;

    p->is_name = true;
    snprintf(port, sizeof(port), "%u", p->peer.port);
    p->resolving.data = p;
    arm(p);
    rc = uv_getaddrinfo(p->loop, &p->resolving, on_resolved, p->address, port,
                        &hints);
    p->is_resolving = rc == 0;
    if (rc < 0)
        end_probe(p, LINK_UNSENT, CAUSE_LOST, "%s", uv_strerror(rc));
}

/* ------------------------------------------------------------------ calls */

struct tls_probe *tls_probe_start(uv_loop_t *loop, const struct link_peer *peer,
                                  link_done_f *done, void *user)
{
    struct tls_probe *p = calloc(1, sizeof(*p));
    int port = (int)peer->port;

    if (!p || !(p->address = strdup(peer->address)) ||
        (peer->domain && !(p->domain = strdup(peer->domain))))
        abort();
    p->loop = loop;
    p->peer = *peer;
    p->peer.address = p->address;
    if (p->peer.timeout_ms == 0)
        p->peer.timeout_ms = DEFAULT_TIMEOUT_MS;
    p->done = done;
    p->user = user;
    p->deadline_ms = clock_mono_ms() + p->peer.timeout_ms;
    err_reset(&p->err);
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    p->timer_open = true;
    if (peer->port == 0 || peer->port > 65535)
        end_probe(p, LINK_UNSENT, CAUSE_INPUT, "there is no such port");
    else if (uv_ip4_addr(p->address, port, (struct sockaddr_in *)&p->numeric) ==
                 0 ||
             uv_ip6_addr(p->address, port,
                         (struct sockaddr_in6 *)&p->numeric) == 0)
        connect_to(p, (const struct sockaddr *)&p->numeric);
    else
        resolve(p);
    return p;
}

void tls_probe_cancel(struct tls_probe *p)
{
    end_probe(p, LINK_CANCELED, CAUSE_CANCELED, "canceled");
}
