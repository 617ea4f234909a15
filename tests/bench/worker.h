/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/worker.h - one measured client, in a process of its own.
 *
 * worker_measure starts this program again as a worker: what it uses is its
 * own and no other's, and wait4 tells it, start and end of the process
 * included.  The two kinds of client do the same work on the same sessions:
 * all at once, none waits for another.
 */
#ifndef CERTFLEET_BENCH_WORKER_H
#define CERTFLEET_BENCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

enum work_kind {
    WORK_LOGIN, /* connect and login */
    WORK_EXEC,  /* ... and one command in a channel of its own */
    WORK_FILES, /* ... and five files on a second connection by SFTP */
    WORK_HOLD,  /* as WORK_EXEC; memory with all sessions open */
    WORK_EXECS, /* many commands on each open session, a channel each */
    WORK_SHELL, /* the same, typed into one shell each */
    WORK_PUSH,  /* five files by SFTP, no command: ours only */
    WORK_CROWD, /* WORK_HOLD, and then one more command each: ours only */
    WORK_KINDS
};

enum {
    WORK_FILE_BYTES = 4096,
    WORK_FILE_COUNT = 5,
    WORKER_ARGS = 10, /* argc of a worker */
    TALLY_NUMBERS = 5
};

struct work {
    enum work_kind kind;
    const char *dir;  /* the lab's, with id_ed25519 and known_hosts */
    const char *base; /* first address */
    const char *user; /* NULL: the lab's, admin */
    unsigned nodes;   /* of the lab */
    unsigned sessions;
    unsigned commands; /* WORK_EXECS, WORK_SHELL: on each session */
};

struct tally { /* what a worker prints: TALLY_NUMBERS of them */
    uint64_t wall_us;
    uint64_t ok;                  /* sessions that did all that was asked */
    uint64_t before_kb, after_kb; /* WORK_HOLD, WORK_CROWD: resident */
    uint64_t files;               /* WORK_CROWD: descriptors more than before */
};

struct cost { /* what the parent knows then */
    struct tally tally;
    double cpu_ms; /* user and system */
};

#define WORK_COMMAND "version"
/* "bench-0.crt" */
void work_file_name(unsigned i, char name[16]);

uint64_t worker_now_us(void);
uint64_t worker_resident_kb(void);
uint64_t worker_open_files(void);

/* ours.c and bare.c: do it all; the exit code. */
int ours_run(const struct work *work, struct tally *tally);
int bare_run(const struct work *work, struct tally *tally);

/* Dies when a session failed. */
struct cost worker_measure(bool bare, const struct work *work);
/* argv of a worker: ours|bare KIND DIR BASE NODES SESSIONS COMMANDS USER */
int worker_main(char **words);

struct worker_words {
    char numbers[4][16];
    const char *argv[WORKER_ARGS + 1];
};

/* The command line that starts a worker: valid as long as `words` and `work`
 * stay. */
void worker_words(struct worker_words *words, bool bare,
                  const struct work *work);

#endif
