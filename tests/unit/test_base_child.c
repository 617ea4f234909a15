/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that is started and waited for: what it is given, what it gives,
 * and how it may go wrong.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/child.h"
#include "core/base/clock.h"

static int run(struct child *child, const char *script, struct err *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};

    child->argv = argv;
    if (!child->deadline_s)
        child->deadline_s = 60;
    return child_run(child, err);
}

static void test_in_and_out(void **state)
{
    struct child child = {.input = "abc", .input_len = 3};
    struct err err = {.cause = CAUSE_NONE};

    (void)state;
    assert_int_equal(run(&child, "cat; echo words >&2; exit 7", &err), 0);
    assert_string_equal(str_text(&child.output), "abc");
    assert_string_equal(str_text(&child.words), "words\n");
    assert_int_equal(child.code, 7);
    child_release(&child);
    child = (struct child){0};
    assert_int_equal(run(&child, "kill -9 $$", &err), 0);
    assert_int_equal(child.code, 128 + SIGKILL);
    child_release(&child);
}

/* More than a pipe holds, both ways; and one that reads nothing. */
static void test_much(void **state)
{
    size_t len = 600000;
    char *much = malloc(len);
    struct child child = {.input = much, .input_len = len};
    struct err err = {.cause = CAUSE_NONE};

    (void)state;
    assert_non_null(much);
    memset(much, 'x', len);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(run(&child, "cat", &err), 0);
    assert_int_equal(child.output.len, len);
    assert_memory_equal(child.output.data, much, len);
    child_release(&child);
    assert_int_equal(run(&child, "exec true", &err), 0);
    assert_int_equal(child.code, 0);
    child_release(&child);
    child = (struct child){0};
    assert_int_equal(run(&child, "exec yes", &err), -1);
    assert_non_null(strstr(err.text, "printed over 1048576 bytes"));
    child_release(&child);
    free(much);
}

/* Not a password, not a descriptor, not our deafness to SIGPIPE. */
static void test_what_it_inherits(void **state)
{
    static const char *const passed[] = {"PATH", "CHILD_ONE", "CHILD_NONE",
                                         NULL};
    struct child child = {.passed = passed};
    struct err err = {.cause = CAUSE_NONE};

    (void)state;
    setenv("CHILD_ONE", "1", 1);
    setenv("CHILD_TWO", "2", 1);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(run(&child,
                         "echo $CHILD_ONE,$CHILD_TWO,$HOME,$CHILD_NONE;"
                         "ls /proc/self/fd | wc -l;"
                         "grep SigIgn: /proc/self/status",
                         &err),
                     0);
    assert_non_null(strstr(str_text(&child.output), "1,,,\n4\nSigIgn:\t"
                                                    "0000000000000000\n"));
    child_release(&child);
}

static void test_it_does_not_start(void **state)
{
    const char *const argv[] = {"certfleet-no-such-program", NULL};
    struct child child = {.argv = argv, .deadline_s = 60};
    struct err err = {.cause = CAUSE_NONE};

    (void)state;
    assert_int_equal(child_run(&child, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "certfleet-no-such-program could not be "
                                     "started"));
    child_release(&child);
}

static void test_deadline(void **state)
{
    struct child child = {.deadline_s = 1};
    struct err err = {.cause = CAUSE_NONE};
    uint64_t before = clock_mono_ms();

    (void)state;
    assert_int_equal(run(&child, "exec tail -f /dev/null", &err), -1);
    assert_int_equal(err.cause, CAUSE_SYSTEM);
    assert_non_null(strstr(err.text, "did not end within 1 s"));
    assert_int_equal(child.code, 128 + SIGKILL);
    assert_true(clock_mono_ms() - before >= 1000);
    child_release(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_and_out),
        cmocka_unit_test(test_much),
        cmocka_unit_test(test_what_it_inherits),
        cmocka_unit_test(test_it_does_not_start),
        cmocka_unit_test(test_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
