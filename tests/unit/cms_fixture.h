/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/cms_fixture.h - a decided plan of three database nodes and a
 * connect-only one, whose statuses a test types in.  No packet, no file but
 * the inventory.
 */
#ifndef CERTFLEET_TESTS_UNIT_CMS_FIXTURE_H
#define CERTFLEET_TESTS_UNIT_CMS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/run/plan.h"
#include "core/run/preflight.h"
#include "playbooks/cms/cms.h"
#include "playbooks/registry.h"

struct fixture {
    char folder[64], path[96];
    struct inventory *inventory;
    struct plan *plan;
    struct plan_cluster *pc;
};

static const char fixture_ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = internal\nca_cert = ca-{cluster}.crt\n"
    "ca_key = ca-{cluster}.key\n"
    "[cluster lab]\nproduct = cms\nissuer = ca\n"
    "[node core1]\ncluster = lab\naddress = 10.0.0.1\nroles = database\n"
    "[node core2]\ncluster = lab\naddress = 10.0.0.2\nroles = database\n"
    "[node core3]\ncluster = lab\naddress = 10.0.0.3\nroles = database\n"
    "[node edge1]\ncluster = lab\naddress = 10.0.0.4\nroles = connect\n";

static inline void fixture_write(const char *folder, const char *name,
                                 const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static inline struct plan *fixture_plan(struct fixture *fx,
                                        const char *const *inputs,
                                        struct err *err)
{
    const struct plan_request request = {
        .inventory = fx->inventory,
        .playbook = registry_playbook("cms/db-rotate"),
        .target = "lab",
        .clusters = fx->inventory->clusters,
        .n_clusters = fx->inventory->n_clusters,
        .inputs = inputs,
        .tag = "3f9a",
    };

    return plan_new(&request, err);
}

/* With another inventory; its cluster `lab' comes first. */
static inline void fixture_open_ini(struct fixture *fx, const char *ini)
{
    struct err err = {0};

    memset(fx, 0, sizeof(*fx));
    snprintf(fx->folder, sizeof(fx->folder), "/tmp/cf-cms-XXXXXX");
    if (!mkdtemp(fx->folder))
        abort();
    fixture_write(fx->folder, "fleet.ini", ini);
    fixture_write(fx->folder, "key", "no key\n");
    snprintf(fx->path, sizeof(fx->path), "%s/fleet.ini", fx->folder);
    fx->inventory =
        inventory_read(&(struct inventory_options){.path = fx->path,
                                                   .products = registry_words(),
                                                   .checks = preflight_words()},
                       &err);
    if (!fx->inventory || fx->inventory->n_errors)
        abort();
    fx->plan = fixture_plan(fx, NULL, &err);
    if (!fx->plan)
        abort();
    fx->pc = &fx->plan->clusters[0];
}

static inline void fixture_open(struct fixture *fx)
{
    fixture_open_ini(fx, fixture_ini);
}

static inline void fixture_close(struct fixture *fx)
{
    char path[128];

    plan_free(fx->plan);
    inventory_free(fx->inventory);
    unlink(fx->path);
    snprintf(path, sizeof(path), "%s/key", fx->folder);
    unlink(path);
    rmdir(fx->folder);
}

/* The node has just been read, and this is what it printed. */
static inline void fixture_says(struct fixture *fx, size_t node,
                                const char *text)
{
    struct facts *facts = fx->pc->nodes[node].facts;
    const struct link_result result = {
        .end = LINK_OK, .data = text, .len = strlen(text)};

    cms_reads[0].parse(facts, NULL, &result, NULL);
    facts->read_ms[0] = clock_mono_ms();
}

enum fixture_place {
    AS_PRIMARY,
    AS_REPLICA,
    AS_ALONE,
    AS_CLIENT
};

/* A status as a cluster of `members` (by index) prints it on `node`; core1 is
 * its primary, names are those of a set ("old" or "new"). */
static inline void fixture_place(struct fixture *fx, size_t node,
                                 enum fixture_place place, const char *primary,
                                 const char *last)
{
    struct str s;

    str_init(&s, 4096);
    str_addf(&s, "Status : %s\nNodes:\n",
             place == AS_ALONE ? "Disabled" : "Enabled");
    if (place == AS_PRIMARY)
        str_addf(&s, "    %s (me) : Connected Primary\n",
                 fx->pc->nodes[node].node->address);
    if (place == AS_REPLICA || place == AS_CLIENT)
        str_addf(&s, "    %s : Connected Primary\n", primary);
    if (place == AS_REPLICA)
        str_addf(&s, "    %s (me) : Connected Replica ( In Sync )\n",
                 fx->pc->nodes[node].node->address);
    str_addf(&s,
             "Interface : a\nCertificates\n  Server Key : old.key\n"
             "  Server Certificate : old.crt\n  Client Key : oldc.key\n"
             "  Client Certificate : oldc.crt\n  CA Certificate : ca.crt\n"
             "Last command : '%s' (Success)\n",
             last);
    fixture_says(fx, node, str_text(&s));
    str_release(&s);
}

static inline struct view fixture_view(const struct fixture *fx, size_t node)
{
    return (struct view){.plan = fx->pc, .node = node, .walk_ms = 1};
}

#endif
