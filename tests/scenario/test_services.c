/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/service-rotate: the services of three nodes get new certificates, node by
 * node; what fails on one takes all back; the database is not touched.
 */
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/services.h"

#define ROTATE "apply cms/service-rotate lab --yes "
#define BOTH ROTATE "service=webadmin,callbridge"

/* -- what the lab saw ------------------------------------------------------ */

static void tell_outage(struct bed *bed, const char *service)
{
    for (size_t i = 0; i < 3; i++)
        print_message(
            "%s %s: down for %lld ms\n", services_nodes[i], service,
            (long long)json_integer_value(json_object_get(
                services_of(bed, services_nodes[i], service), "down_ms")));
}

static void nothing_staged(struct bed *bed)
{
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bed_files(bed, services_nodes[i], "*-g1-*"), 0);
}

/* -- they are switched ----------------------------------------------------- */

static void test_two_services(void **state)
{
    struct bed *bed = services_bed(state, "all");
    struct bed_run *run = bed_do(bed, BOTH);

    bed_ends(run, 0, "done");
    services_are(bed, "webadmin", "new", 1);
    services_are(bed, "callbridge", "new", 3); /* trust, switch, drop */
    services_are(bed, "turn", "old", 0);
    /* it judges the scheduler, too, which stays: nothing is dropped */
    services_are(bed, "webbridge3", "new", 1);
    services_were_orderly(bed);
    services_trusted(bed);
    assert_int_equal(bed_count(bed, "*", "callbridge restart"), 9);
    assert_int_equal(bed_files(bed, "core2", "callbridge-g1-*.key"), 1);
    assert_true(bed_said(run, "CUCM (subject of the SIP trunk"));
    /* and taken back, from the same table */
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    services_are(bed, "webadmin", "old", 2);
    services_are(bed, "callbridge", "old", 6);
    services_are(bed, "webbridge3", "old", 2);
    services_were_orderly(bed);
    services_trusted(bed);
}

static void not_in_file(const char *path, const char *word)
{
    struct str text;
    char part[4096];
    size_t n;
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    str_init(&text, 64 * 1024 * 1024);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        str_addn(&text, part, n);
    fclose(f);
    if (memmem(text.data, text.len, word, strlen(word)))
        fail_msg("%s holds %s", path, word);
    str_release(&text);
}

static void is_not_in_store(struct bed *bed, const char *word)
{
    not_in_file(arena_printf(&bed->arena, "%s/state/certfleet.db", bed->dir),
                word);
}

static void test_all_services(void **state)
{
    static const struct {
        const char *name;
        unsigned drops;
    } rows[] = {{"webadmin", 1},    {"callbridge", 3}, {"webbridge3", 3},
                {"turn", 1},        {"recorder", 1},   {"streamer", 1},
                {"meetingapps", 1}, {"scheduler", 3},  {"uploader", 2}};
    struct bed *bed = services_bed(state, "all");
    struct bed_run *run = bed_do(bed, ROTATE "service=all");

    bed_ends(run, 0, "done");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        services_are(bed, rows[i].name, "new", rows[i].drops);
        tell_outage(bed, rows[i].name);
    }
    services_were_orderly(bed);
    services_trusted(bed);
    /* `turn' prints them; nobody keeps them */
    assert_false(bed_said(run, "lab-turn-password"));
    assert_false(bed_said(run, "lab-turn-secret"));
    is_not_in_store(bed, "lab-turn-password");
    is_not_in_store(bed, "lab-turn-secret");
}

/* Nodes have some of the services only, as their roles say. */
static void test_mixed_roles(void **state)
{
    struct bed *bed = services_bed(state, "all");
    const char *text = bed_read(bed, "certfleet.ini");
    const char *role = strstr(strstr(text, "[node core2]"), "webadmin ");

    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*s%s", (int)(role - text), text,
                           role + strlen("webadmin ")));
    bed_ends(bed_do(bed, BOTH), 0, "done");
    services_state(bed, "callbridge", "new");
    assert_string_equal(
        bed_text(services_of(bed, "core2", "webadmin"), "state"), "old");
    assert_string_equal(
        bed_text(services_of(bed, "core3", "webadmin"), "state"), "new");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    services_state(bed, "callbridge", "old");
    services_were_orderly(bed);
}

/* A second generation beside the first: the CA is known by now. */
static void test_again(void **state)
{
    struct bed *bed = services_bed(state, "all");

    bed_ends(bed_do(bed, ROTATE "service=webadmin"), 0, "done");
    bed_ends(bed_do(bed, ROTATE "service=webadmin"), 0, "done");
    assert_int_equal(bed_files(bed, "core1", "webadmin-g1-*.key"), 1);
    assert_int_equal(bed_files(bed, "core1", "webadmin-g2-*.key"), 1);
    services_are(bed, "webadmin", "new", 2);
    services_were_orderly(bed);
}

/* The database's rotation is as it was beside services. */
static void test_beside_the_database(void **state)
{
    struct bed *bed = services_bed(state, "all");

    bed_ends(bed_do(bed, BOTH), 0, "done");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    services_state(bed, "callbridge", "new");
}

/* -- one fails: all go back ------------------------------------------------ */

static void fails_on_the_last(void **state, const char *fault)
{
    struct bed *bed = services_bed(state, "all");
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core3 %s", fault);
    run = bed_do(bed, BOTH);
    bed_ends(run, 1, "rolled-back");
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(
            bed_text(services_of(bed, services_nodes[i], "webadmin"), "state"),
            "old");
        assert_string_equal(
            bed_text(services_of(bed, services_nodes[i], "callbridge"),
                     "state"),
            "old");
    }
    services_were_orderly(bed);
}

static void test_last_does_not_start(void **state)
{
    fails_on_the_last(state, "fail-async 'callbridge restart'");
}

static void test_last_refuses_files(void **state)
{
    fails_on_the_last(state, "fail 'callbridge certs*'");
}

static void test_last_webadmin_stays_down(void **state)
{
    fails_on_the_last(state, "fail-async 'webadmin enable'");
}

/* A retry is enough for what fails once. */
static void test_retried(void **state)
{
    struct bed *bed = services_bed(state, "all");

    bed_lab(bed, "inject core2 fail-async 'callbridge restart'");
    bed_ends(bed_do(bed, BOTH), 0, "done");
    assert_string_equal(
        bed_text(services_of(bed, "core2", "callbridge"), "state"), "new");
    services_were_orderly(bed);
}

/* A node that fails on both ways cannot be mended first: the others go back
 * beside it, and a person is told what to type. */
static void test_fails_both_ways(void **state)
{
    struct bed *bed = services_bed(state, "all");
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core3 fail-async 'callbridge restart' always");
    run = bed_do(bed, BOTH);
    bed_ends(run, 4, "incomplete");
    assert_string_equal(
        bed_text(services_of(bed, "core1", "callbridge"), "state"), "old");
    bed_lab(bed, "clear");
    bed_ends(bed_next(run, "rollback"), 0, "rolled-back");
    assert_string_equal(
        bed_text(services_of(bed, "core3", "callbridge"), "state"), "old");
    bed_is_safe(bed);
}

/* SUCCESS comes before the service does: the next node waits for the port, not
 * for the word. */
static void test_says_so_too_early(void **state)
{
    struct bed *bed = services_bed(state, "all");

    for (size_t i = 0; i < 3; i++) {
        bed_lab(bed, "set %s service_late_ms 600", services_nodes[i]);
        bed_lab(bed, "set %s service_words 1", services_nodes[i]);
    }
    bed_ends(bed_do(bed, BOTH), 0, "done");
    services_state(bed, "callbridge", "new");
    services_were_orderly(bed);
}

/* -- killed at the switch -------------------------------------------------- */

static void test_killed_and_resumed(void **state)
{
    static const char *const places[] = {
        "webadmin disable",
        "callbridge certs*", /* named, not loaded */
        "callbridge restart",
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        struct bed *bed = services_bed(state, "all");

        services_killed(bed, BOTH, places[i]);
        bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
        services_state(bed, "callbridge", "new");
        services_were_orderly(bed);
        if (i + 1 < sizeof(places) / sizeof(*places))
            assert_int_equal(bed_stop(state), 0);
    }
}

static void test_killed_and_rolled_back(void **state)
{
    struct bed *bed = services_bed(state, "all");

    services_killed(bed, BOTH, "callbridge certs*");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    for (size_t k = 0; k < 3; k++)
        assert_string_equal(
            bed_text(services_of(bed, services_nodes[k], "callbridge"),
                     "state"),
            "old");
    /* nobody had touched it */
    assert_int_equal(bed_count(bed, "core3", "callbridge certs*"), 0);
    services_were_orderly(bed);
}

/* -- it is refused --------------------------------------------------------- */

static void refused(struct bed *bed, const char *words, int code,
                    const char *said)
{
    struct bed_run *run =
        bed_do(bed, "apply cms/service-rotate lab --yes %s", words);

    bed_ends(run, code, code == 2 ? "error" : "refused");
    assert_true(bed_said(run, said));
    nothing_staged(bed);
}

static void test_refused(void **state)
{
    struct bed *bed = services_bed(state, "all");

    refused(bed, "", 2, "which services?");
    refused(bed, "service=webadmin,nonsense", 2, "is called `nonsense'");
    refused(bed, "service=turn", 5, "turn and recorder sip share the key");
    bed_lab(bed, "foreign core2 'turn disable'");
    refused(bed, "service=turn,recorder,streamer", 5, "turn is not enabled");
    services_are(bed, "webadmin", "old", 0);
    assert_int_equal(bed_count(bed, "*", "webadmin ?*"), 0);
}

static void test_no_issuer(void **state)
{
    struct bed *bed = bed_start(
        state, "3+0", (const char *const[]){"--services", "all", NULL});

    refused(bed, "service=webadmin", 2, "names no service_issuer");
}

/* Staged by day, switched at night. */
static void test_in_two_parts(void **state)
{
    struct bed *bed = services_bed(state, "all");
    struct bed_run *run = bed_do(bed, BOTH " --until push");

    bed_ends(run, 0, "ok");
    services_are(bed, "webadmin", "old", 0);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    services_state(bed, "callbridge", "new");
}

/* What was staged is taken away again. */
static void test_push_fails(void **state)
{
    struct bed *bed = services_bed(state, "all");

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core2 fail 'pki match*' always");
    bed_ends(bed_do(bed, BOTH), 1, "rolled-back");
    nothing_staged(bed);
    services_are(bed, "webadmin", "old", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_two_services, bed_stop),
        cmocka_unit_test_teardown(test_all_services, bed_stop),
        cmocka_unit_test_teardown(test_mixed_roles, bed_stop),
        cmocka_unit_test_teardown(test_again, bed_stop),
        cmocka_unit_test_teardown(test_beside_the_database, bed_stop),
        cmocka_unit_test_teardown(test_last_does_not_start, bed_stop),
        cmocka_unit_test_teardown(test_last_refuses_files, bed_stop),
        cmocka_unit_test_teardown(test_last_webadmin_stays_down, bed_stop),
        cmocka_unit_test_teardown(test_retried, bed_stop),
        cmocka_unit_test_teardown(test_fails_both_ways, bed_stop),
        cmocka_unit_test_teardown(test_says_so_too_early, bed_stop),
        cmocka_unit_test_teardown(test_killed_and_resumed, bed_stop),
        cmocka_unit_test_teardown(test_killed_and_rolled_back, bed_stop),
        cmocka_unit_test_teardown(test_refused, bed_stop),
        cmocka_unit_test_teardown(test_no_issuer, bed_stop),
        cmocka_unit_test_teardown(test_in_two_parts, bed_stop),
        cmocka_unit_test_teardown(test_push_fails, bed_stop),
    };

    return crew_tests(tests);
}
