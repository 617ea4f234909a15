/* SPDX-License-Identifier: Apache-2.0
 *
 * The gates of cms/db-rotate: what would make a rotation unsafe.  Pure: facts
 * in, findings out.
 */
#include <inttypes.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cms/gates_priv.h"

enum {
    SKEW_WARN_MS = 30 * 1000,
    SKEW_REFUSE_MS = 5 * 60 * 1000
};
enum {
    ROOM_REFUSE_PERCENT = 97
};

const char *look_name(const struct look *look, size_t i)
{
    return look->pc->nodes[i].node->name;
}

const struct cms_status *look_status(const struct look *look, size_t i)
{
    return &cms_facts_at(look->pc, i)->status;
}

bool look_is_in(const struct look *look, size_t i)
{
    return !look->pc->nodes[i].left_out &&
           (look->pc->nodes[i].roles & (CMS_DATABASE | CMS_CONNECT));
}

bool look_is_database(const struct look *look, size_t i)
{
    return look_is_in(look, i) && (look->pc->nodes[i].roles & CMS_DATABASE);
}

bool look_is_member(const struct look *look, size_t i)
{
    return look_is_in(look, i) && !look->pc->nodes[i].newcomer;
}

bool look_is_data_member(const struct look *look, size_t i)
{
    return look_is_database(look, i) && !look->pc->nodes[i].newcomer;
}

/* -- status, and have the certificates ended? ----------------------------- */

void gates_check_status(const struct look *look, size_t i)
{
    const struct cms_status *s = look_status(look, i);
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
    else if (look->pc->nodes[i].newcomer)
        gates_check_newcomer(look, i);
    else if (look->pc->expired)
        return;
    else if (s->word == CMS_ERROR)
        REFUSE(look, "in-error", i, "its cluster state is Error: %s",
               s->error[0] ? s->error : "(no text)");
    else if ((roles & CMS_DATABASE) && s->place != CMS_IS_PRIMARY &&
             s->place != CMS_IS_REPLICA)
        REFUSE(look, "not-member", i,
               "it is to be a database node, and is %s (cms/db-add-node "
               "brings a new one in)",
               cms_place_word(s->place));
    else if ((roles & CMS_CONNECT) && s->place != CMS_IS_CLIENT)
        REFUSE(look, "not-connected", i,
               "it is to be connected only, and is %s",
               cms_place_word(s->place));
}

void gates_find_expired(const struct look *look)
{
    int64_t now = clock_wall_ms() / 1000;

    look->pc->expired = false;
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        int64_t end = cms_old_not_after(cms_facts_at(look->pc, i));
        if (look_is_data_member(look, i) && end &&
            end < now + cms_facts_at(look->pc, i)->clock_off_ms / 1000)
            look->pc->expired = true;
    }
}

/* -- who holds the data --------------------------------------------------- */

static void every_view(const struct look *look, struct str *out)
{
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        const struct cms_member *p = cms_status_primary(look_status(look, i));
        if (look_is_data_member(look, i))
            str_addf(out, "%s%s is %s and sees %s", out->len ? "; " : "",
                     look_name(look, i),
                     cms_place_word(look_status(look, i)->place),
                     p ? p->address : "no primary");
    }
}

/* Advice is for who can take it. */
static bool takes(const struct look *look, const char *key)
{
    const struct input_row *row = look->pc->plan->playbook->inputs;

    while (row && row->key && strcmp(row->key, key) != 0)
        row++;
    return row && row->key;
}

static size_t count_claims(const struct look *look, size_t *claims)
{
    size_t found = SIZE_MAX;

    *claims = 0;
    for (size_t i = 0; i < look->pc->n_nodes; i++)
        if (look_is_data_member(look, i) &&
            look_status(look, i)->place == CMS_IS_PRIMARY) {
            found = i;
            (*claims)++;
        }
    return found;
}

static bool all_agree(const struct look *look, size_t holder)
{
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        const struct cms_member *p = cms_status_primary(look_status(look, i));
        if (look_is_member(look, i) &&
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

/* The user names another than the one that claims it.  That must be said twice;
 * and even then nothing is initialized beside a living primary (I1). */
static void against_a_claim(const struct look *look, size_t named,
                            size_t claimed)
{
    const char *name = look_name(look, named);
    const char *claims = look_name(look, claimed);

    if (!plan_accepts(look->pc->plan, "data-loss"))
        findings_add(look->findings, SEVERITY_BLOCK, "data-loss", name,
                     "primary=%s, but node %s reports that it is the primary: "
                     "what was written there is lost",
                     name, claims);
    else
        REFUSE(look, "living-primary", named,
               "I1: node %s still reports that it is the primary, and nothing "
               "is initialized beside it: switch it off, and run again with "
               "primary=%s without=%s --accept data-loss",
               claims, name, claims);
}

/* The user names the holder. */
static size_t named_holder(const struct look *look, size_t claimed)
{
    const char *name = plan_input(look->pc->plan, "primary");
    size_t i = name ? find_node(look->pc, name) : SIZE_MAX;

    if (i == SIZE_MAX)
        return claimed;
    if (claimed != SIZE_MAX && claimed != i)
        against_a_claim(look, i, claimed);
    return i;
}

void gates_find_holder(const struct look *look)
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
                 "cluster %s: the nodes do not agree on one primary (%s). %s",
                 look->pc->cluster->name, str_text(&views),
                 takes(look, "primary")
                     ? "Name the one that holds the data with primary=NODE"
                     : "Mend that first");
    str_release(&views);
    look->pc->holder = SIZE_MAX;
}

/* -- members and sync ----------------------------------------------------- */

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
    const struct cms_status *s = look_status(look, i);
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

static void not_in_sync(const struct look *look, size_t i, size_t other)
{
    const char *name = look_name(look, other);

    if (takes(look, "without"))
        REFUSE(look, "not-in-sync", i,
               "it sees node %s not in sync: wait until every replica is, or "
               "leave the node out with without=%s",
               name, name);
    else
        REFUSE(look, "not-in-sync", i,
               "it sees node %s not in sync: wait until every replica is",
               name);
}

static void check_sight(const struct look *look, size_t i, size_t other)
{
    const struct cms_status *s = look_status(look, i);

    for (size_t m = 0; m < s->n_members; m++) {
        const struct cms_member *member = &s->members[m];
        if (cms_node_by_address(look->pc, member->address) != other)
            continue;
        if (!member->connected || (!member->primary && !member->in_sync))
            not_in_sync(look, i, other);
        return;
    }
    REFUSE(look, "not-seen", i, "it does not see node %s in the cluster",
           look_name(look, other));
}

void gates_check_members(const struct look *look)
{
    if (look->pc->expired)
        return;
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        if (!look_is_member(look, i) || look->pc->nodes[i].leaver ||
            look_status(look, i)->word != CMS_ENABLED)
            continue;
        check_strangers(look, i);
        for (size_t other = 0; other < look->pc->n_nodes; other++)
            if (look_is_data_member(look, other) &&
                !look->pc->nodes[other].leaver)
                check_sight(look, i, other);
    }
}

/* -- clocks, versions, room ----------------------------------------------- */

void gates_check_clock(const struct look *look, size_t i)
{
    const struct cms_facts *f = cms_facts_at(look->pc, i);
    int64_t off = f->clock_off_ms < 0 ? -f->clock_off_ms : f->clock_off_ms;

    if (!f->clock_known)
        WARN(look, "clock-unknown", i,
             "its clock cannot be read by `date': the time of a pushed file "
             "will have to tell it");
    else if (off > SKEW_REFUSE_MS)
        REFUSE(look, "clock-skew", i,
               "its clock is %" PRId64 " s off ours: mend its NTP first",
               f->clock_off_ms / 1000);
    else if (off > SKEW_WARN_MS)
        WARN(look, "clock-skew", i, "its clock is %" PRId64 " s off ours",
             f->clock_off_ms / 1000);
}

void gates_check_version(const struct look *look, size_t i)
{
    const struct cms_facts *f = cms_facts_at(look->pc, i);
    const char *first = NULL;

    for (size_t k = 0; k < look->pc->n_nodes && !first; k++)
        if (look_is_member(look, k))
            first = cms_facts_at(look->pc, k)->version;
    if (!f->version[0] && look->pc->nodes[i].newcomer)
        findings_add(look->findings, SEVERITY_BLOCK, "version-unknown",
                     look_name(look, i),
                     "its version cannot be read: it must be the cluster's");
    else if (!f->version[0])
        WARN(look, "version-unknown", i, "its version cannot be read");
    else if (first && first[0] && strcmp(first, f->version) != 0)
        REFUSE(look, "versions-differ", i,
               "it runs %s, another node of the cluster %s", f->version, first);
}

void gates_check_room(const struct look *look, size_t i)
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
