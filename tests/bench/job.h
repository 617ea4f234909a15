/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/job.h - the whole job: `certfleet apply cms/db-rotate '*'` on a
 * lab of many clusters, and what it took.
 */
#ifndef CERTFLEET_BENCH_JOB_H
#define CERTFLEET_BENCH_JOB_H

#include <jansson.h>

#include "tests/bench/figures.h"

struct job {
    const char *name; /* heads its figures; static */
    const char *key;  /* as certfleet-lab --key takes it; new keys too */
    bool delays;      /* the appliance takes its time */
    unsigned clusters;
    unsigned sessions;   /* max_sessions; 0: the default */
    const char *program; /* certfleet */
};

/* max_sessions of DIR/certfleet.ini. */
void job_set_sessions(const char *dir, unsigned sessions);

/* Whether all is as it should be, by the lab's verdict. */
void job_tell_end(const char *part, unsigned clusters, int code,
                  const json_t *verdict, struct figures *figures);

void job_run(const struct job *job, struct figures *figures);

#endif
