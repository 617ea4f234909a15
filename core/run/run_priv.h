/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/run_priv.h - a run's insides, shared by run.c, run_open.c and
 * run_result.c.
 */
#ifndef CERTFLEET_RUN_RUN_PRIV_H
#define CERTFLEET_RUN_RUN_PRIV_H

#include "core/run/course.h"
#include "core/run/run.h"

struct run {
    struct run_options options;
    struct plan *plan;
    struct journal journal;
    struct course *courses;      /* one a cluster of the plan */
    struct link_target *targets; /* course by course its nodes, then an issuer
                                    that is a node */
    struct link **links;
    size_t n_links;
    bool begun;           /* it is in the store */
    bool asked, answered; /* on_plan, and run_go or run_stop */
    bool ending, ended;
    unsigned interrupts;
    struct err err; /* why it did not begin */
    uv_timer_t timer;
    void (*later)(struct run *run);
    /* the longest turn of the loop */
    uv_prepare_t turn;
    uint64_t turn_cpu_us, turn_wall_us;
    uint64_t longest_cpu_us, longest_wall_us;
    size_t open_handles;
    void (*closed)(void *user);
    void *closed_user;
    /* the result, in the plan's arena */
    struct run_result result;
};

/* run.c: a course has come to a halt; what may follow? */
void run_review(struct run *run);
/* Adds up the courses' outcomes into run->result. */
void run_make_result(struct run *run);
/* The clusters that the run keeps, since somebody has to go on with them. */
struct store_names run_keeps(const struct run *run);

#endif
