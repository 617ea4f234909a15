/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/request.h - from the words of `plan' and `apply', or from a plan file,
 * to what core/run is asked for.
 */
#ifndef CERTFLEET_CLI_REQUEST_H
#define CERTFLEET_CLI_REQUEST_H

#include "cli/app.h"
#include "cli/plan_file.h"
#include "core/run/plan.h"

struct request {
    struct plan_request plan;  /* all in the arena, or argv's */
    char hash[PKI_SHA256_HEX]; /* of a plan file; "" without */
    struct plan_file file;     /* .json NULL: there is none */
    struct arena arena;
};

/* PLAYBOOK TARGET... [KEY=VALUE...].  0, or -1 (CAUSE_INPUT); release it in
 * both cases. */
int request_from_words(struct request *request, struct app *app,
                       struct err *err);
int request_from_file(struct request *request, struct app *app,
                      const char *path, struct err *err);
void request_release(struct request *request);

/* By id, or -1 with what comes nearest. */
const struct playbook *request_playbook(const char *id, struct err *err);
/* Is `step` an id of the playbook?  NULL is. */
int request_check_step(const struct playbook *playbook, const char *step,
                       struct err *err);

#endif
