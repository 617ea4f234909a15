/* SPDX-License-Identifier: Apache-2.0
 *
 * cucm/rotate before anything is touched: who plays which part, and the gates
 * (seed 004's requirements and step 5, facts/uc.md 2).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cucm/cucm.h"
#include "playbooks/vos/answer.h"
#include "playbooks/vos/request.h"

enum {
    DAY_S = 86400,
    /* phones take some time to come for their new ITL: a judgement, no source
     * says how long */
    TVS_APART_DAYS = 7,
    SET_UP = 2 /* of replication: facts/uc.md 1.4 */
};

/* -- who plays which part -------------------------------------------------- */

const struct cucm_type *cucm_type_of(const struct plan *plan)
{
    const struct cucm_type *type = cucm_type_find(plan_input(plan, "type"));

    return type ? type : &cucm_types[0];
}

int cucm_check_type(const struct plan_cluster *pc, const char *value,
                    struct err *err)
{
    (void)pc;
    if (cucm_type_find(value))
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "the types of multi-server certificates are tomcat, "
                   "CallManager, cup-xmpp and cup-xmpp-s2s");
}

size_t cucm_head(const struct plan_cluster *pc)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].roles & CUCM_HEAD)
            return i;
    return SIZE_MAX;
}

static uint32_t part_of(const struct cucm_type *type, uint32_t roles)
{
    if (!(roles & type->scope))
        return CUCM_BESIDE;
    if (roles & type->head)
        return CUCM_HEAD;
    if (roles & CUCM_SUBSCRIBER)
        return CUCM_SECOND;
    return roles & CUCM_IMP_PUBLISHER ? CUCM_THIRD : CUCM_FOURTH;
}

static size_t count(const struct plan_cluster *pc, uint32_t role)
{
    size_t n = 0;

    for (size_t i = 0; i < pc->n_nodes; i++)
        n += (pc->nodes[i].node->roles & role) != 0;
    return n;
}

int cucm_prepare(struct plan_cluster *pc, struct err *err)
{
    static const struct set_file files[] = {
        {.slot = "csr", .name = ".csr"},
        {.slot = "crt", .name = ".crt"},
        {.slot = "ca", .name = "ca.crt"},
    };
    const struct cucm_type *type = cucm_type_of(pc->plan);

    if (!plan_input(pc->plan, "type") && !pc->plan->looks)
        return err_set(err, CAUSE_INPUT,
                       "which certificate? type=tomcat, CallManager, cup-xmpp "
                       "or cup-xmpp-s2s");
    if (count(pc, CUCM_PUBLISHER) != 1 || count(pc, type->head) != 1)
        return err_set(
            err, CAUSE_INPUT,
            "cluster %s must have one node with the role publisher%s",
            pc->cluster->name,
            type->head == CUCM_IMP_PUBLISHER ? ", and one with imp-publisher"
                                             : "");
    for (size_t i = 0; i < pc->n_nodes; i++)
        pc->nodes[i].roles |= part_of(type, pc->nodes[i].node->roles);
    pc->set.n = sizeof(files) / sizeof(*files);
    for (size_t i = 0; i < pc->set.n; i++) {
        pc->set.files[i] = files[i];
        pc->set.files[i].name =
            arena_printf(&pc->plan->arena, "%s%s", type->name, files[i].name);
    }
    if (!vos_issuer(pc))
        return err_set(err, CAUSE_INPUT, "cluster %s names no issuer",
                       pc->cluster->name);
    return 0;
}

/* -- the gates ------------------------------------------------------------- */

struct gate {
    struct plan_cluster *pc;
    const struct cucm_type *type;
    struct findings *findings;
};

static const char *name_of(const struct gate *g, size_t i)
{
    return g->pc->nodes[i].node->name;
}

static void gate_services(const struct gate *g, size_t i)
{
    const struct cucm_facts *f = cucm_facts_at(g->pc, i);
    struct err why = {0};

    if (cucm_running_of(f, "Cisco Tomcat") != VOS_STARTED)
        findings_add(g->findings, SEVERITY_ERROR, "service-down", name_of(g, i),
                     "Cisco Tomcat does not run there");
    else if (cucm_services_run(g->pc, i, &why) < 0)
        findings_add(g->findings, SEVERITY_ERROR, "service-down", name_of(g, i),
                     "%s", why.text);
}

static void gate_replication(const struct gate *g, size_t i)
{
    const struct cucm_replica *r = cucm_replica_of(g->pc, i);
    const struct cucm_facts *f = cucm_facts_at(g->pc, i);

    if (!r)
        findings_add(g->findings, SEVERITY_ERROR, "replication", name_of(g, i),
                     "no publisher says how its replication is");
    else if (r->state != SET_UP || !r->monitored)
        findings_add(g->findings, SEVERITY_ERROR, "replication", name_of(g, i),
                     "its replication is in state %u%s, not 2: what is "
                     "uploaded would not reach it",
                     r->state, r->monitored ? "" : " and not monitored");
    if (f->replication && f->replication->mismatched)
        findings_add(g->findings, SEVERITY_ERROR, "replication", name_of(g, i),
                     "the last check of its database found tables that differ");
}

static void gate_member(const struct gate *g, size_t i)
{
    const struct cucm_member *m = cucm_member_of(g->pc, i);
    uint32_t roles = g->pc->nodes[i].node->roles;

    if (!m)
        findings_add(g->findings, SEVERITY_ERROR, "members", name_of(g, i),
                     "the publisher does not list it");
    else if (m->presence != ((roles & CUCM_PRESENCE) != 0) ||
             m->publisher !=
                 ((roles & (CUCM_PUBLISHER | CUCM_IMP_PUBLISHER)) != 0))
        findings_add(g->findings, SEVERITY_ERROR, "members", name_of(g, i),
                     "the publisher lists it as a %s %s",
                     m->presence ? "IM&P" : "CUCM",
                     m->publisher ? "publisher" : "subscriber");
    else if (!m->authenticated)
        findings_add(g->findings, SEVERITY_ERROR, "members", name_of(g, i),
                     "the publisher lists it as not authenticated");
}

/* Somebody else is there: a certificate that the inventory does not know of. */
static void gate_strangers(const struct gate *g, size_t publisher)
{
    const struct cucm_members *all = cucm_facts_at(g->pc, publisher)->members;

    for (size_t k = 0; all && k < all->n; k++) {
        bool known = false;

        for (size_t i = 0; i < g->pc->n_nodes; i++)
            known |= cucm_member_of(g->pc, i) == &all->rows[k];
        if (!known)
            findings_add(g->findings, SEVERITY_ERROR, "members", NULL,
                         "the publisher lists %s, which is no node of the "
                         "inventory's cluster: it would not be started anew",
                         all->rows[k].fqdn);
    }
}

static void gate_sso(const struct gate *g, size_t i)
{
    const struct cucm_facts *f = cucm_facts_at(g->pc, i);

    if (!g->type->needs_sso_off)
        return;
    if (!f->sso_known)
        findings_add(g->findings, SEVERITY_BLOCK, "sso", name_of(g, i),
                     "whether SSO is on cannot be told (utils sso status)");
    else if (f->sso)
        findings_add(g->findings, SEVERITY_BLOCK, "sso", name_of(g, i),
                     "SSO is on: turn it off before, and on again when all "
                     "Tomcat certificates are through; the IdP needs the new "
                     "metadata");
}

static void gate_certs(const struct gate *g, size_t i)
{
    const struct cucm_facts *f = cucm_facts_at(g->pc, i);
    const struct cucm_unit *u = cucm_unit_at(g->pc, i);

    if (!f->certs_known) {
        findings_add(g->findings, SEVERITY_ERROR, "no-api", name_of(g, i),
                     "its certificates cannot be read: %s",
                     f->certs_why[0] ? f->certs_why : "its API was not asked");
        return;
    }
    for (size_t k = 0; u->info.kind == PKI_CERTIFICATE && k < g->pc->n_nodes;
         k++) {
        const char *fqdn = cucm_fqdn(g->pc, k);

        if ((g->pc->nodes[k].node->roles & g->type->scope) &&
            (g->pc->nodes[i].roles & CUCM_HEAD) && !vos_names(&u->info, fqdn))
            findings_add(g->findings, SEVERITY_WARNING, "due", name_of(g, k),
                         "%s does not stand in the %s certificate: a new "
                         "multi-server request is due, and is made",
                         fqdn, g->type->name);
    }
}

/* What nothing shows now, nothing will prove. */
static void gate_shown(const struct gate *g, size_t i)
{
    const struct cucm_facts *f = cucm_facts_at(g->pc, i);
    struct plan_node *pn = &g->pc->nodes[i];

    pn->serves_tls = f->node.shown.at_ms && f->node.shown.info.sha256[0];
    if (pn->serves_tls)
        memcpy(pn->served_sha256, f->node.shown.info.sha256, PKI_SHA256_HEX);
    else if ((pn->roles & CUCM_IN_SCOPE) && g->type->port)
        findings_add(g->findings,
                     g->type->must_show ? SEVERITY_ERROR : SEVERITY_WARNING,
                     "not-shown", name_of(g, i),
                     "no certificate is shown on port %u: there its services "
                     "and what it has stored are all the proof",
                     g->type->port);
}

static void gate_request(const struct gate *g, size_t head)
{
    const struct cucm_unit *u = cucm_unit_at(g->pc, head);
    const struct set_file *csr = set_slot(&g->pc->set, "csr");

    if (u->request_sha256[0] && strcmp(u->request_sha256, csr->sha256) != 0 &&
        !g->pc->issued &&
        !cucm_has_sent(&g->pc->nodes[head], "POST " CUCM_REST "/csr "))
        findings_add(g->findings, SEVERITY_BLOCK, "request", name_of(g, head),
                     "a request for %s is there that waits for its answer: a "
                     "new one overwrites it",
                     g->type->name);
}

/* -- CallManager and its phones -------------------------------------------- */

static void gate_phones(const struct gate *g, size_t publisher)
{
    const struct cucm_facts *f = cucm_facts_at(g->pc, publisher);
    struct plan_node *pn = &g->pc->nodes[publisher];

    pn->first_last = NULL;
    if (f->phones_known) {
        pn->first_last = arena_printf(&g->pc->plan->arena, "%u", f->phones);
        findings_add(
            g->findings, SEVERITY_INFO, "phones", name_of(g, publisher),
            "%u phones are registered%s", f->phones,
            g->type->drops_phones ? ": they drop, and are waited for" : "");
    } else if (g->type->drops_phones) {
        findings_add(g->findings, SEVERITY_BLOCK, "phones",
                     name_of(g, publisher),
                     "how many phones are registered cannot be told, so that "
                     "nobody can wait until they are back");
    }
}

static void gate_mode(const struct gate *g, size_t publisher)
{
    const struct cucm_facts *f = cucm_facts_at(g->pc, publisher);

    if (g->type->in_ctl && !f->mode_known)
        findings_add(g->findings, SEVERITY_ERROR, "mode", name_of(g, publisher),
                     "whether the cluster is in mixed mode cannot be told");
    else if (g->type->in_ctl && f->mixed)
        findings_add(g->findings, SEVERITY_INFO, "mode", name_of(g, publisher),
                     "mixed mode: the CTL is updated before any service "
                     "starts anew; all phones must be reset afterwards");
}

/* V6 */
static void gate_apart(const struct gate *g, size_t i)
{
    int64_t now = clock_wall_ms() / 1000;

    for (int k = CUCM_UNIT_TVS; g->type->in_ctl && k < CUCM_UNITS; k++) {
        const struct cucm_unit *u = &cucm_facts_at(g->pc, i)->units[k];

        if (u->there && u->info.kind != PKI_CERTIFICATE)
            findings_add(g->findings, SEVERITY_ERROR, "apart", name_of(g, i),
                         "its %s certificate cannot be read",
                         cucm_unit_names[k]);
        else if (u->there && u->info.not_before > now - TVS_APART_DAYS * DAY_S)
            findings_add(g->findings, SEVERITY_BLOCK, "apart", name_of(g, i),
                         "its %s certificate is under %d days old: phones that "
                         "have not come back since would trust neither it nor "
                         "the new CallManager's",
                         cucm_unit_names[k], TVS_APART_DAYS);
    }
}

/* -- all of it ------------------------------------------------------------- */

static void gate_node(const struct gate *g, size_t i)
{
    gate_services(g, i);
    gate_replication(g, i);
    gate_member(g, i);
    gate_sso(g, i);
    gate_certs(g, i);
    gate_shown(g, i);
    gate_apart(g, i);
    if (g->pc->nodes[i].node->roles & CUCM_PUBLISHER) {
        gate_strangers(g, i);
        gate_mode(g, i);
        gate_phones(g, i);
    }
}

int cucm_decide(struct plan_cluster *pc, struct findings *findings,
                struct err *err)
{
    const struct gate g = {pc, cucm_type_of(pc->plan), findings};

    (void)err;
    for (size_t i = 0; i < pc->n_nodes; i++)
        gate_node(&g, i);
    gate_request(&g, cucm_head(pc));
    vos_no_way_back(pc, findings);
    return 0;
}

bool cucm_not_due(const struct plan_cluster *pc, struct str *why)
{
    const char *wanted = plan_input(pc->plan, "if_days_left");
    const struct cucm_unit *u = cucm_unit_at(pc, cucm_head(pc));
    long limit = wanted ? strtol(wanted, NULL, 10) : 0;
    int64_t days = (u->info.not_after - clock_wall_ms() / 1000) / DAY_S;

    if (!wanted || pc->tag[0] || u->info.kind != PKI_CERTIFICATE ||
        days <= limit)
        return false;
    for (size_t i = 0; i < pc->n_nodes; i++)
        if ((pc->nodes[i].node->roles & cucm_type_of(pc->plan)->scope) &&
            !vos_names(&u->info, cucm_fqdn(pc, i)))
            return false;
    str_addf(why, "its certificate has %" PRId64 " days left, more than %ld",
             days, limit);
    return true;
}
