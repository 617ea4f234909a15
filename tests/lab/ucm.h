/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/ucm.h - the CUCM personality: nodes of one cluster with their
 * services, multi-server certificates, the certmgr REST API and what the shell
 * says of the cluster (facts/uc.md 1.4, 1.5, 2, 13; seed 004).
 *
 * A key `ucm = publisher|subscriber|imp-publisher|imp|appliance` of [node]
 * makes one. An upload goes to every node of its cluster that its type is for,
 * and is served when the service that reads it has started anew.
 */
#ifndef CERTFLEET_LAB_UCM_H
#define CERTFLEET_LAB_UCM_H

#include <openssl/x509.h>

#include "tests/lab/lab.h"
#include "tests/lab/mmp.h"

enum ucm_role {
    UCM_PUBLISHER = 1 << 0,
    UCM_SUBSCRIBER = 1 << 1,
    UCM_IMP_PUBLISHER = 1 << 2,
    UCM_IMP = 1 << 3,
    UCM_APPLIANCE = 1 << 4, /* Finesse, CUIC ...: each for itself */
    UCM_CALLS = UCM_PUBLISHER | UCM_SUBSCRIBER,
    UCM_PRESENCE = UCM_IMP_PUBLISHER | UCM_IMP,
};
enum ucm_unit_id {
    UCM_TOMCAT,
    UCM_CALLMANAGER,
    UCM_XMPP,
    UCM_S2S,
    UCM_TVS,
    UCM_UNITS
};
struct ucm_kind { /* of a certificate */
    const char *name;
    unsigned scope, head; /* roles */
    const char *service;  /* that serves it */
};
extern const struct ucm_kind ucm_kinds[UCM_UNITS];

struct ucm_unit {
    EVP_PKEY *key, *request_key;
    X509 *cert;
    X509 *first, *shown; /* when the lab began; as loaded */
    X509_REQ *request;
    STACK_OF(X509) * trusts;
};
enum {
    UCM_SERVICES_MAX = 16
};
struct ucm_service {
    const char *name;
    bool activated, running;
    bool moving; /* starting anew */
};
struct ucm {
    struct lab_node *node;
    unsigned role;
    struct ucm_unit units[UCM_UNITS];
    struct ucm_service services[UCM_SERVICES_MAX];
    size_t n_services;
    struct tlsport *ports[UCM_UNITS]; /* NULL: nobody listens */
    uint64_t phones_ms; /* monotonic: since when its phones are back */
    char *ctl;          /* serials in it */
};

/* 1: done, 0: no such key, -1: a bad value. */
int ucm_config(struct lab_node *node, const char *key, const char *value,
               struct err *err);
void ucm_free(struct lab_node *node);
/* The first certificates of every cluster; their roots go to DIR/ucm-ca.crt. */
int ucm_begin(struct lab *lab, struct err *err);
void ucm_power(struct lab_node *node, bool up);
/* "pub.example.com"; static */
const char *ucm_fqdn(const struct lab_node *node);

/* -- services (ucm.c) ---------------------------------------------------------
 */

struct ucm_service *ucm_service(struct ucm *u, const char *name);
/* Stops what it serves; starts with what is stored now. */
void ucm_stop(struct ucm *u, struct ucm_service *s);
void ucm_start(struct ucm *u, struct ucm_service *s);

/* -- certificates (ucm_certs.c) -------------------------------------------- */

int ucm_make_first(struct lab_cluster *cluster, int days, struct str *roots,
                   struct err *err);
void ucm_release_unit(struct ucm_unit *unit);
SSL_CTX *ucm_context(const struct ucm_unit *unit, struct err *err);
/* A new request for all nodes of the type; the one before is gone. */
int ucm_make_request(struct ucm *u, enum ucm_unit_id id, const char *cn);
/* NULL: done, on this node and on all that it is for; else what the platform
 * says (facts/uc.md 1.3).  *status is HTTP's. */
const char *ucm_upload(struct ucm *u, enum ucm_unit_id id, const char *pem,
                       int *status);
const char *ucm_trust(struct ucm *u, enum ucm_unit_id id, const char *pem);
char *ucm_cert_pem(X509 *cert);
char *ucm_request_pem(X509_REQ *request);
/* "new": it shows another one than when the lab began; "old"; "stale": another
 * one is stored by now; "down"; NULL: the node has no such. */
const char *ucm_state(const struct ucm *u, enum ucm_unit_id id);

/* -- REST (ucm_rest.c), shell (ucm_words.c) -------------------------------- */

void ucm_rest(struct lab_node *node, const char *request, struct str *reply);
extern const struct mmp_command ucm_commands[];
extern const struct mmp_command ucm_cert_commands[]; /* ucm_cli.c */

#endif
