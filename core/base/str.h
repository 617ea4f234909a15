/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/str.h - growing text with a mandatory cap.
 *
 * Whatever a node, a file or a user sends is collected in a `struct str`; past
 * its cap it stops growing, `cut` becomes true and the add returns -1, so that
 * endless output costs bounded memory.  Always NUL-terminated; may hold NULs.
 */
#ifndef CERTFLEET_BASE_STR_H
#define CERTFLEET_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
    char *data; /* never NULL after the first add; use str_text() to read */
    size_t len; /* bytes, without the final NUL */
    size_t room;
    size_t cap; /* bytes at most */
    bool cut;   /* something did not fit */
};

void str_init(struct str *s, size_t cap);
void str_release(struct str *s); /* frees; s may be used again, same cap */
void str_reset(struct str *s);   /* empty again, keeps the memory */
const char *str_text(const struct str *s); /* "" when empty */
char *str_take(struct str *s); /* the caller frees; s is empty again */

/* 0, or -1 when it did not fit (what fits is kept). */
int str_add(struct str *s, const char *text);
int str_addn(struct str *s, const void *data, size_t len);
int str_addc(struct str *s, char c);
int str_addf(struct str *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int str_addv(struct str *s, const char *fmt, va_list ap);

/* Drops the first n bytes. */
void str_shift(struct str *s, size_t n);

/* Adds `text` with control characters, invalid UTF-8, and characters that
 * reorder or hide others (bidi, zero width) shown as \xNN, so that what a node
 * sent cannot steer a terminal.  What is added is always UTF-8, also at the
 * cap.  Newline and tab stay when `lines` is true.  Doing it twice does no
 * more. */
int str_add_visible(struct str *s, const char *text, size_t len, bool lines);

/* Bytes of UTF-8 `text` that are at most `max` and end with a whole character:
 * what "%.*s" takes where "%.100s" could cut one in two. */
int str_fit(const char *text, size_t max);

#endif
