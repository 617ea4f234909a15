/* SPDX-License-Identifier: Apache-2.0
 *
 * Files as bytes: the normaliser, the checks of a file's form, and every
 * reader on damaged input.
 */
#include <stdio.h>

#include "tests/unit/pki_make.h"
#include "tests/unit/slow.h"

static struct made root, leaf;
static unsigned char *leaf_der, *key_der;
static size_t leaf_der_len, key_der_len;

static int setup(void **state)
{
    struct recipe r = CA_RECIPE("Root"), l = SERVER_RECIPE("a", "DNS:a");
    int n;

    (void)state;
    root = make_cert(&r, NULL);
    leaf = make_cert(&l, &root);
    n = i2d_X509(leaf.cert, &leaf_der);
    leaf_der_len = (size_t)n;
    n = i2d_PrivateKey(leaf.key, &key_der);
    key_der_len = (size_t)n;
    return n > 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&leaf);
    OPENSSL_free(leaf_der);
    OPENSSL_free(key_der);
    return 0;
}

/* -- normalise ----------------------------------------------------------- */

static void normal(const void *data, size_t len, const char *want)
{
    struct str out;
    struct err err = {0};

    str_init(&out, 1 << 20);
    if (pki_normalize(data, len, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(str_text(&out), want);
    str_release(&out);
}

static void refuses(const void *data, size_t len, const char *words)
{
    struct str out;
    struct err err = {0};

    str_init(&out, 1 << 20);
    assert_int_equal(pki_normalize(data, len, &out, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_int_equal(out.len, 0);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" lacks \"%s\"", err.text, words);
    str_release(&out);
}

/* `text` with every LF replaced */
static char *with_ends(const char *text, const char *end)
{
    struct str s;

    str_init(&s, 1 << 20);
    for (; *text; text++)
        if (*text == '\n')
            str_add(&s, end);
        else
            str_addc(&s, *text);
    return str_take(&s);
}

static void test_normal(void **state)
{
    char *want = join(leaf.pem, root.pem, NULL);
    char *ends[] = {with_ends(want, "\r\n"), with_ends(want, "\r"),
                    with_ends(want, "\n\n"), with_ends(want, " \t\n"),
                    with_ends(want, "")};
    char *text = NULL, *glued;

    (void)state;
    normal(want, strlen(want), want);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        normal(ends[i], strlen(ends[i]), want);
        free(ends[i]);
    }
    if (asprintf(&text, "\xef\xbb\xbfsubject=CN = a\n\n%s\n\n  %sbye", leaf.pem,
                 root.pem) < 0)
        abort();
    normal(text, strlen(text), want);
    free(text);
    /* `cat` of files without a final line end */
    glued = join(leaf.pem, NULL, NULL);
    glued[strlen(glued) - 1] = '\0';
    text = join(glued, root.pem, NULL);
    normal(text, strlen(text), want);
    free(glued);
    free(text);
    normal(leaf_der, leaf_der_len, leaf.pem);
    free(want);
}

/* Long lines, in whatever width, come out as 64. */
static void test_normal_width(void **state)
{
    char *flat = with_ends(leaf.pem, "");
    struct str s;

    (void)state;
    for (size_t width = 1; width < 200; width += 13) {
        const char *body = flat + 27; /* behind the BEGIN line */
        size_t n = strlen(flat) - 27 - 25;
        str_init(&s, 1 << 20);
        str_add(&s, "-----BEGIN CERTIFICATE-----\n");
        for (size_t i = 0; i < n; i++) {
            str_addc(&s, body[i]);
            if (i % width == width - 1)
                str_addc(&s, '\n');
        }
        str_add(&s, "\n-----END CERTIFICATE-----");
        normal(str_text(&s), s.len, leaf.pem);
        str_release(&s);
    }
    free(flat);
}

static char *relabel(const char *pem, const char *label)
{
    const char *body = strchr(pem, '\n'), *end = strstr(pem, "-----END");
    char *out = NULL;

    if (asprintf(&out, "-----BEGIN %s-----%.*s-----END %s-----\n", label,
                 (int)(end - body), body, label) < 0)
        abort();
    return out;
}

static void test_normal_labels(void **state)
{
    char *old = relabel(leaf.pem, "X509 CERTIFICATE");
    char *trusted = relabel(leaf.pem, "TRUSTED CERTIFICATE");
    char *crl = relabel(leaf.pem, "X509 CRL");
    char *lie = relabel(leaf.pem, "PRIVATE KEY");
    char *odd = relabel(leaf.pem, "CER\001\377FICATE"); /* not to be repeated */
    char *both = join(leaf.pem, trusted, NULL);

    (void)state;
    normal(old, strlen(old), leaf.pem);
    refuses(trusted, strlen(trusted), "openssl x509");
    refuses(both, strlen(both), "block 2 (TRUSTED CERTIFICATE)");
    refuses(crl, strlen(crl), "X509 CRL");
    refuses(lie, strlen(lie), "damaged");
    refuses(odd, strlen(odd), "begins");
    free(odd);
    free(old);
    free(trusted);
    free(crl);
    free(lie);
    free(both);
}

static void test_normal_keys(void **state)
{
    const char *key = secret_text(leaf.key_pem);
    struct secret *locked = make_key_pem(leaf.key, EVP_aes_256_cbc(), "secret");
    char *crlf = with_ends(key, "\r\n");
    char *params = join("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                        "-----END EC PARAMETERS-----\n",
                        key, NULL);
    const char old[] = "-----BEGIN EC PRIVATE KEY-----\n"
                       "Proc-Type: 4,ENCRYPTED\n"
                       "DEK-Info: AES-256-CBC,00\n\nAAAA\n"
                       "-----END EC PRIVATE KEY-----\n";

    (void)state;
    normal(key, strlen(key), key);
    normal(crlf, strlen(crlf), key);
    normal(params, strlen(params), key);
    normal(key_der, key_der_len, key); /* a traditional key becomes PKCS#8 */
    normal(locked->data, locked->len, secret_text(locked));
    refuses(old, strlen(old), "old form");
    free(crlf);
    free(params);
    secret_free(locked);
}

static void test_normal_bad(void **state)
{
    char *text;
    struct str out;
    struct err err = {0};

    (void)state;
    refuses("", 0, "no certificate");
    refuses("hello", 5, "no certificate");
    text = relabel(leaf.pem, "CERTIFICATE");
    text[40] = '*';
    refuses(text, strlen(text), "damaged");
    text[40] = '='; /* padding inside */
    refuses(text, strlen(text), "damaged");
    free(text);
    /* a lost END line must not swallow the next block */
    text = join(leaf.pem, root.pem, NULL);
    memcpy(strstr(text, "-----END"), "xxxxxxxx", 8);
    refuses(text, strlen(text), "does not end");
    free(text);
    str_init(&out, 10);
    assert_int_equal(pki_normalize(leaf.pem, strlen(leaf.pem), &out, &err), -1);
    str_release(&out);
}

/* -- findings on files --------------------------------------------------- */

static void found(const char *name, const void *data, size_t len,
                  const char *id, enum pki_severity severity)
{
    struct pki_findings f = {0};

    pki_lint_file(name, data, len, &f);
    if (!id && f.n > 0) {
        print_findings(&f);
        fail_msg("findings in a good file");
    }
    if (id && !has_finding(&f, id, severity)) {
        print_findings(&f);
        fail_msg("no %s", id);
    }
    assert_int_equal(pki_findings_has_error(&f),
                     id != NULL && severity == PKI_ERROR);
    pki_findings_release(&f);
    assert_null(f.list);
}

static void found_text(const char *text, const char *id,
                       enum pki_severity severity)
{
    found(NULL, text, strlen(text), id, severity);
}

static void test_lint_names(void **state)
{
    const char *key = secret_text(leaf.key_pem);
    size_t n = strlen(leaf.pem);

    (void)state;
    found("dbs-20261121-a.crt", leaf.pem, n, NULL, 0);
    found("/some/dir.d/a_b/dbs.pem", leaf.pem, n, NULL, 0);
    found("dbs.cer", leaf.pem, n, NULL, 0);
    found("dbs.key", key, strlen(key), NULL, 0);
    found("dbs.pem", key, strlen(key), NULL, 0);
    found("my.name.crt", leaf.pem, n, "A1", PKI_ERROR);
    found("my_name.crt", leaf.pem, n, "A1", PKI_ERROR);
    found("my name.crt", leaf.pem, n, "A1", PKI_ERROR);
    found(".crt", leaf.pem, n, "A1", PKI_ERROR);
    found("dbs", leaf.pem, n, "A1", PKI_ERROR);
    found("dbs.txt", leaf.pem, n, "A1", PKI_ERROR);
    found("dbs.key", leaf.pem, n, "A7", PKI_ERROR);
    found("dbs.crt", key, strlen(key), "A7", PKI_ERROR);
    found("dbs.csr", leaf.pem, n, "A7", PKI_ERROR);
    found("dbs.der", leaf_der, leaf_der_len, NULL, 0);
    found("dbs.key", leaf_der, leaf_der_len, "A7", PKI_ERROR);
    found("dbs.key", key_der, key_der_len, NULL, 0);
}

static void lint_around(const char *before, const char *between,
                        const char *after, const char *id,
                        enum pki_severity severity)
{
    char *a = join(before, leaf.pem, between);
    char *all = join(a, root.pem, after);

    found_text(all, id, severity);
    free(a);
    free(all);
}

static void test_lint_form(void **state)
{
    (void)state;
    lint_around("", "", "", NULL, 0);
    lint_around("\xef\xbb\xbf", "", "", "A2", PKI_ERROR);
    lint_around("\n", "", "", "A2", PKI_ERROR);
    lint_around("Bag Attributes\n", "", "", "A2", PKI_ERROR);
    lint_around("", "\n", "", "A3", PKI_ERROR);
    lint_around("", " ", "", "A3", PKI_ERROR);
    lint_around("", "subject=x\n", "", "A3", PKI_ERROR);
    lint_around("", "", "\n", "A4", PKI_ERROR);
    lint_around("", "", "text", "A4", PKI_ERROR);
}

static void test_lint_lines(void **state)
{
    char *all = join(leaf.pem, root.pem, NULL);
    char *crlf = with_ends(all, "\r\n"), *cr = with_ends(all, "\r");
    char *blank = with_ends(all, " \n"), *flat = with_ends(leaf.pem, "");
    struct pki_findings f = {0};

    (void)state;
    found_text(crlf, "A5", PKI_WARNING);
    found_text(cr, "A5", PKI_WARNING);
    pki_lint_file(NULL, blank, strlen(blank), &f);
    assert_true(has_finding(&f, "A6", PKI_WARNING));
    pki_findings_release(&f);
    pki_lint_file(NULL, flat, strlen(flat), &f);
    assert_true(has_finding(&f, "A6", PKI_WARNING));
    assert_true(has_finding(&f, "A4", PKI_ERROR)); /* no final line end */
    pki_findings_release(&f);
    free(all);
    free(crlf);
    free(cr);
    free(blank);
    free(flat);
}

static void test_lint_blocks(void **state)
{
    const char *key = secret_text(leaf.key_pem);
    struct secret *locked = make_key_pem(leaf.key, EVP_aes_256_cbc(), "pw");
    char *mixed = join(leaf.pem, key, NULL), *two = join(key, key, NULL);
    char *trusted = relabel(leaf.pem, "TRUSTED CERTIFICATE");
    char *crl = relabel(leaf.pem, "X509 CRL");
    char *hurt = relabel(leaf.pem, "CERTIFICATE");
    char *tail = malloc(leaf_der_len + 3);

    (void)state;
    found_text(mixed, "A7", PKI_ERROR);
    found_text(two, "A7", PKI_ERROR);
    found_text(trusted, "A7", PKI_ERROR);
    found_text(crl, "A7", PKI_ERROR);
    found_text(secret_text(locked), "A8", PKI_ERROR);
    memcpy(hurt + 28, "AAAA", 4);
    found_text(hurt, "A9", PKI_ERROR);
    hurt[strlen(hurt) - 10] = '\0';
    found_text(hurt, "A7", PKI_ERROR);
    found_text("", "A7", PKI_ERROR);
    found_text("hello\n", "A7", PKI_ERROR);
    memcpy(tail, leaf_der, leaf_der_len);
    memcpy(tail + leaf_der_len, "xyz", 3);
    found(NULL, tail, leaf_der_len + 3, "A9", PKI_ERROR);
    free(mixed);
    free(two);
    free(trusted);
    free(crl);
    free(hurt);
    free(tail);
    secret_free(locked);
}

/* What the normaliser gives, the checks of form pass. */
static void test_lint_agrees(void **state)
{
    char *text = NULL;
    struct str out;
    struct err err = {0};

    (void)state;
    if (asprintf(&text, "\xef\xbb\xbfx\r\n%s\r\n\r\n%s \r\n", leaf.pem,
                 root.pem) < 0)
        abort();
    str_init(&out, 1 << 20);
    assert_int_equal(pki_normalize(text, strlen(text), &out, &err), 0);
    found("ok.crt", out.data, out.len, NULL, 0);
    str_release(&out);
    free(text);
}

/* -- damage -------------------------------------------------------------- */

/* Every reader on one buffer; what they answer is not looked at, only that
 * they come back.  The copy has no byte to spare, so that a read past its end
 * is seen by the sanitizer. */
static void read_all(const void *data, size_t len)
{
    unsigned char *copy = malloc(len ? len : 1);
    struct pki_cert_info info, *infos;
    struct pki_findings f = {0};
    struct pki_db_set set = {0};
    struct str out, notes;
    struct err err;
    size_t n;

    if (len)
        memcpy(copy, data, len);
    str_init(&out, 1 << 20);
    str_init(&notes, 1 << 20);
    pki_describe(copy, len, &info, &err);
    pki_describe_all(copy, len, &infos, &n, &err);
    free(infos);
    pki_match(copy, len, NULL, leaf.pem, strlen(leaf.pem), &err);
    pki_match(leaf.key_pem->data, leaf.key_pem->len, NULL, copy, len, &err);
    pki_names_host(copy, len, "a");
    pki_verify(copy, len, root.pem, strlen(root.pem), PKI_SERVER, MAKE_NOW,
               &err);
    pki_verify(leaf.pem, strlen(leaf.pem), copy, len, PKI_SERVER, MAKE_NOW,
               &err);
    pki_chain_order(copy, len, &out, &notes, &err);
    str_reset(&out);
    pki_normalize(copy, len, &out, &err);
    pki_lint_file("a.crt", copy, len, &f);
    set.client_cert = set.client_key = set.ca = copy;
    set.client_cert_len = set.client_key_len = set.ca_len = len;
    set.at = MAKE_NOW;
    pki_lint_db_set(&set, &f);
    pki_findings_release(&f);
    str_release(&out);
    str_release(&notes);
    free(copy);
}

/* Every place; below valgrind, where it takes minutes, one of 31. */
static size_t stride(void)
{
    return is_slow() ? 31 : 1;
}

static void test_truncated_pem(void **state)
{
    char *all = join(leaf.pem, secret_text(leaf.key_pem), NULL);
    size_t n = strlen(all);
    struct err err;
    struct pki_cert_info info;

    (void)state;
    for (size_t i = 0; i <= n; i += stride())
        read_all(all, i);
    for (size_t i = 1; i + 1 < strlen(leaf.pem); i += stride())
        assert_int_equal(pki_describe(leaf.pem, i, &info, &err), -1);
    free(all);
}

static void test_truncated_der(void **state)
{
    struct pki_cert_info info;
    struct err err;

    (void)state;
    for (size_t i = 0; i < leaf_der_len; i += stride()) {
        read_all(leaf_der, i);
        assert_int_equal(pki_describe(leaf_der, i, &info, &err), -1);
    }
    for (size_t i = 0; i < key_der_len; i += stride()) {
        read_all(key_der, i);
        assert_int_equal(pki_describe(key_der, i, &info, &err), -1);
    }
}

/* Truncated bytes inside whole PEM, and one flipped byte at every place. */
static void test_damaged_der(void **state)
{
    unsigned char *copy = malloc(leaf_der_len);

    (void)state;
    for (size_t i = 0; i < leaf_der_len; i += stride()) {
        memcpy(copy, leaf_der, leaf_der_len);
        copy[i] ^= 0x81;
        read_all(copy, leaf_der_len);
    }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_normal_width),
        cmocka_unit_test(test_normal_labels),
        cmocka_unit_test(test_normal_keys),
        cmocka_unit_test(test_normal_bad),
        cmocka_unit_test(test_lint_names),
        cmocka_unit_test(test_lint_form),
        cmocka_unit_test(test_lint_lines),
        cmocka_unit_test(test_lint_blocks),
        cmocka_unit_test(test_lint_agrees),
        cmocka_unit_test(test_truncated_pem),
        cmocka_unit_test(test_truncated_der),
        cmocka_unit_test(test_damaged_der),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
