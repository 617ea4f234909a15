/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd, driven by its epoll descriptor and its own timeout.
 */
#include "cli/metrics_http.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/metrics.h"
#include "cli/mhd_load.h"
#include "core/base/clock.h"

enum {
    CLIENT_BYTES = 16 * 1024, /* of memory, its request and all */
    CLIENTS_OF_ONE = 8
};

struct metrics_http {
    struct MHD_Daemon *daemon;
    metrics_text_f *text;
    void *user;
    struct MHD_Response *made; /* the last text */
    uint64_t made_ms;
    uv_poll_t poll;
    uv_timer_t timer;
    int handles;
};

/* -- where ----------------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int fail_where(const char *where, struct err *err)
{
    return err_set(err, CAUSE_INPUT,
                   "--metrics-listen %.100s: PORT, ADDRESS:PORT or "
                   "[ADDRESS]:PORT is wanted, in numbers",
                   where);
}

static int read_port(const char *text, int *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value > UINT16_MAX)
        return -1;
    *port = (int)value;
    return 0;
}

static int read_where(const char *where, union address *address,
                      struct err *err)
{
    const char *colon = strrchr(where, ':');
    const char *port_text = colon ? colon + 1 : where;
    size_t len = colon ? (size_t)(colon - where) : 0;
    char host[64] = "127.0.0.1";
    int port, rc;

    if (read_port(port_text, &port) < 0 || len >= sizeof(host))
        return fail_where(where, err);
    if (len > 1 && where[0] == '[' && where[len - 1] == ']') {
        where++;
        len -= 2;
    } else if (memchr(where, ':', len)) {
        return fail_where(where, err);
    }
    if (len) {
        memcpy(host, where, len);
        host[len] = '\0';
    }
    rc = strchr(host, ':') ? uv_ip6_addr(host, port, &address->v6)
                           : uv_ip4_addr(host, port, &address->v4);
    return rc < 0 ? fail_where(where, err) : 0;
}

/* -- answers --------------------------------------------------------------- */

static enum MHD_Result answer_words(struct MHD_Connection *connection,
                                    unsigned status, const char *words)
{
    struct MHD_Response *response = mhd.create_response_from_buffer(
        strlen(words), (void *)(uintptr_t)words, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result rc;

    if (!response)
        return MHD_NO;
    mhd.add_response_header(response, "Content-Type", "text/plain");
    rc = mhd.queue_response(connection, status, response);
    mhd.destroy_response(response);
    return rc;
}

/* Kept for those who ask again at once; who is still reading an older one
 * keeps that. */
static struct MHD_Response *text_of(struct metrics_http *http)
{
    uint64_t now = clock_mono_ms();
    struct str text;
    size_t len;

    if (http->made && now - http->made_ms < METRICS_HTTP_KEEP_MS)
        return http->made;
    str_init(&text, METRICS_CAP);
    if (!http->text(http->user, &text) || text.cut) {
        str_release(&text);
        return NULL;
    }
    if (http->made)
        mhd.destroy_response(http->made);
    len = text.len;
    http->made_ms = now;
    http->made = mhd.create_response_from_buffer(len, str_take(&text),
                                                 MHD_RESPMEM_MUST_FREE);
    if (http->made)
        mhd.add_response_header(http->made, "Content-Type",
                                "text/plain; version=0.0.4; charset=utf-8");
    return http->made;
}

static bool is_reading(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
           strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* A body is nobody's business here: it is not read. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len,
                                  void **state) /* lint: allow params, MHD's */
{
    struct metrics_http *http = user;
    struct MHD_Response *response;

    (void)version;
    (void)upload;
    (void)upload_len;
    (void)state;
    if (!is_reading(method))
        return answer_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                            "only GET\n");
    if (strcmp(url, "/metrics") != 0)
        return answer_words(connection, MHD_HTTP_NOT_FOUND, "see /metrics\n");
    response = text_of(http);
    if (!response)
        return answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "nothing can be read now\n");
    return mhd.queue_response(connection, MHD_HTTP_OK, response);
}

/* -- the loop -------------------------------------------------------------- */

static void turn(struct metrics_http *http);

static void on_timer(uv_timer_t *timer)
{
    turn(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    turn(poll->data);
}

static void turn(struct metrics_http *http)
{
    MHD_UNSIGNED_LONG_LONG ms;

    mhd.run(http->daemon);
    if (mhd.get_timeout(http->daemon, &ms) == MHD_YES)
        uv_timer_start(&http->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&http->timer);
}

static int watch(struct metrics_http *http, uv_loop_t *loop)
{
    const union MHD_DaemonInfo *info =
        mhd.get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    if (!info || uv_poll_init(loop, &http->poll, info->epoll_fd) < 0)
        return -1;
    uv_timer_init(loop, &http->timer);
    http->poll.data = http->timer.data = http;
    http->handles = 2;
    uv_poll_start(&http->poll, UV_READABLE, on_ready);
    return 0;
}

static struct MHD_Daemon *start(struct metrics_http *http,
                                const union address *address)
{
    unsigned flags = MHD_USE_EPOLL;

    if (address->any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return mhd.start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_SOCK_ADDR,
        &address->any, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)METRICS_HTTP_CLIENTS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)CLIENTS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)METRICS_HTTP_SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CLIENT_BYTES, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
        MHD_OPTION_END);
}

struct metrics_http *metrics_http_new(uv_loop_t *loop, const char *where,
                                      metrics_text_f *text, void *user,
                                      struct err *err)
{
    struct metrics_http *http;
    union address address;

    memset(&address, 0, sizeof(address));
    if (read_where(where, &address, err) < 0 || mhd_load(err) < 0)
        return NULL;
    http = calloc(1, sizeof(*http));
    if (!http)
        abort();
    http->text = text;
    http->user = user;
    http->daemon = start(http, &address);
    if (!http->daemon || watch(http, loop) < 0) {
        err_errno(err, CAUSE_INPUT, "--metrics-listen %.100s: cannot listen",
                  where);
        if (http->daemon)
            mhd.stop_daemon(http->daemon);
        free(http);
        return NULL;
    }
    return http;
}

unsigned metrics_http_port(const struct metrics_http *http)
{
    const union MHD_DaemonInfo *info =
        mhd.get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info ? info->port : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct metrics_http *http = handle->data;

    if (--http->handles > 0)
        return;
    mhd.stop_daemon(http->daemon);
    if (http->made)
        mhd.destroy_response(http->made);
    free(http);
}

void metrics_http_free(struct metrics_http *http)
{
    if (!http)
        return;
    uv_close((uv_handle_t *)&http->poll, on_closed);
    uv_close((uv_handle_t *)&http->timer, on_closed);
}
