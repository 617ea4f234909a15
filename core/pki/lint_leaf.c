/* SPDX-License-Identifier: Apache-2.0
 *
 * What one leaf says about itself: its key, its signature, its extensions and
 * its usage (facts/certs.md 6, B and D).  What a strict reader of RFC 5280
 * misses is a warning only: the vendor's own recipe lacks it.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    BIG_RSA = 4096,
    SMALL_EXPONENT = 65537,
    SERIAL_MAX_BYTES = 20
};

void pki_short_subject(const X509 *cert, char text[PKI_SHORT_BYTES])
{
    char subject[PKI_NAME_BYTES];
    bool whole;

    pki_subject_text(cert, subject);
    whole = strlen(subject) < PKI_SHORT_BYTES;
    snprintf(text, PKI_SHORT_BYTES, "%.*s%s",
             str_fit(subject, PKI_SHORT_BYTES - (whole ? 1 : 4)), subject,
             whole ? "" : "...");
}

/* -- the key ------------------------------------------------------------- */

static void check_rsa(const char *what, EVP_PKEY *key,
                      struct pki_findings *findings)
{
    BIGNUM *e = NULL;

    if (EVP_PKEY_get_bits(key) > BIG_RSA)
        pki_find(findings, "B3",
                 "%s certificate: RSA of %d bits makes every handshake slow; "
                 "2048 to 4096 do",
                 what, EVP_PKEY_get_bits(key));
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
        BN_num_bits(e) <= 16)
        pki_find(findings, "B7",
                 "%s certificate: its RSA exponent is smaller than %d; make "
                 "a new key",
                 what, SMALL_EXPONENT);
    BN_free(e);
}

static void check_key(const struct pki_member *m, struct pki_findings *findings)
{
    EVP_PKEY *key = X509_get0_pubkey(m->cert);
    char text[32];

    pki_key_text(key, text, sizeof(text));
    if (!key) {
        pki_find(findings, "B2",
                 "%s certificate: its public key cannot be read", m->what);
        return;
    }
    if (m->key && EVP_PKEY_eq(m->key, key) != 1)
        pki_find(findings, "B1",
                 "%s key does not belong to the %s certificate; find the key "
                 "that it was made with",
                 m->what, m->what);
    if (!pki_key_is_strong(key))
        pki_find(findings, "B2",
                 "%s certificate: key %s; use RSA of at least 2048 bits, "
                 "P-256 or P-384",
                 m->what, text);
    if (EVP_PKEY_is_a(key, "RSA"))
        check_rsa(m->what, key, findings);
}

/* -- the signature ------------------------------------------------------- */

static bool is_sha2(int digest)
{
    return digest == NID_sha224 || digest == NID_sha256 ||
           digest == NID_sha384 || digest == NID_sha512;
}

void pki_lint_signature(const char *what, X509 *cert,
                        struct pki_findings *findings)
{
    int digest = NID_undef, key = NID_undef;
    int known = X509_get_signature_info(cert, &digest, &key, NULL, NULL);
    const char *name = OBJ_nid2ln(X509_get_signature_nid(cert));

    if (known && is_sha2(digest) && key != NID_rsassaPss)
        return;
    if (known && (is_sha2(digest) || digest == NID_undef))
        pki_find_as(
            findings, "B4", PKI_WARNING,
            "%s: signed with %.40s, which the device's documents do not "
            "name; SHA-256 with RSA or ECDSA is proven",
            what, name);
    else
        pki_find(findings, "B4",
                 "%s: signed with %.40s; have it issued again with SHA-256",
                 what, name ? name : "an unknown algorithm");
    ERR_clear_error();
}

/* -- extensions ---------------------------------------------------------- */

static void check_critical(const struct pki_member *m,
                           struct pki_findings *findings)
{
    char oid[64];

    if (X509_get_extension_flags(m->cert) & EXFLAG_INVALID)
        pki_find(findings, "B11",
                 "%s certificate: its extensions cannot be read", m->what);
    for (int i = 0; i < X509_get_ext_count(m->cert); i++) {
        X509_EXTENSION *ext = X509_get_ext(m->cert, i);
        if (!X509_EXTENSION_get_critical(ext) || X509_supported_extension(ext))
            continue;
        OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(ext), 1);
        pki_find(findings, "B11",
                 "%s certificate: critical extension %s is unknown; who does "
                 "not know it must refuse the certificate",
                 m->what, oid);
    }
}

/* OpenSSL reads some extensions only when they are asked for, and takes bytes
 * that are none for an extension that is absent. */
static void check_readable(const struct pki_member *m,
                           struct pki_findings *findings)
{
    for (int i = 0; i < X509_get_ext_count(m->cert); i++) {
        X509_EXTENSION *ext = X509_get_ext(m->cert, i);
        const X509V3_EXT_METHOD *method = X509V3_EXT_get(ext);
        void *value = method ? X509V3_EXT_d2i(ext) : NULL;
        if (method && !value)
            pki_break(findings, m->profile, PKI_RULE_MALFORMED,
                      "%s certificate: its extension %s cannot be read; have "
                      "it issued again",
                      m->what,
                      OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(ext))));
        if (value && method->it)
            ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
        else if (value)
            method->ext_free(value);
    }
}

static X509_EXTENSION *extension(X509 *cert, int nid)
{
    int at = X509_get_ext_by_NID(cert, nid, -1);

    return at < 0 ? NULL : X509_get_ext(cert, at);
}

static bool is_critical(X509 *cert, int nid)
{
    X509_EXTENSION *ext = extension(cert, nid);

    return ext && X509_EXTENSION_get_critical(ext);
}

/* RFC 5280 4.2.1.6: critical where the names stand in for the subject (the
 * strict reading asks for that), and not elsewhere. */
static void check_san_critical(const struct pki_member *m,
                               struct pki_findings *findings)
{
    if (is_critical(m->cert, NID_subject_alt_name) &&
        X509_NAME_entry_count(X509_get_subject_name(m->cert)) > 0)
        pki_break(findings, m->profile, PKI_RULE_SAN_CRITICAL,
                  "%s certificate: its subjectAltName is critical beside a "
                  "subject; have it issued again",
                  m->what);
}

static void check_version(const struct pki_member *m,
                          struct pki_findings *findings)
{
    if (X509_get_version(m->cert) < X509_VERSION_3)
        pki_break(findings, m->profile, PKI_RULE_VERSION,
                  "%s certificate: of version %ld, without extensions; sign "
                  "it with an extension file",
                  m->what, X509_get_version(m->cert) + 1);
    else if (!extension(m->cert, NID_subject_alt_name))
        pki_break(findings, m->profile, PKI_RULE_NO_SAN,
                  "%s certificate: it has no subjectAltName; newer releases "
                  "look there for names",
                  m->what);
}

/* The raw keyUsage: X509_get_key_usage() answers all ones without one. */
static bool may_sign(X509 *cert)
{
    return (X509_get_extension_flags(cert) & EXFLAG_KUSAGE) &&
           (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN);
}

static void check_is_leaf(const struct pki_member *m,
                          struct pki_findings *findings)
{
    if (X509_get_extension_flags(m->cert) & EXFLAG_CA)
        pki_find(findings, "B9",
                 "%s certificate: it is a CA (basicConstraints CA:TRUE); use "
                 "a leaf",
                 m->what);
    if (may_sign(m->cert))
        pki_find(findings, "B9",
                 "%s certificate: its key usage permits signing certificates; "
                 "use a leaf",
                 m->what);
    if (X509_get_ext_by_NID(m->cert, NID_name_constraints, -1) >= 0)
        pki_find(findings, "B9",
                 "%s certificate: name constraints belong in a CA's "
                 "certificate only",
                 m->what);
    if (X509_self_signed(m->cert, 0) == 1)
        pki_break(findings, m->profile, PKI_RULE_SELF_SIGNED,
                  "%s certificate: it is self-signed%s; have it signed by "
                  "%s",
                  m->what,
                  m->profile == PKI_SERVICE ? ""
                                            : ", which the database does not "
                                              "take",
                  m->profile == PKI_SERVICE ? "a CA" : "the database's CA");
}

static void check_serial(const struct pki_member *m,
                         struct pki_findings *findings)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(m->cert);
    BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);

    if (!n || BN_is_zero(n) || BN_is_negative(n) ||
        ASN1_STRING_length(serial) > SERIAL_MAX_BYTES)
        pki_break(findings, m->profile, PKI_RULE_SERIAL,
                  "%s certificate: its serial number is not positive or is "
                  "over %d bytes",
                  m->what, SERIAL_MAX_BYTES);
    BN_free(n);
}

static void check_key_ids(const struct pki_member *m,
                          struct pki_findings *findings)
{
    const ASN1_OCTET_STRING *authority = X509_get0_authority_key_id(m->cert);
    const ASN1_OCTET_STRING *issuer = NULL;

    if (!X509_get0_subject_key_id(m->cert) || !authority)
        pki_break(findings, m->profile,
                  authority ? PKI_RULE_SUBJECT_ID : PKI_RULE_AUTHORITY_ID,
                  "%s certificate: no subject or authority key identifier; "
                  "two CAs of one name cannot be told apart",
                  m->what);
    if (m->chain && sk_X509_num(m->chain) > 1)
        issuer = X509_get0_subject_key_id(sk_X509_value(m->chain, 1));
    if (authority && issuer && ASN1_OCTET_STRING_cmp(authority, issuer) != 0)
        pki_find(findings, "B12",
                 "%s certificate: its authority key identifier is not its "
                 "issuer's; have it issued again",
                 m->what);
}

/* -- usage --------------------------------------------------------------- */

static void check_usage(const struct pki_member *m,
                        struct pki_findings *findings)
{
    const struct pki_usage_fault *fault = pki_usage_check(m->cert, m->purpose);

    if (fault && strcmp(fault->id, "D7") == 0)
        pki_break(findings, m->profile, PKI_RULE_EKU_ANY_ALONE,
                  "%s certificate: %s; have it issued again", m->what,
                  fault->text);
    else if (fault)
        pki_find(findings, fault->id,
                 "%s certificate: %s; have it issued again", m->what,
                 fault->text);
}

static void check_eku_form(const struct pki_member *m,
                           struct pki_findings *findings)
{
    if (!(X509_get_extension_flags(m->cert) & EXFLAG_XKUSAGE))
        pki_break(findings, m->profile, PKI_RULE_NO_EKU,
                  "%s certificate: without extended key usage it serves every "
                  "purpose",
                  m->what);
    else if (X509_get_extended_key_usage(m->cert) & XKU_ANYEKU)
        pki_break(findings, m->profile, PKI_RULE_EKU_ANY,
                  "%s certificate: its extended key usage holds \"any\"; "
                  "have it issued again",
                  m->what);
    if (is_critical(m->cert, NID_ext_key_usage))
        pki_break(findings, m->profile, PKI_RULE_EKU_CRITICAL,
                  "%s certificate: its extended key usage is critical; have "
                  "it issued again",
                  m->what);
}

void pki_lint_leaf(const struct pki_member *member,
                   struct pki_findings *findings)
{
    char what[64];

    snprintf(what, sizeof(what), "%s certificate", member->what);
    X509_check_purpose(member->cert, -1, 0); /* fills the flags */
    check_key(member, findings);
    pki_lint_signature(what, member->cert, findings);
    check_version(member, findings);
    check_san_critical(member, findings);
    check_is_leaf(member, findings);
    check_serial(member, findings);
    check_critical(member, findings);
    check_readable(member, findings);
    check_key_ids(member, findings);
    check_usage(member, findings);
    check_eku_form(member, findings);
    ERR_clear_error();
}
