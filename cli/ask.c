/* SPDX-License-Identifier: Apache-2.0
 *
 * libuv opens the terminal anew for reading, so that the descriptor our
 * outputs share does not become non-blocking.
 */
#include "cli/ask.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_CAP = 256
};

struct ask {
    uv_tty_t terminal;
    uv_timer_t now; /* for a terminal that cannot be read: a later no */
    unsigned open;  /* handles */
    char line[LINE_CAP], chunk[LINE_CAP];
    size_t len;
    struct out *out;
    ask_f *done; /* NULL: answered */
    void *user;
};

bool ask_is_possible(void)
{
    return isatty(0) && (isatty(1) || isatty(2));
}

static void on_closed(uv_handle_t *handle)
{
    struct ask *ask = handle->data;

    if (--ask->open == 0)
        free(ask);
}

static void close_handles(struct ask *ask)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&ask->terminal,
                              (uv_handle_t *)&ask->now};

    for (size_t i = 0; i < 2; i++)
        if (handles[i]->data && !uv_is_closing(handles[i]))
            uv_close(handles[i], on_closed);
}

static bool is_yes(const char *line, size_t len)
{
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        len--;
    while (len > 0 && isspace((unsigned char)*line)) {
        line++;
        len--;
    }
    return len == 3 && memcmp(line, "yes", 3) == 0;
}

static void answer(struct ask *ask, bool yes)
{
    ask_f *done = ask->done;
    void *user = ask->user;

    ask->done = NULL;
    close_handles(ask);
    if (done)
        done(user, yes);
}

static void on_chunk(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct ask *ask = handle->data;

    (void)wanted;
    *buf = uv_buf_init(ask->chunk, sizeof(ask->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ask *ask = stream->data;

    if (n < 0) {
        answer(ask, false);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (buf->base[i] == '\n') {
            answer(ask, is_yes(ask->line, ask->len));
            return;
        }
        if (ask->len < sizeof(ask->line)) /* longer is no `yes' */
            ask->line[ask->len++] = buf->base[i];
    }
}

static void on_now(uv_timer_t *timer)
{
    answer(timer->data, false);
}

struct ask *ask_start(uv_loop_t *loop, struct out *out, const char *question,
                      ask_f *done, void *user)
{
    struct ask *ask = calloc(1, sizeof(*ask));

    if (!ask)
        abort();
    ask->out = out;
    ask->done = done;
    ask->user = user;
    if (isatty(out_say_fd(out)))
        out_say(out, "\n%s ", question);
    else
        out_warn(out, "\n%s ", question);
    uv_timer_init(loop, &ask->now);
    ask->now.data = ask;
    ask->open = 1;
    if (uv_tty_init(loop, &ask->terminal, 0, 0) == 0) {
        ask->terminal.data = ask;
        ask->open++;
        if (uv_read_start((uv_stream_t *)&ask->terminal, on_chunk, on_read) ==
            0)
            return ask;
    }
    uv_timer_start(&ask->now, on_now, 0, 0);
    return ask;
}

void ask_cancel(struct ask *ask)
{
    ask->done = NULL;
    close_handles(ask);
}
