/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/tls_ask.h - how a server is asked for TLS before the handshake:
 * PostgreSQL by its SSLRequest, XMPP by STARTTLS (RFC 6120 5.4, for clients and
 * for servers).  Bytes only: no socket, no loop; what comes in is hostile and
 * bounded.
 */
#ifndef CERTFLEET_TRANSPORT_TLS_ASK_H
#define CERTFLEET_TRANSPORT_TLS_ASK_H

#include "core/base/str.h"
#include "core/link.h"

struct tls_ask {
    enum link_tls tls;
    bool asked;     /* XMPP: STARTTLS went out */
    struct str got; /* XMPP: what came since the last that was sent */
};

enum ask_step {
    ASK_MORE,  /* send what is in `out', if anything, and read on */
    ASK_BEGIN, /* shake hands */
    ASK_FAILED
};

/* What goes out first.  `domain`: of XMPP, whom it is asked for. */
void tls_ask_begin(struct tls_ask *ask, enum link_tls tls, const char *domain,
                   struct str *out);
enum ask_step tls_ask_take(struct tls_ask *ask, const char *data, size_t len,
                           struct str *out, struct err *err);
void tls_ask_release(struct tls_ask *ask);

#endif
