/* SPDX-License-Identifier: Apache-2.0
 *
 * The goals of cms/service-rotate: a service is as wanted when its printout
 * names the target's files, it runs, and its port shows the target's
 * certificate.
 */
#include <string.h>

#include "core/run/probe.h"
#include "playbooks/cms/service_priv.h"

static const struct plan_node *node_of(const struct view *view)
{
    return &view->plan->nodes[view->node];
}

static const char *target_name(const struct view *view, enum cms_svc_slot slot,
                               enum cms_svc_part part)
{
    const struct set_file *file =
        set_slot(plan_target(view->plan, view->node, view->back),
                 cms_svc_word(slot, part));

    return file && plan_node_gets(node_of(view), file) ? file->name : "";
}

bool cms_is_plain(const struct view *view, enum cms_svc_slot slot)
{
    return cms_facts_of(view)->services.slot[slot].plain;
}

bool cms_has_bundle(const struct view *view, enum cms_svc_slot slot)
{
    return target_name(view, slot, PART_CA)[0] != '\0';
}

static bool names_target(const struct view *view, enum cms_svc_slot slot)
{
    const struct cms_slot_facts *f = &cms_facts_of(view)->services.slot[slot];

    for (int k = 0; k < CMS_SVC_PARTS; k++) {
        const char *name = target_name(view, slot, (enum cms_svc_part)k);
        if (strcmp(f->files[k], k == PART_CA && f->plain ? "" : name) != 0)
            return false;
    }
    return f->files[PART_KEY][0] != '\0';
}

/* What has no port to look at is believed when nothing was begun with it, or
 * when this very try has started it and was told SUCCESS. */
static enum goal not_seen(const struct view *view, enum cms_svc_slot slot,
                          struct err *why)
{
    if (view->acted || !view->begun)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "whether %s runs with them cannot be seen",
            cms_slots[slot].title);
    return GOAL_OPEN;
}

static enum goal shows_target(const struct view *view, enum cms_svc_slot slot,
                              struct err *why)
{
    const struct cms_slot_facts *f = &cms_facts_of(view)->services.slot[slot];
    const struct set_file *crt =
        set_slot(plan_target(view->plan, view->node, view->back),
                 cms_svc_word(slot, PART_CRT));
    bool seen = f->served_sha256[0] && f->served_ms >= view->walk_ms;

    if (!cms_slot_port(f, slot) ||
        (!f->served_sha256[0] && plan_accepts(view->plan->plan, "no-tls")))
        return not_seen(view, slot, why);
    if (seen && crt && strcmp(f->served_sha256, crt->cert_sha256) == 0)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "%s %s on port %u", cms_slots[slot].title,
            seen ? "shows another certificate" : "does not answer",
            cms_slot_port(f, slot));
    return GOAL_OPEN;
}

static enum goal slot_goal(const struct view *view, enum cms_svc_slot slot,
                           struct err *why)
{
    if (names_target(view, slot))
        return shows_target(view, slot, why);
    err_set(why, CAUSE_REMOTE, "%s names %s", cms_slots[slot].title,
            cms_facts_of(view)->services.slot[slot].files[PART_CRT]);
    return GOAL_OPEN;
}

enum goal cms_service_goal(const struct view *view, enum cms_service service,
                           struct err *why)
{
    const struct cms_svc_facts *f =
        &cms_facts_of(view)->services.service[service];

    if (!f->read_ms || f->unknown) {
        err_set(why, CAUSE_REMOTE, "its %s cannot be read",
                cms_services[service].name);
        return GOAL_UNKNOWN;
    }
    if (f->enabled_shown && !f->enabled) {
        err_set(why, CAUSE_REMOTE, "%s is not enabled",
                cms_services[service].name);
        return GOAL_OPEN;
    }
    for (int i = 0; i < CMS_SVC_SLOTS; i++)
        if (cms_slots[i].service == service) {
            enum goal goal = slot_goal(view, (enum cms_svc_slot)i, why);
            if (goal != GOAL_MET)
                return goal;
        }
    return GOAL_MET;
}

static enum goal files_are_there(const struct view *view, struct err *why)
{
    if (cms_has_target(view, view->node))
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "its files are not all there as they were");
    return GOAL_OPEN;
}

/* Only reads: what was acted upon was proven by its own row. */
enum goal cms_goal_services(const struct view *view, struct err *why)
{
    struct view seen = *view;

    seen.acted = true;
    for (int s = 0; s < CMS_SERVICES; s++)
        if (cms_switches(view, (enum cms_service)s)) {
            enum goal goal = cms_service_goal(&seen, (enum cms_service)s, why);
            if (goal != GOAL_MET)
                return goal;
        }
    if (cms_goal_trust_last(view, why) != GOAL_MET)
        return GOAL_OPEN;
    return files_are_there(view, why);
}
