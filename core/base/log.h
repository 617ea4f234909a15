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

void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
