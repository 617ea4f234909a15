/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/selfsigned.h - a root of one's own from a request: what the MMP's
 * `pki selfsigned' makes, with the extensions that keep two roots apart.
 */
#ifndef CERTFLEET_CLI_SELFSIGNED_H
#define CERTFLEET_CLI_SELFSIGNED_H

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/secret.h"

/* CA:TRUE, keyCertSign and cRLSign, and digitalSignature, so that a service of
 * a test bed can show it (facts/cms.md 4); SKI and AKI (key id), SHA-256, a
 * random serial, backdated one hour.  `request` is a PEM of the same key: its
 * subject and names are taken.  *pem is malloc'd. */
int selfsigned_make(const struct secret *key, const char *request,
                    unsigned days, int64_t now, char **pem, struct err *err);

#endif
