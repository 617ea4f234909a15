/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a run from a plan, with its links and secrets, and letting it go.
 */
#include <stdlib.h>

#include "core/base/file.h"
#include "core/run/approval.h"
#include "core/run/reach.h"
#include "core/run/run_priv.h"
#include "core/run/set_read.h"
#include "core/run/signer.h"

static int read_ca_password(struct run *run, struct course *course,
                            struct err *err)
{
    const struct issuer *issuer = plan_issuer(course->pc);

    if (!issuer || !issuer->ca_key_password || course->pc->issued ||
        course->mode == RUN_ROLLBACK)
        return 0;
    course->ca_password =
        secret_ref_read(run->options.secrets, issuer->ca_key_password,
                        run->plan->inventory->folder, issuer->name, err);
    if (!course->ca_password)
        return err_context(err, "issuer %s", issuer->name);
    return 0;
}

/* A run is known wherever its store is, its keys only where they were made. */
static int check_folder(const struct plan_cluster *pc, struct err *err)
{
    if (!pc->issued || file_exists(pc->folder))
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "cluster %s: the run's keys and certificates are not here "
                   "(%s): go on with it where they are, or give all "
                   "controllers one state_dir",
                   pc->cluster->name, pc->folder);
}

/* A way back needs no key of ours.  Keys that were made already must open:
 * known before the first packet. */
static int read_key_passphrase(struct run *run, struct course *course,
                               struct err *err)
{
    const struct cluster *cluster = course->pc->cluster;

    if (course->mode == RUN_ROLLBACK)
        return 0;
    if (check_folder(course->pc, err) < 0)
        return -1;
    if (cluster->key_passphrase) {
        course->key_passphrase = secret_ref_read(
            run->options.secrets, cluster->key_passphrase,
            run->plan->inventory->folder, "key_passphrase", err);
        if (!course->key_passphrase)
            return err_context(err, "cluster %s", cluster->name);
    }
    if (course->pc->issued &&
        set_keys_check(course->pc, course->key_passphrase, err) < 0)
        return err_context(err, "cluster %s", cluster->name);
    return 0;
}

/* Its secrets are asked for only where they are needed. */
static bool asks_api(const struct playbook *pb)
{
    for (const struct read_row *r = pb->product->reads; r->bit; r++)
        for (size_t i = 0; r->kind == READ_API && i < pb->n_steps; i++)
            if (pb->steps[i].reads & r->bit)
                return true;
    return false;
}

static bool on_send(void *user)
{
    const struct run *run = user;
    struct err err = {.cause = CAUSE_NONE};

    return journal_may_act(&run->journal, &err) == 0;
}

/* Of a node that is no node of the plan. */
static int open_signer(struct run *run, struct course *course, struct err *err)
{
    const struct issuer *issuer = plan_issuer(course->pc);
    struct link_target *target = &run->targets[run->n_links];
    const struct cluster *home;

    if (!issuer || issuer->kind != ISSUER_LINK || course->pc->issued ||
        course->mode == RUN_PLAN || course->mode == RUN_ROLLBACK)
        return 0;
    home = issuer->node->cluster;
    if (reach_target(run->plan->inventory, issuer->node,
                     home->words->signer->product->dialect,
                     run->options.secrets, target, err) < 0)
        return err_context(err, "issuer %s", issuer->name);
    target->may_send = on_send;
    target->may_send_user = run;
    course->signer =
        run->options.links.ops->open(run->options.links.port, target);
    run->links[run->n_links++] = course->signer;
    return 0;
}

static int open_links(struct run *run, struct course *course, struct err *err)
{
    const struct product *product = run->plan->playbook->product;

    course->links = &run->links[run->n_links];
    for (size_t i = 0; i < course->pc->n_nodes; i++) {
        struct link_target *target = &run->targets[run->n_links];

        if (reach_target(run->plan->inventory, course->pc->nodes[i].node,
                         product->dialect, run->options.secrets, target,
                         err) < 0 ||
            (asks_api(run->plan->playbook) &&
             reach_api(run->plan->inventory, course->pc->nodes[i].node,
                       run->options.secrets, target, err) < 0))
            return -1;
        target->may_send = on_send;
        target->may_send_user = run;
        run->links[run->n_links++] =
            run->options.links.ops->open(run->options.links.port, target);
    }
    if (open_signer(run, course, err) < 0 ||
        read_ca_password(run, course, err) < 0)
        return -1;
    return read_key_passphrase(run, course, err);
}

static void on_pause(struct course *course)
{
    run_review(course->run);
}

static int make_course(struct run *run, size_t i, struct err *err)
{
    struct course *course = &run->courses[i];
    const struct run_options *o = &run->options;

    course->run = run;
    course->pc = &run->plan->clusters[i];
    course->journal = &run->journal;
    course->loop = o->loop;
    course->ops = o->links.ops;
    course->mode = o->mode;
    course->until = o->until;
    course->on_pause = on_pause;
    course->on_failure = o->on_failure >= 0 ? (enum on_failure)o->on_failure
                                            : course->pc->cluster->on_failure;
    course_init(course);
    return open_links(run, course, err);
}

/* With room for each cluster's issuer. */
static size_t count_links(const struct plan *plan)
{
    size_t n = plan->n_clusters;

    for (size_t c = 0; c < plan->n_clusters; c++)
        n += plan->clusters[c].n_nodes;
    return n;
}

/* What was approved is one plan: nothing but it may be applied. */
static int check_approvals(const struct run_options *options,
                           const struct plan *plan, struct err *err)
{
    if (options->mode != RUN_APPLY)
        return 0;
    return approval_gate(plan, options->plan_hash ? options->approved : NULL,
                         err);
}

struct run *run_new(const struct run_options *options, struct plan *plan,
                    struct err *err)
{
    size_t links = count_links(plan);
    struct run *run;

    if (check_approvals(options, plan, err) < 0)
        return NULL;
    run = calloc(1, sizeof(*run));
    if (!run)
        abort();
    run->options = *options;
    run->plan = plan;
    run->journal.loop = options->loop;
    run->journal.store = options->mode == RUN_PLAN ? NULL : options->store;
    run->journal.sinks = options->sinks;
    run->courses = calloc(plan->n_clusters + 1, sizeof(*run->courses));
    run->targets = calloc(links + 1, sizeof(*run->targets));
    run->links = calloc(links + 1, sizeof(struct link *));
    if (!run->courses || !run->targets || !run->links)
        abort();
    uv_timer_init(options->loop, &run->timer);
    run->timer.data = run;
    uv_prepare_init(options->loop, &run->turn);
    run->turn.data = run;
    for (size_t i = 0; i < plan->n_clusters; i++)
        if (make_course(run, i, err) < 0) {
            /* the caller keeps the plan; handles close on the loop */
            run->plan = NULL;
            run_free(run, NULL, NULL);
            return NULL;
        }
    return run;
}

static void free_run(struct run *run)
{
    for (size_t i = 0; i < run->n_links; i++)
        reach_release(&run->targets[i]);
    plan_free(run->plan);
    free(run->courses);
    free(run->targets);
    free(run->links);
    if (run->closed)
        run->closed(run->closed_user);
    free(run);
}

static void one_closed(struct run *run)
{
    if (--run->open_handles == 0)
        free_run(run);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct run *run = handle->data;

    one_closed(run);
}

static void on_course_closed(uv_handle_t *handle)
{
    struct course *course = handle->data;

    one_closed(course->run);
}

static void on_link_closed(void *user)
{
    one_closed(user);
}

void run_free(struct run *run, void (*closed)(void *user), void *user)
{
    run->closed = closed;
    run->closed_user = user;
    run->open_handles = 2 + run->n_links;
    uv_close((uv_handle_t *)&run->timer, on_handle_closed);
    uv_close((uv_handle_t *)&run->turn, on_handle_closed);
    for (size_t i = 0; run->courses[i].run; i++) {
        course_release(&run->courses[i]);
        secret_free(run->courses[i].ca_password);
        secret_free(run->courses[i].key_passphrase);
        run->open_handles++;
        uv_close((uv_handle_t *)&run->courses[i].timer, on_course_closed);
    }
    for (size_t i = 0; i < run->n_links; i++)
        run->options.links.ops->close(run->links[i], on_link_closed, run);
}
