/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, requests and certificates as certreq makes and takes them.  Not RSA,
 * whose keys take long: what the .inf says of length and provider is looked
 * for, and no more.
 */
#include <ctype.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/win_cce.h"

enum {
    DAY = 86400,
    NAMES_CAP = 4096
};

void cce_thumb(const X509 *cert, char thumb[THUMB_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!X509_digest(cert, EVP_sha1(), digest, &len))
        abort();
    for (unsigned i = 0; i < len; i++)
        snprintf(thumb + 2 * i, 3, "%02x", digest[i]);
}

X509 *cce_self_signed(const char *name, EVP_PKEY *key, int64_t now)
{
    X509 *x = X509_new();

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now - DAY));
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(now + 10 * DAY));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    if (!X509_sign(x, key, EVP_sha256()))
        abort();
    return x;
}

X509 *cce_read_cert(const void *data, size_t len)
{
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    return x;
}

bool cce_is_signed_by(const struct cce_cert *list, size_t n, X509 *cert)
{
    for (size_t i = 0; i < n; i++)
        if (X509_check_issued(list[i].cert, cert) == X509_V_OK &&
            X509_verify(cert, X509_get0_pubkey(list[i].cert)) == 1)
            return true;
    return false;
}

/* -- .inf ------------------------------------------------------------------ */

/* NAME = "VALUE": behind the quote, up to the next one. */
static bool value_of(const char *inf, const char *name, char *out, size_t room)
{
    const char *at = strstr(inf, name);
    size_t len;

    if (!at)
        return false;
    at += strlen(name);
    at += strspn(at, " =\"");
    len = strcspn(at, "\"\r\n");
    snprintf(out, room, "%.*s", (int)len, at);
    return len > 0;
}

/* "_continue_ = \"dns=a&\"" lines to "DNS:a,IP:10.0.0.1". */
static void names_of(const char *inf, struct str *out)
{
    for (const char *p = inf; (p = strstr(p, "_continue_ = \"")); p++) {
        const char *word = p + strlen("_continue_ = \"");
        const char *equals = strchr(word, '=');
        size_t n = strcspn(equals + 1, "&\"");

        str_addf(out, "%s%s:%.*s", out->len ? "," : "",
                 strncmp(word, "dns", 3) == 0 ? "DNS" : "IP", (int)n,
                 equals + 1);
    }
}

static bool add_extensions(X509_REQ *req, const char *inf)
{
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *names = NULL, *purposes;
    struct str san;

    str_init(&san, NAMES_CAP);
    names_of(inf, &san);
    if (san.len)
        names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                                    str_text(&san));
    str_release(&san);
    purposes = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage,
                                   "serverAuth,clientAuth");
    if (names)
        sk_X509_EXTENSION_push(list, names);
    sk_X509_EXTENSION_push(list, purposes);
    X509_REQ_add_extensions(req, list);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return names != NULL;
}

static char *text_of(X509_REQ *req)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL, *text;
    long len;

    PEM_write_bio_X509_REQ_NEW(bio, req);
    len = BIO_get_mem_data(bio, &data);
    text = strndup(data, (size_t)len);
    BIO_free(bio);
    return text;
}

char *cce_request(const char *inf, EVP_PKEY *key)
{
    static const char *const wanted[] = {
        "[NewRequest]", "KeyLength = 2048", "MachineKeySet = TRUE",
        "OID = 1.3.6.1.5.5.7.3.1", "OID = 1.3.6.1.5.5.7.3.2"};
    X509_REQ *req = X509_REQ_new();
    char cn[256], *text = NULL;
    bool whole = value_of(inf, "Subject = \"CN", cn, sizeof(cn));

    for (size_t i = 0; i < sizeof(wanted) / sizeof(char *); i++)
        whole = whole && strstr(inf, wanted[i]);
    if (whole) {
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN",
                                   MBSTRING_UTF8, (unsigned char *)cn, -1, -1,
                                   0);
        X509_REQ_set_pubkey(req, key);
        if (add_extensions(req, inf) && X509_REQ_sign(req, key, EVP_sha256()))
            text = text_of(req);
    }
    X509_REQ_free(req);
    return text;
}
