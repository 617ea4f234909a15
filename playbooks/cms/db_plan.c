/* SPDX-License-Identifier: Apache-2.0
 *
 * The rest of cms/db-rotate's plan: its files, its inputs, is it due, does the
 * way back stand, is a stopped run's state one that the plan knows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/probe.h"
#include "playbooks/cms/onbox.h"

/* -- before the first packet ---------------------------------------------- */

/* clang-format off */
static const struct set_file new_files[CMS_SLOTS] = {
    { .slot = "server_key", .name = "dbserver.key", .roles = CMS_DATABASE, .secret = true },
    { .slot = "server_crt", .name = "dbserver.crt", .roles = CMS_DATABASE },
    { .slot = "client_key", .name = "dbclient.key", .roles = CMS_DATABASE | CMS_CONNECT, .secret = true },
    { .slot = "client_crt", .name = "dbclient.crt", .roles = CMS_DATABASE | CMS_CONNECT },
    { .slot = "ca_crt",     .name = "dbca.crt",     .roles = CMS_DATABASE | CMS_CONNECT },
};
/* clang-format on */

static bool is_word_of(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, name, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static int leave_out(struct plan_cluster *pc, struct err *err)
{
    const char *without = plan_input(pc->plan, "without");
    const char *primary = plan_input(pc->plan, "primary");
    size_t databases = 0;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        const char *name = pc->nodes[i].node->name;
        pc->nodes[i].left_out = without && is_word_of(without, name);
        if (pc->nodes[i].left_out && primary && strcmp(primary, name) == 0)
            return err_set(err, CAUSE_INPUT,
                           "node %s cannot be the primary and be left out",
                           name);
        databases +=
            !pc->nodes[i].left_out && (pc->nodes[i].roles & CMS_DATABASE);
    }
    if (databases == 0)
        return err_set(err, CAUSE_INPUT,
                       "cluster %s has no database node (roles = database)%s",
                       pc->cluster->name,
                       without ? " that is not left out" : "");
    return 0;
}

enum {
    CA_CAP = 256 * 1024
};

int cms_check_issuer(struct plan_cluster *pc, const struct issuer *issuer,
                     struct err *err)
{
    if (issuer->kind == ISSUER_APPLIANCE)
        return cms_onbox_check(pc, issuer, err);
    return issuer_check(pc, issuer, err);
}

int cms_db_check_issuer(struct plan_cluster *pc, struct err *err)
{
    return cms_check_issuer(pc, pc->cluster->issuer, err);
}

void cms_db_blank_set(struct plan_cluster *pc)
{
    pc->set.n = CMS_SLOTS;
    memcpy(pc->set.files, new_files, sizeof(new_files));
}

int cms_db_prepare(struct plan_cluster *pc, struct err *err)
{
    cms_db_blank_set(pc);
    if (leave_out(pc, err) < 0)
        return -1;
    cms_db_assign(pc, SIZE_MAX);
    if (!pc->cluster->issuer)
        return err_set(err, CAUSE_INPUT, "cluster %s names no issuer",
                       pc->cluster->name);
    return 0;
}

/* -- is it due? ----------------------------------------------------------- */

bool cms_db_not_due(const struct plan_cluster *pc, struct str *why)
{
    const char *wanted = plan_input(pc->plan, "if_days_left");
    long limit = wanted ? strtol(wanted, NULL, 10) : 0;
    int64_t earliest = 0, days;

    if (!wanted || pc->tag[0])
        return false; /* a run that was begun is ended */
    for (size_t i = 0; i < pc->n_nodes; i++) {
        int64_t end = cms_old_not_after(cms_facts_at(pc, i));
        if (!pc->nodes[i].left_out && end && (!earliest || end < earliest))
            earliest = end;
    }
    days = (earliest - clock_wall_ms() / 1000) / 86400;
    if (!earliest || days <= limit)
        return false;
    str_addf(why, "its certificates have %" PRId64 " days left, more than %ld",
             days, limit);
    return true;
}

/* -- the way back, again -------------------------------------------------- */

static bool takes_part(const struct plan_cluster *pc, size_t i)
{
    return !pc->nodes[i].left_out &&
           (pc->nodes[i].roles & (CMS_DATABASE | CMS_CONNECT));
}

int cms_old_is_there(const struct plan_cluster *pc, size_t i, struct err *err)
{
    const struct plan_node *pn = &pc->nodes[i];
    const struct cms_facts *f = cms_facts_at(pc, i);

    if (pn->bystander || (pn->newcomer && pn->old.n == 0))
        return 0; /* nothing is put back there */
    if (pn->old.n == 0)
        return err_set(err, CAUSE_REFUSED,
                       "node %s: its old certificates were never read",
                       pn->node->name);
    for (size_t k = 0; k < pn->old.n; k++)
        if (!f->target_back ||
            strcmp(f->target_sha256[k], pn->old.files[k].sha256) != 0)
            return err_set(err, CAUSE_REFUSED,
                           "node %s: %s of the old set is %s", pn->node->name,
                           pn->old.files[k].name,
                           f->target_sha256[k][0] ? "not the file that it was"
                                                  : "missing");
    return 0;
}

int cms_way_back_is_open(const struct plan_cluster *pc, int64_t at,
                         const char *ended, struct err *err)
{
    if (!pc->way_back)
        return err_set(err, CAUSE_REFUSED, "there is no way back: %s",
                       pc->no_way_back);
    if (pc->way_back_until && at > pc->way_back_until)
        return err_set(err, CAUSE_REFUSED,
                       "the way back has ended: the old certificates %s",
                       ended);
    return 0;
}

int cms_db_way_back(const struct plan_cluster *pc, int64_t at, struct err *err)
{
    if (cms_way_back_is_open(pc, at, "would not outlive it", err) < 0)
        return -1;
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (takes_part(pc, i) && cms_old_is_there(pc, i, err) < 0)
            return -1;
    return 0;
}

/* -- a stopped run's state ------------------------------------------------ */

bool cms_is_name_of(const struct file_set *set, const char *slot,
                    const char *name)
{
    const struct set_file *file = set_slot(set, slot);

    return file && file->name && strcmp(file->name, name) == 0;
}

static int knows_names(const struct plan_cluster *pc, size_t i, struct err *err)
{
    const struct plan_node *pn = &pc->nodes[i];
    const struct cms_status *s = &cms_facts_at(pc, i)->status;

    for (int k = 0; (pn->old.n || pn->newcomer) && k < CMS_SLOTS; k++) {
        const char *slot = cms_slot_word((enum cms_slot)k), *name = s->files[k];
        if (name[0] && !cms_is_name_of(&pn->old, slot, name) &&
            !cms_is_name_of(&pc->set, slot, name))
            return err_set(err, CAUSE_REFUSED,
                           "node %s: its status names %s, a file of neither "
                           "the old nor the new set",
                           pn->node->name, name);
    }
    return 0;
}

static int knows_state(const struct plan_cluster *pc, size_t i, struct err *err)
{
    const struct plan_node *pn = &pc->nodes[i];
    const struct cms_status *s = &cms_facts_at(pc, i)->status;

    if (s->word == CMS_ODD && s->place != CMS_STANDALONE)
        return err_set(err, CAUSE_REFUSED,
                       "node %s: its status fits no rule (%s)", pn->node->name,
                       s->word_text[0] ? s->word_text : "no Status line");
    for (size_t m = 0; m < s->n_members; m++)
        if (s->members[m].connected &&
            cms_node_by_address(pc, s->members[m].address) == SIZE_MAX)
            return err_set(err, CAUSE_REFUSED,
                           "node %s: it sees %s in the cluster, which the "
                           "plan does not have",
                           pn->node->name, s->members[m].address);
    return knows_names(pc, i, err);
}

static int not_the_holder(const struct plan_cluster *pc, size_t i,
                          struct err *err)
{
    const struct plan_node *named = &pc->nodes[i];
    const struct plan_node *holder =
        pc->holder == SIZE_MAX ? NULL : &pc->nodes[pc->holder];
    char apart[64] = "before it";

    if (holder && holder->left_ms && named->left_ms)
        snprintf(apart, sizeof(apart), "%" PRId64 " s before it",
                 (holder->left_ms - named->left_ms) / 1000);
    return err_set(err, CAUSE_REFUSED,
                   "primary=%s, but the run recorded that node %s held the "
                   "data; node %s left %s, and what was written since is "
                   "lost (--accept data-loss does it all the same)",
                   named->node->name, holder ? holder->node->name : "(none)",
                   named->node->name, apart);
}

/* primary=NODE on resume: only the recorded holder, unless accepted. */
static int named_holder(struct plan_cluster *pc, struct err *err)
{
    const char *name = plan_input(pc->plan, "primary");

    for (size_t i = 0; name && i < pc->n_nodes; i++) {
        if (strcmp(pc->nodes[i].node->name, name) != 0 || i == pc->holder)
            continue;
        if (!plan_accepts(pc->plan, "data-loss"))
            return not_the_holder(pc, i, err);
        cms_db_assign(pc, i);
    }
    return 0;
}

int cms_db_recognise(struct plan_cluster *pc, struct err *err)
{
    const struct view view = {.plan = pc, .node = 0};
    size_t primary;

    for (size_t i = 0; i < pc->n_nodes; i++)
        if (takes_part(pc, i) && knows_state(pc, i, err) < 0)
            return -1;
    if (named_holder(pc, err) < 0)
        return -1;
    /* A done run is taken back from the nodes as they are today; a stopped one
     * goes on only where nobody else was, unless that was accepted. */
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (!takes_part(pc, i))
            continue;
        else if (pc->nodes[i].old.n == 0 && !pc->nodes[i].newcomer)
            cms_db_adopt(pc, i);
        else if (pc->was_done || plan_accepts(pc->plan, "foreign"))
            cms_db_baseline(pc, i);
    /* I1: who reports Connected Primary is the holder, whatever was written */
    primary = cms_primary_now(&view);
    if (primary != SIZE_MAX && primary != pc->holder)
        cms_db_assign(pc, primary);
    if (pc->holder == SIZE_MAX)
        return err_set(err, CAUSE_REFUSED,
                       "cluster %s: nobody is recorded as holder of the data",
                       pc->cluster->name);
    return 0;
}
