/* SPDX-License-Identifier: Apache-2.0
 *
 * vos/rotate against a pair of appliances: order and proof, what refuses it,
 * and what it leaves when something fails.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/theirs.h"

#define ROTATE "apply vos/rotate lab --yes"
#define UPLOAD "set cert import own tomcat"
#define TRUST "set cert import trust tomcat"
#define RESTART "utils system restart"

static const char *const quick[] = {"--set", "ucm_days=100", NULL};

static struct bed *pair(void **state)
{
    struct bed *bed = bed_start(state, "vos:1", quick);

    bed_inventory(bed, "cluster lab", "retries = 0\ntimeout_connect = 5");
    return bed;
}

static void shows(struct bed *bed, const char *node, const char *state)
{
    assert_string_equal(
        bed_text(json_object_get(bed_lab(bed, "node %s", node), "ucm"),
                 "tomcat"),
        state);
}

/* Where in the lab's record a node's command first stands; 0: nowhere. */
static json_int_t when(struct bed *bed, const char *node, const char *command)
{
    json_t *list =
        json_object_get(bed_lab(bed, "history %s", node), "commands");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(bed_text(json_array_get(list, i), "text"), command) == 0)
            return json_integer_value(
                json_object_get(json_array_get(list, i), "seq"));
    return 0;
}

static void was_orderly(struct bed *bed)
{
    json_t *c = bed_lab(bed, "cluster lab");

    assert_true(json_integer_value(json_object_get(c, "most_dropping")) <= 1);
    bed_is_safe(bed);
}

static void both_are_new(struct bed *bed)
{
    shows(bed, "vos1", "new");
    shows(bed, "vos2", "new");
    assert_int_equal(bed_count(bed, "vos1", UPLOAD), 1);
    assert_int_equal(bed_count(bed, "vos2", UPLOAD), 1);
    assert_int_equal(bed_count(bed, "*", "set csr gen tomcat"), 2);
    was_orderly(bed);
}

/* Seed 003's VOS part: and a shell that is slow, asks and says it twice. */
static void test_pair(void **state)
{
    struct bed *bed = pair(state);
    struct bed_run *run;

    bed_lab(bed, "set vos1 ucm_asks_ou 1");
    bed_lab(bed, "set vos1 ucm_nudged 1");
    bed_lab(bed, "set vos2 ucm_twice 1");
    bed_lab(bed, "set vos1 ucm_shape 1");
    bed_lab(bed, "set vos2 ucm_shape 2");
    run = bed_do(bed, ROTATE);
    bed_ends(run, 0, "done");
    both_are_new(bed);
    assert_true(when(bed, "vos1", TRUST) < when(bed, "vos1", UPLOAD));
    assert_true(when(bed, "vos1", UPLOAD) < when(bed, "vos1", RESTART));
    assert_true(when(bed, "vos1", RESTART) < when(bed, "vos2", UPLOAD));
    assert_true(when(bed, "vos2", UPLOAD) < when(bed, "vos2", RESTART));
    assert_int_equal(bed_count(bed, "*", RESTART), 2);
    assert_int_equal(bed_count(bed, "*", "set cli pagination off") > 0, 1);
    assert_int_equal(bed_events(run, "step-done", NULL, "prove"), 2);
    run = bed_do(bed, "check lab");
    assert_int_equal(run->code, 0);
    run = bed_do(bed, "plan vos/rotate lab if_days_left=1");
    assert_true(bed_said(run, "days left, more than 1"));
    run = bed_do(bed, "rollback last --yes");
    assert_int_equal(run->code, 5);
    assert_true(bed_said(run, "there is no way back"));
}

/* -- what is refused before anything live ---------------------------------- */

static void nothing_went_in(struct bed *bed)
{
    assert_int_equal(bed_count(bed, "*", UPLOAD), 0);
    assert_int_equal(bed_count(bed, "*", TRUST), 0);
    assert_int_equal(bed_count(bed, "*", RESTART), 0);
    shows(bed, "vos1", "old");
    shows(bed, "vos2", "old");
}

static const char sign_added[] =
    "#!/bin/sh\n" CA AGO " -cert inter.crt -keyfile inter.key"
    " -in /dev/stdin -days 30 -extensions added\ncat inter.crt\n";
static const char sign_as_asked[] =
    "#!/bin/sh\n" CA AGO " -cert inter.crt -keyfile inter.key"
    " -in /dev/stdin -days 30 -extensions as_asked\ncat inter.crt\n";

/* A CA that alters the names; then one that does not, with an intermediate. */
static void test_altered_by_the_issuer(void **state)
{
    static const char sections[] =
        "%s\n[added]\nsubjectAltName = DNS:added.example.com\n"
        "keyUsage = digitalSignature,keyEncipherment,dataEncipherment\n"
        "extendedKeyUsage = serverAuth,clientAuth\n"
        "[as_asked]\nbasicConstraints = CA:FALSE\n";
    struct bed *bed = their_start(state, "vos:1",
                                  "kind = command\ncommand = ./sign\n", quick);
    struct bed_run *run;

    their_script(bed, "sign", sign_added);
    bed_write(bed, "ca.cnf",
              arena_printf(&bed->arena, sections, bed_read(bed, "ca.cnf")));
    run = bed_do(bed, ROTATE);
    assert_int_not_equal(run->code, 0);
    assert_true(bed_said(run, "lacks the name that was asked for"));
    nothing_went_in(bed);
    run = bed_do(bed, "plan vos/rotate lab");
    assert_int_equal(run->code, 5);
    assert_true(bed_said(run, "a request for tomcat is there that waits"));
    their_script(bed, "sign", sign_as_asked);
    bed_ends(bed_do(bed, ROTATE " --accept request"), 0, "done");
    shows(bed, "vos1", "new");
    shows(bed, "vos2", "new");
    assert_int_equal(bed_count(bed, "vos1", TRUST), 2);
    was_orderly(bed);
}

/* A person carries the requests away, and their answers back. */
static void test_csr_issuer(void **state)
{
    struct bed *bed = their_start(state, "vos:1", "kind = csr\n", quick);
    struct bed_run *run;

    bed_write(bed, "ca.cnf",
              arena_printf(&bed->arena,
                           "%s\n[as_asked]\nbasicConstraints = CA:FALSE\n",
                           bed_read(bed, "ca.cnf")));
    run = bed_do(bed, ROTATE);
    assert_int_equal(bed_events(run, "step-waiting", NULL, "issue"), 1);
    nothing_went_in(bed);
    their_script(bed, "answer",
                 "#!/bin/sh\nset -e\n"
                 "find . -path '*lab*' -name '*tomcat*.csr' | while read r\n"
                 "do " CA AGO " -cert inter.crt -keyfile inter.key -in $r"
                 " -days 30 -extensions as_asked > ${r%.csr}.signed\n"
                 "cat inter.crt >> ${r%.csr}.signed\ndone\n");
    their_run(bed, "answer", "");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    both_are_new(bed);
}

/* -- what fails on the way ------------------------------------------------- */

/* The other node is not touched, and it is finished from there. */
static void test_upload_refused(void **state)
{
    struct bed *bed = pair(state);
    struct bed_run *run;

    bed_lab(bed, "inject vos1 fail '" UPLOAD "'");
    run = bed_do(bed, ROTATE);
    bed_ends(run, 4, "incomplete");
    assert_int_equal(bed_count(bed, "*", RESTART), 0);
    assert_int_equal(bed_count(bed, "vos2", UPLOAD), 0);
    bed_ends(bed_next(run, "resume"), 0, "done");
    shows(bed, "vos1", "new");
    shows(bed, "vos2", "new");
    assert_int_equal(bed_count(bed, "vos1", UPLOAD), 2);
    was_orderly(bed);
}

static void test_node_stays_down(void **state)
{
    struct bed *bed = pair(state);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "timeout_join = 3\ntimeout_leave = 1");
    bed_lab(bed, "set vos1 ucm_boot_ms 0");
    run = bed_do(bed, ROTATE);
    bed_ends(run, 4, "incomplete");
    assert_int_equal(bed_count(bed, "vos2", UPLOAD), 0);
    assert_int_equal(bed_count(bed, "vos2", RESTART), 0);
    shows(bed, "vos2", "old");
    /* for this no node is asked, and none is waited for */
    run = bed_do(bed, "rollback last --yes");
    bed_ends(run, 4, "incomplete");
    assert_true(bed_said(run, "there is no way back"));
    assert_false(bed_said(run, "reading"));
    bed_lab(bed, "up vos1");
    bed_ends(bed_next(run, "resume"), 0, "done");
    both_are_new(bed);
    assert_int_equal(bed_count(bed, "vos1", RESTART), 1);
}

static void test_killed(void **state)
{
    struct bed *bed = pair(state);
    int id = bed_id(bed_lab(bed, "hold vos2 after '" UPLOAD "'"));
    struct bed_run *run = bed_begin(bed, BED_PLAIN, ROTATE);

    bed_lab(bed, "wait held %d", id);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
    run = bed_do(bed, "rollback last --yes");
    bed_ends(run, 4, "incomplete");
    assert_true(bed_said(run, "there is no way back"));
    bed_ends(bed_next(run, "resume"), 0, "done"); /* what it names instead */
    both_are_new(bed);
    assert_int_equal(bed_count(bed, "vos1", RESTART), 1);
    assert_int_equal(bed_count(bed, "vos2", RESTART), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_pair, bed_stop),
        cmocka_unit_test_teardown(test_altered_by_the_issuer, bed_stop),
        cmocka_unit_test_teardown(test_csr_issuer, bed_stop),
        cmocka_unit_test_teardown(test_upload_refused, bed_stop),
        cmocka_unit_test_teardown(test_node_stays_down, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
    };

    return crew_tests(tests);
}
