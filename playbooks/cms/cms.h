/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/cms.h - the Meeting Server: its roles, its product, its
 * playbooks, and what their files share.
 */
#ifndef CERTFLEET_CMS_CMS_H
#define CERTFLEET_CMS_CMS_H

#include "core/run/act.h"
#include "core/run/plan.h"
#include "playbooks/cms/facts.h"

/* ms: a reading is "just now".  Between it and the command lies one commit of
 * the journal. */
enum {
    CMS_FRESH_MS = 30000
};

enum cms_role {
    CMS_DATABASE = 1 << 0, /* holds a copy of the data */
    CMS_CONNECT = 1 << 1,  /* a Call Bridge that uses the cluster's data */
    CMS_CALLBRIDGE = 1 << 2,
    CMS_WEBADMIN = 1 << 3,
    CMS_WEBBRIDGE3 = 1 << 4,
    CMS_TURN = 1 << 5,
    CMS_RECORDER = 1 << 6,
    CMS_STREAMER = 1 << 7,
    CMS_MEETINGAPPS = 1 << 8,
    CMS_SCHEDULER = 1 << 9,
    CMS_UPLOADER = 1 << 10,
    CMS_WEBBRIDGE = 1 << 11, /* of 2.x, as the next */
    CMS_XMPP = 1 << 12,
    /* makes the new set itself (onbox.h) */
    CMS_SIGNS = 1 << 13,
    /* chosen by a run: its calls are waited for, before what it trusts changes
     * and before it is switched */
    CMS_DRAINS_TRUST = 1 << 14,
    CMS_DRAINS = 1 << 15,
    /* found out by reading: which database node is which */
    CMS_PRIMARY = 1 << 16,
    CMS_REPLICA = 1 << 17,
    /* chosen by a run: on which node it switches which service; from here on
     * one bit for each (services.h) */
    CMS_SWITCHES = 1 << 18,
};

/* ... and on which it changes what is trusted: one bit for the Call Bridge, one
 * for the web bridge, one for what carries no calls (services.h). */
#define CMS_TRUSTS (1U << 29)

extern const struct product cms_product;
extern const struct playbook cms_db_rotate, cms_db_add_node, cms_db_remove_node,
    cms_service_rotate;
/* Acts that other playbooks have, too. */
extern const struct act cms_act_backup[], cms_act_leave[], cms_act_certs[],
    cms_act_connect[], cms_act_join[];
enum {
    CMS_DB_STEPS = 15
};
extern const struct step cms_db_steps[CMS_DB_STEPS];
extern const struct product_words cms_words;

/* -- judged from facts ---------------------------------------------------- */

/* Fills old_good, old_why from the bytes read: the way back (old.c). */
void cms_judge_old(struct cms_facts *facts);
/* The earliest end of the old certificates, seconds; 0: none was read. */
int64_t cms_old_not_after(const struct cms_facts *facts);

/* Does the node's status show the names of the target set? */
bool cms_shows_set(const struct view *view);
/* The address at which the node's peers know it, or NULL. */
const char *cms_own_address(const struct plan_cluster *pc, size_t node);
/* Which node is it that peers know by this address?  SIZE_MAX: none. */
size_t cms_node_by_address(const struct plan_cluster *pc, const char *address);
/* The node that says of itself that it is Connected Primary, read since the
 * walk began; SIZE_MAX: none, or several. */
size_t cms_primary_now(const struct view *view);

/* -- newcomers (newcomer.c) ------------------------------------------------ */

/* A newcomer on the way back, or a leaver: it is to be in no cluster. */
bool cms_is_sent_out(const struct plan_node *pn, bool back);
/* The input `node', as the cluster's; SIZE_MAX: not given, or no such. */
size_t cms_named_node(const struct plan_cluster *pc);
bool cms_goes_out(const struct view *view);
bool cms_names_nothing(const struct cms_status *status);
/* The interface it is to have; NULL: none is known. */
const char *cms_interface(const struct view *view);
/* A newcomer that is in no cluster leaves none. */
bool cms_is_to_leave(const struct view *view);
bool cms_comes_in(const struct view *view);
bool cms_makes_set(const struct view *view);
bool cms_reuses_set(const struct view *view);
/* Which form of `certs` the set that it is to have takes. */
bool cms_takes_five(const struct view *view);
bool cms_takes_three(const struct view *view);
bool cms_takes_none(const struct view *view);
bool cms_takes_interface(const struct view *view);
/* What a newcomer had, as far as it can be given back. */
void cms_take_newcomer(struct plan_cluster *pc, size_t i,
                       struct findings *findings);

/* -- product.c's parts ------------------------------------------------------
 */

bool cms_variable(const struct view *view, const char *name, struct str *out);
int cms_guard(const struct view *view, const struct act *act, const char *text,
              bool *hold, struct err *err);
void cms_health(const struct view *view, struct findings *findings);
void cms_certificates(const struct view *view, cert_row_f *each, void *user);
bool cms_is_ours(const char *name, unsigned *generation);
bool cms_in_use(const struct view *view, const char *name);
/* The guard's part about services (service_guard.c). */
int cms_guard_service(const struct view *view, const char *text, bool *hold,
                      struct err *err);
bool cms_has_target(const struct view *view, size_t node);
int cms_nobody_else(const struct view *view, struct err *err);

/* The file that a store gets so that both are trusted, and the one of the end
 * of this way, by the store's word; NULL: it stays (service_trust.c). */
const char *cms_trust_first_name(const struct view *view, const char *word);
const char *cms_trust_last_name(const struct view *view, const char *word);

/* -- cms/db-rotate's parts ----------------------------------------------------
 */

goal_f cms_goal_gates, cms_goal_issue, cms_goal_backup, cms_goal_push,
    cms_goal_leave, cms_goal_certs, cms_goal_init, cms_goal_connect,
    cms_goal_join, cms_goal_prove;
bool cms_remove_did_not_help(const struct view *view);

/* Blank names of the five files. */
void cms_db_blank_set(struct plan_cluster *pc);
int cms_db_prepare(struct plan_cluster *pc, struct err *err);
int cms_db_check_issuer(struct plan_cluster *pc, struct err *err);
int cms_db_decide(struct plan_cluster *pc, struct findings *findings,
                  struct err *err);
/* Handshakes of the old sets (weigh.c). */
void cms_db_weigh(struct plan_cluster *pc, struct findings *findings);
bool cms_db_not_due(const struct plan_cluster *pc, struct str *why);
int cms_db_way_back(const struct plan_cluster *pc, int64_t at, struct err *err);
int cms_db_recognise(struct plan_cluster *pc, struct err *err);
void cms_db_issue(struct issue_job *job);
/* For a foreign issuer (wish.c). */
int cms_db_wish(struct issue_job *job, bool make, struct err *err);
/* Can it sign?  Its local files, before any packet. */
int cms_check_issuer(struct plan_cluster *pc, const struct issuer *issuer,
                     struct err *err);
/* Is there a way back, at this hour?  `ended': what the old certificates do
 * after it. */
int cms_way_back_is_open(const struct plan_cluster *pc, int64_t at,
                         const char *ended, struct err *err);
/* Is that the set's name for the slot? */
bool cms_is_name_of(const struct file_set *set, const char *slot,
                    const char *name);
/* The files of a node's old set, as they were. */
int cms_old_is_there(const struct plan_cluster *pc, size_t i, struct err *err);
/* A file of the new set: of the one that all nodes share, or of the node's own.
 */
struct cms_spot {
    const char *slot;
    const struct plan_node *node; /* NULL: of all */
};
const struct set_file *cms_spot_file(const struct issue_job *job,
                                     const struct cms_spot *spot);
/* Below the job's folder; the caller frees. */
char *cms_spot_path(const struct issue_job *job, const struct cms_spot *spot);
/* Writes it there; a key locked when the inventory says so. */
int cms_write_file(const struct issue_job *job, const struct cms_spot *spot,
                   const void *data, size_t len, struct err *err);
int cms_write_key(const struct issue_job *job, const struct cms_spot *spot,
                  const struct secret *key, struct err *err);
/* Does the lint let the new set pass? */
int cms_judge_lint(const struct issue_job *job,
                   const struct pki_findings *found, struct err *err);
/* A node that was absent when the plan was made, read now, becomes part of it.
 */
void cms_db_adopt(struct plan_cluster *pc, size_t i);
/* From now on what the node has now is no stranger's (I7). */
void cms_db_baseline(struct plan_cluster *pc, size_t i);
/* Who holds the data: sets the derived roles of every node. */
void cms_db_assign(struct plan_cluster *pc, size_t holder);

#endif
