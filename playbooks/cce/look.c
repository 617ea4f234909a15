/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about a server, answered from its facts and the plan alone.
 */
#include <string.h>

#include "playbooks/cce/cce.h"

const struct plan_node *cce_node(const struct view *view)
{
    return &view->plan->nodes[view->node];
}

static bool same(const char *a, const char *b)
{
    return a[0] && strcmp(a, b) == 0;
}

/* -- bindings -------------------------------------------------------------- */

bool cce_was_bound(const struct plan_cluster *pc, size_t i,
                   enum cce_listener listener, const char *thumb)
{
    const struct set_file *old =
        set_slot(&pc->nodes[i].old, cce_listeners[listener].slot);

    return old && old->name && same(thumb, old->name);
}

static bool has_sent_it(const struct plan_node *pn, const char *thumb)
{
    for (size_t i = 0; i < pn->n_sent; i++) {
        const char *at = strstr(pn->sent[i], "certhash=");

        if (!at)
            at = strstr(pn->sent[i], "/certhash:");
        at = at ? strpbrk(at, "=:") + 1 : NULL;
        if (at && strncmp(at, thumb, PKI_SHA1_HEX - 1) == 0)
            return true;
    }
    return false;
}

bool cce_we_bound(const struct view *view, const char *thumb)
{
    struct pki_cert_info info;

    if (cce_slot_info(cce_node(view), "crt", &info) && same(thumb, info.sha1))
        return true;
    return thumb[0] && has_sent_it(cce_node(view), thumb);
}

bool cce_is_bound(const struct view *view, enum cce_listener listener)
{
    char thumb[PKI_SHA1_HEX];

    cce_target_thumb(view, listener, thumb);
    return same(thumb, cce_facts_of(view)->bound[listener].thumb);
}

/* -- trust stores ---------------------------------------------------------- */

static const char *old_sha256(const struct plan_cluster *pc, size_t i,
                              enum cce_store store)
{
    const struct set_file *old =
        set_slot(&pc->nodes[i].old, cce_store_words[store]);

    return old ? old->sha256 : "";
}

bool cce_store_is(const struct plan_cluster *pc, size_t i, enum cce_store store,
                  enum cce_copy copy)
{
    const struct cce_facts *f = cce_facts_at(pc, i);

    return same(f->store_sha256[store], copy == CCE_OLD
                                            ? old_sha256(pc, i, store)
                                            : f->copy_sha256[store][CCE_NEW]);
}

bool cce_is_kept(const struct view *view, enum cce_store store)
{
    return same(cce_facts_of(view)->copy_sha256[store][CCE_OLD],
                old_sha256(view->plan, view->node, store));
}

static bool holds(const struct cce_held *held, const char *sha256)
{
    for (size_t i = 0; i < held->n; i++)
        if (strcmp(held->sha256[i], sha256) == 0)
            return true;
    return false;
}

int cce_staged_is_good(const struct view *view, enum cce_store store,
                       struct err *why)
{
    const struct cce_facts *f = cce_facts_of(view);
    struct pki_cert_info info;

    if (!facts_since(&f->node.base, CCE_READ_STAGED, view->walk_ms) ||
        !f->copy_sha256[store][CCE_NEW][0])
        return err_set(why, CAUSE_REMOTE,
                       "the copy of the %s trust store was "
                       "not listed",
                       cce_store_words[store]);
    for (size_t k = 0; cce_ca_slots[k]; k++)
        if (cce_slot_info(cce_node(view), cce_ca_slots[k], &info) &&
            !holds(&f->staged[store], info.sha256))
            return err_set(why, CAUSE_REMOTE,
                           "the copy of the %s trust store lacks %s",
                           cce_store_words[store], info.common_name);
    return 0;
}

bool cce_is_swapped(const struct view *view)
{
    for (int s = 0; s < CCE_STORES; s++)
        if (!cce_store_is(view->plan, view->node, (enum cce_store)s,
                          view->back ? CCE_OLD : CCE_NEW))
            return false;
    return true;
}
