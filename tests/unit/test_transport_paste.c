/* SPDX-License-Identifier: Apache-2.0
 *
 * The shell of a VOS appliance (facts/uc.md 1.1): a start that takes its time,
 * a prompt that comes twice, answers of a command's own, a text to paste.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/dialog.h"

static const struct link_dialect dialect = {
    .prompt = "(^|\n)admin:$",
    .question = "\\(yes[/|]no\\)\\?",
    .answer = "yes",
    .paste = "paste the certificate",
    .start_ms = 60000,
};

static struct dialog_rules *rules;
static struct dialog d;

static int setup(void **state)
{
    struct err err;

    (void)state;
    rules = dialog_rules_new(&dialect, &err);
    assert_non_null(rules);
    dialog_init(&d, rules, 100000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dialog_release(&d);
    dialog_rules_free(rules);
    return 0;
}

static void show(const char *text)
{
    dialog_feed(&d, text, strlen(text));
}

static void typed(const char *want)
{
    size_t len;
    const char *text = dialog_output(&d, &len);

    assert_int_equal(len, strlen(want));
    assert_memory_equal(text, want, len);
    dialog_sent(&d, len);
}

static void log_in(void)
{
    show("admin:");
    dialog_quiet(&d);
    typed("\r");
    show("\r\nadmin:");
    dialog_quiet(&d);
    assert_int_equal(dialog_state(&d), DIALOG_READY);
}

static void begin(const char *command, bool confirm)
{
    dialog_command(&d, command, confirm);
    dialog_sent(&d, strlen(command) + 1);
    show(command);
    show("\r\n");
}

static void test_slow_start(void **state)
{
    (void)state;
    show("Command Line Interface is starting up, please wait ...\r\n");
    for (int i = 0; i < 12; i++) { /* more than other shells are given */
        assert_int_equal(dialog_quiet_ms(&d), DIALOG_SILENT_MS);
        dialog_quiet(&d);
        typed("\r");
    }
    show("\r\n   Welcome to the Platform Command Line Interface\r\n\r\n");
    for (int i = 0; i < 12; i++) /* what was typed ahead */
        show("admin:\r\n");
    show("\radmin:");
    dialog_quiet(&d);
    typed("\r");
    show("\r\nadmin:");
    dialog_quiet(&d);
    assert_int_equal(dialog_state(&d), DIALOG_READY);
}

static void test_never_started(void **state)
{
    int n = 0;

    (void)state;
    for (; dialog_state(&d) == DIALOG_LOGIN && n < 100; n++) {
        dialog_quiet(&d);
        dialog_sent(&d, 1);
    }
    assert_int_equal(n, dialect.start_ms / DIALOG_SILENT_MS + 1);
    assert_int_equal(dialog_failure(&d), DIALOG_NO_PROMPT);
}

static void test_prompt_comes_twice(void **state)
{
    size_t len;

    (void)state;
    log_in();
    begin("show myself", false);
    show("one\r\nadmin: is no prompt here\r\nadmin:\r\n\radmin:");
    dialog_quiet(&d);
    assert_string_equal(dialog_answer(&d, &len),
                        "one\nadmin: is no prompt here\n");
}

static void test_own_answer(void **state)
{
    (void)state;
    log_in();
    dialog_offer(&d, "no", NULL);
    begin("set csr gen tomcat", true);
    show("Include OU in CSR (yes|no)?");
    dialog_quiet(&d);
    typed("no\r");
    show("no\r\nSuccessfully Generated CSR  for tomcat\r\nadmin:");
    dialog_quiet(&d);
    assert_true(dialog_was_confirmed(&d));
    begin("utils system restart", true); /* the offer was for one command */
    show("Enter (yes/no)? ");
    dialog_quiet(&d);
    typed("yes\r");
}

static void test_paste(void **state)
{
    (void)state;
    log_in();
    dialog_offer(&d, NULL, "-----BEGIN\nMII\n-----END\n");
    begin("set cert import own tomcat", false);
    show("Paste the Certificate and Hit Enter\r\n");
    assert_int_equal(dialog_quiet_ms(&d), DIALOG_ASKED_MS);
    dialog_quiet(&d);
    typed("-----BEGIN\r");
    show("-----BEG");
    typed("");
    show("IN\r\n"); /* shown: the next at once */
    typed("MII\r");
    assert_int_equal(dialog_quiet_ms(&d), DIALOG_ASKED_MS);
    dialog_quiet(&d); /* not shown: the next when it is quiet */
    typed("-----END\r");
    show("-----END\r\n");
    typed("\r");
    show("\r\nSuccessfully imported certificate for tomcat.\r\nadmin:");
    typed("");
    dialog_quiet(&d);
    assert_int_equal(dialog_state(&d), DIALOG_READY);
}

/* A node that takes back what it has shown. */
static void test_paste_over_backspaces(void **state)
{
    (void)state;
    log_in();
    dialog_offer(&d, NULL, "-----BEGIN\n-----END\n");
    begin("set cert import own tomcat", false);
    show("Paste the Certificate and Hit Enter:");
    dialog_quiet(&d);
    typed("-----BEGIN\r");
    show("\b\b\b\b\b\b\b\b");
    typed("");
    show("\r\n");
    dialog_quiet(&d);
    typed("-----END\r");
}

static void test_nothing_to_paste(void **state)
{
    (void)state;
    log_in();
    begin("set cert import own tomcat", true);
    show("Paste the Certificate and Hit Enter\r\n");
    assert_int_equal(dialog_quiet_ms(&d), DIALOG_STUCK_MS);
    dialog_quiet(&d);
    assert_int_equal(dialog_failure(&d), DIALOG_QUESTION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slow_start),
        TEST(test_never_started),
        TEST(test_prompt_comes_twice),
        TEST(test_own_answer),
        TEST(test_paste),
        TEST(test_paste_over_backspaces),
        TEST(test_nothing_to_paste),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
