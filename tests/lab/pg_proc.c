/* SPDX-License-Identifier: Apache-2.0
 *
 * Children of the PostgreSQL engine.  Knows neither SQL nor nodes.
 *
 * All go through setpriv: it asks the kernel to signal the child when the lab
 * dies, however it dies, and changes to the user postgres when the lab is
 * root.  Each has a session of its own, so that Ctrl-C reaches the lab alone.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/pg_priv.h"

enum {
    OUTPUT_CAP = 1 << 20,
    WRAP_ARGS = 12
};

struct pg_proc {
    struct pg_proc *next, **prev;
    struct engine *engine;
    uv_process_t process;
    uv_pipe_t in, out, errors;
    bool is_server, has_input, has_output;
    unsigned open; /* handles that are not closed yet */
    struct str output, complaints;
    int code;
    bool has_exited;
    pg_line_f *on_line;
    pg_exit_f *on_exit;
    void *user;
    char room[4096];
};

/* -- the end --------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct pg_proc *p = handle->data;

    p->engine->handles--;
    if (--p->open > 0)
        return;
    *p->prev = p->next;
    if (p->next)
        p->next->prev = p->prev;
    if (p->on_exit)
        p->on_exit(p, p->user, p->code);
    str_release(&p->output);
    str_release(&p->complaints);
    free(p);
}

static void close_one(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
    struct pg_proc *p = process->data;

    p->code = signal ? 128 + signal : (int)status;
    p->has_exited = true;
    close_one((uv_handle_t *)process);
    if (p->has_input)
        close_one((uv_handle_t *)&p->in);
}

/* -- output ---------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct pg_proc *p = handle->data;

    (void)size;
    *buf = uv_buf_init(p->room, sizeof(p->room));
}

static void tell_lines(struct pg_proc *p)
{
    char *end;

    while (p->output.len > 0 && (end = strchr(p->output.data, '\n'))) {
        *end = '\0';
        p->on_line(p->user, p->output.data);
        str_shift(&p->output, (size_t)(end - p->output.data) + 1);
    }
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct pg_proc *p = stream->data;
    bool is_error = stream == (uv_stream_t *)&p->errors;

    if (n < 0) {
        close_one((uv_handle_t *)stream);
        return;
    }
    str_addn(is_error ? &p->complaints : &p->output, buf->base, (size_t)n);
    if (!is_error && p->on_line)
        tell_lines(p);
}

const char *pg_proc_output(const struct pg_proc *p)
{
    return str_text(&p->output);
}

/* psql, pg_basebackup and initdb put the cause first, "NAME: error: " in
 * front of it; what went well before it does not say "error" or "FATAL". */
void pg_proc_complaint(const struct pg_proc *p, char *text, size_t size)
{
    const char *all = str_text(&p->complaints), *at;

    at = strstr(all, "error: ");
    at = at ? at + strlen("error: ") : strstr(all, "FATAL: ");
    if (!at)
        at = all;
    snprintf(text, size, "%.*s", (int)strcspn(at, "\n"), at);
}

/* -- the beginning --------------------------------------------------------- */

static size_t wrap(struct engine *e, const struct pg_spawn *how,
                   const char **argv)
{
    size_t n = 0;

    argv[n++] = "setpriv";
    argv[n++] = "--pdeathsig";
    argv[n++] = how->is_server ? "QUIT" : "KILL";
    if (e->place.as_root) {
        argv[n++] = "--reuid";
        argv[n++] = "postgres";
        argv[n++] = "--regid";
        argv[n++] = "postgres";
        argv[n++] = "--clear-groups";
    }
    argv[n++] = "--";
    return n;
}

static void take_pipe(struct pg_proc *p, uv_pipe_t *pipe, int flags,
                      uv_stdio_container_t *io)
{
    uv_pipe_init(p->engine->lab->loop, pipe, 0);
    pipe->data = p;
    p->open++;
    p->engine->handles++;
    io->flags = (uv_stdio_flags)(UV_CREATE_PIPE | flags);
    io->data.stream = (uv_stream_t *)pipe;
}

static int open_log(const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    return fd < 0 ? err_errno(err, CAUSE_SYSTEM, "open %s", path) : fd;
}

static void take_streams(struct pg_proc *p, const struct pg_spawn *how, int log,
                         uv_stdio_container_t io[3])
{
    io[0].flags = UV_IGNORE;
    if (how->has_input)
        take_pipe(p, &p->in, UV_READABLE_PIPE, &io[0]);
    p->has_input = how->has_input;
    p->has_output = log < 0;
    if (p->has_output) {
        take_pipe(p, &p->out, UV_WRITABLE_PIPE, &io[1]);
        take_pipe(p, &p->errors, UV_WRITABLE_PIPE, &io[2]);
        return;
    }
    io[1].flags = io[2].flags = UV_INHERIT_FD;
    io[1].data.fd = io[2].data.fd = log;
}

static int spawn(struct pg_proc *p, const struct pg_spawn *how,
                 uv_process_options_t *o)
{
    static char *environment[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C",
        "TZ=UTC", "HOME=/nonexistent", NULL};
    const char *argv[PG_ARGS + WRAP_ARGS + 2] = {NULL};
    char program[PG_PATH];
    size_t n = wrap(p->engine, how, argv);

    if (strchr(how->program, '/'))
        snprintf(program, sizeof(program), "%s", how->program);
    else
        pg_path(program, p->engine->place.programs, how->program);
    argv[n++] = program;
    for (size_t i = 0; how->args[i]; i++)
        argv[n++] = how->args[i];
    o->file = argv[0];
    o->args = (char **)(uintptr_t)argv;
    o->env = environment;
    o->cwd = p->engine->place.base;
    o->flags = UV_PROCESS_DETACHED;
    o->exit_cb = on_exit_of_child;
    p->process.data = p;
    return uv_spawn(p->engine->lab->loop, &p->process, o);
}

static struct pg_proc *proc_new(struct engine *e, const struct pg_spawn *how)
{
    struct pg_proc *p = lab_calloc(1, sizeof(*p));

    p->engine = e;
    p->is_server = how->is_server;
    p->on_line = how->on_line;
    p->on_exit = how->on_exit;
    p->user = how->user;
    str_init(&p->output, OUTPUT_CAP);
    str_init(&p->complaints, OUTPUT_CAP);
    p->next = e->procs;
    p->prev = &e->procs;
    if (e->procs)
        e->procs->prev = &p->next;
    e->procs = p;
    return p;
}

static void give_up(struct pg_proc *p)
{
    p->on_exit = NULL;
    p->process.data = p;
    close_one((uv_handle_t *)&p->process);
    if (p->has_input)
        close_one((uv_handle_t *)&p->in);
    if (p->has_output) {
        close_one((uv_handle_t *)&p->out);
        close_one((uv_handle_t *)&p->errors);
    }
}

struct pg_proc *pg_proc_start(struct engine *e, const struct pg_spawn *how,
                              struct err *err)
{
    struct pg_proc *p;
    uv_stdio_container_t io[3];
    uv_process_options_t o = {.stdio = io, .stdio_count = 3};
    int log = -1, rc;

    if (how->log && (log = open_log(how->log, err)) < 0)
        return NULL;
    p = proc_new(e, how);
    take_streams(p, how, log, io);
    rc = spawn(p, how, &o);
    if (log >= 0)
        close(log);
    p->open++; /* libuv wants the process closed even when it never was */
    e->handles++;
    if (rc < 0) {
        err_set(err, CAUSE_SYSTEM, "%s: %s", how->program, uv_strerror(rc));
        give_up(p);
        return NULL;
    }
    if (p->has_output) {
        uv_read_start((uv_stream_t *)&p->out, on_room, on_output);
        uv_read_start((uv_stream_t *)&p->errors, on_room, on_output);
    }
    return p;
}

/* -- in between ------------------------------------------------------------ */

/* Helpers have children of their own (initdb): their whole group.  A server
 * tells its children itself. */
void pg_proc_kill(struct pg_proc *p, int signal)
{
    pid_t pid = p->process.pid;

    if (p->has_exited || pid <= 0)
        return;
    if (signal == SIGKILL)
        kill(-pid, signal);
    kill(pid, signal);
}

struct typed {
    uv_write_t req;
    char text[];
};

static void on_typed(uv_write_t *req, int status)
{
    (void)status;
    free(req->data);
}

bool pg_proc_is_server(const struct pg_proc *p)
{
    return p->is_server;
}

struct pg_proc *pg_proc_next(const struct pg_proc *p)
{
    return p->next;
}

int pg_proc_pid(const struct pg_proc *p)
{
    return p->process.pid;
}

int pg_proc_type(struct pg_proc *p, const char *text)
{
    size_t len = strlen(text);
    struct typed *t = lab_calloc(1, sizeof(*t) + len);
    uv_buf_t buf = uv_buf_init(t->text, (unsigned)len);

    memcpy(t->text, text, len);
    t->req.data = t;
    if (!p->has_input || uv_is_closing((uv_handle_t *)&p->in) ||
        uv_write(&t->req, (uv_stream_t *)&p->in, &buf, 1, on_typed) < 0) {
        free(t);
        return -1;
    }
    return 0;
}

static void on_shut(uv_shutdown_t *req, int status)
{
    (void)status;
    free(req);
}

void pg_proc_finish(struct pg_proc *p, const char *text)
{
    uv_shutdown_t *req = lab_calloc(1, sizeof(*req));

    if (pg_proc_type(p, text) < 0 ||
        uv_shutdown(req, (uv_stream_t *)&p->in, on_shut) < 0)
        free(req);
}
