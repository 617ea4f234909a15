/* SPDX-License-Identifier: Apache-2.0
 *
 * cucm/rotate: one multi-server certificate of a CUCM cluster with its IM&P
 * nodes, as seed 004 has it: one request on the publisher, chain before leaf,
 * the upload read back on every node, services anew publisher first and then
 * node by node.  There is no way back (facts/uc.md 0.7): all that can be
 * refused is refused before the upload, and what fails later is finished.
 */
#include <stdlib.h>

#include "core/run/input.h"
#include "playbooks/cucm/cucm.h"
#include "playbooks/vos/answer.h"

enum {
    GATES = CUCM_READ_SERVICES | CUCM_READ_REPLICATION | CUCM_READ_MEMBERS |
            CUCM_READ_MODE | CUCM_READ_SSO | CUCM_READ_PHONES |
            CUCM_READ_CERTS | CUCM_READ_SHOWN,
    UPLOAD = CUCM_READ_SERVICES | CUCM_READ_REPLICATION | CUCM_READ_CERTS,
    CTL = CUCM_READ_CERTS | CUCM_READ_MODE | CUCM_READ_CTL,
    RESTART = CUCM_READ_SERVICES | CUCM_READ_SHOWN,
    PROVE = UPLOAD | CUCM_READ_SHOWN,
    PHONES_WAIT_S = 1800,
    MOST_MINUTES = 24 * 60
};

static bool needs_ctl(const struct view *view)
{
    struct err why;

    return cucm_goal_ctl(view, &why) != GOAL_MET;
}

/* clang-format off */
#define RESTARTS(name, service)                                                \
    static bool restarts_##name(const struct view *view)                       \
    {                                                                          \
        return cucm_restarts(view, service);                                   \
    }
/* clang-format on */
RESTARTS(tomcat, "Cisco Tomcat")
RESTARTS(uds, "Cisco UDS Tomcat")
RESTARTS(axl, "Cisco AXL Tomcat")
RESTARTS(ssosp, "Cisco SSOSP Tomcat")
RESTARTS(tftp, "Cisco Tftp")
RESTARTS(callmanager, "Cisco CallManager")
RESTARTS(cti, "Cisco CTIManager")
RESTARTS(tvs, "Cisco Trust Verification Service")
RESTARTS(haproxy, "Cisco HAProxy")
RESTARTS(drf_master, "Cisco DRF Master")
RESTARTS(drf_local, "Cisco DRF Local")
RESTARTS(xcp_router, "Cisco XCP Router")
RESTARTS(xcp_s2s, "Cisco XCP XMPP Federation Connection Manager")

/* clang-format off */
static const struct act csr[] = {
    { ACT_POST, "POST " CUCM_REST "/csr {type} {distribution} {cn}" },
    { ACT_END },
};
static const struct act issue[] = {
    { ACT_LOCAL, "sign the node's request, and judge the answer as the upload will" },
    { ACT_END },
};
static const struct act trust[] = {
    { ACT_POST, "POST " CUCM_REST "/trust/certificates {type}" },
    { ACT_END },
};
static const struct act upload[] = {
    { ACT_POST, "POST " CUCM_REST "/identity/certificates {type}" },
    { ACT_END },
};
static const struct act ctl[] = {
    { ACT_CONFIRM, "utils ctl update CTLFile", 0, needs_ctl },
    { ACT_END },
};
/* In an order that is each type's own of types.c. */
#define RESTART_ACT(service, name) { ACT_COMMAND, "utils service restart " service, 0, restarts_##name }
static const struct act restart[] = {
    RESTART_ACT("Cisco Tomcat", tomcat),
    RESTART_ACT("Cisco UDS Tomcat", uds),
    RESTART_ACT("Cisco AXL Tomcat", axl),
    RESTART_ACT("Cisco SSOSP Tomcat", ssosp),
    RESTART_ACT("Cisco Tftp", tftp),
    RESTART_ACT("Cisco CallManager", callmanager),
    RESTART_ACT("Cisco CTIManager", cti),
    RESTART_ACT("Cisco Trust Verification Service", tvs),
    RESTART_ACT("Cisco HAProxy", haproxy),
    RESTART_ACT("Cisco DRF Master", drf_master),
    RESTART_ACT("Cisco DRF Local", drf_local),
    RESTART_ACT("Cisco XCP Router", xcp_router),
    RESTART_ACT("Cisco XCP XMPP Federation Connection Manager", xcp_s2s),
    { ACT_END },
};

static const struct step steps[] = {
    { "gates",      "read every node, and refuse what is not safe", CUCM_ALL, STEP_PARALLEL, STEP_READ,
      WITHIN_COMMAND, GATES, cucm_goal_gates, NULL },
    { "csr",        "have the publisher make one request for all nodes", CUCM_HEAD, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, CUCM_READ_CERTS, cucm_goal_csr, csr },
    { "issue",      "have it signed, and judge the answer", CUCM_HEAD, STEP_ONCE, STEP_STAGE,
      WITHIN_COMMAND, 0, cucm_goal_issue, issue },
    { "trust",      "put the CAs into its trust store, root first", CUCM_HEAD, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, CUCM_READ_CERTS, cucm_goal_trust, trust },
    { "upload",     "upload the certificate: from here on there is no way back", CUCM_HEAD, STEP_PARALLEL, STEP_LIVE | STEP_ONE_WAY,
      WITHIN_CONNECT, UPLOAD, cucm_goal_upload, upload },
    { "replicated", "read it back on every node that it names", CUCM_IN_SCOPE, STEP_PARALLEL, STEP_LIVE,
      WITHIN_CONNECT, CUCM_READ_CERTS, cucm_goal_replicated, NULL },
    { "ctl",        "in mixed mode: update the CTL, before any service starts anew", CUCM_HEAD, STEP_PARALLEL, STEP_LIVE | STEP_ONE_WAY,
      WITHIN_CONNECT, CTL, cucm_goal_ctl, ctl },
    { "restart",    "start the publisher's services anew, and prove it", CUCM_HEAD, STEP_PARALLEL, STEP_LIVE | STEP_OUTAGE,
      WITHIN_CONNECT, RESTART, cucm_goal_restart, restart },
    { "restart",    "start the subscribers' services anew, each proven before the next", CUCM_SECOND, STEP_ONE_BY_ONE, STEP_LIVE | STEP_OUTAGE,
      WITHIN_CONNECT, RESTART, cucm_goal_restart, restart },
    { "restart",    "start the IM&P publisher's services anew, and prove it", CUCM_THIRD, STEP_ONE_BY_ONE, STEP_LIVE | STEP_OUTAGE,
      WITHIN_CONNECT, RESTART, cucm_goal_restart, restart },
    { "restart",    "start the IM&P subscribers' services anew, each proven before the next", CUCM_FOURTH, STEP_ONE_BY_ONE, STEP_LIVE | STEP_OUTAGE,
      WITHIN_CONNECT, RESTART, cucm_goal_restart, restart },
    { "phones",     "wait until as many phones are registered as before", CUCM_PUBLISHER, STEP_PARALLEL, STEP_LIVE,
      WITHIN_ASKED, CUCM_READ_PHONES, cucm_goal_phones, NULL },
    { "prove",      "prove it on every node", CUCM_IN_SCOPE, STEP_PARALLEL, STEP_LIVE,
      WITHIN_CONNECT, PROVE, cucm_goal_prove, NULL },
};

static int check_minutes(const struct plan_cluster *pc, const char *value, struct err *err);
static int check_word(const struct plan_cluster *pc, const char *value, struct err *err);
static const struct input_row inputs[] = {
    { "type",         "TYPE",    "which certificate: tomcat, CallManager, cup-xmpp or cup-xmpp-s2s", cucm_check_type },
    { "cn",           "NAME",    "common name of the request; by itself HOST-ms.DOMAIN of the publisher", check_word },
    { "distribution", "WORD",    "what the API calls a certificate for all nodes; by itself multi-server", check_word },
    { "phones_wait",  "MINUTES", "how long phones are waited for; by itself 30", check_minutes },
    { "if_days_left", "DAYS",    "do nothing while its certificate has more days left, and names every node", input_days },
    { NULL },
};
static const char *const accepts[] = { "sso", "request", "phones", "apart", NULL };
/* clang-format on */

static int check_minutes(const struct plan_cluster *pc, const char *value,
                         struct err *err)
{
    (void)pc;
    return input_number(value, 0, MOST_MINUTES, err);
}

/* It stands in an order, where the command table takes these. */
static int check_word(const struct plan_cluster *pc, const char *value,
                      struct err *err)
{
    const char *p = value;

    (void)pc;
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
           (*p >= '0' && *p <= '9') || (p > value && (*p == '.' || *p == '-')))
        p++;
    if (*value && !*p)
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "letters, digits, dots and hyphens are "
                   "wanted");
}

static unsigned asked_s(const struct plan_cluster *pc)
{
    const char *minutes = plan_input(pc->plan, "phones_wait");

    return minutes ? (unsigned)strtoul(minutes, NULL, 10) * 60 + 1
                   : PHONES_WAIT_S;
}

const struct playbook cucm_rotate = {
    .id = "cucm/rotate",
    .title = "renew a multi-server certificate of a CUCM cluster",
    .help = "Has the publisher make one request for all nodes of the cluster "
            "(and of IM&P), has it signed, uploads the chain and the "
            "certificate, reads it back on every node, and starts the "
            "services anew: the publisher's first, then node by node, each "
            "proven by TLS and by its services before the next.  A node that "
            "was added, or whose domain changed, comes into the certificate "
            "by the same run.  What was uploaded cannot be taken back.",
    .product = &cucm_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = steps,
    .n_steps = sizeof(steps) / sizeof(steps[0]),
    .back_reads = CUCM_READ_SERVICES,
    .issuer = vos_issuer,
    .prepare = cucm_prepare,
    .check_issuer = vos_check_issuer,
    .decide = cucm_decide,
    .asked_s = asked_s,
    .not_due = cucm_not_due,
    .issue = cucm_issue,
    .wish = cucm_wish,
    .recognise = vos_recognise,
    .caution = "Administration, self-care, AXL and UDS are away for minutes "
               "on each node while its Tomcat starts; with CallManager the "
               "node's phones register anew and calls are not set up; with "
               "cup-xmpp every chat and presence drops.",
};
