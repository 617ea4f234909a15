/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a command and proves that it left no process behind, however far a
 * process went to get away (setsid, double fork, another user): orphans fall
 * to their nearest subreaper, and that is this program.  Knows nothing of what
 * it runs.  The command has a process group of its own, to which INT, TERM and
 * HUP are passed on.
 *
 *     strays COMMAND [ARG...]
 *
 * Exit: the command's own code (128 + n for signal n); 97 when it was 0 but a
 * process was still there GRACE_S seconds after its end.  Strays are named and
 * killed.  126: the command could not be run.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    GRACE_S = 10,
    STRAYS = 97,
    CANNOT_RUN = 126
};

static volatile sig_atomic_t child_pid;
static volatile sig_atomic_t is_late;

static void on_signal(int sig)
{
    if (child_pid > 0)
        kill(-(pid_t)child_pid, sig);
}

static void on_alarm(int sig)
{
    (void)sig;
    is_late = 1;
}

/* Without SA_RESTART, so that a signal ends a wait. */
static void on(int sig, void (*handler)(int))
{
    struct sigaction sa;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = handler;
    sigemptyset(&sa.sa_mask);
    sigaction(sig, &sa, NULL);
}

static void pass_on(void (*handler)(int))
{
    on(SIGINT, handler);
    on(SIGTERM, handler);
    on(SIGHUP, handler);
}

static int code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int await(pid_t pid)
{
    int status;

    for (;;) {
        pid_t got = waitpid(-1, &status, 0);
        if (got == pid)
            return code_of(status);
        if (got < 0 && errno != EINTR)
            return CANNOT_RUN;
    }
}

/* True when children were still there at the end of the grace. */
static int linger(void)
{
    on(SIGALRM, on_alarm);
    alarm(GRACE_S);
    while (!is_late)
        if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
            return 0;
    return 1;
}

static void name(long pid)
{
    char path[64];
    char line[200];
    size_t n, i;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
    f = fopen(path, "r");
    n = f ? fread(line, 1, sizeof(line) - 1, f) : 0;
    if (f)
        fclose(f);
    for (i = 0; i < n; i++)
        if (line[i] == '\0')
            line[i] = ' ';
    line[n] = '\0';
    if (n > 0) /* none: it has ended, and waits to be reaped */
        fprintf(stderr, "left behind: %ld %s\n", pid, line);
}

/* Names, kills and reaps what the kernel lists as children of this thread. */
static int kill_children(void)
{
    FILE *f = fopen("/proc/thread-self/children", "r");
    int found = 0;
    long pid;

    while (f && fscanf(f, "%ld", &pid) == 1) {
        name(pid);
        if (kill((pid_t)pid, SIGKILL) == 0 &&
            waitpid((pid_t)pid, NULL, 0) == (pid_t)pid)
            found++;
    }
    if (f)
        fclose(f);
    return found;
}

/* The orphans of a killed stray fall to us in their turn. */
static void clear(void)
{
    while (kill_children() > 0)
        ;
}

int main(int argc, char **argv)
{
    pid_t pid;
    int code;

    if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) != 0)
        return CANNOT_RUN;
    pass_on(on_signal);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        pass_on(SIG_DFL);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(CANNOT_RUN);
    }
    /* on both sides of the fork: whoever comes first */
    if (pid > 0)
        setpgid(pid, pid);
    child_pid = (sig_atomic_t)pid;
    code = pid < 0 ? CANNOT_RUN : await(pid);
    child_pid = 0;
    if (!linger())
        return code;
    clear();
    return code != 0 ? code : STRAYS;
}
