/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/gates_priv.h - what the gates' checks (gates.c) and the plan's
 * taking of facts (decide.c) share.
 */
#ifndef CERTFLEET_CMS_GATES_PRIV_H
#define CERTFLEET_CMS_GATES_PRIV_H

#include "playbooks/cms/cms.h"

struct look { /* what every check needs */
    struct plan_cluster *pc;
    struct findings *findings;
};

const char *look_name(const struct look *look, size_t i);
const struct cms_status *look_status(const struct look *look, size_t i);
bool look_is_in(const struct look *look, size_t i); /* not left out */
bool look_is_database(const struct look *look, size_t i);
/* In, and no newcomer; and holding data. */
bool look_is_member(const struct look *look, size_t i);
bool look_is_data_member(const struct look *look, size_t i);

#define REFUSE(look, id, i, ...)                                               \
    findings_add((look)->findings, SEVERITY_ERROR, id, look_name(look, i),     \
                 __VA_ARGS__)
#define WARN(look, id, i, ...)                                                 \
    findings_add((look)->findings, SEVERITY_WARNING, id, look_name(look, i),   \
                 __VA_ARGS__)

/* Have the old certificates ended?  Sets pc->expired. */
void gates_find_expired(const struct look *look);
/* Who holds the data?  Sets pc->holder; SIZE_MAX and a finding: unclear. */
void gates_find_holder(const struct look *look);
void gates_check_status(const struct look *look, size_t i);
void gates_check_members(const struct look *look);
void gates_check_clock(const struct look *look, size_t i);
void gates_check_version(const struct look *look, size_t i);
void gates_check_newcomer(const struct look *look, size_t i);
void gates_check_room(const struct look *look, size_t i);
/* The issuer is a person: says what that means for the run. */
void gates_say_issuer(const struct look *look);
/* preflight.c: whose root it is besides; is its key on a node? */
void gates_check_root(const struct look *look);
void gates_check_ca_key(const struct look *look, size_t i);
/* In the pool: the file of the CA that will sign. */
void cms_lint_issuer(const struct look *look);

#endif
