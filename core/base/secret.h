/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/secret.h - bytes that must not be seen: passwords, private keys.
 *
 * Held in locked memory where the kernel grants it, left out of core dumps,
 * wiped when freed.  Never printed, logged, journaled or put in an arena.
 * Reference counted: sharing one password over 200 nodes keeps one copy.
 */
#ifndef CERTFLEET_BASE_SECRET_H
#define CERTFLEET_BASE_SECRET_H

#include <stddef.h>

struct secret {
    unsigned char *data; /* len bytes and a NUL behind them */
    size_t len;
    unsigned refs;
    size_t mapped; /* bytes of the mapping below data; private */
};

struct secret *secret_new(size_t len); /* zeroed; aborts when out of memory */
struct secret *secret_from(const void *data, size_t len);
struct secret *secret_share(struct secret *s); /* one more owner */
void secret_free(struct secret *s); /* one owner less; the last one wipes */
const char *secret_text(const struct secret *s); /* NUL-terminated */

#endif
