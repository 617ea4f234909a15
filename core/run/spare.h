/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/spare.h - private keys made ahead of the window in which they are
 * needed: an RSA key takes 0.16 s (2048) to 1.5 s (4096) of a processor.
 *
 * A key is a file of its own in STATE_DIR/spare/CLUSTER, mode 0600, locked with
 * the cluster's key_passphrase where it has one.  It is given out once: whoever
 * takes its name out of the folder has it, of however many processes, and the
 * folder is on the disk before the key is used.  A file that is not just what
 * was put there is thrown away and never used: not ours, another mode, a link,
 * a key that cannot be read or is of another kind.  Blocking: in the pool.
 */
#ifndef CERTFLEET_RUN_SPARE_H
#define CERTFLEET_RUN_SPARE_H

#include <stddef.h>

#include "core/run/product.h"

enum {
    SPARE_MOST = 64,         /* keys of a cluster */
    SPARE_KEEP_S = 3 * 86400 /* older ones are thrown away */
};

struct spare {
    const char *state_dir, *cluster, *kind; /* "rsa:2048" */
    const struct secret *passphrase;        /* or NULL */
};

/* Is it worth while?  An EC key is made sooner than a file is read. */
bool spare_is_of_use(const char *kind);
/* One more. */
int spare_make(const struct spare *spare, struct err *err);
/* NULL: there is none. */
struct secret *spare_take(const struct spare *spare);
/* Throws away what is of another kind, too old, or more than `keep`; how many
 * stay. */
size_t spare_tidy(const struct spare *spare, size_t keep);
/* And all of clusters for which `is_wanted` says no. */
void spare_tidy_others(const char *state_dir,
                       bool (*is_wanted)(void *user, const char *cluster),
                       void *user);

/* The key of a set that is being made: one that was made ahead, or a new one.
 * job->keys counts. */
struct secret *spare_or_new(const struct issue_job *job, const char *kind,
                            struct err *err);

#endif
