/* SPDX-License-Identifier: Apache-2.0
 *
 * Who holds a cluster, and what a person is told who wants it too.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/store/store_priv.h"

struct owner {
    const char *run, *user, *host, *outcome;
    long long pid;
    char since[CLOCK_TEXT_BYTES];
    bool living;
};

#define OWNER_COLUMNS                                                          \
    "SELECT l.run, l.user_name, l.host, l.pid, l.started_ms, r.outcome,"       \
    " run_lives(l.run) FROM locks l JOIN runs r ON r.id = l.run "

static void owner_read(struct owner *owner, struct query *q)
{
    owner->run = query_column(q, 0);
    owner->user = query_column(q, 1);
    owner->host = query_column(q, 2);
    owner->pid = query_number(q, 3);
    clock_rfc3339(query_number(q, 4), owner->since);
    owner->outcome = query_column(q, 5);
    owner->living = query_number(q, 6) > 0;
}

static int set_held(const struct owner *o, const char *cluster, const char *run,
                    struct err *err)
{
    if (o->living)
        return err_set(err, CAUSE_LOCKED,
                       "run %s cannot have cluster %s: run %s of %s@%s "
                       "(pid %lld, since %s) is at work on it: "
                       "`certfleet show -f %s` follows it",
                       run, cluster, o->run, o->user, o->host, o->pid, o->since,
                       o->run);
    return err_set(err, CAUSE_LOCKED,
                   "run %s cannot have cluster %s: unfinished run %s of %s@%s "
                   "(pid %lld, since %s%s%s) holds it (its process is gone): "
                   "type `certfleet resume %s`, `certfleet rollback %s` or "
                   "`certfleet unlock %s --run %s`",
                   run, cluster, o->run, o->user, o->host, o->pid, o->since,
                   o->outcome ? ", ended " : "", o->outcome ? o->outcome : "",
                   o->run, o->run, cluster, o->run);
}

int owner_check_free(struct turn *turn, const char *cluster, const char *run,
                     struct err *err)
{
    struct owner owner;
    struct query q;
    int rc;

    query_init(&q, turn->db, OWNER_COLUMNS "WHERE l.cluster = ?");
    query_text(&q, cluster);
    rc = query_step(&q, err);
    if (rc > 0) {
        owner_read(&owner, &q);
        rc = strcmp(owner.run, run) == 0 ? 0
                                         : set_held(&owner, cluster, run, err);
    }
    query_release(&q);
    return rc;
}

int owner_set_living(struct turn *turn, const char *run, struct err *err)
{
    struct owner owner;
    struct query q;
    int rc;

    query_init(&q, turn->db, OWNER_COLUMNS "WHERE l.run = ? LIMIT 1");
    query_text(&q, run);
    rc = query_step(&q, err);
    if (rc > 0) {
        owner_read(&owner, &q);
        err_set(err, CAUSE_LOCKED,
                "run %s is still at work (%s@%s, pid %lld, since %s): "
                "`certfleet show -f %s` follows it",
                run, owner.user, owner.host, owner.pid, owner.since, run);
    } else if (rc == 0) {
        err_set(err, CAUSE_LOCKED,
                "run %s is still at work: `certfleet show -f %s` follows it",
                run, run);
    }
    query_release(&q);
    return -1;
}
