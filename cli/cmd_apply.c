/* SPDX-License-Identifier: Apache-2.0
 *
 * `apply', `resume' and `rollback': one way, three modes.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/approvals.h"
#include "cli/cmd_renew.h"
#include "cli/drive.h"
#include "cli/request.h"
#include "playbooks/registry.h"

/* -- apply
 * --------------------------------------------------------------------- */

static int make_request(struct app *app, struct request *request,
                        struct err *err)
{
    const char *path = app->args.value[OPT_PLAN];

    if (!path)
        return request_from_words(request, app, err);
    memset(request, 0, sizeof(*request));
    if (app->args.n_words || app->args.n_accepted)
        return err_set(err, CAUSE_INPUT,
                       "a plan file has playbook, target, inputs and what "
                       "was accepted in it: give --plan alone");
    return request_from_file(request, app, path, err);
}

static int apply(struct app *app, struct request *request, json_t *approved)
{
    struct drive_options options = {
        .mode = RUN_APPLY,
        .plan_hash = *request->hash ? request->hash : NULL,
        .approved = approved,
    };
    struct err err = {.cause = CAUSE_NONE};
    struct session session;
    struct plan *plan;
    int code;

    if (request_check_step(request->plan.playbook, app->args.value[OPT_UNTIL],
                           &err) < 0)
        return app_fail(app, &err);
    plan = plan_new(&request->plan, &err);
    if (!plan)
        return app_fail(app, &err);
    code = drive_may_ask(app);
    if (code == EXIT_DONE)
        code = session_open(&session, app, true);
    if (code != EXIT_DONE) {
        plan_free(plan);
        return code;
    }
    code = drive_run(&session, plan, &options);
    session_close(&session);
    return code;
}

int cmd_apply(struct app *app)
{
    struct request request;
    struct err err = {.cause = CAUSE_NONE};
    json_t *approved = NULL;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    if (cmd_renew_is_meant(app))
        return cmd_renew(app, false);
    if (make_request(app, &request, &err) < 0)
        code = app_fail(app, &err);
    else
        code = approvals_for_apply(app, &request, &approved);
    if (code == EXIT_DONE)
        code = apply(app, &request, approved);
    json_decref(approved);
    request_release(&request);
    return code;
}

/* -- resume, rollback
 * ----------------------------------------------------------- */

static struct plan *load_plan(struct app *app, struct session *session,
                              const struct drive_options *options,
                              struct err *err)
{
    const char **plain, **inputs;
    struct plan *plan = NULL;

    args_split_inputs(app->args.words, &plain, &inputs);
    if (plain[0] && plain[1])
        err_set(err, CAUSE_INPUT,
                "`%s' is too much: only KEY=VALUE follows the run", plain[1]);
    else
        plan = run_load_plan(session->store, options->id,
                             &(struct run_load){
                                 .inventory = app->inventory,
                                 .inputs = inputs,
                                 .accepted = app->args.accepted,
                                 .back = options->mode == RUN_ROLLBACK,
                                 .playbook = registry_playbook,
                             },
                             err);
    if (plan && request_check_step(plan->playbook, app->args.value[OPT_UNTIL],
                                   err) < 0) {
        plan_free(plan);
        plan = NULL;
    }
    free(plain);
    free(inputs);
    return plan;
}

static bool is_prune(void *user, const struct store_run *run)
{
    *(bool *)user = strcmp(run->playbook, "prune") == 0;
    return false;
}

static int go_on(struct app *app, struct session *session,
                 struct drive_options *options)
{
    char id[STORE_ID_BYTES];
    struct err err = {.cause = CAUSE_NONE};
    struct plan *plan;
    bool pruned = false;
    int code;

    if (store_find(session->store, app->args.words[0], id, &err) < 0) {
        app_next(app, "certfleet runs");
        return app_fail(app, &err);
    }
    memcpy(app->final.run, id, sizeof(id));
    store_runs(session->store, id, is_prune, &pruned, NULL);
    if (pruned)
        return app_failf(app, CAUSE_INPUT,
                         "run %s only deleted files that nothing used: there "
                         "is nothing to go on with or to take back",
                         id);
    options->id = app->final.run;
    plan = load_plan(app, session, options, &err);
    if (!plan)
        return app_fail(app, &err);
    code = drive_may_ask(app);
    if (code != EXIT_DONE) {
        plan_free(plan);
        return code;
    }
    return drive_run(session, plan, options);
}

static int go_on_as(struct app *app, enum run_mode mode)
{
    struct drive_options options = {.mode = mode};
    struct session session;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    code = session_open(&session, app, true);
    if (code != EXIT_DONE)
        return code;
    code = go_on(app, &session, &options);
    session_close(&session);
    return code;
}

int cmd_resume(struct app *app)
{
    return go_on_as(app, RUN_RESUME);
}

int cmd_rollback(struct app *app)
{
    return go_on_as(app, RUN_ROLLBACK);
}
