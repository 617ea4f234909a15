/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests: what ours hold, and what a stranger's may and may not bring into a
 * certificate.
 */
#include <stdio.h>

#include "tests/unit/pki_make.h"

static struct made root;
static struct pki_ca ca;

static int setup(void **state)
{
    struct recipe r = CA_RECIPE("Root");

    (void)state;
    root = make_cert(&r, NULL);
    ca.cert_pem = root.pem;
    ca.key_pem = root.key_pem;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    return 0;
}

static void test_request(void **state)
{
    const char *const hosts[] = {"b.example.com", "10.0.0.1", NULL};
    const struct pki_subject subject = {"a.example.com", "O=X,C=GB", hosts};
    struct secret *key;
    struct pki_cert_info info;
    struct err err = {0};
    char *request, *pem;

    (void)state;
    key = make_rsa();
    assert_int_equal(pki_request(key, &subject, PKI_ANY, &request, &err), 0);
    info = info_of(request);
    assert_int_equal(info.kind, PKI_REQUEST);
    assert_string_equal(info.subject, "CN=a.example.com,O=X,C=GB");
    assert_string_equal(info.names,
                        "DNS:a.example.com, DNS:b.example.com, IP:10.0.0.1");
    assert_string_equal(info.key, "rsa:2048");
    assert_string_equal(info.signature, "sha256WithRSAEncryption");
    assert_int_equal(
        pki_sign_request(&ca, request, PKI_CLIENT, 30, MAKE_NOW, &pem, &err),
        0);
    assert_string_equal(info_of(pem).subject, info.subject);
    assert_string_equal(info_of(pem).names, info.names);
    assert_string_equal(info_of(pem).spki_sha256, info.spki_sha256);
    assert_int_equal(info_of(pem).not_after, MAKE_NOW + 30LL * 86400);
    check_usage(pem, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                XKU_SSL_CLIENT); /* our purpose, not the request's */
    free(pem);
    free(request);
    secret_free(key);
}

/* A request by hand, with what it should not ask for. */
static char *make_request(EVP_PKEY *key, const char *cn, int cn_len,
                          const char *basic, bool forge)
{
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *list = NULL;
    X509_NAME *name = X509_NAME_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *pem;
    long n;

    if (cn)
        X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING,
                                   (const unsigned char *)cn, cn_len, -1, 0);
    X509_REQ_set_subject_name(request, name);
    X509_REQ_set_pubkey(request, key);
    if (basic) {
        X509_EXTENSION *ext =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, basic);
        X509v3_add_ext(&list, ext, -1);
        X509_REQ_add_extensions(request, list);
        X509_EXTENSION_free(ext);
    }
    assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    if (forge)
        X509_REQ_set_version(request, 1);
    PEM_write_bio_X509_REQ(bio, request);
    n = BIO_get_mem_data(bio, &data);
    pem = strndup(data, (size_t)n);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_NAME_free(name);
    X509_REQ_free(request);
    BIO_free(bio);
    return pem;
}

/* An appliance's request: it takes nothing narrower, and gets no more. */
static void add_wish(STACK_OF(X509_EXTENSION) * *list, int nid,
                     const char *words)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, words);

    X509v3_add_ext(list, ext, -1);
    X509_EXTENSION_free(ext);
}

static char *appliance_request(EVP_PKEY *key, const char *usage,
                               const char *purposes)
{
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *list = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *pem;
    long n;

    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN",
                               V_ASN1_UTF8STRING, (const unsigned char *)"a-ms",
                               -1, -1, 0);
    X509_REQ_set_pubkey(request, key);
    add_wish(&list, NID_key_usage, usage);
    add_wish(&list, NID_ext_key_usage, purposes);
    add_wish(&list, NID_subject_alt_name, "DNS:a.example.com");
    X509_REQ_add_extensions(request, list);
    assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    PEM_write_bio_X509_REQ(bio, request);
    n = BIO_get_mem_data(bio, &data);
    pem = strndup(data, (size_t)n);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_REQ_free(request);
    BIO_free(bio);
    return pem;
}

static void test_as_asked(void **state)
{
    EVP_PKEY *key = make_key(2048);
    struct err err = {0};
    char *request, *pem;

    (void)state;
    request = appliance_request(
        key, "digitalSignature,keyEncipherment,dataEncipherment",
        "serverAuth,clientAuth,ipsecEndSystem");
    assert_int_equal(
        pki_sign_request(&ca, request, PKI_AS_ASKED, 10, MAKE_NOW, &pem, &err),
        0);
    assert_string_equal(info_of(pem).usage,
                        "Digital Signature, Key Encipherment, Data "
                        "Encipherment (critical)");
    assert_string_equal(info_of(pem).purposes, info_of(request).purposes);
    free(pem);
    free(request);
    request = appliance_request(key, "keyCertSign,cRLSign", "codeSigning");
    assert_int_equal(
        pki_sign_request(&ca, request, PKI_AS_ASKED, 10, MAKE_NOW, &pem, &err),
        0);
    check_usage(pem, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                XKU_SSL_SERVER | XKU_SSL_CLIENT);
    free(pem);
    free(request);
    EVP_PKEY_free(key);
}

static void request_fails(char *request, const char *words)
{
    struct err err = {0};
    char *pem = (char *)1;

    assert_int_equal(
        pki_sign_request(&ca, request, PKI_SERVER, 10, MAKE_NOW, &pem, &err),
        -1);
    assert_null(pem);
    assert_int_equal(err.cause, CAUSE_INPUT);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" lacks \"%s\"", err.text, words);
    free(request);
}

static void test_bad_requests(void **state)
{
    EVP_PKEY *weak = make_key(1024);
    struct err err = {0};
    char *request, *pem;

    (void)state;
    request = make_request(root.key, "dev.example.com", -1, "critical,CA:TRUE",
                           false);
    assert_int_equal(
        pki_sign_request(&ca, request, PKI_SERVER, 10, MAKE_NOW, &pem, &err),
        0);
    check_usage(pem, KU_DIGITAL_SIGNATURE, XKU_SSL_SERVER); /* and no CA */
    assert_string_equal(info_of(pem).names, "DNS:dev.example.com");
    free(pem);
    free(request);
    request_fails(make_request(root.key, "a", -1, NULL, true),
                  "own signature is wrong");
    request_fails(make_request(root.key, NULL, 0, NULL, false), "no subject");
    request_fails(make_request(root.key, "a\0b", 3, NULL, false), "NUL");
    request_fails(make_request(weak, "a", -1, NULL, false), "rsa:1024");
    request_fails(strdup("junk"), "no certificate request");
    request_fails(strdup(root.pem), "no certificate request");
    EVP_PKEY_free(weak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_as_asked),
        cmocka_unit_test(test_bad_requests),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
