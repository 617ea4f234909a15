/* SPDX-License-Identifier: Apache-2.0
 *
 * What `check` says of a Meeting Server: how its database cluster is, and
 * which certificates it has.
 */
#include <inttypes.h>
#include <string.h>

#include "playbooks/cms/service_priv.h"

static const char *name_of(const struct view *view)
{
    return view->plan->nodes[view->node].node->name;
}

static void cluster_health(const struct view *view, const struct cms_status *s,
                           struct findings *findings)
{
    const struct cms_member *me = cms_status_me(s);
    uint32_t roles = view->plan->nodes[view->node].roles;

    if (s->word == CMS_ODD)
        findings_add(findings, SEVERITY_ERROR, "status-unknown", name_of(view),
                     "its database status fits no rule");
    else if (s->word == CMS_ERROR)
        findings_add(findings, SEVERITY_ERROR, "in-error", name_of(view),
                     "its database cluster is in Error: %s", s->error);
    else if ((roles & CMS_DATABASE) && s->place == CMS_IS_REPLICA &&
             !me->in_sync)
        findings_add(findings, SEVERITY_ERROR, "not-in-sync", name_of(view),
                     "it is a replica that is not in sync");
    else if ((roles & CMS_DATABASE) && s->place != CMS_IS_PRIMARY &&
             s->place != CMS_IS_REPLICA)
        findings_add(findings, SEVERITY_ERROR, "not-member", name_of(view),
                     "it is to be a database node, and is %s",
                     cms_place_word(s->place));
    else if ((roles & CMS_CONNECT) && s->place != CMS_IS_CLIENT)
        findings_add(findings, SEVERITY_ERROR, "not-connected", name_of(view),
                     "it is to be connected, and is %s",
                     cms_place_word(s->place));
}

void cms_health(const struct view *view, struct findings *findings)
{
    const struct cms_facts *f = cms_facts_of(view);
    uint32_t roles = view->plan->nodes[view->node].roles;

    cms_service_health(view, findings);
    if (!(roles & (CMS_DATABASE | CMS_CONNECT)))
        return;
    cluster_health(view, &f->status, findings);
    if (f->clock_known && (f->clock_off_ms > 30000 || f->clock_off_ms < -30000))
        findings_add(findings, SEVERITY_WARNING, "clock-skew", name_of(view),
                     "its clock is %" PRId64 " s off ours",
                     f->clock_off_ms / 1000);
    if (f->served && f->old[CMS_SERVER_CRT].sha256[0] &&
        strcmp(f->served_info.sha256, f->old[CMS_SERVER_CRT].info.sha256) != 0)
        findings_add(findings, SEVERITY_WARNING, "serves-other", name_of(view),
                     "the certificate that it serves is not the one that its "
                     "status names");
    for (int i = 0; i < CMS_SLOTS; i++)
        if (f->old[i].missing)
            findings_add(findings, SEVERITY_WARNING, "file-missing",
                         name_of(view),
                         "%s, which its status names, is not "
                         "there",
                         f->old[i].name);
}

void cms_certificates(const struct view *view, cert_row_f *each, void *user)
{
    static const struct {
        enum cms_slot slot;
        const char *service, *playbook;
    } rows[] = {
        {CMS_SERVER_CRT, "database server", "cms/db-rotate"},
        {CMS_CLIENT_CRT, "database client", "cms/db-rotate"},
        {CMS_CA_CRT, "database ca", NULL},
    };
    const struct cms_facts *f = cms_facts_of(view);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct cms_file *file = &f->old[rows[i].slot];
        struct cert_row row = {.service = rows[i].service,
                               .file = file->name,
                               .playbook = rows[i].playbook};
        if (!file->sha256[0])
            continue;
        row.info = file->info;
        each(user, &row);
    }
    cms_service_certificates(view, each, user);
}
