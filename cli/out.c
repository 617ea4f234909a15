/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may print what where.  Knows no command; the writing is out_pipe.c.
 */
#include "cli/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/out_pipe.h"
#include "core/base/log.h"

enum {
    SAY_CAP = 1 << 20
};

static bool wants_color(const struct out_options *options, int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (options->color != OUT_COLOR_AUTO)
        return options->color == OUT_COLOR_ALWAYS;
    return isatty(fd) && !(no_color && *no_color) && term &&
           strcmp(term, "dumb") != 0;
}

static void write_log(void *user, const char *line)
{
    struct out *out = user;

    out_pipe_write(out->text, line, strlen(line), false);
}

void out_init(struct out *out, const struct out_options *options)
{
    memset(out, 0, sizeof(*out));
    out->result = out_pipe_new(options->fd_result);
    out->text = out_pipe_new(options->fd_text);
    out->json = options->json;
    out->quiet = options->quiet;
    out->color_result = wants_color(options, options->fd_result);
    out->color_text = wants_color(options, options->fd_text);
    log_set_writer(write_log, out);
}

void out_release(struct out *out)
{
    log_set_writer(NULL, NULL);
    out_sync(out);
    out_pipe_free(out->result);
    out_pipe_free(out->text);
    out->result = out->text = NULL;
}

void out_async(struct out *out)
{
    out_pipe_start(out->result);
    out_pipe_start(out->text);
}

void out_sync(struct out *out)
{
    out_pipe_stop(out->result);
    out_pipe_stop(out->text);
}

static struct out_pipe *say_pipe(const struct out *out)
{
    return out->json ? out->text : out->result;
}

static void print(struct out_pipe *pipe, const char *fmt, va_list ap)
{
    struct str text;

    str_init(&text, SAY_CAP);
    str_addv(&text, fmt, ap);
    out_pipe_write(pipe, str_text(&text), text.len, false);
    str_release(&text);
}

void out_say(struct out *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print(say_pipe(out), fmt, ap);
    va_end(ap);
}

void out_say_text(struct out *out, const char *text, size_t len)
{
    out_pipe_write(say_pipe(out), text, len, false);
}

void out_warn(struct out *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print(out->text, fmt, ap);
    va_end(ap);
}

void out_error(struct out *out, const char *text)
{
    struct str visible;

    str_init(&visible, SAY_CAP);
    str_add_visible(&visible, text, strlen(text), true);
    out_warn(out, "%scertfleet: error:%s %s\n",
             out->color_text ? "\033[1;31m" : "",
             out->color_text ? "\033[0m" : "", str_text(&visible));
    str_release(&visible);
}

void out_json(struct out *out, json_t *object)
{
    char *line = NULL;

    if (out->json)
        line = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    if (!line)
        return;
    size_t len = strlen(line);
    line[len] = '\n'; /* in place of the NUL: one write, one line */
    out_pipe_write(out->result, line, len + 1, true);
    free(line);
}

void out_raw(struct out *out, const void *data, size_t len)
{
    out_pipe_write(out->result, data, len, true);
}

bool out_result_dead(const struct out *out)
{
    return out_pipe_is_dead(out->result);
}

size_t out_say_waiting(const struct out *out)
{
    return out_pipe_waiting(say_pipe(out));
}

int out_say_fd(const struct out *out)
{
    return out_pipe_fd(say_pipe(out));
}

/* With --json both outputs on one terminal would mix: no live view there. */
bool out_say_is_terminal(const struct out *out)
{
    if (out->json && isatty(out_pipe_fd(out->result)))
        return false;
    return isatty(out_say_fd(out));
}

const char *out_paint(const struct out *out, enum paint paint)
{
    static const char *const codes[] = {
        [PAINT_END] = "\033[0m",    [PAINT_BOLD] = "\033[1m",
        [PAINT_DIM] = "\033[2m",    [PAINT_RED] = "\033[31m",
        [PAINT_GREEN] = "\033[32m", [PAINT_YELLOW] = "\033[33m",
    };

    if (!(out->json ? out->color_text : out->color_result))
        return "";
    return codes[paint];
}
