/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/approvers.h - who may approve plans with an SSH key: a file of
 * OpenSSH's allowed_signers (ssh-keygen(1)).
 *
 * ssh-keygen itself judges signatures by it; it is read here so that a slip of
 * the pen is a fault of the inventory and not an approval that does not count,
 * and to say whose key one is.
 */
#ifndef CERTFLEET_FLEET_APPROVERS_H
#define CERTFLEET_FLEET_APPROVERS_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"

#define APPROVAL_NAMESPACE "certfleet-plan@certfleet"

struct approver_line {
    const char *principals; /* "alice,alice@example.com" */
    const char *type;       /* "ssh-ed25519" */
    const char *blob;       /* base64 */
    bool authority;         /* cert-authority: it signs approvers' keys */
    unsigned line;
};
struct approvers {
    const struct approver_line *list;
    size_t n;
};

/* All in the arena.  -1 (CAUSE_INPUT), with FILE:LINE, at the first that
 * ssh-keygen would not understand, or that names everybody: a pattern may
 * stand at a cert-authority only.  A file that others may write to, and one
 * without a key, are refused. */
int approvers_read(struct arena *arena, const char *path, struct approvers *out,
                   struct err *err);

#endif
