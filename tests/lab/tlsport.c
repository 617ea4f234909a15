/* SPDX-License-Identifier: Apache-2.0
 *
 * Non-blocking OpenSSL on uv_poll, one small state machine a connection.
 */
#include "tests/lab/tlsport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DEADLINE_MS = 10000,
    REQUEST_CAP = 1 << 20,
    REPLY_CAP = 1 << 20,
    REQUEST_BYTES = 8
};
enum visit_state {
    V_REQUEST,
    V_XMPP,
    V_HANDSHAKE,
    V_OPEN
};

struct tlsport {
    struct lab_node *node;
    uv_poll_t poll;
    int fd;
    tlsport_reply_f *reply; /* NULL: nobody is answered */
    bool postgres;          /* a request stands before the handshake */
    bool xmpp;              /* STARTTLS does */
    SSL_CTX *ctx;
    struct visit *visits;
};

struct visit {
    struct visit *next;
    struct tlsport *port;
    uv_poll_t poll;
    int fd;
    enum visit_state state;
    unsigned char request[REQUEST_BYTES];
    size_t got;
    SSL *ssl;
    struct str said;
    struct later *deadline;
};

int lab_listen(const char *address, unsigned port, struct err *err)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_errno(err, CAUSE_SYSTEM, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (inet_pton(AF_INET, address, &sa.sin_addr) != 1) {
        close(fd);
        return err_set(err, CAUSE_INPUT, "%s: not an IPv4 address", address);
    }
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        listen(fd, 1024) < 0) {
        err_errno(err, CAUSE_SYSTEM, "listen on %s:%u", address, port);
        close(fd);
        return -1;
    }
    return fd;
}

/* -- one visitor ----------------------------------------------------------- */

static void on_visit_closed(uv_handle_t *handle)
{
    struct visit *v = handle->data;

    close(v->fd);
    free(v);
}

static void end_visit(struct visit *v)
{
    struct visit **p = &v->port->visits;

    while (*p != v)
        p = &(*p)->next;
    *p = v->next;
    later_cancel(v->deadline);
    SSL_free(v->ssl);
    str_release(&v->said);
    uv_close((uv_handle_t *)&v->poll, on_visit_closed);
}

static void on_deadline(void *user)
{
    struct visit *v = user;

    v->deadline = NULL;
    end_visit(v);
}

static void begin_handshake(struct visit *v)
{
    v->ssl = SSL_new(v->port->ctx);
    X509_VERIFY_PARAM_set_time(SSL_get0_param(v->ssl),
                               lab_node_now(v->port->node));
    SSL_set_fd(v->ssl, v->fd);
    v->state = V_HANDSHAKE;
}

/* 00 00 00 08 04 d2 16 2f; anything else is not for us. */
static int read_request(struct visit *v)
{
    static const unsigned char wanted[REQUEST_BYTES] = {0, 0,    0,    8,
                                                        4, 0xd2, 0x16, 0x2f};
    ssize_t n = read(v->fd, v->request + v->got, REQUEST_BYTES - v->got);

    if (n <= 0)
        return n < 0 && errno == EAGAIN ? 0 : -1;
    v->got += (size_t)n;
    if (v->got < REQUEST_BYTES)
        return 0;
    if (memcmp(v->request, wanted, REQUEST_BYTES) != 0 ||
        write(v->fd, "S", 1) != 1)
        return -1;
    begin_handshake(v);
    return 0;
}

/* RFC 6120 5.4, as much of it as a probe needs. */
static int read_xmpp(struct visit *v)
{
    static const char hello[] =
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' id='1' "
        "version='1.0'><stream:features><starttls "
        "xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
        "</stream:features>";
    static const char proceed[] =
        "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    char buf[512];
    ssize_t n = read(v->fd, buf, sizeof(buf));

    if (n <= 0)
        return n < 0 && errno == EAGAIN ? 0 : -1;
    str_addn(&v->said, buf, (size_t)n);
    if (strstr(str_text(&v->said), "<starttls") &&
        write(v->fd, proceed, sizeof(proceed) - 1) > 0) {
        str_reset(&v->said);
        begin_handshake(v);
    } else if (v->got == 0 && strstr(str_text(&v->said), "version='1.0'>")) {
        v->got = (size_t)(write(v->fd, hello, sizeof(hello) - 1) > 0);
    }
    return 0;
}

/* 0: wait, 1: done, -1: end */
static int step_of(struct visit *v, int rc)
{
    int why = rc > 0 ? SSL_ERROR_NONE : SSL_get_error(v->ssl, rc);

    ERR_clear_error();
    if (why == SSL_ERROR_NONE)
        return 1;
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void refuse_startup(struct visit *v)
{
    static const char fields[] =
        "SFATAL\0C28000\0Mconnection requires a valid client certificate\0";
    char refusal[5 + sizeof(fields)] = {'E', 0, 0, 0,
                                        (char)(4 + sizeof(fields))};

    memcpy(refusal + 5, fields, sizeof(fields));
    SSL_write(v->ssl, refusal, sizeof(refusal));
}

/* What fits into the socket's buffer, as an answer does. */
static void answer(struct visit *v)
{
    struct str text;

    str_init(&text, REPLY_CAP);
    v->port->reply(v->port->node, str_text(&v->said), &text);
    SSL_write(v->ssl, str_text(&text), (int)text.len);
    SSL_shutdown(v->ssl);
    str_release(&text);
}

/* The head, and as much behind it as it says. */
static bool is_whole(const struct visit *v)
{
    const char *text = str_text(&v->said), *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    size_t body =
        length && end && length < end
            ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10)
            : 0;

    return end && v->said.len >= (size_t)(end + 4 - text) + body;
}

/* 0: more is to come, -1: the end */
static int listen_to(struct visit *v)
{
    char buf[512];
    int n, rc;

    while ((rc = step_of(v, n = SSL_read(v->ssl, buf, sizeof(buf)))) == 1) {
        if (v->port->postgres)
            refuse_startup(v);
        if (!v->port->reply || str_addn(&v->said, buf, (size_t)n) < 0)
            return -1;
        if (!is_whole(v))
            continue;
        answer(v);
        return -1;
    }
    return rc;
}

static void on_visit(uv_poll_t *poll, int status, int events)
{
    struct visit *v = poll->data;
    int rc = status < 0 ? -1 : 0;

    (void)events;
    if (rc == 0 && v->state == V_REQUEST) {
        rc = read_request(v);
    } else if (rc == 0 && v->state == V_XMPP) {
        rc = read_xmpp(v);
    } else if (rc == 0 && v->state == V_HANDSHAKE) {
        rc = step_of(v, SSL_accept(v->ssl));
        if (rc == 1)
            v->state = V_OPEN;
    }
    if (rc >= 0 && v->state == V_OPEN)
        rc = listen_to(v);
    if (rc < 0)
        end_visit(v);
}

static void on_visitor(uv_poll_t *poll, int status, int events)
{
    struct tlsport *p = poll->data;
    int fd;

    (void)events;
    while (status == 0 && (fd = accept4(p->fd, NULL, NULL,
                                        SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct visit *v = lab_calloc(1, sizeof(*v));
        v->port = p;
        v->fd = fd;
        str_init(&v->said, REQUEST_CAP);
        v->next = p->visits;
        p->visits = v;
        if (p->xmpp)
            v->state = V_XMPP;
        else if (!p->postgres)
            begin_handshake(v);
        uv_poll_init(p->node->lab->loop, &v->poll, fd);
        v->poll.data = v;
        uv_poll_start(&v->poll, UV_READABLE, on_visit);
        v->deadline =
            later_start(p->node->lab->loop, DEADLINE_MS, on_deadline, v);
    }
}

/* -- the listener ---------------------------------------------------------- */

struct tlsport *tlsport_serve(struct lab_node *node, unsigned number,
                              SSL_CTX *ctx, struct err *err)
{
    int fd = lab_listen(node->address, number, err);
    struct tlsport *p;

    if (fd < 0) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    p = lab_calloc(1, sizeof(*p));
    p->node = node;
    p->fd = fd;
    p->ctx = ctx;
    uv_poll_init(node->lab->loop, &p->poll, fd);
    p->poll.data = p;
    uv_poll_start(&p->poll, UV_READABLE, on_visitor);
    return p;
}

struct tlsport *tlsport_open(struct lab_node *node, struct err *err)
{
    SSL_CTX *ctx = certset_context(&node->db.certs, err);
    struct tlsport *p =
        ctx ? tlsport_serve(node, node->db_port, ctx, err) : NULL;

    if (p)
        p->postgres = true;
    return p;
}

void tlsport_xmpp(struct tlsport *p)
{
    p->xmpp = true;
}

void tlsport_answer(struct tlsport *p, tlsport_reply_f *reply)
{
    p->reply = reply;
}

static void on_port_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void tlsport_close(struct tlsport *p)
{
    if (!p)
        return;
    while (p->visits)
        end_visit(p->visits);
    uv_poll_stop(&p->poll);
    close(p->fd);
    SSL_CTX_free(p->ctx);
    uv_close((uv_handle_t *)&p->poll, on_port_closed);
}
