/* SPDX-License-Identifier: Apache-2.0
 *
 * One child and its three pipes.  It is over when it has ended and nobody
 * holds its output any more; whichever way, it is reaped and told once.
 */
#include "core/run/program.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    KILL_MS = 2000,  /* between TERM and KILL */
    WORDS_MAX = 400, /* bytes of its standard error that are kept */
    READS_MAX = 4096 /* a full pipe, however large, takes fewer */
};

struct program {
    uv_process_t process;
    uv_pipe_t out, words_pipe;
    uv_timer_t timer; /* the deadline, then the way to KILL */
    struct str output, words;
    struct err err; /* the first thing that went wrong */
    int open;       /* handles not closed yet */
    bool spawned, started, exited, ended, told, killing;
    int64_t status;
    int signal;
    uint64_t deadline_ms;
    program_f *done;
    void *user;
    char buffer[4096], words_buffer[256];
};

static void on_closed(uv_handle_t *handle)
{
    struct program *p = handle->data;

    if (--p->open > 0)
        return;
    str_release(&p->output);
    str_release(&p->words);
    free(p);
}

static void close_once(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct program *p)
{
    if (p->spawned)
        close_once((uv_handle_t *)&p->process);
    close_once((uv_handle_t *)&p->out);
    close_once((uv_handle_t *)&p->words_pipe);
    close_once((uv_handle_t *)&p->timer);
}

/* The group may have lost its leader already: then ESRCH, which is fine. */
static void signal_group(const struct program *p, int number)
{
    if (p->started && p->process.pid > 0)
        (void)kill(-p->process.pid, number);
}

/* -- what it says --------------------------------------------------------- */

/* Only the last words count: they name the reason. */
static void keep_words(struct program *p, const char *words, size_t n)
{
    size_t len = p->words.len + n;

    if (len > WORDS_MAX)
        str_shift(&p->words, len - WORDS_MAX);
    str_addn(&p->words, words, n);
}

/* It has ended, and what it said last may lie in the pipe still.  Nobody waits
 * for the pipe's end: who left its group may hold that. */
static void take_last_words(struct program *p)
{
    uv_os_fd_t fd;
    ssize_t n;

    if (!p->started || uv_fileno((uv_handle_t *)&p->words_pipe, &fd) != 0)
        return;
    for (int i = 0; i < READS_MAX; i++) {
        n = read(fd, p->words_buffer, sizeof(p->words_buffer));
        if (n <= 0)
            return;
        keep_words(p, p->words_buffer, (size_t)n);
    }
}

/* -- the verdict ---------------------------------------------------------- */

/* " It says: ..." of what its standard error ended with; "" when nothing. */
static void add_words(const struct program *p, struct str *text)
{
    const char *words = str_text(&p->words);
    size_t len = p->words.len;
    struct str line;

    while (len > 0 && strchr("\r\n \t", words[len - 1]))
        len--;
    if (len == 0)
        return;
    str_init(&line, WORDS_MAX + 1);
    for (size_t i = 0; i < len; i++)
        str_addc(&line, strchr("\r\n\t", words[i]) ? ' ' : words[i]);
    str_add(text, "; it says: ");
    str_add_visible(text, str_text(&line), line.len, false);
    str_release(&line);
}

static void judge(struct program *p)
{
    struct str words;

    if (!p->err.cause && p->signal)
        err_set(&p->err, CAUSE_SYSTEM, "it was ended by signal %d", p->signal);
    else if (!p->err.cause && p->status != 0)
        err_set(&p->err, CAUSE_SYSTEM, "it ended with exit code %d",
                (int)p->status);
    if (!p->err.cause || p->err.cause == CAUSE_CANCELED)
        return;
    str_init(&words, 4 * WORDS_MAX);
    add_words(p, &words);
    if (words.len) {
        struct err whole = {0};

        err_set(&whole, p->err.cause, "%s%s", p->err.text, str_text(&words));
        p->err = whole;
    }
    str_release(&words);
}

static void finish_if_over(struct program *p)
{
    if (p->told || !p->exited || !p->ended)
        return;
    p->told = true;
    take_last_words(p);
    judge(p);
    p->done(p->user, &p->output, p->err.cause ? &p->err : NULL);
    close_all(p);
}

static void on_kill_time(uv_timer_t *timer)
{
    struct program *p = timer->data;

    signal_group(p, SIGKILL);
    /* who left its group still holds the output: nobody waits for it */
    p->ended = true;
    finish_if_over(p);
}

static void end_it(struct program *p)
{
    if (p->killing || p->told)
        return;
    p->killing = true;
    signal_group(p, SIGTERM);
    uv_timer_start(&p->timer, on_kill_time, KILL_MS, 0);
}

static void fail(struct program *p, enum cause cause, const char *text)
{
    if (!p->err.cause)
        err_set(&p->err, cause, "%s", text);
    end_it(p);
}

/* -- callbacks ------------------------------------------------------------ */

static void on_exit_of_child(uv_process_t *process, int64_t status, int number)
{
    struct program *p = process->data;

    p->exited = true;
    p->status = status;
    p->signal = number;
    signal_group(p, SIGKILL); /* what it started and did not end */
    finish_if_over(p);
}

static void on_deadline(uv_timer_t *timer)
{
    struct program *p = timer->data;
    char text[64];

    snprintf(text, sizeof(text), "it did not end within %llu.%llu s",
             (unsigned long long)(p->deadline_ms / 1000),
             (unsigned long long)(p->deadline_ms % 1000 / 100));
    fail(p, CAUSE_SYSTEM, text);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct program *p = handle->data;

    (void)hint;
    *buf = handle == (uv_handle_t *)&p->out
               ? uv_buf_init(p->buffer, sizeof(p->buffer))
               : uv_buf_init(p->words_buffer, sizeof(p->words_buffer));
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct program *p = stream->data;

    if (n < 0) {
        uv_read_stop(stream);
        p->ended = true;
        finish_if_over(p);
    } else if (!p->err.cause &&
               str_addn(&p->output, buf->base, (size_t)n) < 0) {
        fail(p, CAUSE_SYSTEM, "it printed more than an answer can be long");
    }
}

static void on_words(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    if (n < 0)
        uv_read_stop(stream);
    else
        keep_words(stream->data, buf->base, (size_t)n);
}

/* -- the start ------------------------------------------------------------ */

/* What we opened is closed on exec; what we were given by whoever started us
 * need not be.  Kernels before 5.11 know no close_range of this kind. */
static void keep_descriptors(void)
{
    DIR *folder;
    struct dirent *entry;

    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    folder = opendir("/proc/self/fd");
    while (folder && (entry = readdir(folder)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > 2)
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    if (folder)
        closedir(folder);
}

/* Real files and pipes, where libuv would make sockets: /dev/stdin and
 * /dev/stdout, which many a program is told to use, cannot open those. */
struct ends {
    int in, out, words; /* the child's; -1: not made */
};

static void close_ends(struct ends *ends)
{
    if (ends->in >= 0)
        close(ends->in);
    if (ends->out >= 0)
        close(ends->out);
    if (ends->words >= 0)
        close(ends->words);
}

static int make_input(const struct program_request *request)
{
    int fd = memfd_create("request", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    if (write(fd, request->input, request->input_len) ==
            (ssize_t)request->input_len &&
        lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Our end is the handle's from then on. */
static int make_pipe(uv_pipe_t *ours, int *theirs)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    *theirs = fds[1];
    if (uv_pipe_open(ours, fds[0]) == 0)
        return 0;
    close(fds[0]);
    return -1;
}

static int spawn(struct program *p, uv_loop_t *loop,
                 const struct program_request *request, const struct ends *ends)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = ends->in},
        {.flags = UV_INHERIT_FD, .data.fd = ends->out},
        {.flags = UV_INHERIT_FD, .data.fd = ends->words},
    };
    const uv_process_options_t options = {
        .file = request->argv[0],
        .args = (char **)(uintptr_t)request->argv,
        .env = (char **)(uintptr_t)request->env,
        .cwd = request->folder,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 3,
        .exit_cb = on_exit_of_child,
    };

    keep_descriptors();
    p->spawned = true; /* its handle is to be closed, also when it fails */
    p->open++;
    return uv_spawn(loop, &p->process, &options);
}

static int start(struct program *p, uv_loop_t *loop,
                 const struct program_request *request)
{
    struct ends ends = {make_input(request), -1, -1};
    int rc = UV_EMFILE;

    if (ends.in >= 0 && make_pipe(&p->out, &ends.out) == 0 &&
        make_pipe(&p->words_pipe, &ends.words) == 0)
        rc = spawn(p, loop, request, &ends);
    close_ends(&ends);
    return rc;
}

static void on_not_started(uv_timer_t *timer)
{
    struct program *p = timer->data;

    p->exited = p->ended = true;
    finish_if_over(p);
}

static struct program *program_new(uv_loop_t *loop, size_t output_cap)
{
    struct program *p = calloc(1, sizeof(*p));

    if (!p)
        abort();
    str_init(&p->output, output_cap);
    str_init(&p->words, WORDS_MAX);
    uv_pipe_init(loop, &p->out, 0);
    uv_pipe_init(loop, &p->words_pipe, 0);
    uv_timer_init(loop, &p->timer);
    p->process.data = p->out.data = p->words_pipe.data = p;
    p->timer.data = p;
    p->open = 3;
    return p;
}

struct program *program_start(uv_loop_t *loop,
                              const struct program_request *request,
                              program_f *done, void *user)
{
    struct program *p = program_new(loop, request->output_cap);
    int rc = start(p, loop, request);

    p->done = done;
    p->user = user;
    p->deadline_ms = request->deadline_ms;
    if (rc != 0) {
        err_set(&p->err, CAUSE_SYSTEM, "it cannot be started: %s",
                uv_strerror(rc));
        uv_timer_start(&p->timer, on_not_started, 0, 0);
        return p;
    }
    p->started = true;
    uv_timer_start(&p->timer, on_deadline, p->deadline_ms, 0);
    uv_read_start((uv_stream_t *)&p->out, on_room, on_output);
    uv_read_start((uv_stream_t *)&p->words_pipe, on_room, on_words);
    return p;
}

void program_cancel(struct program *p)
{
    if (p->started)
        fail(p, CAUSE_CANCELED, "it was stopped");
}
