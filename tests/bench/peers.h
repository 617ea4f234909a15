/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/peers.h - the transport beside the tools that people use for
 * the same: pdsh, clush, parallel-ssh, OpenSSH with xargs, ansible.
 */
#ifndef CERTFLEET_BENCH_PEERS_H
#define CERTFLEET_BENCH_PEERS_H

#include <stdbool.h>

#include "tests/bench/figures.h"

struct peers {
    unsigned nodes; /* half of them get the commands, a fifth the files */
    unsigned rounds;
    const char *program; /* certfleet */
    bool execs, files, commands;
    bool quick; /* without ansible, and without memory */
};

/* A tool that is not here is skipped, and named on standard error. */
void peers_run(const struct peers *peers, struct figures *figures);

#endif
