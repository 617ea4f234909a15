/* SPDX-License-Identifier: Apache-2.0
 *
 * ACT_LOCAL, phase by phase; each phase of the pool touches the cluster's set
 * alone, and nothing else does, since every later row waits for this cell.
 */
#include "core/run/issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/run/issue_env.h"
#include "core/run/program.h"
#include "core/run/set_read.h"
#include "core/run/signing.h"

enum {
    /* seconds that a certificate must have been valid by the slowest clock of
     * the nodes before one gets it */
    SETTLED_S = 60,
    MOST_AHEAD_S = 120, /* one that begins later is a mistake */
    NAMED = 2           /* requests that are named; of more, their folder */
};

struct issuing {
    struct course *course;
    sent_f *done;
    void *user;
    uv_work_t work;
    struct issue_job job;
    struct program *program; /* the one that is being asked */
    size_t asked;            /* which wish that is */
    struct signing *signing; /* the node that is being asked */
    bool canceled;
    uv_timer_t timer;
    int64_t begins; /* seconds: the latest notBefore of the answers */
    struct issue_keys keys;
    int rc;
    struct err err;
};

static const struct issuer *issuer_of(const struct issuing *is)
{
    return plan_issuer(is->course->pc);
}

static bool is_foreign(const struct issuing *is)
{
    const struct plan_cluster *pc = is->course->pc;

    return !pc->issued && issuer_of(is)->kind != ISSUER_INTERNAL;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

/* Of those that had to be made only now the time of the step tells. */
static void tell_keys(const struct issuing *is)
{
    struct journal *journal = is->course->journal;
    char text[64];
    struct event e = {.event = "keys",
                      .cluster = is->course->pc->cluster->name,
                      .step = "issue",
                      .detail = text,
                      .took_ms = -1};

    if (is->keys.ahead == 0)
        return;
    snprintf(text, sizeof(text), "%u made ahead, %u made now", is->keys.ahead,
             is->keys.made);
    journal_tell(journal, &e);
}

static void finish(struct issuing *is, enum sent sent, const struct err *err)
{
    tell_keys(is);
    is->course->issuing = NULL;
    is->done(is->user, sent, err);
    issue_job_release(&is->job);
    uv_close((uv_handle_t *)&is->timer, on_closed);
}

/* -- files of the set ----------------------------------------------------- */

static int load_file(const struct issuing *is, struct set_file *file,
                     const char *path, struct err *err)
{
    const struct plan_cluster *pc = is->course->pc;
    struct secret *bytes =
        set_file_read(file, path, is->course->key_passphrase, err);
    char sha[PKI_SHA256_HEX];
    struct pki_cert_info info;

    if (!bytes)
        return -1;
    pki_sha256(bytes->data, bytes->len, sha);
    if (pc->issued && strcmp(sha, file->sha256) != 0) {
        secret_free(bytes);
        return err_set(err, CAUSE_REFUSED, "%s is not the file that %s", path,
                       pc->reused ? "the cluster has"
                                  : "was issued for this run");
    }
    memcpy(file->sha256, sha, sizeof(sha));
    if (!file->secret &&
        pki_describe(bytes->data, bytes->len, &info, NULL) == 0)
        memcpy(file->cert_sha256, info.sha256, PKI_SHA256_HEX);
    secret_free(file->content);
    file->content = bytes;
    return 0;
}

static int load_part(const struct issuing *is, size_t part, struct err *err)
{
    struct plan_cluster *pc = is->course->pc;
    struct file_set *set = plan_part(pc, part);
    int rc = 0;

    for (size_t i = 0; i < set->n && rc == 0; i++) {
        char *path = plan_file_path(pc->folder, plan_part_node(pc, part),
                                    set->files[i].name);

        rc = load_file(is, &set->files[i], path, err);
        free(path);
    }
    return rc;
}

static int load_set(const struct issuing *is, struct err *err)
{
    struct plan_cluster *pc = is->course->pc;

    for (size_t part = 0; part <= pc->n_nodes; part++)
        if (load_part(is, part, err) < 0)
            return -1;
    pc->loaded = true;
    return 0;
}

/* -- checks, files, journal ----------------------------------------------- */

static void issue_and_load(uv_work_t *work)
{
    struct issuing *is = work->data;
    struct plan_cluster *pc = is->course->pc;

    is->rc = file_make_folders(pc->folder, &is->err);
    if (is->rc == 0 && !pc->issued) {
        pc->plan->playbook->issue(&is->job);
        is->rc = is->job.rc;
        is->err = is->job.err;
    }
    if (is->rc == 0)
        is->rc = load_set(is, &is->err);
}

static void on_journaled(void *user, const struct err *err)
{
    struct issuing *is = user;

    if (err) {
        finish(is, SENT_ERROR, err);
        return;
    }
    is->course->pc->issued = true;
    finish(is, SENT_OK, NULL);
}

static json_t *generation_json(const struct plan_cluster *pc)
{
    json_t *json = json_pack("{s:i, s:s, s:o}", "number", (int)pc->number,
                             "tag", pc->tag, "files", plan_set_json(&pc->set));
    json_t *nodes = json_object();

    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].own.n)
            json_object_set_new(nodes, pc->nodes[i].node->name,
                                plan_set_json(&pc->nodes[i].own));
    if (json_object_size(nodes))
        json_object_set(json, "nodes", nodes);
    json_decref(nodes);
    return json;
}

static void tell_findings(struct issuing *is)
{
    for (size_t i = 0; i < is->job.findings.n; i++) {
        const struct finding *f = &is->job.findings.list[i];

        findings_add(&is->course->pc->findings, f->severity, f->id, f->node,
                     "%s", f->text);
        if (f->severity < SEVERITY_BLOCK)
            course_tell_finding(is->course, "issue", f);
    }
}

static void on_issued(uv_work_t *work, int status)
{
    struct issuing *is = work->data;
    struct plan_cluster *pc = is->course->pc;

    tell_findings(is);
    if (status != 0 || is->rc < 0) {
        /* what a person brought can be brought anew */
        bool waits = is_foreign(is) && issuer_of(is)->kind == ISSUER_CSR;
        finish(is, waits ? SENT_WAITING : SENT_ERROR, &is->err);
        return;
    }
    const struct journal_record record = {
        .cluster = pc->cluster->name,
        .step = "issue",
        .kind = "generation",
        .data = generation_json(pc),
    };
    journal_write(is->course->journal, &record, on_journaled, is);
}

/* Now: an issuer may have taken its time, and dates what it gives by it. */
static void queue_issue(struct issuing *is)
{
    is->job.now = clock_wall_ms() / 1000;
    uv_queue_work(is->course->loop, &is->work, issue_and_load, on_issued);
}

/* -- until the answers are valid everywhere ------------------------------- */

static const struct err stopped = {CAUSE_CANCELED, "stopped"};

static int64_t begin_of(const struct issue_job *job,
                        const struct issue_wish *wish)
{
    const struct pki_wish asked = issue_pki_wish(job, wish);
    struct pki_answer answer = {0};
    struct pki_cert_info info = {0};

    /* one that is refused is refused by `issue' */
    if (pki_answer_find(&asked, wish->answer, wish->answer_len, &answer) == 0)
        pki_describe(answer.leaf, strlen(answer.leaf), &info, NULL);
    pki_answer_release(&answer);
    return info.not_before;
}

static void look_at_dates(uv_work_t *work)
{
    struct issuing *is = work->data;

    for (size_t i = 0; i < is->job.n_wishes; i++) {
        int64_t begin = begin_of(&is->job, &is->job.wishes[i]);

        if (begin > is->begins)
            is->begins = begin;
    }
}

static void on_settled(uv_timer_t *timer)
{
    struct issuing *is = timer->data;

    if (is->canceled)
        finish(is, SENT_ERROR, &stopped);
    else
        queue_issue(is);
}

static void tell_wait(const struct issuing *is, int64_t wait_ms)
{
    struct finding f = {.id = "dates", .severity = SEVERITY_WARNING};

    snprintf(f.text, sizeof(f.text),
             "the issuer has not dated its certificates back: waits %" PRId64
             " s, so that they are valid on nodes whose clock is behind",
             wait_ms / 1000 + 1);
    course_tell_finding(is->course, "issue", &f);
}

static int64_t wait_of(const struct issuing *is)
{
    const struct plan_cluster *pc = is->course->pc;
    const struct product *product = pc->plan->playbook->product;
    int64_t now_ms = clock_wall_ms();
    int64_t behind_s = product->behind_s ? product->behind_s(pc) : 0;
    int64_t wait_ms = (is->begins + SETTLED_S + behind_s) * 1000 - now_ms;

    return wait_ms < 0 || is->begins * 1000 - now_ms > MOST_AHEAD_S * 1000
               ? 0
               : wait_ms;
}

static void on_dates(uv_work_t *work, int status)
{
    struct issuing *is = work->data;
    int64_t wait_ms = wait_of(is);

    (void)status;
    if (wait_ms > 0)
        tell_wait(is, wait_ms);
    uv_timer_start(&is->timer, on_settled, is->canceled ? 0 : (uint64_t)wait_ms,
                   0);
}

static void queue_dates(struct issuing *is)
{
    uv_queue_work(is->course->loop, &is->work, look_at_dates, on_dates);
}

/* -- a program's answers -------------------------------------------------- */

static void ask_next(struct issuing *is);

static void take_answer(struct issuing *is, const struct str *output)
{
    struct issue_wish *wish = &is->job.wishes[is->asked];

    wish->answer = malloc(output->len + 1);
    if (!wish->answer)
        abort();
    memcpy(wish->answer, str_text(output), output->len);
    wish->answer[output->len] = '\0';
    wish->answer_len = output->len;
}

static void on_answered(void *user, const struct str *output,
                        const struct err *err)
{
    struct issuing *is = user;
    const struct issue_wish *wish = &is->job.wishes[is->asked];

    is->program = NULL;
    if (err) {
        is->err = *err;
        err_context(&is->err, "%s for %s%s%s", issuer_of(is)->command[0],
                    wish->slot, wish->node ? " of node " : "",
                    wish->node ? wish->node : "");
        finish(is, SENT_ERROR, &is->err);
        return;
    }
    take_answer(is, output);
    is->asked++;
    ask_next(is);
}

static void ask(struct issuing *is, const struct issue_wish *wish)
{
    struct issue_env env;
    const struct program_request request = {
        .argv = issuer_of(is)->command,
        .env = issue_env_make(&env, is->course, wish),
        .folder = is->course->pc->plan->inventory->folder,
        .input = wish->request,
        .input_len = strlen(wish->request),
        .output_cap = ISSUE_ANSWER_BYTES,
        .deadline_ms = (uint64_t)issuer_of(is)->timeout_s * 1000,
    };

    is->program = program_start(is->course->loop, &request, on_answered, is);
    issue_env_release(&env);
}

static void ask_next(struct issuing *is)
{
    if (is->canceled)
        finish(is, SENT_ERROR, &stopped);
    else if (is->asked < is->job.n_wishes)
        ask(is, &is->job.wishes[is->asked]);
    else
        queue_dates(is);
}

void issue_cancel(struct issuing *is)
{
    is->canceled = true;
    if (is->program)
        program_cancel(is->program);
    else if (is->signing)
        signing_cancel(is->signing);
    else if (uv_is_active((uv_handle_t *)&is->timer))
        uv_timer_start(&is->timer, on_settled, 0, 0);
}

/* -- a person's answers --------------------------------------------------- */

static size_t list_missing(const struct issuing *is, struct str *list)
{
    size_t missing = 0;

    for (size_t i = 0; i < is->job.n_wishes; i++) {
        const struct issue_wish *wish = &is->job.wishes[i];

        if (wish->answer)
            continue;
        if (++missing <= NAMED)
            str_addf(list, "%s%s", list->len ? ", " : "", wish->request_path);
    }
    return missing;
}

static void wait_or_issue(struct issuing *is)
{
    struct str list;
    size_t missing;

    str_init(&list, 900);
    missing = list_missing(is, &list);
    if (missing == 0) {
        queue_dates(is);
    } else {
        err_set(&is->err, CAUSE_REFUSED,
                "%zu certificate%s to be signed by somebody else: %s%s",
                missing, missing == 1 ? " is" : "s are",
                missing > NAMED ? "the requests (*.csr) below "
                                : str_text(&list),
                missing > NAMED ? is->job.folder : "");
        finish(is, SENT_WAITING, &is->err);
    }
    str_release(&list);
}

/* -- a node's answers ------------------------------------------------------ */

static void on_signed(void *user, enum sent sent, const struct err *err)
{
    struct issuing *is = user;

    is->signing = NULL;
    if (sent == SENT_OK)
        queue_dates(is);
    else
        finish(is, sent, err);
}

/* -- keys and requests ---------------------------------------------------- */

static void make_wishes(uv_work_t *work)
{
    struct issuing *is = work->data;
    struct plan_cluster *pc = is->course->pc;

    is->rc = file_make_folders(pc->folder, &is->err);
    if (is->rc == 0)
        is->rc = pc->plan->playbook->wish(&is->job, true, &is->err);
}

static void on_wishes(uv_work_t *work, int status)
{
    struct issuing *is = work->data;

    if (status != 0 || is->rc < 0)
        finish(is, SENT_ERROR, &is->err);
    else if (issuer_of(is)->kind == ISSUER_COMMAND)
        ask_next(is);
    else if (issuer_of(is)->kind == ISSUER_LINK)
        is->signing = signing_start(is->course, &is->job, on_signed, is);
    else
        wait_or_issue(is);
}

void issue_start(struct course *course, sent_f *done, void *user)
{
    struct issuing *is = calloc(1, sizeof(*is));

    if (!is)
        abort();
    is->course = course;
    is->done = done;
    is->user = user;
    is->job.plan = course->pc;
    is->job.folder = course->pc->folder;
    is->job.ca_password = course->ca_password;
    is->job.key_passphrase = course->key_passphrase;
    is->job.keys = &is->keys;
    is->work.data = is;
    uv_timer_init(course->loop, &is->timer);
    is->timer.data = is;
    course->issuing = is;
    if (is_foreign(is))
        uv_queue_work(course->loop, &is->work, make_wishes, on_wishes);
    else
        queue_issue(is);
}
