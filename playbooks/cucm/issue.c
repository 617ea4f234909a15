/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to a node's request: by our own CA, or a foreign issuer's; and
 * whether the platform will take it.  Blocking; runs in the pool and touches
 * only the set's own folder.
 *
 * An upload cannot be taken back (facts/uc.md 0.7), so that what the platform
 * would refuse, or take and be harmed by, is refused here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "playbooks/cucm/cucm.h"
#include "playbooks/cucm/request.h"

enum {
    TEXT_CAP = 256 * 1024
};

struct answer {
    char *leaf;
    struct str bundle; /* what lies between it and its root, and that */
};

const struct issuer *cucm_issuer(const struct plan_cluster *pc)
{
    return pc->cluster->service_issuer ? pc->cluster->service_issuer
                                       : pc->cluster->issuer;
}

static char *issuer_path(const char *template, const char *cluster)
{
    const char *mark = strstr(template, "{cluster}");
    char *path = NULL;
    int n = mark ? asprintf(&path, "%.*s%s%s", (int)(mark - template), template,
                            cluster, mark + strlen("{cluster}"))
                 : asprintf(&path, "%s", template);

    if (n < 0)
        abort();
    return path;
}

static char *read_text(const char *path, size_t *len, struct err *err)
{
    struct secret *bytes = file_read(path, TEXT_CAP, err);
    char *text = bytes ? strdup(secret_text(bytes)) : NULL;

    if (bytes && !text)
        abort();
    if (text && len)
        *len = strlen(text);
    secret_free(bytes);
    return text;
}

static char *slot_path(const struct issue_job *job, const char *slot)
{
    return plan_file_path(job->folder, NULL,
                          set_slot(&job->plan->set, slot)->name);
}

/* -- can it sign?  before any packet --------------------------------------- */

static int check_ca(struct plan_cluster *pc, const char *path, struct err *err)
{
    struct secret *file = file_read(path, TEXT_CAP, err);
    struct pki_cert_info info;
    int rc = file ? pki_describe(file->data, file->len, &info, err) : -1;

    secret_free(file);
    if (rc < 0) {
        err->cause = CAUSE_INPUT;
        return err_context(err, "ca_cert");
    }
    if (info.kind != PKI_CERTIFICATE || !info.is_ca)
        return err_set(err, CAUSE_INPUT, "%s is no CA's certificate", path);
    if (info.not_after <= clock_wall_ms() / 1000)
        return err_set(err, CAUSE_INPUT, "the CA %s has expired", path);
    pc->ca_not_after = info.not_after;
    return 0;
}

int cucm_check_issuer(struct plan_cluster *pc, struct err *err)
{
    const struct issuer *issuer = cucm_issuer(pc);
    char *path;
    int rc = 0;

    if (issuer->kind == ISSUER_APPLIANCE)
        return err_set(err, CAUSE_INPUT,
                       "issuer %s: a CUCM node signs nothing but itself",
                       issuer->name);
    path = issuer_path(issuer->ca_cert, pc->cluster->name);
    if (issuer->kind != ISSUER_INTERNAL || file_exists(path))
        rc = check_ca(pc, path, err);
    if (rc == 0 && issuer->kind == ISSUER_COMMAND &&
        access(issuer->command[0], X_OK) < 0)
        rc = err_errno(err, CAUSE_INPUT, "command %s", issuer->command[0]);
    free(path);
    return rc < 0 ? err_context(err, "issuer %s", issuer->name) : 0;
}

/* -- the request ----------------------------------------------------------- */

/* As the node answered it, by its journaled digest. */
static char *read_request(const struct issue_job *job, struct err *err)
{
    const struct set_file *csr = set_slot(&job->plan->set, "csr");
    char *path = slot_path(job, "csr"), *text = read_text(path, NULL, err);
    char sha[PKI_SHA256_HEX];

    if (text) {
        pki_sha256(text, strlen(text), sha);
        if (strcmp(sha, csr->sha256) != 0) {
            err_set(err, CAUSE_REFUSED,
                    "%s is not the request that the node made", path);
            free(text);
            text = NULL;
        }
    }
    free(path);
    return text;
}

/* Every node that the certificate is for: a platform that leaves one out would
 * leave it without (CSCus47235, seed 004). */
static int names_all(const struct issue_job *job,
                     const struct pki_cert_info *info, struct err *err)
{
    const struct plan_cluster *pc = job->plan;

    for (size_t i = 0; i < pc->n_nodes; i++)
        if ((pc->nodes[i].roles & CUCM_IN_SCOPE) &&
            !cucm_names(info, cucm_fqdn(pc, i)))
            return err_set(err, CAUSE_REFUSED,
                           "the request does not name node %s (%s)",
                           pc->nodes[i].node->name, cucm_fqdn(pc, i));
    return 0;
}

int cucm_wish(struct issue_job *job, bool make, struct err *err)
{
    const struct issuer *issuer = cucm_issuer(job->plan);
    char *ca = issuer_path(issuer->ca_cert, job->plan->cluster->name);
    char *crt = slot_path(job, "crt");
    struct issue_wish *wish = issue_wish_add(job);
    int rc = 0;

    (void)make; /* the node has made it */
    wish->slot = "crt";
    wish->purpose = PKI_ANY;
    wish->request_path = slot_path(job, "csr");
    if (asprintf(&wish->answer_path, "%.*s.signed", (int)(strlen(crt) - 4),
                 crt) < 0)
        abort();
    wish->request = read_request(job, err);
    job->trust = read_text(ca, NULL, err);
    if (!wish->request || !job->trust)
        rc = -1;
    else if (issuer->kind == ISSUER_CSR && file_exists(wish->answer_path)) {
        wish->answer = read_text(wish->answer_path, &wish->answer_len, err);
        rc = wish->answer ? 0 : -1;
    }
    free(crt);
    free(ca);
    return rc;
}

/* -- the answer ------------------------------------------------------------ */

static int sign(const struct issue_job *job, const char *request,
                struct answer *a, struct err *err)
{
    const struct cluster *cluster = job->plan->cluster;
    const struct issuer *issuer = cucm_issuer(job->plan);
    char *cert = issuer_path(issuer->ca_cert, cluster->name);
    char *key = issuer_path(issuer->ca_key, cluster->name);
    const struct pki_ca_options options = {
        .cert_path = cert,
        .key_path = key,
        .password = job->ca_password,
        .cluster = cluster->name,
        .key = issuer->key,
        .days = issuer->ca_days,
        .now = job->now,
        .make = true,
    };
    struct pki_ca ca = {0};
    int rc = pki_ca_open(&options, &ca, NULL, err);

    if (rc == 0)
        rc = pki_sign_request(&ca, request, PKI_AS_ASKED, issuer->days,
                              job->now, &a->leaf, err);
    if (rc == 0)
        rc = pki_normalize(ca.cert_pem, strlen(ca.cert_pem), &a->bundle, err);
    pki_ca_release(&ca);
    free(cert);
    free(key);
    return rc;
}

static int take(const struct issue_job *job, struct answer *a, struct err *err)
{
    const struct issue_wish *wish = &job->wishes[0];
    const struct pki_wish want = issue_pki_wish(job, wish);
    struct pki_answer answer = {0};
    int rc =
        pki_answer_read(&want, wish->answer, wish->answer_len, &answer, err);

    if (rc == 0) {
        a->leaf = answer.leaf;
        answer.leaf = NULL;
        str_add(&a->bundle, str_text(&answer.between));
        rc = pki_normalize(job->trust, strlen(job->trust), &a->bundle, err);
    }
    pki_answer_release(&answer);
    return rc < 0 ? err_context(err, "the issuer's answer") : 0;
}

/* facts/uc.md 1.3: what the upload would be refused for. */
static int judge(const struct issue_job *job, const char *request,
                 const struct answer *a, struct err *err)
{
    struct pki_cert_info asked, cert;

    if (pki_describe(request, strlen(request), &asked, err) < 0 ||
        pki_describe(a->leaf, strlen(a->leaf), &cert, err) < 0)
        return -1;
    if (strcmp(asked.spki_sha256, cert.spki_sha256) != 0)
        return err_set(err, CAUSE_REFUSED,
                       "the certificate has not the key of the request");
    if (names_all(job, &asked, err) < 0 ||
        cucm_same_names(&asked, &cert, err) < 0 ||
        cucm_keeps_usage(&asked, &cert, err) < 0)
        return -1;
    if (strcmp(cucm_type_of(job->plan->plan)->name, "cup-xmpp-s2s") != 0 &&
        cucm_no_wildcard(&cert, err) < 0)
        return -1;
    return pki_verify(a->leaf, strlen(a->leaf), str_text(&a->bundle),
                      a->bundle.len, PKI_ANY, job->now, err);
}

static int write_slot(const struct issue_job *job, const char *slot,
                      const char *text, struct err *err)
{
    char *path = slot_path(job, slot);
    int rc = file_write(path, text, strlen(text), 0600, false, err);

    free(path);
    return rc;
}

/* In the form in which a node's own are compared. */
static int write_all(const struct issue_job *job, const struct answer *a,
                     struct err *err)
{
    struct str leaf;
    int rc;

    str_init(&leaf, TEXT_CAP);
    rc = cucm_pem(a->leaf, "CERTIFICATE", &leaf);
    if (rc < 0)
        err_set(err, CAUSE_SYSTEM, "the certificate is no PEM");
    if (rc == 0)
        rc = write_slot(job, "crt", str_text(&leaf), err);
    if (rc == 0)
        rc = write_slot(job, "ca", str_text(&a->bundle), err);
    str_release(&leaf);
    return rc;
}

void cucm_issue(struct issue_job *job)
{
    bool own = cucm_issuer(job->plan)->kind == ISSUER_INTERNAL;
    char *request = read_request(job, &job->err);
    struct answer a = {0};

    str_init(&a.bundle, TEXT_CAP);
    job->rc = !request ? -1
              : own    ? sign(job, request, &a, &job->err)
                       : take(job, &a, &job->err);
    if (job->rc == 0)
        job->rc = judge(job, request, &a, &job->err);
    if (job->rc == 0)
        job->rc = write_all(job, &a, &job->err);
    str_release(&a.bundle);
    free(a.leaf);
    free(request);
}
