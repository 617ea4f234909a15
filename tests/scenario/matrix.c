/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of mishaps becomes a group of tests.  A rotation mostly waits: while
 * one is looked at, the next ones are under way already, each in its own lab.
 */
#include "tests/scenario/matrix.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum {
    AHEAD = 3
};

struct slot {
    const struct mishap *row;
    char *name;
    void *bed; /* NULL: not begun, or handed over to its test */
    struct bed_run *run;
    int fault;
    bool begun;
};

static struct slot *slots;
static size_t n_slots;
static const char *matrix_shape;

/* Waits for answers that never come are as short as they may be. */
static const char short_waits[] = "command_timeout = 3\n"
                                  "connect_timeout = 3\n"
                                  "timeout_leave = 20\n"
                                  "timeout_init = 20\n"
                                  "timeout_connect = 20\n"
                                  "timeout_join = 20";

static void begin(struct slot *slot)
{
    const struct mishap *row = slot->row;
    struct bed *bed;

    slot->begun = true;
    bed = bed_start(&slot->bed, matrix_shape, NULL);
    slot->fault = bed_id(bed_lab(bed, "inject %s %s '%s' %s", row->node,
                                 row->kind, row->subject, row->more));
    bed_inventory(bed, "fleet", short_waits);
    slot->run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
}

static bool is_wanted(const struct slot *slot)
{
    const char *only = getenv("BED_ONLY");

    return !only || fnmatch(only, slot->name, 0) == 0;
}

static void begin_some(size_t first)
{
    for (size_t i = first; i < n_slots && i < first + AHEAD; i++)
        if (!slots[i].begun && is_wanted(&slots[i]))
            begin(&slots[i]);
}

static void test_mishap(void **state)
{
    struct slot *slot = *state;
    struct bed *bed;

    *state = NULL;
    begin_some((size_t)(slot - slots));
    *state = bed = slot->bed;
    slot->bed = NULL;
    bed_finish(slot->run);
    bed_ends(slot->run, 0, "done");
    /* it did strike */
    bed_lab(bed, "wait fault %d timeout=1", slot->fault);
    bed_is_new(bed, "lab", "core1");
}

static int stop_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_slots; i++) {
        bed_stop(&slots[i].bed);
        free(slots[i].name);
    }
    return 0;
}

static void make_slot(struct slot *slot, const struct mishap *row)
{
    slot->row = row;
    if (asprintf(&slot->name, "%s %s %s%s%s", row->node, row->kind,
                 row->subject, *row->more ? " " : "", row->more) < 0)
        abort();
}

int matrix_run(const struct mishap *rows, size_t n, const char *shape)
{
    struct CMUnitTest *tests = calloc(n, sizeof(*tests));
    int failed;

    slots = calloc(n, sizeof(*slots));
    if (!tests || !slots)
        abort();
    n_slots = n;
    matrix_shape = shape;
    for (size_t i = 0; i < n; i++) {
        make_slot(&slots[i], &rows[i]);
        tests[i] = (struct CMUnitTest){
            .name = slots[i].name,
            .test_func = test_mishap,
            .teardown_func = bed_stop,
            .initial_state = &slots[i],
        };
    }
    cmocka_set_test_filter(getenv("BED_ONLY"));
    failed = _cmocka_run_group_tests("mishaps", tests, n, NULL, stop_all);
    free(tests);
    free(slots);
    return failed;
}
