/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a new generation: one server certificate for the cluster, one client
 * certificate for the user `postgres`, the CA bundle (facts/cms.md 3.2).
 * Blocking; runs in the pool and touches only the generation's own folder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/preflight.h"
#include "core/run/spare.h"
#include "playbooks/cms/handshake.h"
#include "playbooks/cms/issue_priv.h"

static void release(struct cms_made *m)
{
    pki_ca_release(&m->ca);
    secret_free(m->server_key);
    secret_free(m->client_key);
    free(m->server_crt);
    free(m->client_crt);
    free(m->hosts);
    str_release(&m->bundle);
}

static void add_host(struct cms_made *m, size_t *n, const char *host)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(m->hosts[i], host) == 0)
            return;
    m->hosts[(*n)++] = host;
}

static size_t count_names(const struct plan_cluster *pc)
{
    size_t n = 1;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        n += 4;
        for (const char *const *a = pc->nodes[i].node->names; a && *a; a++)
            n++;
    }
    return n;
}

/* CN: the first database node's name.  SAN: that, and address, db_address and
 * names of every database node. */
static const char *collect_hosts(const struct plan_cluster *pc,
                                 struct cms_made *m)
{
    const char *first = NULL;
    size_t n = 0;

    m->hosts = calloc(count_names(pc) + 1, sizeof(*m->hosts));
    if (!m->hosts)
        abort();
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct node *node = pc->nodes[i].node;
        if (!(pc->nodes[i].roles & CMS_DATABASE))
            continue;
        if (!first)
            add_host(m, &n, first = node->name);
        add_host(m, &n, node->address);
        if (pc->nodes[i].db_address)
            add_host(m, &n, pc->nodes[i].db_address);
        for (const char *const *a = node->names; a && *a; a++)
            add_host(m, &n, *a);
    }
    return first;
}

static int make_leaf(const struct issue_job *job, struct cms_made *m,
                     const struct pki_subject *subject,
                     enum pki_purpose purpose, struct err *err)
{
    const struct issuer *issuer = job->plan->cluster->issuer;
    struct secret **key =
        purpose == PKI_SERVER ? &m->server_key : &m->client_key;
    char **cert = purpose == PKI_SERVER ? &m->server_crt : &m->client_crt;
    const struct pki_leaf_options options = {
        .subject = subject,
        .purpose = purpose,
        .days = issuer->days,
        .now = job->now,
    };

    *key = spare_or_new(job, issuer->key, err);
    if (!*key)
        return -1;
    return pki_sign(&m->ca, *key, &options, cert, err);
}

void cms_subjects(const struct plan_cluster *pc, struct cms_made *m,
                  struct pki_subject subjects[2])
{
    static const char *const none[] = {NULL};
    const char *rest = pc->cluster->subject;

    subjects[0] = (struct pki_subject){
        .common_name = collect_hosts(pc, m),
        .rest = rest,
        .hosts = m->hosts,
    };
    /* exactly this: PostgreSQL maps the CN to the database's user */
    subjects[1] = (struct pki_subject){
        .common_name = "postgres",
        .rest = rest,
        .hosts = none,
    };
}

/* Internal: our own CA signs. */
static int sign_set(const struct issue_job *job, struct cms_made *m,
                    struct err *err)
{
    struct pki_subject subjects[2];

    if (issuer_open_ca(job, job->plan->cluster->issuer, &m->ca, err) < 0 ||
        pki_normalize(m->ca.cert_pem, strlen(m->ca.cert_pem), &m->bundle, err) <
            0)
        return -1;
    cms_subjects(job->plan, m, subjects);
    if (make_leaf(job, m, &subjects[0], PKI_SERVER, err) < 0)
        return err_context(err, "server certificate");
    if (make_leaf(job, m, &subjects[1], PKI_CLIENT, err) < 0)
        return err_context(err, "client certificate");
    return 0;
}

/* -- the lint, before anybody gets it ------------------------------------- */

/* What the certificates to be replaced have as keys; the caller frees. */
static const char **old_keys(const struct plan_cluster *pc)
{
    const char **list = calloc(pc->n_nodes * CMS_SLOTS + 1, sizeof(*list));
    size_t n = 0;

    if (!list)
        abort();
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cms_facts *f = cms_facts_at(pc, i);
        for (int k = 0; f && k < CMS_SLOTS; k++)
            if (f->old[k].info.kind == PKI_CERTIFICATE)
                list[n++] = f->old[k].info.spki_sha256;
    }
    return list;
}

int cms_judge_lint(const struct issue_job *job,
                   const struct pki_findings *found, struct err *err)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct pki_finding *f = &found->list[i];
        bool blocks = f->severity == PKI_BLOCK;

        if (f->severity == PKI_ERROR ||
            (blocks && !plan_accepts(job->plan->plan, f->id)))
            return err_set(
                err, CAUSE_SYSTEM, "the new set is not good: %s %s%s%s%s",
                f->id, f->text, blocks ? " (--accept " : "",
                blocks ? f->id : "", blocks ? " goes on all the same)" : "");
    }
    return 0;
}

static int lint(struct issue_job *job, const struct cms_made *m,
                struct err *err)
{
    const char *bundle = str_text(&m->bundle);
    const char **keys = old_keys(job->plan);
    const struct pki_db_set set = {
        .server_key = m->server_key->data,
        .server_key_len = m->server_key->len,
        .server_cert = m->server_crt,
        .server_cert_len = strlen(m->server_crt),
        .client_key = m->client_key->data,
        .client_key_len = m->client_key->len,
        .client_cert = m->client_crt,
        .client_cert_len = strlen(m->client_crt),
        .ca = bundle,
        .ca_len = strlen(bundle),
        .hosts = m->hosts,
        .at = job->now,
        .old_keys = keys,
        .spare_days = job->plan->plan->inventory->warn_days,
    };
    struct pki_findings found = {0};
    int rc;

    pki_lint_db_set(&set, &found);
    pki_lint_file("dbca.crt", bundle, strlen(bundle), &found);
    preflight_grade_files(job->plan->cluster->checks, &found);
    preflight_take(&found, NULL, &job->findings);
    rc = cms_judge_lint(job, &found, err);
    pki_findings_release(&found);
    free(keys);
    return rc;
}

static struct cms_paper paper(const struct issue_job *job, enum cms_slot slot,
                              const char *pem, char sha[PKI_SHA256_HEX])
{
    const struct set_file *file =
        set_slot(&job->plan->set, cms_slot_word(slot));

    pki_sha256(pem, strlen(pem), sha);
    return (struct cms_paper){
        .data = pem, .len = strlen(pem), .name = file->name, .sha256 = sha};
}

/* Every pair that will meet with the new set. */
static int weigh(struct issue_job *job, const struct cms_made *m)
{
    char sha[3][PKI_SHA256_HEX];
    const struct cms_papers papers = {
        .client = paper(job, CMS_CLIENT_CRT, m->client_crt, sha[0]),
        .server = paper(job, CMS_SERVER_CRT, m->server_crt, sha[1]),
        .trust = paper(job, CMS_CA_CRT, str_text(&m->bundle), sha[2]),
    };

    return cms_db_weigh_new(job, &papers);
}

/* -- to disk -------------------------------------------------------------- */

const struct set_file *cms_spot_file(const struct issue_job *job,
                                     const struct cms_spot *spot)
{
    return set_slot(spot->node ? &spot->node->own : &job->plan->set,
                    spot->slot);
}

char *cms_spot_path(const struct issue_job *job, const struct cms_spot *spot)
{
    return plan_file_path(job->folder, spot->node,
                          cms_spot_file(job, spot)->name);
}

int cms_write_file(const struct issue_job *job, const struct cms_spot *spot,
                   const void *data, size_t len, struct err *err)
{
    char *path = cms_spot_path(job, spot);
    int rc;

    /* Not exclusive: until the generation is journaled nobody has seen it,
     * and a crash may have left half of it. */
    rc = file_write(path, data, len, 0600, false, err);
    free(path);
    return rc;
}

/* Locked on the way to the disk when the inventory says so. */
int cms_write_key(const struct issue_job *job, const struct cms_spot *spot,
                  const struct secret *key, struct err *err)
{
    struct secret *locked;
    int rc;

    if (!job->key_passphrase)
        return cms_write_file(job, spot, key->data, key->len, err);
    locked = pki_key_lock(key, job->key_passphrase, err);
    if (!locked)
        return -1;
    rc = cms_write_file(job, spot, locked->data, locked->len, err);
    secret_free(locked);
    return rc;
}

static int write_one(const struct issue_job *job, enum cms_slot slot,
                     const char *pem, struct err *err)
{
    const struct cms_spot spot = {cms_slot_word(slot), NULL};

    return cms_write_file(job, &spot, pem, strlen(pem), err);
}

static int write_keys(const struct issue_job *job, const struct cms_made *m,
                      struct err *err)
{
    const struct cms_spot server = {cms_slot_word(CMS_SERVER_KEY), NULL};
    const struct cms_spot client = {cms_slot_word(CMS_CLIENT_KEY), NULL};

    return cms_write_key(job, &server, m->server_key, err) < 0
               ? -1
               : cms_write_key(job, &client, m->client_key, err);
}

/* The keys of a foreign issuer's set are there from before it was asked. */
static int write_all(const struct issue_job *job, const struct cms_made *m,
                     bool keys, struct err *err)
{
    if ((keys && write_keys(job, m, err) < 0) ||
        write_one(job, CMS_SERVER_CRT, m->server_crt, err) < 0 ||
        write_one(job, CMS_CLIENT_CRT, m->client_crt, err) < 0)
        return -1;
    return write_one(job, CMS_CA_CRT, str_text(&m->bundle), err);
}

void cms_db_issue(struct issue_job *job)
{
    bool own = job->plan->cluster->issuer->kind == ISSUER_INTERNAL;
    struct cms_made m = {0};

    str_init(&m.bundle, 256 * 1024);
    job->rc = own ? sign_set(job, &m, &job->err)
                  : cms_take_answers(job, &m, &job->err);
    if (job->rc == 0)
        job->rc = lint(job, &m, &job->err);
    if (job->rc == 0)
        job->rc = weigh(job, &m);
    if (job->rc == 0)
        job->rc = write_all(job, &m, own, &job->err);
    release(&m);
}
