/* SPDX-License-Identifier: Apache-2.0
 *
 * The answers to the nodes' requests, one for each, and their chain in the
 * parts that are pasted one by one.  Blocking; runs in the pool and touches
 * only the set's own folder.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "playbooks/vos/answer.h"
#include "playbooks/vos/pem.h"
#include "playbooks/vos/request.h"
#include "playbooks/vos/vos.h"

enum {
    CHAIN_MAX = 3, /* the root, and two below it */
    PEM_CAP = 64 * 1024
};

int vos_wish(struct issue_job *job, bool make, struct err *err)
{
    int rc = 0;

    (void)make; /* the nodes have made them */
    for (size_t i = 0; i < job->plan->n_nodes && rc == 0; i++)
        rc = vos_wish_add(job, &job->plan->nodes[i], err);
    return rc;
}

/* By the name that its users have; without one, by its address. */
static int names_node(const char *request, const struct node *node,
                      struct err *err)
{
    const char *name =
        node->names && node->names[0] ? node->names[0] : node->address;
    struct pki_cert_info info;

    if (pki_describe(request, strlen(request), &info, err) < 0)
        return -1;
    return vos_names(&info, name)
               ? 0
               : err_set(err, CAUSE_REFUSED, "the request does not name %s",
                         name);
}

/* The bundle has the root last: it is the first that is pasted. */
static int write_chain(const struct issue_job *job, const struct plan_node *pn,
                       const char *bundle, struct err *err)
{
    struct str pems[CHAIN_MAX + 1];
    const char *p = bundle;
    size_t n = 0;
    int rc = 0;

    for (size_t i = 0; i <= CHAIN_MAX; i++)
        str_init(&pems[i], PEM_CAP);
    while (n <= CHAIN_MAX && (p = vos_pem_next(p, "CERTIFICATE", &pems[n])))
        n++;
    if (n == 0 || n > CHAIN_MAX)
        rc = err_set(err, CAUSE_REFUSED,
                     "its chain has %zu CAs: from 1 to %d can be pasted", n,
                     CHAIN_MAX);
    for (size_t i = 0; i < CHAIN_MAX && rc == 0; i++)
        rc = vos_write_slot(job, pn, vos_ca_slots[i],
                            i < n ? str_text(&pems[n - 1 - i]) : "", err);
    for (size_t i = 0; i <= CHAIN_MAX; i++)
        str_release(&pems[i]);
    return rc;
}

static int make_one(struct issue_job *job, size_t i, struct err *err)
{
    const struct plan_node *pn = &job->plan->nodes[i];
    char *request = vos_read_request(job, pn, err);
    struct vos_answer a;
    int rc;

    vos_answer_init(&a);
    rc = request ? names_node(request, pn->node, err) : -1;
    if (rc == 0)
        rc = vos_answer_make(job, request, i, &a, err);
    if (rc == 0)
        rc = vos_answer_judge(job, request, &a, false, err);
    if (rc == 0)
        rc = vos_write_leaf(job, pn, &a, err);
    if (rc == 0)
        rc = write_chain(job, pn, str_text(&a.bundle), err);
    vos_answer_release(&a);
    free(request);
    return rc < 0 ? err_context(err, "node %s", pn->node->name) : 0;
}

void vos_issue(struct issue_job *job)
{
    for (size_t i = 0; i < job->plan->n_nodes && job->rc == 0; i++)
        job->rc = make_one(job, i, &job->err);
}
