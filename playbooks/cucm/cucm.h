/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cucm/cucm.h - a CUCM cluster with its IM&P nodes: its product, its
 * playbook, and what their files share.
 *
 * Its invariants (docs/cucm.md), asked by the guard from what was just read:
 *  V1 nothing is uploaded but the answer to the request that the node has now,
 *     and only when every CA of its chain is in the node's trust store.
 *  V2 nothing is uploaded while replication is not set up on every node, a
 *     service that a restart needs is down, or SSO stands in the way.
 *  V3 no service starts anew before the new certificate was read back on every
 *     node that it names.
 *  V4 no second node starts anew before the first one shows the new
 *     certificate, and none while another one's services are down.
 *  V5 in mixed mode no service starts anew before the CTL holds the new one.
 *  V6 CallManager is not renewed when TVS or ITLRecovery were just now
 *     (facts/uc.md 0.6).
 */
#ifndef CERTFLEET_CUCM_CUCM_H
#define CERTFLEET_CUCM_CUCM_H

#include "core/run/act.h"
#include "core/run/plan.h"
#include "playbooks/cucm/facts.h"

extern const struct product cucm_product;
extern const struct playbook cucm_rotate;

/* ms: a reading is "just now". */
enum {
    CUCM_FRESH_MS = 30000
};

/* The run's type; of `check', which has none, the first. */
const struct cucm_type *cucm_type_of(const struct plan *plan);
/* The node on which the request is made; SIZE_MAX: none. */
size_t cucm_head(const struct plan_cluster *pc);
/* The name by which the cluster knows a node: what `show network cluster' on
 * the publisher says, else the inventory's first name, else its address. */
const char *cucm_fqdn(const struct plan_cluster *pc, size_t node);
/* The publisher's list as a row for this node; NULL: it does not know it. */
const struct cucm_member *cucm_member_of(const struct plan_cluster *pc,
                                         size_t node);
/* The replication row for this node, from whichever database is its own. */
const struct cucm_replica *cucm_replica_of(const struct plan_cluster *pc,
                                           size_t node);
/* Does a run start this service anew on this node?  By the type's table, and
 * where it is activated. */
bool cucm_restarts(const struct view *view, const char *service);
/* 0: every service that is to start anew on the node runs. */
int cucm_services_run(const struct plan_cluster *pc, size_t node,
                      struct err *err);
/* Does the node have the new certificate as its own?  As read. */
bool cucm_has_new(const struct plan_cluster *pc, size_t node);
/* Did a listener of this type answer when the gates were read?  None does where
 * the service is not activated: a server for TFTP alone stands in the
 * CallManager certificate, too. */
bool cucm_listens(const struct plan_cluster *pc, size_t node);
/* Does its listener show it?  True, too, where there is none. */
bool cucm_shows_new(const struct plan_cluster *pc, size_t node);
/* Does the CTL, as read on the head, hold the new certificate's number? */
bool cucm_ctl_has_new(const struct plan_cluster *pc);
/* The CAs of the new set that the head's trust store lacks: PEM, in the order
 * root first; the caller frees each and the list. */
char **cucm_missing_trust(const struct plan_cluster *pc, size_t *n);
/* Phones that were registered when the gates were read; -1: not known. */
long cucm_phones_before(const struct plan_cluster *pc);

/* Did this run send such an order itself, in this process or before? */
bool cucm_has_sent(const struct plan_node *pn, const char *begin);
/* Where its API is; false: the inventory gives no access to it. */
bool cucm_api(const struct plan_cluster *pc, size_t node,
              struct link_peer *peer);
/* The common name of the request: cn=, else the head's with "-ms" behind its
 * host, as the platform names it (facts/uc.md 2). */
void cucm_common_name(const struct plan_cluster *pc, struct str *out);

/* -- the playbook's parts (decide.c, issue.c, goals.c, guard.c) ---------------
 */

int cucm_prepare(struct plan_cluster *pc, struct err *err);
int cucm_check_type(const struct plan_cluster *pc, const char *value,
                    struct err *err);
int cucm_decide(struct plan_cluster *pc, struct findings *findings,
                struct err *err);
bool cucm_not_due(const struct plan_cluster *pc, struct str *why);
int cucm_wish(struct issue_job *job, bool make, struct err *err);
void cucm_issue(struct issue_job *job);
int cucm_guard(const struct view *view, const struct act *act, const char *text,
               bool *hold, struct err *err);
int cucm_post(const struct view *view, const char *text, struct post *post,
              struct err *err);
enum reply cucm_posted(const struct view *view, const char *text,
                       const struct link_result *result, struct posted *posted,
                       struct err *err);
void cucm_health(const struct view *view, struct findings *findings);
void cucm_certificates(const struct view *view, cert_row_f *each, void *user);
goal_f cucm_goal_gates, cucm_goal_csr, cucm_goal_issue, cucm_goal_trust,
    cucm_goal_upload, cucm_goal_replicated, cucm_goal_ctl, cucm_goal_restart,
    cucm_goal_phones, cucm_goal_prove;

#endif
