/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/campaign.h - a fleet being renewed: many runs, one a cluster and
 * playbook, at the pace of pace.h.
 *
 * Each is a run like any other, with its own id, lock, journal and way back;
 * the campaign itself keeps no record, since what is due is read from the nodes
 * the next time.  Asynchronous; on_end is called once, not inside a call of
 * ours.
 */
#ifndef CERTFLEET_RUN_CAMPAIGN_H
#define CERTFLEET_RUN_CAMPAIGN_H

#include "core/run/pace.h"
#include "core/run/run.h"

enum {
    CAMPAIGN_TASKS_MAX = 8
};

struct campaign_task { /* one run */
    const struct playbook *playbook;
    const char *const *inputs; /* "service=callbridge", NULL-ended */
    /* what it came to; outcome NONE: it was not begun */
    enum outcome outcome;
    char run[STORE_ID_BYTES];
    char why[1024];
};

struct campaign_cluster {
    struct cluster *cluster;
    struct campaign_task tasks[CAMPAIGN_TASKS_MAX]; /* one after the other */
    size_t n_tasks;
    enum pace_answer left; /* of PACE_LEFT: why */
};

struct campaign;
struct campaign_options {
    uv_loop_t *loop;
    struct link_provider links;
    struct store *store;
    struct secret_cache *secrets;
    const struct inventory *inventory;
    struct event_sink *sinks;    /* of every run */
    const char *const *accepted; /* --accept, NULL-ended */
    const char *self;
    bool unattended; /* what cannot be taken back is left to a person */
    int64_t seen;    /* store_head() when what is due was looked at */
    /* clusters[i] is pace->items[i]; both are the caller's, until on_end */
    struct campaign_cluster *clusters;
    struct pace *pace;
    /* A task begins, ended (its outcome is there), or is looked at again. */
    void (*on_begin)(void *user, struct campaign_cluster *, size_t task);
    void (*on_task)(void *user, struct campaign_cluster *, size_t task,
                    const struct run_result *result);
    void (*on_settle)(void *user, int64_t seconds);
    void (*on_end)(void *user);
    void *user;
};

struct campaign *campaign_new(const struct campaign_options *options);
void campaign_start(struct campaign *campaign);
/* Once: nothing begins any more, what runs stops where it is safe.  Twice: at
 * once, as run_interrupt: the process ends now, and campaign_free must not be
 * called; on_task's result says so. */
void campaign_interrupt(struct campaign *campaign);
/* After on_end. */
void campaign_free(struct campaign *campaign, void (*closed)(void *user),
                   void *user);

#endif
