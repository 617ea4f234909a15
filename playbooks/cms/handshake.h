/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/handshake.h - who meets whom while cms/db-rotate goes its way,
 * forwards and back, and would they take each other?
 *
 * The pairs come from the playbook's rows: which roles a row is for, and what
 * its commands do to a node.  Everything here is blocking and is called in the
 * pool.
 */
#ifndef CERTFLEET_CMS_HANDSHAKE_H
#define CERTFLEET_CMS_HANDSHAKE_H

#include "playbooks/cms/cms.h"

/* A node that dials and one that answers; each with its old set or the new
 * one.  A database node dials itself, too: its own Call Bridge does. */
struct cms_pair {
    size_t client, server;
    bool client_new, server_new;
    const char *step; /* the first row in which they meet */
    bool back;        /* they meet on the way back, too */
};
struct cms_pairs {
    struct cms_pair *list;
    size_t n;
};
/* The holder is known. */
void cms_pairs_make(const struct plan_cluster *pc, struct cms_pairs *pairs);
void cms_pairs_release(struct cms_pairs *pairs);

/* What a node shows and trusts. */
struct cms_paper {
    const void *data;
    size_t len;
    const char *name;   /* of the file */
    const char *sha256; /* equal papers are judged once */
};
struct cms_papers {
    struct cms_paper client, server, trust;
};
/* false: these are not judged */
typedef bool papers_f(const struct plan_cluster *pc, size_t node,
                      const void *user, struct cms_papers *papers);

struct cms_refusal {
    const struct cms_pair *pair;
    bool by_server; /* it refuses the client; else the other way round */
    char text[700]; /* nodes, file, reason */
};
struct cms_verdicts {
    struct cms_refusal *list;
    size_t n;
    size_t verified, skipped; /* pairs */
    size_t judged;            /* certificates that OpenSSL looked at */
};
struct cms_trial {
    const struct plan_cluster *pc;
    const struct cms_pairs *pairs;
    bool is_new; /* the pairs whose both sides have the new set, or the old */
    papers_f *papers_of;
    const void *user;
};
void cms_handshakes(const struct cms_trial *trial,
                    struct cms_verdicts *verdicts);
void cms_verdicts_release(struct cms_verdicts *verdicts);

/* weigh.c: the new set, the same on every node. */
int cms_db_weigh_new(struct issue_job *job, const struct cms_papers *papers);

#endif
