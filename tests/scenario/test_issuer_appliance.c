/* SPDX-License-Identifier: Apache-2.0
 *
 * kind = appliance: the primary makes keys, CA and certificates itself; what it
 * made is fetched, judged, and put on the others.
 *
 * Where a test is not about dates, the lab dates back what a node signs.
 */
#include <fnmatch.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"
#include "tests/scenario/theirs.h"

static struct bed *start(void **state, const char *shape)
{
    struct bed *bed = bed_start(state, shape, NULL);

    bed_inventory_drop(bed, "issuer dbca");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%s\n[issuer dbca]\nkind = appliance\n",
                           bed_read(bed, "certfleet.ini")));
    bed_lab(bed, "set core1 pki_backdate_s 3600");
    hunt_start(bed);
    return bed;
}

/* It made each file once, and nobody else made any. */
static void made_once(struct bed *bed)
{
    assert_int_equal(bed_count(bed, "core1", "pki selfsigned dbca-g1-*"), 1);
    assert_int_equal(bed_count(bed, "core1", "pki csr dbserver-g1-*"), 1);
    assert_int_equal(
        bed_count(bed, "core1", "pki csr dbclient-g1-???? CN:postgres"), 1);
    assert_int_equal(
        bed_count(bed, "core1", "pki sign dbserver-g1-* dbca-g1-*"), 1);
    assert_int_equal(
        bed_count(bed, "core1", "pki sign dbclient-g1-* dbca-g1-*"), 1);
    assert_int_equal(bed_count(bed, "*", "pki [cs][sei]*"), 5);
}

/* Neither the CA's key nor a request is left on any node; each has the set. */
static void left_the_set_alone(struct bed *bed)
{
    static const char *const nodes[] = {"core1", "core2"};

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bed_files(bed, nodes[i], "dbca-g1-*.key"), 0);
        assert_int_equal(bed_files(bed, nodes[i], "*.csr"), 0);
        assert_int_equal(bed_files(bed, nodes[i], "*-g1-*"), 5);
    }
}

static void keys_are_safe(struct bed *bed)
{
    static const char *const keys[] = {"dbserver-*.key", "dbclient-*.key"};
    struct stat st;

    for (size_t i = 0; i < 2; i++) {
        const char *file = their_find(bed, "lab", keys[i]);

        assert_non_null(file);
        assert_int_equal(stat(their_path(bed, file), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        hunt_keep_key(bed, file, NULL);
    }
    hunt_state(bed);
    hunt_outputs(bed);
}

/* -- it is done ------------------------------------------------------------ */

static void test_rotated(void **state)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run = bed_begin(bed, BED_PLAIN, "plan cms/db-rotate lab");

    assert_int_equal(bed_finish(run), 0);
    assert_true(bed_said(run, "issuer dbca is node core1"));
    assert_true(bed_said(run, "> pki sign dbserver-g1-"));
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    made_once(bed);
    left_the_set_alone(bed);
    keys_are_safe(bed);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* Keys that are kept locked here are open on the nodes. */
static void test_locked(void **state)
{
    struct bed *bed = start(state, "2+1");

    bed_write(bed, "keys.pass", "words for the keys");
    bed_inventory(bed, "cluster lab", "key_passphrase = file:keys.pass");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_non_null(
        strstr(bed_read(bed, their_find(bed, "lab", "dbserver-*.key")),
               "BEGIN ENCRYPTED PRIVATE KEY"));
}

/* What begins now is not valid yet where a clock is behind. */
static void test_not_dated_back(void **state)
{
    struct bed *bed = start(state, "2+1");
    struct bed_run *run;

    bed_lab(bed, "set core1 pki_backdate_s 0");
    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    assert_string_equal(
        bed_text(bed_await(run, "warning", NULL, "issue"), "state"), "dates");
    assert_int_equal(kill(run->pid, SIGINT), 0);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* -- a command fails ------------------------------------------------------- */

static void test_fails(void **state)
{
    static const char *const commands[] = {"pki selfsigned*", "pki csr*",
                                           "pki sign*"};
    struct bed *bed = start(state, "2+1");

    bed_inventory(bed, "cluster lab", "retries = 0");
    for (size_t i = 0; i < 3; i++) {
        struct bed_run *run;

        bed_lab(bed, "inject core1 fail '%s' always", commands[i]);
        run = bed_apply(bed, "");
        bed_ends(run, 1, "rolled-back");
        assert_true(bed_said(run, "node core1: step sign: "));
        bed_is_untouched(bed, "lab", "core1");
        bed_is_clean(bed);
        assert_int_equal(bed_files(bed, "core1", "*-g[1-9]-*"), 0);
        bed_lab(bed, "clear");
    }
}

/* Once: what is there already is not made again. */
static void test_retried(void **state)
{
    struct bed *bed = start(state, "2+1");

    bed_lab(bed, "inject core1 fail 'pki sign dbclient*'");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_int_equal(bed_count(bed, "core1", "pki selfsigned*"), 1);
    assert_int_equal(bed_count(bed, "core1", "pki csr*"), 2);
    left_the_set_alone(bed);
}

/* -- killed ---------------------------------------------------------------- */

static void killed_after(struct bed *bed, const char *command)
{
    int hold = bed_id(bed_lab(bed, "hold core1 after '%s'", command));
    struct bed_run *run =
        bed_begin(bed, BED_PLAIN, "apply cms/db-rotate lab --yes");

    bed_lab(bed, "wait held %d", hold);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", hold);
}

static void test_killed(void **state)
{
    static const char *const commands[] = {
        "pki selfsigned*", "pki csr dbserver*",
        "pki sign dbclient*", /* signed, and not fetched */
    };
    enum {
        N = sizeof(commands) / sizeof(*commands)
    };

    for (size_t i = 0; i < N; i++) {
        struct bed *bed = start(state, "2+1");

        killed_after(bed, commands[i]);
        bed_is_untouched(bed, "lab", "core1");
        bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
        bed_is_new(bed, "lab", "core1");
        made_once(bed);
        left_the_set_alone(bed);
        if (i + 1 < N)
            assert_int_equal(bed_stop(state), 0);
    }
}

static void test_killed_and_given_up(void **state)
{
    struct bed *bed = start(state, "2+1");

    killed_after(bed, "pki sign dbclient*");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
    assert_int_equal(bed_files(bed, "core1", "*-g1-*"), 0);
}

/* -- it is judged ---------------------------------------------------------- */

static const char *file_of(struct bed *bed, const char *pattern)
{
    const json_t *list = json_object_get(bed_lab(bed, "files core1"), "files");
    const json_t *file;
    size_t i;

    json_array_foreach(list, i, file)
    {
        if (fnmatch(pattern, bed_text(file, "name"), 0) == 0)
            return bed_text(file, "name");
    }
    fail_msg("core1 has no %s", pattern);
    return NULL;
}

/* Another certificate than the one that was asked for. */
static void test_judged(void **state)
{
    struct bed *bed = start(state, "2+1");
    int hold = bed_id(bed_lab(bed, "hold core1 after 'pki sign dbclient*'"));
    struct bed_run *run;

    their_script(bed, "other",
                 "openssl req -x509 -newkey rsa:2048 -nodes -keyout o.key"
                 " -subj /CN=core1 -days 99 -out o.crt\n");
    their_run(bed, "other", NULL);
    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    bed_lab(bed, "wait held %d", hold);
    bed_lab(bed, "put core1 %s %s", file_of(bed, "dbserver-g1-*.crt"),
            their_path(bed, "o.crt"));
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 1, "rolled-back");
    assert_true(bed_said(run, "has the key of the request"));
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* -- it is refused --------------------------------------------------------- */

static void refused(struct bed *bed, const char *command, int code,
                    const char *said)
{
    struct bed_run *run = bed_do(bed, "%s", command);

    bed_ends(run, code, code == 2 ? "error" : "refused");
    if (!bed_said(run, said))
        fail_msg("%s: %s", command, str_text(&run->err_text));
    assert_int_equal(bed_count(bed, "*", "pki*"), 0);
}

static void test_refused(void **state)
{
    struct bed *bed = start(state, "2+1");

    for (size_t i = 0; i < 3; i++)
        bed_lab(bed, "set %s version 2.6",
                ((const char *const[]){"core1", "core2", "edge1"})[i]);
    refused(bed, "apply cms/db-rotate lab --yes", 5, "has no `pki sign'");
    bed_inventory(bed, "cluster lab", "service_issuer = dbca");
    refused(bed, "apply cms/service-rotate lab --yes service=callbridge", 2,
            "makes sets of cms/db-rotate only");
    bed_inventory(bed, "cluster lab", "subject = O=Example Inc.");
    refused(bed, "apply cms/db-rotate lab --yes", 2,
            "subjects of a common name alone");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_rotated, bed_stop),
        cmocka_unit_test_teardown(test_locked, bed_stop),
        cmocka_unit_test_teardown(test_not_dated_back, bed_stop),
        cmocka_unit_test_teardown(test_fails, bed_stop),
        cmocka_unit_test_teardown(test_retried, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
        cmocka_unit_test_teardown(test_killed_and_given_up, bed_stop),
        cmocka_unit_test_teardown(test_judged, bed_stop),
        cmocka_unit_test_teardown(test_refused, bed_stop),
    };

    return crew_tests(tests);
}
