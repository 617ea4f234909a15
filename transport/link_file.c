/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_file.c - files: the codec (sftp.h) on a channel.  It must
 * not know commands.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "transport/link_priv.h"

enum {
    CHANNEL_RETRY_MS = 100
};

static const struct chan_owner file_owner;

static const char *address(const struct lane *lane)
{
    return lane->link->route.address;
}

static void on_deadline(uv_timer_t *timer)
{
    file_on_deadline(timer->data);
}

/* The deadline is for silence: large files take as long as they take, as long
 * as something moves. */
static void watch(struct lane *lane)
{
    if (lane->in_flight > 0 || lane->line.first != NULL)
        uv_timer_start(&lane->deadline, on_deadline, lane_timeout_ms(lane), 0);
    else
        uv_timer_stop(&lane->deadline);
}

static void keep_entries(struct request *r, const struct files_result *f)
{
    r->files = calloc(f->n_entries ? f->n_entries : 1, sizeof(*r->files));
    if (r->files == NULL)
        abort();
    for (size_t i = 0; i < f->n_entries; i++) {
        r->files[i] = f->entries[i];
        r->files[i].name = strdup(f->entries[i].name);
        if (r->files[i].name == NULL)
            abort();
    }
    r->result.files = r->files;
    r->result.n_files = f->n_entries;
}

static void keep_bytes(struct request *r, const struct files_result *f)
{
    r->bytes = malloc(f->len + 1);
    if (r->bytes == NULL)
        abort();
    memcpy(r->bytes, f->data, f->len);
    r->bytes[f->len] = '\0';
    r->result.data = r->bytes;
    r->result.len = f->len;
}

static enum link_end end_of(const struct files_result *f)
{
    switch (f->end) {
    case FILES_OK:
        return LINK_OK;
    case FILES_STATUS:
    case FILES_SHORT:
    case FILES_TOO_LARGE:
        return LINK_FAILED;
    case FILES_BROKEN:
    case FILES_LOST:
        break;
    }
    return f->sent ? LINK_LOST : LINK_UNSENT;
}

static void on_file_done(void *user, const struct files_result *f)
{
    struct request *r = user;
    struct lane *lane = &r->link->files;
    enum link_end end = end_of(f);

    lane->in_flight--;
    r->sent = f->sent;
    r->result.took_ms = f->took_ms;
    if (r->link->canceling) {
        request_settle(r, LINK_CANCELED, NULL);
    } else if (end == LINK_UNSENT) {
        lane_again(lane, r, f->err);
    } else {
        if (end == LINK_OK && r->kind == REQUEST_GET)
            keep_bytes(r, f);
        if (end == LINK_OK && r->kind == REQUEST_LIST)
            keep_entries(r, f);
        request_settle(r, end, f->err);
    }
}

static void forget_files(struct lane *lane, const struct err *why)
{
    if (lane->chan != NULL)
        chan_close(lane->chan);
    lane->chan = NULL;
    lane->chan_opened = false;
    if (lane->files != NULL) {
        struct files *f = lane->files;

        lane->files = NULL;
        files_fail_all(f, why);
        files_free(f);
    }
}

void file_reset(struct lane *lane, const struct err *why)
{
    forget_files(lane, why);
}

void file_on_deadline(struct lane *lane)
{
    struct err err;
    struct request *r;

    err_set(&err, CAUSE_LOST, "nothing came from the SFTP of %s for %u s",
            address(lane), (lane_timeout_ms(lane) + 999) / 1000);
    forget_files(lane, &err);
    while ((r = line_take(&lane->line)) != NULL)
        request_settle(r, LINK_UNSENT, &err);
    lane_drop(lane);
    lane_kick(lane);
}

static void start_one(struct lane *lane, struct request *r)
{
    lane->in_flight++;
    switch (r->kind) {
    case REQUEST_PUT:
        files_put(lane->files, &r->put, on_file_done, r);
        break;
    case REQUEST_GET:
        files_get(lane->files, r->name, r->cap, on_file_done, r);
        break;
    case REQUEST_LIST:
        files_list(lane->files, ".", on_file_done, r);
        break;
    default:
        files_remove(lane->files, r->name, on_file_done, r);
        break;
    }
}

static void start_all(struct lane *lane)
{
    struct request *r;

    while ((r = line_take(&lane->line)) != NULL)
        start_one(lane, r);
    chan_wake(lane->chan);
    watch(lane);
}

static void on_opened(void *user)
{
    struct lane *lane = user;
    const struct files_options options = {
        .depth = lane->link->target->dialect->sftp_depth,
        .now_ms = clock_mono_ms,
    };

    lane->chan_opened = true;
    lane->files = files_new(&options);
    start_all(lane);
}

static void on_data(void *user, const char *data, size_t len)
{
    struct lane *lane = user;
    struct err err;

    if (lane->files == NULL)
        return;
    if (files_feed(lane->files, data, len, &err) != 0) {
        err_context(&err, "SFTP of %s", address(lane));
        forget_files(lane, &err);
        lane_drop(lane);
    } else {
        chan_wake(lane->chan);
        watch(lane);
    }
    lane_kick(lane);
}

static void on_eof(void *user)
{
    (void)user; /* `ended` follows, or the deadline */
}

static void refused(struct lane *lane, const struct err *err)
{
    unsigned ms = lane->link->target->dialect->channel_retry_ms;
    struct request *r;

    if (!lane->chan_retried) {
        lane->chan_retried = true;
        lane_pause(lane, PAUSE_CHANNEL, ms != 0 ? ms : CHANNEL_RETRY_MS);
        return;
    }
    lane->chan_retried = false;
    while ((r = line_take(&lane->line)) != NULL)
        request_settle(r, LINK_UNSENT, err);
    watch(lane);
}

static void on_ended(void *user, enum chan_end how, const struct err *err)
{
    struct lane *lane = user;
    struct request *r;

    lane->chan = NULL; /* it is gone */
    if (how == CHAN_REFUSED) {
        refused(lane, err);
        return;
    }
    if (how == CHAN_DENIED) {
        while ((r = line_take(&lane->line)) != NULL)
            request_settle(r, LINK_FAILED, err);
    }
    forget_files(lane, err);
    watch(lane);
    lane_kick(lane);
}

static const void *output(void *user, size_t *len)
{
    const struct lane *lane = user;

    *len = 0;
    return lane->files != NULL ? files_output(lane->files, len) : NULL;
}

static void on_sent(void *user, size_t n)
{
    struct lane *lane = user;

    if (lane->files != NULL)
        files_sent(lane->files, n);
    watch(lane);
}

static const struct chan_owner file_owner = {
    .opened = on_opened,
    .data = on_data,
    .eof = on_eof,
    .ended = on_ended,
    .output = output,
    .sent = on_sent,
};

static void open_sftp(struct lane *lane)
{
    const struct chan_wish wish = {.kind = CHAN_SFTP};

    lane->chan_opened = false;
    lane->chan = chan_open(lane->conn, &wish, &file_owner, lane);
}

void file_on_pause(struct lane *lane, enum lane_pause why)
{
    if (why == PAUSE_CHANNEL)
        lane_kick(lane);
}

void file_serve(struct lane *lane)
{
    if (lane->line.first == NULL || lane->paused_for == PAUSE_CHANNEL)
        return;
    watch(lane);
    if (lane->chan == NULL)
        open_sftp(lane);
    else if (lane->files != NULL)
        start_all(lane);
}
