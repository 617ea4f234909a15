/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plan of cms/db-rotate takes from the facts: who holds the data, who
 * is reached where, what the old sets are, whether there is a way back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cms/gates_priv.h"
#include "playbooks/cms/onbox.h"

/* ms of one command on an appliance, for estimates until this fleet's own
 * runs are known (facts/cms.md 3.5: none is documented) */
enum {
    EST_LEAVE = 20000,
    EST_CERTS = 1000,
    EST_INIT = 35000,
    EST_CONNECT = 10000,
    EST_JOIN = 60000
};

static const char *keep(const struct look *look, const char *text)
{
    return text && text[0] ? arena_strdup(&look->pc->plan->arena, text) : NULL;
}

static const char *holder_interface(const struct plan_cluster *pc)
{
    const struct plan_node *holder = &pc->nodes[pc->holder];

    return holder->interface
               ? holder->interface
               : cms_facts_at(pc, pc->holder)->status.interface;
}

static void take_addresses(const struct look *look, size_t i)
{
    struct plan_node *pn = &look->pc->nodes[i];
    const struct cms_member *me = cms_status_me(look_status(look, i));
    const char *shown = look_status(look, i)->interface;
    const char *holder =
        look->pc->holder == SIZE_MAX ? NULL : holder_interface(look->pc);

    pn->db_address = keep(look, pn->node->db_address ? pn->node->db_address
                                : me                 ? me->address
                                                     : pn->node->address);
    pn->interface = keep(look, pn->node->interface ? pn->node->interface
                               : shown[0]          ? shown
                                                   : holder);
    if (pn->node->interface && shown[0] &&
        strcmp(pn->node->interface, shown) != 0)
        WARN(look, "interface", i,
             "the inventory says interface %s, its status %s",
             pn->node->interface, shown);
    if (!pn->interface)
        REFUSE(look, "interface", i,
               "its status shows no interface: give it in the inventory "
               "(interface = a)");
}

static void take_old(const struct look *look, size_t i)
{
    struct plan_node *pn = &look->pc->nodes[i];
    const struct cms_facts *f = cms_facts_at(look->pc, i);
    bool server = (pn->roles & CMS_DATABASE) != 0;

    pn->old.n = 0;
    for (int k = 0; k < CMS_SLOTS; k++) {
        struct set_file *file = &pn->old.files[pn->old.n];
        bool of_server = k == CMS_SERVER_KEY || k == CMS_SERVER_CRT;
        bool lost = of_server && !server && !pn->newcomer;
        if (!f->status.files[k][0] || lost)
            continue;
        memset(file, 0, sizeof(*file));
        file->slot = cms_slot_word((enum cms_slot)k);
        file->name = keep(look, f->status.files[k]);
        memcpy(file->sha256, f->old[k].sha256, PKI_SHA256_HEX);
        if (f->old[k].info.kind == PKI_CERTIFICATE)
            memcpy(file->cert_sha256, f->old[k].info.sha256, PKI_SHA256_HEX);
        pn->old.n++;
    }
    if (pn->newcomer)
        cms_take_newcomer(look->pc, i, look->findings);
    pn->serves_tls = f->served || pn->newcomer;
    memcpy(pn->served_sha256, f->served_info.sha256, PKI_SHA256_HEX);
    if (server && !f->served && !pn->newcomer)
        WARN(look, "no-tls", i,
             "its database port %u does not answer here: the proof rests on "
             "status and digests",
             pn->node->db_port);
}

/* What this run left, or found (I7): from here on anything else is foreign. */
void cms_db_baseline(struct plan_cluster *pc, size_t i)
{
    const struct cms_facts *f = cms_facts_at(pc, i);
    unsigned number = 0;

    pc->nodes[i].n_listed = 0;
    pc->nodes[i].first_last = arena_strdup(&pc->plan->arena, f->status.last);
    for (size_t k = 0; k < f->n_listed; k++) {
        if (!cms_is_volatile(f->listed[k]))
            plan_note_file(pc, i, f->listed[k]);
        if (!pc->tag[0] && cms_is_ours(f->listed[k], &number) &&
            number > pc->number)
            pc->number = number;
    }
}

void cms_db_adopt(struct plan_cluster *pc, size_t i)
{
    struct findings findings = {0};
    const struct look look = {pc, &findings};

    take_addresses(&look, i);
    take_old(&look, i);
    cms_db_baseline(pc, i);
    findings_release(&findings);
}

/* -- way back ------------------------------------------------------------- */

static void no_way_back(struct plan_cluster *pc, const char *node,
                        const char *why)
{
    if (!pc->way_back)
        return;
    pc->way_back = false;
    snprintf(pc->no_way_back, sizeof(pc->no_way_back), "node %s: %.200s", node,
             why);
}

static void judge_way_back(const struct look *look)
{
    struct plan_cluster *pc = look->pc;
    int64_t until = 0;

    pc->way_back = true;
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cms_facts *f = cms_facts_at(pc, i);
        int64_t end = cms_old_not_after(f);

        if (!look_is_member(look, i))
            continue;
        if (!f->old_good)
            no_way_back(pc, look_name(look, i), f->old_why);
        if (f->served && strcmp(f->served_info.sha256,
                                f->old[CMS_SERVER_CRT].info.sha256) != 0)
            no_way_back(pc, look_name(look, i),
                        "the certificate that it serves is not the one that "
                        "its status names");
        if (end && (!until || end < until))
            until = end;
    }
    if (pc->expired)
        no_way_back(pc, "all", "the old certificates have expired");
    pc->way_back_until =
        until ? until - (int64_t)pc->degraded_estimate_ms / 1000 : 0;
    if (pc->way_back && pc->way_back_until < clock_wall_ms() / 1000)
        no_way_back(pc, "all",
                    "the old certificates end before a rollback "
                    "could");
}

static void estimate(const struct look *look)
{
    struct plan_cluster *pc = look->pc;
    uint64_t replicas = 0, clients = 0, lane;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        replicas += look_is_database(look, i) && i != pc->holder;
        clients += look_is_in(look, i) && !look_is_database(look, i);
    }
    pc->outage_estimate_ms =
        EST_LEAVE + EST_CERTS + EST_INIT + (clients ? EST_CONNECT : 0);
    lane = pc->cluster->leave == LANE_ONE_BY_ONE ? replicas : replicas > 0;
    pc->degraded_estimate_ms = pc->outage_estimate_ms +
                               lane * (EST_LEAVE + EST_CERTS) +
                               (clients ? EST_LEAVE + EST_CERTS : 0);
    lane = pc->cluster->join == LANE_ONE_BY_ONE ? replicas : replicas > 0;
    pc->degraded_estimate_ms += lane * EST_JOIN;
}

/* -- the playbook's function ---------------------------------------------- */

void cms_db_assign(struct plan_cluster *pc, size_t holder)
{
    pc->holder = holder;
    for (size_t i = 0; i < pc->n_nodes; i++) {
        struct plan_node *pn = &pc->nodes[i];
        pn->roles &= ~(uint32_t)(CMS_PRIMARY | CMS_REPLICA | CMS_SIGNS);
        if (pn->roles & CMS_DATABASE)
            pn->roles |= i == holder ? CMS_PRIMARY : CMS_REPLICA;
        if (i == holder && cms_is_onbox(pc))
            pn->roles |= CMS_SIGNS;
    }
}

void gates_say_issuer(const struct look *look)
{
    const struct issuer *issuer = plan_issuer(look->pc);

    if (issuer && issuer->kind == ISSUER_LINK && !look->pc->issued)
        findings_add(
            look->findings, SEVERITY_INFO, "issuer", NULL,
            "issuer %s is %s (node %s): it gets the requests by SSH in issue, "
            "before anything live; where its manager must issue them, the run "
            "stops, and goes on with `resume'",
            issuer->name, issuer->config, issuer->node->name);
    if (issuer && issuer->kind == ISSUER_CSR && !look->pc->issued)
        findings_add(look->findings, SEVERITY_INFO, "issuer", NULL,
                     "issuer %s is a person: the run stops in issue with its "
                     "requests, before anything live, and goes on with `issue' "
                     "and `resume'",
                     issuer->name);
}

static void check_ca(const struct look *look)
{
    const struct plan_cluster *pc = look->pc;
    int64_t days;

    gates_say_issuer(look);
    cms_onbox_gate(look);
    if (!pc->ca_not_after || !pc->cluster->issuer)
        return;
    days = (pc->ca_not_after - clock_wall_ms() / 1000) / 86400;
    if (days < (int64_t)pc->cluster->issuer->days)
        findings_add(look->findings, SEVERITY_WARNING, "ca-ends-first", NULL,
                     "the issuer's CA ends in %" PRId64 " days: the new "
                     "certificates will not outlive it",
                     days);
}

int cms_db_decide(struct plan_cluster *pc, struct findings *findings,
                  struct err *err)
{
    const struct look look = {pc, findings};

    (void)err;
    gates_find_expired(&look);
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (look_is_in(&look, i))
            gates_check_status(&look, i);
    gates_find_holder(&look);
    gates_check_members(&look);
    check_ca(&look);
    gates_check_root(&look);
    cms_db_assign(pc, pc->holder);
    estimate(&look);
    for (size_t i = 0; i < pc->n_nodes; i++) {
        if (!look_is_in(&look, i))
            continue;
        gates_check_clock(&look, i);
        gates_check_version(&look, i);
        gates_check_room(&look, i);
        gates_check_ca_key(&look, i);
        take_addresses(&look, i);
        take_old(&look, i);
        cms_db_baseline(pc, i);
    }
    judge_way_back(&look);
    return 0;
}
