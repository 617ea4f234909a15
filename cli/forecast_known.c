/* SPDX-License-Identifier: Apache-2.0
 *
 * What a forecast stands on: the reading that was kept, and the store.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/forecast_priv.h"
#include "cli/open_store.h"
#include "cli/reading.h"
#include "core/fleet/inventory.h"

struct cast_cluster *cast_cluster_of(const struct cast *cast,
                                     const struct cluster *cluster)
{
    size_t place = cast->place[cluster->index];

    return place ? &cast->clusters[place - 1] : NULL;
}

struct cast_cluster *cast_cluster_named(const struct cast *cast,
                                        const char *name)
{
    const struct cluster *cluster =
        inventory_cluster(cast->renew->app->inventory, name);

    return cluster ? cast_cluster_of(cast, cluster) : NULL;
}

static void make_list(struct cast *cast)
{
    const struct target *target = &cast->renew->target;
    struct arena *arena = &cast->renew->arena;

    cast->clusters =
        arena_alloc(arena, (target->n_clusters + 1) * sizeof(*cast->clusters));
    cast->place =
        arena_alloc(arena, (cast->renew->app->inventory->n_clusters + 1) *
                               sizeof(*cast->place));
    for (size_t i = 0; i < target->n_clusters; i++) {
        cast->clusters[i].cluster = target->clusters[i];
        cast->place[target->clusters[i]->index] = i + 1;
    }
}

/* -- the reading ----------------------------------------------------------- */

static void take_node(struct cast *cast, const struct fleet_node *node)
{
    struct cast_cluster *cc = cast_cluster_named(cast, node->cluster);

    if (!cc)
        return;
    if (!cc->n_read++ || node->read_at < cc->read_at)
        cc->read_at = node->read_at;
    if (!node->up)
        cc->unreachable = node->node;
}

static void find_unread(struct cast *cast)
{
    for (size_t i = 0; i < cast->renew->target.n_clusters; i++) {
        struct cast_cluster *cc = &cast->clusters[i];

        if (cc->n_read == 0 && cc->cluster->n_nodes)
            cc->unread = "not read yet";
        else if (cc->n_read < cc->cluster->n_nodes)
            cc->unread = "not all its nodes were read yet";
    }
}

/* -- runs ------------------------------------------------------------------ */

static bool went_well(const struct store_run *run)
{
    return run->ended_ms && run->outcome && strcmp(run->outcome, "done") == 0;
}

/* Did it change the cluster after that was read, or may it have? */
static bool is_behind(const struct cast_cluster *cc,
                      const struct store_run *run)
{
    int64_t end = run->ended_ms ? run->ended_ms : run->started_ms;

    return !cc->unread && end / 1000 > cc->read_at &&
           !(run->outcome && (strcmp(run->outcome, "refused") == 0 ||
                              strcmp(run->outcome, "ok") == 0));
}

static void note_change(struct cast *cast, const struct store_run *run)
{
    json_t *names = run->clusters ? json_loads(run->clusters, 0, NULL) : NULL;
    json_t *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        struct cast_cluster *cc =
            json_is_string(name)
                ? cast_cluster_named(cast, json_string_value(name))
                : NULL;

        if (cc && is_behind(cc, run))
            cc->unread = arena_printf(&cast->renew->arena,
                                      "not read since run %s", run->id);
    }
    json_decref(names);
}

/* Is a newer one of this playbook and these clusters there already? */
static bool is_older(const struct cast *cast, const struct store_run *run)
{
    for (size_t i = 0; i < cast->n_runs; i++)
        if (went_well(&cast->runs[i]) &&
            strcmp(cast->runs[i].playbook, run->playbook) == 0 &&
            strcmp(cast->runs[i].clusters, run->clusters) == 0)
            return true;
    return false;
}

static bool on_run(void *user, const struct store_run *run)
{
    struct cast *cast = user;
    struct arena *arena = &cast->renew->arena;
    struct store_run *kept;

    note_change(cast, run);
    if (!run->clusters ||
        (!run->holds && (!went_well(run) || is_older(cast, run))))
        return true;
    if (cast->n_runs == cast->runs_room) {
        cast->runs_room = cast->runs_room ? cast->runs_room * 2 : 64;
        cast->runs = realloc(cast->runs, cast->runs_room * sizeof(*cast->runs));
        if (!cast->runs)
            abort();
    }
    kept = &cast->runs[cast->n_runs++];
    *kept = *run;
    kept->id = arena_strdup(arena, run->id);
    kept->playbook = arena_strdup(arena, run->playbook);
    kept->clusters = arena_strdup(arena, run->clusters);
    kept->outcome = arena_strdup(arena, run->outcome);
    return true;
}

static int read_runs(struct cast *cast, struct err *err)
{
    const struct inventory *inv = cast->renew->app->inventory;
    struct store *store;
    int rc;

    if (!open_store_is_there(inv))
        return 0;
    store = open_store(inv, NULL, err);
    if (!store)
        return -1;
    rc = store_runs(store, NULL, on_run, cast, err);
    store_close(store);
    return rc;
}

int cast_open(struct cast *cast, struct err *err)
{
    make_list(cast);
    cast->facts.now = cast->renew->now;
    if (reading_load(cast->renew->app->inventory, &cast->renew->arena,
                     &cast->facts, err) < 0)
        return -1;
    for (size_t i = 0; i < cast->facts.n_nodes; i++)
        take_node(cast, &cast->facts.nodes[i]);
    find_unread(cast);
    return read_runs(cast, err);
}

void cast_close(struct cast *cast)
{
    fleet_release(&cast->facts);
    free(cast->runs);
}

/* -- for a pass ------------------------------------------------------------ */

static bool is_renewed(const struct cast_cluster *cc, const char *playbook)
{
    for (size_t i = 0; i < cc->n_renewed && i < CAMPAIGN_TASKS_MAX; i++)
        if (playbook && strcmp(cc->renewed[i]->id, playbook) == 0)
            return true;
    return false;
}

static void offer_certs(const struct cast *cast, struct renew *pass)
{
    for (size_t i = 0; i < cast->facts.n_certs; i++) {
        const struct fleet_cert *c = &cast->facts.certs[i];
        const struct cast_cluster *cc = cast_cluster_named(cast, c->cluster);
        struct cert_row row = c->row;

        if (!cc || cc->unread || is_renewed(cc, row.playbook))
            continue;
        row.service = c->service;
        row.file = c->file;
        renew_offer(pass, &pass->clusters[cc - cast->clusters], c->node, &row);
    }
}

void cast_fill(const struct cast *cast, struct renew *pass)
{
    for (size_t i = 0; i < pass->n; i++) {
        const struct cast_cluster *cc = &cast->clusters[i];

        if (cc->unread || !cc->unreachable)
            continue;
        pass->clusters[i].kind = RENEW_UNREACHABLE;
        snprintf(pass->clusters[i].why, sizeof(pass->clusters[i].why),
                 "node %s did not answer", cc->unreachable);
    }
    offer_certs(cast, pass);
    for (size_t i = 0; i < cast->n_runs; i++)
        renew_note_run(pass, &cast->runs[i]);
}

/* The longest of the newest that went well. */
static int64_t took_elsewhere(const struct cast *cast, const char *playbook)
{
    int64_t longest = 0;

    for (size_t i = 0; i < cast->n_runs; i++) {
        const struct store_run *run = &cast->runs[i];

        if (went_well(run) && !strchr(run->clusters, ',') &&
            strcmp(run->playbook, playbook) == 0 &&
            run->ended_ms - run->started_ms > longest)
            longest = run->ended_ms - run->started_ms;
    }
    return longest;
}

int64_t cast_need_of_others(const struct cast *cast,
                            const struct renew_cluster *c)
{
    int64_t sum = 0;

    for (size_t i = 0; i < c->n_tasks; i++) {
        int64_t took = c->took_ms[i]
                           ? c->took_ms[i]
                           : took_elsewhere(cast, c->tasks[i].playbook->id);

        if (took == 0)
            return 0;
        sum += took;
    }
    return (2 * sum + 999) / 1000;
}
