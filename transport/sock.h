/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/sock.h - a TCP connection, made without blocking.
 *
 * Names go through uv_getaddrinfo; every address is tried in turn, each with
 * a fair share of the time that is left.  It knows nothing of SSH.
 */
#ifndef CERTFLEET_TRANSPORT_SOCK_H
#define CERTFLEET_TRANSPORT_SOCK_H

#include <stdbool.h>
#include <uv.h>

#include "core/base/err.h"

struct dial;

/* fd >= 0: connected, non-blocking, close-on-exec, the callee's from now on;
 * -1: `err` says what every address answered last. */
typedef void dial_done_f(void *user, int fd, const struct err *err);

struct dial_wish {
    const char *host; /* name or number; copied */
    unsigned port;
    unsigned timeout_ms; /* for all addresses together */
};

/* `done` is called exactly once, from the loop, never in this call; the dial
 * is gone then. */
struct dial *dial_start(uv_loop_t *loop, const struct dial_wish *wish,
                        dial_done_f *done, void *user);

/* Asked in `done`: was the last address's answer that nobody listens there, or
 * that no way leads there? */
bool dial_is_unheard(const struct dial *d);

/* `done` will not be called; what is under way is cleaned up by the loop. */
void dial_cancel(struct dial *d);

/* What every connection of ours gets: no delay, probes, and an end to
 * unacknowledged data after `dead_ms`. */
void dial_tune(int fd, unsigned dead_ms);

#endif
