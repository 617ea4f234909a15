/* SPDX-License-Identifier: Apache-2.0
 *
 * Both ends of the pipe between the benchmark and a worker.
 */
#include "tests/bench/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/child.h"
#include "tests/bench/server.h"

void work_file_name(unsigned i, char name[16])
{
    snprintf(name, 16, "bench-%u.crt", i % 100);
}

uint64_t worker_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t worker_resident_kb(void)
{
    uint64_t kb = child_resident_kb(getpid());

    if (kb == 0)
        die("/proc/self/statm cannot be read");
    return kb;
}

uint64_t worker_open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static unsigned number(const char *word)
{
    return (unsigned)strtoul(word, NULL, 10);
}

int worker_main(char **words)
{
    struct work work = {.kind = (enum work_kind)number(words[1]),
                        .dir = words[2],
                        .base = words[3],
                        .nodes = number(words[4]),
                        .sessions = number(words[5]),
                        .commands = number(words[6]),
                        .user = words[7]};
    struct tally tally = {0};
    int code = strcmp(words[0], "bare") == 0 ? bare_run(&work, &tally)
                                             : ours_run(&work, &tally);

    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
           tally.wall_us, tally.ok, tally.before_kb, tally.after_kb,
           tally.files);
    return code;
}

void worker_words(struct worker_words *words, bool bare,
                  const struct work *work)
{
    char(*n)[16] = words->numbers;

    *words = (struct worker_words){
        .argv = {"/proc/self/exe", "--worker", bare ? "bare" : "ours", n[0],
                 work->dir, work->base, n[1], n[2], n[3],
                 work->user ? work->user : "admin"}};
    snprintf(n[0], sizeof(n[0]), "%d", (int)work->kind);
    snprintf(n[1], sizeof(n[1]), "%u", work->nodes);
    snprintf(n[2], sizeof(n[2]), "%u", work->sessions);
    snprintf(n[3], sizeof(n[3]), "%u", work->commands);
}

static pid_t spawn(bool bare, const struct work *work, int out)
{
    struct worker_words words = {.argv = {NULL}};
    pid_t pid;

    worker_words(&words, bare, work);
    pid = fork();
    if (pid == 0) {
        dup2(out, 1);
        execv(words.argv[0], (char *const *)(uintptr_t)words.argv);
        _exit(127);
    }
    return pid;
}

static double ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1000 + (double)t.tv_usec / 1000;
}

struct cost worker_measure(bool bare, const struct work *work)
{
    struct cost cost = {.tally.wall_us = 0};
    struct tally *t = &cost.tally;
    struct rusage used;
    uint64_t said[TALLY_NUMBERS] = {0};
    int out[2], status;
    unsigned got;
    FILE *file;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) < 0)
        die("no pipe: %s", strerror(errno));
    pid = spawn(bare, work, out[1]);
    close(out[1]);
    file = fdopen(out[0], "r");
    got = child_numbers(file, said, TALLY_NUMBERS);
    fclose(file);
    *t = (struct tally){said[0], said[1], said[2], said[3], said[4]};
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            die("wait4: %s", strerror(errno));
    if (got != TALLY_NUMBERS || status != 0 || t->ok != work->sessions)
        die("the %s client did %" PRIu64 " of %u sessions (status %d)",
            bare ? "bare" : "certfleet", t->ok, work->sessions, status);
    cost.cpu_ms = ms_of(used.ru_utime) + ms_of(used.ru_stime);
    return cost;
}
