/* SPDX-License-Identifier: Apache-2.0
 *
 * The same work by as little as will do it: libssh and libuv, one state
 * machine a connection, our list of algorithms, a key for the login, any host
 * key accepted.  No store, no retries, no deadlines but one for all, nothing
 * that a run could stand on.  It is what the transport is compared with.
 */
#include "tests/bench/bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "tests/bench/server.h"
#include "tests/bench/worker.h"
#include "transport/compat.h"

enum {
    ALL_MS = 60000
};

enum bare_state {
    BARE_TCP,
    BARE_KEX,
    BARE_LOGIN,
    BARE_OPEN,
    BARE_REQUEST,
    BARE_IO,
    BARE_DONE
};

struct bare {
    struct crowd *crowd;
    enum bare_state state;
    int fd;
    uv_poll_t poll;
    int events;
    ssh_session session;
    ssh_event event;
    ssh_channel channel;
    struct ssh_channel_callbacks_struct callbacks;
    struct bare_files *files; /* NULL: a command */
    bool closed;
    bool failed;
};

struct crowd {
    const struct work *work;
    uv_loop_t loop;
    uv_timer_t deadline;
    ssh_key key;
    struct bare *list;
    size_t n;
    size_t busy;
};

static void on_socket(uv_poll_t *poll, int status, int events);

static void finish(struct bare *b, bool failed)
{
    if (failed)
        fprintf(stderr, "bare: state %d: %s\n", (int)b->state,
                ssh_get_error(b->session));
    b->state = BARE_DONE;
    b->failed = failed;
    b->crowd->busy--;
}

static int on_data(/* lint: allow params, the type is libssh's */
                   ssh_session session, ssh_channel channel, void *data,
                   uint32_t len, int is_stderr, void *user)
{
    struct bare *b = user;

    (void)session, (void)channel, (void)is_stderr;
    if (b->files)
        bare_files_take(b->files, data, len);
    return (int)len;
}

static void on_close(ssh_session session, ssh_channel channel, void *user)
{
    struct bare *b = user;

    (void)session, (void)channel;
    b->closed = true;
}

static void set_options(struct bare *b)
{
    const struct compat_lists *l = compat_lists(false);
    const int no = 0;
    const struct {
        enum ssh_options_e option;
        const void *value;
    } rows[] = {
        {SSH_OPTIONS_PROCESS_CONFIG, &no},
        {SSH_OPTIONS_SSH_DIR, "/nonexistent"},
        {SSH_OPTIONS_KNOWNHOSTS, "/dev/null"},
        {SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null"},
        {SSH_OPTIONS_HOST, "node"},
        {SSH_OPTIONS_USER, "admin"},
        {SSH_OPTIONS_KEY_EXCHANGE, l->kex},
        {SSH_OPTIONS_HOSTKEYS, l->hostkeys},
        {SSH_OPTIONS_CIPHERS_C_S, l->ciphers},
        {SSH_OPTIONS_CIPHERS_S_C, l->ciphers},
        {SSH_OPTIONS_HMAC_C_S, l->macs},
        {SSH_OPTIONS_HMAC_S_C, l->macs},
        {SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, l->pubkeys},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (ssh_options_set(b->session, rows[i].option, rows[i].value) != 0)
            die("bare: %s", ssh_get_error(b->session));
}

/* libssh gets a duplicate: it closes what it has behind libuv's back. */
static bool connected(struct bare *b)
{
    int error = 0, copy = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
    const int on = 1;
    socklen_t len = sizeof(error);

    if (copy < 0 || getsockopt(b->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ||
        error)
        return false;
    (void)setsockopt(b->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    b->session = ssh_new();
    ssh_set_blocking(b->session, 0);
    set_options(b);
    return ssh_options_set(b->session, SSH_OPTIONS_FD, &copy) == 0;
}

static int open_channel(struct bare *b)
{
    if (!b->channel) {
        b->channel = ssh_channel_new(b->session);
        b->callbacks.userdata = b;
        b->callbacks.channel_data_function = on_data;
        b->callbacks.channel_close_function = on_close;
        ssh_callbacks_init(&b->callbacks);
        ssh_set_channel_callbacks(b->channel, &b->callbacks);
    }
    return ssh_channel_open_session(b->channel);
}

static int send_files(struct bare *b)
{
    struct bare_files *f = b->files;
    int n;

    if (f->out_at == f->out_len)
        return 0;
    n = ssh_channel_write(b->channel, f->out + f->out_at,
                          (uint32_t)(f->out_len - f->out_at));
    if (n > 0)
        f->out_at += (size_t)n;
    return n < 0 ? -1 : 0;
}

/* SSH_AGAIN: wait for the socket; SSH_OK: on to the next state. */
static int io(struct bare *b)
{
    if (ssh_event_dopoll(b->event, 0) == SSH_ERROR ||
        (b->files && send_files(b) < 0))
        return SSH_ERROR;
    if (b->files && bare_files_done(b->files))
        return SSH_OK;
    if (b->files && (b->files->failed || b->closed))
        return SSH_ERROR;
    return b->closed ? SSH_OK : SSH_AGAIN;
}

static int act(struct bare *b)
{
    int rc;

    switch (b->state) {
    case BARE_TCP:
        return connected(b) ? SSH_OK : SSH_ERROR;
    case BARE_KEX:
        rc = ssh_connect(b->session);
        fcntl(b->fd, F_SETFL, O_NONBLOCK); /* libssh sets it blocking */
        return rc;
    case BARE_LOGIN:
        rc = ssh_userauth_publickey(b->session, NULL, b->crowd->key);
        return rc == SSH_AUTH_AGAIN     ? SSH_AGAIN
               : rc == SSH_AUTH_SUCCESS ? SSH_OK
                                        : SSH_ERROR;
    case BARE_OPEN:
        return open_channel(b);
    case BARE_REQUEST:
        return b->files ? ssh_channel_request_sftp(b->channel)
                        : ssh_channel_request_exec(b->channel, WORK_COMMAND);
    case BARE_IO:
        return io(b);
    case BARE_DONE:
        break;
    }
    return SSH_AGAIN;
}

static void enter_next(struct bare *b)
{
    b->state++;
    if (b->state == BARE_LOGIN) {
        b->event = ssh_event_new();
        ssh_event_add_session(b->event, b->session);
    }
    if (b->state == BARE_IO && b->files)
        bare_files_begin(b->files);
    if (b->state == BARE_DONE ||
        (b->state == BARE_OPEN && b->crowd->work->kind == WORK_LOGIN))
        finish(b, false);
}

static void step(struct bare *b)
{
    int rc = SSH_OK;

    while (b->state != BARE_DONE && (rc = act(b)) == SSH_OK)
        enter_next(b);
    if (rc != SSH_OK && rc != SSH_AGAIN && b->state != BARE_DONE)
        finish(b, true);
}

static void watch(struct bare *b)
{
    int events = UV_READABLE;

    if (b->failed || !ssh_is_connected(b->session)) {
        uv_poll_stop(&b->poll);
        return;
    }
    if (ssh_get_poll_flags(b->session) & SSH_WRITE_PENDING)
        events |= UV_WRITABLE;
    if (events == b->events)
        return;
    b->events = events;
    uv_poll_start(&b->poll, events, on_socket);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct bare *b = poll->data;

    (void)status, (void)events;
    if (b->state == BARE_DONE) /* read what comes, as one who holds does */
        (void)ssh_event_dopoll(b->event, 0);
    else
        step(b);
    watch(b);
}

static void start(struct bare *b, unsigned node)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(SERVER_PORT)};
    char address[16];

    server_address(b->crowd->work->base, node, address);
    inet_pton(AF_INET, address, &at.sin_addr);
    b->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (b->fd < 0 || (connect(b->fd, (struct sockaddr *)&at, sizeof(at)) < 0 &&
                      errno != EINPROGRESS))
        die("bare: %s: %s", address, strerror(errno));
    uv_poll_init(&b->crowd->loop, &b->poll, b->fd);
    b->poll.data = b;
    b->events = UV_WRITABLE;
    uv_poll_start(&b->poll, UV_WRITABLE, on_socket);
    b->crowd->busy++;
}

static void stop(struct bare *b)
{
    int fd = -1;

    uv_poll_stop(&b->poll);
    if (b->event) {
        ssh_event_remove_session(b->event, b->session);
        ssh_event_free(b->event);
    }
    if (b->session) {
        fd = ssh_get_fd(b->session);
        ssh_set_fd_towrite(b->session);
        ssh_disconnect(b->session);
        ssh_free(b->session);
    }
    if (fd >= 0)
        close(fd);
    uv_close((uv_handle_t *)&b->poll, NULL);
    close(b->fd);
    free(b->files);
}

static void on_deadline(uv_timer_t *timer)
{
    struct crowd *crowd = timer->data;

    for (size_t i = 0; i < crowd->n; i++)
        fprintf(stderr, "session %zu: state %d %s\n", i,
                (int)crowd->list[i].state,
                crowd->list[i].session ? ssh_get_error(crowd->list[i].session)
                                       : "");
    die("bare: not done in %d s", ALL_MS / 1000);
}

/* Sessions `from` to `to`, all at once; with files two connections each, the
 * second of them for the files. */
static void all(struct crowd *crowd, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct bare *b = &crowd->list[i];
        size_t session = crowd->work->kind == WORK_FILES ? i / 2 : i;

        b->crowd = crowd;
        if (crowd->work->kind == WORK_FILES && i % 2 == 1)
            b->files = calloc(1, sizeof(*b->files));
        start(b, (unsigned)session % crowd->work->nodes);
    }
    while (crowd->busy > 0)
        uv_run(&crowd->loop, UV_RUN_ONCE);
}

static void raise_file_limit(void)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void crowd_init(struct crowd *crowd, const struct work *work)
{
    char *path = text_of("%s/id_ed25519", work->dir);

    memset(crowd, 0, sizeof(*crowd));
    crowd->work = work;
    crowd->n = work->sessions * (work->kind == WORK_FILES ? 2 : 1);
    crowd->list = calloc(crowd->n + 1, sizeof(*crowd->list));
    if (!crowd->list)
        abort();
    raise_file_limit();
    ssh_init();
    if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &crowd->key) != 0)
        die("bare: no key in %s", path);
    free(path);
    uv_loop_init(&crowd->loop);
    uv_timer_init(&crowd->loop, &crowd->deadline);
    crowd->deadline.data = crowd;
    uv_timer_start(&crowd->deadline, on_deadline, ALL_MS, 0);
}

static void crowd_release(struct crowd *crowd)
{
    for (size_t i = 0; i <= crowd->n; i++)
        if (crowd->list[i].crowd)
            stop(&crowd->list[i]);
    uv_close((uv_handle_t *)&crowd->deadline, NULL);
    uv_run(&crowd->loop, UV_RUN_DEFAULT);
    uv_loop_close(&crowd->loop);
    ssh_key_free(crowd->key);
    free(crowd->list);
    ssh_finalize();
}

int bare_run(const struct work *work, struct tally *tally)
{
    struct crowd crowd;
    uint64_t began;
    size_t ok = 0;

    crowd_init(&crowd, work);
    if (work->kind == WORK_HOLD) { /* one that is not counted, as in ours.c */
        all(&crowd, crowd.n, crowd.n + 1);
        tally->before_kb = worker_resident_kb();
    }
    began = worker_now_us();
    all(&crowd, 0, crowd.n);
    tally->wall_us = worker_now_us() - began;
    tally->after_kb = worker_resident_kb();
    for (size_t i = 0; i < crowd.n; i++)
        ok += !crowd.list[i].failed;
    tally->ok = work->kind == WORK_FILES ? ok / 2 : ok;
    crowd_release(&crowd);
    return ok == crowd.n ? 0 : 1;
}
