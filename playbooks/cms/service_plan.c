/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of cms/service-rotate before any packet, and of a stopped run: which
 * services on which nodes, names of files, who signs, does the way back stand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "playbooks/cms/service_priv.h"

/* clang-format off */
#define WORDS(word) { word "_key", word "_crt", word "_ca" }
static const char *const words[CMS_SVC_SLOTS][CMS_SVC_PARTS] = {
    [SLOT_WEBADMIN] = WORDS("webadmin"),
    [SLOT_CALLBRIDGE] = WORDS("callbridge"),
    [SLOT_WB3_HTTPS] = WORDS("wb3https"),
    [SLOT_WB3_C2W] = WORDS("wb3c2w"),
    [SLOT_TURN] = WORDS("turn"),
    [SLOT_RECORDER] = WORDS("recorder"),
    [SLOT_STREAMER] = WORDS("streamer"),
    [SLOT_APPS_HTTPS] = WORDS("apphttps"),
    [SLOT_SCHED_HTTPS] = WORDS("schedhttps"),
    [SLOT_SCHED_C2W] = WORDS("schedc2w"),
    [SLOT_WEBBRIDGE] = WORDS("webbridge"),
    [SLOT_XMPP] = WORDS("xmpp"),
};
static const char *const endings[CMS_SVC_PARTS] = { ".key", ".crt", "ca.crt" };
/* clang-format on */

const char *cms_svc_word(enum cms_svc_slot slot, enum cms_svc_part part)
{
    return words[slot][part];
}

/* -- service=NAME,... ------------------------------------------------------ */

static bool has_slots(enum cms_service service)
{
    for (int i = 0; i < CMS_SVC_SLOTS; i++)
        if (cms_slots[i].service == service)
            return true;
    return false;
}

static bool is_named(const char *list, enum cms_service service)
{
    const char *name = cms_services[service].name;
    size_t len = strlen(name);

    if (strcmp(list, "all") == 0)
        return has_slots(service);
    for (const char *p = list; *p; p += strcspn(p, ",")) {
        p += *p == ',';
        if (strcspn(p, ",") == len && strncmp(p, name, len) == 0)
            return true;
    }
    return false;
}

static int check_name(const char *word, size_t len, struct err *err)
{
    struct str known;
    int rc = -1;

    for (int s = 0; s < CMS_SERVICES && rc < 0; s++)
        if (has_slots((enum cms_service)s) &&
            strlen(cms_services[s].name) == len &&
            strncmp(cms_services[s].name, word, len) == 0)
            rc = 0;
    if (rc == 0)
        return 0;
    str_init(&known, 256);
    for (int s = 0; s < CMS_SERVICES; s++)
        if (has_slots((enum cms_service)s))
            str_addf(&known, "%s, ", cms_services[s].name);
    err_set(err, CAUSE_INPUT,
            "no service with a certificate is called `%.*s'; there are %sall",
            (int)(len < 60 ? len : 60), word, str_text(&known));
    str_release(&known);
    return -1;
}

int cms_service_check_names(const struct plan_cluster *pc, const char *value,
                            struct err *err)
{
    (void)pc;
    if (strcmp(value, "all") == 0)
        return 0;
    for (const char *p = value;; p++) {
        size_t len = strcspn(p, ",");
        if (check_name(p, len, err) < 0)
            return -1;
        p += len;
        if (!*p)
            return 0;
    }
}

static void choose(struct plan_cluster *pc, const char *list)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        for (int s = 0; s < CMS_SERVICES; s++)
            if (cms_has_service(pc->nodes[i].node, (enum cms_service)s) &&
                is_named(list, (enum cms_service)s))
                pc->nodes[i].roles |= cms_switch_bit((enum cms_service)s);
}

static bool any_switches(const struct plan_cluster *pc, uint32_t bits)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].roles & bits)
            return true;
    return false;
}

/* Each that was named stands in a role of some node. */
static int all_are_there(const struct plan_cluster *pc, const char *list,
                         struct err *err)
{
    for (int s = 0; s < CMS_SERVICES && strcmp(list, "all") != 0; s++)
        if (is_named(list, (enum cms_service)s) &&
            !any_switches(pc, cms_switch_bit((enum cms_service)s)))
            return err_set(err, CAUSE_INPUT,
                           "service=%s: no node of cluster %s has the role %s",
                           list, pc->cluster->name, cms_services[s].name);
    if (!any_switches(pc, cms_switch_bits()))
        return err_set(err, CAUSE_INPUT,
                       "cluster %s has no node with a service that holds a "
                       "certificate",
                       pc->cluster->name);
    return 0;
}

static void add_slot(struct plan_cluster *pc, struct plan_node *pn,
                     enum cms_svc_slot slot)
{
    const struct cms_slot_row *row = &cms_slots[slot];

    for (int k = 0; k < CMS_SVC_PARTS; k++)
        if (row->labels[k])
            pn->own.files[pn->own.n++] = (struct set_file){
                .slot = words[slot][k],
                .name = arena_printf(&pc->plan->arena, "%s%s", row->word,
                                     endings[k]),
                .secret = k == PART_KEY,
            };
}

/* Each node has keys and certificates of its own (facts/certs.md 6, B6; CUCM
 * asks for the node's name in each, facts/cms.md 5.13).  Their files have the
 * same names everywhere. */
static void add_slots(struct plan_cluster *pc, struct plan_node *pn)
{
    pn->own.n = 0;
    for (int i = 0; i < CMS_SVC_SLOTS; i++)
        if (pn->roles & cms_switch_bit(cms_slots[i].service))
            add_slot(pc, pn, (enum cms_svc_slot)i);
}

int cms_service_prepare(struct plan_cluster *pc, struct err *err)
{
    const char *list = plan_input(pc->plan, "service");

    if (!list)
        return err_set(err, CAUSE_INPUT,
                       "which services? service=NAME[,NAME...] or service=all");
    if (cms_service_check_names(pc, list, err) < 0)
        return err_context(err, "service=%s", list);
    choose(pc, list);
    cms_drain_choose(pc);
    if (all_are_there(pc, list, err) < 0)
        return -1;
    for (size_t i = 0; i < pc->n_nodes; i++)
        add_slots(pc, &pc->nodes[i]);
    cms_trust_prepare(pc);
    if (!pc->cluster->service_issuer)
        return err_set(err, CAUSE_INPUT,
                       "cluster %s names no service_issuer (who signs for the "
                       "database is to sign nothing else)",
                       pc->cluster->name);
    return 0;
}

/* -- who signs -------------------------------------------------------------
 */

const struct issuer *cms_service_issuer(const struct plan_cluster *pc)
{
    return pc->cluster->service_issuer;
}

int cms_service_check_issuer(struct plan_cluster *pc, struct err *err)
{
    const struct issuer *issuer = cms_service_issuer(pc);

    return cms_check_issuer(pc, issuer, err);
}

static const char *common_name(const struct node *node)
{
    return node->names && node->names[0] ? node->names[0] : node->address;
}

static void add_host(const char **hosts, size_t *n, const char *host)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(hosts[i], host) == 0)
            return;
    hosts[(*n)++] = host;
}

const char **cms_service_hosts(const struct node *node)
{
    size_t room = 3, n = 0;
    const char **hosts;

    for (const char *const *a = node->names; a && *a; a++)
        room++;
    hosts = calloc(room, sizeof(*hosts));
    if (!hosts)
        abort();
    add_host(hosts, &n, common_name(node));
    for (const char *const *a = node->names; a && *a; a++)
        add_host(hosts, &n, *a);
    add_host(hosts, &n, node->address);
    return hosts;
}

/* -- the way back, again --------------------------------------------------- */

static bool takes_part(const struct plan_cluster *pc, size_t i)
{
    return !pc->nodes[i].left_out &&
           (pc->nodes[i].roles & (cms_switch_bits() | cms_trust_bits())) != 0;
}

int cms_service_way_back(const struct plan_cluster *pc, int64_t at,
                         struct err *err)
{
    if (cms_way_back_is_open(pc, at, "have expired", err) < 0)
        return -1;
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (takes_part(pc, i) && cms_old_is_there(pc, i, err) < 0)
            return -1;
    return 0;
}

/* -- a stopped run's state ------------------------------------------------- */

int cms_service_knows_names(const struct plan_cluster *pc, size_t i,
                            struct err *err)
{
    const struct plan_node *pn = &pc->nodes[i];
    const struct cms_svc_all *all = &cms_facts_at(pc, i)->services;

    for (int s = 0; s < CMS_SVC_SLOTS; s++)
        for (int k = 0; k < CMS_SVC_PARTS; k++) {
            const char *name = all->slot[s].files[k];
            if (name[0] && (pn->roles & cms_switch_bit(cms_slots[s].service)) &&
                !cms_is_name_of(&pn->old, words[s][k], name) &&
                !cms_is_name_of(&pn->own, words[s][k], name))
                return err_set(err, CAUSE_REFUSED,
                               "node %s: %s names %s, a file of neither the "
                               "old nor the new set",
                               pn->node->name, cms_slots[s].title, name);
        }
    return cms_trust_knows_names(pc, i, err);
}

int cms_service_recognise(struct plan_cluster *pc, struct err *err)
{
    cms_drain_choose(pc);
    for (size_t i = 0; i < pc->n_nodes; i++) {
        if (!takes_part(pc, i))
            continue;
        if (cms_service_knows_names(pc, i, err) < 0)
            return -1;
        if (pc->was_done || plan_accepts(pc->plan, "foreign"))
            cms_db_baseline(pc, i);
    }
    return 0;
}
