/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/node.h - what is known of any node of the platform, whatever
 * product runs on it: its services, and what its listener shows; and that
 * nothing can be taken back there.
 */
#ifndef CERTFLEET_VOS_NODE_H
#define CERTFLEET_VOS_NODE_H

#include "core/run/plan.h"
#include "playbooks/vos/services.h"

struct vos_node { /* a product's facts begin with it */
    struct facts base;
    struct vos_services services;
    struct {
        uint64_t at_ms; /* monotonic: when its listener last answered; 0: it did
                           not */
        struct secret *bytes;      /* until they are described */
        struct pki_cert_info info; /* kind 0: none, or it cannot be read */
    } shown;
};
const struct vos_node *vos_node_at(const struct plan_cluster *pc, size_t i);
void vos_node_release(struct vos_node *node);

/* -- for the tables of reads ----------------------------------------------- */

int vos_services_take(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err);
int vos_shown_take(struct facts *facts, const struct read_file *about,
                   const struct link_result *result, struct err *err);
void vos_shown_describe(struct facts *facts);
/* Before it is looked at anew: what was seen before tells nothing now. */
void vos_shown_forget(struct facts *facts);

/* -- for playbooks --------------------------------------------------------- */

/* No old key is kept (facts/uc.md 9): says so in the plan, and asks for the
 * other way back, a backup. */
void vos_no_way_back(struct plan_cluster *pc, struct findings *findings);
/* A stopped run: the set is what decides, and every row asks the nodes anew. */
int vos_recognise(struct plan_cluster *pc, struct err *err);

#endif
