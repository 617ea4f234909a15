/* SPDX-License-Identifier: Apache-2.0
 *
 * Files, faults, power and logins of the lab, by OpenSSH's clients.
 */
#include "tests/lab/test_parts.h"

static int compare(struct rig *rig, const char *a, const char *b)
{
    char one[128], two[128];
    const char *const argv[] = {"cmp", "-s", one, two, NULL};

    snprintf(one, sizeof(one), "%s/%s", rig->dir, a);
    snprintf(two, sizeof(two), "%s/%s", rig->dir, b);
    return rig_run(argv);
}

/* -- files ----------------------------------------------------------------- */

static void test_files(void **state)
{
    struct rig *rig = start("1+0", NULL);
    char batch[512];

    (void)state;
    assert_int_equal(rig_sftp(rig, 1, "mkdir a\n"), 1);
    snprintf(batch, sizeof(batch), "put %s/lab.ini bad_name.cer\n", rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    snprintf(batch, sizeof(batch), "put %s/lab.ini good-1.cer\nls -l\n",
             rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    snprintf(batch, sizeof(batch), "get good-1.cer %s/back\n", rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    assert_int_equal(compare(rig, "back", "lab.ini"), 0);
    assert_int_equal(rig_sftp(rig, 1, "rename good-1.cer good-2.cer\n"), 0);
    assert_int_equal(rig_sftp(rig, 1, "rm good-2.cer\n"), 0);
    assert_true(rig_do(rig, "set core1 disk_bytes 3000"));
    snprintf(batch, sizeof(batch),
             "put %s/id_ed25519.pub full.cer\n"
             "put %s/lab.ini fuller.cer\n"
             "put %s/known_hosts fullest.cer\n",
             rig->dir, rig->dir, rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    stop(rig, NULL, 0);
}

static void test_file_faults(void **state)
{
    struct rig *rig = start("1+0", NULL);
    char batch[512];

    (void)state;
    snprintf(batch, sizeof(batch), "put %s/lab.ini good.cer\n", rig->dir);
    assert_true(rig_do(rig, "inject core1 sftp-drop-before 'write good*'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 255);
    assert_true(rig_do(rig, "inject core1 sftp-fail 'open good*'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    assert_true(rig_do(rig, "inject core1 disk-full 'write *'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    assert_true(rig_do(rig, "inject core1 sftp-slow 'open *' ms=50"));
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    assert_true(rig_do(rig, "inject core1 corrupt 'write *'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    snprintf(batch, sizeof(batch), "get good.cer %s/back\n", rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    assert_int_equal(compare(rig, "back", "lab.ini"), 1);
    stop(rig, NULL, 0);
}

/* -- faults of commands ---------------------------------------------------- */

static void test_command_faults(void **state)
{
    struct rig *rig = start("3+0", NULL);

    (void)state;
    assert_true(rig_do(rig, "inject core1 drop-before version"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_int_equal(code_of(rig, 1, "version"), 0);
    assert_true(rig_do(rig, "inject core1 fail version nth=2"));
    assert_true(prints(rig, 1, "version", "3.9"));
    assert_true(prints(rig, 1, "version", "FAILURE: "));
    assert_true(rig_do(rig, "inject core1 prompt-inside '*status'"));
    assert_true(prints(rig, 1, "database cluster status", "core1> help"));
    assert_true(rig_do(rig, "inject core1 channel-refused session"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "inject core1 refuse"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "inject core1 auth-lost"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "inject core1 slow version ms=300"));
    assert_true(prints(rig, 1, "version", "3.9"));
    assert_true(rig_do(rig, "set core1 trickle 3"));
    assert_true(prints(rig, 1, "database cluster status", "Last command"));
    assert_true(rig_do(rig, "inject core2 fail-async '*remove'"));
    say_yes(rig, 2, "database cluster remove", "started");
    assert_true(rig_do(rig, "wait core2 command '*remove' failed"));
    assert_true(is(rig, "node core2", "role", "replica"));
    stop(rig, NULL, 0);
}

/* One fault waits for another; what is cut off looks whole. */
static void test_faults_in_turn(void **state)
{
    struct rig *rig = start("1+0", NULL);

    (void)state;
    assert_true(rig_do(rig, "inject core1 drop-before version"));
    assert_true(rig_do(rig, "inject core1 other-host-key after=1"));
    assert_int_equal(code_of(rig, 1, "hostname"), 0);
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_int_equal(code_of(rig, 1, "version"), 0);
    assert_true(rig_do(rig, "inject core1 channel-refused 'exec vers*'"));
    assert_int_equal(code_of(rig, 1, "hostname"), 0);
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "inject core1 torn 'database cluster status'"));
    assert_int_equal(code_of(rig, 1, "database cluster status"), 0);
    assert_true(rig_do(rig, "inject core1 torn 'database cluster status'"));
    assert_false(prints(rig, 1, "database cluster status", "Last command"));
    assert_true(prints(rig, 1, "database cluster status", "Last command"));
    stop(rig, NULL, 0);
}

static void test_hold_and_during(void **state)
{
    struct rig *rig = start("3+0", NULL);
    char *text;
    int status;
    pid_t pid;

    (void)state;
    assert_true(rig_do(rig, "hold core2 before 'database cluster remove'"));
    pid = fork();
    if (pid == 0) {
        text = rig_dialog(rig, 2, "database cluster remove", "Y");
        _exit(strstr(text, "started") ? 0 : 1);
    }
    assert_true(rig_do(rig, "wait held 1"));
    assert_true(is(rig, "node core2", "role", "replica"));
    assert_true(rig_do(rig, "release 1"));
    waitpid(pid, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 0);
    wait_done(rig, "core2", "remove");

    /* taken and acted on, but nobody hears of it */
    assert_true(rig_do(rig, "inject core3 drop-during '*remove'"));
    free(rig_dialog(rig, 3, "database cluster remove", "Y"));
    wait_done(rig, "core3", "remove");
    assert_true(is(rig, "node core3", "role", "standalone"));
    assert_true(rig_do(rig, "foreign core2 'database cluster join 1.2.3.4'"));
    assert_true(rig_do(rig, "wait core2 command '*join*' failed"));
    stop(rig, "I2", 1);
}

/* Each way of losing an answer: what was sent, what was done. */
static void test_lost_answers(void **state)
{
    static const struct {
        const char *kind, *role;
    } rows[] = {
        {"drop-before", "replica"},   {"drop-asked", "replica"},
        {"reboot-before", "replica"}, {"drop-during", "standalone"},
        {"drop-half", "standalone"},  {"drop-after", "standalone"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = start("3+0", NULL);
        bool done = strcmp(rows[i].role, "standalone") == 0;
        assert_true(
            rig_do(rig, "inject core2 %s '*remove' ms=50", rows[i].kind));
        free(rig_dialog(rig, 2, "database cluster remove", "Y"));
        assert_true(rig_do(rig, "wait fault 1"));
        if (done)
            wait_done(rig, "core2", "remove");
        assert_true(rig_do(rig, "wait core2 up true"));
        assert_true(is(rig, "node core2", "role", rows[i].role));
        stop(rig, NULL, 0);
    }
}

static void test_odd_terminals(void **state)
{
    struct rig *rig = start("3+0", "banner=a > b> \\nc> ");
    json_t *verdict = NULL;
    char *text;

    (void)state;
    assert_true(rig_do(rig, "set core1 prompt_split 1"));
    text = rig_dialog(rig, 1, "version", NULL);
    assert_non_null(strstr(text, "a > b> "));
    assert_non_null(strstr(text, "3.9"));
    free(text);
    assert_true(rig_do(rig, "inject core1 garble version"));
    text = rig_dialog(rig, 1, "version", NULL);
    assert_null(strstr(text, "3.9\r\n"));
    free(text);
    assert_true(rig_do(rig, "set core1 channel_gap_ms 60000"));
    assert_true(prints(rig, 1, "version", "3.9")); /* a connection of its own */
    /* an answer before the question is taken, and told */
    assert_true(rig_do(rig, "inject core2 slow-login ms=50"));
    text = rig_dialog(rig, 2, "database cluster remove\rY", NULL);
    free(text);
    wait_done(rig, "core2", "remove");
    assert_int_equal(rig_stop(rig, &verdict), 0);
    assert_int_equal(violations(verdict, "early"), 1);
    json_decref(verdict);
}

/* -- power ----------------------------------------------------------------- */

static void test_power(void **state)
{
    struct rig *rig = start("3+0", "remove_ms=30000");

    (void)state;
    assert_true(rig_do(rig, "down core1"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "wait lab primary core[23]"));
    assert_true(rig_do(rig, "up core1"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    assert_true(is(rig, "node core1", "role", "replica"));
    assert_true(rig_do(rig, "move-primary core1"));
    assert_true(rig_do(rig, "wait lab primary core1"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    assert_true(rig_do(rig, "down core2"));
    assert_true(rig_do(rig, "down core3"));
    assert_true(rig_do(rig, "wait lab primaries 0"));
    assert_true(rig_do(rig, "up core2"));
    assert_true(rig_do(rig, "wait lab primaries 1"));
    assert_true(rig_do(rig, "up core3"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    say_yes(rig, 2, "database cluster remove", "started");
    assert_true(rig_do(rig, "reboot core2 50"));
    assert_true(rig_do(rig, "wait core2 command '*remove' lost"));
    assert_true(rig_do(rig, "wait core2 up true"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    assert_true(is(rig, "cluster", "rows_lost", "0"));
    stop(rig, NULL, 0);
}

/* -- logins ---------------------------------------------------------------- */

static void test_logins(void **state)
{
    struct rig *rig = start("1+0", "max_failed=2");
    char password[64], path[128];
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/password", rig->dir);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(password, sizeof(password), f));
    fclose(f);
    assert_int_equal(rig_login(rig, 1, "password", password), 0);
    assert_int_equal(rig_login(rig, 1, "password", "wrong"), 255);
    assert_true(rig_do(rig, "set core1 auth_keyboard 1"));
    assert_int_equal(rig_login(rig, 1, "keyboard-interactive", password), 0);
    assert_int_equal(rig_login(rig, 1, "keyboard-interactive", "no"), 255);
    assert_int_equal(rig_login(rig, 1, "password", password), 255);
    assert_true(rig_do(rig, "set core1 max_failed 0"));
    assert_true(rig_do(rig, "password core1 admin")); /* has expired */
    assert_true(prints(rig, 1, "version", "new password"));
    assert_true(rig_do(rig, "host-key core1"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    stop(rig, NULL, 0);
}

static void test_many_nodes(void **state)
{
    const char *const args[] = {"--make", "3+2", "--clusters", "40", NULL};
    struct rig *rig = rig_start(LAB_PROGRAM, args);

    (void)state;
    assert_true(prints(rig, 200, "hostname", "lab40-edge2"));
    assert_true(is(rig, "cluster lab40", "healthy", "true"));
    stop(rig, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_file_faults),
        cmocka_unit_test(test_command_faults),
        cmocka_unit_test(test_faults_in_turn),
        cmocka_unit_test(test_hold_and_during),
        cmocka_unit_test(test_lost_answers),
        cmocka_unit_test(test_odd_terminals),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_many_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
