/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of a server's certificate: those that peers use, the common name, the
 * form of each in the subjectAltName (facts/certs.md 6, E and F3).
 */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    CN_MAX_BYTES = 64 /* RFC 5280, ub-common-name */
};

int pki_common_names(X509 *cert, const ASN1_STRING **first)
{
    const X509_NAME *name = X509_get_subject_name(cert);
    int at = -1, n = 0;

    *first = NULL;
    while ((at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
        if (n++ == 0)
            *first = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return n;
}

static bool has_star(const ASN1_STRING *name)
{
    return memchr(ASN1_STRING_get0_data(name), '*',
                  (size_t)ASN1_STRING_length(name)) != NULL;
}

/* A text of the certificate as a C string; a text with a NUL is no host's. */
static bool as_text(const ASN1_STRING *name, char *text, size_t room)
{
    size_t len = (size_t)ASN1_STRING_length(name);

    if (len == 0 || len >= room || memchr(ASN1_STRING_get0_data(name), 0, len))
        return false;
    memcpy(text, ASN1_STRING_get0_data(name), len);
    text[len] = '\0';
    return true;
}

/* An address among the DNS names is one that no client looks for there. */
static bool is_dns_name(const ASN1_STRING *name)
{
    char text[256];

    return as_text(name, text, sizeof(text)) && pki_is_host(text) &&
           !pki_is_ip(text);
}

static void check_form(const struct pki_member *m, const GENERAL_NAMES *san,
                       struct pki_findings *findings)
{
    const ASN1_STRING *cn;
    bool star = pki_common_names(m->cert, &cn) > 0 && has_star(cn);

    for (int i = 0; i < sk_GENERAL_NAME_num(san); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(san, i);
        if (name->type != GEN_DNS)
            continue;
        star = star || has_star(name->d.dNSName);
        if (!is_dns_name(name->d.dNSName))
            pki_break(findings, m->profile, PKI_RULE_DNS_FORM,
                      "%s certificate: DNS name %d of its SAN is none; have "
                      "it issued again",
                      m->what, i + 1);
    }
    if (pki_common_names(m->cert, &cn) > 0 &&
        ASN1_STRING_length(cn) > CN_MAX_BYTES)
        pki_find(findings, "E7",
                 "%s certificate: its common name is over %d characters; some "
                 "readers refuse it",
                 m->what, CN_MAX_BYTES);
    if (star)
        pki_break(findings, m->profile, PKI_RULE_WILDCARD,
                  m->profile == PKI_SERVICE
                      ? "%s certificate: it holds a wildcard; name every host"
                      : "%s certificate: the database takes no wildcard; name "
                        "every node",
                  m->what);
}

/* A device's address is a warning: its older releases look at the chain only,
 * and a DNS name may be what is used in the end (facts F3). */
static void check_host(const struct pki_member *m, const char *host,
                       bool has_san, struct pki_findings *findings)
{
    if (!pki_cert_names_host(m->cert, host) && m->names) {
        pki_find(findings, m->names,
                 "%s certificate: it does not carry %.120s; add it to the SAN",
                 m->what, host);
    } else if (!pki_cert_names_host(m->cert, host)) {
        bool ip = pki_is_ip(host);
        pki_break(findings, m->profile, ip ? PKI_RULE_ADDRESS : PKI_RULE_HOST,
                  "%s certificate: it does not carry %.120s, which peers "
                  "use; add it to the %s",
                  m->what, host, ip ? "IP addresses of the SAN" : "SAN");
    } else if (!has_san) {
        pki_find_as(findings, "E2", PKI_WARNING,
                    "%s certificate: %.120s is only its common name; put it "
                    "into the SAN too",
                    m->what, host);
    }
}

static bool cn_is_host(X509 *cert, char *text, size_t room)
{
    const ASN1_STRING *cn;

    return pki_common_names(cert, &cn) > 0 && as_text(cn, text, room) &&
           pki_is_host(text);
}

void pki_lint_names(const struct pki_member *m, const char *const *hosts,
                    struct pki_findings *findings)
{
    GENERAL_NAMES *san =
        X509_get_ext_d2i(m->cert, NID_subject_alt_name, NULL, NULL);
    char cn[256];

    for (; hosts && *hosts; hosts++)
        check_host(m, *hosts, san != NULL, findings);
    if (san && cn_is_host(m->cert, cn, sizeof(cn)) &&
        !pki_cert_names_host(m->cert, cn))
        pki_break(findings, m->profile, PKI_RULE_CN_NAMED,
                  "%s certificate: its common name %.120s is not in its SAN; "
                  "add it",
                  m->what, cn);
    check_form(m, san, findings);
    GENERAL_NAMES_free(san);
    ERR_clear_error();
}
