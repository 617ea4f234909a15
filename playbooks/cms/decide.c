/* SPDX-License-Identifier: Apache-2.0
 *
 * The gates of cms/db-rotate, and what the plan takes from the facts: who
 * holds the data, who is reached where, what the old sets are, whether there
 * is a way back.  Pure: facts in, findings and plan out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cms/cms.h"

enum {
    SKEW_WARN_MS = 30 * 1000,
    SKEW_REFUSE_MS = 5 * 60 * 1000
};
enum {
    ROOM_REFUSE_PERCENT = 97
};
/* ms of one command on an appliance, for estimates until this fleet's own
 * runs are known (facts/cms.md 3.5: none is documented) */
enum {
    EST_LEAVE = 20000,
    EST_CERTS = 1000,
    EST_INIT = 35000,
    EST_CONNECT = 10000,
    EST_JOIN = 60000
};

struct look { /* what every check needs */
    struct plan_cluster *pc;
    struct findings *findings;
};

static const char *name_of(const struct look *look, size_t i)
{
    return look->pc->nodes[i].node->name;
}

static const struct cms_status *status_at(const struct look *look, size_t i)
{
    return &cms_facts_at(look->pc, i)->status;
}

static bool is_in(const struct look *look, size_t i)
{
    return !look->pc->nodes[i].left_out &&
           (look->pc->nodes[i].roles & (CMS_DATABASE | CMS_CONNECT));
}

static bool is_database(const struct look *look, size_t i)
{
    return is_in(look, i) && (look->pc->nodes[i].roles & CMS_DATABASE);
}

#define REFUSE(look, id, i, ...)                                               \
    findings_add((look)->findings, SEVERITY_ERROR, id, name_of(look, i),       \
                 __VA_ARGS__)
#define WARN(look, id, i, ...)                                                 \
    findings_add((look)->findings, SEVERITY_WARNING, id, name_of(look, i),     \
                 __VA_ARGS__)

/* -- status, and have the certificates ended?
 * ------------------------------------ */

static void check_status(const struct look *look, size_t i)
{
    const struct cms_status *s = status_at(look, i);
    uint32_t roles = look->pc->nodes[i].roles;

    if (s->word == CMS_ODD)
        REFUSE(look, "status-unknown", i,
               "its `database cluster status' fits no rule (Status: %s): "
               "nothing is sent to a node that cannot be understood",
               s->word_text[0] ? s->word_text : "not shown");
    else if (s->word == CMS_BUSY)
        REFUSE(look, "busy", i,
               "it is at work (Status: %s): wait until it "
               "is through",
               s->word_text);
    else if (look->pc->expired)
        return;
    else if (s->word == CMS_ERROR)
        REFUSE(look, "in-error", i, "its cluster state is Error: %s",
               s->error[0] ? s->error : "(no text)");
    else if ((roles & CMS_DATABASE) && s->place != CMS_IS_PRIMARY &&
             s->place != CMS_IS_REPLICA)
        REFUSE(look, "not-member", i, "it is to be a database node, and is %s",
               cms_place_word(s->place));
    else if ((roles & CMS_CONNECT) && s->place != CMS_IS_CLIENT)
        REFUSE(look, "not-connected", i,
               "it is to be connected only, and is %s",
               cms_place_word(s->place));
}

static void find_expired(const struct look *look)
{
    int64_t now = clock_wall_ms() / 1000;

    look->pc->expired = false;
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        int64_t end = cms_old_not_after(cms_facts_at(look->pc, i));
        if (is_database(look, i) && end &&
            end < now + cms_facts_at(look->pc, i)->clock_off_ms / 1000)
            look->pc->expired = true;
    }
}

/* -- who holds the data
 * -------------------------------------------------------------- */

static void every_view(const struct look *look, struct str *out)
{
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        const struct cms_member *p = cms_status_primary(status_at(look, i));
        if (is_database(look, i))
            str_addf(out, "%s%s is %s and sees %s", out->len ? "; " : "",
                     name_of(look, i),
                     cms_place_word(status_at(look, i)->place),
                     p ? p->address : "no primary");
    }
}

static size_t count_claims(const struct look *look, size_t *claims)
{
    size_t found = SIZE_MAX;

    *claims = 0;
    for (size_t i = 0; i < look->pc->n_nodes; i++)
        if (is_database(look, i) &&
            status_at(look, i)->place == CMS_IS_PRIMARY) {
            found = i;
            (*claims)++;
        }
    return found;
}

static bool all_agree(const struct look *look, size_t holder)
{
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        const struct cms_member *p = cms_status_primary(status_at(look, i));
        if (is_in(look, i) &&
            (!p || cms_node_by_address(look->pc, p->address) != holder))
            return false;
    }
    return true;
}

static size_t find_node(const struct plan_cluster *pc, const char *name)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (strcmp(pc->nodes[i].node->name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* The user names the holder.  Against a node that claims it, this can lose
 * data, and must be said twice. */
static size_t named_holder(const struct look *look, size_t claimed)
{
    const char *name = plan_input(look->pc->plan, "primary");
    size_t i = name ? find_node(look->pc, name) : SIZE_MAX;

    if (i == SIZE_MAX)
        return claimed;
    if (claimed != SIZE_MAX && claimed != i)
        findings_add(look->findings, SEVERITY_BLOCK, "data-loss",
                     name_of(look, i),
                     "primary=%s, but node %s reports that it is the "
                     "primary: what was written there is lost",
                     name, name_of(look, claimed));
    return i;
}

static void find_holder(const struct look *look)
{
    size_t claims, claimed = count_claims(look, &claims);
    bool agreed =
        claims == 1 && (look->pc->expired || all_agree(look, claimed));
    struct str views;

    look->pc->holder = named_holder(look, claims == 1 ? claimed : SIZE_MAX);
    if (agreed || plan_input(look->pc->plan, "primary"))
        return;
    str_init(&views, 400);
    every_view(look, &views);
    findings_add(look->findings, SEVERITY_ERROR, "no-primary", NULL,
                 "cluster %s: the nodes do not agree on one primary (%s). "
                 "Name the one that holds the data with primary=NODE",
                 look->pc->cluster->name, str_text(&views));
    str_release(&views);
    look->pc->holder = SIZE_MAX;
}

/* -- members and sync
 * --------------------------------------------------------------------- */

static size_t count_absent(const struct look *look)
{
    size_t n = 0;

    for (size_t i = 0; i < look->pc->n_nodes; i++)
        n += look->pc->nodes[i].left_out &&
             (look->pc->nodes[i].roles & CMS_DATABASE);
    return n;
}

/* Members that the inventory does not know must not be more than those that
 * the user left out (their addresses may be unknown). */
static void check_strangers(const struct look *look, size_t i)
{
    const struct cms_status *s = status_at(look, i);
    size_t strangers = 0;
    const char *first = NULL;

    for (size_t m = 0; m < s->n_members; m++)
        if (cms_node_by_address(look->pc, s->members[m].address) == SIZE_MAX) {
            strangers++;
            first = first ? first : s->members[m].address;
        }
    if (strangers > count_absent(look))
        REFUSE(look, "stranger", i,
               "it sees %s in the database cluster, which the inventory does "
               "not have: a node that is not rotated loses the cluster",
               first);
}

static void check_sight(const struct look *look, size_t i, size_t other)
{
    const struct cms_status *s = status_at(look, i);

    for (size_t m = 0; m < s->n_members; m++) {
        const struct cms_member *member = &s->members[m];
        if (cms_node_by_address(look->pc, member->address) != other)
            continue;
        if (!member->connected || (!member->primary && !member->in_sync))
            REFUSE(look, "not-in-sync", i,
                   "it sees node %s not in sync: wait until every replica "
                   "is, or leave the node out with without=%s",
                   name_of(look, other), name_of(look, other));
        return;
    }
    REFUSE(look, "not-seen", i, "it does not see node %s in the cluster",
           name_of(look, other));
}

static void check_members(const struct look *look)
{
    if (look->pc->expired)
        return;
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        if (!is_in(look, i) || status_at(look, i)->word != CMS_ENABLED)
            continue;
        check_strangers(look, i);
        for (size_t other = 0; other < look->pc->n_nodes; other++)
            if (is_database(look, other))
                check_sight(look, i, other);
    }
}

/* -- clocks, versions, room
 * ------------------------------------------------------------------ */

static void check_clock(const struct look *look, size_t i)
{
    const struct cms_facts *f = cms_facts_at(look->pc, i);
    int64_t off = f->clock_off_ms < 0 ? -f->clock_off_ms : f->clock_off_ms;

    if (!f->clock_known)
        findings_add(look->findings, SEVERITY_BLOCK, "clock-unknown",
                     name_of(look, i),
                     "its clock cannot be read: certificates may not be "
                     "valid yet there");
    else if (off > SKEW_REFUSE_MS)
        REFUSE(look, "clock-skew", i,
               "its clock is %" PRId64 " s off ours: mend its NTP first",
               f->clock_off_ms / 1000);
    else if (off > SKEW_WARN_MS)
        WARN(look, "clock-skew", i, "its clock is %" PRId64 " s off ours",
             f->clock_off_ms / 1000);
}

static void check_version(const struct look *look, size_t i)
{
    const struct cms_facts *f = cms_facts_at(look->pc, i);
    const char *first = NULL;

    for (size_t k = 0; k < look->pc->n_nodes && !first; k++)
        if (is_in(look, k))
            first = cms_facts_at(look->pc, k)->version;
    if (!f->version[0])
        WARN(look, "version-unknown", i, "its version cannot be read");
    else if (first && first[0] && strcmp(first, f->version) != 0)
        REFUSE(look, "versions-differ", i,
               "it runs %s, another node of the cluster %s", f->version, first);
}

static void check_room(const struct look *look, size_t i)
{
    const struct cms_facts *f = cms_facts_at(look->pc, i);

    if (!f->room_known)
        WARN(look, "room-unknown", i, "its free room cannot be read");
    else if (f->used_percent >= ROOM_REFUSE_PERCENT)
        REFUSE(look, "no-room", i,
               "a file system is %u %% full: there may be no room for the "
               "backup",
               f->used_percent);
}

/* -- what the plan takes
 * -------------------------------------------------------------------------- */

static const char *keep(const struct look *look, const char *text)
{
    return text && text[0] ? arena_strdup(&look->pc->plan->arena, text) : NULL;
}

static void take_addresses(const struct look *look, size_t i)
{
    struct plan_node *pn = &look->pc->nodes[i];
    const struct cms_member *me = cms_status_me(status_at(look, i));
    const char *shown = status_at(look, i)->interface;
    const char *holder = look->pc->holder == SIZE_MAX
                             ? NULL
                             : status_at(look, look->pc->holder)->interface;

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
        if (!f->status.files[k][0] || (of_server && !server))
            continue;
        memset(file, 0, sizeof(*file));
        file->slot = cms_slot_word(k);
        file->name = keep(look, f->status.files[k]);
        memcpy(file->sha256, f->old[k].sha256, PKI_SHA256_HEX);
        pn->old.n++;
    }
    pn->serves_tls = f->served;
    memcpy(pn->served_sha256, f->served_info.sha256, PKI_SHA256_HEX);
    if (server && !f->served)
        WARN(look, "no-tls", i,
             "its database port %u does not answer here: the proof rests on "
             "status and digests",
             pn->node->db_port);
}

static void take_listing(const struct look *look, size_t i)
{
    struct plan_cluster *pc = look->pc;
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

/* -- way back
 * ----------------------------------------------------------------------------------------
 */

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

        if (!is_in(look, i))
            continue;
        if (!f->old_good)
            no_way_back(pc, name_of(look, i), f->old_why);
        if (f->served && strcmp(f->served_info.sha256,
                                f->old[CMS_SERVER_CRT].info.sha256) != 0)
            no_way_back(pc, name_of(look, i),
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
        replicas += is_database(look, i) && i != pc->holder;
        clients += is_in(look, i) && !is_database(look, i);
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

/* -- the playbook's function
 * ------------------------------------------------------------------------------
 */

void cms_db_assign(struct plan_cluster *pc, size_t holder)
{
    pc->holder = holder;
    for (size_t i = 0; i < pc->n_nodes; i++) {
        struct plan_node *pn = &pc->nodes[i];
        pn->roles &= ~(uint32_t)(CMS_PRIMARY | CMS_REPLICA);
        if (pn->roles & CMS_DATABASE)
            pn->roles |= i == holder ? CMS_PRIMARY : CMS_REPLICA;
    }
}

static void check_ca(const struct look *look)
{
    const struct plan_cluster *pc = look->pc;
    int64_t days;

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
    find_expired(&look);
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (is_in(&look, i))
            check_status(&look, i);
    find_holder(&look);
    check_members(&look);
    check_ca(&look);
    cms_db_assign(pc, pc->holder);
    estimate(&look);
    for (size_t i = 0; i < pc->n_nodes; i++) {
        if (!is_in(&look, i))
            continue;
        check_clock(&look, i);
        check_version(&look, i);
        check_room(&look, i);
        take_addresses(&look, i);
        take_old(&look, i);
        take_listing(&look, i);
    }
    judge_way_back(&look);
    return 0;
}
