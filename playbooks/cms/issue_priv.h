/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/issue_priv.h - a database set while it is being made: shared by
 * issue.c (what all issuers have in common, and our own CA) and wish.c (keys
 * and requests for a foreign one, and its answers).
 */
#ifndef CERTFLEET_CMS_ISSUE_PRIV_H
#define CERTFLEET_CMS_ISSUE_PRIV_H

#include "playbooks/cms/cms.h"

struct cms_made { /* PEM of everything, until it is linted and on disk */
    struct pki_ca ca;
    struct secret *server_key, *client_key;
    char *server_crt, *client_crt;
    struct str bundle;
    const char **hosts;
};

/* Of server and client; `hosts` of `m` is filled, and theirs. */
void cms_subjects(const struct plan_cluster *pc, struct cms_made *m,
                  struct pki_subject subjects[2]);
/* The keys that were kept, and the answers as the certificates of a set. */
int cms_take_answers(const struct issue_job *job, struct cms_made *m,
                     struct err *err);

#endif
