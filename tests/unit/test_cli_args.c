/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the command line: options anywhere, `--', what comes nearest.
 */
#include "cli/args.h"
#include "tests/unit/cli_capture.h"

static struct args args;
static struct err err;

static int read_words(const char *const *words)
{
    char *argv[32] = {(char *)(uintptr_t) "certfleet"};
    int argc = 1;

    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    err_reset(&err);
    return args_read(&args, commands, argc, argv, &err);
}
#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})

static void test_globals_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(READ("-i", "a.ini", "check", "--json", "emea", "-vv"), 0);
    assert_string_equal(args.command->name, "check");
    assert_string_equal(args.value[OPT_INVENTORY], "a.ini");
    assert_true(args_has(&args, OPT_JSON));
    assert_int_equal(args.count[OPT_VERBOSE], 2);
    assert_int_equal(args.n_words, 1);
    assert_string_equal(args.words[0], "emea");
    args_release(&args);
    assert_int_equal(READ("--inventory=b.ini", "-qib.ini", "runs"), 0);
    assert_string_equal(args.value[OPT_INVENTORY], "b.ini");
    assert_true(args_has(&args, OPT_QUIET));
    args_release(&args);
}

static void test_two_dashes_end_options(void **state)
{
    (void)state;
    assert_int_equal(READ("check", "--", "--json"), 0);
    assert_false(args_has(&args, OPT_JSON));
    assert_string_equal(args.words[0], "--json");
    args_release(&args);
}

static void test_accept_is_repeated(void **state)
{
    (void)state;
    assert_int_equal(READ("apply", "p", "t", "--accept", "a", "--accept=b"), 0);
    assert_int_equal(args.n_accepted, 2);
    assert_string_equal(args.accepted[1], "b");
    assert_null(args.accepted[2]);
    args_release(&args);
}

static void test_groups_have_commands(void **state)
{
    (void)state;
    assert_int_equal(READ("pki", "match", "a", "b"), 0);
    assert_string_equal(args.group->name, "pki");
    assert_string_equal(args.command->name, "match");
    assert_int_equal(args.n_words, 2);
    args_release(&args);
    assert_int_equal(READ("pki"), -1);
    assert_says(err.text, "inspect|match");
    args_release(&args);
}

/* clang-format off */
static const struct {
    const char *words[6];
    const char *says;
} wrong[] = {
    {{"aply"}, "did you mean `apply'"},
    {{"check", "--jsno"}, "did you mean `json'"},
    {{"check", "-Z"}, "-Z"},
    {{"check", "--yes"}, "`check' has no option --yes"},
    {{"pki", "lint", "f", "--yes"}, "`pki lint' has no option --yes"},
    {{"pki", "mach"}, "did you mean `match'"},
    {{"runs", "too"}, "`too' is too much"},
    {{"show"}, "something is missing"},
    {{"check", "-i"}, "-i needs a value"},
    {{"check", "--json=x"}, "takes no value"},
    {{"check", "--color", "blue"}, "auto|always|never"},
    {{"check", "--color", "auto|always"}, "auto|always|never"},
    {{"apply", "p", "t", "--on-failure=x"}, "rollback|hold"},
};
/* clang-format on */

static void test_wrong_use_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(read_words(wrong[i].words), -1);
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_says(err.text, wrong[i].says);
        args_release(&args);
    }
}

static void test_json_is_seen_beside_a_fault(void **state)
{
    (void)state;
    assert_int_equal(READ("--wrong", "nothing", "--json"), -1);
    assert_true(args_has(&args, OPT_JSON));
    assert_says(err.text, "--wrong");
    args_release(&args);
}

static void test_inputs_are_told_from_targets(void **state)
{
    const char *words[] = {"emea", "primary=core1", "apac", "x=", NULL};
    const char **plain, **inputs;

    (void)state;
    args_split_inputs(words, &plain, &inputs);
    assert_string_equal(plain[0], "emea");
    assert_string_equal(plain[1], "apac");
    assert_null(plain[2]);
    assert_string_equal(inputs[0], "primary=core1");
    assert_string_equal(inputs[1], "x=");
    assert_null(inputs[2]);
    free(plain);
    free(inputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globals_stand_anywhere),
        cmocka_unit_test(test_two_dashes_end_options),
        cmocka_unit_test(test_accept_is_repeated),
        cmocka_unit_test(test_groups_have_commands),
        cmocka_unit_test(test_wrong_use_is_named),
        cmocka_unit_test(test_json_is_seen_beside_a_fault),
        cmocka_unit_test(test_inputs_are_told_from_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
