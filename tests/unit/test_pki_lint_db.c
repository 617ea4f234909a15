/* SPDX-License-Identifier: Apache-2.0
 *
 * The database set: a good one has no finding above the vendor's recipe, and
 * each fault has its id.
 */
#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/rsa.h>

#include "tests/unit/pki_make.h"

static const char *const hosts[] = {"core1.example.com", "core2.example.com",
                                    "10.0.0.1", NULL};
static const char names[] =
    "DNS:core1.example.com,DNS:core2.example.com,IP:10.0.0.1";

static struct made root, server, client;

static struct recipe server_recipe(void)
{
    struct recipe r = SERVER_RECIPE("core1.example.com", names);

    return r;
}

static struct recipe client_recipe(void)
{
    struct recipe r = CLIENT_RECIPE();

    return r;
}

static int setup(void **state)
{
    struct recipe r = CA_RECIPE("DB Root"), s = server_recipe();
    struct recipe c = client_recipe();

    (void)state;
    root = make_cert(&r, NULL);
    server = make_cert(&s, &root);
    client = make_cert(&c, &root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&server);
    made_free(&client);
    return 0;
}

/* What one test changes of the good set; NULL: as it is. */
struct change {
    const struct made *server, *client;
    const char *ca, *server_pem;
    const struct secret *server_key;
    const char *const *hosts;
    int64_t at;
};

static void lint(const struct change *change, struct pki_findings *findings)
{
    const struct made *s = change->server ? change->server : &server;
    const struct made *c = change->client ? change->client : &client;
    const struct secret *key =
        change->server_key ? change->server_key : s->key_pem;
    const char *pem = change->server_pem ? change->server_pem : s->pem;
    const char *ca = change->ca ? change->ca : root.pem;
    struct pki_db_set set = {
        .server_key = key->data,
        .server_key_len = key->len,
        .server_cert = pem,
        .server_cert_len = strlen(pem),
        .client_key = c->key_pem->data,
        .client_key_len = c->key_pem->len,
        .client_cert = c->pem,
        .client_cert_len = strlen(c->pem),
        .ca = ca,
        .ca_len = strlen(ca),
        .hosts = change->hosts ? change->hosts : hosts,
        .at = change->at ? change->at : MAKE_NOW,
    };

    pki_lint_db_set(&set, findings);
}

static void found(const struct change *change, const char *id,
                  enum pki_severity severity)
{
    struct pki_findings f = {0};

    lint(change, &f);
    if (!has_finding(&f, id, severity)) {
        print_findings(&f);
        fail_msg("no %s", id);
    }
    /* no other error may hide behind it */
    for (size_t i = 0; i < f.n; i++)
        if (f.list[i].severity == PKI_ERROR && strcmp(f.list[i].id, id) != 0) {
            print_findings(&f);
            fail_msg("%s besides %s", f.list[i].id, id);
        }
    pki_findings_release(&f);
}

/* A server certificate of this shape, under our root. */
static void server_found(const struct recipe *recipe, const char *id,
                         enum pki_severity severity)
{
    struct made made = make_cert(recipe, &root);
    struct change change = {.server = &made};

    found(&change, id, severity);
    made_free(&made);
}

static void client_found(const struct recipe *recipe, const char *id,
                         enum pki_severity severity)
{
    struct made made = make_cert(recipe, &root);
    struct change change = {.client = &made};

    found(&change, id, severity);
    made_free(&made);
}

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
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *three = BN_new();

    (void)state;
    BN_set_word(three, 3);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, three), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &r.key), 1);
    server_found(&r, "B7", PKI_WARNING);
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

static void test_path(void **state)
{
    struct recipe o = CA_RECIPE("Other"), s = server_recipe();
    struct recipe m = CA_RECIPE("Sub"), n = CA_RECIPE("Nameless");
    struct made other = make_cert(&o, NULL), lost = make_cert(&s, &other);
    struct change change = {.server = &lost};
    struct made sub, leaf;
    char *bundle;

    (void)state;
    found(&change, "C1", PKI_ERROR);
    bundle = join(other.pem, root.pem, NULL);
    change.ca = bundle; /* both verify, at different roots */
    found(&change, "F4", PKI_ERROR);
    free(bundle);
    m.eku = "clientAuth";
    m.aki = "keyid";
    sub = make_cert(&m, &root);
    leaf = make_cert(&s, &sub);
    bundle = join(sub.pem, root.pem, NULL);
    change.server = &leaf;
    change.ca = bundle;
    found(&change, "C13", PKI_ERROR);
    free(bundle);
    made_free(&leaf);
    made_free(&sub);
    n.nc = "critical,permitted;DNS:example.org";
    n.aki = "keyid";
    sub = make_cert(&n, &root);
    leaf = make_cert(&s, &sub);
    bundle = join(sub.pem, root.pem, NULL);
    change.ca = bundle;
    found(&change, "C7", PKI_ERROR);
    free(bundle);
    made_free(&leaf);
    made_free(&sub);
    made_free(&other);
    made_free(&lost);
}

static void test_times(void **state)
{
    struct recipe s = server_recipe();
    struct change change = {.at = MAKE_NOW + 366LL * 86400};

    (void)state;
    found(&change, "C8", PKI_ERROR);
    change.at = MAKE_NOW - 2 * 3600;
    found(&change, "C8", PKI_ERROR);
    s.to = MAKE_NOW + 400LL * 86400;
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

static void bundle_found(char *bundle, const char *id,
                         enum pki_severity severity)
{
    struct change change = {.ca = bundle};

    found(&change, id, severity);
    free(bundle);
}

static void test_bundle(void **state)
{
    struct recipe m = CA_RECIPE("Sub"), o = CA_RECIPE("Next Root");
    struct recipe nosign = CA_RECIPE("No Sign");
    struct made sub, next = make_cert(&o, NULL), bad;
    struct change change = {0};
    char *extra = join(server.pem, root.pem, NULL);

    (void)state;
    m.aki = "keyid";
    sub = make_cert(&m, &root);
    bundle_found(join(root.pem, root.pem, NULL), "C2", PKI_ERROR);
    bundle_found(join(root.pem, sub.pem, root.pem), "C2", PKI_ERROR);
    bundle_found(join(next.pem, root.pem, NULL), "C2", PKI_INFO);
    bundle_found(join(server.pem, root.pem, NULL), "F5", PKI_ERROR);
    nosign.ku = "critical,cRLSign";
    bad = make_cert(&nosign, NULL);
    bundle_found(join(bad.pem, root.pem, NULL), "C5", PKI_ERROR);
    bundle_found(strdup("junk"), "A9", PKI_ERROR);
    change.server_pem = extra;
    found(&change, "C4", PKI_WARNING);
    free(extra);
    made_free(&sub);
    made_free(&next);
    made_free(&bad);
}

static void test_bundle_roots(void **state)
{
    struct recipe m = CA_RECIPE("Sub");
    struct made sub;
    struct pki_findings f = {0};
    struct change change = {0};
    char *wrong;

    (void)state;
    m.aki = "keyid";
    sub = make_cert(&m, &root);
    wrong = join(root.pem, sub.pem, NULL);
    change.ca = wrong;
    lint(&change, &f);
    assert_true(has_finding(&f, "C3", PKI_ERROR)); /* root not last */
    pki_findings_release(&f);
    change.ca = sub.pem;
    lint(&change, &f);
    assert_true(has_finding(&f, "C3", PKI_ERROR)); /* no root */
    assert_true(has_finding(&f, "C2", PKI_WARNING));
    pki_findings_release(&f);
    free(wrong);
    made_free(&sub);
}

/* facts/certs.md 0.5: a second generation under the first one's name. */
static void test_same_name(void **state)
{
    struct recipe ca = {.cn = "My company CA",
                        .basic = "critical,CA:TRUE",
                        .ku = "critical,keyCertSign"};
    struct recipe good = CA_RECIPE("DB Root");
    struct recipe s = server_recipe(), c = client_recipe();
    struct made old = make_cert(&ca, NULL), new = make_cert(&ca, NULL);
    struct made twin = make_cert(&good, NULL), sc, cc;
    char *bundle = join(new.pem, old.pem, NULL);
    struct change change = {.ca = bundle};
    struct pki_findings f = {0};

    (void)state;
    s.aki = c.aki = NULL;
    sc = make_cert(&s, &new);
    cc = make_cert(&c, &new);
    change.server = &sc;
    change.client = &cc;
    lint(&change, &f);
    assert_true(has_finding(&f, "F8", PKI_ERROR));
    pki_findings_release(&f);
    free(bundle);
    /* with key identifiers on both sides it works, and is told */
    bundle = join(twin.pem, root.pem, NULL);
    change.ca = bundle;
    change.server = change.client = NULL;
    found(&change, "F8", PKI_INFO);
    free(bundle);
    made_free(&old);
    made_free(&new);
    made_free(&twin);
    made_free(&sc);
    made_free(&cc);
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
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_server_names),
        cmocka_unit_test(test_client_names),
        cmocka_unit_test(test_bundle),
        cmocka_unit_test(test_bundle_roots),
        cmocka_unit_test(test_same_name),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
