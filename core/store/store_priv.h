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

#include <sqlite3.h>
#include <stdatomic.h>
#include <uv.h>

#include "core/base/arena.h"
#include "core/store/store.h"

/* -- sqlite.c: a connection and its queries ------------------------------ */

struct db {
    sqlite3 *handle;
    const char *folder;  /* for messages */
    atomic_int *fail_in; /* the fault hook, see store_fail_at() */
};

enum {
    STORE_SCHEMA = 1,
    STORE_BUSY_MS = 10000
};

enum db_use {
    DB_WRITE,
    DB_READ, /* beside our own writer: cannot write */
    DB_LOOK  /* changes nothing, not even when it closes */
};
/* Opens FOLDER/certfleet.db, which exists. */
int db_open(struct db *db, const char *folder, enum db_use use,
            struct err *err);
/* Brings the schema to STORE_SCHEMA; a newer one is refused. */
int db_migrate(struct db *db, struct err *err);
/* The version of what is on the disk; *wal: it is in WAL mode already. */
int db_version(struct db *db, int *version, bool *wal, struct err *err);
void db_close(struct db *db);
/* Undoes an open transaction, if there is one. */
void db_rollback(struct db *db);

/* One statement.  Parameters are bound in order; what goes wrong before the
 * step is told by the step.  Texts must live until the release. */
struct query {
    struct db *db;
    sqlite3_stmt *stmt;
    int rc;
    int bound;
};

void query_init(struct query *q, struct db *db, const char *sql);
void query_text(struct query *q, const char *text); /* NULL binds NULL */
void query_int(struct query *q, int64_t number);
int query_step(struct query *q, struct err *err); /* 1: a row, 0: no more */
int query_run(struct query *q, struct err *err);  /* to the end, releases */

void query_release(struct query *q);
const char *query_column(struct query *q, int i); /* NULL for NULL */
int64_t query_number(struct query *q, int i);

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
    char *run;
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

/* 1: we have RUN.lock now, 0: a living process has it, -1. */
int lock_file_take(struct store *store, const char *run, int *fd,
                   struct err *err);
void lock_file_drop(struct store *store, const char *run, int fd);
/* Does a process hold RUN.lock?  In doubt: yes. */
bool lock_file_living(const struct store *store, const char *run);

/* -- turn.c, write.c: one transaction -------------------------- */

struct turn {
    struct store *store;
    struct db *db;
    uint64_t number;
    int64_t seq; /* of the last record */
    unsigned char hash[CHAIN_BYTES];
};

/* The caller holds `writing`. */
int turn_begin(struct turn *turn, struct store *store, struct err *err);
/* Adds a journal record; its seq is turn->seq then. */
int turn_put(struct turn *turn, const struct store_record *record, int64_t t_ms,
             struct err *err);
int turn_commit(struct turn *turn, struct err *err);
void turn_undo(struct turn *turn);

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

/* -- queue.c: batches ------------------------------------------------ */

struct batch;
struct queue_hooks;

int queue_init(struct store *store, struct err *err);
/* Writes all that waits, completes it, and lets the loop's handles go. */
void queue_release(struct store *store);

/* -- the store ------------------------------------------------------------- */

struct store {
    char *folder, *user, *host;
    int locks_fd; /* STATE_DIR/locks */
    struct uv_loop_s *loop;
    struct db writer, reader;
    uv_mutex_t writing;
    struct hold *holds;
    uint64_t turns;
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
