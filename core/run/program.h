/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/program.h - a program that is asked one thing: input in, output
 * back, with a deadline.
 *
 * No shell is between.  The child runs in a session of its own, so that Ctrl-C
 * in the terminal does not reach it before us and all that it started ends
 * with it; it gets the environment that is given and no other, and no
 * descriptor but its three.  What it prints is hostile: capped, and of its
 * standard error only the last words are kept, made visible, for the error.
 */
#ifndef CERTFLEET_RUN_PROGRAM_H
#define CERTFLEET_RUN_PROGRAM_H

#include <uv.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct program_request {
    const char *const *argv; /* NULL-ended; [0] is the path, never looked up */
    const char *const *env;  /* NULL-ended "NAME=VALUE" */
    const char *folder;      /* where it works */
    const char *input;       /* its standard input; copied */
    size_t input_len;
    size_t output_cap;    /* bytes; more is a failure */
    uint64_t deadline_ms; /* then it is ended */
};

struct program;
/* err NULL: it ended with 0, and `output` is all that it printed (valid during
 * the call).  Else why not: CAUSE_CANCELED after program_cancel. */
typedef void program_f(void *user, const struct str *output,
                       const struct err *err);

/* Copies the request; `done` comes exactly once, later, on the loop. */
struct program *program_start(uv_loop_t *loop,
                              const struct program_request *request,
                              program_f *done, void *user);
/* TERM, and KILL after two seconds; `done` comes all the same. */
void program_cancel(struct program *program);

#endif
