/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/forecast_priv.h - what a forecast knows, for forecast*.c only.
 */
#ifndef CERTFLEET_CLI_FORECAST_PRIV_H
#define CERTFLEET_CLI_FORECAST_PRIV_H

#include "cli/fleet_facts.h"
#include "cli/forecast.h"

struct cast_cluster {
    const struct cluster *cluster;
    const char *unread;      /* why nothing is known of it; NULL: it is */
    const char *unreachable; /* a node of it that did not answer; or NULL */
    int64_t read_at;         /* of the node that was read first; 0: never */
    size_t n_read;           /* nodes */
    /* what a pass that was played has renewed */
    const struct playbook *renewed[CAMPAIGN_TASKS_MAX];
    size_t n_renewed;
    bool told;
};

struct cast {
    struct renew *renew;
    struct forecast *forecast;
    size_t room; /* for rows */
    struct fleet_facts facts;
    struct cast_cluster *clusters; /* the target's, in its order */
    size_t *place;                 /* by cluster->index: in that list, and 1 */
    struct store_run *runs;        /* newest first: those that hold, and of each
                                      cluster and playbook the last that went well */
    size_t n_runs, runs_room;
};

/* Reads what is known.  Close it in both cases. */
int cast_open(struct cast *cast, struct err *err);
void cast_close(struct cast *cast);

/* NULL: it is not in the target. */
struct cast_cluster *cast_cluster_of(const struct cast *cast,
                                     const struct cluster *cluster);
struct cast_cluster *cast_cluster_named(const struct cast *cast,
                                        const char *name);
/* Puts the certificates that are not renewed yet, and the runs, into the list
 * of a pass (between renew_list and renew_decide). */
void cast_fill(const struct cast *cast, struct renew *pass);
/* There and back, as long as it took elsewhere; 0: nobody knows. */
int64_t cast_need_of_others(const struct cast *cast,
                            const struct renew_cluster *c);

#endif
