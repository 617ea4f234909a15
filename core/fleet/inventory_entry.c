/* SPDX-License-Identifier: Apache-2.0
 *
 * One key line against the table of keys: is the key known, here, once, and
 * is its value well formed?  And the gathering of faults.  What a section's
 * values mean together is not known here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fleet/inventory_priv.h"
#include "core/fleet/path.h"
#include "core/fleet/suggest.h"

void reading_fault(struct reading *rd, enum fault_level level, unsigned line,
                   const char *fmt, ...)
{
    struct numbered_fault *f;
    struct str text;
    va_list ap;

    if (rd->n_faults == rd->room_faults) {
        rd->room_faults = rd->room_faults ? rd->room_faults * 2 : 16;
        rd->faults = realloc(rd->faults, rd->room_faults * sizeof(*rd->faults));
        if (!rd->faults)
            abort();
    }
    str_init(&text, 1024);
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    f = &rd->faults[rd->n_faults];
    f->number = rd->n_faults++;
    f->fault.level = level;
    f->fault.line = line;
    f->fault.text = arena_strdup(&rd->inv->arena, str_text(&text));
    str_release(&text);
    if (level == FAULT_ERROR)
        rd->inv->n_errors++;
}

const char *section_title(struct reading *rd, const struct section *s)
{
    if (s->kind == SECTION_FLEET || !s->name[0])
        return arena_printf(&rd->inv->arena, "[%s]", section_word(s->kind));
    return arena_printf(&rd->inv->arena, "[%s %.80s]", section_word(s->kind),
                        s->name);
}

struct entry *section_entry(const struct section *s, const char *key)
{
    struct entry *e = s->entries;

    while (e && strcmp(e->key->name, key) != 0)
        e = e->next;
    return e;
}

struct names *section_names(const struct reading *rd, unsigned kind)
{
    struct inventory_index *index = rd->inv->index;

    return kind == SECTION_NODE      ? &index->nodes
           : kind == SECTION_CLUSTER ? &index->clusters
                                     : &index->issuers;
}

void inventory_presets(struct reading *rd)
{
    for (size_t i = 0; i < inventory_table_rows; i++) {
        const struct key *key = &inventory_table[i];
        struct err err;

        names_put(&rd->keys, key->name, (void *)(uintptr_t)key);
        rd->kinds[i] = key_sections(key);
        /* The last, so the highest kind: fleet < cluster < node. */
        rd->homes[i] = 1u << (31 - __builtin_clz(rd->kinds[i]));
        if (key->preset && key->type->parse(rd, key->type, key->preset,
                                            &rd->presets[i], &err) < 0)
            abort(); /* our own table: a test reads every row */
    }
}

static void unknown_key(struct reading *rd, const char *name, unsigned line)
{
    const struct section *s = rd->now;
    struct suggest suggest;
    struct str text;

    str_init(&text, 256);
    suggest_start(&suggest, name);
    for (size_t i = 0; i < inventory_table_rows; i++)
        if (rd->kinds[i] & s->kind)
            suggest_offer(&suggest, inventory_table[i].name);
    suggest_add(&suggest, &text);
    reading_fault(rd, FAULT_ERROR, line, "unknown key `%.60s' in %s%s", name,
                  section_title(rd, s), str_text(&text));
    str_release(&text);
}

/* The row, or NULL when the key has no business here. */
static const struct key *find_key(struct reading *rd, const char *name,
                                  unsigned line)
{
    const struct key *key = names_get(&rd->keys, name);

    if (!key && name[0] == '\0') {
        reading_fault(rd, FAULT_ERROR, line, "no key before the `='");
    } else if (!key) {
        unknown_key(rd, name, line);
    } else if (!(rd->kinds[key - inventory_table] & rd->now->kind)) {
        reading_fault(rd, FAULT_ERROR, line,
                      "unknown key `%s' in %s: it belongs into: %s", name,
                      section_title(rd, rd->now), key->sections);
        key = NULL;
    }
    return key;
}

/* What no type allows.  0, or -1 with the reason. */
static int check_text(const char *text, struct err *err)
{
    size_t len = strlen(text);

    if (len == 0)
        return err_set(err, CAUSE_INPUT, "nothing stands behind the `='");
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') ||
            text[i] == 0x7f)
            return err_set(err, CAUSE_INPUT, "a control character in it");
    if (len > 1 && strchr("\"'", text[0]) && text[len - 1] == text[0])
        return err_set(err, CAUSE_INPUT, "values are written without quotes");
    return 0;
}

/* A reference that means the same wherever it is read.  Two sections that say
 * `prompt` mean two secrets, one section one: the label makes them differ in
 * the cache of secrets, and names them to the user.  Files become absolute. */
static void fix_reference(struct reading *rd, struct entry *e)
{
    static const char file[] = "file:";
    struct arena *arena = &rd->inv->arena;
    const char *ref = e->value.text;

    if (strcmp(ref, "prompt") == 0) {
        e->value.text = arena_printf(arena, "prompt:%s for %s", e->key->name,
                                     section_title(rd, rd->now));
    } else if (strncmp(ref, file, sizeof(file) - 1) == 0) {
        char *path = path_expand(rd->inv->folder, ref + sizeof(file) - 1,
                                 NULL); /* its syntax is checked */
        e->value.text = arena_printf(arena, "%s%s", file, path);
        free(path);
    }
}

static void parse_entry(struct reading *rd, struct entry *e, const char *text)
{
    const struct key_type *type = e->key->type;
    const char *title = section_title(rd, rd->now);
    struct err err;

    err_reset(&err);
    if (check_text(text, &err) == 0 &&
        type->parse(rd, type, text, &e->value, &err) == 0) {
        if (type->hidden)
            fix_reference(rd, e);
    } else {
        e->bad = true;
        if (type->hidden)
            reading_fault(rd, FAULT_ERROR, e->line, "bad %s in %s: %s",
                          e->key->name, title, err.text);
        else
            reading_fault(rd, FAULT_ERROR, e->line, "bad %s `%.80s' in %s: %s",
                          e->key->name, text, title, err.text);
    }
    if (!type->hidden && strstr(text, " #"))
        reading_fault(rd, FAULT_WARNING, e->line,
                      "` #' begins no comment behind a value; ` ;' does");
}

void inventory_entry(struct reading *rd, const char *name, const char *text,
                     unsigned line, bool broken)
{
    struct section *s = rd->now;
    const struct key *key;
    struct entry *e;

    if (!s)
        reading_fault(rd, FAULT_ERROR, line,
                      "`%.60s' stands before the first section", name);
    if (!s || !s->kind)
        return;
    if (s->kind == SECTION_PREFLIGHT) {
        if (!broken)
            preflight_entry(rd, name, text, line);
        return;
    }
    key = find_key(rd, name, line);
    if (!key)
        return;
    e = section_entry(s, name);
    if (e && !key->several) {
        reading_fault(rd, FAULT_ERROR, line, "`%s' is already in %s on line %u",
                      name, section_title(rd, s), e->line);
        return;
    }
    e = arena_alloc(&rd->inv->arena, sizeof(*e));
    e->key = key;
    e->line = line;
    e->bad = broken;
    e->next = s->entries;
    s->entries = e;
    s->seen[key - inventory_table] = true;
    if (!broken)
        parse_entry(rd, e, text);
}
