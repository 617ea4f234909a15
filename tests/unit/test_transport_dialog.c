/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/test_transport_dialog.c - transcripts of shells, cut at every
 * byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transport/dialog.h"

static const struct link_dialect dialect = {
    .prompt = "^[A-Za-z0-9][A-Za-z0-9_.-]*> ?$",
    .question = "\\([[:space:]]*Y[[:space:]]*/[[:space:]]*n[[:space:]]*\\)"
                "|Are you sure",
    .answer = "Y",
    .password_change = "new password",
};

/* One exchange: what is typed (ending in \r), and what comes back. */
struct turn {
    const char *typed; /* NULL: what comes by itself, at the login */
    const char *shown;
};

struct scene {
    const char *title;
    struct turn turns[6]; /* until both are NULL */
    const char *command;  /* NULL: only the login */
    bool confirm;
    enum dialog_state end;
    enum dialog_failure failure;
    bool confirmed;
    const char *answer;
};

/* clang-format off */
#define LOGIN {NULL, "Welcome\r\ncms1> "}, {"\r", "\r\ncms1> "}

static const struct scene scenes[] = {
    {.title = "login", .turns = {LOGIN}, .end = DIALOG_READY},
    {.title = "banner with what looks like prompts",
     .turns = {{NULL, "For users only\r\n\r\nlegal> notice\r\n"
                      "read> this> \r\nbanner>\r\ncms1> "},
               {"\r", "\r\ncms1> "}},
     .end = DIALOG_READY},
    {.title = "a banner that ends like a prompt: asked again",
     .turns = {{NULL, "Welcome\r\nauthorized> "},
               {"\r", "\r\nthe-host> "},
               {"\r", "\r\nthe-host> "}},
     .end = DIALOG_READY},
    {.title = "nothing until Enter is pressed",
     .turns = {{NULL, "Press Enter\r\n"}, {"\r", "\r\ncms1> "},
               {"\r", "\r\ncms1> "}},
     .end = DIALOG_READY},
    {.title = "a login that wants a new password",
     .turns = {{NULL, "Your password has expired.\r\nNEW Password: "}},
     .end = DIALOG_FAILED, .failure = DIALOG_NEW_PASSWORD},
    {.title = "command",
     .turns = {LOGIN, {"database cluster status\r",
                       "database cluster status\r\nStatus : Enabled\r\n"
                       "  10.0.0.1 (me) : Connected Primary\r\ncms1> "}},
     .command = "database cluster status", .end = DIALOG_READY,
     .answer = "Status : Enabled\n  10.0.0.1 (me) : Connected Primary\n"},
    {.title = "no output",
     .turns = {LOGIN, {"x\r", "x\r\ncms1> "}},
     .command = "x", .end = DIALOG_READY, .answer = ""},
    {.title = "no echo",
     .turns = {{NULL, "cms1> "}, {"\r", "cms1> "},
               {"x\r", "output\ncms1> "}},
     .command = "x", .end = DIALOG_READY, .answer = "output\n"},
    {.title = "FAILURE text and an unknown command",
     .turns = {LOGIN, {"nix\r", "nix\r\nUnknown command\r\n"
                                "FAILURE: no> such thing\r\ncms1> "}},
     .command = "nix", .end = DIALOG_READY,
     .answer = "Unknown command\nFAILURE: no> such thing\n"},
    {.title = "escape sequences, also between \\r and \\n",
     .turns = {{NULL, "\033[2J\033[1mWelcome\033[0m\r\n\033]0;t>itle\007"
                      "\033[?2004hcms1> "},
               {"\r", "\r\n\033[?2004l\rcms1> "},
               {"x\r", "x\r\n\033[31mred\033[0m\r\033[K\n\033(Bplain\r\n"
                       "cms1> "}},
     .command = "x", .end = DIALOG_READY, .answer = "red\nplain\n"},
    {.title = "a carriage return hides nothing",
     .turns = {LOGIN, {"x\r", "x\r\nFAILURE: bad\rSUCCESS: ok\r\ncms1> "}},
     .command = "x", .end = DIALOG_READY,
     .answer = "FAILURE: bad\nSUCCESS: ok\n"},
    {.title = "backspaces, NUL and a bell",
     .turns = {LOGIN, {"x\r", "x\r\nab\b\bcd\007e\r\ncms1> "}},
     .command = "x", .end = DIALOG_READY, .answer = "cde\n"},
    {.title = "a question is answered once",
     .turns = {LOGIN,
               {"database cluster remove\r",
                "database cluster remove\r\nWARNING!!!\r\n"
                "Are you sure you wish to remove it? (Y/n)"},
               {"Y\r", "Y\r\nRemoving from cluster\r\ncms1> "}},
     .command = "database cluster remove", .confirm = true,
     .end = DIALOG_READY, .confirmed = true,
     .answer = "WARNING!!!\nAre you sure you wish to remove it? (Y/n)Y\n"
               "Removing from cluster\n"},
    {.title = "a question with the cursor on the next line",
     .turns = {LOGIN,
               {"go\r", "go\r\nAre you sure?\r\n( Y / n )\r\n"},
               {"Y\r", "Y\r\ndone\r\ncms1> "}},
     .command = "go", .confirm = true, .end = DIALOG_READY,
     .confirmed = true,
     .answer = "Are you sure?\n( Y / n )\nY\ndone\n"},
    {.title = "no question where one might be",
     .turns = {LOGIN, {"go\r", "go\r\nnothing to do\r\ncms1> "}},
     .command = "go", .confirm = true, .end = DIALOG_READY,
     .answer = "nothing to do\n"},
    {.title = "a question's words in the middle of output",
     .turns = {LOGIN, {"help\r", "help\r\nAsks: Are you sure? (Y/n)\r\n"
                                 "cms1> "}},
     .command = "help", .confirm = true, .end = DIALOG_READY,
     .answer = "Asks: Are you sure? (Y/n)\n"},
    {.title = "a question nobody expected",
     .turns = {LOGIN, {"go\r", "go\r\nAre you sure? (Y/n) "}},
     .command = "go", .end = DIALOG_FAILED, .failure = DIALOG_QUESTION},
    {.title = "a second question",
     .turns = {LOGIN, {"go\r", "go\r\nAre you sure? (Y/n) "},
               {"Y\r", "Y\r\nAre you really sure? (Y/n) "}},
     .command = "go", .confirm = true, .end = DIALOG_FAILED,
     .failure = DIALOG_QUESTION, .confirmed = true},
    {.title = "a new prompt: hostname was changed",
     .turns = {LOGIN, {"hostname core2\r",
                       "hostname core2\r\nreboot required\r\ncore2> "}},
     .command = "hostname core2", .end = DIALOG_READY,
     .answer = "reboot required\n"},
};
/* clang-format on */

struct cut {   /* where a packet ends */
    size_t at; /* shown bytes before it, over all turns */
};

static void type_all(struct dialog *d, const char **want)
{
    size_t len;
    const char *out = dialog_output(d, &len);

    if (len == 0)
        return;
    assert_non_null(*want);
    assert_true(len <= strlen(*want));
    assert_memory_equal(out, *want, len);
    *want += len;
    dialog_sent(d, len);
}

static void show(struct dialog *d, const char *text, size_t *count,
                 const struct cut *cut)
{
    size_t len = strlen(text);
    size_t first =
        cut->at > *count && cut->at - *count < len ? cut->at - *count : len;

    *count += len;
    dialog_feed(d, text, first);
    if (first == len)
        return;
    dialog_feed(d, text + first, len - first);
}

static void expect_end(const struct scene *s, struct dialog *d)
{
    size_t len;
    const char *answer;

    assert_int_equal(dialog_state(d), s->end);
    assert_int_equal(dialog_was_confirmed(d), s->confirmed);
    if (s->end == DIALOG_FAILED) {
        assert_int_equal(dialog_failure(d), s->failure);
        assert_true(strlen(dialog_failure_text(d)) > 10);
    }
    if (s->answer == NULL)
        return;
    answer = dialog_answer(d, &len);
    assert_int_equal(len, strlen(s->answer));
    assert_string_equal(answer, s->answer);
}

static void play(const struct scene *s, const struct dialog_rules *rules,
                 const struct cut *cut)
{
    struct dialog d;
    size_t count = 0;
    bool given = s->command == NULL;

    dialog_init(&d, rules, 100000);
    for (size_t i = 0; i < 6; i++) {
        const struct turn *turn = &s->turns[i];
        const char *want = turn->typed;

        if (turn->shown == NULL)
            break;
        if (dialog_state(&d) == DIALOG_READY && !given) {
            given = true;
            dialog_command(&d, s->command, s->confirm);
        }
        type_all(&d, &want);
        if (want != NULL)
            assert_string_equal(want, "");
        show(&d, turn->shown, &count, cut);
        if (dialog_quiet_ms(&d) != 0)
            dialog_quiet(&d);
    }
    expect_end(s, &d);
    dialog_release(&d);
}

static size_t bytes_of(const struct scene *s)
{
    size_t n = 0;

    for (size_t i = 0; i < 6 && s->turns[i].shown != NULL; i++)
        n += strlen(s->turns[i].shown);
    return n;
}

static struct dialog_rules *rules_new(void)
{
    struct err err;
    struct dialog_rules *rules = dialog_rules_new(&dialect, &err);

    assert_non_null(rules);
    return rules;
}

static void test_scenes_cut_everywhere(void **state)
{
    struct dialog_rules *rules = rules_new();

    (void)state;
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        struct cut cut = {0};

        for (cut.at = 0; cut.at <= bytes_of(&scenes[i]); cut.at++)
            play(&scenes[i], rules, &cut);
    }
    dialog_rules_free(rules);
}

static void log_in(struct dialog *d)
{
    const char *want = "\r";

    dialog_feed(d, "cms1> ", 6);
    dialog_quiet(d);
    type_all(d, &want);
    dialog_feed(d, "\r\ncms1> ", 8);
    dialog_quiet(d);
    assert_int_equal(dialog_state(d), DIALOG_READY);
}

static void run(struct dialog *d, const char *command, bool confirm)
{
    size_t len;

    dialog_command(d, command, confirm);
    (void)dialog_output(d, &len);
    dialog_sent(d, len);
}

/* Byte by byte the prompt is seen only when it is whole, and the driver is
 * told to wait before it counts: output may hold it too. */
static void test_prompt_in_the_output(void **state)
{
    static const char shown[] = "log\r\ncms1> old line\r\ncms1> ";
    struct dialog_rules *rules = rules_new();
    struct dialog d;
    size_t len;

    (void)state;
    dialog_init(&d, rules, 1000);
    log_in(&d);
    run(&d, "log", false);
    for (size_t i = 0; i + 1 < sizeof(shown); i++) {
        dialog_feed(&d, shown + i, 1);
        assert_int_equal(dialog_state(&d), DIALOG_BUSY);
    }
    assert_int_equal(dialog_quiet_ms(&d), DIALOG_SETTLE_MS);
    dialog_quiet(&d);
    assert_string_equal(dialog_answer(&d, &len), "cms1> old line\n");
    dialog_release(&d);
    dialog_rules_free(rules);
}

/* "cms1>" without its blank is not the known prompt yet: a longer wait. */
static void test_half_a_prompt_waits_longer(void **state)
{
    struct dialog_rules *rules = rules_new();
    struct dialog d;

    (void)state;
    dialog_init(&d, rules, 1000);
    log_in(&d);
    run(&d, "x", false);
    assert_int_equal(dialog_quiet_ms(&d), 0);
    dialog_feed(&d, "x\r\ncms1", 7);
    assert_int_equal(dialog_quiet_ms(&d), 0);
    dialog_feed(&d, ">", 1);
    assert_int_equal(dialog_quiet_ms(&d), DIALOG_DOUBT_MS);
    dialog_feed(&d, " ", 1);
    assert_int_equal(dialog_quiet_ms(&d), DIALOG_SETTLE_MS);
    dialog_release(&d);
    dialog_rules_free(rules);
}

/* Where Enter is echoed, a prompt before the echo is an old one. */
static void test_late_prompt_before_the_echo(void **state)
{
    struct dialog_rules *rules = rules_new();
    struct dialog d;
    size_t len;

    (void)state;
    dialog_init(&d, rules, 1000);
    log_in(&d);
    run(&d, "x", false);
    dialog_feed(&d, "cms1> ", 6);
    assert_int_equal(dialog_quiet_ms(&d), 0);
    dialog_quiet(&d);
    assert_int_equal(dialog_state(&d), DIALOG_BUSY);
    dialog_feed(&d, "x\r\nyes\r\ncms1> ", 14);
    dialog_quiet(&d);
    assert_string_equal(dialog_answer(&d, &len), "yes\n");
    dialog_release(&d);
    dialog_rules_free(rules);
}

/* Nothing is typed before the question stands there. */
static void test_nothing_typed_too_early(void **state)
{
    static const char shown[] = "go\r\nThis is a warning\r\nAre you sur";
    struct dialog_rules *rules = rules_new();
    struct dialog d;
    size_t len;

    (void)state;
    dialog_init(&d, rules, 1000);
    log_in(&d);
    run(&d, "go", true);
    for (size_t i = 0; i + 1 < sizeof(shown); i++) {
        dialog_feed(&d, shown + i, 1);
        dialog_quiet(&d);
        (void)dialog_output(&d, &len);
        assert_int_equal(len, 0);
    }
    dialog_feed(&d, "e? (Y/n) ", 9);
    dialog_quiet(&d);
    assert_memory_equal(dialog_output(&d, &len), "Y\r", 2);
    assert_int_equal(len, 2);
    dialog_release(&d);
    dialog_rules_free(rules);
}

static void test_too_long(void **state)
{
    struct dialog_rules *rules = rules_new();
    struct dialog d;

    (void)state;
    dialog_init(&d, rules, 1000);
    log_in(&d);
    run(&d, "x", false);
    for (int i = 0; i < 1000; i++)
        dialog_feed(&d, "0123456789", 10);
    assert_int_equal(dialog_state(&d), DIALOG_FAILED);
    assert_int_equal(dialog_failure(&d), DIALOG_TOO_LONG);
    dialog_release(&d);
    dialog_rules_free(rules);
}

static void test_no_prompt_ever(void **state)
{
    struct dialog_rules *rules = rules_new();
    struct dialog d;
    size_t len;

    (void)state;
    dialog_init(&d, rules, 1000);
    for (int i = 0; i < 10 && dialog_state(&d) == DIALOG_LOGIN; i++) {
        assert_int_equal(dialog_quiet_ms(&d), DIALOG_SILENT_MS);
        dialog_quiet(&d);
        (void)dialog_output(&d, &len);
        dialog_sent(&d, len);
    }
    assert_int_equal(dialog_state(&d), DIALOG_FAILED);
    assert_int_equal(dialog_failure(&d), DIALOG_NO_PROMPT);
    dialog_release(&d);
    dialog_rules_free(rules);
}

static void test_late_lines_while_ready(void **state)
{
    struct dialog_rules *rules = rules_new();
    struct dialog d;
    size_t len;

    (void)state;
    dialog_init(&d, rules, 1000);
    log_in(&d);
    dialog_feed(&d, "Broadcast: reboot\r\ncms1> ", 25);
    run(&d, "x", false);
    dialog_feed(&d, "x\r\nyes\r\ncms1> ", 14);
    dialog_quiet(&d);
    assert_string_equal(dialog_answer(&d, &len), "yes\n");
    dialog_release(&d);
    dialog_rules_free(rules);
}

static void test_wrong_pattern_is_told(void **state)
{
    struct link_dialect wrong = dialect;
    struct err err;

    (void)state;
    wrong.question = "(unclosed";
    assert_null(dialog_rules_new(&wrong, &err));
    assert_non_null(strstr(err.text, "(unclosed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenes_cut_everywhere),
        cmocka_unit_test(test_prompt_in_the_output),
        cmocka_unit_test(test_half_a_prompt_waits_longer),
        cmocka_unit_test(test_late_prompt_before_the_echo),
        cmocka_unit_test(test_nothing_typed_too_early),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_no_prompt_ever),
        cmocka_unit_test(test_late_lines_while_ready),
        cmocka_unit_test(test_wrong_pattern_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
