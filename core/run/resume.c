/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan out of the journal: what was intended, what was sent, what was made.
 * What happened is for the nodes to say: nothing here is taken for a fact
 * about them, but who held the data (I1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fleet/target.h"
#include "core/run/run.h"

struct head { /* the run's own row */
    char *playbook, *target, *inputs, *outcome;
};

static bool take_head(void *user, const struct store_run *run)
{
    struct head *head = user;

    head->playbook = strdup(run->playbook);
    head->target = strdup(run->target);
    head->inputs = strdup(run->inputs ? run->inputs : "{}");
    head->outcome = strdup(run->outcome ? run->outcome : "");
    return false;
}

static void free_head(struct head *head)
{
    free(head->playbook);
    free(head->target);
    free(head->inputs);
    free(head->outcome);
}

/* -- inputs: the stored ones, and today's over them ----------------------- */

static bool is_given(const char *const *words, const char *key)
{
    size_t len = strlen(key);

    for (; words && *words; words++)
        if (strncmp(*words, key, len) == 0 && (*words)[len] == '=')
            return true;
    return false;
}

/* `without` is not inherited: a resume brings the absent node in. */
static const char **merge_inputs(struct arena *arena, const char *stored,
                                 const char *const *words)
{
    json_t *json = json_loads(stored, 0, NULL);
    size_t n = json_object_size(json), given = 0;
    const char **list, *key;
    json_t *value;

    while (words && words[given])
        given++;
    list = arena_alloc(arena, (n + given + 1) * sizeof(*list));
    n = 0;
    json_object_foreach(json, key, value) if (strcmp(key, "without") != 0 &&
                                              !is_given(words, key)) list[n++] =
        arena_printf(arena, "%s=%s", key, json_string_value(value));
    for (size_t i = 0; i < given; i++)
        list[n++] = words[i];
    json_decref(json);
    return list;
}

/* -- the journal, record by record ---------------------------------------- */

struct replay {
    struct plan *plan;
    struct err *err;
    bool agreed; /* somebody said yes to its plan */
    int rc;
};

static struct plan_cluster *find_cluster(struct plan *plan, const char *name)
{
    for (size_t i = 0; name && i < plan->n_clusters; i++)
        if (strcmp(plan->clusters[i].cluster->name, name) == 0)
            return &plan->clusters[i];
    return NULL;
}

static size_t find_node(const struct plan_cluster *pc, const char *name)
{
    for (size_t i = 0; name && i < pc->n_nodes; i++)
        if (strcmp(pc->nodes[i].node->name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* The same id may stand in rows of disjoint roles: the node tells which. */
static const struct step *find_step(const struct plan_cluster *pc,
                                    const char *id, size_t node)
{
    const struct playbook *pb = pc->plan->playbook;

    for (size_t i = 0; id && i < pb->n_steps; i++)
        if (strcmp(pb->steps[i].id, id) == 0 &&
            (node == SIZE_MAX || (pb->steps[i].roles & pc->nodes[node].roles)))
            return &pb->steps[i];
    return NULL;
}

static void replay_digests(struct file_set *set, const json_t *files)
{
    const json_t *item;
    size_t i;

    json_array_foreach(files, i, item)
    {
        const char *slot = json_string_value(json_object_get(item, "slot"));
        const char *sha = json_string_value(json_object_get(item, "sha256"));
        const char *cert =
            json_string_value(json_object_get(item, "cert_sha256"));
        for (size_t f = 0; slot && sha && f < set->n; f++)
            if (strcmp(set->files[f].slot, slot) == 0) {
                snprintf(set->files[f].sha256, sizeof(set->files[f].sha256),
                         "%s", sha);
                snprintf(set->files[f].cert_sha256,
                         sizeof(set->files[f].cert_sha256), "%s",
                         cert ? cert : "");
            }
    }
}

static void replay_generation(struct plan_cluster *pc, const json_t *data)
{
    const json_t *nodes = json_object_get(data, "nodes");

    replay_digests(&pc->set, json_object_get(data, "files"));
    for (size_t i = 0; i < pc->n_nodes; i++)
        replay_digests(&pc->nodes[i].own,
                       json_object_get(nodes, pc->nodes[i].node->name));
    pc->issued = true;
}

static void replay_taken(struct plan_cluster *pc,
                         const struct store_entry *entry, const json_t *data)
{
    size_t node = find_node(pc, entry->record.node);
    bool own = node != SIZE_MAX && pc->nodes[node].own.n;

    replay_digests(own ? &pc->nodes[node].own : &pc->set,
                   json_object_get(data, "files"));
}

static void replay_acts(struct plan_cluster *pc, size_t node,
                        const json_t *acts)
{
    const json_t *act;
    size_t i;

    json_array_foreach(acts, i, act)
    {
        const char *text = json_string_value(act);

        if (!text || node == SIZE_MAX)
            continue;
        if (strncmp(text, "put ", 4) == 0)
            plan_note_put(pc, node, text + 4);
        else if (strncmp(text, "get ", 4) != 0 &&
                 strncmp(text, "remove ", 7) != 0)
            plan_note_sent(pc, node, text);
    }
}

static void replay_way(struct plan_cluster *pc, bool back)
{
    if (back != pc->was_back)
        pc->turned = false;
    pc->was_back = back;
}

static void note_left(struct plan_cluster *pc, size_t node, int64_t t_ms)
{
    if (node != SIZE_MAX && !pc->nodes[node].left_ms)
        pc->nodes[node].left_ms = t_ms;
}

static bool is_apart(const struct plan_cluster *pc, size_t node)
{
    return node != SIZE_MAX && plan_is_apart(&pc->nodes[node]);
}

static void replay_cell(struct plan_cluster *pc,
                        const struct store_entry *entry, const json_t *data)
{
    const char *to = json_string_value(json_object_get(data, "to"));
    const char *walk = json_string_value(json_object_get(data, "walk"));
    size_t node = find_node(pc, entry->record.node);
    const struct step *step = find_step(pc, entry->record.step, node);

    if (!step || !to)
        return;
    if (step->flags & STEP_LIVE) {
        replay_way(pc, walk && strcmp(walk, "back") == 0);
        if (node != SIZE_MAX)
            plan_note_row(&pc->nodes[node],
                          (size_t)(step - pc->plan->playbook->steps),
                          pc->was_back, to);
    }
    if ((step->flags & STEP_TURN) &&
        (strcmp(to, "done") == 0 || strcmp(to, "skipped") == 0))
        pc->turned = true;
    if (strcmp(to, "apply") == 0) {
        replay_acts(pc, node, json_object_get(data, "acts"));
        if (step->flags & STEP_LIVE) {
            pc->left = true;
            pc->outage_sent |=
                (step->flags & STEP_OUTAGE) != 0 && !is_apart(pc, node);
            note_left(pc, node, entry->t_ms);
            pc->was_done = false; /* a way back from it has begun */
        }
    }
}

static void replay_clock(struct plan_cluster *pc, const json_t *data)
{
    const char *clock = json_string_value(json_object_get(data, "clock"));
    const char *edge = json_string_value(json_object_get(data, "edge"));
    int64_t ms = json_integer_value(json_object_get(data, "ms"));
    bool outage = clock && strcmp(clock, "outage") == 0;
    bool began = edge && strcmp(edge, "began") == 0;

    if (outage && began)
        pc->outage_began_ms = ms;
    else if (outage)
        pc->outage_began_ms = 0, pc->outage_ms = ms;
    else if (began)
        pc->degraded_began_ms = ms;
    else
        pc->degraded_began_ms = 0, pc->degraded_ms = ms;
}

/* A walk that ended well settles what came before it: a later rollback of a
 * done run begins from scratch.  One that was refused, or stopped before its
 * first live act, leaves a done run what it was. */
static void replay_outcome(struct plan_cluster *pc, const json_t *data)
{
    const char *outcome = json_string_value(json_object_get(data, "outcome"));

    if (outcome && strcmp(outcome, "refused") != 0 &&
        strcmp(outcome, "interrupted") != 0)
        pc->was_done = strcmp(outcome, "done") == 0;
    if (pc->was_done)
        pc->outage_ms = pc->degraded_ms = 0; /* a way back has its own */
}

static void replay_holder(struct plan_cluster *pc, const json_t *data)
{
    const char *name = json_string_value(json_object_get(data, "holder"));
    size_t node = find_node(pc, name);

    if (node != SIZE_MAX && pc->plan->playbook->assign)
        pc->plan->playbook->assign(pc, node);
}

int run_replay(struct plan *plan, const struct store_entry *entry,
               struct err *err)
{
    struct plan_cluster *pc = find_cluster(plan, entry->record.cluster);
    const char *kind = entry->record.kind;
    json_t *data =
        entry->record.data ? json_loads(entry->record.data, 0, NULL) : NULL;
    int rc = 0;

    if (!pc || !data) {
        json_decref(data);
        return 0;
    }
    if (strcmp(kind, "plan") == 0)
        rc = plan_cluster_load(pc, data, err);
    else if (strcmp(kind, "generation") == 0)
        replay_generation(pc, data);
    else if (strcmp(kind, "taken") == 0)
        replay_taken(pc, entry, data);
    else if (strcmp(kind, "cell") == 0)
        replay_cell(pc, entry, data);
    else if (strcmp(kind, "holder") == 0)
        replay_holder(pc, data);
    else if (strcmp(kind, "clock") == 0)
        replay_clock(pc, data);
    else if (strcmp(kind, "outcome") == 0)
        replay_outcome(pc, data);
    json_decref(data);
    return rc;
}

static bool replay_entry(void *user, const struct store_entry *entry)
{
    struct replay *replay = user;

    replay->agreed |= strcmp(entry->record.kind, "go") == 0;
    replay->rc = run_replay(replay->plan, entry, replay->err);
    return replay->rc == 0;
}

static bool is_left_or_done(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_clusters; i++)
        if (plan->clusters[i].left || plan->clusters[i].was_done)
            return true;
    return false;
}

/* While nothing live was changed a resume may still come to another plan than
 * the one that was approved (it brings in who was left out, too); later
 * nothing that leads on may wait. */
static int check_approved(const struct run_load *options,
                          const struct replay *replay, struct err *err)
{
    bool other = (options->inputs && options->inputs[0]) ||
                 (options->accepted && options->accepted[0]);

    if (is_left_or_done(replay->plan))
        return 0;
    for (size_t i = 0; i < replay->plan->n_clusters; i++) {
        const struct plan_cluster *pc = &replay->plan->clusters[i];

        if (pc->cluster->approvals == 0 ||
            (replay->agreed && !other && !pc->was_short))
            continue;
        return err_set(err, CAUSE_REFUSED,
                       "cluster %s wants approvals, and %s: make a plan "
                       "(`certfleet plan ... -o FILE'), have it approved and "
                       "apply it",
                       pc->cluster->name,
                       !replay->agreed
                           ? "the run ended before its plan was agreed to"
                       : other ? "KEY=VALUE and --accept would change the "
                                 "plan that was approved"
                               : "the plan that was approved leaves nodes "
                                 "out, which a resume brings in");
    }
    return 0;
}

static int replay_journal(struct store *store, const char *run,
                          const struct run_load *options, struct plan *plan,
                          struct err *err)
{
    struct replay replay = {.plan = plan, .err = err};

    if (store_journal(store, run, 0, replay_entry, &replay, err) < 0)
        return -1;
    if (replay.rc < 0)
        return -1;
    for (size_t i = 0; i < plan->n_clusters; i++) {
        struct plan_cluster *pc = &plan->clusters[i];
        if (pc->tag[0])
            pc->folder = arena_printf(&plan->arena, "%s/clusters/%s/g%u-%s",
                                      plan->inventory->state_dir,
                                      pc->cluster->name, pc->number, pc->tag);
    }
    return options->back ? 0 : check_approved(options, &replay, err);
}

/* -- all of it ------------------------------------------------------------ */

static int split_target(const struct inventory *inventory, struct arena *arena,
                        const char *text, struct target *target,
                        struct err *err)
{
    const char *words[256];
    size_t n = 0;

    for (const char *p = text; *p && n < 256;) {
        size_t len = strcspn(p, " ");
        words[n++] = arena_strndup(arena, p, len);
        p += len + strspn(p + len, " ");
    }
    if (target_clusters(inventory, arena, words, n, target, err) < 0)
        return err_context(err, "the run's target");
    return 0;
}

static int make_request(const struct run_load *options, const struct head *head,
                        struct arena *arena, struct plan_request *request,
                        struct err *err)
{
    struct target target = {0};

    if (split_target(options->inventory, arena, head->target, &target, err) < 0)
        return -1;
    *request = (struct plan_request){
        .inventory = options->inventory,
        .playbook = options->playbook(head->playbook),
        .target = head->target,
        .clusters = target.clusters,
        .n_clusters = target.n_clusters,
        .inputs = merge_inputs(arena, head->inputs, options->inputs),
        .accepted = options->accepted,
        .stored = true,
    };
    if (!request->playbook)
        return err_set(err, CAUSE_INPUT,
                       "this program does not have its playbook %s",
                       head->playbook);
    return 0;
}

static struct plan *load(struct store *store, const char *run,
                         const struct run_load *options,
                         const struct head *head, struct err *err)
{
    struct plan_request request;
    struct arena arena;
    struct plan *plan = NULL;

    arena_init(&arena);
    if (make_request(options, head, &arena, &request, err) == 0)
        plan = plan_new(&request, err);
    /* A way back makes no set: it must not need a CA that is kept offline */
    if (plan && (replay_journal(store, run, options, plan, err) < 0 ||
                 (!options->back && plan_issues(plan, err) < 0))) {
        plan_free(plan);
        plan = NULL;
    }
    arena_release(&arena);
    return plan;
}

struct plan *run_load_plan(struct store *store, const char *run,
                           const struct run_load *options, struct err *err)
{
    struct head head = {0};
    struct plan *plan = NULL;

    if (store_runs(store, run, take_head, &head, err) == 0) {
        if (head.playbook)
            plan = load(store, run, options, &head, err);
        else
            err_set(err, CAUSE_INPUT, "there is no such run");
        if (!plan)
            err_context(err, "run %s", run);
    }
    free_head(&head);
    return plan;
}
