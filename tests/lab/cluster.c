/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups, who leads them, and operations that run in the background.
 */
#include "tests/lab/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lab/engine.h"
#include "tests/lab/record.h"

enum {
    MEMBERS_CAP = 5
}; /* facts/cms.md 3.1 */

/* -- questions ------------------------------------------------------------- */

bool db_is_clustered(const struct lab_node *node)
{
    return node->db.role != DB_STANDALONE;
}

bool db_leads(const struct lab_node *node)
{
    return node->up && node->db.role == DB_PRIMARY && node->db.group &&
           node->db.group->primary == node;
}

bool db_expired(const struct lab_node *node)
{
    return certset_expired(&node->db.certs, lab_node_now(node));
}

bool db_sees(const struct lab_node *a, const struct lab_node *b)
{
    return a == b || (a->up && b->up && !db_expired(a) && !db_expired(b));
}

/* -- membership ------------------------------------------------------------ */

struct lab_group *group_new(struct lab_cluster *home)
{
    struct lab *lab = home->nodes[0]->lab;
    struct lab_group *g = lab_calloc(1, sizeof(*g));

    g->home = home;
    g->next = lab->groups;
    lab->groups = g;
    return g;
}

void group_add(struct lab_group *group, struct lab_node *node)
{
    if (group->n < LAB_MAX_MEMBERS)
        group->members[group->n++] = node;
    node->db.group = group;
}

void group_drop(struct lab_node *node)
{
    struct lab_group *g = node->db.group;
    size_t kept = 0;

    if (!g)
        return;
    for (size_t i = 0; i < g->n; i++)
        if (g->members[i] != node)
            g->members[kept++] = g->members[i];
    g->n = kept;
    if (g->primary == node)
        g->primary = NULL;
    node->db.group = NULL;
}

static void lead(struct lab_group *group, struct lab_node *node)
{
    group->primary = node;
    node->db.role = DB_PRIMARY;
    node->db.in_sync = true;
    group->home->last_primary = node;
}

/* -- quorum ---------------------------------------------------------------- */

static size_t count_up(const struct lab_group *group)
{
    size_t n = 0;

    for (size_t i = 0; i < group->n; i++)
        n += group->members[i]->up;
    return n;
}

static struct lab_node *candidate(const struct lab_group *group)
{
    struct lab_node *best = NULL;

    for (size_t i = 0; i < group->n; i++) {
        struct lab_node *m = group->members[i];
        if (!m->up || !m->db.in_sync || m->db.sync_frozen)
            continue;
        if (!best || m->db.copy.rows > best->db.copy.rows)
            best = m;
    }
    return best;
}

struct election {
    struct lab_group *group;
    struct lab_node *winner;
};

static void on_promoted(void *user, const struct err *why)
{
    struct election *e = user;

    e->group->electing = false;
    if (!why && e->winner->up && e->winner->db.group == e->group &&
        !e->group->primary) {
        for (size_t i = 0; i < e->group->n; i++)
            if (e->group->members[i] != e->winner && !e->group->members[i]->up)
                e->group->members[i]->db.in_sync = false;
        lead(e->group, e->winner);
    }
    db_reconsider(e->group);
    lab_changed(e->winner->lab);
    free(e);
}

static void on_election(void *user)
{
    struct lab_group *g = user;
    struct lab_node *winner = candidate(g);
    struct election *e;

    if (g->primary || !winner || 2 * count_up(g) <= g->n) {
        g->electing = false;
        return;
    }
    e = lab_calloc(1, sizeof(*e));
    e->group = g;
    e->winner = winner;
    winner->lab->ops->promote(winner->lab->engine, winner, NULL, on_promoted,
                              e);
}

/* More than half must be visible; a primary that cannot see them steps down,
 * and keeps the newest data (facts/cms.md 3.1). */
void db_reconsider(struct lab_group *group)
{
    struct lab_node *p = group->primary;
    bool quorum = 2 * count_up(group) > group->n;

    if (p && (!p->up || !quorum || (p->set.expiry_demotes && db_expired(p)))) {
        p->db.role = DB_REPLICA;
        group->primary = p = NULL;
    }
    if (!p && quorum && !group->electing && candidate(group) &&
        !group->home->nodes[0]->lab->stopping) {
        struct lab_node *any = candidate(group);
        group->electing = true;
        later_start(any->lab->loop, any->set.failover_ms, on_election, group);
    }
}

static void on_moved(void *user, const struct err *why)
{
    struct election *e = user;
    struct lab_node *old = e->group->primary;

    if (!why && e->winner->up && e->winner->db.group == e->group) {
        if (old)
            old->db.role = DB_REPLICA;
        lead(e->group, e->winner);
    }
    e->group->electing = false;
    lab_changed(e->winner->lab);
    free(e);
}

int db_move_primary(struct lab_node *node, struct err *err)
{
    struct lab_group *g = node->db.group;
    struct election *e;

    if (node->db.role != DB_REPLICA || !g || !node->up)
        return err_set(err, CAUSE_INPUT, "%s is no replica that is up",
                       node->name);
    if (!node->db.in_sync)
        return err_set(err, CAUSE_INPUT, "%s is not in sync", node->name);
    e = lab_calloc(1, sizeof(*e));
    e->group = g;
    e->winner = node;
    g->electing = true;
    node->lab->ops->promote(node->lab->engine, node, g->primary, on_moved, e);
    return 0;
}

/* -- background operations ------------------------------------------------- */

struct ticket {
    struct lab_node *node;
    unsigned number;
};

static void outcome(struct lab_node *node, const char *word)
{
    struct entry *e = record_entry(node->lab, node->db.entry);

    if (e) {
        e->outcome = word;
        e->outcome_ms = lab_age_ms(node->lab);
    }
}

void db_note(struct lab_node *node, const char *text, bool failed)
{
    lab_replace(&node->db.last_command, text);
    node->db.last_failed = failed;
    lab_changed(node->lab);
}

void db_clear_error(struct lab_node *node)
{
    node->db.error = false;
    lab_replace(&node->db.error_text, NULL);
}

static void leave(struct lab_node *node)
{
    struct lab_group *g = node->db.group;

    group_drop(node);
    node->db.role = DB_STANDALONE;
    node->db.in_sync = false;
    if (g)
        db_reconsider(g);
}

static void apply(struct lab_node *node)
{
    struct lab_group *g;

    switch (node->db.pending) {
    case DB_INITIALIZE:
        g = group_new(node->cluster);
        group_add(g, node);
        lead(g, node);
        break;
    case DB_JOIN:
        node->db.role = DB_REPLICA;
        group_add(node->db.peer->db.group, node);
        break;
    case DB_CONNECT:
        node->db.role = DB_CONNECTED;
        node->db.group = node->db.peer->db.group;
        break;
    case DB_REMOVE:
        if (node->db.role == DB_CONNECTED) {
            node->db.group = NULL;
            node->db.role = DB_STANDALONE;
        } else {
            leave(node);
        }
        break;
    case DB_UPGRADE:
    case DB_NOTHING:
        break;
    }
}

static void finish(struct lab_node *node, const struct err *why)
{
    struct db *db = &node->db;

    if (why) {
        db->error = true;
        lab_replace(&db->error_text, why->text);
    } else {
        apply(node);
        db->error = false;
        lab_replace(&db->error_text, NULL);
    }
    outcome(node, why ? "failed" : "success");
    db->pending = DB_NOTHING;
    db->peer = NULL;
    db->ticket++;
    db_note(node, db->pending_text, why != NULL);
}

static void on_engine_done(void *user, const struct err *why)
{
    struct ticket *t = user;
    struct lab_node *node = t->node;
    bool late = t->number != node->db.ticket;
    struct err gone;

    free(t);
    if (late)
        return;
    /* The group may have died while the engine worked. */
    if (!why &&
        (node->db.pending == DB_JOIN || node->db.pending == DB_CONNECT) &&
        !db_leads(node->db.peer)) {
        err_set(&gone, CAUSE_REMOTE, "The primary is no longer reachable");
        why = &gone;
    }
    finish(node, why);
}

/* The peer as typed is any member; what counts is its group's primary. */
static int find_primary(struct lab_node *node, struct err *err)
{
    struct lab_node *p = node->db.peer;

    if (p && p->up && p->db.group && p->db.role != DB_CONNECTED &&
        p->db.group->primary)
        p = p->db.group->primary;
    if (!p || !db_leads(p))
        return err_set(err, CAUSE_REMOTE,
                       "could not connect to server: Connection refused");
    if (node->db.pending == DB_JOIN && p->db.group->n >= MEMBERS_CAP)
        return err_set(err, CAUSE_REMOTE, "Too many nodes in the cluster");
    node->db.peer = p;
    return 0;
}

static void ask_engine(struct lab_node *node)
{
    const struct engine_ops *ops = node->lab->ops;
    struct ticket *t = lab_calloc(1, sizeof(*t));

    t->node = node;
    t->number = node->db.ticket;
    switch (node->db.pending) {
    case DB_INITIALIZE:
        ops->initialize(node->lab->engine, node, on_engine_done, t);
        break;
    case DB_JOIN:
        ops->join(node->lab->engine, node, node->db.peer, on_engine_done, t);
        break;
    case DB_CONNECT:
        ops->connect(node->lab->engine, node, node->db.peer, on_engine_done, t);
        break;
    case DB_REMOVE:
        ops->remove(node->lab->engine, node, on_engine_done, t);
        break;
    case DB_UPGRADE:
    case DB_NOTHING:
        on_engine_done(t, NULL);
        break;
    }
}

static void on_due(void *user)
{
    struct lab_node *node = user;
    struct err err = {0};

    node->db.timer = NULL;
    if (node->db.pending_fails)
        err_set(&err, CAUSE_REMOTE, "The operation failed");
    else if (node->db.pending == DB_JOIN || node->db.pending == DB_CONNECT)
        find_primary(node, &err);
    if (err.cause != CAUSE_NONE)
        finish(node, &err);
    else
        ask_engine(node);
}

void db_begin(struct lab_node *node, const struct db_order *order)
{
    const struct lab_settings *s = &node->set;
    struct db *db = &node->db;
    unsigned ms = order->verb == DB_INITIALIZE ? s->initialize_ms
                  : order->verb == DB_JOIN     ? s->join_ms
                  : order->verb == DB_CONNECT  ? s->connect_ms
                                               : s->remove_ms;

    db->pending = order->verb;
    db->peer = order->peer;
    lab_replace(&db->pending_text, order->text);
    db->pending_fails = order->fails;
    db->entry = order->entry;
    db->ticket++;
    outcome(node, "pending");
    db->timer = later_start(node->lab->loop, (uint64_t)ms + order->extra_ms,
                            on_due, node);
    lab_changed(node->lab);
}

/* -- power ----------------------------------------------------------------- */

static void on_power_done(void *user, const struct err *why)
{
    struct lab_node *node = user;

    (void)why;
    if (node->db.group && node->db.role != DB_CONNECTED)
        db_reconsider(node->db.group);
    lab_changed(node->lab);
}

void db_power_lost(struct lab_node *node)
{
    struct lab_group *g = node->db.group;

    if (node->db.pending) {
        later_cancel(node->db.timer);
        node->db.timer = NULL;
        outcome(node, "lost");
        node->db.pending = DB_NOTHING;
        node->db.ticket++;
    }
    /* While somebody else leads and writes, this copy grows old. */
    if (g && g->primary && g->primary != node)
        node->db.in_sync = false;
    node->lab->ops->power(node->lab->engine, node, false, on_power_done, node);
    if (g && node->db.role != DB_CONNECTED)
        db_reconsider(g);
}

void db_power_back(struct lab_node *node)
{
    if (node->db.group && node->db.group->primary &&
        node->db.group->primary != node)
        node->db.in_sync = false;
    node->lab->ops->power(node->lab->engine, node, true, on_power_done, node);
}
