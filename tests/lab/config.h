/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/config.h - the lab's own INI file, and the maker of whole labs.
 *
 * Sections in this order: [lab], [user NAME], [cluster NAME], [node NAME].
 * A node's `cluster` key stands first.  Every key of settings.h may stand in
 * [lab], [cluster] and [node].  Paths are beside the file.  docs/lab.md has
 * the table of the other keys.
 */
#ifndef CERTFLEET_LAB_CONFIG_H
#define CERTFLEET_LAB_CONFIG_H

#include "tests/lab/lab.h"

/* Fills the lab: users, clusters, nodes, files, copied certificates, who
 * leads.  Nothing listens yet.  `engine` gets the name of the engine. */
int config_read(struct lab *lab, const char *path, char **engine,
                struct err *err);

struct make_options {
    const char *dir;
    unsigned databases, connects;             /* nodes of each cluster */
    unsigned spare_databases, spare_connects; /* further ones, in none */
    const char *services; /* "all", names by commas, or NULL: none */
    const char *servers;  /* "cvp-server,cvp-oamp": these alone; or NULL */
    unsigned clusters;
    const char *base; /* first address */
    unsigned port, db_port;
    int days;         /* certificates end in; may be negative */
    const char *key;  /* rsa:2048, ec */
    const char *auth; /* password, key */
    const char *engine;
    const char *const *settings; /* "key=value", NULL-ended: [lab] */
    bool own_host_keys;          /* one for each node */
    const char *ucm; /* "ucm:...": CUCM nodes, and connects are those of IM&P;
                        "vos:...": VOS appliances; NULL: Meeting Servers */
};

/* Writes DIR/lab.ini and all it names, and for the client certfleet.ini,
 * known_hosts, the password file and an identity. */
int make_lab(const struct make_options *options, struct err *err);
/* The same for `servers'. */
int make_servers(const struct make_options *options, struct err *err);
/* A whole file, not synced: a lab need not survive a power cut. */
int make_write(const char *path, const void *data, size_t len, unsigned mode,
               struct err *err);

/* -- issue.c: certificates of the first set -------------------------------- */

/* dbcluster{server,client}.{key,cer} and dbclusterca.cer in
 * `folder`; `hosts` are the names of the server certificate, NULL-ended. */
int issue_set(const char *folder, const char *cluster, const char *const *hosts,
              const struct make_options *options, struct err *err);

/* What the services of a cluster's nodes begin with: one root, and for each
 * node a folder with BASE.key, BASE.cer and BASE-chain.cer of each of
 * webadmin, callbridge, media, web, c2w, and with root.cer. */
struct issuer;
struct issuer *issuer_new(const char *cluster,
                          const struct make_options *options, struct err *err);
int issuer_add(struct issuer *issuer, const char *folder,
               const char *const *hosts, struct err *err);
void issuer_free(struct issuer *issuer);

#endif
