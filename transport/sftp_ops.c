/* SPDX-License-Identifier: Apache-2.0
 *
 * What SFTP requests have in common, and those about names: list, remove,
 * stat, rename.  Requests with a handle go through OP_OPEN, OP_BODY,
 * OP_CLOSE, OP_AFTER, OP_ENDING; the others from OP_OPEN to OP_ENDING at
 * once.  Knows nothing of bytes beyond the fields of its packets.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "transport/sftp_priv.h"

void files_op_free(struct op *op)
{
    bytes_release(&op->got);
    arena_release(&op->names);
    free(op->entries);
    free(op->name);
    free(op->to);
    free(op);
}

/* ---------------------------------------------------- parts of all kinds */

/* A packet whose only field is a name. */
bool files_send_name(struct files *f, struct op *op, uint8_t type)
{
    size_t start = files_send_start(f);

    files_send(f, op, type);
    files_send_string(f, op->name, strlen(op->name));
    files_send_end(f, start);
    return true;
}

/* A packet whose only field is the handle. */
bool files_send_handle(struct files *f, struct op *op, uint8_t type)
{
    size_t start = files_send_start(f);

    files_send(f, op, type);
    files_send_string(f, op->handle, op->handle_len);
    files_send_end(f, start);
    return true;
}

bool files_send_close(struct files *f, struct op *op)
{
    op->phase = OP_AFTER;
    return files_send_handle(f, op, FXP_CLOSE);
}

/* The answer to OPEN and OPENDIR. */
int files_take_handle(struct op *op, const struct reply *reply, struct err *err)
{
    if (reply->type == FXP_STATUS) {
        files_op_status(op, reply);
        op->phase = OP_ENDING;
        return 0;
    }
    if (reply->text.left == 0 || reply->text.left > FILES_HANDLE_MAX)
        return files_broke(err,
                           "a handle that is empty or longer than 256 bytes");
    op->handle_len = reply->text.left;
    memcpy(op->handle, reply->text.p, op->handle_len);
    return 0;
}

/* Ends the op when nothing is in flight and nothing is left to send. */
int files_settle(struct files *f, struct op *op)
{
    if (op->in_flight == 0 && op->phase == OP_ENDING)
        files_finish(f, op);
    return 0;
}

/* ------------------------------------------------------------------ list */

static bool list_send(struct files *f, struct op *op)
{
    switch (op->phase) {
    case OP_OPEN:
        op->phase = OP_BODY;
        return files_send_name(f, op, FXP_OPENDIR);
    case OP_BODY: /* one after the other: an end is not asked past */
        return op->handle_len > 0 && op->in_flight == 0
                   ? files_send_handle(f, op, FXP_READDIR)
                   : false;
    case OP_CLOSE:
        return files_send_close(f, op);
    case OP_AFTER:
    case OP_ENDING:
        break;
    }
    return false;
}

/* What a caller may not use as a file in a flat folder. */
static bool is_left_out(const struct cursor *name, const struct cursor *line,
                        const struct attrs *a)
{
    if (name->left == 0 || name->left > FILES_NAME_MAX ||
        memchr(name->p, '/', name->left))
        return true;
    if (name->p[0] == '.' &&
        (name->left == 1 || (name->left == 2 && name->p[1] == '.')))
        return true;
    if (a->has_mode && (a->mode & S_IFMT) != 0)
        return !S_ISREG(a->mode);
    return line->left > 0 && line->p[0] == 'd'; /* no mode: as `ls -l` says */
}

static void add_entry(struct op *op, const struct cursor *name,
                      const struct attrs *a)
{
    struct link_file *entry;
    struct str visible;

    if (op->n_entries == op->entries_room) {
        op->entries_room = op->entries_room ? op->entries_room * 2 : 32;
        op->entries =
            reallocarray(op->entries, op->entries_room, sizeof(*op->entries));
        if (!op->entries)
            abort();
    }
    str_init(&visible, FILES_NAME_MAX * 4 + 1);
    str_add_visible(&visible, (const char *)name->p, name->left, false);
    entry = &op->entries[op->n_entries++];
    entry->name = arena_strdup(&op->names, str_text(&visible));
    entry->size = a->size;
    entry->mtime = a->has_mtime ? (int64_t)a->mtime : -1;
    str_release(&visible);
}

static int take_names(struct files *f, struct op *op, struct cursor *c,
                      struct err *err)
{
    uint32_t n = cursor_u32(c);
    struct cursor name, line;
    struct attrs a;

    if (c->bad || n == 0)
        return files_broke(err, "READDIR answered with nothing, not with EOF");
    for (; n > 0; n--) {
        name = cursor_string(c);
        line = cursor_string(c);
        cursor_attrs(c, &a);
        if (c->bad)
            return files_broke(err, "a NAME packet shorter than its fields");
        if (++op->seen > f->options.entries_cap) {
            files_op_fail(op, FILES_TOO_LARGE, "more than %zu entries",
                          f->options.entries_cap);
            op->phase = OP_CLOSE;
            return 0;
        }
        if (!is_left_out(&name, &line, &a))
            add_entry(op, &name, &a);
    }
    return 0;
}

static int list_answer(struct files *f, struct op *op, const struct slot *slot,
                       struct reply *reply, struct err *err)
{
    int rc = 0;

    if (slot->type == FXP_OPENDIR) {
        rc = files_take_handle(op, reply, err);
    } else if (slot->type == FXP_CLOSE) {
        op->phase = OP_ENDING;
        if (op->result.end == FILES_OK) {
            op->result.entries = op->entries;
            op->result.n_entries = op->n_entries;
        }
    } else if (reply->type == FXP_NAME) {
        rc = take_names(f, op, &reply->rest, err);
    } else {
        if (reply->status != FILES_FX_EOF)
            files_op_status(op, reply);
        op->phase = OP_CLOSE;
    }
    return rc != 0 ? rc : files_settle(f, op);
}

static const struct op_kind kind_list = {
    .verb = "list",
    .folder = true,
    .send = list_send,
    .answer = list_answer,
};

void files_list(struct files *f, const char *folder, files_done_f *done,
                void *user)
{
    files_add(f, &kind_list, folder, done, user);
}

/* ------------------------------------------------- remove, stat, rename */

static bool remove_send(struct files *f, struct op *op)
{
    if (op->phase != OP_OPEN)
        return false;
    op->phase = OP_ENDING;
    return files_send_name(f, op, FXP_REMOVE);
}

static bool stat_send(struct files *f, struct op *op)
{
    if (op->phase != OP_OPEN)
        return false;
    op->phase = OP_ENDING;
    return files_send_name(f, op, FXP_STAT);
}

static bool rename_send(struct files *f, struct op *op)
{
    size_t start = files_send_start(f);

    if (op->phase != OP_OPEN)
        return false;
    op->phase = OP_ENDING;
    files_send(f, op, FXP_RENAME);
    files_send_string(f, op->name, strlen(op->name));
    files_send_string(f, op->to, strlen(op->to));
    files_send_end(f, start);
    return true;
}

static int simple_answer(struct files *f, struct op *op,
                         const struct slot *slot, struct reply *reply,
                         struct err *err)
{
    struct files_result *r = &op->result;

    (void)slot;
    (void)err;
    if (reply->type == FXP_STATUS) {
        if (reply->status != FILES_FX_OK)
            files_op_status(op, reply);
        return files_settle(f, op);
    }
    r->size_told = reply->attrs.has_size;
    r->size = reply->attrs.size;
    if (reply->attrs.has_mtime)
        r->mtime = reply->attrs.mtime;
    r->folder = reply->attrs.has_mode && S_ISDIR(reply->attrs.mode);
    return files_settle(f, op);
}

static const struct op_kind kind_remove = {
    .verb = "remove",
    .changes = true,
    .send = remove_send,
    .answer = simple_answer,
};

static const struct op_kind kind_stat = {
    .verb = "stat",
    .send = stat_send,
    .answer = simple_answer,
};

static const struct op_kind kind_rename = {
    .verb = "rename",
    .changes = true,
    .send = rename_send,
    .answer = simple_answer,
};

void files_remove(struct files *f, const char *name, files_done_f *done,
                  void *user)
{
    files_add(f, &kind_remove, name, done, user);
}

void files_stat(struct files *f, const char *name, files_done_f *done,
                void *user)
{
    files_add(f, &kind_stat, name, done, user);
}

void files_rename(struct files *f, const char *from, const char *to,
                  files_done_f *done, void *user)
{
    struct op *op = files_add(f, &kind_rename, from, done, user);

    assert(to[0]);
    op->to = strdup(to);
    if (!op->to)
        abort();
}
