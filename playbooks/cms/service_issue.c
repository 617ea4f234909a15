/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a new generation for services: one key and certificate a slot, which
 * names every node that has the service, with its bundle or as a full chain.
 * Blocking; runs in the pool and touches only the generation's own folder.
 */
#include <stdlib.h>
#include <string.h>

#include "core/run/preflight.h"
#include "playbooks/cms/service_priv.h"

struct made { /* one slot, until it is on disk */
    enum cms_svc_slot slot;
    const char **hosts;
    const char *bundle;
    struct secret *key;
    char *leaf;
    struct str chain; /* leaf to root */
};

static int sign(const struct issue_job *job, const struct pki_ca *ca,
                struct made *m, struct err *err)
{
    const struct issuer *issuer = cms_service_issuer(job->plan);
    const struct pki_subject subject = {
        .common_name = m->hosts[0],
        .rest = job->plan->cluster->subject,
        .hosts = m->hosts,
    };
    const struct pki_leaf_options options = {
        .subject = &subject,
        .purpose = cms_slots[m->slot].both ? PKI_ANY : PKI_SERVER,
        .days = issuer->days,
        .now = job->now,
    };

    m->key = pki_key_make(issuer->key, err);
    if (!m->key || pki_sign(ca, m->key, &options, &m->leaf, err) < 0)
        return -1;
    str_addf(&m->chain, "%s%s", m->leaf, m->bundle);
    return 0;
}

static bool is_pair(const struct made *m)
{
    return cms_slots[m->slot].labels[PART_CA] != NULL;
}

static int lint(struct issue_job *job, const struct made *m, struct err *err)
{
    const char *cert = is_pair(m) ? m->leaf : str_text(&m->chain);
    const struct pki_service_set set = {
        .service = pki_service_find(cms_slots[m->slot].rules),
        .key = m->key->data,
        .key_len = m->key->len,
        .cert = cert,
        .cert_len = strlen(cert),
        .bundle = is_pair(m) ? m->bundle : NULL,
        .bundle_len = is_pair(m) ? strlen(m->bundle) : 0,
        .hosts = m->hosts,
        .at = job->now,
        .spare_days = job->plan->plan->inventory->warn_days,
    };
    struct pki_findings found = {0};
    int rc;

    pki_lint_service(&set, &found);
    preflight_grade_files(job->plan->cluster->checks, &found);
    preflight_take(&found, NULL, &job->findings);
    rc = cms_judge_lint(job, &found, err);
    pki_findings_release(&found);
    return rc;
}

static int write_slot(const struct issue_job *job, const struct made *m,
                      struct err *err)
{
    const char *cert = is_pair(m) ? m->leaf : str_text(&m->chain);

    if (cms_write_key(job, cms_svc_word(m->slot, PART_KEY), m->key, err) < 0 ||
        cms_write_file(job, cms_svc_word(m->slot, PART_CRT), cert, strlen(cert),
                       err) < 0)
        return -1;
    return is_pair(m) ? cms_write_file(job, cms_svc_word(m->slot, PART_CA),
                                       m->bundle, strlen(m->bundle), err)
                      : 0;
}

static int make_slot(struct issue_job *job, const struct pki_ca *ca,
                     enum cms_svc_slot slot, const char *bundle)
{
    struct made m = {
        .slot = slot,
        .bundle = bundle,
        .hosts = cms_service_hosts(job->plan, slot),
    };
    int rc = -1;

    str_init(&m.chain, 128 * 1024);
    if (sign(job, ca, &m, &job->err) == 0 && lint(job, &m, &job->err) == 0)
        rc = write_slot(job, &m, &job->err);
    str_release(&m.chain);
    secret_free(m.key);
    free(m.leaf);
    free(m.hosts);
    return rc < 0 ? err_context(&job->err, "%s", cms_slots[slot].title) : 0;
}

void cms_service_issue(struct issue_job *job)
{
    struct pki_ca ca = {0};
    struct str bundle;

    str_init(&bundle, 64 * 1024);
    job->rc = cms_open_ca(job, cms_service_issuer(job->plan), &ca, &job->err);
    if (job->rc == 0)
        job->rc =
            pki_normalize(ca.cert_pem, strlen(ca.cert_pem), &bundle, &job->err);
    for (int i = 0; i < CMS_SVC_SLOTS && job->rc == 0; i++)
        if (set_slot(&job->plan->set,
                     cms_svc_word((enum cms_svc_slot)i, PART_KEY)))
            job->rc =
                make_slot(job, &ca, (enum cms_svc_slot)i, str_text(&bundle));
    if (job->rc == 0)
        job->rc = cms_trust_issue(job, str_text(&bundle), &job->err);
    str_release(&bundle);
    pki_ca_release(&ca);
}
