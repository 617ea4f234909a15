/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cucm/types.h - the kinds of multi-server certificates of a CUCM
 * cluster with its IM&P nodes, as data: which nodes stand in one, where its
 * request is made, which services read it and in which order they start anew.
 *
 * Sources: seed 004 (background, step 7, CallManager section), facts/uc.md 2.
 * `cup' is not here: it cannot be a multi-server certificate (facts/uc.md 2).
 * TVS and ITLRecovery are not here either, so that no run can renew them
 * together with CallManager (facts/uc.md 0.6).
 */
#ifndef CERTFLEET_CUCM_TYPES_H
#define CERTFLEET_CUCM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/link.h"

enum cucm_role {
    CUCM_PUBLISHER = 1 << 0,
    CUCM_SUBSCRIBER = 1 << 1,
    CUCM_IMP_PUBLISHER = 1 << 2, /* of the IM&P database */
    CUCM_IMP = 1 << 3,           /* its subscribers */
    /* given by a run, by its type: where the request is made, and who stands
     * in the certificate besides, in the order of the restarts */
    CUCM_HEAD = 1 << 8,
    CUCM_SECOND = 1 << 9,
    CUCM_THIRD = 1 << 10,
    CUCM_FOURTH = 1 << 11,
    /* and who is looked at only */
    CUCM_BESIDE = 1 << 12,
};
#define CUCM_UCM (CUCM_PUBLISHER | CUCM_SUBSCRIBER)
#define CUCM_PRESENCE (CUCM_IMP_PUBLISHER | CUCM_IMP)
#define CUCM_ALL (CUCM_UCM | CUCM_PRESENCE)
#define CUCM_IN_SCOPE (CUCM_HEAD | CUCM_SECOND | CUCM_THIRD | CUCM_FOURTH)

enum {
    CUCM_RESTARTS = 8
};
struct cucm_restart {
    const char *service; /* as `utils service list' names it; NULL ends */
    uint32_t roles;      /* nodes on which it starts anew, where it runs */
};

struct cucm_type {
    const char *name;   /* the input's word, and the platform's */
    uint32_t scope;     /* nodes that stand in it */
    uint32_t head;      /* where its request is made and it is uploaded */
    unsigned port;      /* a TLS listener that shows it; 0: none can be asked */
    enum link_tls tls;  /* how it is asked */
    bool must_show;     /* it has one wherever it is */
    bool drops_phones;  /* they register anew: counted before and after */
    bool in_ctl;        /* in mixed mode the CTL names it */
    bool needs_sso_off; /* seed 004 step 5 */
    struct cucm_restart restarts[CUCM_RESTARTS];
};
extern const struct cucm_type cucm_types[]; /* {NULL} ends */

const struct cucm_type *cucm_type_find(const char *name); /* NULL: none */
/* Does this service start anew on a node with these roles? */
bool cucm_type_restarts(const struct cucm_type *type, const char *service,
                        uint32_t roles);
/* Every service of any type, each once: by index; NULL: that was all. */
const char *cucm_service_at(size_t i);

#endif
