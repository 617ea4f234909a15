/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundles put together out of files that others made: certificates only, each
 * once, in the form that every device reads.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "core/pki/pki_priv.h"

static int add_one(struct str *bundle, X509 *cert, pki_keep_f *keep,
                   const void *user, struct err *err)
{
    char *pem = pki_cert_pem(cert);
    struct pki_cert_info info;
    int rc = -1;

    if (!pem)
        pki_fail(err, CAUSE_SYSTEM, "write a certificate");
    else if (pki_describe(pem, strlen(pem), &info, err) < 0)
        err_context(err, "a certificate of a bundle");
    else if ((keep && !keep(&info, user)) || strstr(str_text(bundle), pem))
        rc = 0;
    else if (str_add(bundle, pem) < 0)
        err_set(err, CAUSE_INPUT, "a bundle of more than %zu bytes",
                bundle->cap);
    else
        rc = 0;
    free(pem);
    return rc;
}

int pki_bundle_add(struct str *bundle, const void *data, size_t len,
                   pki_keep_f *keep, const void *user, struct err *err)
{
    STACK_OF(X509) *certs = pki_read_certs(data, len, err);
    int rc = certs ? 0 : -1;

    for (int i = 0; rc == 0 && i < sk_X509_num(certs); i++)
        rc = add_one(bundle, sk_X509_value(certs, i), keep, user, err);
    sk_X509_pop_free(certs, X509_free);
    ERR_clear_error();
    return rc;
}
