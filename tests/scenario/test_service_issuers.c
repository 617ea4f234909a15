/* SPDX-License-Identifier: Apache-2.0
 *
 * Services whose certificates somebody else signs: a program, or a person to
 * whom the requests are carried.  Each node has requests of its own.
 */
#include <glob.h>
#include <signal.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/theirs.h"

#define ROTATE                                                                 \
    "apply cms/service-rotate lab --yes --accept trust-store "                 \
    "service=webadmin,callbridge"

static const char *const nodes[] = {"core1", "core2"};
enum {
    NODES = 2,
    ASKED = 2 * NODES
};

static struct bed *start(void **state, const char *keys)
{
    static const char *const args[] = {"--services", "webadmin,callbridge",
                                       NULL};
    struct bed *bed = their_start(state, "2+0", keys, args);

    bed_inventory(bed, "cluster lab", "service_issuer = dbca");
    return bed;
}

static void all_are(struct bed *bed, const char *state)
{
    static const char *const services[] = {"webadmin", "callbridge"};

    for (size_t i = 0; i < NODES; i++)
        for (size_t k = 0; k < 2; k++) {
            json_t *s = json_object_get(
                json_object_get(bed_lab(bed, "node %s", nodes[i]), "services"),
                services[k]);
            assert_string_equal(bed_text(s, "state"), state);
        }
}

/* -- command --------------------------------------------------------------- */

static void test_command(void **state)
{
    struct bed *bed = start(state, "kind = command\ncommand = ./sign\n");
    const char *env;

    bed_ends(bed_do(bed, ROTATE), 0, "done");
    all_are(bed, "new");
    assert_string_equal(bed_read(bed, "asked"), "lab server\nlab both\n"
                                                "lab server\nlab both\n");
    env = bed_read(bed, "env-both");
    assert_non_null(strstr(env, "CERTFLEET_NODE=core2\n"));
    assert_non_null(strstr(env, "CERTFLEET_SLOT=callbridge_crt\n"));
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    all_are(bed, "old");
}

/* A certificate that is for servers alone is no Call Bridge's. */
static void test_wrong_purpose(void **state)
{
    struct bed *bed = start(state, "kind = command\ncommand = ./sign\n");
    struct bed_run *run;

    their_script(bed, "sign",
                 arena_printf(&bed->arena,
                              "#!/bin/sh\nset -e\n"
                              "echo 'extendedKeyUsage = serverAuth' |"
                              " cat ca.cnf - >one.cnf\n%s -config one.cnf\n"
                              "cat inter.crt\n",
                              SIGN));
    run = bed_do(bed, ROTATE);
    bed_ends(run, 1, "rolled-back");
    assert_true(bed_said(run, "node core1: callbridge: "));
    all_are(bed, "old");
    assert_int_equal(bed_files(bed, "core1", "*-g1-*"), 0);
}

/* -- csr ------------------------------------------------------------------- */

/* All requests that lie here, below the bed's folder, in the nodes' order. */
static size_t requests(struct bed *bed, const char *names[ASKED])
{
    glob_t found;
    size_t n = 0;

    assert_int_equal(glob(their_path(bed, "state/clusters/lab/*/core?/*.csr"),
                          0, NULL, &found),
                     0);
    assert_true(found.gl_pathc <= ASKED);
    for (; n < found.gl_pathc; n++)
        names[n] =
            arena_strdup(&bed->arena, found.gl_pathv[n] + strlen(bed->dir) + 1);
    globfree(&found);
    return n;
}

/* Somebody else's desk. */
static void have_signed(struct bed *bed, const char *request, const char *file)
{
    their_script(bed, "desk",
                 arena_printf(&bed->arena,
                              "set -e\nCERTFLEET_DAYS=100\n"
                              "{ %s; cat inter.crt; } <%s >%s\n",
                              SIGN, request, file));
    their_run(bed, "desk", NULL);
}

static void waits(struct bed_run *run)
{
    bed_ends(run, 4, "waiting");
    assert_int_equal(bed_events(run, "step-waiting", NULL, "issue"), 1);
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " issue "));
}

static void test_csr(void **state)
{
    struct bed *bed = start(state, "kind = csr\n");
    struct bed_run *run = bed_do(bed, ROTATE);
    const char *names[ASKED], *text;

    waits(run);
    assert_true(bed_said(run, "4 certificates are to be signed"));
    assert_int_equal(requests(bed, names), ASKED);
    text = bed_read(bed, names[0]);
    for (size_t i = 0; i < ASKED; i++)
        have_signed(bed, names[i], arena_printf(&bed->arena, "a%zu.pem", i));
    /* two nodes, two keys: what is for one is not for the other */
    run = bed_do(bed, "issue last a0.pem a3.pem");
    bed_ends(run, 0, "ok");
    assert_true(
        bed_said(run, "\"node\":\"core1\",\"slot\":\"callbridge_crt\""));
    assert_true(bed_said(run, "\"node\":\"core2\",\"slot\":\"webadmin_crt\""));
    run = bed_do(bed, "resume last --yes --accept trust-store");
    waits(run);
    assert_true(bed_said(run, names[1]));
    assert_true(bed_said(run, names[2]));
    assert_false(bed_said(run, names[0]));
    all_are(bed, "old");
    assert_int_equal(bed_files(bed, "core1", "*-g1-*"), 0);
    assert_string_equal(bed_read(bed, names[0]), text);
    bed_ends(bed_do(bed, "issue last a1.pem a2.pem"), 0, "ok");
    bed_ends(bed_do(bed, "resume last --yes --accept trust-store"), 0, "done");
    all_are(bed, "new");
}

/* What would be refused at night is refused when it is brought. */
static void test_csr_refused(void **state)
{
    struct bed *bed = start(state, "kind = csr\n");
    const char *names[ASKED];
    struct bed_run *run;

    waits(bed_do(bed, ROTATE));
    assert_int_equal(requests(bed, names), ASKED);
    their_script(bed, "one", "echo 'extendedKeyUsage = serverAuth' >>ca.cnf\n");
    their_run(bed, "one", NULL);
    have_signed(bed, names[0], "a0.pem");
    run = bed_do(bed, "issue last a0.pem");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "a0.pem: "));
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    all_are(bed, "old");
}

/* Killed at the switch: the answers are not asked for again. */
static void test_csr_killed(void **state)
{
    struct bed *bed = start(state, "kind = csr\n");
    const char *names[ASKED];
    struct bed_run *run;
    int hold;

    waits(bed_do(bed, ROTATE));
    assert_int_equal(requests(bed, names), ASKED);
    for (size_t i = 0; i < ASKED; i++) {
        const char *file = arena_printf(&bed->arena, "a%zu.pem", i);

        have_signed(bed, names[i], file);
        bed_ends(bed_do(bed, "issue last %s", file), 0, "ok");
    }
    hold = bed_id(bed_lab(bed, "hold core1 after 'callbridge certs*'"));
    run = bed_begin(bed, BED_PLAIN, "resume last --yes --accept trust-store");
    bed_lab(bed, "wait held %d", hold);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", hold);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    all_are(bed, "new");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_command, bed_stop),
        cmocka_unit_test_teardown(test_wrong_purpose, bed_stop),
        cmocka_unit_test_teardown(test_csr, bed_stop),
        cmocka_unit_test_teardown(test_csr_refused, bed_stop),
        cmocka_unit_test_teardown(test_csr_killed, bed_stop),
    };

    return crew_tests(tests);
}
