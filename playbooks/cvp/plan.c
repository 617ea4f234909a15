/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of cvp/keystore-rotate before any packet: which aliases of which
 * servers, names of files, who signs; and what commands are filled in with.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cvp/cvp.h"
#include "playbooks/windows/issue.h"

static const char *const slots[CVP_ALIASES][2] = {
    [CVP_WSM] = {"wsm_csr", "wsm_crt"},
    [CVP_VXML] = {"vxml_csr", "vxml_crt"},
    [CVP_OAMP_CERT] = {"oamp_csr", "oamp_crt"},
    [CVP_CALLSERVER] = {"callserver_csr", "callserver_crt"},
};

const char *cvp_slot(enum cvp_alias alias, enum cvp_part part)
{
    return slots[alias][part];
}

bool cvp_renews(const struct plan_cluster *pc, size_t i, enum cvp_alias alias)
{
    return !pc->nodes[i].left_out &&
           (pc->nodes[i].roles & cvp_renew_bit(alias)) != 0;
}

/* -- alias=NAME,... -------------------------------------------------------- */

static bool is_named(const char *list, enum cvp_alias alias)
{
    const char *name = cvp_aliases[alias].alias;
    size_t len = strlen(name);

    if (!list || strcmp(list, "all") == 0)
        return true;
    for (const char *p = list; *p; p += strcspn(p, ",")) {
        p += *p == ',';
        if (strcspn(p, ",") == len && strncmp(p, name, len) == 0)
            return true;
    }
    return false;
}

static bool is_alias(const char *word, size_t len)
{
    for (int a = 0; a < CVP_ALIASES; a++)
        if (strlen(cvp_aliases[a].alias) == len &&
            strncmp(cvp_aliases[a].alias, word, len) == 0)
            return true;
    return false;
}

int cvp_check_aliases(const struct plan_cluster *pc, const char *value,
                      struct err *err)
{
    (void)pc;
    if (strcmp(value, "all") == 0)
        return 0;
    for (const char *p = value;; p++) {
        size_t len = strcspn(p, ",");

        if (!is_alias(p, len))
            return err_set(err, CAUSE_INPUT,
                           "no alias is called `%.*s'; there are "
                           "wsm_certificate, vxml_certificate, "
                           "oamp_certificate, callserver_certificate and all",
                           (int)(len < 60 ? len : 60), p);
        p += len;
        if (!*p)
            return 0;
    }
}

/* -- names ----------------------------------------------------------------- */

bool cvp_copy_name(const struct plan_cluster *pc, enum cvp_copy copy,
                   struct str *out)
{
    if (!pc->tag[0])
        return false;
    return str_addf(out, "cvp-%s-g%u-%s.keystore",
                    copy == CVP_OLD ? "old" : "new", pc->number, pc->tag) == 0;
}

static void add_names(const struct node *node, struct str *out)
{
    const char *first = win_fqdn(node);

    str_addf(out, "dns:%s", first);
    for (const char *const *a = node->names; a && *a; a++)
        if (strcmp(*a, first) != 0)
            str_addf(out, ",%s:%s", win_is_address(*a) ? "ip" : "dns", *a);
}

/* By its digest, so that a root that is there already has the same alias. */
static bool add_root_alias(const struct set_file *root, struct str *out)
{
    return root && root->cert_sha256[0] &&
           str_addf(out, "root-%.8s", root->cert_sha256) == 0;
}

bool cvp_variable(const struct view *view, const char *name, struct str *out)
{
    const struct plan_cluster *pc = view->plan;
    const struct plan_node *pn = &pc->nodes[view->node];
    const struct set_file *file;

    if (strcmp(name, "keystore.new") == 0)
        return cvp_copy_name(pc, CVP_NEW, out);
    if (strcmp(name, "keystore.old") == 0)
        return cvp_copy_name(pc, CVP_OLD, out);
    if (strcmp(name, "keystore.target") == 0)
        return cvp_copy_name(pc, view->back ? CVP_OLD : CVP_NEW, out);
    if (strcmp(name, "fqdn") == 0)
        return str_add(out, win_fqdn(pn->node)) == 0;
    if (strcmp(name, "names") == 0) {
        add_names(pn->node, out);
        return !out->cut;
    }
    if (strcmp(name, "root.alias") == 0)
        return add_root_alias(set_slot(&pn->own, "root"), out);
    if (strncmp(name, "set.", 4) != 0)
        return false;
    file = set_slot(&pn->own, name + 4);
    return file && file->name && str_add(out, file->name) == 0;
}

/* -- the plan -------------------------------------------------------------- */

static void add_file(struct plan_cluster *pc, struct plan_node *pn,
                     const char *slot, const char *base, const char *ending)
{
    pn->own.files[pn->own.n++] = (struct set_file){
        .slot = slot,
        .name = arena_printf(&pc->plan->arena, "%s%s", base, ending),
    };
}

static void choose(struct plan_cluster *pc, struct plan_node *pn)
{
    const char *list = plan_input(pc->plan, "alias");

    pn->own.n = 0;
    for (int a = 0; a < CVP_ALIASES; a++) {
        if (!(pn->node->roles & cvp_aliases[a].roles) ||
            !is_named(list, (enum cvp_alias)a))
            continue;
        pn->roles |= cvp_renew_bit((enum cvp_alias)a);
        add_file(pc, pn, slots[a][CVP_CSR], cvp_aliases[a].word, ".csr");
        add_file(pc, pn, slots[a][CVP_CRT], cvp_aliases[a].word, ".crt");
    }
    if (pn->own.n)
        add_file(pc, pn, "root", "cvp-root", ".crt");
}

int cvp_prepare(struct plan_cluster *pc, struct err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        choose(pc, &pc->nodes[i]);
        n += pc->nodes[i].own.n;
        if (win_check_node(pc->nodes[i].node,
                           "the server tells it: DecryptKeystoreUtil.bat, or "
                           "security.properties",
                           err) < 0)
            return -1;
    }
    if (n == 0)
        return err_set(err, CAUSE_INPUT,
                       "no server of cluster %s has such an alias",
                       pc->cluster->name);
    if (!pc->cluster->issuer)
        return err_set(err, CAUSE_INPUT, "cluster %s names no issuer",
                       pc->cluster->name);
    if (pc->cluster->subject)
        return err_set(err, CAUSE_INPUT,
                       "cluster %s: a CVP server's request has a common name "
                       "alone: take `subject' off",
                       pc->cluster->name);
    return 0;
}

/* -- is it due? ------------------------------------------------------------ */

static int64_t earliest_end(const struct plan_cluster *pc)
{
    int64_t earliest = 0;

    for (size_t i = 0; i < pc->n_nodes; i++)
        for (int a = 0; a < CVP_ALIASES; a++) {
            int64_t end = cvp_facts_at(pc, i)->live.entry[a].leaf.not_after;

            if (cvp_renews(pc, i, (enum cvp_alias)a) && end &&
                (!earliest || end < earliest))
                earliest = end;
        }
    return earliest;
}

bool cvp_not_due(const struct plan_cluster *pc, struct str *why)
{
    const char *wanted = plan_input(pc->plan, "if_days_left");
    long limit = wanted ? strtol(wanted, NULL, 10) : 0;
    int64_t earliest = earliest_end(pc), days;

    if (!wanted || pc->tag[0])
        return false; /* a run that was begun is ended */
    days = (earliest - clock_wall_ms() / 1000) / 86400;
    if (!earliest || days <= limit)
        return false;
    str_addf(why, "its certificates have %" PRId64 " days left, more than %ld",
             days, limit);
    return true;
}
