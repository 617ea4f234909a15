/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/secret_ref.h - from "env:NAME", "file:PATH", "command:LINE" or
 * "prompt" to a secret.
 *
 * Blocking: called once, before the loop starts.  Each reference is resolved
 * once and shared, so that one prompt serves all nodes that use it.  One
 * trailing newline of a file or a command is dropped; at most 64 KB.  A file
 * that others can read is refused, as ssh does.  Errors are CAUSE_INPUT
 * (CAUSE_CANCELED after a signal at a prompt) and never hold the value.
 *
 * "prompt:TEXT" asks for TEXT.  The inventory makes it of each "prompt": where
 * it stands tells whether two of them are one secret.
 */
#ifndef CERTFLEET_FLEET_SECRET_REF_H
#define CERTFLEET_FLEET_SECRET_REF_H

#include "core/base/err.h"
#include "core/base/secret.h"

struct secret_cache;
struct secret_cache *secret_cache_new(void);
void secret_cache_free(struct secret_cache *cache);

/* Syntax only: 0, or -1 with what is wrong. */
int secret_ref_check(const char *ref, struct err *err);

/* `what` names it in a prompt ("password of admin@core1").  Relative paths are
 * beside `folder` (NULL: the working folder), where commands run too.  The
 * result is shared: free with secret_free.  NULL on error. */
struct secret *secret_ref_read(struct secret_cache *cache, const char *ref,
                               const char *folder, const char *what,
                               struct err *err);

/* Takes the value of an "env:NAME" that is set into the cache and wipes it from
 * the environment: what the program starts (a "command:", a ProxyCommand)
 * inherits that.  Any other reference is left alone.  For main's thread, while
 * it is the only one that asks for variables; `folder` as above. */
void secret_ref_hide(struct secret_cache *cache, const char *ref,
                     const char *folder);

#endif
