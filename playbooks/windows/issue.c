/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that servers made, signed by our own CA or by somebody else: for
 * each the whole chain, ordered, judged, and given to the product to keep.
 * Blocking; runs in the pool.
 */
#include "playbooks/windows/issue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/preflight.h"
#include "playbooks/windows/windows.h"

enum {
    REQUEST_CAP = 64 * 1024,
    CA_CAP = 256 * 1024,
    CHAIN_CAP = 512 * 1024,
};

struct bench {
    struct issue_job *job;
    const struct win_issue *how;
    struct pki_ca ca;
    bool own;    /* it signs */
    size_t wish; /* else: the next one, in the order in which they were made */
};

static char *path_of(const struct issue_job *job, const struct plan_node *pn,
                     const char *slot)
{
    return plan_file_path(job->folder, pn, set_slot(&pn->own, slot)->name);
}

/* -- is it what was asked for? --------------------------------------------- */

static bool names_it(const struct pki_cert_info *info, const char *host)
{
    char dns[300], ip[300];
    size_t n = (size_t)snprintf(dns, sizeof(dns), "DNS:%s", host);

    snprintf(ip, sizeof(ip), "IP:%s", host);
    for (const char *p = info->names; p && *p; p = strchr(p, ',')) {
        size_t len;

        p += strspn(p, ", ");
        len = strcspn(p, ",");
        if ((len == n && strncasecmp(p, dns, n) == 0) ||
            (len == strlen(ip) && strncmp(p, ip, len) == 0))
            return true;
        if (!p[len])
            return false;
        p += len;
    }
    return false;
}

static size_t count_names(const char *names)
{
    size_t n = *names != '\0';

    for (const char *p = names; *p; p++)
        n += *p == ',';
    return n;
}

/* What a server asks for in its name is no more than the inventory says. */
static int check_request(const struct node *node, const char *request,
                         struct err *err)
{
    struct pki_cert_info info;
    const char *first = win_fqdn(node);
    size_t n = 1;

    if (pki_describe(request, strlen(request), &info, err) < 0)
        return -1;
    if (info.kind != PKI_REQUEST)
        return err_set(err, CAUSE_REMOTE, "what it made is no request");
    if (strcmp(info.common_name, first) != 0 || !names_it(&info, first))
        return err_set(err, CAUSE_REMOTE, "its request is not for %s", first);
    for (const char *const *a = node->names; a && *a; a++)
        if (strcmp(*a, first) != 0) {
            n++;
            if (!names_it(&info, *a))
                return err_set(err, CAUSE_REMOTE, "its request lacks %s", *a);
        }
    return count_names(info.names) == n
               ? 0
               : err_set(err, CAUSE_REMOTE,
                         "its request has names that the inventory has not");
}

static char *request_of(const struct issue_job *job,
                        const struct win_spot *spot, struct err *err)
{
    char *path = path_of(job, spot->pn, spot->csr);
    char *request = issuer_text(path, REQUEST_CAP, NULL, err);

    free(path);
    if (request && check_request(spot->pn->node, request, err) < 0) {
        free(request);
        request = NULL;
    }
    return request;
}

/* -- leaf, chain, root ----------------------------------------------------- */

/* Everything that the leaf may lead on by, behind it. */
static int sign(const struct bench *bench, const struct win_spot *spot,
                struct str *all, struct err *err)
{
    char *request = request_of(bench->job, spot, err), *leaf = NULL;
    int rc = request ? pki_sign_request(&bench->ca, request, PKI_ANY,
                                        plan_issuer(bench->job->plan)->days,
                                        bench->job->now, &leaf, err)
                     : -1;

    if (rc == 0)
        str_addf(all, "%s%s", leaf, bench->ca.cert_pem);
    free(leaf);
    free(request);
    return rc;
}

static int take(struct bench *bench, struct str *all, struct err *err)
{
    const struct issue_wish *wish = &bench->job->wishes[bench->wish++];
    const struct pki_wish want = issue_pki_wish(bench->job, wish);
    struct pki_answer answer = {0};
    int rc =
        pki_answer_read(&want, wish->answer, wish->answer_len, &answer, err);

    if (rc == 0)
        str_addf(all, "%s%s%s", answer.leaf, str_text(&answer.between),
                 bench->job->trust);
    pki_answer_release(&answer);
    return rc;
}

/* The last block of an ordered chain. */
const char *win_issue_root(const struct str *chain)
{
    const char *root = NULL;

    for (const char *p = str_text(chain);
         (p = strstr(p, "-----BEGIN CERTIFICATE-----")); p++)
        root = p;
    return root;
}

static int lint(struct issue_job *job, const struct win_spot *spot,
                const struct str *chain, struct err *err)
{
    const char *const hosts[] = {win_fqdn(spot->pn->node), NULL};
    const char *root = win_issue_root(chain);
    const struct pki_chain about = {
        .what = spot->title,
        .cert = str_text(chain),
        .cert_len = (size_t)(root - str_text(chain)),
        .trust = root,
        .trust_len = strlen(root),
        .purpose = PKI_SERVER,
        .profile = PKI_PRIVATE,
        .hosts = hosts,
        .at = job->now,
    };
    struct pki_findings found = {0};
    int rc = 0;

    pki_lint_chain(&about, &found);
    preflight_grade_files(job->plan->cluster->checks, &found);
    preflight_take(&found, spot->pn->node->name, &job->findings);
    for (size_t i = 0; i < found.n && rc == 0; i++)
        if (found.list[i].severity == PKI_ERROR ||
            (found.list[i].severity == PKI_BLOCK &&
             !plan_accepts(job->plan->plan, found.list[i].id)))
            rc = err_set(err, CAUSE_SYSTEM,
                         "the certificate is not good: %s "
                         "%s",
                         found.list[i].id, found.list[i].text);
    pki_findings_release(&found);
    return rc;
}

int win_issue_write(const struct issue_job *job, const struct plan_node *pn,
                    const char *slot, const char *text, size_t len,
                    struct err *err) /* lint: allow params, one file */
{
    char *path = path_of(job, pn, slot);
    int rc = file_write(path, text, len, 0600, false, err);

    free(path);
    return rc;
}

static int make(struct bench *bench, const struct win_spot *spot,
                struct err *err)
{
    struct str all, chain;
    int rc;

    str_init(&all, CHAIN_CAP);
    str_init(&chain, CHAIN_CAP);
    rc = bench->own ? sign(bench, spot, &all, err) : take(bench, &all, err);
    if (rc == 0)
        rc = pki_chain_order(str_text(&all), all.len, &chain, NULL, err);
    if (rc == 0 &&
        (!win_issue_root(&chain) || win_issue_root(&chain) == str_text(&chain)))
        rc = err_set(err, CAUSE_INPUT, "it leads to no root");
    if (rc == 0)
        rc = lint(bench->job, spot, &chain, err);
    if (rc == 0)
        rc = bench->how->keep(bench->job, spot, &chain, err);
    str_release(&chain);
    str_release(&all);
    return rc < 0 ? err_context(err, "node %s: %s", spot->pn->node->name,
                                spot->title)
                  : 0;
}

/* -- all of them ----------------------------------------------------------- */

typedef int each_f(void *user, const struct win_spot *spot, struct err *err);

static int each_spot(const struct plan_cluster *pc, const struct win_issue *how,
                     each_f *each, void *user, struct err *err)
{
    struct win_spot list[WIN_SPOTS];

    for (size_t i = 0; i < pc->n_nodes; i++) {
        size_t n = pc->nodes[i].left_out ? 0 : how->spots(pc, i, list);

        for (size_t k = 0; k < n; k++) {
            list[k].pn = &pc->nodes[i];
            if (each(user, &list[k], err) < 0)
                return -1;
        }
    }
    return 0;
}

static int make_spot(void *user, const struct win_spot *spot, struct err *err)
{
    return make(user, spot, err);
}

void win_issue_all(struct issue_job *job, const struct win_issue *how)
{
    const struct issuer *issuer = plan_issuer(job->plan);
    struct bench bench = {
        .job = job, .how = how, .own = issuer->kind == ISSUER_INTERNAL};

    if (bench.own)
        job->rc = issuer_open_ca(job, issuer, &bench.ca, &job->err);
    if (job->rc == 0)
        job->rc = each_spot(job->plan, how, make_spot, &bench, &job->err);
    pki_ca_release(&bench.ca);
}

/* -- for a foreign issuer -------------------------------------------------- */

static char *beside(const char *path, const char *ending)
{
    char *other = NULL;

    if (asprintf(&other, "%.*s%s", (int)(strrchr(path, '.') - path), path,
                 ending) < 0)
        abort();
    return other;
}

static int wish_spot(void *user, const struct win_spot *spot, struct err *err)
{
    struct issue_job *job = user;
    struct issue_wish *wish = issue_wish_add(job);

    wish->slot = spot->crt;
    wish->node = spot->pn->node->name;
    wish->purpose = PKI_ANY;
    wish->request_path = path_of(job, spot->pn, spot->csr);
    wish->answer_path = beside(wish->request_path, ".signed");
    wish->request = request_of(job, spot, err);
    if (!wish->request)
        return err_context(err, "node %s", wish->node);
    return issue_wish_kept(job, wish, err);
}

/* The requests are the servers': none is made here. */
int win_issue_wish(struct issue_job *job, const struct win_issue *how,
                   struct err *err)
{
    char *path =
        issuer_path(plan_issuer(job->plan)->ca_cert, job->plan->cluster->name);

    job->trust = issuer_text(path, CA_CAP, NULL, err);
    free(path);
    return job->trust ? each_spot(job->plan, how, wish_spot, job, err) : -1;
}
