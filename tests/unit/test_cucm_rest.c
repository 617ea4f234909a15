/* SPDX-License-Identifier: Apache-2.0
 *
 * The certmgr API's bodies and answers, the table of types, and what an answer
 * of a CA must keep of a request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/cucm/rest.h"
#include "playbooks/cucm/types.h"
#include "playbooks/vos/request.h"

#define PEM(label)                                                             \
    "-----BEGIN " label "-----\\r\\nMIIB\\nAA==\\n-----END " label "-----"
#define CSR "{\"csr\":\"" PEM("CERTIFICATE REQUEST") "\"}"
static const char csr_text[] = "-----BEGIN CERTIFICATE REQUEST-----\n"
                               "MIIBAA==\n"
                               "-----END CERTIFICATE REQUEST-----\n";

static void bodies(void **state)
{
    const struct cucm_csr_wish wish = {"tomcat", "multi-server",
                                       "pub-ms.example.com", 2048};
    const char *const pems[] = {"A\nB", "C"};
    struct str s;

    (void)state;
    str_init(&s, 4096);
    cucm_csr_body(&wish, &s);
    assert_string_equal(str_text(&s),
                        "{\"service\":\"tomcat\",\"distribution\":"
                        "\"multi-server\",\"commonName\":"
                        "\"pub-ms.example.com\",\"keyType\":\"rsa\","
                        "\"keyLength\":2048,\"hashAlgorithm\":\"sha256\"}");
    str_reset(&s);
    cucm_trust_body("tomcat", pems, 2, &s);
    assert_string_equal(str_text(&s), "{\"service\":[\"tomcat\"],"
                                      "\"certificates\":[\"A\\nB\",\"C\"],"
                                      "\"description\":\"Trust Certificate\"}");
    str_reset(&s);
    cucm_identity_body("tomcat", "A", &s);
    assert_string_equal(str_text(&s), "{\"service\":\"tomcat\","
                                      "\"certificates\":[\"A\"]}");
    str_release(&s);
}

static int request_of(const char *json, size_t len, struct str *out)
{
    str_reset(out);
    return cucm_csr_answer(json, len, out, NULL);
}

static void a_request_in_an_answer(void **state)
{
    static const char *const odd[] = {
        "",
        "[]",
        "{}",
        "{\"csr\":7}",
        "{\"csr\":\"no\"}",
        ("{\"csr\":\"" PEM("CERTIFICATE") "\"}"),
        ("{\"csr\":\"-----BEGIN CERTIFICATE REQUEST-----\\n<!>\\n"
         "-----END CERTIFICATE REQUEST-----\"}"),
        "{\"csr\":\"a\",\"csr\":\"b\"}",
    };
    struct str s;

    (void)state;
    str_init(&s, 4096);
    assert_int_equal(request_of(CSR, strlen(CSR), &s), 0);
    assert_string_equal(str_text(&s), csr_text);
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
        if (request_of(odd[i], strlen(odd[i]), &s) == 0)
            fail_msg("%s", odd[i]);
    for (size_t len = 0; len < strlen(CSR); len++)
        if (request_of(CSR, len, &s) == 0)
            fail_msg("%zu bytes were taken", len);
    str_release(&s);
}

static void says(const char *json, const char *message)
{
    struct str s;

    str_init(&s, 4096);
    cucm_rest_message(json, strlen(json), &s);
    assert_string_equal(str_text(&s), message);
    str_release(&s);
}

static void messages(void **state)
{
    (void)state;
    says("{\"message\":\"CSR SAN and Certificate SAN does not match\"}",
         "CSR SAN and Certificate SAN does not match");
    says("{\"error\":\"no\"}", "no");
    says("{\"messages\":[\"one\",\"two\"]}", "one");
    says("{\"message\":\"\\u001b]0;x\"}", "\\x1b]0;x");
    says("<html>", "");
    says("{\"message\":{}}", "");
}

static const char snapshot[] =
    "{\"trackingId\":\"1\",\"server\":\"pub\",\"identities\":["
    "{\"service\":\"ipsec\",\"certificate\":\"" PEM(
        "CERTIFICATE") "\"},"
                       "{\"service\":\"tomcat\",\"certificate\":\"" PEM(
                           "CERTIFICATE") "\","
                                          "\"csr\":\"" PEM(
                                              "CERTIFICATE REQUEST") "\"}],"
                                                                     "\"trusts"
                                                                     "\":[{"
                                                                     "\"service"
                                                                     "\":"
                                                                     "\"tomcat-"
                                                                     "trust\","
                                                                     "\"certifi"
                                                                     "cate_"
                                                                     "data\":["
                                                                     "{\"filena"
                                                                     "me\":\"a."
                                                                     "pem\","
                                                                     "\"certifi"
                                                                     "cate\":"
                                                                     "\"" PEM(
                                                                         "CERTI"
                                                                         "FICAT"
                                                                         "E") "\"}]}],"
                                                                              "\"revokedCertificates\":[]}";

static void a_snapshot(void **state)
{
    struct cucm_snapshot s;

    (void)state;
    assert_int_equal(
        cucm_snapshot_parse(snapshot, strlen(snapshot), "tomcat", &s, NULL), 0);
    assert_string_equal(s.request, csr_text);
    assert_non_null(s.certificate);
    assert_int_equal(s.n_trusts, 1);
    cucm_snapshot_release(&s);
    assert_int_equal(
        cucm_snapshot_parse(snapshot, strlen(snapshot), "ipsec", &s, NULL), 0);
    assert_null(s.request);
    assert_int_equal(s.n_trusts, 0);
    cucm_snapshot_release(&s);
    for (size_t len = 0; len < strlen(snapshot); len++)
        if (cucm_snapshot_parse(snapshot, len, "tomcat", &s, NULL) == 0)
            fail_msg("%zu bytes were taken", len);
}

/* -- the table ---------------------------------------------------------------
 */

static void the_types(void **state)
{
    (void)state;
    assert_non_null(cucm_type_find("cup-xmpp-s2s"));
    assert_null(cucm_type_find("cup")); /* not a multi-server one */
    assert_null(cucm_type_find("TVS"));
    assert_null(cucm_type_find("ITLRecovery"));
    for (const struct cucm_type *t = cucm_types; t->name; t++) {
        assert_true(t->head && (t->head & t->scope) == t->head);
        assert_non_null(t->restarts[0].service);
        for (size_t i = 0; i < CUCM_RESTARTS && t->restarts[i].service; i++) {
            bool listed = false;

            assert_true(t->restarts[i].roles & t->scope);
            assert_int_equal(t->restarts[i].roles & ~t->scope, 0);
            for (size_t k = 0; cucm_service_at(k); k++)
                listed |=
                    strcmp(cucm_service_at(k), t->restarts[i].service) == 0;
            assert_true(listed);
        }
    }
    assert_true(cucm_type_restarts(cucm_type_find("tomcat"), "Cisco DRF Master",
                                   CUCM_PUBLISHER));
    assert_false(cucm_type_restarts(cucm_type_find("tomcat"),
                                    "Cisco DRF Master", CUCM_SUBSCRIBER));
    assert_false(cucm_type_restarts(cucm_type_find("tomcat"),
                                    "Cisco CallManager", CUCM_ALL));
}

/* -- request and answer ---------------------------------------------------- */

#define FILL(field, text) snprintf(field, sizeof(field), "%s", text)

static const struct pki_cert_info asked = {
    .common_name = "pub-ms.example.com",
    .names = "DNS:pub.example.com, DNS:sub.example.com, DNS:example.com",
    .usage = "Digital Signature, Key Encipherment, Data Encipherment",
    .purposes = "TLS Web Server Authentication, TLS Web Client Authentication",
};

static void names_as_asked(void **state)
{
    struct pki_cert_info cert = asked;

    (void)state;
    FILL(cert.names,
         "DNS:example.com, DNS:SUB.example.com, DNS:pub.example.com");
    assert_int_equal(vos_same_names(&asked, &cert, NULL), 0);
    FILL(cert.names, "DNS:sub.example.com, DNS:pub.example.com");
    assert_int_equal(vos_same_names(&asked, &cert, NULL), -1);
    FILL(cert.names, "DNS:sub.example.com, DNS:pub.example.com, "
                     "DNS:example.com, DNS:pub-ms.example.com");
    assert_int_equal(vos_same_names(&asked, &cert, NULL), -1);
    FILL(cert.names, "DNS:sub.example.com, DNS:pub.example.com, "
                     "DNS:example.co");
    assert_int_equal(vos_same_names(&asked, &cert, NULL), -1);
    assert_true(vos_names(&asked, "SUB.example.com"));
    assert_false(vos_names(&asked, "ub.example.com"));
    assert_false(vos_names(&asked, "sub"));
}

static void usage_as_asked(void **state)
{
    struct pki_cert_info cert = asked;

    (void)state;
    FILL(cert.usage, "Data Encipherment, Digital Signature, Key "
                     "Encipherment, Key Agreement (critical)");
    assert_int_equal(vos_keeps_usage(&asked, &cert, NULL), 0);
    FILL(cert.usage, "Digital Signature, Key Encipherment (critical)");
    assert_int_equal(vos_keeps_usage(&asked, &cert, NULL), -1);
    cert = asked;
    FILL(cert.purposes, "TLS Web Server Authentication");
    assert_int_equal(vos_keeps_usage(&asked, &cert, NULL), -1);
    assert_int_equal(vos_no_wildcard(&asked, NULL), 0);
    FILL(cert.names, "DNS:*.example.com");
    assert_int_equal(vos_no_wildcard(&cert, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(a_request_in_an_answer),
        cmocka_unit_test(messages),
        cmocka_unit_test(a_snapshot),
        cmocka_unit_test(the_types),
        cmocka_unit_test(names_as_asked),
        cmocka_unit_test(usage_as_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
