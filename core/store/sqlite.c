/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's statements as SQLite takes them.  Knows nothing of what the rows
 * mean, of the loop, or of locks.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/sqlite_priv.h"

int lite_fail(struct db *db, int rc, struct err *err)
{
    const char *text = sqlite3_errmsg(db->lite);

    if ((sqlite3_errcode(db->lite) & 0xff) != (rc & 0xff))
        text = sqlite3_errstr(rc);
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: no room left to write: %s",
                       db->store->folder, text);
    case SQLITE_BUSY:
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: another process has been writing "
                       "for over %d s",
                       db->store->folder, STORE_BUSY_MS / 1000);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: certfleet.db is damaged: %s",
                       db->store->folder, text);
    default:
        return err_set(err, CAUSE_SYSTEM, "state folder %s: certfleet.db: %s",
                       db->store->folder, text);
    }
}

/* -- statements ----------------------------------------------------------- */

/* A text that cannot be bound must fail the step: written as NULL it would
 * not be what the chain has hashed. */
static int bind_all(struct query *q)
{
    const struct query_value *values = query_values(q);
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < q->n; i++)
        rc = values[i].is_number
                 ? sqlite3_bind_int64(q->stmt, (int)i + 1, values[i].number)
                 : sqlite3_bind_text(q->stmt, (int)i + 1, values[i].text, -1,
                                     SQLITE_STATIC);
    return rc;
}

static int lite_start(struct query *q, struct err *err)
{
    int rc = sqlite3_prepare_v2(q->db->lite, q->sql, -1, &q->stmt, NULL);

    if (rc == SQLITE_OK)
        rc = bind_all(q);
    return rc == SQLITE_OK ? 0 : lite_fail(q->db, rc, err);
}

static int lite_next(struct query *q, struct err *err)
{
    int rc = sqlite3_step(q->stmt);

    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : lite_fail(q->db, rc, err);
}

static void lite_release(struct query *q)
{
    sqlite3_finalize(q->stmt);
    q->stmt = NULL;
}

static const char *lite_text(struct query *q, int i, size_t *len)
{
    const char *text = (const char *)sqlite3_column_text(q->stmt, i);

    *len = (size_t)sqlite3_column_bytes(q->stmt, i);
    return text;
}

static int64_t lite_number(struct query *q, int i)
{
    return sqlite3_column_int64(q->stmt, i);
}

static enum db_kind lite_kind(struct query *q, int i)
{
    switch (sqlite3_column_type(q->stmt, i)) {
    case SQLITE_NULL:
        return DB_NULL;
    case SQLITE_INTEGER:
        return DB_NUMBER;
    case SQLITE_TEXT:
        return DB_TEXT;
    default:
        return DB_OTHER;
    }
}

/* -- turns ---------------------------------------------------------------- */

static int lite_say(struct db *db, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(db->lite, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : lite_fail(db, rc, err);
}

/* IMMEDIATE: the write lock first, so that what is read stays true */
static int lite_begin(struct db *db, enum db_turn kind, struct err *err)
{
    return lite_say(db, kind == DB_TURN_WRITE ? "BEGIN IMMEDIATE" : "BEGIN",
                    err);
}

static int lite_commit(struct db *db, struct err *err)
{
    return lite_say(db, "COMMIT", err);
}

static void lite_rollback(struct db *db)
{
    /* A full disk may have made SQLite roll back by itself */
    if (!sqlite3_get_autocommit(db->lite))
        sqlite3_exec(db->lite, "ROLLBACK", NULL, NULL, NULL);
}

static void lite_close(struct db *db)
{
    if (db->lite)
        sqlite3_close(db->lite);
    db->lite = NULL;
}

static int lite_no_room(struct db *db, struct err *err)
{
    return lite_fail(db, SQLITE_FULL, err);
}

/* A changed index would hide a row from `show' and not from the walk. */
static int lite_check(struct db *db, struct store_audit *audit, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, db, "PRAGMA integrity_check(1)");
    rc = query_step(&q, err);
    if (rc > 0 && strcmp(query_column(&q, 0), "ok") != 0)
        audit_misfit(audit, 0, NULL, "certfleet.db is damaged: %.200s",
                     query_column(&q, 0));
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

const struct db_ops sqlite_ops = {
    .lock_row = "",
    .close = lite_close,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .start = lite_start,
    .next = lite_next,
    .release = lite_release,
    .text = lite_text,
    .number = lite_number,
    .kind = lite_kind,
    .no_room = lite_no_room,
    .check = lite_check,
};
