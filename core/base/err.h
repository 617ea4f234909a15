/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/err.h - one error, filled near its cause, carried up, told once.
 *
 * A function that can fail returns 0 or -1 and takes `struct err *` last.  The
 * callee fills it where the cause is known; callers on the way up may put
 * context in front ("node core2: step join: ..."); only the top prints it.
 * The text is escaped for terminals by whoever prints, not here.
 */
#ifndef CERTFLEET_BASE_ERR_H
#define CERTFLEET_BASE_ERR_H

#include <stdarg.h>

enum cause {
    CAUSE_NONE = 0,
    CAUSE_INPUT,    /* known before the first packet: exit 2 */
    CAUSE_REFUSED,  /* a gate, a node or we refused: nothing was changed */
    CAUSE_LOST,     /* connection or answer lost: what happened is unknown */
    CAUSE_REMOTE,   /* the node answered, and the answer is a failure */
    CAUSE_LOCKED,   /* another run holds it */
    CAUSE_SYSTEM,   /* disk, memory, clock, a library of ours */
    CAUSE_CANCELED, /* we were asked to stop */
};

struct err {
    enum cause cause;
    char text[1024]; /* one line; longer text is cut and ends in "..." */
};

/* Clears it. */
void err_reset(struct err *err);

/* Fills it.  Returns -1, so that `return err_set(...)` reads well.  `err` may
 * be NULL when the caller does not care. */
int err_set(struct err *err, enum cause cause, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the words of errno added: "open x: No such file". */
int err_errno(struct err *err, enum cause cause, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front.  Returns -1. */
int err_context(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
