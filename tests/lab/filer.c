/* SPDX-License-Identifier: Apache-2.0
 *
 * The SFTP subsystem, version 3: packets in, faults, packets out.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/faults.h"
#include "tests/lab/filer_priv.h"
#include "tests/lab/hostile.h"

/* -- one request, with its faults ------------------------------------------ */

void filer_send(struct filer *f, struct str *reply)
{
    size_t len = reply->len - 4;

    wire_patch_u32(reply->data, (uint32_t)len);
    chan_write(f->chan, reply->data, reply->len);
}

static void name_request(struct request *r, const struct filer_operation *op)
{
    struct wire peek = r->in;
    struct open_file *o;

    if (op->argument == 1) {
        r->name = filer_take_path(r);
    } else if (op->argument == 2) {
        o = filer_take_handle(r);
        r->name = o ? lab_strdup(o->name) : NULL;
        r->in = peek; /* the operation takes the handle itself */
    }
}

/* True when the operation still is to be served. */
static bool before(struct request *r, const char *subject)
{
    struct lab_node *node = r->filer->node;

    r->full = faults_match(node, F_DISK_FULL, subject) != NULL;
    r->shorten = faults_match(node, F_SHORT_WRITE, subject) != NULL;
    r->corrupt = faults_match(node, F_CORRUPT, subject) != NULL;
    if (faults_match(node, F_SFTP_DROP_BEFORE, subject)) {
        conn_drop(r->filer->chan->conn, false);
        return false;
    }
    if (faults_match(node, F_SFTP_FAIL, subject)) {
        filer_status(r, FX_FAILURE, "Failure");
        filer_send(r->filer, &r->reply);
        return false;
    }
    return true;
}

static void on_resume(void *user)
{
    struct filer *f = user;

    f->pause = NULL;
    filer_send(f, &f->late);
    filer_data(f, "", 0);
}

static void after(struct request *r, const char *subject)
{
    struct filer *f = r->filer;
    const struct fault *slow;

    if (faults_match(f->node, F_SFTP_DROP_AFTER, subject)) {
        conn_drop(f->chan->conn, false);
    } else if (faults_match(f->node, F_SFTP_NO_REPLY, subject)) {
        return;
    } else if ((slow = faults_match(f->node, F_SFTP_SLOW, subject))) {
        str_reset(&f->late);
        str_addn(&f->late, r->reply.data, r->reply.len);
        f->pause = later_start(f->node->lab->loop, slow->ms, on_resume, f);
    } else {
        filer_send(f, &r->reply);
    }
}

static void serve(struct request *r)
{
    const struct filer_operation *op = filer_find(r->type);
    char subject[400];

    if (!op) {
        filer_status(r, FX_OP_UNSUPPORTED, "Operation unsupported");
        filer_send(r->filer, &r->reply);
        return;
    }
    name_request(r, op);
    snprintf(subject, sizeof(subject), "%s %s", op->name,
             r->name ? r->name : "?");
    if (!before(r, subject))
        return;
    op->serve(r);
    if (!hostile_reply(r, op->name, subject))
        after(r, subject);
}

static void serve_packet(struct filer *f, const char *data, size_t len)
{
    struct request r = {.filer = f};

    r.in = (struct wire){(const unsigned char *)data, len, false};
    r.type = wire_take_u8(&r.in);
    str_init(&r.reply, FILER_PACKET * 4);
    if (!f->ready) { /* INIT: answered with our version, no extensions */
        f->ready = r.type == FXP_INIT;
        wire_u32(&r.reply, 0);
        wire_u8(&r.reply, FXP_VERSION);
        wire_u32(&r.reply, 3);
        filer_send(f, &r.reply);
    } else {
        r.id = wire_take_u32(&r.in);
        serve(&r);
    }
    free(r.name);
    str_release(&r.reply);
}

void filer_data(struct filer *f, const void *data, size_t len)
{
    size_t at = 0;

    str_addn(&f->in, data, len);
    while (f->in.len - at >= 4 && !f->chan->conn->dead && !f->pause) {
        struct wire w = {(unsigned char *)f->in.data + at, 4, false};
        uint32_t n = wire_take_u32(&w);
        if (n == 0 || n > FILER_PACKET) {
            conn_drop(f->chan->conn, false);
            return;
        }
        if (f->in.len - at - 4 < n)
            break;
        serve_packet(f, f->in.data + at + 4, n);
        at += 4 + n;
    }
    if (at > 0)
        str_shift(&f->in, at);
}

struct filer *filer_new(struct chan *chan)
{
    struct filer *f = lab_calloc(1, sizeof(*f));

    f->chan = chan;
    f->node = chan->conn->node;
    str_init(&f->in, FILER_PACKET * 4);
    str_init(&f->late, FILER_PACKET * 4);
    return f;
}

void filer_free(struct filer *f)
{
    if (!f)
        return;
    for (int i = 0; i < FILER_HANDLES; i++)
        free(f->handles[i].name);
    later_cancel(f->pause);
    str_release(&f->in);
    str_release(&f->late);
    free(f);
}
