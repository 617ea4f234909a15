/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of commands and of violations; knows nothing of their meaning.
 */
#include "tests/lab/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/win.h"

struct record *record_new(struct lab *lab)
{
    struct record *r = lab_calloc(1, sizeof(*r));

    r->lab = lab;
    return r;
}

void record_free(struct record *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++) {
        free(r->entries[i]->text);
        free(r->entries[i]->login);
        free(r->entries[i]);
    }
    free(r->entries);
    while (r->violations) {
        struct violation *next = r->violations->next;
        free(r->violations->text);
        free(r->violations);
        r->violations = next;
    }
    free(r);
}

/* The one place where a secret on a command line would be noticed. */
static void look_for_secrets(struct lab_node *node, const char *text)
{
    if (strstr(text, "PRIVATE KEY"))
        record_violation(node, "secret", false, "a private key was typed");
    if (node->win && node->win->secret && strstr(text, node->win->secret))
        record_violation(node, "secret", false,
                         "the server's secret was typed");
    for (const struct lab_user *u = node->users; u; u = u->next)
        if (u->password && *u->password && strstr(text, u->password))
            record_violation(node, "secret", false,
                             "the password of %s was typed", u->name);
}

uint64_t record_add(struct lab_node *node, const char *source,
                    const char *login, const char *text)
{
    struct record *r = node->lab->record;
    struct entry *e = lab_calloc(1, sizeof(*e));

    if ((r->n & (r->n - 1)) == 0) { /* doubles at each power of two */
        r->entries =
            realloc(r->entries, (r->n ? 2 * r->n : 1) * sizeof(*r->entries));
        if (!r->entries)
            abort();
    }
    r->entries[r->n++] = e;
    e->seq = r->n;
    e->t_ms = lab_age_ms(node->lab);
    e->node = node;
    e->text = lab_strdup(text);
    e->source = source;
    e->login = lab_strdup(login);
    e->state = "taken";
    look_for_secrets(node, text);
    lab_changed(node->lab);
    return e->seq;
}

struct entry *record_entry(struct lab *lab, uint64_t seq)
{
    struct record *r = lab->record;

    return seq >= 1 && seq <= r->n ? r->entries[seq - 1] : NULL;
}

void record_violation(struct lab_node *node, const char *rule, bool foreign,
                      const char *fmt, ...)
{
    struct record *r = node->lab->record;
    struct violation *v = lab_calloc(1, sizeof(*v)), **p = &r->violations;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&v->text, fmt, ap) < 0)
        abort();
    va_end(ap);
    v->rule = rule;
    v->node = node;
    v->t_ms = lab_age_ms(node->lab);
    v->foreign = foreign;
    while (*p)
        p = &(*p)->next;
    *p = v;
    r->n_violations++;
    lab_changed(node->lab);
}
