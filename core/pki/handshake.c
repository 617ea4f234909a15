/* SPDX-License-Identifier: Apache-2.0
 *
 * Would this peer be taken?  A path to a root that the judge has, at the
 * judge's time, for the side that shows it, and the name that the judge asks
 * for.  Knows neither nodes nor which names a product asks for.
 */
#include <openssl/err.h>
#include <string.h>

#include "core/pki/pki_priv.h"

/* 112 bits: RSA 2048, SHA-2 (facts B2, B4).  The root's own signature, which
 * proves nothing, is not looked at. */
enum {
    LEVEL_ANY = 0,
    LEVEL_STRONG = 2
};

static bool is_named(X509 *cert, const char *name)
{
    const ASN1_STRING *cn;

    return pki_common_names(cert, &cn) == 1 &&
           (size_t)ASN1_STRING_length(cn) == strlen(name) &&
           memcmp(ASN1_STRING_get0_data(cn), name, strlen(name)) == 0;
}

static int check_name(const struct pki_peer *peer, X509 *cert, struct err *err)
{
    char subject[PKI_NAME_BYTES];

    if (!peer->name)
        return 0;
    pki_subject_text(cert, subject);
    if (peer->purpose == PKI_CLIENT && !is_named(cert, peer->name))
        return err_set(err, CAUSE_INPUT,
                       "certificate \"%s\": its common name is not exactly %s",
                       subject, peer->name);
    if (peer->purpose == PKI_SERVER && !pki_cert_names_host(cert, peer->name))
        return err_set(err, CAUSE_INPUT, "certificate \"%s\": it names no %s",
                       subject, peer->name);
    return 0;
}

static int verify(const struct pki_peer *peer, struct pki_path *path,
                  struct err *err)
{
    struct pki_fault fault;

    path->extra = pki_read_certs(peer->cert, peer->cert_len, err);
    if (!path->extra)
        return err_context(err, "the certificate");
    path->leaf = sk_X509_shift(path->extra);
    path->bundle = pki_read_certs(peer->trust, peer->trust_len, err);
    if (!path->bundle)
        return err_context(err, "the CA bundle");
    if (pki_path_build(path, NULL, &fault) < 0)
        return err_set(err, CAUSE_INPUT, "%s", fault.text);
    return check_name(peer, path->leaf, err);
}

int pki_peer_verify(const struct pki_peer *peer, struct err *err)
{
    struct pki_path path = {
        .purpose = peer->purpose,
        .at = peer->at,
        .level = peer->weak ? LEVEL_ANY : LEVEL_STRONG,
    };
    int rc = verify(peer, &path, err);

    sk_X509_pop_free(path.bundle, X509_free);
    sk_X509_pop_free(path.extra, X509_free);
    X509_free(path.leaf);
    ERR_clear_error();
    return rc;
}
