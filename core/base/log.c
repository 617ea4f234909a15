/* SPDX-License-Identifier: Apache-2.0
 *
 * One line a call to standard error, or to who asked for them; a closed one is
 * ignored.
 */
#include "core/base/log.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level current = LOG_WARN_LEVEL;
static log_write_f *writer;
static void *writer_user;

void log_set_level(enum log_level level)
{
    current = level;
}

enum log_level log_level(void)
{
    return current;
}

void log_set_writer(log_write_f *write, void *user)
{
    writer = write;
    writer_user = user;
}

static void say(enum log_level level, const char *word, const char *fmt,
                va_list ap)
{
    char text[2048], line[2048 + 64];

    if (level > current)
        return;
    vsnprintf(text, sizeof(text), fmt, ap);
    snprintf(line, sizeof(line), "certfleet: %s%s\n", word, text);
    if (writer)
        writer(writer_user, line);
    else
        fputs(line, stderr);
}

#define SAY(level, word)                                                       \
    do {                                                                       \
        va_list ap;                                                            \
        va_start(ap, fmt);                                                     \
        say(level, word, fmt, ap);                                             \
        va_end(ap);                                                            \
    } while (0)

void log_warn(const char *fmt, ...)
{
    SAY(LOG_WARN_LEVEL, "warning: ");
}

void log_info(const char *fmt, ...)
{
    SAY(LOG_INFO_LEVEL, "");
}

void log_debug(const char *fmt, ...)
{
    SAY(LOG_DEBUG_LEVEL, "debug: ");
}
