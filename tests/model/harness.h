/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/model/harness.h - the parts of the model among themselves: harness.c
 * (the plan, one shot put into the engine and taken from it), outside.c (what
 * the engine reaches for), events.c (what may happen), view.c (what a node
 * prints).
 */
#ifndef CERTFLEET_TESTS_MODEL_HARNESS_H
#define CERTFLEET_TESTS_MODEL_HARNESS_H

#include "core/run/course_priv.h"
#include "core/run/probe.h"
#include "core/run/send.h"
#include "playbooks/cms/cms.h"
#include "tests/model/model.h"

enum { /* ms: what is read before the walk, in it; now */
    AT_BEFORE = 985000,
    AT_BEGIN = 990000,
    AT_SEEN = 995000,
    AT_NOW = 1000000
};

enum { /* seen.target: which files were read, and were they whole */
    TARGET_NONE,
    TARGET_OLD,
    TARGET_NEW,
    TARGET_NEW_MISSING
};

/* What outlives a crash, as core/run/resume.c reads it from the journal. */
struct journaled {
    bool left, outage_sent, turned, was_back, was_done, issued;
    size_t holder;
    uint8_t sent[WORLD_MAX];
};

/* Everything that may happen next: events.c does it, words.c tells it. */
enum kind {
    DO_READ,   /* the node is read, the goal is asked */
    DO_LATE,   /* the same, past the row's deadline */
    DO_SPOIL,  /* the same, and the file that is put does not arrive */
    DO_WAITED, /* before another try */
    DO_INTENT, /* the record is durable: the first act goes out */
    DO_ARRIVE, /* it arrives and is answered */
    DO_LOSE,   /* the connection breaks */
    DO_REFUSE, /* FAILURE, for no reason that we know */
    DO_LOOK,   /* all nodes are read once more before a way back */
    DO_LOOK_LATE,
    ONCE_READ,  /* `issue' */
    NODE_ENDS,  /* its background command: well */
    NODE_FAILS, /* badly */
    NODE_DOWN,
    NODE_UP,
    NODE_LEADS, /* elected after a loss */
    NODE_MOVES, /* leads from now on, the other follows */
    NODE_SYNCS,
    NODE_WRITES,
    STRAY_ACTS, /* what was on its way when the connection broke */
    STRAY_GONE,
    SOMEBODY,
    CRASH,
    RESUME,
    ROLLBACK,
    ACCEPT, /* resume --accept foreign */
    CLEARS, /* clear_error on a node, by hand */
    NAMES,  /* resume primary=NODE --accept data-loss */
    KINDS
};

enum accepted { /* --accept */
    ACCEPTED_NOTHING,
    ACCEPTED_FOREIGN,
    ACCEPTED_LOSS
};

struct due { /* one completion that the loop would bring */
    void (*run)(struct due *);
    probe_done_f *probed;
    sent_f *sent;
    store_done_f *written;
    course_f *cleaned;
    void *user;
    int rc;
};
enum {
    DUE_MAX = 64
};

struct harness {
    struct model_options options;
    char folder[64];
    struct inventory *inventory;
    struct plan *plan;
    struct plan_cluster *pc;
    struct course course;
    struct journal store;
    struct world world;
    struct budgets left;
    struct journaled journal;
    enum life life;
    enum accepted accept;
    uint64_t now;
    bool spoil; /* the next file that is put does not arrive */
    /* by node */
    uint8_t flight[WORLD_MAX], led[WORLD_MAX], saw_foreign[WORLD_MAX];
    uint8_t sent[WORLD_MAX], first[WORLD_MAX];
    uint16_t view[WORLD_MAX]; /* the status that stands in its facts */
    /* callbacks of the engine's own, as it handed them out */
    uv_timer_cb on_poll, on_waited, on_course;
    sent_f *on_sent;
    store_done_f *on_intent;
    course_f *look_again;
    bool course_due, course_waits;
    void (*on_record)(const struct journal_record *); /* or NULL */
    struct due due[DUE_MAX];
    size_t n_due, next_due;
};
extern struct harness h;

/* harness.c */
void harness_accept(enum accepted what);
void harness_put(const struct shot *shot);
void harness_take(struct shot *shot);
void harness_start(enum run_mode mode); /* a new process on the journal */
struct cell *harness_cell(size_t node); /* the one that runs, or NULL */
struct cell *harness_once(void);
bool harness_is_live(const struct cell *cell);

/* outside.c */
void outside_drain(void); /* until the engine waits for an event */
void outside_arrive(size_t node, uint8_t code, bool back);

/* view.c: statuses by number; the text is parsed by the product's parser. */
uint16_t view_now(size_t node);
const struct cms_status *view_status(uint16_t view);
uint16_t view_of_place(enum cms_place place); /* nothing but the place */
const char *view_code_text(size_t node, uint8_t code);
uint8_t view_code(const char *text);
void view_forget(void);

#endif
