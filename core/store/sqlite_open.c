/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's file: made, opened, brought up to the schema.  Knows nothing of
 * what the rows mean, or of the loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/store/sqlite_priv.h"

enum db_use {
    DB_WRITE,
    DB_READ, /* beside our own writer: cannot write */
    DB_LOOK  /* changes nothing, not even when it closes */
};

/* runs.began, fence, changed are seq numbers of the journal: of the run's
 * begin, of its last begin, takeover or unlock (the fencing number), and of
 * the last begin or takeover that was not refused.  was_* keeps what a
 * takeover replaced.  chain is one row: where the journal ends. */
const char *const store_schema[STORE_SCHEMA] = {
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

/* -- connections ---------------------------------------------------------- */

static int exec_script(struct db *db, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(db->lite, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : lite_fail(db, rc, err);
}

/* A look that is the last one out would merge a log that others have left. */
static int keep_log(struct db *db, struct err *err)
{
    return sqlite3_db_config(db->lite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                             NULL) == SQLITE_OK
               ? 0
               : lite_fail(db, SQLITE_ERROR, err);
}

/* The word of both databases for who lives: here the kernel knows. */
static void run_lives(sqlite3_context *context, int n, sqlite3_value **values)
{
    const struct store *store = sqlite3_user_data(context);
    const char *run = (const char *)sqlite3_value_text(values[0]);

    (void)n;
    sqlite3_result_int(context, run && lock_file_living(store, run));
}

static int set_up(struct db *db, enum db_use use, struct err *err)
{
    int rc = sqlite3_create_function(db->lite, "run_lives", 1, SQLITE_UTF8,
                                     db->store, run_lives, NULL, NULL);

    if (rc != SQLITE_OK)
        return lite_fail(db, rc, err);
    sqlite3_extended_result_codes(db->lite, 1);
    sqlite3_busy_timeout(db->lite, STORE_BUSY_MS);
    /* SQLite falls back to reading alone without a word */
    if (use != DB_LOOK && sqlite3_db_readonly(db->lite, "main"))
        return err_set(err, CAUSE_SYSTEM,
                       "state folder %s: certfleet.db is read-only",
                       db->store->folder);
    if (use != DB_WRITE)
        return exec_script(db, "PRAGMA query_only = ON", err);
    return exec_script(db,
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

static int open_file(struct db *db, enum db_use use, struct err *err)
{
    char *path = NULL;
    bool log;
    int rc;

    if (asprintf(&path, "%s/certfleet.db", db->store->folder) < 0)
        abort();
    /* Without a log one is made beside the database, and a reader alone would
     * leave it there, empty */
    log = use == DB_LOOK && has_log(path);
    rc = sqlite3_open_v2(path, &db->lite,
                         log ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE,
                         NULL);
    free(path);
    if (rc != SQLITE_OK)
        return lite_fail(db, rc, err);
    if (log && keep_log(db, err) < 0)
        return -1;
    return set_up(db, use, err);
}

static int read_version(struct db *db, int *version, bool *wal, struct err *err)
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
                       db->store->folder, *version, STORE_SCHEMA);
    return 0;
}

static int enter_wal(struct db *db, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, db, "PRAGMA journal_mode = WAL");
    rc = query_step(&q, err);
    if (rc > 0 && strcmp(query_column(&q, 0), "wal") != 0)
        rc = err_set(err, CAUSE_SYSTEM,
                     "state folder %s: its file system cannot hold the store "
                     "(no shared memory for SQLite's WAL): use a local disk",
                     db->store->folder);
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

static int migrate_one(struct db *db, int version, struct err *err)
{
    char pragma[64];

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version + 1);
    if (exec_script(db, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    if (exec_script(db, store_schema[version], err) < 0 ||
        exec_script(db, pragma, err) < 0 ||
        exec_script(db, "COMMIT", err) < 0) {
        sqlite3_exec(db->lite, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    return 0;
}

static int migrate(struct db *db, struct err *err)
{
    bool wal = false;
    int version = 0;

    if (read_version(db, &version, &wal, err) < 0)
        return -1;
    if (!wal && enter_wal(db, err) < 0)
        return -1;
    for (; version < STORE_SCHEMA; version++)
        if (migrate_one(db, version, err) < 0)
            return -1;
    return 0;
}
/* -- the folder ------------------------------------------------------------ */

static char *path_in(const struct store *store, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", store->folder, name) < 0)
        abort();
    return path;
}

static int open_locks(struct store *store, struct err *err)
{
    char *path = path_in(store, "locks");
    int rc = 0;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        rc = err_errno(err, CAUSE_SYSTEM, "make folder %s", path);
    if (rc == 0) {
        store->locks_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->locks_fd < 0)
            rc = err_errno(err, CAUSE_SYSTEM, "open folder %s", path);
    }
    free(path);
    return rc;
}

static int sync_folder(const struct store *store)
{
    int fd = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

/* SQLite gives its -wal and -shm the mode of the database.  A database that
 * exists is never opened here: closing it would drop the POSIX locks that
 * SQLite may hold on it elsewhere in this process. */
static int make_database(struct store *store, struct err *err)
{
    char *path = path_in(store, "certfleet.db");
    struct stat st;
    int fd, rc = 0;

    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        if (sync_folder(store) < 0)
            rc = err_errno(err, CAUSE_SYSTEM, "sync %s", store->folder);
    } else if (errno != EEXIST) {
        rc = err_errno(err, CAUSE_SYSTEM, "make %s", path);
    } else if (stat(path, &st) == 0 && (st.st_mode & 077) &&
               chmod(path, 0600) < 0) {
        rc = err_errno(err, CAUSE_SYSTEM, "make %s private", path);
    }
    free(path);
    return rc;
}

/* Entering WAL mode and migrating are not for two processes at once: SQLite
 * may answer "busy" there without waiting. */
static int migrate_alone(struct store *store, struct err *err)
{
    struct flock lock;
    int fd =
        openat(store->locks_fd, ".open", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = F_WRLCK;
    if (fd < 0 || fcntl(fd, F_OFD_SETLKW, &lock) < 0)
        rc = err_errno(err, CAUSE_SYSTEM, "lock %s/locks/.open", store->folder);
    else
        rc = migrate(&store->writer, err);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int open_database(struct store *store, struct err *err)
{
    bool wal = false;
    int version = 0;

    if (open_locks(store, err) < 0 || make_database(store, err) < 0 ||
        open_file(&store->writer, DB_WRITE, err) < 0 ||
        read_version(&store->writer, &version, &wal, err) < 0)
        return -1;
    if ((!wal || version < STORE_SCHEMA) && migrate_alone(store, err) < 0)
        return -1;
    return open_file(&store->reader, DB_READ, err);
}

static int open_to_look(struct store *store, struct err *err)
{
    char *path = path_in(store, "certfleet.db");
    bool there = file_exists(path), wal = false;
    int version = 0;

    free(path);
    if (!there)
        return err_set(err, CAUSE_INPUT,
                       "state folder %s has no certfleet.db: nothing has "
                       "been run from it",
                       store->folder);
    if (open_file(&store->reader, DB_LOOK, err) < 0 ||
        read_version(&store->reader, &version, &wal, err) < 0)
        return -1;
    if (version < STORE_SCHEMA)
        return err_set(err, CAUSE_INPUT,
                       "state folder %s was written by an older certfleet "
                       "(schema %d): `certfleet runs' brings it up",
                       store->folder, version);
    return 0;
}

const struct backend sqlite_backend = {
    .open = open_database,
    .look = open_to_look,
    .db = &sqlite_ops,
    .life = &lock_file_ops,
};
