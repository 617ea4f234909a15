/* SPDX-License-Identifier: Apache-2.0
 *
 * The way from a leaf to its root, and the bundle that holds the root (facts/
 * certs.md 6, C, F5, F8, F12).  Every rule is looked at by itself: a path that
 * has expired still tells its other faults.
 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    DEEP = 3,
    BIG_PEM = 16 * 1024
};

static const char *id_of(int code)
{
    // clang-format off
    static const struct { int code; const char *id; } ids[] = {
        { X509_V_ERR_INVALID_CA,                 "C5"  },
        { X509_V_ERR_INVALID_NON_CA,             "C5"  },
        { X509_V_ERR_KEYUSAGE_NO_CERTSIGN,       "C5"  },
        { X509_V_ERR_PATH_LENGTH_EXCEEDED,       "C6"  },
        { X509_V_ERR_PERMITTED_VIOLATION,        "C7"  },
        { X509_V_ERR_EXCLUDED_VIOLATION,         "C7"  },
        { X509_V_ERR_SUBTREE_MINMAX,             "C7"  },
        { X509_V_ERR_UNSUPPORTED_NAME_SYNTAX,    "C7"  },
        { X509_V_ERR_CERT_SIGNATURE_FAILURE,     "C11" },
        { X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "B11" },
    };
    // clang-format on

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (ids[i].code == code)
            return ids[i].id;
    return "C1";
}

/* -- one certificate of a path ------------------------------------------- */

void pki_lint_dates(X509 *cert, int64_t at, struct pki_findings *findings)
{
    int64_t before = pki_time(X509_get0_notBefore(cert));
    int64_t after = pki_time(X509_get0_notAfter(cert));
    char when[PKI_TIME_BYTES], subject[PKI_SHORT_BYTES];

    pki_short_subject(cert, subject);
    if (at != 0 && after < at) {
        pki_time_text(after, when);
        pki_find(findings, "C8",
                 "certificate \"%s\" has expired (%s); have it issued again",
                 subject, when);
    }
    if (at != 0 && before > at) {
        pki_time_text(before, when);
        pki_find(findings, "C8",
                 "certificate \"%s\" is not valid before %s; wait, or look at "
                 "the clocks",
                 subject, when);
    }
}

/* A leaf beyond its issuer's end dies with the issuer, earlier than it says.  A
 * root that an MMP made a moment before its leaves ends that moment earlier:
 * F11 tells of it. */
static void check_outlives(const struct pki_member *m, X509 *issuer, bool root,
                           struct pki_findings *findings)
{
    char when[PKI_TIME_BYTES], subject[PKI_SHORT_BYTES];
    int64_t spare = root ? PKI_ONE_GO_S : 0;

    if (pki_time(X509_get0_notAfter(issuer)) + spare >=
        pki_time(X509_get0_notAfter(m->cert)))
        return;
    pki_short_subject(issuer, subject);
    pki_time_text(pki_time(X509_get0_notAfter(issuer)), when);
    pki_find(findings, root ? "F12" : "C9",
             "%s certificate outlives its CA \"%s\", and ends with it at %s; "
             "renew the CA first",
             m->what, subject, when);
}

/* What the vendor's recipe lacks: told, never refused. */
static void check_ca_form(const struct pki_member *m, X509 *cert,
                          struct pki_findings *findings)
{
    int at = X509_get_ext_by_NID(cert, NID_basic_constraints, -1);
    char subject[PKI_SHORT_BYTES];

    pki_short_subject(cert, subject);
    if (at < 0 || !X509_EXTENSION_get_critical(X509_get_ext(cert, at)))
        pki_break(findings, m->profile, PKI_RULE_CA_FORM,
                  "CA \"%s\": basicConstraints is missing or not critical",
                  subject);
    if (!(X509_get_extension_flags(cert) & EXFLAG_KUSAGE))
        pki_break(findings, m->profile, PKI_RULE_CA_FORM,
                  "CA \"%s\": it has no key usage (keyCertSign)", subject);
}

static void check_constraints(const struct pki_member *m, X509 *cert,
                              struct pki_findings *findings)
{
    int critical = 0;
    NAME_CONSTRAINTS *nc =
        X509_get_ext_d2i(cert, NID_name_constraints, &critical, NULL);
    char subject[PKI_SHORT_BYTES];

    if (!nc)
        return;
    pki_short_subject(cert, subject);
    if (sk_GENERAL_SUBTREE_num(nc->permittedSubtrees) <= 0 &&
        sk_GENERAL_SUBTREE_num(nc->excludedSubtrees) <= 0)
        pki_break(findings, m->profile, PKI_RULE_NC_EMPTY,
                  "CA \"%s\": its name constraints are empty; have it issued "
                  "again",
                  subject);
    if (!critical)
        pki_break(findings, m->profile, PKI_RULE_NC_CRITICAL,
                  "CA \"%s\": its name constraints are not critical; who does "
                  "not know them passes over them",
                  subject);
    NAME_CONSTRAINTS_free(nc);
}

static void check_root(const struct pki_member *m, X509 *root,
                       struct pki_findings *findings)
{
    AUTHORITY_KEYID *by =
        X509_get_ext_d2i(root, NID_authority_key_identifier, NULL, NULL);
    char subject[PKI_SHORT_BYTES];

    pki_short_subject(root, subject);
    if (by && !by->keyid)
        pki_break(findings, m->profile, PKI_RULE_ROOT_ID,
                  "CA \"%s\": its authority key identifier holds no key "
                  "identifier",
                  subject);
    if (X509_get_extension_flags(root) & EXFLAG_XKUSAGE)
        pki_break(findings, m->profile, PKI_RULE_ROOT_EKU,
                  "CA \"%s\": a root has no extended key usage", subject);
    AUTHORITY_KEYID_free(by);
}

static void check_chain(const struct pki_member *m, int64_t at,
                        struct pki_findings *findings)
{
    int n = sk_X509_num(m->chain);
    char subject[PKI_SHORT_BYTES];

    for (int i = 0; i < n; i++) {
        X509 *cert = sk_X509_value(m->chain, i);
        pki_lint_dates(cert, at, findings);
        if (i == 0)
            continue;
        check_outlives(m, cert, i == n - 1, findings);
        check_ca_form(m, cert, findings);
        check_constraints(m, cert, findings);
        pki_short_subject(cert, subject);
        if (i < n - 1)
            pki_lint_signature(subject, cert, findings);
        if (!pki_key_is_strong(X509_get0_pubkey(cert)))
            pki_find(findings, "B2",
                     "CA \"%s\": its key is weak or unusual; use RSA of at "
                     "least 2048 bits, P-256 or P-384",
                     subject);
    }
    if (n > 1)
        check_root(m, sk_X509_value(m->chain, n - 1), findings);
    if (n - 1 > DEEP)
        pki_find(findings, "C10",
                 "%s certificate: %d certificates up to the root; a shorter "
                 "chain makes a quicker handshake",
                 m->what, n - 1);
}

/* The caller's own bound.  A CA that issues for its own name, as in a change
 * of its key, is still one CA. */
static void check_depth(const struct pki_member *m,
                        struct pki_findings *findings)
{
    unsigned between = 0;

    for (int i = 1; i < sk_X509_num(m->chain) - 1; i++)
        between +=
            !(X509_get_extension_flags(sk_X509_value(m->chain, i)) & EXFLAG_SI);
    if (m->depth > 0 && between >= m->depth)
        pki_find_as(findings, "C10", PKI_ERROR,
                    "%s certificate: %u intermediate CAs, and no more than %u "
                    "are let pass",
                    m->what, between, m->depth - 1);
}

/* -- the path ------------------------------------------------------------ */

/* A purpose that the leaf permits and a CA above it does not. */
static void check_nesting(const struct pki_member *m, STACK_OF(X509) * bundle,
                          struct pki_findings *findings)
{
    struct pki_path path = {.leaf = m->cert,
                            .extra = m->extra,
                            .bundle = bundle,
                            .purpose = m->purpose};
    struct pki_fault fault;

    if (pki_usage_check(m->cert, m->purpose) ||
        pki_path_build(&path, NULL, &fault) == 0)
        return;
    pki_find(findings, "C13", "%s", fault.text);
}

static void check_strict(const struct pki_member *m, STACK_OF(X509) * bundle,
                         struct pki_findings *findings)
{
    struct pki_path path = {
        .leaf = m->cert, .extra = m->extra, .bundle = bundle, .strict = true};
    struct pki_fault fault;

    if (pki_path_build(&path, NULL, &fault) < 0)
        pki_break(findings, m->profile, PKI_RULE_STRICT,
                  "a verifier that reads RFC 5280 strictly refuses: %s",
                  fault.text);
}

void pki_lint_path(struct pki_member *member, STACK_OF(X509) * bundle,
                   int64_t at, struct pki_findings *findings)
{
    struct pki_path path = {
        .leaf = member->cert, .extra = member->extra, .bundle = bundle};
    struct pki_fault fault;

    if (pki_path_build(&path, &member->chain, &fault) < 0) {
        pki_find(findings, id_of(fault.code), "%s", fault.text);
        pki_lint_dates(member->cert, at, findings);
        return;
    }
    check_nesting(member, bundle, findings);
    check_strict(member, bundle, findings);
    check_chain(member, at, findings);
    check_depth(member, findings);
    if (sk_X509_num(member->extra) > 0)
        pki_break(findings, member->profile, PKI_RULE_LEAF_ALONE,
                  "%s certificate: its file holds %d more; the database wants "
                  "the leaf alone and the rest in the CA bundle",
                  member->what, sk_X509_num(member->extra));
}

/* -- the bundle ---------------------------------------------------------- */

static bool issued(X509 *by, X509 *of)
{
    return X509_check_issued(by, of) == X509_V_OK &&
           X509_verify(of, X509_get0_pubkey(by)) == 1;
}

/* -1: none of the bundle */
static int issuer_place(STACK_OF(X509) * bundle, int of)
{
    for (int i = 0; i < sk_X509_num(bundle); i++)
        if (i != of &&
            issued(sk_X509_value(bundle, i), sk_X509_value(bundle, of)))
            return i;
    return -1;
}

static void check_place(STACK_OF(X509) * bundle, int at,
                        struct pki_findings *findings)
{
    X509 *cert = sk_X509_value(bundle, at);
    int by = issuer_place(bundle, at);
    char subject[PKI_SHORT_BYTES];

    pki_short_subject(cert, subject);
    if (by < 0)
        pki_find_as(findings, "C2", PKI_WARNING,
                    "CA bundle: the issuer of \"%s\" is not in it; add it or "
                    "take this one out",
                    subject);
    else if (by < at)
        pki_find(findings, "C2",
                 "CA bundle: the issuer of \"%s\" stands above it; order the "
                 "file from intermediates to root",
                 subject);
}

static void check_member(STACK_OF(X509) * bundle, int at,
                         struct pki_findings *findings)
{
    X509 *cert = sk_X509_value(bundle, at);
    char subject[PKI_SHORT_BYTES];

    pki_short_subject(cert, subject);
    for (int i = 0; i < at; i++)
        if (X509_cmp(sk_X509_value(bundle, i), cert) == 0)
            pki_find(findings, "C2",
                     "CA bundle: \"%s\" stands in it twice; take one out",
                     subject);
    if (X509_check_ca(cert) == 0)
        pki_find(findings,
                 X509_get_extension_flags(cert) & EXFLAG_CA ? "C5" : "F5",
                 X509_get_extension_flags(cert) & EXFLAG_CA
                     ? "CA bundle: the key usage of \"%s\" lacks keyCertSign"
                     : "CA bundle: \"%s\" is no CA; take it out",
                 subject);
}

/* facts/certs.md 0.5: of two roots with one name OpenSSL takes the first,
 * whose key is the wrong one for half of the leaves. */
static void check_names(STACK_OF(X509) * bundle, bool named,
                        struct pki_findings *findings)
{
    char subject[PKI_SHORT_BYTES];

    for (int i = 0; i < sk_X509_num(bundle); i++)
        for (int j = i + 1; j < sk_X509_num(bundle); j++) {
            X509 *a = sk_X509_value(bundle, i), *b = sk_X509_value(bundle, j);
            bool ids = X509_get0_subject_key_id(a) &&
                       X509_get0_subject_key_id(b) && named;
            if (X509_NAME_cmp(X509_get_subject_name(a),
                              X509_get_subject_name(b)) != 0 ||
                EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1)
                continue;
            pki_short_subject(a, subject);
            pki_find_as(
                findings, "F8", ids ? PKI_INFO : PKI_ERROR,
                "CA bundle: two CAs are named \"%s\" and have different "
                "keys%s",
                subject,
                ids ? "; their key identifiers tell them apart"
                    : "; make the new CA again under a new name");
        }
}

static void check_roots(STACK_OF(X509) * bundle, int roots,
                        struct pki_findings *findings)
{
    int last = sk_X509_num(bundle) - 1;

    if (roots == 0)
        pki_find(findings, "C3",
                 "CA bundle: it has no self-signed root; add it at the end");
    else if (!pki_is_root(sk_X509_value(bundle, last)))
        pki_find(findings, "C3",
                 "CA bundle: the last certificate is no root; put the root "
                 "at the end");
    if (roots > 1)
        pki_find_as(findings, "C2", PKI_INFO,
                    "CA bundle: %d roots are trusted, as for a change of CA; "
                    "take the old one out when it is over",
                    roots);
}

static bool is_big(STACK_OF(X509) * bundle)
{
    size_t total = 0;

    for (int i = 0; i < sk_X509_num(bundle); i++) {
        int n = i2d_X509(sk_X509_value(bundle, i), NULL);
        total += n > 0 ? pki_pem_room((size_t)n) - 160 : 0;
    }
    return total > BIG_PEM;
}

void pki_lint_bundle(STACK_OF(X509) * bundle, bool named,
                     struct pki_findings *findings)
{
    int roots = 0;

    for (int i = 0; i < sk_X509_num(bundle); i++) {
        bool root = pki_is_root(sk_X509_value(bundle, i));
        check_member(bundle, i, findings);
        if (!root && X509_check_ca(sk_X509_value(bundle, i)) != 0)
            check_place(bundle, i, findings);
        roots += root;
    }
    check_roots(bundle, roots, findings);
    check_names(bundle, named, findings);
    if (is_big(bundle))
        pki_find(findings, "C10",
                 "CA bundle: over %d KiB; leave only the CAs that are needed",
                 BIG_PEM / 1024);
    ERR_clear_error();
}
