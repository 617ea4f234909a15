/* SPDX-License-Identifier: Apache-2.0
 *
 * One order by REST: its body is the product's, and so is what the answer
 * means.  It must not know what the words behind the path are for.
 */
#include "core/run/send_post.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

enum {
    BODY_CAP = 1024 * 1024,
    FILE_CAP = 256 * 1024
};

struct posting {
    struct course *course;
    struct view view;
    char *text, *path;
    struct post post;
    struct posted kept;
    sent_f *done;
    void *user;
    uv_work_t work;
    int rc;
    struct err err;
};

static const struct product *product_of(const struct posting *p)
{
    return p->course->pc->plan->playbook->product;
}

static void finish(struct posting *p, enum sent sent)
{
    p->done(p->user, sent, sent == SENT_OK ? NULL : &p->err);
    str_release(&p->post.body);
    str_release(&p->kept.content);
    free(p->text);
    free(p->path);
    free(p);
}

/* -- a file out of the answer ---------------------------------------------- */

static struct set_file *kept_file(const struct posting *p)
{
    struct file_set *set = &p->course->pc->set;

    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->files[i].slot, p->kept.slot) == 0)
            return &set->files[i];
    return NULL;
}

static void keep(uv_work_t *work)
{
    struct posting *p = work->data;
    const char *folder = p->course->pc->folder;
    char *path = plan_file_path(folder, NULL, kept_file(p)->name);

    p->rc = file_make_folders(folder, &p->err);
    if (p->rc == 0)
        p->rc = file_write(path, str_text(&p->kept.content),
                           p->kept.content.len, 0600, false, &p->err);
    free(path);
}

static void on_journaled(void *user, const struct err *err)
{
    struct posting *p = user;

    if (err)
        p->err = *err;
    finish(p, err ? SENT_ERROR : SENT_OK);
}

/* A later process knows by the digest whether the node still has what this
 * answer was about. */
static void on_kept(uv_work_t *work, int status)
{
    struct posting *p = work->data;
    struct set_file *file = kept_file(p);

    if (status != 0 || p->rc < 0) {
        finish(p, SENT_ERROR);
        return;
    }
    pki_sha256(str_text(&p->kept.content), p->kept.content.len, file->sha256);
    const struct journal_record record = {
        .cluster = p->course->pc->cluster->name,
        .node = p->course->pc->nodes[p->view.node].node->name,
        .step = file->slot,
        .kind = "taken",
        .data = json_pack("{s:[{s:s, s:s}]}", "files", "slot", file->slot,
                          "sha256", file->sha256),
    };
    journal_write(p->course->journal, &record, on_journaled, p);
}

/* -- the order ------------------------------------------------------------- */

static enum sent sent_of(enum reply reply)
{
    return reply == REPLY_BUSY     ? SENT_BUSY
           : reply == REPLY_FAILED ? SENT_ERROR
                                   : SENT_OK;
}

static void on_answer(void *user, const struct link_result *result)
{
    struct posting *p = user;
    enum reply reply;

    if (result->end != LINK_OK &&
        !(result->end == LINK_FAILED && result->data)) {
        p->err = *result->err;
        finish(p, send_by_end(result->end));
        return;
    }
    reply = product_of(p)->posted(&p->view, p->text, result, &p->kept, &p->err);
    if (sent_of(reply) != SENT_OK || !p->kept.slot || !kept_file(p)) {
        finish(p, sent_of(reply));
        return;
    }
    p->work.data = p;
    uv_queue_work(p->course->loop, &p->work, keep, on_kept);
}

/* "POST /path WORD ...": the path is the second word. */
static char *path_of(const char *text)
{
    const char *path = strchr(text, '/');
    char *copy = path ? strndup(path, strcspn(path, " ")) : strdup("/");

    if (!copy)
        abort();
    return copy;
}

static void on_no_body(uv_work_t *work, int status)
{
    (void)status;
    finish(work->data, SENT_ERROR);
}

static void nothing(uv_work_t *work)
{
    (void)work;
}

void send_post(struct course *course, const struct view *view, const char *text,
               sent_f *done, void *user)
{
    struct posting *p = calloc(1, sizeof(*p));
    struct link_post post;

    if (!p || !(p->text = strdup(text)))
        abort();
    p->course = course;
    p->view = *view;
    p->path = path_of(text);
    p->done = done;
    p->user = user;
    p->work.data = p;
    str_init(&p->post.body, BODY_CAP);
    str_init(&p->kept.content, FILE_CAP);
    if (product_of(p)->post(view, text, &p->post, &p->err) < 0) {
        uv_queue_work(course->loop, &p->work, nothing, on_no_body);
        return;
    }
    post = (struct link_post){p->post.peer, p->path, str_text(&p->post.body),
                              p->post.body.len};
    course->ops->post(course->links[view->node], &post, on_answer, p);
}
