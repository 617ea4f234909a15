/* SPDX-License-Identifier: Apache-2.0
 *
 * cce/rotate: seed 003's Windows part, server by server: request, signature,
 * trust, bindings of IIS and of the Diagnostic Portico, Java trust stores.
 */
#include <stddef.h>

#include "core/run/input.h"
#include "playbooks/cce/cce.h"
#include "playbooks/cce/commands.h"
#include "playbooks/windows/issue.h"

enum {
    GATES = CCE_READ_BOUND | CCE_READ_STORES | CCE_READ_HOME | CCE_READ_CLOCK |
            CCE_READ_LIST | CCE_READ_MY | CCE_READ_SERVICES | CCE_READ_SHOWN,
    STORES = CCE_READ_STORES | CCE_READ_COPIES,
    LIVE = CCE_READ_BOUND | STORES | CCE_READ_MY | CCE_READ_SERVICES,
    LANE = STEP_LIVE | STEP_CHAIN
};

static bool has(const struct view *view, const char *slot)
{
    const struct set_file *file = set_slot(&cce_node(view)->own, slot);

    return file && file->content && file->content->len;
}

static bool has_ca1(const struct view *view)
{
    return has(view, "ca1");
}

static bool has_ca2(const struct view *view)
{
    return has(view, "ca2");
}

static bool has_ca3(const struct view *view)
{
    return has(view, "ca3");
}

/* clang-format off */
static const struct act keep[] = {
    { ACT_COMMAND, CCE_COPY(CCE_ICM_STORE("{drive}"), "{icm.old}") },
    { ACT_FETCH,   "{icm.old}" },
    { ACT_COMMAND, CCE_COPY(CCE_JAVA_STORE, "{java.old}") },
    { ACT_FETCH,   "{java.old}" },
    { ACT_END },
};
static const struct act request[] = {
    { ACT_PUT,     "inf" },
    { ACT_COMMAND, CCE_REQUEST("{set.inf}", "{set.csr}") },
    { ACT_END },
};
static const struct act take[] = {
    { ACT_TAKE, "csr" },
    { ACT_END },
};
static const struct act issue[] = {
    { ACT_LOCAL, "a certificate for each request" },
    { ACT_END },
};
/* Root first: the note of seed 003, CCE 3.5. */
static const struct act trust[] = {
    { ACT_PUT,     "root" },
    { ACT_COMMAND, CCE_TRUST("Root", "{set.root}") },
    { ACT_PUT,     "ca1", .when = has_ca1 },
    { ACT_COMMAND, CCE_TRUST("CA", "{set.ca1}"), .when = has_ca1 },
    { ACT_PUT,     "ca2", .when = has_ca2 },
    { ACT_COMMAND, CCE_TRUST("CA", "{set.ca2}"), .when = has_ca2 },
    { ACT_PUT,     "ca3", .when = has_ca3 },
    { ACT_COMMAND, CCE_TRUST("CA", "{set.ca3}"), .when = has_ca3 },
    { ACT_END },
};
static const struct act accept[] = {
    { ACT_PUT,     "crt" },
    { ACT_COMMAND, CCE_ACCEPT("{set.crt}") },
    { ACT_END },
};
#define IMPORT(store) \
    { ACT_COMMAND, CCE_IMPORT("{root.alias}", "{set.root}", store) }, \
    { ACT_COMMAND, CCE_IMPORT("{ca1.alias}", "{set.ca1}", store), .when = has_ca1 }, \
    { ACT_COMMAND, CCE_IMPORT("{ca2.alias}", "{set.ca2}", store), .when = has_ca2 }, \
    { ACT_COMMAND, CCE_IMPORT("{ca3.alias}", "{set.ca3}", store), .when = has_ca3 }
/* The files once more: where Windows trusts them since an earlier run, the row
 * above has put none. */
static const struct act import[] = {
    { ACT_PUT,     "root" },
    { ACT_PUT,     "ca1", .when = has_ca1 },
    { ACT_PUT,     "ca2", .when = has_ca2 },
    { ACT_PUT,     "ca3", .when = has_ca3 },
    { ACT_COMMAND, CCE_COPY(CCE_ICM_STORE("{drive}"), "{icm.new}") },
    IMPORT("{icm.new}"),
    { ACT_COMMAND, CCE_COPY(CCE_JAVA_STORE, "{java.new}") },
    IMPORT("{java.new}"),
    { ACT_END },
};
static const struct act stores[] = {
    { ACT_COMMAND, CCE_BRING_ICM("{drive}", "{icm.target}") },
    { ACT_COMMAND, CCE_REPLACE_ICM("{drive}", "{icm.target}") },
    { ACT_COMMAND, CCE_BRING_JAVA("{java.target}") },
    { ACT_COMMAND, CCE_REPLACE_JAVA("{java.target}") },
    { ACT_END },
};
static const struct act tomcat[] = {
    { ACT_COMMAND, "net stop {tomcat}" },
    { ACT_COMMAND, "net start {tomcat}" },
    { ACT_END },
};
static const struct act iis[] = {
    { ACT_COMMAND, CCE_BIND_IIS("{iis.thumb}", "{iis.app}") },
    { ACT_END },
};
/* With those that depend on it, W3SVC among them; seed 003, CCE 4.7. */
static const struct act iisadmin[] = {
    { ACT_COMMAND, "net stop IISADMIN /y" },
    { ACT_COMMAND, "net start IISADMIN" },
    { ACT_COMMAND, "net start W3SVC" },
    { ACT_END },
};
static const struct act portico[] = {
    { ACT_COMMAND, CCE_UNBIND("{drive}") },
    { ACT_COMMAND, CCE_BIND("{drive}", "{portico.thumb}") },
    { ACT_END },
};
static const struct act diagfw[] = {
    { ACT_COMMAND, "net stop DiagFwSvc" },
    { ACT_COMMAND, "net start DiagFwSvc" },
    { ACT_END },
};

static const struct step steps[] = {
    { "gates",    "read every server, and refuse what is not safe", CCE_ALL, STEP_PARALLEL, STEP_READ,
      WITHIN_COMMAND, GATES, cce_goal_gates, NULL },
    { "keep",     "keep both Java trust stores as they are, there and here", CCE_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, STORES, cce_goal_keep, keep },
    { "request",  "have each server make a key and its request", CCE_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, CCE_READ_LIST, cce_goal_request, request },
    { "take",     "fetch the requests", CCE_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, CCE_READ_LIST, cce_goal_take, take },
    { "issue",    "have the requests signed", CCE_ALL, STEP_ONCE, STEP_STAGE,
      WITHIN_COMMAND, 0, cce_goal_issue, issue },
    { "trust",    "have Windows trust root and intermediates", CCE_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, CCE_READ_TRUST, cce_goal_trust, trust },
    { "accept",   "bring certificate and key together in the machine's store", CCE_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, CCE_READ_BOUND | CCE_READ_MY, cce_goal_accept, accept },
    { "import",   "import root and intermediates into copies of the trust stores", CCE_ALL, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, STORES | CCE_READ_STAGED, cce_goal_import, import },
    { "stores",   "put the copies in the trust stores' places", CCE_ALL, STEP_ONE_BY_ONE, STEP_LIVE | STEP_MIRROR,
      WITHIN_COMMAND, STORES | CCE_READ_STAGED, cce_goal_stores, stores },
    { "tomcat",   "restart Apache Tomcat", CCE_WITH_TOMCAT, STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LIVE, cce_goal_tomcat, tomcat },
    { "iis",      "bind IIS to the certificate", CCE_ALL, STEP_ONE_BY_ONE, LANE,
      WITHIN_COMMAND, LIVE, cce_goal_iis, iis },
    { "iisadmin", "restart the IIS Admin Service", CCE_ALL, STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LIVE | CCE_READ_SHOWN, cce_goal_iisadmin, iisadmin },
    { "portico",  "bind the Diagnostic Portico to the certificate", CCE_ALL, STEP_ONE_BY_ONE, LANE,
      WITHIN_COMMAND, LIVE | CCE_READ_VALID, cce_goal_portico, portico },
    { "diagfw",   "restart the Diagnostic Framework", CCE_ALL, STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LIVE | CCE_READ_SHOWN, cce_goal_diagfw, diagfw },
    { "prove",    "prove bindings, trust stores, services and what is shown", CCE_ALL, STEP_PARALLEL, STEP_LIVE,
      WITHIN_COMMAND, LIVE | CCE_READ_VALID | CCE_READ_SHOWN, cce_goal_prove, NULL },
};

static const struct input_row inputs[] = {
    { "if_days_left", "DAYS", "skips clusters whose certificates have more", input_days },
    { "drive", "LETTER", "where \\icm is; C without it", cce_check_drive },
    { "tomcat", "SERVICE", "what `sc query' calls Apache Tomcat; Tomcat9 without it", cce_check_tomcat },
    { NULL, NULL, NULL, NULL },
};
/* clang-format on */

static const char *const accepts[] = {NULL};

const struct playbook cce_rotate = {
    .id = "cce/rotate",
    .title = "rotate the certificates of CCE's Windows servers",
    .help = "Each server makes a key and a request in the machine's store, "
            "whoever is named as issuer signs it, and Windows is told to trust "
            "root and intermediates.  Then, server by server: both Java trust "
            "stores get them, IIS on 443 and the Diagnostic Portico on 7890 "
            "are bound to the new certificate by its thumbprint, and what "
            "reads them starts anew; the next server when this one shows the "
            "new certificate.  Failing for good, the old thumbprints are bound "
            "and the trust stores put back, byte for byte.",
    .product = &cce_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = steps,
    .n_steps = sizeof(steps) / sizeof(steps[0]),
    .back_reads = LIVE,
    .prepare = cce_prepare,
    .check_issuer = win_check_issuer,
    .decide = cce_decide,
    .not_due = cce_not_due,
    .issue = cce_issue,
    .wish = cce_wish,
    .way_back = cce_way_back,
    .recognise = cce_recognise,
    .caution = "Whoever has learnt the old certificates by heart (a browser, a "
               "tool, a certificate that was imported by itself) must learn "
               "the new ones, or trust the CA.",
};
