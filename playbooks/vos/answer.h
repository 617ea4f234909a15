/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/answer.h - the answer to a request that a node made: by our own
 * CA or a foreign issuer's, and whether the platform will take it.
 *
 * An upload cannot be taken back (facts/uc.md 0.7), so that what the platform
 * would refuse, or take and be harmed by, is refused here.  Blocking, for the
 * pool; touches only the set's own folder.
 */
#ifndef CERTFLEET_VOS_ANSWER_H
#define CERTFLEET_VOS_ANSWER_H

#include "core/run/product.h"

struct vos_answer { /* zero to start */
    char *leaf;
    struct str bundle; /* what lies between it and its root, and that */
};
void vos_answer_init(struct vos_answer *answer);
void vos_answer_release(struct vos_answer *answer);

/* Who signs: the cluster's service_issuer, else its issuer; NULL: nobody. */
const struct issuer *vos_issuer(const struct plan_cluster *pc);
/* struct playbook.check_issuer. */
int vos_check_issuer(struct plan_cluster *pc, struct err *err);

/* A file of the set here; `pn' NULL: of the cluster's.  The caller frees. */
char *vos_slot_path(const struct issue_job *job, const struct plan_node *pn,
                    const char *slot);
/* The request as the node answered it, by its journaled digest; NULL: it is not
 * that one.  The caller frees. */
char *vos_read_request(const struct issue_job *job, const struct plan_node *pn,
                       struct err *err);
/* Adds the wish for slot crt, and the issuer's CAs to the job, once. */
int vos_wish_add(struct issue_job *job, const struct plan_node *pn,
                 struct err *err);

/* The wish's number counts where a foreign issuer answers. */
int vos_answer_make(const struct issue_job *job, const char *request,
                    size_t wish, struct vos_answer *answer, struct err *err);
/* Key, names, uses, wildcards (`wild': are good), chain and dates, as the
 * upload will be judged (facts/uc.md 1.3). */
int vos_answer_judge(const struct issue_job *job, const char *request,
                     const struct vos_answer *answer, bool wild,
                     struct err *err);
int vos_write_slot(const struct issue_job *job, const struct plan_node *pn,
                   const char *slot, const char *text, struct err *err);
/* Slot crt, in the form in which a node's own are compared. */
int vos_write_leaf(const struct issue_job *job, const struct plan_node *pn,
                   const struct vos_answer *answer, struct err *err);

#endif
