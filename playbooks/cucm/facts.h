/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cucm/facts.h - what was read from one node of a CUCM cluster, by
 * its platform's shell, by the certmgr REST API and by TLS.
 */
#ifndef CERTFLEET_CUCM_FACTS_H
#define CERTFLEET_CUCM_FACTS_H

#include "core/run/plan.h"
#include "playbooks/cucm/rest.h"
#include "playbooks/cucm/types.h"
#include "playbooks/cucm/words.h"
#include "playbooks/vos/node.h"

enum cucm_read {
    CUCM_READ_SERVICES = 1 << 0,
    CUCM_READ_REPLICATION = 1 << 1, /* of the two publishers */
    CUCM_READ_MEMBERS = 1 << 2,     /* of the publisher, as the next */
    CUCM_READ_MODE = 1 << 3,
    CUCM_READ_SSO = 1 << 4,
    CUCM_READ_PHONES = 1 << 5,
    CUCM_READ_CERTS = 1 << 6, /* by REST: its own, requests, trust stores; by
                                 the shell: its own */
    CUCM_READ_SHOWN = 1 << 7, /* by TLS */
    CUCM_READ_CTL = 1 << 8,
};

/* The types of types.h, and these, which no run renews. */
enum {
    CUCM_UNIT_TVS = 4,
    CUCM_UNIT_RECOVERY,
    CUCM_UNITS
};
extern const char *const cucm_unit_names[CUCM_UNITS];

struct cucm_unit {
    bool there;                          /* it has a certificate of its own */
    char pem_sha256[PKI_SHA256_HEX];     /* of the PEM in the form of vos_pem */
    char request_sha256[PKI_SHA256_HEX]; /* of a request that waits; "" */
    struct pki_cert_info info;           /* kind 0: it cannot be read */
    char (*trusts)[PKI_SHA256_HEX];      /* of the PEMs; owned */
    size_t n_trusts;
    char *pem;      /* until it is described */
    char *printed;  /* `show cert own': until it is judged */
    bool is_target; /* it holds the number of the new certificate: what the
                       shell says while Tomcat, and so REST, is down */
};

struct cucm_facts {
    struct vos_node node;
    struct cucm_replication *replication; /* NULL: not read */
    struct cucm_members *members;         /* the same */
    bool mode_known, mixed;
    bool sso_known, sso;
    bool phones_known;
    unsigned phones;
    bool certs_known;
    char certs_why[256]; /* why not */
    struct cucm_unit units[CUCM_UNITS];
    char *ctl; /* as printed */
    size_t ctl_len;
    char *target_pem;       /* the new certificate; until it is described */
    char target_serial[64]; /* hex; "": it is not made yet */
};

struct facts *cucm_facts_new(void);
void cucm_facts_free(struct facts *facts);
extern const struct read_row cucm_reads[];

const struct cucm_facts *cucm_facts_of(const struct view *view);
const struct cucm_facts *cucm_facts_at(const struct plan_cluster *pc, size_t i);
/* The unit of the run's type. */
const struct cucm_unit *cucm_unit_at(const struct plan_cluster *pc, size_t i);
enum vos_running cucm_running_of(const struct cucm_facts *facts,
                                 const char *service);
/* Was it read within CUCM_FRESH_MS? */
bool cucm_is_fresh(const struct cucm_facts *facts, enum cucm_read bit);

#endif
