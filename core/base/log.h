/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/log.h - what the program says about itself, on standard error.
 *
 * Levels: WARN always (unless -q), INFO with -v, DEBUG with -vv (every edge of
 * a cell, every late event).  Node text must be made visible first
 * (str_add_visible); secrets never come here.
 */
#ifndef CERTFLEET_BASE_LOG_H
#define CERTFLEET_BASE_LOG_H

enum log_level {
    LOG_QUIET,
    LOG_WARN_LEVEL,
    LOG_INFO_LEVEL,
    LOG_DEBUG_LEVEL
};

void log_set_level(enum log_level level);
enum log_level log_level(void);

/* Where lines go instead of standard error, from any thread; NULL: there again.
 * A program with a loop must not wait for a terminal that was stopped. */
typedef void log_write_f(void *user, const char *line);
void log_set_writer(log_write_f *write, void *user);

void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
