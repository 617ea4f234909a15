/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/plan_file.h - what `plan -o' writes: the plan, its hash, when it was
 * made, and notes: what the planner saw that no plan holds (findings and
 * estimates).  It is read once; what is judged is what was read.
 */
#ifndef CERTFLEET_CLI_PLAN_FILE_H
#define CERTFLEET_CLI_PLAN_FILE_H

#include <jansson.h>

#include "core/run/approval.h"
#include "core/run/plan.h"

struct plan_file {
    json_t *json;              /* all of it */
    struct approval_plan seen; /* its digests; `json' is the one above */
};

/* Mode 0600; an older file is replaced. */
int plan_file_write(const struct plan *plan, const char *path, struct err *err);
/* CAUSE_INPUT: no such file, or no JSON.  Release it in both cases. */
int plan_file_read(const char *path, struct plan_file *file, struct err *err);
void plan_file_release(struct plan_file *file);
/* Does it hold the plan that its own hash is of?  CAUSE_REFUSED: it was
 * changed. */
int plan_file_check(const struct plan_file *file, struct err *err);
/* The plan as it was, to be shown; without facts.  `request' is of the file,
 * too.  What is shown has the file's hash, or it is refused. */
struct plan *plan_file_plan(const struct plan_file *file,
                            const struct plan_request *request,
                            struct err *err);

#endif
