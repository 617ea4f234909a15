/* SPDX-License-Identifier: Apache-2.0
 *
 * How much a breach of a check weighs: [preflight] and [preflight CLUSTER].
 * Which checks there are, and which must keep their weight, is told by the
 * caller; this file knows lines and words only.
 */
#include <string.h>

#include "core/fleet/inventory_priv.h"
#include "core/fleet/suggest.h"

struct graded { /* one line */
    struct check_setting setting;
    unsigned line;
    struct graded *next;
};

/* Places are the values of enum check_grade. */
static const char *const grades[] = {"off", "note", "warning", "block",
                                     "error"};
enum {
    N_GRADES = sizeof(grades) / sizeof(grades[0])
};

void preflight_enter(struct reading *rd, struct section *s)
{
    const struct section *e = names_put(&rd->graded, s->name, s);

    if (!e)
        return;
    reading_fault(rd, FAULT_ERROR, s->line, "%s is already on line %u",
                  section_title(rd, s), e->line);
    s->twice = true;
}

static void unknown_check(struct reading *rd, const char *name, unsigned line)
{
    struct suggest suggest;
    struct str text;

    str_init(&text, 256);
    suggest_start(&suggest, name);
    for (const struct check_word *w = rd->checks; w && w->id; w++)
        suggest_offer(&suggest, w->id);
    suggest_add(&suggest, &text);
    reading_fault(rd, FAULT_ERROR, line,
                  "unknown check `%.60s' in %s%s (`certfleet pki checks' lists "
                  "them)",
                  name, section_title(rd, rd->now), str_text(&text));
    str_release(&text);
}

static const struct check_word *find_check(const struct reading *rd,
                                           const char *name)
{
    const struct check_word *w = rd->checks;

    while (w && w->id && strcmp(w->id, name) != 0)
        w++;
    return w && w->id ? w : NULL;
}

/* The place of the word, or N_GRADES and a fault. */
static size_t read_grade(struct reading *rd, const struct check_word *check,
                         const char *text, unsigned line)
{
    size_t grade = 0;

    while (grade < N_GRADES && strcmp(grades[grade], text) != 0)
        grade++;
    if (grade == N_GRADES)
        reading_fault(rd, FAULT_ERROR, line,
                      "bad %s `%.60s' in %s: off, note, warning, block or "
                      "error is wanted",
                      check->id, text, section_title(rd, rd->now));
    else if (check->keep && grade < check->grade) {
        reading_fault(rd, FAULT_ERROR, line,
                      "%s cannot be `%s', at least `%s': %s", check->id, text,
                      grades[check->grade], check->keep);
        grade = N_GRADES;
    }
    return grade;
}

void preflight_entry(struct reading *rd, const char *name, const char *text,
                     unsigned line)
{
    struct section *s = rd->now;
    const struct check_word *check = find_check(rd, name);
    struct graded *g;
    size_t grade;

    if (!check) {
        unknown_check(rd, name, line);
        return;
    }
    for (g = s->graded; g; g = g->next)
        if (strcmp(g->setting.id, check->id) == 0) {
            reading_fault(rd, FAULT_ERROR, line,
                          "`%s' is already in %s on line %u", name,
                          section_title(rd, s), g->line);
            return;
        }
    grade = read_grade(rd, check, text, line);
    if (grade == N_GRADES)
        return;
    g = arena_alloc(&rd->inv->arena, sizeof(*g));
    g->setting.id = check->id;
    g->setting.grade = (enum check_grade)grade;
    g->line = line;
    g->next = s->graded;
    s->graded = g;
}

/* -- who gets which ------------------------------------------------------- */

static const struct section *section_of(const struct reading *rd,
                                        const char *cluster)
{
    return names_get(&rd->graded, cluster);
}

static size_t add_graded(const struct section *s, struct check_setting *list)
{
    size_t n = 0;

    for (const struct graded *g = s ? s->graded : NULL; g; g = g->next) {
        if (list)
            list[n] = g->setting;
        n++;
    }
    return n;
}

/* The cluster's own lines stand before the fleet's: the first match holds. */
static const struct check_setting *settings(struct reading *rd,
                                            const struct section *own)
{
    const struct section *fleet = section_of(rd, "");
    size_t n = add_graded(own, NULL), all = n + add_graded(fleet, NULL);
    struct check_setting *list =
        arena_alloc(&rd->inv->arena, (all + 1) * sizeof(*list));

    add_graded(own, list);
    add_graded(fleet, list + n);
    return list;
}

static void check_cluster(struct reading *rd, const struct section *s)
{
    struct suggest suggest;
    struct str text;

    if (!s->name[0] || inventory_cluster(rd->inv, s->name))
        return;
    str_init(&text, 256);
    suggest_start(&suggest, s->name);
    for (size_t i = 0; i < rd->inv->n_clusters; i++)
        suggest_offer(&suggest, rd->inv->clusters[i]->name);
    suggest_add(&suggest, &text);
    reading_fault(rd, FAULT_ERROR, s->line,
                  "%s names a cluster that the file does not have%s",
                  section_title(rd, s), str_text(&text));
    str_release(&text);
}

void preflight_settle(struct reading *rd)
{
    struct inventory *inv = rd->inv;

    inv->checks = settings(rd, NULL);
    for (size_t i = 0; i < inv->n_clusters; i++)
        inv->clusters[i]->checks =
            settings(rd, section_of(rd, inv->clusters[i]->name));
    for (const struct section *s = rd->first; s; s = s->next)
        if (s->kind == SECTION_PREFLIGHT)
            check_cluster(rd, s);
}
