/* SPDX-License-Identifier: Apache-2.0
 *
 * Issuers that are not certfleet: a program that is given the requests, and a
 * person who carries them away.  Theirs is an intermediate below a root of its
 * own, made and used by the openssl program.
 */
#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOKEN "deep-secret-token-of-ours"

/* clang-format off */
static const char ca_cnf[] =
    "[ca]\ndefault_ca = theirs\n"
    "[theirs]\ndatabase = index\nserial = serial\nnew_certs_dir = .\n"
    "default_md = sha256\npolicy = any\nunique_subject = no\n"
    "copy_extensions = copy\n"
    "[any]\ncommonName = supplied\norganizationName = optional\n"
    "[authority]\nbasicConstraints = critical,CA:TRUE\n"
    "keyUsage = critical,keyCertSign,cRLSign\nsubjectKeyIdentifier = hash\n"
    "[leaf]\nbasicConstraints = critical,CA:FALSE\n"
    "keyUsage = critical,digitalSignature\nsubjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid\n";

#define CA "openssl ca -batch -notext -config ca.cnf"
#define AGO " -startdate $(date -u -d '1 hour ago' +%y%m%d%H%M%SZ)"

static const char make_ca[] =
    "set -e\n: >index\necho 01 >serial\n"
    "ask() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256"
    " -nodes -keyout \"$1\" -subj \"/CN=$2\"; }\n"
    "ask their.key 'Their root' >their.csr\n"
    "ask inter.key 'Their intermediate' >inter.csr\n"
    CA AGO " -selfsign -keyfile their.key -in their.csr -out their.crt"
    " -days 3650 -extensions authority\n"
    CA AGO " -cert their.crt -keyfile their.key -in inter.csr -out inter.crt"
    " -days 3000 -extensions authority\n";

/* As docs/issuers.md has it; what is asked is kept for the tests. */
#define SIGN CA AGO " -cert inter.crt -keyfile inter.key -in /dev/stdin" \
             " -days \"$CERTFLEET_DAYS\" -extensions leaf"
static const char sign[] =
    "#!/bin/sh\n"
    "set -e\n"
    "echo \"$CERTFLEET_CLUSTER $CERTFLEET_PURPOSE\" >>asked\n"
    "env >env-$CERTFLEET_PURPOSE\n"
    SIGN "\n"
    "cat inter.crt\n";
/* clang-format on */

static const char *path_in(struct bed *bed, const char *name)
{
    return arena_printf(&bed->arena, "%s/%s", bed->dir, name);
}

static void script(struct bed *bed, const char *name, const char *text)
{
    bed_write(bed, name, text);
    assert_int_equal(chmod(path_in(bed, name), 0755), 0);
}

/* Runs it in the bed's folder, with a word. */
static void do_script(struct bed *bed, const char *name, const char *word)
{
    const char *path = path_in(bed, name);
    pid_t child = fork();
    int status;

    if (child == 0) {
        int null = open("/dev/null", O_RDWR);

        if (chdir(bed->dir) == 0 && dup2(null, STDERR_FILENO) >= 0)
            execl("/bin/sh", "sh", path, word, (char *)NULL);
        _exit(126);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static struct bed *start(void **state, const char *shape, const char *keys)
{
    struct bed *bed = bed_start(state, shape, NULL);

    bed_write(bed, "ca.cnf", ca_cnf);
    script(bed, "make-ca", make_ca);
    do_script(bed, "make-ca", NULL);
    script(bed, "sign", sign);
    bed_inventory_drop(bed, "issuer dbca");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[issuer dbca]\nca_cert = their.crt\n"
                           "key = ec:P-256\n%s",
                           bed_read(bed, "certfleet.ini"), keys));
    hunt_start(bed);
    return bed;
}

#define COMMAND "kind = command\ncommand = ./sign\n"

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* Below the bed's folder; NULL: there is none. */
static const char *find(struct bed *bed, const char *pattern)
{
    const char *copy = NULL;
    glob_t found;

    if (glob(path_in(bed, arena_printf(&bed->arena, "state/clusters/lab/*/%s",
                                       pattern)),
             0, NULL, &found) == 0) {
        assert_int_equal(found.gl_pathc, 1);
        copy =
            arena_strdup(&bed->arena, found.gl_pathv[0] + strlen(bed->dir) + 1);
    }
    globfree(&found);
    return copy;
}

/* The private keys that were made are nowhere but in their files. */
static void hunt_keys(struct bed *bed)
{
    hunt_keep_key(bed, find(bed, "dbserver-*.key"), NULL);
    hunt_keep_key(bed, find(bed, "dbclient-*.key"), NULL);
    hunt_state(bed);
    hunt_outputs(bed);
    hunt_lab(bed);
}

/* -- command --------------------------------------------------------------- */

static void test_command(void **state)
{
    struct bed *bed = start(state, "3+2", COMMAND);
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
    assert_int_equal(lines_of(bed_read(bed, find(bed, "dbca-*.crt"))),
                     lines_of(bed_read(bed, "their.crt")) +
                         lines_of(bed_read(bed, "inter.crt")));
    hunt_keys(bed);
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
    fd = open(path_in(bed, name), O_WRONLY | O_CLOEXEC);
    alarm(0);
    assert_true(fd >= 0);
    return fd;
}

static struct bed *start_gated(void **state)
{
    struct bed *bed = start(state, "2+1", COMMAND);

    assert_int_equal(mkfifo(path_in(bed, "gate-server"), 0600), 0);
    assert_int_equal(mkfifo(path_in(bed, "gate-client"), 0600), 0);
    script(bed, "sign",
           arena_printf(&bed->arena,
                        "#!/bin/sh\n"
                        "read go <gate-$CERTFLEET_PURPOSE || exit 9\n%s",
                        sign));
    return bed;
}

static void let_go(int fd)
{
    assert_int_equal(write(fd, "go\n", 3), 3);
    close(fd);
}

static const char *request_of(struct bed *bed)
{
    return bed_read(bed, find(bed, "dbserver-*.csr"));
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

    hunt_keep_key(bed, find(bed, "dbserver-*.key"), NULL);
    hunt_processes(run->pid);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    close(fd);
    script(bed, "sign", sign);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_string_equal(request_of(bed), request);
    bed_is_new(bed, "lab", "core1");
    hunt_keys(bed);
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
    script(bed, "sign", sign);
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
    struct bed *bed = start(state, "1+1", COMMAND);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bed_run *run;

        script(bed, "sign", bad[i].text);
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
    struct bed *bed = start(state, "1+1", COMMAND);
    struct bed_run *run;

    assert_int_equal(unlink(path_in(bed, "sign")), 0);
    run = bed_apply(bed, "");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "/sign: No such file"));
    script(bed, "sign", sign);
    assert_int_equal(unlink(path_in(bed, "their.crt")), 0);
    run = bed_apply(bed, "");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "their.crt"));
    bed_write(bed, "their.crt", "nothing\n");
    bed_ends(bed_apply(bed, ""), 2, "error");
    assert_int_equal(bed_count(bed, "*", "*"), 0);
}

/* -- csr ------------------------------------------------------------------- */

#define CSR "kind = csr\n"

/* Somebody else's desk: what it has of a request becomes FILE. */
static void have_signed(struct bed *bed, const char *request, const char *file)
{
    script(bed, "desk",
           arena_printf(&bed->arena,
                        "set -e\nCERTFLEET_DAYS=100\n"
                        "{ %s; cat inter.crt; } <%s >%s\n",
                        SIGN, request, file));
    do_script(bed, "desk", NULL);
}

static struct bed_run *waits(struct bed *bed, struct bed_run *run)
{
    bed_ends(run, 4, "waiting");
    assert_int_equal(bed_events(run, "step-waiting", NULL, "issue"), 1);
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " issue "));
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
    return run;
}

/* The whole way, with everything that may come in between. */
static void test_csr(void **state)
{
    struct bed *bed = start(state, "3+2", CSR);
    struct bed_run *run = waits(bed, bed_apply(bed, ""));
    const char *server = find(bed, "dbserver-*.csr");
    const char *client = find(bed, "dbclient-*.csr");
    const char *text = bed_read(bed, server);

    assert_true(bed_said(run, server));
    assert_true(bed_said(run, client));
    assert_true(bed_said(bed_do(bed, "runs"), "\"waiting\""));
    assert_true(bed_said(bed_do(bed, "show last"), "waiting"));
    /* too early: nothing is lost, and the requests stay as they are */
    waits(bed, bed_do(bed, "resume last --yes"));
    assert_string_equal(bed_read(bed, server), text);

    have_signed(bed, server, "s.pem");
    run = bed_do(bed, "issue last s.pem");
    bed_ends(run, 0, "ok");
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " issue "));
    run = waits(bed, bed_do(bed, "resume last --yes"));
    assert_true(bed_said(run, client));

    have_signed(bed, client, "c.pem");
    run = bed_do(bed, "issue last c.pem");
    bed_ends(run, 0, "ok");
    bed_ends(bed_next(run, "resume"), 0, "done");
    bed_is_new(bed, "lab", "core1");
    hunt_keys(bed);
    run = bed_do(bed, "issue last c.pem");
    bed_ends(run, 2, "error");
    assert_true(bed_said(run, "waits for no certificates"));
}

static void refuses(struct bed *bed, const char *files, const char *why)
{
    struct bed_run *run = bed_do(bed, "issue last %s", files);

    bed_ends(run, 2, "error");
    if (!bed_said(run, why))
        fail_msg("%s: %s", files, str_text(&run->err_text));
    assert_null(find(bed, "*.signed"));
}

/* What is not what was asked for is refused, with its file; all or none. */
static void test_csr_refused(void **state)
{
    struct bed *bed = start(state, "1+1", CSR);
    const char *server, *client;

    waits(bed, bed_apply(bed, ""));
    server = find(bed, "dbserver-*.csr");
    client = find(bed, "dbclient-*.csr");
    have_signed(bed, server, "s.pem");
    have_signed(bed, client, "c.pem");
    bed_write(bed, "odd.pem",
              arena_printf(&bed->arena, "x\n\n%s", bed_read(bed, server)));
    bed_write(bed, "cut.pem",
              arena_printf(&bed->arena, "%.300s", bed_read(bed, "s.pem")));
    refuses(bed, "gone.pem", "gone.pem: No such file");
    refuses(bed, "s.pem odd.pem", "odd.pem: line 3: only certificates");
    refuses(bed, "s.pem cut.pem", "cut.pem: ");
    refuses(bed, "s.pem their.crt", "their.crt: none of its certificates has");
    refuses(bed, "s.pem s.pem", "s.pem is for the same request");
    /* without the path in between; with another CA's */
    script(bed, "alone", "openssl x509 -in s.pem -out alone.pem\n");
    do_script(bed, "alone", NULL);
    refuses(bed, "c.pem alone.pem",
            "alone.pem: certificate \\\"CN=core1\\\": its issuer");
    bed_ends(bed_do(bed, "issue last c.pem s.pem"), 0, "ok");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* The process dies when the requests are there: nothing is lost. */
static void test_csr_killed(void **state)
{
    struct bed *bed = start(state, "2+1", CSR);
    const char *server, *client;

    waits(bed, bed_apply(bed, ""));
    server = find(bed, "dbserver-*.csr");
    client = find(bed, "dbclient-*.csr");
    have_signed(bed, server, "s.pem");
    have_signed(bed, client, "c.pem");
    bed_ends(bed_do(bed, "issue last c.pem s.pem"), 0, "ok");
    {
        int hold = bed_id(bed_lab(bed, "hold core2 after 'backup snapshot*'"));
        struct bed_run *run = bed_begin(bed, BED_PLAIN, "resume last --yes");

        bed_lab(bed, "wait held %d", hold);
        assert_int_equal(kill(run->pid, SIGKILL), 0);
        assert_int_equal(bed_finish(run), 128 + SIGKILL);
        bed_lab(bed, "release %d", hold);
    }
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Another run may have the cluster meanwhile; a rollback tidies. */
static void test_csr_given_up(void **state)
{
    struct bed *bed = start(state, "1+1", CSR);

    waits(bed, bed_apply(bed, ""));
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    waits(bed, bed_apply(bed, ""));
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
        cmocka_unit_test_teardown(test_not_there, bed_stop),
        cmocka_unit_test_teardown(test_csr, bed_stop),
        cmocka_unit_test_teardown(test_csr_refused, bed_stop),
        cmocka_unit_test_teardown(test_csr_killed, bed_stop),
        cmocka_unit_test_teardown(test_csr_given_up, bed_stop),
    };

    return crew_tests(tests);
}
