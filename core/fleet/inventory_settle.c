/* SPDX-License-Identifier: Apache-2.0
 *
 * From sections to issuers, clusters and nodes: each value by precedence
 * (node, cluster, fleet, preset), names bound to what they name.  What is
 * wrong only in the whole is inventory_check.c's.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/fleet/inventory_priv.h"
#include "core/fleet/path.h"
#include "core/fleet/suggest.h"

/* Nearest first; NULL-ended. */
struct chain {
    const struct section *sections[4];
};

static const struct value *settled(const struct reading *rd, size_t row,
                                   const struct chain *chain)
{
    const char *name = inventory_table[row].name;

    for (size_t i = 0; chain->sections[i]; i++) {
        if (chain->sections[i]->seen[row]) {
            const struct entry *e = section_entry(chain->sections[i], name);
            return e->bad ? NULL : &e->value;
        }
    }
    return inventory_table[row].preset ? &rd->presets[row] : NULL;
}

static void store_value(const struct key *key, const struct value *value,
                        void *base)
{
    void *to = (char *)base + key->offset;
    bool flag = value->number != 0;

    switch (key->type->store) {
    case STORE_TEXT:
        memcpy(to, &value->text, sizeof(value->text));
        break;
    case STORE_NUMBER:
        memcpy(to, &value->number, sizeof(value->number));
        break;
    case STORE_FLAG:
        memcpy(to, &flag, sizeof(flag));
        break;
    case STORE_LIST:
        memcpy(to, &value->list, sizeof(value->list));
        break;
    }
}

/* Every row that lives in structs of this kind. */
static void store_all(const struct reading *rd, unsigned home,
                      const struct chain *chain, void *base)
{
    for (size_t i = 0; i < inventory_table_rows; i++) {
        const struct value *value;

        if (rd->homes[i] != home ||
            inventory_table[i].offset == (size_t)NO_OFFSET)
            continue;
        value = settled(rd, i, chain);
        if (value)
            store_value(&inventory_table[i], value, base);
    }
}

static void check_required(struct reading *rd, const struct section *s)
{
    for (size_t i = 0; i < inventory_table_rows; i++)
        if (inventory_table[i].required && (rd->kinds[i] & s->kind) &&
            !s->seen[i])
            reading_fault(rd, FAULT_ERROR, s->line, "%s has no `%s': %s",
                          section_title(rd, s), inventory_table[i].name,
                          inventory_table[i].help);
}

/* The section that `key` of `s` names; NULL without one, with a fault when it
 * does not exist. */
static struct section *named_by(struct reading *rd, const struct section *s,
                                const char *key, unsigned kind)
{
    const struct entry *e = section_entry(s, key);
    struct section *found, *other;
    struct suggest suggest;
    struct str text;

    if (!e || e->bad)
        return NULL;
    found = names_get(section_names(rd, kind), e->value.text);
    if (found)
        return found;
    str_init(&text, 512);
    suggest_start(&suggest, e->value.text);
    for (other = rd->first; other; other = other->next)
        if (other->kind == kind && !other->twice)
            suggest_offer(&suggest, other->name);
    suggest_add(&suggest, &text);
    reading_fault(rd, FAULT_ERROR, e->line,
                  "%s names %s `%.60s', which the file does not have%s",
                  section_title(rd, s), key, e->value.text, str_text(&text));
    str_release(&text);
    return NULL;
}

static void make_issuer(struct reading *rd, struct section *s)
{
    struct issuer *issuer = &rd->inv->issuers[rd->inv->n_issuers++];
    struct chain chain = {{s}};

    issuer->name = s->name;
    issuer->line = s->line;
    store_all(rd, SECTION_ISSUER, &chain, issuer);
    check_required(rd, s);
    s->made = issuer;
}

/* Nodes are made behind the issuers. */
static void bind_issuer(struct reading *rd, const struct section *s)
{
    const struct section *node = named_by(rd, s, "node", SECTION_NODE);
    struct issuer *issuer = s->made;

    issuer->node = node ? node->made : NULL;
}

static void bind_product(struct reading *rd, const struct section *s,
                         struct cluster *cluster)
{
    const struct entry *e = section_entry(s, "product");
    const struct product_words *p = rd->products;
    struct str known;

    if (!e || e->bad)
        return;
    cluster->product = e->value.text;
    while (p && p->product && strcmp(p->product, cluster->product) != 0)
        p++;
    if (p && p->product) {
        cluster->words = p;
        return;
    }
    str_init(&known, 1024);
    for (p = rd->products; p && p->product; p++)
        str_addf(&known, " %s", p->product);
    reading_fault(rd, FAULT_ERROR, e->line,
                  "%s: unknown product `%.60s'; known:%s", section_title(rd, s),
                  cluster->product, known.len ? str_text(&known) : " none");
    str_release(&known);
}

static void make_cluster(struct reading *rd, struct section *s)
{
    struct cluster *cluster = arena_alloc(&rd->inv->arena, sizeof(*cluster));
    struct chain chain = {{s, rd->fleet}};
    struct section *issuer;

    cluster->name = s->name;
    cluster->line = s->line;
    store_all(rd, SECTION_CLUSTER, &chain, cluster);
    check_required(rd, s);
    bind_product(rd, s, cluster);
    issuer = named_by(rd, s, "issuer", SECTION_ISSUER);
    cluster->issuer = issuer ? issuer->made : NULL;
    issuer = named_by(rd, s, "service_issuer", SECTION_ISSUER);
    cluster->service_issuer = issuer ? issuer->made : NULL;
    cluster->index = rd->inv->n_clusters;
    rd->inv->clusters[rd->inv->n_clusters++] = cluster;
    s->made = cluster;
}

static void bind_role(struct reading *rd, struct node *node,
                      const struct entry *e, const char *word)
{
    const struct role_word *r = node->cluster->words->roles;
    struct str known;

    while (r->word && strcmp(r->word, word) != 0)
        r++;
    node->roles |= r->bit;
    if (r->word)
        return;
    str_init(&known, 1024);
    for (r = node->cluster->words->roles; r->word; r++)
        str_addf(&known, " %s", r->word);
    reading_fault(rd, FAULT_ERROR, e->line,
                  "[node %s]: product %s has no role `%.60s'; it has:%s",
                  node->name, node->cluster->product, word, str_text(&known));
    str_release(&known);
}

/* Unknown product: its words cannot be checked, and that is told already. */
static void bind_roles(struct reading *rd, const struct section *s,
                       struct node *node)
{
    const struct entry *e = section_entry(s, "roles");

    if (!e || e->bad || !node->cluster || !node->cluster->words)
        return;
    for (size_t i = 0; e->value.list[i]; i++)
        bind_role(rd, node, e, e->value.list[i]);
}

/* The default identity counts only where its file is. */
static void settle_identity(struct node *node, const char *fallback)
{
    node->identity_named = node->identity != NULL;
    if (!node->identity)
        node->identity = fallback;
}

static void make_node(struct reading *rd, struct section *s,
                      const char *identity)
{
    struct node *node = arena_alloc(&rd->inv->arena, sizeof(*node));
    struct section *cluster = named_by(rd, s, "cluster", SECTION_CLUSTER);
    struct chain chain = {
        {s, cluster ? cluster : rd->fleet, cluster ? rd->fleet : NULL}};

    node->name = s->name;
    node->address = s->name;
    node->line = s->line;
    node->cluster = cluster ? cluster->made : NULL;
    store_all(rd, SECTION_NODE, &chain, node);
    settle_identity(node, identity);
    check_required(rd, s);
    bind_roles(rd, s, node);
    node->index = rd->inv->n_nodes;
    rd->inv->nodes[rd->inv->n_nodes++] = node;
    if (node->cluster)
        node->cluster->n_nodes++;
    s->made = node;
}

static const char *default_identity(struct reading *rd)
{
    char *path = path_expand(NULL, "~/.ssh/id_ed25519", NULL);
    const char *kept = NULL;

    if (access(path, R_OK) == 0)
        kept = arena_strdup(&rd->inv->arena, path);
    free(path);
    return kept;
}

/* --state-dir is relative to where the user stands, the file's to the file. */
static void settle_state_dir(struct reading *rd, const char *given)
{
    const struct entry *e = section_entry(rd->fleet, "state_dir");
    const char *xdg = getenv("XDG_STATE_HOME");
    char *path;

    if (given && *given) {
        path = path_expand(NULL, given, NULL);
        if (!path) /* `~name` that the shell left alone: a folder's name */
            path = strdup(given);
    } else if (e && !e->bad) {
        rd->inv->state_dir = e->value.text;
        return;
    } else if (xdg && xdg[0] == '/') { /* relative ones do not count */
        path = path_expand(xdg, "certfleet", NULL);
    } else {
        path = path_expand(NULL, "~/.local/state/certfleet", NULL);
    }
    rd->inv->state_dir = arena_strdup(&rd->inv->arena, path);
    free(path);
}

static void make_room(struct inventory *inv, const struct reading *rd)
{
    size_t issuers = 1, others = 1;

    for (const struct section *s = rd->first; s; s = s->next) {
        issuers += s->kind == SECTION_ISSUER;
        others += s->kind == SECTION_CLUSTER || s->kind == SECTION_NODE;
    }
    inv->issuers = arena_alloc(&inv->arena, issuers * sizeof(*inv->issuers));
    inv->clusters = arena_alloc(&inv->arena, others * sizeof(*inv->clusters));
    inv->nodes = arena_alloc(&inv->arena, others * sizeof(*inv->nodes));
}

static void fill_clusters(struct inventory *inv)
{
    for (size_t i = 0; i < inv->n_clusters; i++) {
        struct cluster *c = inv->clusters[i];
        c->nodes =
            arena_alloc(&inv->arena, (c->n_nodes + 1) * sizeof(struct node *));
        c->n_nodes = 0;
    }
    for (size_t i = 0; i < inv->n_nodes; i++) {
        struct cluster *c = inv->nodes[i]->cluster;
        if (c)
            c->nodes[c->n_nodes++] = inv->nodes[i];
    }
}

void inventory_settle(struct reading *rd, const char *state_dir)
{
    struct chain fleet = {{rd->fleet}};
    const char *identity = default_identity(rd);

    store_all(rd, SECTION_FLEET, &fleet, rd->inv);
    settle_state_dir(rd, state_dir);
    make_room(rd->inv, rd);
    /* Sections stand in any order: what is named comes before who names it. */
    for (struct section *s = rd->first; s; s = s->next)
        if (s->kind == SECTION_ISSUER && !s->twice)
            make_issuer(rd, s);
    for (struct section *s = rd->first; s; s = s->next)
        if (s->kind == SECTION_CLUSTER && !s->twice)
            make_cluster(rd, s);
    for (struct section *s = rd->first; s; s = s->next)
        if (s->kind == SECTION_NODE && !s->twice)
            make_node(rd, s, identity);
    for (struct section *s = rd->first; s; s = s->next)
        if (s->kind == SECTION_ISSUER && s->made)
            bind_issuer(rd, s);
    fill_clusters(rd->inv);
}
