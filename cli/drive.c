/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's turns from run_new to the last closed handle.  What the run does
 * is core's; this only shows it, and answers its one question.
 */
#include "cli/drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/console.h"
#include "cli/drive_report.h"
#include "cli/plan_view.h"
#include "cli/request.h"

enum {
    VIEW_CAP = 1 << 24
};

struct drive {
    struct session *session;
    struct app *app;
    const struct drive_options *options;
    struct console *console;
    struct ask *ask;
    struct run *run;
    const struct plan *plan; /* the run's; until it is freed */
    struct event_sink sinks[2];
    bool has_console, shown, ended, closed;
    int code;
    int write_rc; /* plan -o failed */
};

int drive_may_ask(struct app *app)
{
    int code;

    if (args_has(&app->args, OPT_YES) || ask_is_possible())
        return EXIT_DONE;
    code = app_failf(app, CAUSE_REFUSED,
                     "there is no terminal to ask on, and --yes was not "
                     "given: nothing was sent to any node");
    app_next_again(app, "--yes");
    return code;
}

static void tell_json(void *user, const struct event *event)
{
    struct app *app = user;

    if (strcmp(event->event, "result") != 0)
        out_json(&app->out, event_json(event));
}

static void show_plan(struct drive *drive)
{
    struct app *app = drive->app;
    struct plan_view_options options = {
        .back = drive->options->mode == RUN_ROLLBACK,
        .until = app->args.value[OPT_UNTIL],
        .color = *out_paint(&app->out, PAINT_BOLD) != '\0',
    };
    struct str text;

    str_init(&text, VIEW_CAP);
    plan_view(drive->plan, &options, &text);
    out_say_text(&app->out, str_text(&text), text.len);
    str_release(&text);
}

static void show_plan_json(struct drive *drive)
{
    char hash[PKI_SHA256_HEX];
    json_t *event = app_event("plan");
    json_t *plan = plan_json(drive->plan);

    plan_hash(drive->plan, hash);
    json_object_update(event, plan);
    json_object_set_new(event, "hash", json_string(hash));
    json_decref(plan);
    out_json(&drive->app->out, event);
}

static bool wants_approval(const struct plan *plan)
{
    for (size_t c = 0; c < plan->n_clusters; c++)
        if (plan->clusters[c].cluster->approvals > 0)
            return true;
    return false;
}

static void write_plan(struct drive *drive)
{
    struct err err = {.cause = CAUSE_NONE};
    const char *path = drive->options->output;
    struct str quoted;

    if (!path)
        return;
    if (plan_file_write(drive->plan, path, &err) < 0) {
        drive->write_rc = app_fail(drive->app, &err);
        return;
    }
    str_init(&quoted, 4096);
    app_quote(&quoted, path);
    app_next(drive->app,
             wants_approval(drive->plan) ? "certfleet approve %s"
                                         : "certfleet apply --plan %s",
             str_text(&quoted));
    str_release(&quoted);
}

static void on_answer(void *user, bool yes)
{
    struct drive *drive = user;

    drive->ask = NULL;
    console_hold(drive->console, false);
    if (yes)
        run_go(drive->run);
    else
        run_stop(drive->run);
}

static void ask(struct drive *drive)
{
    static const char *const questions[] = {
        [RUN_PLAN] = "",
        [RUN_APPLY] = "Apply? Only `yes' is accepted:",
        [RUN_RESUME] = "Resume? Only `yes' is accepted:",
        [RUN_ROLLBACK] = "Roll back? Only `yes' is accepted:",
    };

    drive->ask = ask_start(&drive->session->loop, &drive->app->out,
                           questions[drive->options->mode], on_answer, drive);
}

static void on_plan(void *user, struct run *run, const struct plan *plan)
{
    struct drive *drive = user;
    bool yes = args_has(&drive->app->args, OPT_YES);

    (void)plan;
    drive->shown = true;
    console_hold(drive->console, true);
    if (drive->options->mode == RUN_PLAN) {
        if (drive->app->out.json)
            show_plan_json(drive);
        else
            show_plan(drive);
        write_plan(drive);
    } else if (!yes || (!drive->app->out.quiet && !drive->app->out.json)) {
        show_plan(drive);
    }
    if (drive->options->mode != RUN_PLAN && !yes) {
        ask(drive);
        return;
    }
    console_hold(drive->console, false);
    run_go(run);
}

static void tell_nobody(void *user, const struct event *event)
{
    (void)user;
    (void)event;
}

/* The last frame first, then the report, in order though it goes to two
 * outputs: from here on nobody's service waits for the terminal. */
static void on_end(void *user, const struct run_result *result)
{
    struct drive *drive = user;

    drive->ended = true;
    drive->sinks[0].tell = tell_nobody;
    console_close(drive->console);
    drive->console = NULL;
    out_sync(&drive->app->out);
    drive->code = drive_take_result(drive->app, drive->options, result);
    if (result->at_once)
        app_leave(drive->app, drive->code);
}

static void on_closed(void *user)
{
    struct drive *drive = user;

    drive->closed = true;
}

static void on_interrupt(void *user)
{
    struct drive *drive = user;

    if (drive->ended)
        return;
    if (drive->ask) {
        ask_cancel(drive->ask);
        drive->ask = NULL;
        console_hold(drive->console, false);
    }
    console_say(drive->console,
                drive->session->n_signals > 1
                    ? "certfleet: stops at once; `resume' works all the same"
                    : "certfleet: stops where it is safe; once more stops at "
                      "once");
    run_interrupt(drive->run);
}

/* Who only plans into a file or a pipe wants the plan alone. */
static bool wants_console(const struct drive *drive)
{
    return drive->options->mode != RUN_PLAN ||
           args_has(&drive->app->args, OPT_VERBOSE) ||
           out_say_is_terminal(&drive->app->out);
}

static void set_up(struct drive *drive)
{
    struct app *app = drive->app;
    struct console_options options = {
        .out = &app->out,
        .loop = &drive->session->loop,
        .plain = args_has(&app->args, OPT_VERBOSE),
        .quiet = app->out.quiet,
    };

    out_async(&app->out);
    drive->console = console_new(&options);
    drive->has_console = wants_console(drive);
    drive->sinks[0] =
        (struct event_sink){drive->has_console ? console_tell : tell_nobody,
                            drive->console, &drive->sinks[1]};
    drive->sinks[1] = (struct event_sink){tell_json, app, NULL};
}

static struct run *make_run(struct drive *drive, struct plan *plan,
                            const char *self, struct err *err)
{
    const struct args *args = &drive->app->args;
    const char *on_failure = args->value[OPT_ON_FAILURE];
    struct run_options options = {
        .loop = &drive->session->loop,
        .links = drive->session->links,
        .store = drive->session->store,
        .sinks = drive->sinks,
        .mode = drive->options->mode,
        .id = drive->options->id,
        .until = args->value[OPT_UNTIL],
        .keep_going = args_has(args, OPT_KEEP_GOING),
        .on_failure = !on_failure                       ? -1
                      : strcmp(on_failure, "hold") == 0 ? ON_FAILURE_HOLD
                                                        : ON_FAILURE_ROLLBACK,
        .plan_hash = drive->options->plan_hash,
        .approved = drive->options->approved,
        .secrets = drive->session->secrets,
        .self = self,
        .on_plan = on_plan,
        .on_end = on_end,
        .user = drive,
    };

    return run_new(&options, plan, err);
}

static void start(struct drive *drive)
{
    console_show(drive->console, drive->plan);
    drive->session->on_signal = on_interrupt;
    drive->session->user = drive;
    run_start(drive->run);
    /* a loop without work before the end is a fault of ours */
    if (!session_turn(drive->session, &drive->ended))
        drive->code = app_failf(drive->app, CAUSE_SYSTEM,
                                "the run went to sleep: a fault of the "
                                "program; `certfleet resume last' goes on");
    drive->session->on_signal = NULL;
    if (!drive->shown && !drive->has_console)
        drive_tell_findings(drive->app, drive->plan);
    if (drive->ask)
        ask_cancel(drive->ask);
    run_free(drive->run, on_closed, drive);
    session_turn(drive->session, &drive->closed);
}

int drive_run(struct session *session, struct plan *plan,
              const struct drive_options *options)
{
    struct drive drive = {
        .session = session,
        .app = session->app,
        .options = options,
        .plan = plan,
    };
    struct err err = {.cause = CAUSE_NONE};
    struct str self;

    str_init(&self, 4096);
    app_self(session->app, &self);
    set_up(&drive);
    drive.run = make_run(&drive, plan, str_text(&self), &err);
    if (drive.run) {
        start(&drive);
    } else {
        drive.code = app_fail(session->app, &err);
        plan_free(plan);
    }
    if (drive.console)
        console_close(drive.console);
    str_release(&self);
    return drive.write_rc && drive.code == EXIT_DONE ? drive.write_rc
                                                     : drive.code;
}
