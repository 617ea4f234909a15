/* SPDX-License-Identifier: Apache-2.0
 *
 * When is a row of cvp/keystore-rotate as wanted?  A keystore is told by its
 * digest; what services have loaded by what their ports show.
 */
#include <string.h>

#include "playbooks/cvp/cvp.h"

static const struct plan_node *node_of(const struct view *view)
{
    return &view->plan->nodes[view->node];
}

static const char *old_sha256(const struct view *view)
{
    const struct set_file *file = set_slot(&node_of(view)->old, "keystore");

    return file ? file->sha256 : "";
}

static bool same(const char *a, const char *b)
{
    return a[0] && strcmp(a, b) == 0;
}

/* What has been sent is either done or refused: keytool does not work on. */
static enum goal still_open(const struct view *view)
{
    return view->acted ? GOAL_ERROR : GOAL_OPEN;
}

/* -- before anything is live ----------------------------------------------- */

enum goal cvp_goal_gates(const struct view *view, struct err *why)
{
    (void)view;
    (void)why;
    return GOAL_MET; /* what all was read means is decided together */
}

enum goal cvp_goal_keep(const struct view *view, struct err *why)
{
    const struct cvp_facts *f = cvp_facts_of(view);

    /* once something is live it is too late for one that helps */
    if (same(f->copy_sha256[CVP_OLD], old_sha256(view)) &&
        (node_of(view)->backup_ms || view->plan->left))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "the keystore is not kept as it was");
    return still_open(view);
}

static bool has_requests(const struct view *view)
{
    const struct file_set *own = &node_of(view)->own;

    for (int a = 0; a < CVP_ALIASES; a++) {
        const struct set_file *csr =
            set_slot(own, cvp_slot((enum cvp_alias)a, CVP_CSR));

        if (csr && !win_is_listed(&cvp_facts_of(view)->node, csr->name))
            return false;
    }
    return true;
}

/* The requests are made after all keys: they say that the keys are there. */
enum goal cvp_goal_keys(const struct view *view, struct err *why)
{
    if (view->plan->issued ||
        (has_requests(view) && cvp_facts_of(view)->copy_sha256[CVP_NEW][0]))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its keys and requests are not all made");
    return still_open(view);
}

/* Again at each resume: it costs nothing, and they may not have come. */
enum goal cvp_goal_take(const struct view *view, struct err *why)
{
    if (view->plan->issued || view->acted)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its requests are to be fetched");
    return GOAL_OPEN;
}

enum goal cvp_goal_issue(const struct view *view, struct err *why)
{
    if (view->plan->issued && view->plan->loaded)
        return GOAL_MET;
    err_set(why, CAUSE_SYSTEM, "the certificates are not signed yet");
    return GOAL_OPEN;
}

static int entry_is_good(const struct view *view, enum cvp_alias alias,
                         struct err *why)
{
    const struct cvp_entry *e = &cvp_facts_of(view)->staged.entry[alias];
    const struct set_file *crt =
        set_slot(&node_of(view)->own, cvp_slot(alias, CVP_CRT));
    const char *name = cvp_aliases[alias].alias;

    if (!e->seen)
        return err_set(why, CAUSE_REMOTE, "the copy has no %s", name);
    if (!e->key)
        return err_set(why, CAUSE_REMOTE,
                       "%s has no key in the copy: it is a certificate that is "
                       "trusted",
                       name);
    if (!crt || !same(e->leaf.sha256, crt->cert_sha256))
        return err_set(why, CAUSE_REMOTE,
                       "%s has not got its new certificate in the copy", name);
    if (e->chain < 2 || !e->rooted)
        return err_set(why, CAUSE_REMOTE,
                       "%s: its chain in the copy ends before a root", name);
    return 0;
}

int cvp_staged_is_good(const struct view *view, struct err *why)
{
    const struct cvp_facts *f = cvp_facts_of(view);

    if (!facts_since(&f->node.base, CVP_READ_STAGED, view->walk_ms) ||
        !f->staged.there)
        return err_set(why, CAUSE_REMOTE, "the copy was not listed");
    for (int a = 0; a < CVP_ALIASES; a++)
        if (cvp_renews(view->plan, view->node, (enum cvp_alias)a) &&
            entry_is_good(view, (enum cvp_alias)a, why) < 0)
            return -1;
    return 0;
}

enum goal cvp_goal_push(const struct view *view, struct err *why)
{
    return cvp_staged_is_good(view, why) == 0 ? GOAL_MET : still_open(view);
}

/* -- live ------------------------------------------------------------------ */

static const char *target_sha256(const struct view *view)
{
    return view->back ? old_sha256(view)
                      : cvp_facts_of(view)->copy_sha256[CVP_NEW];
}

bool cvp_is_swapped(const struct view *view)
{
    return same(cvp_facts_of(view)->live_sha256, target_sha256(view));
}

enum goal cvp_goal_swap(const struct view *view, struct err *why)
{
    if (cvp_is_swapped(view))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "the keystore is not the %s one",
            view->back ? "old" : "new");
    return still_open(view);
}

static const char *cert_of(const struct view *view, enum cvp_alias alias,
                           bool back)
{
    const struct file_set *set = plan_target(view->plan, view->node, back);
    const struct set_file *crt = set_slot(set, cvp_slot(alias, CVP_CRT));

    return crt ? crt->cert_sha256 : "";
}

/* Did its port answer before anything was changed? */
static bool was_shown(const struct view *view, enum cvp_alias alias)
{
    return set_slot(&node_of(view)->old, cvp_aliases[alias].word) != NULL;
}

static bool replaced_it(const struct view *view)
{
    const struct plan_node *pn = node_of(view);

    for (size_t i = 0; i < pn->n_sent; i++)
        if (strncmp(pn->sent[i], "move ", 5) == 0)
            return true;
    return false;
}

/* No port tells: it has read the keystore if this very try has started it, or
 * if this run has never replaced it. */
static enum goal not_shown(const struct view *view, enum cvp_service service,
                           struct err *why)
{
    if (view->acted || !replaced_it(view))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE,
            "whether %s has read the keystore cannot be seen",
            cvp_services[service].title);
    return GOAL_OPEN;
}

static enum goal shows(const struct view *view, enum cvp_alias alias,
                       struct err *why)
{
    const struct cvp_facts *f = cvp_facts_of(view);
    const char *shown = f->shown_sha256[alias];

    if (f->shown_ms[alias] >= view->walk_ms &&
        same(shown, cert_of(view, alias, view->back)))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "%s %s on port %u", cvp_aliases[alias].title,
            shown[0] ? "shows another certificate" : "does not answer",
            cvp_aliases[alias].port);
    /* Stopped and started, and still what it had: it was not stopped. */
    return same(shown, cert_of(view, alias, !view->back)) ? still_open(view)
                                                          : GOAL_OPEN;
}

static enum goal runs(const struct view *view, enum cvp_service service,
                      struct err *why)
{
    return win_goal_runs(view, cvp_facts_of(view)->service[service],
                         cvp_services[service].title, why);
}

/* W3SVC shows nothing of the keystore at a port of its own. */
static bool is_told_by_port(const struct view *view, enum cvp_service service)
{
    return service != CVP_SVC_IIS &&
           was_shown(view, cvp_services[service].alias);
}

enum goal cvp_goal_service(const struct view *view, enum cvp_service service,
                           struct err *why)
{
    enum goal goal;

    if (!cvp_is_swapped(view)) {
        err_set(why, CAUSE_REMOTE, "the keystore is not the %s one",
                view->back ? "old" : "new");
        return GOAL_ERROR;
    }
    goal = runs(view, service, why);
    if (goal != GOAL_MET)
        return goal;
    return is_told_by_port(view, service)
               ? shows(view, cvp_services[service].alias, why)
               : not_shown(view, service, why);
}

static enum goal lives(const struct view *view, enum cvp_alias alias,
                       struct err *why)
{
    const struct cvp_entry *e = &cvp_facts_of(view)->live.entry[alias];

    if (e->key && same(e->leaf.sha256, cert_of(view, alias, view->back)))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "%s in the keystore is not the %s one",
            cvp_aliases[alias].alias, view->back ? "old" : "new");
    return GOAL_OPEN;
}

/* Only reads: what cannot be seen was proven by its own row. */
enum goal cvp_goal_prove(const struct view *view, struct err *why)
{
    struct view seen = *view;
    enum goal goal = GOAL_MET;

    seen.acted = true;
    for (int s = 0; s < CVP_SERVICES && goal == GOAL_MET; s++)
        if ((node_of(view)->node->roles & cvp_services[s].roles) &&
            cvp_renews(view->plan, view->node, cvp_services[s].alias))
            goal = cvp_goal_service(&seen, (enum cvp_service)s, why);
    for (int a = 0; a < CVP_ALIASES && goal == GOAL_MET; a++)
        if (cvp_renews(view->plan, view->node, (enum cvp_alias)a))
            goal = lives(&seen, (enum cvp_alias)a, why);
    return goal;
}
