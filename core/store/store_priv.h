/* SPDX-License-Identifier: Apache-2.0
 *
 * core/store/store_priv.h - the inside of the store, shared by its files and by
 * its tests only.
 *
 * Two connections: `writer` belongs to whoever holds `writing` (the batch in
 * the pool, or a blocking call), `reader` to the loop's thread.  `holds` goes
 * with `writing`.  All else belongs to the loop's thread.
 */
#ifndef CERTFLEET_STORE_STORE_PRIV_H
#define CERTFLEET_STORE_STORE_PRIV_H

#include <stdatomic.h>
#include <uv.h>

#include "core/base/arena.h"
#include "core/store/store.h"

/* -- db.c: what the store asks of a database ------------------------------- */

struct pg_conn;   /* libpq's */
struct pg_result; /* libpq's */
struct query;
struct str;
struct hold;
struct turn;

struct db {
    const struct db_ops *ops;
    struct store *store;
    struct sqlite3 *lite;
    struct pg_conn *pg; /* NULL: not connected, or the connection was lost */
    bool in_turn;       /* PostgreSQL: between begin and commit or rollback */
};

enum {
    STORE_SCHEMA = 1,
    STORE_BUSY_MS = 10000
};

enum db_turn {
    DB_TURN_WRITE, /* what it reads stays true until it commits */
    DB_TURN_LOOK   /* one snapshot, nothing is written */
};
enum db_kind {
    DB_NULL,
    DB_NUMBER,
    DB_TEXT,
    DB_OTHER
};

/* The narrow waist: the SQL above it stands once, with `?` for parameters. */
struct db_ops {
    const char *lock_row; /* behind a SELECT of the one row all turns lock */
    void (*close)(struct db *db);
    int (*begin)(struct db *db, enum db_turn kind, struct err *err);
    int (*commit)(struct db *db, struct err *err);
    void (*rollback)(struct db *db);
    int (*start)(struct query *q, struct err *err);
    int (*next)(struct query *q, struct err *err); /* 1: a row, 0: no more */
    void (*release)(struct query *q);
    const char *(*text)(struct query *q, int i, size_t *len);
    int64_t (*number)(struct query *q, int i);
    enum db_kind (*kind)(struct query *q, int i);
    int (*no_room)(struct db *db, struct err *err); /* always -1 */
    /* Are its own structures sound? */
    int (*check)(struct db *db, struct store_audit *audit, struct err *err);
};

int db_begin(struct db *db, enum db_turn kind, struct err *err);
int db_commit(struct db *db, struct err *err);
/* Undoes an open turn, if there is one. */
void db_rollback(struct db *db);
void db_close(struct db *db);

struct query_value {
    const char *text;
    int64_t number;
    bool is_number;
};
enum {
    QUERY_FEW = 12
};
/* One statement.  Parameters are bound in order; what goes wrong before the
 * step is told by the step.  Texts must live until the release. */
struct query {
    struct db *db;
    const char *sql;
    struct query_value few[QUERY_FEW], *more; /* more: NULL while few do */
    size_t n;
    bool started;
    struct sqlite3_stmt *stmt;
    struct pg_result *result;
    int row; /* of result */
};

void query_init(struct query *q, struct db *db, const char *sql);
void query_text(struct query *q, const char *text); /* NULL binds NULL */
void query_int(struct query *q, int64_t number);
const struct query_value *query_values(const struct query *q);
int query_step(struct query *q, struct err *err); /* 1: a row, 0: no more */
int query_run(struct query *q, struct err *err);  /* to the end, releases */
/* Is there a row?  1, 0 or -1; releases. */
int query_found(struct query *q, struct err *err);

void query_release(struct query *q);
const char *query_column(struct query *q, int i); /* NULL for NULL */
size_t query_bytes(struct query *q, int i);
int64_t query_number(struct query *q, int i);
enum db_kind query_kind(struct query *q, int i);

/* Whose process lives.  Within a turn, but for `drop` and `leave`. */
struct life_ops {
    /* 1: the run is ours now, 0: a living process has it, -1. */
    int (*take)(struct turn *turn, struct hold *hold, struct err *err);
    /* Is it ours still?  0 or -1: CAUSE_LOCKED. */
    int (*confirm)(struct turn *turn, const struct hold *hold, struct err *err);
    int (*quit)(struct turn *turn, const struct hold *hold, struct err *err);
    void (*kept)(struct store *store, struct hold *hold); /* taken, durably */
    void (*drop)(struct store *store, struct hold *hold); /* quit, or undone */
    void (*leave)(struct store *store); /* all that is still held */
};

/* A database and how life is told with it. */
struct backend {
    int (*open)(struct store *store, struct err *err);
    int (*look)(struct store *store, struct err *err);
    const struct db_ops *db;
    const struct life_ops *life;
};
extern const struct backend sqlite_backend, pg_backend;

/* sqlite.c: a migration leads from version i to i + 1 and is never edited once
 * it has been released.  INTEGER is 64 bits wide. */
extern const char *const store_schema[STORE_SCHEMA];

/* -- chain.c: the audit chain ---------------------------------------- */

enum {
    CHAIN_BYTES = 32,
    CHAIN_TEXT_BYTES = 65,
    CHAIN_FIELDS = 6
};

struct chain_field {
    const char *text; /* NULL is not "" */
    size_t len;
};

/* hash := SHA-256(hash, seq, t_ms, run, cluster, node, step, kind, data). */
int chain_next(unsigned char hash[CHAIN_BYTES], int64_t seq, int64_t t_ms,
               const struct chain_field fields[CHAIN_FIELDS], struct err *err);
void chain_text(const unsigned char hash[CHAIN_BYTES],
                char text[CHAIN_TEXT_BYTES]);
int chain_parse(const char *text, unsigned char hash[CHAIN_BYTES]);

/* -- audit.c, audit_runs.c ------------------------------------- */

/* One that does not fit; the first is kept in words. */
void audit_misfit(struct store_audit *audit, int64_t seq, const char *run,
                  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The table of runs against the journal's "run" records. */
int audit_runs(struct store *store, struct store_audit *audit, struct err *err);

/* -- lock.c: who lives, what we hold --------------------------------- */

/* A run that this process has begun or taken over. */
struct hold {
    struct hold *next;
    const char *run;
    int64_t fence;      /* our fencing number; 0: none yet */
    int fd;             /* the locked RUN.lock, or -1 */
    bool fresh, ending; /* taken, ended by the turn at work */
    uint64_t turn;      /* the last one that has compared the number */
    struct err failure; /* final for this run */
};

struct hold *hold_find(struct store *store, const char *run);
struct hold *hold_make(struct store *store, const char *run);
/* The turn is durable: what it ended is let go. */
void holds_keep(struct store *store);
/* The turn is undone: what it took is let go. */
void holds_undo(struct store *store);
void holds_free(struct store *store);

extern const struct life_ops lock_file_ops;
/* Does a process hold RUN.lock?  In doubt: yes. */
bool lock_file_living(const struct store *store, const char *run);

/* -- turn.c, write.c: one transaction -------------------------- */

struct turn {
    struct store *store;
    struct db *db;
    uint64_t number;
    int64_t seq; /* of the last record */
    unsigned char hash[CHAIN_BYTES];
    bool committing; /* whether it is durable the database alone knows */
};

/* The caller holds `writing`. */
int turn_begin(struct turn *turn, struct store *store, struct err *err);
/* Adds a journal record; its seq is turn->seq then. */
int turn_put(struct turn *turn, const struct store_record *record, int64_t t_ms,
             struct err *err);
int turn_commit(struct turn *turn, struct err *err);
void turn_undo(struct turn *turn);
/* Did it fail because the connection was lost? */
bool turn_was_cut(const struct turn *turn);
/* Such a one: is it durable all the same?  1, 0, or -1: cut off still. */
int turn_is_there(const struct turn *turn, struct err *err);

enum op_kind {
    OP_APPEND,
    OP_BEGIN,
    OP_TAKEOVER,
    OP_END
};

/* What waits to be written; texts are in the batch's arena. */
struct op {
    struct op *next;
    enum op_kind kind;
    int64_t t_ms;
    struct store_record record; /* of all kinds: run */
    struct store_run run;       /* begin */
    const char *const *clusters;
    size_t n_clusters;
    const char *outcome; /* end */
    int exit_code;
    struct store_names keep;
    store_done_f *done;
    void *user;
};

int op_write(struct turn *turn, const struct op *op, struct err *err);

/* owner.c: CAUSE_LOCKED when a run other than `run` holds `cluster`. */
int owner_check_free(struct turn *turn, const char *cluster, const char *run,
                     struct err *err);
/* Always -1: `run` lives elsewhere. */
int owner_set_living(struct turn *turn, const char *run, struct err *err);

/* data.c: the data of the journal's "run" records; the caller frees. */
char *data_names(const char *const *names, size_t n);
char *data_begin(const struct store *store, const struct op *op);
char *data_takeover(const struct store *store);
char *data_end(const struct op *op, bool released);
char *data_unlock(const struct store *store, const char *cluster);
char *data_moved(const struct store *store, const char *name,
                 const char *other);

/* -- moved.c: a store that was moved to another ---------------------------- */

/* The last record of each: where to, and where from. */
int moved_mark(struct turn *from, struct turn *to, struct err *err);
/* -1: it was moved away (CAUSE_INPUT). */
int moved_check(struct turn *turn, struct err *err);

/* -- queue.c: batches ------------------------------------------------ */

struct batch;
struct queue_hooks;

int queue_init(struct store *store, struct err *err);
/* Writes all that waits, completes it, and lets the loop's handles go. */
void queue_release(struct store *store);

/* -- the store ------------------------------------------------------------- */

struct store {
    const struct backend *backend;
    char *folder, *user, *host;
    char *title; /* for messages: "state folder /x" */
    char *url;   /* PostgreSQL; NULL: SQLite in the folder */
    char *owner; /* of leases: this store, and no other */
    uint64_t lease_ms;
    struct secret *password; /* PostgreSQL; may be NULL */
    int locks_fd;            /* SQLite: STATE_DIR/locks */
    struct uv_loop_s *loop;
    struct db writer, reader;
    uv_mutex_t writing;
    struct hold *holds;
    uint64_t turns;
    uint64_t turn_began_ms; /* clock_boot_ms(), before its first statement */
    struct leases *leases;  /* PostgreSQL */
    atomic_int fail_in;
    atomic_ulong commits;
    struct batch *filling; /* what this turn of the loop appends */
    struct batch *flight;  /* in the pool, or being completed */
    struct queue_hooks *hooks;
};

/* For tests: the n-th SQL step from now on fails as a full disk would
 * (1: the next); 0 takes it back.  Rollbacks are not counted. */
void store_fail_at(struct store *store, int n);
/* For tests: how many transactions were committed. */
unsigned long store_commits(const struct store *store);

#endif
