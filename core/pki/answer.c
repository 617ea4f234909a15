/* SPDX-License-Identifier: Apache-2.0
 *
 * What a foreign issuer gave for a request of ours.  It is hostile: few
 * certificates and nothing else, the one of our key, with the names and the
 * purpose that were asked for, and a path to a CA that was named beforehand.
 * They come one by one or in a PKCS #7, which Microsoft's tools label
 * CERTIFICATE, too.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    ANSWER_CERTS = 10, /* leaf and path; nobody needs more */
    LEVEL = 2,         /* 112 bits, as pki_verify */
    CN_SHOWN = 64      /* bytes of it in an error */
};

/* -- the blocks ----------------------------------------------------------- */

static unsigned line_of(const char *data, const char *at)
{
    unsigned line = 1;

    for (const char *p = data; p < at; p++)
        line += *p == '\n';
    return line;
}

static bool is_pkcs7(const struct pki_block *block)
{
    return strcmp(block->label, "PKCS7") == 0 ||
           strcmp(block->label, "PKCS #7 SIGNED DATA") == 0;
}

static bool push_envelope(STACK_OF(X509) * certs, const struct pki_block *block)
{
    struct secret *der = pki_pem_decode(block);
    bool good = der && pki_push_pkcs7(certs, der->data, der->len);

    secret_free(der);
    return good;
}

static int take_block(const char *data, const struct pki_block *block,
                      STACK_OF(X509) * certs, struct err *err)
{
    unsigned line = line_of(data, block->start);

    if (pki_pem_label(block) != PKI_LABEL_CERT && !is_pkcs7(block))
        return err_set(
            err, CAUSE_INPUT,
            "line %u: only certificates are wanted, and here begins one %s",
            line, block->label);
    if (!pki_push_cert(certs, block) && !push_envelope(certs, block))
        return pki_fail(err, CAUSE_INPUT,
                        "line %u: the certificate cannot be read", line);
    if (sk_X509_num(certs) > ANSWER_CERTS)
        return err_set(err, CAUSE_INPUT, "line %u: more than %d certificates",
                       line, ANSWER_CERTS);
    return 0;
}

static int take_blocks(const char *data, size_t len, STACK_OF(X509) * certs,
                       struct err *err)
{
    const char *at = data, *end = data + len;
    struct pki_block block;
    int got;

    while ((got = pki_pem_next(&at, end, &block)) > 0)
        if (take_block(data, &block, certs, err) < 0)
            return -1;
    if (got < 0)
        return err_set(err, CAUSE_INPUT,
                       "behind line %u a PEM block begins and does not end",
                       line_of(data, at));
    return 0;
}

static STACK_OF(X509) *
    read_answer(const void *data, size_t len, struct err *err)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    X509 *cert;
    int rc = 0;

    if (!certs)
        abort();
    if (len > PKI_ANSWER_BYTES)
        rc = err_set(err, CAUSE_INPUT, "more than %d bytes", PKI_ANSWER_BYTES);
    else if (pki_pem_is(data, len))
        rc = take_blocks(data, len, certs, err);
    else if (len && (cert = pki_der_cert(data, len)) != NULL)
        sk_X509_push(certs, cert);
    else if (len && pki_push_pkcs7(certs, data, len) &&
             sk_X509_num(certs) > ANSWER_CERTS)
        rc = err_set(err, CAUSE_INPUT, "more than %d certificates",
                     ANSWER_CERTS);
    if (rc == 0 && sk_X509_num(certs) == 0)
        rc = err_set(err, CAUSE_INPUT, "it holds no certificate");
    ERR_clear_error();
    if (rc == 0)
        return certs;
    sk_X509_pop_free(certs, X509_free);
    return NULL;
}

/* -- the one of our key --------------------------------------------------- */

static X509 *take_leaf(STACK_OF(X509) * certs, X509_REQ *request)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);

    for (int i = 0; key && i < sk_X509_num(certs); i++)
        if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(certs, i)), key) == 1)
            return sk_X509_delete(certs, i);
    return NULL;
}

/* `want`: what the request has; NULL: none. */
static int fail_cn(const unsigned char *want, int len, struct err *err)
{
    struct str visible;

    str_init(&visible, CN_SHOWN);
    if (want)
        str_add_visible(&visible, (const char *)want, (size_t)len, false);
    err_set(err, CAUSE_INPUT,
            "its common name is not the %s that was asked for",
            want ? str_text(&visible) : "(none)");
    str_release(&visible);
    return -1;
}

static int same_cn(const X509_NAME *asked, const X509_NAME *given,
                   struct err *err)
{
    int a = X509_NAME_get_index_by_NID(asked, NID_commonName, -1);
    int g = X509_NAME_get_index_by_NID(given, NID_commonName, -1);
    unsigned char *want = NULL, *have = NULL;
    int n = -1, m = -1, rc = 0;

    if (a >= 0)
        n = ASN1_STRING_to_UTF8(
            &want, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(asked, a)));
    if (g >= 0)
        m = ASN1_STRING_to_UTF8(
            &have, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(given, g)));
    if (n != m || (n > 0 && memcmp(want, have, (size_t)n) != 0))
        rc = fail_cn(want, n, err);
    OPENSSL_free(want);
    OPENSSL_free(have);
    return rc;
}

/* An issuer may write DNS names in lower case. */
static bool same_name(const GENERAL_NAME *a, const GENERAL_NAME *b)
{
    const ASN1_STRING *x, *y;

    if (a->type != GEN_DNS || b->type != GEN_DNS)
        return GENERAL_NAME_cmp((GENERAL_NAME *)(uintptr_t)a,
                                (GENERAL_NAME *)(uintptr_t)b) == 0;
    x = a->d.dNSName;
    y = b->d.dNSName;
    return ASN1_STRING_length(x) == ASN1_STRING_length(y) &&
           OPENSSL_strncasecmp((const char *)ASN1_STRING_get0_data(x),
                               (const char *)ASN1_STRING_get0_data(y),
                               (size_t)ASN1_STRING_length(x)) == 0;
}

static bool has_name(const GENERAL_NAMES *list, const GENERAL_NAME *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++)
        if (same_name(sk_GENERAL_NAME_value(list, i), name))
            return true;
    return false;
}

static int fail_name(const GENERAL_NAME *name, const char *what,
                     struct err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct str visible;
    char *text = NULL;
    long len = 0;

    if (bio && GENERAL_NAME_print(bio, (GENERAL_NAME *)(uintptr_t)name) == 1)
        len = BIO_get_mem_data(bio, &text);
    str_init(&visible, 300);
    if (len > 0)
        str_add_visible(&visible, text, (size_t)len, false);
    err_set(err, CAUSE_INPUT, "%s %s", what, str_text(&visible));
    str_release(&visible);
    BIO_free(bio);
    return -1;
}

static int compare_names(const GENERAL_NAMES *asked, const GENERAL_NAMES *given,
                         struct err *err)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(asked); i++)
        if (!has_name(given, sk_GENERAL_NAME_value(asked, i)))
            return fail_name(sk_GENERAL_NAME_value(asked, i),
                             "it lacks the name that was asked for:", err);
    for (int i = 0; i < sk_GENERAL_NAME_num(given); i++)
        if (!has_name(asked, sk_GENERAL_NAME_value(given, i)))
            return fail_name(sk_GENERAL_NAME_value(given, i),
                             "it has a name that nobody asked for:", err);
    return 0;
}

static int same_names(X509_REQ *request, X509 *leaf, struct err *err)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
    GENERAL_NAMES *asked =
        X509V3_get_d2i(list, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAMES *given =
        X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    int rc = same_cn(X509_REQ_get_subject_name(request),
                     X509_get_subject_name(leaf), err);

    if (rc == 0)
        rc = compare_names(asked, given, err);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    GENERAL_NAMES_free(asked);
    GENERAL_NAMES_free(given);
    return rc;
}

/* -- the whole ------------------------------------------------------------ */

/* PKI_ANY: it is shown to servers and to clients, so both must take it. */
static int build(struct pki_path *path, STACK_OF(X509) * *chain,
                 struct pki_fault *fault)
{
    if (path->purpose == PKI_ANY) {
        path->purpose = PKI_CLIENT;
        if (pki_path_build(path, NULL, fault) < 0)
            return -1;
        path->purpose = PKI_SERVER;
    }
    return pki_path_build(path, chain, fault);
}

static int check_path(const struct pki_wish *wish, X509 *leaf,
                      STACK_OF(X509) * extra, STACK_OF(X509) * *chain,
                      struct err *err)
{
    struct pki_path path = {
        .leaf = leaf,
        .extra = extra,
        .bundle = pki_read_certs(wish->trust, wish->trust_len, err),
        .purpose = wish->purpose,
        .at = wish->at,
        .level = LEVEL,
    };
    struct pki_fault fault = {0};
    int rc = -1;

    if (!path.bundle)
        return err_context(err, "the CA");
    if (X509_get_extension_flags(leaf) & EXFLAG_CA)
        err_set(err, CAUSE_INPUT, "the certificate is that of a CA");
    else if ((rc = build(&path, chain, &fault)) < 0)
        err_set(err, CAUSE_INPUT, "%s", fault.text);
    sk_X509_pop_free(path.bundle, X509_free);
    return rc;
}

/* What lies between leaf and root: the nodes must get it in their bundle. */
static void give(X509 *leaf, STACK_OF(X509) * chain, struct pki_answer *answer)
{
    answer->leaf = pki_cert_pem(leaf);
    str_init(&answer->between, PKI_ANSWER_BYTES * 2);
    for (int i = 1; i + 1 < sk_X509_num(chain); i++) {
        char *pem = pki_cert_pem(sk_X509_value(chain, i));

        str_add(&answer->between, pem ? pem : "");
        free(pem);
    }
}

void pki_answer_release(struct pki_answer *answer)
{
    free(answer->leaf);
    str_release(&answer->between);
    answer->leaf = NULL;
}

int pki_answer_find(const struct pki_wish *wish, const void *data, size_t len,
                    struct pki_answer *answer)
{
    STACK_OF(X509) *certs = read_answer(data, len, NULL);
    X509_REQ *request =
        pki_read_request(wish->request, wish->request_len, NULL);
    X509 *leaf = certs && request ? take_leaf(certs, request) : NULL;

    if (leaf && answer)
        answer->leaf = pki_cert_pem(leaf);
    X509_REQ_free(request);
    sk_X509_pop_free(certs, X509_free);
    X509_free(leaf);
    ERR_clear_error();
    return leaf ? 0 : -1;
}

int pki_answer_read(const struct pki_wish *wish, const void *data, size_t len,
                    struct pki_answer *answer, struct err *err)
{
    STACK_OF(X509) *certs = read_answer(data, len, err), *chain = NULL;
    X509_REQ *request = NULL;
    X509 *leaf = NULL;
    int rc = -1;

    if (!certs)
        return -1;
    request = pki_read_request(wish->request, wish->request_len, err);
    leaf = request ? take_leaf(certs, request) : NULL;
    if (request && !leaf)
        err_set(err, CAUSE_INPUT,
                "none of its certificates has the key of the request");
    if (leaf && same_names(request, leaf, err) == 0 &&
        check_path(wish, leaf, certs, &chain, err) == 0) {
        give(leaf, chain, answer);
        rc = 0;
    }
    sk_X509_pop_free(chain, X509_free);
    X509_free(leaf);
    X509_REQ_free(request);
    sk_X509_pop_free(certs, X509_free);
    ERR_clear_error();
    return rc;
}
