/* SPDX-License-Identifier: Apache-2.0
 *
 * What the services of the lab's appliances print, by OpenSSH's clients, and
 * what their ports show, by OpenSSL's.
 */
#include "tests/lab/test_services.h"

/* -- words -------------------------------------------------------------------
 */

static void test_webadmin_words(void **state)
{
    struct rig *rig = start_services("webadmin");

    (void)state;
    says(rig, 1, "webadmin",
         "Enabled                 : true\n"
         "TLS listening interface : a\n"
         "TLS listening port      : 8443\n"
         "Key file                : webadmin.key\n"
         "Certificate file        : webadmin.cer\n"
         "CA Bundle file          : root.cer\n"
         "HTTP redirect           : Disabled\n"
         "STATUS                  : webadmin running\n");
    says(rig, 1, "webadmin restart",
         "SUCCESS: TLS interface and port configured\n"
         "SUCCESS: Key and certificate pair match\n"
         "SUCCESS: certificate verified by CA bundle\n");
    says(rig, 1, "webadmin disable", "");
    assert_true(prints(rig, 1, "webadmin", "Enabled                 : false"));
    assert_true(prints(rig, 1, "webadmin", ": webadmin not running\n"));
    assert_true(prints(rig, 1, "webadmin restart", "FAILURE: "));
    says(rig, 1, "webadmin certs webadmin.key webadmin.cer", "");
    assert_true(prints(rig, 1, "webadmin certs gone.key webadmin.cer",
                       "FAILURE: File gone.key not found"));
    assert_true(prints(rig, 1, "webadmin certs one", "Usage:"));
    says(rig, 1, "webadmin enable",
         "SUCCESS: TLS interface and port configured\n"
         "SUCCESS: Key and certificate pair match\n");
    assert_true(prints(rig, 1, "webadmin", "webadmin.cer\nHTTP redirect"));
    assert_true(is_state(rig, "core1", "webadmin", "new"));
    assert_true(is_state(rig, "core2", "webadmin", "old"));
    stop(rig, NULL, 0);
}

static void test_callbridge_words(void **state)
{
    struct rig *rig = start_services("callbridge");

    (void)state;
    says(rig, 1, "callbridge ucm certs root.cer", "");
    says(rig, 1, "callbridge",
         "Listening interfaces  : a\n"
         "Preferred interface   : none\n"
         "Key file              : callbridge.key\n"
         "Certificate file      : callbridge.cer\n"
         "Address               : none\n"
         "CA Bundle file        : root.cer\n"
         "C2W trusted certs                   : root.cer\n"
         "Callbridge cluster trusted certs    : root.cer\n"
         "Callbridge trust branding certs     : none\n"
         "UCM trusted certs         : root.cer\n"
         "UCM verification mode     : enabled\n"
         "IMPS trusted certs        : none\n"
         "IMPS verification mode    : enabled\n"
         "WC3 JWT Expiry in hours   : 24\n"
         "AV1 Video Codec : enabled\n");
    says(rig, 1, "callbridge trust cluster none", "");
    assert_true(
        prints(rig, 1, "callbridge", "cluster trusted certs    : none"));
    assert_true(is_state(rig, "core1", "callbridge", "stale"));
    says(rig, 1, "callbridge restart",
         "SUCCESS: listen interface configured\n"
         "SUCCESS: Key and certificate pair match\n"
         "SUCCESS: certificate verified by CA bundle\n");
    assert_true(is_state(rig, "core1", "callbridge", "new"));
    assert_true(prints(rig, 1, "callbridge enable", "Usage:"));
    assert_true(listens(rig, 1, 5061));
    says(rig, 1, "callbridge certs none", "");
    says(rig, 1, "callbridge restart",
         "SUCCESS: listen interface configured\n");
    assert_false(listens(rig, 1, 5061));
    stop(rig, NULL, 0);
}

static void test_bridge_words(void **state)
{
    struct rig *rig = start_services("webbridge3,turn");

    (void)state;
    says(rig, 1, "webbridge3",
         "Enabled                               : true\n"
         "HTTPS listening ports and interfaces  : a:8444\n"
         "HTTPS Key file                        : web.key\n"
         "HTTPS Full chain certificate file     : web-chain.cer\n"
         "HTTPS Frame-Ancestors                 : none\n"
         "HTTP redirect                         : Disabled\n"
         "C2W listening ports and interfaces    : a:9999\n"
         "C2W Key file                          : c2w.key\n"
         "C2W Full chain certificate file       : c2w-chain.cer\n"
         "C2W Trust bundle                      : root.cer\n"
         "Meetingapps address                   : none\n"
         "Meetingapps port                      : none\n"
         "Audio priority flag                   : Enabled\n"
         "Beta options                          : none\n");
    says(rig, 1, "webbridge3 restart",
         "SUCCESS: HTTPS Key and certificate pair match\n"
         "SUCCESS: HTTPS full chain of certificates verifies correctly\n"
         "SUCCESS: C2W Key and certificate pair match\n"
         "SUCCESS: C2W full chain of certificates verifies correctly\n"
         "SUCCESS: Webbridge3 enabled\n");
    assert_true(prints(rig, 1, "webbridge3 status", "webbridge3 running"));
    says(rig, 1, "turn",
         "Enabled                 : true\n"
         "Username                : turnuser\n"
         "Password                : lab-turn-password\n"
         "Short term credentials  : Disabled\n"
         "Shared secret           : lab-turn-secret\n"
         "Realm                   : lab.example.com\n"
         "Public IP               : none\n"
         "High Capacity Mode      : Enabled\n"
         "Relay address           : none\n"
         "TLS port                : 5349\n"
         "TLS cert                : media.cer\n"
         "TLS key                 : media.key\n"
         "TLS bundle              : root.cer\n"
         "Listen interface      a\n");
    says(rig, 1, "turn disable", "");
    assert_true(is_state(rig, "core1", "turn", "disabled"));
    assert_true(is(rig, "cluster", "most_dropping", "1"));
    stop(rig, NULL, 0);
}

static void test_media_words(void **state)
{
    struct rig *rig = start_services("recorder,streamer,uploader");

    (void)state;
    says(rig, 1, "streamer",
         "Enabled                 : true\n"
         "SIP interfaces          : tcp a:8890, tls a:8891\n"
         "SIP key file            : media.key\n"
         "SIP certificate file    : media.cer\n"
         "SIP CA Bundle file      : root.cer\n"
         "SIP Resolution          : 720p\n"
         "SIP traffic trace       : Disabled\n"
         "Call Limit              : none\n");
    says(rig, 1, "streamer sip certs media.key media.cer", "");
    says(rig, 1, "streamer enable",
         "SUCCESS: Key and certificate pair match\n"
         "SUCCESS: Streamer enabled\n");
    says(rig, 1, "streamer sip certs none", "");
    says(rig, 1, "streamer enable",
         "FAILURE: TLS port set but no certificates configured\n"
         "FAILURE: Streamer configuration not complete\n");
    assert_true(prints(rig, 1, "streamer", "SIP key file            : none"));
    assert_true(prints(rig, 1, "recorder", "SIP CA Bundle file      : root"));
    assert_true(prints(rig, 1, "recorder restart", "SUCCESS: Recorder en"));
    says(rig, 1, "uploader rev trust media.cer", "");
    says(rig, 1, "uploader disable", "");
    says(rig, 1, "uploader enable", "SUCCESS: uploader enabled\n");
    assert_true(prints(rig, 1, "uploader", "Rev trust store         : media"));
    assert_true(is(rig, "cluster", "most_dropping", "0"));
    stop(rig, NULL, 0);
}

/* Every port of every service shows a certificate of the root; what an older
 * version does not have is unknown to it. */
static void test_all(void **state)
{
    static const unsigned ports[] = {8443, 5061, 8444, 5349,
                                     8889, 8891, 8445, 9443};
    struct rig *rig = start_services("all");
    struct roots roots = {0};

    (void)state;
    make_other(rig, &roots);
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        assert_true(serves(rig, 2, ports[i], roots.old));
    assert_true(is(rig, "cluster", "services", "old"));
    assert_true(holds(rig, "certfleet.ini",
                      "roles = database webadmin callbridge webbridge3 turn "
                      "recorder streamer meetingapps scheduler uploader\n"));
    assert_true(prints(rig, 1, "scheduler", "C2W Trust bundle"));
    assert_true(prints(rig, 1, "pki", "meetingapps"));
    assert_int_equal(code_of(rig, 1, "meetingapps disable"), 0);
    says(rig, 1, "meetingapps https certs web.key web.cer", "");
    assert_true(prints(rig, 1, "meetingapps enable",
                       "FAILURE: HTTPS full chain of certificates is "
                       "incomplete"));
    assert_true(rig_do(rig, "set core3 version 3.3.1"));
    assert_true(prints(rig, 3, "meetingapps", "Unknown command"));
    assert_true(prints(rig, 3, "scheduler", "Enabled"));
    assert_true(rig_do(rig, "set core3 version 2.9"));
    assert_true(prints(rig, 3, "webbridge3", "Unknown command"));
    stop(rig, NULL, 0);
}

/* What is gone since 3.0. */
static void test_old_words(void **state)
{
    struct rig *rig = start_services("callbridge,webbridge,xmpp");
    struct roots roots = {0};

    (void)state;
    make_other(rig, &roots);
    assert_true(serves(rig, 1, 8446, roots.old));
    assert_true(holds(rig, "certfleet.ini",
                      "roles = database callbridge webbridge xmpp\n"));
    assert_true(prints(rig, 1, "version", "2.9"));
    assert_true(prints(rig, 1, "webbridge3", "Unknown command"));
    assert_true(prints(rig, 1, "webbridge", "Trust bundle            : root"));
    assert_int_equal(code_of(rig, 1, "webbridge disable"), 0);
    assert_false(listens(rig, 1, 8446));
    says(rig, 1, "webbridge certs web.key web.cer root.cer", "");
    says(rig, 1, "webbridge enable",
         "SUCCESS: Key and certificate pair match\n"
         "SUCCESS: certificate verified by CA bundle\n"
         "SUCCESS: Webbridge enabled\n");
    says(rig, 1, "xmpp cluster trust media.cer", "");
    says(rig, 1, "xmpp restart",
         "SUCCESS: Domain configured\n"
         "SUCCESS: Key and certificate pair match\n"
         "SUCCESS: certificate verified by CA bundle\n"
         "SUCCESS: XMPP server enabled\n");
    assert_true(rig_do(rig, "set core1 version 3.0"));
    assert_true(prints(rig, 1, "xmpp", "Unknown command"));
    stop(rig, NULL, 0);
}

/* It asks for a certificate, and takes one that its trust leads on to. */
static void test_c2w_asks(void **state)
{
    struct rig *rig = start_services("all");
    struct roots roots = {0};
    char where[64], address[16], cert[200], key[200];
    static const char line[] = "openssl s_client -connect $0 -tls1_2 "
                               "${1:+-cert $1 -key $2} </dev/null";
    const char *const argv[] = {"bash", "-c", line, where, cert, key, NULL};

    (void)state;
    make_other(rig, &roots);
    rig_address(rig, 1, address);
    snprintf(where, sizeof(where), "%s:9999", address);
    snprintf(cert, sizeof(cert), "%s/" SERVICES_DIR "/callbridge.cer",
             rig->dir);
    snprintf(key, sizeof(key), "%s/" SERVICES_DIR "/callbridge.key", rig->dir);
    assert_int_equal(rig_run(argv), 0);
    snprintf(cert, sizeof(cert), "%s/callbridge.cer", roots.folder);
    snprintf(key, sizeof(key), "%s/callbridge.key", roots.folder);
    assert_int_not_equal(rig_run(argv), 0);
    *cert = '\0';
    assert_int_not_equal(rig_run(argv), 0);
    stop(rig, NULL, 0);
}

/* What SIP and LDAP trust counts when the Call Bridge starts anew. */
static void test_tls_trust(void **state)
{
    struct rig *rig = start_services("callbridge");

    (void)state;
    assert_true(prints(rig, 1, "tls sip", ": root.cer"));
    says(rig, 1, "tls sip trust callbridge.cer", "");
    assert_true(prints(rig, 1, "tls sip", ": callbridge.cer"));
    assert_true(prints(rig, 1, "tls ldap", ": root.cer"));
    assert_true(is_state(rig, "core1", "tls sip", "stale"));
    assert_true(prints(rig, 1, "callbridge restart", "SUCCESS"));
    assert_true(is_state(rig, "core1", "tls sip", "new"));
    assert_true(is_state(rig, "core1", "tls ldap", "old"));
    stop(rig, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webadmin_words),
        cmocka_unit_test(test_callbridge_words),
        cmocka_unit_test(test_bridge_words),
        cmocka_unit_test(test_media_words),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_old_words),
        cmocka_unit_test(test_c2w_asks),
        cmocka_unit_test(test_tls_trust),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
