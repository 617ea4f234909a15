/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/hostkeys_priv.h - what hostkeys*.c share: the lines as a table.
 *
 * Lines whose names are plain are found by a hash of the name; lines with
 * patterns and lines with hashed names are tried one after the other, once
 * for each host and port asked about.
 */
#ifndef CERTFLEET_TRANSPORT_HOSTKEYS_PRIV_H
#define CERTFLEET_TRANSPORT_HOSTKEYS_PRIV_H

#include <openssl/evp.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/arena.h"
#include "transport/hostkeys.h"

enum {
    HASHED_BYTES = 20,
    HOSTKEYS_FILE_MAX = 16 * 1024 * 1024
};

struct line {          /* one key of known_hosts */
    struct line *next; /* of the linear list it is in */
    const char *type;  /* as the blob says */
    const unsigned char *blob;
    size_t len;
    const char *patterns; /* names with commas, lower case; NULL: hashed */
    unsigned char salt[HASHED_BYTES], digest[HASHED_BYTES];
    bool revoked;
};

/* A plain name; one line may have several. */
struct name {
    struct name *next; /* in the bucket */
    const char *text;
    struct line *line;
};

/* All lines that a host and port have, found once. */
struct found {
    struct found *next; /* in the bucket */
    char *name;         /* "host" or "[host]:port" */
    const struct line **lines;
    size_t n, room;
};

enum {
    BUCKETS = 4096
};

struct hostkeys {
    struct arena arena;
    char *path;
    struct name *names[BUCKETS];
    struct found *found[BUCKETS];
    struct line *hashed, *patterns; /* linear lists */
    EVP_MAC_CTX *hmac;              /* HMAC-SHA1, for hashed names */
    size_t skipped;
    unsigned line; /* number of the last line read */
    /* what has been read of the file, to see what others append */
    dev_t device;
    ino_t inode;
    off_t read;
};

/* hostkeys_parse.c: adds all whole lines of `text`; what cannot be understood
 * is warned about.  Returns the bytes used: a last line without newline
 * counts only with `all`. */
size_t hostkeys_parse(struct hostkeys *h, const char *text, size_t len,
                      bool all);

/* Adds one key for `names`, which is a plain name, patterns or "|1|...". */
int hostkeys_add(struct hostkeys *h, const char *names, bool revoked,
                 const unsigned char *blob, size_t len);

/* "host" or "[host]:port", lower case.  The caller frees. */
char *hostkeys_name(const char *host, unsigned port);

int hostkeys_hmac(struct hostkeys *h, const unsigned char salt[HASHED_BYTES],
                  const char *name, unsigned char digest[HASHED_BYTES]);

/* Drops what was found for hosts: lines were added. */
void hostkeys_forget_found(struct hostkeys *h);

uint32_t hostkeys_bucket(const char *name);

#endif
