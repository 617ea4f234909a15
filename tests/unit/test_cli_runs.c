/* SPDX-License-Identifier: Apache-2.0
 *
 * `runs', `show', `show -f' and `unlock' over a store that a test filled: a
 * living run, a dead one, records of kinds that nobody knows.
 */
#include <sys/wait.h>

#include "tests/unit/cli_store.h"

static const char inventory[] = "[fleet]\n"
                                "state_dir = state\n"
                                "ssh_config = none\n"
                                "[cluster emea]\n"
                                "product = cms\n";
enum {
    ID_BYTES = STORE_ID_BYTES
};

/* A run with a few records; it ends with `outcome`, or not at all. */
static void make_run(const char *id, const char *cluster, const char *outcome,
                     int code)
{
    const struct store_run run = {.id = id,
                                  .playbook = "cms/db-rotate",
                                  .target = cluster,
                                  .inputs = "{\"primary\":\"core1\"}"};
    struct store_record r = {
        .run = id, .cluster = cluster, .node = "core1", .step = "join"};
    struct cli_store s;

    cli_store_begin(&s, &run);
    r.kind = "cell";
    r.data = "{\"from\":\"pending\",\"event\":\"start\",\"to\":\"check\","
             "\"walk\":\"forward\",\"tries\":0}";
    cli_store_put(&s, &r);
    r.data = "{\"from\":\"check\",\"event\":\"open\",\"to\":\"apply\","
             "\"walk\":\"forward\",\"acts\":[\"database cluster join a\"]}";
    cli_store_put(&s, &r);
    r.data = "{\"from\":\"verify\",\"event\":\"error\",\"to\":\"failed\","
             "\"walk\":\"forward\",\"detail\":\"no \\u001b[31mway\"}";
    cli_store_put(&s, &r);
    r.step = NULL;
    r.kind = "weather";
    r.data = "{\"rain\":true,\"list\":[{\"deep\":1}]}";
    cli_store_put(&s, &r);
    cli_store_end(&s, id, outcome, code);
}

/* What an apply writes that an auditor asks for. */
static void make_audited(const char *id)
{
    static const char *const cluster = "emea";
    const struct store_run run = {
        .id = id, .playbook = "p", .target = cluster, .inputs = "{}"};
    struct store_record r = {.run = id, .kind = "go"};
    struct cli_store s;

    setenv("SSH_CONNECTION", "192.0.2.7\033 1 192.0.2.1 22", 1);
    cli_store_begin(&s, &run);
    r.data = "{\"mode\":\"apply\",\"plan_sha256\":\"dddd\"}";
    cli_store_put(&s, &r);
    r.cluster = cluster;
    r.kind = "plan";
    r.data = "{\"nodes\":[{\"node\":\"core1\",\"old\":["
             "{\"slot\":\"server_key\",\"name\":\"k\",\"sha256\":\"cccc\"},"
             "{\"slot\":\"server_crt\",\"name\":\"old.cer\","
             "\"sha256\":\"eeee\",\"cert_sha256\":\"aaaa\"}]}]}";
    cli_store_put(&s, &r);
    r.kind = "generation";
    r.data = "{\"files\":[{\"slot\":\"server_crt\",\"name\":\"new.crt\","
             "\"sha256\":\"ffff\",\"cert_sha256\":\"bbbb\"}]}";
    cli_store_put(&s, &r);
    cli_store_end(&s, id, "done", 0);
    unsetenv("SSH_CONNECTION");
}

static int setup(void **state)
{
    if (capture_setup(state) < 0)
        return -1;
    capture_write("certfleet.ini", inventory);
    return 0;
}

static void test_an_empty_history(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("runs"), 0);
    assert_says(capture.out, "no runs yet");
    assert_int_equal(CERTFLEET("runs", "--json"), 0);
    json_decref(capture_result());
}

static void test_runs_and_show(void **state)
{
    (void)state;
    make_run("20260101T000000Z-0001", "emea", "done", 0);
    assert_int_equal(CERTFLEET("runs"), 0);
    assert_says(capture.out, "20260101T000000Z-0001");
    assert_says(capture.out, "done");
    assert_int_equal(CERTFLEET("show", "2026"), 0);
    assert_says(capture.out, "outcome   done, exit 0");
    assert_says(capture.out, "{\"primary\":\"core1\"}");
    assert_says(capture.out, "join");
    assert_says(capture.out, "failed");
    assert_says(capture.out, "no \\x1b[31mway");
    assert_says(capture.out, "weather: rain=true list=(1)");
    assert_null(strstr(capture.out, "check -> apply"));
    assert_int_equal(CERTFLEET("show", "2026", "-v"), 0);
    assert_says(capture.out, "check -> apply (open): database cluster join a");
    assert_null(strchr(capture.out, '\033'));
}

/* Without these records, as older programs left it, and with all of them. */
static void test_who_and_which(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("show", "last"), 0);
    assert_says(capture.out, "none was agreed to");
    assert_says(capture.out, "no certificate is recorded");
    make_audited("20260102T000000Z-0009");
    assert_int_equal(CERTFLEET("show", "last"), 0);
    assert_says(capture.out, "192.0.2.7\\x1b");
    assert_says(capture.out, "apply ");
    assert_says(capture.out, "dddd");
    assert_says(capture.out, "old  aaaa                   old.cer");
    assert_says(capture.out, "new  bbbb                   new.crt");
    assert_null(strstr(capture.out, "cccc"));
    assert_null(strchr(capture.out, '\033'));
    assert_int_equal(CERTFLEET("--json", "show", "last"), 0);
    assert_says(capture.out, "\"plan_sha256\":\"dddd\"");
    assert_says(capture.out, "\"slot\":\"server_crt\"");
    assert_null(strstr(capture.out, "\"slot\":\"server_key\",\"old\""));
}

static void test_json_shows_every_record(void **state)
{
    json_t *result;

    (void)state;
    assert_int_equal(CERTFLEET("--json", "show", "last"), 0);
    result = capture_result();
    assert_string_equal(json_string_value(json_object_get(result, "run")),
                        "20260101T000000Z-0001");
    assert_says(capture.out, "\"kind\":\"weather\"");
    assert_says(capture.out, "\"to\":\"apply\"");
    assert_says(capture.out, "\"event\":\"run\"");
    json_decref(result);
}

/* The exit code of -f is the run's. */
static void test_follow_an_ended_run(void **state)
{
    (void)state;
    make_run("20260202T000000Z-0002", "apac", "incomplete", 4);
    assert_int_equal(CERTFLEET("show", "-f", "20260202"), 4);
    assert_says(capture.out, "check -> apply");
}

/* Its process is gone: nothing more will come; the next command is said. */
static void test_a_dead_run_is_not_followed_for_ever(void **state)
{
    (void)state;
    make_run("20260303T000000Z-0003", "emea", NULL, 0);
    assert_int_equal(CERTFLEET("show", "-f", "last"), 4);
    assert_says(capture.err, "next: certfleet resume 20260303T000000Z-0003");
    assert_int_equal(CERTFLEET("runs"), 0);
    assert_says(capture.out, "cut off");
    assert_says(capture.out, "holds its clusters");
}

static void test_follow_a_living_run_to_its_end(void **state)
{
    int ready[2], go[2];
    char byte = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid = fork();
    if (pid == 0) {
        const struct store_run run = {.id = "20260404T000000Z-0004",
                                      .playbook = "p",
                                      .target = "x",
                                      .inputs = "{}"};
        struct cli_store s;

        cli_store_begin(&s, &run);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        /* the follower has begun when the parent is in app_main; how long
         * that takes does not matter: before or after, it sees the end */
        if (read(go[0], &byte, 1) != 1)
            _exit(1);
        cli_store_end(&s, run.id, "done", 0);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(CERTFLEET("runs"), 0);
    assert_says(capture.out, "running");
    assert_int_equal(CERTFLEET("unlock", "x", "--run", "last"), 6);
    assert_says(capture.err, "next: certfleet show -f 20260404T000000Z-0004");
    assert_int_equal(write(go[1], "g", 1), 1);
    assert_int_equal(CERTFLEET("show", "-f", "last"), 0);
    assert_says(capture.out, "outcome=done");
    waitpid(pid, NULL, 0);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

static void test_unlock_a_dead_run(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("unlock", "emea"), 2);
    assert_says(capture.err, "--run");
    assert_int_equal(CERTFLEET("unlock", "emea", "--run", "20260101"), 2);
    assert_int_equal(CERTFLEET("unlock", "emea", "--run", "20260303"), 0);
    assert_says(capture.out, "abandoned");
    assert_int_equal(CERTFLEET("unlock", "emea", "--run", "20260303"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_history),
        cmocka_unit_test(test_runs_and_show),
        cmocka_unit_test(test_json_shows_every_record),
        cmocka_unit_test(test_who_and_which),
        cmocka_unit_test(test_follow_an_ended_run),
        cmocka_unit_test(test_a_dead_run_is_not_followed_for_ever),
        cmocka_unit_test(test_follow_a_living_run_to_its_end),
        cmocka_unit_test(test_unlock_a_dead_run),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
