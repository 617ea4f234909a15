/* SPDX-License-Identifier: Apache-2.0
 *
 * The row `sign': which files are still to be made on the primary, as its own
 * list says.  Its names carry this run's tag, so that no command of it meets a
 * file in use (facts/cms.md 4: `pki csr' overwrites a key without a word).
 */
#include "playbooks/cms/onbox.h"

#include <stdlib.h>
#include <string.h>

#include "core/run/probe.h"
#include "playbooks/cms/issue_priv.h"
#include "playbooks/cms/versions.h"

enum {
    LINE_MOST = 1000, /* bytes of a command: no limit is documented */
    CLUSTER_SHOWN = 24,
    CA_MOST = 256 * 1024
};

bool cms_is_onbox(const struct plan_cluster *pc)
{
    const struct issuer *issuer = plan_issuer(pc);

    return issuer && issuer->kind == ISSUER_APPLIANCE && !pc->reused;
}

/* -- names ----------------------------------------------------------------- */

static int base_length(const char *name)
{
    return (int)strcspn(name, ".");
}

static const char *slot_name(const struct plan_cluster *pc, enum cms_slot slot)
{
    const struct set_file *file = set_slot(&pc->set, cms_slot_word(slot));

    return file && file->name ? file->name : "";
}

/* A subject of its own for each generation: two CAs of one name in a bundle are
 * taken for each other (facts/certs.md 6, F8). */
static void add_ca_name(const struct plan_cluster *pc, struct str *out)
{
    const char *p = pc->cluster->name;

    str_add(out, "certfleet-db-CA-");
    for (size_t i = 0; i < CLUSTER_SHOWN && p[i]; i++)
        str_addf(out, "%c",
                 strchr("abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
                        p[i])
                     ? p[i]
                     : '-');
    str_addf(out, "-g%u-%s", pc->number, pc->tag);
}

/* The common name is added by the MMP itself, once there is another one. */
static void add_hosts(const struct plan_cluster *pc, bool common,
                      struct str *out)
{
    struct pki_subject subjects[2];
    struct cms_made m = {0};
    size_t first;

    cms_subjects(pc, &m, subjects);
    first = m.hosts[0] && m.hosts[1] ? 1 : 0;
    if (common)
        str_add(out, subjects[0].common_name ? subjects[0].common_name : "");
    for (size_t i = first; !common && m.hosts[i]; i++)
        str_addf(out, "%s%s", i > first ? "," : "", m.hosts[i]);
    free(m.hosts);
}

bool cms_onbox_variable(const struct view *view, const char *name,
                        struct str *out)
{
    static const struct {
        const char *name;
        enum cms_slot slot;
    } bases[] = {{"ca", CMS_CA_CRT},
                 {"server", CMS_SERVER_CRT},
                 {"client", CMS_CLIENT_CRT}};
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        if (strcmp(name, bases[i].name) == 0) {
            const char *file = slot_name(pc, bases[i].slot);

            return str_addf(out, "%.*s", base_length(file), file) == 0;
        }
    if (strcmp(name, "ca_name") == 0)
        add_ca_name(pc, out);
    else if (strcmp(name, "host") == 0 || strcmp(name, "hosts") == 0)
        add_hosts(pc, strcmp(name, "host") == 0, out);
    else
        return false;
    return true;
}

/* -- what is there already ------------------------------------------------- */

static bool is_listed(const struct view *view, enum cms_slot slot,
                      const char *ending)
{
    const struct cms_facts *f = cms_facts_of(view);
    const char *name = slot_name(view->plan, slot);
    size_t len = (size_t)base_length(name);

    for (size_t i = 0; i < f->n_listed; i++)
        if (strncmp(f->listed[i], name, len) == 0 &&
            strcmp(f->listed[i] + len, ending) == 0)
            return true;
    return false;
}

static bool lacks(const struct view *view, enum cms_slot slot)
{
    return !is_listed(view, slot, ".crt");
}

/* Left from this try, or from an earlier one. */
static bool leaves(const struct view *view, enum cms_slot slot,
                   const char *ending)
{
    return lacks(view, slot) || is_listed(view, slot, ending);
}

/* One question a row of the table below. */
#define LACKS(name, slot)                                                      \
    static bool lacks_##name(const struct view *view)                          \
    {                                                                          \
        return lacks(view, slot);                                              \
    }
#define ASKS(name, slot)                                                       \
    static bool asks_##name(const struct view *view)                           \
    {                                                                          \
        return lacks(view, slot) && !is_listed(view, slot, ".csr");            \
    }
#define LEAVES(name, slot, ending)                                             \
    static bool leaves_##name(const struct view *view)                         \
    {                                                                          \
        return leaves(view, slot, ending);                                     \
    }
LACKS(ca, CMS_CA_CRT)
LACKS(server, CMS_SERVER_CRT)
LACKS(client, CMS_CLIENT_CRT)
ASKS(server, CMS_SERVER_CRT)
ASKS(client, CMS_CLIENT_CRT)
LEAVES(ca, CMS_CA_CRT, ".key")
LEAVES(server, CMS_SERVER_CRT, ".csr")
LEAVES(client, CMS_CLIENT_CRT, ".csr")

/* clang-format off */
const struct act cms_act_sign[] = {
    { ACT_COMMAND, "pki selfsigned {onbox.ca} CN:{onbox.ca_name}", 0, lacks_ca },
    { ACT_COMMAND, "pki csr {onbox.server} CN:{onbox.host} subjectAltName:{onbox.hosts}", 0, asks_server },
    { ACT_COMMAND, "pki csr {onbox.client} CN:postgres", 0, asks_client },
    { ACT_COMMAND, "pki sign {onbox.server} {onbox.ca}", 0, lacks_server },
    { ACT_COMMAND, "pki sign {onbox.client} {onbox.ca}", 0, lacks_client },
    { ACT_TAKE,    "server_key" },
    { ACT_TAKE,    "server_crt" },
    { ACT_TAKE,    "client_key" },
    { ACT_TAKE,    "client_crt" },
    { ACT_TAKE,    "ca_crt" },
    /* it has signed what it was made for (facts/certs.md 6, F7) */
    { ACT_REMOVE,  "{onbox.ca}.key", 0, leaves_ca },
    { ACT_REMOVE,  "{onbox.server}.csr", 0, leaves_server },
    { ACT_REMOVE,  "{onbox.client}.csr", 0, leaves_client },
    { ACT_END },
};
/* clang-format on */

/* Whether it is any good is `issue's to find out. */
enum goal cms_goal_sign(const struct view *view, struct err *why)
{
    if (view->plan->issued || view->acted)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "keys and certificates are to be made on it");
    return GOAL_OPEN;
}

/* -- before, and at, the gates --------------------------------------------- */

int cms_onbox_check(const struct plan_cluster *pc, const struct issuer *issuer,
                    struct err *err)
{
    if (pc->plan->playbook != &cms_db_rotate)
        return err_set(err, CAUSE_INPUT,
                       "issuer %s: kind = appliance makes sets of "
                       "cms/db-rotate only; name another for this",
                       issuer->name);
    if (pc->cluster->subject)
        return err_set(err, CAUSE_INPUT,
                       "issuer %s: kind = appliance makes subjects of a common "
                       "name alone: take `subject' off cluster %s",
                       issuer->name, pc->cluster->name);
    return 0;
}

void cms_onbox_gate(const struct look *look)
{
    const struct plan_cluster *pc = look->pc;
    struct str names;
    const char *version;

    if (!cms_is_onbox(pc) || pc->issued || pc->holder == SIZE_MAX)
        return;
    version = cms_facts_at(pc, pc->holder)->version;
    if (!cms_version_has(cms_version_number(version), CMS_HAS_SIGN))
        REFUSE(look, "version", pc->holder,
               "CMS %s has no `pki sign': it came with 2.7; name another kind "
               "of issuer",
               version);
    str_init(&names, LINE_MOST);
    add_hosts(pc, false, &names);
    if (names.len + 1 >= LINE_MOST)
        REFUSE(look, "names", pc->holder,
               "a `pki csr' with all the names of the cluster would be over "
               "%d bytes long",
               LINE_MOST);
    str_release(&names);
    findings_add(look->findings, SEVERITY_INFO, "issuer", NULL,
                 "issuer %s is node %s: it makes keys, CA and certificates "
                 "itself; how long they live is its own",
                 plan_issuer(pc)->name, look_name(look, pc->holder));
}

/* -- the guard ------------------------------------------------------------- */

bool cms_is_make(const char *text)
{
    return strncmp(text, "pki csr ", 8) == 0 ||
           strncmp(text, "pki selfsigned ", 15) == 0 ||
           strncmp(text, "pki sign ", 9) == 0;
}

static bool is_base_of(const char *word, const char *name)
{
    size_t len = strcspn(word, " ");

    return len == (size_t)base_length(name) && strncmp(word, name, len) == 0;
}

/* The slot of the new set whose base this word is; CMS_SLOTS: none. */
static enum cms_slot slot_of(const struct view *view, const char *word)
{
    static const enum cms_slot slots[] = {CMS_CA_CRT, CMS_SERVER_CRT,
                                          CMS_CLIENT_CRT};

    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
        if (is_base_of(word, slot_name(view->plan, slots[i])))
            return slots[i];
    return CMS_SLOTS;
}

static int may_make(const struct view *view, struct err *err)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];

    if (!(pn->roles & CMS_SIGNS) || view->back || view->plan->issued)
        return err_set(err, CAUSE_REFUSED, "no run has a use for it here");
    if (!facts_since(pn->facts, CMS_READ_LIST, view->walk_ms))
        return err_set(err, CAUSE_REFUSED, "I4: its files were not read");
    return 0;
}

static int not_in_use(const struct view *view, const char *word,
                      const char *ending, struct err *err)
{
    char name[CMS_NAME_BYTES];

    snprintf(name, sizeof(name), "%.*s%s", (int)strcspn(word, " "), word,
             ending);
    return cms_in_use(view, name)
               ? err_set(err, CAUSE_REFUSED, "I4: %s is in use", name)
               : 0;
}

int cms_guard_make(const struct view *view, const char *text, struct err *err)
{
    const char *word = text + strcspn(text + 4, " ") + 5; /* behind the verb */
    bool ca = strncmp(text, "pki selfsigned ", 15) == 0;
    enum cms_slot slot = slot_of(view, word);

    if (may_make(view, err) < 0)
        return -1;
    if (slot == CMS_SLOTS || (slot == CMS_CA_CRT) != ca ||
        (strncmp(text, "pki sign ", 9) == 0 &&
         slot_of(view, word + strcspn(word, " ") + 1) != CMS_CA_CRT))
        return err_set(err, CAUSE_REFUSED,
                       "I4: it names a file that is not of this run");
    if (!lacks(view, slot))
        return err_set(err, CAUSE_REFUSED, "I4: what it makes is there");
    return not_in_use(view, word, ".key", err) < 0
               ? -1
               : not_in_use(view, word, ".crt", err);
}

/* The CA's key and the requests; no file of the set. */
int cms_guard_unmake(const struct view *view, const char *name, struct err *err)
{
    const char *dot = strchr(name, '.');
    enum cms_slot slot = CMS_SLOTS;
    char base[CMS_NAME_BYTES];

    if (dot && (size_t)(dot - name) < sizeof(base)) {
        snprintf(base, sizeof(base), "%.*s", (int)(dot - name), name);
        slot = slot_of(view, base);
    }
    if (may_make(view, err) < 0)
        return -1;
    if (slot == CMS_SLOTS ||
        strcmp(dot, slot == CMS_CA_CRT ? ".key" : ".csr") != 0)
        return err_set(err, CAUSE_REFUSED, "I4: %s is not left from this run",
                       name);
    return cms_in_use(view, name)
               ? err_set(err, CAUSE_REFUSED, "I4: %s is in use", name)
               : 0;
}

/* -- what it made, as answers ---------------------------------------------- */

/* What we would have asked for with this key: the certificate is held to that,
 * not to the node's own request. */
static int add_wish(struct issue_job *job, const struct pki_subject *subject,
                    enum pki_purpose purpose, struct err *err)
{
    bool server = purpose == PKI_SERVER;
    const struct cms_spot key_at = {
        cms_slot_word(server ? CMS_SERVER_KEY : CMS_CLIENT_KEY), NULL};
    const struct cms_spot cert_at = {
        cms_slot_word(server ? CMS_SERVER_CRT : CMS_CLIENT_CRT), NULL};
    struct issue_wish *wish = issue_wish_add(job);
    struct secret *key = cms_kept_key(job, &key_at, err);
    int rc = key ? pki_request(key, subject, purpose, &wish->request, err) : -1;

    secret_free(key);
    wish->slot = cert_at.slot;
    wish->purpose = purpose;
    if (rc == 0)
        wish->answer = cms_spot_text(job, &cert_at, ISSUE_ANSWER_BYTES,
                                     &wish->answer_len, err);
    return wish->answer ? 0 : -1;
}

int cms_onbox_wish(struct issue_job *job, struct err *err)
{
    const struct cms_spot ca = {cms_slot_word(CMS_CA_CRT), NULL};
    struct pki_subject subjects[2];
    struct cms_made m = {0};
    int rc = -1;

    cms_subjects(job->plan, &m, subjects);
    subjects[1].hosts = NULL; /* `pki csr' without subjectAltName adds none */
    job->trust = cms_spot_text(job, &ca, CA_MOST, NULL, err);
    if (job->trust && add_wish(job, &subjects[0], PKI_SERVER, err) == 0)
        rc = add_wish(job, &subjects[1], PKI_CLIENT, err);
    free(m.hosts);
    return rc;
}
