/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks at the child every few milliseconds, in this process's own time.
 */
#include "tests/bench/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/server.h"
#include "tests/bench/worker.h"

enum {
    LOOK_MS = 100,
    SOCKETS_MAX = 8192
};

static pid_t spawn(const char *const *argv, const char *dir, const char *out)
{
    pid_t pid = fork();
    int in, to, errors;

    if (pid != 0)
        return pid;
    if (chdir(dir) < 0 || setenv("HOME", dir, 1) < 0)
        _exit(127);
    in = open("/dev/null", O_RDONLY);
    to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    errors = open("errors", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(in, 0);
    dup2(to, 1);
    dup2(errors, 2);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

unsigned child_numbers(FILE *file, uint64_t *list, unsigned n)
{
    char line[256], *p = line, *end;
    unsigned got;

    if (!fgets(line, sizeof(line), file))
        return 0;
    for (got = 0; got < n; got++, p = end) {
        list[got] = strtoull(p, &end, 10);
        if (end == p)
            break;
    }
    return got;
}

uint64_t child_resident_kb(pid_t pid)
{
    uint64_t pages[2] = {0}; /* all of it, resident */
    char path[64];
    FILE *file;
    unsigned got;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    file = fopen(path, "r");
    if (!file)
        return 0;
    got = child_numbers(file, pages, 2);
    fclose(file);
    return got == 2 ? pages[1] * (uint64_t)sysconf(_SC_PAGESIZE) / 1024 : 0;
}

static int by_number(const void *a, const void *b)
{
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

    return (x > y) - (x < y);
}

/* Sockets that stand twice among its descriptors. */
static unsigned count_sessions(pid_t pid)
{
    static unsigned long inodes[SOCKETS_MAX];
    char path[64], target[64];
    struct dirent *entry;
    unsigned n = 0, twice = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    while (dir && (entry = readdir(dir)) && n < SOCKETS_MAX) {
        ssize_t len =
            readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        if (len <= 0)
            continue;
        target[len] = '\0';
        if (strncmp(target, "socket:[", 8) == 0)
            inodes[n++] = strtoul(target + 8, NULL, 10);
    }
    if (dir)
        closedir(dir);
    qsort(inodes, n, sizeof(inodes[0]), by_number);
    for (unsigned i = 1; i < n; i++)
        twice += inodes[i] == inodes[i - 1];
    return twice;
}

static void look(pid_t pid, struct child_use *use)
{
    unsigned sessions = count_sessions(pid);
    uint64_t kb = child_resident_kb(pid);

    if (sessions < use->sessions ||
        (sessions == use->sessions && kb <= use->sessions_kb))
        return;
    use->sessions = sessions;
    use->sessions_kb = kb;
}

static double ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1000 + (double)t.tv_usec / 1000;
}

struct child_use child_run(const char *const *argv, const char *dir,
                           const char *out)
{
    struct child_use use = {.code = -1};
    uint64_t began = worker_now_us();
    struct pollfd ended = {.events = POLLIN};
    struct rusage used;
    int status;
    pid_t pid = spawn(argv, dir, out);

    if (pid < 0)
        die("no process: %s", strerror(errno));
    ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (ended.fd < 0)
        die("pidfd_open: %s", strerror(errno));
    while (poll(&ended, 1, LOOK_MS) == 0)
        look(pid, &use);
    close(ended.fd);
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            die("wait4: %s", strerror(errno));
    use.wall_ms = (double)(worker_now_us() - began) / 1000;
    use.cpu_ms = ms_of(used.ru_utime) + ms_of(used.ru_stime);
    use.peak_kb = (uint64_t)used.ru_maxrss;
    use.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return use;
}
