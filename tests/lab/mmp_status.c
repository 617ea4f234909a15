/* SPDX-License-Identifier: Apache-2.0
 *
 * `database cluster status`, in every look that is known or feared
 * (facts/cms.md 2.1-2.3): the colon stands in column 25.
 */
#include <string.h>

#include "tests/lab/cluster.h"
#include "tests/lab/mmp.h"

static void pair(struct str *out, const char *label, const char *value)
{
    str_addf(out, "%-25s: %s\n", label, value);
}

static const char *status_word(const struct lab_node *node)
{
    switch (node->db.pending) {
    case DB_INITIALIZE:
        return "Initializing";
    case DB_JOIN:
        return "Attaching";
    case DB_CONNECT:
        return "Connecting";
    case DB_REMOVE:
        return "Detaching";
    case DB_UPGRADE:
        return "Upgrading";
    case DB_NOTHING:
        break;
    }
    if (node->db.error)
        return "Error";
    return db_is_clustered(node) ? "Enabled" : "Disabled";
}

/* What `node` says of `member`. */
static void role_words(const struct lab_node *node,
                       const struct lab_node *member, struct str *out)
{
    bool old = strcmp(node->set.vocabulary, "master") == 0;
    const struct lab_group *g = node->db.group;
    const struct lab_node *primary = g->primary;
    bool in_sync = member->db.in_sync && primary && db_sees(member, primary);

    if (member != node && !db_sees(node, member))
        str_add(out, node->set.down_word);
    else if (member->db.role == DB_PRIMARY)
        str_add(out, old ? "Connected Master" : "Connected Primary");
    else
        str_addf(out, "Connected %s ( %s )", old ? "Slave" : "Replica",
                 in_sync ? "In Sync" : "Sync Behind");
}

static const struct lab_node *in_use(const struct lab_node *node)
{
    const struct lab_group *g = node->db.group;

    return g && g->primary && db_sees(node, g->primary) ? g->primary : NULL;
}

static void nodes(const struct lab_node *node, struct str *out)
{
    const struct lab_group *g = node->db.group;
    const struct lab_node *used = in_use(node);

    if (!g && !node->set.empty_lists)
        return;
    str_add(out, "\nNodes:\n");
    for (size_t i = 0; g && i < g->n; i++) {
        char label[128];
        snprintf(label, sizeof(label), "    %s%s", g->members[i]->db_address,
                 g->members[i] == node ? " (me)" : "");
        str_addf(out, "%-25s: ", label);
        role_words(node, g->members[i], out);
        str_addc(out, '\n');
    }
    pair(out, "Node in use", used ? used->db_address : "none");
}

static void certificates(const struct lab_node *node, struct str *out)
{
    const struct certset *set = &node->db.certs;

    str_add(out, "\nCertificates\n");
    for (int i = 0; i < CERTSET_FILES; i++) {
        const struct certset_part *p = &set->part[i];
        bool server = i == CERTSET_SERVER_KEY || i == CERTSET_SERVER_CERT;
        bool ended = p->not_after && p->not_after < lab_node_now(node);
        char label[64];

        if (server && !p->name && !certset_is_empty(set) &&
            !node->set.client_lines)
            continue;
        snprintf(label, sizeof(label), "  %s",
                 certset_label((enum certset_file)i));
        str_addf(out, "%-25s: %s%s\n", label, p->name ? p->name : "none",
                 ended && node->set.expired_suffix ? " (expired)" : "");
    }
}

static void extra(const struct lab_node *node, struct str *out)
{
    if (!node->set.extra_lines)
        return;
    pair(out, "Replication slots", "3");
    str_add(out, "*** Data Directory: 41% used ***\n");
    str_addf(out, "%-25s:\n", "Last upgrade");
}

void mmp_status_text(struct lab_node *node, struct str *out)
{
    const struct db *db = &node->db;

    if (db->error && !db->pending)
        pair(out, "ERROR", db->error_text ? db->error_text : "Unknown");
    pair(out, "Status",
         *node->set.status_word ? node->set.status_word : status_word(node));
    extra(node, out);
    nodes(node, out);
    str_addc(out, '\n');
    pair(out, "Interface", db->iface ? db->iface : "none");
    certificates(node, out);
    str_addc(out, '\n');
    if (db->last_command)
        str_addf(out, "%-25s: '%s' (%s)\n", "Last command", db->last_command,
                 db->last_failed ? "Failed" : "Success");
    else
        pair(out, "Last command", "none");
}

void mmp_status(struct mmp_run *run)
{
    mmp_status_text(run->node, &run->out);
    mmp_end(run, "ok");
}
