/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cucm/words.h - what the platform's shell of a CUCM node prints
 * about its cluster, read strictly: what fits no line is unknown.
 *
 * All functions are pure; -1 is CAUSE_REMOTE and says what was not understood.
 */
#ifndef CERTFLEET_CUCM_WORDS_H
#define CERTFLEET_CUCM_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

enum {
    CUCM_NODES_MAX = 64,
    CUCM_NAME_BYTES = 256
};

/* `utils dbreplication runtimestate', both shapes (facts/uc.md 1.4). */
struct cucm_replica {
    char name[CUCM_NAME_BYTES]; /* host name */
    char address[64];
    unsigned state; /* 2: set up */
    bool monitored; /* the DB/RPC/DbMon column says Y/Y/Y, or is not there */
};
struct cucm_replication {
    struct cucm_replica rows[CUCM_NODES_MAX];
    size_t n;
    bool mismatched; /* its last check found tables that differ */
};
int cucm_replication_parse(const char *text, size_t len,
                           struct cucm_replication *out, struct err *err);

/* `show network cluster' (facts/uc.md 1.4). */
struct cucm_member {
    char address[64], fqdn[CUCM_NAME_BYTES], host[CUCM_NAME_BYTES];
    bool publisher, presence; /* Publisher; cups */
    bool authenticated;
};
struct cucm_members {
    struct cucm_member rows[CUCM_NODES_MAX];
    size_t n;
};
int cucm_members_parse(const char *text, size_t len, struct cucm_members *out,
                       struct err *err);

/* `run sql ... ClusterSecurityMode': 0 not secure, 1 mixed (the meaning is
 * seed 004's; the query itself is remembered, facts/uc.md 1.4). */
int cucm_mode_parse(const char *text, size_t len, bool *mixed, struct err *err);

/* `utils sso status': its words are remembered and in no document that was
 * read; so anything but one plain Enabled or Disabled is unknown. */
int cucm_sso_parse(const char *text, size_t len, bool *enabled,
                   struct err *err);

/* `show risdb query phone': the number below #TotalRegistered.  Remembered,
 * in no document that was read. */
int cucm_phones_parse(const char *text, size_t len, unsigned *registered,
                      struct err *err);

#endif
