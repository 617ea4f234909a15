/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a journal or a plan file holds: a plan that can be asked, printed
 * and hashed, whose commands are those of the table.
 *
 * A line a record: KIND NODE STEP DATA, the data as JSON.  An input that
 * begins with `{` is a plan file.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/request.h"
#include "core/run/run.h"
#include "tests/fuzz/fleet.h"
#include "tests/fuzz/fuzz.h"

static void take_record(struct plan *plan, struct input line)
{
    char *copy = input_text(line), *save = NULL;
    const char *kind = strtok_r(copy, " ", &save);
    const char *node = strtok_r(NULL, " ", &save);
    const char *step = strtok_r(NULL, " ", &save);
    const struct store_entry entry = {
        .t_ms = 1795000000000,
        .record = {.cluster = "lab",
                   .node = node,
                   .step = step,
                   .kind = kind,
                   .data = save},
    };
    struct err err = {0};

    if (kind && run_replay(plan, &entry, &err) < 0)
        must(err.text[0]);
    free(copy);
}

static void check_plan(const struct plan *plan)
{
    struct plan_cluster *pc = &plan->clusters[0];
    char hex[PKI_SHA256_HEX];
    struct err err;

    must(pc->holder == SIZE_MAX || pc->holder < pc->n_nodes);
    must(pc->set.n <= SET_FILES_MAX);
    for (size_t i = 0; i < pc->n_nodes; i++)
        must(pc->nodes[i].old.n <= SET_FILES_MAX &&
             pc->nodes[i].own.n <= SET_FILES_MAX);
    plan_hash(plan, hex);
    must(strlen(hex) == 64);
    fleet_check_acts(pc);
    (void)plan->playbook->way_back(pc, 1795000000, &err);
    (void)plan->playbook->recognise(pc, &err);
    fleet_check_acts(pc);
}

static void check_plan_file(struct input in)
{
    struct app app = {.inventory =
                          (struct inventory *)(uintptr_t)fleet_inventory()};
    struct request request;
    struct err err = {0};
    struct plan *plan = NULL;

    if (request_from_file(&request, &app, fuzz_file(in), &err) == 0) {
        request.plan.stored = true; /* no CA is looked for */
        plan = plan_new(&request.plan, &err);
    }
    must(plan || err.text[0]);
    if (plan && plan->n_clusters > 0)
        check_plan(plan);
    plan_free(plan);
    request_release(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct plan *plan;

    if (size > 0 && data[0] == '{') {
        check_plan_file(in);
        return 0;
    }
    plan = fleet_plan();
    while (in.left > 0)
        take_record(plan, input_line(&in));
    check_plan(plan);
    plan_free(plan);
    return 0;
}
