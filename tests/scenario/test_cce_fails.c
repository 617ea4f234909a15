/* SPDX-License-Identifier: Apache-2.0
 *
 * cce/rotate fails at each row: for good, and the old thumbprints are bound,
 * the trust stores byte for byte the old ones, the old certificates served; or
 * once, and it ends well.  And killed.
 */
#include <signal.h>

#include "tests/scenario/cce.h"
#include "tests/scenario/crew.h"

struct failure { /* one test each */
    const char *kind, *subject, *when;
    int code; /* 0: the try after it is enough */
};

/* clang-format off */
static const struct failure rows[] = {
    { "fail",        "*copy /b /y *cce-icm-old*",  "always", 1 },
    { "fail",        "*certreq -new*",             "always", 1 },
    { "sftp-fail",   "open cce-*.csr",             "always", 1 },
    { "fail",        "*-addstore*",                "always", 1 },
    { "fail",        "*certreq -accept*",          "always", 1 },
    { "fail",        "*-import*cce-java-new*",     "always", 1 },
    { "fail",        "*move /y *security*",        "once",   1 },
    { "fail-async",  "*net start Tomcat9*",        "once",   1 },
    { "fail",        "*http update*",              "once",   1 },
    { "fail-async",  "*net start W3SVC*",          "once",   1 },
    { "fail",        "*BindCertFromStore*",        "once",   1 },
    { "fail-async",  "*net start DiagFwSvc*",      "once",   1 },
    { "fail-async",  "*certreq -accept*",          "always", 1 },
    { "fail-async",  "*-import*cce-icm-new*",      "always", 1 },
    { "fail-async",  "*http update*",              "once",   1 },
    { "fail-async",  "*BindCertFromStore*",        "once",   1 },
    { "drop-during", "*certreq -new*",             "once",   0 },
    { "drop-during", "*move /y *icm*",             "once",   0 },
    { "drop-after",  "*http update*",              "once",   0 },
    { "drop-before", "*BindCertFromStore*",        "once",   0 },
};
/* clang-format on */
enum {
    ROWS = sizeof(rows) / sizeof(rows[0])
};

static void test_row(void **state)
{
    const struct failure *row = *state;
    struct bed *bed = cce_bed(state, "cce-aw");

    bed_inventory(bed, "cluster lab",
                  row->code ? "retries = 0" : "retries = 1");
    bed_lab(bed, "inject aw1 %s '%s' %s", row->kind, row->subject, row->when);
    bed_ends(bed_do(bed, CCE_ROTATE), row->code,
             row->code ? "rolled-back" : "done");
    cce_is(bed, "aw1", row->code ? "old" : "new");
    cce_is_safe(bed);
}

/* -- killed, right behind this command ------------------------------------- */

static struct bed *killed(void **state, const char *command)
{
    struct bed *bed = cce_bed(state, "cce-aw");
    int id = bed_id(bed_lab(bed, "hold aw1 after '%s'", command));
    struct bed_run *run = bed_begin(bed, BED_PLAIN, CCE_ROTATE);

    bed_lab(bed, "wait held %d", id);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
    return bed;
}

/* Nothing is bound, and nobody waits for it. */
static void test_killed_and_resumed(void **state)
{
    struct bed *bed = killed(state, "*UnbindCert*");

    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    cce_is(bed, "aw1", "new");
    assert_int_equal(bed_count(bed, "*", "*certreq -new*"), 1);
    cce_is_safe(bed);
}

static void test_killed_and_taken_back(void **state)
{
    struct bed *bed = killed(state, "*UnbindCert*");

    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    cce_is(bed, "aw1", "old");
    cce_is_safe(bed);
}

#define NETSH "netsh http %s sslcert ipport=0.0.0.0:443"

static void bind_other(struct bed *bed, const char *verb, const char *thumb)
{
    bed_lab(bed,
            "foreign aw1 '" NETSH " certhash=%s "
            "appid={4dc3e181-e14b-4a21-b022-59fc669b0914} certstorename=MY'",
            verb, thumb);
}

static void iis_is(struct bed *bed, const char *age)
{
    assert_string_equal(bed_text(bed_lab(bed, "node aw1"), "iis"), age);
}

/* Somebody else has bound a third one meanwhile (taken away and added, as
 * before Windows Server 2016): nothing is undone. */
static void test_somebody_else(void **state)
{
    struct bed *bed = killed(state, "*move /y *icm*");
    const char *other = bed_text(bed_lab(bed, "node aw1"), "portico_thumb");

    bind_other(bed, "add", other); /* Error: 183 */
    iis_is(bed, "old");
    bed_lab(bed, "foreign aw1 '" NETSH "'", "delete");
    iis_is(bed, "none");
    bind_other(bed, "update", other); /* Error: 2 */
    iis_is(bed, "none");
    bind_other(bed, "add", other);
    iis_is(bed, "other");
    bed_ends(bed_do(bed, "resume last --yes"), 4, "incomplete");
    assert_string_equal(bed_text(bed_lab(bed, "node aw1"), "iis_thumb"), other);
    cce_is_safe(bed);
}

int main(void)
{
    struct CMUnitTest tests[ROWS + 3] = {
        cmocka_unit_test_teardown(test_killed_and_resumed, bed_stop),
        cmocka_unit_test_teardown(test_killed_and_taken_back, bed_stop),
        cmocka_unit_test_teardown(test_somebody_else, bed_stop),
    };

    for (size_t i = 0; i < ROWS; i++)
        tests[i + 3] = (struct CMUnitTest){
            .name = rows[i].subject,
            .test_func = test_row,
            .teardown_func = bed_stop,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    return crew_tests(tests);
}
