/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/words.h - a command line parted into words, for a program that is
 * started without a shell.
 *
 * Blanks part words; '...' and "..." keep blanks in one; a backslash takes the
 * next character as it is, but not between single quotes.  Nothing is filled
 * in: no variable, no glob, no tilde, no `;' and no `|'.
 */
#ifndef CERTFLEET_BASE_WORDS_H
#define CERTFLEET_BASE_WORDS_H

#include "core/base/arena.h"
#include "core/base/err.h"

/* NULL-ended, in the arena.  NULL: no word, a quote that is not closed, or a
 * backslash at the end (CAUSE_INPUT). */
const char **words_split(struct arena *arena, const char *line,
                         struct err *err);

#endif
