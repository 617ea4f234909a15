/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/settings.h - what can be chosen for an appliance.
 *
 * One table (settings.c) serves the configuration file ([lab] gives presets,
 * [cluster] and [node] override), the command line of --make and the control
 * command `set NODE KEY VALUE`.  Numbers are ms where the name ends in _ms.
 */
#ifndef CERTFLEET_LAB_SETTINGS_H
#define CERTFLEET_LAB_SETTINGS_H

#include <stddef.h>

#include "core/base/err.h"

struct lab_settings {
    /* words of `database cluster status` */
    char *vocabulary;        /* primary | master */
    char *status_word;       /* instead of Enabled; "" : the usual */
    char *down_word;         /* of a member that cannot be reached */
    unsigned expired_suffix; /* 1: "(expired)" behind a certificate */
    unsigned extra_lines;    /* 1: lines that no document knows */
    unsigned empty_lists;    /* 1: `Nodes:` also when not clustered */
    unsigned client_lines;   /* 1: Server lines "none" on connect-only */
    unsigned refuse_clear_error;
    unsigned refuse_error_remove; /* 1: remove in Error is refused */
    /* certificates */
    char *verify_at;         /* certs | start | never */
    unsigned verify_host;    /* 1: the server's names are checked too */
    unsigned expiry_demotes; /* 1: a primary with expired certs steps down */
    /* how it is spoken to */
    char *banner;            /* \n allowed */
    char *prompt;            /* "": the host's name */
    char *confirm;           /* key | line */
    unsigned exec_cr;        /* 1: \r\n on exec too */
    unsigned channel_gap_ms; /* a channel opened sooner is refused */
    unsigned prompt_split;   /* 1: the prompt comes in two packets */
    unsigned trickle;        /* bytes a packet; 0: all at once */
    unsigned auth_password, auth_publickey, auth_keyboard;
    unsigned max_failed;   /* wrong passwords that lock; 0: never */
    unsigned max_sessions; /* connections of one node; 0: any number */
    unsigned max_startups; /* of all nodes, before their login; 0: any number */
    /* services: where they listen */
    unsigned webadmin_port, callbridge_port, webbridge3_port, c2w_port,
        turn_port, recorder_port, streamer_port, meetingapps_port,
        scheduler_port, webbridge_port;
    char *turn_password, *turn_secret; /* printed as they are */
    char *api_answer;                  /* status, or what a hostile API says */
    /* Windows servers */
    char *win_shell;   /* cmd | powershell: the login's */
    char *keytool;     /* the program that is theirs */
    char *adcs_policy; /* what a CA does with a request: issue | pending | deny
                        */
    char *adcs_words;  /* english | japanese: what it prints */
    /* files */
    unsigned strict_names;  /* 1: extension and character rules */
    unsigned allow_setstat; /* 1: SETSTAT answers OK */
    unsigned disk_bytes;    /* room for files */
    /* time */
    unsigned pki_backdate_s; /* of what `pki' signs */
    long clock_offset_s;
    unsigned certs_ms, localnode_ms, remove_ms, initialize_ms, join_ms,
        connect_ms, snapshot_ms, command_ms, resync_ms, failover_ms;
    unsigned service_ms; /* how long a service is down when it starts anew */
    unsigned service_late_ms; /* and still, after it said that it is up */
    unsigned service_words;   /* 1: certs, trust and disable say SUCCESS too */
    /* CUCM (tests/lab/ucm.h) */
    unsigned ucm_tomcat_port, ucm_callmanager_port, ucm_xmpp_port, ucm_s2s_port;
    unsigned ucm_days;        /* the first certificates end in; of [lab] */
    unsigned ucm_replication; /* 2: set up */
    unsigned ucm_sso, ucm_mixed;
    unsigned ucm_phones, ucm_phones_ms; /* that register here; how long they
                                           take to come back */
    unsigned ucm_misses;    /* 1: what is uploaded elsewhere does not come */
    unsigned ucm_not_named; /* 1: requests and first certificates lack it */
    unsigned ucm_asks_ou;   /* 1: a request's OU is asked for (14SU2 on) */
    unsigned ucm_shape;     /* of `show cert own': 0 up to 14SU1, 1 later ones,
                               2 with the PEM behind it */
    unsigned ucm_boot_ms;   /* a restart takes; 0: it stays down */
    unsigned ucm_start_ms;  /* its services come so long after its shell */
    unsigned ucm_nudged;    /* 1: a shell shows no prompt before an Enter */
    unsigned ucm_page;      /* lines of a page of the shell; 0: no pager */
    unsigned ucm_twice;     /* 1: the prompt comes twice */
    unsigned rows_per_s;    /* the writer's speed while there is a primary */
};

void settings_init(struct lab_settings *set);
void settings_release(struct lab_settings *set);
void settings_copy(struct lab_settings *to, const struct lab_settings *from);

/* 1: done, 0: no such key, -1: a bad value. */
int settings_set(struct lab_settings *set, const char *key, const char *value,
                 struct err *err);

struct settings_key {
    const char *name;
    int kind; /* private to settings.c */
    size_t offset;
    const char *preset;
    const char *words; /* "a|b" for words; NULL: anything */
};
const struct settings_key *settings_keys(size_t *n);

#endif
