/* SPDX-License-Identifier: Apache-2.0
 *
 * A GET or a POST by HTTPS against servers in a thread: who is believed and who
 * is not, what goes out and to whom, and answers that nobody should send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>

#include "tests/unit/test_transport_tls_server.h"
#include "transport/https.h"

enum {
    SHORT_MS = 200,
    LONG_MS = 20000,
    BIG = 256 * 1024
};
#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n"
#define SMALL OK_HEAD "Content-Length: 2\r\n\r\nhi"

struct seen {
    unsigned times;
    enum link_end end;
    unsigned status;
    bool sent;
    char body[256];
    size_t len;
    char text[1024];
};

static struct identity ours, others;
static struct secret *password;

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    identity_init(&ours, false);
    identity_init(&others, false);
    password = secret_from("pass:word", 9);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    identity_release(&ours);
    identity_release(&others);
    secret_free(password);
    return 0;
}

static struct secret *pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct secret *s;
    char *data;
    long len;

    PEM_write_bio_X509(bio, cert);
    len = BIO_get_mem_data(bio, &data);
    s = secret_from(data, (size_t)len);
    BIO_free(bio);
    return s;
}

static void on_done(void *user, const struct https_answer *a)
{
    struct seen *s = user;

    s->times++;
    s->end = a->end;
    s->status = a->status;
    s->sent = a->sent;
    s->len = a->len;
    assert_int_equal(a->err == NULL, a->end == LINK_OK);
    if (a->err)
        snprintf(s->text, sizeof(s->text), "%s", a->err->text);
    else
        snprintf(s->body, sizeof(s->body), "%s", a->body);
}

static void run(uv_loop_t *loop, struct https *h)
{
    uv_run(loop, UV_RUN_DEFAULT);
    https_free(h);
    uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(loop), 0); /* nothing is left */
}

static const char *order; /* the body of a POST; NULL: a GET */

static void ask(unsigned port, X509 *ca, const char *pin,
                const char *const *names, struct seen *s)
{
    struct secret *trusted = pem(ca);
    const struct https_request get = {
        .address = "127.0.0.1",
        .port = port,
        .path = "/api/v1/system/status",
        .user = "api",
        .password = password,
        .ca = trusted,
        .pin = pin,
        .names = names,
        .timeout_ms = s->times ? SHORT_MS : LONG_MS, /* 1: an impatient one */
        .body = order,
        .body_len = order ? strlen(order) : 0,
    };
    uv_loop_t loop;
    struct https *h;

    memset(s, 0, sizeof(*s));
    uv_loop_init(&loop);
    h = https_new(&loop, NULL);
    https_start(h, &get, on_done, s);
    assert_int_equal(s->times, 0);
    run(&loop, h);
    assert_int_equal(s->times, 1);
    secret_free(trusted);
}

static const char *const leaf_names[] = {"other.example.com", "leaf", NULL};
static const char *const wrong_names[] = {"other.example.com", NULL};

static void hears(const char *http, size_t len, struct seen *s)
{
    struct server server = {.identity = &ours, .http = http, .http_len = len};

    server_start(&server);
    ask(server.port, ours.issuer, NULL, leaf_names, s);
    server_stop(&server);
    assert_true(s->sent);
}

/* -- who is believed ------------------------------------------------------- */

/* `why` not; NULL: it is. */
static void trust(X509 *ca, const char *pin, const char *const *names,
                  const char *why)
{
    struct server server = {
        .identity = &ours, .http = SMALL, .http_len = strlen(SMALL)};
    struct seen s = {0};

    server_start(&server);
    ask(server.port, ca, pin, names, &s);
    server_stop(&server);
    if (!why) {
        assert_int_equal(s.end, LINK_OK);
        assert_int_equal(s.status, 200);
        assert_string_equal(s.body, "hi");
        assert_non_null(strstr(server.asked, "GET /api/v1/system/status HTTP/"
                                             "1.1\r\n"));
        assert_non_null(strstr(
            server.asked, "Authorization: Basic YXBpOnBhc3M6d29yZA==\r\n"));
        return;
    }
    assert_int_equal(s.end, LINK_FAILED);
    assert_false(s.sent);
    assert_string_equal(server.asked, "");
    if (!strstr(s.text, why))
        fail_msg("%s", s.text);
}

static void digest(X509 *cert, char hex[65])
{
    unsigned char bytes[32];

    X509_digest(cert, EVP_sha256(), bytes, NULL);
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static void believed(void **state)
{
    char hex[65];

    (void)state;
    trust(ours.issuer, NULL, leaf_names, NULL);
    trust(ours.leaf, NULL, NULL, NULL); /* that very one */
    digest(ours.leaf, hex);
    trust(others.issuer, hex, NULL, NULL);
}

static void not_believed(void **state)
{
    char hex[65];

    (void)state;
    trust(others.issuer, NULL, leaf_names, "its certificate is not trusted");
    trust(others.leaf, NULL, leaf_names, "its certificate is not trusted");
    trust(ours.issuer, NULL, wrong_names, "it names neither");
    trust(ours.issuer, NULL, NULL, "it names neither");
    digest(others.leaf, hex);
    trust(others.issuer, hex, leaf_names, "its certificate is not trusted");
    trust(others.issuer, "", leaf_names, "its certificate is not trusted");
}

/* Neither a proxy nor a file of passwords of the environment's is used. */
static void environment_is_not_asked(void **state)
{
    (void)state;
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    trust(ours.issuer, NULL, leaf_names, NULL);
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("SSL_CERT_FILE");
}

/* -- answers --------------------------------------------------------------- */

static void statuses(void **state)
{
    static const struct {
        const char *http;
        unsigned status;
    } rows[] = {
        {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: "
         "0\r\n\r\n",
         401},
        {"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\n"
         "Content-Length: 0\r\n\r\n",
         302},
        {"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", 503},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", 200},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200},
        /* of no use, so that its end is the end */
        {OK_HEAD "Content-Length: 99999999999999999999\r\n\r\nhi", 200},
        /* asked for by nobody: it stays as it is */
        {OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", 200},
    };
    struct seen s;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        memset(&s, 0, sizeof(s));
        hears(rows[i].http, strlen(rows[i].http), &s);
        if (s.end != LINK_OK)
            fail_msg("%zu: %s", i, s.text);
        assert_int_equal(s.status, rows[i].status);
    }
}

static const char huge_chunk[] =
    OK_HEAD "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n";

static void hostile_ones(void **state)
{
    static const char *const texts[] = {
        "\x1b]0;owned\x07\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n",
        huge_chunk,
        "HTTP/9.9 200 OK\r\n\r\n",
    };
    struct seen s;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        memset(&s, 0, sizeof(s));
        hears(texts[i], strlen(texts[i]), &s);
        if (s.end == LINK_OK)
            fail_msg("%zu: taken", i);
        assert_null(strchr(s.text, '\x1b'));
    }
}

static void too_much(const char *head, const char *again)
{
    char *text = malloc(BIG);
    size_t n = strlen(head);
    struct seen s = {0};

    assert_non_null(text);
    memcpy(text, head, n);
    while (n + strlen(again) < BIG) {
        memcpy(text + n, again, strlen(again));
        n += strlen(again);
    }
    hears(text, n, &s);
    free(text);
    assert_int_equal(s.end, LINK_FAILED);
    assert_non_null(strstr(s.text, "its answer is too long"));
}

static void swollen_ones(void **state)
{
    (void)state;
    too_much(OK_HEAD "\r\n", "0123456789abcdef");
    too_much(OK_HEAD, "X-Header: for ever\r\n");
    too_much("", "HTTP/1.1 100 Continue\r\n\r\n");
}

/* -- silence, nobody, no TLS ----------------------------------------------- */

static void silence(void **state)
{
    struct server before = {.silent = true};
    struct server behind = {.identity = &ours, .http_silent = true};
    struct seen s = {.times = 1};

    (void)state;
    server_start(&before);
    ask(before.port, ours.issuer, NULL, leaf_names, &s);
    server_stop(&before);
    assert_int_equal(s.end, LINK_UNSENT);
    assert_false(s.sent);
    server_start(&behind);
    ask(behind.port, ours.issuer, NULL, leaf_names, &s);
    server_stop(&behind);
    assert_int_equal(s.end, LINK_LOST);
    assert_true(s.sent);
}

static void nobody(void **state)
{
    struct server plain = {.says = SMALL, .says_len = strlen(SMALL)};
    struct seen s = {0};
    unsigned port;

    (void)state;
    close(listen_somewhere(&port));
    ask(port, ours.issuer, NULL, leaf_names, &s);
    assert_int_equal(s.end, LINK_UNSENT);
    memset(&s, 0, sizeof(s));
    server_start(&plain);
    ask(plain.port, ours.issuer, NULL, leaf_names, &s);
    server_stop(&plain);
    assert_int_equal(s.end, LINK_FAILED);
    assert_false(s.sent);
}

/* -- orders ---------------------------------------------------------------- */

#define ORDER "{\"service\":\"tomcat\"}"

static void orders(struct server *server, X509 *ca, struct seen *s)
{
    server->wants_body = strlen(ORDER);
    server_start(server);
    order = ORDER;
    ask(server->port, ca, NULL, leaf_names, s);
    order = NULL;
    server_stop(server);
}

static void an_order_goes_out_whole(void **state)
{
    struct server server = {
        .identity = &ours, .http = SMALL, .http_len = strlen(SMALL)};
    struct seen s = {0};

    (void)state;
    orders(&server, ours.issuer, &s);
    assert_int_equal(s.end, LINK_OK);
    assert_string_equal(s.body, "hi");
    assert_non_null(strstr(server.asked, "POST /api/v1/system/status HTTP/"));
    assert_non_null(strstr(server.asked, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(server.asked, "\r\n\r\n" ORDER));
    assert_null(strstr(server.asked, "Expect:"));
}

static void an_order_is_not_for_strangers(void **state)
{
    struct server server = {
        .identity = &ours, .http = SMALL, .http_len = strlen(SMALL)};
    struct seen s = {0};

    (void)state;
    orders(&server, others.issuer, &s);
    assert_int_equal(s.end, LINK_FAILED);
    assert_false(s.sent);
    assert_string_equal(server.asked, "");
}

/* Whatever came of it: only a whole answer tells. */
static void an_order_without_an_answer_may_have_acted(void **state)
{
    static const char *const answers[] = {"", "\x1b]0;owned\x07\r\n\r\n",
                                          OK_HEAD "Content-Length: 5\r\n\r\nhi",
                                          huge_chunk};
    struct seen s;
    unsigned port;

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        struct server server = {.identity = &ours,
                                .http = answers[i],
                                .http_len = strlen(answers[i])};
        memset(&s, 0, sizeof(s));
        orders(&server, ours.issuer, &s);
        assert_true(s.sent);
        if (s.end != LINK_LOST)
            fail_msg("%zu: %d", i, (int)s.end);
    }
    memset(&s, 0, sizeof(s));
    close(listen_somewhere(&port));
    order = ORDER;
    ask(port, ours.issuer, NULL, leaf_names, &s);
    order = NULL;
    assert_int_equal(s.end, LINK_UNSENT);
    assert_false(s.sent);
}

static void forgotten(void **state)
{
    struct server server = {.silent = true};
    struct secret *ca = pem(ours.issuer);
    struct https_request get = {.address = "127.0.0.1",
                                .path = "/",
                                .user = "api",
                                .password = password,
                                .ca = ca,
                                .timeout_ms = LONG_MS};
    struct https_call *call;
    struct seen s = {0};
    uv_loop_t loop;
    struct https *h;

    (void)state;
    server_start(&server);
    get.port = server.port;
    uv_loop_init(&loop);
    h = https_new(&loop, NULL);
    https_cancel(https_start(h, &get, on_done, &s)); /* at once */
    call = https_start(h, &get, on_done, &s);
    uv_run(&loop, UV_RUN_ONCE);
    https_cancel(call); /* under way */
    run(&loop, h);
    server_stop(&server);
    secret_free(ca);
    assert_int_equal(s.times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(believed),
        cmocka_unit_test(not_believed),
        cmocka_unit_test(environment_is_not_asked),
        cmocka_unit_test(statuses),
        cmocka_unit_test(hostile_ones),
        cmocka_unit_test(swollen_ones),
        cmocka_unit_test(silence),
        cmocka_unit_test(nobody),
        cmocka_unit_test(an_order_goes_out_whole),
        cmocka_unit_test(an_order_is_not_for_strangers),
        cmocka_unit_test(an_order_without_an_answer_may_have_acted),
        cmocka_unit_test(forgotten),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
