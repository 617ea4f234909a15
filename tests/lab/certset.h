/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/certset.h - the five database files as an appliance copied them,
 * and what OpenSSL says of them.
 *
 * Deliberately not core/pki: the lab must not share the product's mistakes.
 */
#ifndef CERTFLEET_LAB_CERTSET_H
#define CERTFLEET_LAB_CERTSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "core/base/err.h"

enum certset_file {
    CERTSET_SERVER_KEY,
    CERTSET_SERVER_CERT,
    CERTSET_CLIENT_KEY,
    CERTSET_CLIENT_CERT,
    CERTSET_CA,
    CERTSET_FILES
};

struct certset_part {
    char *name;          /* as typed; NULL: none */
    unsigned char *data; /* the bytes at `certs` time */
    size_t len;
    char digest[65];   /* SHA-256, hex */
    int64_t not_after; /* of its first certificate; 0: not one */
};

struct certset {
    struct certset_part part[CERTSET_FILES];
};

void certset_release(struct certset *set);
void certset_put(struct certset *set, enum certset_file which, const char *name,
                 const void *data, size_t len);
void certset_copy(struct certset *to, const struct certset *from);
bool certset_is_empty(const struct certset *set);
bool certset_has_server(const struct certset *set);
const char *certset_label(enum certset_file which); /* "Server Key" */

/* Each key belongs to its certificate, each certificate chains to the CA, the
 * client's CN is postgres, purposes fit, all valid at `now` (seconds). */
int certset_check(const struct certset *set, int64_t now, struct err *err);

/* `set` accepts what `peer` presents: its server certificate (for `host`
 * when not NULL) or its client certificate, at `set`'s own time. */
int certset_accepts_server(const struct certset *set,
                           const struct certset *peer, const char *host,
                           int64_t now, struct err *err);
int certset_accepts_client(const struct certset *set,
                           const struct certset *peer, int64_t now,
                           struct err *err);

/* Some copied certificate has ended at `now`. */
bool certset_expired(const struct certset *set, int64_t now);

/* Server side context: copied server key and chain, client certificates
 * asked for and verified against the copied CA.  NULL on error. */
SSL_CTX *certset_context(const struct certset *set, struct err *err);

/* -- on any bytes, for the pki commands ------------------------------------ */

int certset_match(const void *key, size_t key_len, const void *cert,
                  size_t cert_len, struct err *err);
int certset_verify(const void *cert, size_t cert_len, const void *bundle,
                   size_t bundle_len, int64_t now, struct err *err);
/* The first certificate leads to one of `by`, whether or not that is a root;
 * `root`: to a root.  When it ends or begins is not looked at. */
bool certset_chains(const void *cert, size_t cert_len, const void *by,
                    size_t by_len, bool root);
/* "certificate", "key", "request" or NULL; text (openssl x509 -text) of each
 * certificate or request is added to `out` unless NULL. */
struct str;
const char *certset_describe(const void *data, size_t len, struct str *out);

#endif
