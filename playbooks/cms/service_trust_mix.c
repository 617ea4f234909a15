/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a trust store are made of: what it held, and what its peers
 * are about to show; then the same without what they showed before.  Blocking;
 * knows no finding and no order.
 *
 * A store holds chains of issuers, or the very certificates of its peers, which
 * are then all that it takes (seed 002 1.2.5, 4.9).  It stays what it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "playbooks/cms/service_priv.h"

enum {
    FILE_CAP = 256 * 1024,
    LONGEST_CHAIN = 8
};

void cms_trust_mix_init(struct trust_mix *mix, const struct plan_cluster *pc,
                        enum cms_svc_store store, const char *ca)
{
    *mix = (struct trust_mix){.pc = pc, .store = store, .ca = ca};
    if (ca)
        pki_describe_all(ca, strlen(ca), &mix->by, &mix->n_by, NULL);
    mix->whole = true;
    for (size_t i = 0; i < pc->n_nodes; i++)
        for (int slot = 0; slot < CMS_SVC_SLOTS; slot++) {
            const struct plan_node *pn = &pc->nodes[i];
            enum cms_service service = cms_slots[slot].service;
            if ((cms_stores[store].slots & (1U << slot)) &&
                cms_has_service(pn->node, service) &&
                !(pn->roles & cms_switch_bit(service)))
                mix->whole = false;
        }
}

void cms_trust_mix_add(struct trust_mix *mix, const void *data, size_t len)
{
    struct pki_cert_info *more = NULL;
    size_t n = 0;

    if (pki_describe_all(data, len, &more, &n, NULL) < 0)
        return;
    mix->held = realloc(mix->held, (mix->n + n + 1) * sizeof(*mix->held));
    if (!mix->held)
        abort();
    memcpy(mix->held + mix->n, more, n * sizeof(*more));
    mix->n += n;
    free(more);
}

void cms_trust_mix_release(struct trust_mix *mix)
{
    free(mix->held);
    free(mix->by);
}

/* -- who is who ------------------------------------------------------------ */

/* The old certificates of the slots that are judged by the store and change,
 * one after the other; NULL: no more. */
static const struct cms_svc_file *old_leaf(const struct trust_mix *mix,
                                           size_t number)
{
    for (int slot = 0; slot < CMS_SVC_SLOTS; slot++)
        for (size_t i = 0; i < mix->pc->n_nodes; i++) {
            enum cms_service service = cms_slots[slot].service;
            if ((cms_stores[mix->store].slots & (1U << slot)) &&
                (mix->pc->nodes[i].roles & cms_switch_bit(service)) &&
                number-- == 0)
                return &cms_facts_at(mix->pc, i)
                            ->services.slot[slot]
                            .old[PART_CRT];
        }
    return NULL;
}

bool cms_trust_is_leaf(const struct trust_mix *mix,
                       const struct pki_cert_info *info)
{
    const struct cms_svc_file *leaf;

    for (size_t i = 0; (leaf = old_leaf(mix, i)); i++)
        if (strcmp(leaf->cert_sha256, info->sha256) == 0)
            return true;
    return false;
}

/* A name that was cut is no name. */
static bool is_same(const char *a, const char *b)
{
    return *a && strlen(a) < 255 && strcmp(a, b) == 0;
}

static bool has_signed(const struct trust_mix *mix, const char *subject)
{
    const struct cms_svc_file *leaf;

    for (size_t i = 0; (leaf = old_leaf(mix, i)); i++)
        if (is_same(leaf->issuer, subject))
            return true;
    return false;
}

/* Old roots do not always say that they are CAs. */
static bool is_authority(const struct trust_mix *mix,
                         const struct pki_cert_info *info)
{
    return !cms_trust_is_leaf(mix, info) &&
           (info->is_ca || has_signed(mix, info->subject));
}

/* Does the chain that begins at `issuer' go through `subject', by what the
 * store holds? */
static bool leads_to(const struct trust_mix *mix, const char *issuer,
                     const char *subject, int length)
{
    if (is_same(issuer, subject))
        return true;
    for (size_t i = 0; length > 0 && i < mix->n; i++)
        if (mix->held[i].is_ca && !mix->held[i].self_issued &&
            is_same(mix->held[i].subject, issuer) &&
            leads_to(mix, mix->held[i].issuer, subject, length - 1))
            return true;
    return false;
}

/* By the CA that signs from now on, or by one whom nothing happens to. */
static bool is_needed(const struct trust_mix *mix,
                      const struct pki_cert_info *info)
{
    for (size_t i = 0; i < mix->n_by; i++)
        if (strcmp(mix->by[i].sha256, info->sha256) == 0 ||
            (!mix->by[i].self_issued &&
             leads_to(mix, mix->by[i].issuer, info->subject, LONGEST_CHAIN)))
            return true;
    for (size_t i = 0; i < mix->n; i++)
        if (!is_authority(mix, &mix->held[i]) &&
            !cms_trust_is_leaf(mix, &mix->held[i]) &&
            leads_to(mix, mix->held[i].issuer, info->subject, LONGEST_CHAIN))
            return true;
    return false;
}

bool cms_trust_drops(const struct trust_mix *mix,
                     const struct pki_cert_info *info)
{
    const struct cms_svc_file *leaf;

    if (!mix->whole)
        return false;
    if (cms_trust_is_leaf(mix, info))
        return true;
    if (!is_authority(mix, info) || is_needed(mix, info))
        return false;
    for (size_t i = 0; (leaf = old_leaf(mix, i)); i++)
        if (leads_to(mix, leaf->issuer, info->subject, LONGEST_CHAIN))
            return true;
    return false;
}

bool cms_trust_by_issuer(const struct trust_mix *mix)
{
    for (size_t i = 0; i < mix->n; i++)
        if (is_authority(mix, &mix->held[i]))
            return true;
    return false;
}

bool cms_slot_changes(const struct plan_cluster *pc, enum cms_svc_slot slot)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].roles & cms_switch_bit(cms_slots[slot].service))
            return true;
    return false;
}

bool cms_trust_pins(const struct trust_mix *mix, enum cms_svc_slot slot)
{
    if (!(cms_stores[mix->store].slots & (1U << slot)) ||
        !cms_slot_changes(mix->pc, slot))
        return false;
    if (!cms_trust_by_issuer(mix))
        return true;
    for (size_t i = 0; i < mix->pc->n_nodes; i++)
        for (size_t k = 0; k < mix->n; k++)
            if ((mix->pc->nodes[i].roles &
                 cms_switch_bit(cms_slots[slot].service)) &&
                strcmp(mix->held[k].sha256, cms_facts_at(mix->pc, i)
                                                ->services.slot[slot]
                                                .old[PART_CRT]
                                                .cert_sha256) == 0)
                return true;
    return false;
}

/* -- the two files --------------------------------------------------------- */

static bool is_this(const struct pki_cert_info *info, const void *sha256)
{
    return strcmp(info->sha256, sha256) == 0;
}

static bool stays(const struct pki_cert_info *info, const void *mix)
{
    return !cms_trust_drops(mix, info);
}

/* Of a full chain its leaf alone. */
static int add_leaf(const struct issue_job *job, const struct cms_spot *spot,
                    struct str *out, struct err *err)
{
    struct pki_cert_info info;
    char *path = cms_spot_path(job, spot);
    struct secret *bytes = file_read(path, FILE_CAP, err);
    int rc = -1;

    if (bytes && pki_describe(bytes->data, bytes->len, &info, err) == 0)
        rc = pki_bundle_add(out, bytes->data, bytes->len, is_this, info.sha256,
                            err);
    secret_free(bytes);
    free(path);
    return rc;
}

/* Each node shows one of its own. */
static int add_leaves(const struct issue_job *job, enum cms_svc_slot slot,
                      struct str *out, struct err *err)
{
    for (size_t i = 0; i < job->plan->n_nodes; i++) {
        const struct cms_spot spot = {cms_svc_word(slot, PART_CRT),
                                      &job->plan->nodes[i]};

        if (set_slot(&spot.node->own, spot.slot) &&
            add_leaf(job, &spot, out, err) < 0)
            return -1;
    }
    return 0;
}

static int add_old(const struct trust_mix *mix, pki_keep_f *keep,
                   struct str *out, struct err *err)
{
    for (size_t i = 0; i < mix->pc->n_nodes; i++) {
        const struct cms_store_facts *f =
            &cms_facts_at(mix->pc, i)->services.store[mix->store];
        if (!cms_trust_file(mix->pc, i, mix->store, TRUST_OLD))
            continue;
        if (!f->data)
            return err_set(err, CAUSE_SYSTEM, "node %s: %s was not read",
                           mix->pc->nodes[i].node->name, f->file);
        if (pki_bundle_add(out, f->data, f->len, keep, mix, err) < 0)
            return -1;
    }
    return 0;
}

/* Certificates before their issuers, roots last (seed 002 1.2.4). */
static int compose(const struct issue_job *job, const struct trust_mix *mix,
                   pki_keep_f *keep, struct str *out, struct err *err)
{
    for (int slot = 0; mix->n && slot < CMS_SVC_SLOTS; slot++)
        if (cms_trust_pins(mix, (enum cms_svc_slot)slot) &&
            add_leaves(job, (enum cms_svc_slot)slot, out, err) < 0)
            return -1;
    if (add_old(mix, keep, out, err) < 0)
        return -1;
    if (mix->n == 0 || cms_trust_by_issuer(mix))
        return pki_bundle_add(out, mix->ca, strlen(mix->ca), NULL, NULL, err);
    return 0;
}

static int write_part(const struct issue_job *job, const struct trust_mix *mix,
                      enum cms_trust_part part, struct err *err)
{
    struct str out;
    int rc;

    str_init(&out, FILE_CAP);
    rc = compose(job, mix, part == TRUST_NEW ? stays : NULL, &out, err);
    for (size_t i = 0; i < job->plan->n_nodes && rc == 0; i++) {
        const struct cms_spot spot = {cms_trust_word(mix->store, part),
                                      &job->plan->nodes[i]};

        if (set_slot(&spot.node->own, spot.slot))
            rc = cms_write_file(job, &spot, str_text(&out), out.len, err);
    }
    str_release(&out);
    return rc;
}

static int issue_store(const struct issue_job *job, enum cms_svc_store store,
                       const char *ca, struct err *err)
{
    struct trust_mix mix;
    int rc;

    cms_trust_mix_init(&mix, job->plan, store, ca);
    for (size_t i = 0; i < job->plan->n_nodes; i++) {
        const struct cms_store_facts *f =
            &cms_facts_at(job->plan, i)->services.store[store];
        if (cms_trust_file(job->plan, i, store, TRUST_OLD) && f->data)
            cms_trust_mix_add(&mix, f->data, f->len);
    }
    rc = write_part(job, &mix, TRUST_BOTH, err);
    if (rc == 0)
        rc = write_part(job, &mix, TRUST_NEW, err);
    cms_trust_mix_release(&mix);
    return rc < 0 ? err_context(err, "%s", cms_stores[store].command) : 0;
}

static bool is_made(const struct plan_cluster *pc, enum cms_svc_store store)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (set_slot(&pc->nodes[i].own, cms_trust_word(store, TRUST_NEW)))
            return true;
    return false;
}

int cms_trust_issue(const struct issue_job *job, const char *ca,
                    struct err *err)
{
    for (int k = 0; k < CMS_SVC_STORES; k++)
        if (cms_stores[k].word && is_made(job->plan, (enum cms_svc_store)k) &&
            issue_store(job, (enum cms_svc_store)k, ca, err) < 0)
            return -1;
    return 0;
}
