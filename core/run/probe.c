/* SPDX-License-Identifier: Apache-2.0
 *
 * A probe walks the table of reads: one row, its requests, their answers, the
 * next row.
 */
#include "core/run/probe.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "core/base/clock.h"
#include "core/run/act.h"

enum {
    COMMAND_CAP = 4096,
    FILE_CAP = 256 * 1024
}; /* bytes; certificates and keys are small */

struct probe {
    uv_loop_t *loop;
    const struct link_ops *ops;
    struct link *link;
    struct view view;
    uint32_t reads;
    const struct read_row *row;
    struct str text; /* of its command, expanded */
    struct read_file files[READ_FILES_MAX];
    size_t n_files;
    size_t asked, answered;
    bool failed, refused, lost;
    struct err err;
    probe_done_f *done;
    void *user;
    uv_work_t work;
};

struct request { /* one answer that is awaited */
    struct probe *probe;
    const struct read_file *file;
};

static struct facts *facts_of(struct probe *p)
{
    return p->view.plan->nodes[p->view.node].facts;
}

static int bit_number(uint32_t bit)
{
    return __builtin_ctz(bit);
}

uint64_t facts_age_ms(const struct facts *facts, uint32_t bit)
{
    uint64_t at = facts->read_ms[bit_number(bit)];

    return at ? clock_mono_ms() - at : UINT64_MAX;
}

bool facts_since(const struct facts *facts, uint32_t bit, uint64_t since_ms)
{
    uint64_t at = facts->read_ms[bit_number(bit)];

    return at != 0 && at >= since_ms;
}

static void next_row(struct probe *p);

static void finish(struct probe *p)
{
    struct facts *facts = facts_of(p);

    facts->unreachable = p->lost;
    if (p->failed)
        facts->err = p->err;
    p->done(p->user, p->failed ? -1 : 0, p->refused, &p->err);
    str_release(&p->text);
    free(p);
}

static bool is_connection(const struct probe *p, enum link_end end)
{
    if (p->row->kind == READ_SERVED || p->row->kind == READ_API)
        return false; /* another listener than SSH */
    return end == LINK_UNSENT || end == LINK_REFUSED || end == LINK_LOST ||
           end == LINK_CANCELED;
}

static void note_failure(struct probe *p, const struct link_result *result,
                         const struct err *err)
{
    bool connection = is_connection(p, result->end);

    if (p->row->optional && !connection)
        return;
    if (p->failed)
        return;
    p->failed = true;
    p->refused = result->end == LINK_REFUSED;
    p->lost = connection;
    p->err = *err;
    if (p->row->text)
        err_context(&p->err, "`%s'", p->row->text);
}

static void take(struct probe *p, const struct read_file *file,
                 const struct link_result *result)
{
    struct err err = {0};

    if (result->end != LINK_OK && p->row->kind != READ_API &&
        !(p->row->kind == READ_FILES && result->end == LINK_FAILED)) {
        note_failure(p, result, result->err);
        return;
    }
    if (p->row->parse(facts_of(p), file ? file : &p->row->about, result, &err) <
        0)
        note_failure(p, result, &err);
    else
        facts_of(p)->read_ms[bit_number(p->row->bit)] = clock_mono_ms();
}

static void on_answer(void *user, const struct link_result *result)
{
    struct request *request = user;
    struct probe *p = request->probe;

    take(p, request->file, result);
    free(request);
    if (++p->answered < p->asked)
        return;
    if (p->failed) {
        finish(p);
        return;
    }
    p->row++;
    next_row(p);
}

static struct request *ask(struct probe *p, const struct read_file *file)
{
    struct request *request = calloc(1, sizeof(*request));

    if (!request)
        abort();
    request->probe = p;
    request->file = file;
    return request;
}

static bool ask_files(struct probe *p)
{
    p->n_files = p->row->names(&p->view, p->files);
    if (p->n_files == 0) {
        facts_of(p)->read_ms[bit_number(p->row->bit)] = clock_mono_ms();
        return false;
    }
    p->asked = p->n_files;
    for (size_t i = 0; i < p->n_files; i++)
        p->ops->get(p->link, p->files[i].name, FILE_CAP, on_answer,
                    ask(p, &p->files[i]));
    return true;
}

static bool ask_served(struct probe *p)
{
    struct link_peer peer = {.timeout_ms = 5000};

    if (!p->row->peer(&p->view, &p->row->about, &peer))
        return false;
    p->ops->peer_chain(p->link, &peer, on_answer, ask(p, NULL));
    return true;
}

static bool ask_api(struct probe *p)
{
    struct link_peer peer = {.timeout_ms = 10000};

    if (!p->row->peer(&p->view, &p->row->about, &peer))
        return false;
    p->ops->ask(p->link, &peer, p->row->text, on_answer, ask(p, NULL));
    return true;
}

static void do_work(uv_work_t *work)
{
    struct probe *p = work->data;

    p->row->work(facts_of(p));
}

static void on_worked(uv_work_t *work, int status)
{
    struct probe *p = work->data;

    (void)status;
    p->row++;
    next_row(p);
}

static bool ask_work(struct probe *p)
{
    p->work.data = p;
    uv_queue_work(p->loop, &p->work, do_work, on_worked);
    return true;
}

/* A command that is about what the plan does not have yet is passed over. */
static bool ask_command(struct probe *p)
{
    const struct act read = {ACT_COMMAND, p->row->text};
    struct link_command command = {0};

    str_reset(&p->text);
    if (act_text(&p->view, &read, &p->text, NULL) < 0)
        return false;
    command.text = str_text(&p->text);
    p->ops->command(p->link, &command, on_answer, ask(p, NULL));
    return true;
}

static bool ask_row(struct probe *p)
{
    p->asked = 1;
    p->answered = 0;
    switch (p->row->kind) {
    case READ_COMMAND:
        return ask_command(p);
    case READ_LIST:
        p->ops->list(p->link, on_answer, ask(p, NULL));
        return true;
    case READ_FILES:
        return ask_files(p);
    case READ_SERVED:
        return ask_served(p);
    case READ_API:
        return ask_api(p);
    case READ_WORK:
        return ask_work(p);
    }
    return false;
}

static bool concerns(const struct probe *p)
{
    const struct plan_node *pn = &p->view.plan->nodes[p->view.node];

    return (p->reads & p->row->bit) &&
           (!p->row->roles || (p->row->roles & pn->node->roles));
}

/* Rows that ask nothing (no files, no listener) are passed over.  The status is
 * always asked, so `finish` never runs inside probe_start. */
static void next_row(struct probe *p)
{
    for (; p->row->bit; p->row++)
        if (concerns(p) && ask_row(p))
            return;
    finish(p);
}

void probe_start(const struct probe_options *options, probe_done_f *done,
                 void *user)
{
    struct probe *p = calloc(1, sizeof(*p));

    if (!p)
        abort();
    p->loop = options->loop;
    p->ops = options->ops;
    p->link = options->link;
    p->view = *options->view;
    str_init(&p->text, COMMAND_CAP);
    p->row = p->view.plan->plan->playbook->product->reads;
    p->reads =
        options->reads | p->view.plan->plan->playbook->product->status_read;
    p->done = done;
    p->user = user;
    next_row(p);
}
