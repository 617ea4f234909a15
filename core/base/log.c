/* SPDX-License-Identifier: Apache-2.0
 *
 * One line a call to standard error; a closed one is ignored.
 */
#include "core/base/log.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level current = LOG_WARN_LEVEL;

void log_set_level(enum log_level level)
{
    current = level;
}

enum log_level log_level(void)
{
    return current;
}

static void say(enum log_level level, const char *word, const char *fmt,
                va_list ap)
{
    char line[2048];

    if (level > current)
        return;
    vsnprintf(line, sizeof(line), fmt, ap);
    fprintf(stderr, "certfleet: %s%s\n", word, line);
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
