/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/compat.h - what differs between libssh 0.10, 0.11 and 0.12, and
 * what libssh leaves to be known.  The only file that may ask its version.
 *
 * It makes and drops sessions the way that facts/transport.md 2 found to
 * work; it knows nothing of nodes, logins or loops.
 */
#ifndef CERTFLEET_TRANSPORT_COMPAT_H
#define CERTFLEET_TRANSPORT_COMPAT_H

#include <libssh/libssh.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct compat_lists { /* names with commas, most preferred first */
    const char *kex;
    const char *hostkeys;
    const char *ciphers;
    const char *macs;
    const char *pubkeys;
};

/* The built-in lists.  `weak`: for appliances of the years before SHA-2. */
const struct compat_lists *compat_lists(bool weak);

struct compat_session {
    const char *user;
    struct compat_lists lists; /* every one is set */
};

/* A non-blocking session that reads no configuration, no known_hosts and no
 * home folder.  NULL: `err` says which list libssh can serve nothing of. */
ssh_session compat_session_new(const struct compat_session *want,
                               struct err *err);

/* Gives the session a duplicate of a connected socket; ssh_connect must
 * follow at once, the duplicate is libssh's from then on. */
int compat_session_take(ssh_session session, int fd, struct err *err);

/* libssh sets the socket back to blocking when the connection stands: one
 * write then blocked the loop for 4.6 s (facts/transport.md 2.2).  To be
 * called after each step of ssh_connect. */
void compat_unblock(int fd);

/* Says goodbye, frees the session and its event (may be NULL) and sees to
 * it that libssh's descriptor is closed exactly once: at EOF libssh closes it,
 * by ssh_disconnect it does not, and when the peer says goodbye 0.10 closes it
 * while 0.11 and 0.12 leave it open. */
void compat_session_drop(ssh_session session, ssh_event event);

/* Whether libssh still has its connection: AGAIN alone means nothing, 0.10
 * says so for ever after a disconnect, and every release after a packet that
 * it rejects. */
bool compat_is_alive(ssh_session session);

/* Asks the peer for a sign of life.  Every second call sends nothing, it only
 * takes note of the answer to the one before (facts/transport.md 2.3.7): the
 * counters tell. */
void compat_probe(ssh_session session);

/* The host key in wire format; the caller frees.  -1: there is none. */
int compat_server_key(ssh_session session, unsigned char **blob, size_t *len);

/* The peer wants a new password: libssh has no word for that, it calls
 * SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (60) a packet that it rejects. */
bool compat_is_password_change(ssh_session session);

/* The peer ended it with SSH_MSG_DISCONNECT, not by a lost connection. */
bool compat_is_disconnected_by_peer(ssh_session session);

#endif
