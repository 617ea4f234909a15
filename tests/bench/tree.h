/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/tree.h - a program with all that it starts, as one client.
 *
 * Between us and it stands a process that adopts what it leaves behind (the
 * masters that OpenSSH keeps for ansible), ends that, and waits for all: what
 * getrusage then says of its children is the whole tree's, and nobody else's.
 */
#ifndef CERTFLEET_BENCH_TREE_H
#define CERTFLEET_BENCH_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct tree_use {
    int code;       /* exit code of the program itself; 128 + signal */
    double cpu_ms;  /* user and system, of all */
    double wall_ms; /* until the program itself has ended */
    /* `watch`: the largest sum of the proportional set sizes (what is shared
     * is shared out), looked at every 50 ms, or the largest resident size of
     * one process, whichever is more; what comes and goes in between is
     * missed.  Looking costs the machine time: not for runs that are timed. */
    uint64_t peak_kb;
};

/* argv[0] is looked up in $PATH.  Runs in `dir`; output and errors go to
 * DIR/said.  Back when all have ended. */
struct tree_use tree_run(const char *const *argv, const char *dir, bool watch);
/* The end of DIR/said, on standard error. */
void tree_show_said(const char *dir);

#endif
