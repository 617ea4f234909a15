/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/service_priv.h - what the parts of cms/service-rotate share:
 * its reads, goals, gates, issue, and its part of the guard.
 */
#ifndef CERTFLEET_CMS_SERVICE_PRIV_H
#define CERTFLEET_CMS_SERVICE_PRIV_H

#include "playbooks/cms/cms.h"
#include "playbooks/cms/services.h"

/* Does the run switch this service on the view's node? */
bool cms_switches(const struct view *view, enum cms_service service);
/* Where it is to be looked at; 0: nowhere. */
unsigned cms_slot_port(const struct cms_slot_facts *facts,
                       enum cms_svc_slot slot);
/* "webadmin_key" */
const char *cms_svc_word(enum cms_svc_slot slot, enum cms_svc_part part);

/* -- reads (service_reads.c) ----------------------------------------------- */

int cms_parse_service(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err);
size_t cms_service_names(const struct view *view, struct read_file *list);
int cms_parse_service_file(struct facts *facts, const struct read_file *file,
                           const struct link_result *result, struct err *err);
size_t cms_store_names(const struct view *view, struct read_file *list);
int cms_parse_store(struct facts *facts, const struct read_file *file,
                    const struct link_result *result, struct err *err);
bool cms_service_peer(const struct view *view, const struct read_file *about,
                      struct link_peer *peer);
int cms_parse_shown(struct facts *facts, const struct read_file *about,
                    const struct link_result *result, struct err *err);
void cms_service_work(struct facts *facts);

/* -- the plan (service_plan.c, service_gates.c) ---------------------------- */

int cms_service_check_names(const struct plan_cluster *pc, const char *value,
                            struct err *err);
int cms_service_prepare(struct plan_cluster *pc, struct err *err);
int cms_service_check_issuer(struct plan_cluster *pc, struct err *err);
const struct issuer *cms_service_issuer(const struct plan_cluster *pc);
int cms_service_decide(struct plan_cluster *pc, struct findings *findings,
                       struct err *err);
/* In the pool: what the trust stores hold. */
void cms_service_weigh(struct plan_cluster *pc, struct findings *findings);
int cms_service_way_back(const struct plan_cluster *pc, int64_t at,
                         struct err *err);
/* Its printouts name files of the old or of the new set only. */
int cms_service_knows_names(const struct plan_cluster *pc, size_t i,
                            struct err *err);
int cms_service_recognise(struct plan_cluster *pc, struct err *err);
/* What the certificates of a node's services name, the common name first: its
 * `names', then its address.  NULL-ended, the caller frees the list. */
const char **cms_service_hosts(const struct node *node);

void cms_service_issue(struct issue_job *job);
/* For a foreign issuer. */
int cms_service_wish(struct issue_job *job, bool make, struct err *err);

/* -- for `check' (service_check.c) ----------------------------------------- */

void cms_service_health(const struct view *view, struct findings *findings);
void cms_service_certificates(const struct view *view, cert_row_f *each,
                              void *user);

/* -- goals (service_goals.c) ----------------------------------------------- */

enum goal cms_service_goal(const struct view *view, enum cms_service service,
                           struct err *why);
goal_f cms_goal_services; /* of all that are switched, and their files */
/* Does the set that it is to have come with a bundle? */
bool cms_has_bundle(const struct view *view, enum cms_svc_slot slot);

#endif
