/* SPDX-License-Identifier: Apache-2.0
 *
 * May this go out now?  Asked right before every act, of what was just read; it
 * knows no row and no order.  The invariants are cucm.h's.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cucm/cucm.h"

enum {
    SET_UP = 2
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool in_scope(const struct plan_cluster *pc, size_t i)
{
    return (pc->nodes[i].roles & CUCM_IN_SCOPE) != 0;
}

static const char *name_of(const struct plan_cluster *pc, size_t i)
{
    return pc->nodes[i].node->name;
}

static int must_be_head(const struct view *view, struct err *err)
{
    if (!(view->plan->nodes[view->node].roles & CUCM_HEAD))
        return err_set(err, CAUSE_REFUSED,
                       "it is not the publisher of this "
                       "type");
    if (!cucm_facts_of(view)->certs_known ||
        !cucm_is_fresh(cucm_facts_of(view), CUCM_READ_CERTS))
        return err_set(err, CAUSE_REFUSED,
                       "its certificates were not read just now");
    return 0;
}

static int guard_csr(const struct view *view, struct err *err)
{
    const struct cucm_unit *u = cucm_unit_at(view->plan, view->node);
    const struct plan_node *pn = &view->plan->nodes[view->node];

    if (view->plan->left || view->plan->issued)
        return err_set(err, CAUSE_REFUSED,
                       "V1: its request is answered already");
    if (u->request_sha256[0] && !plan_accepts(view->plan->plan, "request") &&
        !cucm_has_sent(pn, "POST " CUCM_REST "/csr "))
        return err_set(err, CAUSE_REFUSED,
                       "a request that is not ours waits for its answer");
    return 0;
}

static int guard_trust(const struct view *view, struct err *err)
{
    if (!view->plan->issued || !view->plan->loaded)
        return err_set(err, CAUSE_REFUSED, "there is no certificate yet");
    return 0;
}

/* V2 */
static int cluster_is_well(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    if (!cucm_is_fresh(cucm_facts_of(view), CUCM_READ_REPLICATION))
        return err_set(err, CAUSE_REFUSED,
                       "V2: its replication was not read just now");
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cucm_replica *r = cucm_replica_of(pc, i);

        if (in_scope(pc, i) && (!r || r->state != SET_UP || !r->monitored))
            return err_set(err, CAUSE_REFUSED,
                           "V2: the replication of node %s is not set up",
                           name_of(pc, i));
        if (in_scope(pc, i) && cucm_services_run(pc, i, err) < 0) {
            err->cause = CAUSE_REFUSED;
            return err_context(err, "V2: node %s", name_of(pc, i));
        }
    }
    return 0;
}

static int guard_upload(const struct view *view, struct err *err)
{
    const struct set_file *csr = set_slot(&view->plan->set, "csr");
    const struct cucm_unit *u = cucm_unit_at(view->plan, view->node);
    size_t missing;
    char **list;

    if (!view->plan->issued || !view->plan->loaded || !csr->sha256[0] ||
        strcmp(u->request_sha256, csr->sha256) != 0)
        return err_set(err, CAUSE_REFUSED,
                       "V1: the request that it has is not the one that was "
                       "answered");
    list = cucm_missing_trust(view->plan, &missing);
    for (size_t i = 0; i < missing; i++)
        free(list[i]);
    free(list);
    if (missing)
        return err_set(err, CAUSE_REFUSED,
                       "V1: its trust store lacks %zu CAs of the chain",
                       missing);
    return cluster_is_well(view, err);
}

/* V3 */
static int all_have_new(const struct plan_cluster *pc, struct err *err)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (in_scope(pc, i) && !cucm_has_new(pc, i))
            return err_set(err, CAUSE_REFUSED,
                           "V3: node %s was not seen to have the new "
                           "certificate",
                           name_of(pc, i));
    return 0;
}

static int guard_ctl(const struct view *view, struct err *err)
{
    const struct cucm_facts *f = cucm_facts_of(view);

    if (!(view->plan->nodes[view->node].node->roles & CUCM_PUBLISHER))
        return err_set(err, CAUSE_REFUSED, "it is not the publisher");
    if (!cucm_is_fresh(f, CUCM_READ_MODE) || !f->mode_known || !f->mixed)
        return err_set(err, CAUSE_REFUSED,
                       "it was not read just now that the cluster is in mixed "
                       "mode");
    return all_have_new(view->plan, err);
}

/* V5 */
static int ctl_is_new(const struct plan_cluster *pc, struct err *err)
{
    const struct cucm_facts *f = cucm_facts_at(pc, cucm_head(pc));

    if (!cucm_type_of(pc->plan)->in_ctl)
        return 0;
    if (!f->mode_known)
        return err_set(err, CAUSE_REFUSED,
                       "V5: the cluster's security mode is not known");
    if (f->mixed && !cucm_ctl_has_new(pc))
        return err_set(err, CAUSE_REFUSED,
                       "V5: the CTL does not hold the new certificate");
    return 0;
}

/* V4 */
static int others_serve(const struct view *view, struct err *err)
{
    const struct plan_cluster *pc = view->plan;
    size_t head = cucm_head(pc);

    if (view->node != head && !cucm_shows_new(pc, head))
        return err_set(err, CAUSE_REFUSED,
                       "V4: node %s does not show the new certificate",
                       name_of(pc, head));
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (i != view->node && in_scope(pc, i) &&
            cucm_services_run(pc, i, err) < 0) {
            err->cause = CAUSE_REFUSED;
            return err_context(err, "V4: node %s", name_of(pc, i));
        }
    return 0;
}

static int guard_restart(const struct view *view, const char *service,
                         struct err *err)
{
    if (!cucm_restarts(view, service))
        return err_set(err, CAUSE_REFUSED,
                       "this run does not start %s anew on this node", service);
    if (!cucm_is_fresh(cucm_facts_of(view), CUCM_READ_SERVICES))
        return err_set(err, CAUSE_REFUSED,
                       "its services were not read just now");
    if (all_have_new(view->plan, err) < 0 || ctl_is_new(view->plan, err) < 0)
        return -1;
    return others_serve(view, err);
}

static int guard_post(const struct view *view, const char *text,
                      struct err *err)
{
    if (must_be_head(view, err) < 0)
        return -1;
    if (begins(text, "POST " CUCM_REST "/csr "))
        return guard_csr(view, err);
    if (begins(text, "POST " CUCM_REST "/trust/certificates "))
        return guard_trust(view, err);
    if (begins(text, "POST " CUCM_REST "/identity/certificates "))
        return guard_upload(view, err);
    return err_set(err, CAUSE_REFUSED, "no run has a use for it");
}

int cucm_guard(const struct view *view, const struct act *act, const char *text,
               bool *hold, struct err *err)
{
    static const char restart[] = "utils service restart ";
    int rc;

    (void)hold;
    if (view->back)
        rc = err_set(err, CAUSE_REFUSED, "there is no way back here");
    else if (!in_scope(view->plan, view->node))
        rc = err_set(err, CAUSE_REFUSED, "nothing is to be changed on it");
    else if (act->kind == ACT_POST)
        rc = guard_post(view, text, err);
    else if (begins(text, restart))
        rc = guard_restart(view, text + strlen(restart), err);
    else if (strcmp(text, "utils ctl update CTLFile") == 0)
        rc = guard_ctl(view, err);
    else
        rc = err_set(err, CAUSE_REFUSED, "no run has a use for it");
    return rc < 0 ? err_context(err, "`%s' was not sent", text) : 0;
}
