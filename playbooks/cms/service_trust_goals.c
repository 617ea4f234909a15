/* SPDX-License-Identifier: Apache-2.0
 *
 * The goals of the rows that change trust stores, before the services are
 * switched and after it, and what they ask of the guard.
 *
 * A printout shows which file a store names, never whether the service has
 * started with it (facts/cms.md 5.1): a row that was begun and not seen through
 * starts it anew.
 */
#include <string.h>

#include "core/run/probe.h"
#include "playbooks/cms/service_priv.h"

static const struct cms_svc_all *services_of(const struct view *view)
{
    return &cms_facts_of(view)->services;
}

bool cms_trust_names(const struct plan_cluster *pc, size_t node,
                     enum cms_svc_store store, enum cms_trust_part part)
{
    const struct cms_store_facts *f =
        &cms_facts_at(pc, node)->services.store[store];
    const struct set_file *file = cms_trust_file(pc, node, store, part);

    return file && file->name && file->sha256[0] &&
           strcmp(f->file, file->name) == 0 &&
           strcmp(f->held[part], file->sha256) == 0;
}

bool cms_trust_changes(const struct view *view, enum cms_svc_store store)
{
    return cms_trust_file(view->plan, view->node, store, TRUST_OLD) != NULL;
}

bool cms_trust_ends(const struct view *view, enum cms_svc_store store)
{
    return cms_trust_changes(view, store) &&
           cms_trust_last(view->plan, view->node, store, view->back) !=
               TRUST_BOTH;
}

/* -- a store --------------------------------------------------------------- */

/* Both are trusted; so they are where nothing was begun yet on a way back, and
 * where the end has come already. */
static bool trusts_enough(const struct view *view, enum cms_svc_store store)
{
    return cms_trust_names(view->plan, view->node, store, TRUST_BOTH) ||
           cms_trust_names(
               view->plan, view->node, store,
               cms_trust_last(view->plan, view->node, store, view->back));
}

static bool is_named(const struct view *view, enum cms_svc_store store,
                     bool last)
{
    return last ? cms_trust_names(
                      view->plan, view->node, store,
                      cms_trust_last(view->plan, view->node, store, view->back))
                : trusts_enough(view, store);
}

static enum goal not_named(const struct view *view, enum cms_svc_store store,
                           struct err *why)
{
    const char *file = services_of(view)->store[store].file;

    err_set(why, CAUSE_REMOTE,
            "`%s' names %s, or that file is not as it was "
            "made",
            cms_stores[store].command, file[0] ? file : "none");
    return GOAL_OPEN;
}

/* -- a service ------------------------------------------------------------- */

/* SUCCESS may come before the service does. */
static enum goal is_up(const struct view *view, enum cms_service service,
                       struct err *why)
{
    for (int k = 0; k < CMS_SVC_SLOTS; k++) {
        const struct cms_slot_facts *f = &services_of(view)->slot[k];
        unsigned port = cms_slot_port(f, (enum cms_svc_slot)k);

        if (cms_slots[k].service != service || !port ||
            !f->files[PART_CRT][0] ||
            (f->served_sha256[0] && f->served_ms >= view->acted_ms) ||
            plan_accepts(view->plan->plan, "no-tls"))
            continue;
        err_set(why, CAUSE_REMOTE, "%s does not answer on port %u",
                cms_slots[k].title, port);
        return GOAL_OPEN;
    }
    return GOAL_MET;
}

static enum goal is_loaded(const struct view *view, enum cms_service service,
                           struct err *why)
{
    if (view->acted)
        return is_up(view, service, why);
    if (!view->begun)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE,
            "whether %s runs with what it is to trust cannot be seen",
            cms_services[service].name);
    return GOAL_OPEN;
}

/* Is this row about the store at all, and what it names new with this row? */
static bool is_asked(const struct view *view, enum cms_svc_store store,
                     enum cms_service service, bool last)
{
    return cms_stores[store].service == service &&
           (last ? cms_trust_ends(view, store)
                 : cms_trust_changes(view, store));
}

static enum goal service_goal(const struct view *view, enum cms_service service,
                              bool last, struct err *why)
{
    const struct cms_svc_facts *f = &services_of(view)->service[service];
    bool asked = false;

    for (int k = 0; k < CMS_SVC_STORES; k++) {
        enum cms_svc_store store = (enum cms_svc_store)k;
        if (!is_asked(view, store, service, last))
            continue;
        if (!is_named(view, store, last))
            return not_named(view, store, why);
        asked = true;
    }
    /* on a way back what is down is started by the rows that follow */
    if (!asked || (view->back && !last && !view->acted && !view->begun))
        return GOAL_MET;
    if (f->enabled_shown && !f->enabled) {
        err_set(why, CAUSE_REMOTE, "%s is not enabled",
                cms_services[service].name);
        return GOAL_OPEN;
    }
    return is_loaded(view, service, why);
}

static bool is_read(const struct view *view, enum cms_service service,
                    struct err *why)
{
    const struct cms_svc_facts *f = &services_of(view)->service[service];

    if (f->read_ms && !f->unknown)
        return true;
    err_set(why, CAUSE_REMOTE, "its %s cannot be read",
            cms_services[service].name);
    return false;
}

enum goal cms_trust_goal(const struct view *view, uint32_t services, bool last,
                         struct err *why)
{
    for (int s = 0; s < CMS_SERVICES; s++) {
        enum cms_service service = (enum cms_service)s;
        enum goal goal;

        if (!(services & (1U << s)) ||
            !cms_trust_touches(view->plan, view->node, service))
            continue;
        if (!is_read(view, service, why))
            return GOAL_UNKNOWN;
        goal = service_goal(view, service, last, why);
        if (goal != GOAL_MET)
            return goal;
    }
    return GOAL_MET;
}

/* -- rows that only read --------------------------------------------------- */

static enum goal all_named(const struct view *view, bool last, struct err *why)
{
    for (int k = 0; k < CMS_SVC_STORES; k++) {
        enum cms_svc_store store = (enum cms_svc_store)k;
        if (!cms_trust_changes(view, store))
            continue;
        if (!is_read(view, cms_stores[k].service, why))
            return GOAL_UNKNOWN;
        if (!is_named(view, store, last))
            return not_named(view, store, why);
    }
    return GOAL_MET;
}

enum goal cms_goal_trusted(const struct view *view, struct err *why)
{
    return all_named(view, false, why);
}

enum goal cms_goal_trust_last(const struct view *view, struct err *why)
{
    return all_named(view, true, why);
}
