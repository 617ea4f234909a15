/* SPDX-License-Identifier: Apache-2.0
 *
 * One order by REST: its body is the product's, and so is what the answer
 * means.  It must not know what the words behind the path are for.
 */
#include "core/run/send_post.h"

#include <stdlib.h>
#include <string.h>

#include "core/run/send_keep.h"

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

/* -- the order ------------------------------------------------------------- */

static enum sent sent_of(enum reply reply)
{
    return reply == REPLY_BUSY     ? SENT_BUSY
           : reply == REPLY_FAILED ? SENT_ERROR
                                   : SENT_OK;
}

static void on_kept(void *user, enum sent sent, const struct err *err)
{
    struct posting *p = user;

    if (err)
        p->err = *err;
    finish(p, sent);
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
    const struct kept_file kept = {p->course, p->view.node, p->kept.slot};
    if (sent_of(reply) == SENT_OK && kept.slot && send_keeps(&kept))
        send_keep(&kept, &p->kept.content, on_kept, p);
    else
        finish(p, sent_of(reply));
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
