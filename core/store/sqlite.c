/* SPDX-License-Identifier: Apache-2.0
 *
 * Owns SQLite: connections, statements, the schema and its migrations.  Knows
 * nothing of what the rows mean, of the loop, or of locks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/store/store_priv.h"

/* A migration leads from version i to i + 1 and is never edited once it has
 * been released.  INTEGER is 64 bits here; PostgreSQL will say BIGINT.
 *
 * runs.began, fence, changed are seq numbers of the journal: of the run's
 * begin, of its last begin, takeover or unlock (the fencing number), and of
 * the last begin or takeover that was not refused.  was_* keeps what a
 * takeover replaced.  chain is one row: where the journal ends. */
static const char *const migrations[STORE_SCHEMA] = {
    "CREATE TABLE chain ("
    " seq INTEGER NOT NULL,"
    " hash TEXT NOT NULL);"
    "INSERT INTO chain (seq, hash) VALUES (0, '"
    "0000000000000000000000000000000000000000000000000000000000000000');"
    "CREATE TABLE journal ("
    " seq INTEGER NOT NULL PRIMARY KEY,"
    " t_ms INTEGER NOT NULL,"
    " run TEXT NOT NULL,"
    " cluster TEXT,"
    " node TEXT,"
    " step TEXT,"
    " kind TEXT NOT NULL,"
    " data TEXT,"
    " hash TEXT NOT NULL);"
    "CREATE INDEX journal_run ON journal (run, seq);"
    "CREATE INDEX journal_generation ON journal (cluster)"
    " WHERE kind = 'generation';"
    "CREATE TABLE runs ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " playbook TEXT NOT NULL,"
    " target TEXT NOT NULL,"
    " inputs TEXT,"
    " user_name TEXT NOT NULL,"
    " host TEXT NOT NULL,"
    " clusters TEXT NOT NULL,"
    " started_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL DEFAULT 0,"
    " outcome TEXT,"
    " exit_code INTEGER NOT NULL DEFAULT 0,"
    " began INTEGER NOT NULL,"
    " fence INTEGER NOT NULL,"
    " changed INTEGER NOT NULL,"
    " was_ended_ms INTEGER NOT NULL DEFAULT 0,"
    " was_outcome TEXT,"
    " was_exit_code INTEGER NOT NULL DEFAULT 0,"
    " was_changed INTEGER NOT NULL DEFAULT 0,"
    " was_holding INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX runs_began ON runs (began);"
    "CREATE TABLE run_clusters ("
    " run TEXT NOT NULL REFERENCES runs (id),"
    " cluster TEXT NOT NULL,"
    " PRIMARY KEY (run, cluster));"
    "CREATE INDEX run_clusters_cluster ON run_clusters (cluster);"
    "CREATE TABLE locks ("
    " cluster TEXT NOT NULL PRIMARY KEY,"
    " run TEXT NOT NULL REFERENCES runs (id),"
    " fence INTEGER NOT NULL,"
    " pid INTEGER NOT NULL,"
    " host TEXT NOT NULL,"
    " user_name TEXT NOT NULL,"
    " started_ms INTEGER NOT NULL);"
    "CREATE INDEX locks_run ON locks (run);",
};

static int db_fail(struct db *db, int rc, struct err *err)
{
    const char *text = sqlite3_errmsg(db->handle);

    if ((sqlite3_errcode(db->handle) & 0xff) != (rc & 0xff))
        text = sqlite3_errstr(rc);
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: no room left to write: %s", db->folder,
                       text);
    case SQLITE_BUSY:
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: another process has been writing "
                       "for over %d s",
                       db->folder, STORE_BUSY_MS / 1000);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: certfleet.db is damaged: %s",
                       db->folder, text);
    default:
        return err_set(err, CAUSE_SYSTEM, "state folder %s: certfleet.db: %s",
                       db->folder, text);
    }
}

/* -- statements ----------------------------------------------------------- */

void query_init(struct query *q, struct db *db, const char *sql)
{
    q->db = db;
    q->stmt = NULL;
    q->bound = 0;
    q->rc = sqlite3_prepare_v2(db->handle, sql, -1, &q->stmt, NULL);
}

/* A text that cannot be bound must fail the step: written as NULL it would
 * not be what the chain has hashed. */
void query_text(struct query *q, const char *text)
{
    if (q->rc == SQLITE_OK)
        q->rc = sqlite3_bind_text(q->stmt, ++q->bound, text, -1, SQLITE_STATIC);
}

void query_int(struct query *q, int64_t number)
{
    if (q->rc == SQLITE_OK)
        q->rc = sqlite3_bind_int64(q->stmt, ++q->bound, number);
}

static bool is_fault_due(struct db *db)
{
    return atomic_load(db->fail_in) > 0 &&
           atomic_fetch_sub(db->fail_in, 1) == 1;
}

int query_step(struct query *q, struct err *err)
{
    int rc = q->rc;

    if (rc == SQLITE_OK)
        rc = is_fault_due(q->db) ? SQLITE_FULL : sqlite3_step(q->stmt);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return db_fail(q->db, rc, err);
}

int query_run(struct query *q, struct err *err)
{
    int rc;

    do {
        rc = query_step(q, err);
    } while (rc > 0);
    query_release(q);
    return rc;
}

void query_release(struct query *q)
{
    sqlite3_finalize(q->stmt);
    q->stmt = NULL;
}

const char *query_column(struct query *q, int i)
{
    return (const char *)sqlite3_column_text(q->stmt, i);
}

int64_t query_number(struct query *q, int i)
{
    return sqlite3_column_int64(q->stmt, i);
}

/* -- connections ---------------------------------------------------------- */

static int db_exec(struct db *db, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : db_fail(db, rc, err);
}

/* A look that is the last one out would merge a log that others have left. */
static int db_keep_log(struct db *db, struct err *err)
{
    return sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                             NULL) == SQLITE_OK
               ? 0
               : db_fail(db, SQLITE_ERROR, err);
}

static int db_set_up(struct db *db, enum db_use use, struct err *err)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, STORE_BUSY_MS);
    /* SQLite falls back to reading alone without a word */
    if (use != DB_LOOK && sqlite3_db_readonly(db->handle, "main"))
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: certfleet.db is read-only",
                       db->folder);
    if (use != DB_WRITE)
        return db_exec(db, "PRAGMA query_only = ON", err);
    return db_exec(db,
                   "PRAGMA foreign_keys = ON;"
                   "PRAGMA synchronous = FULL",
                   err);
}

static bool has_log(const char *path)
{
    struct stat st;
    char *log = NULL;
    bool has;

    if (asprintf(&log, "%s-wal", path) < 0)
        abort();
    has = stat(log, &st) == 0 && st.st_size > 0;
    free(log);
    return has;
}

int db_open(struct db *db, const char *folder, enum db_use use, struct err *err)
{
    char *path = NULL;
    bool log;
    int rc;

    db->folder = folder;
    if (asprintf(&path, "%s/certfleet.db", folder) < 0)
        abort();
    /* Without a log one is made beside the database, and a reader alone would
     * leave it there, empty */
    log = use == DB_LOOK && has_log(path);
    rc = sqlite3_open_v2(path, &db->handle,
                         log ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE,
                         NULL);
    free(path);
    if (rc != SQLITE_OK)
        return db_fail(db, rc, err);
    if (log && db_keep_log(db, err) < 0)
        return -1;
    return db_set_up(db, use, err);
}

void db_close(struct db *db)
{
    if (db->handle)
        sqlite3_close(db->handle);
    db->handle = NULL;
}

void db_rollback(struct db *db)
{
    /* A full disk may have made SQLite roll back by itself */
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_version(struct db *db, int *version, bool *wal, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, db, "PRAGMA user_version");
    rc = query_step(&q, err);
    if (rc > 0)
        *version = (int)query_number(&q, 0);
    query_release(&q);
    if (rc < 0)
        return -1;
    query_init(&q, db, "PRAGMA journal_mode");
    rc = query_step(&q, err);
    if (rc > 0)
        *wal = strcmp(query_column(&q, 0), "wal") == 0;
    query_release(&q);
    if (rc < 0)
        return -1;
    if (*version > STORE_SCHEMA)
        return err_set(err, CAUSE_INPUT,
                       "state folder %s was written by a newer certfleet "
                       "(schema %d, this one knows %d): use that one",
                       db->folder, *version, STORE_SCHEMA);
    return 0;
}

static int db_enter_wal(struct db *db, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, db, "PRAGMA journal_mode = WAL");
    rc = query_step(&q, err);
    if (rc > 0 && strcmp(query_column(&q, 0), "wal") != 0)
        rc = err_set(err, CAUSE_SYSTEM,
                     "state folder %s: its file system cannot hold the store "
                     "(no shared memory for SQLite's WAL): use a local disk",
                     db->folder);
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

static int db_migrate_one(struct db *db, int version, struct err *err)
{
    char pragma[64];

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version + 1);
    if (db_exec(db, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    if (db_exec(db, migrations[version], err) < 0 ||
        db_exec(db, pragma, err) < 0 || db_exec(db, "COMMIT", err) < 0) {
        db_rollback(db);
        return -1;
    }
    return 0;
}

int db_migrate(struct db *db, struct err *err)
{
    bool wal = false;
    int version = 0;

    if (db_version(db, &version, &wal, err) < 0)
        return -1;
    if (!wal && db_enter_wal(db, err) < 0)
        return -1;
    for (; version < STORE_SCHEMA; version++)
        if (db_migrate_one(db, version, err) < 0)
            return -1;
    return 0;
}
