/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/service_priv.h - what the parts of cms/service-rotate share:
 * its reads, goals, gates, issue, and its part of the guard.
 */
#ifndef CERTFLEET_CMS_SERVICE_PRIV_H
#define CERTFLEET_CMS_SERVICE_PRIV_H

#include "playbooks/cms/cms.h"
#include "playbooks/cms/services.h"

/* Does the inventory say that the node has this service? */
static inline bool cms_has_service(const struct node *node,
                                   enum cms_service service)
{
    return (node->roles & cms_services[service].role) != 0;
}

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
size_t cms_bundle_names(const struct view *view, struct read_file *list);
int cms_parse_bundle(struct facts *facts, const struct read_file *file,
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
/* Is it there and as it should be; does its port show what its file holds?
 * (service_gates.c, for service_trust.c) */
struct look;
void cms_check_service(const struct look *look, size_t i,
                       enum cms_service service);
void cms_check_shown(const struct look *look, size_t i, enum cms_svc_slot slot);
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

/* -- drain=MINUTES (service_drain.c) --------------------------------------- */

int cms_drain_check(const struct plan_cluster *pc, const char *value,
                    struct err *err);
/* Gives CMS_DRAINS to the nodes that wait, as today's inputs say. */
void cms_drain_choose(struct plan_cluster *pc);
unsigned cms_drain_within_s(const struct plan_cluster *pc);
struct look;
void cms_drain_decide(const struct look *look);
bool cms_api_peer(const struct view *view, const struct read_file *about,
                  struct link_peer *peer);
int cms_parse_calls(struct facts *facts, const struct read_file *about,
                    const struct link_result *result, struct err *err);
/* Before the switch, before a store trusts more, before it drops. */
goal_f cms_goal_drained, cms_goal_drained_trust, cms_goal_drained_last;

/* -- for `check' (service_check.c) ----------------------------------------- */

void cms_service_health(const struct view *view, struct findings *findings);
void cms_service_certificates(const struct view *view, cert_row_f *each,
                              void *user);

/* -- trust stores (service_trust.c, service_trust_mix.c) --------------------
 */

/* Slots of the new set for each store that may have to change. */
void cms_trust_prepare(struct plan_cluster *pc);
/* In the pool: which stores do not hold what is to be trusted?  Those change:
 * the node gets its derived role, and the old file stands in its old set, under
 * the slot of the file that is named in the end. */
void cms_trust_weigh(struct plan_cluster *pc, struct findings *findings);
/* What the file of a part is for a store that this run changes on the node;
 * NULL: it does not change it, or there is no such part. */
const struct set_file *cms_trust_file(const struct plan_cluster *pc,
                                      size_t node, enum cms_svc_store store,
                                      enum cms_trust_part part);
enum cms_trust_part cms_trust_last(const struct plan_cluster *pc, size_t node,
                                   enum cms_svc_store store, bool back);
/* Does the node's store name this part, and was its file just read so? */
bool cms_trust_names(const struct plan_cluster *pc, size_t node,
                     enum cms_svc_store store, enum cms_trust_part part);
/* The store whose command this is, and what it names; CMS_SVC_STORES: none. */
enum cms_svc_store cms_store_of(const char *command, const char **file);
/* Does it judge a slot that changes? */
bool cms_trust_judges(const struct plan_cluster *pc, enum cms_svc_store store);
/* Does the run change what this service trusts on the node? */
bool cms_trust_touches(const struct plan_cluster *pc, size_t node,
                       enum cms_service service);
/* "cbc2wtrust_both", "cbc2wtrust": slots of the set; not of TRUST_OLD. */
const char *cms_trust_word(enum cms_svc_store store, enum cms_trust_part part);
int cms_trust_knows_names(const struct plan_cluster *pc, size_t i,
                          struct err *err);
/* Does the run switch the slot's service anywhere? */
bool cms_slot_changes(const struct plan_cluster *pc, enum cms_svc_slot slot);

/* What the two files of one store of all nodes are made of. */
struct trust_mix {
    const struct plan_cluster *pc;
    enum cms_svc_store store;
    const char *ca; /* PEM of the CA that signs, itself first; NULL: not yet */
    struct pki_cert_info *held; /* of every store that changes */
    size_t n;
    struct pki_cert_info *by; /* of `ca` */
    size_t n_by;
    bool whole; /* all that is judged by it is switched: the old may go */
};
void cms_trust_mix_init(struct trust_mix *mix, const struct plan_cluster *pc,
                        enum cms_svc_store store, const char *ca);
/* One node's content more. */
void cms_trust_mix_add(struct trust_mix *mix, const void *data, size_t len);
void cms_trust_mix_release(struct trust_mix *mix);
/* Is this the certificate of a slot that changes? */
bool cms_trust_is_leaf(const struct trust_mix *mix,
                       const struct pki_cert_info *info);
/* Is it trusted no more in the end? */
bool cms_trust_drops(const struct trust_mix *mix,
                     const struct pki_cert_info *info);
/* Does it go by issuers, or by the certificates themselves? */
bool cms_trust_by_issuer(const struct trust_mix *mix);
/* Is this certificate to be added for the slot itself, not its issuer alone? */
bool cms_trust_pins(const struct trust_mix *mix, enum cms_svc_slot slot);
/* The two files of each store, out of what the gates read and what was just
 * made for the slots. */
int cms_trust_issue(const struct issue_job *job, const char *ca,
                    struct err *err);

goal_f cms_goal_trusted, cms_goal_trust_last;
/* The row that lets a service trust both, and the one that leaves it what it
 * trusts in the end. */
enum goal cms_trust_goal(const struct view *view, uint32_t services, bool last,
                         struct err *why);
bool cms_trust_changes(const struct view *view, enum cms_svc_store store);
/* Does the row of the end name another file, on this way? */
bool cms_trust_ends(const struct view *view, enum cms_svc_store store);
int cms_guard_trust(const struct view *view, const char *text, struct err *err);
/* Who outside trusts what changes, where that matters (in the pool). */
void cms_tell_dependents(const struct look *look, const char *ca);
/* I8: is what is switched to trusted by all that judge it? */
int cms_guard_trusted(const struct view *view, enum cms_service service,
                      struct err *err);

/* -- goals (service_goals.c) ----------------------------------------------- */

enum goal cms_service_goal(const struct view *view, enum cms_service service,
                           struct err *why);
goal_f cms_goal_services; /* of all that are switched, and their files */
/* Does the set that it is to have come with a bundle? */
bool cms_has_bundle(const struct view *view, enum cms_svc_slot slot);
/* Does it print, and take, the form of CMS 2.x? */
bool cms_is_plain(const struct view *view, enum cms_svc_slot slot);

#endif
