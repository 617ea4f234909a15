/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/vos.h - appliances of the Voice Operating System that are no
 * CUCM (Finesse, CUIC, Live Data, IdS, Cloud Connect, VVB): seed 003's VOS
 * part, by the shell alone (facts/uc.md 1.2, 3).  Other products of the
 * platform share its dialect, its lists and how answers are judged
 * (dialect.h, node.h, services.h, pem.h, serial.h, request.h, answer.h).
 *
 * Invariants, asked by the guard from what was just read:
 *  W1 nothing is uploaded but the answer to the request that the node has now,
 *     and only when every CA of its chain is in the node's trust store.
 *  W2 nothing is uploaded to a node, and no node starts anew, while another one
 *     does not serve; none of the second ones before the first shows its new
 *     certificate.
 *  W3 no node starts anew before its new certificate was read back.
 */
#ifndef CERTFLEET_VOS_VOS_H
#define CERTFLEET_VOS_VOS_H

#include "core/run/act.h"
#include "core/run/plan.h"
#include "playbooks/vos/node.h"

enum vos_role {
    VOS_PRIMARY = 1 << 0, /* the one of a single node, too */
    VOS_SECONDARY = 1 << 1,
};
#define VOS_ALL (VOS_PRIMARY | VOS_SECONDARY)

enum vos_read {
    VOS_READ_SERVICES = 1 << 0,
    VOS_READ_VERSION = 1 << 1,
    VOS_READ_OWN = 1 << 2,   /* `show cert own tomcat' */
    VOS_READ_TRUST = 1 << 3, /* `show cert list trust' */
    VOS_READ_CSR = 1 << 4,   /* `show csr own tomcat' */
    VOS_READ_SHOWN = 1 << 5, /* by TLS */
};
enum { /* ms: a reading is "just now" */
    VOS_FRESH_MS = 30000
};

struct vos_facts {
    struct vos_node node;
    char version[64]; /* "" : not told */
    char *own;        /* as printed; NULL: not read */
    char *trust;      /* the same */
    bool csr_known;
    char csr_sha256[PKI_SHA256_HEX]; /* in the form of vos_pem; "": none */
};
struct facts *vos_facts_new(void);
void vos_facts_free(struct facts *facts);
extern const struct read_row vos_reads[];
const struct vos_facts *vos_facts_of(const struct view *view);
const struct vos_facts *vos_facts_at(const struct plan_cluster *pc, size_t i);
bool vos_is_fresh(const struct vos_facts *facts, enum vos_read bit);
/* Is this CA in the list of `show cert list trust'?  By common name and number,
 * as files are named from some release on; *by_name: by a file that only has
 * its common name, as older ones have it (facts/uc.md 1.2). */
bool vos_lists_ca(const char *list, const struct pki_cert_info *ca,
                  bool *by_name);
/* "Active Master Version: 12.6.2.10000-5"; false: there is none. */
bool vos_version_parse(const char *text, size_t len, char out[64]);

/* -- look.c: questions that gates, goals and guard share --------------------
 */

/* The port whose certificate is the proof: port=, else 8443, which all of them
 * have (seed 003; facts/uc.md 8). */
unsigned vos_port(const struct plan *plan);
/* Does the node have the new certificate as its own?  By its PEM or its
 * number.  GOAL_UNKNOWN: it was not read, or there is none yet. */
enum goal vos_has_new(const struct plan_cluster *pc, size_t node);
bool vos_shows_new(const struct plan_cluster *pc, size_t node);
/* The request that waits there is the one that the set holds. */
bool vos_has_our_request(const struct plan_cluster *pc, size_t node);
/* The set's file for this slot, and its text; NULL: none, or it is empty. */
const struct set_file *vos_slot(const struct plan_cluster *pc, size_t node,
                                const char *slot);
const char *vos_slot_text(const struct plan_cluster *pc, size_t node,
                          const char *slot);
/* Is the CA of this slot pasted?  By the list as read, and nothing else. */
bool vos_pastes_ca(const struct plan_cluster *pc, size_t node,
                   const char *slot);
/* Must it still be, before anything can be uploaded? */
bool vos_lacks_ca(const struct plan_cluster *pc, size_t node, const char *slot);
extern const char *const vos_ca_slots[]; /* root first; NULL ends */
/* Every service that ran when the gates were read runs; -1 names one. */
int vos_services_run(const struct plan_cluster *pc, size_t node,
                     struct err *err);
/* What ran, for plan_node.first_last. */
char *vos_running_list(const struct vos_facts *facts);
bool vos_has_sent(const struct plan_node *pn, const char *command);

/* -- the playbook's parts ---------------------------------------------------
 */

extern const struct product vos_product;
extern const struct playbook vos_rotate;
int vos_prepare(struct plan_cluster *pc, struct err *err);
int vos_decide(struct plan_cluster *pc, struct findings *findings,
               struct err *err);
bool vos_not_due(const struct plan_cluster *pc, struct str *why);
int vos_wish(struct issue_job *job, bool make, struct err *err);
void vos_issue(struct issue_job *job);
int vos_guard(const struct view *view, const struct act *act, const char *text,
              bool *hold, struct err *err);
goal_f vos_goal_gates, vos_goal_csr, vos_goal_issue, vos_goal_trust,
    vos_goal_upload, vos_goal_restart, vos_goal_prove;

#endif
