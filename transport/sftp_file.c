/* SPDX-License-Identifier: Apache-2.0
 *
 * The SFTP requests that move bytes: put and get.  Knows the fields of its
 * packets, not how they reach the wire.
 */
#include <assert.h>
#include <string.h>

#include "transport/sftp_priv.h"

enum {
    OPEN_READ = 0x1,
    OPEN_PUT = 0x2 | 0x8,
    OPEN_TRUNC = 0x10,
    OPEN_EXCL = 0x20
};

static bool send_open(struct files *f, struct op *op, uint32_t flags)
{
    size_t start = files_send_start(f);

    files_send(f, op, FXP_OPEN);
    files_send_string(f, op->name, strlen(op->name));
    files_send_u32(f, flags);
    files_send_u32(f, 0); /* no attributes: the appliance has its own */
    files_send_end(f, start);
    op->phase = OP_BODY;
    return true;
}

/* ------------------------------------------------------------------- put */

static bool send_write(struct files *f, struct op *op)
{
    size_t start = files_send_start(f);
    size_t n = op->source_len - op->offset;

    if (n > FILES_CHUNK)
        n = FILES_CHUNK;
    files_send(f, op, FXP_WRITE);
    files_send_string(f, op->handle, op->handle_len);
    files_send_u64(f, op->offset);
    files_send_string(f, op->source + op->offset, n);
    files_send_end(f, start);
    op->offset += n;
    return true;
}

/* WRITEs and CLOSE follow each other without waiting: a server keeps the
 * order of what concerns one file, and a WRITE that is refused makes the
 * rest worthless anyway. */
static bool put_send(struct files *f, struct op *op)
{
    bool failed = op->result.end != FILES_OK;

    switch (op->phase) {
    case OP_OPEN:
        return send_open(f, op,
                         op->exclusive ? OPEN_PUT | OPEN_EXCL
                                       : OPEN_PUT | OPEN_TRUNC);
    case OP_BODY:
        if (op->handle_len == 0)
            return false;
        if (!failed && op->offset < op->source_len)
            return send_write(f, op);
        return files_send_close(f, op);
    case OP_AFTER: /* not before the CLOSE has its answer */
        if (op->in_flight > 0)
            return false;
        op->phase = OP_ENDING;
        return files_send_name(f, op, FXP_STAT);
    case OP_CLOSE:
    case OP_ENDING:
        break;
    }
    return false;
}

static void put_size(struct op *op, const struct reply *reply)
{
    struct files_result *r = &op->result;

    if (reply->type == FXP_STATUS) {
        /* every WRITE and the CLOSE were acknowledged: that has to do */
        if (reply->status != FILES_FX_UNSUPPORTED)
            files_op_status(op, reply);
        return;
    }
    r->size_told = reply->attrs.has_size;
    r->size = reply->attrs.size;
    if (r->size_told && r->size != op->source_len)
        files_op_fail(op, FILES_SHORT, "%llu bytes written, %llu there",
                      (unsigned long long)op->source_len,
                      (unsigned long long)r->size);
}

static int put_answer(struct files *f, struct op *op, const struct slot *slot,
                      struct reply *reply, struct err *err)
{
    switch (slot->type) {
    case FXP_OPEN:
        if (files_take_handle(op, reply, err) != 0)
            return -1;
        op->result.created = op->handle_len > 0;
        break;
    case FXP_STAT:
        put_size(op, reply);
        break;
    default: /* WRITE, CLOSE */
        if (reply->status != FILES_FX_OK)
            files_op_status(op, reply);
    }
    if (op->result.end != FILES_OK && op->phase == OP_AFTER)
        op->phase = OP_ENDING; /* a STAT would tell nothing */
    return files_settle(f, op);
}

static const struct op_kind kind_put = {
    .verb = "put",
    .changes = true,
    .send = put_send,
    .answer = put_answer,
};

void files_put(struct files *f, const struct link_put *put, files_done_f *done,
               void *user)
{
    struct op *op = files_add(f, &kind_put, put->name, done, user);

    op->source = put->data;
    op->source_len = put->len;
    op->exclusive = put->exclusive;
}

/* ------------------------------------------------------------------- get */

static bool send_read(struct files *f, struct op *op, uint64_t offset,
                      uint32_t len)
{
    size_t start = files_send_start(f);
    struct slot *slot = files_send(f, op, FXP_READ);

    slot->offset = offset;
    slot->len = len;
    files_send_string(f, op->handle, op->handle_len);
    files_send_u64(f, offset);
    files_send_u32(f, len);
    files_send_end(f, start);
    return true;
}

static bool get_body(struct files *f, struct op *op)
{
    bool over = op->result.end != FILES_OK;
    uint64_t limit = (uint64_t)op->cap + 1; /* one more shows "too large" */
    uint64_t left = limit - op->asked;
    struct hole *hole;

    if (op->handle_len == 0)
        return false;
    if (!over && op->n_holes > 0 && op->in_flight < op->window) {
        hole = &op->holes[--op->n_holes];
        return send_read(f, op, hole->offset, hole->len);
    }
    if (!over && op->n_holes == 0 && op->eof == UINT64_MAX && left > 0) {
        if (op->in_flight >= op->window)
            return false;
        if (left > FILES_CHUNK)
            left = FILES_CHUNK;
        op->asked += left;
        return send_read(f, op, op->asked - left, (uint32_t)left);
    }
    return op->in_flight == 0 ? files_send_close(f, op) : false;
}

/* A large one is asked for its size first. */
static bool get_open(struct files *f, struct op *op)
{
    if (op->in_flight > 0)
        return false;
    if (op->cap <= FILES_UNSIZED || op->sized)
        return send_open(f, op, OPEN_READ);
    op->sized = true;
    return files_send_name(f, op, FXP_STAT);
}

static bool get_send(struct files *f, struct op *op)
{
    if (op->phase == OP_OPEN)
        return get_open(f, op);
    return op->phase == OP_BODY ? get_body(f, op) : false;
}

/* No more is taken than the server says that there is; one that says nothing,
 * or that there is none (live.json), may go up to the cap or to a MB.  Is the
 * file not there, the OPEN will tell. */
static void get_size(struct op *op, const struct reply *reply)
{
    const struct attrs *a = &reply->attrs;

    if (reply->type == FXP_STATUS || !a->has_size)
        return;
    if (a->size > op->cap) {
        files_op_fail(op, FILES_TOO_LARGE, "it has %llu bytes, more than %zu",
                      (unsigned long long)a->size, op->cap);
        op->phase = OP_ENDING;
        return;
    }
    op->cap = a->size ? (size_t)a->size : FILES_UNSIZED;
}

/* Answers may come in any order, and shorter than asked. */
static int take_data(struct op *op, const struct slot *slot,
                     const struct cursor *data, struct err *err)
{
    uint64_t end = slot->offset + data->left;

    if (data->left == 0 || data->left > slot->len)
        return files_broke(err,
                           "READ answered with more than asked, or nothing");
    if (op->result.end != FILES_OK)
        return 0;
    if (end > op->cap) {
        files_op_fail(op, FILES_TOO_LARGE, "more than %zu bytes", op->cap);
        return 0;
    }
    if (end > op->got.len) {
        bytes_reserve(&op->got, (size_t)end - op->got.len + 1);
        op->got.len = (size_t)end;
    }
    memcpy(op->got.data + slot->offset, data->p, data->left);
    if (data->left < slot->len) {
        assert(op->n_holes < FILES_DEPTH_MAX);
        op->holes[op->n_holes++] =
            (struct hole){end, slot->len - (uint32_t)data->left};
    } else if (op->window < FILES_DEPTH_MAX) {
        op->window++; /* a large file: twice as many each round trip */
    }
    return 0;
}

static void get_finish(struct op *op)
{
    if (op->result.end != FILES_OK)
        return;
    if (op->got.len != op->eof) {
        files_op_fail(op, FILES_SHORT, "it changed while it was read");
        return;
    }
    bytes_reserve(&op->got, 1);
    op->got.data[op->got.len] = '\0';
    op->result.data = (const char *)op->got.data;
    op->result.len = op->got.len;
}

static int get_answer(struct files *f, struct op *op, const struct slot *slot,
                      struct reply *reply, struct err *err)
{
    int rc = 0;

    if (slot->type == FXP_STAT) {
        get_size(op, reply);
    } else if (slot->type == FXP_OPEN) {
        rc = files_take_handle(op, reply, err);
    } else if (slot->type == FXP_CLOSE) {
        op->phase = OP_ENDING; /* what was read is read, whatever it says */
        get_finish(op);
    } else if (reply->type == FXP_DATA) {
        rc = take_data(op, slot, &reply->text, err);
    } else if (reply->status != FILES_FX_EOF) {
        files_op_status(op, reply);
    } else if (slot->offset < op->eof) {
        op->eof = slot->offset;
    }
    return rc != 0 ? rc : files_settle(f, op);
}

static const struct op_kind kind_get = {
    .verb = "get",
    .send = get_send,
    .answer = get_answer,
};

void files_get(struct files *f, const char *name, size_t cap,
               files_done_f *done, void *user)
{
    struct op *op = files_add(f, &kind_get, name, done, user);

    op->cap = cap < SIZE_MAX / 4 ? cap : SIZE_MAX / 4;
}
