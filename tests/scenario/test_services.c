/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/service-rotate: the services of three nodes get new certificates, node by
 * node; what fails on one takes all back; the database is not touched.
 */
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"

#define ROTATE "apply cms/service-rotate lab --yes --accept trust-store "
#define BOTH ROTATE "service=webadmin,callbridge"

static const char *const all[] = {"--services", "all", NULL};
static const char *const nodes[] = {"core1", "core2", "core3"};

static struct bed *services_bed(void **state)
{
    struct bed *bed = bed_start(state, "3+0", all);

    bed_inventory(bed, "cluster lab", "service_issuer = svc");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[issuer svc]\nkind = internal\n"
                           "ca_cert = svc.crt\nca_key = svc.key\n"
                           "key = ec:P-256\n",
                           bed_read(bed, "certfleet.ini")));
    return bed;
}

/* -- what the lab saw ------------------------------------------------------ */

static json_t *service_of(struct bed *bed, const char *node, const char *name)
{
    return json_object_get(
        json_object_get(bed_lab(bed, "node %s", node), "services"), name);
}

static void all_are(struct bed *bed, const char *service, const char *state,
                    unsigned drops)
{
    for (size_t i = 0; i < 3; i++) {
        json_t *s = service_of(bed, nodes[i], service);
        assert_string_equal(bed_text(s, "state"), state);
        assert_int_equal(json_integer_value(json_object_get(s, "drops")),
                         drops);
    }
}

static void tell_outage(struct bed *bed, const char *service)
{
    for (size_t i = 0; i < 3; i++)
        print_message("%s %s: down for %lld ms\n", nodes[i], service,
                      (long long)json_integer_value(json_object_get(
                          service_of(bed, nodes[i], service), "down_ms")));
}

/* Never two nodes at once, and no word to a database cluster but the question
 * how it is. */
static void was_orderly(struct bed *bed)
{
    json_t *c = bed_lab(bed, "cluster lab");

    assert_true(json_integer_value(json_object_get(c, "most_dropping")) <= 1);
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    bed_is_safe(bed);
}

static void nothing_staged(struct bed *bed)
{
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bed_files(bed, nodes[i], "*-g1-*"), 0);
}

/* -- they are switched ----------------------------------------------------- */

static void test_two_services(void **state)
{
    struct bed *bed = services_bed(state);
    struct bed_run *run = bed_do(bed, BOTH);

    bed_ends(run, 0, "done");
    all_are(bed, "webadmin", "new", 1);
    all_are(bed, "callbridge", "new", 1);
    all_are(bed, "turn", "old", 0);
    was_orderly(bed);
    assert_int_equal(bed_count(bed, "*", "callbridge restart"), 3);
    assert_int_equal(bed_files(bed, "core2", "callbridge-g1-*.key"), 1);
    assert_true(bed_said(run, "CUCM (subject of the SIP trunk"));
    /* and taken back, from the same table */
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    all_are(bed, "webadmin", "old", 2);
    all_are(bed, "callbridge", "old", 2);
    was_orderly(bed);
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
    static const char *const names[] = {
        "webadmin", "callbridge", "webbridge3",  "turn",
        "recorder", "streamer",   "meetingapps", "scheduler"};
    struct bed *bed = services_bed(state);
    struct bed_run *run = bed_do(bed, ROTATE "service=all");

    bed_ends(run, 0, "done");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        all_are(bed, names[i], "new", 1);
        tell_outage(bed, names[i]);
    }
    was_orderly(bed);
    /* `turn' prints them; nobody keeps them */
    assert_false(bed_said(run, "lab-turn-password"));
    assert_false(bed_said(run, "lab-turn-secret"));
    is_not_in_store(bed, "lab-turn-password");
    is_not_in_store(bed, "lab-turn-secret");
}

/* Nodes have some of the services only, as their roles say. */
static void test_mixed_roles(void **state)
{
    struct bed *bed = services_bed(state);
    const char *text = bed_read(bed, "certfleet.ini");
    const char *role = strstr(strstr(text, "[node core2]"), "webadmin ");

    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*s%s", (int)(role - text), text,
                           role + strlen("webadmin ")));
    bed_ends(bed_do(bed, BOTH), 0, "done");
    all_are(bed, "callbridge", "new", 1);
    assert_string_equal(bed_text(service_of(bed, "core2", "webadmin"), "state"),
                        "old");
    assert_string_equal(bed_text(service_of(bed, "core3", "webadmin"), "state"),
                        "new");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    all_are(bed, "callbridge", "old", 2);
    was_orderly(bed);
}

/* A second generation beside the first: the CA is known by now. */
static void test_again(void **state)
{
    struct bed *bed = services_bed(state);

    bed_ends(bed_do(bed, ROTATE "service=webadmin"), 0, "done");
    bed_ends(bed_do(bed, ROTATE "service=webadmin"), 0, "done");
    assert_int_equal(bed_files(bed, "core1", "webadmin-g1-*.key"), 1);
    assert_int_equal(bed_files(bed, "core1", "webadmin-g2-*.key"), 1);
    all_are(bed, "webadmin", "new", 2);
    was_orderly(bed);
}

/* The database's rotation is as it was beside services. */
static void test_beside_the_database(void **state)
{
    struct bed *bed = services_bed(state);

    bed_ends(bed_do(bed, BOTH), 0, "done");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    all_are(bed, "callbridge", "new", 1);
}

/* -- one fails: all go back ------------------------------------------------ */

static void fails_on_the_last(void **state, const char *fault)
{
    struct bed *bed = services_bed(state);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core3 %s", fault);
    run = bed_do(bed, BOTH);
    bed_ends(run, 1, "rolled-back");
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(
            bed_text(service_of(bed, nodes[i], "webadmin"), "state"), "old");
        assert_string_equal(
            bed_text(service_of(bed, nodes[i], "callbridge"), "state"), "old");
    }
    was_orderly(bed);
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
    struct bed *bed = services_bed(state);

    bed_lab(bed, "inject core2 fail-async 'callbridge restart'");
    bed_ends(bed_do(bed, BOTH), 0, "done");
    assert_string_equal(
        bed_text(service_of(bed, "core2", "callbridge"), "state"), "new");
    was_orderly(bed);
}

/* A node that fails on both ways cannot be mended first: the others go back
 * beside it, and a person is told what to type. */
static void test_fails_both_ways(void **state)
{
    struct bed *bed = services_bed(state);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core3 fail-async 'callbridge restart' always");
    run = bed_do(bed, BOTH);
    bed_ends(run, 4, "incomplete");
    assert_string_equal(
        bed_text(service_of(bed, "core1", "callbridge"), "state"), "old");
    bed_lab(bed, "clear");
    bed_ends(bed_next(run, "rollback"), 0, "rolled-back");
    assert_string_equal(
        bed_text(service_of(bed, "core3", "callbridge"), "state"), "old");
    bed_is_safe(bed);
}

/* SUCCESS comes before the service does: the next node waits for the port, not
 * for the word. */
static void test_says_so_too_early(void **state)
{
    struct bed *bed = services_bed(state);

    for (size_t i = 0; i < 3; i++) {
        bed_lab(bed, "set %s service_late_ms 600", nodes[i]);
        bed_lab(bed, "set %s service_words 1", nodes[i]);
    }
    bed_ends(bed_do(bed, BOTH), 0, "done");
    all_are(bed, "callbridge", "new", 1);
    was_orderly(bed);
}

/* -- killed at the switch -------------------------------------------------- */

static void killed_at(struct bed *bed, const char *how, const char *command)
{
    int id = bed_id(bed_lab(bed, "hold core2 %s '%s'", how, command));
    struct bed_run *run = bed_begin(bed, BED_PLAIN, BOTH);

    bed_lab(bed, "wait held %d", id);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    run->plain = true;
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
}

static void test_killed_and_resumed(void **state)
{
    static const char *const places[][2] = {
        {"after", "webadmin disable"},
        {"after", "callbridge certs*"}, /* named, not loaded */
        {"after", "callbridge restart"},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        struct bed *bed = services_bed(state);

        killed_at(bed, places[i][0], places[i][1]);
        bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
        for (size_t k = 0; k < 3; k++)
            assert_string_equal(
                bed_text(service_of(bed, nodes[k], "callbridge"), "state"),
                "new");
        was_orderly(bed);
        if (i + 1 < sizeof(places) / sizeof(*places))
            assert_int_equal(bed_stop(state), 0);
    }
}

static void test_killed_and_rolled_back(void **state)
{
    struct bed *bed = services_bed(state);

    killed_at(bed, "after", "callbridge certs*");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    for (size_t k = 0; k < 3; k++)
        assert_string_equal(
            bed_text(service_of(bed, nodes[k], "callbridge"), "state"), "old");
    /* nobody had touched it */
    assert_int_equal(bed_count(bed, "core3", "callbridge restart"), 0);
    was_orderly(bed);
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
    struct bed *bed = services_bed(state);

    refused(bed, "", 2, "which services?");
    refused(bed, "service=webadmin,nonsense", 2, "is called `nonsense'");
    refused(bed, "service=webadmin", 5,
            "`callbridge trust cluster root.cer' does not hold the CA");
    refused(bed, "service=turn", 5, "turn and recorder sip share the key");
    bed_lab(bed, "foreign core2 'turn disable'");
    refused(bed, "service=turn,recorder,streamer", 5, "turn is not enabled");
    all_are(bed, "webadmin", "old", 0);
    assert_int_equal(bed_count(bed, "*", "webadmin ?*"), 0);
}

/* -- trust stores ---------------------------------------------------------- */

static const char *staged_name(struct bed *bed, const char *pattern)
{
    json_t *answer = bed_lab(bed, "files core1");
    const json_t *file;
    size_t i;

    json_array_foreach(json_object_get(answer, "files"), i, file)
    {
        if (fnmatch(pattern, bed_text(file, "name"), 0) == 0)
            return bed_text(file, "name");
    }
    fail_msg("no file %s", pattern);
    return NULL;
}

static void trust_everywhere(struct bed *bed, const char *file)
{
    for (size_t i = 0; i < 3; i++) {
        bed_lab(bed, "foreign %s 'callbridge trust cluster %s'", nodes[i],
                file);
        bed_lab(bed, "foreign %s 'uploader cms trust %s'", nodes[i], file);
    }
}

/* Stores that hold the CA which signs let it pass, without a word from a
 * person; one that pins the leaf does not, though it is trusted today. */
static void test_trust_stores(void **state)
{
    struct bed *bed = services_bed(state);
    struct bed_run *run;

    bed_ends(bed_do(bed, ROTATE "service=webadmin"), 0, "done");
    trust_everywhere(bed, staged_name(bed, "webadminca-g1-*"));
    run = bed_do(bed, "apply cms/service-rotate lab --yes service=webadmin");
    bed_ends(run, 0, "done");
    all_are(bed, "webadmin", "new", 2);
    bed_lab(bed, "foreign core3 'callbridge trust cluster %s'",
            staged_name(bed, "webadmin-g2-*.crt"));
    run = bed_do(bed, "apply cms/service-rotate lab --yes service=webadmin");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "pins the very certificate of webadmin"));
    assert_int_equal(bed_events(run, "warning", "core3", "gates"), 1);
    all_are(bed, "webadmin", "new", 2);
}

static void test_no_issuer(void **state)
{
    struct bed *bed = bed_start(state, "3+0", all);

    refused(bed, "service=webadmin", 2, "names no service_issuer");
}

/* Staged by day, switched at night. */
static void test_in_two_parts(void **state)
{
    struct bed *bed = services_bed(state);
    struct bed_run *run = bed_do(bed, BOTH " --until push");

    bed_ends(run, 0, "ok");
    all_are(bed, "webadmin", "old", 0);
    bed_ends(bed_do(bed, "resume last --yes --accept trust-store"), 0, "done");
    all_are(bed, "callbridge", "new", 1);
}

/* What was staged is taken away again. */
static void test_push_fails(void **state)
{
    struct bed *bed = services_bed(state);

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core2 fail 'pki match*' always");
    bed_ends(bed_do(bed, BOTH), 1, "rolled-back");
    nothing_staged(bed);
    all_are(bed, "webadmin", "old", 0);
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
        cmocka_unit_test_teardown(test_trust_stores, bed_stop),
        cmocka_unit_test_teardown(test_no_issuer, bed_stop),
        cmocka_unit_test_teardown(test_in_two_parts, bed_stop),
        cmocka_unit_test_teardown(test_push_fails, bed_stop),
    };

    return crew_tests(tests);
}
