/* SPDX-License-Identifier: Apache-2.0
 *
 * Which windows a cluster has: its own lines, or else the fleet's; and the
 * zones that they name, each read once.
 */
#include <string.h>

#include "core/fleet/inventory_priv.h"
#include "core/fleet/window_priv.h"

struct named_zone {
    struct calendar_zone *zone;
    struct named_zone *next;
};

static int find_zone(struct reading *rd, struct window_rule *rule,
                     struct err *err)
{
    struct inventory_index *index = rd->inv->index;
    struct named_zone *z;

    for (z = index->zones; z; z = z->next)
        if (strcmp(calendar_zone_name(z->zone), rule->zone_name) == 0)
            break;
    if (!z) {
        struct calendar_zone *zone = calendar_zone_new(rule->zone_name, err);
        if (!zone)
            return -1;
        z = arena_alloc(&rd->inv->arena, sizeof(*z));
        z->zone = zone;
        z->next = index->zones;
        index->zones = z;
    }
    rule->zone = z->zone;
    return 0;
}

void inventory_zones_release(struct inventory_index *index)
{
    for (struct named_zone *z = index->zones; z; z = z->next)
        calendar_zone_free(z->zone);
    index->zones = NULL;
}

int parse_window(struct reading *rd, const struct key_type *type,
                 const char *text, struct value *value, struct err *err)
{
    struct arena *arena = &rd->inv->arena;
    struct window_rule *rule = arena_alloc(arena, sizeof(*rule));

    (void)type;
    if (window_rule_read(arena, text, rule, err) < 0 ||
        find_zone(rd, rule, err) < 0)
        return -1;
    value->made = rule;
    return 0;
}

int parse_no_window(struct reading *rd, const struct key_type *type,
                    const char *text, struct value *value, struct err *err)
{
    struct window_pause *pause = arena_alloc(&rd->inv->arena, sizeof(*pause));

    (void)type;
    if (window_pause_read(text, pause, err) < 0)
        return -1;
    value->made = pause;
    return 0;
}

/* The things of `size` bytes that the lines of `key` have made, in the order
 * of the file (a section keeps its last line first).  NULL: there is none. */
static void *gather(struct reading *rd, const struct section *s,
                    const char *key, size_t size, size_t *n)
{
    const struct entry *e;
    char *list;
    size_t at;

    *n = 0;
    for (e = s->entries; e; e = e->next)
        *n += strcmp(e->key->name, key) == 0 && !e->bad;
    if (*n == 0)
        return NULL;
    list = arena_alloc(&rd->inv->arena, *n * size);
    at = *n;
    for (e = s->entries; e; e = e->next)
        if (strcmp(e->key->name, key) == 0 && !e->bad)
            memcpy(list + --at * size, e->value.made, size);
    return list;
}

/* Who says something of `key` for this cluster, a bad line counts too. */
static const struct section *who_says(const struct reading *rd,
                                      const struct section *s, const char *key)
{
    return section_entry(s, key) ? s : rd->fleet;
}

/* Days without a window, and no window to take them from: what was meant to
 * bar changes would bar none. */
static void check_pauses(struct reading *rd, const struct section *s,
                         const struct section *says)
{
    const struct entry *e = section_entry(says, "no_window");

    if (e)
        reading_fault(rd, FAULT_ERROR, says == s ? e->line : s->line,
                      "[cluster %s] has no `window' that the no_window on line "
                      "%u could take days from; all the time is `daily "
                      "00:00-24:00'",
                      s->name, e->line);
}

static const struct windows *settle(struct reading *rd, const struct section *s)
{
    const struct section *rules = who_says(rd, s, "window");
    const struct section *pauses = who_says(rd, s, "no_window");
    struct windows *windows = arena_alloc(&rd->inv->arena, sizeof(*windows));

    windows->rules =
        gather(rd, rules, "window", sizeof(*windows->rules), &windows->n_rules);
    windows->pauses = gather(rd, pauses, "no_window", sizeof(*windows->pauses),
                             &windows->n_pauses);
    if (!section_entry(rules, "window"))
        check_pauses(rd, s, pauses);
    return windows->n_rules ? windows : NULL;
}

void inventory_windows_settle(struct reading *rd)
{
    for (const struct section *s = rd->first; s; s = s->next)
        if (s->kind == SECTION_CLUSTER && s->made)
            ((struct cluster *)s->made)->windows = settle(rd, s);
}
