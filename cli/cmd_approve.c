/* SPDX-License-Identifier: Apache-2.0
 *
 * `approve': shows what a plan file holds, asks, signs, writes the signature
 * beside it.  Reaches no node, opens no store.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/approvals.h"
#include "cli/ask.h"
#include "cli/pki_files.h"
#include "cli/plan_view.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/fleet/path.h"
#include "core/pki/seal.h"

enum {
    VIEW_CAP = 1 << 24,
    SIGNATURE_CAP = 1 << 18
};

struct approving {
    struct app *app;
    const char *path; /* of the plan */
    struct request request;
};

/* -- the plan ------------------------------------------------------------- */

static void tell(struct approving *on)
{
    json_t *event = app_event("plan");

    json_object_update_missing(event, on->request.file.json);
    out_json(&on->app->out, event);
}

static int show(struct approving *on, struct err *err)
{
    struct app *app = on->app;
    struct plan_view_options options = {
        .color = *out_paint(&app->out, PAINT_BOLD) != '\0', .unread = true};
    struct plan *plan =
        plan_file_plan(&on->request.file, &on->request.plan, err);
    struct str text;

    if (!plan)
        return err_context(err, "%s", on->path);
    str_init(&text, VIEW_CAP);
    plan_view(plan, &options, &text);
    plan_free(plan);
    out_say_text(&app->out, str_text(&text), text.len);
    str_release(&text);
    if (app->out.json)
        tell(on);
    out_say(&app->out,
            "What a node is past already when it is read again is not sent.\n"
            "\nplan %s, made %s\n",
            on->request.file.seen.plan_sha256,
            json_string_value(json_object_get(on->request.file.json, "made")));
    return 0;
}

/* -- the question --------------------------------------------------------- */

struct answer {
    bool yes, come;
};

static void on_answer(void *user, bool yes)
{
    struct answer *answer = user;

    answer->yes = yes;
    answer->come = true;
}

static int ask_person(struct approving *on)
{
    struct answer answer = {false, false};
    struct app *app = on->app;
    uv_loop_t loop;

    if (args_has(&app->args, OPT_YES))
        return EXIT_DONE;
    if (!ask_is_possible()) {
        int code = app_failf(app, CAUSE_REFUSED,
                             "there is no terminal to ask on, and --yes was "
                             "not given: nothing was signed");

        app_next_again(app, "--yes");
        return code;
    }
    if (uv_loop_init(&loop) < 0)
        return app_failf(app, CAUSE_SYSTEM, "no event loop");
    ask_start(&loop, &app->out, "Approve? Only `yes' is accepted:", on_answer,
              &answer);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (answer.come && answer.yes)
        return EXIT_DONE;
    return app_failf(app, CAUSE_REFUSED, "not confirmed: nothing was signed");
}

/* -- signing -------------------------------------------------------------- */

/* What logs in to the first node; a person's own is named by --key. */
static const char *default_key(const struct approving *on)
{
    const struct plan_request *plan = &on->request.plan;

    for (size_t i = 0; i < plan->n_clusters; i++)
        for (size_t n = 0; n < plan->clusters[i]->n_nodes; n++)
            if (plan->clusters[i]->nodes[n]->identity)
                return plan->clusters[i]->nodes[n]->identity;
    return NULL;
}

static int sign_ssh(struct approving *on, const struct str *statement,
                    struct str *signature, struct err *err)
{
    const char *key = on->app->args.value[OPT_KEY];

    if (args_has(&on->app->args, OPT_PASSPHRASE))
        return err_set(err, CAUSE_INPUT,
                       "--passphrase is for the key of a certificate "
                       "(--cert); ssh-keygen asks for an SSH key's itself");
    if (!key)
        key = default_key(on);
    if (!key)
        return err_set(err, CAUSE_INPUT,
                       "the inventory has no identity: give --key KEY");
    return approval_sign_ssh(key, statement, signature, err);
}

static int sign_x509(struct approving *on, const struct str *statement,
                     struct str *signature, struct err *err)
{
    const struct args *args = &on->app->args;
    const char *path =
        args->value[OPT_KEY] ? args->value[OPT_KEY] : args->value[OPT_CERT];
    struct secret *cert = pki_file_read(args->value[OPT_CERT], err);
    struct secret *file = cert ? pki_file_read(path, err) : NULL;
    struct secret *key = NULL;
    int rc = -1;

    if (file)
        key = pki_key_opened(on->app, path, file, err);
    if (key)
        rc = pki_seal(cert, key, statement, signature, err);
    secret_free(key);
    secret_free(file);
    secret_free(cert);
    return rc < 0 ? err_context(err, "%s", args->value[OPT_CERT]) : 0;
}

/* One line for FILE.sig. */
static int sign(struct approving *on, struct str *line, struct err *err)
{
    bool x509 = args_has(&on->app->args, OPT_CERT);
    struct approval approval = {
        .kind = x509 ? APPROVAL_X509 : APPROVAL_SSH,
        .plan_sha256 = on->request.file.seen.plan_sha256,
    };
    char time[APPROVAL_TIME_BYTES];
    struct str statement, signature;
    int rc;

    approval_time_text(clock_wall_ms() / 1000, time);
    str_init(&statement, 1 << 20);
    str_init(&signature, SIGNATURE_CAP);
    approval_statement(&on->request.file.seen, time, &statement);
    rc = x509 ? sign_x509(on, &statement, &signature, err)
              : sign_ssh(on, &statement, &signature, err);
    if (rc == 0) {
        approval.time = time;
        approval.signature = str_text(&signature);
        approval_line(&approval, line);
    }
    str_release(&statement);
    str_release(&signature);
    return rc;
}

/* -- the file ------------------------------------------------------------- */

/* Of the last one, which is ours: for one cluster at least it must count. */
static const struct approval *ours(const struct approval_book *book,
                                   const struct cluster **cluster)
{
    const struct approval *last = NULL;

    for (size_t i = 0; i < book->n; i++) {
        const struct approvals *a = &book->states[i].approvals;

        if (a->n > 0 && !a->more && (!last || last->why)) {
            last = &a->list[a->n - 1];
            *cluster = book->states[i].cluster;
        }
    }
    return last;
}

/* What was signed when FILE held another plan goes: it will never count. */
static int write_book(const struct approving *on,
                      const struct approval_book *book, struct err *err)
{
    const struct approvals *all = &book->states[0].approvals;
    struct str text;
    int rc;

    str_init(&text, 2 * book->text.cap);
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->list[i].plan_sha256,
                   on->request.file.seen.plan_sha256) == 0)
            approval_line(&all->list[i], &text);
    rc = file_write(book->path, str_text(&text), text.len, 0644, false, err);
    str_release(&text);
    return rc;
}

static void say_next(struct approving *on, const struct approval_book *book)
{
    const struct approval_state *lacks = approval_book_lacks(book);
    struct str quoted;

    str_init(&quoted, 4096);
    app_quote(&quoted, on->path);
    if (lacks)
        out_say(&on->app->out, "cluster %s: %u of %u approvals\n",
                lacks->cluster->name, lacks->approvals.counted,
                lacks->cluster->approvals);
    app_next(on->app,
             lacks ? "certfleet approve %s" : "certfleet apply --plan %s",
             str_text(&quoted));
    str_release(&quoted);
}

/* Judged as `apply' will judge it, before anybody relies on it. */
static int keep(struct approving *on, const struct str *line)
{
    struct err err = {.cause = CAUSE_NONE};
    struct approval_book book;
    const struct cluster *cluster = NULL;
    const struct approval *own;
    int code = EXIT_DONE;

    if (approval_book_read(&book, &on->request, on->path, line, &err) < 0) {
        code = app_fail(on->app, &err);
    } else if (!(own = ours(&book, &cluster)) || own->why) {
        code = app_failf(on->app, CAUSE_REFUSED,
                         "this approval would not count, and was not "
                         "written: %s",
                         own ? own->why : "there are too many in the file");
    } else if (write_book(on, &book, &err) < 0) {
        code = app_fail(on->app, &err);
    } else {
        out_say(&on->app->out, "approved as %s (%s); written to %s\n",
                own->principals[0], own->key, book.path);
        approval_tell(&book, on->app, own, cluster->name);
        say_next(on, &book);
    }
    approval_book_release(&book);
    return code;
}

static int approve(struct approving *on)
{
    struct err err = {.cause = CAUSE_NONE};
    struct approval_book book;
    struct str line;
    int code = EXIT_DONE;

    if (approval_book_read(&book, &on->request, on->path, NULL, &err) < 0)
        code = app_fail(on->app, &err);
    else
        approval_book_say(&book, on->app);
    approval_book_release(&book);
    if (code == EXIT_DONE)
        code = ask_person(on);
    if (code != EXIT_DONE)
        return code;
    str_init(&line, 2 * SIGNATURE_CAP);
    code =
        sign(on, &line, &err) < 0 ? app_fail(on->app, &err) : keep(on, &line);
    str_release(&line);
    return code;
}

int cmd_approve(struct app *app)
{
    struct approving on = {.app = app, .path = app->args.words[0]};
    struct err err = {.cause = CAUSE_NONE};
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    if (request_from_file(&on.request, app, on.path, &err) < 0 ||
        plan_file_check(&on.request.file, &err) < 0 || show(&on, &err) < 0)
        code = app_fail(app, &err);
    else if (!approvals_are_wanted(&on.request))
        code = app_failf(app, CAUSE_INPUT,
                         "no cluster of this plan wants approvals: there is "
                         "nothing to sign");
    else
        code = approve(&on);
    request_release(&on.request);
    return code;
}
