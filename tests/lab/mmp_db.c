/* SPDX-License-Identifier: Apache-2.0
 *
 * The database cluster commands: refusals, confirmations, beginnings
 * (facts/cms.md 3).
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/cluster.h"
#include "tests/lab/faults.h"
#include "tests/lab/mmp.h"
#include "tests/lab/record.h"

/* A node that is busy takes no further database command. */
static bool is_busy(struct mmp_run *run)
{
    if (!run->node->db.pending)
        return false;
    mmp_fail(run, "Another database cluster command is in progress");
    return true;
}

/* -- at once --------------------------------------------------------------- */

static int copy_file(struct mmp_run *run, struct certset *set,
                     enum certset_file which, const char *name)
{
    struct lab_file *f = lab_file(run->node, name);

    if (!f) {
        mmp_fail(run, "File %s not found", name);
        return -1;
    }
    certset_put(set, which, name, f->data ? f->data : (void *)"", f->len);
    return 0;
}

static void remember_names(struct lab_node *node)
{
    for (int i = 0; i < CERTSET_FILES; i++)
        if (node->db.certs.part[i].name)
            str_addf(&node->used_names, "%s\n", node->db.certs.part[i].name);
}

static void on_certs_set(struct mmp_run *run)
{
    mmp_ok(run, "Certificates updated");
}

static void take_certs(struct mmp_run *run, struct certset *set)
{
    struct lab_node *node = run->node;
    struct err err;

    if (strcmp(node->set.verify_at, "certs") == 0 && run->n_args > 1 &&
        certset_check(set, lab_node_now(node), &err) < 0) {
        certset_release(set);
        mmp_fail(run, "%s", err.text);
        return;
    }
    certset_release(&node->db.certs);
    node->db.certs = *set;
    remember_names(node);
    db_note(node, run->text, false);
    mmp_later(run, node->set.certs_ms, on_certs_set);
}

static void certs(struct mmp_run *run)
{
    struct certset set = {0};
    int first = run->n_args == 5 ? CERTSET_SERVER_KEY : CERTSET_CLIENT_KEY;

    if (is_busy(run))
        return;
    if (db_is_clustered(run->node)) {
        mmp_fail(run, "Cannot update certificates while the database cluster "
                      "is active");
        return;
    }
    if (run->n_args == 1 && strcmp(run->args[0], "none") == 0) {
        take_certs(run, &set);
        return;
    }
    if (run->n_args != 3 && run->n_args != 5) {
        mmp_usage(run);
        return;
    }
    for (int i = 0; i < run->n_args; i++)
        if (copy_file(run, &set, (enum certset_file)(first + i), run->args[i]) <
            0) {
            certset_release(&set);
            return;
        }
    take_certs(run, &set);
}

static void on_localnode_set(struct mmp_run *run)
{
    mmp_ok(run, "Interface set to %s", run->args[0]);
}

static void localnode(struct mmp_run *run)
{
    const char *name = run->args[0];

    if (is_busy(run))
        return;
    if (db_is_clustered(run->node)) {
        mmp_fail(run, "Cannot change the interface while the database "
                      "cluster is active");
        return;
    }
    if (strlen(name) != 1 || !strchr("abcde", *name)) {
        mmp_fail(run, "Invalid interface %s", name);
        return;
    }
    lab_replace(&run->node->db.iface, name);
    db_note(run->node, run->text, false);
    mmp_later(run, run->node->set.localnode_ms, on_localnode_set);
}

static void clear_error(struct mmp_run *run)
{
    if (is_busy(run))
        return;
    if (!run->node->db.error) {
        mmp_fail(run, "The node is not in an error state");
        return;
    }
    if (run->node->set.refuse_clear_error) {
        mmp_fail(run, "Cannot clear the error");
        return;
    }
    db_clear_error(run->node);
    db_note(run->node, run->text, false);
    mmp_ok(run, "Error cleared");
}

/* -- in the background ----------------------------------------------------- */

static void begin(struct mmp_run *run, enum db_verb verb, const char *started)
{
    const struct fault *slow = faults_match(run->node, F_SLOW_ASYNC, run->text);
    struct db_order order = {
        .verb = verb,
        .peer = run->n_args ? lab_node_at(run->node->lab, run->args[0]) : NULL,
        .text = run->text,
        .extra_ms = slow ? slow->ms : 0,
        .fails = faults_match(run->node, F_FAIL_ASYNC, run->text) != NULL,
        .entry = run->entry,
    };

    db_begin(run->node, &order);
    mmp_print(run, "%s\n", started);
    mmp_end(run, "started");
}

/* The state may have changed while the question stood. */
static bool may_enter(struct mmp_run *run, bool server)
{
    struct lab_node *node = run->node;

    if (is_busy(run))
        return false;
    if (db_is_clustered(node))
        mmp_fail(run, "This node is already part of a database cluster");
    else if (node->db.error)
        mmp_fail(run, "The node is in an error state");
    else if (certset_is_empty(&node->db.certs))
        mmp_fail(run, "Certificates are not configured");
    else if (server && !certset_has_server(&node->db.certs))
        mmp_fail(run, "Server certificates are not configured");
    else if (server && !node->db.iface)
        mmp_fail(run, "The database interface is not configured");
    else
        return true;
    return false;
}

static void initialize_yes(struct mmp_run *run)
{
    if (!may_enter(run, true))
        return;
    rule_initialize(run->node, run->foreign);
    begin(run, DB_INITIALIZE, "Initialization started...");
}

static void initialize(struct mmp_run *run)
{
    if (may_enter(run, true))
        mmp_ask(run,
                "WARNING!!!\n"
                "Are you sure you wish to initialize this node as a new "
                "database cluster? (Y/n)\n\n"
                "The contents of this node's database will become the master "
                "version of the database in the new cluster.\n",
                initialize_yes);
}

static void join_yes(struct mmp_run *run)
{
    if (!may_enter(run, true))
        return;
    rule_towards(run->node, lab_node_at(run->node->lab, run->args[0]), "join",
                 run->foreign);
    begin(run, DB_JOIN, "Attachment started...");
}

static void join(struct mmp_run *run)
{
    if (may_enter(run, true))
        mmp_ask(run,
                "WARNING!!!\n"
                "Are you sure you wish to attach this node to an existing "
                "database cluster? (Y/n)\n\n"
                "The contents of this node's database will be destroyed!\n",
                join_yes);
}

static void connect_yes(struct mmp_run *run)
{
    if (!may_enter(run, false))
        return;
    rule_towards(run->node, lab_node_at(run->node->lab, run->args[0]),
                 "connect", run->foreign);
    begin(run, DB_CONNECT, "Connection started...");
}

static void connect_to(struct mmp_run *run)
{
    if (may_enter(run, false))
        mmp_ask(run,
                "WARNING!!!\n"
                "Are you sure you wish to connect this node to an existing "
                "database cluster? (Y/n)\n\n"
                "The contents of this node's database will not be used.\n",
                connect_yes);
}

/* A node in Error that never got in may be removed too: it clears it. */
static bool may_leave(struct mmp_run *run)
{
    if (is_busy(run))
        return false;
    if (!db_is_clustered(run->node) && !run->node->db.error)
        mmp_fail(run, "This node is not part of a database cluster");
    else if (run->node->db.error && run->node->set.refuse_error_remove)
        mmp_fail(run, "The node is in an error state");
    else
        return true;
    return false;
}

static void remove_yes(struct mmp_run *run)
{
    if (!may_leave(run))
        return;
    rule_remove(run->node, run->foreign);
    begin(run, DB_REMOVE, "Removal started...");
}

static void remove_node(struct mmp_run *run)
{
    if (may_leave(run))
        mmp_ask(run,
                "WARNING!!!\n"
                "Are you sure you wish to detach this node from the database "
                "cluster? (Y/n)\n\n"
                "The contents of this node's database will be kept.\n",
                remove_yes);
}

static void upgrade_schema(struct mmp_run *run)
{
    if (is_busy(run))
        return;
    if (run->node->db.role != DB_PRIMARY) {
        mmp_fail(run, "This node is not the primary");
        return;
    }
    begin(run, DB_UPGRADE, "Schema upgrade started...");
}

/* clang-format off */
const struct mmp_command mmp_db_commands[] = {
    { "database cluster status", mmp_status, 0, 0, "", false },
    { "database cluster certs", certs, 1, 5,
      "(<server_key> <server_crt> <client_key> <client_crt> <ca_crt>|"
      "<client_key> <client_crt> <ca_crt>|none)", false },
    { "database cluster localnode", localnode, 1, 1, "<interface>", false },
    { "database cluster initialize", initialize, 0, 0, "", false },
    { "database cluster join", join, 1, 1, "<hostname/IP>", false },
    { "database cluster connect", connect_to, 1, 1, "<hostname/IP>", false },
    { "database cluster remove", remove_node, 0, 0, "", false },
    { "database cluster clear_error", clear_error, 0, 0, "", false },
    { "database cluster upgrade_schema", upgrade_schema, 0, 0, "", false },
    { NULL, NULL, 0, 0, NULL, false },
};
/* clang-format on */
