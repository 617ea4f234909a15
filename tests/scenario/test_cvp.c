/* SPDX-License-Identifier: Apache-2.0
 *
 * cvp/keystore-rotate as a user runs it, on a Reporting server and an OAMP, one
 * with cmd.exe and one with PowerShell as its login's shell: failed at the last
 * restart and taken back, rotated, taken back by hand.  And signed by others.
 */
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/cvp.h"
#include "tests/scenario/theirs.h"

static void both_are(struct bed *bed, const char *const old[2])
{
    assert_string_equal(cvp_keystore(bed, "reporting1"), old[0]);
    assert_string_equal(cvp_keystore(bed, "oamp2"), old[1]);
    cvp_shows(bed, "reporting1", "WebServicesManager", "old");
    cvp_shows(bed, "oamp2", "WebServicesManager", "old");
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, word)); p++)
        n++;
    return n;
}

/* The next server begins when the one before shows its certificate. */
static void one_by_one(struct bed *bed)
{
    json_t *answer = bed_lab(bed, "history");
    const json_t *entry;
    unsigned started = 0;
    size_t i;

    json_array_foreach(json_object_get(answer, "commands"), i, entry)
    {
        const char *text = bed_text(entry, "text");

        started += strstr(text, "net start WebServicesManager") != NULL;
        if (strstr(text, "move /y ") &&
            strcmp(bed_text(entry, "node"), "oamp2") == 0)
            assert_int_not_equal(started, 0);
        assert_null(strstr(text, "storepass"));
    }
    assert_int_not_equal(started, 0);
}

static void test_two_servers(void **state)
{
    struct bed *bed = cvp_bed(state, "cvp-reporting,cvp-oamp");
    const char *const old[2] = {cvp_keystore(bed, "reporting1"),
                                cvp_keystore(bed, "oamp2")};
    const char *list;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "set oamp2 win_shell powershell");
    /* the service of the last server does not start with it */
    bed_lab(bed, "inject oamp2 fail-async '*net start WebServicesManager*'");
    bed_ends(bed_do(bed, CVP_ROTATE "alias=wsm_certificate"), 1, "rolled-back");
    both_are(bed, old);
    one_by_one(bed);
    /* what was staged for that run stays; a new one has new names */
    bed_ends(bed_do(bed, CVP_ROTATE "alias=wsm_certificate"), 0, "done");
    cvp_shows(bed, "reporting1", "WebServicesManager", "new");
    cvp_shows(bed, "oamp2", "WebServicesManager", "new");
    cvp_shows(bed, "reporting1", "CallServer", "old");
    list = cvp_list(bed, "reporting1");
    assert_int_equal(count(list, "Entry type: PrivateKeyEntry"), 2);
    assert_int_equal(count(list, "Certificate chain length: 2"), 1);
    assert_int_equal(count(list, "DNSName: reporting1.lab.example"), 1);
    assert_int_equal(count(list, "Entry type: trustedCertEntry"), 1);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    both_are(bed, old);
    cvp_is_safe(bed);
}

/* -- other issuers, and nothing to do -------------------------------------- */

static struct bed *theirs(void **state, const char *servers, const char *keys)
{
    const char *const args[] = {"--servers", servers, NULL};

    return their_start(state, "1+0", keys, args);
}

/* A Call Server, whose port shows nothing: its restart is what proves it. */
static void test_command(void **state)
{
    struct bed *bed =
        theirs(state, "cvp-reporting", "kind = command\ncommand = ./sign\n");
    const char *words = CVP_ROTATE "alias=callserver_certificate";
    const char *old = cvp_keystore(bed, "reporting1");

    struct bed_run *run = bed_do(bed, "%s", words);

    bed_ends(run, 0, "done");
    cvp_shows(bed, "reporting1", "CallServer", "new");
    cvp_shows(bed, "reporting1", "WebServicesManager", "old");
    /* their intermediate comes with the reply, their root is imported */
    assert_int_equal(
        count(cvp_list(bed, "reporting1"), "Certificate chain length: 3"), 1);
    bed_ends(bed_do(bed, "%s if_days_left=30", words), 0, "ok");
    assert_int_equal(bed_count(bed, "*", "*-genkeypair*"), 1);
    bed_ends(bed_do(bed, "rollback %s --yes", bed_run_id(run)), 0,
             "rolled-back");
    assert_string_equal(cvp_keystore(bed, "reporting1"), old);
    cvp_shows(bed, "reporting1", "CallServer", "old");
    cvp_is_safe(bed);
}

/* Whoever signs takes a day: the same request is still the server's. */
static void test_csr(void **state)
{
    struct bed *bed = theirs(state, "cvp-oamp", "kind = csr\n");
    struct bed_run *run = bed_do(bed, CVP_ROTATE "alias=oamp_certificate");
    const char *request = their_find(bed, "lab", "oamp1/oamp-*.csr");

    assert_int_not_equal(run->code, 0);
    assert_non_null(request);
    their_script(bed, "desk",
                 arena_printf(&bed->arena,
                              "set -e\nCERTFLEET_DAYS=100\n"
                              "{ %s; cat inter.crt; } <%s >oamp.signed\n",
                              SIGN, request));
    their_run(bed, "desk", NULL);
    bed_ends(bed_do(bed, "issue last %s", their_path(bed, "oamp.signed")), 0,
             "ok");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_int_equal(bed_count(bed, "*", "*-genkeypair*"), 1);
    assert_int_equal(bed_count(bed, "*", "*net start W3SVC*"), 1);
    cvp_shows(bed, "oamp1", "OPSConsoleServer", "new");
    cvp_is_safe(bed);
}

/* -- refused --------------------------------------------------------------- */

static void refused(struct bed *bed, int code, const char *said)
{
    struct bed_run *run = bed_do(bed, CVP_ROTATE "alias=wsm_certificate");

    bed_ends(run, code, code == 2 ? "error" : "refused");
    assert_true(bed_said(run, said));
    assert_int_equal(bed_count(bed, "*", "*copy *"), 0);
}

static const char *without(struct bed *bed, const char *word)
{
    const char *text = bed_read(bed, "certfleet.ini");
    const char *at = strstr(text, word);

    return arena_printf(&bed->arena, "%.*s%s", (int)(at - text), text,
                        at + strlen(word));
}

static void test_refused(void **state)
{
    struct bed *bed = cvp_bed(state, "cvp-oamp");
    const char *secret = bed_read(bed, "keystore.pass");

    bed_lab(bed, "clock oamp1 +900");
    refused(bed, 5, "its clock is ");
    bed_lab(bed, "clock oamp1 0");
    bed_write(bed, "keystore.pass", "not it");
    refused(bed, 5, "is not opened by keystore_password");
    bed_write(bed, "keystore.pass", secret);
    bed_lab(bed, "foreign oamp1 'net stop WebServicesManager'");
    refused(bed, 5, "does not run");
    assert_int_equal(bed_do(bed, "check")->code, 3);
    bed_lab(bed, "foreign oamp1 'net start WebServicesManager'");
    bed_write(bed, "certfleet.ini", without(bed, "oamp1.lab.example"));
    refused(bed, 2, "is no full name");
    cvp_is_safe(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_two_servers, bed_stop),
        cmocka_unit_test_teardown(test_command, bed_stop),
        cmocka_unit_test_teardown(test_csr, bed_stop),
        cmocka_unit_test_teardown(test_refused, bed_stop),
    };

    return cvp_has_keytool() ? crew_tests(tests) : CVP_SKIPPED;
}
