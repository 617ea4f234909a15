/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/sshconfig_priv.h - the parsed file, as rules in the order read.
 *
 * An included file is its rules between RULE_PUSH and RULE_POP, so that
 * asking is one walk over one array.
 */
#ifndef CERTFLEET_TRANSPORT_SSHCONFIG_PRIV_H
#define CERTFLEET_TRANSPORT_SSHCONFIG_PRIV_H

#include "core/base/arena.h"
#include "core/base/str.h"
#include "transport/sshconfig.h"

enum {
    INCLUDE_DEPTH = 16
};

enum rule_kind {
    RULE_HOST,
    RULE_MATCH,
    RULE_SET,
    RULE_PUSH,
    RULE_POP
};

enum keyword {
    KEY_HOST_NAME,
    KEY_PORT,
    KEY_USER,
    KEY_IDENTITY_FILE,
    KEY_IDENTITIES_ONLY,
    KEY_IDENTITY_AGENT,
    KEY_PROXY_JUMP,
    KEY_PROXY_COMMAND,
    KEY_KEX,
    KEY_CIPHERS,
    KEY_MACS,
    KEY_HOST_KEYS,
    KEY_PUBKEYS,
    /* these shape the file and set nothing */
    KEY_HOST,
    KEY_MATCH,
    KEY_INCLUDE,
};

enum cond_kind {
    COND_ALL,
    COND_HOST,
    COND_ORIGINAL_HOST,
    COND_USER,
    COND_LOCAL_USER,
    COND_NEVER, /* not supported: does not match, negated or not */
};

struct cond { /* of a Match line */
    enum cond_kind kind;
    bool negated;
    const char *patterns;
};

struct rule {
    enum rule_kind kind;
    enum keyword word;  /* RULE_SET */
    const char *value;  /* RULE_SET */
    unsigned number;    /* RULE_SET: port; yes is 1 */
    char **patterns;    /* RULE_HOST */
    struct cond *conds; /* RULE_MATCH */
    size_t n;
    const char *file; /* for errors when an expansion fails */
    unsigned line;
};

struct sshconfig {
    struct arena arena;
    char *home;
    struct rule *rules;
    size_t n, room;
    unsigned files; /* read so far */
    bool warned;    /* of a condition that is not supported */
};

/* What tokens stand for; those a keyword has no letter for may be NULL. */
struct tokens {
    const char *home, *host, *original, *port, *remote_user, *local_user;
};

/* sshconfig_expand.c */

/* Splits as ssh does: blanks, quotes, backslashes; `#` begins a comment.
 * Returns how many words, -1: a quote is not closed, or over `room`. */
int sshconfig_split(struct arena *a, const char *text, char **words,
                    size_t room);

/* Which letters after `%` a keyword takes; NULL: it has no tokens. */
const char *sshconfig_letters(enum keyword word);

/* Whether every token in `value` is one of `letters`; *bad: the first that
 * is not. */
bool sshconfig_tokens_ok(const char *value, const char *letters, char *bad);

/* Adds `value` with its tokens replaced, and ${NAME} with `environment`; -1:
 * NAME is not set. */
int sshconfig_expand(struct str *out, const char *value, const struct tokens *t,
                     bool environment, struct err *err);

/* `*` and `?`.  `lower`: without case. */
bool sshconfig_glob(const char *pattern, size_t len, const char *text,
                    bool lower);

/* A list with commas; a `!` pattern that matches beats all others. */
bool sshconfig_matches(const char *patterns, const char *text, bool lower);

#endif
