/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing, or taking what was signed, and judging it before a node does.
 */
#include "playbooks/vos/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/plan.h"
#include "playbooks/vos/pem.h"
#include "playbooks/vos/request.h"

enum {
    TEXT_CAP = 256 * 1024
};

void vos_answer_init(struct vos_answer *answer)
{
    answer->leaf = NULL;
    str_init(&answer->bundle, TEXT_CAP);
}

void vos_answer_release(struct vos_answer *answer)
{
    free(answer->leaf);
    str_release(&answer->bundle);
}

const struct issuer *vos_issuer(const struct plan_cluster *pc)
{
    return pc->cluster->service_issuer ? pc->cluster->service_issuer
                                       : pc->cluster->issuer;
}

static const struct set_file *slot_of(const struct issue_job *job,
                                      const struct plan_node *pn,
                                      const char *slot)
{
    return set_slot(pn ? &pn->own : &job->plan->set, slot);
}

char *vos_slot_path(const struct issue_job *job, const struct plan_node *pn,
                    const char *slot)
{
    return plan_file_path(job->folder, pn, slot_of(job, pn, slot)->name);
}

/* -- can it sign?  before any packet --------------------------------------- */

int vos_check_issuer(struct plan_cluster *pc, struct err *err)
{
    const struct issuer *issuer = vos_issuer(pc);

    if (issuer->kind == ISSUER_APPLIANCE)
        return err_set(err, CAUSE_INPUT,
                       "issuer %s: a node of this product signs nothing but "
                       "itself",
                       issuer->name);
    return issuer_check(pc, issuer, err);
}

/* -- the request ----------------------------------------------------------- */

char *vos_read_request(const struct issue_job *job, const struct plan_node *pn,
                       struct err *err)
{
    const struct set_file *csr = slot_of(job, pn, "csr");
    char *path = vos_slot_path(job, pn, "csr");
    char *text = issuer_text(path, TEXT_CAP, NULL, err);
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

static void name_answer(struct issue_wish *wish, const char *crt)
{
    if (asprintf(&wish->answer_path, "%.*s.signed", (int)(strlen(crt) - 4),
                 crt) < 0)
        abort();
}

int vos_wish_add(struct issue_job *job, const struct plan_node *pn,
                 struct err *err)
{
    const struct issuer *issuer = vos_issuer(job->plan);
    char *ca = issuer_path(issuer->ca_cert, job->plan->cluster->name);
    char *crt = vos_slot_path(job, pn, "crt");
    struct issue_wish *wish = issue_wish_add(job);
    int rc = 0;

    wish->slot = "crt";
    wish->node = pn ? pn->node->name : NULL;
    wish->purpose = PKI_ANY;
    wish->request_path = vos_slot_path(job, pn, "csr");
    name_answer(wish, crt);
    wish->request = vos_read_request(job, pn, err);
    if (!job->trust)
        job->trust = issuer_text(ca, TEXT_CAP, NULL, err);
    if (!wish->request || !job->trust)
        rc = -1;
    else
        rc = issue_wish_kept(job, wish, err);
    free(crt);
    free(ca);
    return rc;
}

/* -- the answer ------------------------------------------------------------ */

static int sign(const struct issue_job *job, const char *request,
                struct vos_answer *a, struct err *err)
{
    const struct issuer *issuer = vos_issuer(job->plan);
    struct pki_ca ca = {0};
    int rc = issuer_open_ca(job, issuer, &ca, err);

    if (rc == 0)
        rc = pki_sign_request(&ca, request, PKI_AS_ASKED, issuer->days,
                              job->now, &a->leaf, err);
    if (rc == 0)
        rc = pki_normalize(ca.cert_pem, strlen(ca.cert_pem), &a->bundle, err);
    pki_ca_release(&ca);
    return rc;
}

static int take(const struct issue_job *job, const struct issue_wish *wish,
                struct vos_answer *a, struct err *err)
{
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

int vos_answer_make(const struct issue_job *job, const char *request,
                    size_t wish, struct vos_answer *answer, struct err *err)
{
    return vos_issuer(job->plan)->kind == ISSUER_INTERNAL
               ? sign(job, request, answer, err)
               : take(job, &job->wishes[wish], answer, err);
}

int vos_answer_judge(const struct issue_job *job, const char *request,
                     const struct vos_answer *a, bool wild, struct err *err)
{
    struct pki_cert_info asked, cert;

    if (pki_describe(request, strlen(request), &asked, err) < 0 ||
        pki_describe(a->leaf, strlen(a->leaf), &cert, err) < 0)
        return -1;
    if (strcmp(asked.spki_sha256, cert.spki_sha256) != 0)
        return err_set(err, CAUSE_REFUSED,
                       "the certificate has not the key of the request");
    if (vos_same_names(&asked, &cert, err) < 0 ||
        vos_keeps_usage(&asked, &cert, err) < 0 ||
        (!wild && vos_no_wildcard(&cert, err) < 0))
        return -1;
    return pki_verify(a->leaf, strlen(a->leaf), str_text(&a->bundle),
                      a->bundle.len, PKI_ANY, job->now, err);
}

/* -- into the set ---------------------------------------------------------- */

int vos_write_slot(const struct issue_job *job, const struct plan_node *pn,
                   const char *slot, const char *text, struct err *err)
{
    char *path = vos_slot_path(job, pn, slot);
    int rc = file_write(path, text, strlen(text), 0600, false, err);

    free(path);
    return rc;
}

int vos_write_leaf(const struct issue_job *job, const struct plan_node *pn,
                   const struct vos_answer *answer, struct err *err)
{
    struct str leaf;
    int rc;

    str_init(&leaf, TEXT_CAP);
    rc = vos_pem(answer->leaf, "CERTIFICATE", &leaf);
    if (rc < 0)
        err_set(err, CAUSE_SYSTEM, "the certificate is no PEM");
    else
        rc = vos_write_slot(job, pn, "crt", str_text(&leaf), err);
    str_release(&leaf);
    return rc;
}
