/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/arena.h - memory that lives and dies together.
 *
 * What lives as long as an inventory or a plan is taken from its arena and is
 * never freed alone.  Out of memory aborts: nothing useful can be done, and
 * the run's state is in the store.  Secrets never go here (core/base/secret.h).
 */
#ifndef CERTFLEET_BASE_ARENA_H
#define CERTFLEET_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks;
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);

void *arena_alloc(struct arena *a, size_t size); /* zeroed, 16-byte aligned */
char *arena_strdup(struct arena *a, const char *text); /* NULL stays NULL */
char *arena_strndup(struct arena *a, const char *text, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
