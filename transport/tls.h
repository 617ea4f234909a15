/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/tls.h - which certificates a TLS listener shows.
 *
 * A probe connects, asks a PostgreSQL or XMPP server for TLS first when told
 * to, shakes hands and reads the chain.  It judges nothing: any chain is taken,
 * core/pki looks at it.  No client certificate is sent.  A server that
 * demands one aborts after it has shown its own (TLS 1.2: in the handshake,
 * 1.3: after it): what it showed is what was asked for, so that is a success
 * as well.
 *
 * Nothing blocks: names by uv_getaddrinfo, OpenSSL over memory buffers, one
 * deadline for everything.  Several addresses of a name are tried in order.
 */
#ifndef CERTFLEET_TRANSPORT_TLS_H
#define CERTFLEET_TRANSPORT_TLS_H

#include <uv.h>

#include "core/link.h"

struct tls_probe;

/* Starts one.  `peer`, its address and domain are copied; timeout_ms 0 is 10 s.
 * Never fails at once: whatever is wrong is told by `done`, which is called
 * exactly once, from the loop, never in this call or in the cancel, when
 * every handle is closed.  The probe is gone when `done` is called.
 *
 * result: LINK_OK: data, len = PEM of the chain as sent, leaf first.
 * LINK_UNSENT: no connection (no such name, refused, timeout).
 * LINK_FAILED: connected, and the peer does not speak TLS (PostgreSQL said
 * `N`, garbage, closed).  LINK_LOST: connected, then silence until the
 * deadline or a lost connection.  LINK_CANCELED.  err says which address and
 * port; took_ms is from the first byte sent. */
struct tls_probe *tls_probe_start(uv_loop_t *loop, const struct link_peer *peer,
                                  link_done_f *done, void *user);

/* It completes with LINK_CANCELED, unless it had its answer already. */
void tls_probe_cancel(struct tls_probe *p);

#endif
