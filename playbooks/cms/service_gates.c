/* SPDX-License-Identifier: Apache-2.0
 *
 * The gates of cms/service-rotate: what would make it unsafe, what the old set
 * of each node is.  What its peers trust is service_trust.c's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cms/gates_priv.h"
#include "playbooks/cms/service_priv.h"

static bool switches(const struct look *look, size_t i,
                     enum cms_service service)
{
    return (look->pc->nodes[i].roles & cms_switch_bit(service)) != 0;
}

static const struct cms_svc_all *services_at(const struct look *look, size_t i)
{
    return &cms_facts_at(look->pc, i)->services;
}

/* -- is each service there, and as it should be? --------------------------- */

/* In two words, for people. */
static void say_versions(const struct cms_trait_row *row, struct str *out)
{
    if (row->since)
        str_addf(out, "from %u.%u", row->since / 100, row->since % 100);
    if (row->until)
        str_addf(out, "%suntil %u.%u", row->since ? " " : "", row->until / 100,
                 row->until % 100);
}

static void refuse_version(const struct look *look, size_t i,
                           const struct cms_service_row *row)
{
    struct str when;

    str_init(&when, 64);
    say_versions(&cms_traits[row->trait], &when);
    REFUSE(look, "version", i, "%s is not in CMS %s as we know it: %s",
           row->name, cms_facts_at(look->pc, i)->version, str_text(&when));
    str_release(&when);
}

/* `certs' or `sip certs': as its printout says, and as its version does. */
static void check_form(const struct look *look, size_t i,
                       enum cms_svc_slot slot)
{
    const struct cms_facts *f = cms_facts_at(look->pc, i);
    bool plain = f->services.slot[slot].plain;
    unsigned version = cms_version_number(f->version);

    if (version && cms_slots[slot].plain_labels[PART_KEY] &&
        !cms_version_has(version, plain ? CMS_PLAIN_FORMS : CMS_SIP_FORMS))
        REFUSE(look, "version", i,
               "%s prints what CMS %s does not have as we know it",
               cms_services[cms_slots[slot].service].name, f->version);
}

void cms_check_service(const struct look *look, size_t i,
                       enum cms_service service)
{
    const struct cms_service_row *row = &cms_services[service];
    const struct cms_svc_facts *f = &services_at(look, i)->service[service];
    unsigned version = cms_version_number(cms_facts_at(look->pc, i)->version);

    if (version && !cms_version_has(version, row->trait))
        refuse_version(look, i, row);
    else if (f->unknown)
        REFUSE(look, "no-service", i,
               "it does not know the command `%s': take the role off it",
               row->name);
    else if (f->enabled_shown && !f->enabled)
        REFUSE(look, "not-enabled", i,
               "%s is not enabled: take the role off it, or name the other "
               "services with service=",
               row->name);
}

void cms_check_shown(const struct look *look, size_t i, enum cms_svc_slot slot)
{
    const struct cms_slot_facts *f = &services_at(look, i)->slot[slot];
    unsigned port = cms_slot_port(f, slot);
    const char *title = cms_slots[slot].title;

    if (!port)
        WARN(look, "no-tls", i,
             "%s has no port to look at: the proof rests on its printout and "
             "on digests",
             title);
    else if (!f->served_sha256[0])
        findings_add(look->findings, SEVERITY_BLOCK, "no-tls",
                     look_name(look, i),
                     "%s does not answer on port %u: whether it shows the new "
                     "certificate could not be seen",
                     title, port);
    else if (f->old[PART_CRT].cert_sha256[0] &&
             strcmp(f->served_sha256, f->old[PART_CRT].cert_sha256) != 0)
        REFUSE(look, "not-loaded", i,
               "%s shows another certificate on port %u than its file %s "
               "holds: restart it first, or find out why",
               title, port, f->files[PART_CRT]);
}

static void check_slot(const struct look *look, size_t i,
                       enum cms_svc_slot slot)
{
    const struct cms_slot_facts *f = &services_at(look, i)->slot[slot];

    if (!f->files[PART_KEY][0] || !f->files[PART_CRT][0])
        REFUSE(look, "no-certificate", i,
               "%s names no key and certificate: there is nothing to rotate",
               cms_slots[slot].title);
    else
        cms_check_shown(look, i, slot);
    check_form(look, i, slot);
}

/* -- one file for several services ----------------------------------------- */

static bool share(const struct cms_slot_facts *a,
                  const struct cms_slot_facts *b)
{
    return a->files[PART_KEY][0] &&
           strcmp(a->files[PART_KEY], b->files[PART_KEY]) == 0;
}

/* The files of the others stay as they are; but who wants a key changed wants
 * it changed everywhere. */
static void check_shared(const struct look *look, size_t i)
{
    const struct cms_svc_all *all = services_at(look, i);

    for (int a = 0; a < CMS_SVC_SLOTS; a++)
        for (int b = 0; b < CMS_SVC_SLOTS; b++)
            if (switches(look, i, cms_slots[a].service) &&
                !switches(look, i, cms_slots[b].service) &&
                share(&all->slot[a], &all->slot[b]))
                findings_add(look->findings, SEVERITY_BLOCK, "shared-file",
                             look_name(look, i),
                             "%s and %s share the key %s: name %s in service= "
                             "too, or it keeps the old one",
                             cms_slots[a].title, cms_slots[b].title,
                             all->slot[a].files[PART_KEY],
                             cms_services[cms_slots[b].service].name);
}

/* -- the old set, the way back --------------------------------------------- */

static void no_way_back(struct plan_cluster *pc, const char *node,
                        const char *title, const char *why)
{
    if (!pc->way_back)
        return;
    pc->way_back = false;
    snprintf(pc->no_way_back, sizeof(pc->no_way_back), "node %s: %s: %.180s",
             node, title, why);
}

static void take_slot(const struct look *look, size_t i, enum cms_svc_slot slot)
{
    const struct cms_slot_facts *f = &services_at(look, i)->slot[slot];
    struct plan_cluster *pc = look->pc;
    struct file_set *old = &pc->nodes[i].old;
    int64_t end = f->old[PART_CRT].not_after;

    for (int k = 0; k < CMS_SVC_PARTS; k++) {
        struct set_file *file = &old->files[old->n];
        if (!f->files[k][0])
            continue;
        memset(file, 0, sizeof(*file));
        file->slot = cms_svc_word(slot, (enum cms_svc_part)k);
        file->name = arena_strdup(&pc->plan->arena, f->files[k]);
        memcpy(file->sha256, f->old[k].sha256, PKI_SHA256_HEX);
        memcpy(file->cert_sha256, f->old[k].cert_sha256, PKI_SHA256_HEX);
        old->n++;
    }
    if (!f->judged || f->bad[0])
        no_way_back(pc, look_name(look, i), cms_slots[slot].title,
                    f->judged ? f->bad : "its files were not read");
    if (end && (!pc->way_back_until || end < pc->way_back_until))
        pc->way_back_until = end;
}

static void take_node(const struct look *look, size_t i)
{
    for (int s = 0; s < CMS_SERVICES; s++)
        if (switches(look, i, (enum cms_service)s))
            cms_check_service(look, i, (enum cms_service)s);
    for (int k = 0; k < CMS_SVC_SLOTS; k++)
        if (switches(look, i, cms_slots[k].service)) {
            check_slot(look, i, (enum cms_svc_slot)k);
            take_slot(look, i, (enum cms_svc_slot)k);
        }
    check_shared(look, i);
    gates_check_clock(look, i);
    gates_check_room(look, i);
}

/* -- all of it ------------------------------------------------------------- */

static void say_drops(const struct look *look, enum cms_service service)
{
    const struct cms_service_row *row = &cms_services[service];

    findings_add(look->findings, SEVERITY_WARNING, "drops", NULL,
                 "%s: its restart drops %s", row->name, row->drops);
}

int cms_service_decide(struct plan_cluster *pc, struct findings *findings,
                       struct err *err)
{
    const struct look look = {pc, findings};
    uint32_t switched = 0;

    (void)err;
    pc->way_back = true;
    pc->way_back_until = 0;
    gates_say_issuer(&look);
    for (size_t i = 0; i < pc->n_nodes; i++) {
        switched |= pc->nodes[i].roles;
        pc->nodes[i].old.n = 0;
        cms_db_baseline(pc, i);
        if (pc->nodes[i].roles & cms_switch_bits())
            take_node(&look, i);
    }
    for (int s = 0; s < CMS_SERVICES; s++)
        if (switched & cms_switch_bit((enum cms_service)s))
            say_drops(&look, (enum cms_service)s);
    if (pc->way_back && pc->way_back_until < clock_wall_ms() / 1000)
        no_way_back(pc, "all", "all", "an old certificate has expired");
    return 0;
}
