/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/process.h - what the process asks of the system before it does anything.
 */
#ifndef CERTFLEET_CLI_PROCESS_H
#define CERTFLEET_CLI_PROCESS_H

#include <stddef.h>

/* First thing in main: no core dump, nobody may look into our memory, new
 * files are ours alone, and no closed terminal or pipe ends us.  Sets the size
 * of libuv's pool, so no thread may run yet. */
void process_harden(void);

/* Descriptors for `nodes` nodes.  Returns how many nodes fit, at most
 * `nodes`: fewer when the hard limit is lower. */
size_t process_descriptors(size_t nodes);

#endif
