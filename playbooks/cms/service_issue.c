/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a new generation for services: for each node one key and certificate a
 * slot, which names that node alone, with its bundle or as a full chain; by our
 * own CA, or out of a foreign issuer's answers.  Blocking; runs in the pool and
 * touches only the generation's own folder.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/preflight.h"
#include "core/run/spare.h"
#include "playbooks/cms/issue_priv.h"
#include "playbooks/cms/service_priv.h"

struct bench { /* the whole set at work */
    struct issue_job *job;
    struct pki_ca ca;
    bool own;    /* it signs, and makes the keys */
    size_t wish; /* else: the next one, in the order in which they were made */
};

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

static enum pki_purpose purpose_of(enum cms_svc_slot slot)
{
    return cms_slots[slot].both ? PKI_ANY : PKI_SERVER;
}

static struct pki_subject subject_of(const struct issue_job *job,
                                     const char *const *hosts)
{
    return (struct pki_subject){
        .common_name = hosts[0],
        .rest = job->plan->cluster->subject,
        .hosts = hosts,
    };
}

static int sign(const struct bench *bench, struct made *m, struct err *err)
{
    const struct issuer *issuer = cms_service_issuer(bench->job->plan);
    const struct pki_subject subject = subject_of(bench->job, m->hosts);
    const struct pki_leaf_options options = {
        .subject = &subject,
        .purpose = purpose_of(m->slot),
        .days = issuer->days,
        .now = bench->job->now,
    };
    const char *root = bench->ca.cert_pem;

    m->key = spare_or_new(bench->job, issuer->key, err);
    if (!m->key || pki_sign(&bench->ca, m->key, &options, &m->leaf, err) < 0)
        return -1;
    return pki_normalize(root, strlen(root), &m->bundle, err);
}

static int take(struct bench *bench, struct made *m, struct err *err)
{
    const struct cms_spot key = spot_of(m, PART_KEY);
    const char *root = bench->job->trust;

    m->key = cms_kept_key(bench->job, &key, err);
    if (!m->key ||
        cms_wish_take(bench->job, bench->wish++, &m->leaf, &m->bundle, err) < 0)
        return -1;
    return pki_normalize(root, strlen(root), &m->bundle, err);
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

static int write_slot(const struct bench *bench, const struct made *m,
                      struct err *err)
{
    const struct issue_job *job = bench->job;
    const char *cert = is_pair(m) ? m->leaf : str_text(&m->chain);
    const struct cms_spot key = spot_of(m, PART_KEY);
    const struct cms_spot crt = spot_of(m, PART_CRT);
    const struct cms_spot ca = spot_of(m, PART_CA);

    if ((bench->own && cms_write_key(job, &key, m->key, err) < 0) ||
        cms_write_file(job, &crt, cert, strlen(cert), err) < 0)
        return -1;
    return is_pair(m) ? cms_write_file(job, &ca, str_text(&m->bundle),
                                       m->bundle.len, err)
                      : 0;
}

static int make(struct bench *bench, struct made *m, struct err *err)
{
    if ((bench->own ? sign(bench, m, err) : take(bench, m, err)) < 0)
        return -1;
    str_addf(&m->chain, "%s%s", m->leaf, str_text(&m->bundle));
    if (lint(bench->job, m, err) < 0)
        return -1;
    return write_slot(bench, m, err);
}

static int make_slot(struct bench *bench, const struct plan_node *node,
                     enum cms_svc_slot slot)
{
    struct err *err = &bench->job->err;
    struct made m = {
        .node = node,
        .slot = slot,
        .hosts = cms_service_hosts(node->node),
    };
    int rc;

    str_init(&m.bundle, 64 * 1024);
    str_init(&m.chain, 128 * 1024);
    rc = make(bench, &m, err);
    str_release(&m.chain);
    str_release(&m.bundle);
    secret_free(m.key);
    free(m.leaf);
    free(m.hosts);
    return rc < 0 ? err_context(err, "node %s: %s", node->node->name,
                                cms_slots[slot].title)
                  : 0;
}

/* -- all nodes, all slots -------------------------------------------------- */

static bool has_slot(const struct plan_node *node, int slot)
{
    return set_slot(&node->own,
                    cms_svc_word((enum cms_svc_slot)slot, PART_KEY)) != NULL;
}

/* The folder of what a node alone gets. */
static int make_room(const struct issue_job *job, const struct plan_node *node,
                     struct err *err)
{
    char *folder = plan_file_path(job->folder, node, "");
    int rc = file_make_folders(folder, err);

    free(folder);
    return rc;
}

static int make_node(struct bench *bench, const struct plan_node *node)
{
    int rc = node->own.n ? make_room(bench->job, node, &bench->job->err) : 0;

    for (int i = 0; i < CMS_SVC_SLOTS && rc == 0; i++)
        if (has_slot(node, i))
            rc = make_slot(bench, node, (enum cms_svc_slot)i);
    return rc;
}

static int make_stores(const struct bench *bench)
{
    struct issue_job *job = bench->job;
    const char *root = bench->own ? bench->ca.cert_pem : job->trust;
    struct str ca;
    int rc;

    str_init(&ca, 64 * 1024);
    rc = pki_normalize(root, strlen(root), &ca, &job->err);
    if (rc == 0)
        rc = cms_trust_issue(job, str_text(&ca), &job->err);
    str_release(&ca);
    return rc;
}

void cms_service_issue(struct issue_job *job)
{
    const struct issuer *issuer = cms_service_issuer(job->plan);
    struct bench bench = {.job = job, .own = issuer->kind == ISSUER_INTERNAL};

    if (bench.own)
        job->rc = issuer_open_ca(job, issuer, &bench.ca, &job->err);
    for (size_t i = 0; i < job->plan->n_nodes && job->rc == 0; i++)
        job->rc = make_node(&bench, &job->plan->nodes[i]);
    if (job->rc == 0)
        job->rc = make_stores(&bench);
    pki_ca_release(&bench.ca);
}

static int wish_node(struct issue_job *job, const struct plan_node *node,
                     bool make, struct err *err)
{
    const char **hosts = cms_service_hosts(node->node);
    int rc = make && node->own.n ? make_room(job, node, err) : 0;

    for (int i = 0; i < CMS_SVC_SLOTS && rc == 0; i++) {
        enum cms_svc_slot slot = (enum cms_svc_slot)i;
        const struct cms_ask ask = {
            .key = {cms_svc_word(slot, PART_KEY), node},
            .cert = {cms_svc_word(slot, PART_CRT), node},
            .purpose = purpose_of(slot),
            .subject = subject_of(job, hosts),
        };

        if (has_slot(node, i))
            rc = cms_wish_add(job, &ask, make, err);
    }
    free(hosts);
    return rc;
}

int cms_service_wish(struct issue_job *job, bool make, struct err *err)
{
    int rc = cms_wish_trust(job, err);

    for (size_t i = 0; i < job->plan->n_nodes && rc == 0; i++)
        rc = wish_node(job, &job->plan->nodes[i], make, err);
    return rc;
}
