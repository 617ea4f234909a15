/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices: kept until they are taken, in their order; marks told once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/run/notify.h"

static char dir[64], program[96], taken[96];
static const char *const argv[] = {program, NULL};
static uv_loop_t loop;
static struct notify *notify;
static bool done;
static size_t left;
static struct err why;

static void write_file(const char *path, const char *text, unsigned mode)
{
    struct err err = {.cause = CAUSE_NONE};

    assert_int_equal(file_write(path, text, strlen(text), mode, false, &err),
                     0);
}

/* Appends its input to the file, then ends with `code`. */
static void program_ends_with(int code)
{
    char text[256];

    snprintf(text, sizeof(text), "#!/bin/sh\ncat >>%s\nexit %d\n", taken, code);
    write_file(program, text, 0700);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/notify.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(program, sizeof(program), "%s/program", dir);
    snprintf(taken, sizeof(taken), "%s/taken", dir);
    write_file(taken, "", 0600);
    assert_int_equal(uv_loop_init(&loop), 0);
    notify = notify_new(&loop, dir, argv);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const paths[] = {
        "notify/told/00aa", "notify/told", "notify", "program", "taken", ""};
    char path[128];

    (void)state;
    notify_free(notify);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, paths[i]);
        remove(path);
    }
    return access(dir, F_OK) == 0; /* a notice was left */
}

static void put(const char *word)
{
    struct err err = {.cause = CAUSE_NONE};

    assert_int_equal(
        notify_put(notify, json_pack("{s:s}", "event", word), &err), 0);
}

static void on_done(void *user, size_t n, const struct err *err)
{
    (void)user;
    done = true;
    left = n;
    why = err ? *err : (struct err){.cause = CAUSE_NONE};
}

static void deliver(void)
{
    done = false;
    notify_deliver(notify, on_done, NULL);
    assert_false(done); /* later */
    while (!done)
        uv_run(&loop, UV_RUN_ONCE);
}

static void was_taken(const char *text)
{
    struct err err = {.cause = CAUSE_NONE};
    struct secret *read = file_read(taken, 4096, &err);

    assert_non_null(read);
    assert_string_equal(secret_text(read), text);
    secret_free(read);
}

static void test_in_order(void **state)
{
    (void)state;
    program_ends_with(0);
    deliver();
    assert_int_equal(left, 0);
    put("a");
    put("b");
    put("c");
    deliver();
    assert_int_equal(left, 0);
    assert_int_equal(why.cause, CAUSE_NONE);
    was_taken("{\"event\":\"a\"}{\"event\":\"b\"}{\"event\":\"c\"}");
    deliver();
    was_taken("{\"event\":\"a\"}{\"event\":\"b\"}{\"event\":\"c\"}");
}

/* The first that is not taken keeps those behind it waiting. */
static void test_not_taken(void **state)
{
    (void)state;
    program_ends_with(3);
    put("a");
    put("b");
    deliver();
    assert_int_equal(left, 2);
    assert_int_not_equal(why.cause, CAUSE_NONE);
    was_taken("{\"event\":\"a\"}");
    program_ends_with(0);
    deliver();
    assert_int_equal(left, 0);
    was_taken("{\"event\":\"a\"}{\"event\":\"a\"}{\"event\":\"b\"}");
}

/* Another process finds them: nothing is kept in memory. */
static void test_survives(void **state)
{
    (void)state;
    put("a");
    deliver(); /* there is no program */
    assert_int_equal(left, 1);
    notify_free(notify);
    notify = notify_new(&loop, dir, argv);
    program_ends_with(0);
    deliver();
    assert_int_equal(left, 0);
    was_taken("{\"event\":\"a\"}");
}

static void marks(long long days, bool due, int mark)
{
    struct err err = {.cause = CAUSE_NONE};
    bool is_due;
    int is_mark;

    assert_int_equal(notify_mark(notify, "00aa", days, &is_due, &is_mark, &err),
                     0);
    assert_int_equal(is_due, due);
    if (due)
        assert_int_equal(is_mark, mark);
}

static void test_marks(void **state)
{
    (void)state;
    marks(29, false, 0);
    marks(28, true, 28);
    marks(27, false, 0);
    marks(15, false, 0);
    marks(10, true, 14);
    marks(2, true, 3); /* of 7 and 3 the lower alone */
    marks(2, false, 0);
    marks(1, true, 1);
    marks(0, false, 0);
    marks(-1, true, -1);
    marks(-1, false, 0);
    marks(28, false, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_marks, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
