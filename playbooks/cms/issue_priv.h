/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/issue_priv.h - a set while it is being made: what issue.c (what
 * all issuers have in common, and our own CA) and wish.c (keys and requests for
 * a foreign one, and its answers) share with each other and with services.
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
/* One certificate that a foreign issuer is to sign. */
struct cms_ask {
    struct cms_spot key, cert;
    enum pki_purpose purpose;
    struct pki_subject subject;
};
/* Its wish, the last of the job's; `make': with the key and the request where
 * they are missing. */
int cms_wish_add(struct issue_job *job, const struct cms_ask *ask, bool make,
                 struct err *err);
/* job->trust: the issuer's ca_cert. */
int cms_wish_trust(struct issue_job *job, struct err *err);
/* A file of the set's folder, as text; NULL: it is not there.  The caller
 * frees; `len' may be NULL. */
char *cms_spot_text(const struct issue_job *job, const struct cms_spot *spot,
                    size_t cap, size_t *len, struct err *err);
/* Key of a set whose requests were made. */
struct secret *cms_kept_key(const struct issue_job *job,
                            const struct cms_spot *spot, struct err *err);
/* The answer to wish i: the certificate, and behind `bundle' what lies between
 * it and its root. */
int cms_wish_take(const struct issue_job *job, size_t i, char **cert,
                  struct str *bundle, struct err *err);
/* The keys that were kept, and the answers as the certificates of a set. */
int cms_take_answers(const struct issue_job *job, struct cms_made *m,
                     struct err *err);

#endif
