/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that is asked one thing, and everything that it may do instead of
 * answering: each way it is reaped, told once, and costs little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/run/program.h"

enum {
    CAP = 4096,
    LONG_MS = 60000
};

static const char *const env[] = {"PATH=/usr/bin:/bin", "ANSWER=42", NULL};

struct asked {
    uv_loop_t loop;
    struct program *program;
    unsigned told;
    char *output;
    struct err err;
};

static void on_done(void *user, const struct str *output, const struct err *err)
{
    struct asked *a = user;

    a->told++;
    a->program = NULL;
    a->output = strdup(str_text(output));
    if (err)
        a->err = *err;
}

static void begin(struct asked *a, const char *script, const char *input,
                  uint64_t deadline_ms)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    const struct program_request request = {
        .argv = argv,
        .env = env,
        .folder = "/",
        .input = input,
        .input_len = strlen(input),
        .output_cap = CAP,
        .deadline_ms = deadline_ms,
    };

    memset(a, 0, sizeof(*a));
    assert_int_equal(uv_loop_init(&a->loop), 0);
    a->program = program_start(&a->loop, &request, on_done, a);
    assert_int_equal(a->told, 0); /* never inside the call */
}

static void finish(struct asked *a)
{
    uv_run(&a->loop, UV_RUN_DEFAULT);
    assert_int_equal(a->told, 1);
    assert_int_equal(uv_loop_close(&a->loop), 0); /* nothing is left */
}

static void ask(struct asked *a, const char *script, const char *input)
{
    begin(a, script, input, LONG_MS);
    finish(a);
}

static void fails(const char *script, uint64_t deadline_ms, const char *why)
{
    struct asked a;

    begin(&a, script, "input\n", deadline_ms);
    finish(&a);
    assert_int_equal(a.err.cause, CAUSE_SYSTEM);
    if (!strstr(a.err.text, why))
        fail_msg("%s: %s", script, a.err.text);
    free(a.output);
}

static void test_answers(void **state)
{
    struct asked a;

    (void)state;
    ask(&a, "cat; echo $ANSWER; pwd", "one\ntwo\n");
    assert_int_equal(a.err.cause, CAUSE_NONE);
    assert_string_equal(a.output, "one\ntwo\n42\n/\n");
    free(a.output);
    /* by name, too: openssl ca -in /dev/stdin, step ca sign - /dev/stdout */
    ask(&a, "cat /dev/stdin >/dev/stdout; echo no >/dev/stderr", "three\n");
    assert_int_equal(a.err.cause, CAUSE_NONE);
    assert_string_equal(a.output, "three\n");
    free(a.output);
    ask(&a, "exec cat >/dev/null", "");
    assert_int_equal(a.err.cause, CAUSE_NONE);
    assert_string_equal(a.output, "");
    free(a.output);
}

/* Nothing of ours but three descriptors and the names given. */
static void test_gets_nothing_else(void **state)
{
    struct asked a;
    int open = openat(AT_FDCWD, "/dev/null", O_RDONLY); /* an heirloom */

    (void)state;
    setenv("SECRET_TOKEN", "hunter2", 1);
    ask(&a, "env | sort | grep -v '^_=\\|^PWD=\\|^SHLVL=\\|^OLDPWD='", "");
    assert_string_equal(a.output, "ANSWER=42\nPATH=/usr/bin:/bin\n");
    free(a.output);
    ask(&a, "for f in /proc/self/fd/*; do echo ${f##*/}; done", "");
    assert_int_equal(a.err.cause, CAUSE_NONE);
    /* 3: the folder that it reads just now */
    if (strcmp(a.output, "0\n1\n2\n3\n") != 0)
        assert_string_equal(a.output, "0\n1\n2\n");
    free(a.output);
    unsetenv("SECRET_TOKEN");
    close(open);
}

static void test_fails(void **state)
{
    (void)state;
    fails("exit 3", LONG_MS, "exit code 3");
    fails("echo first >&2; echo no such profile >&2; exit 1", LONG_MS,
          "exit code 1; it says: first no such profile");
    fails("printf 'a\\033[2Jb' >&2; exit 1", LONG_MS, "it says: a\\x1b[2Jb");
    fails("kill -SEGV $$", LONG_MS, "ended by signal 11");
    fails("exec /nowhere/at/all", LONG_MS, "exit code 127");
}

static void test_endless(void **state)
{
    (void)state;
    fails("while :; do echo again and again; done", LONG_MS,
          "printed more than an answer can be");
    /* what it says besides is cut, and is no failure by itself */
    fails("head -c 1000000 /dev/zero | tr '\\0' e >&2; echo ' end' >&2; exit 2",
          LONG_MS, "e end");
}

static void test_hangs(void **state)
{
    (void)state;
    fails("read never </dev/zero & exec tail -f /dev/null", 100,
          "did not end within");
    /* deaf to TERM */
    fails("trap '' TERM; while :; do read x </dev/zero; done", 100,
          "did not end within");
}

/* Its children end with it, also those that hold the output. */
static void test_children_end(void **state)
{
    struct asked a;
    pid_t child;
    int fd;

    (void)state;
    ask(&a, "tail -f /dev/null & echo $!", "");
    assert_int_equal(a.err.cause, CAUSE_NONE);
    child = (pid_t)strtol(a.output, NULL, 10);
    assert_true(child > 1);
    free(a.output);
    fd = (int)syscall(SYS_pidfd_open, child, 0);
    if (fd >= 0) { /* else it is gone already */
        struct pollfd p = {.fd = fd, .events = POLLIN};

        assert_int_equal(poll(&p, 1, LONG_MS), 1);
        close(fd);
    }
}

static void test_cannot_start(void **state)
{
    const char *const argv[] = {"/nowhere/at/all", NULL};
    const struct program_request request = {
        .argv = argv,
        .env = env,
        .folder = "/",
        .input = "",
        .output_cap = CAP,
        .deadline_ms = LONG_MS,
    };
    struct asked a = {0};

    (void)state;
    assert_int_equal(uv_loop_init(&a.loop), 0);
    a.program = program_start(&a.loop, &request, on_done, &a);
    assert_int_equal(a.told, 0);
    finish(&a);
    assert_int_equal(a.err.cause, CAUSE_SYSTEM);
    assert_non_null(strstr(a.err.text, "cannot be started"));
    free(a.output);
}

static void cancel(uv_timer_t *timer)
{
    struct asked *a = timer->data;

    program_cancel(a->program);
    program_cancel(a->program); /* twice is once */
    uv_close((uv_handle_t *)timer, NULL);
}

static void test_canceled(void **state)
{
    struct asked a;
    uv_timer_t timer;

    (void)state;
    begin(&a, "exec tail -f /dev/null", "", LONG_MS);
    uv_timer_init(&a.loop, &timer);
    timer.data = &a;
    uv_timer_start(&timer, cancel, 10, 0);
    finish(&a);
    assert_int_equal(a.err.cause, CAUSE_CANCELED);
    free(a.output);
}

/* A request that nobody reads, larger than a pipe. */
static void test_not_read(void **state)
{
    char *big = malloc(1 << 20);
    struct asked a;

    (void)state;
    memset(big, 'x', 1 << 20);
    big[(1 << 20) - 1] = '\0';
    ask(&a, "echo done", big);
    assert_int_equal(a.err.cause, CAUSE_NONE);
    assert_string_equal(a.output, "done\n");
    free(a.output);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_gets_nothing_else),
        cmocka_unit_test(test_fails),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_children_end),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_canceled),
        cmocka_unit_test(test_not_read),
    };

    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
