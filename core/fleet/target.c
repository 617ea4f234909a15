/* SPDX-License-Identifier: Apache-2.0
 *
 * Words to clusters and nodes: marks what is meant, then collects the marks
 * in the order of the file.
 */
#include "core/fleet/target.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/fleet/suggest.h"

struct marks {
    const struct inventory *inv;
    bool *clusters, *nodes; /* by index */
    bool clusters_only;
    const char *const *words;
    size_t n_words;
};

static bool is_glob(const char *word)
{
    return strpbrk(word, "*?[") != NULL;
}

static void mark_cluster(struct marks *marks, const struct cluster *c)
{
    marks->clusters[c->index] = true;
    for (size_t i = 0; i < c->n_nodes; i++)
        marks->nodes[c->nodes[i]->index] = true;
}

static int unknown_word(const struct marks *marks, const char *word,
                        struct err *err)
{
    const struct inventory *inv = marks->inv;
    struct suggest suggest;
    struct str text;

    str_init(&text, 512);
    suggest_start(&suggest, word);
    for (size_t i = 0; i < inv->n_clusters; i++)
        suggest_offer(&suggest, inv->clusters[i]->name);
    for (size_t i = 0; i < inv->n_nodes && !marks->clusters_only; i++)
        suggest_offer(&suggest, inv->nodes[i]->name);
    suggest_add(&suggest, &text);
    err_set(err, CAUSE_INPUT, "%s has no %s `%.80s'%s", inv->path,
            marks->clusters_only ? "cluster" : "cluster or node", word,
            str_text(&text));
    str_release(&text);
    return -1;
}

static int mark_glob(struct marks *marks, const char *word, struct err *err)
{
    const struct inventory *inv = marks->inv;
    bool any = false;

    for (size_t i = 0; i < inv->n_clusters; i++) {
        if (fnmatch(word, inv->clusters[i]->name, 0) == 0) {
            mark_cluster(marks, inv->clusters[i]);
            any = true;
        }
    }
    if (any)
        return 0;
    for (size_t i = 0; i < inv->n_nodes && !any; i++)
        any = fnmatch(word, inv->nodes[i]->name, 0) == 0;
    return err_set(err, CAUSE_INPUT, "no cluster in %s matches `%.80s'%s",
                   inv->path, word,
                   any ? "; nodes do, but only clusters are matched" : "");
}

static int mark_node(struct marks *marks, const struct node *node,
                     struct err *err)
{
    const char *cluster = node->cluster ? node->cluster->name : "none";

    if (marks->clusters_only)
        return err_set(err, CAUSE_INPUT,
                       "`%s' is a node, and a cluster is wanted; its cluster "
                       "is `%s'",
                       node->name, cluster);
    marks->nodes[node->index] = true;
    if (node->cluster)
        marks->clusters[node->cluster->index] = true;
    return 0;
}

/* A cluster's name wins over a node's, a name over a glob. */
static int mark_word(struct marks *marks, const char *word, struct err *err)
{
    const struct cluster *c = inventory_cluster(marks->inv, word);
    const struct node *node = inventory_node(marks->inv, word);

    if (c)
        mark_cluster(marks, c);
    else if (node)
        return mark_node(marks, node, err);
    else if (is_glob(word))
        return mark_glob(marks, word, err);
    else
        return unknown_word(marks, word, err);
    return 0;
}

static void collect(const struct marks *marks, struct target *target)
{
    const struct inventory *inv = marks->inv;

    for (size_t i = 0; i < inv->n_clusters; i++)
        if (marks->clusters[i])
            target->clusters[target->n_clusters++] = inv->clusters[i];
    for (size_t i = 0; i < inv->n_nodes; i++)
        if (marks->nodes[i])
            target->nodes[target->n_nodes++] = inv->nodes[i];
}

static int resolve(struct marks *marks, struct arena *arena,
                   struct target *target, struct err *err)
{
    const struct inventory *inv = marks->inv;

    memset(target, 0, sizeof(*target));
    marks->clusters = arena_alloc(arena, inv->n_clusters + 1);
    marks->nodes = arena_alloc(arena, inv->n_nodes + 1);
    for (size_t i = 0; i < marks->n_words; i++)
        if (mark_word(marks, marks->words[i], err) < 0)
            return -1;
    for (size_t i = 0; i < inv->n_clusters && !marks->n_words; i++)
        mark_cluster(marks, inv->clusters[i]);
    target->clusters =
        arena_alloc(arena, (inv->n_clusters + 1) * sizeof(struct cluster *));
    target->nodes =
        arena_alloc(arena, (inv->n_nodes + 1) * sizeof(struct node *));
    collect(marks, target);
    return 0;
}

int target_clusters(const struct inventory *inv, struct arena *arena,
                    const char *const *words, size_t n_words,
                    struct target *target, struct err *err)
{
    struct marks marks = {
        .inv = inv, .clusters_only = true, .words = words, .n_words = n_words};

    return resolve(&marks, arena, target, err);
}

int target_nodes(const struct inventory *inv, struct arena *arena,
                 const char *const *words, size_t n_words,
                 struct target *target, struct err *err)
{
    struct marks marks = {.inv = inv, .words = words, .n_words = n_words};

    return resolve(&marks, arena, target, err);
}
