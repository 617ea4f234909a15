/* SPDX-License-Identifier: Apache-2.0
 *
 * What each kind of write does inside the transaction of its batch: append,
 * begin, takeover, end.
 *
 * The fencing number of a run is the journal's seq of the record that gave it:
 * it only grows, and is durable with what it guards.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/store/store_priv.h"

/* Is the number in the table the one that this process was given? */
static int compare_fence(struct turn *turn, const struct hold *hold,
                         struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, turn->db, "SELECT fence FROM runs WHERE id = ?");
    query_text(&q, hold->run);
    rc = query_step(&q, err);
    if (rc > 0 && query_number(&q, 0) != hold->fence)
        rc = 0;
    query_release(&q);
    if (rc == 0)
        return err_set(err, CAUSE_LOCKED,
                       "run %s was taken away from this process (by "
                       "`certfleet unlock`, or by a resume or rollback "
                       "elsewhere): nothing more is written or sent for it; "
                       "`certfleet show %s` tells by whom",
                       hold->run, hold->run);
    return rc < 0 ? -1 : 0;
}

static struct hold *check_fence(struct turn *turn, const char *run,
                                struct err *err)
{
    struct hold *hold = hold_find(turn->store, run);

    if (!hold || !hold->fence) {
        err_set(err, CAUSE_LOCKED, "run %s is not held by this process", run);
        return NULL;
    }
    if (hold->turn != turn->number && compare_fence(turn, hold, err) < 0)
        return NULL;
    if (hold->turn != turn->number &&
        turn->store->backend->life->confirm(turn, hold, err) < 0)
        return NULL;
    hold->turn = turn->number; /* the transaction keeps it true */
    return hold;
}

static int put_event(struct turn *turn, const struct op *op, char *data,
                     struct err *err)
{
    struct store_record record = {
        .run = op->record.run, .kind = "run", .data = data};
    int rc = turn_put(turn, &record, op->t_ms, err);

    free(data);
    return rc;
}

/* -- append --------------------------------------------------------------- */

static int write_append(struct turn *turn, const struct op *op, struct err *err)
{
    struct hold *hold = hold_find(turn->store, op->record.run);

    /* What was lost once would be a gap that nobody sees */
    if (hold && hold->failure.cause != CAUSE_NONE) {
        *err = hold->failure;
        return -1;
    }
    if (!check_fence(turn, op->record.run, err))
        return -1;
    return turn_put(turn, &op->record, op->t_ms, err);
}

/* -- begin, takeover ------------------------------------------------------ */

static int is_known(struct turn *turn, const char *run, struct err *err)
{
    struct query q;

    query_init(&q, turn->db, "SELECT 1 FROM runs WHERE id = ?");
    query_text(&q, run);
    return query_found(&q, err);
}

static int take_hold(struct turn *turn, const char *run, struct err *err)
{
    struct hold *hold = hold_make(turn->store, run);
    int rc = turn->store->backend->life->take(turn, hold, err);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return owner_set_living(turn, run, err);
    hold->fresh = true;
    err_reset(&hold->failure);
    return 0;
}

static void set_fence(struct turn *turn, const char *run)
{
    struct hold *hold = hold_find(turn->store, run);

    hold->fence = turn->seq;
    hold->turn = turn->number;
}

/* In a file name and behind `certfleet resume`: nothing but plain letters. */
static int check_id(const char *id, struct err *err)
{
    size_t plain = strspn(id, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    if (plain > 0 && plain < STORE_ID_BYTES && !id[plain])
        return 0;
    return err_set(err, CAUSE_INPUT, "\"%s\" cannot be the id of a run", id);
}

static int put_run(struct turn *turn, const struct op *op, struct err *err)
{
    const struct store_run *run = &op->run;
    char *names = data_names(op->clusters, op->n_clusters);
    struct query q;
    int rc;

    query_init(&q, turn->db,
               "INSERT INTO runs (id, playbook, target, inputs, user_name,"
               " host, clusters, started_ms, began, fence, changed)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_text(&q, run->id);
    query_text(&q, run->playbook ? run->playbook : "");
    query_text(&q, run->target ? run->target : "");
    query_text(&q, run->inputs);
    query_text(&q, run->user ? run->user : turn->store->user);
    query_text(&q, run->host ? run->host : turn->store->host);
    query_text(&q, names);
    query_int(&q, run->started_ms ? run->started_ms : op->t_ms);
    for (int i = 0; i < 3; i++)
        query_int(&q, turn->seq);
    rc = query_run(&q, err);
    free(names);
    return rc;
}

static int put_clusters(struct turn *turn, const struct op *op, struct err *err)
{
    for (size_t i = 0; i < op->n_clusters; i++) {
        struct query q;
        query_init(&q, turn->db,
                   "INSERT INTO run_clusters (run, cluster) VALUES (?, ?)");
        query_text(&q, op->run.id);
        query_text(&q, op->clusters[i]);
        if (query_run(&q, err) < 0)
            return -1;
    }
    return 0;
}

/* Locks every cluster of the run, in place of what it may still hold. */
static int put_locks(struct turn *turn, const struct op *op, const char *user,
                     const char *host, struct err *err)
{
    struct query q;

    query_init(&q, turn->db, "DELETE FROM locks WHERE run = ?");
    query_text(&q, op->record.run);
    if (query_run(&q, err) < 0)
        return -1;
    query_init(&q, turn->db,
               "INSERT INTO locks (cluster, run, fence, pid, host, user_name,"
               " started_ms) SELECT cluster, run, ?, ?, ?, ?, ?"
               " FROM run_clusters WHERE run = ?");
    query_int(&q, turn->seq);
    query_int(&q, getpid());
    query_text(&q, host);
    query_text(&q, user);
    query_int(&q, op->t_ms);
    query_text(&q, op->record.run);
    return query_run(&q, err);
}

static int check_clusters(struct turn *turn, const struct op *op,
                          struct err *err)
{
    for (size_t i = 0; i < op->n_clusters; i++)
        if (owner_check_free(turn, op->clusters[i], op->run.id, err) < 0)
            return -1;
    return 0;
}

/* Two controllers that have both seen a cluster to be due would both change it,
 * one after the other. */
static int check_unchanged(struct turn *turn, const struct op *op,
                           const char *cluster, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, turn->db,
               "SELECT r.id FROM runs r JOIN run_clusters c ON c.run = r.id"
               " WHERE c.cluster = ? AND r.outcome IS NOT NULL"
               " AND r.outcome NOT IN ('ok', 'refused', 'staged', 'waiting',"
               " 'rolled-back') AND EXISTS (SELECT 1 FROM journal j"
               " WHERE j.run = r.id AND j.seq > ?) LIMIT 1");
    query_text(&q, cluster);
    query_int(&q, op->run.seen);
    rc = query_step(&q, err);
    if (rc > 0)
        rc = err_set(err, CAUSE_LOCKED,
                     "run %s has changed cluster %s since it was looked at",
                     query_column(&q, 0), cluster);
    query_release(&q);
    return rc;
}

static int check_seen(struct turn *turn, const struct op *op, struct err *err)
{
    for (size_t i = 0; op->run.seen && i < op->n_clusters; i++)
        if (check_unchanged(turn, op, op->clusters[i], err) < 0)
            return -1;
    return 0;
}

static int write_begin(struct turn *turn, const struct op *op, struct err *err)
{
    const struct store *store = turn->store;
    const char *run = op->run.id;
    int known;

    if (check_id(run, err) < 0 || moved_check(turn, err) < 0 ||
        (known = is_known(turn, run, err)) < 0)
        return -1;
    if (known)
        return err_set(err, CAUSE_INPUT, "there is a run %s already", run);
    if (check_clusters(turn, op, err) < 0 || check_seen(turn, op, err) < 0 ||
        take_hold(turn, run, err) < 0 ||
        put_event(turn, op, data_begin(store, op), err) < 0)
        return -1;
    set_fence(turn, run);
    if (put_run(turn, op, err) < 0 || put_clusters(turn, op, err) < 0)
        return -1;
    return put_locks(turn, op, op->run.user ? op->run.user : store->user,
                     op->run.host ? op->run.host : store->host, err);
}

static int check_all_free(struct turn *turn, const char *run, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, turn->db,
               "SELECT cluster FROM run_clusters WHERE run = ?"
               " ORDER BY cluster");
    query_text(&q, run);
    while ((rc = query_step(&q, err)) > 0) {
        if (owner_check_free(turn, query_column(&q, 0), run, err) < 0) {
            rc = -1;
            break;
        }
    }
    query_release(&q);
    return rc;
}

/* It is unfinished again; what it was is kept for end_refused(). */
static int reopen_run(struct turn *turn, const char *run, struct err *err)
{
    struct query q;

    query_init(&q, turn->db,
               "UPDATE runs SET was_outcome = outcome,"
               " was_exit_code = exit_code, was_ended_ms = ended_ms,"
               " was_changed = changed, was_holding = (SELECT COUNT(*)"
               " FROM locks WHERE locks.run = runs.id),"
               " outcome = NULL, exit_code = 0, ended_ms = 0,"
               " fence = ?, changed = ? WHERE id = ?");
    query_int(&q, turn->seq);
    query_int(&q, turn->seq);
    query_text(&q, run);
    return query_run(&q, err);
}

static int write_takeover(struct turn *turn, const struct op *op,
                          struct err *err)
{
    const struct store *store = turn->store;
    const char *run = op->record.run;
    int known;

    if (moved_check(turn, err) < 0)
        return -1;
    known = is_known(turn, run, err);
    if (known == 0)
        return err_set(err, CAUSE_INPUT, "there is no run %s", run);
    if (known < 0 || take_hold(turn, run, err) < 0 ||
        check_all_free(turn, run, err) < 0 ||
        put_event(turn, op, data_takeover(store), err) < 0)
        return -1;
    set_fence(turn, run);
    if (reopen_run(turn, run, err) < 0)
        return -1;
    return put_locks(turn, op, store->user, store->host, err);
}

/* -- end ------------------------------------------------------------------ */

/* A refused resume or rollback has changed nothing: the run is again what it
 * was, so that a done run stays done and an unfinished one keeps its clusters.
 * 1: it was taken over, *holding is what it held; 0: it was not. */
static int was_taken(struct turn *turn, const struct op *op, bool *holding,
                     struct err *err)
{
    struct query q;
    int rc;

    if (!op->outcome || strcmp(op->outcome, "refused") != 0)
        return 0;
    query_init(&q, turn->db,
               "SELECT was_holding FROM runs"
               " WHERE id = ? AND was_changed > 0");
    query_text(&q, op->record.run);
    rc = query_step(&q, err);
    if (rc > 0)
        *holding = query_number(&q, 0) > 0;
    query_release(&q);
    return rc;
}

static int end_refused(struct turn *turn, const struct op *op, struct err *err)
{
    struct query q;

    query_init(&q, turn->db,
               "UPDATE runs SET outcome = was_outcome,"
               " exit_code = was_exit_code, ended_ms = was_ended_ms,"
               " changed = was_changed WHERE id = ?");
    query_text(&q, op->record.run);
    return query_run(&q, err);
}

static int end_run(struct turn *turn, const struct op *op, struct err *err)
{
    struct query q;

    query_init(&q, turn->db,
               "UPDATE runs SET outcome = ?, exit_code = ?, ended_ms = ?"
               " WHERE id = ?");
    query_text(&q, op->outcome);
    query_int(&q, op->exit_code);
    query_int(&q, op->t_ms);
    query_text(&q, op->record.run);
    return query_run(&q, err);
}

/* All clusters of the run but those that it keeps. */
static int release_locks(struct turn *turn, const struct op *op,
                         struct err *err)
{
    struct str sql;
    struct query q;
    int rc;

    str_init(&sql, 1 << 20);
    str_add(&sql, "DELETE FROM locks WHERE run = ?");
    for (size_t i = 0; i < op->keep.n; i++)
        str_add(&sql, " AND cluster <> ?");
    query_init(&q, turn->db, str_text(&sql));
    query_text(&q, op->record.run);
    for (size_t i = 0; i < op->keep.n; i++)
        query_text(&q, op->keep.list[i]);
    rc = query_run(&q, err);
    str_release(&sql);
    return rc;
}

static int write_end(struct turn *turn, const struct op *op, struct err *err)
{
    struct hold *hold = check_fence(turn, op->record.run, err);
    bool holding = op->keep.n > 0;
    int taken, rc;

    if (!hold || (taken = was_taken(turn, op, &holding, err)) < 0 ||
        put_event(turn, op, data_end(op, !holding), err) < 0)
        return -1;
    rc = taken ? end_refused(turn, op, err) : end_run(turn, op, err);
    if (rc < 0 || turn->store->backend->life->quit(turn, hold, err) < 0)
        return -1;
    hold->ending = true;
    return taken && holding ? 0 : release_locks(turn, op, err);
}

int op_write(struct turn *turn, const struct op *op, struct err *err)
{
    static int (*const writers[])(struct turn *, const struct op *,
                                  struct err *) = {
        [OP_APPEND] = write_append,
        [OP_BEGIN] = write_begin,
        [OP_TAKEOVER] = write_takeover,
        [OP_END] = write_end,
    };

    return writers[op->kind](turn, op, err);
}
