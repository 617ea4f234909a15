/* SPDX-License-Identifier: Apache-2.0
 *
 * What is common to all who take a foreign issuer's answers: the run, and the
 * command that takes them from a person.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/issuer.h"

void issue_job_release(struct issue_job *job)
{
    for (size_t i = 0; i < job->n_wishes; i++) {
        free(job->wishes[i].request_path);
        free(job->wishes[i].answer_path);
        free(job->wishes[i].request);
        free(job->wishes[i].answer);
    }
    free(job->wishes);
    job->wishes = NULL;
    job->n_wishes = 0;
    free(job->trust);
    job->trust = NULL;
    findings_release(&job->findings);
}

struct issue_wish *issue_wish_add(struct issue_job *job)
{
    struct issue_wish *grown =
        realloc(job->wishes, (job->n_wishes + 1) * sizeof(*grown));

    if (!grown)
        abort();
    job->wishes = grown;
    grown += job->n_wishes++;
    memset(grown, 0, sizeof(*grown));
    return grown;
}

int issue_wish_kept(const struct issue_job *job, struct issue_wish *wish,
                    struct err *err)
{
    enum issuer_kind kind = plan_issuer(job->plan)->kind;

    if ((kind != ISSUER_CSR && kind != ISSUER_LINK) ||
        !file_exists(wish->answer_path))
        return 0;
    wish->answer = issuer_text(wish->answer_path, ISSUE_ANSWER_BYTES,
                               &wish->answer_len, err);
    return wish->answer ? 0 : -1;
}

struct pki_wish issue_pki_wish(const struct issue_job *job,
                               const struct issue_wish *wish)
{
    return (struct pki_wish){
        .request = wish->request,
        .request_len = strlen(wish->request),
        .trust = job->trust,
        .trust_len = strlen(job->trust),
        .purpose = wish->purpose,
        .at = job->now,
    };
}

int issue_answer_check(const struct issue_job *job,
                       const struct issue_wish *wish, const void *answer,
                       size_t len, struct err *err)
{
    const struct pki_wish asked = issue_pki_wish(job, wish);
    struct pki_answer read = {0};
    int rc = pki_answer_read(&asked, answer, len, &read, err);

    pki_answer_release(&read);
    return rc;
}
