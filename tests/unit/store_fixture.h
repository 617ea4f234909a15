/* SPDX-License-Identifier: Apache-2.0
 *
 * A store of its own for each of the store's tests, completions that are
 * counted, and a look at the tables past the store.  The same tests run on
 * SQLite, and on PostgreSQL where it is installed.
 */
#ifndef CERTFLEET_TEST_RUN_STORE_FIXTURE_H
#define CERTFLEET_TEST_RUN_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <uv.h>

#include "core/store/store_priv.h"
#include "tests/unit/pg_server.h"
#include "tests/unit/remove_tree.h"
#include "tests/unit/slow.h"

static struct pg_server bed_server; /* started: beds are on it */

struct bed {
    char folder[64];
    char url[256]; /* "": SQLite in the folder */
    uv_loop_t loop;
    struct store *store;
};

/* Completions: each call has a number, and they come in its order, once. */
struct tally {
    int asked, told, bad;
    bool in_call;
    struct err err; /* of the last bad one */
};

struct call {
    struct tally *tally;
    int number;
};

static inline void on_told(void *user, const struct err *err)
{
    struct call *call = user;
    struct tally *t = call->tally;

    assert_false(t->in_call);
    assert_int_equal(call->number, t->told);
    t->told++;
    if (err) {
        assert_int_not_equal(err->cause, CAUSE_NONE);
        t->bad++;
        t->err = *err;
    }
    free(call);
}

static inline struct call *call_new(struct tally *t)
{
    struct call *call = malloc(sizeof(*call));

    assert_non_null(call);
    call->tally = t;
    call->number = t->asked++;
    t->in_call = true;
    return call;
}

static inline void put(struct store *store, const char *run, const char *kind,
                       const char *data, struct tally *t)
{
    struct store_record record = {
        .run = run, .cluster = "emea", .kind = kind, .data = data};

    store_append(store, &record, on_told, call_new(t));
    t->in_call = false;
}

static inline void begin(struct store *store, const char *run,
                         const char *cluster, struct tally *t)
{
    struct store_run row = {.id = run,
                            .playbook = "cms/db-rotate",
                            .target = cluster,
                            .inputs = "{\"primary\":\"core1\"}",
                            .user = "alice",
                            .host = "ctrl1"};

    store_begin(store, &row, &(struct store_names){&cluster, 1}, on_told,
                call_new(t));
    t->in_call = false;
}

static inline void takeover(struct store *store, const char *run,
                            struct tally *t)
{
    store_takeover(store, run, on_told, call_new(t));
    t->in_call = false;
}

static inline void end(struct store *store, const char *run,
                       const char *outcome, bool release, struct tally *t)
{
    store_end(store,
              &(struct store_ending){
                  .run = run,
                  .outcome = outcome,
                  .keep = {(const char *[]){"emea", "apac", "amer", "x"},
                           release ? 0 : 4}},
              on_told, call_new(t));
    t->in_call = false;
}

/* Runs the loop dry: the store alone does not keep it alive. */
static inline void settle(struct bed *bed, struct tally *t)
{
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    assert_int_equal(t->told, t->asked);
}

/* What all must have come through. */
static inline void settle_well(struct bed *bed, struct tally *t)
{
    settle(bed, t);
    if (t->bad)
        print_error("%s\n", t->err.text);
    assert_int_equal(t->bad, 0);
}

/* On a server each bed has a schema of its own. */
static inline void bed_url(struct bed *bed)
{
    char url[256], sql[64], more[64];
    const char *tail = bed->folder + strlen(bed->folder) - 6;

    pg_server_url(&bed_server, "", url, sizeof(url));
    snprintf(sql, sizeof(sql), "CREATE SCHEMA \"%s\"", tail);
    pg_server_ask(url, sql);
    snprintf(more, sizeof(more), "&options=-csearch_path%%3D%%22%s%%22", tail);
    pg_server_url(&bed_server, more, bed->url, sizeof(bed->url));
}

static inline void folder_make(struct bed *bed)
{
    memset(bed, 0, sizeof(*bed));
    snprintf(bed->folder, sizeof(bed->folder), "/tmp/cf-store-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    if (bed_server.pid)
        bed_url(bed);
}

/* Long enough for a part that stands still; see bed_time_passes(). */
static inline struct store *bed_store(const struct bed *bed,
                                      struct uv_loop_s *loop, struct err *err)
{
    const struct store_place place = {
        .folder = bed->folder,
        .url = bed->url[0] ? bed->url : NULL,
        .lease_s = 60,
    };

    return store_open_at(&place, loop, err);
}

static inline void bed_open(struct bed *bed)
{
    struct err err = {0};

    assert_int_equal(uv_loop_init(&bed->loop), 0);
    bed->store = bed_store(bed, &bed->loop, &err);
    if (!bed->store)
        print_error("%s\n", err.text);
    assert_non_null(bed->store);
}

static inline void bed_close(struct bed *bed)
{
    store_close(bed->store);
    bed->store = NULL;
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bed->loop), 0);
}

static inline void folder_remove(struct bed *bed)
{
    remove_tree(bed->folder);
}

static inline int setup(void **state)
{
    struct bed *bed = malloc(sizeof(*bed));

    assert_non_null(bed);
    folder_make(bed);
    *state = bed;
    return 0;
}

static inline int teardown(void **state)
{
    struct bed *bed = *state;

    folder_remove(bed);
    free(bed);
    return 0;
}

/* Past the store, as another hand would. */
struct raw {
    sqlite3 *lite;
    PGconn *pg;
};

static inline struct raw raw_open(const struct bed *bed)
{
    struct raw raw = {0};
    char path[128];

    if (bed->url[0]) {
        raw.pg = PQconnectdb(bed->url);
        assert_int_equal(PQstatus(raw.pg), CONNECTION_OK);
        return raw;
    }
    snprintf(path, sizeof(path), "%s/certfleet.db", bed->folder);
    assert_int_equal(sqlite3_open(path, &raw.lite), SQLITE_OK);
    sqlite3_busy_timeout(raw.lite, 5000);
    return raw;
}

static inline void raw_close(struct raw *raw)
{
    if (raw->lite)
        sqlite3_close(raw->lite);
    PQfinish(raw->pg);
}

static inline void raw_say(struct raw *raw, const char *sql)
{
    PGresult *result;

    if (raw->lite) {
        assert_int_equal(sqlite3_exec(raw->lite, sql, NULL, NULL, NULL),
                         SQLITE_OK);
        return;
    }
    result = PQexec(raw->pg, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK &&
        PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(raw->pg));
    PQclear(result);
}

/* Nobody else writes until the COMMIT. */
static inline void raw_lock(struct raw *raw)
{
    raw_say(raw, raw->lite ? "BEGIN IMMEDIATE"
                           : "BEGIN; SELECT * FROM chain FOR UPDATE");
}

static inline void raw_do(const struct bed *bed, const char *sql)
{
    struct raw raw = raw_open(bed);

    raw_say(&raw, sql);
    raw_close(&raw);
}

static inline int64_t lite_ask(sqlite3 *lite, const char *sql)
{
    sqlite3_stmt *q;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(lite, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

static inline int64_t raw_number(const struct bed *bed, const char *sql)
{
    struct raw raw = raw_open(bed);
    int64_t n =
        raw.lite ? lite_ask(raw.lite, sql) : pg_server_ask(bed->url, sql);

    raw_close(&raw);
    return n;
}

/* More than a lease's time, for whoever renews none. */
static inline void bed_time_passes(const struct bed *bed)
{
    if (bed->url[0])
        raw_do(bed, "UPDATE leases SET ends = clock_timestamp()");
}

static inline int64_t verified(struct store *store)
{
    struct err err = {0};
    int64_t records;

    if (store_verify(store, &records, &err) < 0)
        fail_msg("%s", err.text);
    return records;
}

/* All of them on SQLite, then on PostgreSQL. */
static inline int bed_run(const char *name, const struct CMUnitTest *tests,
                          size_t n)
{
    int failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);

    if (is_slow()) /* migrate has the calls */
        return failed;
    if (!pg_server_find(&bed_server)) {
        print_message("skipped on PostgreSQL: no server is installed, or there "
                      "is no user postgres\n");
        return failed;
    }
    if (pg_server_start(&bed_server)) {
        print_message("the same on PostgreSQL (%s)\n", bed_server.programs);
        failed += _cmocka_run_group_tests(name, tests, n, NULL, NULL);
    } else {
        print_error("PostgreSQL did not start: %s/log\n", bed_server.folder);
        failed++;
    }
    pg_server_stop(&bed_server);
    return failed;
}

static inline void assert_says(const struct err *err, const char *text)
{
    if (!strstr(err->text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err->text);
}

#endif
