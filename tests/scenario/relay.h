/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/relay.h - a way to a server that a test can cut: a TCP port of
 * 127.0.0.1 before a socket in a folder.  Stopped, it is a network that
 * swallows what it is given and says nothing.
 */
#ifndef CERTFLEET_SCENARIO_RELAY_H
#define CERTFLEET_SCENARIO_RELAY_H

#include <sys/types.h>

struct relay {
    pid_t group; /* one process a connection; 0: not started */
    int port;
};

/* Fails the test when it cannot. */
void relay_start(struct relay *relay, const char *path);
void relay_cut(struct relay *relay);
/* After relay_cut, too. */
void relay_end(struct relay *relay);

#endif
