/* SPDX-License-Identifier: Apache-2.0
 *
 * All of a store into an empty one, record by record as they are: the chain
 * that is read there is the chain that was written here.
 *
 * One turn on each side, both locked: nobody writes meanwhile, and whatever
 * ends this in the middle leaves the target as empty as it was.  The source is
 * marked last: a death between the two commits leaves it unmarked, and the
 * target not empty.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "core/store/store_priv.h"

enum {
    PAGE = 1000 /* rows of a journal that are in memory at once */
};

struct part {
    const char *table, *columns;
    int n;      /* columns */
    bool paged; /* by its first one, a number from 1 */
};

/* In this order: what is referred to comes first.  No life is among them. */
/* clang-format off */
static const struct part parts[] = {
    { "journal", "seq, t_ms, run, cluster, node, step, kind, data, hash", 9,
      true },
    { "runs", "id, playbook, target, inputs, user_name, host, clusters,"
      " started_ms, ended_ms, outcome, exit_code, began, fence, changed,"
      " was_ended_ms, was_outcome, was_exit_code, was_changed, was_holding", 19,
      false },
    { "run_clusters", "run, cluster", 2, false },
    { "locks", "cluster, run, fence, pid, host, user_name, started_ms", 7,
      false },
};
/* clang-format on */

struct move {
    struct db *from, *to;
    const struct part *part;
    int64_t rows, last; /* of this part: how many, the last one's number */
};

/* -- one row ------------------------------------------------------------------
 */

static void insert_sql(const struct part *part, struct str *sql)
{
    str_addf(sql, "INSERT INTO %s (%s) VALUES (", part->table, part->columns);
    for (int i = 0; i < part->n; i++)
        str_add(sql, i ? ", ?" : "?");
    str_add(sql, ")");
}

static int put_row(struct move *m, const char *sql, struct query *row,
                   struct err *err)
{
    struct query q;

    query_init(&q, m->to, sql);
    for (int i = 0; i < m->part->n; i++)
        if (query_kind(row, i) == DB_NUMBER)
            query_int(&q, query_number(row, i));
        else
            query_text(&q, query_column(row, i));
    if (m->part->paged)
        m->last = query_number(row, 0);
    m->rows++;
    if (query_run(&q, err) == 0)
        return 0;
    return err_context(err, "row %lld of %s", (long long)m->rows,
                       m->part->table);
}

/* -- one part -----------------------------------------------------------------
 */

static void select_sql(const struct part *part, struct str *sql)
{
    str_addf(sql, "SELECT %s FROM %s", part->columns, part->table);
    if (part->paged)
        str_addf(sql, " WHERE seq > ? ORDER BY seq LIMIT %d", PAGE);
}

/* 1: there may be more of it. */
static int copy_page(struct move *m, const char *from, const char *to,
                     struct err *err)
{
    int64_t before = m->rows;
    struct query q;
    int rc;

    query_init(&q, m->from, from);
    if (m->part->paged)
        query_int(&q, m->last);
    while ((rc = query_step(&q, err)) > 0)
        if (put_row(m, to, &q, err) < 0) {
            rc = -1;
            break;
        }
    query_release(&q);
    if (rc < 0)
        return -1;
    return m->part->paged && m->rows - before == PAGE;
}

static int copy_part(struct move *m, struct err *err)
{
    struct str from, to;
    int rc;

    str_init(&from, 4096);
    str_init(&to, 4096);
    select_sql(m->part, &from);
    insert_sql(m->part, &to);
    do {
        rc = copy_page(m, str_text(&from), str_text(&to), err);
    } while (rc > 0);
    str_release(&from);
    str_release(&to);
    return rc;
}

static int copy_all(struct turn *from, struct turn *to,
                    struct store_moved *moved, struct err *err)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        struct move m = {.from = from->db, .to = to->db, .part = &parts[i]};

        if (copy_part(&m, err) < 0)
            return -1;
        if (i == 0)
            moved->records = m.rows;
        else if (i == 1)
            moved->runs = m.rows;
    }
    to->seq = from->seq;
    memcpy(to->hash, from->hash, CHAIN_BYTES);
    return 0;
}

/* -- may it be?
 * ----------------------------------------------------------------- */

static int check_nobody_lives(struct turn *from, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, from->db,
               "SELECT id FROM runs WHERE run_lives(id) > 0 ORDER BY began"
               " LIMIT 1");
    rc = query_step(&q, err);
    if (rc > 0)
        rc = err_set(err, CAUSE_LOCKED,
                     "run %s is at work: nothing is moved below its feet",
                     query_column(&q, 0));
    query_release(&q);
    return rc;
}

static int check_empty(struct turn *to, struct err *err)
{
    struct query q;
    int64_t rows = 0;
    int rc;

    query_init(&q, to->db,
               "SELECT (SELECT COUNT(*) FROM runs) +"
               " (SELECT COUNT(*) FROM journal)");
    rc = query_step(&q, err);
    if (rc > 0)
        rows = query_number(&q, 0);
    query_release(&q);
    if (rc < 0)
        return -1;
    if (rows || to->seq)
        return err_set(err, CAUSE_INPUT,
                       "%s is not empty: two journals cannot be made one",
                       to->store->title);
    return 0;
}

/* What does not verify here would not there, and nobody could say where it
 * was changed. */
static int check_sound(struct store *store, struct err *err)
{
    int64_t records;

    return store_verify(store, &records, err);
}

/* -- all of it
 * ------------------------------------------------------------------- */

static int move(struct turn *from, struct turn *to, struct store_moved *moved,
                struct err *err)
{
    if (check_nobody_lives(from, err) < 0 || check_empty(to, err) < 0 ||
        copy_all(from, to, moved, err) < 0 || moved_mark(from, to, err) < 0 ||
        turn_commit(to, err) < 0)
        return -1;
    if (turn_commit(from, err) < 0)
        return err_context(err, "moved, but %s could not be marked as such",
                           from->store->title);
    return 0;
}

int store_migrate(struct store *from, struct store *to,
                  struct store_moved *moved, struct err *err)
{
    struct turn source, target;
    int rc;

    memset(moved, 0, sizeof(*moved));
    if (check_sound(from, err) < 0 || turn_begin(&source, from, err) < 0)
        return -1;
    rc = turn_begin(&target, to, err);
    if (rc == 0) {
        rc = move(&source, &target, moved, err);
        if (rc < 0)
            turn_undo(&target);
        moved->head.seq = target.seq;
        chain_text(target.hash, moved->head.hash);
    }
    if (rc < 0)
        turn_undo(&source);
    return rc < 0 ? -1 : check_sound(to, err);
}
