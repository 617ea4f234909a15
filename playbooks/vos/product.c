/* SPDX-License-Identifier: Apache-2.0
 *
 * VOS appliances as tables: roles, the commands that may go out, how answers
 * read.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/vos/dialect.h"
#include "playbooks/vos/pem.h"
#include "playbooks/vos/vos.h"

/* clang-format off */
static const struct role_word roles[] = {
    { "primary",   VOS_PRIMARY },
    { "secondary", VOS_SECONDARY },
    { NULL, 0 },
};

static const struct product_words words = {
    .product = "vos",
    .roles = roles,
    .one_of = VOS_ALL,
};

/* Everything that may ever be sent.  No regeneration and no deletion: they
 * cannot be taken back (facts/uc.md 9). */
static const struct command_row commands[] = {
    { "utils service list",           COMMAND_READS },
    { "show version active",          COMMAND_READS },
    { "show cert own tomcat",         COMMAND_READS },
    { "show cert list trust",         COMMAND_READS },
    { "show csr own tomcat",          COMMAND_READS },
    { "set csr gen tomcat",           0 },
    { "set cert import trust tomcat", 0 },
    { "set cert import own tomcat",   COMMAND_DESTROYS },
    { "utils system restart",         COMMAND_DESTROYS },
    { NULL, 0 },
};
/* clang-format on */

static enum reply judge(const char *command, const char *output, size_t len,
                        struct err *err)
{
    (void)command;
    return vos_judge_words(output, len, err);
}

static int keep(const char *command, const char *output, size_t len,
                struct str *content, struct err *err)
{
    char *text = strndup(output, len);
    int rc;

    (void)command;
    if (!text)
        abort();
    rc = vos_pem(text, "CERTIFICATE REQUEST", content);
    free(text);
    return rc < 0 ? err_set(err, CAUSE_REMOTE, "it prints no request") : 0;
}

static bool variable(const struct view *view, const char *name, struct str *out)
{
    (void)view;
    (void)name;
    (void)out;
    return false;
}

/* Nothing of ours lies on a node as a file. */
/* What was activated and does not run. */
static void health(const struct view *view, struct findings *findings)
{
    const struct vos_services *s = &vos_facts_of(view)->node.services;
    const char *node = view->plan->nodes[view->node].node->name;

    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].running == VOS_DOWN || s->list[i].running == VOS_MOVING)
            findings_add(findings,
                         strcmp(s->list[i].name, "Cisco Tomcat") == 0
                             ? SEVERITY_ERROR
                             : SEVERITY_WARNING,
                         "service-down", node, "%s %s", s->list[i].name,
                         s->list[i].running == VOS_DOWN ? "does not run"
                                                        : "is on its way");
}

static void certificates(const struct view *view, cert_row_f *each, void *user)
{
    const struct cert_row row = {
        .service = "tomcat",
        .file = "tomcat",
        .info = vos_facts_of(view)->node.shown.info,
        .playbook = "vos/rotate",
    };

    if (row.info.kind == PKI_CERTIFICATE)
        each(user, &row);
}

const struct product vos_product = {
    .name = "vos",
    .title = "VOS appliances: Finesse, CUIC, Live Data, IdS, Cloud Connect, "
             "VVB",
    .words = &words,
    .dialect = &vos_dialect,
    .commands = commands,
    .reads = vos_reads,
    .check_reads = VOS_READ_SERVICES | VOS_READ_VERSION | VOS_READ_SHOWN,
    .status_read = VOS_READ_SERVICES,
    .ground_reads = VOS_READ_SERVICES,
    .facts_new = vos_facts_new,
    .facts_free = vos_facts_free,
    .variable = variable,
    .judge = judge,
    .keep = keep,
    .guard = vos_guard,
    .health = health,
    .certificates = certificates,
};
