/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/approvals.h - the approvals beside a plan file, against what the
 * inventory wants of each cluster; told to people, and given to a run.
 */
#ifndef CERTFLEET_CLI_APPROVALS_H
#define CERTFLEET_CLI_APPROVALS_H

#include "cli/request.h"
#include "core/run/approval.h"

/* Does any cluster of the request want approvals? */
bool approvals_are_wanted(const struct request *request);
/* FILE.sig; free it. */
char *approvals_path(const char *plan);

struct approval_state { /* of one cluster */
    const struct cluster *cluster;
    struct approvals approvals;
};
struct approval_book {
    char *path;      /* FILE.sig */
    struct str text; /* what was in it; "" when there is no such file */
    struct approval_state *states; /* of the clusters that want some */
    size_t n;
    struct arena arena;
};

/* Reads and judges; `more' is judged with what the file holds (NULL: none).
 * Release it in every case. */
int approval_book_read(struct approval_book *book,
                       const struct request *request, const char *plan,
                       const struct str *more, struct err *err);
void approval_book_release(struct approval_book *book);

/* Each approval once, those that do not count with the reason: lines, or
 * "approval" events. */
void approval_book_say(const struct approval_book *book, struct app *app);
/* One approval, as an event; nothing without --json. */
void approval_tell(const struct approval_book *book, struct app *app,
                   const struct approval *approval, const char *cluster);
/* The first cluster that has too few; NULL: there is none. */
const struct approval_state *approval_book_lacks(
    const struct approval_book *book);
/* What run_options.approved wants; new reference. */
json_t *approval_book_json(const struct approval_book *book);

/* apply: 0 and *approved (NULL: none is wanted), or the exit code; app_fail
 * was called, with what to type. */
int approvals_for_apply(struct app *app, const struct request *request,
                        json_t **approved);

#endif
