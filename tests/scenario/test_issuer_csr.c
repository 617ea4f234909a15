/* SPDX-License-Identifier: Apache-2.0
 *
 * kind = csr: a run that stops for a person who has its requests signed
 * elsewhere, takes the certificates back, and goes on.
 */
#include "tests/scenario/crew.h"
#include "tests/scenario/theirs.h"

#include <signal.h>
#include <string.h>

#define CSR "kind = csr\n"

static struct bed *start(void **state, const char *shape)
{
    return their_start(state, shape, CSR, NULL);
}

/* Somebody else's desk: what it has of a request becomes FILE. */
static void have_signed(struct bed *bed, const char *request, const char *file)
{
    their_script(bed, "desk",
                 arena_printf(&bed->arena,
                              "set -e\nCERTFLEET_DAYS=100\n"
                              "{ %s; cat inter.crt; } <%s >%s\n",
                              SIGN, request, file));
    their_run(bed, "desk", NULL);
}

/* The text with `old', the first behind `section', replaced. */
static const char *replace(struct bed *bed, const char *text,
                           const char *section, const char *old,
                           const char *new)
{
    const char *at = strstr(text, section);

    assert_non_null(at);
    at = strstr(at, old);
    assert_non_null(at);
    return arena_printf(&bed->arena, "%.*s%s%s", (int)(at - text), text, new,
                        at + strlen(old));
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
    struct bed *bed = start(state, "3+2");
    struct bed_run *run = waits(bed, bed_apply(bed, ""));
    const char *server = their_find(bed, "lab", "dbserver-*.csr");
    const char *client = their_find(bed, "lab", "dbclient-*.csr");
    const char *text = bed_read(bed, server);

    assert_true(bed_said(run, server));
    assert_true(bed_said(run, client));
    assert_true(bed_said(bed_do(bed, "runs"), "\"waiting\""));
    run = bed_do(bed, "show last");
    assert_true(bed_said(run, "\"halt\""));
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " issue "));
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
    their_hunt(bed);
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
    assert_null(their_find(bed, "lab", "*.signed"));
}

/* What is not what was asked for is refused, with its file; all or none. */
static void test_csr_refused(void **state)
{
    struct bed *bed = start(state, "1+1");
    const char *server, *client;

    waits(bed, bed_apply(bed, ""));
    server = their_find(bed, "lab", "dbserver-*.csr");
    client = their_find(bed, "lab", "dbclient-*.csr");
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
    their_script(bed, "alone", "openssl x509 -in s.pem -out alone.pem\n");
    their_run(bed, "alone", NULL);
    refuses(bed, "c.pem alone.pem",
            "alone.pem: certificate \\\"CN=core1\\\": its issuer");
    bed_ends(bed_do(bed, "issue last c.pem s.pem"), 0, "ok");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* The process dies when the requests are there: nothing is lost.  The keys are
 * locked meanwhile, and taking answers back needs no passphrase. */
static void test_csr_killed(void **state)
{
    struct bed *bed = start(state, "2+1");
    const char *server, *client;

    bed_write(bed, "keys.pass", "words for the keys");
    bed_inventory(bed, "cluster lab", "key_passphrase = file:keys.pass");
    waits(bed, bed_apply(bed, ""));
    assert_non_null(
        strstr(bed_read(bed, their_find(bed, "lab", "dbserver-*.key")),
               "BEGIN ENCRYPTED PRIVATE KEY"));
    server = their_find(bed, "lab", "dbserver-*.csr");
    client = their_find(bed, "lab", "dbclient-*.csr");
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

/* Of several clusters all wait for the one, with what is staged; then they go
 * live in one run. */
static void test_csr_of_one(void **state)
{
    static const char *const two[] = {"--clusters", "2", NULL};
    struct bed *bed = their_start(state, "1+1", CSR, two);
    struct bed_run *run;

    bed_write(bed, "certfleet.ini",
              arena_printf(
                  &bed->arena,
                  "%s\n[issuer own]\nkind = internal\nca_cert = o.crt\n"
                  "ca_key = o.key\nkey = ec:P-256\n",
                  replace(bed, bed_read(bed, "certfleet.ini"), "[cluster lab2]",
                          "issuer = dbca", "issuer = own")));
    run = bed_do(bed, "apply cms/db-rotate lab1 lab2 --yes");
    bed_ends(run, 4, "waiting");
    assert_string_equal(bed_text(bed_cluster(run, "lab1"), "outcome"),
                        "waiting");
    assert_string_equal(bed_text(bed_cluster(run, "lab2"), "outcome"), "ok");
    bed_is_untouched(bed, "lab1", "lab1-core1");
    assert_int_equal(bed_count(bed, "lab2-*", "database cluster remove"), 0);
    have_signed(bed, their_find(bed, "lab1", "dbserver-*.csr"), "s.pem");
    have_signed(bed, their_find(bed, "lab1", "dbclient-*.csr"), "c.pem");
    bed_ends(bed_do(bed, "issue last s.pem c.pem"), 0, "ok");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
}

/* Another run may have the cluster meanwhile; a rollback tidies. */
static void test_csr_given_up(void **state)
{
    struct bed *bed = start(state, "1+1");

    waits(bed, bed_apply(bed, ""));
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    waits(bed, bed_apply(bed, ""));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_csr, bed_stop),
        cmocka_unit_test_teardown(test_csr_refused, bed_stop),
        cmocka_unit_test_teardown(test_csr_killed, bed_stop),
        cmocka_unit_test_teardown(test_csr_given_up, bed_stop),
        cmocka_unit_test_teardown(test_csr_of_one, bed_stop),
    };

    return crew_tests(tests);
}
