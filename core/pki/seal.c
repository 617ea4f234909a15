/* SPDX-License-Identifier: Apache-2.0
 *
 * Detached CMS signatures of people.  What the bytes mean is not known here.
 */
#include "core/pki/seal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include <openssl/cms.h> /* behind pem.h, or it has no PEM */

#include "core/pki/pki_priv.h"

/* -- signing -------------------------------------------------------------- */

static int write_pem(CMS_ContentInfo *cms, struct str *pem, struct err *err)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    long len;
    int rc = -1;

    if (!out || PEM_write_bio_CMS(out, cms) != 1)
        pki_fail(err, CAUSE_SYSTEM, "write the signature");
    else if ((len = BIO_get_mem_data(out, &text)) > 0)
        rc = str_addn(pem, text, (size_t)len);
    BIO_free(out);
    return rc;
}

static int seal(STACK_OF(X509) * certs, EVP_PKEY *key, const struct str *data,
                struct str *pem, struct err *err)
{
    X509 *own = sk_X509_shift(certs);
    BIO *in = BIO_new_mem_buf(str_text(data), (int)data->len);
    CMS_ContentInfo *cms = NULL;
    int rc = -1;

    if (X509_check_private_key(own, key) != 1)
        pki_fail(err, CAUSE_INPUT,
                 "the key does not belong to the certificate");
    else if (in && (cms = CMS_sign(own, key, certs, in,
                                   CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP)))
        rc = write_pem(cms, pem, err);
    else
        pki_fail(err, CAUSE_SYSTEM, "sign");
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    X509_free(own);
    return rc;
}

int pki_seal(const struct secret *cert, const struct secret *key,
             const struct str *data, struct str *pem, struct err *err)
{
    STACK_OF(X509) *certs = pki_read_certs(cert->data, cert->len, err);
    EVP_PKEY *own = NULL;
    int rc = -1;

    if (certs)
        own = pki_read_key(key->data, key->len, NULL, err);
    if (own)
        rc = seal(certs, own, data, pem, err);
    EVP_PKEY_free(own);
    sk_X509_pop_free(certs, X509_free);
    return rc;
}

/* -- checking ------------------------------------------------------------- */

/* An intermediate alone may be trusted, too: who names it means it. */
static X509_STORE *make_store(const struct secret *ca, struct err *err)
{
    X509_STORE *store = X509_STORE_new();
    BIO *in = BIO_new_mem_buf(ca->data, (int)ca->len);
    STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(in, NULL, NULL, NULL);
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
    int n = 0;

    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        X509_INFO *info = sk_X509_INFO_value(infos, i);

        if (info->x509 && X509_check_ca(info->x509) > 0)
            n += X509_STORE_add_cert(store, info->x509);
        if (info->crl && X509_STORE_add_crl(store, info->crl))
            flags |= X509_V_FLAG_CRL_CHECK;
    }
    X509_STORE_set_flags(store, flags);
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
    BIO_free(in);
    ERR_clear_error();
    if (n > 0)
        return store;
    X509_STORE_free(store);
    err_set(err, CAUSE_INPUT, "there is no certificate of a CA in it (PEM)");
    return NULL;
}

/* Text that people compare: printable, without blanks in front or behind. */
static bool take_name(const ASN1_STRING *name, struct pki_sealer *sealer)
{
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, name);
    bool good = len > 0 && (size_t)len < sizeof(sealer->principal) &&
                text[0] != ' ' && text[len - 1] != ' ';

    for (int i = 0; good && i < len; i++)
        good = text[i] >= ' ' && text[i] < 0x7f;
    if (good) {
        memcpy(sealer->principal, text, (size_t)len);
        sealer->principal[len] = '\0';
    }
    OPENSSL_free(text);
    return good;
}

static bool take_email(X509 *cert, struct pki_sealer *sealer, bool *any)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool good = false;

    *any = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !*any; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type != GEN_EMAIL)
            continue;
        *any = true;
        good = take_name(name->d.rfc822Name, sealer);
    }
    GENERAL_NAMES_free(names);
    return good;
}

static int take_sealer(X509 *cert, struct pki_sealer *sealer, struct err *err)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    bool any, good = take_email(cert, sealer, &any);

    if (!any && at >= 0)
        good = take_name(
            X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), sealer);
    pki_cert_sha256(cert, sealer->sha256);
    sealer->not_after = pki_time(X509_get0_notAfter(cert));
    return good ? 0
                : err_set(err, CAUSE_REFUSED,
                          "its certificate names nobody: neither an e-mail "
                          "address nor a common name of plain ASCII");
}

/* One signer, and nothing inside that could be taken for what was signed. */
static int check_form(CMS_ContentInfo *cms, struct err *err)
{
    ASN1_OCTET_STRING **content;

    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
        return err_set(err, CAUSE_REFUSED, "it is no signature");
    content = CMS_get0_content(cms);
    if (content && *content)
        return err_set(err, CAUSE_REFUSED, "it has a content of its own");
    if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) != 1)
        return err_set(err, CAUSE_REFUSED, "it is not by one person");
    return 0;
}

static int check(CMS_ContentInfo *cms, X509_STORE *store,
                 const struct str *data, struct pki_sealer *sealer,
                 struct err *err)
{
    BIO *in = BIO_new_mem_buf(str_text(data), (int)data->len);
    STACK_OF(X509) *signers = NULL;
    int rc = -1;

    if (!in || CMS_verify(cms, NULL, store, in, NULL, CMS_BINARY) != 1)
        pki_fail(err, CAUSE_REFUSED, "the signature does not hold");
    else if (!(signers = CMS_get0_signers(cms)) || sk_X509_num(signers) != 1)
        err_set(err, CAUSE_REFUSED, "it is not by one person");
    else
        rc = take_sealer(sk_X509_value(signers, 0), sealer, err);
    sk_X509_free(signers); /* the certificates are the signature's */
    BIO_free(in);
    return rc;
}

int pki_seal_check(const struct secret *ca, const char *pem,
                   const struct str *data, struct pki_sealer *sealer,
                   struct err *err)
{
    X509_STORE *store = make_store(ca, err);
    BIO *in = BIO_new_mem_buf(pem, -1);
    CMS_ContentInfo *cms = NULL;
    int rc = -1;

    memset(sealer, 0, sizeof(*sealer));
    if (store && in) {
        cms = PEM_read_bio_CMS(in, NULL, NULL, NULL);
        if (!cms)
            pki_fail(err, CAUSE_REFUSED, "it is no CMS");
        else if (check_form(cms, err) == 0)
            rc = check(cms, store, data, sealer, err);
    }
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    X509_STORE_free(store);
    return rc;
}
