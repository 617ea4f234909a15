/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/daemon.h - `run --daemon': the same call without --daemon, again and
 * again, each in a process of its own.
 *
 * So every pass reads the inventory anew, nothing is kept from one to the next
 * but what the store has, and a pass that dies takes nothing with it: the next
 * one resumes its runs.  A pass begins when a window opens, at least once an
 * hour, and at once on SIGHUP.  SIGTERM goes on to the pass, which stops where
 * it is safe; then this ends, too.
 *
 * With several controllers (store = postgresql://...) it also looks, as often
 * as a lease is long, whether a run has lost its controller: then a pass begins
 * at once.  What no pass can help with is looked at more and more seldom.
 */
#ifndef CERTFLEET_CLI_DAEMON_H
#define CERTFLEET_CLI_DAEMON_H

#include "cli/app.h"

/* The exit code: 0 after SIGTERM or SIGINT.  `wanted`: is there a run to be
 * gone on with?  Blocking, asked between passes. */
int daemon_run(struct app *app, bool (*wanted)(struct app *app));

#endif
