/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard: is the ground for this command there, as just read from the
 * nodes?  Not the planner: it knows no row and no order, only the invariants
 * I1-I5 and I7 of design.md (I6, the table of commands, is core/run/act.c's).
 * What it cannot see it refuses.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/run/probe.h"
#include "playbooks/cms/onbox.h"

static const char *name_of(const struct plan_cluster *pc, size_t node)
{
    return pc->nodes[node].node->name;
}

/* Younger than that, and not followed by a reading that failed. */
static bool is_fresh(const struct plan_cluster *pc, size_t node)
{
    const struct facts *facts = pc->nodes[node].facts;

    return !facts->unreachable &&
           facts_age_ms(facts, CMS_READ_STATUS) <= CMS_FRESH_MS;
}

static bool is_data_node(const struct plan_cluster *pc, size_t node)
{
    return (pc->nodes[node].roles & CMS_DATABASE) && !pc->nodes[node].left_out;
}

/* -- I3: nobody leaves before the set is proven everywhere ---------------- */

bool cms_has_target(const struct view *view, size_t node)
{
    const struct plan_cluster *pc = view->plan;
    const struct cms_facts *f = cms_facts_at(pc, node);
    const struct file_set *set = plan_target(pc, node, view->back);

    if (f->target_back != view->back)
        return false;
    for (size_t i = 0; i < set->n; i++)
        if (plan_node_gets(&pc->nodes[node], &set->files[i]) &&
            (!set->files[i].sha256[0] ||
             strcmp(set->files[i].sha256, f->target_sha256[i]) != 0))
            return false;
    return set->n > 0;
}

static int set_is_everywhere(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct plan_node *pn = &pc->nodes[i];
        if (pn->left_out || !(pn->roles & (CMS_DATABASE | CMS_CONNECT)))
            continue;
        if (pn->bystander ||
            (cms_is_sent_out(pn, view->back) && (pn->leaver || pn->old.n == 0)))
            continue; /* nothing is switched there */
        if (!cms_has_target(view, i))
            return err_set(err, CAUSE_REFUSED,
                           "I3: the %s set is not proven on node %s, so "
                           "nobody leaves the cluster",
                           view->back ? "old" : "new", name_of(pc, i));
    }
    return 0;
}

/* -- who holds the data --------------------------------------------------- */

static int others_are_standalone(const struct view *view, const char *what,
                                 struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cms_facts *f = cms_facts_at(pc, i);
        if (i == view->node || !is_data_node(pc, i))
            continue;
        if (f->status.place != CMS_STANDALONE ||
            f->standalone_ms < view->walk_ms)
            return err_set(err, CAUSE_REFUSED,
                           "%s: node %s was not read as standalone (it is "
                           "%s)",
                           what, name_of(pc, i),
                           cms_place_word(f->status.place));
    }
    return 0;
}

static bool is_primary(const struct plan_cluster *pc, size_t node)
{
    return cms_facts_at(pc, node)->status.place == CMS_IS_PRIMARY;
}

static int no_other_primary(const struct view *view, const char *what,
                            struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < pc->n_nodes; i++)
        if (i != view->node && is_data_node(pc, i) && is_primary(pc, i))
            return err_set(err, CAUSE_REFUSED,
                           "%s: node %s reports that it is the primary", what,
                           name_of(pc, i));
    return 0;
}

/* A primary that sees no more than half of the members is demoted (facts/cms.md
 * 3.1).  So it is when members are absent, or expired certificates part them:
 * it has taken no more writes since, and nobody else may lead. */
static bool is_demoted_holder(const struct view *view)
{
    const struct plan_cluster *pc = view->plan;
    enum cms_place place = cms_facts_of(view)->status.place;
    bool absent = pc->expired;

    for (size_t i = 0; i < pc->n_nodes; i++)
        absent = absent ||
                 (pc->nodes[i].left_out && (pc->nodes[i].roles & CMS_DATABASE));
    return absent && (place == CMS_IS_REPLICA || place == CMS_IS_DOWN) &&
           no_other_primary(view, "I1", NULL) == 0;
}

/* The holder's last status before its own remove: Connected Primary, and
 * nobody else is left in its list as connected. */
static int is_last_of_cluster(const struct view *view, struct err *err)
{
    const struct cms_status *s = &cms_facts_of(view)->status;

    if (s->place != CMS_IS_PRIMARY && s->word != CMS_ERROR &&
        !is_demoted_holder(view))
        return err_set(err, CAUSE_REFUSED,
                       "I1: it is to be the holder of the data, and says "
                       "that it is %s",
                       cms_place_word(s->place));
    for (size_t i = 0; i < s->n_members; i++)
        if (!s->members[i].me && s->members[i].connected)
            return err_set(err, CAUSE_REFUSED, "I1: its cluster still has %s",
                           s->members[i].address);
    return 0;
}

/* A member whose holder has left already: its cluster lives on, and whoever
 * comes to lead it holds newer data than the one who left.  Taken out, that
 * one would never have been seen. */
static int holder_is_in(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;
    enum cms_place own = cms_facts_of(view)->status.place, holder;

    if (pc->holder == SIZE_MAX || plan_accepts(pc->plan, "data-loss") ||
        (own != CMS_IS_REPLICA && own != CMS_IS_DOWN))
        return 0;
    holder = cms_facts_at(pc, pc->holder)->status.place;
    if (holder == CMS_IS_PRIMARY || holder == CMS_IS_REPLICA ||
        holder == CMS_IS_DOWN)
        return 0;
    return err_set(err, CAUSE_REFUSED,
                   "I1: it is a member of a cluster that node %s, which is to "
                   "hold the data, has left (that is %s): wait until one leads "
                   "it; when none can, primary=%s --accept data-loss",
                   name_of(pc, pc->holder), cms_place_word(holder),
                   name_of(pc, pc->holder));
}

/* -- one function a command ----------------------------------------------- */

static int guard_remove(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;
    bool holds = view->node == pc->holder || is_primary(pc, view->node);

    if (set_is_everywhere(view, err) < 0)
        return -1;
    if (!pc->left && !pc->expired && pc->holder != SIZE_MAX &&
        !is_primary(pc, pc->holder))
        return err_set(
            err, CAUSE_REFUSED, "I1: the primary has moved: node %s is %s now",
            name_of(pc, pc->holder),
            cms_place_word(cms_facts_at(pc, pc->holder)->status.place));
    if (!holds)
        return holder_is_in(view, err);
    if (view->node != pc->holder)
        return err_set(err, CAUSE_REFUSED,
                       "I1: node %s reports that it is the primary; the plan "
                       "says node %s",
                       name_of(pc, view->node), name_of(pc, pc->holder));
    if (others_are_standalone(view, "I3: the primary leaves last", err) < 0)
        return -1;
    return is_last_of_cluster(view, err);
}

static int must_be_standalone(const struct view *view, struct err *err)
{
    const struct cms_status *s = &cms_facts_of(view)->status;

    if (s->place == CMS_STANDALONE)
        return 0;
    return err_set(err, CAUSE_REFUSED, "I3: it is not standalone but %s",
                   cms_place_word(s->place));
}

static int guard_initialize(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    if (view->node != pc->holder)
        return err_set(err, CAUSE_REFUSED, "I1: only node %s held the data",
                       pc->holder == SIZE_MAX ? "(unknown)"
                                              : name_of(pc, pc->holder));
    if (plan_is_apart(&pc->nodes[view->node]))
        return err_set(err, CAUSE_REFUSED,
                       "I1: it comes or goes, and holds no data that the "
                       "others have not");
    if (must_be_standalone(view, err) < 0 ||
        no_other_primary(view, "I1", err) < 0)
        return -1;
    return others_are_standalone(view, "I1", err);
}

static int guard_join(const struct view *view, const char *address,
                      struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    if (pc->holder == SIZE_MAX || view->node == pc->holder)
        return err_set(err, CAUSE_REFUSED, "I2: there is nobody to join");
    if (cms_goes_out(view))
        return err_set(err, CAUSE_REFUSED, "I2: it is to be in no cluster");
    if (!is_fresh(pc, pc->holder) || !is_primary(pc, pc->holder))
        return err_set(err, CAUSE_REFUSED,
                       "I2: node %s does not report that it is the primary",
                       name_of(pc, pc->holder));
    if (strcmp(address, pc->nodes[pc->holder].db_address) != 0)
        return err_set(err, CAUSE_REFUSED, "I2: %s is not node %s", address,
                       name_of(pc, pc->holder));
    return must_be_standalone(view, err);
}

/* A node that was a member is never left without certificates. */
static int guard_certs_none(const struct view *view, struct err *err)
{
    if (!cms_takes_none(view))
        return err_set(err, CAUSE_REFUSED, "I5: it had certificates before");
    return must_be_standalone(view, err);
}

static int guard_clear_error(const struct view *view, struct err *err)
{
    if (cms_facts_of(view)->status.word == CMS_ERROR)
        return 0;
    return err_set(err, CAUSE_REFUSED, "it is not in Error");
}

/* -- I7: nobody else was here --------------------------------------------- */

static bool is_expected_last(const struct plan_node *pn,
                             const struct cms_status *s)
{
    if (!pn->first_last || strcmp(s->last, pn->first_last) == 0)
        return true;
    for (size_t i = 0; i < pn->n_sent; i++)
        if (strcmp(s->last, pn->sent[i]) == 0)
            return true;
    return false;
}

static bool is_own_snapshot(const struct plan_cluster *pc, const char *name)
{
    char start[16];

    snprintf(start, sizeof(start), "cf-%s-", pc->tag);
    return strncmp(name, start, strlen(start)) == 0;
}

int cms_nobody_else(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;
    const struct plan_node *pn = &pc->nodes[view->node];
    const struct cms_facts *f = cms_facts_of(view);

    if (!is_expected_last(pn, &f->status))
        return err_set(
            err, CAUSE_REFUSED,
            "I7: its last command is `%s', which this run did not "
            "send: somebody else is at work on it (when that is settled: "
            "--accept foreign)",
            f->status.last);
    if (pn->n_listed == 0 ||
        facts_age_ms(&f->base, CMS_READ_LIST) > CMS_FRESH_MS)
        return 0;
    for (size_t i = 0; i < f->n_listed; i++)
        if (!plan_knows_file(pn, f->listed[i]) &&
            !cms_is_volatile(f->listed[i]) &&
            !is_own_snapshot(pc, f->listed[i]))
            return err_set(err, CAUSE_REFUSED,
                           "I7: file %s was put there by somebody else (when "
                           "that is settled: --accept foreign)",
                           f->listed[i]);
    return 0;
}

/* -- all of it ------------------------------------------------------------ */

/* A newcomer that was a member before may name files of the set that it is to
 * have.  The very same bytes are not written again: creation is exclusive. */
static bool is_same_there(const struct view *view, const char *name)
{
    const struct file_set *set =
        plan_target(view->plan, view->node, view->back);
    const struct cms_facts *f = cms_facts_of(view);

    if (!view->plan->nodes[view->node].newcomer || f->target_back != view->back)
        return false;
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->files[i].name, name) == 0)
            return set->files[i].sha256[0] &&
                   strcmp(set->files[i].sha256, f->target_sha256[i]) == 0;
    return false;
}

static int guard_put(const struct view *view, const char *name, struct err *err)
{
    unsigned generation = 0;

    if (!cms_is_ours(name, &generation) || generation != view->plan->number)
        return err_set(err, CAUSE_REFUSED, "I4: %s is not a file of this run",
                       name);
    if (cms_in_use(view, name) && !is_same_there(view, name))
        return err_set(err, CAUSE_REFUSED, "I4: %s is in use", name);
    return 0;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int guard_cluster_command(const struct view *view, const char *text,
                                 bool *hold, struct err *err)
{
    const char *verb = text + strlen("database cluster ");

    if (!view->plan->plan->playbook->data_roles)
        return err_set(err, CAUSE_REFUSED,
                       "I1: %s has nothing to do with the database",
                       view->plan->plan->playbook->id);
    if (!is_fresh(view->plan, view->node))
        return err_set(err, CAUSE_REFUSED, "its status was not read just now");
    if (cms_nobody_else(view, err) < 0) {
        *hold = true;
        return -1;
    }
    if (strcmp(verb, "remove") == 0)
        return guard_remove(view, err);
    if (strcmp(verb, "initialize") == 0)
        return guard_initialize(view, err);
    if (begins(verb, "join "))
        return guard_join(view, verb + 5, err);
    if (begins(verb, "connect "))
        return guard_join(view, verb + 8, err);
    if (strcmp(verb, "clear_error") == 0)
        return guard_clear_error(view, err);
    if (strcmp(verb, "certs none") == 0)
        return guard_certs_none(view, err);
    return must_be_standalone(view, err); /* certs, localnode */
}

/* Beside clusters and services, what runs send at all: it changes nothing that
 * is in use.  No reboot, no restore, no trust store. */
static int guard_other(const struct act *act, const char *text, struct err *err)
{
    static const char *const harmless[] = {"backup snapshot ", "pki match ",
                                           "pki verify "};

    if (act->kind != ACT_COMMAND && act->kind != ACT_CONFIRM)
        return 0;
    for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
        if (begins(text, harmless[i]))
            return 0;
    return err_set(err, CAUSE_REFUSED, "no run has a use for it");
}

int cms_guard(const struct view *view, const struct act *act, const char *text,
              bool *hold, struct err *err)
{
    int rc;

    if (view->plan->nodes[view->node].bystander)
        rc = err_set(err, CAUSE_REFUSED, "I3: nothing is to be changed on it");
    else if (act->kind == ACT_PUT)
        rc = guard_put(view, text, err);
    else if (act->kind == ACT_REMOVE)
        rc = cms_guard_unmake(view, text, err);
    else if (cms_is_make(text))
        rc = cms_guard_make(view, text, err);
    else if (begins(text, "database cluster "))
        rc = guard_cluster_command(view, text, hold, err);
    else if (cms_service_of(text) < CMS_SERVICES)
        rc = cms_guard_service(view, text, hold, err);
    else
        rc = guard_other(act, text, err);
    if (rc < 0)
        err_context(err, "`%s' was not sent", text);
    return rc;
}
