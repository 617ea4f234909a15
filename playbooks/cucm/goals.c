/* SPDX-License-Identifier: Apache-2.0
 *
 * When a row of cucm/rotate is done, from what was just read.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cucm/cucm.h"

enum {
    SET_UP = 2
};

/* Read by the row, which failed if it could not: decide() weighs it. */
enum goal cucm_goal_gates(const struct view *view, struct err *why)
{
    if (cucm_facts_of(view)->node.services.n)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its services cannot be read");
    return GOAL_UNKNOWN;
}

static enum goal no_api(const struct view *view, struct err *why)
{
    err_set(why, CAUSE_REMOTE, "its certificates cannot be read: %s",
            cucm_facts_of(view)->certs_why);
    return GOAL_UNKNOWN;
}

/* A request that was answered already is not made anew: it would overwrite the
 * key that the answer belongs to (facts/uc.md 0.3). */
enum goal cucm_goal_csr(const struct view *view, struct err *why)
{
    const struct set_file *csr = set_slot(&view->plan->set, "csr");
    const struct cucm_unit *u = cucm_unit_at(view->plan, view->node);

    if (view->plan->left)
        return GOAL_MET; /* its answer is on the way, or there */
    if (!cucm_facts_of(view)->certs_known)
        return no_api(view, why);
    if (csr->sha256[0] && strcmp(u->request_sha256, csr->sha256) == 0)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "it has not the request of this run");
    return view->plan->issued ? GOAL_ERROR : GOAL_OPEN;
}

enum goal cucm_goal_issue(const struct view *view, struct err *why)
{
    if (view->plan->issued && view->plan->loaded)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "the certificate is not there yet");
    return GOAL_OPEN;
}

enum goal cucm_goal_trust(const struct view *view, struct err *why)
{
    size_t n;
    char **list;

    if (cucm_has_new(view->plan, view->node))
        return GOAL_MET; /* it would not have been taken without */
    if (!cucm_facts_of(view)->certs_known)
        return no_api(view, why);
    list = cucm_missing_trust(view->plan, &n);
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
    if (n == 0)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE,
            "%zu CAs of the chain are not in its trust store", n);
    return GOAL_OPEN;
}

enum goal cucm_goal_upload(const struct view *view, struct err *why)
{
    if (cucm_has_new(view->plan, view->node))
        return GOAL_MET;
    if (!cucm_facts_of(view)->certs_known)
        return no_api(view, why);
    err_set(why, CAUSE_REMOTE, "it has not the new certificate");
    return GOAL_OPEN;
}

/* "Successful for the nodes ..." of seed 004 step 6, asked of each node. */
enum goal cucm_goal_replicated(const struct view *view, struct err *why)
{
    if (cucm_goal_upload(view, why) == GOAL_MET)
        return GOAL_MET;
    err_context(why, "the upload has not reached it");
    return cucm_facts_of(view)->certs_known ? GOAL_OPEN : GOAL_UNKNOWN;
}

/* -- services -------------------------------------------------------------- */

enum goal cucm_goal_ctl(const struct view *view, struct err *why)
{
    const struct cucm_facts *f = cucm_facts_of(view);

    if (!cucm_type_of(view->plan->plan)->in_ctl)
        return GOAL_MET;
    if (!f->mode_known) {
        err_set(why, CAUSE_REMOTE, "its security mode cannot be told");
        return GOAL_UNKNOWN;
    }
    if (!f->mixed || cucm_ctl_has_new(view->plan))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "the CTL does not hold the new certificate");
    return GOAL_OPEN;
}

static bool is_moving(const struct view *view)
{
    const char *service;

    for (size_t i = 0; (service = cucm_service_at(i)); i++)
        if (cucm_restarts(view, service) &&
            cucm_running_of(cucm_facts_of(view), service) == VOS_MOVING)
            return true;
    return false;
}

/* What a listener shows was loaded by one service: of the others only this
 * row's having been seen through says that they started anew.  Where there is
 * no listener nothing else does. */
enum goal cucm_goal_restart(const struct view *view, struct err *why)
{
    bool seen =
        view->acted || (!view->begun && cucm_listens(view->plan, view->node));

    if (is_moving(view)) {
        err_set(why, CAUSE_REMOTE, "its services are starting");
        return GOAL_BUSY;
    }
    if (cucm_services_run(view->plan, view->node, why) < 0)
        return view->acted ? GOAL_ERROR : GOAL_OPEN;
    if (seen && cucm_shows_new(view->plan, view->node))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE,
            seen ? "its listener does not show the new certificate"
                 : "its services have not been seen to start anew");
    return GOAL_OPEN;
}

enum goal cucm_goal_phones(const struct view *view, struct err *why)
{
    const struct cucm_facts *f = cucm_facts_of(view);
    long before = cucm_phones_before(view->plan);

    if (!cucm_type_of(view->plan->plan)->drops_phones)
        return GOAL_MET;
    if (before < 0) {
        err_set(why, CAUSE_REMOTE,
                "how many phones were registered is not known: nobody waits "
                "for them");
        return GOAL_PASSED;
    }
    if (f->phones_known && (long)f->phones >= before)
        return GOAL_MET;
    if (f->phones_known)
        err_set(why, CAUSE_REMOTE, "%u of %ld phones are registered again",
                f->phones, before);
    else
        err_set(why, CAUSE_REMOTE,
                "how many phones are registered cannot be "
                "told");
    return GOAL_OPEN;
}

enum goal cucm_goal_prove(const struct view *view, struct err *why)
{
    const struct cucm_replica *r = cucm_replica_of(view->plan, view->node);

    if (cucm_goal_upload(view, why) != GOAL_MET ||
        cucm_services_run(view->plan, view->node, why) < 0)
        return GOAL_OPEN;
    if (!cucm_shows_new(view->plan, view->node)) {
        err_set(why, CAUSE_REMOTE, "its listener shows another certificate");
        return GOAL_OPEN;
    }
    if (r && r->state == SET_UP && r->monitored)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its replication is not set up any more");
    return GOAL_OPEN;
}
