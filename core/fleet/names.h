/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/names.h - from a name to a thing, in constant time.
 *
 * Keys are not copied and must outlive the table; NULL is no value.  Grows as
 * needed; nothing is ever taken out.
 */
#ifndef CERTFLEET_FLEET_NAMES_H
#define CERTFLEET_FLEET_NAMES_H

#include <stddef.h>

struct name_slot;
struct names {
    struct name_slot *slots;
    size_t room, used;
};

/* All zero is an empty table. */
void names_release(struct names *names);

/* Puts it in and returns NULL; or, when the name is there already, leaves the
 * table alone and returns what it holds. */
void *names_put(struct names *names, const char *name, void *value);
void *names_get(const struct names *names, const char *name); /* or NULL */

#endif
