/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/child.h - a certfleet that is watched while it runs: resident
 * memory and open connections from /proc, and what wait4 tells at its end.
 */
#ifndef CERTFLEET_BENCH_CHILD_H
#define CERTFLEET_BENCH_CHILD_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct child_use {
    int code; /* exit code; 128 + signal */
    double cpu_ms, wall_ms;
    uint64_t peak_kb;
    /* the moment with the most connections: libssh has a duplicate of each
     * socket, both count as one */
    unsigned sessions;
    uint64_t sessions_kb;
};

/* `argv[0]` is a path; runs in `dir`, which is $HOME too, with its standard
 * output in `out` and errors in DIR/errors.  Back when it has ended. */
struct child_use child_run(const char *const *argv, const char *dir,
                           const char *out);

/* Resident memory of a process now; 0: it cannot be read. */
uint64_t child_resident_kb(pid_t pid);
/* Reads a line of up to n decimal numbers; returns how many there were. */
unsigned child_numbers(FILE *file, uint64_t *list, unsigned n);

#endif
