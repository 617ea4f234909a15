/* SPDX-License-Identifier: Apache-2.0
 *
 * What Windows' tools, DiagFwCertMgr and keytool print, as a CCE server's
 * facts: facts/uc.md's texts (4, 6), translated ones, odd ones, and cut ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "playbooks/cce/cce.h"
#include "playbooks/cce/commands.h"
#include "tests/unit/pki_make.h"
#include "transport/login_shell.h"

#define THUMB "97937400991953d64e0bc56ec44cbd9636dc4bcb"
#define UPPER "97937400991953D64E0BC56EC44CBD9636DC4BCB"
#define SPACED "97 93 74 00 99 19 53 d6 4e 0b c5 6e c4 4c bd 96 36 dc 4b cb"
#define GUID "{4dc3e181-e14b-4a21-b022-59fc669b0914}"
#define LRM "\xe2\x80\x8e"
#define HASH_932 "\x8f\xd8\x96\xbe\x8f\x91 \x83n\x83\x62\x83V\x83\x85"

/* -- words ----------------------------------------------------------------- */

/* clang-format off */
static const struct {
    const char *text;
    bool there;
} thumbs[] = {
    { THUMB, true },
    { UPPER "\r\n", true },
    { SPACED "\r\n", true },
    { "Cert Hash(sha1): " THUMB "\n", true },
    { HASH_932 "(sha1): " LRM THUMB "\n", true },
    { LRM THUMB LRM "\n", true },
    { "    Certificate Hash             : " UPPER "\r\n", true },
    { "1234\n" THUMB "\n", true },
    { "Serial Number: 46000000021234567890abcdef000000000002\n" THUMB "\n", true }, /* 38 */
    { "9" THUMB, false },
    { THUMB "0", false },
    { THUMB THUMB, false },
    { THUMB "0123456789abcdef01234567", false },
    { SPACED " 01 23 45 67 89 ab cd ef 01 23 45 67\r\n", false },
    { "01 23 " SPACED "\r\n", false },
    { "7937400991953d64e0bc56ec44cbd9636dc4bcb", false },
    { "97937400991953d64e0bc56ec44cbd9636dc4bc\ng", false },
    { "97937400991953d64e0bc\n56ec44cbd9636dc4bcb", false },
    { "97 93 74 00 99 19 53 d6 4e 0b c5 6e c4 4c bd 96 36 dc 4b", false },
    { "The system cannot find the file specified.\n", false },
    { "CertUtil: -store command FAILED: 0x80090011 (-2146893807)\n", false },
    { "", false },
};
/* clang-format on */

static void test_thumbprint(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(thumbs) / sizeof(*thumbs); i++) {
        char hex[PKI_SHA1_HEX] = "x";
        bool there =
            win_thumbprint(thumbs[i].text, strlen(thumbs[i].text), hex);

        if (there != thumbs[i].there || strcmp(hex, there ? THUMB : "") != 0)
            fail_msg("row %zu: `%s' of %s", i, hex, thumbs[i].text);
    }
}

/* A piece of one is none, and nothing is read behind it. */
static void test_thumbprint_cut(void **state)
{
    static const char *const whole[] = {THUMB, SPACED};
    char hex[PKI_SHA1_HEX];

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t n = 0; n < strlen(whole[i]); n++) {
            char *piece = malloc(n + 1);

            memcpy(piece, whole[i], n);
            assert_false(win_thumbprint(piece, n, hex));
            free(piece);
        }
}

static void test_guid(void **state)
{
    static const char shown[] = "    Application ID      : " GUID "\r\n";
    static const char *const none[] = {
        "4dc3e181-e14b-4a21-b022-59fc669b0914",
        "{4dc3e181-e14b-4a21-b022-59fc669b091}",
        "{4dc3e181-e14b-4a21-b022-59fc669b09144}",
        "{4dc3e181 e14b-4a21-b022-59fc669b0914}",
        "{4dc3e18g-e14b-4a21-b022-59fc669b0914}",
        ""};
    char guid[WIN_GUID_BYTES];

    (void)state;
    assert_true(win_guid(shown, strlen(shown), guid));
    assert_string_equal(guid, GUID);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        assert_false(win_guid(none[i], strlen(none[i]), guid));
        assert_string_equal(guid, "");
    }
    for (size_t n = 0; n < strlen(GUID); n++) {
        char *piece = malloc(n + 1);

        memcpy(piece, GUID, n);
        assert_false(win_guid(piece, n, guid));
        free(piece);
    }
}

/* The path has blanks and parentheses: quotes within a command must not end
 * those of the shell. */
static void test_shells(void **state)
{
    static const char cmd[] = "C:\\Windows\\system32\\cmd.exe\r\n";
    const struct link_shell *a, *b;

    (void)state;
    a = login_shell_find(win_shells, "%COMSPEC%\r\n", 11);
    b = login_shell_find(win_shells, cmd, strlen(cmd));
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(a->before, "cmd /d /s /c '");
    assert_string_equal(a->after, "'");
    assert_string_equal(b->before, "cmd /d /s /c \"");
    assert_string_equal(b->after, "\"");
    assert_null(login_shell_find(win_shells, "/bin/bash\n", 10));
}

/* -- facts, by the table of reads ------------------------------------------ */

static const struct read_row *row_of(uint32_t bit, unsigned tag)
{
    for (const struct read_row *r = cce_reads; r->bit; r++)
        if (r->bit == bit && r->about.tag == tag && r->parse)
            return r;
    fail_msg("no row reads %x, %u", bit, tag);
    return NULL;
}

static int says(struct facts *facts, uint32_t bit, unsigned tag,
                const char *text)
{
    const struct read_row *row = row_of(bit, tag);
    const struct link_result result = {
        .end = LINK_OK, .data = text, .len = strlen(text)};
    struct err err = {0};
    int rc = row->parse(facts, &row->about, &result, &err);

    assert_int_equal(rc < 0, err.text[0] != '\0');
    return rc;
}

static void work(struct facts *facts, uint32_t bit)
{
    for (const struct read_row *r = cce_reads; r->bit; r++)
        if (r->bit == bit && r->work)
            r->work(facts);
}

/* Nothing bound is known, too; no answer is not. */
static void test_bound(void **state)
{
    struct facts *facts = cce_facts_new();
    struct cce_bound *b = &((struct cce_facts *)facts)->bound[CCE_PORTICO_7890];

    (void)state;
    says(facts, CCE_READ_BOUND, CCE_PORTICO_7890,
         "\r\nSSL Certificate bindings:\r\n-------------------------\r\n\r\n"
         "    IP:port                      : 0.0.0.0:7890\r\n"
         "    " HASH_932 "             : " UPPER "\r\n"
         "    Application ID               : " GUID "\r\n");
    assert_true(b->known);
    assert_string_equal(b->thumb, THUMB);
    assert_string_equal(b->app, GUID);
    assert_false(((struct cce_facts *)facts)->bound[CCE_IIS_443].known);
    says(facts, CCE_READ_BOUND, CCE_PORTICO_7890,
         "\nSSL Certificate bindings:\n-------------------------\n\n"
         "The system cannot find the file specified.\n");
    assert_true(b->known);
    assert_string_equal(b->thumb, "");
    assert_string_equal(b->app, "");
    says(facts, CCE_READ_BOUND, CCE_PORTICO_7890, "");
    assert_false(b->known);
    cce_facts_free(facts);
}

static void test_stores(void **state)
{
    struct facts *facts = cce_facts_new();
    struct cce_facts *f = (struct cce_facts *)facts;

    (void)state;
    assert_int_equal(says(facts, CCE_READ_STORES, CCE_STORE_JAVA,
                          "SHA256 hash of x:\r\n" THUMB
                          "0123456789abcdef01234567\r\n"),
                     0);
    assert_string_equal(f->store_sha256[CCE_STORE_JAVA],
                        THUMB "0123456789abcdef01234567");
    assert_string_equal(f->store_sha256[CCE_STORE_ICM], "");
    assert_int_equal(says(facts, CCE_READ_STORES, CCE_STORE_JAVA,
                          "CertUtil: -hashfile command FAILED\r\n"),
                     -1);
    assert_string_equal(f->store_sha256[CCE_STORE_JAVA], "");
    assert_int_equal(says(facts, CCE_READ_STORES, CCE_STORE_ICM, ""), -1);
    cce_facts_free(facts);
}

static void test_home(void **state)
{
    struct facts *facts = cce_facts_new();
    struct cce_facts *f = (struct cce_facts *)facts;
    char endless[1024];

    (void)state;
    says(facts, CCE_READ_HOME, 0, "C:\\Program Files (x86)\\OpenJDK\r\nx");
    assert_string_equal(f->home, "C:\\Program Files (x86)\\OpenJDK");
    says(facts, CCE_READ_HOME, 0, "");
    assert_string_equal(f->home, "");
    memset(endless, 'a', sizeof(endless));
    endless[sizeof(endless) - 1] = '\0';
    says(facts, CCE_READ_HOME, 0, endless);
    assert_int_equal(strlen(f->home), sizeof(f->home) - 1);
    cce_facts_free(facts);
}

#define VALID "The certificate binding is VALID"

static void test_valid(void **state)
{
    static const char *const not_so[] = {
        "", "The certificate binding is INVALID\r\n",
        "The certificate binding is NOT VALID\r\n",
        "ALL TASKS FOR VALIDATING CERTIFICATE BINDING COMPLETED SUCCESSFULLY\n",
        "No certificate binding was found on 0.0.0.0:7890\r\n"};
    struct facts *facts = cce_facts_new();
    const struct cce_facts *f = (struct cce_facts *)facts;

    (void)state;
    for (size_t i = 0; i < sizeof(not_so) / sizeof(*not_so); i++) {
        says(facts, CCE_READ_VALID, 0,
             "Certificate store was closed successfully\r\n" VALID "\r\n");
        assert_true(f->valid);
        says(facts, CCE_READ_VALID, 0, not_so[i]);
        assert_false(f->valid);
    }
    cce_facts_free(facts);
}

static void test_machine_store(void **state)
{
    struct facts *facts = cce_facts_new();
    const struct cce_facts *f = (struct cce_facts *)facts;

    (void)state;
    says(facts, CCE_READ_MY, CCE_IIS_443,
         "My \"" HASH_932 "\"\r\n================\r\n" HASH_932
         "(sha1): " LRM SPACED "\r\n");
    assert_string_equal(f->in_my[CCE_IIS_443], THUMB);
    assert_string_equal(f->in_my[CCE_PORTICO_7890], "");
    says(facts, CCE_READ_MY, CCE_IIS_443,
         "CertUtil: -store command FAILED: 0x80090011\r\n");
    assert_string_equal(f->in_my[CCE_IIS_443], "");
    says(facts, CCE_READ_TRUST, 0, "Cert Hash(sha1): " THUMB "\r\n");
    assert_true(f->trusted[0]);
    assert_false(f->trusted[1]);
    says(facts, CCE_READ_TRUST, 0, "CertUtil: -store command FAILED\r\n");
    assert_false(f->trusted[0]);
    cce_facts_free(facts);
}

/* A serial number of twenty bytes has forty digits, too, and comes first. */
static void test_serial_number(void **state)
{
    struct facts *facts = cce_facts_new();
    const struct cce_facts *f = (struct cce_facts *)facts;

    (void)state;
    says(facts, CCE_READ_MY, CCE_IIS_443,
         "My \"Personal\"\r\n================ Certificate 0 ===========\r\n"
         "Serial Number: 5b0123456789abcdef0123456789abcdef012345\r\n"
         "Issuer: CN=Example CA\r\nSubject: CN=aw1.example.com\r\n"
         "Cert Hash(sha1): " THUMB "\r\n"
         "  Provider = Microsoft RSA SChannel Cryptographic Provider\r\n");
    assert_string_equal(f->in_my[CCE_IIS_443], THUMB);
    says(facts, CCE_READ_MY, CCE_IIS_443,
         "Serial Number: 5b0123456789abcdef0123456789abcdef012345\r\n"
         "Cert Hash(sha1): none\r\n");
    assert_string_equal(f->in_my[CCE_IIS_443], "");
    cce_facts_free(facts);
}

static void test_staged(void **state)
{
    const struct recipe recipe = CA_RECIPE("Example Root");
    struct made root = make_cert(&recipe, NULL);
    struct pki_cert_info info = info_of(root.pem);
    struct facts *facts = cce_facts_new();
    struct cce_held *held = &((struct cce_facts *)facts)->staged[CCE_STORE_ICM];
    char *list = join("Keystore type: jks\n\nAlias name: ca-1\n", root.pem,
                      "Alias name: x\nEntry type: trustedCertEntry\n");

    (void)state;
    says(facts, CCE_READ_STAGED, CCE_STORE_ICM, list);
    work(facts, CCE_READ_STAGED);
    assert_int_equal(held->n, 1);
    assert_string_equal(held->sha256[0], info.sha256);
    says(facts, CCE_READ_STAGED, CCE_STORE_ICM,
         "keytool error: java.io.IOException: Invalid keystore format\n");
    work(facts, CCE_READ_STAGED);
    assert_int_equal(held->n, 0);
    for (size_t n = 0; n < strlen(list); n++) { /* never a crash */
        char *piece = strndup(list, n);

        says(facts, CCE_READ_STAGED, CCE_STORE_ICM, piece);
        work(facts, CCE_READ_STAGED);
        assert_true(held->n <= 1);
        free(piece);
    }
    free(list);
    cce_facts_free(facts);
    made_free(&root);
}

static void test_shown(void **state)
{
    const struct recipe recipe = SERVER_RECIPE("aw1", "DNS:aw1.example.com");
    struct made leaf = make_cert(&recipe, NULL);
    struct pki_cert_info info = info_of(leaf.pem);
    struct facts *facts = cce_facts_new();
    struct cce_facts *f = (struct cce_facts *)facts;

    (void)state;
    says(facts, CCE_READ_SHOWN, CCE_IIS_443, leaf.pem);
    work(facts, CCE_READ_SHOWN);
    assert_string_equal(f->shown[CCE_IIS_443].sha1, info.sha1);
    assert_true(f->shown_ms[CCE_IIS_443] > 0);
    says(facts, CCE_READ_SHOWN, CCE_IIS_443, "no certificate");
    work(facts, CCE_READ_SHOWN);
    assert_string_equal(f->shown[CCE_IIS_443].sha1, "");
    cce_facts_free(facts);
    made_free(&leaf);
}

static void test_services(void **state)
{
    struct facts *facts = cce_facts_new();
    const struct cce_facts *f = (struct cce_facts *)facts;

    (void)state;
    says(facts, CCE_READ_SERVICES, CCE_TOMCAT,
         "        STATE              : 4  RUNNING\r\n");
    assert_int_equal(f->service[CCE_TOMCAT], WIN_RUNNING);
    assert_int_equal(f->service[CCE_W3SVC], WIN_UNKNOWN);
    says(facts, CCE_READ_SERVICES, CCE_TOMCAT,
         "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n");
    assert_int_equal(f->service[CCE_TOMCAT], WIN_UNKNOWN);
    cce_facts_free(facts);
}

/* -- answers --------------------------------------------------------------- */

#define IMPORT                                                                 \
    CCE_IMPORT("ca-0123456789abcdef", "cce-root-g1-3f9a.crt", "cce-x")
#define ASKS "Enter keystore password:  \n"

/* clang-format off */
static const struct {
    const char *command, *said;
    enum reply reply;
} answers[] = {
    { IMPORT, ASKS "Certificate was added to keystore\n", REPLY_OK },
    { IMPORT, ASKS "Certificate was not added to keystore\n", REPLY_FAILED }, /* exit code 0 */
    { IMPORT, ASKS "keytool error: java.lang.Exception: Certificate not imported, alias <ca-0123456789abcdef> already exists\n", REPLY_OK },
    { IMPORT, ASKS "keytool error: java.lang.Exception: Certificate not imported, alias <mykey> already exists\n", REPLY_FAILED },
    { IMPORT, ASKS "keytool error: java.io.IOException: Keystore was tampered with, or password was incorrect\n", REPLY_FAILED },
    { IMPORT, ASKS "keytool error: java.io.FileNotFoundException: a\n", REPLY_FAILED },
    { IMPORT, "", REPLY_OK }, /* its goal says */
    { "certreq -accept -machine -q cce-g1-3f9a.crt", "keytool error:\n", REPLY_OK },
    { CCE_UNBIND("C:"), "UNABLE\n", REPLY_OK },
};
/* clang-format on */

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        struct err err = {0};
        enum reply reply = cce_judge(answers[i].command, answers[i].said,
                                     strlen(answers[i].said), &err);

        if (reply != answers[i].reply)
            fail_msg("row %zu: %d for %s", i, reply, answers[i].said);
        assert_int_equal(err.text[0] != '\0', reply == REPLY_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thumbprint),
        cmocka_unit_test(test_thumbprint_cut),
        cmocka_unit_test(test_guid),
        cmocka_unit_test(test_shells),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_stores),
        cmocka_unit_test(test_home),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_machine_store),
        cmocka_unit_test(test_serial_number),
        cmocka_unit_test(test_staged),
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
