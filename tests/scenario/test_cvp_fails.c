/* SPDX-License-Identifier: Apache-2.0
 *
 * cvp/keystore-rotate fails at each row: for good, and the keystore is the old
 * one byte for byte, and served; or once, and it ends well.  And killed.
 */
#include <signal.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/cvp.h"

struct failure { /* one test each */
    const char *kind, *subject, *when;
    int code; /* 0: the try after it is enough */
};

/* clang-format off */
static const struct failure rows[] = {
    { "fail",        "*copy /b /y *cvp-old*",     "always", 1 },
    { "fail",        "*-genkeypair*",             "always", 1 },
    { "sftp-fail",   "open wsm-*.csr",            "always", 1 },
    { "fail",        "*-import*-alias wsm_*",     "always", 1 },
    { "fail",        "*move /y *",                "once",   1 },
    { "fail",        "*net stop Web*",            "once",   1 },
    { "fail-async",  "*net start Web*",           "once",   1 },
    { "drop-during", "*-genkeypair*",             "once",   0 },
    { "drop-during", "*move /y *",                "once",   0 },
};
/* clang-format on */
enum {
    ROWS = sizeof(rows) / sizeof(rows[0])
};

static void test_row(void **state)
{
    const struct failure *row = *state;
    struct bed *bed = cvp_bed(state, "cvp-oamp");
    const char *old = cvp_keystore(bed, "oamp1");

    bed_inventory(bed, "cluster lab",
                  row->code ? "retries = 0" : "retries = 1");
    bed_lab(bed, "inject oamp1 %s '%s' %s", row->kind, row->subject, row->when);
    bed_ends(bed_do(bed, CVP_ROTATE "alias=wsm_certificate"), row->code,
             row->code ? "rolled-back" : "done");
    if (row->code)
        assert_string_equal(cvp_keystore(bed, "oamp1"), old);
    else
        assert_string_not_equal(cvp_keystore(bed, "oamp1"), old);
    cvp_shows(bed, "oamp1", "WebServicesManager", row->code ? "old" : "new");
    cvp_is_safe(bed);
}

/* The alias that a Call/VXML server alone has: keystore, restart, port. */
static void test_vxml(void **state)
{
    struct bed *bed = cvp_bed(state, "cvp-server");

    bed_ends(bed_do(bed, CVP_ROTATE "alias=vxml_certificate"), 0, "done");
    cvp_shows(bed, "server1", "VXMLServer", "new");
    cvp_shows(bed, "server1", "WebServicesManager", "old");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    cvp_shows(bed, "server1", "VXMLServer", "old");
    cvp_is_safe(bed);
}

/* -- killed, right behind this command ------------------------------------- */

static struct bed *killed(void **state, const char *command)
{
    struct bed *bed = cvp_bed(state, "cvp-oamp");
    int id = bed_id(bed_lab(bed, "hold oamp1 after '%s'", command));
    struct bed_run *run =
        bed_begin(bed, BED_PLAIN, CVP_ROTATE "alias=wsm_certificate");

    bed_lab(bed, "wait held %d", id);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
    return bed;
}

/* It is down, and nobody waits for it. */
static void test_killed_and_resumed(void **state)
{
    struct bed *bed = killed(state, "*net stop Web*");

    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    cvp_shows(bed, "oamp1", "WebServicesManager", "new");
    assert_int_equal(bed_count(bed, "*", "*-genkeypair*"), 1);
    cvp_is_safe(bed);
}

/* The keystore is the new one, and no service has read it. */
static void test_killed_and_taken_back(void **state)
{
    struct bed *bed = killed(state, "*move /y *");

    assert_string_equal(bed_text(bed_lab(bed, "node oamp1"), "keystore"),
                        "new");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    assert_string_equal(bed_text(bed_lab(bed, "node oamp1"), "keystore"),
                        "old");
    cvp_shows(bed, "oamp1", "WebServicesManager", "old");
    cvp_is_safe(bed);
}

int main(void)
{
    struct CMUnitTest tests[ROWS + 3] = {
        cmocka_unit_test_teardown(test_killed_and_resumed, bed_stop),
        cmocka_unit_test_teardown(test_killed_and_taken_back, bed_stop),
        cmocka_unit_test_teardown(test_vxml, bed_stop),
    };

    for (size_t i = 0; i < ROWS; i++)
        tests[i + 3] = (struct CMUnitTest){
            .name = rows[i].subject,
            .test_func = test_row,
            .teardown_func = bed_stop,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    return cvp_has_keytool() ? crew_tests(tests) : CVP_SKIPPED;
}
