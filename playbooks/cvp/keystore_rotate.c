/* SPDX-License-Identifier: Apache-2.0
 *
 * cvp/keystore-rotate: new keys and certificates in the keystores of CVP
 * servers, all of seed 003's CVP part on a copy, server by server.
 */
#include <stddef.h>

#include "core/run/input.h"
#include "playbooks/cvp/commands.h"
#include "playbooks/cvp/cvp.h"
#include "playbooks/windows/issue.h"

enum {
    GATES = CVP_READ_STATUS | CVP_READ_HOME | CVP_READ_CLOCK | CVP_READ_LIST |
            CVP_READ_LIVE | CVP_READ_SERVICES | CVP_READ_SHOWN,
    COPIES = CVP_READ_STATUS | CVP_READ_COPIES,
    LOOK = COPIES | CVP_READ_SERVICES | CVP_READ_SHOWN,
    LANE = STEP_LIVE | STEP_CHAIN
};
#define ON(alias) (CVP_RENEWS << (alias))

#define GOAL(name, service)                                                    \
    static enum goal goal_##name(const struct view *view, struct err *why)     \
    {                                                                          \
        return cvp_goal_service(view, service, why);                           \
    }
GOAL(wsm, CVP_SVC_WSM)
GOAL(vxml, CVP_SVC_VXML)
GOAL(iis, CVP_SVC_IIS)
GOAL(oamp, CVP_SVC_OAMP)
GOAL(callserver, CVP_SVC_CALLSERVER)

/* clang-format off */
static const struct act keep[] = {
    { ACT_COMMAND, CVP_COPY_ASIDE("{keystore.old}") },
    { ACT_FETCH,   "{keystore.old}" },
    { ACT_END },
};
#define KEY(word, bit) \
    { ACT_COMMAND, CVP_DELETE(word "_certificate", "{keystore.new}"), bit }, \
    { ACT_COMMAND, CVP_GENERATE(word "_certificate", "{fqdn}", "{keystore.new}"), bit }
#define REQUEST(word, bit) \
    { ACT_COMMAND, CVP_REQUEST("{set." word "_csr}", word "_certificate", "{names}", "{keystore.new}"), bit }
static const struct act keys[] = {
    { ACT_COMMAND, CVP_COPY_ASIDE("{keystore.new}") },
    KEY("wsm", ON(CVP_WSM)),
    KEY("vxml", ON(CVP_VXML)),
    KEY("oamp", ON(CVP_OAMP_CERT)),
    KEY("callserver", ON(CVP_CALLSERVER)),
    REQUEST("wsm", ON(CVP_WSM)),
    REQUEST("vxml", ON(CVP_VXML)),
    REQUEST("oamp", ON(CVP_OAMP_CERT)),
    REQUEST("callserver", ON(CVP_CALLSERVER)),
    { ACT_END },
};
static const struct act take[] = {
    { ACT_TAKE, "wsm_csr" },
    { ACT_TAKE, "vxml_csr" },
    { ACT_TAKE, "oamp_csr" },
    { ACT_TAKE, "callserver_csr" },
    { ACT_END },
};
static const struct act issue[] = {
    { ACT_LOCAL, "a certificate for each request" },
    { ACT_END },
};
#define REPLY(word, bit) \
    { ACT_PUT, word "_crt" }, \
    { ACT_COMMAND, CVP_IMPORT(word "_certificate", "{set." word "_crt}", "{keystore.new}"), bit }
static const struct act push[] = {
    { ACT_PUT, "root" },
    { ACT_COMMAND, CVP_IMPORT("{root.alias}", "{set.root}", "{keystore.new}") },
    REPLY("wsm", ON(CVP_WSM)),
    REPLY("vxml", ON(CVP_VXML)),
    REPLY("oamp", ON(CVP_OAMP_CERT)),
    REPLY("callserver", ON(CVP_CALLSERVER)),
    { ACT_END },
};
static const struct act swap[] = {
    { ACT_COMMAND, CVP_BRING("{keystore.target}") },
    { ACT_COMMAND, CVP_REPLACE("{keystore.target}") },
    { ACT_END },
};
#define RESTART(name, service) \
    static const struct act name[] = { \
        { ACT_COMMAND, "net stop " service }, \
        { ACT_COMMAND, "net start " service }, \
        { ACT_END }, \
    };
RESTART(wsm, "WebServicesManager")
RESTART(vxml, "VXMLServer")
RESTART(iis, "W3SVC")
RESTART(oamp, "OPSConsoleServer")
RESTART(callserver, "CallServer")

static const struct step steps[] = {
    { "gates", "read every server, and refuse what is not safe", CVP_RENEWED, STEP_PARALLEL, STEP_READ,
      WITHIN_COMMAND, GATES, cvp_goal_gates, NULL },
    { "keep",  "keep the keystore as it is, there and here", CVP_RENEWED, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, COPIES, cvp_goal_keep, keep },
    { "keys",  "make keys and requests in a copy of the keystore", CVP_RENEWED, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, COPIES | CVP_READ_LIST, cvp_goal_keys, keys },
    { "take",  "fetch the requests", CVP_RENEWED, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, CVP_READ_STATUS, cvp_goal_take, take },
    { "issue", "have the requests signed", CVP_RENEWED, STEP_ONCE, STEP_STAGE,
      WITHIN_COMMAND, 0, cvp_goal_issue, issue },
    { "push",  "import root and certificates into the copy, and prove it", CVP_RENEWED, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, COPIES | CVP_READ_STAGED, cvp_goal_push, push },
    { "swap",  "put the copy in the keystore's place", CVP_RENEWED, STEP_ONE_BY_ONE, STEP_LIVE | STEP_MIRROR,
      WITHIN_COMMAND, COPIES | CVP_READ_STAGED, cvp_goal_swap, swap },
    { "wsm",   "restart the Web Services Manager", ON(CVP_WSM), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_wsm, wsm },
    { "vxml",  "restart the VXML server: its dialogs drop", ON(CVP_VXML), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_vxml, vxml },
    { "iis",   "restart the World Wide Web Publishing Service", ON(CVP_OAMP_CERT), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_iis, iis },
    { "oamp",  "restart the operations console", ON(CVP_OAMP_CERT), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_oamp, oamp },
    { "callserver", "restart the Call Server: its calls drop", ON(CVP_CALLSERVER), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_callserver, callserver },
    { "prove", "prove keystores, services and what they show", CVP_RENEWED, STEP_PARALLEL, STEP_LIVE,
      WITHIN_COMMAND, LOOK | CVP_READ_LIVE, cvp_goal_prove, NULL },
};

static const struct input_row inputs[] = {
    { "alias", "NAME[,NAME...]|all",
      "which of the seed's aliases: wsm_certificate, vxml_certificate, "
      "callserver_certificate, oamp_certificate; without it all that a server has",
      cvp_check_aliases },
    { "if_days_left", "DAYS", "skips clusters whose certificates have more", input_days },
    { NULL, NULL, NULL, NULL },
};
/* clang-format on */

static const char *const accepts[] = {"no-tls", NULL};

const struct playbook cvp_keystore_rotate = {
    .id = "cvp/keystore-rotate",
    .title = "rotate the certificates in the keystores of CVP servers",
    .help = "On each server keytool makes new keys and requests in a copy of "
            "the keystore, whoever is named as issuer signs them, and keytool "
            "imports root and certificates into the copy.  When every copy is "
            "proven it takes the keystore's place, server by server, and the "
            "services that read it are started anew: the next one when the "
            "port of the one before shows the new certificate.  Failing for "
            "good, the keystore as it was is put back, byte for byte, and the "
            "services are started with it.",
    .product = &cvp_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = steps,
    .n_steps = sizeof(steps) / sizeof(steps[0]),
    .back_reads = LOOK,
    .prepare = cvp_prepare,
    .check_issuer = win_check_issuer,
    .decide = cvp_decide,
    .not_due = cvp_not_due,
    .issue = cvp_issue,
    .wish = cvp_wish,
    .way_back = cvp_way_back,
    .recognise = cvp_recognise,
    .caution = "Each service is down for as long as it takes to start, one "
               "after the other.  Calls of a Call Server and dialogs of a VXML "
               "server drop: take the server out of service first.",
};
