/* SPDX-License-Identifier: Apache-2.0
 *
 * One chain as a peer would judge it: what a side shows, what the other
 * trusts.  Owns what the checks share: certificates read for a finding, a
 * member's life.
 */
#include <openssl/err.h>
#include <stdio.h>

#include "core/pki/pki_priv.h"

STACK_OF(X509) * pki_lint_load(const char *what, const void *data, size_t len,
                               struct pki_findings *findings)
{
    STACK_OF(X509) *certs = NULL;
    struct err err = {0};

    if (data)
        certs = pki_read_certs(data, len, &err);
    if (!data)
        pki_find(findings, "A9", "%s: it is missing", what);
    else if (!certs)
        pki_find(findings, "A9", "%s: %.*s", what,
                 str_fit(err.text, PKI_CAUSE_SHOWN), err.text);
    return certs;
}

void pki_member_release(struct pki_member *m)
{
    sk_X509_pop_free(m->chain, X509_free);
    sk_X509_pop_free(m->extra, X509_free);
    X509_free(m->cert);
    EVP_PKEY_free(m->key);
}

void pki_lint_member(struct pki_member *m, STACK_OF(X509) * bundle, int64_t at,
                     struct pki_findings *findings)
{
    if (bundle)
        pki_lint_path(m, bundle, at, findings);
    pki_lint_leaf(m, findings);
    pki_lint_dated(m, at, findings);
}

void pki_lint_chain(const struct pki_chain *chain,
                    struct pki_findings *findings)
{
    struct pki_member m = {.what = chain->what,
                           .purpose = chain->purpose,
                           .profile = chain->profile,
                           .depth = chain->depth};
    STACK_OF(X509) *trust =
        pki_lint_load("CA bundle", chain->trust, chain->trust_len, findings);
    char what[64];

    snprintf(what, sizeof(what), "%s certificate", chain->what);
    m.extra = pki_lint_load(what, chain->cert, chain->cert_len, findings);
    if (m.extra) {
        m.cert = sk_X509_shift(m.extra);
        pki_lint_member(&m, trust, chain->at, findings);
        if (chain->purpose != PKI_CLIENT)
            pki_lint_names(&m, chain->hosts, findings);
    }
    pki_member_release(&m);
    sk_X509_pop_free(trust, X509_free);
    ERR_clear_error();
}
