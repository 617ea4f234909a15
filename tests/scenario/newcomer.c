/* SPDX-License-Identifier: Apache-2.0
 *
 * A cluster, and nodes that are to come into it.
 */
#include "tests/scenario/newcomer.h"

const char *const newcomer_args[] = {"--spare", "1+1", NULL};

struct bed *newcomer_bed(void **state)
{
    struct bed *bed = bed_start(state, "3+1", newcomer_args);

    bed_inventory_drop(bed, "node edge2");
    bed_inventory(bed, "fleet", "connect_timeout = 3");
    return bed;
}

struct bed *newcomer_bed_named(void **state)
{
    struct bed *bed = newcomer_bed(state);

    bed_ends(bed_apply(bed, "without=core4"), 0, "done");
    return bed;
}

struct bed *newcomer_bed_unnamed(void **state)
{
    struct bed *bed = newcomer_bed(state);
    const char *all = bed_read(bed, "certfleet.ini");

    bed_inventory_drop(bed, "node core4");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_write(bed, "certfleet.ini", all);
    return bed;
}

unsigned newcomer_changes(struct bed *bed)
{
    static const char *const members[] = {"core1", "core2", "core3", "edge1"};
    unsigned n = 0;

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        n += bed_count(bed, members[i], CHANGES);
    return n;
}

void newcomer_is_in(struct bed *bed, const char *node, const char *role)
{
    assert_string_equal(bed_node(bed, node, "role"), role);
    assert_string_equal(bed_node(bed, node, "in_sync"), "true");
    assert_string_equal(bed_node(bed, node, "error"), "null");
}

void newcomer_members_are_well(struct bed *bed)
{
    newcomer_is_in(bed, "core1", "primary");
    newcomer_is_in(bed, "core2", "replica");
    newcomer_is_in(bed, "core3", "replica");
    newcomer_is_in(bed, "edge1", "connected");
    bed_is_safe(bed);
}

void newcomer_is_out(struct bed *bed, const char *node)
{
    assert_string_equal(bed_node(bed, node, "role"), "standalone");
    assert_string_equal(bed_node(bed, node, "set"), "none");
    assert_string_equal(bed_node(bed, node, "error"), "null");
}

void newcomer_is_untouched(struct bed *bed, const char *node)
{
    assert_int_equal(bed_count(bed, node, CHANGES), 0);
    assert_int_equal(bed_files(bed, node, "db*"), 0);
}

void newcomer_was_in(struct bed *bed)
{
    bed_ends(bed_do(bed, ADD_CORE), 0, "done");
    bed_lab(bed, "foreign core4 'database cluster remove'");
    bed_lab(bed, "wait core4 role standalone");
}
