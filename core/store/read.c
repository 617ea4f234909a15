/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocking reads, on the reader's connection: a batch in the pool is never
 * waited for, and what it has not committed is not seen.
 */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "core/store/store_priv.h"

/* -- runs ----------------------------------------------------------------- */

static void run_read(struct store_run *run, struct query *q)
{
    memset(run, 0, sizeof(*run));
    run->id = query_column(q, 0);
    run->playbook = query_column(q, 1);
    run->target = query_column(q, 2);
    run->inputs = query_column(q, 3);
    run->user = query_column(q, 4);
    run->host = query_column(q, 5);
    run->outcome = query_column(q, 6);
    run->clusters = query_column(q, 7);
    run->exit_code = (int)query_number(q, 8);
    run->started_ms = query_number(q, 9);
    run->ended_ms = query_number(q, 10);
    run->holds = query_number(q, 11) > 0;
    run->living = query_number(q, 12) > 0;
}

int store_runs(struct store *store, const char *run, store_run_f *each,
               void *user, struct err *err)
{
    struct store_run row;
    struct query q;
    int rc;

    query_init(&q, &store->reader,
               "SELECT id, playbook, target, inputs, user_name, host, outcome,"
               " clusters, exit_code, started_ms, ended_ms,"
               " (SELECT COUNT(*) FROM locks WHERE locks.run = runs.id),"
               " run_lives(id) FROM runs WHERE ? IS NULL OR id = ? ORDER BY "
               "began DESC");
    query_text(&q, run);
    query_text(&q, run);
    while ((rc = query_step(&q, err)) > 0) {
        run_read(&row, &q);
        if (!each(user, &row))
            break;
    }
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

enum {
    FIND_LISTED = 8
};

/* How many ids begin with `word` ("": all), the newest first; the first few
 * are listed. */
static int list_runs(struct store *store, const char *word, struct str *list,
                     struct err *err)
{
    struct query q;
    int n = 0, rc;

    query_init(&q, &store->reader,
               "SELECT id FROM runs WHERE substr(id, 1, length(?)) = ?"
               " ORDER BY began DESC");
    query_text(&q, word);
    query_text(&q, word);
    while ((rc = query_step(&q, err)) > 0) {
        if (n < FIND_LISTED)
            str_addf(list, "%s%s", n ? ", " : "", query_column(&q, 0));
        else if (n == FIND_LISTED)
            str_add(list, ", ...");
        n++;
    }
    query_release(&q);
    return rc < 0 ? -1 : n;
}

static int find_none(struct store *store, const char *word, struct err *err)
{
    struct str list;
    int n;

    str_init(&list, 512);
    n = list_runs(store, "", &list, err);
    if (n == 0)
        err_set(err, CAUSE_INPUT, "no run \"%.100s\": there are no runs yet",
                word);
    else if (n > 0)
        err_set(err, CAUSE_INPUT,
                "no run \"%.100s\"; the newest are %s (`certfleet runs` lists "
                "them all)",
                word, str_text(&list));
    str_release(&list);
    return -1;
}

static int find_prefix(struct store *store, const char *word, char *id,
                       struct err *err)
{
    struct str list;
    int n;

    str_init(&list, 512);
    n = list_runs(store, word, &list, err);
    if (n == 1)
        snprintf(id, STORE_ID_BYTES, "%s", str_text(&list));
    else if (n > 1)
        err_set(err, CAUSE_INPUT, "\"%.100s\" begins %d runs: %s", word, n,
                str_text(&list));
    str_release(&list);
    if (n == 0)
        return find_none(store, word, err);
    return n == 1 ? 0 : -1;
}

/* 1: found, 0: not, -1. */
static int find_one(struct store *store, const char *sql, const char *word,
                    char *id, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, &store->reader, sql);
    if (word)
        query_text(&q, word);
    rc = query_step(&q, err);
    if (rc > 0)
        snprintf(id, STORE_ID_BYTES, "%s", query_column(&q, 0));
    query_release(&q);
    return rc;
}

int store_find(struct store *store, const char *word, char *id, struct err *err)
{
    int rc;

    id[0] = '\0';
    if (strcmp(word, "last") == 0)
        rc = find_one(store, "SELECT id FROM runs ORDER BY began DESC LIMIT 1",
                      NULL, id, err);
    else
        rc = find_one(store, "SELECT id FROM runs WHERE id = ?", word, id, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (strcmp(word, "last") == 0 || !word[0])
        return find_none(store, word, err);
    return find_prefix(store, word, id, err);
}

int store_head(struct store *store, int64_t *seq, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, &store->reader, "SELECT seq FROM chain");
    rc = query_step(&q, err);
    *seq = rc > 0 ? query_number(&q, 0) : 0;
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

/* A run that was refused, only staged, proven taken back, or no change at all
 * ("ok": prune) left the cluster as it was. */
int store_later_run(struct store *store, const char *cluster, const char *run,
                    char *id, struct err *err)
{
    struct query q;
    int rc;

    rc = find_one(store, "SELECT id FROM runs WHERE id = ?", run, id, err);
    id[0] = '\0';
    if (rc <= 0)
        return rc < 0 ? -1
                      : err_set(err, CAUSE_INPUT, "there is no run %s", run);
    query_init(&q, &store->reader,
               "SELECT r.id FROM runs r JOIN run_clusters c ON c.run = r.id"
               " WHERE c.cluster = ? AND r.id <> ?"
               " AND r.changed > (SELECT began FROM runs WHERE id = ?)"
               " AND (r.outcome IS NULL OR r.outcome NOT IN"
               " ('ok', 'refused', 'staged', 'waiting', 'rolled-back'))"
               " ORDER BY r.changed DESC LIMIT 1");
    query_text(&q, cluster);
    query_text(&q, run);
    query_text(&q, run);
    rc = query_step(&q, err);
    if (rc > 0)
        snprintf(id, STORE_ID_BYTES, "%s", query_column(&q, 0));
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

/* -- the journal ---------------------------------------------------------- */

static void entry_read(struct store_entry *entry, struct query *q)
{
    entry->seq = query_number(q, 0);
    entry->t_ms = query_number(q, 1);
    entry->record.run = query_column(q, 2);
    entry->record.cluster = query_column(q, 3);
    entry->record.node = query_column(q, 4);
    entry->record.step = query_column(q, 5);
    entry->record.kind = query_column(q, 6);
    entry->record.data = query_column(q, 7);
}

#define ENTRY_COLUMNS "seq, t_ms, run, cluster, node, step, kind, data"

int store_journal(struct store *store, const char *run, int64_t after,
                  store_entry_f *each, void *user, struct err *err)
{
    struct store_entry entry;
    struct query q;
    int rc;

    if (run) {
        query_init(&q, &store->reader,
                   "SELECT " ENTRY_COLUMNS " FROM journal"
                   " WHERE run = ? AND seq > ? ORDER BY seq");
        query_text(&q, run);
    } else {
        query_init(&q, &store->reader,
                   "SELECT " ENTRY_COLUMNS " FROM journal"
                   " WHERE seq > ? ORDER BY seq");
    }
    query_int(&q, after);
    while ((rc = query_step(&q, err)) > 0) {
        entry_read(&entry, &q);
        if (!each(user, &entry))
            break;
    }
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

static int read_number(const char *data, int64_t seq, unsigned *number,
                       struct err *err)
{
    json_t *json = data ? json_loads(data, 0, NULL) : NULL;
    json_int_t n = json_integer_value(json_object_get(json, "number"));

    json_decref(json);
    /* A number that is overlooked would be given out again */
    if (n < 1 || n > UINT_MAX)
        return err_set(err, CAUSE_SYSTEM,
                       "journal record %lld names no generation number",
                       (long long)seq);
    if ((unsigned)n > *number)
        *number = (unsigned)n;
    return 0;
}

int store_generation(struct store *store, const char *cluster, unsigned *number,
                     struct err *err)
{
    struct query q;
    int rc;

    *number = 0;
    query_init(&q, &store->reader,
               "SELECT seq, data FROM journal"
               " WHERE kind = 'generation' AND cluster = ?");
    query_text(&q, cluster);
    while ((rc = query_step(&q, err)) > 0) {
        rc = read_number(query_column(&q, 1), query_number(&q, 0), number, err);
        if (rc < 0)
            break;
    }
    query_release(&q);
    return rc < 0 ? -1 : 0;
}
