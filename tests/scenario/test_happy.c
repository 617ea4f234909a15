/* SPDX-License-Identifier: Apache-2.0
 *
 * Rotations in which nothing goes wrong.
 */
#include "tests/scenario/bed.h"

static void test_three_and_two(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run = bed_apply(bed, "");

    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_three_and_two, bed_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
