/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/hostile.h - a node that means harm: faults whose answers are
 * forged, steer a terminal, or break SFTP in a way that costs whoever
 * believes them.
 */
#ifndef CERTFLEET_LAB_HOSTILE_H
#define CERTFLEET_LAB_HOSTILE_H

#include "tests/lab/filer_priv.h"
#include "tests/lab/mmp.h"

/* Answers a command in its own way; true: the run has ended. */
bool hostile_answer(struct mmp_run *run);

/* Spoils the reply to a file operation that was served, and sends it; true:
 * nothing else is to be sent. */
bool hostile_reply(struct request *r, const char *operation,
                   const char *subject);

#endif
