/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements and turns, whichever database is below; and the fault that a test
 * lets happen at the n-th of them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/store/store_priv.h"

static bool is_fault_due(struct db *db)
{
    atomic_int *fail_in = &db->store->fail_in;

    return atomic_load(fail_in) > 0 && atomic_fetch_sub(fail_in, 1) == 1;
}

/* -- statements ------------------------------------------------------------ */

void query_init(struct query *q, struct db *db, const char *sql)
{
    memset(q, 0, sizeof(*q));
    q->db = db;
    q->sql = sql;
}

const struct query_value *query_values(const struct query *q)
{
    return q->more ? q->more : q->few;
}

static void add_value(struct query *q, struct query_value value)
{
    if (q->n < QUERY_FEW) {
        q->few[q->n++] = value;
        return;
    }
    /* by doubling, from the first one that does not fit */
    if ((q->n & (q->n - 1)) == 0 || !q->more) {
        struct query_value *grown =
            reallocarray(q->more, 4 * q->n, sizeof(*grown));

        if (!grown)
            abort();
        if (!q->more)
            memcpy(grown, q->few, sizeof(q->few));
        q->more = grown;
    }
    q->more[q->n++] = value;
}

void query_text(struct query *q, const char *text)
{
    add_value(q, (struct query_value){.text = text});
}

void query_int(struct query *q, int64_t number)
{
    add_value(q, (struct query_value){.number = number, .is_number = true});
}

int query_step(struct query *q, struct err *err)
{
    const struct db_ops *ops = q->db->ops;

    if (is_fault_due(q->db))
        return ops->no_room(q->db, err);
    if (!q->started && ops->start(q, err) < 0)
        return -1;
    q->started = true;
    return ops->next(q, err);
}

int query_run(struct query *q, struct err *err)
{
    int rc;

    do {
        rc = query_step(q, err);
    } while (rc > 0);
    query_release(q);
    return rc;
}

int query_found(struct query *q, struct err *err)
{
    int rc = query_step(q, err);

    query_release(q);
    return rc;
}

void query_release(struct query *q)
{
    q->db->ops->release(q);
    free(q->more);
    q->more = NULL;
}

const char *query_column(struct query *q, int i)
{
    size_t len;

    return q->db->ops->text(q, i, &len);
}

size_t query_bytes(struct query *q, int i)
{
    size_t len;

    q->db->ops->text(q, i, &len);
    return len;
}

int64_t query_number(struct query *q, int i)
{
    return q->db->ops->number(q, i);
}

enum db_kind query_kind(struct query *q, int i)
{
    return q->db->ops->kind(q, i);
}

/* -- turns ----------------------------------------------------------------- */

int db_begin(struct db *db, enum db_turn kind, struct err *err)
{
    if (is_fault_due(db))
        return db->ops->no_room(db, err);
    return db->ops->begin(db, kind, err);
}

int db_commit(struct db *db, struct err *err)
{
    if (is_fault_due(db))
        return db->ops->no_room(db, err);
    return db->ops->commit(db, err);
}

void db_rollback(struct db *db)
{
    db->ops->rollback(db);
}

void db_close(struct db *db)
{
    db->ops->close(db);
}
