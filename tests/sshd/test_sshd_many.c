/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/test_sshd_many.c - through jump hosts and commands, and many at
 * once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sshd/bed.h"
#include "tests/sshd/bed_client.h"

static struct {
    struct bed *bed;
    struct bed_server *server;
} t;

static void need_bed(void)
{
    if (t.bed == NULL) {
        skip();
        abort(); /* skip() does not come back */
    }
}

static void write_ssh_config(const struct bed_server *jump, bool by_command,
                             char path[256])
{
    char text[2000];

    bed_path(t.bed, by_command ? "config.command" : "config.jump", path);
    snprintf(text, sizeof(text),
             "Host jump\n  HostName %s\n  Port %u\n  User %s\n"
             "  IdentityFile %s\n  IdentitiesOnly yes\n"
             "  UserKnownHostsFile %s\n"
             "Host behind\n  HostName %s\n  Port %u\n  %s\n",
             jump->address, jump->port, t.bed->user, t.bed->key, t.bed->known,
             t.server->address, t.server->port,
             by_command ? "ProxyCommand ssh -oBatchMode=yes "
                          "-W %h:%p -F \"$CF_CONFIG\" jump"
                        : "ProxyJump jump");
    bed_write(path, text);
    setenv("CF_CONFIG", path, 1);
}

static void proxy_works(bool by_command)
{
    struct trial x;
    char config[256];

    write_ssh_config(t.server, by_command, config);
    trial_begin(&x, t.bed, t.server, NULL);
    x.target.address = "behind";
    x.target.port = 0;
    x.target.ssh_config = config;
    client_command(&x.c, x.l, "echo behind", &x.a);
    assert_end(&x.a, LINK_OK, NULL);
    assert_string_equal(x.a.data, "behind\n");
    client_list(&x.c, x.l, &x.a);
    assert_end(&x.a, LINK_OK, NULL);
    trial_end(&x);
}

static void test_proxy_jump(void **state)
{
    (void)state;
    need_bed();
    proxy_works(false);
}

static void test_proxy_command(void **state)
{
    (void)state;
    need_bed();
    proxy_works(true);
}

static void test_proxy_that_fails(void **state)
{
    struct trial x;
    char config[256];

    (void)state;
    need_bed();
    bed_path(t.bed, "config.bad", config);
    bed_write(config, "Host *\n  ProxyCommand echo no route to it >&2; "
                      "exit 1\n");
    trial_begin(&x, t.bed, t.server, NULL);
    x.target.ssh_config = config;
    client_connect(&x.c, x.l, &x.a);
    assert_end(&x.a, LINK_UNSENT, NULL);
    trial_end(&x);
}

static void run_many(unsigned n, const struct port_options *options,
                     struct answer *a)
{
    static const struct link_command command = {.text = "echo many"};
    struct link *links[200];
    struct link_target target;
    struct client c;

    client_init(&c, options);
    trial_target(&target, t.bed, t.server);
    target.connect_timeout_ms = 60000;
    target.command_timeout_ms = 60000;
    for (unsigned i = 0; i < n; i++) {
        links[i] = client_open(&c, &target);
        memset(&a[i], 0, sizeof(a[i]));
        c.ops->command(links[i], &command, client_on_done, &a[i]);
    }
    client_wait_all(&c, a, n);
    for (unsigned i = 0; i < n; i++) {
        assert_end(&a[i], LINK_OK, NULL);
        assert_string_equal(a[i].data, "many\n");
        if (options != NULL)
            assert_true(port_sessions(c.port) <= options->max_sessions);
    }
    for (unsigned i = 0; i < n; i++)
        client_close(&c, links[i]);
    client_release(&c);
}

static void test_hundred_at_once(void **state)
{
    static struct answer a[100];

    (void)state;
    need_bed();
    run_many(100, NULL, a);
}

/* More nodes than slots, and every session is kept: the idle give way. */
static void test_more_links_than_slots(void **state)
{
    const struct port_options options = {.max_sessions = 4};
    static struct answer a[20];

    (void)state;
    need_bed();
    run_many(20, &options, a);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("SSH_AUTH_SOCK");
    t.bed = bed_new();
    if (t.bed == NULL)
        return 0;
    t.server = bed_serve(t.bed, "127.0.75.1", NULL);
    bed_trust(t.server, t.bed->known);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (t.bed != NULL)
        bed_free(t.bed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxy_jump),
        cmocka_unit_test(test_proxy_command),
        cmocka_unit_test(test_proxy_that_fails),
        cmocka_unit_test(test_more_links_than_slots),
        cmocka_unit_test(test_hundred_at_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
