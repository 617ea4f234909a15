/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS probe against servers in a thread: both versions, with and without
 * a client certificate, PostgreSQL, silence, garbage, cancel; and its
 * handshake with the bytes cut and spoiled at every place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>

#include "core/base/clock.h"
#include "tests/unit/slow.h"
#include "tests/unit/test_transport_tls_server.h"
#include "transport/tls.h"
#include "transport/tls_priv.h"

enum {
    SHORT_MS = 150,
    LONG_MS = 20000
};

struct seen {
    unsigned times;
    enum link_end end;
    enum cause cause;
    char *pem;
    size_t len;
    char text[1024];
};

static struct identity strong, weak;

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    identity_init(&strong, false);
    identity_init(&weak, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    identity_release(&strong);
    identity_release(&weak);
    return 0;
}

static void on_done(void *user, const struct link_result *r)
{
    struct seen *s = user;

    s->times++;
    s->end = r->end;
    assert_int_equal(r->err == NULL, r->end == LINK_OK);
    if (r->err) {
        s->cause = r->err->cause;
        snprintf(s->text, sizeof(s->text), "%s", r->err->text);
    } else {
        s->pem = strndup(r->data, r->len);
        s->len = r->len;
    }
}

/* Runs one probe to its end; the loop closes only when nothing is left. */
static void probe(const char *address, unsigned port, enum link_tls tls,
                  unsigned timeout_ms, struct seen *s)
{
    struct link_peer peer = {address, port, tls, timeout_ms};
    uv_loop_t loop;

    memset(s, 0, sizeof(*s));
    uv_loop_init(&loop);
    tls_probe_start(&loop, &peer, on_done, s);
    assert_int_equal(s->times, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s->times, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void expect_chain(struct server *server, const char *address,
                         const char *name)
{
    struct seen s;

    server_start(server);
    probe(address, server->port,
          server->postgres ? LINK_TLS_POSTGRES : LINK_TLS_PLAIN, LONG_MS, &s);
    server_stop(server);
    if (s.end != LINK_OK)
        fail_msg("%s", s.text);
    assert_string_equal(s.pem, server->identity->pem);
    assert_string_equal(server->name, name);
    assert_false(server->bad_request);
    free(s.pem);
}

static void chains_are_read(void **state)
{
    static const int versions[] = {0, TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (int v = 0; v < 3; v++)
        for (int wants = 0; wants < 2; wants++)
            for (int postgres = 0; postgres < 2; postgres++) {
                struct server server = {
                    .version = versions[v],
                    .wants_cert = wants,
                    .postgres = postgres,
                    .says = "S",
                    .says_len = postgres ? 1 : 0,
                    .identity = &strong,
                };
                expect_chain(&server, "127.0.0.1", "");
            }
}

static void old_certificates_are_looked_at_too(void **state)
{
    struct server server = {.version = TLS1_2_VERSION, .identity = &weak};

    (void)state;
    expect_chain(&server, "127.0.0.1", "");
}

static void only_names_are_told(void **state)
{
    struct server server = {.identity = &strong};

    (void)state;
    /* may be ::1 first, where nobody listens: the next address is tried */
    expect_chain(&server, "localhost", "localhost");
}

static void expect_failure(struct server *server, enum link_tls tls,
                           enum link_end end, const char *says)
{
    struct seen s;
    char where[64];

    server_start(server);
    probe("127.0.0.1", server->port, tls, server->silent ? SHORT_MS : LONG_MS,
          &s);
    server_stop(server);
    assert_int_equal(s.end, end);
    snprintf(where, sizeof(where), "127.0.0.1 port %u: ", server->port);
    assert_non_null(strstr(s.text, where));
    if (!strstr(s.text, says))
        fail_msg("\"%s\" is not in \"%s\"", says, s.text);
}

static void no_tls_is_told(void **state)
{
    static const struct {
        enum link_tls tls;
        const char *says;
        size_t len;
        const char *expected;
    } cases[] = {
        // clang-format off
        {LINK_TLS_POSTGRES, "N", 1, "does not offer TLS"},
        {LINK_TLS_POSTGRES, "E\0\0\0\5x", 6, "refused the connection"},
        {LINK_TLS_POSTGRES, "HTTP/1.1 400", 12, "not PostgreSQL"},
        {LINK_TLS_POSTGRES, "Sxyz", 4, "before the TLS handshake"},
        {LINK_TLS_POSTGRES, "", 0, "closed the connection"},
        {LINK_TLS_POSTGRES, "S", 1, "closed the connection"},
        {LINK_TLS_PLAIN, "SSH-2.0-OpenSSH_9.2\r\n", 21, "no TLS handshake"},
        {LINK_TLS_PLAIN, "\x15\3\3\0\2\2\x28", 7, "no TLS handshake"},
        {LINK_TLS_PLAIN, "", 0, "closed the connection"},
        {LINK_TLS_PLAIN, "\x16\3\3", 3, "closed the connection"},
        // clang-format on
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct server server = {
            .postgres = cases[i].tls == LINK_TLS_POSTGRES,
            .says = cases[i].says,
            .says_len = cases[i].len,
        };
        expect_failure(&server, cases[i].tls, LINK_FAILED, cases[i].expected);
    }
}

static void silence_ends_at_the_deadline(void **state)
{
    struct server plain = {.silent = true}, postgres = {.silent = true};
    uint64_t began = clock_mono_ms();

    (void)state;
    expect_failure(&plain, LINK_TLS_PLAIN, LINK_LOST, "within 150 ms");
    expect_failure(&postgres, LINK_TLS_POSTGRES, LINK_LOST, "within 150 ms");
    assert_true(clock_mono_ms() - began >= 2 * SHORT_MS - 10);
}

static void no_connection_is_told(void **state)
{
    struct seen s;
    unsigned port;
    int fd = listen_somewhere(&port);

    (void)state;
    close(fd);
    probe("127.0.0.1", port, LINK_TLS_PLAIN, LONG_MS, &s);
    assert_int_equal(s.end, LINK_UNSENT);
    assert_non_null(strstr(s.text, "refused"));
    probe("localhost", port, LINK_TLS_PLAIN, LONG_MS, &s);
    assert_int_equal(s.end, LINK_UNSENT);
    probe("255.255.255.255", 1, LINK_TLS_PLAIN, SHORT_MS, &s);
    assert_int_equal(s.end, LINK_UNSENT);
    probe("no-such-host.invalid", 1, LINK_TLS_PLAIN, LONG_MS, &s);
    assert_int_equal(s.end, LINK_UNSENT);
    probe("", 1, LINK_TLS_PLAIN, LONG_MS, &s);
    assert_int_equal(s.end, LINK_UNSENT);
    probe("127.0.0.1", 0, LINK_TLS_PLAIN, LONG_MS, &s);
    assert_int_equal(s.end, LINK_UNSENT);
    assert_int_equal(s.cause, CAUSE_INPUT);
}

/* ----------------------------------------------------------------- cancel */

static void on_cancel_time(uv_timer_t *timer)
{
    tls_probe_cancel(timer->data);
    tls_probe_cancel(timer->data); /* once more does no harm */
    uv_close((uv_handle_t *)timer, NULL);
}

static void cancel_after(const char *address, unsigned port, int ms)
{
    struct link_peer peer = {address, port, LINK_TLS_PLAIN, LONG_MS};
    struct seen s = {0};
    struct tls_probe *p;
    uv_timer_t timer;
    uv_loop_t loop;

    uv_loop_init(&loop);
    p = tls_probe_start(&loop, &peer, on_done, &s);
    if (ms < 0) {
        tls_probe_cancel(p);
    } else {
        uv_timer_init(&loop, &timer);
        timer.data = p;
        uv_timer_start(&timer, on_cancel_time, (uint64_t)ms, 0);
    }
    assert_int_equal(s.times, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.times, 1);
    assert_int_equal(s.end, LINK_CANCELED);
    assert_int_equal(s.cause, CAUSE_CANCELED);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_cancel_completes_once(void **state)
{
    struct server server = {.silent = true};

    (void)state;
    server_start(&server);
    cancel_after("127.0.0.1", server.port, -1);
    cancel_after("127.0.0.1", server.port, 30);
    cancel_after("localhost", server.port, -1);
    cancel_after("localhost", server.port, 30);
    server_stop(&server);
}

/* ------------------------------------------------------------------- many */

static void many_at_once(void **state)
{
    enum {
        MANY = 100
    };
    struct server server = {
        .identity = &strong, .postgres = true, .says = "S", .says_len = 1};
    struct seen *s = calloc(MANY, sizeof(*s));
    uv_loop_t loop;

    (void)state;
    server_start(&server);
    uv_loop_init(&loop);
    for (int i = 0; i < MANY; i++) {
        struct link_peer peer = {i % 2 ? "127.0.0.1" : "localhost", server.port,
                                 LINK_TLS_POSTGRES, LONG_MS};
        tls_probe_start(&loop, &peer, on_done, &s[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(s[i].times, 1);
        assert_int_equal(s[i].end, LINK_OK);
        free(s[i].pem);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
    server_stop(&server);
    free(s);
}

/* ------------------------------------------------- the handshake as bytes */

struct memory { /* a server without a socket */
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;
};

static void memory_init(struct memory *m, int version)
{
    struct server s = {.identity = &strong, .version = version};

    m->context = server_context(&s);
    m->ssl = SSL_new(m->context);
    m->in = BIO_new(BIO_s_mem());
    m->out = BIO_new(BIO_s_mem());
    SSL_set_bio(m->ssl, m->in, m->out);
    SSL_set_accept_state(m->ssl);
}

static void memory_release(struct memory *m)
{
    SSL_free(m->ssl);
    SSL_CTX_free(m->context);
}

/* What the server says to the client's first words. */
static size_t first_flight(struct memory *m, struct shake *s, const char *name,
                           char *out, size_t room)
{
    struct err err;
    size_t n;
    const void *p;
    int got;

    assert_int_equal(shake_init(s, name), 0);
    assert_int_equal(shake_take(s, NULL, 0, &err), SHAKE_MORE);
    p = shake_output(s, &n);
    BIO_write(m->in, p, (int)n);
    shake_sent(s);
    assert_int_equal(SSL_do_handshake(m->ssl), -1);
    got = BIO_read(m->out, out, (int)room);
    assert_true(got > 500);
    return (size_t)got;
}

/* One handshake whose flight is cut at `at`, or has that byte flipped. */
static size_t spoil(int version, size_t at, bool flip)
{
    struct memory m;
    struct shake s;
    struct err err;
    char flight[8192];
    size_t len, n;
    enum shake_end end;

    memory_init(&m, version);
    len = first_flight(&m, &s, NULL, flight, sizeof(flight));
    if (at < len && flip) {
        flight[at] ^= 0x40;
        end = shake_take(&s, flight, len, &err);
        if (end == SHAKE_FAILED) /* never a chain from a broken handshake */
            assert_int_equal(s.chain.len, 0);
    } else if (at < len) {
        end = shake_take(&s, flight, at, &err);
        assert_int_equal(end, SHAKE_MORE);
        end = shake_take(&s, flight + at, len - at, &err);
        assert_int_not_equal(end, SHAKE_FAILED);
        assert_string_equal(str_text(&s.chain), strong.pem);
    }
    shake_output(&s, &n);
    shake_release(&s);
    memory_release(&m);
    return len;
}

static void flights_may_be_cut_or_spoiled(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    size_t step = is_slow() ? 61 : 3;

    (void)state;
    for (int v = 0; v < 2; v++) {
        size_t len = spoil(versions[v], SIZE_MAX, false);
        for (size_t at = 0; at + 16 < len; at += step) {
            spoil(versions[v], at, false);
            spoil(versions[v], at, true);
        }
    }
}

static void a_name_loses_its_last_dot(void **state)
{
    struct memory m;
    struct shake s;
    char flight[8192];

    (void)state;
    memory_init(&m, 0);
    first_flight(&m, &s, "db1.lab.", flight, sizeof(flight));
    assert_string_equal(SSL_get_servername(m.ssl, TLSEXT_NAMETYPE_host_name),
                        "db1.lab");
    shake_release(&s);
    memory_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_are_read),
        cmocka_unit_test(old_certificates_are_looked_at_too),
        cmocka_unit_test(only_names_are_told),
        cmocka_unit_test(no_tls_is_told),
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(no_connection_is_told),
        cmocka_unit_test(a_cancel_completes_once),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(a_name_loses_its_last_dot),
        cmocka_unit_test(flights_may_be_cut_or_spoiled),
    };

    return cmocka_run_group_tests_name("transport/tls", tests, setup, teardown);
}
