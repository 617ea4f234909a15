/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates, requests and keys in words: names, times, digests.  Judges
 * nothing.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/pki/pki_priv.h"

static void hex_text(const unsigned char *bytes, size_t n, char *text)
{
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void pki_sha256(const void *data, size_t len, char hex[PKI_SHA256_HEX])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    if (!SHA256(len ? data : (const void *)"", len, digest))
        abort();
    hex_text(digest, sizeof(digest), hex);
}

/* Cut text ends in "..." so that nobody takes it for the whole; not in the
 * middle of a character. */
static void copy_cut(char *to, size_t room, const char *from, size_t len)
{
    size_t n = len < room ? len : room - 4;

    while (n < len && n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
        n--;
    if (n > 0)
        memcpy(to, from, n);
    snprintf(to + n, room - n, "%s", n < len ? "..." : "");
}

/* OpenSSL escapes controls, but no mark of direction and no C1. */
void pki_name_text(const X509_NAME *name, char text[PKI_NAME_BYTES])
{
    unsigned long flags =
        XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long len = 0;
    struct str s;

    str_init(&s, 4096);
    if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0)
        len = BIO_get_mem_data(bio, &data);
    if (len > 0)
        str_add_visible(&s, data, (size_t)len, false);
    copy_cut(text, PKI_NAME_BYTES, str_text(&s), s.len);
    str_release(&s);
    BIO_free(bio);
}

void pki_subject_text(const X509 *cert, char text[PKI_NAME_BYTES])
{
    pki_name_text(X509_get_subject_name(cert), text);
    if (!*text)
        snprintf(text, PKI_NAME_BYTES, "(no subject)");
}

int64_t pki_time(const ASN1_TIME *time)
{
    struct tm tm;

    if (!time || !ASN1_TIME_to_tm(time, &tm))
        return 0;
    return (int64_t)timegm(&tm);
}

void pki_time_text(int64_t t, char text[PKI_TIME_BYTES])
{
    time_t when = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&when, &tm) ||
        strftime(text, PKI_TIME_BYTES, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
        snprintf(text, PKI_TIME_BYTES, "(bad time)");
}

static const char *curve_name(const char *group)
{
    // clang-format off
    static const char *const names[][2] = {
        { "prime256v1", "P-256" },
        { "secp384r1",  "P-384" },
        { "secp521r1",  "P-521" },
    };
    // clang-format on

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], group) == 0)
            return names[i][1];
    return group;
}

void pki_key_text(EVP_PKEY *key, char *text, size_t len)
{
    char group[80] = "";

    if (!key)
        snprintf(text, len, "unknown");
    else if (EVP_PKEY_is_a(key, "RSA"))
        snprintf(text, len, "rsa:%d", EVP_PKEY_get_bits(key));
    else if (EVP_PKEY_is_a(key, "RSA-PSS"))
        snprintf(text, len, "rsa-pss:%d", EVP_PKEY_get_bits(key));
    else if (EVP_PKEY_is_a(key, "EC"))
        /* explicit parameters have no name */
        snprintf(text, len, "ec:%s",
                 EVP_PKEY_get_group_name(key, group, sizeof(group), NULL)
                     ? curve_name(group)
                     : "explicit");
    else {
        const char *name = EVP_PKEY_get0_type_name(key);
        snprintf(text, len, "%s", name ? name : "unknown");
        for (char *p = text; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p - 'A' + 'a');
    }
    ERR_clear_error();
}

/* A comma or a blank inside a name must not look like the next name. */
static void add_name_value(struct str *s, const ASN1_STRING *value)
{
    const unsigned char *p = ASN1_STRING_get0_data(value);
    int n = ASN1_STRING_length(value);

    for (int i = 0; i < n; i++)
        if (p[i] > ' ' && p[i] < 0x7f && p[i] != ',' && p[i] != '\\')
            str_addc(s, (char)p[i]);
        else
            str_addf(s, "\\x%02x", p[i]);
}

static void add_ip(struct str *s, const ASN1_OCTET_STRING *ip)
{
    const unsigned char *p = ASN1_STRING_get0_data(ip);
    int n = ASN1_STRING_length(ip);
    char text[INET6_ADDRSTRLEN];

    if ((n == 4 && inet_ntop(AF_INET, p, text, sizeof(text))) ||
        (n == 16 && inet_ntop(AF_INET6, p, text, sizeof(text))))
        str_addf(s, "IP:%s", text);
    else
        str_add(s, "IP:(bad)");
}

static void add_general_name(struct str *s, const GENERAL_NAME *name)
{
    int type;
    void *value = GENERAL_NAME_get0_value(name, &type);

    if (type == GEN_IPADD) {
        add_ip(s, value);
    } else if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
        str_add(s, type == GEN_DNS     ? "DNS:"
                   : type == GEN_EMAIL ? "email:"
                                       : "URI:");
        add_name_value(s, value);
    } else {
        str_add(s, "other");
    }
}

static void names_text(const GENERAL_NAMES *names, char *text, size_t room)
{
    struct str s;

    str_init(&s, 64 * 1024);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        if (i > 0)
            str_add(&s, ", ");
        add_general_name(&s, sk_GENERAL_NAME_value(names, i));
    }
    copy_cut(text, room, str_text(&s), s.len);
    str_release(&s);
}

static void common_name_text(const X509_NAME *name, char *text, size_t room)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *utf8 = NULL;
    struct str s;
    int n;

    text[0] = '\0';
    if (at < 0)
        return;
    n = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n < 0)
        return;
    str_init(&s, 4096);
    str_add_visible(&s, (const char *)utf8, (size_t)n, false);
    copy_cut(text, room, str_text(&s), s.len);
    str_release(&s);
    OPENSSL_free(utf8);
}

static void spki_sha256(X509_PUBKEY *spki, char hex[PKI_SHA256_HEX])
{
    unsigned char *der = NULL;
    int n = spki ? i2d_X509_PUBKEY(spki, &der) : -1;

    hex[0] = '\0';
    if (n > 0)
        pki_sha256(der, (size_t)n, hex);
    OPENSSL_free(der);
}

static void signature_text(int nid, const X509_ALGOR *alg, char *text,
                           size_t room)
{
    const ASN1_OBJECT *oid = NULL;

    if (nid != NID_undef) {
        snprintf(text, room, "%s", OBJ_nid2ln(nid));
        return;
    }
    X509_ALGOR_get0(&oid, NULL, NULL, alg);
    OBJ_obj2txt(text, (int)room, oid, 1);
}

static void serial_text(const ASN1_INTEGER *serial, char *text, size_t room)
{
    const unsigned char *p = ASN1_STRING_get0_data(serial);
    size_t n = (size_t)ASN1_STRING_length(serial);
    size_t used = 0;

    text[0] = '\0';
    if (ASN1_STRING_type(serial) & V_ASN1_NEG)
        used = (size_t)snprintf(text, room, "-");
    for (size_t i = 0; i < n && used + 3 <= room; i++, used += 2)
        snprintf(text + used, room - used, "%02x", p[i]);
}

void pki_cert_sha256(X509 *cert, char hex[PKI_SHA256_HEX])
{
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);

    hex[0] = '\0';
    if (n > 0)
        pki_sha256(der, (size_t)n, hex);
    OPENSSL_free(der);
}

static void cert_sha1(X509 *cert, char hex[PKI_SHA1_HEX])
{
    unsigned char digest[SHA_DIGEST_LENGTH] = {0};

    X509_digest(cert, EVP_sha1(), digest, NULL);
    hex_text(digest, sizeof(digest), hex);
}

static void describe_cert(X509 *cert, struct pki_cert_info *info)
{
    GENERAL_NAMES *san =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    const X509_ALGOR *alg;

    memset(info, 0, sizeof(*info));
    info->kind = PKI_CERTIFICATE;
    pki_name_text(X509_get_subject_name(cert), info->subject);
    pki_name_text(X509_get_issuer_name(cert), info->issuer);
    common_name_text(X509_get_subject_name(cert), info->common_name,
                     sizeof(info->common_name));
    serial_text(X509_get0_serialNumber(cert), info->serial,
                sizeof(info->serial));
    pki_key_text(X509_get0_pubkey(cert), info->key, sizeof(info->key));
    pki_cert_sha256(cert, info->sha256);
    cert_sha1(cert, info->sha1);
    spki_sha256(X509_get_X509_PUBKEY(cert), info->spki_sha256);
    X509_get0_signature(NULL, &alg, cert);
    signature_text(X509_get_signature_nid(cert), alg, info->signature,
                   sizeof(info->signature));
    info->not_before = pki_time(X509_get0_notBefore(cert));
    info->not_after = pki_time(X509_get0_notAfter(cert));
    info->is_ca = (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;
    info->self_issued = X509_NAME_cmp(X509_get_subject_name(cert),
                                      X509_get_issuer_name(cert)) == 0;
    names_text(san, info->names, sizeof(info->names));
    pki_extensions_text(X509_get0_extensions(cert), info);
    GENERAL_NAMES_free(san);
}

static void describe_request(X509_REQ *request, struct pki_cert_info *info)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *san =
        X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    const X509_ALGOR *alg;

    memset(info, 0, sizeof(*info));
    info->kind = PKI_REQUEST;
    pki_name_text(X509_REQ_get_subject_name(request), info->subject);
    common_name_text(X509_REQ_get_subject_name(request), info->common_name,
                     sizeof(info->common_name));
    pki_key_text(X509_REQ_get0_pubkey(request), info->key, sizeof(info->key));
    spki_sha256(X509_REQ_get_X509_PUBKEY(request), info->spki_sha256);
    X509_REQ_get0_signature(request, NULL, &alg);
    signature_text(X509_REQ_get_signature_nid(request), alg, info->signature,
                   sizeof(info->signature));
    names_text(san, info->names, sizeof(info->names));
    pki_extensions_text(extensions, info);
    GENERAL_NAMES_free(san);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void describe_key(EVP_PKEY *key, struct pki_cert_info *info)
{
    X509_PUBKEY *spki = NULL;

    memset(info, 0, sizeof(*info));
    info->kind = PKI_KEY;
    pki_key_text(key, info->key, sizeof(info->key));
    if (X509_PUBKEY_set(&spki, key))
        spki_sha256(spki, info->spki_sha256);
    X509_PUBKEY_free(spki);
}

/* An encrypted key is still a key: only its kind stays unknown. */
static bool try_key(const unsigned char *der, size_t len,
                    struct pki_cert_info *info)
{
    bool locked = false;
    EVP_PKEY *key = pki_der_key(der, len, NULL, &locked);

    if (key)
        describe_key(key, info);
    if (locked) {
        memset(info, 0, sizeof(*info));
        info->kind = PKI_KEY;
        snprintf(info->key, sizeof(info->key), "encrypted");
    }
    EVP_PKEY_free(key);
    return key || locked;
}

static bool try_der(const unsigned char *der, size_t len, unsigned what,
                    struct pki_cert_info *info)
{
    X509_REQ *request;
    X509 *cert;

    if (what & 1U << PKI_CERTIFICATE && (cert = pki_der_cert(der, len))) {
        describe_cert(cert, info);
        X509_free(cert);
        return true;
    }
    if (what & 1U << PKI_REQUEST && (request = pki_der_request(der, len))) {
        describe_request(request, info);
        X509_REQ_free(request);
        return true;
    }
    return what & 1U << PKI_KEY && try_key(der, len, info);
}

/* 1: described, 0: a block of no interest, -1: it is not what it says. */
static int try_block(const struct pki_block *block, struct pki_cert_info *info)
{
    enum pki_label label = pki_pem_label(block);
    unsigned what = label == PKI_LABEL_CERT      ? 1U << PKI_CERTIFICATE
                    : label == PKI_LABEL_REQUEST ? 1U << PKI_REQUEST
                    : label == PKI_LABEL_KEY     ? 1U << PKI_KEY
                                                 : 0;
    struct secret *der;
    bool ok;

    if (label == PKI_LABEL_LOCKED_KEY) {
        memset(info, 0, sizeof(*info));
        info->kind = PKI_KEY;
        info->pem = true;
        snprintf(info->key, sizeof(info->key), "encrypted");
        return 1;
    }
    if (what == 0)
        return 0;
    der = pki_pem_decode(block);
    ok = der && try_der(der->data, der->len, what, info);
    info->pem = true;
    secret_free(der);
    return ok ? 1 : -1;
}

int pki_describe(const void *data, size_t len, struct pki_cert_info *info,
                 struct err *err)
{
    const char *at = data, *end = at + len;
    struct pki_block block;
    int done = 0, got = 0;

    memset(info, 0, sizeof(*info));
    if (pki_pem_is(data, len))
        while (done == 0 && (got = pki_pem_next(&at, end, &block)) > 0)
            done = try_block(&block, info);
    else if (len > 0)
        done = try_der(data, len, ~0U, info);
    ERR_clear_error();
    if (done > 0)
        return 0;
    return err_set(err, CAUSE_INPUT, "%s",
                   done < 0  ? "the first PEM block is damaged"
                   : got < 0 ? "a PEM block begins and does not end"
                             : "it holds no certificate, request or key");
}

int pki_describe_all(const void *data, size_t len, struct pki_cert_info **infos,
                     size_t *n, struct err *err)
{
    STACK_OF(X509) *certs = pki_read_certs(data, len, err);

    *infos = NULL;
    *n = 0;
    if (!certs)
        return -1;
    *infos = calloc((size_t)sk_X509_num(certs), sizeof(**infos));
    if (!*infos)
        abort();
    for (; *n < (size_t)sk_X509_num(certs); ++*n)
        describe_cert(sk_X509_value(certs, (int)*n), *infos + *n);
    sk_X509_pop_free(certs, X509_free);
    ERR_clear_error();
    return 0;
}

struct list {
    struct pki_cert_info *infos;
    size_t n, room;
};

static struct pki_cert_info *next_place(struct list *list)
{
    if (list->n == list->room) {
        list->room = list->room ? 2 * list->room : 4;
        list->infos = realloc(list->infos, list->room * sizeof(*list->infos));
        if (!list->infos)
            abort();
    }
    return &list->infos[list->n];
}

static int each_block(const void *data, size_t len, struct list *list,
                      struct err *err)
{
    const char *at = data, *end = at + len;
    struct pki_block block;
    int got, number = 0;

    while ((got = pki_pem_next(&at, end, &block)) > 0) {
        int is =
            list->n < PKI_MAX_CERTS ? try_block(&block, next_place(list)) : -1;
        number++;
        if (is < 0)
            return err_set(
                err, CAUSE_INPUT, "PEM block %d (%s) %s", number, block.label,
                list->n < PKI_MAX_CERTS ? "is damaged" : "is one too many");
        list->n += (size_t)is;
    }
    if (got < 0)
        return err_set(err, CAUSE_INPUT, "PEM block %d begins and does not end",
                       number + 1);
    return 0;
}

int pki_describe_each(const void *data, size_t len,
                      struct pki_cert_info **infos, size_t *n, struct err *err)
{
    struct list list = {0};
    int rc = 0;

    if (pki_pem_is(data, len))
        rc = each_block(data, len, &list, err);
    else if (len > 0 && try_der(data, len, ~0U, next_place(&list)))
        list.n = 1;
    ERR_clear_error();
    if (rc == 0 && list.n == 0)
        rc = err_set(err, CAUSE_INPUT,
                     "it holds no certificate, request or key, neither as PEM "
                     "nor as DER");
    if (rc < 0) {
        free(list.infos);
        list = (struct list){0};
    }
    *infos = list.infos;
    *n = list.n;
    return rc;
}
