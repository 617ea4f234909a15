/* SPDX-License-Identifier: Apache-2.0
 *
 * A decided plan as JSON and back: what the journal keeps for resume, what
 * `plan -o` writes, and what the hash is taken over.  Never a secret: names
 * and digests only.
 */
#include "core/run/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_or_null(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();

    return json ? json : json_string("(not text)");
}

json_t *plan_set_json(const struct file_set *set)
{
    json_t *list = json_array();

    for (size_t i = 0; i < set->n; i++) {
        const struct set_file *f = &set->files[i];
        json_t *file = json_pack("{s:s, s:o, s:s}", "slot", f->slot, "name",
                                 text_or_null(f->name), "sha256", f->sha256);
        if (f->cert_sha256[0])
            json_object_set_new(file, "cert_sha256",
                                json_string(f->cert_sha256));
        json_array_append_new(list, file);
    }
    return list;
}

static json_t *words_json(const char *const *words, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, text_or_null(words[i]));
    return list;
}

/* What most plans have not is not in them: their hash stays what it was. */
static void add_if(json_t *json, const char *key, bool value)
{
    if (value)
        json_object_set_new(json, key, json_true());
}

static json_t *node_json(const struct plan_node *pn)
{
    json_t *json = json_pack(
        "{s:s, s:I, s:b, s:o, s:o, s:o, s:b, s:s, s:o, s:o}", "node",
        pn->node->name, "roles", (json_int_t)pn->roles, "left_out",
        pn->left_out, "db_address", text_or_null(pn->db_address), "interface",
        text_or_null(pn->interface), "old", plan_set_json(&pn->old),
        "serves_tls", pn->serves_tls, "served_sha256", pn->served_sha256,
        "first_last", text_or_null(pn->first_last), "listed",
        words_json(pn->listed, pn->n_listed));

    add_if(json, "newcomer", pn->newcomer);
    add_if(json, "leaver", pn->leaver);
    add_if(json, "bystander", pn->bystander);
    if (pn->own.n)
        json_object_set_new(json, "set", plan_set_json(&pn->own));
    if (pn->old_interface)
        json_object_set_new(json, "old_interface",
                            text_or_null(pn->old_interface));
    return json;
}

json_t *plan_cluster_json(const struct plan_cluster *pc)
{
    json_t *nodes = json_array(), *json;

    for (size_t i = 0; i < pc->n_nodes; i++)
        json_array_append_new(nodes, node_json(&pc->nodes[i]));
    json = json_pack(
        "{s:s, s:I, s:s, s:o, s:o, s:b, s:b, s:s, s:I, s:o}", "cluster",
        pc->cluster->name, "number", (json_int_t)pc->number, "tag", pc->tag,
        "holder",
        text_or_null(pc->holder == SIZE_MAX ? NULL
                                            : pc->nodes[pc->holder].node->name),
        "set", plan_set_json(&pc->set), "expired", pc->expired, "way_back",
        pc->way_back, "no_way_back", pc->no_way_back, "way_back_until",
        (json_int_t)pc->way_back_until, "nodes", nodes);
    add_if(json, "reused", pc->reused);
    return json;
}

static const char *get_text(const json_t *json, const char *key,
                            struct arena *arena)
{
    return arena_strdup(arena, json_string_value(json_object_get(json, key)));
}

static void load_set(struct file_set *set, const json_t *list,
                     struct arena *arena)
{
    const json_t *item;
    size_t i;

    set->n = 0;
    json_array_foreach(list, i, item)
    {
        const char *sha = json_string_value(json_object_get(item, "sha256"));
        const char *cert =
            json_string_value(json_object_get(item, "cert_sha256"));
        struct set_file *f = &set->files[set->n];

        if (set->n == SET_FILES_MAX)
            return;
        f->slot = get_text(item, "slot", arena);
        if (!f->slot)
            continue; /* no file of ours */
        f->name = get_text(item, "name", arena);
        snprintf(f->sha256, sizeof(f->sha256), "%s", sha ? sha : "");
        snprintf(f->cert_sha256, sizeof(f->cert_sha256), "%s",
                 cert ? cert : "");
        set->n++;
    }
}

/* The new set keeps its slots' roles, which the playbook knows; only names
 * and digests are the journal's. */
static void load_new_set(struct file_set *set, const json_t *list,
                         struct arena *arena)
{
    struct file_set stored = {.n = 0};

    load_set(&stored, list, arena);
    for (size_t i = 0; i < set->n; i++) {
        const struct set_file *f = set_slot(&stored, set->files[i].slot);
        if (!f)
            continue;
        set->files[i].name = f->name;
        memcpy(set->files[i].sha256, f->sha256, sizeof(f->sha256));
        memcpy(set->files[i].cert_sha256, f->cert_sha256,
               sizeof(f->cert_sha256));
    }
}

static int load_node(struct plan_cluster *pc, struct plan_node *pn,
                     const json_t *json, struct err *err)
{
    struct arena *arena = &pc->plan->arena;
    const json_t *word;
    const char *sha;
    size_t i;
    uint32_t roles =
        (uint32_t)json_integer_value(json_object_get(json, "roles"));
    uint32_t declared = pn->node->roles;

    if ((roles & declared) != declared)
        return err_set(err, CAUSE_REFUSED,
                       "node %s: its roles in the inventory are others than "
                       "when the run began",
                       pn->node->name);
    pn->roles = roles;
    /* left_out is not taken over: a resume brings an absent node in */
    if (json_is_true(json_object_get(json, "left_out")))
        pc->was_short = true;
    pn->db_address = get_text(json, "db_address", arena);
    pn->interface = get_text(json, "interface", arena);
    pn->newcomer = json_is_true(json_object_get(json, "newcomer"));
    pn->leaver = json_is_true(json_object_get(json, "leaver"));
    pn->bystander = json_is_true(json_object_get(json, "bystander"));
    pn->old_interface = get_text(json, "old_interface", arena);
    pn->serves_tls = json_is_true(json_object_get(json, "serves_tls"));
    sha = json_string_value(json_object_get(json, "served_sha256"));
    snprintf(pn->served_sha256, sizeof(pn->served_sha256), "%s",
             sha ? sha : "");
    pn->first_last = get_text(json, "first_last", arena);
    load_set(&pn->old, json_object_get(json, "old"), arena);
    load_new_set(&pn->own, json_object_get(json, "set"), arena);
    json_array_foreach(json_object_get(json, "listed"), i,
                       word) if (json_is_string(word))
        plan_note_file(pc, (size_t)(pn - pc->nodes), json_string_value(word));
    return 0;
}

static struct plan_node *find_node(struct plan_cluster *pc, const char *name)
{
    for (size_t i = 0; name && i < pc->n_nodes; i++)
        if (strcmp(pc->nodes[i].node->name, name) == 0)
            return &pc->nodes[i];
    return NULL;
}

static int load_nodes(struct plan_cluster *pc, const json_t *list,
                      struct err *err)
{
    const json_t *item;
    size_t i;

    if (json_array_size(list) != pc->n_nodes)
        return err_set(err, CAUSE_REFUSED,
                       "cluster %s has %zu nodes in the inventory, %zu when "
                       "the run began: put the inventory back",
                       pc->cluster->name, pc->n_nodes, json_array_size(list));
    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(json_object_get(item, "node"));
        struct plan_node *pn = find_node(pc, name);

        if (!pn)
            return err_set(err, CAUSE_REFUSED,
                           "node %s of the run is not in cluster %s of the "
                           "inventory any more",
                           name ? name : "?", pc->cluster->name);
        if (load_node(pc, pn, item, err) < 0)
            return -1;
    }
    return 0;
}

int plan_cluster_load(struct plan_cluster *pc, const json_t *json,
                      struct err *err)
{
    struct arena *arena = &pc->plan->arena;
    const char *tag = json_string_value(json_object_get(json, "tag"));
    const char *why = json_string_value(json_object_get(json, "no_way_back"));
    struct plan_node *holder;

    pc->was_short = false;
    if (load_nodes(pc, json_object_get(json, "nodes"), err) < 0)
        return -1;
    pc->number = (unsigned)json_integer_value(json_object_get(json, "number"));
    snprintf(pc->tag, sizeof(pc->tag), "%s", tag ? tag : "");
    load_new_set(&pc->set, json_object_get(json, "set"), arena);
    holder = find_node(pc, json_string_value(json_object_get(json, "holder")));
    pc->holder = holder ? (size_t)(holder - pc->nodes) : SIZE_MAX;
    pc->expired = json_is_true(json_object_get(json, "expired"));
    pc->way_back = json_is_true(json_object_get(json, "way_back"));
    snprintf(pc->no_way_back, sizeof(pc->no_way_back), "%s", why ? why : "");
    pc->way_back_until =
        json_integer_value(json_object_get(json, "way_back_until"));
    pc->reused = json_is_true(json_object_get(json, "reused"));
    pc->issued = pc->issued || pc->reused;
    pc->decided = true;
    return 0;
}

json_t *plan_json(const struct plan *plan)
{
    json_t *clusters = json_array(), *inputs = json_object();
    json_t *accepted = json_array();

    for (size_t i = 0; i < plan->n_inputs; i++)
        json_object_set_new(inputs, plan->inputs[i].key,
                            text_or_null(plan->inputs[i].value));
    for (const char *const *a = plan->accepted; a && *a; a++)
        json_array_append_new(accepted, text_or_null(*a));
    for (size_t c = 0; c < plan->n_clusters; c++)
        json_array_append_new(clusters, plan_cluster_json(&plan->clusters[c]));
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:o}", "playbook",
                     plan->playbook->id, "target", plan->target, "inputs",
                     inputs, "accepted", accepted, "tag", plan->tag, "clusters",
                     clusters);
}

void plan_hash(const struct plan *plan, char hex[PKI_SHA256_HEX])
{
    json_t *json = plan_json(plan);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

    if (!text)
        abort();
    pki_sha256(text, strlen(text), hex);
    free(text);
    json_decref(json);
}
