/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of mishaps becomes a group of tests.
 */
#include "tests/scenario/matrix.h"

#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"

static const char *matrix_shape;

/* Waits for answers that never come are as short as they may be. */
static const char short_waits[] = "command_timeout = 3\n"
                                  "connect_timeout = 3\n"
                                  "timeout_leave = 20\n"
                                  "timeout_init = 20\n"
                                  "timeout_connect = 20\n"
                                  "timeout_join = 20";

static void test_mishap(void **state)
{
    const struct mishap *row = *state;
    struct bed *bed;
    int fault;

    *state = NULL; /* the row is not one for the teardown */
    bed = bed_start(state, matrix_shape, NULL);
    fault = bed_id(bed_lab(bed, "inject %s %s '%s' %s", row->node, row->kind,
                           row->subject, row->more));
    bed_inventory(bed, "fleet", short_waits);
    bed_ends(bed_apply(bed, ""), 0, "done");
    /* it did strike */
    bed_lab(bed, "wait fault %d timeout=1", fault);
    bed_is_new(bed, "lab", "core1");
}

static char *make_name(const struct mishap *row)
{
    char *name = NULL;

    if (asprintf(&name, "%s %s %s%s%s", row->node, row->kind, row->subject,
                 *row->more ? " " : "", row->more) < 0)
        abort();
    return name;
}

int matrix_run(const struct mishap *rows, size_t n, const char *shape)
{
    struct CMUnitTest *tests = calloc(n, sizeof(*tests));
    int failed;

    if (!tests)
        abort();
    matrix_shape = shape;
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){
            .name = make_name(&rows[i]),
            .test_func = test_mishap,
            .teardown_func = bed_stop,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    failed = crew_run(tests, n);
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)tests[i].name);
    free(tests);
    return failed;
}
