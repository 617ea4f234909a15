/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/cms_trust_fixture.h - two nodes whose Call Bridges judge the
 * webadmin of the first one; certificates of a test's own, no packet.
 */
#ifndef CERTFLEET_TESTS_UNIT_CMS_TRUST_FIXTURE_H
#define CERTFLEET_TESTS_UNIT_CMS_TRUST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "playbooks/cms/service_priv.h"
#include "tests/unit/cms_fixture.h"
#include "tests/unit/pki_make.h"

static const char bench_ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = internal\nca_cert = ca.crt\nca_key = ca.key\n"
    "[issuer svc]\nkind = internal\nca_cert = s.crt\nca_key = s.key\n"
    "[cluster lab]\nproduct = cms\nissuer = ca\nservice_issuer = svc\n"
    "[node core1]\ncluster = lab\naddress = 10.0.0.1\nnames = a.example\n"
    "roles = database webadmin callbridge\n"
    "[node core2]\ncluster = lab\naddress = 10.0.0.2\n"
    "roles = connect callbridge webbridge3 scheduler\n";

/* Of both Call Bridges, about the webadmin. */
#define STORE STORE_CB_CLUSTER

struct bench {
    struct fixture fx;
    struct plan_cluster *pc;
    struct findings found;
    struct made root, leaf;   /* what core1's webadmin shows */
    struct made ca, new_leaf; /* what is to sign, and what it signed */
};

static inline struct cms_svc_all *at(struct bench *b, size_t node)
{
    return &((struct cms_facts *)b->pc->nodes[node].facts)->services;
}

static inline void choose(struct bench *b, const char *word)
{
    const char *const inputs[] = {word, NULL};
    const struct plan_request request = {
        .inventory = b->fx.inventory,
        .playbook = registry_playbook("cms/service-rotate"),
        .target = "lab",
        .clusters = b->fx.inventory->clusters,
        .n_clusters = b->fx.inventory->n_clusters,
        .inputs = inputs,
        .tag = "3f9a",
    };
    struct err err = {0};

    plan_free(b->fx.plan);
    b->fx.plan = plan_new(&request, &err);
    assert_non_null(b->fx.plan);
    b->pc = b->fx.pc = &b->fx.plan->clusters[0];
    assert_int_equal(plan_name_set(b->pc, 7, "3f9a", b->fx.folder, &err), 0);
}

/* What a slot of a node shows until now. */
static inline void shows(struct bench *b, size_t node, enum cms_svc_slot slot,
                         const struct made *leaf)
{
    struct cms_svc_file *old = &at(b, node)->slot[slot].old[PART_CRT];
    struct pki_cert_info info = info_of(leaf->pem);

    memcpy(old->cert_sha256, info.sha256, PKI_SHA256_HEX);
    snprintf(old->issuer, sizeof(old->issuer), "%s", info.issuer);
    snprintf(old->common_name, sizeof(old->common_name), "%s",
             info.common_name);
    snprintf(old->authority_id, sizeof(old->authority_id), "%s",
             info.authority_id);
    snprintf(old->names, sizeof(old->names), "%s", info.names);
}

static inline void holds(struct bench *b, size_t node, enum cms_svc_store store,
                         const char *pem)
{
    struct cms_store_facts *f = &at(b, node)->store[store];

    f->shown = true;
    snprintf(f->file, sizeof(f->file), "old.cer");
    free(f->data);
    f->data = strdup(pem);
    f->len = strlen(pem);
    pki_sha256(f->data, f->len, f->sha256);
}

static inline void is_empty(struct bench *b, size_t node,
                            enum cms_svc_store store)
{
    at(b, node)->store[store] = (struct cms_store_facts){.shown = true};
}

static inline void open_bench(struct bench *b, const char *word)
{
    const struct recipe root = CA_RECIPE("Old root");
    const struct recipe ca = CA_RECIPE("New root");
    const struct recipe leaf = SERVER_RECIPE("a.example", "DNS:a.example");

    memset(b, 0, sizeof(*b));
    fixture_open_ini(&b->fx, bench_ini);
    choose(b, word);
    b->root = make_cert(&root, NULL);
    b->ca = make_cert(&ca, NULL);
    b->leaf = make_cert(&leaf, &b->root);
    b->new_leaf = make_cert(&leaf, &b->ca);
    shows(b, 0, SLOT_WEBADMIN, &b->leaf);
    is_empty(b, 0, STORE);
    is_empty(b, 1, STORE);
}

static inline void remove_file(struct bench *b, const char *name)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", b->fx.folder, name);
    unlink(path);
}

static inline void close_bench(struct bench *b)
{
    remove_file(b, "s.crt");
    for (size_t i = 0; i < b->pc->set.n; i++)
        remove_file(b, b->pc->set.files[i].name);
    findings_release(&b->found);
    made_free(&b->root);
    made_free(&b->leaf);
    made_free(&b->ca);
    made_free(&b->new_leaf);
    fixture_close(&b->fx);
}

static inline void weigh(struct bench *b)
{
    findings_release(&b->found);
    for (size_t i = 0; i < b->pc->n_nodes; i++)
        b->pc->nodes[i].old.n = 0;
    cms_trust_weigh(b->pc, &b->found);
}

static inline const struct finding *found(const struct bench *b, const char *id)
{
    for (size_t i = 0; i < b->found.n; i++)
        if (strcmp(b->found.list[i].id, id) == 0)
            return &b->found.list[i];
    return NULL;
}

static inline bool changes(const struct bench *b, size_t node,
                           enum cms_svc_store store)
{
    bool file = cms_trust_file(b->pc, node, store, TRUST_OLD) != NULL;

    if (file)
        assert_true(b->pc->nodes[node].roles &
                    cms_trust_bit(cms_stores[store].service));
    return file;
}

static inline void has_ca(struct bench *b, const char *pem)
{
    fixture_write(b->fx.folder, "s.crt", pem);
}

#endif
