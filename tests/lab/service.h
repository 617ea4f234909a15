/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/service.h - the services of an appliance that hold certificates
 * (facts/cms.md 5).
 *
 * One table (service_table.c) says what each is called, which commands name
 * its files, what it prints and where it listens.  A service loads its files
 * when it starts: a command or an upload changes nothing until then.  Whether
 * key and certificate match is seen at the start too, never earlier; one that
 * cannot start stays down, and its ports refuse.
 */
#ifndef CERTFLEET_LAB_SERVICE_H
#define CERTFLEET_LAB_SERVICE_H

#include "tests/lab/lab.h"

enum {
    SERVICE_FILES = 8, /* of one service, at most */
    SERVICE_PORTS = 2
};

/* What a command names. */
enum slot_kind {
    SLOT_PAIR,     /* <key> <certificate> [<bundle>] */
    SLOT_KEY_CERT, /* <key> <certificate> */
    SLOT_CHAIN,    /* <key> <full chain: leaf, intermediates, root> */
    SLOT_TRUST     /* <bundle> */
};

/* One command that names files; they stand in file[first...]. */
struct service_slot {
    const char *verb;  /* "https certs"; NULL ends the table */
    const char *label; /* "HTTPS ", before the words of its check; or "" */
    enum slot_kind kind;
    bool none;        /* "... none" is known too */
    unsigned first;   /* its first file */
    size_t port;      /* offset in lab_settings; 0: serves nobody */
    int asks;         /* the file that its clients are verified by; -1: none */
    const char *made; /* the files that --services gives it */
};

enum line_kind {
    LINE_TEXT,
    LINE_ENABLED,
    LINE_FILE, /* number: which; "none" when not set */
    LINE_FILE_IF_SET,
    LINE_PORT, /* number: offset in lab_settings; text: before it */
    LINE_WORD, /* number: offset in lab_settings */
    LINE_STATUS
};

/* A line of the printout. */
struct service_line {
    const char *label; /* with its blanks and colon; NULL ends the table */
    enum line_kind kind;
    size_t number;
    const char *text;
};

enum {
    SERVICE_SWITCH = 1,    /* enable, disable */
    SERVICE_RESTART = 2,   /* restart */
    SERVICE_STATUS = 4,    /* status */
    SERVICE_CALLS = 8,     /* carries calls */
    SERVICE_ALWAYS = 16,   /* cannot be disabled */
    SERVICE_OPTIONAL = 32, /* runs without certificates too */
    SERVICE_LEGS = 64,     /* its calls are counted, and end with it */
    SERVICE_API = 128      /* answers REST at its port */
};

struct service_kind {
    const char *name;  /* "webadmin"; NULL ends the table */
    const char *role;  /* in an inventory; another's: it starts with that */
    unsigned since;    /* version, 303 for 3.3 */
    unsigned until;    /* gone in that version; 0: never */
    const char *title; /* "SUCCESS: TITLE enabled"; NULL: not said */
    unsigned flags;
    const char *ready; /* a line before the checks; or NULL */
    const char *bare;  /* why it does not start without certificates */
    const struct service_slot *slots;
    const struct service_line *lines;
};
extern const struct service_kind service_kinds[];

struct service_bytes {
    unsigned char *data; /* NULL: no such file */
    size_t len;
};

struct tlsport;
struct service {
    const struct service_kind *kind;
    struct lab_node *node;
    bool enabled, running;
    bool busy; /* a command is at work on it */
    char *file[SERVICE_FILES];
    struct service_bytes held[SERVICE_FILES]; /* as loaded */
    struct tlsport *port[SERVICE_PORTS];
    struct later *late; /* until it is up, after it said so */
    char loaded[65];    /* what it runs with, or ran with last; "": never ran */
    char first[65];     /* what it ran with when the lab began */
    uint64_t stopped_ms; /* runs no more since then; 0: runs, or never did */
    uint64_t down_ms;    /* all earlier times together */
    unsigned drops;      /* how often it went down */
};

/* One `struct service` a row of the table, in its order.  Of two rows of one
 * name that is found which the node's version has. */
void service_new(struct lab_node *node);
void service_free(struct lab_node *node);
struct service *service_find(struct lab_node *node, const char *name);
/* 309 is 3.9.1. */
unsigned service_version(const struct lab_node *node);

/* [node] keys: `services = NAME...` and each command that names files, as
 * `webadmin certs = KEY CERT`.  1: done, 0: no such key, -1: a bad value. */
int service_config(struct lab_node *node, const char *key, const char *value,
                   struct err *err);

/* Loads the files and opens the ports; what the appliance says is added to
 * `out`.  False: it is down.  One that runs is stopped first. */
bool service_start(struct lab_node *node, struct service *s, struct str *out);
void service_stop(struct lab_node *node, struct service *s);
/* With the node's power: all that are enabled. */
void service_power(struct lab_node *node, bool up);

/* Has a file; of the others nothing is told. */
bool service_counts(const struct service *s);
/* Whether a file is configured for, or was loaded by, a service. */
bool service_uses(const struct lab_node *node, const char *name);
/* SHA-256 over the names and bytes of what is configured. */
void service_digest(const struct lab_node *node, const struct service *s,
                    char hex[65]);
uint64_t service_down_ms(const struct lab_node *node, const struct service *s);

/* service_links.c: of the cluster's nodes, who refuses whom by trust; noted in
 * cluster->refused. */
void service_look_around(struct lab_node *node, const struct service *s);

/* -- for --make: what lab.ini, the inventory and the folder get -------------
 */

/* `list`: "all", which are those of today, or names by commas; -1: one of them
 * is no role. */
int service_check_list(const char *list, struct err *err);
void service_add_config(const char *list, struct str *lab);
void service_add_roles(const char *list, struct str *inventory);

#endif
