/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/suggest.h - "did you mean": the names that come nearest.
 *
 * Start with the word that nobody knows, offer every name that would have been
 * right, then add the question to the error.  Names are not copied.
 */
#ifndef CERTFLEET_FLEET_SUGGEST_H
#define CERTFLEET_FLEET_SUGGEST_H

#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

enum {
    SUGGEST_NAMES = 3
};
struct suggest {
    const char *word;
    const char *best[SUGGEST_NAMES]; /* nearest first */
    size_t distance[SUGGEST_NAMES];
    size_t n;
};

void suggest_start(struct suggest *suggest, const char *word);
void suggest_offer(struct suggest *suggest, const char *name);

/* "; did you mean `a', `b' or `c'?", or nothing when no name is near. */
void suggest_add(const struct suggest *suggest, struct str *out);

/* "WHAT `word'; did you mean ...": CAUSE_INPUT; -1. */
int suggest_fail(const struct suggest *suggest, const char *what,
                 struct err *err);

/* Letters to insert, drop, change or swap with their neighbour until `a` is
 * `b`; case does not count; words over 63 bytes are very far from all. */
size_t suggest_distance(const char *a, const char *b);

#endif
