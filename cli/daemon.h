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
 */
#ifndef CERTFLEET_CLI_DAEMON_H
#define CERTFLEET_CLI_DAEMON_H

#include "cli/app.h"

/* The exit code: 0 after SIGTERM or SIGINT. */
int daemon_run(struct app *app);

#endif
