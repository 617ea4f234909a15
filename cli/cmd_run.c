/* SPDX-License-Identifier: Apache-2.0
 *
 * `run': what nobody is asked about, once.  Runs that died are gone on with,
 * what is due is renewed, who must know is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/daemon.h"
#include "cli/drive.h"
#include "cli/open_store.h"
#include "cli/run_notices.h"
#include "cli/spares.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "playbooks/registry.h"

/* -- runs that died -------------------------------------------------------- */

struct dead {
    struct renew *renew;
    struct {
        char id[STORE_ID_BYTES];
        char *clusters;
    } list[64]; /* more are met by the next call */
    size_t n;
};

static bool concerns(const struct renew *renew, const char *clusters)
{
    json_t *list = clusters ? json_loads(clusters, 0, NULL) : NULL, *name;
    bool ours = false;
    size_t i;

    json_array_foreach(list, i, name) for (size_t c = 0;
                                           c < renew->target.n_clusters; c++)
    {
        const char *text = json_string_value(name);
        ours = ours ||
               (text && strcmp(text, renew->target.clusters[c]->name) == 0);
    }
    json_decref(list);
    return ours;
}

/* One that ended and holds its clusters wants a person: it is left alone. */
static bool on_run(void *user, const struct store_run *run)
{
    struct dead *dead = user;
    bool cut = !run->outcome || strcmp(run->outcome, "interrupted") == 0;

    if (!run->holds || run->living || !cut ||
        !concerns(dead->renew, run->clusters) ||
        dead->n == sizeof(dead->list) / sizeof(*dead->list))
        return true;
    snprintf(dead->list[dead->n].id, sizeof(dead->list[0].id), "%s", run->id);
    dead->list[dead->n++].clusters =
        arena_strdup(&dead->renew->arena, run->clusters);
    return true;
}

/* Another controller's run that nobody goes on with.  What cannot be read is
 * told by the next pass, and asked again. */
static bool somebody_died(struct app *app)
{
    struct renew renew = {.app = app};
    struct dead dead = {.renew = &renew};
    struct err err = {.cause = CAUSE_NONE};
    struct store *store = NULL;

    arena_init(&renew.arena);
    if (renew_read_words(&renew, app->args.words, &err) == 0)
        store = open_store_reader(app->inventory, &err);
    if (!store || store_runs(store, NULL, on_run, &dead, &err) < 0)
        log_info("%s", err.text);
    store_close(store);
    arena_release(&renew.arena);
    return dead.n > 0;
}

static void resume_one(struct renew *renew, struct session *session,
                       const char *id)
{
    static const char *const none[] = {NULL};
    const struct drive_options options = {.mode = RUN_RESUME, .id = id};
    struct err err = {.cause = CAUSE_NONE};
    struct plan *plan = run_load_plan(session->store, id,
                                      &(struct run_load){
                                          .inventory = renew->app->inventory,
                                          .inputs = none,
                                          .accepted = none,
                                          .playbook = registry_playbook,
                                      },
                                      &err);

    out_say(&renew->app->out, "run %s did not end: resumed\n", id);
    if (plan)
        drive_run(session, plan, &options);
    else
        app_fail(renew->app, &err);
}

/* What one came to is told; the last line is about all of them. */
static void forget(struct app *app)
{
    json_decref(app->final.clusters);
    memset(&app->final, 0, sizeof(app->final));
}

/* Another controller was the first to take it: he tells what it came to. */
static bool is_of_another(const struct app *app)
{
    const char *outcome = app->final.outcome;

    return outcome && strcmp(outcome, outcome_word(OUTCOME_LOCKED)) == 0;
}

/* What became of one says nothing about the others: whose cluster is still
 * held is found by renew_look, and counted. */
static int resume_dead(struct renew *renew, struct session *session,
                       struct run_notices *notices)
{
    struct dead dead = {.renew = renew};
    struct err err = {.cause = CAUSE_NONE};

    if (store_runs(session->store, NULL, on_run, &dead, &err) < 0)
        return app_fail(renew->app, &err);
    for (size_t i = 0; i < dead.n && session->n_signals == 0; i++) {
        resume_one(renew, session, dead.list[i].id);
        if (!is_of_another(renew->app))
            run_notices_resumed(notices, dead.list[i].id, dead.list[i].clusters,
                                renew->app->final.outcome
                                    ? renew->app->final.outcome
                                    : "error");
        forget(renew->app);
    }
    return session->n_signals ? EXIT_INTERRUPTED : EXIT_DONE;
}

/* -- once ------------------------------------------------------------------ */

static int all_of_it(struct renew *renew, struct session *session,
                     struct run_notices *notices)
{
    int code = resume_dead(renew, session, notices);

    if (code == EXIT_DONE)
        code = renew_look(renew, session);
    if (code != EXIT_DONE)
        return code;
    renew_show(renew);
    code = renew_do(renew, session);
    renew_read_again(renew, session);
    return code;
}

static void listen_to(struct renew *renew, struct run_notices *notices)
{
    renew->unattended = true;
    renew->on_cert = run_notices_cert;
    renew->on_begin = run_notices_begin;
    renew->on_task = run_notices_task;
    renew->user = notices;
}

static int run_once(struct renew *renew)
{
    struct run_notices notices;
    struct session session;
    int code = session_open(&session, renew->app, true);

    if (code != EXIT_DONE)
        return code;
    run_notices_open(&notices, &session);
    listen_to(renew, &notices);
    code = all_of_it(renew, &session, &notices);
    spares_fill(renew, &session);
    run_notices_deliver(&notices);
    run_notices_close(&notices);
    session_close(&session);
    return code;
}

int cmd_run(struct app *app)
{
    struct renew renew = {.app = app, .now = clock_wall_ms() / 1000};
    struct err err = {.cause = CAUSE_NONE};
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    arena_init(&renew.arena);
    app->args.count[OPT_YES]++; /* nobody is there to be asked */
    if (renew_read_words(&renew, app->args.words, &err) < 0)
        code = app_fail(app, &err);
    else if (args_has(&app->args, OPT_DAEMON))
        code = daemon_run(app, somebody_died);
    else if (args_has(&app->args, OPT_METRICS_LISTEN))
        code = app_failf(app, CAUSE_INPUT,
                         "--metrics-listen is of --daemon alone");
    else
        code = run_once(&renew);
    arena_release(&renew.arena);
    return code;
}
