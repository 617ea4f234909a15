/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/run.h - a plan being applied: lock, journal, events, outcome.
 *
 * A run is asynchronous: run_start returns at once, everything else happens on
 * the loop, and `on_end` is called exactly once, never inside a call of ours.
 * Before anything live is changed `on_plan` is called with the decided plan;
 * the owner answers with run_go or run_stop (at once or later).
 */
#ifndef CERTFLEET_RUN_RUN_H
#define CERTFLEET_RUN_RUN_H

#include <jansson.h>
#include <uv.h>

#include "core/link.h"
#include "core/run/event.h"
#include "core/run/plan.h"
#include "core/store/store.h"

enum run_mode {
    RUN_PLAN, /* gates only; no journal, no lock; on_plan, then the end */
    RUN_APPLY,
    RUN_RESUME,   /* goes on with the stored plan */
    RUN_ROLLBACK, /* the same rows aimed at the old sets */
};

enum outcome {
    OUTCOME_NONE,
    OUTCOME_DONE,        /* exit 0 */
    OUTCOME_STAGED,      /* --until reached: exit 0, lock released */
    OUTCOME_NOT_DUE,     /* if_days_left: exit 0 */
    OUTCOME_ROLLED_BACK, /* 1; for RUN_ROLLBACK 0 */
    OUTCOME_CLEANED,     /* 1: never left; failed in issue, backup or push */
    OUTCOME_INCOMPLETE,  /* 4 */
    OUTCOME_WAITING,     /* 4: a person must bring certificates; the lock is
                            released, nothing live was changed */
    OUTCOME_REFUSED,     /* 5 */
    OUTCOME_LOCKED,      /* 6 */
    OUTCOME_INTERRUPTED, /* 130 */
    OUTCOME_INPUT,       /* 2 */
};

/* Contract's words: "done" "rolled-back" "incomplete" ... */
const char *outcome_word(enum outcome outcome);
/* The exit code of a run that came to it. */
int outcome_exit(enum outcome outcome);
/* The one that stands for both, of several clusters. */
enum outcome outcome_worse(enum outcome a, enum outcome b);

struct cluster_result {
    const char *cluster, *primary; /* primary NULL: unknown */
    enum outcome outcome;
    int64_t outage_ms, degraded_ms; /* -1: none */
    const char *const *left_out;    /* NULL-ended */
    int64_t way_back_until;         /* seconds; 0: none */
    const char *why;                /* first failure, or NULL */
};

struct run_result {
    const char *run; /* id; NULL: never begun */
    enum outcome outcome;
    int exit_code;
    const char *next;       /* command line to type next, or NULL */
    const char *other;      /* what may be typed instead, or NULL */
    int64_t way_back_until; /* seconds; the earliest; 0: none */
    const struct cluster_result *clusters;
    size_t n_clusters;
    bool at_once; /* interrupted twice: requests are still out, run_free must
                     not be called, and the process ends now */
    const struct err *err; /* why it did not even begin, or NULL */
    /* the longest turn of the loop, CPU and wall, in microseconds */
    uint64_t longest_turn_cpu_us, longest_turn_wall_us;
};

struct run;
typedef void run_end_f(void *user, const struct run_result *result);
typedef void run_plan_f(void *user, struct run *run, const struct plan *plan);

struct run_options {
    uv_loop_t *loop;
    struct link_provider links;
    struct store *store; /* NULL for RUN_PLAN */
    struct event_sink *sinks;
    enum run_mode mode;
    const char *id;    /* RESUME, ROLLBACK: the run; else NULL */
    const char *until; /* step id or NULL */
    bool keep_going;
    int64_t seen;          /* APPLY: see store_run; 0: nobody looked before */
    int on_failure;        /* -1: the inventory's; else enum on_failure */
    const char *plan_hash; /* apply --plan: refuse when it differs */
    json_t *approved;      /* apply: {CLUSTER: [approvals]}, judged before
                              (core/run/approval.h), or NULL; the caller's */
    struct secret_cache *secrets;
    const char *self; /* "certfleet -i x.ini": begins `next` */
    run_plan_f *on_plan;
    run_end_f *on_end;
    void *user;
};

/* Reads every secret that the plan's nodes and issuers name (blocking; unset:
 * CAUSE_INPUT) and prepares; sends nothing.  RUN_APPLY on a cluster that wants
 * more approvals than `approved' has, or without `plan_hash': CAUSE_REFUSED.
 * `plan` passes to the run.  NULL on error; the plan is then still the
 * caller's. */
struct run *run_new(const struct run_options *options, struct plan *plan,
                    struct err *err);
void run_start(struct run *run);
void run_go(struct run *run);
void run_stop(struct run *run); /* the answer was no */
/* Once: stop where it is safe.  Twice: at once. */
void run_interrupt(struct run *run);
const char *run_id(const struct run *run);
/* The highest generation that the store knows for a cluster; 0 without one. */
int run_store_generation(struct run *run, const char *cluster, unsigned *number,
                         struct err *err);
/* After on_end; closes links.  `closed` when it is gone. */
void run_free(struct run *run, void (*closed)(void *user), void *user);

/* RESUME and ROLLBACK: the stored plan of a run, from its journal, against
 * today's inventory.  CAUSE_INPUT: no such run; CAUSE_REFUSED: other nodes or
 * roles than then, or (RESUME) a cluster wants approvals, nothing live was
 * changed, and nobody had agreed to the plan, or today's inputs change it. */
struct run_load {
    const struct inventory *inventory;
    const char *const *inputs; /* today's, over the stored ones */
    const char *const *accepted;
    bool back;                                          /* RUN_ROLLBACK */
    const struct playbook *(*playbook)(const char *id); /* the registry */
};
struct plan *run_load_plan(struct store *store, const char *run,
                           const struct run_load *options, struct err *err);
/* One record of that journal into a plan_new'd plan; what it does not know it
 * leaves alone.  -1: the inventory has other nodes or roles than then. */
int run_replay(struct plan *plan, const struct store_entry *entry,
               struct err *err);

#endif
