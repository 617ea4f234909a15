/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/win_ca.h - a CA as OpenSSL makes it: a root, an issuing CA below
 * it, and certificates as AD CS writes them.  Knows no node.
 */
#ifndef CERTFLEET_LAB_WIN_CA_H
#define CERTFLEET_LAB_WIN_CA_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

struct win_ca_template {
    const char *name, *purposes, *usage;
};

struct win_ca_maker {
    X509 *root, *cert; /* the issuing one */
    EVP_PKEY *root_key, *key;
};
void win_ca_make(struct win_ca_maker *maker);
void win_ca_release(struct win_ca_maker *maker);

/* PEM or DER; NULL: it is none, or its signature is wrong. */
X509_REQ *win_ca_request(const void *data, size_t len);
/* Subject and names of the request, the template's purposes and usage, dated
 * ten minutes back as AD CS does. */
X509 *win_ca_sign(const struct win_ca_maker *maker, X509_REQ *req,
                  const struct win_ca_template *template, int64_t now);
/* Texts that the caller frees, their lines ended as Windows ends them: one
 * certificate; a PKCS #7 of it with its path, labelled CERTIFICATE. */
char *win_ca_pem(const X509 *cert);
char *win_ca_path(const struct win_ca_maker *maker, const X509 *cert);

#endif
