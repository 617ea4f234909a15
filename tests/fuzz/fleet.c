/* SPDX-License-Identifier: Apache-2.0
 *
 * The fuzzers' cluster; see the header.
 */
#include "tests/fuzz/fleet.h"

#include <string.h>

#include "core/run/act.h"
#include "core/run/preflight.h"
#include "playbooks/registry.h"
#include "tests/fuzz/fuzz.h"

static const char text[] =
    "[fleet]\nstate_dir = /state\nuser = admin\npassword = env:PASSWORD\n"
    "[issuer ca]\nkind = internal\nca_cert = /ca-{cluster}.crt\n"
    "ca_key = /ca-{cluster}.key\n"
    "[cluster lab]\nproduct = cms\nissuer = ca\n"
    "[node core1]\ncluster = lab\naddress = 10.0.0.1\nroles = database\n"
    "[node core2]\ncluster = lab\naddress = 10.0.0.2\nroles = database\n"
    "[node core3]\ncluster = lab\naddress = 10.0.0.3\nroles = database\n"
    "[node edge1]\ncluster = lab\naddress = 10.0.0.4\nroles = connect\n";

const struct inventory *fleet_inventory(void)
{
    static struct inventory *inventory;
    const struct input in = {(const uint8_t *)text, sizeof(text) - 1};

    if (!inventory)
        inventory = inventory_read(
            &(struct inventory_options){.path = fuzz_file(in),
                                        .products = registry_words(),
                                        .checks = preflight_words()},
            NULL);
    must(inventory && inventory->n_errors == 0);
    return inventory;
}

struct plan *fleet_plan(void)
{
    const struct inventory *inventory = fleet_inventory();
    const struct plan_request request = {
        .inventory = inventory,
        .playbook = registry_playbook("cms/db-rotate"),
        .target = "lab",
        .clusters = inventory->clusters,
        .n_clusters = inventory->n_clusters,
        .tag = "3f9a",
        .stored = true, /* no CA is looked for */
    };
    struct plan *plan = plan_new(&request, NULL);

    must(plan);
    return plan;
}

void fleet_must_be_plain(const char *command)
{
    static const char *const never[] = {"reboot", "shutdown", "upgrade",
                                        "factory_reset", "backup rollback"};
    bool begins = true;

    for (const char *p = command; *p; p++) {
        bool blank = *p == ' ';

        must(blank ? !begins
                   : strchr("abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-,",
                            *p) != NULL);
        must(!begins || *p != '-');
        begins = blank;
    }
    must(!begins);
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        must(strncmp(command, never[i], strlen(never[i])) != 0);
}

static void check_act(const struct view *view, const struct act *act)
{
    const struct product *product = view->plan->plan->playbook->product;
    struct str out;
    struct err err = {0};
    bool hold = false;

    str_init(&out, 4096);
    if (act_text(view, act, &out, &err) == 0 &&
        (act->kind == ACT_COMMAND || act->kind == ACT_CONFIRM) &&
        command_match(product, str_text(&out), &err)) {
        fleet_must_be_plain(str_text(&out));
        must(product->guard(view, act, str_text(&out), &hold, &err) == 0 ||
             err.text[0]);
    }
    str_release(&out);
}

void fleet_check_acts(const struct plan_cluster *pc)
{
    const struct playbook *pb = pc->plan->playbook;

    for (size_t row = 0; row < pb->n_steps; row++)
        for (size_t i = 0; i < 2 * pc->n_nodes; i++) {
            const struct view view = {
                .plan = pc, .node = i / 2, .back = i % 2, .walk_ms = 1};
            const struct act *act;

            for (size_t n = 0;
                 (act = act_at(&view, &pb->steps[row], n)) != NULL; n++)
                check_act(&view, act);
        }
}
