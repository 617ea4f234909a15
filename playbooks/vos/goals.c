/* SPDX-License-Identifier: Apache-2.0
 *
 * When a row of vos/rotate is done, from what was just read.
 */
#include <string.h>

#include "playbooks/vos/vos.h"

static enum goal unknown(struct err *why, const char *what)
{
    err_set(why, CAUSE_REMOTE, "%s cannot be read", what);
    return GOAL_UNKNOWN;
}

/* Read by the row, which failed if it could not: decide() weighs it. */
enum goal vos_goal_gates(const struct view *view, struct err *why)
{
    return vos_facts_of(view)->node.services.n ? GOAL_MET
                                               : unknown(why, "its services");
}

/* A request that was answered already is not made anew: it would overwrite the
 * key that the answer belongs to (facts/uc.md 0.3). */
enum goal vos_goal_csr(const struct view *view, struct err *why)
{
    if (view->plan->left)
        return GOAL_MET; /* its answer is on the way, or there */
    if (!vos_facts_of(view)->csr_known)
        return unknown(why, "its request");
    if (vos_has_our_request(view->plan, view->node))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "it has not the request of this run");
    return view->plan->issued ? GOAL_ERROR : GOAL_OPEN;
}

enum goal vos_goal_issue(const struct view *view, struct err *why)
{
    if (view->plan->issued && view->plan->loaded)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "the certificates are not there yet");
    return GOAL_OPEN;
}

enum goal vos_goal_trust(const struct view *view, struct err *why)
{
    if (vos_has_new(view->plan, view->node) == GOAL_MET)
        return GOAL_MET; /* it would not have been taken without */
    if (!vos_facts_of(view)->trust)
        return unknown(why, "its trust store");
    for (const char *const *slot = vos_ca_slots; *slot; slot++)
        if (vos_lacks_ca(view->plan, view->node, *slot)) {
            err_set(why, CAUSE_REMOTE, "the CA %s is not in its trust store",
                    vos_slot(view->plan, view->node, *slot)->name);
            return GOAL_OPEN;
        }
    return GOAL_MET;
}

enum goal vos_goal_upload(const struct view *view, struct err *why)
{
    enum goal goal = vos_has_new(view->plan, view->node);

    if (goal == GOAL_UNKNOWN)
        return unknown(why, "its own certificate");
    if (goal == GOAL_OPEN)
        err_set(why, CAUSE_REMOTE, "it has not the new certificate");
    return goal;
}

/* It answers long before its services run (facts/uc.md 1.4): once it was told
 * to start anew, it is not told so again while one of them is missing. */
enum goal vos_goal_restart(const struct view *view, struct err *why)
{
    bool told = view->acted || view->begun;

    if (vos_services_run(view->plan, view->node, why) < 0)
        return told ? GOAL_BUSY : GOAL_OPEN;
    if (vos_shows_new(view->plan, view->node))
        return GOAL_MET;
    if (!vos_facts_of(view)->node.shown.at_ms) {
        err_set(why, CAUSE_REMOTE, "nothing answers on port %u",
                vos_port(view->plan->plan));
        return told ? GOAL_BUSY : GOAL_OPEN;
    }
    err_set(why, CAUSE_REMOTE, "port %u shows another certificate",
            vos_port(view->plan->plan));
    return view->acted ? GOAL_BUSY : GOAL_OPEN;
}

enum goal vos_goal_prove(const struct view *view, struct err *why)
{
    enum goal goal = vos_goal_upload(view, why);

    if (goal != GOAL_MET)
        return goal;
    if (vos_services_run(view->plan, view->node, why) < 0)
        return GOAL_OPEN;
    if (vos_shows_new(view->plan, view->node))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "port %u shows another certificate",
            vos_port(view->plan->plan));
    return GOAL_OPEN;
}
