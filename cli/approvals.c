/* SPDX-License-Identifier: Apache-2.0
 *
 * Who has approved a plan file, and who is still missing.
 */
#include "cli/approvals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"

enum {
    BOOK_CAP = 1 << 20
};

static const struct cluster *first_wanting(const struct request *request)
{
    for (size_t i = 0; i < request->plan.n_clusters; i++)
        if (request->plan.clusters[i]->approvals > 0)
            return request->plan.clusters[i];
    return NULL;
}

bool approvals_are_wanted(const struct request *request)
{
    return first_wanting(request) != NULL;
}

char *approvals_path(const char *plan)
{
    char *path = NULL;

    if (asprintf(&path, "%s.sig", plan) < 0)
        abort();
    return path;
}

/* -- reading and judging -------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Judged by the same people and the same clock? */
static bool are_alike(const struct cluster *a, const struct cluster *b)
{
    return a->approval_days == b->approval_days &&
           is_same(a->approvers, b->approvers) &&
           is_same(a->approver_ca, b->approver_ca);
}

static int judge(struct approval_book *book, const struct request *request,
                 struct cluster *cluster, struct err *err)
{
    struct approval_state *state = &book->states[book->n];
    const struct approval_case of = {
        .plan = &request->file.seen,
        .cluster = cluster,
        .now = clock_wall_ms() / 1000,
        .arena = &book->arena,
    };

    state->cluster = cluster;
    for (size_t i = 0; i < book->n; i++)
        if (are_alike(book->states[i].cluster, cluster)) {
            state->approvals = book->states[i].approvals;
            book->n++;
            return 0;
        }
    book->n++;
    approvals_read(str_text(&book->text), book->text.len, &book->arena,
                   &state->approvals);
    if (approvals_judge(&of, &state->approvals, err) < 0)
        return err_context(err, "cluster %s", cluster->name);
    return 0;
}

static int read_text(struct approval_book *book, struct err *err)
{
    struct secret *text = file_read(book->path, BOOK_CAP, err);

    if (!text && errno == ENOENT) {
        err_reset(err);
        return 0;
    }
    if (!text) {
        err->cause = CAUSE_INPUT;
        return -1;
    }
    str_addn(&book->text, text->data, text->len);
    if (text->len > 0 && text->data[text->len - 1] != '\n')
        str_addc(&book->text, '\n');
    secret_free(text);
    return 0;
}

int approval_book_read(struct approval_book *book,
                       const struct request *request, const char *plan,
                       const struct str *more, struct err *err)
{
    memset(book, 0, sizeof(*book));
    arena_init(&book->arena);
    str_init(&book->text, 2 * BOOK_CAP);
    book->path = approvals_path(plan);
    book->states = arena_alloc(&book->arena, (request->plan.n_clusters + 1) *
                                                 sizeof(*book->states));
    if (read_text(book, err) < 0)
        return -1;
    if (more)
        str_addn(&book->text, more->data, more->len);
    for (size_t i = 0; i < request->plan.n_clusters; i++)
        if (request->plan.clusters[i]->approvals > 0 &&
            judge(book, request, request->plan.clusters[i], err) < 0)
            return -1;
    return 0;
}

void approval_book_release(struct approval_book *book)
{
    free(book->path);
    str_release(&book->text);
    arena_release(&book->arena);
}

/* -- telling -------------------------------------------------------------- */

void approval_tell(const struct approval_book *book, struct app *app,
                   const struct approval *a, const char *cluster)
{
    const char *who = a->principals ? a->principals[0] : NULL;
    json_t *event;

    if (!app->out.json)
        return;
    event = app_event("approval");
    json_object_set_new(event, "cluster", app_text(cluster));
    json_object_set_new(event, "file", app_text(book->path));
    json_object_set_new(event, "line", json_integer(a->line));
    json_object_set_new(event, "principal", app_text(who));
    json_object_set_new(event, "key", app_text(a->key));
    json_object_set_new(event, "approved", app_text(a->time));
    json_object_set_new(event, "counts", json_boolean(!a->why));
    json_object_set_new(event, "detail", app_text(a->why));
    out_json(&app->out, event);
}

static void say_one(const struct approval_book *book, struct app *app,
                    const struct approval *a)
{
    const char *who = a->principals ? a->principals[0] : NULL;
    struct str line;

    str_init(&line, 1 << 14);
    if (a->why)
        str_addf(&line, "%s line %u does not count: ", book->path, a->line);
    else
        str_add(&line, "approved by ");
    if (who) {
        str_add_visible(&line, who, strlen(who), false);
        str_add(&line, " ");
    }
    str_addf(&line, "(%s, ", *a->key ? a->key : "no key");
    str_add_visible(&line, a->time, strlen(a->time), false);
    str_add(&line, ")");
    if (a->why) {
        str_add(&line, ": ");
        str_add_visible(&line, a->why, strlen(a->why), false);
        out_warn(&app->out, "%s\n", str_text(&line));
    } else {
        out_say(&app->out, "%s\n", str_text(&line));
    }
    str_release(&line);
}

void approval_book_say(const struct approval_book *book, struct app *app)
{
    for (size_t c = 0; c < book->n; c++) {
        const struct approval_state *state = &book->states[c];
        bool first =
            c == 0 || !are_alike(book->states[c - 1].cluster, state->cluster);

        for (size_t i = 0; i < state->approvals.n; i++) {
            approval_tell(book, app, &state->approvals.list[i],
                          state->cluster->name);
            if (first)
                say_one(book, app, &state->approvals.list[i]);
        }
    }
}

const struct approval_state *approval_book_lacks(
    const struct approval_book *book)
{
    for (size_t i = 0; i < book->n; i++)
        if (book->states[i].approvals.counted <
            book->states[i].cluster->approvals)
            return &book->states[i];
    return NULL;
}

json_t *approval_book_json(const struct approval_book *book)
{
    json_t *json = json_object();

    for (size_t i = 0; i < book->n; i++)
        json_object_set_new(json, book->states[i].cluster->name,
                            approvals_json(&book->states[i].approvals));
    return json;
}

/* -- apply ---------------------------------------------------------------- */

static void add_words(struct str *out, const char *const *words,
                      const char *before)
{
    for (; *words; words++) {
        str_addf(out, " %s", before);
        app_quote(out, *words);
    }
}

/* Without a plan file there is nothing that anybody could have approved. */
static int refuse_plain(struct app *app, const struct cluster *c)
{
    struct str words;
    int code;

    code = app_failf(app, CAUSE_REFUSED,
                     "cluster %s wants %u approval%s: make a plan, have it "
                     "approved (`certfleet approve FILE') and apply it; "
                     "nothing was sent to any node",
                     c->name, c->approvals, c->approvals == 1 ? "" : "s");
    str_init(&words, 2048);
    add_words(&words, app->args.words, "");
    add_words(&words, app->args.accepted, "--accept ");
    app_next(app, "certfleet plan%s -o %s.plan", str_text(&words), c->name);
    str_release(&words);
    return code;
}

static int refuse_file(struct app *app, const struct approval_state *state,
                       const char *plan)
{
    unsigned wants = state->cluster->approvals;
    struct str quoted;
    int code = app_failf(app, CAUSE_REFUSED,
                         "cluster %s wants %u approval%s of %s, and %u count%s"
                         ": %u %s missing; nothing was sent to any node",
                         state->cluster->name, wants, wants == 1 ? "" : "s",
                         plan, state->approvals.counted,
                         state->approvals.counted == 1 ? "s" : "",
                         wants - state->approvals.counted,
                         wants - state->approvals.counted == 1 ? "is" : "are");

    str_init(&quoted, 4096);
    app_quote(&quoted, plan);
    app_next(app, "certfleet approve %s", str_text(&quoted));
    str_release(&quoted);
    return code;
}

int approvals_for_apply(struct app *app, const struct request *request,
                        json_t **approved)
{
    const char *plan = app->args.value[OPT_PLAN];
    struct err err = {.cause = CAUSE_NONE};
    const struct cluster *wanting;
    struct approval_book book;
    int code = EXIT_DONE;

    *approved = NULL;
    if (plan && plan_file_check(&request->file, &err) < 0) {
        err_context(&err, "%s", plan);
        return app_fail(app, &err);
    }
    wanting = first_wanting(request);
    if (!wanting)
        return EXIT_DONE;
    if (!plan)
        return refuse_plain(app, wanting);
    if (approval_book_read(&book, request, plan, NULL, &err) < 0) {
        code = app_fail(app, &err);
    } else {
        const struct approval_state *lacks = approval_book_lacks(&book);

        approval_book_say(&book, app);
        if (lacks)
            code = refuse_file(app, lacks, plan);
        else
            *approved = approval_book_json(&book);
    }
    approval_book_release(&book);
    return code;
}
