/* SPDX-License-Identifier: Apache-2.0
 *
 * CVP as tables: roles, aliases, services, dialect, the commands that may go
 * out; how answers read, which files are ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/cvp/commands.h"
#include "playbooks/cvp/cvp.h"

/* clang-format off */
static const struct role_word roles[] = {
    { "server",    CVP_SERVER },
    { "reporting", CVP_REPORTING },
    { "oamp",      CVP_OAMP },
    { NULL, 0 },
};

static const struct product_words words = {
    .product = "cvp",
    .roles = roles,
    .one_of = CVP_EVERY,
};

/* Seed 003, CVP 4, steps 2 to 5.  Ports: 8111 is documented, the others are
 * remembered (facts/uc.md 5). */
const struct cvp_alias_row cvp_aliases[CVP_ALIASES] = {
    [CVP_WSM] = { "wsm", "wsm_certificate", "Web Services Manager", CVP_EVERY, 8111, true, NULL },
    [CVP_VXML] = { "vxml", "vxml_certificate", "VXML server", CVP_SERVER, 7443, false,
                   "the voice dialogs that it runs" },
    [CVP_OAMP_CERT] = { "oamp", "oamp_certificate", "operations console", CVP_OAMP, 9443, false,
                        "whoever is logged in to the operations console" },
    [CVP_CALLSERVER] = { "callserver", "callserver_certificate", "Call Server", CVP_SERVER | CVP_REPORTING, 5061, false,
                         "the calls that it carries" },
};

/* Their keys in the registry, which net and sc take (facts/uc.md 5: inferred).
 * A gate finds out on each server whether they are there. */
const struct cvp_service_row cvp_services[CVP_SERVICES] = {
    [CVP_SVC_WSM] = { "WebServicesManager", "Cisco CVP WebServicesManager", CVP_WSM, CVP_EVERY },
    [CVP_SVC_VXML] = { "VXMLServer", "Cisco CVP VXMLServer", CVP_VXML, CVP_SERVER },
    [CVP_SVC_IIS] = { "W3SVC", "World Wide Web Publishing Service", CVP_OAMP_CERT, CVP_OAMP },
    [CVP_SVC_OAMP] = { "OPSConsoleServer", "Cisco CVP OPSConsoleServer", CVP_OAMP_CERT, CVP_OAMP },
    [CVP_SVC_CALLSERVER] = { "CallServer", "Cisco CVP CallServer", CVP_CALLSERVER, CVP_SERVER | CVP_REPORTING },
};

/* facts/uc.md 6: keytool's own words.  The second is asked for a key's own
 * password, in a JCEKS only: it is to be the keystore's. */
static const struct link_typed typed[] = {
    { "Enter keystore password:", true, NULL },
    { "(RETURN if same as keystore password):", false, "" },
    { NULL, false, NULL },
};

static const struct link_dialect dialect = {
    .prompt = ">$", /* no command of ours wants a shell */
    .channel_retry_ms = 100,
    .output_cap = 1024 * 1024,
    .sftp_depth = 8,
    .typed = typed,
    .exec_before = WIN_BEFORE,
    .exec_after = WIN_AFTER,
};

/* Everything that may ever be sent (invariant I6).  A command line never holds
 * a password: there is no -storepass and no -keypass here.  Only a name that begins
 * as our copies' do can be a keystore to work on, or take its place. */
static const struct command_row commands[] = {
    { CVP_DIGEST,                                   COMMAND_READS },
    { CVP_WHERE,                                    COMMAND_READS },
    { CVP_CLOCK,                                    COMMAND_READS },
    { KEYTOOL "-list -rfc -keystore " CVP_STORE,    COMMAND_READS },
    { KEYTOOL "-list -rfc -keystore cvp-{}",        COMMAND_READS },
    { "sc query {}",                                COMMAND_READS },
    { CVP_COPY_ASIDE("{}"),                         0, "=" },
    { CVP_DELETE("{}", "cvp-{}"),                       0 },
    { CVP_GENERATE("{}", "{}", "cvp-{}"),               0 },
    { CVP_REQUEST("{}", "{}", "{,}", "cvp-{}"),         0, "=" },
    { CVP_IMPORT("{}", "{}", "cvp-{}"),                 0 },
    { CVP_BRING("cvp-{}"),                              COMMAND_DESTROYS },
    { CVP_REPLACE("cvp-{}"),                            COMMAND_DESTROYS },
    { "net stop {}",                                COMMAND_DESTROYS },
    { "net start {}",                               COMMAND_DESTROYS },
    { NULL, 0 },
};
/* clang-format on */

/* -- our files ------------------------------------------------------------- */

static bool is_base(const char *name, size_t len)
{
    static const char *const bases[] = {"cvp-old", "cvp-new", "cvp-root"};

    for (size_t i = 0; i < sizeof(bases) / sizeof(char *); i++)
        if (strlen(bases[i]) == len && strncmp(name, bases[i], len) == 0)
            return true;
    for (int a = 0; a < CVP_ALIASES; a++)
        if (strlen(cvp_aliases[a].word) == len &&
            strncmp(name, cvp_aliases[a].word, len) == 0)
            return true;
    return false;
}

/* "cvp-new-g7-3f9a.keystore", "wsm-g7-3f9a.csr" */
static bool is_ours(const char *name, unsigned *generation)
{
    unsigned number;
    size_t len = win_generation(name, &number);

    if (len == 0 || !is_base(name, len))
        return false;
    *generation = number;
    return true;
}

/* What the services read is a file of another folder: no copy of ours is ever
 * in use.  Only what cannot be told counts as used. */
static bool in_use(const struct view *view, const char *name)
{
    (void)name;
    return cvp_facts_of(view)->live_sha256[0] == '\0';
}

const struct product cvp_product = {
    .name = "cvp",
    .title = "Cisco Unified Customer Voice Portal",
    .words = &words,
    .dialect = &dialect,
    .commands = commands,
    .reads = cvp_reads,
    .check_reads = CVP_READ_STATUS | CVP_READ_HOME | CVP_READ_CLOCK |
                   CVP_READ_LIVE | CVP_READ_SERVICES | CVP_READ_SHOWN |
                   CVP_READ_LIST,
    .status_read = CVP_READ_STATUS,
    .ground_reads = CVP_READ_STATUS | CVP_READ_COPIES,
    .facts_new = cvp_facts_new,
    .facts_free = cvp_facts_free,
    .variable = cvp_variable,
    .judge = cvp_judge,
    .guard = cvp_guard,
    .health = cvp_health,
    .certificates = cvp_certificates,
    .behind_s = win_behind_s,
    .is_ours = is_ours,
    .in_use = in_use,
};
