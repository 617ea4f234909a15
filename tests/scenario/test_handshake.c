/* SPDX-License-Identifier: Apache-2.0
 *
 * Handshakes before anything is touched: a pair of nodes whose certificates
 * would not take each other stops the plan.
 */
#include "tests/scenario/crew.h"

#include <string.h>

static const char *const two_clusters[] = {"--clusters", "2", NULL};
static const char *const expired[] = {"--days", "-1", NULL};

/* The other cluster's file, under the name that the node's status shows: good
 * by itself, and of another CA. */
static void stranger(struct bed *bed, const char *node, const char *name)
{
    bed_lab(bed, "put %s %s %s/certs/lab2/%s", node, name, bed->dir, name);
}

static void stranger_set(struct bed *bed, const char *node)
{
    stranger(bed, node, "dbclusterclient.key");
    stranger(bed, node, "dbclusterclient.cer");
    stranger(bed, node, "dbclusterca.cer");
}

static void test_wrong_ca_on_one_node(void **state)
{
    struct bed *bed = bed_start(state, "3+2", two_clusters);
    struct bed_run *run;

    stranger_set(bed, "lab1-edge2");
    run = bed_do(bed, "apply cms/db-rotate lab1 --yes");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(
        run, "step leave and the way back: lab1-core1 would refuse the client "
             "certificate of lab1-edge2 (dbclusterclient.cer): certificate"));
    assert_true(bed_said(run, "lab1-edge2 would refuse the server certificate "
                              "of lab1-core2 (dbclusterserver.cer): "));
    assert_true(bed_said(run, "--accept handshake"));
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    assert_int_equal(bed_count(bed, "*", "backup*"), 0);
    bed_is_untouched(bed, "lab1", "lab1-core1");
    bed_is_safe(bed);
}

/* Who goes all the same has no way back, and is told so. */
static void test_accepted(void **state)
{
    struct bed *bed = bed_start(state, "3+2", two_clusters);
    struct bed_run *run;

    stranger_set(bed, "lab1-edge2");
    run = bed_do(bed, "apply cms/db-rotate lab1 --yes --accept handshake");
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "or go without a way back"));
    bed_is_new(bed, "lab1", "lab1-core1");
    run = bed_do(bed, "rollback last --yes");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "there is no way back: step leave"));
    bed_is_safe(bed);
}

static bool plan_says(struct bed *bed, const char *cluster, const char *words)
{
    struct bed_run *run =
        bed_begin(bed, BED_PLAIN, "plan cms/db-rotate %s", cluster);

    bed_finish(run);
    assert_int_equal(run->code, 0);
    return strstr(str_text(&run->out_text), words) != NULL;
}

static void test_counts(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;

    assert_true(plan_says(bed, "lab",
                          "handshakes: 15 pairs of the old sets verified; the "
                          "15 of the new set when it is made"));
    bed_ends(bed_apply(bed, ""), 0, "done");
    run = bed_begin(bed, BED_PLAIN, "show -v last");
    bed_finish(run);
    assert_non_null(strstr(str_text(&run->out_text),
                           "handshakes: 15 pairs of the old sets verified"));
    assert_non_null(strstr(str_text(&run->out_text),
                           "handshakes: 15 pairs of the new set verified"));
}

/* They talk to nobody any more: it is the new set that counts. */
static void test_expired(void **state)
{
    struct bed *bed = bed_start(state, "3+2", expired);

    assert_true(plan_says(bed, "lab",
                          "handshakes: the old certificates have expired; the "
                          "15 pairs of the new set when it is made"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_wrong_ca_on_one_node, bed_stop),
        cmocka_unit_test_teardown(test_accepted, bed_stop),
        cmocka_unit_test_teardown(test_counts, bed_stop),
        cmocka_unit_test_teardown(test_expired, bed_stop),
    };
    return crew_tests(tests);
}
