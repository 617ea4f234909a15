/* SPDX-License-Identifier: Apache-2.0
 *
 * Forks, waits, keeps the words of what went wrong.  Knows nothing of cells
 * but their names.
 */
#include "tests/fault/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/scenario/bed.h"

enum {
    MAX_JOBS = 16,
    CODE = 100 /* exit code less the mark: no sanitizer ends with it */
};

struct worker {
    pid_t pid; /* 0: idle */
    size_t cell;
    FILE *said;
    uint64_t began_ms;
};

static void start(const struct pool *pool, struct worker *w, size_t cell)
{
    pid_t parent = getpid();

    w->cell = cell;
    w->began_ms = clock_mono_ms();
    w->said = tmpfile();
    fflush(NULL);
    w->pid = w->said ? fork() : -1;
    if (w->pid < 0)
        abort();
    if (w->pid > 0)
        return;
    bed_die_with(parent);
    if (dup2(fileno(w->said), 1) < 0 || dup2(fileno(w->said), 2) < 0)
        _exit(CODE);
    exit(CODE + (int)play(&pool->cells[cell]));
}

static FILE *open_kept(const struct pool *pool, const struct worker *w)
{
    char name[128], path[1024];

    if (!pool->keep)
        return NULL;
    cell_name(&pool->cells[w->cell], name, sizeof(name));
    for (char *p = name; *p; p++)
        if (*p == '/' || *p == ' ')
            *p = '-';
    snprintf(path, sizeof(path), "%s/%s.txt", pool->keep, name);
    return fopen(path, "we");
}

static void copy(FILE *from, FILE *to)
{
    char buf[16384];
    size_t n;

    rewind(from);
    while ((n = fread(buf, 1, sizeof(buf), from)) > 0)
        fwrite(buf, 1, n, to);
}

/* Words of a cell that went wrong: all of them, into a file or out. */
static void keep(const struct pool *pool, const struct worker *w)
{
    FILE *kept = open_kept(pool, w);

    copy(w->said, kept ? kept : stdout);
    if (kept)
        fclose(kept);
}

static void tell(const struct pool *pool, const struct worker *w)
{
    static const char *const words[MARKS] = {
        [MARK_WRONG] = "WRONG",
        [MARK_DONE] = "done",
        [MARK_BACK] = "rolled back",
        [MARK_REFUSED] = "refused",
        [MARK_INCOMPLETE] = "incomplete, next worked",
    };
    enum mark mark = pool->marks[w->cell];
    char name[128];

    cell_name(&pool->cells[w->cell], name, sizeof(name));
    if (pool->talk || mark == MARK_WRONG)
        printf("%5.1f s  %-48s %s\n",
               (double)(clock_mono_ms() - w->began_ms) / 1000, name,
               words[mark]);
    fflush(stdout);
}

static void finish(const struct pool *pool, struct worker *w, int status)
{
    int mark = WIFEXITED(status) ? WEXITSTATUS(status) - CODE : MARK_WRONG;

    pool->marks[w->cell] =
        mark > MARK_WRONG && mark < MARK_UNFIT ? (enum mark)mark : MARK_WRONG;
    tell(pool, w);
    if (pool->marks[w->cell] == MARK_WRONG || getenv("FAULT_KEEP_ALL"))
        keep(pool, w);
    fclose(w->said);
    w->pid = 0;
}

static void wait_for_one(const struct pool *pool, struct worker *workers)
{
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);

    if (pid < 0 && errno != EINTR)
        abort();
    for (size_t i = 0; pid > 0 && i < MAX_JOBS; i++)
        if (workers[i].pid == pid)
            finish(pool, &workers[i], status);
}

static struct worker *idle(struct worker *workers, unsigned jobs)
{
    for (unsigned i = 0; i < jobs && i < MAX_JOBS; i++)
        if (workers[i].pid == 0)
            return &workers[i];
    return NULL;
}

static bool is_busy(const struct worker *workers)
{
    for (size_t i = 0; i < MAX_JOBS; i++)
        if (workers[i].pid != 0)
            return true;
    return false;
}

void pool_run(const struct pool *pool)
{
    struct worker workers[MAX_JOBS] = {{0}}, *w;

    for (size_t i = 0; i < pool->n; i++) {
        if (pool->marks[i] == MARK_SKIPPED || pool->marks[i] == MARK_UNFIT)
            continue;
        while (!(w = idle(workers, pool->jobs)))
            wait_for_one(pool, workers);
        start(pool, w, i);
    }
    while (is_busy(workers))
        wait_for_one(pool, workers);
}
