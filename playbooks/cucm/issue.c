/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to the publisher's request, which is for every node.  Blocking;
 * runs in the pool and touches only the set's own folder.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cucm/cucm.h"
#include "playbooks/vos/answer.h"
#include "playbooks/vos/request.h"

/* Every node that the certificate is for: a platform that leaves one out would
 * leave it without (CSCus47235, seed 004). */
static int names_all(const struct issue_job *job, const char *request,
                     struct err *err)
{
    const struct plan_cluster *pc = job->plan;
    struct pki_cert_info info;

    if (pki_describe(request, strlen(request), &info, err) < 0)
        return -1;
    for (size_t i = 0; i < pc->n_nodes; i++)
        if ((pc->nodes[i].roles & CUCM_IN_SCOPE) &&
            !vos_names(&info, cucm_fqdn(pc, i)))
            return err_set(err, CAUSE_REFUSED,
                           "the request does not name node %s (%s)",
                           pc->nodes[i].node->name, cucm_fqdn(pc, i));
    return 0;
}

int cucm_wish(struct issue_job *job, bool make, struct err *err)
{
    (void)make; /* the node has made it */
    return vos_wish_add(job, NULL, err);
}

static bool takes_wildcards(const struct issue_job *job)
{
    return strcmp(cucm_type_of(job->plan->plan)->name, "cup-xmpp-s2s") == 0;
}

void cucm_issue(struct issue_job *job)
{
    char *request = vos_read_request(job, NULL, &job->err);
    struct vos_answer a;

    vos_answer_init(&a);
    job->rc = request ? vos_answer_make(job, request, 0, &a, &job->err) : -1;
    if (job->rc == 0)
        job->rc = names_all(job, request, &job->err);
    if (job->rc == 0)
        job->rc =
            vos_answer_judge(job, request, &a, takes_wildcards(job), &job->err);
    if (job->rc == 0)
        job->rc = vos_write_leaf(job, NULL, &a, &job->err);
    if (job->rc == 0)
        job->rc =
            vos_write_slot(job, NULL, "ca", str_text(&a.bundle), &job->err);
    vos_answer_release(&a);
    free(request);
}
