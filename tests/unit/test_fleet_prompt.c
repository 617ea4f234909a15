/* SPDX-License-Identifier: Apache-2.0
 *
 * A secret that a person types: a child with a terminal of its own asks, this
 * program plays the person and looks at the terminal.  Every wait has a
 * deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "core/base/clock.h"
#include "core/fleet/secret_ref.h"
#include "tests/unit/fleet_fixture.h"

enum {
    DEADLINE_MS = 20000
};

static int master;       /* our end of the terminal */
static int slave;        /* to look at its settings */
static struct str shown; /* what the terminal has shown */

/* What the child does: its exit code tells. */
typedef int child_f(void);

static pid_t start(child_f *f)
{
    const char *name;
    pid_t pid;

    str_release(&shown); /* a test that failed left it */
    str_init(&shown, 64 * 1024);
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    name = ptsname(master);
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(master); /* or its end would never be seen */
        setsid();
        if (ioctl(slave, TIOCSCTTY, 0) < 0)
            _exit(99);
        _exit(f());
    }
    return pid;
}

static int finish(pid_t pid)
{
    uint64_t end = clock_mono_ms() + DEADLINE_MS;
    int status = 0;
    pid_t done;

    while ((done = waitpid(pid, &status, WNOHANG)) == 0) {
        struct pollfd p = {.fd = master, .events = POLLIN};
        char buffer[256];
        ssize_t n;
        if (clock_mono_ms() > end) {
            kill(pid, SIGKILL);
            fail_msg("the child did not end; it has shown: %s",
                     str_text(&shown));
        }
        if (poll(&p, 1, 10) > 0 &&
            (n = read(master, buffer, sizeof(buffer))) > 0)
            str_addn(&shown, buffer, (size_t)n);
    }
    assert_int_equal(done, pid);
    return status;
}

static void release(void)
{
    close(master);
    close(slave);
    str_release(&shown);
}

static void wait_shown(const char *text)
{
    uint64_t end = clock_mono_ms() + DEADLINE_MS;

    while (!strstr(str_text(&shown), text)) {
        struct pollfd p = {.fd = master, .events = POLLIN};
        char buffer[256];
        ssize_t n;
        if (clock_mono_ms() > end)
            fail_msg("`%s' was not shown: %s", text, str_text(&shown));
        if (poll(&p, 1, 100) <= 0)
            continue;
        n = read(master, buffer, sizeof(buffer));
        assert_true(n > 0);
        str_addn(&shown, buffer, (size_t)n);
    }
}

static void type(const char *text)
{
    assert_int_equal(write(master, text, strlen(text)), strlen(text));
}

static bool echoes(void)
{
    struct termios t;

    assert_int_equal(tcgetattr(slave, &t), 0);
    return (t.c_lflag & ECHO) != 0;
}

static int ask_once(void)
{
    struct secret_cache *cache = secret_cache_new();
    struct err err;
    struct secret *s =
        secret_ref_read(cache, "prompt", NULL, "password of admin@core1", &err);
    int code;

    if (s)
        code = strcmp(secret_text(s), "hunter2") == 0 ? 0 : 10;
    else
        code = err.cause == CAUSE_INPUT      ? 2
               : err.cause == CAUSE_CANCELED ? 3
                                             : 11;
    if (s)
        secret_free(s);
    secret_cache_free(cache);
    return code;
}

static void test_answer(void **state)
{
    pid_t pid = start(ask_once);
    int status;

    (void)state;
    wait_shown("password of admin@core1: ");
    assert_false(echoes());
    type("hunter2\n");
    status = finish(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(echoes());
    assert_null(strstr(str_text(&shown), "hunter2"));
    release();
}

static int ask_shared(void)
{
    struct secret_cache *cache = secret_cache_new();
    static const char ref[] = "prompt:password for [fleet]";
    struct secret *a = secret_ref_read(cache, ref, NULL, "of core1", NULL);
    struct secret *b = secret_ref_read(cache, ref, NULL, "of core2", NULL);
    struct secret *c =
        secret_ref_read(cache, "prompt:other", NULL, "of core3", NULL);
    bool good = a && a == b && c && c != a &&
                strcmp(secret_text(a), "first") == 0 &&
                strcmp(secret_text(c), "second") == 0;

    secret_free(a);
    secret_free(b);
    secret_free(c);
    secret_cache_free(cache);
    return good ? 0 : 1;
}

/* One question for all who share it, another for another. */
static void test_asked_once(void **state)
{
    pid_t pid = start(ask_shared);
    int status;

    (void)state;
    wait_shown("password for [fleet]: ");
    type("first\n");
    wait_shown("other: ");
    type("second\n");
    status = finish(pid);
    assert_int_equal(status, 0);
    release();
}

static void test_end_of_file(void **state)
{
    pid_t pid = start(ask_once);
    int status;

    (void)state;
    wait_shown(": ");
    type("\004");
    status = finish(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    assert_true(echoes());
    release();
}

static void test_empty_answer(void **state)
{
    pid_t pid = start(ask_once);
    int status;

    (void)state;
    wait_shown(": ");
    type("\n");
    status = finish(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    release();
}

/* Ctrl-C ends us as it would any program, with the echo back on. */
static void test_interrupt(void **state)
{
    pid_t pid = start(ask_once);
    int status;

    (void)state;
    wait_shown(": ");
    assert_false(echoes());
    type("hun\003");
    status = finish(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    assert_true(echoes());
    release();
}

static volatile sig_atomic_t handled;
static void on_term(int signo)
{
    handled = signo;
}

static int ask_with_handler(void)
{
    int code;

    signal(SIGTERM, on_term);
    code = ask_once();
    return handled == SIGTERM ? code : 12;
}

/* The program's own handler sees the signal; the secret is not there. */
static void test_terminated(void **state)
{
    pid_t pid = start(ask_with_handler);
    int status;

    (void)state;
    wait_shown(": ");
    assert_false(echoes());
    kill(pid, SIGTERM);
    status = finish(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_true(echoes());
    release();
}

/* Asks in a group of its own in the foreground, as under a shell. */
static int ask_in_foreground(void)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

    setpgid(0, 0);
    signal(SIGTTOU, SIG_IGN);
    if (tcsetpgrp(tty, getpid()) < 0)
        return 97;
    signal(SIGTTOU, SIG_DFL);
    return ask_once();
}

/* What a shell does with Ctrl-Z and fg. */
static int be_shell(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(ask_in_foreground());
    if (waitpid(pid, &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
        return 20;
    if (!echoes())
        return 21;
    kill(pid, SIGCONT);
    if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
        return 22;
    return WEXITSTATUS(status);
}

/* There SIGTSTP stops nobody. */
static bool is_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* A stop gives the terminal back as it was; going on asks again. */
static void test_stop_and_go_on(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    if (is_under_valgrind())
        skip();
    pid = start(be_shell);
    wait_shown("core1: ");
    str_reset(&shown);
    type("hun\032");
    wait_shown("core1: ");
    assert_false(echoes());
    type("hunter2\n");
    status = finish(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(echoes());
    release();
}

static int ask_without_terminal(void)
{
    int tty = open("/dev/tty", O_RDWR);

    if (tty < 0 || ioctl(tty, TIOCNOTTY) < 0)
        return 98;
    close(tty);
    return ask_once();
}

static void test_no_terminal(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    signal(SIGHUP, SIG_IGN); /* giving up a terminal sends it */
    pid = start(ask_without_terminal);
    status = finish(pid);
    signal(SIGHUP, SIG_DFL);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    release();
}

static void test_too_long(void **state)
{
    pid_t pid = start(ask_once);
    char line[513];
    int status;

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    wait_shown(": ");
    for (int i = 0; i < 3; i++)
        type(line);
    type("\n");
    status = finish(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_asked_once),
        cmocka_unit_test(test_end_of_file),
        cmocka_unit_test(test_empty_answer),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_terminated),
        cmocka_unit_test(test_stop_and_go_on),
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
