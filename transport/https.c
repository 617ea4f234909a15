/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's multi interface on libuv: its sockets are watched by uv_poll, its
 * one timer by ours.  What an answer means is not known here.
 */
#include "transport/https.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "transport/curl_load.h"
#include "transport/https_priv.h"

enum {
    HEAD_CAP = 32 * 1024,
    BODY_CAP = 64 * 1024,
    URL_CAP = 1024
};

struct https {
    const struct curl_calls *curl;
    uv_timer_t timer;
    CURLM *multi;
};

struct watch { /* one socket of libcurl's */
    uv_poll_t poll;
    struct https *https;
    curl_socket_t fd;
};

struct https_call {
    struct https *https;
    struct https_request request;
    struct https_trust trust;
    CURL *easy;
    struct curl_slist *lines; /* of a POST's head */
    struct str body;
    size_t head; /* bytes of it so far */
    bool too_much;
    char why[CURL_ERROR_SIZE];
    https_done_f *done;
    void *user;
};

/* -- the end of a call ----------------------------------------------------- */

static void call_free(struct https_call *c)
{
    const struct curl_calls *curl = c->https->curl;

    curl->multi_remove_handle(c->https->multi, c->easy);
    curl->easy_cleanup(c->easy);
    curl->slist_free_all(c->lines);
    str_release(&c->body);
    free(c);
}

void https_cancel(struct https_call *c)
{
    call_free(c);
}

static bool was_sent(const struct https_call *c)
{
    long bytes = 0;

    c->https->curl->easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0;
}

static enum link_end end_of(const struct https_call *c, CURLcode code,
                            bool sent)
{
    switch (code) {
    case CURLE_OK:
        return LINK_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return LINK_UNSENT;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
        return c->too_much ? LINK_FAILED : sent ? LINK_LOST : LINK_UNSENT;
    default:
        return LINK_FAILED;
    }
}

/* Of a POST that went out only a whole answer says what came of it. */
static enum link_end end_of_post(enum link_end end, bool sent)
{
    return end == LINK_FAILED && sent ? LINK_LOST : end;
}

/* Some of libcurl's words are the peer's. */
static void tell_why(const struct https_call *c, CURLcode code, struct err *err)
{
    const char *why = c->why[0] ? c->why : c->https->curl->easy_strerror(code);
    struct str text;

    str_init(&text, 600);
    if (c->trust.why[0])
        str_addf(&text, "its certificate is not trusted: %s", c->trust.why);
    else if (c->too_much)
        str_add(&text, "its answer is too long");
    else
        str_add_visible(&text, why, strlen(why), false);
    err_set(err, CAUSE_REMOTE, "%s port %u: %s", c->request.address,
            c->request.port, str_text(&text));
    str_release(&text);
}

static void finish(struct https_call *c, CURLcode code)
{
    struct err err = {0};
    struct https_answer answer = {.sent = was_sent(c)};
    long status = 0;

    c->https->curl->easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    answer.end = end_of(c, code, answer.sent);
    if (c->request.body)
        answer.end = end_of_post(answer.end, answer.sent);
    if (answer.end == LINK_OK) {
        answer.status = (unsigned)status;
        answer.body = str_text(&c->body);
        answer.len = c->body.len;
    } else {
        tell_why(c, code, &err);
        answer.err = &err;
    }
    c->done(c->user, &answer);
    call_free(c);
}

static void finish_done(struct https *h)
{
    const CURLMsg *m;
    int left;

    while ((m = h->curl->multi_info_read(h->multi, &left))) {
        struct https_call *c = NULL;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        h->curl->easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        finish(c, code); /* may start another */
    }
}

/* -- on the loop ----------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct https *h = w->https; /* `w` may go in the call */
    int flags = 0, running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    h->curl->multi_socket_action(h->multi, w->fd, flags, &running);
    finish_done(h);
}

static void on_timer(uv_timer_t *timer)
{
    struct https *h = timer->data;
    int running;

    h->curl->multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_done(h);
}

static int on_want_timer(CURLM *multi, long ms, void *user)
{
    struct https *h = user;

    (void)multi;
    if (ms < 0)
        uv_timer_stop(&h->timer);
    else
        uv_timer_start(&h->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_unwatched(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watch *watch_new(struct https *h, curl_socket_t fd)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->https = h;
    w->fd = fd;
    w->poll.data = w;
    if (uv_poll_init(h->timer.loop, &w->poll, fd) < 0) {
        free(w);
        return NULL;
    }
    h->curl->multi_assign(h->multi, fd, w);
    return w;
}

static int on_want_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                          void *own)
{
    struct https *h = user;
    struct watch *w = own;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        h->curl->multi_assign(h->multi, fd, NULL);
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_unwatched);
        }
        return 0;
    }
    if (!w && !(w = watch_new(h, fd)))
        return -1;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    return uv_poll_start(&w->poll, events, on_poll) < 0 ? -1 : 0;
}

struct https *https_new(uv_loop_t *loop, struct err *err)
{
    const struct curl_calls *curl = curl_load(err);
    struct https *h;

    if (!curl)
        return NULL;
    h = calloc(1, sizeof(*h));
    if (!h || !(h->multi = curl->multi_init()))
        abort();
    h->curl = curl;
    uv_timer_init(loop, &h->timer);
    h->timer.data = h;
    h->curl->multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_want_socket);
    h->curl->multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    h->curl->multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_want_timer);
    h->curl->multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    return h;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void https_free(struct https *h)
{
    if (!h)
        return;
    h->curl->multi_cleanup(h->multi);
    uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}

/* -- one call -------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
    struct https_call *c = user;

    if (str_addn(&c->body, data, size * n) == 0)
        return size * n;
    c->too_much = true;
    return 0;
}

/* Also of what comes before the last status line: 100 Continue for ever. */
static size_t on_head(char *data, size_t size, size_t n, void *user)
{
    struct https_call *c = user;

    (void)data;
    c->head += size * n;
    if (c->head <= HEAD_CAP)
        return size * n;
    c->too_much = true;
    return 0;
}

static CURLcode on_context(CURL *easy, void *ctx, void *user)
{
    struct https_call *c = user;

    (void)easy;
    return https_trust_use(ctx, &c->trust) < 0 ? CURLE_SSL_CACERT_BADFILE
                                               : CURLE_OK;
}

#define SET(option, value)                                                     \
    do {                                                                       \
        if (c->https->curl->easy_setopt(c->easy, (option), (value)) !=         \
            CURLE_OK)                                                          \
            abort(); /* too old a libcurl, or no memory */                     \
    } while (0)

/* The certificate is judged by https_trust.c alone, names too. */
static void set_tls(struct https_call *c)
{
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 0L);
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_CTX_FUNCTION, on_context);
    SET(CURLOPT_SSL_CTX_DATA, c);
}

static void set_http(struct https_call *c)
{
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_PROXY, ""); /* nor the environment's */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_USERAGENT, "certfleet");
    SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_USERNAME, c->request.user);
    SET(CURLOPT_PASSWORD, secret_text(c->request.password));
}

static void add_line(struct https_call *c, const char *line)
{
    struct curl_slist *lines = c->https->curl->slist_append(c->lines, line);

    if (!lines)
        abort();
    c->lines = lines;
}

/* The body goes out with the head: nobody is asked first whether it may. */
static void set_post(struct https_call *c)
{
    add_line(c, "Content-Type: application/json");
    add_line(c, "Accept: application/json");
    add_line(c, "Expect:");
    SET(CURLOPT_HTTPHEADER, c->lines);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, c->request.body);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->request.body_len);
}

static void set_call(struct https_call *c)
{
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name under way is not waited for */
    SET(CURLOPT_TIMEOUT_MS, (long)c->request.timeout_ms);
    SET(CURLOPT_ERRORBUFFER, c->why);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, c);
    SET(CURLOPT_HEADERFUNCTION, on_head);
    SET(CURLOPT_HEADERDATA, c);
}

static void set_url(struct https_call *c)
{
    const char *fmt = strchr(c->request.address, ':') ? "https://[%s]:%u%s"
                                                      : "https://%s:%u%s";
    struct str url;

    str_init(&url, URL_CAP);
    str_addf(&url, fmt, c->request.address, c->request.port, c->request.path);
    SET(CURLOPT_URL, str_text(&url));
    str_release(&url);
}

struct https_call *https_start(struct https *h,
                               const struct https_request *request,
                               https_done_f *done, void *user)
{
    struct https_call *c = calloc(1, sizeof(*c));

    if (!c || !(c->easy = h->curl->easy_init()))
        abort();
    c->https = h;
    c->request = *request;
    c->trust.request = &c->request;
    c->done = done;
    c->user = user;
    str_init(&c->body, request->answer_cap ? request->answer_cap : BODY_CAP);
    set_url(c);
    set_tls(c);
    set_http(c);
    set_call(c);
    if (request->body)
        set_post(c);
    if (h->curl->multi_add_handle(h->multi, c->easy) != CURLM_OK)
        abort();
    return c;
}
