/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/test_sshd_work.c - commands, dialogs and files on a real sshd
 * that forces fake_cli.sh on everybody.
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

#include "tests/sshd/bed.h"
#include "tests/sshd/bed_client.h"

static struct {
    struct bed *bed;
    struct bed_server *cli; /* fake_cli.sh */
    struct client client;
    struct link_target target;
    struct link *link;
    struct answer a;
} t;

static int open_link(void **state)
{
    (void)state;
    if (t.bed == NULL)
        return 0;
    client_init(&t.client, NULL);
    client_target(&t.target, t.cli->address, t.cli->port, t.bed->user);
    t.target.known_hosts = t.bed->known;
    t.target.identity = t.bed->key;
    t.link = client_open(&t.client, &t.target);
    return 0;
}

static int close_link(void **state)
{
    (void)state;
    if (t.bed == NULL)
        return 0;
    client_close(&t.client, t.link);
    client_release(&t.client);
    return 0;
}

static void need_bed(void)
{
    if (t.bed == NULL) {
        skip();
        abort(); /* skip() does not come back */
    }
}

/* An sshd that is not root gives no terminal here (chown of the pty). */
static void need_pty(void)
{
    need_bed();
    if (!t.bed->is_root)
        skip();
}

static void expect(const char *command, const char *output)
{
    client_command(&t.client, t.link, command, &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    assert_string_equal(t.a.data, output);
}

static void test_exec(void **state)
{
    (void)state;
    need_bed();
    expect("hello", "hello\nworld\n");
    expect("nonsense", "Unknown command: nonsense\n");
    client_command(&t.client, t.link, "both", &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    assert_int_equal(t.a.len, 8);
    for (int i = 0; i < 30; i++)
        expect("hello", "hello\nworld\n");
    assert_int_equal(port_sessions(t.client.port), 1);
}

static void test_too_much_output(void **state)
{
    (void)state;
    need_bed();
    client_command(&t.client, t.link, "loud", &t.a);
    assert_end(&t.a, LINK_LOST, "more than");
    expect("hello", "hello\nworld\n");
}

static void test_several_in_line(void **state)
{
    struct answer a[5];
    const struct link_command command = {.text = "hello"};

    (void)state;
    need_bed();
    memset(a, 0, sizeof(a));
    for (int i = 0; i < 5; i++)
        t.client.ops->command(t.link, &command, client_on_done, &a[i]);
    client_wait(&t.client, &a[4]);
    for (int i = 0; i < 5; i++) {
        assert_end(&a[i], LINK_OK, NULL);
        assert_string_equal(a[i].data, "hello\nworld\n");
    }
}

static void test_dialog(void **state)
{
    char path[256];
    char *answers;

    (void)state;
    need_pty();
    bed_path(t.bed, "files/answers", path);
    (void)remove(path);
    client_confirm(&t.client, t.link, "database cluster remove", &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    assert_true(t.a.confirmed);
    assert_non_null(strstr(t.a.data, "WARNING!!!"));
    assert_non_null(strstr(t.a.data, "Removing..."));
    assert_null(strstr(t.a.data, "cms1>"));
    assert_null(strchr(t.a.data, '\r'));
    answers = bed_read(path);
    assert_string_equal(answers, "database cluster remove\nY\n");
    free(answers);
    client_confirm(&t.client, t.link, "fast remove", &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    assert_false(t.a.confirmed);
    assert_string_equal(t.a.data, "nothing to remove\n");
}

static void test_shell_commands(void **state)
{
    struct link_dialect dialect = client_dialect;

    (void)state;
    need_pty();
    dialect.shell_commands = true;
    t.target.dialect = &dialect;
    expect("hello", "hello\nworld\n");
    expect("tricky", "a\ncms1> in the middle\nSUCCESS: b\n");
    expect("apart", "x\ncms1> y\n");
    for (int i = 0; i < 20; i++)
        expect("hello", "hello\nworld\n");
    client_command(&t.client, t.link, "quit", &t.a);
    assert_end(&t.a, LINK_LOST, "closed");
    expect("hello", "hello\nworld\n");
    client_command(&t.client, t.link, "database cluster remove", &t.a);
    assert_end(&t.a, LINK_LOST, "question");
    expect("hello", "hello\nworld\n");
    client_close(&t.client, t.link); /* before the dialect goes */
    t.target.dialect = &client_dialect;
    t.link = client_open(&t.client, &t.target);
}

static void test_new_password_at_login(void **state)
{
    char path[256];

    (void)state;
    need_pty();
    bed_path(t.bed, "files/expired", path);
    bed_write(path, "");
    client_confirm(&t.client, t.link, "database cluster remove", &t.a);
    assert_int_equal(remove(path), 0);
    assert_end(&t.a, LINK_REFUSED, "new password");
}

static void test_command_deadline(void **state)
{
    const struct link_command command = {.text = "hang", .timeout_ms = 300};

    (void)state;
    need_bed();
    memset(&t.a, 0, sizeof(t.a));
    t.client.ops->command(t.link, &command, client_on_done, &t.a);
    client_wait(&t.client, &t.a);
    assert_end(&t.a, LINK_LOST, "no whole answer");
    expect("hello", "hello\nworld\n");
}

static void test_cancel(void **state)
{
    const struct link_command hang = {.text = "hang"};
    struct answer a[3];

    (void)state;
    need_bed();
    memset(a, 0, sizeof(a));
    expect("hello", "hello\nworld\n");
    t.client.ops->command(t.link, &hang, client_on_done, &a[0]);
    t.client.ops->command(t.link, &hang, client_on_done, &a[1]);
    t.client.ops->list(t.link, client_on_done, &a[2]);
    t.client.ops->cancel(t.link);
    for (int i = 0; i < 3; i++)
        assert_int_equal(a[i].times, 0);
    client_wait(&t.client, &a[2]);
    for (int i = 0; i < 3; i++)
        assert_end(&a[i], LINK_CANCELED, NULL);
    expect("hello", "hello\nworld\n"); /* usable again */
}

static void test_files(void **state)
{
    static char big[300000];
    struct link_put put = {
        .name = "big.bin", .data = big, .len = 60000, .exclusive = true};
    char path[256];

    (void)state;
    need_bed();
    bed_path(t.bed, "files/big.bin", path);
    (void)remove(path);
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7 + i / 251);
    client_put(&t.client, t.link, &put, &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    client_put(&t.client, t.link, &put, &t.a);
    assert_end(&t.a, LINK_FAILED, "big.bin");
    client_get(&t.client, t.link, "big.bin", 100000, &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    assert_int_equal(t.a.len, put.len);
    assert_memory_equal(t.a.data, big, put.len);
    client_get(&t.client, t.link, "big.bin", 1000, &t.a);
    assert_end(&t.a, LINK_FAILED, NULL);
    put.exclusive = false;
    put.len = sizeof(big);
    client_put(&t.client, t.link, &put, &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    client_remove(&t.client, t.link, "answers", &t.a);
    client_remove(&t.client, t.link, "hanging", &t.a);
    client_list(&t.client, t.link, &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    assert_int_equal(t.a.n_files, 1);
    assert_string_equal(t.a.first_file, "big.bin");
    assert_int_equal(t.a.first_size, sizeof(big));
    client_remove(&t.client, t.link, "big.bin", &t.a);
    assert_end(&t.a, LINK_OK, NULL);
    client_remove(&t.client, t.link, "big.bin", &t.a);
    assert_end(&t.a, LINK_FAILED, "big.bin");
    assert_int_equal(port_sessions(t.client.port), 1);
}

static void test_many_files_and_commands_at_once(void **state)
{
    static struct answer a[40];
    static char names[20][32];
    static const char text[] = "0123456789";
    struct link_put put[20];
    const struct link_command command = {.text = "hello"};

    (void)state;
    need_bed();
    memset(a, 0, sizeof(a));
    for (int i = 0; i < 20; i++) {
        snprintf(names[i], sizeof(names[i]), "many%d.pem", i);
        put[i] = (struct link_put){
            .name = names[i], .data = text, .len = sizeof(text)};
        t.client.ops->put(t.link, &put[i], client_on_done, &a[i]);
        t.client.ops->command(t.link, &command, client_on_done, &a[20 + i]);
    }
    client_wait_all(&t.client, a, 40);
    for (int i = 0; i < 40; i++)
        assert_end(&a[i], LINK_OK, NULL);
    memset(a, 0, sizeof(a));
    for (int i = 0; i < 20; i++)
        t.client.ops->remove(t.link, names[i], client_on_done, &a[i]);
    client_wait_all(&t.client, a, 20);
    for (int i = 0; i < 20; i++)
        assert_end(&a[i], LINK_OK, NULL);
    assert_int_equal(port_sessions(t.client.port), 2);
}

static void serve_cli(void)
{
    char lines[600];

    snprintf(lines, sizeof(lines), "ForceCommand %s %s/files\n", TESTS_FAKE_CLI,
             t.bed->dir);
    t.cli = bed_serve(t.bed, "127.0.78.1", lines);
    bed_trust(t.cli, t.bed->known);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("SSH_AUTH_SOCK");
    t.bed = bed_new();
    if (t.bed == NULL)
        return 0;
    if (!t.bed->is_root)
        print_message("skipped without root: shells (no terminal)\n");
    serve_cli();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (t.bed != NULL)
        bed_free(t.bed);
    return 0;
}

#define with_link(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_link, close_link)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_link(test_exec),
        with_link(test_too_much_output),
        with_link(test_several_in_line),
        with_link(test_dialog),
        with_link(test_shell_commands),
        with_link(test_new_password_at_login),
        with_link(test_command_deadline),
        with_link(test_cancel),
        with_link(test_files),
        with_link(test_many_files_and_commands_at_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
