/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/ssh.h - one SSH connection: from a free slot to a login.
 *
 * A conn is one try: it waits for a slot, connects, exchanges keys, checks
 * the host key, logs in and is then ready for channels (channel.h) until it
 * ends.  It never tries again; who owns it does.  facts/transport.md 2 is why
 * it is built as it is.  It knows no commands and no files.
 *
 * `ended` is called exactly once, from the loop, never inside a call of the
 * owner, when every handle is closed and no thread works for it any more;
 * the conn is gone then, and its channels with it, without a word of theirs.
 */
#ifndef CERTFLEET_TRANSPORT_SSH_H
#define CERTFLEET_TRANSPORT_SSH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/link.h"
#include "transport/link_route.h"

struct conn;
struct link_port;

struct conn_end {
    enum link_end end;     /* UNSENT, REFUSED; LOST when it was ready;
                              CANCELED after conn_close or for another's sake */
    bool again;            /* another try may help */
    bool next_key_type;    /* ... if another of its keys is asked for: the
                              one shown is not the one that is pinned */
    bool without_agent;    /* ... if the agent's keys are left out: they used
                              up the tries that the server grants */
    const struct err *err; /* valid during the call */
    uint64_t active_ms;    /* without the wait for a slot */
};

struct conn_owner {
    void (*ready)(void *user);
    void (*ended)(void *user, const struct conn_end *end);
};

struct conn_wish {
    const struct route *route; /* outlives the conn */
    unsigned budget_ms;        /* for connect to login */
    bool without_agent;
    unsigned key_types; /* so many of CONN_KEY_TYPES were shown in vain */
};

/* A pin does not tell its type: ed25519, ECDSA and RSA are asked for. */
enum {
    CONN_KEY_TYPES = 3
};

struct conn *conn_open(struct link_port *port, const struct conn_wish *wish,
                       const struct conn_owner *owner, void *user);
void conn_close(struct conn *c); /* fine at any time before `ended` */

bool conn_is_ready(const struct conn *c);

/* An idle one may be closed when another waits for its slot. */
void conn_set_idle(struct conn *c, bool idle);

#endif
