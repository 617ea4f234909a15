/* SPDX-License-Identifier: Apache-2.0
 *
 * One error object; knows nothing but text.
 */
#include "core/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* It was longer; not in the middle of a character. */
static void end_cut(struct err *err)
{
    size_t at = sizeof(err->text) - 4;

    while (at > 0 && ((unsigned char)err->text[at] & 0xc0) == 0x80)
        at--;
    memcpy(err->text + at, "...", 4);
}

static void put(struct err *err, const char *fmt, va_list ap)
{
    int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);

    if (n >= (int)sizeof(err->text))
        end_cut(err);
}

void err_reset(struct err *err)
{
    if (!err)
        return;
    err->cause = CAUSE_NONE;
    err->text[0] = '\0';
}

int err_set(struct err *err, enum cause cause, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return -1;
    err->cause = cause;
    va_start(ap, fmt);
    put(err, fmt, ap);
    va_end(ap);
    return -1;
}

int err_errno(struct err *err, enum cause cause, const char *fmt, ...)
{
    int saved = errno;
    size_t used;
    va_list ap;

    if (!err)
        return -1;
    err->cause = cause;
    va_start(ap, fmt);
    put(err, fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s",
             strerror(saved));
    return -1;
}

int err_context(struct err *err, const char *fmt, ...)
{
    char old[sizeof(err->text)];
    size_t used;
    va_list ap;

    if (!err)
        return -1;
    memcpy(old, err->text, sizeof(old));
    va_start(ap, fmt);
    put(err, fmt, ap);
    va_end(ap);
    used = strlen(err->text);
    if (snprintf(err->text + used, sizeof(err->text) - used, ": %s", old) >=
        (int)(sizeof(err->text) - used))
        end_cut(err);
    return -1;
}
