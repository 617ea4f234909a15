/* SPDX-License-Identifier: Apache-2.0
 *
 * One certificate for each server; its CAs each in a file of its own, since
 * certutil and keytool take the first of a file alone.
 */
#include <string.h>

#include "playbooks/cce/cce.h"
#include "playbooks/windows/issue.h"

static size_t spots(const struct plan_cluster *pc, size_t node,
                    struct win_spot list[WIN_SPOTS])
{
    (void)pc;
    (void)node;
    list[0] = (struct win_spot){
        .csr = "csr", .crt = "crt", .title = "the server's certificate"};
    return 1;
}

static const char *next_block(const char *text)
{
    const char *at = strstr(text + 1, "-----BEGIN CERTIFICATE-----");

    return at ? at : text + strlen(text);
}

/* Intermediates in the order root downwards, as they are to be trusted. */
static int keep_cas(const struct issue_job *job, const struct plan_node *pn,
                    const char *first, const char *root, struct err *err)
{
    const char *at[CCE_CAS] = {root};
    size_t n = 1;

    for (const char *p = first; p < root; p = next_block(p)) {
        if (n == CCE_CAS)
            return err_set(err, CAUSE_INPUT,
                           "its chain has more than %d intermediates",
                           CCE_CAS - 1);
        at[n++] = p;
    }
    for (size_t k = 0; k < CCE_CAS; k++) {
        const char *text = k == 0 ? root : k < n ? at[n - k] : "";

        if (win_issue_write(job, pn, cce_ca_slots[k], text,
                            *text ? (size_t)(next_block(text) - text) : 0,
                            err) < 0)
            return -1;
    }
    return 0;
}

static int keep(const struct issue_job *job, const struct win_spot *spot,
                const struct str *chain, struct err *err)
{
    const char *leaf = str_text(chain), *first = next_block(leaf);
    const struct set_file *inf = set_slot(&spot->pn->own, "inf");

    if (win_issue_write(job, spot->pn, "inf", (const char *)inf->content->data,
                        inf->content->len, err) < 0 ||
        win_issue_write(job, spot->pn, "crt", leaf, (size_t)(first - leaf),
                        err) < 0)
        return -1;
    return keep_cas(job, spot->pn, first, win_issue_root(chain), err);
}

static const struct win_issue how = {spots, keep};

void cce_issue(struct issue_job *job)
{
    win_issue_all(job, &how);
}

int cce_wish(struct issue_job *job, bool make, struct err *err)
{
    (void)make; /* the servers have made them */
    return win_issue_wish(job, &how, err);
}
