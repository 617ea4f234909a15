/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-rotate: new certificates for a database cluster that cannot change
 * them while it is one.  Taken apart replicas first, put together primary
 * first (facts/cms.md 3.7; design.md, "The CMS database rotation").
 */
#include <stdlib.h>
#include <string.h>

#include "core/run/input.h"
#include "playbooks/cms/cms.h"
#include "playbooks/cms/onbox.h"

enum {
    ALL = CMS_DATABASE | CMS_CONNECT,
    STATUS = CMS_READ_STATUS,
    GATES = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_VERSION | CMS_READ_DATE |
            CMS_READ_DF | CMS_READ_CERTS | CMS_READ_KEYS | CMS_READ_SERVED,
    LEAVES = STEP_LIVE | STEP_SEES_ALL,
};

/* clang-format off */
static const struct act issue[] = {
    { ACT_LOCAL, "keys, certificates and CA bundle of the new set", 0, cms_makes_set },
    { ACT_LOCAL, "the set that the cluster has, from its folder here", 0, cms_reuses_set },
    { ACT_END },
};
const struct act cms_act_backup[] = {
    { ACT_COMMAND, "backup snapshot {backup}" },
    { ACT_FETCH,   "{backup}.bak" },
    { ACT_FETCH,   "{backup}.json" },
    { ACT_END },
};
static const struct act push[] = {
    { ACT_PUT,     "server_key" },
    { ACT_PUT,     "server_crt" },
    { ACT_PUT,     "client_key" },
    { ACT_PUT,     "client_crt" },
    { ACT_PUT,     "ca_crt" },
    { ACT_COMMAND, "pki match {set.server_key} {set.server_crt}", CMS_DATABASE },
    { ACT_COMMAND, "pki verify {set.server_crt} {set.ca_crt}", CMS_DATABASE },
    { ACT_COMMAND, "pki match {set.client_key} {set.client_crt}" },
    { ACT_COMMAND, "pki verify {set.client_crt} {set.ca_crt}" },
    { ACT_END },
};
const struct act cms_act_leave[] = {
    { ACT_COMMAND, "database cluster clear_error", 0, cms_remove_did_not_help },
    { ACT_CONFIRM, "database cluster remove", 0, cms_is_to_leave },
    { ACT_END },
};
const struct act cms_act_certs[] = {
    { ACT_COMMAND, "database cluster certs {set.server_key} {set.server_crt} "
                   "{set.client_key} {set.client_crt} {set.ca_crt}", 0, cms_takes_five },
    { ACT_COMMAND, "database cluster certs {set.client_key} {set.client_crt} "
                   "{set.ca_crt}", 0, cms_takes_three },
    { ACT_COMMAND, "database cluster certs none", 0, cms_takes_none },
    { ACT_COMMAND, "database cluster localnode {node.interface}", 0, cms_takes_interface },
    { ACT_END },
};
static const struct act init[] = {
    { ACT_CONFIRM, "database cluster initialize" },
    { ACT_END },
};
const struct act cms_act_connect[] = {
    { ACT_CONFIRM, "database cluster connect {primary.db_address}", 0, cms_comes_in },
    { ACT_END },
};
const struct act cms_act_join[] = {
    { ACT_CONFIRM, "database cluster join {primary.db_address}", 0, cms_comes_in },
    { ACT_END },
};

const struct step cms_db_steps[CMS_DB_STEPS] = {
    { "gates",   "read every node, and refuse what is not safe", ALL, STEP_PARALLEL, STEP_READ,
      WITHIN_COMMAND, GATES, cms_goal_gates, NULL },
    { "sign",    "make keys and certificates on the primary itself", CMS_SIGNS, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, STATUS | CMS_READ_LIST, cms_goal_sign, cms_act_sign },
    { "issue",   "make the new set", ALL, STEP_ONCE, STEP_STAGE,
      WITHIN_COMMAND, 0, cms_goal_issue, issue },
    { "backup",  "take and fetch a backup", ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, STATUS | CMS_READ_LIST, cms_goal_backup, cms_act_backup },
    { "push",    "put the new set beside the old one, and prove it", ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, STATUS | CMS_READ_LIST | CMS_READ_TARGET, cms_goal_push, push },
    { "leave",   "take the replicas out", CMS_REPLICA, STEP_AS_LEAVE, LEAVES,
      WITHIN_LEAVE, STATUS, cms_goal_leave, cms_act_leave },
    { "certs",   "switch the replicas to the set", CMS_REPLICA, STEP_AS_LEAVE, LEAVES | STEP_CHAIN,
      WITHIN_COMMAND, STATUS, cms_goal_certs, cms_act_certs },
    { "leave",   "take the connect-only nodes out", CMS_CONNECT, STEP_PARALLEL, LEAVES,
      WITHIN_LEAVE, STATUS, cms_goal_leave, cms_act_leave },
    { "certs",   "switch the connect-only nodes to the set", CMS_CONNECT, STEP_PARALLEL, LEAVES | STEP_CHAIN,
      WITHIN_COMMAND, STATUS, cms_goal_certs, cms_act_certs },
    { "leave",   "take the primary out, last", CMS_PRIMARY, STEP_ONE_BY_ONE, LEAVES | STEP_OUTAGE,
      WITHIN_LEAVE, STATUS, cms_goal_leave, cms_act_leave },
    { "certs",   "switch the primary to the set", CMS_PRIMARY, STEP_ONE_BY_ONE, LEAVES | STEP_OUTAGE | STEP_CHAIN,
      WITHIN_COMMAND, STATUS, cms_goal_certs, cms_act_certs },
    { "init",    "make the holder of the data the primary again", CMS_PRIMARY, STEP_ONE_BY_ONE,
      LEAVES | STEP_OUTAGE | STEP_TURN | STEP_REWIND,
      WITHIN_INIT, STATUS, cms_goal_init, init },
    { "connect", "connect the connect-only nodes", CMS_CONNECT, STEP_PARALLEL,
      LEAVES | STEP_OUTAGE | STEP_REWIND,
      WITHIN_CONNECT, STATUS, cms_goal_connect, cms_act_connect },
    { "join",    "join the replicas", CMS_REPLICA, STEP_AS_JOIN, LEAVES | STEP_REWIND,
      WITHIN_JOIN, STATUS, cms_goal_join, cms_act_join },
    { "prove",   "prove primary, members, sync, files and live certificates", ALL, STEP_PARALLEL, STEP_LIVE,
      WITHIN_COMMAND, STATUS | CMS_READ_TARGET | CMS_READ_SERVED, cms_goal_prove, NULL },
};

/* clang-format on */

static int check_nodes(const struct plan_cluster *pc, const char *value,
                       struct err *err)
{
    char name[256];

    if (!*value)
        return err_set(err, CAUSE_INPUT, "names no node");
    for (const char *p = value; *p;) {
        size_t n = strcspn(p, ",");
        if (n == 0 || n >= sizeof(name))
            return err_set(err, CAUSE_INPUT, "is no list of nodes");
        memcpy(name, p, n);
        name[n] = '\0';
        if (!inventory_node(pc->plan->inventory, name))
            return err_set(err, CAUSE_INPUT, "the inventory has no node `%s'",
                           name);
        p += n + (p[n] == ',');
    }
    return 0;
}

static int check_primary(const struct plan_cluster *pc, const char *value,
                         struct err *err)
{
    const struct node *node = inventory_node(pc->plan->inventory, value);

    if (!node)
        return err_set(err, CAUSE_INPUT, "the inventory has no node `%s'",
                       value);
    if (!(node->roles & CMS_DATABASE))
        return err_set(err, CAUSE_INPUT, "node %s is no database node", value);
    return 0;
}

/* clang-format off */
static const struct input_row inputs[] = {
    { "primary", "NODE", "who holds the data, when the nodes cannot agree",
      check_primary },
    { "without", "NODE,...", "leave these absent nodes out (never the holder)",
      check_nodes },
    { "if_days_left", "N", "skip clusters whose certificates have more than N days",
      input_days },
    { NULL, NULL, NULL, NULL },
};
/* clang-format on */

static const char *const accepts[] = {"clock-unknown", "data-loss", "foreign",
                                      "handshake", NULL};

const struct playbook cms_db_rotate = {
    .id = "cms/db-rotate",
    .title = "rotate the certificates of a CMS database cluster",
    .help = "Makes a new set of keys and certificates, puts it beside the "
            "old one on every node, takes the database cluster apart "
            "(replicas first, the primary last), switches every node to the "
            "new set, initializes the holder of the data, connects and joins "
            "the others, and proves the result.  Failing for good, it goes "
            "the same way back to the old set.",
    .product = &cms_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = cms_db_steps,
    .n_steps = CMS_DB_STEPS,
    .back_reads = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_TARGET,
    .data_roles = CMS_DATABASE,
    .prepare = cms_db_prepare,
    .check_issuer = cms_db_check_issuer,
    .decide = cms_db_decide,
    .weigh = cms_db_weigh,
    .not_due = cms_db_not_due,
    .issue = cms_db_issue,
    .wish = cms_db_wish,
    .holder_now = cms_primary_now,
    .assign = cms_db_assign,
    .way_back = cms_db_way_back,
    .recognise = cms_db_recognise,
    .caution = "From leave to join or connect every Call Bridge works on its "
               "own local copy of the data: what is written there (spaces, "
               "LDAP syncs, API) is lost.  Stop provisioning first.  The "
               "calls of every node drop at least once.",
};
