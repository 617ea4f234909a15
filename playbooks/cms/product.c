/* SPDX-License-Identifier: Apache-2.0
 *
 * The Meeting Server as tables: roles, dialect, the commands that may go out,
 * how answers read, which files are ours.
 */
#include "playbooks/cms/onbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct role_word roles[] = {
    { "database",    CMS_DATABASE },
    { "connect",     CMS_CONNECT },
    { "callbridge",  CMS_CALLBRIDGE },
    { "webadmin",    CMS_WEBADMIN },
    { "webbridge3",  CMS_WEBBRIDGE3 },
    { "turn",        CMS_TURN },
    { "recorder",    CMS_RECORDER },
    { "streamer",    CMS_STREAMER },
    { "meetingapps", CMS_MEETINGAPPS },
    { "scheduler",   CMS_SCHEDULER },
    { "uploader",    CMS_UPLOADER },
    { NULL, 0 },
};

const struct product_words cms_words = {
    .product = "cms",
    .roles = roles,
    .one_of = CMS_DATABASE | CMS_CONNECT,
    .limited = CMS_DATABASE,
    .limit = 5, /* facts/cms.md 3.1 */
    .odd = true,
};

/* facts/cms.md 1.2, 1.3, 3.4, 11.  Plain commands go by exec: their end is
 * the channel's end, not a prompt that output may hold. */
static const struct link_dialect dialect = {
    .shell_commands = false,
    .pty_columns = 512,
    .prompt = "(^|\n)[A-Za-z0-9][A-Za-z0-9._-]*> ?$",
    .question = "\\([[:space:]]*Y[[:space:]]*/[[:space:]]*n[[:space:]]*\\)"
                "|\\[Y/n\\]",
    .answer = "Y",
    .password_change = "new password",
    .channel_retry_ms = 100,
    .output_cap = 4 * 1024 * 1024,
    .sftp_depth = 8,
};

/* Everything that may ever be sent (invariant I6).  reboot, shutdown,
 * factory_reset, upgrade and `backup rollback` are not here, and never will
 * be. */
static const struct command_row commands[] = {
    { "database cluster status",            COMMAND_READS },
    { "version",                            COMMAND_READS },
    { "date",                               COMMAND_READS },
    { "df",                                 COMMAND_READS },
    { "pki match {} {}",                    COMMAND_READS },
    { "pki verify {} {}",                   COMMAND_READS },
    { "pki selfsigned {} CN:{}",            0, ".key .crt" },
    { "pki csr {} CN:{} subjectAltName:{,}", 0, ".key .csr" },
    { "pki csr {} CN:postgres",             0, ".key .csr" },
    { "pki sign {} {}",                     0, ".crt" },
    { "backup snapshot {}",                 0 },
    { "database cluster certs {} {} {} {} {}", COMMAND_DESTROYS },
    { "database cluster certs {} {} {}",    COMMAND_DESTROYS },
    { "database cluster certs none",        COMMAND_DESTROYS },
    { "database cluster localnode {}",      COMMAND_DESTROYS },
    { "database cluster clear_error",       COMMAND_DESTROYS },
    { "database cluster remove",            COMMAND_DESTROYS },
    { "database cluster initialize",        COMMAND_DESTROYS },
    { "database cluster join {}",           COMMAND_DESTROYS },
    { "database cluster connect {}",        COMMAND_DESTROYS },
    { "webadmin certs {} {} {}",            COMMAND_DESTROYS },
    { "webadmin certs {} {}",               COMMAND_DESTROYS },
    { "webadmin disable",                   COMMAND_DESTROYS },
    { "webadmin enable",                    COMMAND_DESTROYS },
    { "callbridge certs {} {} {}",          COMMAND_DESTROYS },
    { "callbridge certs {} {}",             COMMAND_DESTROYS },
    { "callbridge restart",                 COMMAND_DESTROYS },
    { "webbridge3 https certs {} {}",       COMMAND_DESTROYS },
    { "webbridge3 c2w certs {} {}",         COMMAND_DESTROYS },
    { "webbridge3 disable",                 COMMAND_DESTROYS },
    { "webbridge3 enable",                  COMMAND_DESTROYS },
    { "turn certs {} {} {}",                COMMAND_DESTROYS },
    { "turn certs {} {}",                   COMMAND_DESTROYS },
    { "turn disable",                       COMMAND_DESTROYS },
    { "turn enable",                        COMMAND_DESTROYS },
    { "recorder sip certs {} {} {}",        COMMAND_DESTROYS },
    { "recorder sip certs {} {}",           COMMAND_DESTROYS },
    { "recorder disable",                   COMMAND_DESTROYS },
    { "recorder enable",                    COMMAND_DESTROYS },
    { "streamer sip certs {} {} {}",        COMMAND_DESTROYS },
    { "streamer sip certs {} {}",           COMMAND_DESTROYS },
    { "streamer disable",                   COMMAND_DESTROYS },
    { "streamer enable",                    COMMAND_DESTROYS },
    { "meetingapps https certs {} {}",      COMMAND_DESTROYS },
    { "meetingapps disable",                COMMAND_DESTROYS },
    { "meetingapps enable",                 COMMAND_DESTROYS },
    { "scheduler https certs {} {}",        COMMAND_DESTROYS },
    { "scheduler c2w certs {} {}",          COMMAND_DESTROYS },
    { "scheduler disable",                  COMMAND_DESTROYS },
    { "scheduler enable",                   COMMAND_DESTROYS },
    { NULL, 0 },
};

/* Words that mean no, in whatever sentence (facts/cms.md 4). */
static const char *const negative_words[] = {
    "fail", "not match", "mismatch", "error", "unable", "not found",
    "does not", "invalid",
};
/* clang-format on */

static bool holds(const char *text, size_t len, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= len; i++)
        if (strncasecmp(text + i, word, strlen(word)) == 0)
            return true;
    return false;
}

static int say(struct err *err, const char *line, size_t len)
{
    struct str text;

    str_init(&text, 512);
    str_add_visible(&text, line, len, false);
    err_set(err, CAUSE_REMOTE, "the node says: %s", str_text(&text));
    str_release(&text);
    return -1;
}

static bool is_bad_line(const char *line, size_t len)
{
    return (len >= 7 && strncmp(line, "FAILURE", 7) == 0) ||
           (len >= 5 && strncmp(line, "ERROR", 5) == 0) ||
           (len >= 15 && strncmp(line, "Unknown command", 15) == 0);
}

static bool is_pki(const char *command)
{
    return strncmp(command, "pki ", 4) == 0;
}

/* They alone say what the files are worth (facts/cms.md 5.1). */
static bool starts_service(const char *command)
{
    const char *verb = strrchr(command, ' ');

    return cms_service_of(command) < CMS_SERVICES && verb &&
           (strcmp(verb, " enable") == 0 || strcmp(verb, " restart") == 0);
}

static enum reply judge(const char *command, const char *output, size_t len,
                        struct err *err)
{
    const char *p = output, *end = output + len;

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);

        if (is_bad_line(p, n)) {
            say(err, p, n);
            return REPLY_FAILED;
        }
        p += n + 1;
    }
    for (size_t i = 0;
         is_pki(command) && i < sizeof(negative_words) / sizeof(char *); i++)
        if (holds(output, len, negative_words[i])) {
            say(err, output, len);
            return REPLY_FAILED;
        }
    if (starts_service(command) && !holds(output, len, "SUCCESS")) {
        err_set(err, CAUSE_REMOTE, "the node does not say SUCCESS");
        return REPLY_FAILED;
    }
    if (holds(output, len, "SUCCESS") || !is_pki(command))
        return REPLY_OK;
    return REPLY_ODD;
}

static bool is_base(const char *name, size_t len)
{
    static const char *const bases[] = {"dbserver", "dbclient", "dbca"};

    for (size_t i = 0; i < sizeof(bases) / sizeof(char *); i++)
        if (strlen(bases[i]) == len && strncmp(name, bases[i], len) == 0)
            return true;
    return cms_base_owner(name, len) < CMS_SERVICES;
}

/* "dbserver-g7-3f9a.key", "webadminca-g7-3f9a.crt" */
bool cms_is_ours(const char *name, unsigned *generation)
{
    static const char hex[] = "0123456789abcdef";
    const char *g = strstr(name, "-g");
    char *end = NULL;
    unsigned long number;

    if (!g || !is_base(name, (size_t)(g - name)))
        return false;
    number = strtoul(g + 2, &end, 10);
    if (end == g + 2 || end > g + 11 || g[2] == '-' || *end != '-' ||
        strspn(end + 1, hex) != 4 || end[5] != '.' || !end[6])
        return false;
    *generation = (unsigned)number;
    return true;
}

/* Of a service whose printout was not read it cannot be told; so it is with the
 * files of one that has no role in the inventory (any more). */
static bool a_service_uses(const struct view *view, const char *name)
{
    const struct cms_svc_all *all = &cms_facts_of(view)->services;
    const char *g = strstr(name, "-g");
    enum cms_service owner =
        g ? cms_base_owner(name, (size_t)(g - name)) : CMS_SERVICES;
    bool own = owner < CMS_SERVICES;
    uint32_t has = view->plan->nodes[view->node].node->roles;

    if (own && !all->service[owner].read_ms)
        return true;
    for (int s = 0; s < CMS_SERVICES; s++)
        if (own && (has & cms_services[s].role) && !all->service[s].read_ms)
            return true;
    for (int i = 0; i < CMS_SVC_SLOTS; i++)
        for (int k = 0; k < CMS_SVC_PARTS; k++)
            if (strcmp(all->slot[i].files[k], name) == 0)
                return true;
    for (int i = 0; i < CMS_SVC_STORES; i++)
        if (strcmp(all->store[i].file, name) == 0)
            return true;
    return false;
}

bool cms_in_use(const struct view *view, const char *name)
{
    const struct cms_facts *f = cms_facts_of(view);

    if (a_service_uses(view, name))
        return true;
    if (f->status.word == CMS_ODD && f->status.place != CMS_STANDALONE)
        return true; /* cannot be told */
    for (int i = 0; i < CMS_SLOTS; i++)
        if (strcmp(f->status.files[i], name) == 0)
            return true;
    return false;
}

static const char *set_name(const struct view *view, const char *slot)
{
    const struct set_file *file =
        set_slot(plan_target(view->plan, view->node, view->back), slot);

    return file ? file->name : NULL;
}

static bool is_listed(const struct view *view, const char *name)
{
    const struct cms_facts *f = cms_facts_of(view);

    for (size_t i = 0; i < f->n_listed; i++)
        if (strcmp(f->listed[i], name) == 0)
            return true;
    return false;
}

/* "cf-3f9a-primary"; a second snapshot of the same run gets a number.  A
 * witness of who held the data, should the store be lost (design.md). */
static void backup_name(const struct view *view, struct str *out)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const char *role = pn->newcomer              ? "new"
                       : pn->roles & CMS_PRIMARY ? "primary"
                       : pn->roles & CMS_REPLICA ? "replica"
                                                 : "connect";

    for (unsigned k = 1;; k++) {
        char name[64], bak[80];
        if (k == 1)
            snprintf(name, sizeof(name), "cf-%s-%s", view->plan->tag, role);
        else
            snprintf(name, sizeof(name), "cf-%s-%s-%u", view->plan->tag, role,
                     k);
        snprintf(bak, sizeof(bak), "%s.bak", name);
        if (!is_listed(view, bak)) {
            str_add(out, name);
            return;
        }
    }
}

bool cms_variable(const struct view *view, const char *name, struct str *out)
{
    const struct plan_cluster *pc = view->plan;
    const char *value = NULL;

    if (strncmp(name, "onbox.", 6) == 0)
        return cms_onbox_variable(view, name + 6, out);
    if (strncmp(name, "set.", 4) == 0)
        value = set_name(view, name + 4);
    else if (strcmp(name, "node.interface") == 0)
        value = cms_interface(view);
    else if (strcmp(name, "primary.db_address") == 0 && pc->holder != SIZE_MAX)
        value = pc->nodes[pc->holder].db_address;
    else if (strcmp(name, "backup") == 0) {
        backup_name(view, out);
        return true;
    }
    if (!value)
        return false;
    str_add(out, value);
    return true;
}

static int64_t behind_s(const struct plan_cluster *pc)
{
    int64_t most = 0;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cms_facts *f = cms_facts_at(pc, i);

        if (f->clock_known && -f->clock_off_ms > most)
            most = -f->clock_off_ms;
    }
    return (most + 999) / 1000;
}

const struct product cms_product = {
    .name = "cms",
    .title = "Cisco Meeting Server",
    .words = &cms_words,
    .dialect = &dialect,
    .commands = commands,
    .reads = cms_reads,
    .check_reads = CMS_READ_STATUS | CMS_READ_VERSION | CMS_READ_DATE |
                   CMS_READ_CERTS | CMS_READ_SERVED | CMS_READ_LIST |
                   CMS_READ_SERVICES | CMS_READ_SVC_FILES | CMS_READ_SHOWN,
    .status_read = CMS_READ_STATUS,
    .ground_reads = CMS_READ_STATUS | CMS_READ_LIST,
    .facts_new = cms_facts_new,
    .facts_free = cms_facts_free,
    .variable = cms_variable,
    .judge = judge,
    .guard = cms_guard,
    .health = cms_health,
    .certificates = cms_certificates,
    .behind_s = behind_s,
    .is_ours = cms_is_ours,
    .in_use = cms_in_use,
};
