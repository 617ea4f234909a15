/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's statements as PostgreSQL takes them.  Knows nothing of what the
 * rows mean, of the loop, or of leases.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/store/pg_priv.h"

enum {
    OID_INT8 = 20,
    OID_INT4 = 23,
    OID_TEXT = 25,
    NUMBER_BYTES = 24
};

/* -- sending ----------------------------------------------------------------
 */

/* `?` is $1, $2 ... there.  No text of ours has a question mark in it. */
static void number_places(struct str *sql, const char *text)
{
    int n = 0;

    for (; *text; text++)
        if (*text == '?')
            str_addf(sql, "$%d", ++n);
        else
            str_addn(sql, text, 1);
}

struct params {
    const char **texts;
    unsigned *types;
    char (*numbers)[NUMBER_BYTES];
};

static void params_init(struct params *p, const struct query *q)
{
    const struct query_value *values = query_values(q);

    p->texts = calloc(q->n + 1, sizeof(*p->texts));
    p->types = calloc(q->n + 1, sizeof(*p->types));
    p->numbers = calloc(q->n + 1, sizeof(*p->numbers));
    if (!p->texts || !p->types || !p->numbers)
        abort();
    for (size_t i = 0; i < q->n; i++) {
        p->types[i] = values[i].is_number ? OID_INT8 : OID_TEXT;
        p->texts[i] = values[i].text;
        if (!values[i].is_number)
            continue;
        snprintf(p->numbers[i], NUMBER_BYTES, "%lld",
                 (long long)values[i].number);
        p->texts[i] = p->numbers[i];
    }
}

static void params_release(struct params *p)
{
    free(p->texts);
    free(p->types);
    free(p->numbers);
}

static int send_query(struct query *q, struct err *err)
{
    struct db *db = q->db;
    struct params params;
    struct str sql;
    int sent;

    str_init(&sql, 1 << 20);
    number_places(&sql, q->sql);
    params_init(&params, q);
    sent = pq.sendQueryParams(db->pg, str_text(&sql), (int)q->n, params.types,
                              params.texts, NULL, NULL, 0);
    str_release(&sql);
    params_release(&params);
    if (!sent)
        return pg_lost(db, NULL, err);
    return pg_finish(db, &q->result, err);
}

/* Within a turn what was said before is lost with the connection; outside of
 * one a statement stands alone and is said again: the server may have been
 * away since the last. */
static int pg_start(struct query *q, struct err *err)
{
    struct db *db = q->db;

    q->row = -1;
    if (!db->pg && db->in_turn)
        return err_set(err, CAUSE_SYSTEM, "%s: the connection was lost",
                       db->store->title);
    if (!db->pg && pg_connect(db, err) < 0)
        return -1;
    if (send_query(q, err) == 0)
        return 0;
    if (db->pg || db->in_turn)
        return -1;
    err_reset(err);
    return pg_connect(db, err) < 0 ? -1 : send_query(q, err);
}

static int pg_next(struct query *q, struct err *err)
{
    (void)err;
    return ++q->row < pq.ntuples(q->result) ? 1 : 0;
}

static void pg_release(struct query *q)
{
    pq.clear(q->result);
    q->result = NULL;
}

static const char *pg_text(struct query *q, int i, size_t *len)
{
    *len = (size_t)pq.getlength(q->result, q->row, i);
    return pq.getisnull(q->result, q->row, i)
               ? NULL
               : pq.getvalue(q->result, q->row, i);
}

static int64_t pg_number(struct query *q, int i)
{
    return strtoll(pq.getvalue(q->result, q->row, i), NULL, 10);
}

static enum db_kind pg_kind(struct query *q, int i)
{
    if (pq.getisnull(q->result, q->row, i))
        return DB_NULL;
    switch (pq.ftype(q->result, i)) {
    case OID_INT8:
    case OID_INT4:
        return DB_NUMBER;
    case OID_TEXT:
        return DB_TEXT;
    default:
        return DB_OTHER;
    }
}

/* -- turns ------------------------------------------------------------------
 */

static int pg_say(struct db *db, const char *sql, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, db, sql);
    rc = pg_start(&q, err);
    query_release(&q);
    return rc;
}

static int pg_begin(struct db *db, enum db_turn kind, struct err *err)
{
    int rc = pg_say(db,
                    kind == DB_TURN_WRITE
                        ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
                        : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                    err);

    db->in_turn = rc == 0;
    return rc;
}

/* A turn that has failed is ended by COMMIT too, and as an undone one. */
static int pg_commit(struct db *db, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, db, "COMMIT");
    rc = pg_start(&q, err);
    if (rc == 0 && strcmp(pq.cmdStatus(q.result), "COMMIT") != 0)
        rc = err_set(err, CAUSE_SYSTEM, "%s: the turn was undone",
                     db->store->title);
    query_release(&q);
    if (rc == 0)
        db->in_turn = false;
    return rc;
}

static void pg_rollback(struct db *db)
{
    struct err err = {.cause = CAUSE_NONE};

    if (db->in_turn && db->pg)
        pg_say(db, "ROLLBACK", &err);
    db->in_turn = false;
}

static void pg_close(struct db *db)
{
    pq.finish(db->pg);
    db->pg = NULL;
}

static int pg_no_room(struct db *db, struct err *err)
{
    return err_set(err, CAUSE_SYSTEM, "%s: no room left to write",
                   db->store->title);
}

/* Its pages are the server's own business (checksums, amcheck). */
static int pg_check(struct db *db, struct store_audit *audit, struct err *err)
{
    (void)db;
    (void)audit;
    (void)err;
    return 0;
}

const struct db_ops pg_ops = {
    .lock_row = " FOR UPDATE",
    .close = pg_close,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .start = pg_start,
    .next = pg_next,
    .release = pg_release,
    .text = pg_text,
    .number = pg_number,
    .kind = pg_kind,
    .no_room = pg_no_room,
    .check = pg_check,
};
