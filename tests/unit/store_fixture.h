/* SPDX-License-Identifier: Apache-2.0
 *
 * A store in a folder of its own for the store's tests, completions that are
 * counted, and a look at the tables past the store.
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
#include <ftw.h>
#include <uv.h>

#include "core/store/store_priv.h"

struct bed {
    char folder[64];
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

static inline void folder_make(struct bed *bed)
{
    memset(bed, 0, sizeof(*bed));
    snprintf(bed->folder, sizeof(bed->folder), "/tmp/cf-store-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
}

static inline void bed_open(struct bed *bed)
{
    struct err err = {0};

    assert_int_equal(uv_loop_init(&bed->loop), 0);
    bed->store = store_open(bed->folder, &bed->loop, &err);
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

static inline int on_path(const char *path, const struct stat *st, int kind,
                          struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline void folder_remove(struct bed *bed)
{
    nftw(bed->folder, on_path, 16, FTW_DEPTH | FTW_PHYS);
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
static inline sqlite3 *raw_open(const struct bed *bed)
{
    char path[128];
    sqlite3 *raw;

    snprintf(path, sizeof(path), "%s/certfleet.db", bed->folder);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    sqlite3_busy_timeout(raw, 5000);
    return raw;
}

static inline void raw_do(const struct bed *bed, const char *sql)
{
    sqlite3 *raw = raw_open(bed);

    assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
}

static inline int64_t raw_number(const struct bed *bed, const char *sql)
{
    sqlite3 *raw = raw_open(bed);
    sqlite3_stmt *q;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(raw);
    return n;
}

static inline int64_t verified(struct store *store)
{
    struct err err = {0};
    int64_t records;

    if (store_verify(store, &records, &err) < 0)
        fail_msg("%s", err.text);
    return records;
}

static inline void assert_says(const struct err *err, const char *text)
{
    if (!strstr(err->text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err->text);
}

#endif
