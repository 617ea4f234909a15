/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/server.h - a lab of our own, in a process and a folder of its
 * own.  Unlike tests/lab/rig.h it may take minutes to make RSA keys.
 *
 * Whatever goes wrong here ends the benchmark with a line that says why.
 */
#ifndef CERTFLEET_BENCH_SERVER_H
#define CERTFLEET_BENCH_SERVER_H

#include <jansson.h>
#include <sys/types.h>

enum {
    SERVER_PORT = 2322,
    SERVER_DB_PORT = 15532
};

struct server {
    char *dir;  /* made here, removed by server_stop */
    char *base; /* 127.X.Y.1, of this process alone; the nodes follow */
    pid_t pid;
    int in; /* its life line: it ends with us */
};

/* `args`: of certfleet-lab, without folder, address and ports; NULL-ended. */
struct server *server_start(const char *const *args);
/* Ends it; its verdict (NULL: not wanted), which the caller decrefs. */
void server_stop(struct server *server, json_t **verdict);

/* A folder and a first address of this process alone, for who serves without
 * the lab; the caller frees both, and removes the folder. */
void server_place(char **dir, char **base);
void server_remove(const char *dir);

/* The i-th node's address, from 0; counts on without .0 and .255. */
void server_address(const char *base, unsigned i, char text[16]);

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);
char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
