/* SPDX-License-Identifier: Apache-2.0
 *
 * Listeners and the pump of each connection (facts/transport.md 2.1-2.3).
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/faults.h"
#include "tests/lab/record.h"
#include "tests/lab/server.h"
#include "tests/lab/tlsport.h"

enum {
    PUMP_BYTES = 32 * 1024
};

struct lab_listener {
    struct lab_node *node;
    uv_poll_t poll;
    int fd;
    struct conn *conns;
};

/* -- host keys ------------------------------------------------------------- */

struct host_key {
    struct host_key *next;
    char *path;
    ssh_bind bind; /* carries the key into each session */
};

struct lab_server {
    struct lab *lab;
    char *path; /* of the key that all nodes share */
    struct host_key *keys;
};

static ssh_bind make_bind(const char *path, struct err *err)
{
    ssh_bind b = ssh_bind_new();
    bool no = false;

    ssh_bind_options_set(b, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
    ssh_bind_options_set(b, SSH_BIND_OPTIONS_KEY_EXCHANGE,
                         "curve25519-sha256,curve25519-sha256@libssh.org,"
                         "ecdh-sha2-nistp256");
    if (ssh_bind_options_set(b, SSH_BIND_OPTIONS_HOSTKEY, path) < 0) {
        err_set(err, CAUSE_SYSTEM, "host key %s: %s", path, ssh_get_error(b));
        ssh_bind_free(b);
        return NULL;
    }
    return b;
}

static ssh_bind bind_of(struct lab_server *s, const char *path, struct err *err)
{
    struct host_key *k = s->keys;

    while (k && strcmp(k->path, path) != 0)
        k = k->next;
    if (!k) {
        ssh_bind b = make_bind(path, err);
        if (!b)
            return NULL;
        k = lab_calloc(1, sizeof(*k));
        k->path = lab_strdup(path);
        k->bind = b;
        k->next = s->keys;
        s->keys = k;
    }
    return k->bind;
}

int server_host_key(struct lab_node *node, const char *path, struct err *err)
{
    if (!bind_of(node->lab->server, path, err))
        return -1;
    lab_replace(&node->host_key_path, path);
    return 0;
}

int server_make_key(const char *path, struct err *err)
{
    ssh_key key = NULL;
    int rc = 0;

    if (access(path, F_OK) == 0)
        return 0;
    if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK ||
        ssh_pki_export_privkey_file(key, NULL, NULL, NULL, path) != SSH_OK)
        rc = err_set(err, CAUSE_SYSTEM, "cannot make the key %s", path);
    else if (chmod(path, 0600) < 0)
        rc = err_errno(err, CAUSE_SYSTEM, "protect %s", path);
    ssh_key_free(key);
    return rc;
}

char *server_public_key(const char *path, struct err *err)
{
    ssh_key key = NULL, pub = NULL;
    char *b64 = NULL, *line = NULL;

    if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) != SSH_OK ||
        ssh_pki_export_privkey_to_pubkey(key, &pub) != SSH_OK ||
        ssh_pki_export_pubkey_base64(pub, &b64) != SSH_OK)
        err_set(err, CAUSE_SYSTEM, "cannot read the key %s", path);
    else if (asprintf(&line, "%s %s", ssh_key_type_to_char(ssh_key_type(pub)),
                      b64) < 0)
        abort();
    ssh_string_free_char(b64);
    ssh_key_free(pub);
    ssh_key_free(key);
    return line;
}

/* -- the end of a connection ----------------------------------------------- */

static void on_conn_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;

    close(c->fd);
    free(c->user);
    free(c);
}

/* Twice is fine: a node's end may come while its connection is pumped. */
static void unlink_conn(struct conn *c)
{
    if (!c->prev)
        return;
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->prev = NULL;
    c->node->connections--;
    c->node->logged_in -= c->authed;
}

/* The descriptor that ssh_bind_accept_fd took is closed by libssh. */
static void close_session(struct conn *c)
{
    if (c->open)
        ssh_event_remove_session(c->event, c->session);
    ssh_event_free(c->event);
    ssh_disconnect(c->session);
    ssh_free(c->session);
}

static void close_conn(struct conn *c)
{
    struct lab *lab = c->node->lab;

    unlink_conn(c);
    later_cancel(c->start);
    uv_poll_stop(&c->poll);
    /* no farewell goes out: freeing an open channel would close it politely */
    shutdown(c->fd, SHUT_RDWR);
    while (c->chans) {
        struct chan *next = c->chans->next;
        session_release_chan(c->chans);
        c->chans = next;
    }
    close_session(c);
    uv_close((uv_handle_t *)&c->poll, on_conn_closed);
    lab_changed(lab);
}

void conn_drop(struct conn *c, bool flush)
{
    if (flush)
        c->drop_when_flushed = true;
    else
        c->dead = true;
    conn_kick(c);
}

/* -- output ---------------------------------------------------------------- */

void chan_write(struct chan *chan, const void *data, size_t len)
{
    if (!chan->gone)
        str_addn(&chan->out, data, len);
    conn_kick(chan->conn);
}

void chan_finish(struct chan *chan)
{
    chan->finishing = true;
    conn_kick(chan->conn);
}

/* False while something is left. */
static bool flush_chan(struct chan *chan)
{
    while (chan->out.len > 0 && !chan->gone) {
        size_t len = chan->out.len < PUMP_BYTES ? chan->out.len : PUMP_BYTES;
        int n = ssh_channel_write(chan->channel, chan->out.data, (uint32_t)len);
        if (n < 0)
            chan->gone = true;
        if (n <= 0)
            return chan->gone;
        str_shift(&chan->out, (size_t)n);
    }
    if (chan->finishing && !chan->finished && !chan->gone) {
        chan->finished = true;
        ssh_channel_request_send_exit_status(chan->channel, 0);
        ssh_channel_send_eof(chan->channel);
        ssh_channel_close(chan->channel);
        chan->conn->channel_closed_ms = lab_age_ms(chan->conn->node->lab);
    }
    return true;
}

/* Writes what can be written, frees what the peer has closed. */
static bool sweep(struct conn *c)
{
    struct chan **p = &c->chans, *chan;
    bool flushed = true;

    while ((chan = *p)) {
        flushed = flush_chan(chan) && flushed;
        if (!chan->gone) {
            p = &chan->next;
            continue;
        }
        *p = chan->next;
        c->channel_closed_ms = lab_age_ms(c->node->lab);
        session_release_chan(chan);
    }
    return flushed;
}

/* -- the pump -------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events);

static bool lives(struct conn *c)
{
    return ssh_is_connected(c->session) && ssh_get_fd(c->session) >= 0;
}

static void exchange_keys(struct conn *c)
{
    int rc = ssh_handle_key_exchange(c->session);

    if (rc == SSH_OK) {
        c->open = true;
        ssh_event_add_session(c->event, c->session);
    } else if (rc != SSH_AGAIN || !lives(c)) {
        c->dead = true;
    }
}

static void watch(struct conn *c)
{
    int wanted = ssh_get_poll_flags(c->session);
    int flags = UV_READABLE;

    if (wanted & SSH_WRITE_PENDING)
        flags |= UV_WRITABLE;
    if (flags == c->flags)
        return;
    c->flags = flags;
    uv_poll_start(&c->poll, flags, on_ready);
}

static void pump(struct conn *c)
{
    bool flushed = true;

    c->pumping = true;
    if (!c->dead && !c->open)
        exchange_keys(c);
    if (!c->dead && c->open) {
        if (ssh_event_dopoll(c->event, 0) == SSH_ERROR || !lives(c))
            c->dead = true;
        else
            flushed = sweep(c);
    }
    c->pumping = false;
    if (!c->dead && c->drop_when_flushed && flushed &&
        !(ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING))
        c->dead = true;
    if (c->dead)
        close_conn(c);
    else
        watch(c);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct conn *c = poll->data;

    (void)events;
    if (status < 0)
        c->dead = true;
    pump(c);
}

/* From a timer or another connection: not inside libssh, so pump at the next
 * turn of the loop, which also keeps callers free of a vanishing `c`. */
void conn_kick(struct conn *c)
{
    if (c->pumping)
        return;
    c->flags = UV_READABLE | UV_WRITABLE;
    uv_poll_start(&c->poll, c->flags, on_ready);
}

/* -- accepting ------------------------------------------------------------- */

static void on_slow_start(void *user)
{
    struct conn *c = user;

    c->start = NULL;
    c->flags = UV_READABLE;
    uv_poll_start(&c->poll, c->flags, on_ready);
    pump(c);
}

static void start_conn(struct lab_listener *l, int fd, ssh_bind sshbind)
{
    struct lab_node *node = l->node;
    struct conn *c = lab_calloc(1, sizeof(*c));
    const struct fault *slow = faults_match(node, F_SLOW_LOGIN, "");

    c->node = node;
    c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    c->session = ssh_new();
    c->event = ssh_event_new();
    c->next = l->conns;
    c->prev = &l->conns;
    if (c->next)
        c->next->prev = &c->next;
    l->conns = c;
    node->connections++;
    node->connections_total++;
    lab_changed(node->lab);
    uv_poll_init(node->lab->loop, &c->poll, c->fd);
    c->poll.data = c;
    if (ssh_bind_accept_fd(sshbind, c->session, fd) != SSH_OK) {
        c->dead = true;
    } else {
        ssh_set_blocking(c->session, 0);
        fcntl(c->fd, F_SETFL, O_NONBLOCK); /* shared by both descriptors */
        session_setup(c);
    }
    if (faults_match(node, F_STALL, ""))
        return; /* never pumped: not a byte goes out */
    if (slow)
        c->start = later_start(node->lab->loop, slow->ms, on_slow_start, c);
    else
        pump(c);
}

/* Its own, the one that all share, or (a fault) one that nobody knows. */
static ssh_bind bind_for(struct lab_node *node)
{
    struct lab_server *s = node->lab->server;
    char *path = NULL;
    ssh_bind b = NULL;

    if (!faults_match(node, F_HOST_KEY, ""))
        return bind_of(s, node->host_key_path ? node->host_key_path : s->path,
                       NULL);
    if (asprintf(&path, "%s/host_other", node->lab->dir) < 0)
        abort();
    if (server_make_key(path, NULL) == 0)
        b = bind_of(s, path, NULL);
    free(path);
    return b;
}

/* Connections that have not logged in, as sshd's MaxStartups counts them. */
static unsigned startups(const struct lab *lab)
{
    unsigned n = 0;

    for (size_t i = 0; i < lab->n_nodes; i++)
        n += lab->nodes[i]->connections - lab->nodes[i]->logged_in;
    return n;
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
    struct lab_listener *l = poll->data;
    struct lab_node *node = l->node;
    int fd, one = 1;

    (void)events;
    while (status == 0 && (fd = accept4(l->fd, NULL, NULL,
                                        SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        ssh_bind b = bind_for(node);
        bool full = (node->set.max_sessions &&
                     node->connections >= node->set.max_sessions) ||
                    (node->set.max_startups &&
                     startups(node->lab) >= node->set.max_startups);
        if (!b || full || faults_match(node, F_REFUSE, "")) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        start_conn(l, fd, b);
    }
}

/* -- nodes ----------------------------------------------------------------- */

struct lab_server *server_new(struct lab *lab, struct err *err)
{
    struct lab_server *s = lab_calloc(1, sizeof(*s));

    s->lab = lab;
    if (asprintf(&s->path, "%s/host_ed25519", lab->dir) < 0)
        abort();
    if (server_make_key(s->path, err) < 0 || !bind_of(s, s->path, err)) {
        server_free(s);
        return NULL;
    }
    return s;
}

int server_node_up(struct lab_node *node, struct err *err)
{
    struct lab_listener *l;
    int fd = lab_listen(node->address, node->port, err);

    if (fd < 0)
        return -1;
    l = lab_calloc(1, sizeof(*l));
    l->node = node;
    l->fd = fd;
    uv_poll_init(node->lab->loop, &l->poll, fd);
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_accept);
    node->listener = l;
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void server_cut(struct lab_node *node)
{
    if (!node->listener)
        return;
    for (struct conn *c = node->listener->conns, *next; c; c = next) {
        next = c->next;
        c->dead = true;
        unlink_conn(c);
        if (!c->pumping)
            close_conn(c);
    }
}

void server_node_down(struct lab_node *node)
{
    struct lab_listener *l = node->listener;

    if (!l)
        return;
    server_cut(node);
    uv_poll_stop(&l->poll);
    close(l->fd);
    node->listener = NULL;
    uv_close((uv_handle_t *)&l->poll, on_listener_closed);
}

void server_free(struct lab_server *s)
{
    if (!s)
        return;
    while (s->keys) {
        struct host_key *next = s->keys->next;
        ssh_bind_free(s->keys->bind);
        free(s->keys->path);
        free(s->keys);
        s->keys = next;
    }
    free(s->path);
    free(s);
}
