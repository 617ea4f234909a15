/* SPDX-License-Identifier: Apache-2.0
 *
 * core/store/store.h - what survives us: runs, journal, locks, generations.
 *
 * One append-only journal is the truth; every record carries the hash of the
 * one before (the audit chain).  Appends of one turn of the loop become one
 * transaction in the pool, and a completion means "durable": nothing goes out
 * to a node before the record of the intent has completed.  SQLite in a file,
 * for one controller, and PostgreSQL, for several, serve the same calls.
 *
 * No record ever holds a key, a password or a passphrase: callers see to it.
 * Texts given out by reads are valid during the call only, except where said.
 */
#ifndef CERTFLEET_STORE_STORE_H
#define CERTFLEET_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/secret.h"

struct uv_loop_s;
struct store;

/* Where it is.  A password is none of the URL's: it stands in messages. */
struct store_place {
    const char *folder;      /* keys and backups are there in any case */
    const char *url;         /* postgresql://...; NULL: SQLite in the folder */
    struct secret *password; /* the URL's user's; NULL: none, or libpq's own
                                ways (PGPASSFILE) */
    unsigned lease_s; /* PostgreSQL: how long a run is ours without a word from
                         us; 0: STORE_LEASE_S */
};
enum {
    STORE_LEASE_S = 30
};
/* Syntax of a URL: 0, or -1 with what is wrong.  A password in it is. */
int store_url_check(const char *url, struct err *err);
struct store *store_open_at(const struct store_place *place,
                            struct uv_loop_s *loop, struct err *err);
/* Opens or makes STATE_DIR/certfleet.db (folders 0700, files 0600).  Blocking.
 * `loop` may be NULL for a store that is only read, or unlocked.  A newer
 * schema than ours is refused.  All calls are for the loop's thread. */
struct store *store_open(const char *state_dir, struct uv_loop_s *loop,
                         struct err *err);
/* Flushes what is queued, also when the loop has stopped, then frees.  Pending
 * completions are called.  Lock files are let go.  The loop must turn once
 * more before uv_loop_close(), for the store's handles to close. */
void store_close(struct store *store);
const char *store_folder(const struct store *store);

/* -- writing: asynchronous, in order -------------------------------------- */

/* err NULL: durable.  Else nothing of the batch is in the store; an error is
 * final for this run (disk full, lock taken away by `unlock`): later appends
 * fail with it too, and only store_end() is still tried.  Called once for each
 * write, in order, never inside the call.  `done` may be NULL. */
typedef void store_done_f(void *user, const struct err *err);

struct store_record {
    const char *run;     /* id */
    const char *cluster; /* or NULL */
    const char *node;    /* or NULL */
    const char *step;    /* or NULL */
    const char *kind;    /* "cell", "act", "holder", "plan", "outcome" ... */
    const char *data;    /* a JSON object or NULL */
};
/* Copies the record.  In one transaction with what else this turn appends; the
 * transaction fails when this run's lock was taken away (fencing). */
void store_append(struct store *store, const struct store_record *record,
                  store_done_f *done, void *user);

struct store_run {
    const char *id, *playbook, *target, *inputs; /* inputs: JSON object */
    const char *user, *host;
    const char *outcome;  /* NULL: not ended; "done" "rolled-back"
                             "incomplete" "refused" "interrupted" "waiting" */
    const char *clusters; /* JSON array of names */
    int exit_code;
    int64_t started_ms, ended_ms; /* wall; ended 0: not ended */
    bool living;                  /* its process holds its lock file now */
    bool holds;                   /* it still holds its clusters */
    int64_t seen; /* begin: refused (CAUSE_LOCKED) when another run has changed
                     a cluster since the journal ended here; 0: not asked */
};

/* A new run with its clusters locked, in one transaction.  A cluster that is
 * held gives CAUSE_LOCKED: both runs, the owner and what to type.  Takes the
 * lock file STATE_DIR/locks/RUN for the life of the process. */
struct store_names {
    const char *const *list;
    size_t n;
};
void store_begin(struct store *store, const struct store_run *run,
                 const struct store_names *clusters, store_done_f *done,
                 void *user);
/* resume, rollback: takes a dead run's clusters again, with a new fencing
 * number; a living one's, or clusters held by another, give CAUSE_LOCKED. */
void store_takeover(struct store *store, const char *run, store_done_f *done,
                    void *user);
/* Ends it.  The clusters of `keep` stay held (somebody has to go on with them),
 * the others are free.  A run that was taken over and ends as "refused" is
 * again what it was before: outcome, clusters held or not; `keep` is not asked
 * then. */
struct store_ending {
    const char *run, *outcome;
    int exit_code;
    struct store_names keep;
};
void store_end(struct store *store, const struct store_ending *ending,
               store_done_f *done, void *user);

/* -- several controllers -----------------------------------------------------
 */

/* May anything go out to a node for this run, now?  0, or CAUSE_LOCKED: our
 * lease of it has run out.  Any thread; waits for nothing. */
int store_may_act(struct store *store, const char *run, struct err *err);
/* Called on the loop when a lease has run out: whoever hears it ends as a
 * killed process would.  With SQLite it never comes. */
typedef void store_lapse_f(void *user, const char *run, const struct err *err);
void store_on_lapse(struct store *store, store_lapse_f *fn, void *user);

/* -- blocking, for commands without a loop --------------------------------- */

/* Abandons a dead run's hold on a cluster.  A living run: CAUSE_LOCKED.  A run
 * that was cut off and holds nothing any more ends as "incomplete". */
int store_unlock(struct store *store, const char *cluster, const char *run,
                 struct err *err);

/* A full id, any unique beginning, or "last".  Copies the id into `id`
 * (STORE_ID_BYTES).  None or several: CAUSE_INPUT, listing them. */
enum {
    STORE_ID_BYTES = 40
};
int store_find(struct store *store, const char *word, char *id,
               struct err *err);
/* Newest first; a callback that returns false ends it.  run NULL: all. */
typedef bool store_run_f(void *user, const struct store_run *run);
int store_runs(struct store *store, const char *run, store_run_f *each,
               void *user, struct err *err);

struct store_entry {
    int64_t seq, t_ms;
    struct store_record record;
};
typedef bool store_entry_f(void *user, const struct store_entry *entry);
/* The journal of a run (NULL: all) after `seq`, in order. */
int store_journal(struct store *store, const char *run, int64_t after,
                  store_entry_f *each, void *user, struct err *err);

/* The highest generation number that any journal record of kind "generation"
 * names for this cluster ({"number":N,...}); 0: none. */
int store_generation(struct store *store, const char *cluster, unsigned *number,
                     struct err *err);
/* Where the journal ends now. */
int store_head(struct store *store, int64_t *seq, struct err *err);
/* A later run than `run` that changed this cluster?  id "" when none.  One
 * that was refused, only staged, rolled back or "ok" (prune) did not.  Later:
 * begun or taken over after `run` began.  No such run as `run`: CAUSE_INPUT. */
int store_later_run(struct store *store, const char *cluster, const char *run,
                    char *id, struct err *err);
/* -- the audit --------------------------------------------------------------
 */

/* For a look that changes nothing, not one byte of the database: no folder is
 * made, no schema brought up, no log merged.  No database: CAUSE_INPUT.  Only
 * reads and store_audit may be called.  Others may be writing. */
struct store *store_open_reader(const struct store_place *place,
                                struct err *err);

enum {
    STORE_HASH_BYTES = 65 /* 64 lower-case digits and a NUL */
};
/* A record and the hash that it had when somebody wrote it down. */
struct store_anchor {
    int64_t seq;
    char hash[STORE_HASH_BYTES];
};
struct store_audit {
    int64_t records, runs;
    int64_t good;    /* records before the first that does not fit */
    int64_t misfits; /* records changed, missing or put in; runs whose row
                        is not what their records say */
    struct store_anchor head;       /* the last record; seq 0: there is none */
    int64_t first_seq;              /* the first misfit's record; 0: none */
    char first_run[STORE_ID_BYTES]; /* "" when nobody can tell */
    char why[512];
};
/* Does every record follow from the one before, do they end where the chain
 * says, is every run's row what its records say, and has the record of
 * `anchor` (NULL: none) its hash still?  What does not fit is counted, never
 * an error; -1 when the database cannot be read. */
int store_audit(struct store *store, const struct store_anchor *anchor,
                struct store_audit *audit, struct err *err);
/* The same as one question: -1 and the first misfit; *records counts those
 * before it. */
int store_verify(struct store *store, int64_t *records, struct err *err);

/* -- from one database to another ------------------------------------------ */

struct store_moved {
    int64_t records, runs;
    struct store_anchor head;
};
/* All of `from` into `to`, which is empty, else CAUSE_INPUT; CAUSE_LOCKED when
 * a run is at work.  All or nothing.  From then on no run begins in `from`, is
 * taken over or loses a cluster there (CAUSE_INPUT).  Verified before and
 * after.  Both opened without a loop.  Blocking. */
int store_migrate(struct store *from, struct store *to,
                  struct store_moved *moved, struct err *err);

/* "20261121T031559Z-3f9a": sortable, random tail. */
void store_new_id(char id[STORE_ID_BYTES]);

#endif
