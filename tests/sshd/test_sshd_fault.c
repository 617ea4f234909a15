/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/test_sshd_fault.c - what goes wrong on the way: dead servers,
 * silence, refused channels.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
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

static struct bed_server *serve(const char *address, const char *lines)
{
    struct bed_server *s = bed_serve(t.bed, address, lines);

    bed_trust(s, t.bed->known);
    return s;
}

static int set_aside(const char *address, unsigned *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

/* Starts a command that hangs, and returns when it runs on the server. */
static void start_hanging(struct trial *x, char marker[256], char text[400])
{
    struct link_command command = {.text = text};
    uint64_t until = clock_mono_ms() + BED_WAIT_MS;

    bed_path(t.bed, "hanging", marker);
    (void)remove(marker);
    snprintf(text, 400, ": >%s; exec cat", marker);
    x->c.ops->command(x->l, &command, client_on_done, &x->a);
    while (access(marker, F_OK) != 0 && clock_mono_ms() < until)
        uv_run(&x->c.loop, UV_RUN_NOWAIT);
    assert_int_equal(access(marker, F_OK), 0);
}

static void test_killed_in_mid_command(void **state)
{
    struct trial x;
    char marker[256], text[400];

    (void)state;
    need_bed();
    trial_begin(&x, t.bed, t.server, NULL);
    start_hanging(&x, marker, text);
    assert_true(bed_kill_sessions(t.server, SIGKILL) > 0);
    client_wait(&x.c, &x.a);
    assert_end(&x.a, LINK_LOST, "its answer did not come");
    client_command(&x.c, x.l, "echo back", &x.a);
    assert_end(&x.a, LINK_OK, NULL);
    assert_string_equal(x.a.data, "back\n");
    trial_end(&x);
}

static void test_lost_while_idle_is_made_again(void **state)
{
    struct trial x;

    (void)state;
    need_bed();
    trial_begin(&x, t.bed, t.server, NULL);
    for (int i = 0; i < 15; i++) { /* it shows at another place each time */
        client_command(&x.c, x.l, "echo 1", &x.a);
        assert_end(&x.a, LINK_OK, NULL);
        assert_true(bed_kill_sessions(t.server, SIGKILL) > 0);
        for (int turns = 0; turns < i / 3; turns++)
            uv_run(&x.c.loop, UV_RUN_NOWAIT);
        client_command(&x.c, x.l, "echo 2", &x.a);
        /* the loss may show only when the command was handed over */
        if (x.a.end == LINK_LOST)
            client_command(&x.c, x.l, "echo 2", &x.a);
        assert_end(&x.a, LINK_OK, NULL);
        assert_string_equal(x.a.data, "2\n");
    }
    trial_end(&x);
}

/* A peer that is stopped, not closed: only probes show it. */
static void test_stopped_peer(void **state)
{
    const struct port_options options = {.keepalive_s = 1};
    struct trial x;
    char marker[256], text[400];
    uint64_t until;

    (void)state;
    need_bed();
    trial_begin(&x, t.bed, t.server, &options);
    client_command(&x.c, x.l, "echo 1", &x.a);
    memset(&x.a, 0, sizeof(x.a));
    start_hanging(&x, marker, text);
    /* two probes are answered first, then the peer stops */
    until = clock_mono_ms() + 3500;
    while (clock_mono_ms() < until)
        uv_run(&x.c.loop, UV_RUN_ONCE);
    assert_int_equal(x.a.times, 0);
    x.target.command_timeout_ms = 60000;
    assert_true(bed_kill_sessions(t.server, SIGSTOP) > 0);
    client_wait(&x.c, &x.a);
    assert_end(&x.a, LINK_LOST, "the connection is dead");
    assert_true(bed_kill_sessions(t.server, SIGKILL) > 0);
    trial_end(&x);
}

static void test_silent_server(void **state)
{
    struct bed_server silent = {.address = "127.0.79.9"};
    struct trial x;
    int fd = -1;

    (void)state;
    need_bed();
    fd = set_aside(silent.address, &silent.port);
    trial_begin(&x, t.bed, &silent, NULL);
    x.target.connect_timeout_ms = 300;
    client_connect(&x.c, x.l, &x.a);
    assert_end(&x.a, LINK_UNSENT, "no answer from 127.0.79.9");
    trial_end(&x);
    close(fd);
}

static void test_nobody_there(void **state)
{
    struct bed_server none = {.address = "127.0.79.8"};
    struct trial x;

    (void)state;
    need_bed();
    none.port = bed_free_port(none.address);
    trial_begin(&x, t.bed, &none, NULL);
    client_command(&x.c, x.l, "echo", &x.a);
    assert_end(&x.a, LINK_UNSENT, "refused");
    x.target.address = "no-such-name.invalid";
    trial_end(&x);
    trial_begin(&x, t.bed, &none, NULL);
    x.target.address = "no-such-name.invalid";
    client_command(&x.c, x.l, "echo", &x.a);
    assert_end(&x.a, LINK_UNSENT, "no-such-name.invalid");
    trial_end(&x);
}

static void test_peer_chain_by_the_link(void **state)
{
    struct link_peer peer = {.address = "127.0.79.8", .timeout_ms = 5000};
    struct trial x;

    (void)state;
    need_bed();
    peer.port = bed_free_port(peer.address);
    trial_begin(&x, t.bed, t.server, NULL);
    x.c.ops->peer_chain(x.l, &peer, client_on_done, &x.a);
    client_wait(&x.c, &x.a);
    assert_end(&x.a, LINK_UNSENT, "127.0.79.8");
    memset(&x.a, 0, sizeof(x.a));
    x.c.ops->peer_chain(x.l, &peer, client_on_done, &x.a);
    trial_end(&x);
    assert_int_equal(x.a.times, 1);
}

/* An agent that takes the question and never answers: a thread of the pool
 * waits in it, and the deadline ends that. */
static void test_agent_that_never_answers(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct trial x;
    uint64_t began = clock_mono_ms();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    need_bed();
    snprintf(name.sun_path, sizeof(name.sun_path), "%.90s/mute", t.bed->dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 4), 0);
    setenv("SSH_AUTH_SOCK", name.sun_path, 1);
    trial_begin(&x, t.bed, t.server, NULL);
    x.target.identity = "/nonexistent/id";
    x.target.connect_timeout_ms = 1000;
    client_connect(&x.c, x.l, &x.a);
    unsetenv("SSH_AUTH_SOCK");
    assert_end(&x.a, LINK_UNSENT, "agent");
    trial_end(&x);
    assert_true(clock_mono_ms() - began < 10000);
    close(fd);
}

/* libssh sets its socket back to blocking: ours and its duplicate share that
 * flag. */
static unsigned count_sockets(unsigned port)
{
    unsigned n = 0;

    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t len = sizeof(peer);

        if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
            peer.sin_family != AF_INET || ntohs(peer.sin_port) != port)
            continue;
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        n++;
    }
    return n;
}

/* The loop goes on while a peer does not read what is written to it. */
static void test_upload_to_a_stopped_peer(void **state)
{
    static char data[8 * 1024 * 1024];
    const struct link_put put = {
        .name = "stop", .data = data, .len = sizeof(data)};
    struct trial x;
    uint64_t until, turn, longest = 0;

    (void)state;
    need_bed();
    trial_begin(&x, t.bed, t.server, NULL);
    client_list(&x.c, x.l, &x.a);
    assert_end(&x.a, LINK_OK, NULL);
    assert_int_equal(count_sockets(t.server->port), 2);
    memset(&x.a, 0, sizeof(x.a));
    assert_true(bed_kill_sessions(t.server, SIGSTOP) > 0);
    x.c.ops->put(x.l, &put, client_on_done, &x.a);
    for (until = clock_mono_ms() + 1500; (turn = clock_mono_ms()) < until;) {
        uv_run(&x.c.loop, UV_RUN_NOWAIT);
        if (clock_mono_ms() - turn > longest)
            longest = clock_mono_ms() - turn;
    }
    assert_int_equal(x.a.times, 0);
    assert_true(longest < 1000);
    x.c.ops->cancel(x.l);
    client_wait(&x.c, &x.a);
    assert_end(&x.a, LINK_CANCELED, NULL);
    assert_true(bed_kill_sessions(t.server, SIGKILL) > 0);
    trial_end(&x);
}

static void test_canceled_while_connecting(void **state)
{
    struct bed_server silent = {.address = "127.0.79.7"};
    struct trial x;
    struct answer list = {0};
    int fd = -1;

    (void)state;
    need_bed();
    fd = set_aside(silent.address, &silent.port);
    trial_begin(&x, t.bed, &silent, NULL);
    x.c.ops->connect(x.l, client_on_done, &x.a);
    x.c.ops->list(x.l, client_on_done, &list);
    x.c.ops->cancel(x.l);
    client_wait(&x.c, &x.a);
    client_wait(&x.c, &list);
    assert_end(&x.a, LINK_CANCELED, NULL);
    assert_end(&list, LINK_CANCELED, NULL);
    memset(&x.a, 0, sizeof(x.a));
    x.c.ops->connect(x.l, client_on_done, &x.a);
    for (int i = 0; i < 5; i++)
        uv_run(&x.c.loop, UV_RUN_NOWAIT);
    trial_end(&x); /* closes in mid-handshake */
    assert_end(&x.a, LINK_CANCELED, NULL);
    close(fd);
}

static void test_refused_channel(void **state)
{
    struct trial x;
    struct bed_server *s;
    uint64_t began;

    (void)state;
    need_bed();
    s = serve("127.0.79.2", "MaxSessions 0\n");
    trial_begin(&x, t.bed, s, NULL);
    client_connect(&x.c, x.l, &x.a);
    assert_end(&x.a, LINK_OK, NULL);
    began = clock_mono_ms();
    client_command(&x.c, x.l, "echo", &x.a);
    assert_end(&x.a, LINK_UNSENT, "opened no channel");
    assert_true(clock_mono_ms() - began >= client_dialect.channel_retry_ms);
    client_list(&x.c, x.l, &x.a);
    assert_end(&x.a, LINK_UNSENT, "opened no channel");
    trial_end(&x);
}

static void test_no_sftp(void **state)
{
    struct trial x;
    struct bed_server *s;

    (void)state;
    need_bed();
    s = serve("127.0.79.3", "Subsystem sftp /nonexistent/sftp-server\n");
    trial_begin(&x, t.bed, s, NULL);
    client_list(&x.c, x.l, &x.a);
    assert_true(x.a.end == LINK_FAILED || x.a.end == LINK_UNSENT);
    assert_int_equal(x.a.times, 1);
    client_command(&x.c, x.l, "echo fine", &x.a);
    assert_end(&x.a, LINK_OK, NULL);
    trial_end(&x);
}

static void test_killed_under_uploads(void **state)
{
    static char data[200000];
    static struct answer a[20];
    static char names[20][16];
    struct link_put put[20];
    struct trial x;

    (void)state;
    need_bed();
    trial_begin(&x, t.bed, t.server, NULL);
    client_list(&x.c, x.l, &x.a);
    assert_end(&x.a, LINK_OK, NULL);
    memset(a, 0, sizeof(a));
    for (int i = 0; i < 20; i++) {
        snprintf(names[i], sizeof(names[i]), "up%d", i);
        put[i] = (struct link_put){
            .name = names[i], .data = data, .len = sizeof(data)};
        x.c.ops->put(x.l, &put[i], client_on_done, &a[i]);
    }
    while (a[0].times == 0)
        uv_run(&x.c.loop, UV_RUN_ONCE);
    assert_true(bed_kill_sessions(t.server, SIGKILL) > 0);
    client_wait_all(&x.c, a, 20);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(a[i].times, 1);
        assert_true(a[i].end == LINK_OK || a[i].end == LINK_LOST);
    }
    trial_end(&x);
}

/* Closed after every number of turns of the loop: no state of the handshake,
 * of a login, a channel or a transfer may be one that cannot be left. */
static void test_closed_after_each_turn(void **state)
{
    static const struct link_command command = {.text = "echo x"};
    static char data[100000];
    const struct link_put put = {
        .name = "turn", .data = data, .len = sizeof(data)};

    (void)state;
    need_bed();
    for (unsigned turns = 0; turns < 120; turns += turns < 60 ? 1 : 7) {
        struct trial x;
        struct answer b = {0};

        trial_begin(&x, t.bed, t.server, NULL);
        x.c.ops->command(x.l, &command, client_on_done, &x.a);
        x.c.ops->put(x.l, &put, client_on_done, &b);
        for (unsigned i = 0; i < turns && x.a.times + b.times < 2; i++)
            uv_run(&x.c.loop, UV_RUN_ONCE);
        trial_end(&x);
        assert_int_equal(x.a.times, 1);
        assert_int_equal(b.times, 1);
        assert_true(x.a.end == LINK_CANCELED || x.a.end == LINK_OK);
        assert_true(b.end == LINK_CANCELED || b.end == LINK_OK);
    }
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("SSH_AUTH_SOCK");
    t.bed = bed_new();
    if (t.bed == NULL)
        return 0;
    t.server = serve("127.0.79.1", NULL);
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
        cmocka_unit_test(test_killed_in_mid_command),
        cmocka_unit_test(test_lost_while_idle_is_made_again),
        cmocka_unit_test(test_stopped_peer),
        cmocka_unit_test(test_silent_server),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_peer_chain_by_the_link),
        cmocka_unit_test(test_agent_that_never_answers),
        cmocka_unit_test(test_upload_to_a_stopped_peer),
        cmocka_unit_test(test_canceled_while_connecting),
        cmocka_unit_test(test_refused_channel),
        cmocka_unit_test(test_no_sftp),
        cmocka_unit_test(test_killed_under_uploads),
        cmocka_unit_test(test_closed_after_each_turn),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
