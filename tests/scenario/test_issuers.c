/* SPDX-License-Identifier: Apache-2.0
 *
 * kind = command: a program that is given each request, does well, or does
 * everything else.
 */
#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"
#include "tests/scenario/theirs.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "deep-secret-token-of-ours"
#define COMMAND "kind = command\ncommand = ./sign\n"

static struct bed *start(void **state, const char *shape)
{
    return their_start(state, shape, COMMAND, NULL);
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* -- command --------------------------------------------------------------- */

static void test_command(void **state)
{
    struct bed *bed = start(state, "3+2");
    const char *text;

    bed->env[0] = "FLEET_TOKEN=" TOKEN;
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_string_equal(bed_read(bed, "asked"), "lab server\nlab client\n");
    text = bed_read(bed, "env-server");
    assert_null(strstr(text, TOKEN));
    assert_non_null(strstr(text, "CERTFLEET_PURPOSE=server\n"));
    assert_non_null(strstr(text, "CERTFLEET_CLUSTER=lab\n"));
    /* the path in between is in the bundle, the leaf's file holds it alone */
    assert_int_equal(
        lines_of(bed_read(bed, their_find(bed, "lab", "dbca-*.crt"))),
        lines_of(bed_read(bed, "their.crt")) +
            lines_of(bed_read(bed, "inter.crt")));
    their_hunt(bed);
    hunt_file(bed, "env-server");
    hunt_file(bed, "env-client");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* Waits until the program reads from this fifo, and gives it a line. */
static int meet(struct bed *bed, const char *name)
{
    int fd;

    alarm(BED_DEADLINE_MS / 1000);
    fd = open(their_path(bed, name), O_WRONLY | O_CLOEXEC);
    alarm(0);
    assert_true(fd >= 0);
    return fd;
}

static struct bed *start_gated(void **state)
{
    struct bed *bed = start(state, "2+1");

    assert_int_equal(mkfifo(their_path(bed, "gate-server"), 0600), 0);
    assert_int_equal(mkfifo(their_path(bed, "gate-client"), 0600), 0);
    their_script(bed, "sign",
                 arena_printf(&bed->arena,
                              "#!/bin/sh\n"
                              "read go <gate-$CERTFLEET_PURPOSE || exit 9\n%s",
                              their_sign));
    return bed;
}

static void let_go(int fd)
{
    assert_int_equal(write(fd, "go\n", 3), 3);
    close(fd);
}

static const char *request_of(struct bed *bed)
{
    return bed_read(bed, their_find(bed, "lab", "dbserver-*.csr"));
}

/* Killed while the program is at work; the same keys are asked for again. */
static void test_killed(void **state)
{
    struct bed *bed = start_gated(state);
    struct bed_run *run = bed_begin(bed, BED_PLAIN,
                                    "apply cms/db-rotate lab "
                                    "--yes");
    int fd = meet(bed, "gate-server");
    const char *request = request_of(bed);

    hunt_keep_key(bed, their_find(bed, "lab", "dbserver-*.key"), NULL);
    hunt_processes(run->pid);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    close(fd);
    their_script(bed, "sign", their_sign);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_string_equal(request_of(bed), request);
    bed_is_new(bed, "lab", "core1");
    their_hunt(bed);
}

static void test_interrupted(void **state)
{
    struct bed *bed = start_gated(state);
    struct bed_run *run = bed_begin(bed, BED_JSON,
                                    "apply cms/db-rotate lab "
                                    "--yes");
    int fd = meet(bed, "gate-server");

    assert_int_equal(kill(run->pid, SIGINT), 0);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    close(fd);
    bed_is_untouched(bed, "lab", "core1");
    their_script(bed, "sign", their_sign);
    bed_ends(bed_next(run, "resume"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Past its deadline it is ended, and nothing was changed. */
static void test_hangs(void **state)
{
    struct bed *bed = start_gated(state);
    struct bed_run *run;

    bed_inventory(bed, "issuer dbca", "timeout_issue = 1");
    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    bed_finish(run);
    bed_ends(run, 1, "rolled-back");
    assert_true(bed_said(run, "did not end within 1.0 s"));
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* The same program, when it may. */
static void test_slow(void **state)
{
    struct bed *bed = start_gated(state);
    struct bed_run *run =
        bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");

    let_go(meet(bed, "gate-server"));
    let_go(meet(bed, "gate-client"));
    bed_finish(run);
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- dates ----------------------------------------------------------------- */

/* The program dates what it gives with these words of date(1). */
static void dated(struct bed *bed, const char *when)
{
    their_script(
        bed, "sign",
        arena_printf(&bed->arena,
                     "#!/bin/sh\nset -e\n" CA
                     " -cert inter.crt -keyfile inter.key -in /dev/stdin"
                     " -days 100 -extensions leaf"
                     " -startdate $(date -u -d '%s' +%%y%%m%%d%%H%%M%%SZ)\n"
                     "cat inter.crt\n",
                     when));
}

/* A node whose clock is behind would not take what has begun just now. */
static void test_not_dated_back(void **state)
{
    struct bed *bed = start(state, "2+1");
    struct bed_run *run;

    dated(bed, "56 seconds ago");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    assert_true(bed_said(run, "has not dated its certificates back"));
    bed_is_new(bed, "lab", "core1");
    dated(bed, "now");
    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    assert_string_equal(
        bed_text(bed_await(run, "warning", NULL, "issue"), "state"), "dates");
    assert_int_equal(kill(run->pid, SIGINT), 0);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    dated(bed, "1 hour");
    run = bed_apply(bed, "");
    bed_ends(run, 1, "rolled-back");
    assert_true(bed_said(run, "it is not valid before"));
}

/* clang-format off */
static const struct {
    const char *name, *text, *said;
} bad[] = {
    { "it fails", "#!/bin/sh\necho no such profile >&2\nexit 3\n",
      "exit code 3; it says: no such profile" },
    { "it prints nothing", "#!/bin/sh\n", "it holds no certificate" },
    { "another's certificate", "#!/bin/sh\ncat inter.crt\n",
      "has the key of the request" },
    { "no path", "#!/bin/sh\n" SIGN "\n", "is not among the certificates" },
    { "other names", "#!/bin/sh\ngrep -v copy ca.cnf >plain.cnf\n" SIGN
      " -config plain.cnf\ncat inter.crt\n",
      "it lacks the name that was asked for" },
    { "endless", "#!/bin/sh\nwhile :; do cat inter.crt; done\n",
      "more than an answer can be" },
};
/* clang-format on */

static void test_bad_answers(void **state)
{
    struct bed *bed = start(state, "1+1");

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bed_run *run;

        their_script(bed, "sign", bad[i].text);
        run = bed_apply(bed, "");
        bed_ends(run, 1, "rolled-back");
        if (!bed_said(run, bad[i].said))
            fail_msg("%s: %s", bad[i].name, str_text(&run->err_text));
    }
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* Known before the first packet. */
static void test_not_there(void **state)
{
    struct bed *bed = start(state, "1+1");
    struct bed_run *run;

    assert_int_equal(unlink(their_path(bed, "sign")), 0);
    run = bed_apply(bed, "");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "/sign: No such file"));
    their_script(bed, "sign", their_sign);
    assert_int_equal(unlink(their_path(bed, "their.crt")), 0);
    run = bed_apply(bed, "");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "their.crt"));
    bed_write(bed, "their.crt", "nothing\n");
    bed_ends(bed_apply(bed, ""), 2, "error");
    assert_int_equal(bed_count(bed, "*", "*"), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_command, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
        cmocka_unit_test_teardown(test_interrupted, bed_stop),
        cmocka_unit_test_teardown(test_hangs, bed_stop),
        cmocka_unit_test_teardown(test_slow, bed_stop),
        cmocka_unit_test_teardown(test_bad_answers, bed_stop),
        cmocka_unit_test_teardown(test_not_dated_back, bed_stop),
        cmocka_unit_test_teardown(test_not_there, bed_stop),
    };

    return crew_tests(tests);
}
