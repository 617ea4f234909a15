/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a store in PostgreSQL: the schema is the one of SQLite, from the same
 * text, with what only several controllers need: leases.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/store/pg_priv.h"

/* By the server's clock alone.  What a run's row needs to say about its life is
 * the same word in both databases: run_lives(id). */
static const char leases[] =
    "CREATE TABLE leases ("
    " run TEXT NOT NULL PRIMARY KEY REFERENCES runs (id) DEFERRABLE INITIALLY"
    " DEFERRED,"
    " owner TEXT NOT NULL,"
    " ends TIMESTAMPTZ NOT NULL);"
    "CREATE INDEX leases_owner ON leases (owner);"
    "CREATE FUNCTION run_lives(TEXT) RETURNS BIGINT LANGUAGE sql VOLATILE AS "
    "'SELECT COUNT(*) FROM leases WHERE run = $1 AND ends > "
    "clock_timestamp()';"
    "CREATE TABLE certfleet (version BIGINT NOT NULL)";

enum {
    OPENING = 1667593830 /* an advisory lock's number: "cert" */
};

/* *version -1: there is none. */
static int read_version(struct db *db, int *version, struct err *err)
{
    struct query q;
    int rc;

    *version = -1;
    query_init(&q, db,
               "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'certfleet'"
               " AND schemaname = current_schema()");
    rc = query_step(&q, err);
    if (rc > 0)
        rc = query_number(&q, 0) > 0;
    query_release(&q);
    if (rc <= 0)
        return rc;
    query_init(&q, db, "SELECT version FROM certfleet");
    rc = query_step(&q, err);
    if (rc > 0)
        *version = (int)query_number(&q, 0);
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

static int check_encoding(struct db *db, struct err *err)
{
    const char *encoding = pq.parameterStatus(db->pg, "server_encoding");

    if (encoding && strcmp(encoding, "UTF8") == 0)
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "%s: its encoding is %s, and UTF8 is wanted: CREATE "
                   "DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
                   db->store->title, encoding ? encoding : "unknown");
}

/* INTEGER is 64 bits in SQLite. */
static void add_schema(struct str *sql)
{
    static const char narrow[] = "INTEGER", wide[] = "BIGINT";

    for (int i = 0; i < STORE_SCHEMA; i++) {
        const char *text = store_schema[i], *hit;

        for (; (hit = strstr(text, narrow)); text = hit + strlen(narrow)) {
            str_addn(sql, text, (size_t)(hit - text));
            str_add(sql, wide);
        }
        str_add(sql, text);
    }
}

static int make_schema(struct db *db, struct err *err)
{
    struct str sql;
    int rc;

    str_init(&sql, 1 << 16);
    add_schema(&sql);
    str_add(&sql, leases);
    str_addf(&sql, ";INSERT INTO certfleet (version) VALUES (%d)",
             STORE_SCHEMA);
    rc = pg_script(db, str_text(&sql), err);
    str_release(&sql);
    return rc;
}

/* Two that come first at once make one schema. */
static int make_alone(struct db *db, struct err *err)
{
    struct query q;
    int version = -1, rc;

    if (db_begin(db, DB_TURN_WRITE, err) < 0)
        return -1;
    query_init(&q, db, "SELECT 1 FROM pg_advisory_xact_lock(?)");
    query_int(&q, OPENING);
    rc = query_run(&q, err);
    if (rc == 0)
        rc = read_version(db, &version, err);
    if (rc == 0 && version < 0)
        rc = make_schema(db, err);
    if (rc == 0)
        rc = db_commit(db, err);
    if (rc < 0)
        db_rollback(db);
    return rc;
}

static int check_version(struct db *db, int version, struct err *err)
{
    if (version <= STORE_SCHEMA)
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "%s was written by a newer certfleet (schema %d, this one "
                   "knows %d): use that one",
                   db->store->title, version, STORE_SCHEMA);
}

static int pg_open(struct store *store, struct err *err)
{
    struct db *db = &store->writer;
    int version;

    if (pg_connect(db, err) < 0 || check_encoding(db, err) < 0 ||
        read_version(db, &version, err) < 0 ||
        check_version(db, version, err) < 0)
        return -1;
    if (version < 0 && make_alone(db, err) < 0)
        return -1;
    if (pg_connect(&store->reader, err) < 0)
        return -1;
    leases_init(store);
    return 0;
}

static int pg_look(struct store *store, struct err *err)
{
    struct db *db = &store->reader;
    int version;

    if (pg_connect(db, err) < 0 || read_version(db, &version, err) < 0)
        return -1;
    if (version < 0)
        return err_set(err, CAUSE_INPUT,
                       "%s holds nothing of certfleet: nothing has been run "
                       "from it",
                       store->title);
    return check_version(db, version, err);
}

const struct backend pg_backend = {
    .open = pg_open,
    .look = pg_look,
    .db = &pg_ops,
    .life = &lease_ops,
};
