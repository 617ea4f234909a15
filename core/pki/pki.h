/* SPDX-License-Identifier: Apache-2.0
 *
 * core/pki/pki.h - keys, certificates and chains on files and buffers, by
 * OpenSSL 3.  Everything here may compute for long (an RSA-4096 key: 1.5 s) and
 * is called in the pool, never on the loop's thread; no function has state.
 *
 * PEM texts are NUL-terminated, malloc'd where given out; private keys travel
 * in struct secret only.  Times are seconds since 1970, UTC.
 */
#ifndef CERTFLEET_PKI_PKI_H
#define CERTFLEET_PKI_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/base/str.h"

enum {
    PKI_SHA256_HEX = 65
}; /* 64 lower-case digits and a NUL */

/* SHA-256 of any bytes. */
void pki_sha256(const void *data, size_t len, char hex[PKI_SHA256_HEX]);

/* -- keys ---------------------------------------------------------------- */

/* "rsa:2048" "rsa:3072" "rsa:4096" "ec:P-256" "ec:P-384"; 0 or -1 */
int pki_key_kind_check(const char *kind, struct err *err);
/* An unencrypted PKCS#8 PEM.  NULL on error. */
struct secret *pki_key_make(const char *kind, struct err *err);

/* That PEM locked for the disk: PKCS#8, PBKDF2 and AES-256. */
struct secret *pki_key_lock(const struct secret *pem,
                            const struct secret *passphrase, struct err *err);
/* And back, byte for byte what pki_key_make gave, also of a key that others
 * locked, in either form of PEM or in DER.  One that is not locked is shared
 * as it is; a locked one without passphrase (NULL) or with a wrong one is
 * CAUSE_INPUT. */
struct secret *pki_key_unlock(struct secret *pem,
                              const struct secret *passphrase, struct err *err);

/* -- what a file holds --------------------------------------------------- */

enum pki_kind {
    PKI_UNKNOWN,
    PKI_KEY,
    PKI_CERTIFICATE,
    PKI_REQUEST
};
struct pki_cert_info {
    enum pki_kind kind;
    char subject[256], issuer[256]; /* one line, RFC 2253 order */
    char common_name[128];
    char serial[64];             /* hex */
    char key[32];                /* "rsa:2048", "ec:P-256" ... */
    char sha256[PKI_SHA256_HEX]; /* of the DER certificate */
    char spki_sha256[PKI_SHA256_HEX];
    char signature[48]; /* "sha256WithRSAEncryption" */
    int64_t not_before, not_after;
    bool is_ca, self_issued;
    bool pem;         /* false: DER */
    char names[1024]; /* "DNS:a, IP:10.0.0.1"; "" without SAN */
    /* Extensions in OpenSSL's words, "(critical)" behind one that is; "" when
     * it is missing.  Of a request: what it asks for. */
    char usage[192], purposes[256], constraints[64];
    char subject_id[96], authority_id[256];
};

/* The first certificate, request or key of a PEM or DER buffer.  Of an
 * encrypted key only that is told: key is "encrypted". */
int pki_describe(const void *data, size_t len, struct pki_cert_info *info,
                 struct err *err);
/* Every certificate of a bundle, in its order.  *infos is malloc'd. */
int pki_describe_all(const void *data, size_t len, struct pki_cert_info **infos,
                     size_t *n, struct err *err);
/* Every key, request and certificate of a file, in its order; what is none of
 * these is passed over, as long as there is one.  *infos is malloc'd. */
int pki_describe_each(const void *data, size_t len,
                      struct pki_cert_info **infos, size_t *n, struct err *err);
/* 0: the key belongs to the certificate or request; -1: it does not, or one of
 * them cannot be read.  `passphrase` may be NULL. */
int pki_match(const void *key, size_t key_len, const struct secret *passphrase,
              const void *cert, size_t cert_len, struct err *err);
/* True when the certificate carries this DNS name or IP address. */
bool pki_names_host(const void *cert, size_t cert_len, const char *host);

/* -- chains -------------------------------------------------------------- */

enum pki_purpose {
    PKI_ANY,
    PKI_SERVER,
    PKI_CLIENT,
    PKI_AS_ASKED /* pki_sign_request alone */
};
/* The leaf (first of `cert`, its further ones as intermediates) verifies up to
 * a self-signed root of `bundle` for the purpose at time `at` (0: validity is
 * not looked at).  Only the supplied certificates count, never the system's.
 * Keys and signatures under 112 bits (RSA 1024, SHA-1) do not verify.
 * The error names the certificate and the rule. */
int pki_verify(const void *cert, size_t cert_len, const void *bundle,
               size_t bundle_len, enum pki_purpose purpose, int64_t at,
               struct err *err);

/* One direction of a handshake: what a peer shows, and who judges it. */
struct pki_peer {
    const void *cert, *trust; /* the leaf and what is sent with it; the CAs of
                                 the judge, who knows no others */
    size_t cert_len, trust_len;
    enum pki_purpose purpose; /* which side shows it */
    int64_t at;               /* by the judge's clock; 0: not looked at */
    const char *name; /* of a client: its one common name, to the letter.  Of a
                         server: what the judge dialled.  NULL: any, as with
                         PostgreSQL's verify-ca */
    bool weak;        /* algorithms under 112 bits pass: they do already */
};
/* 0: the judge takes it; -1: it does not, and why. */
int pki_peer_verify(const struct pki_peer *peer, struct err *err);

/* Leaf, intermediates, root: ordered, duplicates and strangers dropped and
 * reported in `notes` (may be NULL), normalised PEM in `out`. */
int pki_chain_order(const void *data, size_t len, struct str *out,
                    struct str *notes, struct err *err);
/* Blocks adjacent, LF, 64 columns, one final newline, nothing else
 * (facts/cms.md 1.5).  Private keys stay keys: `out` is wiped by the caller
 * when it may hold one. */
int pki_normalize(const void *data, size_t len, struct str *out,
                  struct err *err);

/* Adds each certificate of a file to a bundle in the form of pki_normalize, in
 * its order, once; those alone that `keep` (NULL: all) wants. */
typedef bool pki_keep_f(const struct pki_cert_info *info, const void *user);
int pki_bundle_add(struct str *bundle, const void *data, size_t len,
                   pki_keep_f *keep, const void *user, struct err *err);

/* -- findings ------------------------------------------------------------ */

enum pki_severity {
    PKI_INFO,
    PKI_WARNING,
    PKI_BLOCK, /* an error unless accepted */
    PKI_ERROR
};
struct pki_finding {
    char id[8]; /* "B1": the table of core/pki/checks.h */
    enum pki_severity severity;
    char text[256];
};
struct pki_findings { /* grows; zero to start; free with release */
    struct pki_finding *list;
    size_t n;
};
void pki_findings_release(struct pki_findings *findings);
bool pki_findings_has_error(const struct pki_findings *findings);
/* Form of the file: A1-A10 (name may be NULL: A1 is skipped). */
void pki_lint_file(const char *name, const void *data, size_t len,
                   struct pki_findings *findings);
/* A11: a local file that holds a private key is its user's alone. */
void pki_lint_owner(const char *path, struct pki_findings *findings);
/* Whose rules a chain is held to.  The checks are the same; what breaks one is
 * an error, a warning or nothing by profile (the table of core/pki/rules.c). */
enum pki_profile {
    PKI_DATABASE, /* a CMS database's set: its recipe is below RFC 5280 */
    PKI_PRIVATE,  /* RFC 5280, under a CA of one's own */
    PKI_PUBLIC,   /* besides, what browsers hold public CAs to */
    PKI_SERVICE,  /* a CMS service other than its database */
};
/* What one side shows, and what the other trusts. */
struct pki_chain {
    const char *what;         /* "server": it begins the findings */
    const void *cert, *trust; /* leaf, then what is sent with it; CAs */
    size_t cert_len, trust_len;
    enum pki_purpose purpose;
    enum pki_profile profile;
    const char *const *hosts; /* every name and address that peers use */
    int64_t at;               /* seconds; 0: validity is not looked at */
    unsigned depth; /* 1 + the intermediates let pass, those aside that issue
                       for their own name; 0: any */
};
/* B, C, D, E of facts/certs.md 6 for one chain. */
void pki_lint_chain(const struct pki_chain *chain,
                    struct pki_findings *findings);
/* The whole database set: B, C, D, E, F and G of the table of checks for
 * server, client and CA bundle.  server_* are NULL for a connect-only node's
 * set.  What only a strict reader of RFC 5280 misses is a warning. */
struct pki_db_set {
    const void *server_key, *server_cert, *client_key, *client_cert, *ca;
    size_t server_key_len, server_cert_len, client_key_len, client_cert_len,
        ca_len;
    const char *const *hosts;    /* every name and address that peers use */
    int64_t at;                  /* seconds: when it will be used */
    const char *const *old_keys; /* spki_sha256 of what it replaces, NULL-ended;
                                    or NULL */
    unsigned spare_days; /* under so many days left: G3; 0: not looked at */
};
void pki_lint_db_set(const struct pki_db_set *set,
                     struct pki_findings *findings);
/* F10: five files, or three for a node that connects only. */
void pki_lint_count(size_t files, struct pki_findings *findings);
/* The CA file that will sign a set, and become its bundle: A, B2, C, F5, F8. */
void pki_lint_issuer(const void *ca, size_t len, int64_t at,
                     struct pki_findings *findings);

/* What another service of a Meeting Server is given (facts/certs.md 3.1). */
struct pki_service {
    const char *name;  /* "callbridge"; NULL ends the table */
    bool client;       /* it shows its certificate as a client, too */
    bool full_chain;   /* one file from leaf to root; else leaf and bundle */
    bool browsers;     /* they judge it */
    const char *names; /* the check that it carries its names */
};
extern const struct pki_service pki_services[];
const struct pki_service *pki_service_find(const char *name);
struct pki_service_set {
    const struct pki_service *service;
    const void *key, *cert, *bundle; /* bundle may be NULL */
    size_t key_len, cert_len, bundle_len;
    const char *const *hosts; /* NULL-ended */
    int64_t at;               /* seconds */
    unsigned spare_days;      /* as above */
};
/* D8 alone, of a certificate that is shown to servers, too: is it a public
 * CA's, which is to give out none for clients before long? */
void pki_lint_public_client(const void *cert, size_t len,
                            struct pki_findings *findings);
/* B, C, D, E and G of the table for one service's files. */
void pki_lint_service(const struct pki_service_set *set,
                      struct pki_findings *findings);

/* -- issuing ------------------------------------------------------------- */

struct pki_subject {
    const char *common_name;
    const char *rest; /* "O=Example Inc.,C=GB" or NULL */
    /* SAN: IPs become iPAddress, an address with an @ rfc822Name; NULL-ended.
     * The CN is put in front when it is a host.  NULL: a request without SAN,
     * as the MMP makes it. */
    const char *const *hosts;
};
/* A PEM request. */
int pki_request(const struct secret *key, const struct pki_subject *subject,
                enum pki_purpose purpose, char **pem, struct err *err);

/* What is asked of a foreign issuer, and what it gave: hostile input. */
enum {
    PKI_ANSWER_BYTES = 64 * 1024
};
struct pki_wish {
    const void *request, *trust; /* PEM; the CAs to one of which it must lead */
    size_t request_len, trust_len;
    enum pki_purpose purpose; /* PKI_ANY: it must do for both */
    int64_t at;               /* seconds */
};
struct pki_answer {     /* zero to start */
    char *leaf;         /* PEM of the certificate alone */
    struct str between; /* PEM of what lies between it and its root */
};
/* Certificates and nothing else, PEM in any order (text around blocks is passed
 * over) or one in DER, each may be a PKCS #7 of them; one of them has the
 * request's key, its common name, all its names and no other, is no CA, and
 * leads to a root of `trust` for the purpose at that time.  Else CAUSE_INPUT,
 * with the line where there is one. */
int pki_answer_read(const struct pki_wish *wish, const void *data, size_t len,
                    struct pki_answer *answer, struct err *err);
void pki_answer_release(struct pki_answer *answer);
/* 0: one of its certificates has the key of this request; that alone is looked
 * at, and only `leaf` is given (answer may be NULL). */
int pki_answer_find(const struct pki_wish *wish, const void *data, size_t len,
                    struct pki_answer *answer);

struct pki_ca {
    char *cert_pem;
    struct secret *key_pem;
};
void pki_ca_release(struct pki_ca *ca);

/* Reads a CA; both files missing: makes it (key file 0600, exclusive, fsync'd,
 * renamed into place; subject "CN=certfleet CA <cluster> <YYYYMMDD>-
 * <4 hex>", new for each generation: facts/certs.md 0.5).  A key without a
 * certificate, a certificate that is no CA, an expired one, a key that does
 * not match: CAUSE_INPUT, naming the file.  `made` may be NULL.  Of several
 * processes one makes it and the others read it; one that waits 30 s for
 * that: CAUSE_LOCKED.  cert_pem holds every certificate of the file, the CA
 * itself first: it can serve as the bundle. */
struct pki_ca_options {
    const char *cert_path, *key_path;
    const struct secret *password; /* of the key; NULL: none */
    const char *cluster;           /* for the subject */
    const char *key;               /* kind of the CA's key */
    unsigned days;                 /* of a new CA */
    int64_t now;                   /* seconds */
    bool make;                     /* false: missing is CAUSE_INPUT */
};
int pki_ca_open(const struct pki_ca_options *options, struct pki_ca *ca,
                bool *made, struct err *err);

/* One leaf: KU, EKU by purpose, SAN, SKI, AKI (key id only), backdated one
 * hour, SHA-256, random 127-bit serial, never outliving the CA (cut). */
struct pki_leaf_options {
    const struct pki_subject *subject;
    enum pki_purpose purpose;
    unsigned days;
    int64_t now; /* seconds */
};
int pki_sign(const struct pki_ca *ca, const struct secret *key,
             const struct pki_leaf_options *options, char **pem,
             struct err *err);
/* The same for a request that somebody else made: its key and names.
 * PKI_AS_ASKED: its key usages and purposes, too, as far as a TLS peer may ask
 * for them (asked.c); without any, PKI_ANY's. */
int pki_sign_request(const struct pki_ca *ca, const char *request_pem,
                     enum pki_purpose purpose, unsigned days, int64_t now,
                     char **pem, struct err *err);

#endif
