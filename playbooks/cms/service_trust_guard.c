/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard's part about trust stores (I8): nothing is shown before all that
 * judge it were read to trust it, and nothing is dropped from a store while a
 * node of the cluster names it.  Of this run's files and the old ones only, and
 * only when the node was just read to have them.
 */
#include <string.h>

#include "core/run/probe.h"
#include "playbooks/cms/service_priv.h"

enum cms_svc_store cms_store_of(const char *command, const char **file)
{
    unsigned k = 0;

    for (; k < CMS_SVC_STORES; k++) {
        size_t len = strlen(cms_stores[k].command);
        *file = command + len + 1;
        if (cms_stores[k].word &&
            strncmp(command, cms_stores[k].command, len) == 0 &&
            command[len] == ' ')
            break;
    }
    return (enum cms_svc_store)k;
}

static bool was_read(const struct view *view, size_t node)
{
    return facts_since(view->plan->nodes[node].facts, CMS_READ_SERVICES,
                       view->walk_ms);
}

static int unread(const struct view *view, size_t node, struct err *err)
{
    return err_set(err, CAUSE_REFUSED,
                   "I8: node %s was not read since this began",
                   view->plan->nodes[node].node->name);
}

/* -- what is dropped is shown by nobody ------------------------------------ */

static bool names_set(const struct plan_cluster *pc, size_t node,
                      enum cms_svc_slot slot, const struct file_set *set)
{
    const struct cms_slot_facts *f =
        &cms_facts_at(pc, node)->services.slot[slot];

    return cms_is_name_of(set, cms_svc_word(slot, PART_CRT),
                          f->files[PART_CRT]);
}

static int all_show(const struct view *view, enum cms_svc_store store, bool old,
                    struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < pc->n_nodes; i++)
        for (int slot = 0; slot < CMS_SVC_SLOTS; slot++) {
            const struct plan_node *pn = &pc->nodes[i];
            if (!(cms_stores[store].slots & (1U << slot)) || pn->left_out ||
                !(pn->roles & cms_switch_bit(cms_slots[slot].service)))
                continue;
            if (!was_read(view, i))
                return unread(view, i, err);
            if (!names_set(pc, i, (enum cms_svc_slot)slot,
                           old ? &pn->old : &pn->own))
                return err_set(err, CAUSE_REFUSED,
                               "I8: %s of node %s names a certificate that "
                               "would be trusted no more",
                               cms_slots[slot].title, pn->node->name);
        }
    return 0;
}

static enum cms_trust_part part_of(const struct view *view,
                                   enum cms_svc_store store, const char *file)
{
    unsigned part = 0;

    for (; part < CMS_TRUST_PARTS; part++) {
        const struct set_file *f =
            cms_trust_file(view->plan, view->node, store, part);
        if (f && f->name && strcmp(f->name, file) == 0)
            break;
    }
    return (enum cms_trust_part)part;
}

int cms_guard_trust(const struct view *view, const char *text, struct err *err)
{
    const char *file;
    enum cms_svc_store store = cms_store_of(text, &file);
    enum cms_trust_part part;
    const struct set_file *f;

    if (store == CMS_SVC_STORES || strcmp(file, "none") == 0)
        return err_set(err, CAUSE_REFUSED, "no run has a use for it");
    if (!cms_trust_file(view->plan, view->node, store, TRUST_OLD))
        return err_set(err, CAUSE_REFUSED,
                       "I8: this run does not change what it trusts");
    part = part_of(view, store, file);
    if (part == CMS_TRUST_PARTS)
        return err_set(err, CAUSE_REFUSED,
                       "I8: %s is neither of this run nor what it named before",
                       file);
    f = cms_trust_file(view->plan, view->node, store, part);
    if (!f->sha256[0] ||
        strcmp(f->sha256,
               cms_facts_of(view)->services.store[store].held[part]) != 0)
        return err_set(err, CAUSE_REFUSED, "I8: %s is not proven on it", file);
    return part == TRUST_BOTH ? 0
                              : all_show(view, store, part == TRUST_OLD, err);
}

/* -- what is shown is trusted ---------------------------------------------- */

static bool trusts(const struct view *view, size_t node,
                   enum cms_svc_store store)
{
    return cms_trust_names(view->plan, node, store, TRUST_BOTH) ||
           cms_trust_names(view->plan, node, store,
                           cms_trust_last(view->plan, node, store, view->back));
}

static bool judges(enum cms_svc_store store, enum cms_service service)
{
    for (int slot = 0; slot < CMS_SVC_SLOTS; slot++)
        if (cms_slots[slot].service == service &&
            (cms_stores[store].slots & (1U << slot)))
            return true;
    return false;
}

int cms_guard_trusted(const struct view *view, enum cms_service service,
                      struct err *err)
{
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < pc->n_nodes; i++)
        for (int k = 0; k < CMS_SVC_STORES; k++) {
            enum cms_svc_store store = (enum cms_svc_store)k;
            if (pc->nodes[i].left_out || pc->nodes[i].dropped ||
                !judges(store, service) ||
                !cms_trust_file(pc, i, store, TRUST_OLD))
                continue;
            if (!was_read(view, i))
                return unread(view, i, err);
            if (!trusts(view, i, store))
                return err_set(err, CAUSE_REFUSED,
                               "I8: `%s' of node %s does not trust it yet",
                               cms_stores[k].command, pc->nodes[i].node->name);
        }
    return 0;
}
