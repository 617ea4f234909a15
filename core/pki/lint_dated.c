/* SPDX-License-Identifier: Apache-2.0
 *
 * What has a date: days left, how long a certificate may live, until when
 * public CAs give out client certificates (facts/certs.md 4 and 6, D8, G3, G4).
 * The days themselves are data: public_rules.c.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    DAY = 86400,
    PRIVATE_DAYS = 825 /* what browsers bear under a CA of one's own */
};

/* By what every certificate of a public CA holds and no other: a policy of the
 * CA/Browser Forum, or proofs of a public log. */
static const char forum[] = "2.23.140.1.";

static bool has_forum_policy(X509 *cert)
{
    CERTIFICATEPOLICIES *list =
        X509_get_ext_d2i(cert, NID_certificate_policies, NULL, NULL);
    bool found = false;
    char oid[80];

    for (int i = 0; i < sk_POLICYINFO_num(list); i++) {
        OBJ_obj2txt(oid, sizeof(oid), sk_POLICYINFO_value(list, i)->policyid,
                    1);
        found = found || strncmp(oid, forum, sizeof(forum) - 1) == 0;
    }
    CERTIFICATEPOLICIES_free(list);
    return found;
}

static bool is_public(X509 *cert)
{
    return has_forum_policy(cert) ||
           X509_get_ext_by_NID(cert, NID_ct_precert_scts, -1) >= 0;
}

static void check_public_life(const struct pki_member *m, int64_t seconds,
                              struct pki_findings *findings)
{
    int64_t issued = pki_time(X509_get0_notBefore(m->cert));
    const struct pki_dated_rule *rule =
        pki_dated_rule(PKI_DATED_LIFETIME, issued);

    /* both ends count (BR 6.3.2): a second more than the difference */
    if (rule && seconds + 1 > (int64_t)rule->days * DAY)
        pki_find(findings, "G4",
                 "%s certificate: a public CA signed it, and it lives %lld "
                 "days; of those issued from %s on browsers take %u at most "
                 "(%s)",
                 m->what, (long long)((seconds + DAY) / DAY), rule->from,
                 rule->days, rule->source);
}

static void check_life(const struct pki_member *m,
                       struct pki_findings *findings)
{
    int64_t seconds = pki_time(X509_get0_notAfter(m->cert)) -
                      pki_time(X509_get0_notBefore(m->cert));

    if (is_public(m->cert))
        check_public_life(m, seconds, findings);
    else if (seconds / DAY > PRIVATE_DAYS && m->browsers)
        pki_find(findings, "G4",
                 "%s certificate: it lives %lld days; some browsers take %d at "
                 "most, also of a CA of your own",
                 m->what, (long long)(seconds / DAY), PRIVATE_DAYS);
    else if (seconds / DAY > PRIVATE_DAYS && m->profile == PKI_DATABASE)
        pki_find_as(findings, "G4", PKI_INFO,
                    "%s certificate: it lives %lld days, which the database "
                    "takes; who gets hold of its key has it as long",
                    m->what, (long long)(seconds / DAY));
}

static void check_client(const struct pki_member *m,
                         struct pki_findings *findings)
{
    const struct pki_dated_rule *rule = pki_dated_first(PKI_DATED_CLIENT_AUTH);

    if (rule && m->purpose == PKI_CLIENT && is_public(m->cert))
        pki_find(findings, "D8",
                 "%s certificate: a public CA signed it, and from %s on none "
                 "gives out certificates for clients (%s); have it signed by "
                 "a CA of your own",
                 m->what, rule->from, rule->source);
}

void pki_lint_public_client(const void *cert, size_t len,
                            struct pki_findings *findings)
{
    struct pki_member m = {.what = "its", .purpose = PKI_CLIENT};

    m.cert = pki_read_cert(cert, len, NULL);
    /* without an extended key usage it is for all purposes */
    if (m.cert && (X509_get_extended_key_usage(m.cert) & XKU_SSL_CLIENT))
        check_client(&m, findings);
    X509_free(m.cert);
    ERR_clear_error();
}

static void check_left(const struct pki_member *m, int64_t at,
                       struct pki_findings *findings)
{
    int64_t after = pki_time(X509_get0_notAfter(m->cert));

    if (m->spare_days && at && after >= at &&
        after - at < (int64_t)m->spare_days * DAY)
        pki_find(findings, "G3",
                 "%s certificate: it ends in %lld days, and %u are wanted; "
                 "have it issued again",
                 m->what, (long long)((after - at) / DAY), m->spare_days);
}

void pki_lint_dated(const struct pki_member *member, int64_t at,
                    struct pki_findings *findings)
{
    if (member->profile != PKI_DATABASE && member->profile != PKI_SERVICE)
        return; /* rules of a library's chains, not of what CMS is given */
    check_life(member, findings);
    check_client(member, findings);
    check_left(member, at, findings);
    ERR_clear_error();
}
