/* SPDX-License-Identifier: Apache-2.0
 *
 * What `check` says of the services that the inventory gives a node: which
 * certificates their printouts name, and whether their ports show them.
 */
#include <stdio.h>
#include <string.h>

#include "core/run/preflight.h"
#include "playbooks/cms/service_priv.h"

static bool has_service(const struct view *view, enum cms_service service)
{
    return cms_has_service(view->plan->nodes[view->node].node, service);
}

static const char *name_of(const struct view *view)
{
    return view->plan->nodes[view->node].node->name;
}

/* Is a finding of D8 one at all, as the inventory weighs it? */
static bool tells_public(const struct view *view)
{
    struct findings list = {0};
    bool told;

    findings_add(&list, SEVERITY_WARNING, "D8", NULL, "%s", "");
    preflight_grade(view->plan->cluster->checks, &list);
    told = list.n > 0;
    findings_release(&list);
    return told;
}

static void say_slot(const struct view *view, enum cms_svc_slot slot,
                     struct str *out)
{
    const struct cms_slot_facts *f = &cms_facts_of(view)->services.slot[slot];

    if (f->served_sha256[0] && strcmp(f->served_sha256, f->crt->sha256) != 0)
        str_addf(out, "port %u shows another one", cms_slot_port(f, slot));
    if (cms_slots[slot].both && f->public_client && tells_public(view))
        str_addf(out,
                 "%sD8: a public CA's, and it is shown to servers, too: have "
                 "it signed by a CA of your own before they end",
                 out->len ? "; " : "");
}

void cms_service_certificates(const struct view *view, cert_row_f *each,
                              void *user)
{
    for (int i = 0; i < CMS_SVC_SLOTS; i++) {
        enum cms_svc_slot slot = (enum cms_svc_slot)i;
        const struct cms_slot_facts *f =
            &cms_facts_of(view)->services.slot[slot];
        struct cert_row row = {.service = cms_slots[i].title,
                               .file = f->files[PART_CRT],
                               .playbook = "cms/service-rotate",
                               .input_key = "service",
                               .input_value =
                                   cms_services[cms_slots[i].service].name};
        struct str said;

        if (!has_service(view, cms_slots[i].service) || !f->crt ||
            f->crt->kind != PKI_CERTIFICATE)
            continue;
        str_init(&said, sizeof(row.findings) - 1);
        say_slot(view, slot, &said);
        snprintf(row.findings, sizeof(row.findings), "%s", str_text(&said));
        str_release(&said);
        row.info = *f->crt;
        each(user, &row);
    }
}

static void check_slot(const struct view *view, enum cms_svc_slot slot,
                       struct findings *findings)
{
    const struct cms_slot_facts *f = &cms_facts_of(view)->services.slot[slot];

    if (f->old[PART_CRT].missing)
        findings_add(findings, SEVERITY_WARNING, "file-missing", name_of(view),
                     "%s, which %s names, is not there", f->files[PART_CRT],
                     cms_slots[slot].title);
}

void cms_service_health(const struct view *view, struct findings *findings)
{
    const struct cms_svc_all *all = &cms_facts_of(view)->services;

    for (int s = 0; s < CMS_SERVICES; s++)
        if (has_service(view, (enum cms_service)s) && all->service[s].unknown)
            findings_add(findings, SEVERITY_WARNING, "no-service",
                         name_of(view), "it does not know the command `%s'",
                         cms_services[s].name);
    for (int i = 0; i < CMS_SVC_SLOTS; i++)
        if (has_service(view, cms_slots[i].service))
            check_slot(view, (enum cms_svc_slot)i, findings);
}
