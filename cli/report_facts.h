/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/report_facts.h - a run out of the store as plain structs: what a report
 * tells.  From the journal alone; no node is asked.
 *
 * A run has parts: the first, and one for each time that somebody resumed it
 * or took it back.  Times are wall clock, milliseconds.
 */
#ifndef CERTFLEET_CLI_REPORT_FACTS_H
#define CERTFLEET_CLI_REPORT_FACTS_H

#include "cli/run_audit.h"
#include "core/base/arena.h"
#include "core/store/store.h"

struct report_part {
    const char *what; /* "apply", "resume", "rollback"; "begin", "takeover"
                         when it was not agreed to */
    int64_t from_ms, to_ms; /* first and last record */
};

struct report_bar { /* one row of the playbook on one node */
    const char *step;
    const char *state;  /* of the cell, at last; "waiting": for a person */
    const char *detail; /* of the last failure, or NULL */
    bool back;          /* on the way back */
    bool open;          /* its part ended before it did */
    size_t part;
    int64_t from_ms, to_ms;
    unsigned tries; /* that failed, and others followed */
};

struct report_mark { /* a try that failed */
    size_t part;
    int64_t t_ms;
    const char *step, *detail;
};

struct report_lane {
    const char *node; /* NULL: this machine */
    struct report_bar *bars;
    struct report_mark *marks;
    size_t n_bars, n_marks;
};

struct report_span { /* a clock of the cluster */
    bool outage;     /* else: degraded */
    bool open;
    size_t part;
    int64_t from_ms, to_ms;
};

struct report_outcome { /* what one part came to */
    size_t part;
    const char *outcome, *why;
    int64_t outage_ms, degraded_ms;
};

struct report_cluster {
    const char *name;
    const char *holder; /* or NULL */
    struct report_lane *lanes;
    struct report_span *spans;
    struct report_outcome *outcomes;
    size_t n_lanes, n_spans, n_outcomes;
    int64_t way_back_until; /* seconds; 0: not known */
    bool back;              /* the last walk was the way back */
    bool touched;           /* more than gates was begun */
};

struct report_note { /* a finding that stands in the journal */
    int64_t t_ms;
    const char *cluster, *node, *step, *id, *weight, *text;
};

struct report {
    const char *id, *playbook, *target, *inputs, *by, *state;
    int64_t started_ms, ended_ms; /* 0: not ended */
    int exit_code;
    bool living, holds;
    struct report_part *parts;
    struct report_cluster *clusters;
    struct report_note *notes;
    size_t n_parts, n_clusters, n_notes;
    int64_t records;
    struct run_audit audit;   /* deeds, certificates */
    struct store_audit chain; /* of the whole store */
    char next[512];           /* what to type, without `-i'; or "" */
    struct arena arena;
};

/* By hand: init, every record in order, close; then it may be drawn. */
void report_init(struct report *report);
void report_take(struct report *report, const struct store_entry *entry);
void report_close(struct report *report);
/* All that from a store.  RUN as store_find understands it.  -1 with the cause;
 * release in both cases. */
int report_read(struct report *report, struct store *store, const char *run,
                struct err *err);
void report_release(struct report *report);

#endif
