/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/request.h - does a certificate answer a node's request, as
 * the platform will judge it at the upload (facts/uc.md 1.3), and does a
 * request name everybody?  Asked here first, since an upload cannot be taken
 * back (facts/uc.md 0.7).
 *
 * Pure; what is compared is what pki_describe gave, in OpenSSL's words.  Key,
 * common name, dates and chain are pki_answer_read's to look at.
 */
#ifndef CERTFLEET_VOS_REQUEST_H
#define CERTFLEET_VOS_REQUEST_H

#include "core/pki/pki.h"

/* The same names, in whatever order; case counts for nothing.  -1 names the
 * first that one has alone. */
int vos_same_names(const struct pki_cert_info *request,
                   const struct pki_cert_info *cert, struct err *err);
/* Every key usage and purpose that the request asks for is in the certificate:
 * dataEncipherment, too, and clientAuth. */
int vos_keeps_usage(const struct pki_cert_info *request,
                    const struct pki_cert_info *cert, struct err *err);
/* No name with a wildcard: the platform refuses one (facts/uc.md 1.2). */
int vos_no_wildcard(const struct pki_cert_info *info, struct err *err);
/* Does a certificate or request carry this host name? */
bool vos_names(const struct pki_cert_info *info, const char *host);

#endif
