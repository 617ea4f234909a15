/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables say everything, help fits a terminal, and the manual page in
 * docs/ is the one that the tables make.
 */
#include <ctype.h>

#include "cli/help.h"
#include "tests/unit/cli_capture.h"

static char source_root[4096];

static void find_root(void)
{
    const char *end = strstr(__FILE__, "/tests/unit/");

    assert_non_null(end);
    snprintf(source_root, sizeof(source_root), "%.*s", (int)(end - __FILE__),
             __FILE__);
}

static void test_manpage_is_current(void **state)
{
    static char page[1 << 18];
    char path[sizeof(source_root) + 32];
    struct str made;

    (void)state;
    find_root();
    snprintf(path, sizeof(path), "%s/docs/certfleet.1", source_root);
    capture_read(path, page, sizeof(page));
    str_init(&made, sizeof(page));
    help_manpage(&made);
    if (strcmp(page, str_text(&made)) != 0)
        fail_msg("docs/certfleet.1 is stale: "
                 "certfleet help --man > docs/certfleet.1");
    str_release(&made);
}

static void check_row(const struct command *group, const struct command *c,
                      uint64_t *used)
{
    assert_non_null(c->name);
    assert_non_null(c->synopsis);
    assert_non_null(c->summary);
    assert_true(strlen(c->summary) < 64);
    assert_true(c->summary[strlen(c->summary) - 1] != '.');
    assert_true((c->run != NULL) != (c->subs != NULL));
    assert_true(c->min_words <= c->max_words || c->subs);
    assert_true((c->options & (OPT_BIT(OPT_GLOBALS) - 1)) == 0);
    if (c->run && strcmp(c->name, "version") != 0) {
        assert_non_null(c->examples);
        assert_says(c->examples, group ? group->name : c->name);
    }
    *used |= c->options;
}

static void test_rows_are_complete(void **state)
{
    uint64_t used = OPT_BIT(OPT_GLOBALS) - 1;

    (void)state;
    for (const struct command *c = commands; c->name; c++) {
        check_row(NULL, c, &used);
        for (const struct command *s = c->subs; s && s->name; s++)
            check_row(c, s, &used);
    }
    assert_int_equal(used, OPT_BIT(OPT_COUNT) - 1); /* no idle option */
    for (int i = 0; i < OPT_COUNT; i++) {
        assert_non_null(option_rows[i].name);
        assert_non_null(option_rows[i].help);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(option_rows[i].name, option_rows[k].name);
            assert_true(!option_rows[i].letter ||
                        option_rows[i].letter != option_rows[k].letter);
        }
    }
}

/* contract: these commands stay */
static void test_contract_commands_exist(void **state)
{
    static const char *const names[] = {
        "inventory", "check",    "playbooks", "plan", "apply",
        "resume",    "rollback", "runs",      "show", "pki",
        "prune",     "unlock",   "version",   "help", "audit",
    };
    static const char *const pki[] = {
        "inspect",    "match", "verify",    "csr",
        "selfsigned", "sign",  "normalize", "lint",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_non_null(command_find(commands, names[i]));
    for (size_t i = 0; i < sizeof(pki) / sizeof(pki[0]); i++)
        assert_non_null(
            command_find(command_find(commands, "pki")->subs, pki[i]));
}

static void check_width(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        bool words = memchr(text, '|', len) || memchr(text, '=', len) ||
                     strncmp(text, "usage:", 6) == 0 ||
                     strncmp(text, "  certfleet", 11) == 0;

        if (len > 79 && !words)
            fail_msg("%zu columns: %.*s", len, (int)len, text);
        assert_false(len > 0 && isblank((unsigned char)text[len - 1]));
        text += len + (text[len] == '\n');
    }
}

static void test_help_fits_a_terminal(void **state)
{
    struct str text;

    (void)state;
    str_init(&text, 1 << 18);
    help_overview(&text);
    check_width(str_text(&text));
    for (const struct command *c = commands; c->name; c++) {
        assert_says(str_text(&text), c->name);
        for (const struct command *s = c->subs; s && s->name; s++) {
            struct str one;
            str_init(&one, 1 << 16);
            help_command(c, s, &one);
            check_width(str_text(&one));
            str_release(&one);
        }
    }
    str_release(&text);
}

static void test_fill_keeps_what_begins_with_a_blank(void **state)
{
    struct str out;

    (void)state;
    str_init(&out, 1000);
    help_fill(&out, "one two\n   three   four\nfive", 2);
    assert_string_equal(str_text(&out),
                        "  one two\n     three   four\n  five\n");
    str_release(&out);
}

static void test_exits_have_outcomes(void **state)
{
    static const int codes[] = {0, 1, 2, 3, 4, 5, 6, 130};
    size_t n = 0;

    (void)state;
    for (const struct exit_row *row = exit_rows; row->meaning; row++)
        assert_int_equal(row->code, codes[n++]);
    assert_int_equal(n, sizeof(codes) / sizeof(codes[0]));
}

static void test_help_commands(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("help"), 0);
    assert_says(capture.out, "exit codes:");
    assert_int_equal(CERTFLEET("help", "pki", "csr"), 0);
    assert_says(capture.out, "subjectAltName");
    assert_int_equal(CERTFLEET("apply", "--help"), 0);
    assert_says(capture.out, "--keep-going");
    assert_int_equal(CERTFLEET("pki", "--help"), 0);
    assert_says(capture.out, "normalize");
    assert_int_equal(CERTFLEET("help", "aply"), 2);
    assert_says(capture.err, "`apply'");
    assert_int_equal(CERTFLEET("--version"), 0);
    assert_says(capture.out, "libssh");
}

static int setup(void **state)
{
    return capture_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manpage_is_current),
        cmocka_unit_test(test_rows_are_complete),
        cmocka_unit_test(test_contract_commands_exist),
        cmocka_unit_test(test_help_fits_a_terminal),
        cmocka_unit_test(test_fill_keeps_what_begins_with_a_blank),
        cmocka_unit_test(test_exits_have_outcomes),
        cmocka_unit_test(test_help_commands),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
