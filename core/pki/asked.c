/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request asks to be used for, as far as a TLS peer may ask for it: an
 * appliance that makes its own request takes no certificate that may do less.
 * Nothing here lets a request ask for a CA's powers.
 */
#include <openssl/err.h>

#include "core/pki/pki_priv.h"

enum {
    BITS_OF_A_PEER = 5 /* digitalSignature to keyAgreement: RFC 5280 4.2.1.3 */
};

static STACK_OF(X509_EXTENSION) * extensions(X509_REQ *request)
{
    return X509_REQ_get_extensions(request);
}

void pki_asked_usage(X509_REQ *request, int bits[PKI_ASKED_BITS])
{
    STACK_OF(X509_EXTENSION) *list = extensions(request);
    ASN1_BIT_STRING *usage = X509V3_get_d2i(list, NID_key_usage, NULL, NULL);
    size_t n = 0;

    for (int i = 0; usage && i < BITS_OF_A_PEER; i++)
        if (ASN1_BIT_STRING_get_bit(usage, i))
            bits[n++] = i;
    bits[n] = -1;
    ASN1_BIT_STRING_free(usage);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    ERR_clear_error();
}

static bool is_of_a_peer(const ASN1_OBJECT *purpose)
{
    int nid = OBJ_obj2nid(purpose);

    return nid == NID_server_auth || nid == NID_client_auth ||
           nid == NID_ipsecEndSystem;
}

EXTENDED_KEY_USAGE *pki_asked_purposes(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *list = extensions(request);
    EXTENDED_KEY_USAGE *asked =
        X509V3_get_d2i(list, NID_ext_key_usage, NULL, NULL);

    for (int i = sk_ASN1_OBJECT_num(asked) - 1; i >= 0; i--)
        if (!is_of_a_peer(sk_ASN1_OBJECT_value(asked, i)))
            ASN1_OBJECT_free(sk_ASN1_OBJECT_delete(asked, i));
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    ERR_clear_error();
    if (sk_ASN1_OBJECT_num(asked) > 0)
        return asked;
    EXTENDED_KEY_USAGE_free(asked);
    return NULL;
}
