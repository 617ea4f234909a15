/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates in a PKCS #7 (RFC 2315: signed data, and nobody signed it): the
 * form in which many CAs give a certificate with its path, .p7b and .p7c.
 */
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "core/pki/pki_priv.h"

static STACK_OF(X509) * certs_of(const PKCS7 *p7)
{
    return PKCS7_type_is_signed(p7) && p7->d.sign ? p7->d.sign->cert : NULL;
}

/* Objects of their own, as the bytes say: what is in the envelope goes with
 * it. */
static bool push(STACK_OF(X509) * certs, const X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    X509 *own = len > 0 ? pki_der_cert(der, (size_t)len) : NULL;

    OPENSSL_free(der);
    if (own && sk_X509_push(certs, own))
        return true;
    X509_free(own);
    return false;
}

bool pki_push_pkcs7(STACK_OF(X509) * certs, const unsigned char *der,
                    size_t len)
{
    const unsigned char *p = der;
    PKCS7 *p7 =
        pki_der_is_whole(der, len) ? d2i_PKCS7(NULL, &p, (long)len) : NULL;
    const STACK_OF(X509) *found = p7 ? certs_of(p7) : NULL;
    bool good = sk_X509_num(found) > 0;

    for (int i = 0; good && i < sk_X509_num(found); i++)
        good = push(certs, sk_X509_value(found, i));
    PKCS7_free(p7);
    ERR_clear_error();
    return good;
}
