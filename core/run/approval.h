/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/approval.h - a plan that people have signed: what they sign, how
 * their signatures lie beside the plan file, and which of them count.
 *
 * Signed is a short text, the statement, that only a plan file and a time can
 * make (docs/adr/0015-approvals.md).  It is never read back: who checks makes
 * it anew out of the plan file that lies before him.  Blocking, no loop: SSH
 * signatures are made and judged by ssh-keygen, CMS by OpenSSL.
 */
#ifndef CERTFLEET_RUN_APPROVAL_H
#define CERTFLEET_RUN_APPROVAL_H

#include <jansson.h>

#include "core/base/arena.h"
#include "core/base/str.h"
#include "core/fleet/inventory.h"
#include "core/pki/pki.h"

enum approval_kind {
    APPROVAL_SSH,
    APPROVAL_X509
};

/* A plan file, as it lies there. */
struct approval_plan {
    const json_t *json;               /* what `plan -o' wrote */
    char plan_sha256[PKI_SHA256_HEX]; /* plan_hash of what it holds */
    char file_sha256[PKI_SHA256_HEX]; /* of all its bytes */
};

enum {
    APPROVAL_TIME_BYTES = 21, /* "2026-11-21T03:15:59Z" */
    APPROVALS_MAX = 64        /* of one file */
};

/* The bytes that are signed, for a plan and a time. */
void approval_statement(const struct approval_plan *plan, const char *time,
                        struct str *out);
/* Seconds; -1 when it is not in just this form. */
int64_t approval_time(const char *text);
void approval_time_text(int64_t seconds, char text[APPROVAL_TIME_BYTES]);

struct approval {
    enum approval_kind kind;
    const char *time, *plan_sha256, *signature; /* as in the file */
    unsigned line;                              /* in the file */
    /* found when judged: */
    const char *const *principals; /* NULL-ended; the first is who it is */
    const char *key; /* "SHA256:..." of the key, or of the certificate in hex */
    const char *why; /* why it does not count; NULL: it does */
};
struct approvals {
    struct approval *list;
    size_t n;
    unsigned counted; /* by as many people */
    bool more;        /* there are over APPROVALS_MAX: nobody looked at them */
};

/* One line of the file, with its newline. */
void approval_line(const struct approval *approval, struct str *out);
/* Every line of the file, in the arena; one that is none of ours has `why'. */
void approvals_read(const char *text, size_t len, struct arena *arena,
                    struct approvals *out);
/* Which of them count for this cluster at `now' (seconds)?  Two by one key,
 * or by principals of one name, are one person's.  -1: it cannot be judged
 * (no ssh-keygen, no CA to read). */
struct approval_case {
    const struct approval_plan *plan;
    const struct cluster *cluster;
    int64_t now;
    struct arena *arena;
};
int approvals_judge(const struct approval_case *of, struct approvals *approvals,
                    struct err *err);

/* By ssh-keygen, as the user knows it: the agent, a FIDO key, a passphrase
 * typed on the terminal.  `key': a private key's file, or the public one of a
 * key that the agent has. */
int approval_sign_ssh(const char *key, const struct str *statement,
                      struct str *signature, struct err *err);
/* Principals and fingerprint into `approval', or `why'; -1 as above.  (Of
 * approvals_judge; one question each.) */
int approval_judge_ssh(const struct approval_case *of,
                       const struct str *statement, struct approval *approval,
                       struct err *err);
/* "SHA256:..." as `ssh-keygen -l' shows it, of the key in a signature; NULL:
 * it is none. */
const char *approval_ssh_key(const char *signature, struct arena *arena);

/* [{principal, key, kind, t}]: those that count, for the journal. */
json_t *approvals_json(const struct approvals *approvals);

/* What a run is given: {CLUSTER: [...]}.  -1 (CAUSE_REFUSED): a cluster wants
 * more approvals than it has. */
struct plan;
int approval_gate(const struct plan *plan, const json_t *approved,
                  struct err *err);

#endif
