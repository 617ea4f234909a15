/* SPDX-License-Identifier: Apache-2.0
 *
 * Children, several at a time, each with a file for what it says.  Knows
 * nothing of what a job does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/prove/crash.h"
#include "tests/scenario/bed.h"

enum {
    PROGRESS = 100 /* jobs; it may take long */
};

struct member {
    pid_t pid; /* 0: nobody */
    struct crash_job *job;
    FILE *said;
};

void *crash_shared(size_t bytes)
{
    const int both = PROT_READ | PROT_WRITE, how = MAP_SHARED | MAP_ANONYMOUS;
    /* cppcheck-suppress invalidFunctionArg ; it wants no -1 */
    void *room = mmap(NULL, bytes, both, how, -1, 0);

    if (room == MAP_FAILED)
        abort();
    return room;
}

static void start(struct member *m, struct crash_job *job)
{
    pid_t parent = getpid();

    m->job = job;
    m->said = tmpfile();
    fflush(NULL);
    m->pid = m->said ? fork() : -1;
    if (m->pid < 0)
        abort();
    if (m->pid > 0)
        return;
    bed_die_with(parent);
    if (dup2(fileno(m->said), 1) < 0 || dup2(fileno(m->said), 2) < 0)
        _exit(126);
    exit(crash_job(job));
}

static void tell(const struct member *m)
{
    const struct crash_job *job = m->job;
    char buf[16384];
    size_t n;

    printf("NEITHER: %s%s%s, then %s", job->power ? "power cut: " : "",
           job->way == CRASH_BACK ? "of a way back: " : "", job->label,
           crash_pass_word(job->pass));
    if (job->again)
        printf(", killed again at its point %zu (%s)", job->again, job->died);
    printf("\n");
    rewind(m->said);
    while ((n = fread(buf, 1, sizeof(buf), m->said)) > 0)
        fwrite(buf, 1, n, stdout);
    fflush(stdout);
}

static struct member *find(struct member *crew, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (crew[i].pid == pid)
            return &crew[i];
    abort();
}

static bool finish(struct member *m, int status)
{
    bool failed = status != 0;

    if (failed) {
        m->job->end = CRASH_NONE;
        tell(m);
    }
    fclose(m->said);
    m->pid = 0;
    return failed;
}

size_t crash_crew(struct crash_job *jobs, size_t n, size_t at_once)
{
    struct member *crew = calloc(at_once, sizeof(*crew));
    size_t begun = 0, running = 0, failed = 0, ended;
    int status;

    if (!crew)
        abort();
    while (begun < n || running > 0) {
        while (begun < n && running < at_once) {
            start(find(crew, at_once, 0), &jobs[begun++]);
            running++;
        }
        pid_t pid = wait(&status);
        if (pid < 0 && errno != EINTR)
            abort();
        if (pid > 0) {
            failed += finish(find(crew, at_once, pid), status);
            running--;
            ended = begun - running;
            if (ended % PROGRESS == 0)
                fprintf(stderr, "%zu of %zu, %zu wrong\n", ended, n, failed);
        }
    }
    free(crew);
    return failed;
}
