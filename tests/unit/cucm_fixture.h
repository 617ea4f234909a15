/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/cucm_fixture.h - a plan of cucm/rotate for a publisher, two
 * subscribers and an IM&P publisher, whose facts say that all is well; a test
 * breaks one of them.
 */
#ifndef CERTFLEET_TESTS_CUCM_FIXTURE_H
#define CERTFLEET_TESTS_CUCM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/run/preflight.h"
#include "playbooks/cucm/cucm.h"
#include "playbooks/registry.h"

enum {
    PUB,
    SUB1,
    SUB2,
    IMP1,
    FIXTURE_NODES
};
#define FIXTURE_OLD "old0000000000000000000000000000000000000000000000000000000"
#define FIXTURE_NEW "new0000000000000000000000000000000000000000000000000000000"
#define FIXTURE_CSR "csr0000000000000000000000000000000000000000000000000000000"
#define FILL(field, text) snprintf(field, sizeof(field), "%s", text)

struct fixture {
    char folder[64], path[96];
    struct inventory *inventory;
    struct plan *plan;
    struct plan_cluster *pc;
};

/* clang-format off */
#define NODE(name, n, role) \
    "[node " name "]\ncluster = lab\naddress = 10.0.0." n "\nroles = " role "\n" \
    "names = " name ".example.com\napi_user = os\napi_password = env:X\n" \
    "api_ca = ca.crt\n"
static const char fixture_ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = internal\nca_cert = ca-{cluster}.crt\n"
    "ca_key = ca-{cluster}.key\n"
    "[cluster lab]\nproduct = cucm\nissuer = ca\n"
    NODE("pub", "1", "publisher") NODE("sub1", "2", "subscriber")
    NODE("sub2", "3", "subscriber") NODE("imp1", "4", "imp-publisher");
/* clang-format on */

static inline void fixture_write(const struct fixture *fx, const char *name,
                                 const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", fx->folder, name);
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static inline struct cucm_facts *fixture_facts(const struct fixture *fx,
                                               size_t i)
{
    return (struct cucm_facts *)fx->pc->nodes[i].facts;
}

static inline void fixture_read(const struct fixture *fx, size_t i)
{
    for (size_t bit = 0; bit < 32; bit++)
        fixture_facts(fx, i)->node.base.read_ms[bit] = clock_mono_ms();
}

static inline void fixture_service(const struct fixture *fx, size_t i,
                                   const char *name, enum vos_running running)
{
    struct cucm_facts *f = fixture_facts(fx, i);
    size_t k = 0;

    while (k < f->node.services.n &&
           strcmp(f->node.services.list[k].name, name) != 0)
        k++;
    FILL(f->node.services.list[k].name, name);
    f->node.services.list[k].running = running;
    f->node.services.n += k == f->node.services.n;
}

/* All services that the table knows for the node run. */
static inline void fixture_services(const struct fixture *fx, size_t i)
{
    const char *service;

    for (size_t k = 0; (service = cucm_service_at(k)); k++)
        for (const struct cucm_type *t = cucm_types; t->name; t++)
            if (cucm_type_restarts(t, service, fx->pc->nodes[i].node->roles))
                fixture_service(fx, i, service, VOS_STARTED);
}

/* What the node has stored, and what its listener shows. */
static inline void fixture_cert(const struct fixture *fx, size_t i,
                                const char *stored, const char *shown)
{
    struct cucm_facts *f = fixture_facts(fx, i);
    struct cucm_unit *u = &f->units[cucm_type_of(fx->plan) - cucm_types];

    f->certs_known = true;
    u->there = true;
    FILL(u->pem_sha256, stored);
    u->info.kind = PKI_CERTIFICATE;
    u->info.not_after = clock_wall_ms() / 1000 + 90 * 86400;
    FILL(u->info.names, "DNS:pub.example.com, DNS:sub1.example.com, "
                        "DNS:sub2.example.com, DNS:imp1.example.com");
    f->node.shown.at_ms = clock_mono_ms();
    FILL(f->node.shown.info.sha256, shown);
}

static inline void fixture_members(const struct fixture *fx)
{
    static const char members[] =
        "10.0.0.1 pub.example.com pub Publisher callmanager DBPub "
        "authenticated\n"
        "10.0.0.2 sub1.example.com sub1 Subscriber callmanager DBSub "
        "authenticated\n"
        "10.0.0.3 sub2.example.com sub2 Subscriber callmanager DBSub "
        "authenticated\n"
        "10.0.0.4 imp1.example.com imp1 Publisher cups DBPub authenticated\n";
    struct cucm_facts *f = fixture_facts(fx, PUB);

    f->members = calloc(1, sizeof(*f->members));
    assert_int_equal(
        cucm_members_parse(members, strlen(members), f->members, NULL), 0);
}

static inline void fixture_replication(const struct fixture *fx, size_t view,
                                       size_t first, size_t last)
{
    struct cucm_facts *f = fixture_facts(fx, view);

    f->replication = calloc(1, sizeof(*f->replication));
    for (size_t i = first; i <= last; i++) {
        struct cucm_replica *r = &f->replication->rows[f->replication->n++];

        FILL(r->name, fx->pc->nodes[i].node->name);
        FILL(r->address, fx->pc->nodes[i].node->address);
        r->state = 2;
        r->monitored = true;
    }
}

static inline void fixture_open(struct fixture *fx, const char *type)
{
    char input[64];
    const char *const inputs[] = {input, NULL};
    struct err err = {0};

    memset(fx, 0, sizeof(*fx));
    snprintf(input, sizeof(input), "type=%s", type);
    snprintf(fx->folder, sizeof(fx->folder), "/tmp/cf-cucm-XXXXXX");
    if (!mkdtemp(fx->folder))
        abort();
    fixture_write(fx, "fleet.ini", fixture_ini);
    fixture_write(fx, "key", "no key\n");
    fixture_write(fx, "ca.crt", "no certificate\n");
    snprintf(fx->path, sizeof(fx->path), "%s/fleet.ini", fx->folder);
    fx->inventory =
        inventory_read(&(struct inventory_options){.path = fx->path,
                                                   .products = registry_words(),
                                                   .checks = preflight_words()},
                       &err);
    if (!fx->inventory || fx->inventory->n_errors)
        fail_msg("%s", err.text);
    const struct plan_request request = {
        .inventory = fx->inventory,
        .playbook = &cucm_rotate,
        .target = "lab",
        .clusters = fx->inventory->clusters,
        .n_clusters = fx->inventory->n_clusters,
        .inputs = inputs,
        .tag = "3f9a",
    };
    fx->plan = plan_new(&request, &err);
    if (!fx->plan)
        fail_msg("%s", err.text);
    fx->pc = &fx->plan->clusters[0];
    for (size_t i = 0; i < FIXTURE_NODES; i++) {
        fixture_services(fx, i);
        fixture_cert(fx, i, FIXTURE_OLD, FIXTURE_OLD);
        fixture_facts(fx, i)->sso_known = true;
        fx->pc->nodes[i].serves_tls = true;
        fixture_read(fx, i);
    }
    fixture_facts(fx, PUB)->mode_known = true;
    fixture_facts(fx, PUB)->phones_known = true;
    fixture_facts(fx, PUB)->phones = 12;
    fixture_members(fx);
    fixture_replication(fx, PUB, PUB, SUB2);
    fixture_replication(fx, IMP1, IMP1, IMP1);
    fx->pc->decided = true;
}

/* The set is made: its digests are known, and it is loaded. */
static inline void fixture_issue(const struct fixture *fx)
{
    for (size_t i = 0; i < fx->pc->set.n; i++) {
        struct set_file *file = &fx->pc->set.files[i];

        if (strcmp(file->slot, "csr") == 0) {
            FILL(file->sha256, FIXTURE_CSR);
        } else if (strcmp(file->slot, "crt") == 0) {
            FILL(file->sha256, FIXTURE_NEW);
            FILL(file->cert_sha256, FIXTURE_NEW);
        } else {
            file->content = secret_from("", 0);
        }
    }
    fx->pc->issued = fx->pc->loaded = true;
}

static inline void fixture_close(struct fixture *fx)
{
    static const char *const names[] = {"fleet.ini", "key", "ca.crt"};
    char path[128];

    plan_free(fx->plan);
    inventory_free(fx->inventory);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", fx->folder, names[i]);
        unlink(path);
    }
    rmdir(fx->folder);
}

static inline struct view fixture_view(const struct fixture *fx, size_t node)
{
    return (struct view){.plan = fx->pc, .node = node, .walk_ms = 1};
}

#endif
