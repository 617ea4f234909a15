/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/windows/issue.h - certificates for requests that the servers made
 * themselves: what each asks for is held against the inventory, whoever signs.
 */
#ifndef CERTFLEET_WINDOWS_ISSUE_H
#define CERTFLEET_WINDOWS_ISSUE_H

#include "core/run/plan.h"

enum {
    WIN_SPOTS = 8
};
struct win_spot {               /* one certificate of one server */
    const struct plan_node *pn; /* filled in by whoever asks for them */
    const char *csr, *crt;      /* slots of its own set */
    const char *title;          /* for errors */
};
struct win_issue {
    /* Of one node; how many. */
    size_t (*spots)(const struct plan_cluster *pc, size_t node,
                    struct win_spot list[WIN_SPOTS]);
    /* Leaf, intermediates, root, in this order and linted: into the files of
     * its set, by win_issue_write. */
    int (*keep)(const struct issue_job *job, const struct win_spot *spot,
                const struct str *chain, struct err *err);
};
/* The playbook's `issue' and `wish'. */
void win_issue_all(struct issue_job *job, const struct win_issue *how);
int win_issue_wish(struct issue_job *job, const struct win_issue *how,
                   struct err *err);

int win_issue_write(const struct issue_job *job, const struct plan_node *pn,
                    const char *slot, const char *text, size_t len,
                    struct err *err); /* lint: allow params, one file */
/* The last certificate of an ordered chain, inside it. */
const char *win_issue_root(const struct str *chain);

/* The name that clients use, which is the certificate's: the first of its
 * `names', else its address. */
const char *win_fqdn(const struct node *node);
bool win_is_address(const char *name);
/* It is a full name, and a keystore_password is named. */
int win_check_node(const struct node *node, const char *how_to_know,
                   struct err *err);
/* Its issuer can be one for servers that make their own requests. */
int win_check_issuer(struct plan_cluster *pc, struct err *err);

#endif
