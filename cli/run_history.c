/* SPDX-License-Identifier: Apache-2.0
 *
 * From the newest run to older ones, until every cluster of the inventory has
 * its outage: a store of years is not read through for it.
 */
#include "cli/run_history.h"

#include <jansson.h>
#include <string.h>

#include "cli/open_store.h"

static const char *const outcomes[] = {
    "done", "rolled-back", "incomplete", "refused", "waiting", "interrupted",
    "ok",   "error",       "locked",     "running", "cut-off", "other"};
enum {
    N_OUTCOMES = sizeof(outcomes) / sizeof(outcomes[0])
};

struct past { /* a run that may have had an outage */
    char id[STORE_ID_BYTES];
    char *clusters;
};

struct reading {
    const struct inventory *inventory;
    struct arena *arena;
    struct run_history *history;
    struct past *runs; /* newest first */
    size_t n_runs, room;
};

static const char *word_of(const struct store_run *run)
{
    if (run->ended_ms && run->outcome)
        return run->outcome;
    return run->living ? "running" : "cut-off";
}

static void count(struct run_history *history, const char *word)
{
    size_t i = 0;

    while (i + 1 < history->n_counts &&
           strcmp(history->counts[i].outcome, word) != 0)
        i++;
    history->counts[i].n++;
}

static size_t held_by(const struct store_run *run)
{
    json_t *names =
        run->holds && run->clusters ? json_loads(run->clusters, 0, NULL) : NULL;
    size_t n = json_array_size(names);

    json_decref(names);
    return n;
}

static bool on_run(void *user, const struct store_run *run)
{
    struct reading *r = user;
    struct past *grown;

    count(r->history, word_of(run));
    r->history->held += held_by(run);
    if (r->n_runs == r->room) {
        r->room = r->room ? r->room * 2 : 64;
        grown = arena_alloc(r->arena, r->room * sizeof(*grown));
        if (r->n_runs)
            memcpy(grown, r->runs, r->n_runs * sizeof(*grown));
        r->runs = grown;
    }
    memcpy(r->runs[r->n_runs].id, run->id,
           strnlen(run->id, STORE_ID_BYTES - 1));
    r->runs[r->n_runs++].clusters =
        arena_strdup(r->arena, run->clusters ? run->clusters : "[]");
    return true;
}

static struct history_outage *find(struct run_history *history,
                                   const char *cluster)
{
    for (size_t i = 0; i < history->n_outages; i++)
        if (strcmp(history->outages[i].cluster, cluster) == 0)
            return &history->outages[i];
    return NULL;
}

static const char *name_of(const struct inventory *inventory, const char *name)
{
    for (size_t i = 0; i < inventory->n_clusters; i++)
        if (strcmp(inventory->clusters[i]->name, name) == 0)
            return inventory->clusters[i]->name;
    return NULL;
}

/* Within a run the last word counts: a way back has its own outage. */
struct of_run {
    struct reading *reading;
    size_t before; /* outages that newer runs gave */
};

static void note(struct of_run *of, const char *cluster, int64_t ms,
                 int64_t t_ms)
{
    struct run_history *h = of->reading->history;
    struct history_outage *o = find(h, cluster);

    if (o && (size_t)(o - h->outages) < of->before)
        return;
    if (!o) {
        o = &h->outages[h->n_outages++];
        o->cluster = cluster;
    }
    o->ms = ms;
    o->t_ms = t_ms;
}

static bool on_entry(void *user, const struct store_entry *entry)
{
    struct of_run *of = user;
    const char *cluster;
    json_t *data;
    int64_t ms;

    if (!entry->record.cluster || !entry->record.data ||
        strcmp(entry->record.kind, "outcome") != 0)
        return true;
    cluster = name_of(of->reading->inventory, entry->record.cluster);
    data = json_loads(entry->record.data, 0, NULL);
    ms = json_integer_value(json_object_get(data, "outage_ms"));
    if (cluster && ms > 0)
        note(of, cluster, ms, entry->t_ms);
    json_decref(data);
    return true;
}

/* Has the run a cluster whose outage is still sought? */
static bool is_wanted(const struct reading *r, const struct past *run)
{
    json_t *names = json_loads(run->clusters, 0, NULL), *name;
    bool wanted = false;
    size_t i;

    json_array_foreach(names, i, name)
    {
        const char *cluster = json_string_value(name);
        wanted = wanted || (cluster && name_of(r->inventory, cluster) &&
                            !find(r->history, cluster));
    }
    json_decref(names);
    return wanted;
}

static int read_all(struct reading *r, struct store *store, struct err *err)
{
    struct run_history *h = r->history;

    if (store_runs(store, NULL, on_run, r, err) < 0)
        return -1;
    for (size_t i = 0; i < r->n_runs; i++) {
        struct of_run of = {r, h->n_outages};

        if (h->n_outages == r->inventory->n_clusters)
            break;
        if (is_wanted(r, &r->runs[i]) &&
            store_journal(store, r->runs[i].id, 0, on_entry, &of, err) < 0)
            return -1;
    }
    return 0;
}

int run_history_read(const struct inventory *inventory, struct arena *arena,
                     struct run_history *history, struct err *err)
{
    struct reading r = {inventory, arena, history, NULL, 0, 0};
    struct store *store;
    int rc;

    history->n_counts = N_OUTCOMES;
    history->counts = arena_alloc(arena, N_OUTCOMES * sizeof(*history->counts));
    for (size_t i = 0; i < N_OUTCOMES; i++)
        history->counts[i].outcome = outcomes[i];
    history->n_outages = 0;
    history->held = 0;
    history->outages = arena_alloc(arena, (inventory->n_clusters + 1) *
                                              sizeof(*history->outages));
    if (!open_store_is_there(inventory))
        return 0;
    store = open_store(inventory, NULL, err);
    if (!store)
        return -1;
    rc = read_all(&r, store, err);
    store_close(store);
    return rc;
}
