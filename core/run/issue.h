/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/issue.h - the one act that is done on this machine: a set of keys
 * and certificates, made or fetched from whoever signs.
 *
 *     internal   the playbook makes all of it in the pool
 *     command    keys and requests (pool), one program after the other for the
 *                answers (loop), checks and files (pool)
 *     csr        keys and requests (pool); as long as answers are missing the
 *                run stops and waits for `certfleet issue'
 *     link       keys and requests (pool), a node asked for all of them
 *                (signing.h), which may have to wait for a person, too
 *
 * Whoever signs, the same checks come last.  Keys and requests of a foreign
 * issuer are kept in the set's folder from the first moment: a process that is
 * killed asks again for the same keys.
 */
#ifndef CERTFLEET_RUN_ISSUE_H
#define CERTFLEET_RUN_ISSUE_H

#include "core/run/send.h"

struct issuing;

/* `done` comes exactly once, later, on the loop. */
void issue_start(struct course *course, sent_f *done, void *user);
/* Ctrl-C: ends the program, or the asking of a node, that is under way. */
void issue_cancel(struct issuing *issuing);

#endif
