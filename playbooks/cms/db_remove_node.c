/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-remove-node: a replica or a connect-only node is taken out of a
 * database cluster that runs.  The others are bystanders.  The primary is
 * never taken out: who would lead next must not be a by-product.
 */
#include <stdio.h>
#include <string.h>

#include "playbooks/cms/gates_priv.h"

enum {
    STATUS = CMS_READ_STATUS,
    GATES = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_VERSION | CMS_READ_DATE |
            CMS_READ_DF | CMS_READ_CERTS | CMS_READ_KEYS | CMS_READ_SERVED,
    ALL = CMS_DATABASE | CMS_CONNECT,
    LIVE = STEP_LIVE | STEP_SEES_ALL,
};

/* clang-format off */
static const struct step steps[] = {
    { "gates",   "read every node, and refuse what is not safe", ALL, STEP_PARALLEL, STEP_READ,
      WITHIN_COMMAND, GATES, cms_goal_gates, NULL },
    { "backup",  "take and fetch a backup", ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, STATUS | CMS_READ_LIST, cms_goal_backup, cms_act_backup },
    { "leave",   "take the node out", ALL, STEP_PARALLEL, LIVE,
      WITHIN_LEAVE, STATUS, cms_goal_leave, cms_act_leave },
    { "certs",   "give it its files, on the way back", ALL, STEP_PARALLEL, LIVE | STEP_CHAIN,
      WITHIN_COMMAND, STATUS, cms_goal_certs, cms_act_certs },
    { "connect", "connect it, on the way back", CMS_CONNECT, STEP_PARALLEL, LIVE | STEP_REWIND,
      WITHIN_CONNECT, STATUS, cms_goal_connect, cms_act_connect },
    { "join",    "join it, on the way back", CMS_DATABASE, STEP_PARALLEL, LIVE | STEP_REWIND,
      WITHIN_JOIN, STATUS, cms_goal_join, cms_act_join },
    { "prove",   "prove that it is out and the others are whole", ALL, STEP_PARALLEL, STEP_LIVE,
      WITHIN_COMMAND, STATUS | CMS_READ_TARGET | CMS_READ_SERVED, cms_goal_prove, NULL },
};
static const struct input_row inputs[] = {
    { "node", "NODE", "who is taken out; not the primary", NULL },
    { NULL, NULL, NULL, NULL },
};
/* clang-format on */

/* -- before the first packet ----------------------------------------------- */

/* Which of them is known without asking: all the others are only asked. */
static int prepare(struct plan_cluster *pc, struct err *err)
{
    size_t node = cms_named_node(pc);

    if (!plan_input(pc->plan, "node"))
        return err_set(err, CAUSE_INPUT,
                       "which node is to go? node=NODE, a node of cluster %s",
                       pc->cluster->name);
    if (node == SIZE_MAX || !(pc->nodes[node].roles & ALL))
        return err_set(err, CAUSE_INPUT,
                       "node=%s: cluster %s of the inventory has no such node "
                       "with role database or connect",
                       plan_input(pc->plan, "node"), pc->cluster->name);
    for (size_t i = 0; i < pc->n_nodes; i++) {
        pc->nodes[i].leaver = i == node;
        pc->nodes[i].bystander = i != node;
    }
    cms_db_assign(pc, SIZE_MAX);
    return 0;
}

/* -- from the facts -------------------------------------------------------- */

static size_t count_rest(const struct look *look, size_t node)
{
    size_t n = 0;

    for (size_t i = 0; i < look->pc->n_nodes; i++)
        n += i != node && look_is_database(look, i);
    return n;
}

static void check_rest(const struct look *look, size_t node)
{
    size_t rest = count_rest(look, node);

    if (node == look->pc->holder)
        REFUSE(look, "primary", node,
               "it is the primary: have another node lead first (a reboot of "
               "it moves the primary), and see with certfleet check who does");
    else if (look_is_database(look, node) && rest % 2 == 0)
        WARN(look, "even", node,
             "%zu database nodes are left: half of an even number has no "
             "majority",
             rest);
    else if (look_is_database(look, node) && rest == 1)
        WARN(look, "alone", node, "one database node is left: no replica");
}

static void judge_way_back(struct plan_cluster *pc, size_t node)
{
    const struct cms_facts *f = cms_facts_at(pc, node);

    pc->way_back = f->old_good;
    pc->way_back_until = cms_old_not_after(f);
    snprintf(pc->no_way_back, sizeof(pc->no_way_back), "%s", f->old_why);
    pc->outage_estimate_ms = pc->degraded_estimate_ms = 0;
}

static bool is_out(const struct look *look, size_t node)
{
    if (look_status(look, node)->place != CMS_STANDALONE)
        return false;
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        const struct cms_status *s = look_status(look, i);
        for (size_t m = 0; i != node && m < s->n_members; m++)
            if (cms_node_by_address(look->pc, s->members[m].address) == node)
                return false;
    }
    return true;
}

static int decide(struct plan_cluster *pc, struct findings *findings,
                  struct err *err)
{
    const struct look look = {pc, findings};
    size_t node = cms_named_node(pc);

    pc->not_due = is_out(&look, node);
    if (pc->not_due) /* there is nobody to be judged for it */
        return 0;
    if (cms_db_decide(pc, findings, err) < 0)
        return -1;
    if (pc->expired)
        findings_add(findings, SEVERITY_ERROR, "expired", NULL,
                     "the certificates of cluster %s have expired: rotate "
                     "first",
                     pc->cluster->name);
    check_rest(&look, node);
    judge_way_back(pc, node);
    return 0;
}

static bool not_due(const struct plan_cluster *pc, struct str *why)
{
    if (pc->not_due)
        str_addf(why, "node %s is in no cluster", plan_input(pc->plan, "node"));
    return pc->not_due;
}

static const char *const accepts[] = {"foreign", NULL};

const struct playbook cms_db_remove_node = {
    .id = "cms/db-remove-node",
    .title = "take a node out of a CMS database cluster",
    .help = "Takes a backup of the node, takes it out of the database cluster, "
            "and proves that the others are whole without it; nothing is "
            "changed on them.  The primary is refused.  When it cannot be "
            "taken out, it is joined or connected again.",
    .product = &cms_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = steps,
    .n_steps = sizeof(steps) / sizeof(steps[0]),
    .back_reads = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_TARGET,
    .data_roles = CMS_DATABASE,
    .prepare = prepare,
    .decide = decide,
    .not_due = not_due,
    .holder_now = cms_primary_now,
    .assign = cms_db_assign,
    .way_back = cms_db_way_back,
    .recognise = cms_db_recognise,
    .caution = "From then on the Call Bridge of the node works on its own "
               "copy of the data (a database node) or on what it had before "
               "(a connect-only one): what is written there is not in the "
               "cluster.  It keeps the files of its set; when it is not to be "
               "trusted with them, rotate the cluster.  Take it out of the "
               "inventory.  Its calls drop.",
};
