/* SPDX-License-Identifier: Apache-2.0
 *
 * What certreq prints, in English, in code page 932 and in UTF-16, cut and
 * hostile; and that what goes out is in the table of commands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/run/act.h"
#include "playbooks/adcs/adcs.h"
#include "playbooks/registry.h"

/* seed 002 3.3, as its screen has it */
#define PENDING                                                                \
    "Active Directory Enrollment Policy\r\n"                                   \
    "  {0BD5D0B7-591F-4C77-AFEC-3C0E470F77D5}\r\n  ldap:\r\n"                  \
    "RequestId: 8\r\nRequestId: \"8\"\r\n"                                     \
    "Certificate request is pending: Taken Under Submission (0)\r\n"
#define DENIED                                                                 \
    "RequestId: 41\r\nCertificate not issued (Denied) Denied by Policy "       \
    "Module The EMail name is unavailable and cannot be added to the Subject " \
    "or Subject Alternate name. 0x80094812 (-2146875374 "                      \
    "CERTSRV_E_SUBJECT_EMAIL_REQUIRED)\r\n"
#define JAPANESE /* "request ID", "denied by a manager" */                     \
    "\x97v\x8b\x81 ID: 1207\r\n\x97v\x8b\x81 ID: \"1207\"\r\n"                 \
    "\x8f\xd8\x96\xbe\x8f\x91\x82\xcd\x94\xad\x8ds\x82\xb3\x82\xea\x82\xdc"    \
    "\x82\xb9\x82\xf1 (\x8b\x91\x94\xdb) 0x80094014\r\n"
#define NO_SERVER                                                              \
    "Certificate Request Processor: The RPC server is unavailable. "           \
    "0x800706ba (WIN32: 1722 RPC_S_SERVER_UNAVAILABLE)\r\n"

/* clang-format off */
static const struct {
    const char *text, *id; /* NULL: it has none */
    enum signer_word word;
} said[] = {
    { PENDING, "8", SIGNER_PENDING },
    { DENIED, "41", SIGNER_DENIED },
    { JAPANESE, "1207", SIGNER_DENIED },
    { NO_SERVER, NULL, SIGNER_FAILED },
    { "RequestId: 8\nRequestId: \"8\"\nCertificate not issued (Denied) Denied by LAB\\m\n", "8", SIGNER_DENIED },
    { "Anforderungs-ID: 12\nDas Zertifikat steht noch aus (0)\n", "12", SIGNER_PENDING },
    { "RequestId: \"8\"\n", "8", SIGNER_PENDING },
    { "", NULL, SIGNER_PENDING },
    { "'certreq' is not recognized as an internal or external command,\n", NULL, SIGNER_PENDING },
    { "CertReq: The system cannot find the file specified. 0x80070002 (WIN32: 2)\n", NULL, SIGNER_FAILED },
    { "CertReq: Access is denied. 0x80070005 (WIN32: 5 ERROR_ACCESS_DENIED)\n", NULL, SIGNER_FAILED },
    /* two of them are none; nor is what is no number, or too long for one */
    { "RequestId: 8\nRequestId: 9\n", NULL, SIGNER_PENDING },
    { "RequestId: \"8\"\nRequestId: \"9\"\n", NULL, SIGNER_PENDING },
    { "RequestId: 8x\nRequestId: \"-1\"\n", NULL, SIGNER_PENDING },
    { "RequestId: \"\"\nRequestId:\n: 5\n", NULL, SIGNER_PENDING },
    { "RequestId: \"123456789012345678901\"\n", NULL, SIGNER_PENDING },
    { "RequestId: \"12345678901234567890\"\n", "12345678901234567890", SIGNER_PENDING },
    /* what is shorter, or no failure, is no failure's number */
    { "RequestId: \"3\"\n0x0 (WIN32: 0)\n0x8009\n0x00000000\n0x0000001f\n", "3", SIGNER_PENDING },
};
/* clang-format on */

static void test_said(void **state)
{
    char id[SIGNER_ID_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
        const char *text = said[i].text;
        bool found = adcs_signer.id(text, strlen(text), id);

        if (found != (said[i].id != NULL) ||
            (found && strcmp(id, said[i].id) != 0))
            fail_msg("%s: id %s", text, found ? id : "none");
        assert_int_equal(adcs_signer.word(text, strlen(text)), said[i].word);
    }
}

/* A file that is still being written never gives another id. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
        for (size_t n = 0; said[i].id && n < strlen(said[i].text); n++) {
            char id[SIGNER_ID_BYTES];

            if (adcs_signer.id(said[i].text, n, id))
                assert_string_equal(id, said[i].id);
        }
}

/* As PowerShell writes it. */
static void test_wide(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
        size_t n = strlen(said[i].text);
        char *wide = calloc(n + 1, 2), id[SIGNER_ID_BYTES];
        bool found;

        assert_non_null(wide);
        memcpy(wide, "\xff\xfe", 2);
        for (size_t k = 0; k < n; k++)
            wide[2 + 2 * k] = said[i].text[k];
        found = adcs_signer.id(wide, 2 * n + 2, id);
        assert_true(found == (said[i].id != NULL));
        if (found)
            assert_string_equal(id, said[i].id);
        assert_int_equal(adcs_signer.word(wide, 2 * n + 2), said[i].word);
        free(wide);
    }
}

/* -- what goes out --------------------------------------------------------- */

static const char *command(const struct issuer *issuer,
                           enum pki_purpose purpose, const char *id)
{
    static struct str text;
    const struct signer_ask ask = {issuer, purpose, "cf-0123456789abcdef", id};
    struct err err = {0};

    if (!text.cap)
        str_init(&text, 1024);
    str_reset(&text);
    (id ? adcs_signer.retrieve : adcs_signer.submit)(&ask, &text);
    if (!command_match(&adcs_product, str_text(&text), &err))
        fail_msg("%s", err.text);
    return str_text(&text);
}

static void test_commands(void **state)
{
    struct issuer issuer = {.config = "ca1.example.com\\Issuing-CA_2"};

    (void)state;
    assert_string_equal(
        command(&issuer, PKI_SERVER, NULL),
        "certreq -submit -q -f -config ca1.example.com\\Issuing-CA_2 "
        "cf-0123456789abcdef.csr cf-0123456789abcdef.cer "
        "cf-0123456789abcdef.p7b >cf-0123456789abcdef.txt");
    assert_string_equal(
        command(&issuer, PKI_SERVER, "8"),
        "certreq -retrieve -q -f -config ca1.example.com\\Issuing-CA_2 8 "
        "cf-0123456789abcdef.cer cf-0123456789abcdef.p7b "
        ">cf-0123456789abcdef.txt");
    issuer.template = "Machine";
    assert_non_null(strstr(command(&issuer, PKI_SERVER, NULL),
                           " -attrib CertificateTemplate:Machine cf-"));
    issuer.template_server = "WebServer";
    issuer.template_client = "Workstation";
    assert_non_null(strstr(command(&issuer, PKI_SERVER, NULL), ":WebServer "));
    assert_non_null(
        strstr(command(&issuer, PKI_CLIENT, NULL), ":Workstation "));
    assert_non_null(strstr(command(&issuer, PKI_ANY, NULL), ":Machine "));
}

/* Nobody's certificate is issued, denied, revoked or read from here, and no
 * file is written that is not ours. */
static void test_nothing_else(void **state)
{
    static const char *const never[] = {
        "certutil -resubmit 8",
        "certutil -deny 8",
        "certutil -config CA1\\IssuingCA -revoke 8",
        "certutil -f -config CA1\\IssuingCA -ca.cert x",
        "certreq -submit -q -f -config CA1\\CA cf-a cf-b cf-c >x",
        "certreq -submit -q -f -config CA1\\CA cf-a ../b cf-c >cf-d",
        "certreq -submit -q -f -config CA1\\CA cf-a cf-b cf-c >cf-d & x",
        "certreq -submit -q -f -config CA1\\Our CA cf-a cf-b cf-c >cf-d",
        "certreq -retrieve -q -f -config CA1\\CA -x cf-b cf-c >cf-d",
        "certreq -accept cf-a",
        "del cf-a",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        if (command_match(&adcs_product, never[i], NULL))
            fail_msg("%s", never[i]);
}

static void test_registered(void **state)
{
    const struct product *product = registry_product("adcs");

    (void)state;
    assert_ptr_equal(product, &adcs_product);
    assert_ptr_equal(product->words->signer, &adcs_signer);
    assert_ptr_equal(adcs_signer.product, product);
    for (const struct playbook *const *p = registry_playbooks(); *p; p++)
        assert_ptr_not_equal((*p)->product, product);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said),         cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wide),         cmocka_unit_test(test_commands),
        cmocka_unit_test(test_nothing_else), cmocka_unit_test(test_registered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
