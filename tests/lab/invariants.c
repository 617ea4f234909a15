/* SPDX-License-Identifier: Apache-2.0
 *
 * The design's rules as the appliances see them.  They only record: whether a
 * node refuses is the command layer's business.
 */
#include <string.h>

#include "tests/lab/cluster.h"
#include "tests/lab/record.h"
#include "tests/lab/service.h"

/* I1: initialize only on the holder of the newest data, and never while
 * somebody else leads. */
void rule_initialize(struct lab_node *node, bool foreign)
{
    struct lab_cluster *c = node->cluster;

    for (size_t i = 0; i < c->n_nodes; i++) {
        struct lab_node *other = c->nodes[i];
        if (other == node || !(other->roles & LAB_DATABASE))
            continue;
        if (db_leads(other))
            record_violation(node, "I1", foreign,
                             "initialize while %s is Connected Primary",
                             other->name);
        if (other->db.copy.rows > node->db.copy.rows)
            record_violation(node, "I1", foreign,
                             "initialize with %llu rows, but %s holds %llu",
                             (unsigned long long)node->db.copy.rows,
                             other->name,
                             (unsigned long long)other->db.copy.rows);
    }
    if (c->last_primary && c->last_primary != node)
        record_violation(node, "I1", foreign,
                         "initialize, but the last primary was %s",
                         c->last_primary->name);
}

/* I2: join and connect only towards a node that leads now. */
void rule_towards(struct lab_node *node, struct lab_node *peer,
                  const char *what, bool foreign)
{
    if (!peer || !db_leads(peer))
        record_violation(node, "I2", foreign,
                         "%s towards %s, which is no Connected Primary", what,
                         peer ? peer->name : "an unknown address");
}

/* I3: the primary leaves only when every other database node is standalone. */
void rule_remove(struct lab_node *node, bool foreign)
{
    struct lab_group *g = node->db.group;

    if (node->db.role != DB_PRIMARY || !g)
        return;
    for (size_t i = 0; i < g->n; i++)
        if (g->members[i] != node)
            record_violation(node, "I3", foreign,
                             "remove on the primary while %s is a member",
                             g->members[i]->name);
}

/* The whole cluster runs on one and the same set, in sync. */
static bool is_settled(const struct lab_cluster *c)
{
    const struct certset *first = NULL;

    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct lab_node *n = c->nodes[i];
        const struct certset_part *ca = &n->db.certs.part[CERTSET_CA];
        if (n->db.role == DB_STANDALONE || n->db.pending || !ca->name ||
            (n->db.role == DB_REPLICA && !n->db.in_sync))
            return false;
        if (!first)
            first = &n->db.certs;
        if (strcmp(first->part[CERTSET_CA].digest, ca->digest) != 0)
            return false;
    }
    return true;
}

static bool was_used(const struct lab_node *node, const char *name)
{
    size_t len = strlen(name);
    const char *p = str_text(&node->used_names);

    for (; *p; p = strchr(p, '\n') + 1)
        if (strncmp(p, name, len) == 0 && p[len] == '\n')
            return true;
    return false;
}

/* I4: files in use stay; I5: the old set stays until the new one is proven. */
void rule_file(struct lab_node *node, const char *name, const char *what)
{
    for (int i = 0; i < CERTSET_FILES; i++) {
        const char *used = node->db.certs.part[i].name;
        if (used && strcmp(used, name) == 0) {
            record_violation(node, "I4", false, "%s %s, which is in use", what,
                             name);
            return;
        }
    }
    if (service_uses(node, name))
        record_violation(node, "I4", false, "%s %s, which a service uses", what,
                         name);
    if (was_used(node, name) && !is_settled(node->cluster))
        record_violation(node, "I5", false,
                         "%s %s of an earlier set before the new one is "
                         "proven",
                         what, name);
}
