/* SPDX-License-Identifier: Apache-2.0
 *
 * vos/rotate before anything is touched: the set, and the gates.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/vos/answer.h"
#include "playbooks/vos/vos.h"

enum {
    DAY_S = 86400
};

/* -- before any packet ----------------------------------------------------- */

int vos_prepare(struct plan_cluster *pc, struct err *err)
{
    static const struct set_file files[] = {
        {.slot = "csr", .name = "tomcat.csr"},
        {.slot = "crt", .name = "tomcat.crt"},
        {.slot = "root", .name = "root.crt"},
        {.slot = "int1", .name = "int1.crt"}, /* empty: there is none */
        {.slot = "int2", .name = "int2.crt"},
    };
    size_t primaries = 0;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        struct file_set *own = &pc->nodes[i].own;

        primaries += (pc->nodes[i].node->roles & VOS_PRIMARY) != 0;
        own->n = sizeof(files) / sizeof(*files);
        memcpy(own->files, files, sizeof(files));
    }
    if (primaries != 1)
        return err_set(err, CAUSE_INPUT,
                       "cluster %s must have one node with the role primary",
                       pc->cluster->name);
    if (!vos_issuer(pc))
        return err_set(err, CAUSE_INPUT, "cluster %s names no issuer",
                       pc->cluster->name);
    return 0;
}

/* -- the gates ------------------------------------------------------------- */

struct gate {
    struct plan_cluster *pc;
    struct findings *findings;
    size_t node;
};

static const char *name_of(const struct gate *g)
{
    return g->pc->nodes[g->node].node->name;
}

static void gate_services(const struct gate *g)
{
    const struct vos_facts *f = vos_facts_at(g->pc, g->node);
    char *list = vos_running_list(f);

    g->pc->nodes[g->node].first_last = arena_strdup(&g->pc->plan->arena, list);
    free(list);
    if (vos_running_of(&f->node.services, "Cisco Tomcat") != VOS_STARTED)
        findings_add(g->findings, SEVERITY_ERROR, "service-down", name_of(g),
                     "Cisco Tomcat does not run there");
}

static void gate_certs(const struct gate *g)
{
    const struct vos_facts *f = vos_facts_at(g->pc, g->node);

    if (!f->own || !f->trust || !f->csr_known)
        findings_add(g->findings, SEVERITY_ERROR, "unread", name_of(g),
                     "its %s cannot be read",
                     !f->own     ? "certificate"
                     : !f->trust ? "trust store"
                                 : "request");
    else if (f->csr_sha256[0] && !g->pc->issued &&
             !vos_has_our_request(g->pc, g->node) &&
             !vos_has_sent(&g->pc->nodes[g->node], "set csr gen tomcat"))
        findings_add(g->findings, SEVERITY_BLOCK, "request", name_of(g),
                     "a request for tomcat is there that waits for its answer: "
                     "a new one overwrites it");
}

/* What nothing shows now, nothing will prove. */
static void gate_shown(const struct gate *g)
{
    const struct vos_facts *f = vos_facts_at(g->pc, g->node);
    struct plan_node *pn = &g->pc->nodes[g->node];

    pn->serves_tls =
        f->node.shown.at_ms && f->node.shown.info.kind == PKI_CERTIFICATE;
    if (pn->serves_tls)
        memcpy(pn->served_sha256, f->node.shown.info.sha256, PKI_SHA256_HEX);
    else
        findings_add(g->findings, SEVERITY_ERROR, "not-shown", name_of(g),
                     "no certificate is shown on port %u (port=)",
                     vos_port(g->pc->plan));
}

static void gate_version(const struct gate *g)
{
    const char *first = vos_facts_at(g->pc, 0)->version;
    const char *version = vos_facts_at(g->pc, g->node)->version;

    if (!version[0])
        findings_add(g->findings, SEVERITY_WARNING, "version", name_of(g),
                     "it does not tell its version");
    else if (first[0] && strcmp(first, version) != 0)
        findings_add(g->findings, SEVERITY_WARNING, "version", name_of(g),
                     "it has version %s, and node %s has %s", version,
                     g->pc->nodes[0].node->name, first);
}

int vos_decide(struct plan_cluster *pc, struct findings *findings,
               struct err *err)
{
    struct gate g = {pc, findings, 0};

    (void)err;
    for (; g.node < pc->n_nodes; g.node++) {
        gate_services(&g);
        gate_certs(&g);
        gate_shown(&g);
        gate_version(&g);
    }
    if (pc->n_nodes == 1)
        findings_add(findings, SEVERITY_WARNING, "alone", NULL,
                     "there is no second node: nobody serves while it "
                     "restarts");
    vos_no_way_back(pc, findings);
    return 0;
}

bool vos_not_due(const struct plan_cluster *pc, struct str *why)
{
    const char *wanted = plan_input(pc->plan, "if_days_left");
    long limit = wanted ? strtol(wanted, NULL, 10) : 0;
    int64_t now = clock_wall_ms() / 1000, least = INT64_MAX;

    if (!wanted || pc->tag[0])
        return false;
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct pki_cert_info *shown =
            &vos_facts_at(pc, i)->node.shown.info;
        int64_t days = (shown->not_after - now) / DAY_S;

        if (shown->kind != PKI_CERTIFICATE || days <= limit)
            return false;
        least = days < least ? days : least;
    }
    str_addf(why, "its certificates have %" PRId64 " days left, more than %ld",
             least, limit);
    return true;
}
