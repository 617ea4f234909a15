/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab is set up, the fault is aimed, the program runs.
 */
#include "tests/fault/play.h"

#include "tests/fault/aim.h"
#include "tests/fault/judge.h"

/* clang-format off */
static const char *const quick[] = {
    "--set", "remove_ms=20", "--set", "initialize_ms=20",
    "--set", "join_ms=30",   "--set", "connect_ms=20",
    "--set", "snapshot_ms=5", "--set", "resync_ms=30",
    NULL,
};
/* Only what never answers is waited for so long; a login is never slow here, but
 * on a machine at its limit. */
static const char patience[] =
    "connect_timeout = 15\ncommand_timeout = 4\nretries = 1\n"
    "timeout_leave = 5\ntimeout_init = 5\ntimeout_connect = 5\n"
    "timeout_join = 5";
/* clang-format on */

static const struct cell *playing;
static enum mark came_of_it;

static bool has_struck(struct bed *bed, int id)
{
    const json_t *fault;
    size_t i;

    json_array_foreach(json_object_get(bed_lab(bed, "faults"), "faults"), i,
                       fault)
    {
        if (json_integer_value(json_object_get(fault, "id")) == id)
            return json_integer_value(json_object_get(fault, "hits")) > 0;
    }
    return false;
}

static void test_cell(void **state)
{
    struct bed *bed = bed_start(state, "3+2", quick);
    struct bed_run *run;
    int fault;

    bed_inventory(bed, "fleet", patience);
    if (playing->way == WAY_TAKEN)
        bed_ends(bed_apply(bed, ""), 0, "done");
    fault = aim(bed, playing);
    run = playing->way == WAY_TAKEN ? bed_do(bed, "rollback last --yes")
                                    : bed_apply(bed, "");
    if (!has_struck(bed, fault))
        judge_wrong(bed, "the fault has not struck");
    came_of_it = judge(run, playing);
}

enum mark play(const struct cell *cell)
{
    char name[128];

    cell_name(cell, name, sizeof(name));
    const struct CMUnitTest tests[] = {{name, test_cell, NULL, bed_stop, NULL}};

    /* ten times the patience of a scenario: many cells share the processors */
    setenv("CERTFLEET_WRAP", "env", 0);
    playing = cell;
    came_of_it = MARK_WRONG;
    if (_cmocka_run_group_tests("cell", tests, 1, NULL, NULL) != 0)
        return MARK_WRONG;
    return came_of_it;
}
