/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/issue_env.h - the environment of an issuer's program: a few names
 * of ours that pass, and what it is asked for.  No secret is in it, since
 * nothing passes that is not on the list.
 */
#ifndef CERTFLEET_RUN_ISSUE_ENV_H
#define CERTFLEET_RUN_ISSUE_ENV_H

#include "core/base/arena.h"
#include "core/run/course.h"

enum {
    ISSUE_ENV_MAX = 24
};
struct issue_env {
    struct arena arena;
    const char *list[ISSUE_ENV_MAX]; /* NULL-ended */
};
/* Returns env->list. */
const char *const *issue_env_make(struct issue_env *env,
                                  const struct course *course,
                                  const struct issue_wish *wish);
void issue_env_release(struct issue_env *env);

/* Of our own environment, these pass; NULL-ended. */
extern const char *const issue_env_passed[];

#endif
