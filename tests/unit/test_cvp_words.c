/* SPDX-License-Identifier: Apache-2.0
 *
 * What Windows' tools and keytool print, as a CVP server's facts: real texts
 * (facts/uc.md 6), odd ones, and cut ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "playbooks/cvp/commands.h"
#include "playbooks/cvp/cvp.h"

#define HEX "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"

/* -- Windows --------------------------------------------------------------- */

static void test_hash(void **state)
{
    static const char plain[] =
        "SHA256 hash of x:\r\n" HEX "\r\nCertUtil: completed\r\n";
    static const char spaced[] =
        "SHA256 \x83n\x83\x62:\n01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef"
        " 01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef\n";
    char hex[PKI_SHA256_HEX];

    (void)state;
    assert_true(win_hash(plain, strlen(plain), hex));
    assert_memory_equal(hex, "0123456789abcdef0123456789abcdef", 32);
    assert_true(win_hash(spaced, strlen(spaced), hex));
    assert_int_equal(strlen(hex), 64);
    /* a piece of one is none */
    for (size_t n = 0; n < strlen("SHA256 hash of x:\r\n" HEX); n++)
        assert_false(win_hash(plain, n, hex));
    assert_false(win_hash("CertUtil: -hashfile FAILED\n", 27, hex));
    assert_string_equal(hex, "");
}

static void test_service(void **state)
{
    static const char running[] =
        "\r\nSERVICE_NAME: W3SVC\r\n        TYPE               : 20  X\r\n"
        "        STATE              : 4  RUNNING\r\n";
    static const char paused[] = "        STATE              : 7  PAUSED\n";
    static const char none[] =
        "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\n";

    (void)state;
    assert_int_equal(win_service(running, strlen(running)), WIN_RUNNING);
    assert_int_equal(win_service(paused, strlen(paused)), WIN_UNKNOWN);
    assert_int_equal(win_service(none, strlen(none)), WIN_UNKNOWN);
    for (size_t n = 0; n < strlen(running) - 11; n++)
        assert_int_equal(win_service(running, n), WIN_UNKNOWN);
}

static void test_clock(void **state)
{
    static const char tokyo[] =
        "LocalDateTime\r\r\n20261129120000.500000+540\r\r\n";
    static const char west[] = "20261128220000.000000-300";
    char wide[2 * sizeof(west)] = {0};
    int64_t seconds = 0;

    (void)state;
    assert_true(win_clock_parse(tokyo, strlen(tokyo), &seconds));
    assert_int_equal(seconds, 1795921200);
    for (size_t i = 0; west[i]; i++)
        wide[2 * i] = west[i];
    seconds = 0;
    assert_true(win_clock_parse(wide, sizeof(wide), &seconds));
    assert_int_equal(seconds, 1795921200);
    assert_false(win_clock_parse("2026112912000.0+540", 19, &seconds));
    assert_false(win_clock_parse("20261129120000.0", 16, &seconds));
    assert_false(win_clock_parse("20269929120000.0+540", 20, &seconds));
}

static void test_path(void **state)
{
    (void)state;
    assert_true(win_is_plain_path("C:\\Cisco\\CVP"));
    assert_false(win_is_plain_path("C:\\Program Files\\CVP"));
    assert_false(win_is_plain_path("%CVP_HOME%"));
    assert_false(win_is_plain_path("C:\\CVP&calc"));
    assert_false(win_is_plain_path(""));
}

/* -- keytool's answers ----------------------------------------------------- */

#define LEAF CVP_IMPORT("wsm_certificate", "a.crt", "s.keystore")
#define ROOT CVP_IMPORT("root-12345678", "r.crt", "s.keystore")
#define ASKS "Enter keystore password:  \n"

/* clang-format off */
static const struct {
    const char *command, *said;
    enum reply reply;
} answers[] = {
    { LEAF, ASKS "Certificate reply was installed in keystore\n", REPLY_OK },
    { ROOT, ASKS "Certificate was added to keystore\n", REPLY_OK },
    /* exit code 0, and nothing was done */
    { ROOT, ASKS "Trust this certificate? [no]:  Certificate was not added to keystore\n", REPLY_FAILED },
    { LEAF, ASKS "Install reply anyway? [no]:  Certificate reply was not installed in keystore\n", REPLY_FAILED },
    /* exit code 0: the alias was not there, and has no key now */
    { LEAF, ASKS "Certificate was added to keystore\n", REPLY_FAILED },
    { LEAF, ASKS, REPLY_FAILED },
    { LEAF, "", REPLY_FAILED },
    { LEAF, ASKS "keytool error: java.lang.Exception: Failed to establish chain from reply\n", REPLY_FAILED },
    { LEAF, ASKS "keytool error: java.lang.Exception: Public keys in reply and keystore don't match\n", REPLY_FAILED },
    { LEAF, ASKS "keytool error: java.io.IOException: Keystore was tampered with, or password was incorrect\n", REPLY_FAILED },
    { LEAF, "FAILURE: Internal error\n", REPLY_FAILED },
    /* a try before this one did it */
    { LEAF, ASKS "keytool error: java.lang.Exception: Certificate reply and certificate in keystore are identical\n", REPLY_OK },
    { ROOT, ASKS "keytool error: java.lang.Exception: Certificate not imported, alias <root-12345678> already exists\n", REPLY_OK },
    { LEAF, ASKS "keytool error: java.lang.Exception: Certificate not imported, alias <wsm_certificate> already exists\n", REPLY_FAILED },
    { CVP_DELETE("wsm_certificate", "s"), ASKS "keytool error: java.lang.Exception: Alias <wsm_certificate> does not exist\n", REPLY_OK },
    { CVP_REQUEST("f", "wsm_certificate", "dns:a", "s"), ASKS "keytool error: java.lang.Exception: Alias <wsm_certificate> does not exist\n", REPLY_FAILED },
    { CVP_DELETE("wsm_certificate", "s"), ASKS, REPLY_OK },
    { CVP_GENERATE("wsm_certificate", "a.b", "s"), ASKS "keytool error: java.lang.Exception: Key pair not generated, alias <wsm_certificate> already exists\n", REPLY_FAILED },
    { "net stop W3SVC", "The W3SVC service is not started.\n", REPLY_OK }, /* its goal says */
};
/* clang-format on */

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        struct err err = {0};
        enum reply reply = cvp_judge(answers[i].command, answers[i].said,
                                     strlen(answers[i].said), &err);

        if (reply != answers[i].reply)
            fail_msg("row %zu: %d for %s", i, reply, answers[i].said);
        assert_int_equal(err.text[0] != '\0', reply == REPLY_FAILED);
    }
}

/* -- a list ---------------------------------------------------------------- */

#define BLOCK                                                                  \
    "-----BEGIN CERTIFICATE-----\r\nQUFB\r\n-----END CERTIFICATE-----\r\n"

static const char list[] =
    ASKS "Keystore type: JCEKS\r\n\r\nYour keystore contains 3 entries\r\n\r\n"
         "Alias name: root\r\nEntry type: trustedCertEntry\r\n" BLOCK
         "Alias name: WSM_certificate\r\nEntry type: PrivateKeyEntry\r\n"
         "Certificate chain length: 2\r\nCertificate[1]:\r\n" BLOCK
         "Certificate[2]:\r\n" BLOCK "Alias name: vxml_certificate\r\n"
         "Entry type: trustedCertEntry\r\n" BLOCK;

static void test_list(void **state)
{
    struct cvp_store store = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(cvp_store_parse(&store, list, strlen(list), &err), 0);
    assert_true(store.there);
    assert_true(store.entry[CVP_WSM].key);
    assert_int_equal(store.entry[CVP_WSM].chain, 2);
    assert_non_null(
        strstr(strstr(store.entry[CVP_WSM].pem, "BEGIN") + 1, "BEGIN"));
    assert_true(store.entry[CVP_VXML].seen);
    assert_false(
        store.entry[CVP_VXML].key); /* its reply was taken as a trust */
    assert_false(store.entry[CVP_CALLSERVER].seen);
    /* three letters are no certificate: nothing is known of the leaf */
    cvp_store_work(&store);
    assert_string_equal(store.entry[CVP_WSM].leaf.sha256, "");
    cvp_store_release(&store);
    /* never a crash, never a key that is not in what came */
    for (size_t n = 0; n < strlen(list); n++) {
        char *piece = strndup(list, n);

        if (cvp_store_parse(&store, piece, n, &err) == 0)
            assert_true(n > 60);
        cvp_store_release(&store);
        free(piece);
    }
}

static void test_no_list(void **state)
{
    static const char wrong[] =
        ASKS "keytool error: java.io.IOException: Keystore was tampered with, "
             "or password was incorrect\n";
    static const char none[] =
        ASKS "keytool error: java.lang.Exception: Keystore file does not "
             "exist: x\n";
    struct cvp_store store = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(cvp_store_parse(&store, none, strlen(none), &err), 0);
    assert_false(store.there);
    assert_int_equal(cvp_store_parse(&store, wrong, strlen(wrong), &err), -1);
    assert_non_null(strstr(err.text, "keystore_password"));
    assert_int_equal(cvp_store_parse(&store, "", 0, &err), -1);
    assert_int_equal(cvp_store_parse(&store, "what?", 5, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),    cmocka_unit_test(test_service),
        cmocka_unit_test(test_clock),   cmocka_unit_test(test_path),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_list),
        cmocka_unit_test(test_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
