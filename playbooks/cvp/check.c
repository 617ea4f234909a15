/* SPDX-License-Identifier: Apache-2.0
 *
 * `check': how a CVP server is, and its certificates.
 */
#include <stdio.h>
#include <string.h>

#include "playbooks/cvp/cvp.h"

static const struct node *node_of(const struct view *view)
{
    return view->plan->nodes[view->node].node;
}

void cvp_health(const struct view *view, struct findings *findings)
{
    const struct cvp_facts *f = cvp_facts_of(view);
    const char *name = node_of(view)->name;

    for (int s = 0; s < CVP_SERVICES; s++)
        if ((node_of(view)->roles & cvp_services[s].roles) &&
            f->service[s] != WIN_RUNNING)
            findings_add(findings, SEVERITY_ERROR, "not-running", name,
                         "%s does not run", cvp_services[s].title);
    for (int a = 0; a < CVP_ALIASES; a++) {
        const struct cvp_entry *e = &f->live.entry[a];

        if (!(node_of(view)->roles & cvp_aliases[a].roles))
            continue;
        if (!e->seen || !e->key)
            findings_add(findings, SEVERITY_ERROR, "no-key", name,
                         "its keystore has no key under %s",
                         cvp_aliases[a].alias);
        else if (f->shown_sha256[a][0] &&
                 strcmp(f->shown_sha256[a], e->leaf.sha256) != 0)
            findings_add(findings, SEVERITY_WARNING, "not-loaded", name,
                         "%s shows another certificate than its keystore "
                         "holds: it was not started anew",
                         cvp_aliases[a].title);
    }
}

void cvp_certificates(const struct view *view, cert_row_f *each, void *user)
{
    const struct cvp_facts *f = cvp_facts_of(view);

    for (int a = 0; a < CVP_ALIASES; a++) {
        struct cert_row row = {
            .service = cvp_aliases[a].title,
            .file = cvp_aliases[a].alias,
            .info = f->live.entry[a].leaf,
            .playbook = "cvp/keystore-rotate",
            .input_key = "alias",
            .input_value = cvp_aliases[a].alias,
        };

        if (!(node_of(view)->roles & cvp_aliases[a].roles) ||
            row.info.kind != PKI_CERTIFICATE)
            continue;
        if (f->live.entry[a].chain < 2)
            snprintf(row.findings, sizeof(row.findings), "no CA has signed it");
        each(user, &row);
    }
}
