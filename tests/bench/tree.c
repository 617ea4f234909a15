/* SPDX-License-Identifier: Apache-2.0
 *
 * The process in between: starts, looks, ends, tells by a pipe.
 */
#include "tests/bench/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/server.h"
#include "tests/bench/worker.h"

enum {
    LOOK_MS = 50,
    PROCESSES_MAX = 4096,
    SHOWN_BYTES = 4096
};

struct process {
    pid_t pid, parent;
};

/* -- who is there -----------------------------------------------------------
 */

static pid_t parent_of(const char *pid)
{
    char path[300], line[512];
    const char *after;
    FILE *file;
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    /* the name may hold anything, a bracket too */
    after = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (after && strlen(after) > 4) /* ") S 123 ..." */
        parent = (int)strtol(after + 4, NULL, 10);
    fclose(file);
    return (pid_t)parent;
}

static size_t all_processes(struct process *list)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    size_t n = 0;

    while (dir && (entry = readdir(dir)) && n < PROCESSES_MAX)
        if (isdigit((unsigned char)entry->d_name[0]))
            list[n++] = (struct process){(pid_t)strtol(entry->d_name, NULL, 10),
                                         parent_of(entry->d_name)};
    if (dir)
        closedir(dir);
    return n;
}

static bool is_below(const struct process *list, size_t n, pid_t pid)
{
    pid_t top = getpid();

    for (int depth = 0; depth < 16 && pid > 1; depth++) {
        size_t i = 0;

        while (i < n && list[i].pid != pid)
            i++;
        pid = i < n ? list[i].parent : 0;
        if (pid == top)
            return true;
    }
    return false;
}

/* The pids of all below us. */
static size_t below(pid_t *pids)
{
    static struct process list[PROCESSES_MAX];
    size_t n = all_processes(list), found = 0;

    for (size_t i = 0; i < n; i++)
        if (is_below(list, n, list[i].pid))
            pids[found++] = list[i].pid;
    return found;
}

static uint64_t share_kb(pid_t pid)
{
    char path[64], line[256];
    uint64_t kb = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    file = fopen(path, "re");
    while (file && kb == 0 && fgets(line, sizeof(line), file))
        if (strncmp(line, "Pss:", 4) == 0)
            kb = strtoull(line + 4, NULL, 10);
    if (file)
        fclose(file);
    return kb;
}

/* -- in between -------------------------------------------------------------
 */

static uint64_t look(void)
{
    static pid_t pids[PROCESSES_MAX];
    size_t n = below(pids);
    uint64_t kb = 0;

    for (size_t i = 0; i < n; i++)
        kb += share_kb(pids[i]);
    return kb;
}

static pid_t start(const char *const *argv)
{
    pid_t pid = fork();
    int in, out;

    if (pid != 0)
        return pid;
    in = open("/dev/null", O_RDONLY);
    out = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Not die: what it tidies up is our parent's. */
__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "certfleet-bench: %s: %s\n", what, strerror(errno));
    _exit(2);
}

static void wait_watching(pid_t pid, bool watch, uint64_t *peak)
{
    struct pollfd ended = {.events = POLLIN};
    uint64_t kb;

    ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (ended.fd < 0)
        fail("pidfd_open");
    while (poll(&ended, 1, watch ? LOOK_MS : -1) == 0) {
        kb = look();
        *peak = kb > *peak ? kb : *peak;
    }
    close(ended.fd);
}

/* What was left behind is ours by now: each is ended, and waited for; another
 * may show itself when its parent is gone. */
static void end_all(void)
{
    static pid_t pids[PROCESSES_MAX];
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
        size_t n = pid == 0 ? below(pids) : 0;

        for (size_t i = 0; i < n; i++)
            kill(pids[i], SIGKILL);
        if (n > 0 && waitpid(-1, NULL, 0) < 0)
            break;
    }
}

static double ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1000 + (double)t.tv_usec / 1000;
}

static struct tree_use between(const char *const *argv, bool watch)
{
    struct tree_use use = {.code = -1};
    uint64_t began = worker_now_us();
    struct rusage used;
    int status;
    pid_t pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = start(argv);
    if (pid < 0)
        fail("no process");
    wait_watching(pid, watch, &use.peak_kb);
    use.wall_ms = (double)(worker_now_us() - began) / 1000;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            fail("waitpid");
    end_all();
    getrusage(RUSAGE_CHILDREN, &used);
    use.cpu_ms = ms_of(used.ru_utime) + ms_of(used.ru_stime);
    if (use.peak_kb < (uint64_t)used.ru_maxrss)
        use.peak_kb = (uint64_t)used.ru_maxrss;
    use.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return use;
}

struct tree_use tree_run(const char *const *argv, const char *dir, bool watch)
{
    struct tree_use use;
    int out[2];
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) < 0)
        die("no pipe: %s", strerror(errno));
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (chdir(dir) < 0)
            _exit(127);
        use = between(argv, watch);
        _exit(write(out[1], &use, sizeof(use)) == (ssize_t)sizeof(use) ? 0
                                                                       : 127);
    }
    close(out[1]);
    if (pid < 0 || read(out[0], &use, sizeof(use)) != (ssize_t)sizeof(use))
        die("nothing was measured of %s", argv[0]);
    close(out[0]);
    while (waitpid(pid, NULL, 0) < 0)
        if (errno != EINTR)
            die("waitpid: %s", strerror(errno));
    return use;
}

void tree_show_said(const char *dir)
{
    char *path = text_of("%s/said", dir), text[SHOWN_BYTES] = "";
    FILE *file = fopen(path, "re");
    size_t n = 0;

    if (file && fseek(file, -SHOWN_BYTES, SEEK_END) < 0)
        rewind(file); /* it is shorter */
    if (file)
        n = fread(text, 1, sizeof(text), file);
    fwrite(text, 1, n, stderr);
    if (file)
        fclose(file);
    free(path);
}
