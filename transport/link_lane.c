/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_lane.c - a lane gets its connection, loses it, and gets it
 * again.  It must not know what its requests are.
 */
#include <stdlib.h>

#include "core/base/log.h"
#include "transport/link_priv.h"

enum {
    TRIES_MAX = 3,
    BACKOFF_FIRST_MS = 250, /* then four times as long */
    CONNECT_DEFAULT_MS = 15000,
    COMMAND_DEFAULT_MS = 60000,
};

static unsigned connect_timeout_ms(const struct lane *lane)
{
    unsigned ms = lane->link->target->connect_timeout_ms;

    return ms != 0 ? ms : CONNECT_DEFAULT_MS;
}

unsigned lane_timeout_ms(const struct lane *lane)
{
    const struct request *r = lane->current;
    unsigned ms = r != NULL ? r->command.timeout_ms : 0;

    if (ms == 0)
        ms = lane->link->target->command_timeout_ms;
    return ms != 0 ? ms : COMMAND_DEFAULT_MS;
}

static bool has_work(const struct lane *lane)
{
    return lane->line.first != NULL || lane->current != NULL ||
           lane->in_flight > 0;
}

static void reset(struct lane *lane, const struct err *why)
{
    uv_timer_stop(&lane->deadline);
    lane_unpause(lane);
    if (lane->is_files)
        file_reset(lane, why);
    else
        command_reset(lane, why);
    lane->chan_retried = false;
    lane->served = false;
    lane->login_shell = NULL;
}

static void fail_line(struct lane *lane, enum link_end end,
                      const struct err *err)
{
    struct request *r;

    while ((r = line_take(&lane->line)) != NULL)
        request_settle(r, end, err);
    lane->attempts = 0;
}

static void on_pause(uv_timer_t *timer)
{
    struct lane *lane = timer->data;
    enum lane_pause why = lane->paused_for;

    lane->paused_for = PAUSE_NONE;
    if (why == PAUSE_BACKOFF)
        lane_kick(lane);
    else if (lane->is_files)
        file_on_pause(lane, why);
    else
        command_on_pause(lane, why);
}

void lane_pause(struct lane *lane, enum lane_pause why, uint64_t ms)
{
    lane->paused_for = why;
    uv_timer_start(&lane->pause, on_pause, ms, 0);
}

void lane_unpause(struct lane *lane)
{
    lane->paused_for = PAUSE_NONE;
    uv_timer_stop(&lane->pause);
}

void lane_again(struct lane *lane, struct request *r, const struct err *why)
{
    if (++r->tries >= TRIES_MAX)
        request_settle(r, LINK_UNSENT, why);
    else if (lane->is_files) /* they come in their order, the line is empty */
        line_add(&lane->line, r);
    else
        line_push_front(&lane->line, r);
}

static void on_ready(void *user)
{
    struct lane *lane = user;

    lane->attempts = 0;
    lane_kick(lane);
}

static uint64_t backoff_ms(const struct lane *lane)
{
    uint64_t ms = BACKOFF_FIRST_MS;

    for (unsigned i = 1; i < lane->attempts; i++)
        ms *= 4;
    return ms;
}

static void forget_pin(struct lane *lane)
{
    free(lane->first_pin);
    lane->first_pin = NULL;
    lane->key_types = 0;
}

/* The server has several host keys, and the pin may be another one's.  When
 * none was it, the first refusal is told: it names what ssh shows too. */
static bool try_next_key_type(struct lane *lane, const struct conn_end *end)
{
    if (lane->first_pin == NULL) {
        lane->first_pin = malloc(sizeof(*lane->first_pin));
        if (lane->first_pin == NULL)
            abort();
        *lane->first_pin = *end->err;
    }
    if (++lane->key_types < CONN_KEY_TYPES)
        return true;
    fail_line(lane, LINK_REFUSED, lane->first_pin);
    forget_pin(lane);
    return false;
}

/* A try that is not the same again, and needs no wait.  False: told. */
static bool try_otherwise(struct lane *lane, const struct conn_end *end,
                          bool *otherwise)
{
    *otherwise = false;
    if (end->next_key_type) {
        *otherwise = try_next_key_type(lane, end);
        return *otherwise;
    }
    if (end->without_agent && !lane->without_agent &&
        lane->link->target->password != NULL) {
        lane->without_agent = true;
        *otherwise = true;
    }
    return true;
}

/* Another try, while tries and time last. */
static void try_again(struct lane *lane, const struct conn_end *end)
{
    uint64_t wait = backoff_ms(lane);
    bool otherwise;

    if (!try_otherwise(lane, end, &otherwise))
        return;
    if (otherwise) {
        wait = 0;
    } else if (!end->again) {
        fail_line(lane, end->end, end->err);
        return;
    }
    if ((!otherwise && lane->attempts >= TRIES_MAX) ||
        lane->budget_ms <= wait) {
        fail_line(lane, LINK_UNSENT, end->err);
        return;
    }
    lane->budget_ms -= wait;
    lane_pause(lane, PAUSE_BACKOFF, wait);
}

static void on_ended(void *user, const struct conn_end *end)
{
    struct lane *lane = user;
    bool ours = lane->dropping || end->end == LINK_CANCELED;

    lane->conn = NULL;
    lane->dropping = false;
    if (lane->budget_ms > end->active_ms)
        lane->budget_ms -= end->active_ms;
    else
        lane->budget_ms = 0;
    reset(lane, end->err);
    if (lane->link->closing) {
        link_end_if_closed(lane->link);
        return;
    }
    if (end->end == LINK_LOST) { /* it was ready: a new budget */
        lane->budget_ms = connect_timeout_ms(lane);
        log_info("%s: %s", lane->link->target->name, end->err->text);
    }
    if (!has_work(lane) || ours)
        lane_kick(lane);
    else
        try_again(lane, end);
}

static const struct conn_owner owner = {.ready = on_ready, .ended = on_ended};

static int find_route(struct link *l, struct err *err)
{
    struct sshconfig *config;

    if (l->has_route)
        return 0;
    config = port_config(l->port, l->target->ssh_config, err);
    if (config == NULL)
        return -1;
    if (route_init(&l->route, l->target, config, err) != 0) {
        route_release(&l->route);
        return -1;
    }
    l->has_route = true;
    return 0;
}

static void make_connection(struct lane *lane)
{
    struct link *l = lane->link;
    struct conn_wish wish = {.route = &l->route,
                             .without_agent = lane->without_agent,
                             .key_types = lane->key_types};
    struct err err;

    if (find_route(l, &err) != 0) {
        fail_line(lane, LINK_REFUSED, &err);
        return;
    }
    if (lane->attempts++ == 0)
        lane->budget_ms = connect_timeout_ms(lane);
    wish.budget_ms = (unsigned)lane->budget_ms;
    lane->conn = conn_open(l->port, &wish, &owner, lane);
}

void lane_kick(struct lane *lane)
{
    if (lane->link->closing || lane->dropping)
        return;
    if (lane->conn == NULL) {
        if (lane->line.first != NULL && lane->paused_for != PAUSE_BACKOFF)
            make_connection(lane);
        return;
    }
    if (!conn_is_ready(lane->conn))
        return;
    conn_set_idle(lane->conn, false);
    if (lane->is_files)
        file_serve(lane);
    else
        command_serve(lane);
    if (!has_work(lane) && lane->conn != NULL && !lane->dropping)
        conn_set_idle(lane->conn, true);
}

void lane_submit(struct lane *lane, struct request *r)
{
    line_add(&lane->line, r);
    lane_kick(lane);
}

void lane_drop(struct lane *lane)
{
    struct err why;

    if (lane->conn == NULL || lane->dropping)
        return;
    err_set(&why, CAUSE_CANCELED, "the connection was given up");
    lane->dropping = true;
    reset(lane, &why);
    conn_close(lane->conn);
}

void lane_cancel(struct lane *lane)
{
    struct request *r = lane->current;

    lane->current = NULL;
    if (r != NULL)
        request_settle(r, LINK_CANCELED, NULL);
    while ((r = line_take(&lane->line)) != NULL)
        request_settle(r, LINK_CANCELED, NULL);
    lane_unpause(lane);
    uv_timer_stop(&lane->deadline);
    lane->attempts = 0;
    lane_drop(lane);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct lane *lane = handle->data;

    lane->link->handles--;
    link_end_if_closed(lane->link);
}

void lane_init(struct lane *lane, struct link *l, bool is_files)
{
    lane->link = l;
    lane->is_files = is_files;
    line_init(&lane->line);
    str_init(&lane->line_out, 16 * 1024);
    uv_timer_init(l->port->loop, &lane->deadline);
    uv_timer_init(l->port->loop, &lane->pause);
    lane->deadline.data = lane;
    lane->pause.data = lane;
    l->handles += 2;
}

void lane_release(struct lane *lane)
{
    forget_pin(lane);
    typed_forget(lane);
    str_release(&lane->line_out);
    uv_close((uv_handle_t *)&lane->deadline, on_handle_closed);
    uv_close((uv_handle_t *)&lane->pause, on_handle_closed);
}
