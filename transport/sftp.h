/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/sftp.h - the client's side of SFTP version 3, as bytes only.
 *
 * No I/O, no loop, no libssh: received bytes go in with files_feed(), bytes
 * to send are looked at with files_output() and dropped with files_sent().
 * (libssh's own SFTP blocks or spins on a non-blocking session,
 * facts/transport.md 3.)  What the server sends is hostile: every length is
 * checked, memory is bounded, every text is made visible.
 *
 *     f = files_new(&options);            INIT is queued at once
 *     files_put(f, &put, on_done, user);  any number, at any time
 *     for (;;) {
 *         p = files_output(f, &n);        again after each feed and request
 *         if (n) files_sent(f, ssh_channel_write(c, p, n));
 *         ... files_feed(f, received, got, &err) ...
 *     }
 *     files_fail_all(f, &why);            the channel died
 *     files_free(f);
 *
 * Order: requests start in the order they were made, and up to `depth`
 * packets are in flight, of several requests at once.  One that concerns the
 * same name as an earlier one that is not done (or the whole folder: list)
 * waits for it, unless both only read.  So a put followed by a get of the
 * same file is safe at every depth.
 *
 * Completion: each request completes exactly once, in files_feed(),
 * files_fail_all() or files_free(), never in the call that made it.  A
 * completion may make new requests (not one that files_free() runs); it must
 * not feed, fail or free.
 *
 * Ownership: names (1 to 1024 bytes, the caller sees to it) are copied; the
 * data of a put is borrowed until its completion.  A result is valid only
 * during the completion.  Bytes read may be keys: every buffer of ours is
 * wiped.  Attributes are never set after an upload: the appliance may refuse
 * that (facts/cms.md 1.4).
 */
#ifndef CERTFLEET_TRANSPORT_SFTP_H
#define CERTFLEET_TRANSPORT_SFTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/link.h"

enum files_end {
    FILES_OK,
    FILES_STATUS,    /* the server said no: status and its text */
    FILES_SHORT,     /* put: the file is not as long as what was written;
                        get: it changed while it was read */
    FILES_TOO_LARGE, /* get: more than cap; list: more than entries_cap */
    FILES_BROKEN,    /* the server broke the protocol: nothing more works */
    FILES_LOST,      /* files_fail_all or files_free came first */
};

/* The server's words that callers ask for (SFTP version 3, section 7). */
enum files_status {
    FILES_FX_OK,
    FILES_FX_EOF,
    FILES_FX_NO_SUCH_FILE,
    FILES_FX_PERMISSION_DENIED,
    FILES_FX_FAILURE, /* version 3 says so when an exclusive put exists */
    FILES_FX_BAD_MESSAGE,
    FILES_FX_NO_CONNECTION,
    FILES_FX_CONNECTION_LOST,
    FILES_FX_UNSUPPORTED,
};

struct files_options {
    unsigned depth;     /* packets in flight: 1 (one after the other) .. 64;
                           0: 16 */
    size_t entries_cap; /* of one list; 0: 10,000 */
    uint64_t (*now_ms)(void); /* for took_ms; NULL: took_ms stays 0 */
};

struct files_result {
    enum files_end end;
    const struct err *err; /* why, when end != FILES_OK; names the file */
    unsigned status;       /* FILES_STATUS: what the server said */
    bool sent;    /* a byte of it was taken by files_sent: it may have acted */
    bool created; /* put: the file was opened, so a part of it may be there */
    bool size_told;   /* stat, put: `size` is what the server says */
    uint64_t size;    /* stat, put: bytes */
    int64_t mtime;    /* stat: seconds since 1970; -1: not told */
    bool folder;      /* stat */
    const char *data; /* get; NUL behind it; never NULL when OK */
    size_t len;
    const struct link_file *entries; /* list, in the server's order */
    size_t n_entries;
    uint64_t took_ms; /* from the first byte taken to the last fed */
};

typedef void files_done_f(void *user, const struct files_result *result);

struct files; /* one SFTP channel's conversation */

struct files *files_new(const struct files_options *options);
/* What is in flight completes with FILES_LOST first.  NULL is fine. */
void files_free(struct files *f);

/* Takes what the server sent, cut anywhere.  -1: the protocol was broken;
 * every request made so far has completed with FILES_BROKEN, and later ones
 * stay until files_fail_all(); drop the channel. */
int files_feed(struct files *f, const void *data, size_t len, struct err *err);

/* The bytes to send next, at most 64 KB: uploads are streamed into it.
 * Valid until the next call; NULL and 0 when there is nothing to send now. */
const void *files_output(struct files *f, size_t *len);
/* The first n of them were sent (or taken by libssh). */
void files_sent(struct files *f, size_t n);

/* Completes all that was made before this call with FILES_LOST and `why`;
 * nothing is sent or understood after it. */
void files_fail_all(struct files *f, const struct err *why);

bool files_is_idle(const struct files *f);     /* no request is waiting */
bool files_is_ready(const struct files *f);    /* the server's VERSION came */
bool files_is_broken(const struct files *f);   /* or failed: make a new one */
size_t files_in_flight(const struct files *f); /* packets not answered */

/* OPEN (exclusive: only when it does not exist; else cut to nothing first),
 * WRITEs of 32 KB, CLOSE, each with its STATUS checked, then STAT: the size
 * must be what was written.  A server that does not support STAT or tells
 * no size leaves size_told false.  A file half written stays: see
 * `created`. */
void files_put(struct files *f, const struct link_put *put, files_done_f *done,
               void *user);

/* The whole file, at most `cap` bytes; reads are pipelined.  The size is asked
 * first only when cap is over 1 MB (the file `live.json` of an appliance has
 * none): then no more is taken than what the server said. */
void files_get(struct files *f, const char *name, size_t cap,
               files_done_f *done, void *user);

/* All plain files of a folder ("." or "/"), without folders and without
 * names that hold a `/` or are longer than 255 bytes.  Control characters
 * in a name are shown as \xNN. */
void files_list(struct files *f, const char *folder, files_done_f *done,
                void *user);

void files_remove(struct files *f, const char *name, files_done_f *done,
                  void *user);
void files_stat(struct files *f, const char *name, files_done_f *done,
                void *user);
/* Version 3: fails when `to` exists. */
void files_rename(struct files *f, const char *from, const char *to,
                  files_done_f *done, void *user);

#endif
