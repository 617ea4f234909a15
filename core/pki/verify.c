/* SPDX-License-Identifier: Apache-2.0
 *
 * One way to verify a path: only supplied certificates count, roots are the
 * self-signed ones of the bundle, and the fault names a certificate and a
 * rule.  No system store, no policy of who may issue for whom.
 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    SUBJECT_SHOWN = 100 /* bytes of it in a fault */
};

bool pki_is_root(X509 *cert)
{
    bool root = X509_self_signed(cert, 1) == 1;

    ERR_clear_error();
    return root;
}

/* -- purpose ------------------------------------------------------------- */

/* Netscape's old type has no accessor beside the extension itself. */
static bool netscape_lacks(X509 *cert, unsigned char want)
{
    ASN1_BIT_STRING *type =
        X509_get_ext_d2i(cert, NID_netscape_cert_type, NULL, NULL);
    bool lacks = type && (ASN1_STRING_length(type) < 1 ||
                          !(ASN1_STRING_get0_data(type)[0] & want));

    ASN1_BIT_STRING_free(type);
    return lacks;
}

// clang-format off
static const struct pki_usage_fault usage_faults[2][4] = {
    { { "D1", "its extended key usage lacks serverAuth" },
      { "D3", "its key usage lacks digitalSignature, keyEncipherment and "
              "keyAgreement; a server needs one of them" },
      { "D6", "its Netscape certificate type lacks SSL server" },
      { "D7", "its extended key usage is \"any\" alone; serverAuth must be "
              "named" } },
    { { "D1", "its extended key usage lacks clientAuth" },
      { "D3", "its key usage lacks digitalSignature and keyAgreement; a "
              "client needs one of them" },
      { "D6", "its Netscape certificate type lacks SSL client" },
      { "D7", "its extended key usage is \"any\" alone; clientAuth must be "
              "named" } },
};
// clang-format on

/* D7 comes last: it is the only one that a device might let pass. */
const struct pki_usage_fault *pki_usage_check(X509 *cert,
                                              enum pki_purpose purpose)
{
    bool client = purpose == PKI_CLIENT;
    const struct pki_usage_fault *faults = usage_faults[client];
    uint32_t eku = X509_get_extended_key_usage(cert); /* absent: all ones */
    uint32_t ku = X509_get_key_usage(cert);           /* absent: all ones */
    uint32_t want_eku = client ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
    uint32_t want_ku = KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT |
                       (client ? 0 : KU_KEY_ENCIPHERMENT);

    if (purpose == PKI_ANY)
        return NULL;
    if (!(eku & (want_eku | XKU_ANYEKU)))
        return &faults[0];
    if (!(ku & want_ku))
        return &faults[1];
    if (netscape_lacks(cert, client ? NS_SSL_CLIENT : NS_SSL_SERVER))
        return &faults[2];
    return eku & want_eku ? NULL : &faults[3];
}

/* -- words --------------------------------------------------------------- */

static void usage_words(X509 *cert, int depth, enum pki_purpose purpose,
                        char *text, size_t room)
{
    const struct pki_usage_fault *fault = pki_usage_check(cert, purpose);

    if (fault && depth == 0)
        snprintf(text, room, "%s", fault->text);
    else
        snprintf(text, room, "it does not permit use by a %s",
                 purpose == PKI_CLIENT ? "client" : "server");
}

static void issuer_words(X509 *cert, char *text, size_t room)
{
    char issuer[PKI_NAME_BYTES];

    pki_name_text(X509_get_issuer_name(cert), issuer);
    snprintf(text, room, "its issuer \"%s\" is not among the certificates",
             issuer);
}

static void time_words(X509 *cert, bool expired, char *text, size_t room)
{
    char when[PKI_TIME_BYTES];

    pki_time_text(pki_time(expired ? X509_get0_notAfter(cert)
                                   : X509_get0_notBefore(cert)),
                  when);
    if (expired)
        snprintf(text, room, "it has expired (%s)", when);
    else
        snprintf(text, room, "it is not valid before %s", when);
}

static void fault_words(int code, X509 *cert, char *text, size_t room)
{
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        issuer_words(cert, text, room);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(text, room, "it is self-signed and not in the CA bundle");
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        time_words(cert, code == X509_V_ERR_CERT_HAS_EXPIRED, text, room);
        break;
    case X509_V_ERR_INVALID_CA:
        snprintf(text, room,
                 "it issues another one and is no CA (basicConstraints "
                 "CA:TRUE or keyUsage keyCertSign is missing)");
        break;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        snprintf(text, room,
                 "its signature was not made by the issuer of that name in "
                 "the bundle");
        break;
    default:
        snprintf(text, room, "%s", X509_verify_cert_error_string(code));
    }
}

static void fill_fault(X509_STORE_CTX *ctx, const struct pki_path *path,
                       struct pki_fault *fault)
{
    X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
    int depth = X509_STORE_CTX_get_error_depth(ctx);
    char subject[PKI_NAME_BYTES], words[400];

    fault->code = X509_STORE_CTX_get_error(ctx);
    if (!cert) {
        cert = path->leaf;
        depth = 0;
    }
    pki_subject_text(cert, subject);
    if (fault->code == X509_V_ERR_INVALID_PURPOSE)
        usage_words(cert, depth, path->purpose, words, sizeof(words));
    else
        fault_words(fault->code, cert, words, sizeof(words));
    snprintf(fault->text, sizeof(fault->text), "certificate \"%.*s\": %s",
             str_fit(subject, SUBJECT_SHOWN), subject, words);
}

/* -- the path ------------------------------------------------------------ */

/* Roots go to the store, the rest joins the intermediates. */
static int sort_bundle(STACK_OF(X509) * bundle, X509_STORE *store,
                       STACK_OF(X509) * between)
{
    int roots = 0;

    for (int i = 0; i < sk_X509_num(bundle); i++) {
        X509 *cert = sk_X509_value(bundle, i);
        bool root = pki_is_root(cert);
        if (root ? !X509_STORE_add_cert(store, cert)
                 : !sk_X509_push(between, cert))
            return -1;
        roots += root;
    }
    return roots;
}

static void set_rules(X509_VERIFY_PARAM *param, const struct pki_path *path)
{
    unsigned long flags = path->strict ? X509_V_FLAG_X509_STRICT : 0;

    if (path->at == 0)
        flags |= X509_V_FLAG_NO_CHECK_TIME;
    else
        X509_VERIFY_PARAM_set_time(param, (time_t)path->at);
    X509_VERIFY_PARAM_set_flags(param, flags);
    X509_VERIFY_PARAM_set_auth_level(param, path->level);
    if (path->purpose != PKI_ANY)
        X509_VERIFY_PARAM_set_purpose(param, path->purpose == PKI_CLIENT
                                                 ? X509_PURPOSE_SSL_CLIENT
                                                 : X509_PURPOSE_SSL_SERVER);
}

static int no_memory(struct pki_fault *fault)
{
    fault->code = X509_V_ERR_OUT_OF_MEM;
    snprintf(fault->text, sizeof(fault->text), "out of memory");
    return -1;
}

static int no_root(struct pki_fault *fault)
{
    fault->code = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
    snprintf(fault->text, sizeof(fault->text),
             "the CA bundle has no self-signed root");
    return -1;
}

static int run(X509_STORE_CTX *ctx, const struct pki_path *path,
               STACK_OF(X509) * *chain, struct pki_fault *fault)
{
    set_rules(X509_STORE_CTX_get0_param(ctx), path);
    if (X509_verify_cert(ctx) != 1) {
        fill_fault(ctx, path, fault);
        return -1;
    }
    if (chain)
        *chain = X509_STORE_CTX_get1_chain(ctx);
    return 0;
}

int pki_path_build(const struct pki_path *path, STACK_OF(X509) * *chain,
                   struct pki_fault *fault)
{
    STACK_OF(X509) *between =
        path->extra ? sk_X509_dup(path->extra) : sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int roots = -1, rc;

    if (chain)
        *chain = NULL;
    if (between && store && ctx)
        roots = sort_bundle(path->bundle, store, between);
    if (roots < 0)
        rc = no_memory(fault);
    else if (roots == 0)
        rc = no_root(fault);
    else if (!X509_STORE_CTX_init(ctx, store, path->leaf, between))
        rc = no_memory(fault);
    else
        rc = run(ctx, path, chain, fault);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(between); /* the certificates are the caller's */
    ERR_clear_error();
    return rc;
}

int pki_verify(const void *cert, size_t cert_len, const void *bundle,
               size_t bundle_len, enum pki_purpose purpose, int64_t at,
               struct err *err) /* lint: allow params, as in pki.h */
{
    const struct pki_peer peer = {
        .cert = cert,
        .cert_len = cert_len,
        .trust = bundle,
        .trust_len = bundle_len,
        .purpose = purpose,
        .at = at,
    };

    return pki_peer_verify(&peer, err);
}
