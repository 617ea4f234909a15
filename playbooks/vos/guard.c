/* SPDX-License-Identifier: Apache-2.0
 *
 * May this go out now?  Asked right before every act, of what was just read; it
 * knows no row and no order.  The invariants are vos.h's.
 */
#include <string.h>

#include "playbooks/vos/vos.h"

static const char *name_of(const struct plan_cluster *pc, size_t i)
{
    return pc->nodes[i].node->name;
}

static int was_read(const struct view *view, enum vos_read bit,
                    const char *what, struct err *err)
{
    return vos_is_fresh(vos_facts_of(view), bit)
               ? 0
               : err_set(err, CAUSE_REFUSED, "%s not read just now", what);
}

static int guard_csr(const struct view *view, struct err *err)
{
    const struct vos_facts *f = vos_facts_of(view);

    if (view->plan->left || view->plan->issued)
        return err_set(err, CAUSE_REFUSED,
                       "W1: its request is answered already");
    if (was_read(view, VOS_READ_CSR, "its request was", err) < 0)
        return -1;
    if (!f->csr_known ||
        (f->csr_sha256[0] && !plan_accepts(view->plan->plan, "request") &&
         !vos_has_sent(&view->plan->nodes[view->node], "set csr gen tomcat")))
        return err_set(err, CAUSE_REFUSED,
                       "a request that is not ours waits for its answer");
    return 0;
}

static int is_issued(const struct view *view, struct err *err)
{
    return view->plan->issued && view->plan->loaded
               ? 0
               : err_set(err, CAUSE_REFUSED, "there is no certificate yet");
}

/* W2 */
static int others_serve(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        if (i == view->node)
            continue;
        if (!vos_is_fresh(vos_facts_at(pc, i), VOS_READ_SERVICES))
            return err_set(err, CAUSE_REFUSED,
                           "W2: node %s was not read just now", name_of(pc, i));
        if (vos_services_run(pc, i, err) < 0) {
            err->cause = CAUSE_REFUSED;
            return err_context(err, "W2: node %s", name_of(pc, i));
        }
        if ((pc->nodes[i].node->roles & VOS_PRIMARY) && !vos_shows_new(pc, i))
            return err_set(err, CAUSE_REFUSED,
                           "W2: node %s, the primary, does not show its new "
                           "certificate",
                           name_of(pc, i));
    }
    return 0;
}

static int guard_upload(const struct view *view, struct err *err)
{
    if (is_issued(view, err) < 0 ||
        was_read(view, VOS_READ_CSR, "W1: its request was", err) < 0 ||
        was_read(view, VOS_READ_TRUST, "W1: its trust store was", err) < 0)
        return -1;
    if (!vos_has_our_request(view->plan, view->node))
        return err_set(err, CAUSE_REFUSED,
                       "W1: the request that it has is not the one that was "
                       "answered");
    for (const char *const *slot = vos_ca_slots; *slot; slot++)
        if (vos_lacks_ca(view->plan, view->node, *slot))
            return err_set(err, CAUSE_REFUSED,
                           "W1: its trust store lacks the CA %s",
                           vos_slot(view->plan, view->node, *slot)->name);
    return others_serve(view, err);
}

static int guard_restart(const struct view *view, struct err *err)
{
    if (is_issued(view, err) < 0 ||
        was_read(view, VOS_READ_OWN, "W3: its certificate was", err) < 0)
        return -1;
    if (vos_has_new(view->plan, view->node) != GOAL_MET)
        return err_set(err, CAUSE_REFUSED,
                       "W3: its new certificate was not read back");
    return others_serve(view, err);
}

static int judge(const struct view *view, const char *text, struct err *err)
{
    if (strcmp(text, "set csr gen tomcat") == 0)
        return guard_csr(view, err);
    if (strcmp(text, "show csr own tomcat") == 0)
        return 0;
    if (strcmp(text, "set cert import trust tomcat") == 0)
        return is_issued(view, err);
    if (strcmp(text, "set cert import own tomcat") == 0)
        return guard_upload(view, err);
    if (strcmp(text, "utils system restart") == 0)
        return guard_restart(view, err);
    return err_set(err, CAUSE_REFUSED, "no run has a use for it");
}

int vos_guard(const struct view *view, const struct act *act, const char *text,
              bool *hold, struct err *err)
{
    int rc;

    (void)act;
    (void)hold;
    if (view->back)
        rc = err_set(err, CAUSE_REFUSED, "there is no way back here");
    else
        rc = judge(view, text, err);
    return rc < 0 ? err_context(err, "`%s' was not sent", text) : 0;
}
