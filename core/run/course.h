/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/course.h - one cluster's way through a run: gates, staging, the
 * barrier, the live walk, the way back, the outcome.
 *
 * Private to core/run: run.c owns courses, walk.c and cell.c work inside one.
 * A course is a small state machine of its own (course.c); its setter tells
 * and journals.  All callbacks come on the loop, later than the call that
 * armed them.
 */
#ifndef CERTFLEET_RUN_COURSE_H
#define CERTFLEET_RUN_COURSE_H

#include <uv.h>

#include "core/run/journal.h"
#include "core/run/plan.h"
#include "core/run/run.h"
#include "core/run/walk.h"

enum course_state {
    COURSE_NEW,
    COURSE_GATES,     /* row 1: every node is read */
    COURSE_DECIDED,   /* waits for the answer to the plan */
    COURSE_STAGING,   /* rows that change nothing live */
    COURSE_STAGED,    /* waits for the other clusters */
    COURSE_SURVEY,    /* resume, rollback: every node is read first */
    COURSE_FORWARD,   /* live rows, aimed at the new set */
    COURSE_BACK_READ, /* do all nodes answer, does the way back stand? */
    COURSE_BACK,      /* live rows, aimed at the old sets */
    COURSE_CLEANING,  /* staged files are taken off the nodes */
    COURSE_ENDED,
};

struct course;
struct issuing;
typedef void course_f(struct course *course);

struct course {
    struct run *run;
    struct plan_cluster *pc;
    struct journal *journal;
    uv_loop_t *loop;
    const struct link_ops *ops;
    struct link **links; /* by node; NULL: left out */
    struct secret *ca_password;
    struct secret *key_passphrase;
    struct link *signer; /* of an issuer that is a node; else NULL */
    enum run_mode mode;
    enum on_failure on_failure;
    const char *until; /* step id, or NULL */
    enum course_state state;
    struct walk walk;        /* the one under way */
    course_f *on_pause;      /* DECIDED, STAGED and ENDED are told */
    struct issuing *issuing; /* in the row `issue`, or NULL */
    bool interrupted;
    bool acted;           /* something live was sent by this process */
    size_t moved_to;      /* WALK_MOVED: who holds the data now */
    enum outcome outcome; /* once ENDED */
    enum outcome after_cleaning;
    struct err why; /* the first failure that decided */
    size_t reading; /* probes out, in SURVEY and BACK_READ */
    size_t unread;  /* nodes that did not answer in it */
    uint64_t read_deadline_ms;
    uv_work_t weighing; /* in GATES: what the pool judges */
    uv_timer_t timer;   /* waits, and what must come later */
    void (*later)(struct course *);
    size_t cleaning; /* nodes being cleaned */
    course_f *on_cleaned;
    struct err read_err; /* of the last SURVEY or BACK_READ */
    bool had_outage, had_degraded;
};

void course_init(struct course *course);
void course_release(struct course *course); /* ended; timer is closed */
void course_start(struct course *course);   /* gates, or survey */
void course_stage(struct course *course);   /* the plan was accepted */
void course_go_live(struct course *course); /* the barrier is open */
/* Ends it without a live change: what was staged is cleaned first. */
void course_give_up(struct course *course, enum outcome outcome);
/* Ends it with what is staged, since another one waits for a person. */
void course_stay(struct course *course);
void course_interrupt(struct course *course);

/* clean.c: takes this run's staged files off every node that answers, then
 * calls `done` later on the loop. */
void course_clean(struct course *course, course_f *done);

/* For walk.c and cell.c, and send.c: a finding that stops nothing. */
void course_tell_finding(struct course *course, const char *step,
                         const struct finding *finding);
void course_holder_moved(struct course *course, size_t holder);
void course_walk_ended(struct course *course);
void course_note_live_act(struct course *course, const struct step *step);
void course_note_served(struct course *course);
void course_note_whole(struct course *course);

#endif
