/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing with linear probing, at most half full; knows nothing of
 * what it holds.
 */
#include "core/fleet/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct name_slot {
    const char *name; /* NULL: free */
    void *value;
};

void names_release(struct names *names)
{
    free(names->slots);
    memset(names, 0, sizeof(*names));
}

static uint64_t fnv1a(const char *name)
{
    uint64_t h = 14695981039346656037u;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    return h;
}

/* Where it is, or the free slot where it belongs. */
static struct name_slot *slot_of(const struct names *names, const char *name)
{
    size_t i = (size_t)fnv1a(name) & (names->room - 1);

    while (names->slots[i].name && strcmp(names->slots[i].name, name) != 0)
        i = (i + 1) & (names->room - 1);
    return &names->slots[i];
}

static void grow(struct names *names)
{
    struct names bigger = {.room = names->room ? names->room * 2 : 64,
                           .used = names->used};

    bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
    if (!bigger.slots)
        abort();
    for (size_t i = 0; i < names->room; i++)
        if (names->slots[i].name)
            *slot_of(&bigger, names->slots[i].name) = names->slots[i];
    free(names->slots);
    *names = bigger;
}

void *names_put(struct names *names, const char *name, void *value)
{
    struct name_slot *slot;

    if ((names->used + 1) * 2 > names->room)
        grow(names);
    slot = slot_of(names, name);
    if (slot->name)
        return slot->value;
    slot->name = name;
    slot->value = value;
    names->used++;
    return NULL;
}

void *names_get(const struct names *names, const char *name)
{
    return names->room ? slot_of(names, name)->value : NULL;
}
