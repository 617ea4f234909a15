/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/proxy.c - children and their end.  It must not know libssh.
 */
#include "transport/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/str.h"

enum {
    PROXY_KILL_MS = 2000,  /* between TERM and KILL */
    PROXY_WORDS_MAX = 512, /* of its standard error are kept */
};

struct proxy {
    uv_process_t process;
    uv_pipe_t words_pipe;
    uv_timer_t killer;
    int open; /* handles not closed yet */
    bool exited;
    bool stopped;
    struct str words;
    struct str shown;
    char buffer[256];
};

static void on_closed(uv_handle_t *handle)
{
    struct proxy *p = handle->data;

    if (--p->open > 0)
        return;
    str_release(&p->words);
    str_release(&p->shown);
    free(p);
}

static void close_all(struct proxy *p)
{
    uv_close((uv_handle_t *)&p->process, on_closed);
    uv_close((uv_handle_t *)&p->words_pipe, on_closed);
    uv_close((uv_handle_t *)&p->killer, on_closed);
}

/* The group may have lost its leader already: then ESRCH, which is fine. */
static void signal_group(const struct proxy *p, int sig)
{
    if (p->process.pid > 0)
        (void)kill(-p->process.pid, sig);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int sig)
{
    struct proxy *p = process->data;

    (void)status;
    (void)sig;
    p->exited = true;
    if (p->stopped) {
        signal_group(p, SIGKILL); /* what it started and did not end */
        close_all(p);
    }
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct proxy *p = handle->data;

    (void)hint;
    *buf = uv_buf_init(p->buffer, sizeof(p->buffer));
}

/* Only the last words count: they name the reason. */
static void on_words(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct proxy *p = stream->data;

    if (n < 0) {
        uv_read_stop(stream);
        return;
    }
    if (p->words.len + (size_t)n > PROXY_WORDS_MAX)
        str_shift(&p->words, p->words.len + (size_t)n - PROXY_WORDS_MAX);
    str_addn(&p->words, buf->base, (size_t)n);
}

const char *proxy_words(struct proxy *p)
{
    const char *text, *line;
    size_t len;

    if (p == NULL)
        return "";
    text = str_text(&p->words);
    len = p->words.len;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    line = memrchr(text, '\n', len);
    line = line != NULL ? line + 1 : text;
    str_reset(&p->shown);
    str_add_visible(&p->shown, line, len - (size_t)(line - text), false);
    return str_text(&p->shown);
}

static void on_kill_time(uv_timer_t *timer)
{
    signal_group(timer->data, SIGKILL);
}

void proxy_stop(struct proxy *p)
{
    if (p == NULL || p->stopped)
        return;
    p->stopped = true;
    signal_group(p, SIGTERM);
    if (p->exited) {
        close_all(p);
        return;
    }
    uv_timer_start(&p->killer, on_kill_time, PROXY_KILL_MS, 0);
}

static int spawn(struct proxy *p, uv_loop_t *loop, char **argv, int child_fd)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = child_fd},
        {.flags = UV_INHERIT_FD, .data.fd = child_fd},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&p->words_pipe},
    };
    const uv_process_options_t options = {
        .file = argv[0],
        .args = argv,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 3,
        .exit_cb = on_exit_of_child,
    };

    return uv_spawn(loop, &p->process, &options);
}

/* `[user@]host[:port]`, the last of the jumps, is where ssh logs in itself;
 * the ones before it are its own -J. */
struct jump {
    char *text;
    char *before; /* NULL: none */
    char *host;
    char *port; /* NULL: none */
};

static void jump_parse(struct jump *j, const char *value)
{
    char *comma, *colon;

    j->text = strdup(value);
    j->before = NULL;
    j->port = NULL;
    j->host = j->text;
    comma = strrchr(j->text, ',');
    if (comma != NULL) {
        *comma = '\0';
        j->before = j->text;
        j->host = comma + 1;
    }
    if (strncmp(j->host, "ssh://", 6) == 0)
        j->host += 6;
    colon = strrchr(j->host, ':');
    if (colon != NULL && (strchr(j->host, ':') == colon || colon[-1] == ']')) {
        *colon = '\0';
        j->port = colon + 1;
    }
}

/* user@[::1] without the brackets, as ssh wants its destination. */
static void drop_brackets(char *host)
{
    char *open = strchr(host, '[');
    char *close = strchr(host, ']');

    if (open == NULL || close == NULL)
        return;
    *close = '\0';
    memmove(open, open + 1, strlen(open + 1) + 1);
}

static int spawn_jump(struct proxy *p, uv_loop_t *loop, const struct route *r,
                      int child_fd)
{
    const struct link_target *t = r->target;
    struct jump j;
    struct str to;
    char *argv[20];
    size_t n = 0;
    int rc;

    jump_parse(&j, r->host.proxy_jump);
    drop_brackets(j.host);
    str_init(&to, 300);
    str_addf(&to, "[%s]:%u", r->host.host, r->port);
    argv[n++] = "ssh";
    argv[n++] = "-F";
    argv[n++] = (char *)(t->ssh_config != NULL ? t->ssh_config : "none");
    argv[n++] = "-oBatchMode=yes"; /* nobody is there to be asked */
    argv[n++] = "-oControlMaster=no";
    if (t->accept_new)
        argv[n++] = "-oStrictHostKeyChecking=accept-new";
    if (j.before != NULL) {
        argv[n++] = "-J";
        argv[n++] = j.before;
    } else {
        argv[n++] = "-oProxyJump=none";
    }
    if (j.port != NULL) {
        argv[n++] = "-p";
        argv[n++] = j.port;
    }
    argv[n++] = "-W";
    argv[n++] = (char *)str_text(&to);
    argv[n++] = "--";
    argv[n++] = j.host;
    argv[n] = NULL;
    rc = spawn(p, loop, argv, child_fd);
    str_release(&to);
    free(j.text);
    return rc;
}

static int spawn_command(struct proxy *p, uv_loop_t *loop, const char *command,
                         int child_fd)
{
    struct str line;
    char *argv[4] = {"/bin/sh", "-c", NULL, NULL};
    int rc;

    /* exec, as ssh does: one process less */
    str_init(&line, 64 * 1024);
    str_addf(&line, "exec %s", command);
    argv[2] = (char *)str_text(&line);
    rc = spawn(p, loop, argv, child_fd);
    str_release(&line);
    return rc;
}

static struct proxy *proxy_new(uv_loop_t *loop)
{
    struct proxy *p = calloc(1, sizeof(*p));

    if (p == NULL)
        abort();
    str_init(&p->words, PROXY_WORDS_MAX);
    str_init(&p->shown, PROXY_WORDS_MAX * 4);
    uv_pipe_init(loop, &p->words_pipe, 0);
    uv_timer_init(loop, &p->killer);
    p->process.data = p;
    p->words_pipe.data = p;
    p->killer.data = p;
    p->open = 3;
    return p;
}

struct proxy *proxy_start(uv_loop_t *loop, const struct route *route, int *fd,
                          struct err *err)
{
    const char *command = route->host.proxy_command;
    struct proxy *p;
    int ends[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        err_errno(err, CAUSE_SYSTEM, "no socket pair for a proxy");
        return NULL;
    }
    p = proxy_new(loop);
    rc = command != NULL ? spawn_command(p, loop, command, ends[1])
                         : spawn_jump(p, loop, route, ends[1]);
    close(ends[1]);
    if (rc != 0) {
        err_set(err, CAUSE_SYSTEM, "cannot start the proxy of %s: %s",
                route->address, uv_strerror(rc));
        close(ends[0]);
        p->stopped = true;
        close_all(p);
        return NULL;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    uv_read_start((uv_stream_t *)&p->words_pipe, on_room, on_words);
    *fd = ends[0];
    return p;
}
