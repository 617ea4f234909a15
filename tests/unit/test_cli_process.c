/* SPDX-License-Identifier: Apache-2.0
 *
 * What the process asks of the system before it does anything, as the kernel
 * then says it; each in a child, since nothing of it is taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/process.h"

typedef int ask_f(void);

/* What `ask` says in a child that was hardened, or was not. */
static int said(ask_f *ask, int hardened)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (hardened)
            process_harden();
        _exit(ask());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int ask_dumpable(void)
{
    return prctl(PR_GET_DUMPABLE);
}

static void test_it_is_not_dumpable(void **state)
{
    (void)state;
    assert_int_equal(said(ask_dumpable, 0), 1);
    assert_int_equal(said(ask_dumpable, 1), 0);
}

static int ask_core_limit(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 &&
           limit.rlim_max == 0;
}

static void test_no_core(void **state)
{
    (void)state;
    assert_int_equal(said(ask_core_limit, 1), 1);
}

static int ask_umask(void)
{
    return umask(0) == 077;
}

static void test_new_files_are_ours(void **state)
{
    (void)state;
    umask(0);
    assert_int_equal(said(ask_umask, 0), 0);
    assert_int_equal(said(ask_umask, 1), 1);
    umask(077);
}

static int ask_signals(void)
{
    static const int numbers[] = {SIGPIPE, SIGHUP, SIGTTOU};
    struct sigaction action;
    int n = 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        n += sigaction(numbers[i], NULL, &action) == 0 &&
             action.sa_handler == SIG_IGN;
    return n;
}

static void test_no_terminal_ends_it(void **state)
{
    (void)state;
    assert_int_equal(said(ask_signals, 1), 3);
}

/* A child that becomes another program is an ordinary one again: what the
 * user's own command needs of /proc it has.  The limit stays. */
static int ask_child(void)
{
    execl("/bin/sh", "sh", "-c",
          "test -r /proc/self/environ && test \"$(ulimit -c)\" = 0",
          (char *)NULL);
    return 127;
}

static void test_what_children_get(void **state)
{
    (void)state;
    assert_int_equal(said(ask_child, 1), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_not_dumpable),
        cmocka_unit_test(test_no_core),
        cmocka_unit_test(test_new_files_are_ours),
        cmocka_unit_test(test_no_terminal_ends_it),
        cmocka_unit_test(test_what_children_get),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
