/* SPDX-License-Identifier: Apache-2.0
 *
 * From a node's answer to a file of the set.  It must not know which command
 * or order was answered.
 */
#include "core/run/send_keep.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

struct keeping {
    struct course *course;
    size_t node;
    struct set_file *file;
    char *path, *content;
    size_t len;
    sent_f *done;
    void *user;
    uv_work_t work;
    int rc;
    struct err err;
};

static struct set_file *file_of(const struct kept_file *kept)
{
    struct plan_cluster *pc = kept->course->pc;
    struct file_set *own = &pc->nodes[kept->node].own;
    struct file_set *set = own->n ? own : &pc->set;

    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->files[i].slot, kept->slot) == 0)
            return &set->files[i];
    return NULL;
}

bool send_keeps(const struct kept_file *kept)
{
    return file_of(kept) != NULL;
}

static void finish(struct keeping *k, enum sent sent)
{
    k->done(k->user, sent, sent == SENT_OK ? NULL : &k->err);
    free(k->path);
    free(k->content);
    free(k);
}

static void keep(uv_work_t *work)
{
    struct keeping *k = work->data;
    char *slash = strrchr(k->path, '/');

    *slash = '\0';
    k->rc = file_make_folders(k->path, &k->err);
    *slash = '/';
    if (k->rc == 0)
        k->rc = file_write(k->path, k->content, k->len, 0600, false, &k->err);
}

static void on_journaled(void *user, const struct err *err)
{
    struct keeping *k = user;

    if (err)
        k->err = *err;
    finish(k, err ? SENT_ERROR : SENT_OK);
}

static void on_kept(uv_work_t *work, int status)
{
    struct keeping *k = work->data;

    if (status != 0 || k->rc < 0) {
        finish(k, SENT_ERROR);
        return;
    }
    pki_sha256(k->content, k->len, k->file->sha256);
    const struct journal_record record = {
        .cluster = k->course->pc->cluster->name,
        .node = k->course->pc->nodes[k->node].node->name,
        .step = k->file->slot,
        .kind = "taken",
        .data = json_pack("{s:[{s:s, s:s}]}", "files", "slot", k->file->slot,
                          "sha256", k->file->sha256),
    };
    journal_write(k->course->journal, &record, on_journaled, k);
}

void send_keep(const struct kept_file *kept, const struct str *content,
               sent_f *done, void *user)
{
    struct keeping *k = calloc(1, sizeof(*k));
    struct plan_cluster *pc = kept->course->pc;
    struct plan_node *pn = &pc->nodes[kept->node];

    if (!k || !(k->content = strndup(str_text(content), content->len)))
        abort();
    k->course = kept->course;
    k->node = kept->node;
    k->file = file_of(kept);
    k->len = content->len;
    k->path = plan_file_path(pc->folder, pn->own.n ? pn : NULL, k->file->name);
    k->done = done;
    k->user = user;
    k->work.data = k;
    uv_queue_work(k->course->loop, &k->work, keep, on_kept);
}
