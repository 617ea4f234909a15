/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-add-node: one more node for a database cluster that runs.  It has the
 * rows of cms/db-rotate, with the new node among the cluster's.  When the
 * cluster's own set does for it, that set is the target, and the others are
 * bystanders: nothing is sent to them but questions.  When it does not, the
 * rows do what they always do: a rotation with one more node at its end.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "playbooks/cms/gates_priv.h"
#include "playbooks/cms/handshake.h"

enum {
    FILE_CAP = 256 * 1024,
    WHY_BYTES = 300
};

/* -- inputs: before the first packet --------------------------------------- */

static int check_role(const struct plan_cluster *pc, const char *value,
                      struct err *err)
{
    uint32_t wanted = strcmp(value, "database") == 0  ? CMS_DATABASE
                      : strcmp(value, "connect") == 0 ? CMS_CONNECT
                                                      : 0;
    size_t i = cms_named_node(pc);

    if (!wanted)
        return err_set(err, CAUSE_INPUT, "is neither database nor connect");
    if (i == SIZE_MAX || (pc->nodes[i].roles & wanted))
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "the inventory has node %s with another role: put its "
                   "`roles' right first",
                   pc->nodes[i].node->name);
}

static int check_rotate(const struct plan_cluster *pc, const char *value,
                        struct err *err)
{
    (void)pc;
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        return 0;
    return err_set(err, CAUSE_INPUT, "is neither yes nor no");
}

static int prepare(struct plan_cluster *pc, struct err *err)
{
    size_t i = cms_named_node(pc), others = 0;

    if (!plan_input(pc->plan, "node"))
        return err_set(err, CAUSE_INPUT,
                       "which node is new? node=NODE, a node of cluster %s in "
                       "the inventory",
                       pc->cluster->name);
    if (i == SIZE_MAX)
        return err_set(err, CAUSE_INPUT,
                       "node=%s: cluster %s of the inventory has no such node",
                       plan_input(pc->plan, "node"), pc->cluster->name);
    if (!(pc->nodes[i].roles & (CMS_DATABASE | CMS_CONNECT)))
        return err_set(err, CAUSE_INPUT,
                       "node=%s: the inventory gives it neither role, database "
                       "nor connect",
                       pc->nodes[i].node->name);
    for (size_t k = 0; k < pc->n_nodes; k++)
        others += k != i && (pc->nodes[k].roles & CMS_DATABASE);
    if (others == 0)
        return err_set(err, CAUSE_INPUT,
                       "cluster %s has no other database node: there is "
                       "nothing to add it to",
                       pc->cluster->name);
    cms_db_blank_set(pc);
    pc->nodes[i].newcomer = true;
    cms_db_assign(pc, SIZE_MAX);
    return 0;
}

/* -- who is new ------------------------------------------------------------ */

static size_t primary_seen_by(const struct plan_cluster *pc, size_t node)
{
    const struct cms_member *primary =
        cms_status_primary(&cms_facts_at(pc, node)->status);

    return primary ? cms_node_by_address(pc, primary->address) : SIZE_MAX;
}

/* In this very cluster, as it and another node see it. */
static bool is_member(const struct plan_cluster *pc, size_t node)
{
    size_t primary = primary_seen_by(pc, node);

    for (size_t i = 0; primary != SIZE_MAX && i < pc->n_nodes; i++)
        if (i != node && primary_seen_by(pc, i) == primary)
            return true;
    return false;
}

static size_t newcomer(const struct plan_cluster *pc)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].newcomer)
            return i;
    return SIZE_MAX;
}

static int decide(struct plan_cluster *pc, struct findings *findings,
                  struct err *err)
{
    size_t i = cms_named_node(pc);

    pc->nodes[i].newcomer = !is_member(pc, i);
    if (cms_db_decide(pc, findings, err) < 0)
        return -1;
    if (pc->expired)
        findings_add(findings, SEVERITY_ERROR, "expired", NULL,
                     "the certificates of cluster %s have expired; first: "
                     "certfleet apply cms/db-rotate %s without=%s",
                     pc->cluster->name, pc->cluster->name,
                     pc->nodes[i].node->name);
    return 0;
}

static bool not_due(const struct plan_cluster *pc, struct str *why)
{
    if (newcomer(pc) != SIZE_MAX)
        return false;
    str_addf(why, "node %s is a member of the cluster already",
             plan_input(pc->plan, "node"));
    return true;
}

/* -- does the set that the cluster has do? ----------------------------------
 */

struct fit { /* in the pool */
    struct plan_cluster *pc;
    const struct cms_facts *holder;
    struct err why; /* it does not */
};

static int lacks(struct fit *fit, const char *fmt, const char *what)
{
    return err_set(&fit->why, CAUSE_REFUSED, fmt, what);
}

/* "dbserver-g7-3f9a.key": made by us, so that its key may be here. */
static int name_set(struct fit *fit)
{
    const char *name = fit->holder->status.files[CMS_SERVER_KEY];
    const char *end = strrchr(name, '.');
    char tag[PLAN_TAG_BYTES] = "";
    unsigned number = 0;

    if (!cms_is_ours(name, &number))
        return lacks(fit, "certfleet has not made %s, and has no key for it",
                     name[0] ? name : "its files");
    memcpy(tag, end - (PLAN_TAG_BYTES - 1), PLAN_TAG_BYTES - 1);
    cms_db_blank_set(fit->pc);
    return plan_name_set(fit->pc, number, tag,
                         fit->pc->plan->inventory->state_dir, &fit->why);
}

static int same_on(struct fit *fit, size_t node)
{
    const struct plan_node *pn = &fit->pc->nodes[node];
    const struct cms_facts *f = cms_facts_at(fit->pc, node);

    for (int k = 0; k < CMS_SLOTS; k++) {
        const struct set_file *file = &fit->pc->set.files[k];
        if (plan_node_gets(pn, file) &&
            (strcmp(f->status.files[k], file->name) != 0 || f->old[k].missing ||
             strcmp(f->old[k].sha256, file->sha256) != 0))
            return lacks(fit,
                         "the nodes do not all have the same set: see "
                         "node %s",
                         pn->node->name);
    }
    return 0;
}

static int same_everywhere(struct fit *fit)
{
    struct plan_cluster *pc = fit->pc;

    for (int k = 0; k < CMS_SLOTS; k++)
        memcpy(pc->set.files[k].sha256, fit->holder->old[k].sha256,
               PKI_SHA256_HEX);
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (!pc->nodes[i].newcomer &&
            (pc->nodes[i].roles & (CMS_DATABASE | CMS_CONNECT)) &&
            same_on(fit, i) < 0)
            return -1;
    return 0;
}

/* A locked key is compared when it is opened, in `issue`. */
static bool is_locked(const struct secret *bytes)
{
    return memmem(bytes->data, bytes->len, "ENCRYPTED", 9) != NULL;
}

static int is_here(struct fit *fit, const struct set_file *file)
{
    char sha[PKI_SHA256_HEX], *path = NULL;
    struct secret *bytes;
    int rc = 0;

    if (asprintf(&path, "%s/%s", fit->pc->folder, file->name) < 0)
        abort();
    bytes = file_read(path, FILE_CAP, &fit->why);
    if (bytes)
        pki_sha256(bytes->data, bytes->len, sha);
    if (!bytes)
        rc = -1;
    else if (!(file->secret && is_locked(bytes)) &&
             strcmp(sha, file->sha256) != 0)
        rc = lacks(fit, "%s is another file than the nodes have", path);
    secret_free(bytes);
    free(path);
    return rc;
}

/* Who joins by name is checked by name, in newer versions. */
static bool checks_names(const char *version)
{
    return cms_version_has(cms_version_number(version), CMS_DB_BY_NAME);
}

static int is_named(struct fit *fit, size_t node)
{
    const struct plan_node *pn = &fit->pc->nodes[node];
    const struct cms_facts *f = fit->holder;
    const char *const hosts[] = {pn->db_address, pn->node->address};

    if (!(pn->roles & CMS_DATABASE) || !checks_names(f->version))
        return 0;
    for (size_t i = 0; i < 2; i++)
        if (!pki_names_host(f->certs[CMS_SERVER_CRT].data,
                            f->certs[CMS_SERVER_CRT].len, hosts[i]))
            return lacks(fit, "the server certificate does not name %s",
                         hosts[i]);
    return 0;
}

static int fits(struct fit *fit, size_t node)
{
    if (name_set(fit) < 0 || same_everywhere(fit) < 0)
        return -1;
    for (int k = 0; k < CMS_SLOTS; k++)
        if (is_here(fit, &fit->pc->set.files[k]) < 0)
            return -1;
    return is_named(fit, node);
}

/* -- the one way or the other ---------------------------------------------- */

static void reuse(struct plan_cluster *pc, size_t node,
                  struct findings *findings)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        pc->nodes[i].bystander = i != node;
    pc->reused = pc->issued = true;
    pc->way_back = true;
    pc->no_way_back[0] = '\0';
    pc->way_back_until = 0; /* nobody's certificates are switched back */
    pc->outage_estimate_ms = pc->degraded_estimate_ms = 0;
    findings_add(findings, SEVERITY_INFO, "reused", pc->nodes[node].node->name,
                 "it gets the set that the cluster has; nothing is changed on "
                 "the other nodes");
}

static void check_issuer(struct plan_cluster *pc, struct findings *findings)
{
    struct err err = {0};

    if (!pc->cluster->issuer)
        findings_add(findings, SEVERITY_ERROR, "issuer", NULL,
                     "cluster %s names no issuer to make a new set with",
                     pc->cluster->name);
    else if (cms_db_check_issuer(pc, &err) < 0)
        findings_add(findings, SEVERITY_ERROR, "issuer", NULL, "%.400s",
                     err.text);
}

static void fold(struct plan_cluster *pc, const struct err *why,
                 struct findings *findings)
{
    const char *rotate = plan_input(pc->plan, "rotate");

    if (rotate && strcmp(rotate, "no") == 0) {
        findings_add(findings, SEVERITY_ERROR, "rotation", NULL,
                     "the set that the cluster has does not do (%.300s), and "
                     "rotate=no: with rotate=yes every node gets a new one",
                     why->text);
        return;
    }
    findings_add(findings, SEVERITY_WARNING, "rotation", NULL,
                 "a rotation of the whole cluster is folded in, with its "
                 "outage, because %.300s (rotate=no refuses instead)",
                 why->text);
    check_issuer(pc, findings);
}

/* A resumed run has its set: the one that the cluster had, or a new one. */
static void choose(struct plan_cluster *pc, size_t node,
                   struct findings *findings)
{
    struct fit fit = {.pc = pc, .holder = cms_facts_at(pc, pc->holder)};
    char tag[PLAN_TAG_BYTES];
    bool resumed = pc->tag[0] != '\0';
    unsigned highest = pc->number;

    if (resumed && !pc->reused)
        return;
    memcpy(tag, pc->tag, sizeof(tag));
    if (fits(&fit, node) == 0 && resumed && strcmp(tag, pc->tag) != 0)
        lacks(&fit, "it has generation %s", pc->tag);
    if (!fit.why.cause) {
        reuse(pc, node, findings);
    } else if (resumed) {
        findings_add(findings, SEVERITY_ERROR, "changed", NULL,
                     "the cluster has not the set any more that it had when "
                     "the run began: %.300s",
                     fit.why.text);
    } else {
        cms_db_blank_set(pc);
        pc->number = highest;
        pc->tag[0] = '\0';
        pc->folder = NULL;
        fold(pc, &fit.why, findings);
    }
}

static void weigh(struct plan_cluster *pc, struct findings *findings)
{
    size_t node = newcomer(pc);

    if (node != SIZE_MAX && pc->holder != SIZE_MAX && !pc->expired)
        choose(pc, node, findings);
    cms_db_weigh(pc, findings);
}

/* clang-format off */
static const struct input_row inputs[] = {
    { "node", "NODE", "the new one; the inventory has it in the cluster", NULL },
    { "role", "database|connect", "what it is to be; must agree with the inventory",
      check_role },
    { "rotate", "yes|no", "no: refuse when the cluster's set does not do for it",
      check_rotate },
    { NULL, NULL, NULL, NULL },
};
/* clang-format on */

static const char *const accepts[] = {"clock-unknown",   "foreign",
                                      "handshake",       "has-data",
                                      "version-unknown", NULL};

const struct playbook cms_db_add_node = {
    .id = "cms/db-add-node",
    .title = "add a node to a CMS database cluster",
    .help = "Gives the new node the set that the cluster has, joins or "
            "connects it, and proves it in sync; nothing is changed on the "
            "others.  When that set does not do (its key is not here, or its "
            "server certificate does not name the new node), the plan says so "
            "and every node gets a new one, as by cms/db-rotate, the new node "
            "with them.  A new node that fails is taken out again and has its "
            "own files back.",
    .product = &cms_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = cms_db_steps,
    .n_steps = CMS_DB_STEPS,
    .back_reads = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_TARGET,
    .data_roles = CMS_DATABASE,
    .prepare = prepare,
    .decide = decide,
    .weigh = weigh,
    .not_due = not_due,
    .issue = cms_db_issue,
    .wish = cms_db_wish,
    .holder_now = cms_primary_now,
    .assign = cms_db_assign,
    .way_back = cms_db_way_back,
    .recognise = cms_db_recognise,
    .caution = "A database node that joins copies the primary's data: what "
               "its own database held is gone from it (its backup is not).  "
               "The new node's calls drop.  With a rotation folded in, every "
               "node's calls drop at least once, and what is written on a "
               "Call Bridge between its leave and its join is lost: stop "
               "provisioning first.",
};
