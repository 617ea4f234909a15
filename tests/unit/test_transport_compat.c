/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/test_transport_compat.c - how a session of libssh ends, in each
 * way that a peer can end it.  The releases do not agree on who closes the
 * socket, nor on what they call connected afterwards.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "transport/compat.h"

enum {
    DEADLINE_S = 10
};

struct bed {
    ssh_session session;
    ssh_event event;
    int ours, peer;
    unsigned files_before;
};

static unsigned count_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static void pump(struct bed *bed)
{
    (void)ssh_event_dopoll(bed->event, 100);
    compat_unblock(ssh_get_fd(bed->session));
}

/* A session whose peer has shown its banner and nothing more. */
static void start(struct bed *bed)
{
    const struct compat_session want = {.user = "admin",
                                        .lists = *compat_lists(false)};
    time_t until = time(NULL) + DEADLINE_S;
    char banner[8] = "";
    struct err err = {0};
    int pair[2];

    memset(bed, 0, sizeof(*bed));
    bed->files_before = count_files();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    bed->ours = pair[0];
    bed->peer = pair[1];
    assert_int_equal(write(bed->peer, "SSH-2.0-peer\r\n", 14), 14);
    bed->session = compat_session_new(&want, &err);
    assert_non_null(bed->session);
    assert_int_equal(compat_session_take(bed->session, bed->ours, &err), 0);
    assert_int_equal(ssh_connect(bed->session), SSH_AGAIN);
    bed->event = ssh_event_new();
    assert_int_equal(ssh_event_add_session(bed->event, bed->session), SSH_OK);
    do {
        assert_true(time(NULL) < until);
        assert_int_equal(ssh_connect(bed->session), SSH_AGAIN);
        pump(bed);
    } while (recv(bed->peer, banner, 7, MSG_DONTWAIT | MSG_PEEK) < 7);
    assert_string_equal(banner, "SSH-2.0");
    assert_true(compat_is_alive(bed->session));
}

static void await_end(struct bed *bed)
{
    time_t until = time(NULL) + DEADLINE_S;

    while (compat_is_alive(bed->session)) {
        assert_true(time(NULL) < until);
        pump(bed);
    }
}

/* Nothing of it is left open, and nothing was closed twice: what took the
 * number of libssh's descriptor meanwhile would be gone. */
static void stop(struct bed *bed)
{
    compat_session_drop(bed->session, bed->event);
    close(bed->ours);
    if (bed->peer >= 0)
        close(bed->peer);
    assert_int_equal(count_files(), bed->files_before);
}

/* A packet without encryption: length, padding of 8 to 15 bytes, payload. */
static void send_packet(struct bed *bed, const char *payload, size_t n)
{
    unsigned char packet[64] = {0};
    size_t padding = 8 + (8 - (5 + n) % 8) % 8;
    size_t all = 5 + n + padding;

    assert_true(all <= sizeof(packet));
    packet[3] = (unsigned char)(all - 4);
    packet[4] = (unsigned char)padding;
    memcpy(packet + 5, payload, n);
    assert_int_equal(write(bed->peer, packet, all), (ssize_t)all);
}

static void test_dropped_by_us(void **state)
{
    struct bed bed;

    (void)state;
    start(&bed);
    stop(&bed);
}

static void test_eof(void **state)
{
    struct bed bed;

    (void)state;
    start(&bed);
    close(bed.peer);
    bed.peer = -1;
    await_end(&bed);
    assert_false(compat_is_disconnected_by_peer(bed.session));
    stop(&bed);
}

/* Up to 0.10 libssh closes the socket, from 0.11 on it leaves it open. */
static void test_disconnected(void **state)
{
    static const char goodbye[] = "\1\0\0\0\2\0\0\0\4busy\0\0\0\0";
    struct bed bed;

    (void)state;
    start(&bed);
    send_packet(&bed, goodbye, sizeof(goodbye) - 1);
    await_end(&bed);
    assert_true(compat_is_disconnected_by_peer(bed.session));
    assert_false(compat_is_password_change(bed.session));
    stop(&bed);
}

/* libssh calls itself connected after it: who trusts that waits for ever. */
static void test_rejected_packet(void **state)
{
    static const char change[] = "\74\0\0\0\7expired\0\0\0\0";
    struct bed bed;

    (void)state;
    start(&bed);
    send_packet(&bed, change, sizeof(change) - 1);
    await_end(&bed);
    assert_true(compat_is_password_change(bed.session));
    assert_false(compat_is_disconnected_by_peer(bed.session));
    stop(&bed);
}

static void test_garbled(void **state)
{
    static const char rubbish[] = "this is no packet of the protocol at all";
    struct bed bed;

    (void)state;
    start(&bed);
    assert_int_equal(write(bed.peer, rubbish, 40), 40);
    await_end(&bed);
    assert_false(compat_is_password_change(bed.session));
    stop(&bed);
}

/* A list that the library can serve nothing of is the user's to know. */
static void test_unknown_list(void **state)
{
    struct compat_session want = {.user = "admin",
                                  .lists = *compat_lists(true)};
    struct err err = {0};
    ssh_session session = compat_session_new(&want, &err);

    (void)state;
    assert_non_null(session);
    compat_session_drop(session, NULL);
    want.lists.ciphers = "rot13";
    assert_null(compat_session_new(&want, &err));
    assert_non_null(strstr(err.text, "the list of ciphers"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropped_by_us),
        cmocka_unit_test(test_eof),
        cmocka_unit_test(test_disconnected),
        cmocka_unit_test(test_rejected_packet),
        cmocka_unit_test(test_garbled),
        cmocka_unit_test(test_unknown_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
