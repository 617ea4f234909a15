/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths and chains: what verifies, what does not and which words say so, and
 * the order of bundles.
 */
#include <stdio.h>

#include "tests/unit/pki_make.h"

static struct made root, middle, leaf, other;

static int setup(void **state)
{
    struct recipe r = CA_RECIPE("Root"), m = CA_RECIPE("Middle");
    struct recipe l =
        SERVER_RECIPE("core1.example.com", "DNS:core1.example.com,IP:10.0.0.1");
    struct recipe o = CA_RECIPE("Other Root");

    (void)state;
    m.aki = "keyid";
    root = make_cert(&r, NULL);
    middle = make_cert(&m, &root);
    leaf = make_cert(&l, &middle);
    other = make_cert(&o, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&middle);
    made_free(&leaf);
    made_free(&other);
    return 0;
}

static int verify(const char *cert, const char *bundle,
                  enum pki_purpose purpose, int64_t at, struct err *err)
{
    err_reset(err);
    return pki_verify(cert, strlen(cert), bundle, strlen(bundle), purpose, at,
                      err);
}

static int64_t clock_s = MAKE_NOW;

/* The error names this certificate and holds these words, at clock_s. */
static void refused(const char *cert, const char *bundle,
                    enum pki_purpose purpose, const char *subject,
                    const char *words)
{
    struct err err;

    assert_int_equal(verify(cert, bundle, purpose, clock_s, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    if (!strstr(err.text, subject) || !strstr(err.text, words))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.text, subject, words);
}

static void test_good(void **state)
{
    char *bundle = join(middle.pem, root.pem, NULL);
    char *chain = join(leaf.pem, middle.pem, NULL);
    struct err err;

    (void)state;
    assert_int_equal(verify(leaf.pem, bundle, PKI_SERVER, MAKE_NOW, &err), 0);
    assert_int_equal(verify(leaf.pem, bundle, PKI_ANY, 0, &err), 0);
    /* the intermediate may stand with the leaf */
    assert_int_equal(verify(chain, root.pem, PKI_SERVER, MAKE_NOW, &err), 0);
    /* two roots: the change of a CA */
    free(bundle);
    bundle = join(other.pem, middle.pem, root.pem);
    assert_int_equal(verify(leaf.pem, bundle, PKI_SERVER, MAKE_NOW, &err), 0);
    free(bundle);
    free(chain);
}

static void test_missing(void **state)
{
    (void)state;
    refused(leaf.pem, root.pem, PKI_SERVER, "core1.example.com",
            "its issuer \"CN=Middle\" is not among");
    refused(leaf.pem, middle.pem, PKI_SERVER, "bundle", "no self-signed root");
    refused(root.pem, other.pem, PKI_ANY, "CN=Root", "self-signed and not in");
    refused("nothing", root.pem, PKI_ANY, "the certificate", "no certificate");
    refused(leaf.pem, "", PKI_ANY, "the CA bundle", "no certificate");
}

/* A long name of two-byte characters is cut between two of them. */
static void test_long_subject(void **state)
{
    char cn[2 * 60 + 1], want[200];
    struct recipe r = SERVER_RECIPE(cn, "DNS:a.example.com");
    struct made far;

    (void)state;
    for (size_t i = 0; i + 2 < sizeof(cn); i += 2)
        memcpy(cn + i, "\xc3\xa9", 3);
    far = make_cert(&r, &other);
    snprintf(want, sizeof(want), "\"CN=%.96s\": its issuer", cn);
    refused(far.pem, root.pem, PKI_SERVER, want, "is not among");
    made_free(&far);
}

static void test_times(void **state)
{
    struct recipe r = CA_RECIPE("Short Root");
    struct recipe l = SERVER_RECIPE("late", "DNS:late");
    struct made short_root, late;
    struct err err;

    (void)state;
    r.to = MAKE_NOW + 86400;
    l.from = MAKE_NOW + 3600;
    l.to = MAKE_NOW + 2 * 86400;
    short_root = make_cert(&r, NULL);
    late = make_cert(&l, &short_root);
    refused(late.pem, short_root.pem, PKI_SERVER, "CN=late",
            "not valid before 2027-01-15 09:00:00Z");
    clock_s = MAKE_NOW + 3 * 86400;
    refused(late.pem, short_root.pem, PKI_SERVER, "CN=", "expired");
    clock_s = MAKE_NOW + 86400 + 7200;
    refused(late.pem, short_root.pem, PKI_SERVER, "CN=Short Root",
            "expired (2027-01-16 08:00:00Z)");
    clock_s = MAKE_NOW;
    assert_int_equal(
        verify(late.pem, short_root.pem, PKI_SERVER, MAKE_NOW + 7200, &err), 0);
    assert_int_equal(verify(late.pem, short_root.pem, PKI_SERVER, 0, &err), 0);
    made_free(&late);
    made_free(&short_root);
}

static void purpose_case(const char *eku, const char *ku,
                         enum pki_purpose purpose, const char *words)
{
    struct recipe l = SERVER_RECIPE("u", "DNS:u");
    struct made cert;
    struct err err;

    l.eku = eku;
    l.ku = ku;
    cert = make_cert(&l, &root);
    if (words)
        refused(cert.pem, root.pem, purpose, "CN=u", words);
    else if (verify(cert.pem, root.pem, purpose, MAKE_NOW, &err) < 0)
        fail_msg("eku %s ku %s: %s", eku ? eku : "-", ku ? ku : "-", err.text);
    made_free(&cert);
}

static void test_purposes(void **state)
{
    (void)state;
    purpose_case(NULL, NULL, PKI_SERVER, NULL); /* absent = allowed */
    purpose_case(NULL, NULL, PKI_CLIENT, NULL);
    purpose_case("serverAuth,clientAuth", NULL, PKI_CLIENT, NULL);
    purpose_case("serverAuth", NULL, PKI_CLIENT, "lacks clientAuth");
    purpose_case("clientAuth", NULL, PKI_SERVER, "lacks serverAuth");
    purpose_case("clientAuth", NULL, PKI_ANY, NULL);
    purpose_case("anyExtendedKeyUsage", NULL, PKI_SERVER, "must be named");
    purpose_case(NULL, "keyEncipherment", PKI_SERVER, NULL);
    purpose_case(NULL, "keyAgreement", PKI_CLIENT, NULL);
    purpose_case(NULL, "keyEncipherment", PKI_CLIENT, "key usage lacks");
    purpose_case(NULL, "nonRepudiation", PKI_SERVER, "key usage lacks");
}

/* An issuer's own extended key usage binds what it issues. */
static void test_nested_purpose(void **state)
{
    struct recipe m = CA_RECIPE("Client CA");
    struct recipe l = SERVER_RECIPE("u", "DNS:u");
    struct made ca, cert;
    char *bundle;

    (void)state;
    m.eku = "clientAuth";
    m.aki = "keyid";
    ca = make_cert(&m, &root);
    cert = make_cert(&l, &ca);
    bundle = join(ca.pem, root.pem, NULL);
    refused(cert.pem, bundle, PKI_SERVER, "CN=Client CA",
            "does not permit use by a server");
    free(bundle);
    made_free(&cert);
    made_free(&ca);
}

static void bad_ca(const char *basic, const char *ku)
{
    struct recipe m = {.cn = "Bad CA",
                       .basic = basic,
                       .ku = ku,
                       .ski = "hash",
                       .aki = "keyid"};
    struct recipe l = SERVER_RECIPE("u", "DNS:u");
    struct made ca = make_cert(&m, &root), cert;
    char *bundle = join(ca.pem, root.pem, NULL);
    struct err err;

    l.aki = NULL;
    cert = make_cert(&l, &ca);
    assert_int_equal(verify(cert.pem, bundle, PKI_SERVER, MAKE_NOW, &err), -1);
    assert_non_null(strstr(err.text, "certificate \""));
    free(bundle);
    made_free(&cert);
    made_free(&ca);
}

static void test_bad_ca(void **state)
{
    (void)state;
    bad_ca("critical,CA:FALSE", NULL);
    bad_ca(NULL, NULL);
    bad_ca("critical,CA:TRUE", "critical,cRLSign"); /* no keyCertSign */
}

static void test_path_length(void **state)
{
    struct recipe r = CA_RECIPE("Flat Root"), m = CA_RECIPE("Sub");
    struct recipe l = SERVER_RECIPE("u", "DNS:u");
    struct made ca, sub, cert;
    char *bundle;

    (void)state;
    r.basic = "critical,CA:TRUE,pathlen:0";
    m.aki = "keyid";
    ca = make_cert(&r, NULL);
    sub = make_cert(&m, &ca);
    cert = make_cert(&l, &sub);
    bundle = join(sub.pem, ca.pem, NULL);
    refused(cert.pem, bundle, PKI_SERVER, "certificate \"", "path length");
    free(bundle);
    made_free(&cert);
    made_free(&sub);
    made_free(&ca);
}

static void weak_case(int kind, const EVP_MD *digest, const char *words)
{
    struct recipe l = SERVER_RECIPE("weak", "DNS:weak");
    struct made cert;

    l.kind = kind;
    l.digest = digest;
    cert = make_cert(&l, &root);
    refused(cert.pem, root.pem, PKI_SERVER, "CN=weak", words);
    made_free(&cert);
}

static void test_weak(void **state)
{
    (void)state;
    weak_case(0, EVP_sha1(), "too weak");
    weak_case(1024, NULL, "too weak");
}

static void test_forged(void **state)
{
    struct recipe r = CA_RECIPE("Root"); /* the name, another key */
    struct recipe l = SERVER_RECIPE("forged", "DNS:forged");
    struct made twin, cert;

    (void)state;
    r.ski = NULL;
    l.aki = NULL;
    twin = make_cert(&r, NULL);
    cert = make_cert(&l, &twin);
    refused(cert.pem, root.pem, PKI_SERVER, "CN=forged",
            "signature was not made");
    made_free(&cert);
    made_free(&twin);
}

/* The vendor's own recipe: no extensions at all; a warning elsewhere, no
 * refusal here. */
static void test_v1_leaf(void **state)
{
    struct recipe l = {.cn = "plain", .v1 = true};
    struct made cert = make_cert(&l, &root);
    struct err err;

    (void)state;
    assert_int_equal(verify(cert.pem, root.pem, PKI_SERVER, MAKE_NOW, &err), 0);
    assert_int_equal(verify(cert.pem, root.pem, PKI_CLIENT, MAKE_NOW, &err), 0);
    made_free(&cert);
}

/* -- order --------------------------------------------------------------- */

static void ordered(const char *input, const char *want, const char *words)
{
    struct str out, notes;
    struct err err;

    str_init(&out, 1 << 20);
    str_init(&notes, 1 << 16);
    assert_int_equal(pki_chain_order(input, strlen(input), &out, &notes, &err),
                     0);
    assert_string_equal(str_text(&out), want);
    if (words && !strstr(str_text(&notes), words))
        fail_msg("notes \"%s\" lack \"%s\"", str_text(&notes), words);
    if (!words)
        assert_string_equal(str_text(&notes), "");
    str_release(&out);
    str_release(&notes);
}

static void test_order(void **state)
{
    char *want = join(leaf.pem, middle.pem, root.pem);
    char *lines = NULL;
    char *mixed[6];
    const char *parts[3] = {leaf.pem, middle.pem, root.pem};

    (void)state;
    ordered(want, want, NULL);
    mixed[0] = join(parts[0], parts[2], parts[1]);
    mixed[1] = join(parts[1], parts[0], parts[2]);
    mixed[2] = join(parts[1], parts[2], parts[0]);
    mixed[3] = join(parts[2], parts[0], parts[1]);
    mixed[4] = join(parts[2], parts[1], parts[0]);
    mixed[5] = join(mixed[4], leaf.pem, other.pem);
    for (int i = 0; i < 5; i++)
        ordered(mixed[i], want, "put into the order");
    ordered(mixed[5], want, "dropped a duplicate: CN=core1.example.com");
    ordered(mixed[5], want, "dropped a stranger: CN=Other Root");
    if (asprintf(&lines, "text\r\n%s\n\n%s \n%s", leaf.pem, middle.pem,
                 root.pem) < 0)
        abort();
    ordered(lines, want, NULL);
    for (int i = 0; i < 6; i++)
        free(mixed[i]);
    free(lines);
    free(want);
}

static void test_order_incomplete(void **state)
{
    char *want = join(leaf.pem, middle.pem, NULL);
    char *input = join(middle.pem, leaf.pem, NULL);
    char *with_key = join(want, secret_text(leaf.key_pem), NULL);
    char *roots = join(other.pem, middle.pem, root.pem);
    char *cas = join(middle.pem, root.pem, NULL);

    (void)state;
    ordered(input, want,
            "the root is missing: no issuer in the file for: "
            "CN=Middle");
    ordered(with_key, want, "left out a private key");
    ordered(roots, cas, "dropped a stranger: CN=Other Root");
    ordered(root.pem, root.pem, NULL);
    free(want);
    free(input);
    free(with_key);
    free(roots);
    free(cas);
}

/* A stranger on top must not cost the true chain. */
static void test_order_stranger_first(void **state)
{
    struct recipe l = SERVER_RECIPE("stranger", "DNS:stranger");
    struct made stranger = make_cert(&l, &other);
    char *chain = join(leaf.pem, middle.pem, root.pem);
    char *input = join(stranger.pem, chain, NULL);

    (void)state;
    ordered(input, chain, "dropped a stranger: CN=stranger");
    free(input);
    free(chain);
    made_free(&stranger);
}

/* Of two chains of one length the one that reaches a root is meant. */
static void test_order_whole_first(void **state)
{
    struct recipe m = CA_RECIPE("Lost Middle");
    struct recipe a = SERVER_RECIPE("a", "DNS:a"), b = a;
    struct made lost = make_cert(&m, &other), broken, whole;
    char *head, *input, *want;

    (void)state;
    b.cn = "b";
    broken = make_cert(&a, &lost);
    whole = make_cert(&b, &root);
    head = join(broken.pem, lost.pem, whole.pem);
    input = join(head, root.pem, NULL);
    want = join(whole.pem, root.pem, NULL);
    ordered(input, want, "dropped a stranger: CN=a");
    free(head);
    free(input);
    free(want);
    made_free(&lost);
    made_free(&broken);
    made_free(&whole);
}

/* Two CAs that sign each other, and no root: it must end. */
static void test_order_cross(void **state)
{
    struct recipe a = CA_RECIPE("A"), b = CA_RECIPE("B");
    struct made a_root = make_cert(&a, NULL), b_root = make_cert(&b, NULL);
    struct recipe ab = a, ba = b, l = SERVER_RECIPE("x", "DNS:x");
    struct made a_by_b, b_by_a, x;
    struct str out;
    struct err err;
    char *input, *want;

    (void)state;
    ab.key = a_root.key;
    ba.key = b_root.key;
    a_by_b = make_cert(&ab, &b_root);
    b_by_a = make_cert(&ba, &a_root);
    x = make_cert(&l, &a_root);
    input = join(b_by_a.pem, x.pem, a_by_b.pem);
    want = join(x.pem, a_by_b.pem, b_by_a.pem);
    str_init(&out, 1 << 20);
    assert_int_equal(pki_chain_order(input, strlen(input), &out, NULL, &err),
                     0);
    assert_string_equal(str_text(&out), want);
    str_release(&out);
    free(input);
    /* with the true root the chain is short */
    input = join(b_by_a.pem, x.pem, a_by_b.pem);
    free(want);
    want = join(x.pem, a_root.pem, NULL);
    {
        char *all = join(input, a_root.pem, NULL);
        ordered(all, want, "dropped a stranger: CN=A");
        free(all);
    }
    free(input);
    free(want);
    made_free(&a_root);
    made_free(&b_root);
    made_free(&a_by_b);
    made_free(&b_by_a);
    made_free(&x);
}

static void test_order_cap(void **state)
{
    struct str out;
    struct err err;

    (void)state;
    str_init(&out, 100);
    assert_int_equal(
        pki_chain_order(leaf.pem, strlen(leaf.pem), &out, NULL, &err), -1);
    str_release(&out);
    assert_int_equal(pki_chain_order("", 0, &out, NULL, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_long_subject),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_purposes),
        cmocka_unit_test(test_nested_purpose),
        cmocka_unit_test(test_bad_ca),
        cmocka_unit_test(test_path_length),
        cmocka_unit_test(test_weak),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_v1_leaf),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_incomplete),
        cmocka_unit_test(test_order_stranger_first),
        cmocka_unit_test(test_order_whole_first),
        cmocka_unit_test(test_order_cross),
        cmocka_unit_test(test_order_cap),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
