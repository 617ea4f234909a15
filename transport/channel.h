/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/channel.h - one channel on a connection that is ready.
 *
 * What it carries is the owner's: the owner is given bytes, and is asked for
 * bytes to send when there is room.  At most 32 KB go out at a time
 * (facts/transport.md 2.2), so that one upload never keeps the loop.
 */
#ifndef CERTFLEET_TRANSPORT_CHANNEL_H
#define CERTFLEET_TRANSPORT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct chan;
struct conn;

enum chan_kind {
    CHAN_EXEC,
    CHAN_SHELL,
    CHAN_SFTP
};

enum chan_end {
    CHAN_REFUSED, /* the server opens no channel: may be asked again later */
    CHAN_DENIED,  /* the channel was opened, what it is for was denied */
    CHAN_CLOSED,  /* by the server */
};

struct chan_owner {
    void (*opened)(void *user); /* shell, SFTP or command granted */
    void (*data)(void *user, const char *data, size_t len);
    void (*eof)(void *user); /* no more data; `ended` need not follow soon */
    /* The last call; the chan is gone.  Not after chan_close, and not when
     * the connection ends. */
    void (*ended)(void *user, enum chan_end end, const struct err *err);
    /* What to send next: borrowed until `sent`; *len 0: nothing now. */
    const void *(*output)(void *user, size_t *len);
    /* n bytes were handed to libssh; of an exec: the command was. */
    void (*sent)(void *user, size_t n);
};

struct chan_wish {
    enum chan_kind kind;
    const char *command; /* CHAN_EXEC; borrowed until `sent` */
    unsigned columns;    /* CHAN_SHELL */
};

/* The connection must be ready.  All calls of the owner come later. */
struct chan *chan_open(struct conn *c, const struct chan_wish *wish,
                       const struct chan_owner *owner, void *user);
void chan_close(struct chan *ch); /* the owner hears no more of it */
void chan_wake(struct chan *ch);  /* there is something to send */

#endif
