/* SPDX-License-Identifier: Apache-2.0
 *
 * core/pki/pki_priv.h - what the files of this room share: PEM blocks, objects
 * of OpenSSL read from buffers, their words, and one way to verify a path.
 * Nobody outside core/pki includes it.
 *
 * Decoded bytes travel in struct secret even for certificates: the reader of
 * a block does not know yet whether it holds a key.
 */
#ifndef CERTFLEET_PKI_PKI_PRIV_H
#define CERTFLEET_PKI_PKI_PRIV_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/pki/checks.h"
#include "core/pki/pki.h"

enum {
    PKI_MAX_CERTS = 500,     /* of one file; the public bundles hold 150 */
    PKI_MAX_BYTES = 4 << 20, /* of one file */
    PKI_NAME_BYTES = 256,    /* a subject on one line */
    PKI_TIME_BYTES = 24,     /* "2026-11-21 03:15:59Z" */
    PKI_BACKDATE_S = 3600,   /* contract: leaves are backdated one hour */
    PKI_ONE_GO_S = 3600,     /* root and leaves made one after the other */
    PKI_MAX_DAYS = 36500,    /* of a certificate that we make */
};

/* -- pem.c --------------------------------------------------------------- */

/* One block inside a buffer; it points into that buffer. */
struct pki_block {
    char label[48];    /* printable ASCII */
    const char *start; /* at "-----BEGIN" */
    size_t len;        /* to the last dash of the END line */
    const char *body;  /* between the two lines */
    size_t body_len;
};

/* What a block's label promises. */
enum pki_label {
    PKI_LABEL_OTHER,
    PKI_LABEL_CERT,
    PKI_LABEL_TRUSTED, /* OpenSSL's own form: appliances cannot read it */
    PKI_LABEL_REQUEST,
    PKI_LABEL_KEY,
    PKI_LABEL_LOCKED_KEY, /* encrypted, either form */
    PKI_LABEL_PARAMS,     /* "EC PARAMETERS": precedes a key, means nothing */
};

bool pki_pem_is(const void *data, size_t len);
/* Moves *at past the next block.  1: found, 0: no more, -1: a BEGIN line
 * without its END line, or with an odd label. */
int pki_pem_next(const char **at, const char *end, struct pki_block *block);
enum pki_label pki_pem_label(const struct pki_block *block);
/* The decoded bytes; NULL when the body is not base64. */
struct secret *pki_pem_decode(const struct pki_block *block);
/* Writes one block (64 columns, LF) to `out`, which has room for
 * pki_pem_room(len) bytes, label included.  Returns the bytes written. */
size_t pki_pem_room(size_t der_len);
size_t pki_pem_encode(const char *label, const unsigned char *der,
                      size_t der_len, char *out);

/* -- read.c -------------------------------------------------------------- */

/* Fills `err` with the text and OpenSSL's reason, and empties OpenSSL's queue
 * of errors so that none lingers in a pool thread.  Returns -1. */
int pki_fail(struct err *err, enum cause cause, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The length that the outer SEQUENCE claims, its header included; 0: the bytes
 * begin with none. */
size_t pki_der_length(const unsigned char *p, size_t len);
/* All that we read is one SEQUENCE that fills its bytes; asking first keeps
 * OpenSSL's slow guessing of key forms away from text and cut files. */
bool pki_der_is_whole(const unsigned char *der, size_t len);
/* Adds a block's certificate; false: it cannot be read. */
bool pki_push_cert(STACK_OF(X509) * certs, const struct pki_block *block);
/* pkcs7.c: adds all certificates of a PKCS #7 that fills its DER bytes; false:
 * it is none, or holds none.  What was added before stays. */
bool pki_push_pkcs7(STACK_OF(X509) * certs, const unsigned char *der,
                    size_t len);
/* Objects that fill their DER bytes exactly; NULL otherwise. */
X509_REQ *pki_der_request(const unsigned char *der, size_t len);
/* Of PKCS#8, encrypted PKCS#8 or a traditional key; *locked when it is
 * encrypted and the passphrase is missing or wrong. */
EVP_PKEY *pki_der_key(const unsigned char *der, size_t len,
                      const struct secret *passphrase, bool *locked);

/* Every certificate of a PEM or DER buffer, in its order; never empty. */
STACK_OF(X509) * pki_read_certs(const void *data, size_t len, struct err *err);
/* The first one alone. */
X509 *pki_read_cert(const void *data, size_t len, struct err *err);
X509_REQ *pki_read_request(const void *data, size_t len, struct err *err);
/* The first private key.  An encrypted one without or with the wrong
 * passphrase is CAUSE_INPUT. */
EVP_PKEY *pki_read_key(const void *data, size_t len,
                       const struct secret *passphrase, struct err *err);

/* -- cert_cache.c -------------------------------------------------------- */

/* The certificate that fills its DER bytes exactly; NULL otherwise.  Yours to
 * free and nobody's to change: whoever reads the same bytes has the same one.
 * From any thread. */
X509 *pki_der_cert(const unsigned char *der, size_t len);

/* -- describe.c ---------------------------------------------------------- */

void pki_name_text(const X509_NAME *name, char text[PKI_NAME_BYTES]);
void pki_subject_text(const X509 *cert, char text[PKI_NAME_BYTES]);
int64_t pki_time(const ASN1_TIME *time);
void pki_time_text(int64_t t, char text[PKI_TIME_BYTES]);
/* "rsa:2048", "ec:P-256", "ed25519" ... */
void pki_key_text(EVP_PKEY *key, char *text, size_t len);
bool pki_cert_names_host(X509 *cert, const char *host);
void pki_cert_sha256(X509 *cert, char hex[PKI_SHA256_HEX]);
bool pki_is_ip(const char *host);

/* -- extensions.c --------------------------------------------------------- */

void pki_extensions_text(const STACK_OF(X509_EXTENSION) * list,
                         struct pki_cert_info *info);

/* -- key.c --------------------------------------------------------------- */

/* PKCS#8 PEM; encrypted (AES-256-CBC, PBKDF2) when there is a password. */
struct secret *pki_key_pem(EVP_PKEY *key, const struct secret *password,
                           struct err *err);
EVP_PKEY *pki_key_generate(const char *kind, struct err *err);
/* Is it one of the kinds that we would make ourselves?  (facts B2) */
bool pki_key_is_strong(EVP_PKEY *key);

/* -- subject.c ----------------------------------------------------------- */

bool pki_is_host(const char *text); /* a DNS name or an IP address */
X509_NAME *pki_subject_name(const struct pki_subject *subject, struct err *err);
/* 0 and NULL in *san when there is no name to put in. */
int pki_subject_san(const struct pki_subject *subject, GENERAL_NAMES **san,
                    struct err *err);

/* -- issue.c ------------------------------------------------------------- */

/* A certificate before its extensions: version 3, random serial, validity. */
X509 *pki_cert_blank(const X509_NAME *subject, EVP_PKEY *key,
                     int64_t not_before, int64_t not_after);
bool pki_add_basic(X509 *cert, bool ca);
bool pki_add_usage(X509 *cert, const int *bits);
/* asked.c: what a request asks for, of what a TLS peer may; bits end with -1,
 * the list is the caller's to free, or NULL. */
enum {
    PKI_ASKED_BITS = 6
};
void pki_asked_usage(X509_REQ *request, int bits[PKI_ASKED_BITS]);
EXTENDED_KEY_USAGE *pki_asked_purposes(X509_REQ *request);
bool pki_add_key_id(X509 *cert);
bool pki_sign_with(X509 *cert, EVP_PKEY *key);
char *pki_cert_pem(X509 *cert);

/* -- verify.c ------------------------------------------------------------ */

struct pki_path {
    X509 *leaf;
    STACK_OF(X509) * extra;  /* intermediates beside the leaf; may be NULL */
    STACK_OF(X509) * bundle; /* roots and further intermediates */
    enum pki_purpose purpose;
    int64_t at;  /* 0: validity is not looked at */
    int level;   /* OpenSSL's security level; 0: any algorithm */
    bool strict; /* RFC 5280 to the letter */
};
struct pki_fault {
    int code;       /* X509_V_ERR_... */
    char text[640]; /* names the certificate and the rule */
};
/* 0 and the path in *chain (may be NULL), or -1 and `fault`. */
int pki_path_build(const struct pki_path *path, STACK_OF(X509) * *chain,
                   struct pki_fault *fault);
bool pki_is_root(X509 *cert); /* self-signed, and the signature is right */
/* Why `cert` cannot serve the purpose, in words; NULL when it can. */
struct pki_usage_fault {
    const char *id; /* "D1" EKU, "D3" KU, "D6" Netscape, "D7" any only */
    const char *text;
};
const struct pki_usage_fault *pki_usage_check(X509 *cert,
                                              enum pki_purpose purpose);

/* -- lint.c and its parts ------------------------------------------------ */

/* With the severity of the table of checks.  The same id with the same text is
 * found once. */
void pki_find(struct pki_findings *findings, const char *id, const char *fmt,
              ...) __attribute__((format(printf, 3, 4)));
/* A case of a check that weighs otherwise. */
void pki_find_as(struct pki_findings *findings, const char *id,
                 enum pki_severity severity, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* -- rules.c: what is an error to one reader and none to another --------- */

enum pki_rule {
    PKI_RULE_VERSION,       /* version 3 */
    PKI_RULE_NO_SAN,        /* a subjectAltName */
    PKI_RULE_SAN_CRITICAL,  /* critical only where the subject is empty */
    PKI_RULE_SERIAL,        /* positive, 20 bytes */
    PKI_RULE_MALFORMED,     /* known extensions can be read */
    PKI_RULE_AUTHORITY_ID,  /* a leaf names its issuer's key */
    PKI_RULE_SUBJECT_ID,    /* and its own */
    PKI_RULE_ROOT_ID,       /* a root's AKI, if any, holds a key id */
    PKI_RULE_STRICT,        /* OpenSSL's own strict reading */
    PKI_RULE_CA_FORM,       /* CA: basicConstraints critical, keyUsage */
    PKI_RULE_NC_EMPTY,      /* name constraints constrain something */
    PKI_RULE_NC_CRITICAL,   /* name constraints are critical */
    PKI_RULE_ROOT_EKU,      /* a root has no extended key usage */
    PKI_RULE_NO_EKU,        /* a leaf has one */
    PKI_RULE_EKU_CRITICAL,  /* which is not critical */
    PKI_RULE_EKU_ANY,       /* and holds no anyExtendedKeyUsage */
    PKI_RULE_EKU_ANY_ALONE, /* at least, not alone */
    PKI_RULE_CN_NAMED,      /* a CN that is a host is in the SAN, too */
    PKI_RULE_DNS_FORM,      /* DNS names are such */
    PKI_RULE_WILDCARD,      /* no wildcard */
    PKI_RULE_HOST,          /* the DNS name that peers use */
    PKI_RULE_ADDRESS,       /* the address that peers use */
    PKI_RULE_SELF_SIGNED,   /* a CA has signed it */
    PKI_RULE_LEAF_ALONE,    /* the leaf's file holds nothing else */
    PKI_RULES
};
/* A finding with the rule's id and its severity for the profile, or none. */
void pki_break(struct pki_findings *findings, enum pki_profile profile,
               enum pki_rule rule, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* One leaf of a set with the path that was found for it. */
struct pki_member {
    const char *what; /* "server" */
    enum pki_purpose purpose;
    enum pki_profile profile;
    unsigned depth;      /* as in struct pki_chain */
    const char *names;   /* the check of its names; NULL: the rule's */
    unsigned spare_days; /* as in struct pki_db_set */
    bool browsers;       /* they judge it */
    X509 *cert;
    STACK_OF(X509) * extra; /* what else its file holds; may be empty */
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* leaf to root; NULL when there is none */
};
void pki_member_release(struct pki_member *member);
/* The certificates of a file, or a finding. */
STACK_OF(X509) * pki_lint_load(const char *what, const void *data, size_t len,
                               struct pki_findings *findings);
/* The key of a member, or a finding. */
void pki_lint_key(struct pki_member *member, const void *data, size_t len,
                  struct pki_findings *findings);
/* Leaf and path; `bundle` may be NULL: the path is left out. */
void pki_lint_member(struct pki_member *member, STACK_OF(X509) * bundle,
                     int64_t at, struct pki_findings *findings);
/* E and F3 of a server's certificate. */
void pki_lint_names(const struct pki_member *member, const char *const *hosts,
                    struct pki_findings *findings);
/* How many common names, and the first. */
int pki_common_names(X509 *cert, const ASN1_STRING **first);
/* "CN=core1" cut to what fits a finding. */
enum {
    PKI_SHORT_BYTES = 80,
    PKI_CAUSE_SHOWN = 150 /* bytes of a reader's error in a finding */
};
void pki_short_subject(const X509 *cert, char text[PKI_SHORT_BYTES]);
/* B4 of one certificate that is no root. */
void pki_lint_signature(const char *what, X509 *cert,
                        struct pki_findings *findings);
/* B and D: what one leaf says about itself. */
void pki_lint_leaf(const struct pki_member *member,
                   struct pki_findings *findings);
/* C8 of one certificate. */
void pki_lint_dates(X509 *cert, int64_t at, struct pki_findings *findings);
/* D8, G3, G4: what has a date. */
void pki_lint_dated(const struct pki_member *member, int64_t at,
                    struct pki_findings *findings);
/* C: the path of one leaf; fills member->chain. */
void pki_lint_path(struct pki_member *member, STACK_OF(X509) * bundle,
                   int64_t at, struct pki_findings *findings);
/* C2, C3, C5, C10, F5, F8: the bundle by itself.  `named`: every leaf names its
 * issuer's key, so that two roots of one name stay apart. */
void pki_lint_bundle(STACK_OF(X509) * bundle, bool named,
                     struct pki_findings *findings);

#endif
