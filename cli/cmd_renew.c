/* SPDX-License-Identifier: Apache-2.0
 *
 * `plan fleet/renew' and `apply fleet/renew'.
 */
#include "cli/cmd_renew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/drive.h"
#include "cli/drive_report.h"
#include "cli/renew.h"
#include "core/base/clock.h"

struct campaigning {
    struct renew *renew;
    struct session *session;
    struct campaign *campaign;
    struct campaign_cluster *clusters;
    struct pace_item *items;
    struct event_sink sink;
    bool ended, closed;
};

/* -- what is told on the way ------------------------------------------------
 */

/* What a person reads afterwards: not each step, but what was odd in one. */
static void say_odd(struct app *app, const struct event *event)
{
    struct str line;

    if (!event->detail || (strcmp(event->event, "warning") != 0 &&
                           strcmp(event->event, "step-failed") != 0 &&
                           strcmp(event->event, "rollback-started") != 0))
        return;
    str_init(&line, 4096);
    str_addf(&line, "%s: ", event->cluster ? event->cluster : "-");
    if (event->node)
        str_addf(&line, "%s: ", event->node);
    str_addf(&line, "%s: ", event->event);
    str_add_visible(&line, event->detail, strlen(event->detail), false);
    out_say(&app->out, "%s\n", str_text(&line));
    str_release(&line);
}

static void tell(void *user, const struct event *event)
{
    struct app *app = user;

    say_odd(app, event);
    if (strcmp(event->event, "result") != 0)
        out_json(&app->out, event_json(event));
}

static void on_begin(void *user, struct campaign_cluster *c, size_t task)
{
    struct campaigning *doing = user;

    out_say(&doing->renew->app->out, "%s: %s begins\n", c->cluster->name,
            c->tasks[task].playbook->id);
    if (doing->renew->on_begin)
        doing->renew->on_begin(doing->renew->user, c, task);
}

/* Of several the first: the others are in `clusters'. */
static void take_next(struct app *app, const struct run_result *result)
{
    struct app_final *final = &app->final;

    snprintf(final->run, sizeof(final->run), "%s", result->run);
    snprintf(final->next, sizeof(final->next), "%s", result->next);
    if (result->other)
        snprintf(final->other, sizeof(final->other), "%s", result->other);
}

static void on_task(void *user, struct campaign_cluster *c, size_t task,
                    const struct run_result *result)
{
    struct campaigning *doing = user;
    struct app *app = doing->renew->app;

    if (result->n_clusters)
        drive_tell_cluster(app, RUN_APPLY, &result->clusters[0]);
    else if (result->err)
        out_warn(&app->out, "%s: %s: %s\n", c->cluster->name,
                 c->tasks[task].playbook->id, result->err->text);
    if (result->next && !*app->final.next)
        take_next(app, result);
    if (doing->renew->on_task)
        doing->renew->on_task(doing->renew->user, c, task, result);
    if (result->at_once)
        app_leave(app, EXIT_INTERRUPTED);
}

static void on_settle(void *user, int64_t seconds)
{
    struct campaigning *doing = user;
    json_t *event = app_event("settling");

    json_object_set_new(event, "seconds", json_integer(seconds));
    out_json(&doing->renew->app->out, event);
    out_say(&doing->renew->app->out,
            "the canaries are done; they are read again in %lld s\n",
            (long long)seconds);
}

static void on_end(void *user)
{
    struct campaigning *doing = user;

    doing->ended = true;
}

static void on_closed(void *user)
{
    struct campaigning *doing = user;

    doing->closed = true;
}

static void on_interrupt(void *user)
{
    struct campaigning *doing = user;

    campaign_interrupt(doing->campaign);
}

/* -- the campaign ------------------------------------------------------------
 */

/* The campaign's lists are the due part of ours; pace.items must be one array.
 */
static void lend(struct campaigning *doing)
{
    struct renew *renew = doing->renew;
    size_t n = renew->n_due;

    doing->clusters =
        arena_alloc(&renew->arena, (n + 1) * sizeof(*doing->clusters));
    doing->items = arena_alloc(&renew->arena, (n + 1) * sizeof(*doing->items));
    for (size_t i = 0; i < n; i++) {
        const struct renew_cluster *c = &renew->clusters[i];

        doing->clusters[i].cluster = c->cluster;
        doing->clusters[i].n_tasks = c->n_tasks;
        memcpy(doing->clusters[i].tasks, c->tasks, sizeof(c->tasks));
        for (size_t t = 0; t < c->n_tasks; t++)
            if (!c->tasks[t].inputs)
                doing->clusters[i].tasks[t].inputs =
                    arena_alloc(&renew->arena, sizeof(char *));
        doing->items[i] = c->pace;
    }
    renew->pace.items = doing->items;
    renew->pace.n = n;
}

static void take_back(struct campaigning *doing)
{
    struct renew *renew = doing->renew;

    for (size_t i = 0; i < renew->n_due; i++) {
        renew->clusters[i].pace = doing->items[i];
        renew->clusters[i].left = doing->clusters[i].left;
        memcpy(renew->clusters[i].tasks, doing->clusters[i].tasks,
               sizeof(renew->clusters[i].tasks));
    }
}

static void run_campaign(struct campaigning *doing, const char *self)
{
    struct renew *renew = doing->renew;
    struct session *session = doing->session;
    const struct campaign_options options = {
        .loop = &session->loop,
        .links = session->links,
        .store = session->store,
        .secrets = session->secrets,
        .inventory = renew->app->inventory,
        .sinks = &doing->sink,
        .accepted = renew->app->args.accepted,
        .self = self,
        .unattended = renew->unattended,
        .seen = renew->seen,
        .clusters = doing->clusters,
        .pace = &renew->pace,
        .on_begin = on_begin,
        .on_task = on_task,
        .on_settle = on_settle,
        .on_end = on_end,
        .user = doing,
    };

    doing->sink = (struct event_sink){tell, renew->app, NULL};
    doing->campaign = campaign_new(&options);
    session->on_signal = on_interrupt;
    session->user = doing;
    campaign_start(doing->campaign);
    session_turn(session, &doing->ended);
    session->on_signal = NULL;
    campaign_free(doing->campaign, on_closed, doing);
    session_turn(session, &doing->closed);
}

int renew_do(struct renew *renew, struct session *session)
{
    struct campaigning doing = {.renew = renew, .session = session};
    struct str self;

    lend(&doing);
    str_init(&self, 4096);
    app_self(renew->app, &self);
    run_campaign(&doing, str_text(&self));
    str_release(&self);
    take_back(&doing);
    return renew_report(renew);
}

/* -- the question ------------------------------------------------------------
 */

struct question {
    bool answered, yes;
};

static void on_answer(void *user, bool yes)
{
    struct question *question = user;

    question->answered = true;
    question->yes = yes;
}

static void on_no(void *user)
{
    struct question *question = user;

    question->answered = true;
}

static void ask(struct session *session, struct question *question)
{
    struct ask *ask;

    session->on_signal = on_no;
    session->user = question;
    ask = ask_start(&session->loop, &session->app->out,
                    "Renew? Only `yes' is accepted:", on_answer, question);
    session_turn(session, &question->answered);
    if (session->n_signals)
        ask_cancel(ask);
    session->on_signal = NULL;
}

static int apply(struct renew *renew, struct session *session)
{
    struct question question = {.yes = renew->n_due == 0 ||
                                       args_has(&renew->app->args, OPT_YES)};

    if (!question.yes)
        ask(session, &question);
    if (!question.yes)
        return session->n_signals
                   ? EXIT_INTERRUPTED
                   : app_failf(renew->app, CAUSE_REFUSED, "not confirmed");
    return renew_do(renew, session);
}

/* -- the command
 * --------------------------------------------------------------- */

bool cmd_renew_is_meant(const struct app *app)
{
    return app->args.words[0] && strcmp(app->args.words[0], RENEW_ID) == 0;
}

/* Each of its runs is one of a playbook; these belong to one run. */
static int check_options(const struct app *app, struct err *err)
{
    static const enum opt others[] = {OPT_UNTIL, OPT_KEEP_GOING, OPT_ON_FAILURE,
                                      OPT_PLAN, OPT_OUTPUT};

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (args_has(&app->args, others[i]))
            return err_set(err, CAUSE_INPUT,
                           "--%s is of one playbook, not of " RENEW_ID,
                           option_rows[others[i]].name);
    return 0;
}

int renew_read_words(struct renew *renew, const char *const *words,
                     struct err *err)
{
    struct app *app = renew->app;
    const char **plain, **inputs;
    size_t n = 0;
    int rc;

    args_split_inputs(words, &plain, &inputs);
    while (plain[n])
        n++;
    rc = target_clusters(app->inventory, &renew->arena, plain, n,
                         &renew->target, err);
    if (rc == 0)
        rc = renew_read_inputs(&renew->settings, app->inventory, inputs, err);
    free(plain);
    free(inputs);
    return rc;
}

/* Behind the playbook's name; who means all of them says so. */
static int read_words(struct renew *renew, struct err *err)
{
    const char *const *words = renew->app->args.words + 1;

    if (!words[0] || strchr(words[0], '='))
        return err_set(err, CAUSE_INPUT,
                       "a target is needed: certfleet %s " RENEW_ID
                       " TARGET... [KEY=VALUE...]",
                       renew->app->args.command->name);
    return renew_read_words(renew, words, err);
}

static int look_and_do(struct renew *renew, bool plan_only)
{
    struct app *app = renew->app;
    struct session session;
    int code = session_open(&session, app, true);

    if (code != EXIT_DONE)
        return code;
    code = renew_look(renew, &session);
    if (code == EXIT_DONE) {
        renew_show(renew);
        if (!plan_only)
            code = apply(renew, &session);
    }
    session_close(&session);
    return code;
}

int cmd_renew(struct app *app, bool plan_only)
{
    struct renew renew = {.app = app, .now = clock_wall_ms() / 1000};
    struct err err = {.cause = CAUSE_NONE};
    int code;

    arena_init(&renew.arena);
    if (check_options(app, &err) < 0 || read_words(&renew, &err) < 0)
        code = app_fail(app, &err);
    else
        code = plan_only ? EXIT_DONE : drive_may_ask(app);
    if (code == EXIT_DONE)
        code = look_and_do(&renew, plan_only);
    arena_release(&renew.arena);
    return code;
}
