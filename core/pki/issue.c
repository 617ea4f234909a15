/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and leaf certificates.  What goes into a leaf is decided here and
 * nowhere else; a request contributes its key and its names, never its wishes,
 * but for what asked.c lets an appliance ask for.
 */
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

#include "core/pki/pki_priv.h"

enum {
    SERIAL_BITS = 127,
    DAY_S = 86400
};
/* positions in a KeyUsage bit string (RFC 5280 4.2.1.3); -1 ends a list */
enum {
    BIT_SIGNATURE = 0,
    BIT_ENCIPHERMENT = 2,
    BIT_END = -1
};

/* -- extensions ---------------------------------------------------------- */

static bool add_extension(X509 *cert, int nid, void *value, bool critical)
{
    return value && X509_add1_ext_i2d(cert, nid, value, critical,
                                      X509V3_ADD_DEFAULT) == 1;
}

bool pki_add_basic(X509 *cert, bool ca)
{
    BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
    bool ok;

    if (basic)
        basic->ca = ca ? 0xff : 0;
    ok = add_extension(cert, NID_basic_constraints, basic, true);
    BASIC_CONSTRAINTS_free(basic);
    return ok;
}

bool pki_add_usage(X509 *cert, const int *bits)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    bool ok = usage != NULL;

    for (; ok && *bits != BIT_END; bits++)
        ok = ASN1_BIT_STRING_set_bit(usage, *bits, 1) == 1;
    ok = ok && add_extension(cert, NID_key_usage, usage, true);
    ASN1_BIT_STRING_free(usage);
    return ok;
}

static EXTENDED_KEY_USAGE *purposes(enum pki_purpose purpose)
{
    EXTENDED_KEY_USAGE *list = EXTENDED_KEY_USAGE_new();
    bool ok = list != NULL;

    if (ok && purpose != PKI_CLIENT)
        ok = sk_ASN1_OBJECT_push(list, OBJ_nid2obj(NID_server_auth)) > 0;
    if (ok && purpose != PKI_SERVER)
        ok = sk_ASN1_OBJECT_push(list, OBJ_nid2obj(NID_client_auth)) > 0;
    if (ok)
        return list;
    EXTENDED_KEY_USAGE_free(list);
    return NULL;
}

static bool add_purpose(X509 *cert, enum pki_purpose purpose)
{
    EXTENDED_KEY_USAGE *list = purposes(purpose);
    bool ok = add_extension(cert, NID_ext_key_usage, list, false);

    EXTENDED_KEY_USAGE_free(list);
    return ok;
}

/* RFC 5280 4.2.1.2 (1): SHA-1 of the key's bits; a name, no protection. */
static ASN1_OCTET_STRING *key_id(const X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    unsigned len;

    if (id && X509_pubkey_digest(cert, EVP_sha1(), digest, &len) &&
        ASN1_OCTET_STRING_set(id, digest, (int)len))
        return id;
    ASN1_OCTET_STRING_free(id);
    return NULL;
}

bool pki_add_key_id(X509 *cert)
{
    ASN1_OCTET_STRING *id = key_id(cert);
    bool ok = add_extension(cert, NID_subject_key_identifier, id, false);

    ASN1_OCTET_STRING_free(id);
    return ok;
}

/* The key's id alone: issuer and serial in it would tie the leaf to this one
 * certificate of the CA and forbid renewing that under the same key (facts
 * 1.6).  A CA without an id of its own (Cisco's recipe) is named by what its
 * id would be: two roots of one name stay apart. */
static bool add_authority(X509 *cert, X509 *ca)
{
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(ca);
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    bool ok = false;

    if (authority) {
        authority->keyid = own ? ASN1_OCTET_STRING_dup(own) : key_id(ca);
        ok =
            authority->keyid &&
            add_extension(cert, NID_authority_key_identifier, authority, false);
    }
    AUTHORITY_KEYID_free(authority);
    return ok;
}

/* -- certificates -------------------------------------------------------- */

static bool set_serial(X509 *cert)
{
    BIGNUM *n = BN_new();
    bool ok = n != NULL;

    do
        ok = ok && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
    while (ok && BN_is_zero(n));
    ok = ok && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return ok;
}

X509 *pki_cert_blank(const X509_NAME *subject, EVP_PKEY *key,
                     int64_t not_before, int64_t not_after)
{
    X509 *cert = X509_new();

    if (cert && X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
        X509_set_subject_name(cert, subject) && X509_set_pubkey(cert, key) &&
        ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) &&
        ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after))
        return cert;
    X509_free(cert);
    return NULL;
}

bool pki_sign_with(X509 *cert, EVP_PKEY *key)
{
    char digest[32];
    /* 2: the key prescribes it (Ed25519: none); else ours */
    bool fixed =
        EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)) == 2;

    return X509_sign(cert, key, fixed ? NULL : EVP_sha256()) > 0;
}

char *pki_cert_pem(X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    char *pem = NULL;

    if (len > 0) {
        pem = calloc(1, pki_pem_room((size_t)len) + 1);
        if (!pem)
            abort();
        pki_pem_encode("CERTIFICATE", der, (size_t)len, pem);
    }
    OPENSSL_free(der);
    return pem;
}

/* What a leaf is made of, wherever it came from. */
struct leaf {
    const X509_NAME *subject;
    EVP_PKEY *key;
    const GENERAL_NAMES *san; /* NULL: none */
    enum pki_purpose purpose;
    X509_REQ *asked; /* whose usage and purposes it gets; NULL: ours */
    unsigned days;
    int64_t now;
};

static bool add_uses(X509 *cert, const struct leaf *leaf)
{
    static const int rsa[] = {BIT_SIGNATURE, BIT_ENCIPHERMENT, BIT_END};
    static const int other[] = {BIT_SIGNATURE, BIT_END};
    const int *bits = EVP_PKEY_is_a(leaf->key, "RSA") ? rsa : other;
    int asked[PKI_ASKED_BITS] = {BIT_END};
    EXTENDED_KEY_USAGE *list = NULL;
    bool ok;

    if (leaf->asked) {
        pki_asked_usage(leaf->asked, asked);
        list = pki_asked_purposes(leaf->asked);
    }
    ok = pki_add_usage(cert, asked[0] == BIT_END ? bits : asked) &&
         (list ? add_extension(cert, NID_ext_key_usage, list, false)
               : add_purpose(cert, leaf->purpose));
    EXTENDED_KEY_USAGE_free(list);
    return ok;
}

static bool dress(X509 *cert, const struct leaf *leaf, X509 *ca)
{
    return X509_set_issuer_name(cert, X509_get_subject_name(ca)) &&
           pki_add_basic(cert, false) && add_uses(cert, leaf) &&
           (!leaf->san || X509_add1_ext_i2d(cert, NID_subject_alt_name,
                                            (void *)(uintptr_t)leaf->san, 0,
                                            X509V3_ADD_DEFAULT) == 1) &&
           pki_add_key_id(cert) && add_authority(cert, ca);
}

static int check_leaf(const struct leaf *leaf, X509 *ca, struct err *err)
{
    int64_t ca_after = pki_time(X509_get0_notAfter(ca));
    char key[32], when[PKI_TIME_BYTES];

    if (leaf->days == 0 || leaf->days > PKI_MAX_DAYS)
        return err_set(err, CAUSE_INPUT, "days %u: not between 1 and %d",
                       leaf->days, PKI_MAX_DAYS);
    if (!pki_key_is_strong(leaf->key)) {
        pki_key_text(leaf->key, key, sizeof(key));
        return err_set(err, CAUSE_INPUT,
                       "key %s: want RSA of at least 2048 bits, P-256 or "
                       "P-384",
                       key);
    }
    if (ca_after <= leaf->now) {
        pki_time_text(ca_after, when);
        return err_set(err, CAUSE_INPUT,
                       "the CA's certificate has expired (%s): it can sign "
                       "nothing any more",
                       when);
    }
    return 0;
}

static int issue(const struct leaf *leaf, X509 *ca, EVP_PKEY *ca_key,
                 char **pem, struct err *err)
{
    int64_t after = leaf->now + (int64_t)leaf->days * DAY_S;
    int64_t ca_after = pki_time(X509_get0_notAfter(ca));
    X509 *cert;

    if (check_leaf(leaf, ca, err) < 0)
        return -1;
    cert = pki_cert_blank(leaf->subject, leaf->key, leaf->now - PKI_BACKDATE_S,
                          after < ca_after ? after : ca_after);
    /* verified at once: a key that is not the CA's must never pass */
    if (cert && dress(cert, leaf, ca) && pki_sign_with(cert, ca_key) &&
        X509_verify(cert, X509_get0_pubkey(ca)) == 1)
        *pem = pki_cert_pem(cert);
    X509_free(cert);
    if (*pem)
        return 0;
    return pki_fail(err, CAUSE_SYSTEM, "sign a certificate");
}

/* The CA's parts, and what they sign with. */
static int open_ca(const struct pki_ca *ca, X509 **cert, EVP_PKEY **key,
                   struct err *err)
{
    *key = NULL;
    *cert = pki_read_cert(ca->cert_pem, strlen(ca->cert_pem), err);
    if (*cert)
        *key = pki_read_key(ca->key_pem->data, ca->key_pem->len, NULL, err);
    return *key ? 0 : err_context(err, "the CA");
}

int pki_sign(const struct pki_ca *ca, const struct secret *key,
             const struct pki_leaf_options *options, char **pem,
             struct err *err)
{
    struct leaf leaf = {.purpose = options->purpose,
                        .days = options->days,
                        .now = options->now};
    GENERAL_NAMES *san = NULL;
    X509_NAME *name = NULL;
    EVP_PKEY *ca_key = NULL;
    X509 *ca_cert = NULL;
    int rc = -1;

    *pem = NULL;
    if (open_ca(ca, &ca_cert, &ca_key, err) < 0)
        goto out;
    leaf.key = pki_read_key(key->data, key->len, NULL, err);
    if (!leaf.key)
        goto out;
    leaf.subject = name = pki_subject_name(options->subject, err);
    if (!name || pki_subject_san(options->subject, &san, err) < 0)
        goto out;
    leaf.san = san;
    rc = issue(&leaf, ca_cert, ca_key, pem, err);
out:
    GENERAL_NAMES_free(san);
    X509_NAME_free(name);
    EVP_PKEY_free(leaf.key);
    EVP_PKEY_free(ca_key);
    X509_free(ca_cert);
    ERR_clear_error();
    return rc;
}

/* -- requests ------------------------------------------------------------ */

static bool request_extensions(X509_REQ *request, GENERAL_NAMES *san,
                               enum pki_purpose purpose)
{
    STACK_OF(X509_EXTENSION) *list = NULL;
    EXTENDED_KEY_USAGE *usage = purposes(purpose);
    bool ok = usage && X509V3_add1_i2d(&list, NID_ext_key_usage, usage, 0,
                                       X509V3_ADD_DEFAULT) == 1;

    ok = ok && (!san || X509V3_add1_i2d(&list, NID_subject_alt_name, san, 0,
                                        X509V3_ADD_DEFAULT) == 1);
    ok = ok && X509_REQ_add_extensions(request, list) == 1;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    EXTENDED_KEY_USAGE_free(usage);
    return ok;
}

static char *request_words(X509_REQ *request)
{
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(request, &der);
    char *pem = NULL;

    if (len > 0) {
        pem = calloc(1, pki_pem_room((size_t)len) + 1);
        if (!pem)
            abort();
        pki_pem_encode("CERTIFICATE REQUEST", der, (size_t)len, pem);
    }
    OPENSSL_free(der);
    return pem;
}

int pki_request(const struct secret *key, const struct pki_subject *subject,
                enum pki_purpose purpose, char **pem, struct err *err)
{
    EVP_PKEY *private = pki_read_key(key->data, key->len, NULL, err);
    X509_REQ *request = NULL;
    GENERAL_NAMES *san = NULL;
    X509_NAME *name = NULL;

    *pem = NULL;
    if (!private)
        return -1;
    name = pki_subject_name(subject, err);
    if (!name || (subject->hosts && pki_subject_san(subject, &san, err) < 0))
        goto out;
    request = X509_REQ_new();
    if (request && X509_REQ_set_version(request, X509_REQ_VERSION_1) &&
        X509_REQ_set_subject_name(request, name) &&
        X509_REQ_set_pubkey(request, private) &&
        request_extensions(request, san, purpose) &&
        X509_REQ_sign(request, private, EVP_sha256()) > 0)
        *pem = request_words(request);
    if (!*pem)
        pki_fail(err, CAUSE_SYSTEM, "make a certificate request");
out:
    X509_REQ_free(request);
    GENERAL_NAMES_free(san);
    X509_NAME_free(name);
    EVP_PKEY_free(private);
    ERR_clear_error();
    return *pem ? 0 : -1;
}

/* A name with a NUL inside would read as a shorter one. */
static int cn_names(const X509_NAME *name, GENERAL_NAMES **san, struct err *err)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    struct pki_subject subject = {0};
    unsigned char *cn = NULL;
    int len = -1, rc = 0;

    if (at >= 0)
        len = ASN1_STRING_to_UTF8(
            &cn, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len >= 0 && strlen((const char *)cn) != (size_t)len)
        rc = err_set(err, CAUSE_INPUT, "the request's common name holds a NUL");
    else if (len > 0) {
        subject.common_name = (const char *)cn;
        rc = pki_subject_san(&subject, san, err);
    }
    OPENSSL_free(cn);
    return rc;
}

/* The names that the request asks for; without any, its common name's. */
static int request_names(X509_REQ *request, GENERAL_NAMES **san,
                         struct err *err)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
    int state = -1; /* -1: no such extension, -2: several, else its flag */

    *san = X509V3_get_d2i(list, NID_subject_alt_name, &state, NULL);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    if (*san)
        return 0;
    if (state != -1)
        return pki_fail(err, CAUSE_INPUT,
                        "the request's subjectAltName cannot be read");
    return cn_names(X509_REQ_get_subject_name(request), san, err);
}

/* Its own signature proves that whoever asks holds the key. */
static int check_request(X509_REQ *request, struct err *err)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);

    if (!key || X509_REQ_verify(request, key) != 1)
        return pki_fail(err, CAUSE_INPUT,
                        "the request's own signature is wrong");
    if (X509_NAME_entry_count(X509_REQ_get_subject_name(request)) == 0)
        return err_set(err, CAUSE_INPUT, "the request has no subject");
    return 0;
}

static int sign_request(const struct pki_ca *ca, const char *request_pem,
                        struct leaf leaf, char **pem, struct err *err)
{
    bool as_asked = leaf.purpose == PKI_AS_ASKED;
    X509_REQ *request = NULL;
    GENERAL_NAMES *san = NULL;
    EVP_PKEY *ca_key = NULL;
    X509 *ca_cert = NULL;
    int rc = -1;

    *pem = NULL;
    if (open_ca(ca, &ca_cert, &ca_key, err) < 0)
        goto out;
    request = pki_read_request(request_pem, strlen(request_pem), err);
    if (!request || check_request(request, err) < 0 ||
        request_names(request, &san, err) < 0)
        goto out;
    leaf.subject = X509_REQ_get_subject_name(request);
    leaf.key = X509_REQ_get0_pubkey(request);
    leaf.san = san;
    leaf.asked = as_asked ? request : NULL;
    leaf.purpose = as_asked ? PKI_ANY : leaf.purpose;
    rc = issue(&leaf, ca_cert, ca_key, pem, err);
out:
    GENERAL_NAMES_free(san);
    X509_REQ_free(request);
    EVP_PKEY_free(ca_key);
    X509_free(ca_cert);
    ERR_clear_error();
    return rc;
}

int pki_sign_request(const struct pki_ca *ca, const char *request_pem,
                     enum pki_purpose purpose, unsigned days, int64_t now,
                     char **pem,
                     struct err *err) /* lint: allow params, as in pki.h */
{
    const struct leaf leaf = {.purpose = purpose, .days = days, .now = now};

    return sign_request(ca, request_pem, leaf, pem, err);
}
