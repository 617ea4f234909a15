/* SPDX-License-Identifier: Apache-2.0
 *
 * Trust stores in the plan of cms/service-rotate: which of them do not hold
 * what is about to be shown to them, by which files they change, what that
 * costs.  A store that is right, or empty, is left as it is: an empty one takes
 * everybody (callbridge trust cluster, seed 002 4.9) or nobody, today and
 * afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/issuer.h"
#include "playbooks/cms/gates_priv.h"
#include "playbooks/cms/service_priv.h"

enum {
    FILE_CAP = 256 * 1024,
    TEXT_CAP = 400
};

/* clang-format off */
#define WORDS(word) { word "_both", word }
static const char *const words[CMS_SVC_STORES][2] = {
    [STORE_CB_C2W] =       WORDS("cbc2wtrust"),
    [STORE_CB_CLUSTER] =   WORDS("clustertrust"),
    [STORE_WB3_C2W] =      WORDS("wb3c2wtrust"),
    [STORE_SCHED_C2W] =    WORDS("schedc2wtrust"),
    [STORE_UPLOADER_CMS] = WORDS("uploadertrust"),
};
/* clang-format on */

const char *cms_trust_word(enum cms_svc_store store, enum cms_trust_part part)
{
    return words[store][part];
}

bool cms_trust_judges(const struct plan_cluster *pc, enum cms_svc_store store)
{
    for (int slot = 0; slot < CMS_SVC_SLOTS; slot++)
        if ((cms_stores[store].slots & (1U << slot)) &&
            cms_slot_changes(pc, (enum cms_svc_slot)slot))
            return true;
    return false;
}

/* -- names of files -------------------------------------------------------- */

static void add_part(struct plan_cluster *pc, size_t node,
                     enum cms_svc_store store, enum cms_trust_part part,
                     const char *ending)
{
    struct file_set *own = &pc->nodes[node].own;

    own->files[own->n++] = (struct set_file){
        .slot = words[store][part],
        .name = arena_printf(&pc->plan->arena, "%s%s", cms_stores[store].word,
                             ending),
        .roles = cms_trust_bit(cms_stores[store].service),
    };
}

void cms_trust_prepare(struct plan_cluster *pc)
{
    for (int k = 0; k < CMS_SVC_STORES; k++) {
        enum cms_svc_store store = (enum cms_svc_store)k;

        if (!cms_stores[k].word || !cms_trust_judges(pc, store))
            continue;
        for (size_t i = 0; i < pc->n_nodes; i++)
            if (cms_has_service(pc->nodes[i].node, cms_stores[k].service)) {
                add_part(pc, i, store, TRUST_BOTH, "both.crt");
                add_part(pc, i, store, TRUST_NEW, ".crt");
            }
    }
}

/* The old file stands under the slot of the one that is named in the end. */
static const struct set_file *old_file(const struct plan_cluster *pc,
                                       size_t node, enum cms_svc_store store)
{
    const struct file_set *old = &pc->nodes[node].old;
    const struct set_file *file =
        words[store][TRUST_NEW] ? set_slot(old, words[store][TRUST_NEW]) : NULL;

    return file || !words[store][TRUST_BOTH]
               ? file
               : set_slot(old, words[store][TRUST_BOTH]);
}

const struct set_file *cms_trust_file(const struct plan_cluster *pc,
                                      size_t node, enum cms_svc_store store,
                                      enum cms_trust_part part)
{
    const struct set_file *old = old_file(pc, node, store);

    if (!old || part == TRUST_OLD)
        return old;
    if (part == TRUST_NEW && strcmp(old->slot, words[store][TRUST_NEW]) != 0)
        return NULL; /* nothing is dropped */
    return set_slot(&pc->nodes[node].own, words[store][part]);
}

enum cms_trust_part cms_trust_last(const struct plan_cluster *pc, size_t node,
                                   enum cms_svc_store store, bool back)
{
    if (back)
        return TRUST_OLD;
    return cms_trust_file(pc, node, store, TRUST_NEW) ? TRUST_NEW : TRUST_BOTH;
}

static const char *name_of_part(const struct view *view, const char *word,
                                bool last)
{
    for (int k = 0; k < CMS_SVC_STORES; k++) {
        enum cms_svc_store store = (enum cms_svc_store)k;
        const struct set_file *file;

        if (!cms_stores[k].word || strcmp(cms_stores[k].word, word) != 0)
            continue;
        file = cms_trust_file(
            view->plan, view->node, store,
            last ? cms_trust_last(view->plan, view->node, store, view->back)
                 : TRUST_BOTH);
        return file ? file->name : NULL;
    }
    return NULL;
}

const char *cms_trust_first_name(const struct view *view, const char *word)
{
    return name_of_part(view, word, false);
}

const char *cms_trust_last_name(const struct view *view, const char *word)
{
    return name_of_part(view, word, true);
}

int cms_trust_knows_names(const struct plan_cluster *pc, size_t i,
                          struct err *err)
{
    for (int k = 0; k < CMS_SVC_STORES; k++) {
        const char *name = cms_facts_at(pc, i)->services.store[k].file;
        bool known = !old_file(pc, i, (enum cms_svc_store)k);

        for (unsigned part = 0; !known && part < CMS_TRUST_PARTS; part++) {
            const struct set_file *file =
                cms_trust_file(pc, i, (enum cms_svc_store)k, part);
            known = file && file->name && strcmp(file->name, name) == 0;
        }
        if (!known)
            return err_set(err, CAUSE_REFUSED,
                           "node %s: `%s' names %s, a file of neither the old "
                           "nor the new set",
                           pc->nodes[i].node->name, cms_stores[k].command,
                           name[0] ? name : "none");
    }
    return 0;
}

/* -- what does each store hold? in the pool -------------------------------- */

static const struct cms_store_facts *store_at(const struct look *look, size_t i,
                                              enum cms_svc_store store)
{
    return &cms_facts_at(look->pc, i)->services.store[store];
}

static void block(const struct look *look, size_t i, enum cms_svc_store store,
                  const char *why)
{
    findings_add(look->findings, SEVERITY_BLOCK, "trust-store",
                 look_name(look, i), "`%s': %s, so it would stay as it is",
                 cms_stores[store].command, why);
}

static bool is_right(const struct trust_mix *all, const struct trust_mix *own)
{
    bool signs = false;

    for (size_t i = 0; i < own->n; i++) {
        if (cms_trust_is_leaf(own, &own->held[i]))
            return false;
        signs = signs || (all->n_by &&
                          strcmp(own->held[i].sha256, all->by[0].sha256) == 0);
    }
    return signs;
}

/* Adds to the mix what a store that has to change holds. */
static bool has_to_change(const struct look *look, size_t i,
                          struct trust_mix *mix)
{
    const struct cms_store_facts *f = store_at(look, i, mix->store);
    struct trust_mix own = {.pc = mix->pc, .store = mix->store};
    bool changes = false;

    if (!f->shown) {
        block(look, i, mix->store, "its printout does not say what it trusts");
        return false;
    }
    if (!f->file[0])
        return false;
    if (f->data)
        cms_trust_mix_add(&own, f->data, f->len);
    if (own.n == 0)
        block(look, i, mix->store,
              f->data ? "its file holds no certificate"
                      : "its file is not there");
    else if (!is_right(mix, &own))
        changes = true;
    if (changes)
        cms_trust_mix_add(mix, f->data, f->len);
    cms_trust_mix_release(&own);
    return changes;
}

/* -- is one file right for all nodes? -------------------------------------- */

static bool is_among(const struct pki_cert_info *list, size_t n,
                     const char *sha256)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].sha256, sha256) == 0)
            return true;
    return false;
}

/* Of that which stays in the end. */
static bool lacks_something(const struct look *look, size_t i,
                            const struct trust_mix *mix)
{
    const struct cms_store_facts *f = store_at(look, i, mix->store);
    struct pki_cert_info *own = NULL;
    size_t n = 0;
    bool lacks = false;

    pki_describe_all(f->data, f->len, &own, &n, NULL);
    for (size_t k = 0; k < mix->n; k++)
        lacks = lacks || (!cms_trust_drops(mix, &mix->held[k]) &&
                          !is_among(own, n, mix->held[k].sha256));
    free(own);
    return lacks;
}

static void take_store(const struct look *look, size_t i,
                       const struct trust_mix *mix, bool ends)
{
    const struct cms_store_facts *f = store_at(look, i, mix->store);
    struct plan_node *pn = &look->pc->nodes[i];
    struct set_file *file = &pn->old.files[pn->old.n++];
    struct pki_cert_info info;

    memset(file, 0, sizeof(*file));
    file->slot = words[mix->store][ends ? TRUST_NEW : TRUST_BOTH];
    file->name = arena_strdup(&look->pc->plan->arena, f->file);
    memcpy(file->sha256, f->sha256, PKI_SHA256_HEX);
    if (pki_describe(f->data, f->len, &info, NULL) == 0)
        memcpy(file->cert_sha256, info.sha256, PKI_SHA256_HEX);
    if (lacks_something(look, i, mix))
        findings_add(look->findings, SEVERITY_BLOCK, "trust-store",
                     pn->node->name,
                     "`%s %s' does not hold all that the same store of another "
                     "node holds; the new file is one for all: it would trust "
                     "more than before",
                     cms_stores[mix->store].command, f->file);
    pn->roles |= cms_trust_bit(cms_stores[mix->store].service);
}

bool cms_trust_touches(const struct plan_cluster *pc, size_t node,
                       enum cms_service service)
{
    for (int k = 0; k < CMS_SVC_STORES; k++)
        if (cms_stores[k].service == service &&
            old_file(pc, node, (enum cms_svc_store)k))
            return true;
    return false;
}

/* What has to start anew must be there; what is switched was looked at. */
static void check_starts(const struct look *look, size_t i,
                         enum cms_service service)
{
    if (!cms_trust_touches(look->pc, i, service) ||
        (look->pc->nodes[i].roles & cms_switch_bit(service)))
        return;
    cms_check_service(look, i, service);
    for (int k = 0; k < CMS_SVC_SLOTS; k++) {
        const struct cms_slot_facts *f =
            &cms_facts_at(look->pc, i)->services.slot[k];
        if (cms_slots[k].service == service && f->files[PART_CRT][0] &&
            cms_slot_port(f, (enum cms_svc_slot)k))
            cms_check_shown(look, i, (enum cms_svc_slot)k);
    }
}

/* -- saying so ------------------------------------------------------------- */

static void add_dropped(const struct trust_mix *mix, struct str *out)
{
    for (size_t i = 0; i < mix->n; i++)
        if (cms_trust_drops(mix, &mix->held[i]) &&
            !is_among(mix->held, i, mix->held[i].sha256))
            str_addf(out, "%s%s", out->len ? "; " : "", mix->held[i].subject);
}

static void tell_store(const struct look *look, const struct trust_mix *mix,
                       const char *nodes)
{
    struct str dropped;

    str_init(&dropped, TEXT_CAP / 2);
    add_dropped(mix, &dropped);
    findings_add(look->findings, SEVERITY_INFO, "trust-phases", NULL,
                 "`%s' of %s changes in three phases: it trusts old and new, "
                 "the services are switched, %s%s",
                 cms_stores[mix->store].command, nodes,
                 dropped.len  ? "it drops "
                 : mix->whole ? "there is nothing to drop"
                              : "it drops nothing, as others that it judges "
                                "are not switched",
                 str_text(&dropped));
    str_release(&dropped);
}

static void add_node(struct str *out, const char *name)
{
    str_addf(out, "%s%s", out->len ? ", " : "", name);
}

static void weigh_store(const struct look *look, enum cms_svc_store store,
                        const char *ca)
{
    bool *changes = calloc(look->pc->n_nodes + 1, sizeof(*changes));
    bool ends = false;
    struct trust_mix mix;
    struct str nodes;

    if (!changes)
        abort();
    str_init(&nodes, TEXT_CAP / 2);
    cms_trust_mix_init(&mix, look->pc, store, ca);
    for (size_t i = 0; i < look->pc->n_nodes; i++)
        if (cms_has_service(look->pc->nodes[i].node,
                            cms_stores[store].service) &&
            (changes[i] = has_to_change(look, i, &mix)))
            add_node(&nodes, look_name(look, i));
    for (size_t k = 0; k < mix.n; k++)
        ends = ends || cms_trust_drops(&mix, &mix.held[k]);
    for (size_t i = 0; i < look->pc->n_nodes; i++)
        if (changes[i])
            take_store(look, i, &mix, ends);
    if (mix.n)
        tell_store(look, &mix, str_text(&nodes));
    str_release(&nodes);
    cms_trust_mix_release(&mix);
    free(changes);
}

/* One of CMS 2.x, which 3.x does not print: it is not changed. */
static void weigh_fixed(const struct look *look, enum cms_svc_store store,
                        const char *ca)
{
    struct trust_mix mix;

    cms_trust_mix_init(&mix, look->pc, store, ca);
    for (size_t i = 0; i < look->pc->n_nodes; i++)
        if (cms_has_service(look->pc->nodes[i].node,
                            cms_stores[store].service) &&
            store_at(look, i, store)->shown && has_to_change(look, i, &mix))
            block(look, i, store,
                  "it does not trust what is to be shown, and this store is "
                  "not changed here");
    cms_trust_mix_release(&mix);
}

/* Does any store of the service drop something in the end? */
static bool service_ends(const struct look *look, size_t i,
                         enum cms_service service)
{
    for (int k = 0; k < CMS_SVC_STORES; k++)
        if (cms_stores[k].service == service &&
            cms_trust_file(look->pc, i, (enum cms_svc_store)k, TRUST_NEW))
            return true;
    return false;
}

/* A node that is not switched was not looked at. */
static void check_node(const struct look *look, size_t i)
{
    uint32_t roles = look->pc->nodes[i].roles;

    for (int s = 0; s < CMS_SERVICES; s++)
        check_starts(look, i, (enum cms_service)s);
    if (!(roles & cms_trust_bits()) || (roles & cms_switch_bits()))
        return;
    gates_check_clock(look, i);
    gates_check_room(look, i);
}

/* A store counts when its service starts anew (facts/cms.md 5.3): for the
 * trust, for the switch, for the end. */
static void tell_restarts(const struct look *look, enum cms_service service)
{
    bool switches = false, ends = false;
    struct str nodes;

    str_init(&nodes, TEXT_CAP / 2);
    for (size_t i = 0; i < look->pc->n_nodes; i++) {
        uint32_t roles = look->pc->nodes[i].roles;
        if (!(roles & cms_trust_bit(service)))
            continue;
        add_node(&nodes, look_name(look, i));
        switches = switches || (roles & cms_switch_bit(service));
        ends = ends || service_ends(look, i, service);
    }
    if (nodes.len && (switches || ends))
        findings_add(look->findings, SEVERITY_WARNING, "trust-restarts", NULL,
                     "%s of %s starts anew %s: to trust old and new%s%s.  "
                     "Each time that drops %s",
                     cms_services[service].name, str_text(&nodes),
                     switches && ends ? "three times" : "twice",
                     switches ? ", to switch" : "",
                     ends ? ", to drop the old" : "",
                     cms_services[service].drops);
    else if (nodes.len)
        findings_add(look->findings, SEVERITY_WARNING, "trust-restarts", NULL,
                     "%s of %s starts anew to trust the new, which drops %s",
                     cms_services[service].name, str_text(&nodes),
                     cms_services[service].drops);
    str_release(&nodes);
}

void cms_trust_weigh(struct plan_cluster *pc, struct findings *findings)
{
    const struct look look = {pc, findings};
    const char *ca_cert = pc->cluster->service_issuer->ca_cert;
    char *path = ca_cert ? issuer_path(ca_cert, pc->cluster->name) : NULL;
    struct secret *bytes =
        path && file_exists(path) ? file_read(path, FILE_CAP, NULL) : NULL;
    struct str ca;

    str_init(&ca, FILE_CAP);
    if (bytes)
        str_addn(&ca, bytes->data, bytes->len);
    for (size_t i = 0; i < pc->n_nodes; i++)
        pc->nodes[i].roles &= ~cms_trust_bits();
    for (int k = 0; k < CMS_SVC_STORES; k++)
        if (cms_trust_judges(pc, (enum cms_svc_store)k))
            (cms_stores[k].word ? weigh_store : weigh_fixed)(
                &look, (enum cms_svc_store)k, ca.len ? str_text(&ca) : NULL);
    for (size_t i = 0; i < pc->n_nodes; i++)
        check_node(&look, i);
    cms_drain_decide(&look);
    for (int s = 0; s < CMS_SERVICES; s++)
        if (cms_services[s].calls && cms_trust_bit((enum cms_service)s))
            tell_restarts(&look, (enum cms_service)s);
    cms_tell_dependents(&look, ca.len ? str_text(&ca) : NULL);
    str_release(&ca);
    secret_free(bytes);
    free(path);
}
