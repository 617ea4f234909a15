/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/sshd.h - OpenSSH's own server on many loopback addresses, for
 * clients that want more of a node than an appliance gives: a shell, Python.
 *
 * DIR/id_ed25519 and DIR/known_hosts are for the clients, DIR/files is where
 * SFTP begins, and the home of who logs in.
 */
#ifndef CERTFLEET_BENCH_SSHD_H
#define CERTFLEET_BENCH_SSHD_H

#include <stdbool.h>
#include <sys/types.h>

enum {
    SSHD_SERVERS_MAX = 16, /* a server has 16 addresses, by OpenSSH's limit */
    SSHD_NODES_MAX = 16 * SSHD_SERVERS_MAX
};

struct sshd {
    char *dir;  /* made here, removed by sshd_stop */
    char *base; /* as of struct server, on its SERVER_PORT */
    char user[64];
    unsigned nodes;
    pid_t pids[SSHD_SERVERS_MAX];
};

/* NULL: it cannot be had here; `why` tells. */
struct sshd *sshd_start(unsigned nodes, const char **why);
void sshd_stop(struct sshd *sshd);

#endif
