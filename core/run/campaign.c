/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs begun at the pace of pace.c, and let go when they have ended.
 */
#include "core/run/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"

enum {
    STAGING_S = 60 /* estimate: keys, backups and files, before a live step */
};

/* One cluster's place on the loop. */
struct lane {
    struct campaign *campaign;
    size_t index;
    size_t task;
    struct run *run;      /* NULL: none is under way, or it is being let go */
    bool watching;        /* a look at a canary that has settled */
    enum pace_answer no;  /* what we said to its plan; GO: nothing */
    enum outcome outcome; /* of the run that is being let go */
    bool next;            /* its end is to be acted upon */
};

struct campaign {
    struct campaign_options options;
    struct lane *lanes;
    size_t open_runs; /* with those being let go */
    bool settling, watching, ended;
    uv_timer_t timer; /* the next look at the pace, and the settling */
    void (*closed)(void *user);
    void *closed_user;
};

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static void review(struct campaign *campaign);

static void on_timer(uv_timer_t *timer)
{
    struct campaign *campaign = timer->data;

    campaign->settling = false;
    review(campaign);
}

/* Later, so that nothing is freed below its own feet. */
static void review_later(struct campaign *campaign)
{
    if (!campaign->settling)
        uv_timer_start(&campaign->timer, on_timer, 0, 0);
}

static struct pace_item *item_of(const struct lane *lane)
{
    return &lane->campaign->options.pace->items[lane->index];
}

static struct campaign_cluster *cluster_of(const struct lane *lane)
{
    return &lane->campaign->options.clusters[lane->index];
}

/* -- one run -------------------------------------------------------------- */

static bool is_one_way(const struct plan *plan)
{
    const struct playbook *playbook = plan->playbook;

    for (size_t i = 0; i < playbook->n_steps; i++)
        if (playbook->steps[i].flags & STEP_ONE_WAY)
            return true;
    return !plan->clusters[0].way_back;
}

/* Nobody has measured it: there and back, as the playbook estimates. */
static bool is_short(const struct pace_item *item,
                     const struct plan_cluster *pc)
{
    uint64_t longest = pc->outage_estimate_ms > pc->degraded_estimate_ms
                           ? pc->outage_estimate_ms
                           : pc->degraded_estimate_ms;

    return item->need_s == 0 &&
           !pace_fits(STAGING_S + (int64_t)longest * 2 / 1000, item->closes,
                      now_s());
}

static void on_plan(void *user, struct run *run, const struct plan *plan)
{
    struct lane *lane = user;

    if (!lane->watching) {
        if (lane->campaign->options.unattended && is_one_way(plan))
            lane->no = PACE_ONE_WAY;
        else if (is_short(item_of(lane), &plan->clusters[0]))
            lane->no = PACE_SHORT;
    }
    if (lane->no != PACE_GO)
        run_stop(run);
    else
        run_go(run);
}

static void on_closed(void *user)
{
    struct lane *lane = user;

    lane->campaign->open_runs--;
    lane->next = true;
    review_later(lane->campaign);
}

static void take_result(struct lane *lane, const struct run_result *result)
{
    struct campaign_task *task = &cluster_of(lane)->tasks[lane->task];

    task->outcome = result->outcome;
    if (result->run)
        snprintf(task->run, sizeof(task->run), "%s", result->run);
    if (result->err)
        snprintf(task->why, sizeof(task->why), "%s", result->err->text);
    else if (result->n_clusters && result->clusters[0].why)
        snprintf(task->why, sizeof(task->why), "%s", result->clusters[0].why);
}

static void on_end(void *user, const struct run_result *result)
{
    struct lane *lane = user;
    struct campaign *campaign = lane->campaign;
    struct run *run = lane->run;

    lane->outcome = result->outcome;
    if (!lane->watching || result->outcome != OUTCOME_DONE)
        take_result(lane, result);
    if (!lane->watching && lane->no == PACE_GO)
        campaign->options.on_task(campaign->options.user, cluster_of(lane),
                                  lane->task, result);
    if (result->at_once)
        return;
    lane->run = NULL;
    run_free(run, on_closed, lane);
}

static void fail_task(struct lane *lane, const struct err *err)
{
    struct campaign_task *task = &cluster_of(lane)->tasks[lane->task];
    const struct run_result result = {
        .outcome = OUTCOME_INPUT, .exit_code = 2, .err = err};

    take_result(lane, &result);
    lane->outcome = task->outcome;
    lane->next = true;
    lane->campaign->options.on_task(lane->campaign->options.user,
                                    cluster_of(lane), lane->task, &result);
    review_later(lane->campaign);
}

static void begin_task(struct lane *lane)
{
    const struct campaign_options *o = &lane->campaign->options;
    struct campaign_cluster *c = cluster_of(lane);
    const struct plan_request request = {
        .inventory = o->inventory,
        .playbook = c->tasks[lane->task].playbook,
        .target = c->cluster->name,
        .clusters = &c->cluster,
        .n_clusters = 1,
        .inputs = c->tasks[lane->task].inputs,
        .accepted = o->accepted,
    };
    const struct run_options options = {
        .loop = o->loop,
        .links = o->links,
        .store = o->store,
        .sinks = o->sinks,
        .mode = lane->watching ? RUN_PLAN : RUN_APPLY,
        .seen = lane->task == 0 ? o->seen : 0,
        .on_failure = -1,
        .secrets = o->secrets,
        .self = o->self,
        .on_plan = on_plan,
        .on_end = on_end,
        .user = lane,
    };
    struct err err = {.cause = CAUSE_NONE};
    struct plan *plan = plan_new(&request, &err);

    if (plan)
        lane->run = run_new(&options, plan, &err);
    if (!lane->run) {
        plan_free(plan);
        fail_task(lane, &err);
        return;
    }
    lane->campaign->open_runs++;
    run_start(lane->run);
}

/* -- one cluster ---------------------------------------------------------- */

static bool is_well(enum outcome outcome)
{
    return outcome == OUTCOME_DONE || outcome == OUTCOME_NOT_DUE;
}

static void begin(struct lane *lane)
{
    const struct campaign_options *o = &lane->campaign->options;

    if (!lane->watching) {
        item_of(lane)->state = PACE_RUNNING;
        o->on_begin(o->user, cluster_of(lane), lane->task);
    }
    begin_task(lane);
}

/* Its run is gone: what follows? */
static void go_on(struct lane *lane)
{
    struct pace_item *item = item_of(lane);
    struct campaign_cluster *c = cluster_of(lane);

    lane->next = false;
    if (lane->no != PACE_GO) {
        item->state = PACE_LEFT;
        c->left = lane->no;
        c->tasks[lane->task].outcome = OUTCOME_NONE; /* we said no, none else */
    } else if (lane->outcome == OUTCOME_LOCKED) {
        item->state = PACE_LEFT; /* somebody else's, and no failure of it */
        c->left = PACE_HELD;
    } else if (!is_well(lane->outcome)) {
        item->state = PACE_FAILED;
    } else if (lane->task + 1 == c->n_tasks) {
        item->state = PACE_DONE;
    } else if (!lane->watching && lane->campaign->options.pace->stopped) {
        item->state = PACE_LEFT;
        c->left = PACE_HALT;
    } else {
        lane->task++;
        begin(lane);
    }
}

/* -- all of them ---------------------------------------------------------- */

static void note_canaries(struct campaign *campaign)
{
    struct pace *pace = campaign->options.pace;

    if (!pace->canaries_ended && pace_has_canary(pace) &&
        pace_canaries_are_through(pace))
        pace->canaries_ended = now_s();
}

/* The canaries have had their time: are they still as they should be?  What
 * the gates of their own playbooks would refuse says no. */
static void watch(struct campaign *campaign)
{
    struct pace *pace = campaign->options.pace;

    campaign->watching = true;
    for (size_t i = 0; i < pace->n && pace->items[i].canary; i++) {
        struct lane *lane = &campaign->lanes[i];

        lane->watching = true;
        lane->task = 0;
        begin_task(lane);
    }
}

static void settle(struct campaign *campaign)
{
    const struct campaign_options *o = &campaign->options;
    int64_t left = o->pace->canaries_ended + o->pace->settle_s - now_s();

    if (campaign->settling || campaign->watching)
        return;
    if (o->pace->settle_s == 0) {
        o->pace->watched = true;
        review_later(campaign);
    } else if (left <= 0) {
        watch(campaign);
    } else {
        campaign->settling = true;
        o->on_settle(o->user, left);
        uv_timer_start(&campaign->timer, on_timer, (uint64_t)left * 1000, 0);
    }
}

static void ask_pace(struct campaign *campaign, size_t i)
{
    struct pace *pace = campaign->options.pace;
    enum pace_answer answer = pace_ask(pace, i, now_s());

    switch (answer) {
    case PACE_GO:
        begin(&campaign->lanes[i]);
        break;
    case PACE_SETTLE:
        settle(campaign);
        break;
    case PACE_CLOSED:
    case PACE_SHORT:
    case PACE_HALT:
    case PACE_HELD:
        pace->items[i].state = PACE_LEFT;
        campaign->options.clusters[i].left = answer;
        break;
    case PACE_NOT_YET:
    case PACE_ONE_WAY:
        break;
    }
}

static void end(struct campaign *campaign)
{
    if (campaign->ended || campaign->open_runs ||
        pace_count(campaign->options.pace, PACE_WAITING) ||
        pace_count(campaign->options.pace, PACE_RUNNING))
        return;
    campaign->ended = true;
    campaign->options.on_end(campaign->options.user);
}

static void review(struct campaign *campaign)
{
    struct pace *pace = campaign->options.pace;

    for (size_t i = 0; i < pace->n; i++)
        if (campaign->lanes[i].next)
            go_on(&campaign->lanes[i]);
    if (campaign->watching && campaign->open_runs == 0)
        pace->watched = true;
    note_canaries(campaign);
    for (size_t i = 0; i < pace->n; i++)
        if (pace->items[i].state == PACE_WAITING)
            ask_pace(campaign, i);
    end(campaign);
}

struct campaign *campaign_new(const struct campaign_options *options)
{
    struct campaign *campaign = calloc(1, sizeof(*campaign));
    size_t n = options->pace->n;

    if (!campaign)
        abort();
    campaign->options = *options;
    campaign->lanes = calloc(n + 1, sizeof(*campaign->lanes));
    if (!campaign->lanes)
        abort();
    for (size_t i = 0; i < n; i++)
        campaign->lanes[i] = (struct lane){.campaign = campaign, .index = i};
    uv_timer_init(options->loop, &campaign->timer);
    campaign->timer.data = campaign;
    return campaign;
}

void campaign_start(struct campaign *campaign)
{
    review_later(campaign);
}

void campaign_interrupt(struct campaign *campaign)
{
    campaign->options.pace->stopped = true;
    for (size_t i = 0; i < campaign->options.pace->n; i++)
        if (campaign->lanes[i].run)
            run_interrupt(campaign->lanes[i].run);
    if (campaign->settling) {
        campaign->settling = false;
        review_later(campaign);
    }
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct campaign *campaign = timer->data;

    if (campaign->closed)
        campaign->closed(campaign->closed_user);
    free(campaign->lanes);
    free(campaign);
}

void campaign_free(struct campaign *campaign, void (*closed)(void *user),
                   void *user)
{
    campaign->closed = closed;
    campaign->closed_user = user;
    uv_close((uv_handle_t *)&campaign->timer, on_timer_closed);
}
