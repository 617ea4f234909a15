/* SPDX-License-Identifier: Apache-2.0
 *
 * core/pki/seal.h - a signature over some bytes by a person who has an X.509
 * certificate: detached CMS (RFC 5652), by OpenSSL.
 */
#ifndef CERTFLEET_PKI_SEAL_H
#define CERTFLEET_PKI_SEAL_H

#include "core/pki/pki.h"

struct pki_sealer {      /* who signed */
    char principal[256]; /* the first e-mail address of its subjectAltName,
                            else its common name */
    char sha256[PKI_SHA256_HEX]; /* of the certificate */
    int64_t not_after;
};

/* Signs with the first certificate of `cert' (PEM or DER; what follows it goes
 * into the signature, too).  A key that is not its own: CAUSE_INPUT. */
int pki_seal(const struct secret *cert, const struct secret *key,
             const struct str *data, struct str *pem, struct err *err);

/* Is it a signature over just these bytes, by one person whose certificate
 * leads to one of `ca' (PEM) and is good now, for signing (OpenSSL's purpose
 * smimesign)?  CRLs in `ca' are asked; one that has run out refuses.  -1: it
 * is not (CAUSE_REFUSED), or `ca' holds no certificate (CAUSE_INPUT). */
int pki_seal_check(const struct secret *ca, const char *pem,
                   const struct str *data, struct pki_sealer *sealer,
                   struct err *err);

#endif
