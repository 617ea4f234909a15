/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/inventory.h - what the user wrote down: fleet, issuers, clusters,
 * nodes (contract.md, "Inventory").
 *
 * Reading finds every fault at once, each with file and line, and never stops
 * at the first.  All text lives in the inventory's arena.  Values are resolved
 * by precedence (command line, node, cluster, fleet); what stays unset and may
 * come from ssh_config is NULL or 0.  Nothing is contacted, no secret is read.
 */
#ifndef CERTFLEET_FLEET_INVENTORY_H
#define CERTFLEET_FLEET_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/str.h"
#include "core/fleet/window.h"

enum on_failure {
    ON_FAILURE_ROLLBACK,
    ON_FAILURE_HOLD
};
enum lane_order {
    LANE_ONE_BY_ONE,
    LANE_PARALLEL
};

struct signer; /* core/run/signer.h */

/* What the inventory must know of a product: its name and its role words.
 * The registry of playbooks/ gives these; core/fleet includes nothing of it. */
struct role_word {
    const char *word; /* "database"; {NULL, 0} ends the table */
    uint32_t bit;
};
struct product_words {
    const char *product; /* "cms"; {NULL} ends the table */
    const struct role_word *roles;
    uint32_t one_of;  /* at most one of these bits on a node */
    uint32_t limited; /* nodes with this bit are counted per cluster */
    unsigned limit;   /* more than these in a cluster: an error */
    bool odd;         /* an even count (above 0) is warned of */
    /* How its nodes sign requests; NULL: they are no issuers. */
    const struct signer *signer;
};

/* What the inventory must know of a check of the preflight: the caller gives
 * these, as it does the products. */
enum check_grade {
    CHECK_OFF,
    CHECK_NOTE,
    CHECK_WARNING,
    CHECK_BLOCK, /* an error unless accepted */
    CHECK_ERROR
};
struct check_word {
    const char *id; /* "B1"; {NULL} ends the table */
    enum check_grade grade;
    const char *keep; /* why it cannot weigh less; NULL: it can */
};
struct check_setting { /* as the inventory has it */
    const char *id;    /* NULL ends the list */
    enum check_grade grade;
};

enum issuer_kind {
    ISSUER_INTERNAL,  /* we sign, with a CA whose key we have */
    ISSUER_COMMAND,   /* a program is given the request and prints the answer */
    ISSUER_CSR,       /* a person carries the requests away, and answers back */
    ISSUER_APPLIANCE, /* a node makes keys and certificates itself */
    ISSUER_LINK,      /* a node of another cluster is given the requests, by
                         its link; its product says how (words->signer) */
};
struct issuer {
    const char *name;
    enum issuer_kind kind;
    const char *ca_cert;        /* absolute; still with "{cluster}" in it; NULL
                                   of APPLIANCE */
    const char *ca_key;         /* the same; NULL but for INTERNAL */
    const char *const *command; /* argv, its path absolute; NULL but for
                                   COMMAND */
    unsigned timeout_s;         /* of the command; of LINK: of each command */
    /* NULL but for LINK, the templates there, too */
    const struct node *node; /* of a product with a signer */
    const char *config;      /* "HOST\\CA"; characters are checked */
    const char *template;    /* checked likewise */
    const char *template_server, *template_client;
    const char *ca_key_password; /* secret reference or NULL */
    unsigned ca_days, days;      /* days */
    const char *key;             /* "rsa:2048" ... checked */
    unsigned line;
};

struct node {
    const char *name, *address;
    /* Each may be NULL; the secrets as secret_ref_read takes them, file: with
     * an absolute path. */
    const char *user, *password, *identity, *passphrase;
    bool identity_named; /* the user named it: missing is a fault */
    /* Its REST interface; api_user NULL: it is not asked, the others are NULL.
     */
    const char *api_user, *api_password, *api_ca;
    const char *keystore_password; /* secret reference or NULL */
    unsigned api_port;             /* 0: what its status shows, else 443 */
    unsigned port;                 /* 0: ssh_config, else 22 */
    const char *interface;         /* NULL: what its status shows */
    const char *db_address;        /* NULL: what the cluster shows */
    unsigned db_port;
    const char *const *names; /* further certificate names; NULL-ended */
    const char *host_key;     /* pin or NULL */
    bool weak_algorithms;
    uint32_t roles; /* the product's own bits */
    unsigned connect_timeout_s, command_timeout_s;
    unsigned timeout_leave_s, timeout_init_s, timeout_connect_s, timeout_join_s;
    unsigned retries; /* tries = retries + 1 */
    struct cluster *cluster;
    unsigned line;
    size_t index; /* its place in inventory.nodes */
};

struct cluster {
    const char *name, *product;
    const struct product_words *words;
    const struct issuer *issuer;         /* NULL: none named */
    const struct issuer *service_issuer; /* of services; NULL: none named */
    enum on_failure on_failure;
    enum lane_order leave, join;
    const char *subject;        /* "O=Example Inc.,C=GB" or NULL */
    const char *key_passphrase; /* secret reference or NULL */
    unsigned approvals;         /* signatures that a plan needs; 0: none */
    unsigned approval_days;     /* how old they may be */
    const char *approvers;      /* allowed_signers, absolute; or NULL */
    const char *approver_ca;    /* PEM, absolute; or NULL */
    const struct check_setting *checks; /* its own and the fleet's: of two for
                                           a check the first holds */
    const struct windows *windows;      /* NULL: none named, any time is good */
    struct node **nodes;                /* in the order of the file */
    size_t n_nodes;
    unsigned line;
    size_t index; /* its place in inventory.clusters */
};

enum fault_level {
    FAULT_ERROR,
    FAULT_WARNING
};
struct fault {
    enum fault_level level;
    unsigned line;    /* 0: the file as a whole */
    const char *text; /* without file and line */
};

struct inventory {
    const char *path;           /* as opened */
    const char *folder;         /* absolute; what relative paths are beside */
    const char *state_dir;      /* absolute */
    const char *store;          /* postgresql://..., or NULL: in state_dir */
    const char *store_password; /* secret reference or NULL */
    unsigned store_lease_s;
    const char *known_hosts; /* absolute */
    bool accept_new;         /* host_keys = accept-new */
    const char *ssh_config;  /* absolute; NULL: none */
    unsigned max_sessions, warn_days, keep_days, keep_backups;
    const char *const *notify;          /* argv of a program, or NULL */
    const struct check_setting *checks; /* [preflight]: of the whole fleet */
    struct issuer *issuers;
    size_t n_issuers;
    struct cluster **clusters; /* in the order of the file */
    size_t n_clusters;
    struct node **nodes;
    size_t n_nodes;
    struct fault *faults; /* by line */
    size_t n_faults, n_errors;
    struct inventory_index *index; /* private: names to sections */
    struct arena arena;
};

struct inventory_options {
    const char *path;      /* -i; NULL: $CERTFLEET_INVENTORY,
                              ./certfleet.ini, /etc/certfleet/certfleet.ini */
    const char *state_dir; /* --state-dir; NULL: the file's */
    const struct product_words *products;
    const struct check_word *checks; /* what [preflight] may hold */
};

/* Returns NULL only when there is no file to read (err: CAUSE_INPUT, with the
 * places looked at).  A file with faults is returned with n_errors > 0: the
 * caller prints the faults and stops.  Free with inventory_free. */
struct inventory *inventory_read(const struct inventory_options *options,
                                 struct err *err);
void inventory_free(struct inventory *inv);

/* "FILE:LINE: error: text" for every fault, one a line, safe for terminals;
 * "FILE: warning: text" where the file as a whole is meant. */
void inventory_faults(const struct inventory *inv, struct str *out);

struct node *inventory_node(const struct inventory *inv, const char *name);
struct cluster *inventory_cluster(const struct inventory *inv,
                                  const char *name);

/* A commented inventory that inventory_read accepts without a fault; made
 * from the same table of keys that the reader uses. */
void inventory_sample(struct str *out);

/* The table of keys, for the man page and the documentation test. */
struct inventory_key {
    const char *sections; /* "fleet cluster node" */
    const char *name;
    const char *value;  /* how its value looks: "SECONDS" */
    const char *preset; /* what holds without it, or NULL */
    const char *help;
};
const struct inventory_key *inventory_keys(size_t *n);

#endif
