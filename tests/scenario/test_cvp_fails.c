/* SPDX-License-Identifier: Apache-2.0
 *
 * cvp/keystore-rotate fails at each row: for good, and the keystore is the old
 * one byte for byte, and served; or once, and it ends well.
 */
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
    { "drop-during", "*net stop Web*",            "once",   0 },
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

int main(void)
{
    struct CMUnitTest tests[ROWS];

    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].subject,
            .test_func = test_row,
            .teardown_func = bed_stop,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    return cvp_has_keytool() ? crew_tests(tests) : CVP_SKIPPED;
}
