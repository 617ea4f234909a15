/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/engine.h - the database engine below the appliances.
 *
 * The command layer (mmp_db.c, cluster.c) decides WHO is in which group, who
 * leads it, what is refused, what status shows and when an operation begins
 * (the delay of the settings has passed).  An engine decides whether the
 * database itself can do it: do the copied certificates really work between
 * these two nodes, where are the bytes, is the replica in sync.
 *   engine_sim.c  in memory, real OpenSSL verification and TLS listeners
 *   pg.c          real PostgreSQL servers, one data folder a node
 *
 * Rules
 * - Every operation may take real time.  It completes exactly once, through
 *   `done`, on the loop, never inside the call that started it.  `why` is NULL
 *   when it worked; otherwise its text becomes the ERROR line of status.
 * - One operation a node at a time; nodes independently of each other.
 * - The caller sees to node->up, roles and groups: before `done` they still
 *   are as before, after it cluster.c changes them.  An engine never changes
 *   role, group or members; it does change node->db.copy (generation, rows),
 *   node->db.in_sync and cluster->acked, at any time, and calls
 *   lab_changed(lab) (record.h) when it did something that a waiting test
 *   could see.
 * - node->db.certs are the bytes to use (copied at `certs` time); files on
 *   disk are the engine's own business.  Address and port to listen at:
 *   node->address, node->db_port.  Peers connect there too, never to
 *   node->db_address (which is only shown).
 * - node->db.sync_frozen: the replica must be reported as not in sync.
 * - node->set.verify_at "never": do not refuse because of certificates.
 * - After power(node, false) the node's servers are dead (as by kill -9) and
 *   an operation of that node still completes, with any result: it is late
 *   and ignored.
 */
#ifndef CERTFLEET_LAB_ENGINE_H
#define CERTFLEET_LAB_ENGINE_H

#include <stdbool.h>

#include "tests/lab/lab.h"

typedef void engine_done_f(void *user, const struct err *why);

struct engine_ops {
    const char *name; /* "sim", "pg" */

    /* NULL on error.  `free` leaves no process, no listener and no timer
     * running (uv handles may still be closing); it may block. */
    struct engine *(*create)(struct lab *lab, struct err *err);
    void (*free)(struct engine *engine);

    /* The state that the configuration describes: `primary` leads and holds
     * some rows, the other database members of its group are replicas in
     * sync, with the certificates in their db.certs (which may already have
     * expired: then servers may be left down, but the data is there).
     * primary == NULL: every database node gets a standalone copy. */
    void (*bootstrap)(struct engine *engine, struct lab_cluster *cluster,
                      struct lab_node *primary, engine_done_f *done,
                      void *user);

    /* The local copy becomes the one of a new cluster: copy.generation =
     * ++cluster->generation; a server runs with the copied certificates. */
    void (*initialize)(struct engine *engine, struct lab_node *node,
                       engine_done_f *done, void *user);
    /* The local copy is thrown away and replaced by the primary's; then it
     * streams.  Mutual verification with both nodes' copied certificates.
     * Done when in sync (or as far as sync_frozen lets it). */
    void (*join)(struct engine *engine, struct lab_node *node,
                 struct lab_node *primary, engine_done_f *done, void *user);
    /* A verified client connection to the primary. */
    void (*connect)(struct engine *engine, struct lab_node *node,
                    struct lab_node *primary, engine_done_f *done, void *user);
    /* The node leaves: no server any more, the local copy stays as it is. */
    void (*remove)(struct engine *engine, struct lab_node *node,
                   engine_done_f *done, void *user);
    /* `node` leads its group from now on (failover or by hand); the members
     * that are up follow it; `old` (may be NULL or down) becomes a replica. */
    void (*promote)(struct engine *engine, struct lab_node *node,
                    struct lab_node *old, engine_done_f *done, void *user);
    /* Power lost or back.  Back: a member runs as the role it has now (a
     * former primary follows the present one), a standalone runs nothing. */
    void (*power)(struct engine *engine, struct lab_node *node, bool up,
                  engine_done_f *done, void *user);
    /* Brings copy.rows of all nodes and cluster->acked up to date, for the
     * verdict. */
    void (*settle)(struct engine *engine, engine_done_f *done, void *user);
};

extern const struct engine_ops engine_sim;
extern const struct engine_ops engine_pg; /* pg.c, when it is built in */

/* The table of engines by name; NULL: no such. */
const struct engine_ops *engine_find(const char *name);

#endif
