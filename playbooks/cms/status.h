/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/status.h - what `database cluster status` says.
 *
 * Layout and words: facts/cms.md 2 (both vocabularies, primary/replica and
 * master/slave).  Tolerant of lines that nobody has documented (they are
 * counted, not dropped silently), closed where it matters: without a `Status`
 * line, or with a word that no rule knows, the node is CMS_ODD.
 */
#ifndef CERTFLEET_CMS_STATUS_H
#define CERTFLEET_CMS_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

enum {
    CMS_MEMBERS = 32,
    CMS_NAME_BYTES = 96
};

enum cms_slot { /* the five files of `database cluster certs` */
    CMS_SERVER_KEY,
    CMS_SERVER_CRT,
    CMS_CLIENT_KEY,
    CMS_CLIENT_CRT,
    CMS_CA_CRT,
    CMS_SLOTS
};

enum cms_word {
    CMS_ODD, /* no Status line, or an unknown word */
    CMS_ENABLED,
    CMS_DISABLED,
    CMS_ERROR,
    CMS_BUSY, /* "Initializing" and other words in -ing */
};

enum cms_place {    /* where this node stands */
    CMS_NOWHERE,    /* cannot be said: act on nothing */
    CMS_STANDALONE, /* in no cluster */
    CMS_IS_PRIMARY, /* (me) : Connected Primary */
    CMS_IS_REPLICA, /* (me) : Connected Replica */
    CMS_IS_CLIENT,  /* connected only: not in the list of nodes */
    CMS_IS_DOWN,    /* in the list, and not connected */
};

enum cms_last {
    CMS_LAST_NONE,
    CMS_LAST_SUCCESS,
    CMS_LAST_FAILED,
    CMS_LAST_OTHER
};

struct cms_member {
    char address[CMS_NAME_BYTES];
    bool me, connected, primary, replica, in_sync;
};

struct cms_status {
    enum cms_word word;
    char word_text[CMS_NAME_BYTES]; /* made visible */
    char error[256];                /* of an ERROR line; "" without */
    enum cms_place place;
    struct cms_member members[CMS_MEMBERS];
    size_t n_members;
    char in_use[CMS_NAME_BYTES];
    char interface[CMS_NAME_BYTES]; /* "" when not shown or `none` */
    bool interface_shown;
    char files[CMS_SLOTS][CMS_NAME_BYTES]; /* "" when none */
    bool flagged[CMS_SLOTS]; /* more words behind the name: expired? */
    char last[256];          /* the quoted command */
    enum cms_last last_result;
    unsigned odd_lines; /* lines that no rule knows */
    bool whole; /* its last line, that of the last command, came to its end */
};

/* Always fills `status`; -1 (CAUSE_REMOTE) when it is CMS_ODD, saying what
 * was seen. */
int cms_status_parse(const char *text, size_t len, struct cms_status *status,
                     struct err *err);

const struct cms_member *cms_status_me(const struct cms_status *status);
const struct cms_member *cms_status_primary(const struct cms_status *status);
const char *cms_place_word(enum cms_place place);

#endif
