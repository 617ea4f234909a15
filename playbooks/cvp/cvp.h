/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cvp/cvp.h - Cisco Unified Customer Voice Portal: Call/VXML server,
 * Reporting server, OAMP, and the one Java keystore (JCEKS) that each has its
 * certificates in (seed 003, facts/uc.md 5 and 6).
 *
 * Everything is done on a copy of the keystore in the login's own folder, where
 * OpenSSH's commands and SFTP both begin; the copy then takes the keystore's
 * place, and the services that read it are started anew.  Going back is the
 * same with the other copy, that of the keystore as it was.
 */
#ifndef CERTFLEET_CVP_CVP_H
#define CERTFLEET_CVP_CVP_H

#include "core/run/plan.h"
#include "core/run/probe.h"
#include "playbooks/windows/windows.h"

enum { /* roles */
    CVP_SERVER = 1 << 0,
    CVP_REPORTING = 1 << 1,
    CVP_OAMP = 1 << 2,
    CVP_EVERY = CVP_SERVER | CVP_REPORTING | CVP_OAMP,
    CVP_RENEWS = 1 << 8 /* derived: by alias, CVP_RENEWS << enum cvp_alias */
};
enum cvp_alias {
    CVP_WSM,
    CVP_VXML,
    CVP_OAMP_CERT,
    CVP_CALLSERVER,
    CVP_ALIASES
};
#define CVP_RENEWED (CVP_RENEWS * ((1 << CVP_ALIASES) - 1))

enum {                        /* reads */
    CVP_READ_STATUS = 1 << 0, /* digest of the keystore */
    CVP_READ_HOME = 1 << 1,
    CVP_READ_LIST = 1 << 2,
    CVP_READ_LIVE = 1 << 3,   /* what the keystore holds */
    CVP_READ_STAGED = 1 << 4, /* what the new copy holds */
    CVP_READ_COPIES = 1 << 5, /* digests of both copies */
    CVP_READ_SERVICES = 1 << 6,
    CVP_READ_SHOWN = 1 << 7,
    CVP_READ_CLOCK = 1 << 8
};
enum {
    CVP_FRESH_MS = 30 * 1000, /* how old a destructive act's ground may be */
    CVP_NAME_BYTES = WIN_NAME_BYTES
};

struct cvp_alias_row {
    const char *word;  /* of the set's slots: "wsm" gives wsm_csr, wsm_crt */
    const char *alias; /* seed 003, "4. CA" */
    const char *title;
    uint32_t roles;    /* servers that have it */
    unsigned port;     /* of a listener that shows it */
    bool must_show;    /* it is documented (facts/uc.md 5); else remembered */
    const char *drops; /* what its restart costs; NULL: nobody notices */
};
extern const struct cvp_alias_row cvp_aliases[CVP_ALIASES];

/* Windows services, in the order in which they are started anew. */
enum cvp_service {
    CVP_SVC_WSM,
    CVP_SVC_VXML,
    CVP_SVC_IIS,
    CVP_SVC_OAMP,
    CVP_SVC_CALLSERVER,
    CVP_SERVICES
};
struct cvp_service_row {
    const char *name, *title;
    enum cvp_alias alias; /* that it reads */
    uint32_t roles;
};
extern const struct cvp_service_row cvp_services[CVP_SERVICES];

/* -- facts ----------------------------------------------------------------- */

struct cvp_entry {  /* one of our aliases in a keystore */
    bool seen, key; /* key: a PrivateKeyEntry */
    unsigned chain;
    char *pem; /* its chain, leaf first; NULL: none */
    struct pki_cert_info leaf;
    bool rooted; /* the last of the chain is self-issued */
};
struct cvp_store {
    bool there;
    struct cvp_entry entry[CVP_ALIASES];
};
enum cvp_copy {
    CVP_OLD,
    CVP_NEW
};
struct cvp_facts {
    struct win_node node;
    char live_sha256[PKI_SHA256_HEX];
    char home[128];
    struct cvp_store live, staged;
    char copy_sha256[2][PKI_SHA256_HEX]; /* by enum cvp_copy; "": none there */
    enum win_state service[CVP_SERVICES];
    char shown_sha256[CVP_ALIASES][PKI_SHA256_HEX]; /* "": no answer */
    uint64_t shown_ms[CVP_ALIASES];
    struct secret *shown_bytes[CVP_ALIASES];
};
struct facts *cvp_facts_new(void);
void cvp_facts_free(struct facts *facts);
const struct cvp_facts *cvp_facts_at(const struct plan_cluster *pc, size_t i);
const struct cvp_facts *cvp_facts_of(const struct view *view);
extern const struct read_row cvp_reads[];

/* `keytool -list -rfc`.  -1: neither a list nor the word that there is no such
 * file, as with a wrong password.  Certificates are decoded by cvp_store_work,
 * in the pool. */
int cvp_store_parse(struct cvp_store *store, const char *text, size_t len,
                    struct err *err);
void cvp_store_work(struct cvp_store *store);
void cvp_store_release(struct cvp_store *store);

/* -- the plan -------------------------------------------------------------- */

extern const struct product cvp_product;
extern const struct playbook cvp_keystore_rotate;

/* "wsm_csr", "wsm_crt" */
enum cvp_part {
    CVP_CSR,
    CVP_CRT
};
const char *cvp_slot(enum cvp_alias alias, enum cvp_part part);
bool cvp_renews(const struct plan_cluster *pc, size_t i, enum cvp_alias alias);
static inline uint32_t cvp_renew_bit(enum cvp_alias alias)
{
    return (uint32_t)CVP_RENEWS << alias;
}
/* "cvp-new-g2-3f9a.keystore"; false: the set has no number yet. */
bool cvp_copy_name(const struct plan_cluster *pc, enum cvp_copy copy,
                   struct str *out);
bool cvp_variable(const struct view *view, const char *name, struct str *out);
int cvp_prepare(struct plan_cluster *pc, struct err *err);
int cvp_check_aliases(const struct plan_cluster *pc, const char *value,
                      struct err *err);
bool cvp_not_due(const struct plan_cluster *pc, struct str *why);
int cvp_decide(struct plan_cluster *pc, struct findings *findings,
               struct err *err);
int cvp_way_back(const struct plan_cluster *pc, int64_t at, struct err *err);
int cvp_recognise(struct plan_cluster *pc, struct err *err);
void cvp_issue(struct issue_job *job);
int cvp_wish(struct issue_job *job, bool make, struct err *err);

/* What it says, and whether it did it (facts/uc.md 6). */
enum reply cvp_judge(const char *command, const char *output, size_t len,
                     struct err *err);
int cvp_guard(const struct view *view, const struct act *act, const char *text,
              bool *hold, struct err *err);

goal_f cvp_goal_gates, cvp_goal_keep, cvp_goal_keys, cvp_goal_take,
    cvp_goal_issue, cvp_goal_push, cvp_goal_swap, cvp_goal_prove;
enum goal cvp_goal_service(const struct view *view, enum cvp_service service,
                           struct err *why);
/* 0: the new copy holds what this run made and got signed; -1 with why. */
int cvp_staged_is_good(const struct view *view, struct err *why);
/* Is the keystore the wanted one, as both were just read? */
bool cvp_is_swapped(const struct view *view);

/* `check` */
void cvp_health(const struct view *view, struct findings *findings);
void cvp_certificates(const struct view *view, cert_row_f *each, void *user);

#endif
