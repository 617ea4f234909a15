/* SPDX-License-Identifier: Apache-2.0
 *
 * `issue': takes the certificates back that a person had signed elsewhere.
 * Each file finds its request by the key; all are checked before one is kept.
 * Sends nothing to any node: `resume' goes on.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/run/run.h"
#include "playbooks/registry.h"

struct taken { /* by wish */
    struct secret *bytes;
    const char *file;
};

struct desk {
    struct app *app;
    struct plan *plan;
    struct issue_job *jobs; /* by cluster; n_wishes 0: nothing is awaited */
    struct taken **taken;   /* by cluster and wish */
};

/* Of a cluster that waits for something. */
static struct taken *taken_for(const struct desk *desk, size_t c, size_t w)
{
    assert(desk->taken[c]);
    return &desk->taken[c][w];
}

/* -- what the run waits for ------------------------------------------------ */

/* Somebody may carry what a node of ours is to sign, too: its console gives out
 * certificates as files. */
static bool awaits(const struct plan_cluster *pc)
{
    const struct issuer *issuer = plan_issuer(pc);

    return pc->tag[0] && !pc->issued && issuer &&
           (issuer->kind == ISSUER_CSR || issuer->kind == ISSUER_LINK) &&
           pc->plan->playbook->wish;
}

static int lay_out(struct desk *desk, struct err *err)
{
    size_t n = desk->plan->n_clusters, waiting = 0;

    desk->jobs = calloc(n + 1, sizeof(*desk->jobs));
    desk->taken = calloc(n + 1, sizeof(*desk->taken));
    if (!desk->jobs || !desk->taken)
        abort();
    for (size_t c = 0; c < n; c++) {
        const struct plan_cluster *pc = &desk->plan->clusters[c];

        if (!awaits(pc))
            continue;
        waiting++;
        desk->jobs[c].plan = pc;
        desk->jobs[c].folder = pc->folder;
        desk->jobs[c].now = clock_wall_ms() / 1000;
        if (desk->plan->playbook->wish(&desk->jobs[c], false, err) < 0)
            return err_context(err, "cluster %s", pc->cluster->name);
        desk->taken[c] =
            calloc(desk->jobs[c].n_wishes + 1, sizeof(**desk->taken));
        if (!desk->taken[c])
            abort();
    }
    if (waiting == 0)
        return err_set(err, CAUSE_INPUT,
                       "the run waits for no certificates: its requests are "
                       "made in step issue, where the issuer's kind is csr or "
                       "adcs");
    return 0;
}

static void clear(struct desk *desk)
{
    for (size_t c = 0; desk->jobs && c < desk->plan->n_clusters; c++) {
        for (size_t w = 0; desk->taken[c] && w < desk->jobs[c].n_wishes; w++)
            secret_free(desk->taken[c][w].bytes);
        free(desk->taken[c]);
        issue_job_release(&desk->jobs[c]);
    }
    free(desk->jobs);
    free(desk->taken);
    plan_free(desk->plan);
}

/* -- files ---------------------------------------------------------------- */

static int keep(struct desk *desk, size_t c, size_t w, const char *file,
                struct secret *bytes, struct err *err)
{
    struct taken *taken = taken_for(desk, c, w);

    if (taken->bytes)
        return err_set(err, CAUSE_INPUT, "%s is for the same request",
                       taken->file);
    if (issue_answer_check(&desk->jobs[c], &desk->jobs[c].wishes[w],
                           bytes->data, bytes->len, err) < 0)
        return -1;
    taken->bytes = secret_share(bytes);
    taken->file = file;
    return 0;
}

static int place(struct desk *desk, const char *file, struct secret *bytes,
                 struct err *err)
{
    for (size_t c = 0; c < desk->plan->n_clusters; c++)
        for (size_t w = 0; w < desk->jobs[c].n_wishes; w++) {
            const struct issue_job *job = &desk->jobs[c];
            const struct pki_wish wish = issue_pki_wish(job, &job->wishes[w]);

            if (pki_answer_find(&wish, bytes->data, bytes->len, NULL) == 0)
                return keep(desk, c, w, file, bytes, err);
        }
    /* which request it was meant for nobody knows; why it is of none shows */
    for (size_t c = 0; c < desk->plan->n_clusters; c++)
        if (desk->jobs[c].n_wishes > 0)
            return issue_answer_check(&desk->jobs[c], &desk->jobs[c].wishes[0],
                                      bytes->data, bytes->len, err);
    return -1;
}

static int take_file(struct desk *desk, const char *file, struct err *err)
{
    struct secret *bytes = file_read(file, ISSUE_ANSWER_BYTES, err);
    int rc;

    if (!bytes) {
        err->cause = CAUSE_INPUT;
        return -1;
    }
    rc = place(desk, file, bytes, err);
    secret_free(bytes);
    return rc < 0 ? err_context(err, "%s", file) : 0;
}

/* -- all of them, or none -------------------------------------------------- */

static void tell_taken(struct desk *desk, size_t c, size_t w)
{
    const struct issue_wish *wish = &desk->jobs[c].wishes[w];
    const struct taken *taken = taken_for(desk, c, w);
    const char *cluster = desk->plan->clusters[c].cluster->name;
    json_t *event;

    if (!desk->app->out.json) {
        out_say(&desk->app->out, "%s%s%s: %s is %s\n", cluster,
                wish->node ? " " : "", wish->node ? wish->node : "", wish->slot,
                taken->file);
        return;
    }
    event = app_event("issued");
    json_object_set_new(event, "cluster", app_text(cluster));
    if (wish->node)
        json_object_set_new(event, "node", app_text(wish->node));
    json_object_set_new(event, "slot", app_text(wish->slot));
    json_object_set_new(event, "file", app_text(taken->file));
    out_json(&desk->app->out, event);
}

static int write_all(struct desk *desk, size_t *missing, struct err *err)
{
    for (size_t c = 0; c < desk->plan->n_clusters; c++)
        for (size_t w = 0; w < desk->jobs[c].n_wishes; w++) {
            const struct issue_wish *wish = &desk->jobs[c].wishes[w];
            const struct secret *bytes = taken_for(desk, c, w)->bytes;

            *missing += !bytes && !wish->answer;
            if (!bytes)
                continue;
            if (file_write(wish->answer_path, bytes->data, bytes->len, 0600,
                           false, err) < 0)
                return -1;
            tell_taken(desk, c, w);
        }
    return 0;
}

static void tell_missing(struct desk *desk)
{
    for (size_t c = 0; c < desk->plan->n_clusters; c++)
        for (size_t w = 0; w < desk->jobs[c].n_wishes; w++) {
            const struct issue_wish *wish = &desk->jobs[c].wishes[w];

            if (!taken_for(desk, c, w)->bytes && !wish->answer)
                out_say(&desk->app->out,
                        "%s%s%s: %s is still to be signed: %s\n",
                        desk->plan->clusters[c].cluster->name,
                        wish->node ? " " : "", wish->node ? wish->node : "",
                        wish->slot, wish->request_path);
        }
}

static int issue(struct desk *desk, struct err *err)
{
    struct app *app = desk->app;
    size_t missing = 0;

    if (lay_out(desk, err) < 0)
        return -1;
    for (const char *const *file = app->args.words + 1; *file; file++)
        if (take_file(desk, *file, err) < 0)
            return -1;
    if (write_all(desk, &missing, err) < 0)
        return -1;
    tell_missing(desk);
    if (missing)
        app_next(app, "certfleet issue %s FILE...", app->final.run);
    else
        app_next(app, "certfleet resume %s", app->final.run);
    return 0;
}

/* -- the run --------------------------------------------------------------- */

static bool take_living(void *user, const struct store_run *run)
{
    *(bool *)user = run->living;
    return false;
}

static int find_run(struct app *app, struct store *store, struct err *err)
{
    char id[STORE_ID_BYTES];
    bool living = false;

    if (store_find(store, app->args.words[0], id, err) < 0) {
        app_next(app, "certfleet runs");
        return -1;
    }
    memcpy(app->final.run, id, sizeof(id));
    if (store_runs(store, id, take_living, &living, err) < 0)
        return -1;
    if (!living)
        return 0;
    app_next(app, "certfleet show -f %s", id);
    return err_set(err, CAUSE_LOCKED, "run %s is at work just now", id);
}

static int issue_for(struct app *app, struct store *store)
{
    static const char *const none[] = {NULL};
    const struct run_load load = {
        .inventory = app->inventory,
        .inputs = none,
        .accepted = none,
        .playbook = registry_playbook,
    };
    struct desk desk = {.app = app};
    struct err err = {.cause = CAUSE_NONE};
    int code = EXIT_DONE;

    if (find_run(app, store, &err) < 0)
        return app_fail(app, &err);
    desk.plan = run_load_plan(store, app->final.run, &load, &err);
    if (!desk.plan)
        return app_fail(app, &err);
    if (issue(&desk, &err) < 0)
        code = app_fail(app, &err);
    clear(&desk);
    return code;
}

int cmd_issue(struct app *app)
{
    return app_with_store(app, issue_for);
}
