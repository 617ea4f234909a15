/* SPDX-License-Identifier: Apache-2.0
 *
 * The SFTP codec against servers that lie, and against a real one: every
 * answer spoiled in every way must end each request once, in bounded memory,
 * and OpenSSH's sftp-server (where installed) must understand us.
 */
#include "tests/unit/slow.h"
#include "tests/unit/test_transport_sftp_talk.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned char version[] = {0, 0, 0, 5, 2, 0, 0, 0, 3};

/* Feeds bytes to a conversation with one request of `kind` in flight. */
static int feed_raw(struct seen *s, int kind, const void *data, size_t len,
                    struct err *err)
{
    struct files *f = files_new(NULL);
    struct link_put p = {"/a", "abc", 3, true};
    size_t n;
    int rc;

    assert_int_equal(files_feed(f, version, sizeof(version), NULL), 0);
    if (kind == 0)
        files_put(f, &p, on_done, s);
    else if (kind == 1)
        files_get(f, "/a", 100, on_done, s);
    else if (kind == 2)
        files_list(f, "/", on_done, s);
    else
        files_stat(f, "/a", on_done, s);
    files_output(f, &n);
    files_sent(f, n);
    rc = files_feed(f, data, len, err);
    files_output(f, &n);
    files_free(f);
    assert_int_equal(s->times, 1);
    return rc;
}

static void lies_break_the_conversation(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *says;
    } lies[] = {
        // clang-format off
        {"\0\0\0\0", 4, "without a request id"},
        {"\0\0\0\1\x65", 5, "without a request id"},
        {"\0\0\0\5\x65\0\0\0\7", 9, "nothing that was asked"},
        {"\0\0\0\5\x65\0\0\0\0", 9, "STATUS without its code"},
        {"\0\0\0\x9\x65\0\0\0\0\0\0\0\0", 13, "OK where a value"},
        {"\0\0\0\5\x02\0\0\0\0", 9, "wrong type"},
        {"\0\0\0\5\x67\0\0\0\0", 9, "wrong type"},
        {"\0\4\0\1\x65", 5, "longer than 256 KB"},
        {"\xff\xff\xff\xff\x65", 5, "longer than 256 KB"},
        // clang-format on
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
        for (int kind = 0; kind < 4; kind++) {
            struct seen s = {0};
            struct err err;
            assert_int_equal(
                feed_raw(&s, kind, lies[i].bytes, lies[i].len, &err), -1);
            assert_int_equal(s.end, FILES_BROKEN);
            assert_non_null(strstr(err.text, lies[i].says));
            assert_non_null(strstr(s.text, lies[i].says));
        }
}

static void handles_have_bounds(void **state)
{
    unsigned char empty[] = {0, 0, 0, 9, 102, 0, 0, 0, 0, 0, 0, 0, 0};
    unsigned char over[] = {0, 0, 0, 9, 102, 0, 0, 0, 0, 255, 255, 255, 255};
    unsigned char wide[13 + 257] = {0, 0, 1, 10, 102, 0, 0, 0, 0, 0, 0, 1, 1};

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct seen s[3] = {{0}};
        assert_int_equal(feed_raw(&s[0], kind, empty, sizeof(empty), NULL), -1);
        assert_int_equal(feed_raw(&s[1], kind, over, sizeof(over), NULL), -1);
        assert_int_equal(feed_raw(&s[2], kind, wide, sizeof(wide), NULL), -1);
    }
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 8; v++) {
        struct talk t;
        struct seen s = {0};
        talk_init(&t, 0, 0);
        t.m.version = v;
        files_stat(t.f, "/x", on_done, &s);
        run(&t);
        assert_int_equal(s.end, v == 3 ? FILES_STATUS : FILES_BROKEN);
        assert_false(v != 3 && s.sent); /* safe to ask elsewhere */
        talk_release(&t);
    }
}

static void a_server_of_old_sends_no_text(void **state)
{
    unsigned char bare[] = {0, 0, 0, 9, 101, 0, 0, 0, 0, 0, 0, 0, 2};
    struct seen s = {0};

    (void)state;
    assert_int_equal(feed_raw(&s, 3, bare, sizeof(bare), NULL), 0);
    assert_int_equal(s.end, FILES_STATUS);
    assert_string_equal(s.text, "stat /a: no such file (SFTP status 2)");
}

static void a_broken_one_says_no_more(void **state)
{
    struct talk t;
    struct seen s = {0};
    size_t n;

    (void)state;
    talk_init(&t, 0, 0);
    run(&t);
    assert_true(files_is_ready(t.f));
    assert_int_equal(files_feed(t.f, version, sizeof(version), NULL), -1);
    assert_true(files_is_broken(t.f));
    files_stat(t.f, "/x", on_done, &s);
    assert_null(files_output(t.f, &n));
    assert_int_equal(files_feed(t.f, version, sizeof(version), NULL), -1);
    assert_int_equal(s.times, 0);
    talk_release(&t);
    assert_int_equal(s.times, 1);
    assert_int_equal(s.end, FILES_LOST);
    assert_false(s.sent);
}

/* One talk whose server bytes are spoiled at place `at`: flipped, or cut and
 * followed by noise.  Returns false when the talk was shorter. */
static bool spoiled_talk(size_t at, unsigned char flip, bool noise)
{
    struct seen s[MIX];
    struct talk t;
    size_t done = 0, n;
    const void *p;
    bool reached = false;

    talk_init(&t, 8, 0);
    start_mix(&t, s);
    for (;;) {
        p = files_output(t.f, &n);
        if (n)
            model_feed(&t.m, p, n);
        files_sent(t.f, n);
        n = t.m.out.len;
        if (n == 0)
            break;
        if (at >= done && at < done + n) {
            reached = true;
            t.m.out.data[at - done] ^= (char)flip;
            for (size_t i = at - done; noise && i < n; i++)
                t.m.out.data[i] = (char)(i * 37 + flip);
        }
        done += n;
        if (files_feed(t.f, t.m.out.data, n, NULL) != 0)
            break;
        str_reset(&t.m.out);
    }
    talk_release(&t);
    for (int i = 0; i < MIX; i++)
        assert_int_equal(s[i].times, 1);
    free_mix(s);
    return reached;
}

static void spoiled_answers_end_all_once(void **state)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xff};

    (void)state;
    for (size_t i = 0; i < sizeof(flips); i++)
        for (size_t at = 0; at < 600; at += is_slow() ? 13 : 1) {
            assert_true(spoiled_talk(at, flips[i], false));
            assert_true(spoiled_talk(at, flips[i], true));
        }
}

static void a_file_that_shrinks_is_not_believed(void **state)
{
    struct talk t;
    struct seen s = {0};
    size_t n;
    const void *p;

    (void)state;
    talk_init(&t, 8, 0);
    t.m.reverse = true; /* the second chunk is answered first */
    model_make(&t.m, "/log", big, 65536);
    files_get(t.f, "/log", BIG, on_done, &s);
    for (int turn = 0; turn < 3; turn++) { /* INIT, OPEN, two READs */
        p = files_output(t.f, &n);
        model_feed(&t.m, p, n);
        files_sent(t.f, n);
        if (turn == 2)
            break;
        assert_int_equal(files_feed(t.f, t.m.out.data, t.m.out.len, NULL), 0);
        str_reset(&t.m.out);
    }
    /* the later chunk came; now the earlier one is past the end */
    n = 4 + (size_t)model_get((unsigned char *)t.m.out.data);
    assert_int_equal(files_feed(t.f, t.m.out.data, n, NULL), 0);
    {
        unsigned char eof[] = {0, 0, 0, 9, 101, 0, 0, 0, 1, 0, 0, 0, 1};
        assert_int_equal(files_feed(t.f, eof, sizeof(eof), NULL), 0);
    }
    str_reset(&t.m.out);
    model_find(&t.m, "/log")->len = 0;
    run(&t);
    assert_int_equal(s.end, FILES_SHORT);
    assert_null(s.data);
    talk_release(&t);
}

/* ------------------------------------------------------- how much is taken */

enum {
    OPENS = 3,
    CLOSES = 4,
    READS = 5,
    STATS = 17
};

/* What is sent next must be one packet of this type; its last field. */
static uint32_t sends(struct files *f, int type)
{
    size_t n;
    const unsigned char *p = files_output(f, &n);
    uint32_t last;

    assert_true(n > 9);
    assert_int_equal(model_get(p) + 4, n);
    assert_int_equal(p[4], type);
    last = model_get(p + n - 4);
    files_sent(f, n);
    return last;
}

static void answer(struct files *f, const void *bytes, size_t len)
{
    assert_int_equal(files_feed(f, bytes, len, NULL), 0);
}

static struct files *get_large(struct seen *s)
{
    struct files *f = files_new(NULL);
    size_t n;

    files_output(f, &n);
    files_sent(f, n); /* INIT */
    answer(f, version, sizeof(version));
    files_get(f, "/a.bak", 256 << 20, on_done, s);
    return f;
}

/* It says 4 KB and has 2 GB: a byte more is asked for, to see it. */
static void no_more_is_taken_than_was_told(void **state)
{
    static const unsigned char size[] = {0, 0, 0, 17, 105, 0, 0, 0, 0,  0, 0,
                                         0, 1, 0, 0,  0,   0, 0, 0, 16, 0};
    static const unsigned char handle[] = {0, 0, 0, 10, 102, 0, 0,
                                           0, 1, 0, 0,  0,   1, 'h'};
    static unsigned char data[13 + 4097] = {0, 0, 16, 10, 103, 0, 0,
                                            0, 2, 0,  0,  16,  1};
    static const unsigned char ok[] = {0, 0, 0, 9, 101, 0, 0, 0, 3, 0, 0, 0, 0};
    struct seen s = {0};
    struct files *f = get_large(&s);

    (void)state;
    sends(f, STATS);
    answer(f, size, sizeof(size));
    sends(f, OPENS);
    answer(f, handle, sizeof(handle));
    assert_int_equal(sends(f, READS), 4097);
    answer(f, data, sizeof(data));
    sends(f, CLOSES);
    answer(f, ok, sizeof(ok));
    assert_int_equal(s.end, FILES_TOO_LARGE);
    assert_string_equal(s.text, "get /a.bak: more than 4096 bytes");
    files_free(f);
    assert_int_equal(s.times, 1);
}

/* It says 2 GB: it is not even opened. */
static void too_much_is_not_opened(void **state)
{
    static const unsigned char size[] = {0, 0, 0, 17,  105,  0,    0,
                                         0, 0, 0, 0,   0,    1,    0,
                                         0, 0, 0, 127, 0xff, 0xff, 0xff};
    struct seen s = {0};
    struct files *f = get_large(&s);
    size_t n;

    (void)state;
    sends(f, STATS);
    answer(f, size, sizeof(size));
    assert_null(files_output(f, &n));
    assert_int_equal(s.end, FILES_TOO_LARGE);
    assert_non_null(strstr(s.text, "it has 2147483647 bytes, more than"));
    files_free(f);
}

/* The whole of an honest one, and one that is not there. */
static void a_large_get_still_gets(void **state)
{
    struct seen s[2] = {{0}};
    struct talk t;

    (void)state;
    talk_init(&t, 8, 0);
    model_make(&t.m, "/big", big, BIG);
    files_get(t.f, "/big", 256 << 20, on_done, &s[0]);
    files_get(t.f, "/none", 256 << 20, on_done, &s[1]);
    run(&t);
    assert_int_equal(s[0].end, FILES_OK);
    assert_int_equal(s[0].len, BIG);
    assert_memory_equal(s[0].data, big, BIG);
    assert_int_equal(s[1].end, FILES_STATUS);
    assert_int_equal(s[1].status, FILES_FX_NO_SUCH_FILE);
    assert_int_equal(t.m.open_now, 0);
    talk_release(&t);
    free(s[0].data);
}

/* -------------------------------------------------- OpenSSH's own server */

static const char *const server_path = "/usr/lib/openssh/sftp-server";

static pid_t start_server(const char *folder, int *fd)
{
    int pair[2];
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(pair[1], 0);
        dup2(pair[1], 1);
        close(pair[0]);
        close(pair[1]);
        execl(server_path, server_path, "-d", folder, (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    *fd = pair[0];
    return pid;
}

static void talk_to_server(struct files *f, int fd)
{
    char buffer[40000];
    struct pollfd poll_fd = {.fd = fd};
    const void *p;
    size_t n;
    ssize_t got;

    while (!files_is_idle(f)) {
        p = files_output(f, &n);
        poll_fd.events = n ? POLLIN | POLLOUT : POLLIN;
        assert_int_equal(poll(&poll_fd, 1, 10000), 1); /* the deadline */
        if (poll_fd.revents & POLLOUT) {
            got = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (got > 0)
                files_sent(f, (size_t)got);
        }
        if (poll_fd.revents & (POLLIN | POLLHUP)) {
            got = read(fd, buffer, sizeof(buffer));
            assert_true(got > 0);
            assert_int_equal(files_feed(f, buffer, (size_t)got, NULL), 0);
        }
    }
}

static void openssh_understands_us(void **state)
{
    char folder[] = "/tmp/certfleet-sftp-XXXXXX";
    struct seen s[MIX] = {{0}};
    struct link_put p[2] = {{"one", big, BIG, true}, {"two", "2", 1, true}};
    struct files *f;
    pid_t pid;
    int fd;

    (void)state;
    if (access(server_path, X_OK) != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    pid = start_server(folder, &fd);
    f = files_new(NULL);
    files_put(f, &p[0], on_done, &s[0]);
    files_put(f, &p[0], on_done, &s[1]); /* is there now */
    files_put(f, &p[1], on_done, &s[2]);
    files_list(f, ".", on_done, &s[3]);
    files_rename(f, "one", "uno", on_done, &s[4]);
    files_get(f, "uno", BIG, on_done, &s[5]);
    files_stat(f, "uno", on_done, &s[6]);
    files_remove(f, "uno", on_done, &s[7]);
    files_remove(f, "two", on_done, &s[8]);
    talk_to_server(f, fd);
    for (int i = 0; i < MIX; i++) {
        assert_int_equal(s[i].times, 1);
        assert_int_equal(s[i].end, i == 1 ? FILES_STATUS : FILES_OK);
    }
    assert_int_equal(s[1].status, FILES_FX_FAILURE);
    assert_int_equal(s[3].n_entries, 2);
    assert_int_equal(s[5].len, BIG);
    assert_memory_equal(s[5].data, big, BIG);
    assert_int_equal(s[6].size, BIG);
    assert_true(s[6].mtime > 1700000000);
    files_free(f);
    close(fd);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(rmdir(folder), 0);
    free_mix(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_break_the_conversation),
        cmocka_unit_test(handles_have_bounds),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(a_server_of_old_sends_no_text),
        cmocka_unit_test(a_broken_one_says_no_more),
        cmocka_unit_test(spoiled_answers_end_all_once),
        cmocka_unit_test(a_file_that_shrinks_is_not_believed),
        cmocka_unit_test(no_more_is_taken_than_was_told),
        cmocka_unit_test(too_much_is_not_opened),
        cmocka_unit_test(a_large_get_still_gets),
        cmocka_unit_test(openssh_understands_us),
    };

    return cmocka_run_group_tests_name("transport/sftp hostile", tests,
                                       fill_big, NULL);
}
