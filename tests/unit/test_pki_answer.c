/* SPDX-License-Identifier: Apache-2.0
 *
 * What a foreign issuer may give for a request, and what it may not.
 */
#include <openssl/pkcs7.h>
#include <stdio.h>

#include "tests/unit/pki_make.h"

static struct made root, inter, stranger;
static EVP_PKEY *key;
static char *request;

static int setup(void **state)
{
    const char *const hosts[] = {"b.example.com", "10.0.0.1", NULL};
    const struct pki_subject subject = {"a.example.com", NULL, hosts};
    struct recipe r = CA_RECIPE("Root"), i = CA_RECIPE("Intermediate"),
                  s = CA_RECIPE("Stranger");
    struct secret *pem;
    struct err err = {0};

    (void)state;
    i.aki = "keyid";
    root = make_cert(&r, NULL);
    inter = make_cert(&i, &root);
    stranger = make_cert(&s, NULL);
    key = make_key(0);
    pem = make_key_pem(key, NULL, NULL);
    assert_int_equal(pki_request(pem, &subject, PKI_SERVER, &request, &err), 0);
    secret_free(pem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&inter);
    made_free(&stranger);
    EVP_PKEY_free(key);
    free(request);
    return 0;
}

#define NAMES "DNS:a.example.com,DNS:b.example.com,IP:10.0.0.1"

static struct recipe leaf_recipe(void)
{
    struct recipe r = SERVER_RECIPE("a.example.com", NAMES);

    r.key = key;
    return r;
}

static struct pki_wish wish_of(void)
{
    return (struct pki_wish){
        .request = request,
        .request_len = strlen(request),
        .trust = root.pem,
        .trust_len = strlen(root.pem),
        .purpose = PKI_SERVER,
        .at = MAKE_NOW,
    };
}

static void refused(const void *data, size_t len, const char *why)
{
    const struct pki_wish wish = wish_of();
    struct pki_answer answer = {0};
    struct err err = {0};

    assert_int_equal(pki_answer_read(&wish, data, len, &answer, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    if (!strstr(err.text, why))
        fail_msg("wanted \"%s\", it says: %s", why, err.text);
    assert_null(answer.leaf);
    pki_answer_release(&answer);
}

static void refused_text(const char *text, const char *why)
{
    refused(text, strlen(text), why);
}

/* A leaf made by this recipe, signed by the intermediate, with that behind. */
static void refused_leaf(const struct recipe *r, const char *why)
{
    struct made leaf = make_cert(r, &inter);
    char *text = join(leaf.pem, inter.pem, NULL);

    refused_text(text, why);
    free(text);
    made_free(&leaf);
}

static void taken(const char *text, const char *leaf, const char *between)
{
    const struct pki_wish wish = wish_of();
    struct pki_answer answer = {0};
    struct err err = {0};

    if (pki_answer_read(&wish, text, strlen(text), &answer, &err) < 0)
        fail_msg("refused: %s", err.text);
    assert_string_equal(answer.leaf, leaf);
    assert_string_equal(str_text(&answer.between), between);
    assert_int_equal(pki_answer_find(&wish, text, strlen(text), NULL), 0);
    pki_answer_release(&answer);
}

static void test_taken(void **state)
{
    struct recipe r = leaf_recipe();
    struct made leaf = make_cert(&r, &inter), direct = make_cert(&r, &root);
    char *text = join(leaf.pem, inter.pem, NULL);
    char *whole = join(leaf.pem, inter.pem, root.pem);
    char *odd = join("Certificate:\n  Data:\n", inter.pem, leaf.pem);

    (void)state;
    taken(text, leaf.pem, inter.pem);
    taken(whole, leaf.pem, inter.pem); /* the root is ours to have */
    taken(odd, leaf.pem, inter.pem);   /* text around, the path first */
    taken(direct.pem, direct.pem, "");
    free(text);
    free(whole);
    free(odd);
    made_free(&leaf);
    made_free(&direct);
}

/* Leaf, intermediate and root as a PKCS #7 in DER. */
static int pkcs7_of(const struct made *leaf, unsigned char **der)
{
    PKCS7 *p7 = PKCS7_new();
    int len;

    assert_int_equal(PKCS7_set_type(p7, NID_pkcs7_signed), 1);
    assert_int_equal(PKCS7_content_new(p7, NID_pkcs7_data), 1);
    PKCS7_add_certificate(p7, root.cert);
    PKCS7_add_certificate(p7, inter.cert);
    if (leaf)
        PKCS7_add_certificate(p7, leaf->cert);
    *der = NULL;
    len = i2d_PKCS7(p7, der);
    assert_true(len > 0);
    PKCS7_free(p7);
    return len;
}

static char *pem_of(const char *label, const unsigned char *der, int len)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text, *copy;
    long n;

    assert_true(PEM_write_bio(bio, label, "", der, len) > 0);
    n = BIO_get_mem_data(bio, &text);
    copy = strndup(text, (size_t)n);
    BIO_free(bio);
    return copy;
}

/* As certreq gives it (with the label of a certificate), as openssl writes it,
 * and as a file of a browser. */
static void test_taken_in_pkcs7(void **state)
{
    static const char *const labels[] = {"CERTIFICATE", "PKCS7",
                                         "PKCS #7 SIGNED DATA"};
    struct recipe r = leaf_recipe();
    struct made leaf = make_cert(&r, &inter);
    const struct pki_wish wish = wish_of();
    struct pki_answer answer = {0};
    unsigned char *der;
    int len = pkcs7_of(&leaf, &der);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *text = pem_of(labels[i], der, len);

        taken(text, leaf.pem, inter.pem);
        free(text);
    }
    assert_int_equal(pki_answer_read(&wish, der, (size_t)len, &answer, NULL),
                     0);
    pki_answer_release(&answer);
    for (int cut = 0; cut < len; cut++)
        assert_int_equal(pki_answer_find(&wish, der, (size_t)cut, NULL), -1);
    OPENSSL_free(der);
    len = pkcs7_of(NULL, &der);
    refused(der, (size_t)len, "has the key of the request");
    OPENSSL_free(der);
    made_free(&leaf);
}

/* As step-ca's own template gives it: both purposes; and names in lower case,
 * as some write them. */
static void test_taken_with_more(void **state)
{
    struct recipe r = leaf_recipe();
    struct made leaf;

    (void)state;
    r.eku = "serverAuth,clientAuth";
    r.san = "DNS:A.example.com,DNS:b.EXAMPLE.com,IP:10.0.0.1";
    leaf = make_cert(&r, &root);
    taken(leaf.pem, leaf.pem, "");
    made_free(&leaf);
}

static void test_der(void **state)
{
    struct recipe r = leaf_recipe();
    struct made leaf = make_cert(&r, &root);
    const struct pki_wish wish = wish_of();
    struct pki_answer answer = {0};
    unsigned char *der = NULL;
    int len = i2d_X509(leaf.cert, &der);

    (void)state;
    assert_int_equal(pki_answer_read(&wish, der, (size_t)len, &answer, NULL),
                     0);
    assert_string_equal(answer.leaf, leaf.pem);
    pki_answer_release(&answer);
    refused(der, (size_t)len - 1, "no certificate");
    OPENSSL_free(der);
    made_free(&leaf);
}

static void test_garbage(void **state)
{
    char *key_text =
        strndup((const char *)root.key_pem->data, root.key_pem->len);
    char *both = join(root.pem, key_text, NULL);
    struct str many;

    (void)state;
    refused_text("", "no certificate");
    refused_text("error: no such profile\n", "no certificate");
    refused("\0\1\2\3", 4, "no certificate");
    refused_text("-----BEGIN CERTIFICATE-----\nMIIB", "does not end");
    refused_text("x\n-----BEGIN CERTIFICATE-----\nMIIB\n"
                 "-----END CERTIFICATE-----\n",
                 "line 2: the certificate cannot be read");
    refused_text(request, "line 1: only certificates are wanted, and here "
                          "begins one CERTIFICATE REQUEST");
    refused_text(both, "only certificates are wanted");
    str_init(&many, 1 << 20);
    for (int i = 0; i < 11; i++)
        str_add(&many, root.pem);
    refused_text(str_text(&many), "more than 10 certificates");
    while (many.len <= PKI_ANSWER_BYTES)
        str_add(&many, "# nothing\n");
    refused_text(str_text(&many), "more than 65536 bytes");
    str_release(&many);
    free(both);
    free(key_text);
}

static void test_wrong_key(void **state)
{
    struct recipe r = leaf_recipe();

    (void)state;
    r.key = NULL;
    refused_leaf(&r, "has the key of the request");
}

static void test_wrong_names(void **state)
{
    struct recipe r = leaf_recipe();

    (void)state;
    r.san = "DNS:a.example.com,DNS:b.example.com";
    refused_leaf(&r, "it lacks the name that was asked for: IP Address:10.");
    r.san = NAMES ",DNS:evil.example.net";
    refused_leaf(&r, "nobody asked for: DNS:evil.example.net");
    r.san = NULL;
    refused_leaf(&r, "it lacks the name that was asked for: DNS:a.example");
    r = leaf_recipe();
    r.cn = "b.example.com";
    refused_leaf(&r, "not the a.example.com that was asked for");
    r.cn = NULL;
    refused_leaf(&r, "not the a.example.com that was asked for");
}

/* A request, too, may come from elsewhere: what is shown of it is visible. */
static void test_odd_request(void **state)
{
    static const char cn[] = "a\x1b[2J\xc2";
    struct recipe r = leaf_recipe();
    X509_REQ *odd = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *ours = request, *pem;

    (void)state;
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(odd), "CN",
                               V_ASN1_T61STRING, (const unsigned char *)cn, -1,
                               -1, 0);
    X509_REQ_set_pubkey(odd, key);
    assert_true(X509_REQ_sign(odd, key, EVP_sha256()) > 0);
    PEM_write_bio_X509_REQ(bio, odd);
    BIO_get_mem_data(bio, &pem);
    request = strndup(pem, BIO_ctrl_pending(bio));
    refused_leaf(&r, "is not the a\\x1b[2J\xc3\x82 that");
    free(request);
    request = ours;
    BIO_free(bio);
    X509_REQ_free(odd);
}

static void test_wrong_use(void **state)
{
    struct recipe r = leaf_recipe();

    (void)state;
    r.eku = "clientAuth";
    refused_leaf(&r, "lacks serverAuth");
    r = leaf_recipe();
    r.basic = "critical,CA:TRUE";
    r.ku = "critical,keyCertSign,digitalSignature";
    refused_leaf(&r, "that of a CA");
}

static void test_wrong_time(void **state)
{
    struct recipe r = leaf_recipe();

    (void)state;
    r.to = MAKE_NOW - 1;
    refused_leaf(&r, "expired");
    r = leaf_recipe();
    r.from = MAKE_NOW + 3600;
    refused_leaf(&r, "not valid before");
}

static void test_wrong_path(void **state)
{
    struct recipe r = leaf_recipe();
    struct made leaf = make_cert(&r, &inter), other = make_cert(&r, &stranger);
    char *text = join(other.pem, stranger.pem, NULL);

    (void)state;
    refused_text(leaf.pem, "is not among the certificates");
    refused_text(text, "not in the CA bundle");
    r.digest = EVP_sha1();
    made_free(&leaf);
    leaf = make_cert(&r, &root);
    refused_text(leaf.pem, "");
    free(text);
    made_free(&leaf);
    made_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_taken_in_pkcs7),
        cmocka_unit_test(test_taken_with_more),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_wrong_key),
        cmocka_unit_test(test_wrong_names),
        cmocka_unit_test(test_odd_request),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_wrong_time),
        cmocka_unit_test(test_wrong_path),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
