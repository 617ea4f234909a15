/* SPDX-License-Identifier: Apache-2.0
 *
 * A secret that a command prints.  Knows no reference and no cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fleet/secret_priv.h"

struct secret *secret_read_all(int fd)
{
    struct secret *s = secret_new(SECRET_BYTES + 1);
    size_t got = 0;
    ssize_t n = 1;

    while (n != 0 && got < s->len) {
        n = read(fd, s->data + got, s->len - got);
        if (n < 0 && errno != EINTR)
            break;
        got += n > 0 ? (size_t)n : 0;
    }
    if (n != 0) {
        int saved = n < 0 ? errno : EMSGSIZE;
        secret_free(s);
        errno = saved;
        return NULL;
    }
    s->len = got;
    return s;
}

/* In the child.  Its input is empty: it must not eat the answer to a question
 * of ours; what talks to people opens /dev/tty. */
static void run_child(const char *line, const char *folder, int out)
{
    int null = open("/dev/null", O_RDONLY);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0)
        _exit(126);
    if (folder && chdir(folder) < 0)
        _exit(126);
    signal(SIGPIPE, SIG_DFL); /* we ignore it, pipelines live by it */
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

static int wait_for(pid_t pid, struct err *err)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_errno(err, CAUSE_INPUT, "wait for the command");
    if (WIFSIGNALED(status))
        return err_set(err, CAUSE_INPUT, "the command was ended by signal %d",
                       WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return err_set(err, CAUSE_INPUT, "the command ended with exit code %d",
                       WEXITSTATUS(status));
    return 0;
}

struct secret *secret_command(const char *line, const char *folder,
                              struct err *err)
{
    struct secret *s;
    int fds[2], why;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0) {
        err_errno(err, CAUSE_SYSTEM, "pipe");
        return NULL;
    }
    pid = fork();
    if (pid == 0)
        run_child(line, folder, fds[1]);
    close(fds[1]);
    if (pid < 0) {
        err_errno(err, CAUSE_SYSTEM, "fork");
        close(fds[0]);
        return NULL;
    }
    s = secret_read_all(fds[0]);
    why = s ? 0 : errno;
    close(fds[0]); /* a command that still writes gets SIGPIPE and ends */
    if (wait_for(pid, err) == 0 && s)
        return s;
    errno = why;
    if (why == EMSGSIZE)
        err_set(err, CAUSE_INPUT, "the command printed over %d bytes",
                SECRET_BYTES);
    else if (!s)
        err_errno(err, CAUSE_INPUT, "the command's output");
    secret_free(s);
    return NULL;
}
