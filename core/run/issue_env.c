/* SPDX-License-Identifier: Apache-2.0
 *
 * What an issuer's program is told.
 */
#include "core/run/issue_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not: anything with a token in it, proxies with their passwords among them.
 * Who needs more says so in the command: /usr/bin/env NAME=VALUE ... */
const char *const issue_env_passed[] = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", NULL,
};

static void add(struct issue_env *env, size_t *n, const char *name,
                const char *value)
{
    if (value && *n + 1 < ISSUE_ENV_MAX)
        env->list[(*n)++] = arena_printf(&env->arena, "%s=%s", name, value);
}

const char *const *issue_env_make(struct issue_env *env,
                                  const struct course *course,
                                  const struct issue_wish *wish)
{
    static const char *const purposes[] = {
        [PKI_ANY] = "both",
        [PKI_SERVER] = "server",
        [PKI_CLIENT] = "client",
    };
    const struct issuer *issuer = plan_issuer(course->pc);
    char days[16];
    size_t n = 0;

    memset(env, 0, sizeof(*env));
    arena_init(&env->arena);
    snprintf(days, sizeof(days), "%u", issuer->days);
    for (const char *const *name = issue_env_passed; *name; name++)
        add(env, &n, *name, getenv(*name));
    add(env, &n, "CERTFLEET_CLUSTER", course->pc->cluster->name);
    add(env, &n, "CERTFLEET_NODE", wish->node);
    add(env, &n, "CERTFLEET_SLOT", wish->slot);
    add(env, &n, "CERTFLEET_ISSUER", issuer->name);
    add(env, &n, "CERTFLEET_RUN", course->journal->run);
    add(env, &n, "CERTFLEET_PURPOSE", purposes[wish->purpose]);
    add(env, &n, "CERTFLEET_DAYS", days);
    add(env, &n, "CERTFLEET_REQUEST", wish->request_path);
    return env->list;
}

void issue_env_release(struct issue_env *env)
{
    arena_release(&env->arena);
}
