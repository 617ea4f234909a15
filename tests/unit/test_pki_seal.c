/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of people: who they are, and every way not to be one.
 */
#include "core/pki/seal.h"

#include <time.h>

#include "tests/unit/pki_make.h"

#include <openssl/cms.h>

#define PERSON(name)                                                           \
    {                                                                          \
        .cn = (name), .basic = "critical,CA:FALSE",                            \
        .ku = "critical,digitalSignature", .eku = "emailProtection"            \
    }

static struct made ca, other;
static struct secret *ca_pem;
static struct str data;

static struct made person(struct recipe recipe, const struct made *by)
{
    if (!recipe.from)
        recipe.from = time(NULL) - 3600;
    if (!recipe.to)
        recipe.to = time(NULL) + 86400;
    return make_cert(&recipe, by);
}

static int set_up(void **state)
{
    struct recipe root = CA_RECIPE("people"), stranger = CA_RECIPE("strangers");

    (void)state;
    ca = person(root, NULL);
    other = person(stranger, NULL);
    ca_pem = secret_from(ca.pem, strlen(ca.pem));
    str_init(&data, 1000);
    str_add(&data, "the statement\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    made_free(&ca);
    made_free(&other);
    secret_free(ca_pem);
    str_release(&data);
    return 0;
}

static char *sealed(const struct made *by, const struct str *what)
{
    struct secret *cert = secret_from(by->pem, strlen(by->pem));
    struct err err = {.cause = CAUSE_NONE};
    struct str pem;

    str_init(&pem, 1 << 16);
    if (pki_seal(cert, by->key_pem, what, &pem, &err) < 0)
        fail_msg("%s", err.text);
    secret_free(cert);
    return str_take(&pem);
}

static void is_by(struct recipe recipe, const char *principal)
{
    struct made made = person(recipe, &ca);
    char *pem = sealed(&made, &data);
    struct err err = {.cause = CAUSE_NONE};
    struct pki_sealer sealer;

    if (pki_seal_check(ca_pem, pem, &data, &sealer, &err) < 0)
        fail_msg("%s: %s", principal, err.text);
    assert_string_equal(sealer.principal, principal);
    assert_string_equal(sealer.sha256, info_of(made.pem).sha256);
    free(pem);
    made_free(&made);
}

static void is_refused(const char *pem, const struct str *what, const char *why)
{
    struct err err = {.cause = CAUSE_NONE};
    struct pki_sealer sealer;

    assert_int_equal(pki_seal_check(ca_pem, pem, what, &sealer, &err), -1);
    assert_int_equal(err.cause, CAUSE_REFUSED);
    if (!strstr(err.text, why))
        fail_msg("wanted: %s, but: %s", why, err.text);
}

static void is_nobody(struct recipe recipe, const struct made *by,
                      const char *why)
{
    struct made made = person(recipe, by);
    char *pem = sealed(&made, &data);

    is_refused(pem, &data, why);
    free(pem);
    made_free(&made);
}

static void test_who(void **state)
{
    struct recipe r = PERSON("carol");

    (void)state;
    is_by(r, "carol");
    r.san = "DNS:x,email:carol@example.com,email:second@example.com";
    is_by(r, "carol@example.com");
    r.san = "DNS:x";
    is_by(r, "carol");
    r.eku = NULL;
    r.ku = NULL;
    is_by(r, "carol");
}

static void test_nobody(void **state)
{
    struct recipe r = PERSON("carol"), bad = r;

    (void)state;
    is_nobody(r, &other, "the signature does not hold");
    is_nobody(r, NULL, "the signature does not hold");
    bad.eku = "serverAuth";
    is_nobody(bad, &ca, "the signature does not hold");
    bad = r;
    bad.ku = "critical,keyEncipherment";
    is_nobody(bad, &ca, "the signature does not hold");
    bad = r;
    bad.from = time(NULL) - 7200;
    bad.to = time(NULL) - 3600;
    is_nobody(bad, &ca, "the signature does not hold");
    bad.from = time(NULL) + 3600;
    bad.to = time(NULL) + 7200;
    is_nobody(bad, &ca, "the signature does not hold");
    bad = r;
    bad.cn = NULL;
    is_nobody(bad, &ca, "names nobody");
    bad.cn = "car\nol";
    is_nobody(bad, &ca, "names nobody");
    bad.cn = " carol";
    is_nobody(bad, &ca, "names nobody");
    bad.cn = "c\xd0\xb0rol"; /* an a of another alphabet */
    is_nobody(bad, &ca, "names nobody");
}

static void test_other_bytes(void **state)
{
    struct recipe r = PERSON("carol");
    struct made made = person(r, &ca);
    char *pem = sealed(&made, &data);
    struct str more;
    struct err err = {.cause = CAUSE_NONE};
    struct pki_sealer sealer;

    (void)state;
    str_init(&more, 100);
    str_add(&more, "the statement\r\n");
    is_refused(pem, &more, "the signature does not hold");
    str_reset(&more);
    is_refused(pem, &more, "the signature does not hold");
    str_release(&more);
    is_refused("", &data, "it is no CMS");
    is_refused(made.pem, &data, "it is no CMS");
    pem[200] = pem[200] == 'A' ? 'B' : 'A';
    assert_int_equal(pki_seal_check(ca_pem, pem, &data, &sealer, &err), -1);
    free(pem);
    made_free(&made);
}

/* What others may make of CMS: a content inside, two signers, none. */
static char *made_of(const struct made *a, const struct made *b, unsigned flags)
{
    BIO *in = BIO_new_mem_buf(str_text(&data), (int)data.len);
    BIO *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_sign(a ? a->cert : NULL, a ? a->key : NULL, NULL,
                                    in, flags | (b ? CMS_PARTIAL : 0));
    char *text, *pem;
    long len;

    assert_non_null(cms);
    if (b) {
        assert_non_null(
            CMS_add1_signer(cms, b->cert, b->key, NULL, flags | CMS_PARTIAL));
        assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
    }
    assert_int_equal(PEM_write_bio_CMS(out, cms), 1);
    len = BIO_get_mem_data(out, &text);
    pem = strndup(text, (size_t)len);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    return pem;
}

static void test_other_forms(void **state)
{
    enum {
        FLAGS = CMS_BINARY | CMS_DETACHED
    };
    struct recipe r = PERSON("carol"), s = PERSON("dave");
    struct made carol = person(r, &ca), dave = person(s, &ca);
    char *pem = made_of(&carol, NULL, CMS_BINARY);

    (void)state;
    is_refused(pem, &data, "it has a content of its own");
    free(pem);
    pem = made_of(&carol, &dave, FLAGS);
    is_refused(pem, &data, "it is not by one person");
    free(pem);
    made_free(&carol);
    made_free(&dave);
}

static void test_signing(void **state)
{
    struct recipe r = PERSON("carol");
    struct made carol = person(r, &ca), dave = person(r, &ca);
    struct secret *cert = secret_from(carol.pem, strlen(carol.pem));
    struct err err = {.cause = CAUSE_NONE};
    struct str pem;

    (void)state;
    str_init(&pem, 1 << 16);
    assert_int_equal(pki_seal(cert, dave.key_pem, &data, &pem, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "does not belong"));
    assert_int_equal(pki_seal(cert, cert, &data, &pem, &err), -1);
    assert_int_equal(pki_seal(carol.key_pem, carol.key_pem, &data, &pem, &err),
                     -1);
    assert_int_equal(pem.len, 0);
    str_release(&pem);
    secret_free(cert);
    made_free(&carol);
    made_free(&dave);
}

static char *crl_of(const struct made *revoked, int64_t next)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *one = X509_REVOKED_new();
    ASN1_TIME *t = ASN1_TIME_set(NULL, time(NULL) - 60);
    BIO *out = BIO_new(BIO_s_mem());
    char *text, *pem;
    long len;

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca.cert));
    X509_CRL_set1_lastUpdate(crl, t);
    X509_REVOKED_set_serialNumber(one, X509_get_serialNumber(revoked->cert));
    X509_REVOKED_set_revocationDate(one, t);
    ASN1_TIME_set(t, time(NULL) + (time_t)next);
    X509_CRL_set1_nextUpdate(crl, t);
    X509_CRL_add0_revoked(crl, one);
    assert_true(X509_CRL_sign(crl, ca.key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_CRL(out, crl), 1);
    len = BIO_get_mem_data(out, &text);
    pem = strndup(text, (size_t)len);
    X509_CRL_free(crl);
    ASN1_TIME_free(t);
    BIO_free(out);
    return pem;
}

/* With a list one who is in it counts no more, and a stale list refuses all. */
static void test_revoked(void **state)
{
    struct recipe r = PERSON("carol"), s = PERSON("dave");
    struct made carol = person(r, &ca), dave = person(s, &ca);
    char *by_carol = sealed(&carol, &data), *by_dave = sealed(&dave, &data);
    struct err err = {.cause = CAUSE_NONE};
    struct pki_sealer sealer;

    (void)state;
    for (int stale = 0; stale < 2; stale++) {
        char *crl = crl_of(&carol, stale ? -30 : 3600);
        char *both = join(ca.pem, crl, "");
        struct secret *trust = secret_from(both, strlen(both));

        assert_int_equal(pki_seal_check(trust, by_carol, &data, &sealer, &err),
                         -1);
        assert_int_equal(pki_seal_check(trust, by_dave, &data, &sealer, &err),
                         stale ? -1 : 0);
        secret_free(trust);
        free(both);
        free(crl);
    }
    free(by_carol);
    free(by_dave);
    made_free(&carol);
    made_free(&dave);
}

static void test_no_ca(void **state)
{
    struct recipe r = PERSON("carol");
    struct made carol = person(r, &ca);
    struct secret *leaf = secret_from(carol.pem, strlen(carol.pem));
    struct err err = {.cause = CAUSE_NONE};
    struct pki_sealer sealer;
    char *pem = sealed(&carol, &data);

    (void)state;
    assert_int_equal(pki_seal_check(leaf, pem, &data, &sealer, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_int_equal(pki_seal_check(carol.key_pem, pem, &data, &sealer, &err),
                     -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    secret_free(leaf);
    free(pem);
    made_free(&carol);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who),         cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_other_bytes), cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_signing),     cmocka_unit_test(test_revoked),
        cmocka_unit_test(test_no_ca),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
