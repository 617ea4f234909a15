/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a plan from the inventory, and the small questions about it.  Knows
 * no product and no packet; JSON is in plan_json.c.
 */
#include "core/run/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/run/act.h"
#include "core/run/preflight.h"

const struct set_file *set_slot(const struct file_set *set, const char *slot)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->files[i].slot, slot) == 0)
            return &set->files[i];
    return NULL;
}

static const struct input_row *input_row(const struct playbook *pb,
                                         const char *key, size_t len)
{
    for (const struct input_row *r = pb->inputs; r && r->key; r++)
        if (strlen(r->key) == len && strncmp(r->key, key, len) == 0)
            return r;
    return NULL;
}

static int unknown_input(const struct playbook *pb, const char *word,
                         struct err *err)
{
    struct str known;

    str_init(&known, 512);
    for (const struct input_row *r = pb->inputs; r && r->key; r++)
        str_addf(&known, "%s%s=%s", known.len ? ", " : "", r->key, r->value);
    err_set(err, CAUSE_INPUT, "%s has no input `%s'; it takes %s", pb->id, word,
            known.len ? str_text(&known) : "none");
    str_release(&known);
    return -1;
}

static int read_inputs(struct plan *plan, const char *const *words,
                       struct err *err)
{
    size_t n = 0;

    while (words && words[n])
        n++;
    plan->inputs = arena_alloc(&plan->arena, (n + 1) * sizeof(*plan->inputs));
    for (size_t i = 0; i < n; i++) {
        const char *eq = strchr(words[i], '=');
        size_t len = eq ? (size_t)(eq - words[i]) : strlen(words[i]);
        const struct input_row *row = input_row(plan->playbook, words[i], len);

        if (!row || !eq)
            return unknown_input(plan->playbook, words[i], err);
        if (plan_input(plan, row->key))
            return err_set(err, CAUSE_INPUT, "%s= is given twice", row->key);
        plan->inputs[plan->n_inputs].key = row->key;
        plan->inputs[plan->n_inputs++].value =
            arena_strdup(&plan->arena, eq + 1);
    }
    return 0;
}

/* A slip of the pen must not be found out in the middle of the night. */
static int check_accepted(const struct plan *plan, struct err *err)
{
    const char *const *known = plan->playbook->accepts;
    struct str list;

    for (const char *const *a = plan->accepted; known && *a; a++) {
        const char *const *k = known;

        while (*k && strcmp(*k, *a) != 0)
            k++;
        if (*k || preflight_acceptable(*a))
            continue;
        str_init(&list, 512);
        for (k = known; *k; k++)
            str_addf(&list, "%s%s", k == known ? "" : ", ", *k);
        err_set(err, CAUSE_INPUT,
                "--accept %s: %s has no such warning; those that block are %s, "
                "and checks on which no data depends",
                *a, plan->playbook->id, str_text(&list));
        str_release(&list);
        return -1;
    }
    return 0;
}

static int check_inputs(struct plan *plan, struct err *err)
{
    for (size_t c = 0; c < plan->n_clusters; c++)
        for (size_t i = 0; i < plan->n_inputs; i++) {
            const char *key = plan->inputs[i].key;
            const struct input_row *row =
                input_row(plan->playbook, key, strlen(key));
            if (row->check &&
                row->check(&plan->clusters[c], plan->inputs[i].value, err) < 0)
                return err_context(err, "%s=%s", key, plan->inputs[i].value);
        }
    return 0;
}

static int add_cluster(struct plan *plan, struct cluster *cluster,
                       struct err *err)
{
    struct plan_cluster *pc = &plan->clusters[plan->n_clusters];
    const struct product *product = plan->playbook->product;

    if (strcmp(cluster->product, product->name) != 0)
        return err_set(
            err, CAUSE_INPUT, "cluster %s is of product %s; %s is for %s",
            cluster->name, cluster->product, plan->playbook->id, product->name);
    if (cluster->n_nodes == 0)
        return err_set(err, CAUSE_INPUT, "cluster %s has no nodes",
                       cluster->name);
    pc->plan = plan;
    pc->cluster = cluster;
    pc->holder = SIZE_MAX;
    pc->n_nodes = cluster->n_nodes;
    pc->nodes = arena_alloc(&plan->arena, pc->n_nodes * sizeof(*pc->nodes));
    for (size_t i = 0; i < pc->n_nodes; i++) {
        pc->nodes[i].node = cluster->nodes[i];
        pc->nodes[i].roles = cluster->nodes[i]->roles;
        pc->nodes[i].facts = product->facts_new();
    }
    plan->n_clusters++;
    return plan->playbook->prepare(pc, err);
}

static const char *const *copy_words(struct arena *arena,
                                     const char *const *words)
{
    size_t n = 0;
    const char **copy;

    while (words && words[n])
        n++;
    copy = arena_alloc(arena, (n + 1) * sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_strdup(arena, words[i]);
    return copy;
}

static const char *draw_tag(struct arena *arena)
{
    uint16_t number = 0;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        abort();
    return arena_printf(arena, "%04x", number);
}

struct plan *plan_new(const struct plan_request *request, struct err *err)
{
    struct plan *plan = calloc(1, sizeof(*plan));

    if (!plan)
        abort();
    arena_init(&plan->arena);
    plan->inventory = request->inventory;
    plan->playbook = request->playbook;
    plan->looks = request->looks;
    plan->target = arena_strdup(&plan->arena, request->target);
    plan->accepted = copy_words(&plan->arena, request->accepted);
    plan->tag = request->tag ? arena_strdup(&plan->arena, request->tag)
                             : draw_tag(&plan->arena);
    plan->clusters = arena_alloc(&plan->arena, (request->n_clusters + 1) *
                                                   sizeof(*plan->clusters));
    if (check_accepted(plan, err) < 0 ||
        read_inputs(plan, request->inputs, err) < 0)
        goto fail;
    for (size_t i = 0; i < request->n_clusters; i++)
        if (add_cluster(plan, request->clusters[i], err) < 0)
            goto fail;
    if (check_inputs(plan, err) < 0 ||
        (!request->stored && plan_issues(plan, err) < 0))
        goto fail;
    return plan;
fail:
    plan_free(plan);
    return NULL;
}

int plan_issues(struct plan *plan, struct err *err)
{
    for (size_t c = 0; c < plan->n_clusters; c++)
        if (plan->playbook->check_issuer && !plan->clusters[c].issued &&
            plan->playbook->check_issuer(&plan->clusters[c], err) < 0)
            return -1;
    return 0;
}

const struct issuer *plan_issuer(const struct plan_cluster *pc)
{
    const struct playbook *pb = pc->plan->playbook;

    return pb->issuer ? pb->issuer(pc) : pc->cluster->issuer;
}

static void drop_content(struct file_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        secret_free(set->files[i].content);
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (size_t c = 0; c < plan->n_clusters; c++) {
        struct plan_cluster *pc = &plan->clusters[c];
        for (size_t i = 0; i < pc->n_nodes; i++) {
            if (pc->nodes[i].facts)
                plan->playbook->product->facts_free(pc->nodes[i].facts);
            free(pc->nodes[i].sent);
            free(pc->nodes[i].listed);
            free(pc->nodes[i].put);
        }
        for (size_t part = 0; part <= pc->n_nodes; part++)
            drop_content(plan_part(pc, part));
        findings_release(&pc->findings);
    }
    arena_release(&plan->arena);
    free(plan);
}

const char *plan_input(const struct plan *plan, const char *key)
{
    for (size_t i = 0; i < plan->n_inputs; i++)
        if (strcmp(plan->inputs[i].key, key) == 0)
            return plan->inputs[i].value;
    return NULL;
}

bool plan_accepts(const struct plan *plan, const char *id)
{
    const char *check = preflight_check(id);

    for (const char *const *a = plan->accepted; a && *a; a++)
        if (strcmp(*a, id) == 0 || (check && strcmp(*a, check) == 0))
            return true;
    return false;
}

/* "dbserver.key" and generation g7-3f9a give "dbserver-g7-3f9a.key": the base
 * name may hold no "." (facts/cms.md 1.5). */
static const char *generation_name(struct arena *arena, const char *slot_name,
                                   unsigned number, const char *tag)
{
    const char *dot = strrchr(slot_name, '.');

    return arena_printf(arena, "%.*s-g%u-%s%s", (int)(dot - slot_name),
                        slot_name, number, tag, dot);
}

struct file_set *plan_part(struct plan_cluster *pc, size_t part)
{
    return part == 0 ? &pc->set : &pc->nodes[part - 1].own;
}

const struct plan_node *plan_part_node(const struct plan_cluster *pc,
                                       size_t part)
{
    return part == 0 ? NULL : &pc->nodes[part - 1];
}

char *plan_file_path(const char *folder, const struct plan_node *pn,
                     const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s%s%s", folder, pn ? pn->node->name : "",
                 pn ? "/" : "", name) < 0)
        abort();
    return path;
}

int plan_name_set(struct plan_cluster *pc, unsigned number, const char *tag,
                  const char *state_dir, struct err *err)
{
    struct arena *arena = &pc->plan->arena;

    if (strlen(tag) != PLAN_TAG_BYTES - 1 ||
        strspn(tag, "0123456789abcdef") != PLAN_TAG_BYTES - 1)
        return err_set(err, CAUSE_INPUT, "`%s' is no generation tag", tag);
    pc->number = number;
    memcpy(pc->tag, tag, PLAN_TAG_BYTES);
    pc->folder = arena_printf(arena, "%s/clusters/%s/g%u-%s", state_dir,
                              pc->cluster->name, number, tag);
    for (size_t part = 0; part <= pc->n_nodes; part++) {
        struct file_set *set = plan_part(pc, part);

        for (size_t i = 0; i < set->n; i++)
            set->files[i].name =
                generation_name(arena, set->files[i].name, number, tag);
    }
    return 0;
}

bool plan_has_cell(const struct plan_cluster *pc, const struct step *step,
                   size_t node)
{
    const struct plan_node *pn = &pc->nodes[node];

    return !pn->left_out && !pn->dropped && (pn->roles & step->roles) != 0 &&
           !(pn->bystander && step->acts);
}

bool plan_is_apart(const struct plan_node *pn)
{
    return pn->newcomer || pn->leaver;
}

bool plan_has_outage(const struct plan_cluster *pc, const struct step *step)
{
    if (!(step->flags & STEP_OUTAGE))
        return false;
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (!plan_is_apart(&pc->nodes[i]) && plan_has_cell(pc, step, i))
            return true;
    return false;
}

bool plan_takes_part(const struct plan_cluster *pc, size_t node)
{
    const struct playbook *pb = pc->plan->playbook;
    uint32_t roles = 0;

    for (size_t row = 0; row < pb->n_steps; row++)
        roles |= pb->steps[row].roles;
    return !pc->nodes[node].left_out && (pc->nodes[node].roles & roles) != 0;
}

const struct file_set *plan_target(const struct plan_cluster *pc, size_t node,
                                   bool back)
{
    const struct plan_node *pn = &pc->nodes[node];

    if (back || pn->bystander || pn->leaver)
        return &pn->old;
    return pn->own.n ? &pn->own : &pc->set;
}

bool plan_node_gets(const struct plan_node *pn, const struct set_file *file)
{
    return file->name && (file->roles == 0 || (file->roles & pn->roles) != 0);
}

static uint64_t bit_of(size_t row)
{
    return row < 64 ? 1ULL << row : 0;
}

void plan_note_row(struct plan_node *pn, size_t row, bool back,
                   const char *state)
{
    if (strcmp(state, "apply") == 0)
        pn->begun[back] |= bit_of(row);
    else if (strcmp(state, "done") == 0 || strcmp(state, "skipped") == 0)
        pn->begun[back] &= ~bit_of(row);
}

bool plan_has_begun(const struct plan_node *pn, size_t row, bool back)
{
    return (pn->begun[back] & bit_of(row)) != 0;
}

static bool is_in(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static void append(struct plan_cluster *pc, const char ***list, size_t *n,
                   const char *name)
{
    const char **grown = realloc(*list, (*n + 1) * sizeof(*grown));

    if (!grown)
        abort();
    *list = grown;
    grown[(*n)++] = arena_strdup(&pc->plan->arena, name);
}

/* What a command makes is ours like what was put.  Its base is the first
 * argument: the template says where that begins. */
static void note_made(struct plan_cluster *pc, size_t node, const char *command)
{
    const struct command_row *row =
        command_match(pc->plan->playbook->product, command, NULL);
    const char *base = row ? command + strcspn(row->template, "{") : NULL;
    char name[256];

    for (const char *p = row ? row->makes : NULL; p && *p;) {
        size_t len = strcspn(p, " ");

        if (*p == '>')
            base = strrchr(command, ' ') + 1;
        snprintf(name, sizeof(name), "%.*s%.*s", (int)strcspn(base, " "), base,
                 *p == '=' || *p == '>' ? 0 : (int)len, p);
        plan_note_put(pc, node, name);
        p += len + strspn(p + len, " ");
    }
}

void plan_note_sent(struct plan_cluster *pc, size_t node, const char *command)
{
    struct plan_node *pn = &pc->nodes[node];

    append(pc, &pn->sent, &pn->n_sent, command);
    note_made(pc, node, command);
}

bool plan_knows_file(const struct plan_node *pn, const char *name)
{
    return is_in(pn->listed, pn->n_listed, name);
}

void plan_note_file(struct plan_cluster *pc, size_t node, const char *name)
{
    struct plan_node *pn = &pc->nodes[node];

    if (!plan_knows_file(pn, name))
        append(pc, &pn->listed, &pn->n_listed, name);
}

bool plan_has_put(const struct plan_node *pn, const char *name)
{
    return is_in(pn->put, pn->n_put, name);
}

void plan_note_put(struct plan_cluster *pc, size_t node, const char *name)
{
    struct plan_node *pn = &pc->nodes[node];

    if (plan_knows_file(pn, name))
        return; /* ours already, or there before we came */
    append(pc, &pn->put, &pn->n_put, name);
    plan_note_file(pc, node, name);
}
