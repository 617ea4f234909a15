/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/child.h - one small program, started and waited for: bytes in,
 * bytes out, a deadline.  Blocking: before the loop runs, or without one.
 *
 * No shell.  The program is looked up in our $PATH; it is given the variables
 * that are named and no other, no descriptor but its three, and signals as a
 * program expects them.  Nothing secret may be in `argv'.
 */
#ifndef CERTFLEET_BASE_CHILD_H
#define CERTFLEET_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct child {
    const char *const *argv;   /* NULL-ended */
    const char *const *passed; /* names of variables, NULL-ended */
    const void *input;         /* its standard input; may be empty */
    size_t input_len;
    unsigned deadline_s;
    bool talks; /* to a person: its input and standard error are ours; no
                   `input' */
    /* out: */
    struct str output; /* capped; a longer one ends the child */
    struct str words;  /* its standard error, what fits; unless `talks' */
    int code;          /* exit code; 128 + signal */
};

/* 0: it ran and ended, with whatever `code'.  -1: it could not be started
 * (CAUSE_INPUT), or took too long or said too much and was killed.  In both
 * cases child_release. */
int child_run(struct child *child, struct err *err);
void child_release(struct child *child);

#endif
