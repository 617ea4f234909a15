/* SPDX-License-Identifier: Apache-2.0
 *
 * vos/rotate: the tomcat certificate of a pair of appliances, as seed 003's VOS
 * part has it: a request of each node, chain before leaf, and the server anew,
 * the primary first.  There is no way back (facts/uc.md 0.7): all that can be
 * refused is refused before the upload, and what fails later is finished.
 */
#include <stdlib.h>

#include "core/run/input.h"
#include "playbooks/vos/answer.h"
#include "playbooks/vos/vos.h"

enum {
    CERTS = VOS_READ_OWN | VOS_READ_TRUST | VOS_READ_CSR,
    GATES = VOS_READ_SERVICES | VOS_READ_VERSION | CERTS | VOS_READ_SHOWN,
    RESTART = VOS_READ_SERVICES | VOS_READ_OWN | VOS_READ_SHOWN,
    LANE = STEP_LIVE | STEP_SEES_ALL
};

static bool pastes_root(const struct view *view)
{
    return vos_pastes_ca(view->plan, view->node, "root");
}

static bool pastes_int1(const struct view *view)
{
    return vos_pastes_ca(view->plan, view->node, "int1");
}

static bool pastes_int2(const struct view *view)
{
    return vos_pastes_ca(view->plan, view->node, "int2");
}

/* clang-format off */
static const struct act csr[] = {
    { ACT_ASKED, "set csr gen tomcat", .answer = "no" }, /* Include OU? 14SU2 on */
    { ACT_KEEP,  "show csr own tomcat", .slot = "csr" },
    { ACT_END },
};
static const struct act issue[] = {
    { ACT_LOCAL, "sign each node's request, and judge the answers as the uploads will" },
    { ACT_END },
};
#define IMPORT_TRUST "set cert import trust tomcat"
static const struct act trust[] = { /* one CA a paste: facts/uc.md 1.2 */
    { ACT_PASTE, IMPORT_TRUST, 0, pastes_root, .slot = "root" },
    { ACT_PASTE, IMPORT_TRUST, 0, pastes_int1, .slot = "int1" },
    { ACT_PASTE, IMPORT_TRUST, 0, pastes_int2, .slot = "int2" },
    { ACT_END },
};
static const struct act upload[] = {
    { ACT_PASTE, "set cert import own tomcat", .slot = "crt" },
    { ACT_END },
};
static const struct act restart[] = {
    { ACT_CONFIRM, "utils system restart", .answer = "yes" },
    { ACT_END },
};

static const struct step steps[] = {
    { "gates",   "read every node, and refuse what is not safe", VOS_ALL, STEP_PARALLEL, STEP_READ,
      WITHIN_COMMAND, GATES, vos_goal_gates, NULL },
    { "csr",     "have each node make its request", VOS_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, VOS_READ_CSR, vos_goal_csr, csr },
    { "issue",   "have them signed, and judge the answers", VOS_ALL, STEP_ONCE, STEP_STAGE,
      WITHIN_COMMAND, 0, vos_goal_issue, issue },
    { "trust",   "put the CAs into its trust store, root first", VOS_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_CONNECT, VOS_READ_OWN | VOS_READ_TRUST, vos_goal_trust, trust },
    { "upload",  "upload the primary's certificate: from here on there is no way back", VOS_PRIMARY, STEP_ONE_BY_ONE, LANE | STEP_ONE_WAY,
      WITHIN_CONNECT, CERTS, vos_goal_upload, upload },
    { "restart", "start the primary anew, and prove it", VOS_PRIMARY, STEP_ONE_BY_ONE, LANE | STEP_OUTAGE | STEP_CHAIN,
      WITHIN_JOIN, RESTART, vos_goal_restart, restart },
    { "upload",  "upload the secondary's certificate, once the primary is proven", VOS_SECONDARY, STEP_ONE_BY_ONE, LANE | STEP_ONE_WAY,
      WITHIN_CONNECT, CERTS, vos_goal_upload, upload },
    { "restart", "start the secondary anew, and prove it", VOS_SECONDARY, STEP_ONE_BY_ONE, LANE | STEP_OUTAGE | STEP_CHAIN,
      WITHIN_JOIN, RESTART, vos_goal_restart, restart },
    { "prove",   "prove it on every node", VOS_ALL, STEP_PARALLEL, STEP_LIVE,
      WITHIN_CONNECT, RESTART, vos_goal_prove, NULL },
};

static int check_port(const struct plan_cluster *pc, const char *value, struct err *err);
static const struct input_row inputs[] = {
    { "port",         "PORT", "whose certificate is the proof; by itself 8443 (Finesse has 8445, too, CUIC 8444)", check_port },
    { "if_days_left", "DAYS", "do nothing while every node's certificate has more days left", input_days },
    { NULL },
};
static const char *const accepts[] = { "request", NULL };
/* clang-format on */

static int check_port(const struct plan_cluster *pc, const char *value,
                      struct err *err)
{
    (void)pc;
    return input_number(value, 1, 65535, err);
}

const struct playbook vos_rotate = {
    .id = "vos/rotate",
    .title = "renew the tomcat certificate of a pair of VOS appliances",
    .help = "For Finesse, CUIC with Live Data and IdS, Cloud Connect and VVB, "
            "by the platform's shell: has each node make a request, has them "
            "signed, puts the chain into the trust stores, and then, the "
            "primary first, uploads a node's certificate and restarts that "
            "node; the other one is touched when the first serves and shows "
            "it.  What was uploaded cannot be taken back.",
    .product = &vos_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = steps,
    .n_steps = sizeof(steps) / sizeof(steps[0]),
    .back_reads = VOS_READ_SERVICES,
    .data_roles = VOS_ALL, /* seen before each live row: who else serves? */
    .issuer = vos_issuer,
    .prepare = vos_prepare,
    .check_issuer = vos_check_issuer,
    .decide = vos_decide,
    .not_due = vos_not_due,
    .issue = vos_issue,
    .wish = vos_wish,
    .recognise = vos_recognise,
    .caution = "Each node is away while it restarts: up to 30 minutes.  Agents "
               "and reports of a pair go over to the other node, those of a "
               "single node wait.",
};
