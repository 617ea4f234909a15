/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/set_read.h - a generation's files from this machine's disk, where
 * keys may be locked (`key_passphrase'), as the nodes get them.  Blocking.
 */
#ifndef CERTFLEET_RUN_SET_READ_H
#define CERTFLEET_RUN_SET_READ_H

#include "core/run/plan.h"

/* What is journaled and sent: a key is unlocked.  NULL on error; the caller
 * frees. */
struct secret *set_file_read(const struct set_file *file, const char *path,
                             const struct secret *passphrase, struct err *err);
/* Does the passphrase (NULL: none) open every key that lies in the folder of
 * this set?  One that is missing is a later row's to tell.  CAUSE_INPUT. */
int set_keys_check(struct plan_cluster *pc, const struct secret *passphrase,
                   struct err *err);

#endif
