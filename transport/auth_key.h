/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/auth_key.h - private keys: read and decrypted once, in the pool,
 * and shared by all sessions (an encrypted one costs 383 ms,
 * facts/transport.md 2.2).  It knows no session.
 */
#ifndef CERTFLEET_TRANSPORT_AUTH_KEY_H
#define CERTFLEET_TRANSPORT_AUTH_KEY_H

#include <libssh/libssh.h>
#include <stdbool.h>
#include <uv.h>

#include "core/base/err.h"
#include "core/base/secret.h"

struct keyring;

struct keyring *keyring_new(uv_loop_t *loop);
/* Nobody may be waiting; a load still in the pool is waited for by the
 * loop. */
void keyring_free(struct keyring *k);

/* One who wants a key.  Lives in the connection; zeroed before use. */
struct key_want {
    struct key_want *next;
    struct key_entry *entry;
    void (*loaded)(struct key_want *); /* from the loop; once */
    ssh_key key;                       /* NULL: see err; the keyring's */
    bool missing;                      /* there is no such file */
    const struct err *err;             /* the keyring's */
};

/* true: known already, the result stands in `want`, `loaded` is not called. */
bool keyring_ask(struct keyring *k, struct key_want *want, const char *path,
                 struct secret *passphrase);
void keyring_leave(struct key_want *want); /* fine at any time */

/* Signing with it costs more than the loop should be kept: RSA in OpenSSH's
 * format holds no CRT values, 9 ms (facts/transport.md 2.3.16). */
bool key_is_slow(ssh_key key);

#endif
