/* SPDX-License-Identifier: Apache-2.0
 *
 * One act: expanded, guarded, sent, its answer judged.  A put is read back and
 * compared; a fetch is written to the backup folder in the pool; what is done
 * on this machine is issue.c's.
 */
#include "core/run/send.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/run/act.h"
#include "core/run/issue.h"
#include "core/run/send_keep.h"
#include "core/run/send_post.h"

enum {
    TEXT_CAP = 4096,
    FILE_CAP = 256 * 1024
};
enum {
    BACKUP_CAP = 256 * 1024 * 1024
}; /* bytes; a .bak holds the database
      without recordings */

struct send {
    struct course *course;
    struct view view;
    const struct act *act;
    struct str text;              /* command, or name of the file */
    const struct secret *content; /* PUT */
    bool replaced; /* PUT: our own torn file was taken away once */
    sent_f *done;
    void *user;
    uv_work_t work;
    char *paste;          /* PASTE */
    char *path;           /* FETCH */
    struct secret *bytes; /* FETCH: a backup holds keys */
    int rc;
    struct err err;
};

static struct plan_node *node_of(const struct send *s)
{
    return &s->course->pc->nodes[s->view.node];
}

static struct link *link_of(const struct send *s)
{
    return s->course->links[s->view.node];
}

static void drop(struct send *s)
{
    str_release(&s->text);
    secret_free(s->bytes);
    free(s->paste);
    free(s->path);
    free(s);
}

static void finish(struct send *s, enum sent sent, const struct err *err)
{
    s->done(s->user, sent, err);
    drop(s);
}

enum sent send_by_end(enum link_end end)
{
    switch (end) {
    case LINK_OK:
        return SENT_OK;
    case LINK_FAILED:
        return SENT_ERROR;
    case LINK_UNSENT:
        return SENT_UNSENT;
    case LINK_REFUSED:
        return SENT_REFUSED;
    case LINK_LOST:
    case LINK_CANCELED:
        break;
    }
    return SENT_LOST;
}

/* -- commands ------------------------------------------------------------- */

static const struct product *product_of(const struct send *s)
{
    return s->course->pc->plan->playbook->product;
}

static void on_answer_kept(void *user, enum sent sent, const struct err *err)
{
    finish(user, sent, err);
}

/* What the node printed, without what stands around it. */
static void keep_answer(struct send *s, const struct link_result *result)
{
    const struct kept_file kept = {s->course, s->view.node, s->act->slot};
    struct str content;

    str_init(&content, FILE_CAP);
    if (product_of(s)->keep(str_text(&s->text), result->data, result->len,
                            &content, &s->err) < 0)
        finish(s, SENT_ERROR, &s->err);
    else
        send_keep(&kept, &content, on_answer_kept, s);
    str_release(&content);
}

static void on_command(void *user, const struct link_result *result)
{
    struct send *s = user;
    enum reply reply;

    if (result->end != LINK_OK) {
        finish(s, send_by_end(result->end), result->err);
        return;
    }
    reply = product_of(s)->judge(str_text(&s->text), result->data, result->len,
                                 &s->err);
    if (reply == REPLY_BUSY) {
        finish(s, SENT_BUSY, &s->err);
    } else if (reply == REPLY_FAILED) {
        finish(s, SENT_ERROR, &s->err);
    } else if (reply == REPLY_OK && s->act->kind == ACT_CONFIRM &&
               !result->confirmed) {
        err_set(&s->err, CAUSE_REMOTE,
                "the node asked no question, so nothing was confirmed");
        finish(s, SENT_ERROR, &s->err);
    } else if (s->act->kind == ACT_KEEP) {
        keep_answer(s, result);
    } else {
        finish(s, SENT_OK, NULL);
    }
}

/* A certificate: what is pasted is shown on the node's terminal. */
static char *pasted(const struct send *s)
{
    const struct secret *content =
        set_slot(plan_target(s->view.plan, s->view.node, s->view.back),
                 s->act->slot)
            ->content;
    char *copy = content ? strndup((const char *)content->data, content->len)
                         : strdup("");

    if (!copy)
        abort();
    return copy;
}

static void send_command(struct send *s)
{
    if (s->act->kind == ACT_PASTE)
        s->paste = pasted(s);
    const struct link_command command = {
        .text = str_text(&s->text),
        .confirm = s->act->kind == ACT_CONFIRM || s->act->kind == ACT_ASKED,
        .answer = s->act->answer,
        .paste = s->paste,
    };

    s->course->ops->command(link_of(s), &command, on_command, s);
}

/* -- files to the node ---------------------------------------------------- */

static void put(struct send *s);

/* What follows upon an answer goes out long after the intent. */
static bool may_go_on(struct send *s)
{
    if (journal_may_act(s->course->journal, &s->err) == 0)
        return true;
    finish(s, SENT_ERROR, &s->err);
    return false;
}

static void on_removed(void *user, const struct link_result *result)
{
    struct send *s = user;

    if (result->end != LINK_OK)
        finish(s, send_by_end(result->end), result->err);
    else if (may_go_on(s))
        put(s);
}

static bool same_bytes(const struct send *s, const struct link_result *result)
{
    return result->len == s->content->len &&
           memcmp(result->data, s->content->data, s->content->len) == 0;
}

/* The name carries this run's generation and tag, so that a file that differs
 * is the torn one of an earlier try of ours: taken away once, then put anew. */
static void on_read_back(void *user, const struct link_result *result)
{
    struct send *s = user;

    if (result->end != LINK_OK) {
        finish(s, send_by_end(result->end), result->err);
    } else if (same_bytes(s, result)) {
        finish(s, SENT_OK, NULL);
    } else if (!s->replaced) {
        if (!may_go_on(s))
            return;
        s->replaced = true;
        s->course->ops->remove(link_of(s), str_text(&s->text), on_removed, s);
    } else {
        err_set(&s->err, CAUSE_REMOTE,
                "%s: %zu bytes were put, %zu other ones were read back",
                str_text(&s->text), s->content->len, result->len);
        finish(s, SENT_ERROR, &s->err);
    }
}

static void on_put(void *user, const struct link_result *result)
{
    struct send *s = user;

    /* Refused: it may be there from a try whose answer was lost. */
    if (result->end == LINK_OK ||
        (result->end == LINK_FAILED && !s->replaced)) {
        s->err = result->err ? *result->err : s->err;
        s->course->ops->get(link_of(s), str_text(&s->text), FILE_CAP,
                            on_read_back, s);
        return;
    }
    finish(s, send_by_end(result->end), result->err);
}

static void put(struct send *s)
{
    const struct link_put request = {
        .name = str_text(&s->text),
        .data = s->content->data,
        .len = s->content->len,
        .exclusive = true,
    };

    s->course->ops->put(link_of(s), &request, on_put, s);
}

static void send_put(struct send *s)
{
    const struct file_set *set =
        plan_target(s->view.plan, s->view.node, s->view.back);

    s->content = set_slot(set, s->act->text)->content;
    put(s);
}

/* -- files from the node -------------------------------------------------- */

static void keep_backup(uv_work_t *work)
{
    struct send *s = work->data;
    char *slash = strrchr(s->path, '/');

    *slash = '\0';
    s->rc = file_make_folders(s->path, &s->err);
    *slash = '/';
    if (s->rc == 0)
        s->rc = file_write(s->path, s->bytes->data, s->bytes->len, 0600, false,
                           &s->err);
}

static void on_backup_journaled(void *user, const struct err *err)
{
    struct send *s = user;

    node_of(s)->backup_ms = clock_wall_ms();
    finish(s, err ? SENT_ERROR : SENT_OK, err);
}

/* The digest goes into the journal: a backup that is needed one day can be
 * told from one that was changed. */
static void on_kept(uv_work_t *work, int status)
{
    struct send *s = work->data;
    char sha256[PKI_SHA256_HEX];

    if (status != 0 || s->rc < 0) {
        finish(s, SENT_ERROR, &s->err);
        return;
    }
    pki_sha256(s->bytes->data, s->bytes->len, sha256);
    const struct journal_record record = {
        .cluster = s->course->pc->cluster->name,
        .node = node_of(s)->node->name,
        .step = "backup",
        .kind = "backup",
        .data = json_pack("{s:s, s:s, s:I}", "path", s->path, "sha256", sha256,
                          "bytes", (json_int_t)s->bytes->len),
    };
    journal_write(s->course->journal, &record, on_backup_journaled, s);
}

static void on_fetched(void *user, const struct link_result *result)
{
    struct send *s = user;
    const char *name = str_text(&s->text);

    if (result->end != LINK_OK) {
        finish(s, send_by_end(result->end), result->err);
        return;
    }
    if (result->len == 0) {
        err_set(&s->err, CAUSE_REMOTE, "%s is empty", name);
        finish(s, SENT_ERROR, &s->err);
        return;
    }
    s->bytes = secret_from(result->data, result->len);
    if (asprintf(&s->path, "%s/backups/%s/%s/%s",
                 s->course->pc->plan->inventory->state_dir,
                 s->course->pc->cluster->name, node_of(s)->node->name,
                 name) < 0)
        abort();
    s->work.data = s;
    uv_queue_work(s->course->loop, &s->work, keep_backup, on_kept);
}

/* -- what the node made --------------------------------------------------- */

static int keep_file(const struct send *s, const struct secret *bytes,
                     struct err *err)
{
    const struct plan_cluster *pc = s->course->pc;
    const struct plan_node *owner =
        pc->nodes[s->view.node].own.n ? &pc->nodes[s->view.node] : NULL;
    char *folder = plan_file_path(pc->folder, owner, "");
    char *path = plan_file_path(pc->folder, owner, str_text(&s->text));
    int rc = file_make_folders(folder, err);

    free(folder);
    if (rc == 0)
        rc = file_write(path, bytes->data, bytes->len, 0600, false, err);
    free(path);
    return rc;
}

/* In the pool.  A key is locked on the way to the disk, like those that are
 * made here. */
static void keep_taken(uv_work_t *work)
{
    struct send *s = work->data;
    const struct set_file *file =
        set_slot(plan_target(s->course->pc, s->view.node, false), s->act->text);
    const struct secret *passphrase = s->course->key_passphrase;
    struct secret *locked = NULL;

    if (file->secret && passphrase) {
        locked = pki_key_lock(s->bytes, passphrase, &s->err);
        s->rc = locked ? 0 : -1;
    }
    if (s->rc == 0)
        s->rc = keep_file(s, locked ? locked : s->bytes, &s->err);
    secret_free(locked);
}

static void on_taken_kept(uv_work_t *work, int status)
{
    struct send *s = work->data;
    bool good = status == 0 && s->rc == 0;

    finish(s, good ? SENT_OK : SENT_ERROR, good ? NULL : &s->err);
}

static void on_taken(void *user, const struct link_result *result)
{
    struct send *s = user;

    if (result->end != LINK_OK) {
        finish(s, send_by_end(result->end), result->err);
        return;
    }
    s->bytes = secret_from(result->data, result->len);
    s->work.data = s;
    uv_queue_work(s->course->loop, &s->work, keep_taken, on_taken_kept);
}

static void on_posted(void *user, enum sent sent, const struct err *err)
{
    finish(user, sent, err);
}

static void on_taken_away(void *user, const struct link_result *result)
{
    finish(user, send_by_end(result->end), result->err);
}

/* -- all of them ---------------------------------------------------------- */

static int may_send(struct send *s, bool *hold, struct err *err)
{
    const struct product *product = product_of(s);

    *hold = false;
    if (journal_may_act(s->course->journal, err) < 0)
        return -1;
    if (s->act->kind == ACT_LOCAL)
        return 0;
    if (act_text(&s->view, s->act, &s->text, err) < 0)
        return -1;
    if (act_is_text(s->act) && !command_match(product, str_text(&s->text), err))
        return -1;
    return product->guard(&s->view, s->act, str_text(&s->text), hold, err);
}

static void dispatch(struct send *s)
{
    switch (s->act->kind) {
    case ACT_COMMAND:
    case ACT_CONFIRM:
    case ACT_ASKED:
    case ACT_PASTE:
    case ACT_KEEP:
        send_command(s);
        break;
    case ACT_PUT:
        send_put(s);
        break;
    case ACT_FETCH:
        s->course->ops->get(link_of(s), str_text(&s->text), BACKUP_CAP,
                            on_fetched, s);
        break;
    case ACT_TAKE:
        s->course->ops->get(link_of(s), str_text(&s->text), FILE_CAP, on_taken,
                            s);
        break;
    case ACT_REMOVE:
        s->course->ops->remove(link_of(s), str_text(&s->text), on_taken_away,
                               s);
        break;
    case ACT_POST:
        send_post(s->course, &s->view, str_text(&s->text), on_posted, s);
        break;
    case ACT_LOCAL:
        issue_start(s->course, s->done, s->user);
        drop(s);
        break;
    case ACT_END:
        abort();
    }
}

int send_act(const struct sending *sending, bool *hold, struct err *err)
{
    struct send *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->course = sending->course;
    s->view = *sending->view;
    s->act = sending->act;
    s->done = sending->done;
    s->user = sending->user;
    str_init(&s->text, TEXT_CAP);
    if (may_send(s, hold, err) < 0) {
        str_release(&s->text);
        free(s);
        return -1;
    }
    dispatch(s);
    return 0;
}
