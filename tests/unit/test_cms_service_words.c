/* SPDX-License-Identifier: Apache-2.0
 *
 * What the services print (facts/cms.md 5, verbatim), and what of it is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "playbooks/cms/service_priv.h"

static const char webadmin[] = "Enabled                 : true\n"
                               "TLS listening interface : a\n"
                               "TLS listening port      : 443\n"
                               "Key file                : core.key\n"
                               "Certificate file        : core-fullchain.cer\n"
                               "HTTP redirect           : Disabled\n"
                               "STATUS                  : webadmin running\n";
static const char callbridge[] =
    "Listening interfaces  : a\n"
    "Preferred interface   : none\n"
    "Key file              : cms.key\n"
    "Certificate file      : cms.cer\n"
    "Address               : none\n"
    "CA Bundle file        : root.cer\n"
    "C2W trusted certs                   : cms.cer\n"
    "Callbridge cluster trusted certs    : cms.cer\n"
    "Callbridge trust branding certs     : none\n"
    "UCM trusted certs         : cucmtomcat.cer\n"
    "AV1 Video Codec : enabled\n";
static const char webbridge3[] =
    "Enabled                               : true\n"
    "HTTPS listening ports and interfaces  : a:445 b:446\n"
    "HTTPS Key file                        : edge.key\n"
    "HTTPS Full chain certificate file     : edge-fullchain.cer\n"
    "HTTPS Frame-Ancestors                 : none\n"
    "C2W listening ports and interfaces    : a:6000\n"
    "C2W Key file                          : edge2.key\n"
    "C2W Full chain certificate file       : edge2-fullchain.cer\n"
    "C2W Trust bundle                      : core-fullchain.cer\n";
static const char turn[] = "Enabled                 : true\r\n"
                           "Username                : user\r\n"
                           "Password                : s3cret.key\r\n"
                           "Shared secret           : als0s3cret\r\n"
                           "TLS port                : none\r\n"
                           "TLS cert                : t.cer expired\r\n"
                           "TLS key                 : t.key\r\n"
                           "TLS bundle              : none\r\n"
                           "Listen interface      a\r\n";

static struct cms_svc_all all;

static void parse(enum cms_service service, const char *text)
{
    cms_service_parse(&all, service, text, strlen(text));
}

static void names(enum cms_svc_slot slot, const char *key, const char *crt,
                  const char *ca, unsigned port)
{
    assert_string_equal(all.slot[slot].files[PART_KEY], key);
    assert_string_equal(all.slot[slot].files[PART_CRT], crt);
    assert_string_equal(all.slot[slot].files[PART_CA], ca);
    assert_int_equal(all.slot[slot].port, port);
}

static void printouts_of_the_documents(void **state)
{
    (void)state;
    parse(SVC_WEBADMIN, webadmin);
    assert_true(all.service[SVC_WEBADMIN].enabled);
    names(SLOT_WEBADMIN, "core.key", "core-fullchain.cer", "", 443);
    parse(SVC_CALLBRIDGE, callbridge);
    assert_false(all.service[SVC_CALLBRIDGE].enabled_shown);
    names(SLOT_CALLBRIDGE, "cms.key", "cms.cer", "root.cer", 0);
    assert_string_equal(all.store[STORE_CB_C2W].file, "cms.cer");
    assert_string_equal(all.store[STORE_CB_CLUSTER].file, "cms.cer");
    parse(SVC_WEBBRIDGE3, webbridge3);
    names(SLOT_WB3_HTTPS, "edge.key", "edge-fullchain.cer", "", 445);
    names(SLOT_WB3_C2W, "edge2.key", "edge2-fullchain.cer", "", 6000);
    assert_string_equal(all.store[STORE_WB3_C2W].file, "core-fullchain.cer");
}

static bool occurs(const char *word)
{
    return memmem(&all, sizeof(all), word, strlen(word)) != NULL;
}

static void secrets_are_not_kept(void **state)
{
    (void)state;
    parse(SVC_TURN, turn);
    names(SLOT_TURN, "t.key", "t.cer", "", 0);
    assert_true(occurs("t.key"));
    assert_false(occurs("s3cret"));
    assert_false(occurs("user"));
}

static void other_spellings(void **state)
{
    (void)state;
    parse(SVC_WEBADMIN, "enabled: FALSE\nKEY FILE:a.key\n\n:\nx\n"
                        "certificate file :  b.cer  \n"
                        "CA Bundle file : NONE\n");
    assert_true(all.service[SVC_WEBADMIN].enabled_shown);
    assert_false(all.service[SVC_WEBADMIN].enabled);
    names(SLOT_WEBADMIN, "a.key", "b.cer", "", 0);
    parse(SVC_RECORDER, "SIP interfaces : tcp a:8888, tls a:8889\n");
    assert_int_equal(all.slot[SLOT_RECORDER].port, 8889);
    parse(SVC_RECORDER, "SIP interfaces : tcp a:99999999999\n");
    assert_int_equal(all.slot[SLOT_RECORDER].port, 0);
    assert_false(all.slot[SLOT_RECORDER].plain);
    /* 2.x */
    parse(SVC_RECORDER, "Interface whitelist : a:8443\nKey file : r.key\n"
                        "Certificate file : r.cer\nTrust bundle : cb.cer\n");
    names(SLOT_RECORDER, "r.key", "r.cer", "", 8443);
    assert_true(all.slot[SLOT_RECORDER].plain);
    assert_string_equal(all.store[STORE_RECORDER].file, "cb.cer");
    parse(SVC_RECORDER, "SIP key file : s.key\n");
    assert_false(all.slot[SLOT_RECORDER].plain);
    names(SLOT_RECORDER, "s.key", "", "", 0);
}

/* What it named before is not what it names now. */
static void a_new_reading_forgets(void **state)
{
    (void)state;
    parse(SVC_CALLBRIDGE, callbridge);
    parse(SVC_CALLBRIDGE, "Unknown command\n");
    assert_true(all.service[SVC_CALLBRIDGE].unknown);
    names(SLOT_CALLBRIDGE, "", "", "", 0);
    assert_string_equal(all.store[STORE_CB_C2W].file, "");
    parse(SVC_CALLBRIDGE, "");
    assert_false(all.service[SVC_CALLBRIDGE].unknown);
}

/* Cut at every place: never a name that was not there. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(webadmin); n++) {
        cms_service_parse(&all, SVC_WEBADMIN, webadmin, n);
        assert_memory_equal(all.slot[SLOT_WEBADMIN].files[PART_KEY], "core.key",
                            strlen(all.slot[SLOT_WEBADMIN].files[PART_KEY]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printouts_of_the_documents),
        cmocka_unit_test(secrets_are_not_kept),
        cmocka_unit_test(other_spellings),
        cmocka_unit_test(a_new_reading_forgets),
        cmocka_unit_test(cut_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
