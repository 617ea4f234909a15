/* SPDX-License-Identifier: Apache-2.0
 *
 * The openssl program beside ours, in the folder of cli_capture.h.
 */
#ifndef CERTFLEET_TESTS_CLI_OPENSSL_H
#define CERTFLEET_TESTS_CLI_OPENSSL_H

#include <spawn.h>
#include <sys/wait.h>

#include "tests/unit/cli_capture.h"

static char said[1 << 16]; /* what openssl printed */

/* Its exit code, or -1 when it is not here. */
static inline int openssl(const char *const *words)
{
    char *argv[32] = {(char *)(uintptr_t) "openssl"};
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t pid;

    for (size_t i = 0; words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "openssl.txt",
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    if (posix_spawnp(&pid, "openssl", &actions, NULL, argv, environ) == 0) {
        waitpid(pid, &status, 0);
        capture_read("openssl.txt", said, sizeof(said));
    }
    posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#define OPENSSL(...) openssl((const char *const[]){__VA_ARGS__, NULL})

static inline void assert_mode(const char *path, mode_t mode)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, mode);
}

/* One line, with the file and the reason. */
static inline void refused(int code, const char *file, const char *reason)
{
    const char *lf = strchr(capture.err, '\n');

    assert_int_equal(code, 2);
    assert_says(capture.err, file);
    assert_says(capture.err, reason);
    assert_true(lf && lf[1] == '\0');
}

#endif
