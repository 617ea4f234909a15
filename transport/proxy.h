/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/proxy.h - a connection through a program: ProxyCommand by
 * `sh -c`, ProxyJump by `ssh -W`.
 *
 * The child speaks over a socket pair, in a session of its own so that
 * Ctrl-C in the terminal does not cut a running change, and so that all it
 * started ends with it.  It is always reaped.
 */
#ifndef CERTFLEET_TRANSPORT_PROXY_H
#define CERTFLEET_TRANSPORT_PROXY_H

#include <uv.h>

#include "core/base/err.h"
#include "transport/link_route.h"

struct proxy;

/* Starts the program that `route` names.  *fd: our end, the caller's. */
struct proxy *proxy_start(uv_loop_t *loop, const struct route *route, int *fd,
                          struct err *err);

/* What it last said on its standard error, one line, made visible; "" when
 * nothing.  Valid until the next turn of the loop. */
const char *proxy_words(struct proxy *p);

/* Ends the program; the loop frees the rest.  NULL is fine. */
void proxy_stop(struct proxy *p);

#endif
