/* SPDX-License-Identifier: Apache-2.0
 *
 * When is a row of cce/rotate as wanted?  Never by exit codes: by what is
 * bound, what the stores are, and what the ports show.
 */
#include <string.h>

#include "playbooks/cce/cce.h"

static bool same(const char *a, const char *b)
{
    return a[0] && strcmp(a, b) == 0;
}

/* What has been sent is done or refused: these tools do not work on. */
static enum goal still_open(const struct view *view)
{
    return view->acted ? GOAL_ERROR : GOAL_OPEN;
}

/* -- before anything is live ----------------------------------------------- */

enum goal cce_goal_gates(const struct view *view, struct err *why)
{
    (void)view;
    (void)why;
    return GOAL_MET; /* what all was read means is decided together */
}

enum goal cce_goal_keep(const struct view *view, struct err *why)
{
    /* once something is live it is too late for one that helps */
    if (cce_is_kept(view, CCE_STORE_ICM) && cce_is_kept(view, CCE_STORE_JAVA) &&
        (cce_node(view)->backup_ms || view->plan->left))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its trust stores are not kept as they were");
    return still_open(view);
}

enum goal cce_goal_request(const struct view *view, struct err *why)
{
    const struct set_file *csr = set_slot(&cce_node(view)->own, "csr");

    if (view->plan->issued ||
        win_is_listed(&cce_facts_of(view)->node, csr->name))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its request is not made");
    return still_open(view);
}

/* Again at each resume: it costs nothing, and it may not have come. */
enum goal cce_goal_take(const struct view *view, struct err *why)
{
    if (view->plan->issued || view->acted)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its request is to be fetched");
    return GOAL_OPEN;
}

enum goal cce_goal_issue(const struct view *view, struct err *why)
{
    if (view->plan->issued && view->plan->loaded)
        return GOAL_MET;
    err_set(why, CAUSE_SYSTEM, "the certificates are not signed yet");
    return GOAL_OPEN;
}

enum goal cce_goal_trust(const struct view *view, struct err *why)
{
    struct pki_cert_info info;

    for (size_t k = 0; cce_ca_slots[k]; k++)
        if (cce_slot_info(cce_node(view), cce_ca_slots[k], &info) &&
            !cce_facts_of(view)->trusted[k]) {
            err_set(why, CAUSE_REMOTE, "Windows does not trust %s yet",
                    info.common_name);
            return still_open(view);
        }
    return GOAL_MET;
}

/* In the machine's store, as both listeners ask for it. */
enum goal cce_goal_accept(const struct view *view, struct err *why)
{
    const struct cce_facts *f = cce_facts_of(view);
    struct pki_cert_info info;

    if (cce_slot_info(cce_node(view), "crt", &info) &&
        same(f->in_my[CCE_IIS_443], info.sha1))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE,
            "the new certificate is not in the machine's store");
    return still_open(view);
}

enum goal cce_goal_import(const struct view *view, struct err *why)
{
    for (int s = 0; s < CCE_STORES; s++)
        if (cce_staged_is_good(view, (enum cce_store)s, why) < 0)
            return still_open(view);
    return GOAL_MET;
}

/* -- live ------------------------------------------------------------------ */

enum goal cce_goal_stores(const struct view *view, struct err *why)
{
    if (cce_is_swapped(view))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its trust stores are not the %s ones",
            view->back ? "old" : "new");
    return still_open(view);
}

static enum goal runs(const struct view *view, enum cce_service service,
                      struct err *why)
{
    return win_goal_runs(view, cce_facts_of(view)->service[service],
                         cce_service_titles[service], why);
}

static bool has_sent(const struct view *view, const char *word)
{
    const struct plan_node *pn = cce_node(view);

    for (size_t i = 0; i < pn->n_sent; i++)
        if (strstr(pn->sent[i], word))
            return true;
    return false;
}

/* Nothing shows whether it has started since: it has if this very try has
 * started it, or if this run has never changed what it reads. */
static enum goal started(const struct view *view, enum cce_service service,
                         const char *changed_by, struct err *why)
{
    enum goal goal = runs(view, service, why);

    if (goal != GOAL_MET || view->acted || !has_sent(view, changed_by))
        return goal;
    err_set(why, CAUSE_REMOTE, "whether %s has started anew cannot be seen",
            cce_service_titles[service]);
    return GOAL_OPEN;
}

enum goal cce_goal_tomcat(const struct view *view, struct err *why)
{
    if (!cce_is_swapped(view))
        return cce_goal_stores(view, why);
    return started(view, CCE_TOMCAT, "move /y ", why);
}

/* -- listeners ------------------------------------------------------------- */

static const char *target_sha256(const struct view *view,
                                 enum cce_listener listener)
{
    const struct plan_node *pn = cce_node(view);
    const struct set_file *file =
        view->back ? set_slot(&pn->old, cce_listeners[listener].slot)
                   : set_slot(&pn->own, "crt");

    return file ? file->cert_sha256 : "";
}

static enum goal shows(const struct view *view, enum cce_listener listener,
                       struct err *why)
{
    const struct cce_facts *f = cce_facts_of(view);
    const struct pki_cert_info *shown = &f->shown[listener];

    if (f->shown_ms[listener] >= view->walk_ms &&
        same(shown->sha256, target_sha256(view, listener)))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "%s %s on port %u",
            cce_listeners[listener].title,
            shown->sha256[0] ? "shows another certificate" : "does not answer",
            cce_listeners[listener].port);
    return GOAL_OPEN;
}

static enum goal bound(const struct view *view, enum cce_listener listener,
                       struct err *why)
{
    if (cce_is_bound(view, listener))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "%s is not bound to the %s certificate",
            cce_listeners[listener].title, view->back ? "old" : "new");
    return still_open(view);
}

enum goal cce_goal_iis(const struct view *view, struct err *why)
{
    return bound(view, CCE_IIS_443, why);
}

enum goal cce_goal_iisadmin(const struct view *view, struct err *why)
{
    enum goal goal = bound(view, CCE_IIS_443, why);

    if (goal == GOAL_MET)
        goal = started(view, CCE_IISADMIN, "netsh http update ", why);
    if (goal == GOAL_MET)
        goal = runs(view, CCE_W3SVC, why);
    return goal == GOAL_MET ? shows(view, CCE_IIS_443, why) : goal;
}

/* What it validates is told by Cisco's tool; what is bound, by Windows. */
enum goal cce_goal_portico(const struct view *view, struct err *why)
{
    enum goal goal = bound(view, CCE_PORTICO_7890, why);

    if (goal != GOAL_MET || cce_facts_of(view)->valid)
        return goal;
    err_set(why, CAUSE_REMOTE,
            "DiagFwCertMgr does not say that the binding is VALID");
    return still_open(view);
}

enum goal cce_goal_diagfw(const struct view *view, struct err *why)
{
    enum goal goal = bound(view, CCE_PORTICO_7890, why);

    if (goal == GOAL_MET)
        goal = started(view, CCE_DIAGFWSVC, "/task:BindCertFromStore", why);
    return goal == GOAL_MET ? shows(view, CCE_PORTICO_7890, why) : goal;
}

/* Only reads: what cannot be seen was proven by its own row. */
enum goal cce_goal_prove(const struct view *view, struct err *why)
{
    goal_f *const rows[] = {cce_goal_stores, cce_goal_iisadmin,
                            cce_goal_portico, cce_goal_diagfw};
    struct view seen = *view;
    enum goal goal = GOAL_MET;

    seen.acted = true;
    if (cce_node(view)->roles & CCE_WITH_TOMCAT)
        goal = cce_goal_tomcat(&seen, why);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && goal == GOAL_MET;
         i++)
        goal = rows[i](&seen, why);
    return goal;
}
