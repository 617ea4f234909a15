/* SPDX-License-Identifier: Apache-2.0
 *
 * The holder of the data does not answer when a replica is to join it.  A join
 * destroys the replica's own copy: it waits for one who says that he leads now,
 * not for what he said a moment ago (I2).
 */
#include "tests/scenario/bed.h"

#define CONNECT "database cluster connect*"
#define JOIN "database cluster join*"

static void test_no_join_while_the_holder_is_silent(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;
    int hold;

    bed_inventory(bed, "fleet",
                  "command_timeout = 3\nconnect_timeout = 2\nretries = 1\n"
                  "timeout_leave = 3\ntimeout_join = 3");
    hold = bed_id(bed_lab(bed, "hold edge1 after '" CONNECT "'"));
    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "inject core1 refuse '*' always");
    bed_lab(bed, "cut core1");
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 4, "incomplete");
    assert_int_equal(bed_count(bed, "core2", JOIN), 0);
    bed_is_safe(bed);
    bed_lab(bed, "clear");
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_no_join_while_the_holder_is_silent,
                                  bed_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
