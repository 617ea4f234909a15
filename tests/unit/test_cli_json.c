/* SPDX-License-Identifier: Apache-2.0
 *
 * With --json standard output holds JSON lines only, and every command,
 * refused and wrong ones too, ends with the result.
 */
#include "tests/unit/cli_capture.h"

static const char inventory[] = "[fleet]\n"
                                "state_dir = state\n"
                                "known_hosts = none-yet\n"
                                "ssh_config = none\n"
                                "user = admin\n"
                                "password = env:CERTFLEET_TEST_PASSWORD\n"
                                "connect_timeout = 2\n"
                                "retries = 0\n"
                                "[issuer dbca]\n"
                                "kind = internal\n"
                                "ca_cert = ca.crt\n"
                                "ca_key = ca.key\n"
                                "[cluster emea]\n"
                                "product = cms\n"
                                "issuer = dbca\n"
                                "[node core1]\n"
                                "cluster = emea\n"
                                "address = 127.0.0.1\n"
                                "port = 1\n" /* tcpmux: nobody listens */
                                "roles = database callbridge\n";

static int setup(void **state)
{
    if (capture_setup(state) < 0)
        return -1;
    capture_write("certfleet.ini", inventory);
    capture_write("bad.ini", "[fleet]\nstate_dir = state\nwhat = ever\n");
    capture_write("odd.pem", "nothing\n");
    return 0;
}

/* clang-format off */
static const struct {
    const char *words[8];
    int code;
    const char *outcome;
} calls[] = {
    {{NULL}, 2, "error"},
    {{"nonsense"}, 2, "error"},
    {{"--nonsense", "check"}, 2, "error"},
    {{"help"}, 0, "ok"},
    {{"help", "apply"}, 0, "ok"},
    {{"version"}, 0, "ok"},
    {{"inventory"}, 2, "error"},
    {{"inventory", "sample"}, 0, "ok"},
    {{"inventory", "check"}, 0, "ok"},
    {{"inventory", "check", "-i", "bad.ini"}, 2, "error"},
    {{"inventory", "check", "-i", "missing.ini"}, 2, "error"},
    {{"inventory", "list"}, 0, "ok"},
    {{"inventory", "list", "nobody"}, 2, "error"},
    {{"windows"}, 0, "ok"},
    {{"windows", "nobody"}, 2, "error"},
    {{"playbooks"}, 0, "ok"},
    {{"playbooks", "cms/db-rotate"}, 0, "ok"},
    {{"playbooks", "cms/db-rotat"}, 2, "error"},
    {{"runs"}, 0, "ok"},
    {{"show", "last"}, 2, "error"},
    {{"show", "-f", "2026"}, 2, "error"},
    {{"resume", "last", "--yes"}, 2, "error"},
    {{"rollback", "last", "--yes"}, 2, "error"},
    {{"unlock", "emea"}, 2, "error"},
    {{"unlock", "emea", "--run", "last"}, 2, "error"},
    {{"apply"}, 2, "error"},
    {{"apply", "cms/db-rotate", "nobody", "--yes"}, 2, "error"},
    {{"apply", "cms/db-rotate", "core1", "--yes"}, 2, "error"},
    {{"apply", "cms/db-rotate", "emea", "what=1", "--yes"}, 2, "error"},
    {{"apply", "cms/db-rotate", "emea", "--until", "noon"}, 2, "error"},
    {{"apply", "--plan", "missing.plan"}, 2, "error"},
    {{"apply", "--plan", "odd.pem", "--yes"}, 2, "error"},
    {{"apply", "cms/db-rotate", "emea"}, 5, "refused"},
    {{"apply", "cms/db-rotate", "emea", "--yes"}, 5, "refused"},
    {{"plan", "cms/db-rotate", "emea"}, 5, "refused"},
    {{"prune", "emea"}, 5, "refused"},
    {{"prune", "nobody", "--yes"}, 2, "error"},
    {{"check"}, 3, "due"},
    {{"check", "core1"}, 3, "due"},
    {{"check", "nobody"}, 2, "error"},
    {{"pki", "inspect", "odd.pem"}, 2, "error"},
    {{"pki", "inspect", "missing"}, 2, "error"},
    {{"pki", "match", "odd.pem", "odd.pem"}, 2, "error"},
    {{"pki", "verify", "odd.pem", "odd.pem"}, 2, "error"},
    {{"pki", "lint", "odd.pem"}, 1, "error"},
    {{"pki", "csr", "x"}, 2, "error"},
};
/* clang-format on */

static void test_every_call_ends_with_a_result(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        const char *words[10] = {"--json"};
        json_t *result;

        memcpy(words + 1, calls[i].words, sizeof(calls[i].words));
        capture_run(words);
        if (capture.code != calls[i].code)
            fail_msg("call %zu (%s): exit %d\n%s%s", i,
                     calls[i].words[0] ? calls[i].words[0] : "", capture.code,
                     capture.out, capture.err);
        result = capture_result();
        assert_string_equal(
            json_string_value(json_object_get(result, "outcome")),
            calls[i].outcome);
        json_decref(result);
        assert_null(strstr(capture.out, "hunter2"));
        assert_null(strstr(capture.err, "hunter2"));
    }
}

static void test_without_json_the_code_is_the_same(void **state)
{
    (void)state;
    remove_tree("state");
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_equal(capture_run(calls[i].words), calls[i].code);
        if (capture.code == 2)
            assert_says(capture.err,
                        calls[i].words[0] ? "certfleet: error:" : "usage:");
    }
}

/* The line to type next works as it stands. */
static void test_next_names_the_inventory(void **state)
{
    json_t *result;

    (void)state;
    assert_int_equal(CERTFLEET("--json", "-i", "certfleet.ini", "apply",
                               "cms/db-rotate", "emea"),
                     5);
    result = capture_result();
    assert_string_equal(json_string_value(json_object_get(result, "next")),
                        "certfleet --json -i certfleet.ini apply "
                        "cms/db-rotate emea --yes");
    json_decref(result);
    assert_int_equal(CERTFLEET("-i", "certfleet.ini", "show", "0000"), 2);
    assert_says(capture.err, "next: certfleet -i certfleet.ini runs\n");
}

static void test_a_refused_run_is_kept(void **state)
{
    json_t *result;
    const char *run;

    (void)state;
    assert_int_equal(
        CERTFLEET("apply", "cms/db-rotate", "emea", "--yes", "--json"), 5);
    result = capture_result();
    run = json_string_value(json_object_get(result, "run"));
    assert_non_null(run);
    assert_says(capture.out, "\"event\":\"run-started\"");
    assert_says(capture.out, "\"cluster\":\"emea\"");
    assert_int_equal(CERTFLEET("runs"), 0);
    assert_says(capture.out, run);
    assert_says(capture.out, "refused");
    assert_int_equal(CERTFLEET("show", run), 0);
    assert_says(capture.out, "gates");
    assert_int_equal(CERTFLEET("show", "-f", "last"), 5);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call_ends_with_a_result),
        cmocka_unit_test(test_without_json_the_code_is_the_same),
        cmocka_unit_test(test_next_names_the_inventory),
        cmocka_unit_test(test_a_refused_run_is_kept),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
