/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of a shape: an inventory, the product's plan of it, and what its
 * gates would have found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "playbooks/registry.h"
#include "tests/model/harness.h"

struct harness h;

/* -- the plan ------------------------------------------------------------- */

static void write_inventory(const char *path)
{
    const struct model_options *o = &h.options;
    FILE *f = fopen(path, "w");

    if (!f)
        abort();
    fprintf(f,
            "[fleet]\nstate_dir = state\nuser = admin\nidentity = fleet.ini\n"
            "[issuer ca]\nkind = internal\nca_cert = ca.crt\nca_key = ca.key\n"
            "[cluster lab]\nproduct = cms\nissuer = ca\nretries = %u\n"
            "leave = %s\njoin = %s\n",
            o->retries, o->parallel ? "parallel" : "one-by-one",
            o->parallel ? "parallel" : "one-by-one");
    for (size_t i = 0; i < o->data + o->clients; i++)
        fprintf(f,
                "[node %s%zu]\ncluster = lab\naddress = 10.0.0.%zu\n"
                "roles = %s\n",
                i < o->data ? "core" : "edge",
                i < o->data ? i + 1 : i + 1 - o->data, i + 1,
                i < o->data ? "database" : "connect");
    if (fclose(f) != 0)
        abort();
}

static void make_plan(void)
{
    struct err err = {0};
    char path[96];

    snprintf(h.folder, sizeof(h.folder), "/tmp/cf-model-XXXXXX");
    if (!mkdtemp(h.folder))
        abort();
    snprintf(path, sizeof(path), "%s/fleet.ini", h.folder);
    write_inventory(path);
    h.inventory = inventory_read(
        &(struct inventory_options){.path = path, .products = registry_words()},
        &err);
    unlink(path);
    rmdir(h.folder);
    if (!h.inventory || h.inventory->n_errors) {
        fprintf(stderr, "the model's inventory: %s\n", err.text);
        abort();
    }
    const struct plan_request request = {
        .inventory = h.inventory,
        .playbook = h.options.playbook,
        .target = "lab",
        .clusters = h.inventory->clusters,
        .n_clusters = h.inventory->n_clusters,
        .tag = "3f9a",
        .stored = true,
    };
    h.plan = plan_new(&request, &err);
    if (!h.plan) {
        fprintf(stderr, "the model's plan: %s\n", err.text);
        abort();
    }
    h.pc = &h.plan->clusters[0];
}

static void note_old(struct plan_node *pn, bool data)
{
    static const char *const names[] = {"old.key", "old.crt", "oldc.key",
                                        "oldc.crt", "oldca.crt"};

    for (int k = data ? 0 : CMS_CLIENT_KEY; k < CMS_SLOTS; k++) {
        struct set_file *file = &pn->old.files[pn->old.n++];
        file->slot = cms_slot_word((enum cms_slot)k);
        file->name = names[k];
        snprintf(file->sha256, sizeof(file->sha256), "%063dd", k);
    }
}

/* What gates would have found: a healthy cluster with a way back. */
static void decide(void)
{
    struct err err = {0};

    if (plan_name_set(h.pc, 7, "3f9a", "state", &err) < 0)
        abort();
    for (size_t k = 0; k < h.pc->set.n; k++)
        snprintf(h.pc->set.files[k].sha256, PKI_SHA256_HEX, "%063zue", k);
    h.pc->way_back = h.pc->decided = true;
    for (size_t i = 0; i < h.pc->n_nodes; i++) {
        struct plan_node *pn = &h.pc->nodes[i];
        pn->db_address = pn->node->address;
        pn->interface = "a";
        ((struct cms_facts *)pn->facts)->clock_known = true;
        note_old(pn, i < h.world.n_data);
        pn->sent = calloc(CODES + 1, sizeof(*pn->sent));
        if (!pn->sent)
            abort();
        for (int code = CODE_REMOVE; code < CODES; code++)
            if (code != CODE_FOREIGN)
                pn->sent[pn->n_sent++] = view_code_text(i, (uint8_t)code);
    }
}

void model_open(const struct model_options *options)
{
    memset(&h, 0, sizeof(h));
    memset(&breach, 0, sizeof(breach));
    h.options = *options;
    if (!h.options.playbook)
        h.options.playbook = &cms_db_rotate;
    if (h.options.playbook->n_steps > MODEL_ROWS)
        abort();
    make_plan();
    world_begin(&h.world, options->data, options->clients);
    h.world.lag = options->lag;
    decide();
    h.course.pc = h.pc;
    h.course.journal = &h.store;
    h.course.on_failure = options->hold ? ON_FAILURE_HOLD : ON_FAILURE_ROLLBACK;
    course_init(&h.course);
    h.course.links = calloc(WORLD_MAX, sizeof(*h.course.links));
    for (size_t i = 0; i < WORLD_MAX; i++)
        h.view[i] = UINT16_MAX;
}

void model_close(void)
{
    walk_release(&h.course.walk);
    free(h.course.links);
    plan_free(h.plan);
    inventory_free(h.inventory);
    view_forget();
}

size_t model_shot_bytes(void)
{
    return offsetof(struct shot, node) + h.world.n * sizeof(struct shot_node);
}
