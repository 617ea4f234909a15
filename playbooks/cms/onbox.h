/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/onbox.h - `kind = appliance': the primary makes keys, CA and
 * certificates of a database set with its own `pki' commands (seed 000 step 3;
 * facts/cms.md 4), and what it made is fetched and judged like any answer.
 *
 * Of what a real MMP puts into such a certificate only key size and digest are
 * documented, so nothing of it is believed: names, key, path, purpose and dates
 * are checked here before a node is switched to it.
 */
#ifndef CERTFLEET_CMS_ONBOX_H
#define CERTFLEET_CMS_ONBOX_H

#include "playbooks/cms/cms.h"
#include "playbooks/cms/gates_priv.h"

/* Is a new set of this cluster made so? */
bool cms_is_onbox(const struct plan_cluster *pc);
/* Before any packet: what it cannot do.  CAUSE_INPUT. */
int cms_onbox_check(const struct plan_cluster *pc, const struct issuer *issuer,
                    struct err *err);
/* Once the primary was read: can it? */
void cms_onbox_gate(const struct look *look);
/* {onbox.NAME} of a template. */
bool cms_onbox_variable(const struct view *view, const char *name,
                        struct str *out);
extern const struct act cms_act_sign[];
goal_f cms_goal_sign;
/* May this command, or this removal, go out?  0 or -1. */
bool cms_is_make(const char *text);
int cms_guard_make(const struct view *view, const char *text, struct err *err);
int cms_guard_unmake(const struct view *view, const char *name,
                     struct err *err);
/* As cms_db_wish: the wishes with their answers, from what was fetched. */
int cms_onbox_wish(struct issue_job *job, struct err *err);

#endif
