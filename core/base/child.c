/* SPDX-License-Identifier: Apache-2.0
 *
 * fork, exec, poll, wait.  Knows nothing of what it runs.
 */
#include "core/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

enum {
    OUTPUT_CAP = 1 << 20,
    WORDS_CAP = 1 << 14,
    PASSED_MAX = 32,
    NO_PROGRAM = 127 /* as a shell says it */
};

struct pipes { /* ours, then the child's */
    int in[2], out[2], words[2];
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(struct pipes *p)
{
    for (int i = 0; i < 2; i++) {
        close_fd(&p->in[i]);
        close_fd(&p->out[i]);
        close_fd(&p->words[i]);
    }
}

static int open_pipes(struct pipes *p, bool talks, struct err *err)
{
    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(p->out, O_CLOEXEC) == 0 &&
        (talks ||
         (pipe2(p->in, O_CLOEXEC) == 0 && pipe2(p->words, O_CLOEXEC) == 0)))
        return 0;
    err_errno(err, CAUSE_SYSTEM, "pipe");
    close_pipes(p);
    return -1;
}

/* The list itself is made before the fork: the child allocates nothing. */
static void make_environment(const struct child *child, char **list)
{
    size_t n = 0;

    for (const char *const *name = child->passed; name && *name; name++) {
        const char *value = getenv(*name);

        if (!value || n == PASSED_MAX)
            continue;
        if (asprintf(&list[n++], "%s=%s", *name, value) < 0)
            abort();
    }
    list[n] = NULL;
}

static void be_child(const struct child *child, const struct pipes *p,
                     char **environment)
{
    sigset_t none;

    if (dup2(p->out[1], STDOUT_FILENO) < 0)
        _exit(NO_PROGRAM);
    if (!child->talks && (dup2(p->in[0], STDIN_FILENO) < 0 ||
                          dup2(p->words[1], STDERR_FILENO) < 0))
        _exit(NO_PROGRAM);
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    execvpe(child->argv[0], (char *const *)(uintptr_t)child->argv, environment);
    _exit(NO_PROGRAM);
}

static pid_t start(const struct child *child, struct pipes *p, struct err *err)
{
    char *environment[PASSED_MAX + 1];
    pid_t pid;

    make_environment(child, environment);
    pid = fork();
    if (pid == 0)
        be_child(child, p, environment);
    if (pid < 0)
        err_errno(err, CAUSE_SYSTEM, "fork");
    for (char **text = environment; *text; text++)
        free(*text);
    close_fd(&p->in[0]);
    close_fd(&p->out[1]);
    close_fd(&p->words[1]);
    return pid;
}

/* -- the talk ------------------------------------------------------------- */

/* A child that reads no further is its own affair: its exit code tells. */
static void give(const struct child *child, int *fd, size_t *given)
{
    ssize_t n = write(*fd, (const char *)child->input + *given,
                      child->input_len - *given);

    if (n > 0)
        *given += (size_t)n;
    else if (errno != EINTR && errno != EAGAIN)
        close_fd(fd);
    if (*given == child->input_len)
        close_fd(fd);
}

static void take(int *fd, struct str *text)
{
    char buf[4096];
    ssize_t n = read(*fd, buf, sizeof(buf));

    if (n > 0)
        str_addn(text, buf, (size_t)n);
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        close_fd(fd);
}

static int talk(struct child *child, struct pipes *p, uint64_t until,
                struct err *err)
{
    size_t given = 0;

    if (child->input_len == 0)
        close_fd(&p->in[1]);
    if (p->in[1] >= 0)
        fcntl(p->in[1], F_SETFL, O_NONBLOCK);
    while (p->out[0] >= 0 || p->words[0] >= 0) {
        struct pollfd fds[3] = {{.fd = p->out[0], .events = POLLIN},
                                {.fd = p->words[0], .events = POLLIN},
                                {.fd = p->in[1], .events = POLLOUT}};
        uint64_t now = clock_mono_ms();

        if (now >= until)
            return err_set(err, CAUSE_SYSTEM, "%s did not end within %u s",
                           child->argv[0], child->deadline_s);
        if (poll(fds, 3, (int)(until - now)) <= 0)
            continue;
        if (fds[0].revents)
            take(&p->out[0], &child->output);
        if (fds[1].revents)
            take(&p->words[0], &child->words);
        if (fds[2].revents)
            give(child, &p->in[1], &given);
        if (child->output.cut)
            return err_set(err, CAUSE_SYSTEM, "%s printed over %d bytes",
                           child->argv[0], OUTPUT_CAP);
    }
    return 0;
}

/* Its outputs have ended, and so has it: nobody sits on closed outputs.  One
 * that does is killed for it. */
static int reap(struct child *child, pid_t pid, bool at_once)
{
    int status;

    if (at_once)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    child->code =
        WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}

int child_run(struct child *child, struct err *err)
{
    uint64_t until = clock_mono_ms() + child->deadline_s * UINT64_C(1000);
    struct pipes p;
    pid_t pid;
    int rc;

    str_init(&child->output, OUTPUT_CAP);
    str_init(&child->words, WORDS_CAP);
    if (open_pipes(&p, child->talks, err) < 0)
        return -1;
    pid = start(child, &p, err);
    if (pid < 0) {
        close_pipes(&p);
        return -1;
    }
    rc = talk(child, &p, until, err);
    close_pipes(&p);
    if (reap(child, pid, rc < 0) < 0)
        return err_errno(err, CAUSE_SYSTEM, "wait for %s", child->argv[0]);
    if (rc == 0 && child->code == NO_PROGRAM)
        return err_set(err, CAUSE_INPUT,
                       "%s could not be started: is it "
                       "installed, and in $PATH?",
                       child->argv[0]);
    return rc;
}

void child_release(struct child *child)
{
    str_release(&child->output);
    str_release(&child->words);
}
