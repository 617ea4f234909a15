/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/service-rotate with trust stores that do not hold what is about to be
 * shown to them: old and new are trusted everywhere, the services are switched,
 * the old is dropped.  The lab notes each one that was ever refused.
 */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/services.h"

#define LIST "webadmin,callbridge,webbridge3"
#define WORDS "cms/service-rotate lab service=callbridge,webbridge3"
#define ROTATE "apply " WORDS " --yes"

static struct bed *c2w_bed(void **state)
{
    struct bed *bed = services_bed(state, LIST);

    bed_inventory(bed, "cluster lab", "retries = 0");
    return bed;
}

static void both_are(struct bed *bed, const char *state)
{
    services_state(bed, "callbridge", state);
    services_state(bed, "webbridge3", state);
    services_were_orderly(bed);
    services_trusted(bed);
}

static void both_dropped(struct bed *bed, const char *state, unsigned drops)
{
    both_are(bed, state);
    services_are(bed, "callbridge", state, drops);
    services_are(bed, "webbridge3", state, drops);
}

/* -- all goes well --------------------------------------------------------- */

static void test_ca_changes(void **state)
{
    struct bed *bed = c2w_bed(state);
    struct bed_run *run = bed_do(bed, ROTATE);

    bed_ends(run, 0, "done");
    both_dropped(bed, "new", 3);
    assert_int_equal(
        bed_count(bed, "*", "callbridge trust c2w cbc2wtrustboth-g1-*"), 3);
    assert_int_equal(
        bed_count(bed, "*", "callbridge trust c2w cbc2wtrust-g1-*"), 3);
    assert_int_equal(
        bed_count(bed, "*", "webbridge3 c2w trust wb3c2wtrust-g1-*"), 3);
    assert_int_equal(bed_count(bed, "*", "callbridge trust cluster *"), 0);
    assert_int_equal(bed_events(run, "step-done", "core3", "trusted"), 1);
    assert_true(bed_said(run, "its CA changes (from CN="));
    /* the same CA again: every store holds it, nobody outside notices */
    run = bed_do(bed, ROTATE);
    bed_ends(run, 0, "done");
    both_dropped(bed, "new", 4);
    assert_int_equal(bed_count(bed, "*", "* trust *-g2-*"), 0);
    assert_int_equal(bed_files(bed, "core1", "*trust*-g2-*"), 0);
    assert_false(bed_said(run, "its CA changes"));
    assert_false(bed_said(run, "CUCM"));
    assert_false(bed_said(run, "trust-callbridge"));
}

static void test_taken_back_when_done(void **state)
{
    struct bed *bed = c2w_bed(state);

    bed_ends(bed_do(bed, ROTATE), 0, "done");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    both_dropped(bed, "old", 6);
    assert_int_equal(bed_count(bed, "*", "callbridge trust c2w root.cer"), 3);
    assert_int_equal(bed_count(bed, "*", "*trust* none"), 0);
}

/* One phase a night. */
static void test_in_parts(void **state)
{
    struct bed *bed = c2w_bed(state);

    bed_ends(bed_do(bed, ROTATE " --until trusted"), 0, "ok");
    assert_int_equal(bed_count(bed, "*", "callbridge certs *"), 0);
    assert_int_equal(bed_count(bed, "*", "callbridge restart"), 3);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    both_dropped(bed, "new", 3);
}

static void test_plan_says_so(void **state)
{
    struct bed *bed = c2w_bed(state);
    struct bed_run *run = bed_begin(bed, BED_PLAIN, "plan " WORDS);
    static const char *const lines[] = {
        "trust-webbridge3, trust-callbridge: phase 1 of 3",
        "trusted: prove that old and new are trusted on every node",
        "drop-webbridge3, drop-callbridge: phase 3 of 3",
        "callbridge of core1, core2, core3 starts anew three times",
        "`webbridge3 c2w trust' of core1, core2, core3 changes in three phases",
        "it drops CN=",
        "> callbridge trust c2w cbc2wtrustboth-g1-",
        "> webbridge3 c2w trust wb3c2wtrust-g1-",
    };

    run->plain = true;
    assert_int_equal(bed_finish(run), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (!bed_said(run, lines[i]))
            fail_msg("the plan does not say: %s", lines[i]);
    both_dropped(bed, "old", 0);
}

/* -- it fails in a phase: all that was done is taken back ------------------ */

static void fails(void **state, const char *fault, const char *reached)
{
    struct bed *bed = c2w_bed(state);

    bed_lab(bed, "inject core3 %s", fault);
    bed_ends(bed_do(bed, ROTATE), 1, "rolled-back");
    both_are(bed, "old");
    assert_true(bed_count(bed, "core1", reached) > 0);
    assert_int_equal(bed_count(bed, "*", "*trust* none"), 0);
}

static void test_first_phase_fails(void **state)
{
    fails(state, "fail-async 'callbridge restart'",
          "callbridge trust c2w cbc2wtrustboth-g1-*");
}

static void test_second_phase_fails(void **state)
{
    fails(state, "fail 'webbridge3 c2w certs*'",
          "callbridge certs callbridge-*");
}

/* The one that does not start is mended by the row that switches it back. */
static void test_second_start_fails(void **state)
{
    fails(state, "fail-async 'callbridge restart' nth=2",
          "callbridge certs callbridge-*");
}

static void test_third_phase_fails(void **state)
{
    fails(state, "fail 'callbridge trust c2w cbc2wtrust-g1*'",
          "callbridge trust c2w cbc2wtrust-g1-*");
}

/* -- killed in a phase ----------------------------------------------------- */

static void killed(void **state, const char *command)
{
    struct bed *bed = c2w_bed(state);

    services_killed(bed, ROTATE, command);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    both_are(bed, "new");
    /* who was through with a phase is not disturbed again */
    assert_int_equal(bed_count(bed, "core1", "callbridge restart"), 3);
    assert_int_equal(bed_count(bed, "core3", "callbridge restart"), 3);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    both_are(bed, "old");
    assert_int_equal(bed_count(bed, "*", "*trust* none"), 0);
}

static void killed_and_back(void **state, const char *command)
{
    struct bed *bed = c2w_bed(state);

    services_killed(bed, ROTATE, command);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    both_are(bed, "old");
}

#define FIRST "callbridge trust c2w cbc2wtrustboth-*"
#define SECOND "callbridge certs *"
#define THIRD "callbridge trust c2w cbc2wtrust-*"

static void test_killed_in_the_first(void **state)
{
    killed(state, FIRST);
}

static void test_killed_in_the_second(void **state)
{
    killed(state, SECOND);
}

static void test_killed_in_the_third(void **state)
{
    killed(state, THIRD);
}

static void test_killed_in_the_first_and_back(void **state)
{
    killed_and_back(state, FIRST);
}

static void test_killed_in_the_second_and_back(void **state)
{
    killed_and_back(state, SECOND);
}

static void test_killed_in_the_third_and_back(void **state)
{
    killed_and_back(state, THIRD);
}

/* The way back of a run that failed in its last phase is killed, too. */
static void test_killed_on_the_way_back(void **state)
{
    static const char *const places[] = {
        "callbridge trust c2w cbc2wtrustboth-*", /* once more */
        "callbridge certs callbridge.key *",
        "callbridge trust c2w root.cer",
    };
    struct bed *bed = c2w_bed(state);

    bed_ends(bed_do(bed, ROTATE), 0, "done");
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        services_killed(bed, i ? "resume last --yes" : "rollback last --yes",
                        places[i]);
        services_trusted(bed);
    }
    bed_ends(bed_do(bed, "resume last --yes"), 1, "rolled-back");
    both_are(bed, "old");
    assert_int_equal(bed_count(bed, "*", "*trust* none"), 0);
}

/* -- other stores ---------------------------------------------------------- */

/* One file of what each node alone shows, as the first run made it. */
static const char *leaves_of_all(struct bed *bed)
{
    const char *all = "";

    for (size_t i = 0; i < SERVICES_NODES; i++) {
        glob_t found;

        assert_int_equal(
            glob(arena_printf(&bed->arena,
                              "%s/state/clusters/lab/*/%s/webadmin-g1-*.crt",
                              bed->dir, services_nodes[i]),
                 0, NULL, &found),
            0);
        all = arena_printf(
            &bed->arena, "%s%s", all,
            bed_read(bed, found.gl_pathv[0] + strlen(bed->dir) + 1));
        globfree(&found);
    }
    bed_write(bed, "leaves.crt", all);
    for (size_t i = 0; i < SERVICES_NODES; i++)
        bed_lab(bed, "put %s leaves.crt %s/leaves.crt", services_nodes[i],
                bed->dir);
    return "leaves.crt";
}

static void name_everywhere(struct bed *bed, const char *file)
{
    for (size_t i = 0; i < SERVICES_NODES; i++) {
        bed_lab(bed, "foreign %s 'callbridge trust cluster %s'",
                services_nodes[i], file);
        bed_lab(bed, "foreign %s 'callbridge restart'", services_nodes[i]);
    }
}

/* A store of certificates, not of issuers, stays one. */
static void test_pinned(void **state)
{
    struct bed *bed = c2w_bed(state);
    const char *words = "apply cms/service-rotate lab --yes service=webadmin";

    bed_ends(bed_do(bed, "%s", words), 0, "done");
    name_everywhere(bed, leaves_of_all(bed));
    bed_ends(bed_do(bed, "%s", words), 0, "done");
    services_trusted(bed);
    assert_int_equal(
        bed_count(bed, "*", "callbridge trust cluster clustertrust-g2-*"), 3);
    bed_ends(bed_do(bed, "%s", words), 0, "done");
    assert_int_equal(
        bed_count(bed, "*", "callbridge trust cluster clustertrust-g3-*"), 3);
    services_trusted(bed);
    services_state(bed, "webadmin", "new");
}

/* What is not there cannot be kept beside the new: it blocks, and stays when
 * that is accepted. */
static void test_cannot_be_read(void **state)
{
    struct bed *bed = c2w_bed(state);
    const char *words = "apply cms/service-rotate lab --yes service=webadmin";
    struct bed_run *run;

    for (size_t i = 0; i < SERVICES_NODES; i++) {
        bed_lab(bed, "put %s gone.cer %s/certfleet.ini", services_nodes[i],
                bed->dir);
        bed_lab(bed, "foreign %s 'callbridge trust cluster gone.cer'",
                services_nodes[i]);
    }
    run = bed_do(bed, "%s", words);
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "its file holds no certificate"));
    run = bed_do(bed, "%s --accept trust-store", words);
    bed_ends(run, 0, "done");
    services_state(bed, "webadmin", "new");
    assert_int_equal(bed_count(bed, "*", "callbridge trust cluster clus*"), 0);
}

/* Nobody is trusted, or everybody, today and afterwards. */
static void test_empty(void **state)
{
    struct bed *bed = c2w_bed(state);

    name_everywhere(bed, "none");
    bed_ends(bed_do(bed, "apply cms/service-rotate lab --yes service=webadmin"),
             0, "done");
    assert_int_equal(bed_count(bed, "*", "callbridge trust cluster clus*"), 0);
    services_trusted(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_ca_changes, bed_stop),
        cmocka_unit_test_teardown(test_taken_back_when_done, bed_stop),
        cmocka_unit_test_teardown(test_in_parts, bed_stop),
        cmocka_unit_test_teardown(test_plan_says_so, bed_stop),
        cmocka_unit_test_teardown(test_first_phase_fails, bed_stop),
        cmocka_unit_test_teardown(test_second_phase_fails, bed_stop),
        cmocka_unit_test_teardown(test_second_start_fails, bed_stop),
        cmocka_unit_test_teardown(test_third_phase_fails, bed_stop),
        cmocka_unit_test_teardown(test_killed_in_the_first, bed_stop),
        cmocka_unit_test_teardown(test_killed_in_the_second, bed_stop),
        cmocka_unit_test_teardown(test_killed_in_the_third, bed_stop),
        cmocka_unit_test_teardown(test_killed_in_the_first_and_back, bed_stop),
        cmocka_unit_test_teardown(test_killed_in_the_second_and_back, bed_stop),
        cmocka_unit_test_teardown(test_killed_in_the_third_and_back, bed_stop),
        cmocka_unit_test_teardown(test_killed_on_the_way_back, bed_stop),
        cmocka_unit_test_teardown(test_pinned, bed_stop),
        cmocka_unit_test_teardown(test_cannot_be_read, bed_stop),
        cmocka_unit_test_teardown(test_empty, bed_stop),
    };

    return crew_tests(tests);
}
