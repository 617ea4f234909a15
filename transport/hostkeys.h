/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/hostkeys.h - which server key belongs to which host.
 *
 * known_hosts is read once into a table; asking costs no file access.  A
 * line with hashed names costs one HMAC for each host asked about, once: the
 * answer is kept per host and port (asking libssh instead costs 16 ms a node
 * with 500 hashed lines, facts/transport.md 2.2).  It knows no libssh: keys
 * are blobs in the SSH wire format (ssh_pki_export_pubkey_blob / the blob of
 * ssh_get_server_publickey), which name their own type.
 *
 * Understood as sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" has it: names with
 * commas, `*`, `?`, `!`, `[host]:port`, |1|salt|hash, @revoked.  Lines of
 * @cert-authority are left out: certificates of hosts are never asked for.
 * Names are compared without case.  For a port other than 22 a key under
 * the plain name is taken too, as ssh does, but only to say yes.
 *
 * All in one thread.  hostkeys_load and hostkeys_accept use the disk.
 */
#ifndef CERTFLEET_TRANSPORT_HOSTKEYS_H
#define CERTFLEET_TRANSPORT_HOSTKEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct hostkeys;

enum hostkeys_answer {
    HOSTKEYS_KNOWN,   /* this very key is the host's */
    HOSTKEYS_UNKNOWN, /* nothing is known of the host: accept-new may add */
    HOSTKEYS_CHANGED, /* the host has another key of this type */
    HOSTKEYS_OTHER,   /* the host has keys, of other types only: refuse as
                         for CHANGED, an intruder may choose the type */
    HOSTKEYS_REVOKED, /* the key was marked @revoked for this host */
};

/* What a server showed.  Borrowed during the call. */
struct hostkeys_offer {
    const char *host; /* as asked for (after ssh_config's HostName) */
    unsigned port;    /* 0 is 22 */
    const void *blob; /* the public key in wire format */
    size_t len;
};

/* Reads `path` (NULL: none, accepted keys are only remembered).  A missing
 * file is an empty one.  Lines that cannot be understood are skipped with a
 * warning that tells path and line.  NULL when the file is there and cannot
 * be read, or is larger than 16 MB. */
struct hostkeys *hostkeys_load(const char *path, struct err *err);
void hostkeys_free(struct hostkeys *h);
size_t hostkeys_skipped(const struct hostkeys *h); /* lines warned about */

enum hostkeys_answer hostkeys_lookup(struct hostkeys *h,
                                     const struct hostkeys_offer *offer);

/* The types ("ssh-ed25519", ...) of the keys known for a host, without
 * revoked ones, each once.  Fills at most `room`, returns how many; the
 * texts live as long as `h`. */
size_t hostkeys_types(struct hostkeys *h, const char *host, unsigned port,
                      const char **types, size_t room);

/* The list to offer in the key exchange: `defaults` (names with commas)
 * with those first that a known key can answer, so that a server with
 * several keys shows the one we know.  ssh-rsa stands for rsa-sha2-512 and
 * rsa-sha2-256 too; nothing that is not in `defaults` is added. */
int hostkeys_algorithms(struct hostkeys *h, const char *host, unsigned port,
                        const char *defaults, struct str *out);

/* Remembers a key that hostkeys_lookup called UNKNOWN: one line is appended
 * to the file (made with 0600 when missing, its folder with 0700) and to the
 * table.  Lines that another program appended since the load are read first,
 * and the key is refused (CAUSE_REFUSED) when the host is no longer unknown;
 * already known is fine.  `hashed`: the name is written as |1|salt|hash.
 * When the file cannot be written the table is left alone: -1. */
int hostkeys_accept(struct hostkeys *h, const struct hostkeys_offer *offer,
                    bool hashed, struct err *err);

enum {
    HOSTKEYS_FINGERPRINT_BYTES = 51
};
/* "SHA256:" and 43 characters of base64, as ssh-keygen -l prints it. */
void hostkeys_fingerprint(const void *blob, size_t len,
                          char text[HOSTKEYS_FINGERPRINT_BYTES]);

/* A pin is a fingerprint in that form; a final `=` is allowed. */
bool hostkeys_pin_is_valid(const char *pin);
bool hostkeys_pin_matches(const char *pin, const void *blob, size_t len);

/* "ssh-ed25519" of a blob, for messages: only letters, digits and @.-_;
 * -1 when the blob is not a key. */
int hostkeys_type_of(const void *blob, size_t len, struct str *out);

#endif
