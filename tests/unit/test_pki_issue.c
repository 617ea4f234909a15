/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaves: what they hold, whom they name, how long they live, and what
 * OpenSSL's own program says of them.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/unit/pki_make.h"

static struct made root;
static struct pki_ca ca;
static struct secret *rsa_key, *ec_key;

static int setup(void **state)
{
    struct recipe r = CA_RECIPE("Root");
    struct err err = {0};

    (void)state;
    r.to = MAKE_NOW + 1000LL * 86400;
    root = make_cert(&r, NULL);
    ca.cert_pem = root.pem;
    ca.key_pem = root.key_pem;
    rsa_key = make_rsa();
    ec_key = pki_key_make("ec:P-384", &err);
    return rsa_key && ec_key ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    secret_free(rsa_key);
    secret_free(ec_key);
    return 0;
}

static char *sign(const struct secret *key, const struct pki_subject *subject,
                  enum pki_purpose purpose, unsigned days)
{
    struct pki_leaf_options options = {
        .subject = subject, .purpose = purpose, .days = days, .now = MAKE_NOW};
    struct err err = {0};
    char *pem;

    if (pki_sign(&ca, key, &options, &pem, &err) < 0)
        fail_msg("%s", err.text);
    return pem;
}

static void sign_fails(const struct secret *key,
                       const struct pki_subject *subject, unsigned days,
                       int64_t now, const char *words)
{
    struct pki_leaf_options options = {
        .subject = subject, .purpose = PKI_SERVER, .days = days, .now = now};
    struct err err = {0};
    char *pem = (char *)1;

    assert_int_equal(pki_sign(&ca, key, &options, &pem, &err), -1);
    assert_null(pem);
    assert_int_equal(err.cause, CAUSE_INPUT);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" lacks \"%s\"", err.text, words);
}

static void test_usage(void **state)
{
    const struct pki_subject subject = {.common_name = "a"};
    const uint32_t both = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    char *pem;

    (void)state;
    pem = sign(rsa_key, &subject, PKI_SERVER, 10);
    check_usage(pem, both, XKU_SSL_SERVER);
    free(pem);
    pem = sign(rsa_key, &subject, PKI_CLIENT, 10);
    check_usage(pem, both, XKU_SSL_CLIENT);
    free(pem);
    pem = sign(ec_key, &subject, PKI_ANY, 10);
    check_usage(pem, KU_DIGITAL_SIGNATURE, XKU_SSL_SERVER | XKU_SSL_CLIENT);
    free(pem);
}

static void test_times(void **state)
{
    const struct pki_subject subject = {.common_name = "a"};
    struct pki_cert_info info;
    char *pem = sign(ec_key, &subject, PKI_SERVER, 825);

    (void)state;
    info = info_of(pem);
    assert_int_equal(info.not_before, MAKE_NOW - 3600);
    assert_int_equal(info.not_after, MAKE_NOW + 825LL * 86400);
    free(pem);
    pem = sign(ec_key, &subject, PKI_SERVER, 5000); /* cut to the CA's end */
    info = info_of(pem);
    assert_int_equal(info.not_after, MAKE_NOW + 1000LL * 86400);
    free(pem);
    sign_fails(ec_key, &subject, 10, MAKE_NOW + 1000LL * 86400,
               "has expired (2029-10-11 08:00:00Z)");
    sign_fails(ec_key, &subject, 0, MAKE_NOW, "days 0");
    sign_fails(ec_key, &subject, 4000000000U, MAKE_NOW, "days 4000000000");
}

/* Beyond 2049 certificates write times in another form. */
static void test_far_times(void **state)
{
    struct recipe r = CA_RECIPE("Far");
    const struct pki_subject subject = {.common_name = "a"};
    struct pki_leaf_options options = {.subject = &subject,
                                       .purpose = PKI_SERVER,
                                       .days = 36500,
                                       .now = MAKE_NOW};
    struct made far;
    struct pki_ca far_ca;
    struct err err = {0};
    char *pem;

    (void)state;
    r.to = MAKE_NOW + 50000LL * 86400;
    far = make_cert(&r, NULL);
    far_ca.cert_pem = far.pem;
    far_ca.key_pem = far.key_pem;
    assert_int_equal(pki_sign(&far_ca, ec_key, &options, &pem, &err), 0);
    assert_int_equal(info_of(pem).not_after, MAKE_NOW + 36500LL * 86400);
    free(pem);
    made_free(&far);
}

static void names_are(const char *cn, const char *const *hosts,
                      const char *want)
{
    const struct pki_subject subject = {.common_name = cn, .hosts = hosts};
    char *pem = sign(ec_key, &subject, PKI_SERVER, 10);

    assert_string_equal(info_of(pem).names, want);
    assert_string_equal(info_of(pem).common_name, cn);
    free(pem);
}

static void test_names(void **state)
{
    const char *const hosts[] = {"core1.example.com", "core2.example.com",
                                 "CORE2.example.com", "10.0.0.1",
                                 "10.0.0.1",          "2001:db8::1",
                                 "2001:0db8:0:0::1",  NULL};
    const char *const wild[] = {"*.example.com", NULL};
    const char *const none[] = {NULL};

    (void)state;
    names_are("core1.example.com", hosts,
              "DNS:core1.example.com, DNS:core2.example.com, IP:10.0.0.1, "
              "IP:2001:db8::1");
    names_are("core9", wild, "DNS:core9, DNS:*.example.com");
    names_are("postgres", NULL, "DNS:postgres");
    names_are("postgres", none, "DNS:postgres");
    names_are("10.0.0.7", NULL, "IP:10.0.0.7");
    names_are("not a host", NULL, "");
    names_are("under_score", NULL, "");
    names_are("not a host", wild, "DNS:*.example.com");
}

static void test_bad_names(void **state)
{
    const char *const bad[] = {
        "",     "a b", "a_b",          "-a",      "a-",
        "a..b", ".a",  "10.0.0.300",   "1.2.3",   "a.*.b",
        "**.a", "*",   "b\xc3\xbc.de", "a,DNS:b", NULL};
    char label[80], longest[300];

    (void)state;
    for (int i = 0; bad[i]; i++) {
        const char *const hosts[] = {bad[i], NULL};
        const struct pki_subject subject = {.common_name = "ok",
                                            .hosts = hosts};
        sign_fails(ec_key, &subject, 10, MAKE_NOW, "neither a DNS name");
    }
    memset(label, 'a', 64);
    label[64] = '\0';
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = i % 2 ? '.' : 'a';
    longest[255] = '\0';
    {
        const char *const hosts[] = {label, NULL}, *const far[] = {longest,
                                                                   NULL};
        const struct pki_subject a = {.common_name = "ok", .hosts = hosts};
        const struct pki_subject b = {.common_name = "ok", .hosts = far};
        sign_fails(ec_key, &a, 10, MAKE_NOW, "neither a DNS name");
        sign_fails(ec_key, &b, 10, MAKE_NOW, "neither a DNS name");
    }
}

static void subject_is(const char *rest, const char *want)
{
    const struct pki_subject subject = {.common_name = "a", .rest = rest};
    char *pem = sign(ec_key, &subject, PKI_SERVER, 10);

    assert_string_equal(info_of(pem).subject, want);
    free(pem);
}

static void subject_fails(const char *cn, const char *rest, const char *words)
{
    const struct pki_subject subject = {.common_name = cn, .rest = rest};

    sign_fails(ec_key, &subject, 10, MAKE_NOW, words);
}

static void test_subjects(void **state)
{
    (void)state;
    subject_is(NULL, "CN=a");
    subject_is("", "CN=a");
    subject_is("O=Example Inc.,C=GB", "CN=a,O=Example Inc.,C=GB");
    subject_is(" O = Example Inc. , c=GB ", "CN=a,O=Example Inc.,C=GB");
    subject_is("OU=x,OU=y,O=A\\, B,L=K\xc3\xb6ln,ST=NW,C=DE",
               "CN=a,OU=x,OU=y,O=A\\, B,L=K\xc3\xb6ln,ST=NW,C=DE");
    subject_is("DC=example,DC=com", "CN=a,DC=example,DC=com");
    subject_fails("", NULL, "no common name");
    subject_fails(NULL, NULL, "no common name");
    subject_fails("a", "CN=b", "\"CN=b\"");
    subject_fails("a", "O", "not one of");
    subject_fails("a", "O=", "empty");
    subject_fails("a", "O=x,,C=GB", "not one of");
    subject_fails("a", "C=GBR", "C=GBR");
    subject_fails("a", "X=1", "not one of");
    subject_fails("a", "O=\xff\xfe", "subject");
    subject_fails("a-host-name-that-is-longer-than-sixty-four-characters."
                  "example.com",
                  NULL, "over 64 characters");
}

static void test_serials(void **state)
{
    const struct pki_subject subject = {.common_name = "a"};
    char seen[16][64];

    (void)state;
    for (int i = 0; i < 16; i++) {
        char *pem = sign(ec_key, &subject, PKI_SERVER, 10);
        struct pki_cert_info info = info_of(pem);
        assert_true(strlen(info.serial) <= 32);
        assert_true(strlen(info.serial) >= 24);
        assert_true(info.serial[0] != '-');
        memcpy(seen[i], info.serial, sizeof(seen[i]));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
        free(pem);
    }
}

static void test_bad_keys(void **state)
{
    const struct pki_subject subject = {.common_name = "a"};
    struct recipe r = {.cn = "x", .kind = 1024};
    struct made weak = make_cert(&r, NULL);
    struct secret *junk = secret_from("junk", 4);

    (void)state;
    sign_fails(weak.key_pem, &subject, 10, MAKE_NOW, "rsa:1024");
    sign_fails(junk, &subject, 10, MAKE_NOW, "cannot be read");
    made_free(&weak);
    secret_free(junk);
}

/* A CA whose halves do not belong together signs nothing. */
static void test_wrong_ca_key(void **state)
{
    struct pki_ca mixed = {.cert_pem = root.pem, .key_pem = ec_key};
    const struct pki_subject subject = {.common_name = "a"};
    struct pki_leaf_options options = {
        .subject = &subject, .days = 10, .now = MAKE_NOW};
    struct err err = {0};
    char *pem;

    (void)state;
    assert_int_equal(pki_sign(&mixed, ec_key, &options, &pem, &err), -1);
    assert_null(pem);
}

/* A CA of the vendor's recipe has no key id; the leaf still names its key. */
static void test_plain_ca(void **state)
{
    struct recipe r = {.cn = "Plain", .v1 = true};
    struct made plain = make_cert(&r, NULL);
    struct pki_ca plain_ca = {.cert_pem = plain.pem, .key_pem = plain.key_pem};
    const struct pki_subject subject = {.common_name = "a"};
    struct pki_leaf_options options = {.subject = &subject,
                                       .purpose = PKI_SERVER,
                                       .days = 10,
                                       .now = MAKE_NOW};
    struct err err = {0};
    X509 *cert;
    char *pem;

    (void)state;
    assert_int_equal(pki_sign(&plain_ca, ec_key, &options, &pem, &err), 0);
    assert_int_equal(pki_verify(pem, strlen(pem), plain.pem, strlen(plain.pem),
                                PKI_SERVER, MAKE_NOW, &err),
                     0);
    cert = parse(pem);
    assert_non_null(X509_get0_authority_key_id(cert));
    assert_null(X509_get0_authority_issuer(cert)); /* the key's id alone */
    assert_null(X509_get0_authority_serial(cert));
    X509_free(cert);
    free(pem);
    made_free(&plain);
}

/* -- the other opinion --------------------------------------------------- */

static char folder[64];

static void put(const char *name, const char *pem)
{
    struct err err = {0};
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(file_write(path, pem, strlen(pem), 0600, false, &err), 0);
}

/* Runs it with its words thrown away; the exit status, or -1. */
static int run(char *const argv[])
{
    posix_spawn_file_actions_t files;
    int status = -1, rc;
    pid_t pid;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    rc = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (rc != 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int openssl_verify(char *purpose, const char *leaf)
{
    char at[24], ca_path[128], leaf_path[128];
    char *argv[] = {"openssl",  "verify", "-x509_strict", "-attime", at,
                    "-purpose", purpose,  "-CAfile",      ca_path,   leaf_path,
                    NULL};

    snprintf(at, sizeof(at), "%d", MAKE_NOW);
    snprintf(ca_path, sizeof(ca_path), "%s/ca", folder);
    snprintf(leaf_path, sizeof(leaf_path), "%s/%s", folder, leaf);
    return run(argv);
}

static void compare(const struct secret *key)
{
    const char *const hosts[] = {"core1.example.com", "10.0.0.1", NULL};
    const struct pki_subject server = {"core1.example.com", "O=X", hosts};
    const struct pki_subject client = {.common_name = "postgres"};
    char *s = sign(key, &server, PKI_SERVER, 825);
    char *c = sign(key, &client, PKI_CLIENT, 825);

    put("ca", root.pem);
    put("s", s);
    put("c", c);
    assert_int_equal(openssl_verify("sslserver", "s"), 0);
    assert_int_equal(openssl_verify("sslclient", "c"), 0);
    assert_int_not_equal(openssl_verify("sslclient", "s"), 0);
    assert_int_not_equal(openssl_verify("sslserver", "c"), 0);
    free(s);
    free(c);
}

static void test_openssl_agrees(void **state)
{
    static const char *const names[] = {"ca", "s", "c"};
    char *version[] = {"openssl", "version", NULL};
    char path[128];

    (void)state;
    if (run(version) != 0)
        skip();
    snprintf(folder, sizeof(folder), "/tmp/certfleet-issue-XXXXXX");
    assert_non_null(mkdtemp(folder));
    compare(rsa_key);
    compare(ec_key);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),          cmocka_unit_test(test_times),
        cmocka_unit_test(test_far_times),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_bad_names),      cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_serials),        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_wrong_ca_key),   cmocka_unit_test(test_plain_ca),
        cmocka_unit_test(test_openssl_agrees),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
