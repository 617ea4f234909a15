/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cucm/rest.h - the bodies of the certmgr REST API of 14 and later,
 * and what it answers (facts/uc.md 1.5).  An answer is hostile bytes: what has
 * another shape is an error, and a text in it is bounded.
 */
#ifndef CERTFLEET_CUCM_REST_H
#define CERTFLEET_CUCM_REST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

#define CUCM_REST "/platformcom/api/v1/certmgr/config"

struct cucm_csr_wish {
    const char *service;      /* "tomcat" */
    const char *distribution; /* "multi-server": remembered, no client that was
                                 read uses it (facts/uc.md 1.5) */
    const char *common_name;
    unsigned key_bits; /* RSA */
};
/* Names are left to the platform, which fills in every node's and the parent
 * domain (seed 004 step 2). */
void cucm_csr_body(const struct cucm_csr_wish *wish, struct str *out);
/* `service' is a list here, a string in the next (facts/uc.md 1.5). */
void cucm_trust_body(const char *service, const char *const *pems, size_t n,
                     struct str *out);
void cucm_identity_body(const char *service, const char *pem, struct str *out);

/* The request out of an answer to POST /csr, in the form of vos_pem. */
int cucm_csr_answer(const char *json, size_t len, struct str *out,
                    struct err *err);
/* Why it says no: `message', `error' or the first of `messages'; else "". */
void cucm_rest_message(const char *json, size_t len, struct str *out);

enum {
    CUCM_TRUSTS_MAX = 256
};
struct cucm_snapshot { /* of one service */
    char *certificate; /* PEM; NULL: none */
    char *request;     /* the same, in the form of vos_pem */
    char *trusts[CUCM_TRUSTS_MAX];
    size_t n_trusts;
};
/* GET /snapshot/server (facts/uc.md 1.5).  More trusts than fit: an error. */
int cucm_snapshot_parse(const char *json, size_t len, const char *service,
                        struct cucm_snapshot *out, struct err *err);
void cucm_snapshot_release(struct cucm_snapshot *snapshot);

#endif
