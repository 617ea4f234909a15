/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handshakes come to: findings before anything is touched.  The pairs
 * of the old sets are judged when every node was read, those of the new one
 * when it was made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/cms/gates_priv.h"
#include "playbooks/cms/handshake.h"

enum {
    TOLD = 8 /* refusals in words; one wrong CA makes dozens */
};

/* -- the old sets ---------------------------------------------------------- */

static void fill(struct cms_paper *paper, const struct cms_facts *f,
                 enum cms_slot slot)
{
    paper->data = f->certs[slot].data;
    paper->len = f->certs[slot].len;
    paper->name = f->old[slot].name;
    paper->sha256 = f->old[slot].sha256;
}

/* A set that is no way back by itself is named already, and what the node runs
 * on is then another than its files: they are a copy (facts/cms.md 3.2). */
static bool old_papers(const struct plan_cluster *pc, size_t node,
                       const void *user, struct cms_papers *papers)
{
    const struct cms_facts *f = cms_facts_at(pc, node);

    (void)user;
    fill(&papers->client, f, CMS_CLIENT_CRT);
    fill(&papers->server, f, CMS_SERVER_CRT);
    fill(&papers->trust, f, CMS_CA_CRT);
    return f->old_good;
}

/* What the cluster has and the new node gets: on every node the same. */
static bool shared_papers(const struct plan_cluster *pc, size_t node,
                          const void *user, struct cms_papers *papers)
{
    (void)node;
    return old_papers(pc, pc->holder, user, papers);
}

static void tell_refusals(struct plan_cluster *pc,
                          const struct cms_verdicts *verdicts,
                          struct findings *findings)
{
    for (size_t i = 0; i < verdicts->n && i < TOLD; i++) {
        const struct cms_refusal *r = &verdicts->list[i];
        size_t by = r->by_server ? r->pair->server : r->pair->client;
        findings_add(findings, SEVERITY_BLOCK, "handshake",
                     pc->nodes[by].node->name,
                     "%.400s; put the files right that its status names%s",
                     r->text, pc->reused ? "" : ", or go without a way back");
    }
    if (verdicts->n > TOLD)
        findings_add(findings, SEVERITY_BLOCK, "handshake", NULL,
                     "%zu more handshakes would fail", verdicts->n - TOLD);
    if (verdicts->n > 0 && pc->way_back && !pc->reused) {
        pc->way_back = false;
        snprintf(pc->no_way_back, sizeof(pc->no_way_back), "%.250s",
                 verdicts->list[0].text);
    }
}

/* Nobody with one set ever meets somebody with the other: a walk that lets
 * them is no rotation. */
static size_t count_new(struct plan_cluster *pc, const struct cms_pairs *pairs,
                        struct findings *findings)
{
    size_t count = 0;

    for (size_t i = 0; i < pairs->n; i++) {
        const struct cms_pair *p = &pairs->list[i];
        count += p->client_new && p->server_new;
        if (p->client_new != p->server_new)
            findings_add(findings, SEVERITY_ERROR, "handshake",
                         pc->nodes[p->client].node->name,
                         "step %s: it would meet %s, one with the old set and "
                         "one with the new: this is a fault of the playbook",
                         p->step, pc->nodes[p->server].node->name);
    }
    return count;
}

static void tell_count(const struct plan_cluster *pc,
                       const struct cms_verdicts *old, size_t fresh,
                       struct findings *findings)
{
    if (pc->reused)
        findings_add(findings, SEVERITY_INFO, "handshakes", NULL,
                     "handshakes: %zu pairs of the cluster's set verified",
                     old->verified);
    else if (pc->expired)
        findings_add(findings, SEVERITY_INFO, "handshakes", NULL,
                     "handshakes: the old certificates have expired; the %zu "
                     "pairs of the new set when it is made",
                     fresh);
    else
        findings_add(findings, SEVERITY_INFO, "handshakes", NULL,
                     "handshakes: %zu pairs of the old sets verified%s; the "
                     "%zu of the new set when it is made",
                     old->verified,
                     old->skipped ? ", the others have no way back" : "",
                     fresh);
}

static void drop_certs(struct plan_cluster *pc)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        cms_facts_drop_certs((struct cms_facts *)pc->nodes[i].facts);
}

void cms_db_weigh(struct plan_cluster *pc, struct findings *findings)
{
    struct cms_pairs pairs;
    struct cms_verdicts verdicts = {.n = 0};
    const struct cms_trial trial = {
        .pc = pc,
        .pairs = &pairs,
        .is_new = pc->reused,
        .papers_of = pc->reused ? shared_papers : old_papers,
    };
    const struct look look = {pc, findings};
    size_t fresh;

    if (!pc->reused)
        cms_lint_issuer(&look);
    if (pc->holder == SIZE_MAX)
        return; /* refused: nobody knows yet who dials whom */
    cms_pairs_make(pc, &pairs);
    fresh = count_new(pc, &pairs, findings);
    if (!pc->expired)
        cms_handshakes(&trial, &verdicts);
    tell_refusals(pc, &verdicts, findings);
    tell_count(pc, &verdicts, fresh, findings);
    cms_verdicts_release(&verdicts);
    cms_pairs_release(&pairs);
    drop_certs(pc);
}

/* -- the new set ----------------------------------------------------------- */

static bool new_papers(const struct plan_cluster *pc, size_t node,
                       const void *user, struct cms_papers *papers)
{
    (void)pc;
    (void)node;
    *papers = *(const struct cms_papers *)user;
    return true;
}

int cms_db_weigh_new(struct issue_job *job, const struct cms_papers *papers)
{
    struct cms_pairs pairs;
    struct cms_verdicts verdicts;
    const struct cms_trial trial = {
        .pc = job->plan,
        .pairs = &pairs,
        .is_new = true,
        .papers_of = new_papers,
        .user = papers,
    };
    int rc = 0;

    cms_pairs_make(job->plan, &pairs);
    cms_handshakes(&trial, &verdicts);
    if (verdicts.n > 0)
        rc = err_set(&job->err, CAUSE_SYSTEM,
                     "the new set is not good: %s (and %zu more handshakes); "
                     "have the issuer's CA looked at",
                     verdicts.list[0].text, verdicts.n - 1);
    else
        findings_add(&job->findings, SEVERITY_INFO, "handshakes", NULL,
                     "handshakes: %zu pairs of the new set verified",
                     verdicts.verified);
    cms_verdicts_release(&verdicts);
    cms_pairs_release(&pairs);
    return rc;
}
