/* SPDX-License-Identifier: Apache-2.0
 *
 * `plan' and `playbooks'.
 */
#include <string.h>

#include "cli/cmd_renew.h"
#include "cli/dot.h"
#include "cli/drive.h"
#include "cli/help.h"
#include "cli/renew.h"
#include "cli/request.h"
#include "cli/step_words.h"
#include "cli/table.h"
#include "playbooks/registry.h"

static int plan_it(struct app *app, struct request *request)
{
    struct drive_options options = {
        .mode = RUN_PLAN,
        .output = app->args.value[OPT_OUTPUT],
    };
    struct err err = {.cause = CAUSE_NONE};
    struct session session;
    struct plan *plan = plan_new(&request->plan, &err);
    int code;

    if (!plan)
        return app_fail(app, &err);
    /* the store gives the next generation's number; no record is written */
    code = session_open(&session, app, true);
    if (code != EXIT_DONE) {
        plan_free(plan);
        return code;
    }
    code = drive_run(&session, plan, &options);
    session_close(&session);
    return code;
}

int cmd_plan(struct app *app)
{
    struct request request;
    struct err err = {.cause = CAUSE_NONE};
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    if (cmd_renew_is_meant(app))
        return cmd_renew(app, true);
    if (request_from_words(&request, app, &err) < 0)
        code = app_fail(app, &err);
    else
        code = plan_it(app, &request);
    request_release(&request);
    return code;
}

/* -- playbooks --------------------------------------------------------------
 */

static void say_steps(struct app *app, const struct playbook *playbook)
{
    static const char *const heads[] = {"step", "nodes", "order",
                                        "kind", "what",  NULL};
    struct table table;

    table_init(&table, heads);
    for (size_t i = 0; i < playbook->n_steps; i++) {
        const struct step *step = &playbook->steps[i];
        struct str roles;

        str_init(&roles, 256);
        if (step->order == STEP_ONCE)
            str_add(&roles, "-");
        else
            step_add_roles(&roles, playbook, step->roles);
        table_add(&table, (const char *const[]){step->id, str_text(&roles),
                                                step_order_word(step->order),
                                                step_kind_word(step->flags),
                                                step->title});
        str_release(&roles);
    }
    table_say(&table, &app->out);
    table_release(&table);
}

static void say_head(struct app *app, const char *id, const char *title,
                     const char *help, const struct input_row *inputs)
{
    struct str text;

    str_init(&text, 1 << 16);
    str_addf(&text, "%s: %s\n\n", id, title);
    if (help)
        help_fill(&text, help, 0);
    str_add(&text, "\ninputs:\n");
    for (const struct input_row *row = inputs; row && row->key; row++) {
        str_addf(&text, "  %s=%s\n", row->key, row->value);
        help_fill(&text, row->help, 6);
    }
    out_say(&app->out, "%s", str_text(&text));
    str_release(&text);
}

static void say_playbook(struct app *app, const struct playbook *playbook)
{
    struct str text;

    say_head(app, playbook->id, playbook->title, playbook->help,
             playbook->inputs);
    str_init(&text, 1 << 16);
    out_say(&app->out, "\nsteps:\n");
    say_steps(app, playbook);
    if (playbook->caution) {
        str_add(&text, "\nwhat no order can save:\n");
        help_fill(&text, playbook->caution, 0);
        out_say(&app->out, "%s", str_text(&text));
    }
    str_release(&text);
}

static json_t *inputs_json(const struct input_row *inputs)
{
    json_t *list = json_array();

    for (const struct input_row *r = inputs; r && r->key; r++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "key", r->key,
                                        "value", r->value, "help", r->help));
    return list;
}

static json_t *playbook_json(const struct playbook *playbook)
{
    json_t *steps = json_array();
    json_t *json = app_event("playbook");

    for (size_t i = 0; i < playbook->n_steps; i++)
        json_array_append_new(
            steps, json_pack("{s:s, s:s, s:s}", "id", playbook->steps[i].id,
                             "title", playbook->steps[i].title, "kind",
                             step_kind_word(playbook->steps[i].flags)));
    json_object_set_new(json, "playbook", json_string(playbook->id));
    json_object_set_new(json, "title", app_text(playbook->title));
    json_object_set_new(json, "product", app_text(playbook->product->name));
    json_object_set_new(json, "inputs", inputs_json(playbook->inputs));
    json_object_set_new(json, "steps", steps);
    return json;
}

/* The table as a picture: in words with --json, too. */
static int draw(struct app *app, const struct playbook *playbook)
{
    struct str text;

    str_init(&text, 1 << 16);
    dot_playbook(playbook, &text);
    if (app->out.json) {
        json_t *json = app_event("dot");
        json_object_set_new(json, "playbook", json_string(playbook->id));
        json_object_set_new(json, "detail", app_text(str_text(&text)));
        out_json(&app->out, json);
    } else {
        out_say(&app->out, "%s", str_text(&text));
    }
    str_release(&text);
    return EXIT_DONE;
}

static void say_renew(struct app *app, bool whole)
{
    json_t *json;

    if (!app->out.json) {
        if (whole)
            say_head(app, RENEW_ID, RENEW_TITLE, renew_help, renew_inputs);
        else
            out_say(&app->out, "%-20s %s\n", RENEW_ID, RENEW_TITLE);
        return;
    }
    json = app_event("playbook");
    json_object_set_new(json, "playbook", json_string(RENEW_ID));
    json_object_set_new(json, "title", json_string(RENEW_TITLE));
    json_object_set_new(json, "inputs", inputs_json(renew_inputs));
    out_json(&app->out, json);
}

int cmd_playbooks(struct app *app)
{
    struct err err = {.cause = CAUSE_NONE};
    const struct playbook *one = NULL;

    if (args_has(&app->args, OPT_DOT) && !app->args.words[0]) {
        err_set(&err, CAUSE_INPUT, "--dot draws one playbook: name it");
        return app_fail(app, &err);
    }
    if (cmd_renew_is_meant(app)) {
        say_renew(app, true);
        return EXIT_DONE;
    }
    if (app->args.words[0]) {
        one = request_playbook(app->args.words[0], &err);
        if (!one)
            return app_fail(app, &err);
    }
    if (one && args_has(&app->args, OPT_DOT))
        return draw(app, one);
    for (const struct playbook *const *p = registry_playbooks(); *p; p++) {
        if (one && *p != one)
            continue;
        if (app->out.json)
            out_json(&app->out, playbook_json(*p));
        else if (one)
            say_playbook(app, *p);
        else
            out_say(&app->out, "%-20s %s\n", (*p)->id, (*p)->title);
    }
    if (!one)
        say_renew(app, false);
    return EXIT_DONE;
}
