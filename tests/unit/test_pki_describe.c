/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys made and read, certificates put into words, keys matched, hosts found.
 */
#include <stdio.h>

#include "tests/unit/pki_make.h"
#include "tests/unit/slow.h"

static void test_sha256(void **state)
{
    char hex[PKI_SHA256_HEX];

    (void)state;
    pki_sha256("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad");
    pki_sha256(NULL, 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb924"
                             "27ae41e4649b934ca495991b7852b855");
}

static void test_kinds(void **state)
{
    const char *const good[] = {"rsa:2048", "rsa:3072", "rsa:4096",
                                "ec:P-256", "ec:P-384", NULL};
    const char *const bad[] = {"rsa:1024", "rsa:",    "rsa", "RSA:2048",
                               "ec:P-521", "ed25519", "",    NULL};
    struct err err = {0};

    (void)state;
    for (int i = 0; good[i]; i++)
        assert_int_equal(pki_key_kind_check(good[i], &err), 0);
    for (int i = 0; bad[i]; i++) {
        assert_int_equal(pki_key_kind_check(bad[i], &err), -1);
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_null(pki_key_make(bad[i], &err));
    }
    assert_int_equal(pki_key_kind_check(NULL, &err), -1);
}

static void test_make(void **state)
{
    const char *const kinds[] = {"rsa:2048", "rsa:3072", "ec:P-256", "ec:P-384",
                                 NULL};
    struct pki_cert_info info, other;
    struct err err = {0};

    (void)state;
    /* to make RSA keys takes valgrind a minute, all of it OpenSSL's */
    for (int i = is_slow() ? 2 : 0; kinds[i]; i++) {
        struct secret *key = pki_key_make(kinds[i], &err);
        struct secret *second = pki_key_make(kinds[i], &err);
        assert_non_null(key);
        assert_int_equal(
            strncmp(secret_text(key), "-----BEGIN PRIVATE KEY-----\n", 28), 0);
        assert_int_equal(pki_describe(key->data, key->len, &info, &err), 0);
        assert_int_equal(info.kind, PKI_KEY);
        assert_string_equal(info.key, kinds[i]);
        assert_int_equal(strlen(info.spki_sha256), 64);
        pki_describe(second->data, second->len, &other, &err);
        assert_string_not_equal(info.spki_sha256, other.spki_sha256);
        secret_free(key);
        secret_free(second);
    }
}

static void test_certificate(void **state)
{
    struct recipe ca = CA_RECIPE("Root, the \"first\"");
    struct recipe l = SERVER_RECIPE(
        "core1", "DNS:core1,DNS:*.x.org,IP:10.0.0.1,IP:2001:db8::1,"
                 "email:a@b.c,URI:http://x/,RID:1.2.3");
    struct made root = make_cert(&ca, NULL), leaf;
    struct pki_cert_info info, key;
    struct err err = {0};
    unsigned char *der = NULL;
    char hex[PKI_SHA256_HEX];
    int n;

    (void)state;
    l.serial = 0x0102abcd;
    leaf = make_cert(&l, &root);
    assert_int_equal(pki_describe(leaf.pem, strlen(leaf.pem), &info, &err), 0);
    assert_int_equal(info.kind, PKI_CERTIFICATE);
    assert_string_equal(info.subject, "CN=core1");
    assert_string_equal(info.issuer, "CN=Root\\, the \\\"first\\\"");
    assert_string_equal(info.common_name, "core1");
    assert_string_equal(info.serial, "0102abcd");
    assert_string_equal(info.key, "ec:P-256");
    assert_string_equal(info.signature, "ecdsa-with-SHA256");
    assert_int_equal(info.not_before, MAKE_NOW - 3600);
    assert_int_equal(info.not_after, MAKE_NOW + 365LL * 86400);
    assert_false(info.is_ca);
    assert_false(info.self_issued);
    assert_string_equal(info.names,
                        "DNS:core1, DNS:*.x.org, IP:10.0.0.1, IP:2001:db8::1,"
                        " email:a@b.c, URI:http://x/, other");
    n = i2d_X509(leaf.cert, &der);
    pki_sha256(der, (size_t)n, hex);
    assert_string_equal(info.sha256, hex);
    pki_describe(leaf.key_pem->data, leaf.key_pem->len, &key, &err);
    assert_string_equal(info.spki_sha256, key.spki_sha256);
    /* DER tells the same, and that it is DER */
    assert_int_equal(pki_describe(der, (size_t)n, &key, &err), 0);
    assert_true(info.pem && !key.pem);
    key.pem = true;
    assert_memory_equal(&key, &info, sizeof(info));
    pki_describe(root.pem, strlen(root.pem), &info, &err);
    assert_true(info.is_ca && info.self_issued);
    assert_string_equal(info.names, "");
    OPENSSL_free(der);
    made_free(&root);
    made_free(&leaf);
}

static void test_key_kinds(void **state)
{
    // clang-format off
    const struct { int kind; const char *text; } rows[] = {
        { 1024, "rsa:1024" },
        { -NID_secp521r1, "ec:P-521" },
        { -NID_secp256k1, "ec:secp256k1" },
        { -NID_ED25519, "ed25519" },
    };
    // clang-format on
    struct pki_cert_info info;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recipe r = {.cn = "x", .kind = rows[i].kind};
        struct made made = make_cert(&r, NULL);
        pki_describe(made.pem, strlen(made.pem), &info, &err);
        assert_string_equal(info.key, rows[i].text);
        made_free(&made);
    }
}

/* A name that plays two names must not read as two. */
static void test_hostile_names(void **state)
{
    struct recipe r = {.cn = "x\x1b[31m"};
    struct made made;
    struct pki_cert_info info;
    struct err err = {0};
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    (void)state;
    made = make_cert(&r, NULL);
    ASN1_STRING_set(text, "a, DNS:b\0c\\", 11);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, name);
    X509_add1_ext_i2d(made.cert, NID_subject_alt_name, names, 0, 0);
    X509_sign(made.cert, made.key, EVP_sha256());
    free(made.pem);
    made.pem = make_pem(made.cert);
    pki_describe(made.pem, strlen(made.pem), &info, &err);
    assert_string_equal(info.names, "DNS:a\\x2c\\x20DNS:b\\x00c\\x5c");
    assert_string_equal(info.common_name, "x\\x1b[31m");
    assert_null(strchr(info.subject, '\x1b'));
    assert_false(pki_names_host(made.pem, strlen(made.pem), "b"));
    GENERAL_NAMES_free(names);
    made_free(&made);
}

/* Marks of direction, C1, and a cut in the middle of a character. */
static void test_names_are_visible(void **state)
{
    struct recipe r = {.cn = "a\xe2\x80\xae"
                             "b\xc2\x9b"
                             "c\xe2\x80\xac"};
    struct made made = make_cert(&r, NULL);
    X509_NAME *name = X509_get_subject_name(made.cert);
    struct pki_cert_info info;
    struct str again;

    (void)state;
    pki_describe(made.pem, strlen(made.pem), &info, NULL);
    assert_string_equal(info.subject,
                        "CN=a\\xe2\\x80\\xaeb\\xc2\\x9bc\\xe2\\x80\\xac");
    for (int i = 0; i < 12; i++) {
        X509_NAME_add_entry_by_txt(
            name, "OU", MBSTRING_UTF8,
            (const unsigned char *)"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
                                   "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
            -1, -1, 0);
        X509_sign(made.cert, made.key, EVP_sha256());
        free(made.pem);
        made.pem = make_pem(made.cert);
        pki_describe(made.pem, strlen(made.pem), &info, NULL);
        str_init(&again, 4096);
        str_add_visible(&again, info.subject, strlen(info.subject), false);
        assert_string_equal(str_text(&again), info.subject);
        str_release(&again);
    }
    assert_string_equal(info.subject + strlen(info.subject) - 3, "...");
    made_free(&made);
}

static void test_long_names(void **state)
{
    struct recipe r = SERVER_RECIPE("x", NULL);
    struct pki_cert_info info;
    struct err err = {0};
    struct made made;
    struct str san;

    (void)state;
    str_init(&san, 1 << 16);
    for (int i = 0; i < 100; i++)
        str_addf(&san, "%sDNS:host-%04d.example.com", i ? "," : "", i);
    r.san = str_text(&san);
    r.aki = NULL;
    made = make_cert(&r, NULL);
    pki_describe(made.pem, strlen(made.pem), &info, &err);
    assert_int_equal(strlen(info.names), sizeof(info.names) - 1);
    assert_string_equal(info.names + sizeof(info.names) - 4, "...");
    str_release(&san);
    made_free(&made);
}

static void test_describe_all(void **state)
{
    struct recipe a = CA_RECIPE("A"), b = CA_RECIPE("B");
    struct made first = make_cert(&a, NULL), second = make_cert(&b, NULL);
    char *both = join(second.pem, secret_text(second.key_pem), first.pem);
    struct pki_cert_info *infos, one;
    struct err err = {0};
    size_t n;

    (void)state;
    assert_int_equal(pki_describe_all(both, strlen(both), &infos, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(infos[0].subject, "CN=B");
    assert_string_equal(infos[1].subject, "CN=A");
    free(infos);
    assert_int_equal(pki_describe_all("x", 1, &infos, &n, &err), -1);
    assert_null(infos);
    assert_int_equal(n, 0);
    assert_int_equal(pki_describe_all(first.key_pem->data, first.key_pem->len,
                                      &infos, &n, &err),
                     -1);
    assert_non_null(strstr(err.text, "no certificate"));
    /* the first of a mixed file decides */
    assert_int_equal(pki_describe(both, strlen(both), &one, &err), 0);
    assert_string_equal(one.subject, "CN=B");
    assert_int_equal(pki_describe("junk", 4, &one, &err), -1);
    assert_int_equal(one.kind, PKI_UNKNOWN);
    free(both);
    made_free(&first);
    made_free(&second);
}

static int match(const struct secret *key, const char *pass, const char *cert,
                 struct err *err)
{
    struct secret *secret = pass ? secret_from(pass, strlen(pass)) : NULL;
    int rc = pki_match(key->data, key->len, secret, cert, strlen(cert), err);

    secret_free(secret);
    return rc;
}

static void test_match(void **state)
{
    struct recipe r = SERVER_RECIPE("a", "DNS:a"), ca = CA_RECIPE("C");
    struct made root = make_cert(&ca, NULL), leaf = make_cert(&r, &root);
    struct pki_subject subject = {.common_name = "a"};
    struct secret *locked = make_key_pem(leaf.key, EVP_aes_256_cbc(), "sesame");
    struct pki_cert_info info;
    struct err err = {0};
    char *request;

    (void)state;
    assert_int_equal(match(leaf.key_pem, NULL, leaf.pem, &err), 0);
    assert_int_equal(match(root.key_pem, NULL, leaf.pem, &err), -1);
    assert_non_null(strstr(err.text, "does not belong"));
    assert_int_equal(match(locked, "sesame", leaf.pem, &err), 0);
    assert_int_equal(match(locked, "wrong", leaf.pem, &err), -1);
    assert_non_null(strstr(err.text, "does not open"));
    assert_int_equal(match(locked, NULL, leaf.pem, &err), -1);
    assert_non_null(strstr(err.text, "no passphrase"));
    assert_int_equal(match(leaf.key_pem, NULL, "junk", &err), -1);
    assert_int_equal(
        pki_request(leaf.key_pem, &subject, PKI_SERVER, &request, &err), 0);
    assert_int_equal(match(leaf.key_pem, NULL, request, &err), 0);
    assert_int_equal(match(root.key_pem, NULL, request, &err), -1);
    assert_int_equal(pki_describe(locked->data, locked->len, &info, &err), 0);
    assert_int_equal(info.kind, PKI_KEY);
    assert_string_equal(info.key, "encrypted");
    free(request);
    secret_free(locked);
    made_free(&root);
    made_free(&leaf);
}

/* The old form of encryption, with its header lines. */
static void test_old_locked(void **state)
{
    struct recipe r = SERVER_RECIPE("a", "DNS:a");
    struct made leaf;
    struct secret *locked;
    struct err err = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long n;

    (void)state;
    r.aki = NULL;
    leaf = make_cert(&r, NULL);
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                         bio, leaf.key, EVP_aes_128_cbc(),
                         (const unsigned char *)"pw", 2, NULL, NULL),
                     1);
    n = BIO_get_mem_data(bio, &data);
    locked = secret_from(data, (size_t)n);
    assert_non_null(strstr(secret_text(locked), "Proc-Type"));
    assert_int_equal(match(locked, "pw", leaf.pem, &err), 0);
    assert_int_equal(match(locked, "no", leaf.pem, &err), -1);
    assert_int_equal(match(locked, NULL, leaf.pem, &err), -1);
    BIO_free(bio);
    secret_free(locked);
    made_free(&leaf);
}

static void test_hosts(void **state)
{
    struct recipe r = SERVER_RECIPE(
        "cn.example.com", "DNS:a.example.com,DNS:*.w.org,DNS:f*.v.org,"
                          "IP:10.0.0.1,IP:2001:db8::1");
    struct recipe bare = {.cn = "cn.example.com"};
    const char *const yes[] = {"a.example.com",
                               "A.EXAMPLE.com",
                               "a.example.com.",
                               "x.w.org",
                               "10.0.0.1",
                               "2001:db8:0::1",
                               NULL};
    const char *const no[] = {
        "b.example.com", "cn.example.com", "x.y.w.org", "w.org", "foo.v.org",
        "10.0.0.2",      "2001:db8::2",    "",          ".",     NULL};
    struct made made, plain = make_cert(&bare, NULL);

    (void)state;
    r.aki = NULL;
    made = make_cert(&r, NULL);
    for (int i = 0; yes[i]; i++)
        if (!pki_names_host(made.pem, strlen(made.pem), yes[i]))
            fail_msg("%s", yes[i]);
    for (int i = 0; no[i]; i++)
        if (pki_names_host(made.pem, strlen(made.pem), no[i]))
            fail_msg("%s", no[i]);
    /* without a SAN the common name stands in */
    assert_true(pki_names_host(plain.pem, strlen(plain.pem), "cn.example.com"));
    assert_false(pki_names_host("junk", 4, "a"));
    made_free(&made);
    made_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_key_kinds),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_describe_all),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_old_locked),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_names_are_visible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
