/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets of each kind, what is refused, what is shared, and that no error
 * holds a value.
 */
#include <signal.h>

#include "core/fleet/secret_ref.h"
#include "tests/unit/fleet_fixture.h"

static struct secret_cache *cache;
static struct err err;

static int setup(void **state)
{
    cache = secret_cache_new();
    return fixture_setup(state);
}

static int teardown(void **state)
{
    secret_cache_free(cache);
    return fixture_teardown(state);
}

static void expect_secret(const char *ref, const char *value)
{
    struct secret *s =
        secret_ref_read(cache, ref, fixture_folder, "password of x", &err);

    if (!s) {
        fail_msg("%s: %s", ref, err.text);
        return;
    }
    assert_string_equal(secret_text(s), value);
    assert_int_equal(s->len, strlen(value));
    secret_free(s);
}

static void expect_error(const char *ref, const char *part)
{
    err_reset(&err);
    assert_null(
        secret_ref_read(cache, ref, fixture_folder, "password of x", &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
    if (!strstr(err.text, part))
        fail_msg("%s: %s", ref, err.text);
    assert_non_null(strstr(err.text, "password of x"));
    assert_null(strstr(err.text, "hunter2"));
}

static void make_file(const char *name, const char *text, mode_t mode)
{
    fixture_write(name, text, strlen(text));
    assert_int_equal(chmod(name, mode), 0);
}

static void test_syntax(void **state)
{
    static const char *const good[] = {
        "env:A",     "env:_a9",        "file:x", "file:~/x y",
        "command:x", "command: a | b", "prompt", "prompt:of me",
        "file:/a:b", "command:a:b",
    };
    static const char *const bad[] = {
        "",        "env",     "env:",  "env:9a",    "env:a b",
        "env:A=",  "file:",   "file",  "command",   "command:  ",
        "prompt:", "hunter2", "Env:A", "file:~a/b", "environment:A",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(secret_ref_check(good[i], &err), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err_reset(&err);
        if (secret_ref_check(bad[i], &err) != -1)
            fail_msg("`%s' was accepted", bad[i]);
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_null(strstr(err.text, "hunter2"));
    }
    expect_error("hunter2", "not a place where a secret is found");
}

static void test_env(void **state)
{
    (void)state;
    setenv("T_SECRET", "hunter2\n", 1);
    expect_secret("env:T_SECRET", "hunter2");
    setenv("T_EMPTY", "", 1);
    expect_error("env:T_EMPTY", "(env): it is empty");
    unsetenv("T_GONE");
    expect_error("env:T_GONE", "T_GONE is not set");
}

static void test_file(void **state)
{
    (void)state;
    make_file("plain", "hunter2\n", 0600);
    expect_secret("file:plain", "hunter2");
    expect_secret("file:~/plain", "hunter2"); /* the folder is $HOME */
    make_file("crlf", "hunter2\r\n", 0400);
    expect_secret("file:crlf", "hunter2");
    make_file("two", "hunter2\n\n", 0600);
    expect_secret("file:two", "hunter2\n");
    make_file("bare", "hunter2", 0600);
    expect_secret("file:bare", "hunter2");
    make_file("empty", "\n", 0600);
    expect_error("file:empty", "it is empty");
    expect_error("file:gone", "No such file");
    expect_error("file:.", "not a regular file");
    fixture_write("nul", "hun\0ter2", 8);
    chmod("nul", 0600);
    expect_error("file:nul", "a NUL byte");
}

static void test_file_modes(void **state)
{
    static const mode_t open_to_others[] = {0640, 0604, 0620, 0601, 0666};

    (void)state;
    for (size_t i = 0; i < sizeof(open_to_others) / sizeof(mode_t); i++) {
        make_file("open", "hunter2", open_to_others[i]);
        expect_error("file:open", "lets others in; run: chmod 600");
    }
    make_file("open", "hunter2", 0600);
    expect_secret("file:open", "hunter2");
    if (geteuid() != 0)
        return; /* only root can give files away */
    make_file("foreign", "hunter2", 0600);
    assert_int_equal(chown("foreign", 12345, 12345), 0);
    expect_error("file:foreign", "belongs to another user (uid 12345)");
}

static void test_large(void **state)
{
    enum {
        LIMIT = 64 * 1024
    };
    char *big = malloc(LIMIT + 2);

    (void)state;
    assert_non_null(big);
    memset(big, 'x', LIMIT + 1);
    big[LIMIT + 1] = '\0';
    make_file("large", big, 0600);
    expect_error("file:large", "65536 bytes");
    expect_error("command:cat large", "over 65536 bytes");
    /* it ends although nobody reads on */
    expect_error("command:yes", "over 65536 bytes");
    big[LIMIT] = '\0';
    make_file("fits", big, 0600);
    expect_secret("file:fits", big);
    expect_secret("command:cat fits", big);
    free(big);
}

static void test_command(void **state)
{
    (void)state;
    expect_secret("command:echo hunter2", "hunter2");
    expect_secret("command:printf 'a b%s' c | tr a-c x-z", "x yz");
    /* beside the inventory; its input is empty */
    make_file("here", "near", 0600);
    expect_secret("command:cat ./here", "near");
    expect_secret("command:cat; echo end", "end");
    expect_error("command:echo hunter2; exit 3", "exit code 3");
    expect_error("command:kill -9 $$", "signal 9");
    expect_error("command:true", "it is empty");
    signal(SIGPIPE, SIG_IGN);
    expect_error("command:kill -PIPE $$; echo hunter2", "signal 13");
    signal(SIGPIPE, SIG_DFL);
    expect_error("command:/nowhere/hunter2 2>&1", "exit code 127");
}

/* Its messages are the user's to see. */
static void test_command_messages(void **state)
{
    char text[64] = "";
    int saved = dup(STDERR_FILENO), fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    dup2(fds[1], STDERR_FILENO);
    expect_error("command:echo please unlock >&2; exit 1", "exit code 1");
    dup2(saved, STDERR_FILENO);
    close(fds[1]);
    assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
    assert_string_equal(text, "please unlock\n");
    close(fds[0]);
    close(saved);
}

/* One resolution for all who use it; a failure is not remembered. */
static void test_shared(void **state)
{
    static const char ref[] = "command:echo x >>count; wc -l <count";
    struct secret *a, *b;

    (void)state;
    a = secret_ref_read(cache, ref, fixture_folder, "a", &err);
    b = secret_ref_read(cache, ref, fixture_folder, "b", &err);
    assert_non_null(a);
    assert_ptr_equal(a, b);
    assert_string_equal(secret_text(a), "1");
    secret_free(a);
    secret_free(b);
    expect_error("file:later", "No such file");
    make_file("later", "hunter2", 0600);
    expect_secret("file:later", "hunter2");
}

/* What is read from the environment is not left in it: neither for children
 * nor in the place that /proc shows. */
static void test_hidden(void **state)
{
    char *place;

    (void)state;
    setenv("CF_TEST_HIDDEN", "hunter2", 1);
    setenv("CF_TEST_EMPTY", "", 1);
    place = getenv("CF_TEST_HIDDEN");
    secret_ref_hide(cache, "env:CF_TEST_HIDDEN", fixture_folder);
    assert_null(getenv("CF_TEST_HIDDEN"));
    for (size_t i = 0; i < strlen("hunter2"); i++)
        assert_int_equal(place[i], 0);
    expect_secret("env:CF_TEST_HIDDEN", "hunter2");
    secret_ref_hide(cache, "env:CF_TEST_HIDDEN", fixture_folder);
    expect_secret("env:CF_TEST_HIDDEN", "hunter2");
    secret_ref_hide(cache, "env:CF_TEST_EMPTY", fixture_folder);
    expect_error("env:CF_TEST_EMPTY", "empty");
    secret_ref_hide(cache, "env:CF_TEST_NONE", fixture_folder);
    expect_error("env:CF_TEST_NONE", "is not set");
    secret_ref_hide(cache, "command:exit 1", fixture_folder);
}

/* A path means another file beside another inventory. */
static void test_folders_differ(void **state)
{
    char folder[128];
    struct secret *s;

    (void)state;
    make_file("same", "one", 0600);
    snprintf(folder, sizeof(folder), "%s/sub", fixture_folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    make_file("sub/same", "two", 0600);
    expect_secret("file:same", "one");
    s = secret_ref_read(cache, "file:same", folder, "x", &err);
    assert_string_equal(secret_text(s), "two");
    secret_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_env),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_modes),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_command_messages),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_folders_differ),
        cmocka_unit_test(test_hidden),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
