/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/tls_priv.h - the handshake of a probe, as bytes only.
 *
 * Bytes of the peer go in, bytes to send come out; no loop, no socket.
 */
#ifndef CERTFLEET_TRANSPORT_TLS_PRIV_H
#define CERTFLEET_TRANSPORT_TLS_PRIV_H

#include <openssl/ssl.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct shake {
    SSL *ssl;
    BIO *from_peer, *to_peer; /* ssl owns them */
    struct str chain;         /* PEM, leaf first, as soon as it was seen */
};

enum shake_end {
    SHAKE_MORE,   /* send what is there, then wait for the peer */
    SHAKE_DONE,   /* send what is there and close */
    SHAKE_FAILED, /* the same; err says why.  A chain that is there stands:
                     the peer turned us away after it had shown it */
};

/* `name`: told to the server (SNI); NULL: an address was asked for. */
int shake_init(struct shake *s, const char *name);
void shake_release(struct shake *s); /* also after a failed or no init */

/* Takes bytes of the peer (none at first) and goes on. */
enum shake_end shake_take(struct shake *s, const void *data, size_t len,
                          struct err *err);

/* What is to be sent; valid until shake_sent(), which drops it. */
const void *shake_output(struct shake *s, size_t *len);
void shake_sent(struct shake *s);

#endif
