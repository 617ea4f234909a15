/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read of services: printouts, the files that they name, what their
 * ports show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cms/service_priv.h"

static struct cms_svc_all *all_of(const struct view *view)
{
    return &((struct cms_facts *)cms_facts_of(view))->services;
}

int cms_parse_service(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;

    (void)err;
    cms_service_parse(&f->services, (enum cms_service)about->tag, result->data,
                      result->len);
    return 0;
}

bool cms_switches(const struct view *view, enum cms_service service)
{
    return (view->plan->nodes[view->node].roles & cms_switch_bit(service)) != 0;
}

/* A run looks at what it switches; `check' and `prune' at what the inventory
 * says that the node has. */
static bool looks_at(const struct view *view, enum cms_service service)
{
    const struct plan_cluster *pc = view->plan;

    if (pc->plan->playbook == &cms_service_rotate)
        return cms_switches(view, service);
    return cms_has_service(pc->nodes[view->node].node, service);
}

/* -- files ----------------------------------------------------------------- */

/* Who switches nothing has no use for keys. */
static bool wants_part(const struct view *view, unsigned slot, unsigned part)
{
    enum cms_service service = cms_slots[slot].service;

    return looks_at(view, service) &&
           (part == PART_CRT || cms_switches(view, service));
}

size_t cms_service_names(const struct view *view, struct read_file *list)
{
    struct cms_svc_all *all = all_of(view);
    size_t n = 0;

    for (unsigned i = 0; i < CMS_SVC_SLOTS; i++) {
        struct cms_slot_facts *slot = &all->slot[i];
        memset(slot->old, 0, sizeof(slot->old));
        slot->judged = false;
        free(slot->crt);
        slot->crt = NULL;
        for (unsigned k = 0; k < CMS_SVC_PARTS; k++)
            if (wants_part(view, i, k) && slot->files[k][0])
                list[n++] =
                    (struct read_file){slot->files[k], i * CMS_SVC_PARTS + k};
    }
    return n;
}

int cms_parse_service_file(struct facts *facts, const struct read_file *file,
                           const struct link_result *result, struct err *err)
{
    struct cms_svc_all *all = &((struct cms_facts *)facts)->services;
    struct cms_slot_facts *slot = &all->slot[file->tag / CMS_SVC_PARTS];
    unsigned k = file->tag % CMS_SVC_PARTS;

    (void)err;
    slot->old[k].missing = result->end != LINK_OK;
    secret_free(slot->bytes[k]);
    slot->bytes[k] = NULL;
    if (slot->old[k].missing)
        return 0;
    pki_sha256(result->data, result->len, slot->old[k].sha256);
    slot->bytes[k] = secret_from(result->data, result->len);
    return 0;
}

size_t cms_store_names(const struct view *view, struct read_file *list)
{
    struct cms_svc_all *all = all_of(view);
    size_t n = 0;

    for (unsigned i = 0; i < CMS_SVC_STORES; i++)
        if (all->store[i].file[0])
            list[n++] = (struct read_file){all->store[i].file, i};
    return n;
}

int cms_parse_store(struct facts *facts, const struct read_file *file,
                    const struct link_result *result, struct err *err)
{
    struct cms_svc_all *all = &((struct cms_facts *)facts)->services;
    struct cms_store_facts *store = &all->store[file->tag];

    (void)err;
    free(store->data);
    store->data = NULL;
    store->len = result->len;
    store->sha256[0] = '\0';
    if (result->end != LINK_OK)
        return 0;
    pki_sha256(result->data, result->len, store->sha256);
    store->data = malloc(result->len + 1);
    if (!store->data)
        abort();
    memcpy(store->data, result->data, result->len);
    return 0;
}

/* The old file, the one that trusts both, and the one of the end. */
size_t cms_bundle_names(const struct view *view, struct read_file *list)
{
    struct cms_svc_all *all = all_of(view);
    size_t n = 0;

    for (unsigned i = 0; i < CMS_SVC_STORES; i++) {
        memset(all->store[i].held, 0, sizeof(all->store[i].held));
        for (unsigned k = 0; k < CMS_TRUST_PARTS; k++) {
            const struct set_file *file = cms_trust_file(
                view->plan, view->node, (enum cms_svc_store)i, k);
            if (file)
                list[n++] =
                    (struct read_file){file->name, i * CMS_TRUST_PARTS + k};
        }
    }
    return n;
}

int cms_parse_bundle(struct facts *facts, const struct read_file *file,
                     const struct link_result *result, struct err *err)
{
    struct cms_svc_all *all = &((struct cms_facts *)facts)->services;
    struct cms_store_facts *store = &all->store[file->tag / CMS_TRUST_PARTS];

    (void)err;
    if (result->end == LINK_OK)
        pki_sha256(result->data, result->len,
                   store->held[file->tag % CMS_TRUST_PARTS]);
    return 0;
}

/* -- what is served -------------------------------------------------------- */

static bool has_store(const struct view *view, enum cms_service service)
{
    for (int i = 0; i < CMS_SVC_STORES; i++)
        if (cms_stores[i].service == service &&
            cms_trust_judges(view->plan, (enum cms_svc_store)i))
            return true;
    return false;
}

/* A row that switches one service asks nothing about the others' ports. */
static bool row_is_of_another(const struct view *view, enum cms_service service)
{
    uint32_t switches = view->step ? view->step->roles & cms_switch_bits() : 0;

    return switches && !(switches & cms_switch_bit(service));
}

/* Of a run also what has to start anew to trust; before the plan stands, what
 * may have to. */
static bool port_counts(const struct view *view, enum cms_service service)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];

    if (row_is_of_another(view, service))
        return false;
    if (looks_at(view, service) || (pn->roles & cms_trust_bit(service)))
        return true;
    return !view->plan->decided && has_store(view, service) &&
           cms_has_service(pn->node, service);
}

unsigned cms_slot_port(const struct cms_slot_facts *facts,
                       enum cms_svc_slot slot)
{
    return facts->port ? facts->port : cms_slots[slot].port;
}

bool cms_service_peer(const struct view *view, const struct read_file *about,
                      struct link_peer *peer)
{
    struct cms_slot_facts *slot = &all_of(view)->slot[about->tag];
    unsigned port = cms_slot_port(slot, (enum cms_svc_slot)about->tag);

    slot->served_sha256[0] = '\0';
    if (!port_counts(view, cms_slots[about->tag].service) || !port ||
        !slot->files[PART_CRT][0])
        return false;
    peer->address = view->plan->nodes[view->node].node->address;
    peer->port = port;
    peer->tls = LINK_TLS_PLAIN;
    return true;
}

int cms_parse_shown(struct facts *facts, const struct read_file *about,
                    const struct link_result *result, struct err *err)
{
    struct cms_svc_all *all = &((struct cms_facts *)facts)->services;
    struct cms_slot_facts *slot = &all->slot[about->tag];

    (void)err;
    secret_free(slot->served_bytes);
    slot->served_bytes = secret_from(result->data, result->len);
    slot->served_ms = clock_mono_ms();
    return 0;
}

/* -- in the pool ----------------------------------------------------------- */

static void describe(struct cms_svc_file *file, const struct secret *bytes)
{
    struct pki_cert_info info;

    if (!bytes || pki_describe(bytes->data, bytes->len, &info, NULL) < 0 ||
        info.kind != PKI_CERTIFICATE)
        return;
    memcpy(file->cert_sha256, info.sha256, PKI_SHA256_HEX);
    snprintf(file->issuer, sizeof(file->issuer), "%s", info.issuer);
    snprintf(file->common_name, sizeof(file->common_name), "%s",
             info.common_name);
    snprintf(file->authority_id, sizeof(file->authority_id), "%s",
             info.authority_id);
    snprintf(file->names, sizeof(file->names), "%s", info.names);
    file->not_after = info.not_after;
}

static int judge(const struct cms_slot_facts *slot, struct err *err)
{
    const struct secret *key = slot->bytes[PART_KEY];
    const struct secret *crt = slot->bytes[PART_CRT];

    for (int k = 0; k < CMS_SVC_PARTS; k++)
        if (slot->files[k][0] && !slot->bytes[k])
            return err_set(err, CAUSE_REMOTE,
                           "%s, which its printout names, is not there",
                           slot->files[k]);
    if (!key || !crt)
        return err_set(err, CAUSE_REMOTE, "it names no key or certificate");
    if (pki_match(key->data, key->len, NULL, crt->data, crt->len, err) < 0)
        return err_context(err, "%s", slot->files[PART_KEY]);
    if (!slot->old[PART_CRT].cert_sha256[0])
        return err_set(err, CAUSE_REMOTE, "%s holds no certificate",
                       slot->files[PART_CRT]);
    return 0;
}

static void keep_certificate(struct cms_slot_facts *slot)
{
    const struct secret *bytes = slot->bytes[PART_CRT];
    struct pki_findings found = {0};

    free(slot->crt);
    slot->crt = bytes ? calloc(1, sizeof(*slot->crt)) : NULL;
    if (!slot->crt)
        return;
    if (pki_describe(bytes->data, bytes->len, slot->crt, NULL) < 0) {
        free(slot->crt);
        slot->crt = NULL;
        return;
    }
    pki_lint_public_client(bytes->data, bytes->len, &found);
    slot->public_client = found.n > 0;
    pki_findings_release(&found);
}

static void judge_slot(struct cms_slot_facts *slot)
{
    struct err err = {0};

    keep_certificate(slot);
    describe(&slot->old[PART_CRT], slot->bytes[PART_CRT]);
    slot->bad[0] = '\0';
    if (judge(slot, &err) < 0)
        snprintf(slot->bad, sizeof(slot->bad), "%.250s", err.text);
    slot->judged = true;
    for (int k = 0; k < CMS_SVC_PARTS; k++) {
        secret_free(slot->bytes[k]);
        slot->bytes[k] = NULL;
    }
}

static void describe_shown(struct cms_slot_facts *slot)
{
    struct pki_cert_info info;

    if (slot->served_bytes &&
        pki_describe(slot->served_bytes->data, slot->served_bytes->len, &info,
                     NULL) == 0)
        memcpy(slot->served_sha256, info.sha256, PKI_SHA256_HEX);
    secret_free(slot->served_bytes);
    slot->served_bytes = NULL;
}

void cms_service_work(struct facts *facts)
{
    struct cms_svc_all *all = &((struct cms_facts *)facts)->services;

    for (int i = 0; i < CMS_SVC_SLOTS; i++) {
        struct cms_slot_facts *slot = &all->slot[i];
        if (slot->bytes[PART_KEY] || slot->bytes[PART_CRT])
            judge_slot(slot);
        describe_shown(slot);
    }
}
