/* SPDX-License-Identifier: Apache-2.0
 *
 * `runs' and `show' read the table of runs; what stands there must be what the
 * journal's "run" records say, which the chain protects.  The records of each
 * run are played again: begin, takeover, unlock, end.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/store_priv.h"

struct ended {               /* how a run ended, or not */
    const char *outcome;     /* NULL: it has not */
    int64_t exit_code, t_ms; /* t_ms 0: nobody noted it */
};

struct told {     /* what the records say of one run */
    json_t *list; /* of their data: texts live in it */
    json_t *begin;
    int64_t began, last; /* seq of begin and of the last record */
    struct ended now, was;
    bool taken;
    size_t unlocks;
};

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A refused takeover has changed nothing (write.c, end_refused). */
static void play_end(struct told *told, const json_t *data, int64_t t_ms)
{
    const char *outcome = text_of(data, "outcome");

    if (told->taken && same(outcome, "refused")) {
        told->now = told->was;
        return;
    }
    told->now = (struct ended){
        outcome, json_integer_value(json_object_get(data, "exit")), t_ms};
}

/* Whoever loses its last cluster ends as incomplete (unlock.c). */
static void play_unlock(struct told *told)
{
    size_t clusters = json_array_size(json_object_get(told->begin, "clusters"));

    if (++told->unlocks >= clusters && !told->now.outcome)
        told->now = (struct ended){"incomplete", 4, 0};
}

static void play(struct told *told, json_t *data, int64_t seq, int64_t t_ms)
{
    const char *event = text_of(data, "event");

    if (same(event, "begin") && !told->begin) {
        told->begin = data;
        told->began = seq;
    } else if (same(event, "takeover")) {
        told->was = told->now;
        told->now = (struct ended){0};
        told->taken = true;
        told->unlocks = 0;
    } else if (same(event, "unlock")) {
        play_unlock(told);
    } else if (same(event, "end")) {
        play_end(told, data, t_ms);
    }
}

static int read_records(struct store *store, const char *run, struct told *told,
                        struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, &store->reader,
               "SELECT seq, t_ms, kind, data FROM journal WHERE run = ?"
               " ORDER BY seq");
    query_text(&q, run);
    while ((rc = query_step(&q, err)) > 0) {
        const char *data = query_column(&q, 3);

        told->last = query_number(&q, 0);
        if (!same(query_column(&q, 2), "run") || !data)
            continue;
        json_array_append_new(told->list, json_loads(data, 0, NULL));
        play(told, json_array_get(told->list, json_array_size(told->list) - 1),
             query_number(&q, 0), query_number(&q, 1));
    }
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

/* -- the row -------------------------------------------------------------- */

/* A text that JSON cannot hold is null there. */
static bool is_told(const json_t *begin, const char *key, const char *column)
{
    const char *text = text_of(begin, key);

    return text ? same(text, column)
                : json_is_null(json_object_get(begin, key));
}

static bool is_told_json(const json_t *begin, const char *key,
                         const char *column)
{
    json_t *json = column ? json_loads(column, 0, NULL) : NULL;
    const json_t *told = json_object_get(begin, key);
    bool is = json
                  ? json_equal(json, told)
                  : json_is_null(told) || same(json_string_value(told), column);

    json_decref(json);
    return is;
}

#define RUN_COLUMNS                                                            \
    "SELECT id, playbook, target, user_name, host, inputs, clusters, outcome," \
    " exit_code, ended_ms, began, fence, changed FROM runs ORDER BY began"

/* The name of a column that is not as told, or NULL. */
static const char *wrong_column(struct query *q, const struct told *told)
{
    static const char *const texts[] = {"playbook", "target", "user", "host"};
    const struct ended *now = &told->now;

    for (int i = 0; i < 4; i++)
        if (!is_told(told->begin, texts[i], query_column(q, 1 + i)))
            return texts[i];
    if (!is_told_json(told->begin, "inputs", query_column(q, 5)))
        return "inputs";
    if (!is_told_json(told->begin, "clusters", query_column(q, 6)))
        return "clusters";
    if (!same(now->outcome, query_column(q, 7)))
        return "outcome";
    if (now->outcome && query_number(q, 8) != now->exit_code)
        return "exit code";
    if (now->t_ms ? query_number(q, 9) != now->t_ms
                  : !now->outcome && query_number(q, 9) != 0)
        return "time of the end";
    if (query_number(q, 10) != told->began)
        return "begin";
    if (query_number(q, 11) > told->last || query_number(q, 12) > told->last)
        return "last takeover"; /* its records were cut off */
    return NULL;
}

static int check_run(struct store *store, struct store_audit *audit,
                     struct query *q, struct err *err)
{
    struct told told = {.list = json_array()};
    const char *run = query_column(q, 0), *wrong;
    int rc = read_records(store, run, &told, err);

    audit->runs++;
    if (rc == 0 && !told.begin)
        audit_misfit(audit, 0, run,
                     "run %s is in the table of runs, and no record says that "
                     "it began",
                     run);
    else if (rc == 0 && (wrong = wrong_column(q, &told)))
        audit_misfit(audit, told.last, run,
                     "the row of run %s is not what its records say: %s", run,
                     wrong);
    json_decref(told.list);
    return rc;
}

static int check_rows(struct store *store, struct store_audit *audit,
                      struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, &store->reader, RUN_COLUMNS);
    while ((rc = query_step(&q, err)) > 0) {
        if (check_run(store, audit, &q, err) < 0) {
            rc = -1;
            break;
        }
    }
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

/* A row that was taken out hides a run from `runs'.  Records of no run are the
 * store's own (moved.c). */
static int check_hidden(struct store *store, struct store_audit *audit,
                        struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, &store->reader,
               "SELECT MIN(seq), run FROM journal WHERE run <> '' AND"
               " run NOT IN (SELECT id FROM runs) GROUP BY run ORDER BY 1");
    while ((rc = query_step(&q, err)) > 0)
        audit_misfit(audit, query_number(&q, 0), query_column(&q, 1),
                     "run %s has records, and no row in the table of runs",
                     query_column(&q, 1));
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

int audit_runs(struct store *store, struct store_audit *audit, struct err *err)
{
    if (check_rows(store, audit, err) < 0)
        return -1;
    return check_hidden(store, audit, err);
}
