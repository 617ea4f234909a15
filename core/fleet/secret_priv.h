/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/secret_priv.h - the kinds of secrets that need more than a line:
 * a command's output, a person's answer.
 */
#ifndef CERTFLEET_FLEET_SECRET_PRIV_H
#define CERTFLEET_FLEET_SECRET_PRIV_H

#include "core/base/err.h"
#include "core/base/secret.h"

enum {
    SECRET_BYTES = 64 * 1024
};

/* All that `fd` gives, as it is.  NULL: an error, or with EMSGSIZE in errno
 * more than SECRET_BYTES. */
struct secret *secret_read_all(int fd);

/* The standard output of `/bin/sh -c LINE`, run in `folder` (NULL: here) with
 * empty input; its messages go where ours go. */
struct secret *secret_command(const char *line, const char *folder,
                              struct err *err);

/* Asks "WHAT: " on /dev/tty with the echo off and gives the line typed.  The
 * terminal is as it was before on every way out; a signal that came meanwhile
 * is delivered after that, and after a stop it asks again.  NULL: CAUSE_INPUT
 * without a terminal or at its end, CAUSE_CANCELED after a signal that did
 * not end us. */
struct secret *secret_prompt(const char *what, struct err *err);

#endif
