/* SPDX-License-Identifier: Apache-2.0
 *
 * The answers to GET /metrics: what is asked for is answered, and who means ill
 * harms nobody else.  Clients and server on one loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/metrics_http.h"
#include "core/base/clock.h"

enum {
    DEADLINE_MS = 20000
};

static uv_loop_t loop;
static struct metrics_http *http;
static unsigned made; /* texts */
static bool ill;      /* none can be made */

static bool make_text(void *user, struct str *out)
{
    (void)user;
    made++;
    str_addf(out, "a_metric %u\n", made);
    return !ill;
}

static void start(const char *where)
{
    struct err err = {.cause = CAUSE_NONE};

    made = 0;
    ill = false;
    http = metrics_http_new(&loop, where, make_text, NULL, &err);
    if (!http)
        fail_msg("%s", err.text);
    assert_true(metrics_http_port(http) > 0);
}

static int setup(void **state)
{
    (void)state;
    if (uv_loop_init(&loop) < 0)
        return -1;
    start("0");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    metrics_http_free(http);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

/* -- clients ----------------------------------------------------------------
 */

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port =
                                 htons((uint16_t)metrics_http_port(http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* A turn of the loop, that does not wait for ever. */
static void turn(void)
{
    uv_timer_t tick;

    uv_timer_init(&loop, &tick);
    uv_timer_start(&tick, on_tick, 10, 10); /* it may be due before the wait */
    uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static char answer[65536];

/* Reads until the server closes. */
static void read_all(int fd)
{
    uint64_t until = clock_mono_ms() + DEADLINE_MS;
    size_t len = 0;

    for (;;) {
        ssize_t n = read(fd, answer + len, sizeof(answer) - 1 - len);

        if (n > 0)
            len += (size_t)n;
        else if (n == 0 || errno != EAGAIN)
            break;
        assert_true(clock_mono_ms() < until);
        turn();
    }
    answer[len] = '\0';
    close(fd);
}

static void say(int fd, const char *text, size_t len)
{
    uint64_t until = clock_mono_ms() + DEADLINE_MS;

    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return; /* it has had enough */
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
        assert_true(clock_mono_ms() < until);
        turn();
    }
}

static void ask(const char *request)
{
    int fd = dial();

    say(fd, request, strlen(request));
    read_all(fd);
}

#define TAIL " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void expect(const char *status, const char *part)
{
    char line[64];

    snprintf(line, sizeof(line), "HTTP/1.1 %s ", status);
    if (strncmp(answer, line, strlen(line)) != 0 || !strstr(answer, part))
        fail_msg("%s with `%s' is not:\n%s", status, part, answer);
}

/* -- what is asked for ------------------------------------------------------
 */

static void test_get(void **state)
{
    (void)state;
    ask("GET /metrics" TAIL);
    expect("200", "text/plain; version=0.0.4; charset=utf-8");
    expect("200", "\r\n\r\na_metric 1\n");
    ask("GET /metrics?x=y" TAIL);
    expect("200", "a_metric 1\n"); /* the same text: it is kept a while */
    ask("HEAD /metrics" TAIL);
    expect("200", "Content-Length: 11");
    assert_null(strstr(answer, "a_metric"));
    assert_int_equal(made, 1);
}

static void test_nothing_else(void **state)
{
    (void)state;
    ask("GET /" TAIL);
    expect("404", "/metrics");
    ask("GET /metrics/../../etc/passwd" TAIL);
    expect("404", "/metrics");
    ask("POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: 3\r\n\r\nabc");
    expect("405", "only GET");
    ask("DELETE /metrics" TAIL);
    expect("405", "only GET");
    assert_int_equal(made, 0);
}

static void test_none_can_be_made(void **state)
{
    (void)state;
    ill = true;
    ask("GET /metrics" TAIL);
    expect("503", "");
    ill = false;
    ask("GET /metrics" TAIL); /* that is not kept */
    expect("200", "a_metric 2\n");
}

/* -- who means ill ----------------------------------------------------------
 */

static void test_long_requests(void **state)
{
    static char much[1 << 20];
    int fd;

    (void)state;
    memset(much, 'a', sizeof(much));
    memcpy(much, "GET /", 5);
    fd = dial();
    say(fd, much, sizeof(much)); /* a path without an end */
    read_all(fd);
    assert_null(strstr(answer, "a_metric"));
    memcpy(much, "GET /metrics HTTP/1.1\r\nX: ", 26);
    fd = dial();
    say(fd, much, sizeof(much)); /* a header without an end */
    read_all(fd);
    assert_null(strstr(answer, "a_metric"));
    ask("\r\n\0\xff garbage\r\n\r\n");
    assert_null(strstr(answer, "a_metric"));
    ask("GET /metrics" TAIL);
    expect("200", "a_metric 1\n");
}

/* One that says nothing is cut off, and until then keeps nobody waiting. */
static void test_slow_client(void **state)
{
    uint64_t before = clock_mono_ms();
    int fd = dial();

    (void)state;
    say(fd, "GET /met", 8);
    ask("GET /metrics" TAIL);
    expect("200", "a_metric 1\n");
    assert_true(clock_mono_ms() - before < METRICS_HTTP_SILENCE_S * 1000);
    read_all(fd); /* until it is cut off */
    assert_null(strstr(answer, "a_metric"));
}

/* More than may be there: those beyond are turned away, the others are served,
 * and when they are gone there is room. */
static void test_crowd(void **state)
{
    int fds[2 * METRICS_HTTP_CLIENTS];
    char byte;

    (void)state;
    for (size_t i = 0; i < 2 * METRICS_HTTP_CLIENTS; i++) {
        fds[i] = dial();
        turn();
    }
    say(fds[0], "GET /metrics" TAIL, strlen("GET /metrics" TAIL));
    read_all(fds[0]);
    expect("200", "a_metric 1\n");
    assert_int_equal(read(fds[2 * METRICS_HTTP_CLIENTS - 1], &byte, 1) > 0, 0);
    for (size_t i = 1; i < 2 * METRICS_HTTP_CLIENTS; i++)
        close(fds[i]);
    turn();
    ask("GET /metrics" TAIL);
    expect("200", "a_metric 1\n");
}

/* -- where ------------------------------------------------------------------
 */

static void test_where(void **state)
{
    static const char *const bad[] = {
        "",   "x",     "localhost:9793", "1.2.3:9793", "127.0.0.1", "65536",
        "-1", "1:2:3", "[::1:80",        "127.0.0.1:", "80x",       "[zz]:9793",
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        err_reset(&err);
        if (metrics_http_new(&loop, bad[i], make_text, NULL, &err))
            fail_msg("%s is taken", bad[i]);
        assert_int_equal(err.cause, CAUSE_INPUT);
    }
    {
        char taken[32];

        snprintf(taken, sizeof(taken), "127.0.0.1:%u", metrics_http_port(http));
        metrics_http_free(http);
        uv_run(&loop, UV_RUN_DEFAULT);
        start(taken);
    }
    ask("GET /metrics" TAIL);
    expect("200", "a_metric 1\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_get),
        TEST(test_nothing_else),
        TEST(test_none_can_be_made),
        TEST(test_long_requests),
        TEST(test_slow_client),
        TEST(test_crowd),
        TEST(test_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
