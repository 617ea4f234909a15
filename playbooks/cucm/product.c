/* SPDX-License-Identifier: Apache-2.0
 *
 * CUCM with IM&P as tables: roles, the orders and commands that may go out, how
 * answers read.
 */
#include <string.h>

#include "playbooks/cucm/cucm.h"
#include "playbooks/vos/dialect.h"

/* clang-format off */
static const struct role_word roles[] = {
    { "publisher",     CUCM_PUBLISHER },
    { "subscriber",    CUCM_SUBSCRIBER },
    { "imp-publisher", CUCM_IMP_PUBLISHER },
    { "imp",           CUCM_IMP },
    { NULL, 0 },
};

static const struct product_words words = {
    .product = "cucm",
    .roles = roles,
    .one_of = CUCM_ALL,
};

/* Everything that may ever be sent.  No regeneration, no deletion, no restart
 * of a node: they cannot be taken back (facts/uc.md 9). */
static const struct command_row commands[] = {
    { "utils service list",                 COMMAND_READS },
    { "utils dbreplication runtimestate",   COMMAND_READS },
    { "show network cluster",               COMMAND_READS },
    { "run sql select paramvalue from processconfig where paramname='ClusterSecurityMode'", COMMAND_READS },
    { "utils sso status",                   COMMAND_READS },
    { "show risdb query phone",             COMMAND_READS },
    { "show ctl",                           COMMAND_READS },
    { "show cert own {}",                   COMMAND_READS },
    { "POST " CUCM_REST "/csr {} {} {}",             0 },
    { "POST " CUCM_REST "/trust/certificates {}",    0 },
    { "POST " CUCM_REST "/identity/certificates {}", COMMAND_DESTROYS },
    { "utils ctl update CTLFile",           COMMAND_DESTROYS },
    { "utils service restart Cisco Tomcat", COMMAND_DESTROYS },
    { "utils service restart Cisco UDS Tomcat", COMMAND_DESTROYS },
    { "utils service restart Cisco AXL Tomcat", COMMAND_DESTROYS },
    { "utils service restart Cisco SSOSP Tomcat", COMMAND_DESTROYS },
    { "utils service restart Cisco Tftp",   COMMAND_DESTROYS },
    { "utils service restart Cisco CallManager", COMMAND_DESTROYS },
    { "utils service restart Cisco CTIManager", COMMAND_DESTROYS },
    { "utils service restart Cisco Trust Verification Service", COMMAND_DESTROYS },
    { "utils service restart Cisco HAProxy", COMMAND_DESTROYS },
    { "utils service restart Cisco DRF Master", COMMAND_DESTROYS },
    { "utils service restart Cisco DRF Local", COMMAND_DESTROYS },
    { "utils service restart Cisco XCP Router", COMMAND_DESTROYS },
    { "utils service restart Cisco XCP XMPP Federation Connection Manager", COMMAND_DESTROYS },
    { NULL, 0 },
};
/* clang-format on */

/* A restart that does not say [STARTED] may have gone well all the same: its
 * goal asks (facts/uc.md 1.4). */
static enum reply judge(const char *command, const char *output, size_t len,
                        struct err *err)
{
    (void)command;
    return vos_judge_words(output, len, err);
}

static bool variable(const struct view *view, const char *name, struct str *out)
{
    const struct plan *plan = view->plan->plan;
    const char *distribution = plan_input(plan, "distribution");

    if (strcmp(name, "type") == 0)
        str_add(out, cucm_type_of(plan)->name);
    else if (strcmp(name, "distribution") == 0)
        str_add(out, distribution ? distribution : "multi-server");
    else if (strcmp(name, "cn") == 0)
        cucm_common_name(view->plan, out);
    else
        return false;
    return true;
}

/* Nothing of ours lies on a node as a file. */
void cucm_health(const struct view *view, struct findings *findings)
{
    const char *node = view->plan->nodes[view->node].node->name;
    const struct cucm_replication *r = cucm_facts_of(view)->replication;
    struct err why = {0};

    if (cucm_services_run(view->plan, view->node, &why) < 0)
        findings_add(findings, SEVERITY_ERROR, "service-down", node, "%s",
                     why.text);
    for (size_t i = 0; r && i < r->n; i++)
        if (r->rows[i].state != 2 || !r->rows[i].monitored)
            findings_add(findings, SEVERITY_ERROR, "replication", node,
                         "the replication of %s is in state %u",
                         r->rows[i].name, r->rows[i].state);
}

void cucm_certificates(const struct view *view, cert_row_f *each, void *user)
{
    const struct cucm_facts *f = cucm_facts_of(view);

    for (size_t i = 0; cucm_types[i].name; i++) {
        struct cert_row row = {
            .service = cucm_types[i].name,
            .file = cucm_types[i].name,
            .info = f->units[i].info,
        };

        if (i == 0) { /* the others cost phones or chats: a person's hour */
            row.playbook = "cucm/rotate";
            row.input_key = "type";
            row.input_value = cucm_types[i].name;
        }
        if (f->units[i].info.kind == PKI_CERTIFICATE)
            each(user, &row);
    }
}

const struct product cucm_product = {
    .name = "cucm",
    .title = "Cisco Unified Communications Manager with IM and Presence",
    .words = &words,
    .dialect = &vos_dialect,
    .commands = commands,
    .reads = cucm_reads,
    .check_reads = CUCM_READ_SERVICES | CUCM_READ_REPLICATION |
                   CUCM_READ_MEMBERS | CUCM_READ_CERTS,
    .status_read = CUCM_READ_SERVICES,
    .ground_reads = CUCM_READ_SERVICES,
    .wait_reads = CUCM_READ_PHONES,
    .facts_new = cucm_facts_new,
    .facts_free = cucm_facts_free,
    .variable = variable,
    .judge = judge,
    .post = cucm_post,
    .posted = cucm_posted,
    .guard = cucm_guard,
    .health = cucm_health,
    .certificates = cucm_certificates,
};
