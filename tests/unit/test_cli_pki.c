/* SPDX-License-Identifier: Apache-2.0
 *
 * The pki commands on files, and what OpenSSL's own program says of what they
 * make.
 */
#include "tests/unit/cli_openssl.h"

static void test_make_a_set_in_the_words_of_the_mmp(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("pki", "selfsigned", "dbca", "CN:My company CA",
                               "--key", "ec:P-256"),
                     0);
    assert_says(capture.out, "Created key file dbca.key");
    assert_mode("dbca.key", 0600);
    assert_mode("dbca.crt", 0644);
    assert_int_equal(CERTFLEET("pki", "csr", "dbserver", "CN:core1.example.com",
                               "O:Example, Inc.", "C:GB", "--key", "ec:P-256",
                               "subjectAltName:core2.example.com,10.0.0.2"),
                     0);
    assert_mode("dbserver.key", 0600);
    assert_int_equal(CERTFLEET("pki", "sign", "dbserver", "dbca"), 0);
    assert_int_equal(
        CERTFLEET("pki", "csr", "dbclient", "CN:postgres", "--key", "ec:P-256"),
        0);
    assert_int_equal(CERTFLEET("pki", "sign", "dbclient", "dbca", "--purpose",
                               "client", "--days", "90"),
                     0);
}

static void test_openssl_agrees(void **state)
{
    (void)state;
    if (OPENSSL("version") != 0)
        skip();
    assert_int_equal(OPENSSL("verify", "-x509_strict", "-purpose", "sslserver",
                             "-CAfile", "dbca.crt", "dbserver.crt"),
                     0);
    assert_int_equal(OPENSSL("verify", "-x509_strict", "-purpose", "sslclient",
                             "-CAfile", "dbca.crt", "dbclient.crt"),
                     0);
    assert_int_not_equal(OPENSSL("verify", "-purpose", "sslclient", "-CAfile",
                                 "dbca.crt", "dbserver.crt"),
                         0);
    assert_int_equal(OPENSSL("x509", "-in", "dbserver.crt", "-noout", "-text"),
                     0);
    assert_says(said, "DNS:core1.example.com, DNS:core2.example.com, "
                      "IP Address:10.0.0.2");
    assert_says(said, "Example, Inc.");
    assert_int_equal(OPENSSL("req", "-in", "dbserver.csr", "-noout", "-verify"),
                     0);
    assert_int_equal(OPENSSL("x509", "-in", "dbca.crt", "-noout", "-text"), 0);
    assert_says(said, "CA:TRUE");
    assert_says(said, "Certificate Sign, CRL Sign");
    /* not over in 89 days, over in 91 */
    assert_int_equal(OPENSSL("x509", "-in", "dbclient.crt", "-noout",
                             "-checkend", "7689600"),
                     0);
    assert_int_not_equal(OPENSSL("x509", "-in", "dbclient.crt", "-noout",
                                 "-checkend", "7862400"),
                         0);
}

static void test_match_and_verify(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("pki", "match", "dbserver.key", "dbserver.crt"),
                     0);
    assert_says(capture.out, "SUCCESS: ");
    assert_int_equal(CERTFLEET("pki", "match", "dbserver.key", "dbserver.csr"),
                     0);
    assert_int_equal(CERTFLEET("pki", "match", "dbca.key", "dbserver.crt"), 1);
    assert_says(capture.out, "FAILURE: ");
    assert_int_equal(CERTFLEET("pki", "match", "dbca.crt", "dbserver.crt"), 2);
    assert_int_equal(CERTFLEET("pki", "match", "dbca.key", "dbca.key"), 2);
    assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbca.crt"), 0);
    assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbca.crt",
                               "--purpose", "client"),
                     1);
    assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbclient.crt"),
                     1);
    assert_says(capture.out, "FAILURE: ");
    assert_int_equal(
        CERTFLEET("pki", "verify", "dbserver.crt", "dbclient.crt", "dbca.crt"),
        0);
    assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbca.key"), 2);
    assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbca.crt",
                               "--host", "core9.example.com"),
                     1);
}

static void test_verify_by_profile(void **state)
{
    static const char *const profiles[] = {"database", "private", "public"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbca.crt",
                                   "--profile", profiles[i], "--host",
                                   "core2.example.com"),
                         0);
        assert_says(capture.out, "SUCCESS: the chain keeps to the profile");
        assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbca.crt",
                                   "--profile", profiles[i], "--host",
                                   "core9.example.com"),
                         1);
        assert_says(capture.out, "dbserver.crt: error F3: server certificate: "
                                 "it does not carry core9.example.com");
        assert_int_equal(CERTFLEET("pki", "verify", "dbca.crt", "dbca.crt",
                                   "--profile", profiles[i]),
                         1);
        assert_says(capture.out, "dbca.crt: error B9: ");
    }
    assert_int_equal(CERTFLEET("pki", "verify", "dbclient.crt", "dbca.crt",
                               "--profile", "private", "--purpose", "client"),
                     0);
    assert_int_equal(CERTFLEET("pki", "verify", "dbserver.crt", "dbca.crt",
                               "--profile", "strict"),
                     2);
}

static void test_nothing_is_overwritten(void **state)
{
    static char before[1 << 16], after[1 << 16];

    (void)state;
    capture_read("dbserver.key", before, sizeof(before));
    assert_int_equal(CERTFLEET("pki", "csr", "dbserver", "CN:x"), 2);
    assert_says(capture.err, "not overwritten");
    assert_int_equal(CERTFLEET("pki", "selfsigned", "dbca"), 2);
    assert_int_equal(CERTFLEET("pki", "sign", "dbserver", "dbca"), 2);
    assert_int_equal(
        CERTFLEET("pki", "normalize", "dbca.crt", "-o", "dbserver.key"), 2);
    capture_read("dbserver.key", after, sizeof(after));
    assert_string_equal(before, after);
}

/* A csr whose certificate stands there already must not leave a key behind. */
static void test_a_refused_make_leaves_nothing(void **state)
{
    (void)state;
    capture_write("half.csr", "x");
    assert_int_equal(CERTFLEET("pki", "csr", "half", "CN:x"), 2);
    assert_int_equal(access("half.key", F_OK), -1);
    assert_int_equal(
        CERTFLEET("pki", "csr", "kind", "CN:x", "--key", "rsa:1024"), 2);
    assert_int_equal(access("kind.key", F_OK), -1);
    assert_int_equal(CERTFLEET("pki", "csr", "word", "CN:x", "XX:y"), 2);
    assert_says(capture.err, "no attribute `XX'");
    assert_int_equal(
        CERTFLEET("pki", "csr", "word", "CN:x", "subjectAltName:a, b"), 2);
    assert_int_equal(
        CERTFLEET("pki", "sign", "dbserver", "dbca", "--days", "0"), 2);
    assert_int_equal(access("word.key", F_OK), -1);
}

static void test_inspect(void **state)
{
    json_t *result;

    (void)state;
    assert_int_equal(CERTFLEET("pki", "inspect", "dbserver.crt", "dbca.crt",
                               "dbserver.csr", "dbserver.key"),
                     0);
    assert_says(capture.out, "core2.example.com, IP:10.0.0.2");
    assert_says(capture.out, "dbca.crt: certificate (CA)");
    assert_says(capture.out, "dbserver.csr: request");
    assert_says(capture.out, "dbserver.key: private key");
    assert_int_equal(
        CERTFLEET("--json", "pki", "inspect", "dbserver.crt", "dbserver.key"),
        0);
    result = capture_result();
    json_decref(result);
    assert_says(capture.out, "\"event\":\"certificate\"");
    assert_null(strstr(capture.out, "PRIVATE"));
}

/* As a file of Windows and a careless `cat' leave it: the root first. */
static void make_messy(void)
{
    static char ca[1 << 14], leaf[1 << 14];
    struct str text;

    capture_read("dbca.crt", ca, sizeof(ca));
    capture_read("dbserver.crt", leaf, sizeof(leaf));
    str_init(&text, 1 << 16);
    str_add(&text, "Bag Attributes\r\n\r\n");
    for (const char *p = ca; *p; p++)
        str_addf(&text, "%s%c", *p == '\n' ? "\r" : "", *p);
    str_addf(&text, "\n%s", leaf);
    capture_write("messy.pem", str_text(&text));
    str_release(&text);
}

static void test_normalize(void **state)
{
    static char text[1 << 16];
    json_t *result;

    (void)state;
    make_messy();
    assert_int_equal(CERTFLEET("pki", "normalize", "messy.pem", "--order"), 0);
    assert_null(strchr(capture.out, '\r'));
    assert_null(strstr(capture.out, "\n\n"));
    assert_int_equal(strncmp(capture.out, "-----BEGIN CERTIFICATE-----", 27),
                     0);
    assert_int_equal(
        CERTFLEET("pki", "normalize", "messy.pem", "--order", "-o", "full.crt"),
        0);
    assert_int_equal(CERTFLEET("pki", "lint", "full.crt"), 0);
    assert_int_equal(CERTFLEET("pki", "verify", "full.crt", "full.crt"), 0);
    assert_int_equal(CERTFLEET("pki", "lint", "messy.pem"), 1);
    /* a key goes to a file, 0600, and never into JSON */
    assert_int_equal(
        CERTFLEET("pki", "normalize", "dbserver.key", "-o", "copy.key"), 0);
    assert_mode("copy.key", 0600);
    assert_int_equal(CERTFLEET("--json", "pki", "normalize", "dbserver.key"),
                     2);
    result = capture_result();
    json_decref(result);
    capture_read("dbserver.key", text, sizeof(text));
    assert_null(strstr(capture.out, "PRIVATE KEY"));
}

static void test_bad_input(void **state)
{
    static char text[1 << 15];

    (void)state;
    capture_write("empty.crt", "");
    capture_write("text.crt", "hello\n");
    capture_read("dbserver.crt", text, sizeof(text));
    text[strlen(text) / 2] = '\0';
    capture_write("cut.crt", text);
    refused(CERTFLEET("pki", "inspect", "none.crt"), "none.crt", "No such");
    refused(CERTFLEET("pki", "inspect", "."), ".", "not a regular file");
    refused(CERTFLEET("pki", "inspect", "empty.crt"), "empty.crt", "holds no");
    refused(CERTFLEET("pki", "inspect", "text.crt"), "text.crt", "holds no");
    refused(CERTFLEET("pki", "inspect", "cut.crt"), "cut.crt", "does not end");
    refused(CERTFLEET("pki", "match", "dbserver.crt", "dbserver.key"),
            "dbserver.crt", "no private key");
    refused(CERTFLEET("pki", "match", "dbserver.key", "cut.crt"), "cut.crt",
            "does not end");
    refused(CERTFLEET("pki", "verify", "cut.crt", "dbca.crt"), "cut.crt",
            "does not end");
    refused(CERTFLEET("pki", "verify", "dbserver.crt", "text.crt"), "text.crt",
            "holds no");
    refused(CERTFLEET("pki", "unlock", "dbserver.crt"), "dbserver.crt",
            "no private key");
}

static void test_bad_words(void **state)
{
    (void)state;
    refused(CERTFLEET("pki", "csr", "bad", "CN:a", "CN:b"), "CN",
            "stands twice");
    /* the names of both would not fit into the room for the second */
    refused(CERTFLEET("pki", "csr", "bad", "CN:a",
                      "subjectAltName:b,c,d,e,f,g,h,i,j", "subjectAltName:c"),
            "subjectAltName", "stands twice");
    refused(CERTFLEET("pki", "csr", "bad", "CN:a", "subjectAltName:b,,c"),
            "subjectAltName", "empty name");
    refused(CERTFLEET("pki", "csr", "bad", "CN:a", "subjectAltName:b,"),
            "subjectAltName", "empty name");
    refused(CERTFLEET("pki", "csr", "bad", "CN:a", "subjectAltName:b, c"),
            "subjectAltName", "no blanks");
    refused(CERTFLEET("pki", "csr", "bad", "CN:a", "subjectAltName:10.0.0.300"),
            "10.0.0.300", "neither a DNS name");
    refused(CERTFLEET("pki", "csr", "bad", "CN:My CA", "subjectAltName:b"),
            "My CA", "neither a DNS name");
    refused(CERTFLEET("pki", "csr", "bad", "CN:a", "C:GBR"), "C=GBR",
            "too long");
    assert_int_equal(CERTFLEET("pki", "pkcs12-to-ssh", "bad"), 2);
    assert_says(capture.err, "no such command: `pkcs12-to-ssh'");
    assert_int_equal(access("bad.key", F_OK), -1);
    assert_int_equal(access("bad.csr", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_a_set_in_the_words_of_the_mmp),
        cmocka_unit_test(test_openssl_agrees),
        cmocka_unit_test(test_match_and_verify),
        cmocka_unit_test(test_verify_by_profile),
        cmocka_unit_test(test_nothing_is_overwritten),
        cmocka_unit_test(test_a_refused_make_leaves_nothing),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_normalize),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_bad_words),
    };

    return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
