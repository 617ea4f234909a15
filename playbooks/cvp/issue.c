/* SPDX-License-Identifier: Apache-2.0
 *
 * For each alias the whole chain, for each server the root alone: keytool takes
 * a reply as it is when it asks no question, and what is not in the file is not
 * in the chain either.
 */
#include <string.h>

#include "playbooks/cvp/cvp.h"
#include "playbooks/windows/issue.h"

static size_t spots(const struct plan_cluster *pc, size_t node,
                    struct win_spot list[WIN_SPOTS])
{
    size_t n = 0;

    for (int a = 0; a < CVP_ALIASES; a++)
        if (cvp_renews(pc, node, (enum cvp_alias)a))
            list[n++] = (struct win_spot){
                .csr = cvp_slot((enum cvp_alias)a, CVP_CSR),
                .crt = cvp_slot((enum cvp_alias)a, CVP_CRT),
                .title = cvp_aliases[a].alias,
            };
    return n;
}

static int keep(const struct issue_job *job, const struct win_spot *spot,
                const struct str *chain, struct err *err)
{
    const char *root = win_issue_root(chain);

    if (win_issue_write(job, spot->pn, spot->crt, str_text(chain), chain->len,
                        err) < 0)
        return -1;
    return win_issue_write(job, spot->pn, "root", root, strlen(root), err);
}

static const struct win_issue how = {spots, keep};

void cvp_issue(struct issue_job *job)
{
    win_issue_all(job, &how);
}

/* The requests are the servers': none is made here. */
int cvp_wish(struct issue_job *job, bool make, struct err *err)
{
    (void)make;
    return win_issue_wish(job, &how, err);
}
