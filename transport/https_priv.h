/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/https_priv.h - for https*.c only: whom a call believes.
 */
#ifndef CERTFLEET_TRANSPORT_HTTPS_PRIV_H
#define CERTFLEET_TRANSPORT_HTTPS_PRIV_H

#include <openssl/ssl.h>

#include "transport/https.h"

struct https_trust {
    const struct https_request *request;
    char why[256]; /* why the peer's certificate was not good; "" */
};

/* From now on the context believes what `trust` says and nothing else.  0, or
 * -1: it must not be used. */
int https_trust_use(SSL_CTX *ctx, struct https_trust *trust);

#endif
