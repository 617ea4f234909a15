/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/lab.h - the lab's nouns: appliances, their clusters, the lab.
 *
 * One process holds any number of virtual appliances on loopback addresses.
 * All in one loop's thread.  This header knows no libssh; the server side is
 * tests/lab/server.h, the database side tests/lab/engine.h.
 * Units: ms, bytes; node clocks are the wall clock plus an offset.
 */
#ifndef CERTFLEET_LAB_LAB_H
#define CERTFLEET_LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "tests/lab/certset.h"
#include "tests/lab/settings.h"

struct later;
struct lab_listener;
struct lab_group;
struct lab_cluster;
struct engine_ops;
struct engine;
struct faults;
struct record;
struct control;
struct lab_server;
struct service;
struct win;

enum {
    LAB_DATABASE = 1,
    LAB_CONNECT = 2
};
enum {
    LAB_MAX_MEMBERS = 16
};

struct lab_user {
    struct lab_user *next;
    char *name, *password, *role;
    char *keys;       /* authorized keys: base64 words, blank-separated */
    char *expiry;     /* "2027-Apr-28" or "never" */
    bool must_change; /* the next login asks for a new password */
    unsigned login_ok, login_failed;
};

struct lab_file { /* in the flat root of a node */
    struct lab_file *next;
    char *name;
    unsigned char *data;
    size_t len, room;
    int64_t mtime; /* seconds since 1970, the node's clock */
};

/* The node's own copy of the data.  `rows` counts the acknowledged rows of
 * the lab cluster that this copy holds; `generation` grows at initialize. */
struct db_copy {
    unsigned generation;
    uint64_t rows;
};

enum db_role {
    DB_STANDALONE,
    DB_PRIMARY,
    DB_REPLICA,
    DB_CONNECTED
};
enum db_verb {
    DB_NOTHING,
    DB_INITIALIZE,
    DB_JOIN,
    DB_CONNECT,
    DB_REMOVE,
    DB_UPGRADE
};

struct db {
    enum db_role role;
    struct lab_group *group; /* NULL: standalone */
    struct db_copy copy;
    bool in_sync;         /* replicas: by the engine */
    bool sync_frozen;     /* by the configuration or `set`: never in sync */
    struct certset certs; /* COPIED at `certs` time */
    char *iface;          /* NULL: none */
    bool error;
    char *error_text;
    char *last_command; /* NULL: none yet */
    bool last_failed;
    /* what runs in the background */
    enum db_verb pending;
    struct lab_node *peer; /* of join and connect */
    char *pending_text;
    bool pending_fails;  /* a fault wants it to fail */
    struct later *timer; /* until the engine is asked */
    unsigned ticket;     /* of the operation; late answers are dropped */
    uint64_t entry;      /* its record, for the outcome */
};

struct lab_node {
    struct lab *lab;
    struct lab_cluster *cluster;
    char *name, *hostname, *version, *address;
    char *db_address; /* what peers and status show */
    unsigned port, db_port;
    unsigned roles; /* LAB_DATABASE or LAB_CONNECT */
    bool spare;     /* in no database cluster when the lab starts */
    struct lab_settings set;
    struct lab_user *users;
    struct lab_file *files;
    struct db db;
    struct service *services; /* tests/lab/service.h */
    size_t n_services;
    struct ucm *ucm; /* tests/lab/ucm.h; NULL: a Meeting Server */
    struct win *win; /* a Windows server (tests/lab/win.h); NULL: it is none */
    /* calls now, at most, and those that the Call Bridge dropped */
    unsigned calls, most_calls, calls_lost;
    unsigned api_asked, api_refused; /* questions to REST */
    bool up;
    struct later *boot; /* a reboot that ends */
    struct lab_listener *listener;
    struct later *resync; /* after a boot: not in sync until then */
    void *engine_data;    /* the engine's own, per node */
    char *host_key_path;  /* NULL: the lab's */
    uint64_t started_ms;  /* for uptime */
    unsigned boots;       /* power losses: a held command dies with it */
    unsigned connections, connections_total;
    unsigned logged_in;     /* of the connections */
    unsigned uploads;       /* files closed after a write */
    char **initial_digests; /* of the five copied files, at start */
    char *initial_names[CERTSET_FILES];
    struct str used_names; /* every file name ever assigned, \n-ended */
};

/* What the configuration calls a cluster: its nodes and its history. */
struct lab_cluster {
    char *name;
    struct lab_node **nodes;
    size_t n_nodes;
    unsigned generation; /* the highest ever made */
    uint64_t acked;      /* rows acknowledged to the writer, ever */
    struct lab_node *last_primary;
    struct str refused;     /* "A refuses B\n", by trust, each once */
    unsigned most_dropping; /* nodes that dropped calls at once, at worst */
    void *engine_data;      /* the engine's own, per cluster */
};

/* A database cluster that lives: made by initialize, gone with its last
 * member.  Connect-only nodes point to it without being members. */
struct lab_group {
    struct lab_group *next;
    struct lab_cluster *home;
    struct lab_node *members[LAB_MAX_MEMBERS];
    size_t n;
    struct lab_node *primary; /* NULL: nobody, no writes */
    bool electing;            /* the engine is asked to promote */
};

struct lab {
    uv_loop_t *loop;
    char *dir; /* control socket, verdict, host keys */
    struct lab_cluster **clusters;
    size_t n_clusters;
    struct lab_node **nodes;
    size_t n_nodes;
    struct lab_group *groups;
    struct lab_settings defaults;
    const struct engine_ops *ops;
    struct engine *engine;
    struct faults *faults;
    struct record *record;
    struct control *control;
    struct lab_server *server;
    uint64_t started_ms; /* uv_now */
    bool stopping;
};

struct lab *lab_new(uv_loop_t *loop, const char *dir);
void lab_free(struct lab *lab); /* after the loop has run dry */

struct lab_cluster *lab_add_cluster(struct lab *lab, const char *name);
struct lab_node *lab_add_node(struct lab *lab, const char *name);
void lab_place(struct lab_cluster *cluster, struct lab_node *node);
struct lab_user *lab_add_user(struct lab_node *node, const char *name);

struct lab_node *lab_node(struct lab *lab, const char *name);
struct lab_cluster *lab_cluster(struct lab *lab, const char *name);
/* By what peers type: database address, address, hostname or name. */
struct lab_node *lab_node_at(struct lab *lab, const char *text);
struct lab_user *lab_user(struct lab_node *node, const char *name);

int64_t lab_node_now(const struct lab_node *node); /* seconds since 1970 */
uint64_t lab_age_ms(const struct lab *lab);        /* since the start */

/* Power.  Down: listeners closed, connections cut, a background operation
 * lost.  Up: services are back.  Reboot: down, and up after `ms`. */
void lab_node_down(struct lab_node *node);
void lab_node_up(struct lab_node *node);
void lab_node_reboot(struct lab_node *node, unsigned ms);
/* What it serves with its power on. */
void lab_node_services(struct lab_node *node, bool up);

/* The cluster that the configuration asks for is there without any command:
 * `primary` leads, the other database nodes have joined, the rest is
 * connected.  NULL: nobody leads, all are standalone. */
void lab_form(struct lab_cluster *cluster, struct lab_node *primary);

/* -- files (files.c) ------------------------------------------------------- */

struct lab_file *lab_file(struct lab_node *node, const char *name);
struct lab_file *lab_file_make(struct lab_node *node, const char *name);
int lab_file_write(struct lab_node *node, struct lab_file *file,
                   uint64_t offset, const void *data,
                   size_t len); /* -1: full */
void lab_file_set(struct lab_node *node, const char *name, const void *data,
                  size_t len);
bool lab_file_remove(struct lab_node *node, const char *name);
void lab_files_free(struct lab_node *node);
size_t lab_files_bytes(const struct lab_node *node);

/* -- small tools (tools.c) ------------------------------------------------- */

char *lab_strdup(const char *text); /* NULL stays NULL */
void lab_replace(char **where, const char *text);
void *lab_calloc(size_t n, size_t size);
void *lab_grow(void *list, size_t n, size_t size); /* room for n + 1 */
void lab_digest(const void *data, size_t len, char hex[65]);

/* A one-shot timer with storage of its own; never fires inside the call. */
typedef void later_f(void *user);
struct later *later_start(uv_loop_t *loop, uint64_t ms, later_f *fn,
                          void *user);
void later_cancel(struct later *later); /* NULL is fine */
/* At the end: all of them fire at once from now on; true while some are left.
 */
bool later_hurry(void);

#endif
