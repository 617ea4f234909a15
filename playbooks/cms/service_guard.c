/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard's part about services: is the ground for this command there, as
 * just read from this very node?  It knows no row and no order.
 */
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cms/service_priv.h"

static bool is_fresh(const struct view *view, enum cms_service service)
{
    const struct cms_facts *f = cms_facts_of(view);
    const struct cms_svc_facts *s = &f->services.service[service];

    return !f->base.unreachable && s->read_ms && !s->unknown &&
           clock_mono_ms() - s->read_ms <= CMS_FRESH_MS;
}

static bool ends(const char *text, const char *with)
{
    size_t len = strlen(text), n = strlen(with);

    return len >= n && strcmp(text + len - n, with) == 0;
}

/* To name files, to stop it and to start it: not to take its files from it.
 * Only a Call Bridge cannot be disabled. */
static bool is_switch(enum cms_service service, const char *text)
{
    if (strstr(text, " ucm ") || strstr(text, " imps "))
        return false;
    if (strstr(text, " certs "))
        return !ends(text, " none");
    return service == SVC_CALLBRIDGE
               ? ends(text, " restart")
               : ends(text, " disable") || ends(text, " enable");
}

static bool is_certs(const char *text)
{
    return strstr(text, " certs ") != NULL;
}

static bool is_trust(const char *text)
{
    const char *file;

    return cms_store_of(text, &file) < CMS_SVC_STORES;
}

/* Is it a command that this run may have for this node at all? */
static int is_ours(const struct view *view, enum cms_service service,
                   const char *text, struct err *err)
{
    if (is_trust(text))
        return cms_guard_trust(view, text, err);
    if (!is_switch(service, text))
        return err_set(err, CAUSE_REFUSED, "no run has a use for it");
    if (!cms_switches(view, service) &&
        (is_certs(text) || !cms_trust_touches(view->plan, view->node, service)))
        return err_set(err, CAUSE_REFUSED,
                       "this run does not switch %s on this node",
                       cms_services[service].name);
    return is_certs(text) ? cms_guard_trusted(view, service, err) : 0;
}

int cms_guard_service(const struct view *view, const char *text, bool *hold,
                      struct err *err)
{
    enum cms_service service = cms_service_of(text);
    const char *name = cms_services[service].name;

    if (is_ours(view, service, text, err) < 0)
        return -1;
    if (!is_fresh(view, service))
        return err_set(err, CAUSE_REFUSED, "its %s was not read just now",
                       name);
    if (!cms_has_target(view, view->node))
        return err_set(err, CAUSE_REFUSED, "I3: the %s set is not proven on it",
                       view->back ? "old" : "new");
    if (cms_nobody_else(view, err) < 0 ||
        cms_service_knows_names(view->plan, view->node, err) < 0) {
        *hold = true;
        return -1;
    }
    return 0;
}
