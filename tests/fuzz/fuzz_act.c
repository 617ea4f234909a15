/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever stands behind a template's variables: interface, address, file
 * names.  And whatever text asks the table whether it may go out.
 *
 * A line each: a command, then the interface, the address to join by, the
 * names of the new and of the old set.
 */
#include <stdlib.h>
#include <string.h>

#include "core/run/act.h"
#include "tests/fuzz/fleet.h"
#include "tests/fuzz/fuzz.h"

enum {
    LINES = 13
};

static void fill(struct plan_cluster *pc, char *const *line)
{
    static const char *const slots[] = {"server_key", "server_crt",
                                        "client_key", "client_crt", "ca_crt"};
    struct plan_node *pn = &pc->nodes[0];

    for (size_t i = 0; i < pc->n_nodes; i++) {
        pc->nodes[i].interface = line[1];
        pc->nodes[i].db_address = line[2];
    }
    for (size_t i = 0; i < pc->set.n && i < 5; i++)
        pc->set.files[i].name = line[3 + i];
    pn->old.n = 5;
    for (size_t i = 0; i < 5; i++) {
        pn->old.files[i].slot = slots[i];
        pn->old.files[i].name = line[8 + i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct plan *plan = fleet_plan();
    const struct product *product = plan->playbook->product;
    struct err err = {0};
    char *line[LINES];

    for (int i = 0; i < LINES; i++)
        line[i] = input_text(input_line(&in));
    if (command_match(product, line[0], &err))
        fleet_must_be_plain(line[0]);
    else
        must(err.cause == CAUSE_REFUSED && strncmp(err.text, "I6", 2) == 0);
    fill(&plan->clusters[0], line);
    plan->playbook->assign(&plan->clusters[0], 1);
    fleet_check_acts(&plan->clusters[0]);
    plan_free(plan);
    for (int i = 0; i < LINES; i++)
        free(line[i]);
    return 0;
}
