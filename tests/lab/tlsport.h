/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/tlsport.h - TLS listeners: of a service, and behind PostgreSQL's
 * SSLRequest.
 *
 * What a probe of a database node meets: 8 bytes of SSLRequest are answered
 * with 'S', then a TLS handshake with the copied server certificate; whoever
 * goes on is told that a client certificate is required.  Plain TLS without
 * the request is refused, as PostgreSQL does.  A service shakes hands at once;
 * it answers one HTTP request when it is told how, and hangs up on whoever says
 * anything else.
 */
#ifndef CERTFLEET_LAB_TLSPORT_H
#define CERTFLEET_LAB_TLSPORT_H

#include "tests/lab/lab.h"

struct tlsport;
/* On node->address:node->db_port with node->db.certs.  NULL on error. */
struct tlsport *tlsport_open(struct lab_node *node, struct err *err);
/* On node->address:number with a context, which is taken, also on error. */
struct tlsport *tlsport_serve(struct lab_node *node, unsigned number,
                              SSL_CTX *ctx, struct err *err);
/* From now on: `reply` is asked with a request, head and body. */
typedef void tlsport_reply_f(struct lab_node *node, const char *request,
                             struct str *reply);
void tlsport_answer(struct tlsport *port, tlsport_reply_f *reply);
/* From now on: visitors must ask for TLS by STARTTLS, as XMPP has it. */
void tlsport_xmpp(struct tlsport *port);
void tlsport_close(struct tlsport *port); /* NULL is fine */

/* A non-blocking listening socket; -1 on error.  server.c uses it too. */
int lab_listen(const char *address, unsigned port, struct err *err);

#endif
