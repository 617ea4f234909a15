/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that servers made, signed by our own CA or by somebody else: for
 * each alias the whole chain, for each server the root alone.  keytool takes a
 * reply as it is when it asks no question: what is not in the file is not in
 * the chain either.  Blocking; runs in the pool.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/preflight.h"
#include "playbooks/cvp/cvp.h"

enum {
    REQUEST_CAP = 64 * 1024,
    CA_CAP = 256 * 1024,
    CHAIN_CAP = 512 * 1024
};

struct bench {
    struct issue_job *job;
    struct pki_ca ca;
    bool own;    /* it signs */
    size_t wish; /* else: the next one, in the order in which they were made */
};

struct spot { /* one alias of one server */
    const struct plan_node *pn;
    enum cvp_alias alias;
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
    const char *first = cvp_fqdn(node);
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

static char *request_of(const struct issue_job *job, const struct spot *spot,
                        struct err *err)
{
    char *path = path_of(job, spot->pn, cvp_slot(spot->alias, CVP_CSR));
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
static int sign(const struct bench *bench, const struct spot *spot,
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
static const char *root_of(const struct str *chain)
{
    const char *root = NULL;

    for (const char *p = str_text(chain);
         (p = strstr(p, "-----BEGIN CERTIFICATE-----")); p++)
        root = p;
    return root;
}

static int lint(struct issue_job *job, const struct spot *spot,
                const struct str *chain, struct err *err)
{
    const char *const hosts[] = {cvp_fqdn(spot->pn->node), NULL};
    const char *root = root_of(chain);
    const struct pki_chain about = {
        .what = cvp_aliases[spot->alias].alias,
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

static int write_slot(const struct issue_job *job, const struct plan_node *pn,
                      const char *slot, const char *text, size_t len,
                      struct err *err) /* lint: allow params, one file */
{
    char *path = path_of(job, pn, slot);
    int rc = file_write(path, text, len, 0600, false, err);

    free(path);
    return rc;
}

static int write_both(const struct issue_job *job, const struct spot *spot,
                      const struct str *chain, struct err *err)
{
    const char *root = root_of(chain);

    if (write_slot(job, spot->pn, cvp_slot(spot->alias, CVP_CRT),
                   str_text(chain), chain->len, err) < 0)
        return -1;
    return write_slot(job, spot->pn, "root", root, strlen(root), err);
}

static int make(struct bench *bench, const struct spot *spot, struct err *err)
{
    struct str all, chain;
    int rc;

    str_init(&all, CHAIN_CAP);
    str_init(&chain, CHAIN_CAP);
    rc = bench->own ? sign(bench, spot, &all, err) : take(bench, &all, err);
    if (rc == 0)
        rc = pki_chain_order(str_text(&all), all.len, &chain, NULL, err);
    if (rc == 0 && (!root_of(&chain) || root_of(&chain) == str_text(&chain)))
        rc = err_set(err, CAUSE_INPUT, "it leads to no root");
    if (rc == 0)
        rc = lint(bench->job, spot, &chain, err);
    if (rc == 0)
        rc = write_both(bench->job, spot, &chain, err);
    str_release(&chain);
    str_release(&all);
    return rc < 0 ? err_context(err, "node %s: %s", spot->pn->node->name,
                                cvp_aliases[spot->alias].alias)
                  : 0;
}

/* -- all of them ----------------------------------------------------------- */

typedef int each_f(void *user, const struct spot *spot, struct err *err);

static int each_spot(const struct plan_cluster *pc, each_f *each, void *user,
                     struct err *err)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        for (int a = 0; a < CVP_ALIASES; a++) {
            const struct spot spot = {&pc->nodes[i], (enum cvp_alias)a};

            if (cvp_renews(pc, i, spot.alias) && each(user, &spot, err) < 0)
                return -1;
        }
    return 0;
}

static int make_spot(void *user, const struct spot *spot, struct err *err)
{
    return make(user, spot, err);
}

void cvp_issue(struct issue_job *job)
{
    const struct issuer *issuer = plan_issuer(job->plan);
    struct bench bench = {.job = job, .own = issuer->kind == ISSUER_INTERNAL};

    if (bench.own)
        job->rc = issuer_open_ca(job, issuer, &bench.ca, &job->err);
    if (job->rc == 0)
        job->rc = each_spot(job->plan, make_spot, &bench, &job->err);
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

static int wish_spot(void *user, const struct spot *spot, struct err *err)
{
    struct issue_job *job = user;
    struct issue_wish *wish = issue_wish_add(job);

    wish->slot = cvp_slot(spot->alias, CVP_CRT);
    wish->node = spot->pn->node->name;
    wish->purpose = PKI_ANY;
    wish->request_path = path_of(job, spot->pn, cvp_slot(spot->alias, CVP_CSR));
    wish->answer_path = beside(wish->request_path, ".signed");
    wish->request = request_of(job, spot, err);
    if (!wish->request)
        return err_context(err, "node %s", wish->node);
    return issue_wish_kept(job, wish, err);
}

/* The requests are the servers': none is made here. */
int cvp_wish(struct issue_job *job, bool make_them, struct err *err)
{
    char *path =
        issuer_path(plan_issuer(job->plan)->ca_cert, job->plan->cluster->name);

    (void)make_them;
    job->trust = issuer_text(path, CA_CAP, NULL, err);
    free(path);
    return job->trust ? each_spot(job->plan, wish_spot, job, err) : -1;
}
