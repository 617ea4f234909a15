/* SPDX-License-Identifier: Apache-2.0
 *
 * One SFTP conversation: packets in and out, which request may start, which
 * answer belongs to whom, and that each request ends once.  What a request
 * says is in sftp_ops.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "transport/sftp_priv.h"

enum {
    VERSION = 3,
    DEFAULT_DEPTH = 16,
    DEFAULT_ENTRIES = 10000
};

/* --------------------------------------------------------------- sending */

void files_send_u32(struct files *f, uint32_t value)
{
    unsigned char b[4] = {(unsigned char)(value >> 24),
                          (unsigned char)(value >> 16),
                          (unsigned char)(value >> 8), (unsigned char)value};

    bytes_add(&f->out, b, sizeof(b));
}

void files_send_u64(struct files *f, uint64_t value)
{
    files_send_u32(f, (uint32_t)(value >> 32));
    files_send_u32(f, (uint32_t)value);
}

void files_send_string(struct files *f, const void *data, size_t len)
{
    files_send_u32(f, (uint32_t)len);
    bytes_add(&f->out, data, len);
}

size_t files_send_start(const struct files *f)
{
    return f->out.len;
}

void files_send_end(struct files *f, size_t start)
{
    size_t len = f->out.len - start - 4;
    unsigned char *p = f->out.data + f->out.start + start;

    p[0] = (unsigned char)(len >> 24);
    p[1] = (unsigned char)(len >> 16);
    p[2] = (unsigned char)(len >> 8);
    p[3] = (unsigned char)len;
}

struct slot *files_send(struct files *f, struct op *op, uint8_t type)
{
    struct slot *slot = &f->slots[f->n_slots++];

    assert(f->n_slots <= f->options.depth);
    *slot = (struct slot){.op = op, .id = f->next_id++, .type = type};
    op->in_flight++;
    if (!op->queued) {
        op->queued = true;
        op->first_at = f->taken + f->out.len;
    }
    files_send_u32(f, 0); /* the length, set by files_send_end */
    bytes_add(&f->out, &type, 1);
    files_send_u32(f, slot->id);
    return slot;
}

static bool same_name(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool conflict(const struct op *a, const struct op *b)
{
    if (!a->kind->changes && !b->kind->changes)
        return false;
    return a->kind->folder || b->kind->folder || same_name(a->name, b->name) ||
           same_name(a->name, b->to) || same_name(a->to, b->name) ||
           same_name(a->to, b->to);
}

static bool may_start(const struct files *f, const struct op *op)
{
    const struct op *earlier;

    for (earlier = f->ops; earlier != op; earlier = earlier->next)
        if (conflict(earlier, op))
            return false;
    return true;
}

/* Queues one packet of the first request that has one to send. */
static bool send_one(struct files *f)
{
    unsigned active = 0;
    struct op *op;

    for (op = f->ops; op && active < f->options.depth; op = op->next) {
        if (!op->started)
            op->started = may_start(f, op);
        if (!op->started)
            continue;
        active++;
        if (op->kind->send(f, op))
            return true;
    }
    return false;
}

const void *files_output(struct files *f, size_t *len)
{
    *len = 0;
    if (f->broken)
        return NULL;
    while (f->ready && f->out.len <= FILES_OUT_MARK &&
           f->n_slots < f->options.depth)
        if (!send_one(f))
            break;
    *len = f->out.len;
    return f->out.len ? f->out.data + f->out.start : NULL;
}

static uint64_t now_ms(const struct files *f)
{
    return f->options.now_ms ? f->options.now_ms() : 0;
}

void files_sent(struct files *f, size_t n)
{
    struct op *op;

    assert(n <= f->out.len);
    if (n == 0)
        return;
    f->taken += n;
    bytes_drop(&f->out, n);
    for (op = f->ops; op; op = op->next) {
        if (!op->queued || op->result.sent || f->taken <= op->first_at)
            continue;
        op->result.sent = true;
        op->began_ms = now_ms(f);
    }
}

/* ------------------------------------------------------------- requests */

struct op *files_add(struct files *f, const struct op_kind *kind,
                     const char *name, files_done_f *done, void *user)
{
    struct op *op = calloc(1, sizeof(*op));

    assert(!f->freeing);
    assert(name[0] && strlen(name) <= 1024);
    if (!op || !(op->name = strdup(name)))
        abort();
    op->kind = kind;
    op->done = done;
    op->user = user;
    op->eof = UINT64_MAX;
    op->window = 2; /* one for the file, one for its end: most are small */
    op->result.mtime = -1;
    arena_init(&op->names);
    *f->tail = op;
    f->tail = &op->next;
    return op;
}

void files_op_fail(struct op *op, enum files_end end, const char *fmt, ...)
{
    va_list ap;
    struct str text;

    if (op->result.end != FILES_OK)
        return; /* the first failure is the cause of the others */
    op->result.end = end;
    str_init(&text, 512);
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    err_set(&op->err, CAUSE_REMOTE, "%s %s: %s", op->kind->verb, op->name,
            str_text(&text));
    str_release(&text);
}

static const char *status_words(uint32_t status)
{
    static const char *const words[] = {
        "ok",
        "end of file",
        "no such file",
        "permission denied",
        "failure",
        "bad message",
        "no connection",
        "connection lost",
        "not supported",
    };

    return status < sizeof(words) / sizeof(words[0]) ? words[status]
                                                     : "unknown status";
}

void files_op_status(struct op *op, const struct reply *reply)
{
    struct str text;

    if (op->result.end != FILES_OK)
        return;
    op->result.status = reply->status;
    str_init(&text, 256);
    if (reply->text.left)
        str_add_visible(&text, (const char *)reply->text.p, reply->text.left,
                        false);
    files_op_fail(op, FILES_STATUS, "%s (SFTP status %u)%s%s",
                  status_words(reply->status), (unsigned)reply->status,
                  text.len ? ": " : "", str_text(&text));
    str_release(&text);
}

static void complete(struct files *f, struct op *op)
{
    struct files_result *r = &op->result;

    r->err = r->end == FILES_OK ? NULL : &op->err;
    if (op->began_ms)
        r->took_ms = now_ms(f) - op->began_ms;
    f->in_callback = true;
    op->done(op->user, r);
    f->in_callback = false;
    files_op_free(op);
}

void files_finish(struct files *f, struct op *op)
{
    struct op **at = &f->ops;

    while (*at != op)
        at = &(*at)->next;
    *at = op->next;
    if (f->tail == &op->next)
        f->tail = at;
    complete(f, op);
}

static void end_all(struct files *f, enum files_end end, const struct err *why)
{
    struct op *op = f->ops, *next;

    f->broken = true;
    f->n_slots = 0;
    f->ops = NULL;
    f->tail = &f->ops;
    bytes_release(&f->in);
    bytes_release(&f->out);
    for (; op; op = next) {
        next = op->next;
        op->result.end = end;
        op->err = *why;
        err_context(&op->err, "%s %s", op->kind->verb, op->name);
        complete(f, op);
    }
}

void files_fail_all(struct files *f, const struct err *why)
{
    assert(!f->in_callback);
    end_all(f, FILES_LOST, why);
}

/* ------------------------------------------------------------- receiving */

int files_broke(struct err *err, const char *what)
{
    return err_set(err, CAUSE_LOST, "the SFTP server broke the protocol: %s",
                   what);
}

static int take_version(struct files *f, struct cursor *c, struct err *err)
{
    uint8_t type = cursor_u8(c);
    uint32_t version = cursor_u32(c);

    if (c->bad || type != FXP_VERSION)
        return files_broke(err, "its first packet is not VERSION");
    if (version != VERSION) /* it answers min(ours, its own) */
        return err_set(err, CAUSE_REMOTE, "the SFTP server speaks version %u",
                       (unsigned)version);
    f->ready = true; /* its extensions are not used */
    return 0;
}

/* Which answers a request may get, besides STATUS. */
static uint8_t answer_of(uint8_t request)
{
    switch (request) {
    case FXP_OPEN:
    case FXP_OPENDIR:
        return FXP_HANDLE;
    case FXP_READ:
        return FXP_DATA;
    case FXP_READDIR:
        return FXP_NAME;
    case FXP_STAT:
        return FXP_ATTRS;
    default:
        return FXP_STATUS;
    }
}

static int decode(struct reply *reply, struct cursor *c, uint8_t request,
                  struct err *err)
{
    uint8_t wanted = answer_of(request);

    if (reply->type == FXP_STATUS) {
        reply->status = cursor_u32(c);
        if (c->bad)
            return files_broke(err, "a STATUS without its code");
        if (c->left) /* old servers send no text */
            reply->text = cursor_string(c);
        if (reply->status == FILES_FX_OK && wanted != FXP_STATUS)
            return files_broke(err, "OK where a value was asked for");
        return 0;
    }
    if (reply->type != wanted)
        return files_broke(err, "an answer of the wrong type");
    if (wanted == FXP_ATTRS)
        cursor_attrs(c, &reply->attrs);
    else if (wanted != FXP_NAME)
        reply->text = cursor_string(c);
    if (c->bad)
        return files_broke(err, "a packet shorter than its fields");
    reply->rest = *c;
    return 0;
}

static int take_answer(struct files *f, struct cursor *c, struct err *err)
{
    struct reply reply = {.type = cursor_u8(c)};
    uint32_t id = cursor_u32(c);
    struct slot slot;
    unsigned i = 0;

    if (c->bad)
        return files_broke(err, "a packet without a request id");
    while (i < f->n_slots && f->slots[i].id != id)
        i++;
    if (i == f->n_slots)
        return files_broke(err, "an answer to nothing that was asked");
    slot = f->slots[i];
    f->slots[i] = f->slots[--f->n_slots];
    slot.op->in_flight--;
    if (decode(&reply, c, slot.type, err) != 0)
        return -1;
    return slot.op->kind->answer(f, slot.op, &slot, &reply, err);
}

/* How long the packet is that is being received, once its head is here. */
static bool packet_len(const struct files *f, size_t *len)
{
    struct cursor head = {.left = f->in.len};

    if (f->in.len < 4)
        return false;
    head.p = f->in.data + f->in.start;
    *len = 4 + (size_t)cursor_u32(&head);
    return true;
}

/* Takes bytes up to the end of the head, then of the packet: room grows with
 * what came, not with what the server says will come. */
static size_t gather(struct files *f, const unsigned char *data, size_t n)
{
    size_t want;

    if (!packet_len(f, &want))
        want = 4;
    if (n > want - f->in.len)
        n = want - f->in.len;
    bytes_add(&f->in, data, n);
    return n;
}

static int take_packet(struct files *f, struct err *err)
{
    struct bytes packet = f->in;
    struct cursor c = {.p = packet.data + packet.start + 4,
                       .left = packet.len - 4};
    int rc;

    memset(&f->in, 0, sizeof(f->in));
    rc = f->ready ? take_answer(f, &c, err) : take_version(f, &c, err);
    if (rc == 0 && packet.room <= 4096) {
        packet.start = packet.len = 0;
        f->in = packet; /* the next small answer needs no malloc */
    } else {
        bytes_release(&packet);
    }
    return rc;
}

int files_feed(struct files *f, const void *data, size_t len, struct err *err)
{
    const unsigned char *p = data;
    struct err why;
    size_t n, packet;
    int rc = 0;

    assert(!f->in_callback);
    err_reset(&why);
    if (f->broken)
        return err_set(err, CAUSE_LOST, "the SFTP channel is gone");
    while (len > 0 && rc == 0) {
        n = gather(f, p, len);
        p += n;
        len -= n;
        if (!packet_len(f, &packet))
            continue;
        if (packet > FILES_PACKET_MAX)
            rc = files_broke(&why, "a packet longer than 256 KB");
        else if (f->in.len == packet)
            rc = take_packet(f, &why);
    }
    if (rc == 0)
        return 0;
    if (err)
        *err = why;
    end_all(f, FILES_BROKEN, &why);
    return -1;
}

/* ------------------------------------------------------------------ life */

struct files *files_new(const struct files_options *options)
{
    struct files *f = calloc(1, sizeof(*f));
    static const unsigned char init[] = {0, 0, 0, 5,      FXP_INIT,
                                         0, 0, 0, VERSION};

    if (!f)
        abort();
    if (options)
        f->options = *options;
    if (f->options.depth == 0)
        f->options.depth = DEFAULT_DEPTH;
    if (f->options.depth > FILES_DEPTH_MAX)
        f->options.depth = FILES_DEPTH_MAX;
    if (f->options.entries_cap == 0)
        f->options.entries_cap = DEFAULT_ENTRIES;
    f->tail = &f->ops;
    bytes_add(&f->out, init, sizeof(init));
    return f;
}

void files_free(struct files *f)
{
    struct err why;

    if (!f)
        return;
    assert(!f->in_callback);
    err_reset(&why);
    err_set(&why, CAUSE_CANCELED, "the SFTP channel was closed");
    f->freeing = true;
    end_all(f, FILES_LOST, &why);
    free(f);
}

bool files_is_idle(const struct files *f)
{
    return f->ops == NULL;
}

bool files_is_ready(const struct files *f)
{
    return f->ready;
}

bool files_is_broken(const struct files *f)
{
    return f->broken;
}

size_t files_in_flight(const struct files *f)
{
    return f->n_slots;
}
