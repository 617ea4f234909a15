/* SPDX-License-Identifier: Apache-2.0
 *
 * The database set: a good one has no finding above the vendor's recipe, and
 * each fault has its id.
 */
#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/rsa.h>

#include "tests/unit/pki_db_set.h"
#include "tests/unit/slow.h"

static void test_good(void **state)
{
    struct change change = {0};
    struct pki_findings f = {0};
    struct pki_db_set set = {
        .client_key = client.key_pem->data,
        .client_key_len = client.key_pem->len,
        .client_cert = client.pem,
        .client_cert_len = strlen(client.pem),
        .ca = root.pem,
        .ca_len = strlen(root.pem),
    };

    (void)state;
    lint(&change, &f);
    pki_lint_db_set(&set, &f); /* connect-only: no server, no date */
    print_findings(&f);
    assert_int_equal(f.n, 0);
    pki_findings_release(&f);
}

static void test_keys(void **state)
{
    struct change change = {.server_key = client.key_pem};
    struct recipe r = server_recipe();
    struct secret *locked = make_key_pem(server.key, EVP_aes_256_cbc(), "pw");
    struct secret *junk = secret_from("junk", 4);
    struct recipe shared = client_recipe();

    (void)state;
    found(&change, "B1", PKI_ERROR);
    change.server_key = locked;
    found(&change, "A8", PKI_ERROR);
    change.server_key = junk;
    found(&change, "A9", PKI_ERROR);
    r.kind = 1024;
    server_found(&r, "B2", PKI_ERROR);
    r.kind = -NID_secp521r1;
    server_found(&r, "B2", PKI_ERROR);
    r.kind = -NID_ED25519;
    server_found(&r, "B2", PKI_ERROR);
    shared.key = server.key;
    client_found(&shared, "B6", PKI_WARNING);
    secret_free(locked);
    secret_free(junk);
}

/* Their keys take too long to make, or cannot be asked for simply. */
static void test_odd_rsa(void **state)
{
    struct recipe r = server_recipe();
    EVP_PKEY_CTX *ctx;
    BIGNUM *three;

    (void)state;
    if (is_slow())
        skip(); /* half a minute of valgrind's, and all of it OpenSSL's */
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    three = BN_new();
    BN_set_word(three, 3);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, three), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &r.key), 1);
    server_found(&r, "B7", PKI_BLOCK);
    EVP_PKEY_free(r.key);
    EVP_PKEY_CTX_free(ctx);
    BN_free(three);
}

static void test_signatures(void **state)
{
    struct recipe r = server_recipe(), m = CA_RECIPE("Sub");
    struct change change = {0};
    struct made sub, leaf;
    char *bundle;

    (void)state;
    r.digest = EVP_sha1();
    server_found(&r, "B4", PKI_ERROR);
    r.digest = EVP_sha512();
    {
        struct made ok = make_cert(&r, &root);
        struct pki_findings f = {0};
        change.server = &ok;
        lint(&change, &f);
        assert_int_equal(f.n, 0);
        made_free(&ok);
    }
    m.digest = EVP_sha1(); /* of an intermediate */
    m.aki = "keyid";
    sub = make_cert(&m, &root);
    r.digest = NULL;
    leaf = make_cert(&r, &sub);
    bundle = join(sub.pem, root.pem, NULL);
    change.server = &leaf;
    change.ca = bundle;
    found(&change, "B4", PKI_ERROR);
    free(bundle);
    made_free(&leaf);
    made_free(&sub);
}

/* The vendor's recipe: every strict finding is a warning. */
static void test_recipe_warns(void **state)
{
    struct recipe ca = {.cn = "Plain Root", .basic = "CA:TRUE"};
    struct recipe s = {.cn = "core1.example.com", .v1 = true};
    struct recipe c = {.cn = "postgres", .v1 = true};
    const char *const one[] = {"core1.example.com", NULL};
    struct made plain = make_cert(&ca, NULL), sc, cc;
    struct pki_findings f = {0};
    struct change change = {.hosts = one};

    (void)state;
    sc = make_cert(&s, &plain);
    cc = make_cert(&c, &plain);
    change.server = &sc;
    change.client = &cc;
    change.ca = plain.pem;
    lint(&change, &f);
    if (pki_findings_has_error(&f)) {
        print_findings(&f);
        fail_msg("the vendor's recipe is refused");
    }
    assert_true(has_finding(&f, "B8", PKI_WARNING));
    assert_true(has_finding(&f, "B12", PKI_WARNING));
    assert_true(has_finding(&f, "C5", PKI_WARNING));
    assert_true(has_finding(&f, "E2", PKI_WARNING));
    assert_true(has_finding(&f, "D2", PKI_INFO));
    pki_findings_release(&f);
    made_free(&plain);
    made_free(&sc);
    made_free(&cc);
}

static void test_leaf_shape(void **state)
{
    struct recipe r = server_recipe();

    (void)state;
    r.basic = "critical,CA:TRUE";
    server_found(&r, "B9", PKI_ERROR);
    r = server_recipe();
    r.ku = "critical,digitalSignature,keyCertSign";
    server_found(&r, "B9", PKI_ERROR);
    r = server_recipe();
    r.odd = "1.2.3.4.5";
    /* found by the leaf's own check; the path stops at it too */
    server_found(&r, "B11", PKI_ERROR);
    r = server_recipe();
    r.aki = NULL;
    server_found(&r, "B12", PKI_WARNING);
    r = server_recipe();
    r.san = NULL;
    {
        const char *const one[] = {"core1.example.com", NULL};
        struct made made = make_cert(&r, &root);
        struct change change = {.server = &made, .hosts = one};
        found(&change, "B8", PKI_WARNING);
        found(&change, "E2", PKI_WARNING);
        made_free(&made);
    }
    r = server_recipe();
    r.serial = -5;
    server_found(&r, "B10", PKI_WARNING);
}

static void test_self_signed(void **state)
{
    struct recipe r = server_recipe();
    struct made self;
    struct change change = {.server = &self};
    struct pki_findings f = {0};

    (void)state;
    r.aki = NULL;
    self = make_cert(&r, NULL);
    lint(&change, &f);
    assert_true(has_finding(&f, "B13", PKI_ERROR));
    assert_true(has_finding(&f, "C1", PKI_ERROR));
    pki_findings_release(&f);
    made_free(&self);
}

static void test_serials(void **state)
{
    struct recipe s = server_recipe(), c = client_recipe();
    struct made a, b;
    struct change change = {.server = &a, .client = &b};

    (void)state;
    s.serial = c.serial = 77;
    a = make_cert(&s, &root);
    b = make_cert(&c, &root);
    found(&change, "B10", PKI_ERROR);
    made_free(&a);
    made_free(&b);
}

static void test_usage(void **state)
{
    struct recipe s = server_recipe(), c = client_recipe();

    (void)state;
    s.eku = "clientAuth";
    server_found(&s, "D1", PKI_ERROR);
    s.eku = "anyExtendedKeyUsage";
    server_found(&s, "D7", PKI_WARNING);
    s.eku = NULL;
    server_found(&s, "D2", PKI_INFO);
    s = server_recipe();
    s.ku = "critical,keyAgreement";
    s.eku = NULL;
    server_found(&s, "D2", PKI_INFO); /* and no error with it */
    s = server_recipe();
    s.ku = "critical,nonRepudiation";
    server_found(&s, "D3", PKI_ERROR);
    s = server_recipe();
    s.ns = "client";
    server_found(&s, "D6", PKI_ERROR);
    c.eku = "serverAuth";
    client_found(&c, "D1", PKI_ERROR);
    c = client_recipe();
    c.ku = "critical,keyEncipherment";
    client_found(&c, "D3", PKI_ERROR);
}

static void test_times(void **state)
{
    struct recipe s = server_recipe();
    struct change change = {.at = MAKE_NOW + 366LL * 86400};

    (void)state;
    found(&change, "C8", PKI_ERROR);
    change.at = MAKE_NOW - 2 * 3600;
    found(&change, "C8", PKI_ERROR);
    s.to = MAKE_NOW + 4000LL * 86400;
    server_found(&s, "F12", PKI_ERROR);
}

static void test_server_names(void **state)
{
    const char *const more[] = {"core1.example.com", "core3.example.com", NULL};
    const char *const ip[] = {"10.0.0.9", NULL};
    struct recipe s = server_recipe();
    struct change change = {.hosts = more};

    (void)state;
    found(&change, "F3", PKI_ERROR);
    change.hosts = ip;
    found(&change, "F3", PKI_WARNING);
    s.san = "DNS:*.example.com,DNS:core1.example.com,IP:10.0.0.1";
    server_found(&s, "E6", PKI_ERROR);
    s.cn = "else.example.com";
    s.san = names;
    server_found(&s, "E1", PKI_ERROR);
}

static void test_client_names(void **state)
{
    struct recipe c = client_recipe();

    (void)state;
    c.cn = "Postgres";
    client_found(&c, "F1", PKI_ERROR);
    c.cn = NULL;
    client_found(&c, "F1", PKI_ERROR);
    c.cn = "postgres";
    c.second_cn = "admin";
    client_found(&c, "F1", PKI_ERROR);
    c.second_cn = NULL;
    c.san = "DNS:client.example.com";
    client_found(&c, "F2", PKI_WARNING);
    c.san = NULL; /* absent is no finding F2 */
    client_found(&c, "B8", PKI_WARNING);
}

static void test_nothing(void **state)
{
    struct pki_db_set set = {0};
    struct pki_findings f = {0};

    (void)state;
    pki_lint_db_set(&set, &f);
    assert_true(pki_findings_has_error(&f));
    pki_findings_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_odd_rsa),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_recipe_warns),
        cmocka_unit_test(test_leaf_shape),
        cmocka_unit_test(test_self_signed),
        cmocka_unit_test(test_serials),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_server_names),
        cmocka_unit_test(test_client_names),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
