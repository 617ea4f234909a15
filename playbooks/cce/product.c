/* SPDX-License-Identifier: Apache-2.0
 *
 * CCE's Windows servers as tables: roles, listeners, services, dialect, the
 * commands that may go out; how answers read, which files are ours; `check'.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/cce/cce.h"
#include "playbooks/cce/commands.h"

/* clang-format off */
static const struct role_word roles[] = {
    { "aw", CCE_AW }, { "hds", CCE_HDS }, { "router", CCE_ROUTER }, { "logger", CCE_LOGGER }, { "pg", CCE_PG },
    { NULL, 0 },
};
static const struct product_words words = {
    .product = "cce",
    .roles = roles,
    .one_of = CCE_ALL,
};

/* Seed 003, CCE 4.4 and 5.6. */
const struct cce_listener_row cce_listeners[CCE_LISTENERS] = {
    [CCE_IIS_443] = { "iis", "IIS", 443 },
    [CCE_PORTICO_7890] = { "portico", "Diagnostic Portico", 7890 },
};
const char *const cce_service_titles[CCE_SERVICES] = {
    [CCE_IISADMIN] = "IIS Admin Service",
    [CCE_W3SVC] = "World Wide Web Publishing Service",
    [CCE_DIAGFWSVC] = "Diagnostic Framework",
    [CCE_TOMCAT] = "Apache Tomcat",
};

/* facts/uc.md 6 */
static const struct link_typed typed[] = {
    { "Enter keystore password:", true, NULL },
    { NULL, false, NULL },
};
static const struct link_dialect dialect = {
    .prompt = ">$", /* no command of ours wants a shell */
    .channel_retry_ms = 100,
    .output_cap = 4 * 1024 * 1024, /* a whole cacerts in PEM */
    .sftp_depth = 8,
    .typed = typed,
    .shell_question = WIN_SHELL_QUESTION,
    .shells = win_shells,
};

/* Everything that may ever be sent (invariant I6).  Only a name that begins as
 * our copies' do can take a trust store's place. */
static const struct command_row commands[] = {
    { CCE_CLOCK,                                          COMMAND_READS },
    { CCE_JAVA_HOME,                                      COMMAND_READS },
    { CCE_DIGEST(CCE_ICM_STORE("{}")),                    COMMAND_READS },
    { CCE_DIGEST(CCE_JAVA_STORE),                         COMMAND_READS },
    { CCE_LIST("cce-{}"),                                 COMMAND_READS },
    { CCE_FIND("My", "{}"),                               COMMAND_READS },
    { CCE_FIND("Root", "{}"),                             COMMAND_READS },
    { CCE_FIND("CA", "{}"),                               COMMAND_READS },
    { CCE_BOUND(CCE_IIS),                                 COMMAND_READS },
    { CCE_BOUND(CCE_PORTICO),                             COMMAND_READS },
    { CCE_VALIDATE("{}"),                                 COMMAND_READS },
    { "sc query {}",                                      COMMAND_READS },
    { CCE_COPY(CCE_ICM_STORE("{}"), "cce-{}"),            0, ">" },
    { CCE_COPY(CCE_JAVA_STORE, "cce-{}"),                 0, ">" },
    { CCE_IMPORT("ca-{}", "cce-{}", "cce-{}"),            0 },
    { CCE_REQUEST("cce-{}", "cce-{}"),                    0, ">" },
    { CCE_TRUST("Root", "cce-root-{}"),                   0 },
    { CCE_TRUST("CA", "cce-{}"),                          0 },
    { CCE_ACCEPT("cce-{}"),                               0 },
    { "copy /b /y cce-{} {}\\icm\\ssl\\cce-{}",           COMMAND_DESTROYS },
    { CCE_BRING_JAVA("cce-{}"),                           COMMAND_DESTROYS },
    { CCE_REPLACE_ICM("{}", "cce-{}"),                    COMMAND_DESTROYS },
    { CCE_REPLACE_JAVA("cce-{}"),                         COMMAND_DESTROYS },
    { CCE_BIND_IIS("{}", "{{}}"),                         COMMAND_DESTROYS },
    { CCE_UNBIND("{}"),                                   COMMAND_DESTROYS },
    { CCE_BIND("{}", "{}"),                               COMMAND_DESTROYS },
    { "net stop IISADMIN /y",                             COMMAND_DESTROYS },
    { "net stop {}",                                      COMMAND_DESTROYS },
    { "net start {}",                                     COMMAND_DESTROYS },
    { NULL, 0 },
};
/* clang-format on */

/* -- answers --------------------------------------------------------------- */

/* Windows' own words are translated, its codes say little: goals see what came
 * of it.  keytool speaks English here. */
enum reply cce_judge(const char *command, const char *output, size_t len,
                     struct err *err)
{
    static const char again[] = "Certificate not imported, alias <ca-";

    if (!strstr(command, "\\keytool.exe\" ") || !strstr(command, " -import "))
        return REPLY_OK;
    if (len && memmem(output, len, again, strlen(again)))
        return REPLY_OK; /* an earlier run's, under the same name */
    return win_keytool_complains(output, len, err) < 0 ? REPLY_FAILED
                                                       : REPLY_OK;
}

/* -- our files ------------------------------------------------------------- */

/* "cce-icm-new-g7-3f9a.jks", "cce-g7-3f9a.csr" */
static bool is_ours(const char *name, unsigned *generation)
{
    return strncmp(name, "cce-", 4) == 0 && win_generation(name, generation);
}

/* What is bound and trusted lies elsewhere: no file of ours is ever in use.
 * Only what cannot be told counts as used. */
static bool in_use(const struct view *view, const char *name)
{
    (void)name;
    return !cce_facts_of(view)->bound[CCE_IIS_443].known;
}

/* -- check ----------------------------------------------------------------- */

void cce_health(const struct view *view, struct findings *findings)
{
    const struct cce_facts *f = cce_facts_of(view);
    const struct node *node = cce_node(view)->node;

    for (int s = 0; s < CCE_SERVICES; s++)
        if ((s != CCE_TOMCAT || (node->roles & CCE_WITH_TOMCAT)) &&
            f->service[s] != WIN_RUNNING)
            findings_add(findings, SEVERITY_ERROR, "not-running", node->name,
                         "%s does not run", cce_service_titles[s]);
    for (int l = 0; l < CCE_LISTENERS; l++)
        if (!f->bound[l].thumb[0])
            findings_add(findings, SEVERITY_ERROR, "not-bound", node->name,
                         "%s has no certificate bound on port %u",
                         cce_listeners[l].title, cce_listeners[l].port);
        else if (f->shown[l].sha1[0] &&
                 strcmp(f->shown[l].sha1, f->bound[l].thumb) != 0)
            findings_add(findings, SEVERITY_WARNING, "not-loaded", node->name,
                         "%s shows another certificate than is bound to it",
                         cce_listeners[l].title);
    if (!f->valid)
        findings_add(findings, SEVERITY_WARNING, "not-valid", node->name,
                     "DiagFwCertMgr does not say that the Portico's binding is "
                     "VALID");
}

void cce_certificates(const struct view *view, cert_row_f *each, void *user)
{
    const struct cce_facts *f = cce_facts_of(view);

    for (int l = 0; l < CCE_LISTENERS; l++) {
        struct cert_row row = {
            .service = cce_listeners[l].title,
            .file = f->bound[l].thumb,
            .info = f->shown[l],
            .playbook = "cce/rotate",
        };

        if (row.info.kind != PKI_CERTIFICATE)
            continue;
        if (row.info.self_issued)
            snprintf(row.findings, sizeof(row.findings), "no CA has signed it");
        each(user, &row);
    }
}

const struct product cce_product = {
    .name = "cce",
    .title = "Contact Center Enterprise on Windows",
    .words = &words,
    .dialect = &dialect,
    .commands = commands,
    .reads = cce_reads,
    .check_reads = CCE_READ_BOUND | CCE_READ_CLOCK | CCE_READ_VALID |
                   CCE_READ_SERVICES | CCE_READ_SHOWN | CCE_READ_LIST,
    .status_read = CCE_READ_BOUND,
    .ground_reads = CCE_READ_BOUND | CCE_READ_STORES | CCE_READ_COPIES |
                    CCE_READ_MY | CCE_READ_SERVICES,
    .facts_new = cce_facts_new,
    .facts_free = cce_facts_free,
    .variable = cce_variable,
    .judge = cce_judge,
    .guard = cce_guard,
    .health = cce_health,
    .certificates = cce_certificates,
    .behind_s = win_behind_s,
    .is_ours = is_ours,
    .in_use = in_use,
};
