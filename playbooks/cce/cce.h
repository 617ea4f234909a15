/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cce/cce.h - Windows servers of Contact Center Enterprise (AW, HDS,
 * Router, Logger, PG): one certificate in the machine's store, which IIS on 443
 * and the Diagnostic Portico on 7890 are bound to by its thumbprint, and two
 * Java trust stores (seed 003, facts/uc.md 4).
 *
 * Invariants, asked by the guard from what was just read:
 *  X1 nothing is bound but a certificate that is in the machine's store: the
 *     new one of this run, or, on the way back, what was bound before.
 *  X2 no binding and no trust store is changed that is neither as it was found
 *     nor as this run made it.
 *  X3 no trust store is replaced before it is kept as it was; none by a copy
 *     in which a CA of the new chain is missing.
 *  X4 no service starts anew before what it reads is as wanted.
 */
#ifndef CERTFLEET_CCE_CCE_H
#define CERTFLEET_CCE_CCE_H

#include "core/run/plan.h"
#include "core/run/probe.h"
#include "playbooks/windows/windows.h"

enum { /* roles */
    CCE_AW = 1 << 0,
    CCE_HDS = 1 << 1,
    CCE_ROUTER = 1 << 2,
    CCE_LOGGER = 1 << 3,
    CCE_PG = 1 << 4,
    CCE_ALL = CCE_AW | CCE_HDS | CCE_ROUTER | CCE_LOGGER | CCE_PG,
    CCE_WITH_TOMCAT = CCE_ALL & ~CCE_ROUTER /* facts/uc.md 4.3 */
};

enum {                       /* reads */
    CCE_READ_BOUND = 1 << 0, /* thumbprints; how it is */
    CCE_READ_STORES = 1 << 1,
    CCE_READ_HOME = 1 << 2,
    CCE_READ_CLOCK = 1 << 3,
    CCE_READ_LIST = 1 << 4,
    CCE_READ_COPIES = 1 << 5, /* digests of the four copies */
    CCE_READ_STAGED = 1 << 6, /* what the new copies hold */
    CCE_READ_MY = 1 << 7,     /* are the wanted ones in the machine's store? */
    CCE_READ_TRUST = 1 << 8,  /* are the CAs? */
    CCE_READ_VALID = 1 << 9,
    CCE_READ_SERVICES = 1 << 10,
    CCE_READ_SHOWN = 1 << 11
};
enum {
    CCE_FRESH_MS = 30 * 1000,
    CCE_NAME_BYTES = WIN_NAME_BYTES
};

enum cce_listener {
    CCE_IIS_443,
    CCE_PORTICO_7890,
    CCE_LISTENERS
};
struct cce_listener_row {
    const char *slot; /* of the old set: its name is the thumbprint */
    const char *title;
    unsigned port;
};
extern const struct cce_listener_row cce_listeners[CCE_LISTENERS];

enum cce_service {
    CCE_IISADMIN,
    CCE_W3SVC,
    CCE_DIAGFWSVC,
    CCE_TOMCAT,
    CCE_SERVICES
};
extern const char *const cce_service_titles[CCE_SERVICES];

enum cce_store {
    CCE_STORE_ICM,
    CCE_STORE_JAVA,
    CCE_STORES
};
extern const char *const cce_store_words[CCE_STORES]; /* "icm", "java" */
enum cce_copy {
    CCE_OLD,
    CCE_NEW,
    CCE_COPIES
};
extern const char *const cce_ca_slots[]; /* "root", "ca1" ...; NULL ends */
enum {
    CCE_CAS = 4
};

struct cce_bound {
    bool known;               /* the answer has been read, whatever it says */
    char thumb[PKI_SHA1_HEX]; /* "": nothing is bound */
    char app[WIN_GUID_BYTES];
};
struct cce_held { /* a trust store */
    char *pem;    /* as listed, until it is decoded in the pool */
    char (*sha256)[PKI_SHA256_HEX];
    size_t n;
};
struct cce_facts {
    struct win_node node;
    struct cce_bound bound[CCE_LISTENERS];
    char store_sha256[CCE_STORES][PKI_SHA256_HEX];
    char copy_sha256[CCE_STORES][CCE_COPIES][PKI_SHA256_HEX];
    struct cce_held staged[CCE_STORES];
    char home[256];
    char in_my[CCE_LISTENERS][PKI_SHA1_HEX]; /* what the store has printed */
    bool trusted[CCE_CAS];
    bool valid; /* "The certificate binding is VALID" */
    enum win_state service[CCE_SERVICES];
    struct secret *shown_bytes[CCE_LISTENERS];
    struct pki_cert_info shown[CCE_LISTENERS]; /* kind 0: no answer */
    uint64_t shown_ms[CCE_LISTENERS];
};
struct facts *cce_facts_new(void);
void cce_facts_free(struct facts *facts);
const struct cce_facts *cce_facts_at(const struct plan_cluster *pc, size_t i);
const struct cce_facts *cce_facts_of(const struct view *view);
bool cce_is_fresh(const struct view *view, uint32_t bit);
extern const struct read_row cce_reads[];

/* -- the plan (plan.c) ----------------------------------------------------- */

extern const struct product cce_product;
extern const struct playbook cce_rotate;

/* "cce-icm-new-g2-3f9a.jks"; false: the set has no number yet. */
bool cce_copy_name(const struct plan_cluster *pc, enum cce_store store,
                   enum cce_copy copy, struct str *out);
bool cce_variable(const struct view *view, const char *name, struct str *out);
/* The thumbprint that a listener is to have; "": not known yet. */
void cce_target_thumb(const struct view *view, enum cce_listener listener,
                      char thumb[PKI_SHA1_HEX]);
/* Does this slot of the new set hold a certificate?  Read into *info. */
bool cce_slot_info(const struct plan_node *pn, const char *slot,
                   struct pki_cert_info *info);
int cce_prepare(struct plan_cluster *pc, struct err *err);
const char *cce_tomcat(const struct plan *plan); /* its service's name */
int cce_check_tomcat(const struct plan_cluster *pc, const char *value,
                     struct err *err);
int cce_check_drive(const struct plan_cluster *pc, const char *value,
                    struct err *err);

/* -- questions that gates, goals and guard share (look.c) ------------------ */

const struct plan_node *cce_node(const struct view *view);
/* As it was found; or as this run has bound it, or means to. */
bool cce_was_bound(const struct plan_cluster *pc, size_t i,
                   enum cce_listener listener, const char *thumb);
bool cce_we_bound(const struct view *view, const char *thumb);
bool cce_store_is(const struct plan_cluster *pc, size_t i, enum cce_store store,
                  enum cce_copy copy);
bool cce_is_kept(const struct view *view, enum cce_store store);
/* 0: every CA of the new chain is in the new copy. */
int cce_staged_is_good(const struct view *view, enum cce_store store,
                       struct err *why);
bool cce_is_bound(const struct view *view, enum cce_listener listener);
bool cce_is_swapped(const struct view *view);

/* -- the playbook's other parts -------------------------------------------- */

bool cce_not_due(const struct plan_cluster *pc, struct str *why);
int cce_decide(struct plan_cluster *pc, struct findings *findings,
               struct err *err);
int cce_way_back(const struct plan_cluster *pc, int64_t at, struct err *err);
int cce_recognise(struct plan_cluster *pc, struct err *err);
void cce_issue(struct issue_job *job);
int cce_wish(struct issue_job *job, bool make, struct err *err);
enum reply cce_judge(const char *command, const char *output, size_t len,
                     struct err *err);
int cce_guard(const struct view *view, const struct act *act, const char *text,
              bool *hold, struct err *err);
void cce_health(const struct view *view, struct findings *findings);
void cce_certificates(const struct view *view, cert_row_f *each, void *user);

goal_f cce_goal_gates, cce_goal_keep, cce_goal_request, cce_goal_take,
    cce_goal_issue, cce_goal_trust, cce_goal_accept, cce_goal_import,
    cce_goal_stores, cce_goal_tomcat, cce_goal_iis, cce_goal_iisadmin,
    cce_goal_portico, cce_goal_diagfw, cce_goal_prove;

#endif
