/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking a cluster from a run whose process is gone.  Blocking, in the thread
 * of the caller, as a transaction of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/store_priv.h"

static int check_holder(struct turn *turn, const char *cluster, const char *run,
                        struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, turn->db, "SELECT run FROM locks WHERE cluster = ?");
    query_text(&q, cluster);
    rc = query_step(&q, err);
    if (rc == 0)
        rc = err_set(err, CAUSE_INPUT, "no run holds cluster %s", cluster);
    else if (rc > 0 && strcmp(query_column(&q, 0), run) != 0)
        rc =
            err_set(err, CAUSE_INPUT, "cluster %s is held by run %s, not by %s",
                    cluster, query_column(&q, 0), run);
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

static int put_unlock(struct turn *turn, const char *cluster, const char *run,
                      struct err *err)
{
    char *data = data_unlock(turn->store, cluster);
    struct store_record record = {
        .run = run, .cluster = cluster, .kind = "run", .data = data};
    int rc = turn_put(turn, &record, clock_wall_ms(), err);

    free(data);
    return rc;
}

/* The new number shuts out a process that is thought dead and is not (a state
 * folder on a network).  A run that was cut off and holds nothing any more is
 * ended: nobody is asked to resume it. */
static int take_away(struct turn *turn, const char *cluster, const char *run,
                     struct err *err)
{
    struct query q;

    query_init(&q, turn->db, "DELETE FROM locks WHERE cluster = ?");
    query_text(&q, cluster);
    if (query_run(&q, err) < 0)
        return -1;
    query_init(&q, turn->db, "UPDATE runs SET fence = ? WHERE id = ?");
    query_int(&q, turn->seq);
    query_text(&q, run);
    if (query_run(&q, err) < 0)
        return -1;
    query_init(&q, turn->db,
               "UPDATE runs SET outcome = 'incomplete', exit_code = 4,"
               " ended_ms = ? WHERE id = ? AND outcome IS NULL AND NOT EXISTS"
               " (SELECT 1 FROM locks WHERE locks.run = runs.id)");
    query_int(&q, clock_wall_ms());
    query_text(&q, run);
    return query_run(&q, err);
}

static int unlock_turn(struct turn *turn, const char *cluster,
                       struct hold *hold, struct err *err)
{
    const struct life_ops *life = turn->store->backend->life;
    const char *run = hold->run;
    int rc;

    if (moved_check(turn, err) < 0 || check_holder(turn, cluster, run, err) < 0)
        return -1;
    /* Held until the commit: a resume at the same time finds it taken */
    rc = life->take(turn, hold, err);
    if (rc == 0)
        return owner_set_living(turn, run, err);
    if (rc < 0 || put_unlock(turn, cluster, run, err) < 0 ||
        take_away(turn, cluster, run, err) < 0 ||
        life->quit(turn, hold, err) < 0)
        return -1;
    return turn_commit(turn, err);
}

int store_unlock(struct store *store, const char *cluster, const char *run,
                 struct err *err)
{
    struct hold hold = {.run = run, .fd = -1};
    struct turn turn;
    int rc;

    uv_mutex_lock(&store->writing);
    rc = turn_begin(&turn, store, err);
    if (rc == 0) {
        rc = unlock_turn(&turn, cluster, &hold, err);
        if (rc < 0)
            turn_undo(&turn);
        store->backend->life->drop(store, &hold);
    }
    uv_mutex_unlock(&store->writing);
    return rc;
}
