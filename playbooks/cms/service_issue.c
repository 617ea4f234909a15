/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a new generation for services: for each node one key and certificate a
 * slot, which names that node alone, with its bundle or as a full chain.
 * Blocking; runs in the pool and touches only the generation's own folder.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/preflight.h"
#include "playbooks/cms/service_priv.h"

struct made { /* one slot of one node, until it is on disk */
    const struct plan_node *node;
    enum cms_svc_slot slot;
    const char **hosts;
    struct secret *key;
    char *leaf;
    struct str bundle; /* what lies between it and its root, and that */
    struct str chain;  /* leaf to root */
};

static struct cms_spot spot_of(const struct made *m, enum cms_svc_part part)
{
    return (struct cms_spot){cms_svc_word(m->slot, part), m->node};
}

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
    return pki_normalize(ca->cert_pem, strlen(ca->cert_pem), &m->bundle, err);
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
        .bundle = is_pair(m) ? str_text(&m->bundle) : NULL,
        .bundle_len = is_pair(m) ? m->bundle.len : 0,
        .hosts = m->hosts,
        .at = job->now,
        .spare_days = job->plan->plan->inventory->warn_days,
    };
    struct pki_findings found = {0};
    int rc;

    pki_lint_service(&set, &found);
    preflight_grade_files(job->plan->cluster->checks, &found);
    preflight_take(&found, m->node->node->name, &job->findings);
    rc = cms_judge_lint(job, &found, err);
    pki_findings_release(&found);
    return rc;
}

static int write_slot(const struct issue_job *job, const struct made *m,
                      struct err *err)
{
    const char *cert = is_pair(m) ? m->leaf : str_text(&m->chain);
    const struct cms_spot key = spot_of(m, PART_KEY);
    const struct cms_spot crt = spot_of(m, PART_CRT);
    const struct cms_spot ca = spot_of(m, PART_CA);

    if (cms_write_key(job, &key, m->key, err) < 0 ||
        cms_write_file(job, &crt, cert, strlen(cert), err) < 0)
        return -1;
    return is_pair(m) ? cms_write_file(job, &ca, str_text(&m->bundle),
                                       m->bundle.len, err)
                      : 0;
}

static int finish_slot(struct issue_job *job, struct made *m, struct err *err)
{
    str_addf(&m->chain, "%s%s", m->leaf, str_text(&m->bundle));
    if (lint(job, m, err) < 0)
        return -1;
    return write_slot(job, m, err);
}

static int make_slot(struct issue_job *job, const struct pki_ca *ca,
                     const struct plan_node *node, enum cms_svc_slot slot)
{
    struct made m = {
        .node = node,
        .slot = slot,
        .hosts = cms_service_hosts(node->node),
    };
    int rc;

    str_init(&m.bundle, 64 * 1024);
    str_init(&m.chain, 128 * 1024);
    rc = sign(job, ca, &m, &job->err);
    if (rc == 0)
        rc = finish_slot(job, &m, &job->err);
    str_release(&m.chain);
    str_release(&m.bundle);
    secret_free(m.key);
    free(m.leaf);
    free(m.hosts);
    return rc < 0 ? err_context(&job->err, "node %s: %s", node->node->name,
                                cms_slots[slot].title)
                  : 0;
}

int cms_service_room(const struct issue_job *job, const struct plan_node *node,
                     struct err *err)
{
    char *folder = plan_file_path(job->folder, node, "");
    int rc = file_make_folders(folder, err);

    free(folder);
    return rc;
}

static int make_node(struct issue_job *job, const struct pki_ca *ca,
                     const struct plan_node *node)
{
    int rc = node->own.n ? cms_service_room(job, node, &job->err) : 0;

    for (int i = 0; i < CMS_SVC_SLOTS && rc == 0; i++)
        if (set_slot(&node->own, cms_svc_word((enum cms_svc_slot)i, PART_KEY)))
            rc = make_slot(job, ca, node, (enum cms_svc_slot)i);
    return rc;
}

void cms_service_issue(struct issue_job *job)
{
    struct pki_ca ca = {0};

    job->rc = cms_open_ca(job, cms_service_issuer(job->plan), &ca, &job->err);
    for (size_t i = 0; i < job->plan->n_nodes && job->rc == 0; i++)
        job->rc = make_node(job, &ca, &job->plan->nodes[i]);
    pki_ca_release(&ca);
}
