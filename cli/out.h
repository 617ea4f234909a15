/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/out.h - the program's two outputs: results and text.
 *
 * With `--json` standard output holds only JSON lines and every word for
 * people goes to standard error; else results go to standard output and only
 * errors to standard error.
 *
 * While a loop runs (out_async) a thread for each output does the writing: a
 * stopped terminal or a pager that nobody scrolls must not stop a run in the
 * middle of an outage.  An output that was closed swallows what follows.
 */
#ifndef CERTFLEET_CLI_OUT_H
#define CERTFLEET_CLI_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct out_pipe;
struct out {
    struct out_pipe *result; /* standard output */
    struct out_pipe *text;   /* standard error */
    bool json;
    bool quiet;
    bool color_result, color_text;
};

enum out_color {
    OUT_COLOR_AUTO,
    OUT_COLOR_ALWAYS,
    OUT_COLOR_NEVER
};
struct out_options {
    int fd_result, fd_text;
    bool json, quiet;
    enum out_color color; /* AUTO: a terminal, TERM not dumb, no NO_COLOR */
};

void out_init(struct out *out, const struct out_options *options);
void out_release(struct out *out); /* flushes */

/* Writing by threads from here on, and no longer. */
void out_async(struct out *out);
void out_sync(struct out *out); /* flushes both, results first */

/* For people: standard output, or standard error with --json.  The text is
 * printed as it is: what a node sent must be visible already. */
void out_say(struct out *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void out_say_text(struct out *out, const char *text, size_t len);
/* For people, always standard error. */
void out_warn(struct out *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "certfleet: error: text", made visible. */
void out_error(struct out *out, const char *text);
/* One JSON line on standard output, with --json only; takes the reference. */
void out_json(struct out *out, json_t *object);
/* Bytes for standard output whatever --json says (a PEM that was asked for). */
void out_raw(struct out *out, const void *data, size_t len);

bool out_result_dead(const struct out *out); /* nobody reads it any more */
/* How much text waits to be written: frames of a live view are skipped. */
size_t out_say_waiting(const struct out *out);
/* Is where out_say writes a terminal, and is --json's output another place? */
bool out_say_is_terminal(const struct out *out);
int out_say_fd(const struct out *out);

/* Colors: an escape sequence, or "" where out_say's output has none. */
enum paint {
    PAINT_END,
    PAINT_BOLD,
    PAINT_DIM,
    PAINT_RED,
    PAINT_GREEN,
    PAINT_YELLOW
};
const char *out_paint(const struct out *out, enum paint paint);

#endif
