/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/service-rotate on CMS 2.9: web bridge and XMPP server, recorder and
 * streamer in their older forms; and that no version is taken for another.
 */
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/services.h"

#define ROTATE "apply cms/service-rotate lab --yes --accept trust-store "

static const char *const services[] = {
    "--services", "callbridge,webbridge,xmpp,recorder,streamer", NULL};

static struct bed *old_bed(void **state)
{
    struct bed *bed = bed_start(state, "3+0", services);

    services_issuer(bed);
    return bed;
}

static void they_are(struct bed *bed, const char *state)
{
    services_state(bed, "callbridge", state);
    services_state(bed, "webbridge", state);
    services_state(bed, "xmpp", state);
    services_state(bed, "recorder", state);
    services_state(bed, "streamer", state);
    assert_true(json_integer_value(json_object_get(bed_lab(bed, "cluster lab"),
                                                   "most_dropping")) <= 1);
    bed_is_safe(bed);
}

static void test_all_of_them(void **state)
{
    struct bed *bed = old_bed(state);

    bed_ends(bed_do(bed, ROTATE "service=all"), 0, "done");
    they_are(bed, "new");
    assert_int_equal(bed_count(bed, "*", "recorder certs recorder-g1-*"), 3);
    assert_int_equal(bed_count(bed, "*", "streamer certs streamer-g1-*"), 3);
    assert_int_equal(bed_count(bed, "*", "* sip certs *"), 0);
    assert_int_equal(bed_count(bed, "*", "webbridge certs * * webbridgeca-*"),
                     3);
    assert_int_equal(bed_count(bed, "*", "webbridge3*"), 0);
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    they_are(bed, "old");
    assert_int_equal(bed_count(bed, "*", "recorder certs media.key media.cer"),
                     3);
}

static void fails_on_the_last(void **state, const char *fault)
{
    struct bed *bed = old_bed(state);

    bed_inventory(bed, "cluster lab", "retries = 0");
    bed_lab(bed, "inject core3 %s", fault);
    bed_ends(bed_do(bed, ROTATE "service=all"), 1, "rolled-back");
    they_are(bed, "old");
}

static void test_webbridge_does_not_start(void **state)
{
    fails_on_the_last(state, "fail-async 'webbridge enable'");
}

static void test_xmpp_does_not_start(void **state)
{
    fails_on_the_last(state, "fail-async 'xmpp enable'");
}

static void test_recorder_refuses_files(void **state)
{
    fails_on_the_last(state, "fail 'recorder certs*'");
}

static void test_trusts_the_very_certificate(void **state)
{
    struct bed *bed = old_bed(state);
    struct bed_run *run;

    bed_lab(bed, "foreign core2 'webbridge trust callbridge.cer'");
    bed_lab(bed, "foreign core2 'recorder trust callbridge.cer'");
    run = bed_do(bed, "apply cms/service-rotate lab --yes service=callbridge");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "`webbridge trust': it does not trust"));
    assert_true(bed_said(run, "`recorder trust': it does not trust"));
}

/* A role of another version than the node's. */
static void test_other_versions(void **state)
{
    struct bed *bed = old_bed(state);
    struct bed_run *run;

    bed_lab(bed, "set core1 version 3.0");
    run = bed_do(bed, ROTATE "service=webbridge");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "webbridge is not in CMS 3.0 as we know it: "
                              "until 3.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_of_them, bed_stop),
        cmocka_unit_test_teardown(test_webbridge_does_not_start, bed_stop),
        cmocka_unit_test_teardown(test_xmpp_does_not_start, bed_stop),
        cmocka_unit_test_teardown(test_recorder_refuses_files, bed_stop),
        cmocka_unit_test_teardown(test_trusts_the_very_certificate, bed_stop),
        cmocka_unit_test_teardown(test_other_versions, bed_stop),
    };

    return crew_tests(tests);
}
