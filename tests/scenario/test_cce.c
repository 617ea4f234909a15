/* SPDX-License-Identifier: Apache-2.0
 *
 * cce/rotate as a user runs it, on an AW whose login has PowerShell and a PG
 * with cmd.exe, which speaks Japanese: failed at the very last restart and
 * taken back, rotated, checked, taken back by hand.
 */
#include "tests/scenario/cce.h"
#include "tests/scenario/crew.h"
#include "tests/scenario/theirs.h"

/* The next server begins when the one before shows its certificate. */
static void one_by_one(struct bed *bed)
{
    json_t *answer = bed_lab(bed, "history");
    const json_t *entry;
    bool started = false;
    size_t i;

    json_array_foreach(json_object_get(answer, "commands"), i, entry)
    {
        const char *text = bed_text(entry, "text");

        if (strcmp(bed_text(entry, "node"), "aw1") == 0)
            started |= strstr(text, "net start DiagFwSvc") != NULL;
        else if (strstr(text, "move /y ") || strstr(text, "http update"))
            assert_true(started);
    }
    assert_true(started);
}

static void test_two_servers(void **state)
{
    struct bed *bed = cce_bed(state, "cce-aw,cce-pg");
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "set aw1 win_shell powershell");
    run = bed_do(bed, "check lab");
    assert_true(bed_said(run, "no CA has signed it"));
    /* the service of the last server does not start with it */
    bed_lab(bed, "inject pg2 fail-async '*net start DiagFwSvc*'");
    bed_ends(bed_do(bed, CCE_ROTATE), 1, "rolled-back");
    cce_is(bed, "aw1", "old");
    cce_is(bed, "pg2", "old");
    one_by_one(bed);
    run = bed_do(bed, CCE_ROTATE);
    bed_ends(run, 0, "done");
    cce_is(bed, "aw1", "new");
    cce_is(bed, "pg2", "new");
    assert_true(bed_count(bed, "aw1", "cmd /d /s /c '*") > 0);
    assert_int_equal(bed_count(bed, "aw1", "cmd /d /s /c \"*"), 0);
    assert_int_equal(bed_count(bed, "pg2", "cmd /d /s /c '*"), 0);
    assert_int_equal(bed_do(bed, "check lab")->code, 0);
    bed_ends(bed_do(bed, CCE_ROTATE "if_days_left=30"), 0, "ok");
    bed_ends(bed_do(bed, "rollback %s --yes", bed_run_id(run)), 0,
             "rolled-back");
    cce_is(bed, "aw1", "old");
    cce_is(bed, "pg2", "old");
    cce_is_safe(bed);
}

/* -- other issuers --------------------------------------------------------- */

/* Their intermediate is trusted, too; the router has no Tomcat. */
static void test_command(void **state)
{
    const char *const args[] = {"--servers", "cce-router", NULL};
    struct bed *bed =
        their_start(state, "1+0", "kind = command\ncommand = ./sign\n", args);

    bed_ends(bed_do(bed, CCE_ROTATE), 0, "done");
    cce_is(bed, "router1", "new");
    assert_int_equal(bed_count(bed, "*", "*certutil -addstore -f Root *"), 1);
    assert_int_equal(bed_count(bed, "*", "*certutil -addstore -f CA *"), 1);
    assert_int_equal(bed_count(bed, "*", "*-import *"), 4);
    assert_int_equal(bed_count(bed, "*", "*net st* Tomcat9*"), 0);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    cce_is(bed, "router1", "old");
    cce_is_safe(bed);
}

/* -- refused --------------------------------------------------------------- */

static void refused(struct bed *bed, int code, const char *said)
{
    struct bed_run *run = bed_do(bed, CCE_ROTATE);

    bed_ends(run, code, code == 2 ? "error" : "refused");
    assert_true(bed_said(run, said));
    assert_int_equal(bed_count(bed, "*", "*copy *"), 0);
}

static void test_refused(void **state)
{
    struct bed *bed = cce_bed(state, "cce-aw");

    bed_lab(bed, "clock aw1 +900");
    refused(bed, 5, "its clock is ");
    bed_lab(bed, "clock aw1 0");
    bed_lab(bed, "foreign aw1 'net stop Tomcat9'");
    refused(bed, 5, "does not run");
    assert_int_equal(bed_do(bed, "check")->code, 3);
    bed_lab(bed, "foreign aw1 'net start Tomcat9'");
    bed_lab(bed, "foreign aw1 'C:\\icm\\serviceability\\diagnostics\\bin\\"
                 "DiagFwCertMgr /task:UnbindCert'");
    refused(bed, 5, "has no certificate bound");
    cce_is_safe(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_two_servers, bed_stop),
        cmocka_unit_test_teardown(test_command, bed_stop),
        cmocka_unit_test_teardown(test_refused, bed_stop),
    };

    return crew_tests(tests);
}
