/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/drive.h - takes a run from its plan to its result: shows, asks, listens,
 * handles signals, reports.  Shared by plan, apply, resume and rollback.
 */
#ifndef CERTFLEET_CLI_DRIVE_H
#define CERTFLEET_CLI_DRIVE_H

#include "cli/session.h"
#include "core/run/run.h"

struct drive_options {
    enum run_mode mode;
    const char *id;        /* resume, rollback */
    const char *plan_hash; /* apply --plan, or NULL */
    json_t *approved;      /* apply: who approved it, or NULL */
    const char *output;    /* plan -o, or NULL */
};

/* --yes, or somebody to ask?  Else app_fail was called: return the code. */
int drive_may_ask(struct app *app);

/* Takes the plan in every case.  Returns the exit code, `final' is filled. */
int drive_run(struct session *session, struct plan *plan,
              const struct drive_options *options);

#endif
