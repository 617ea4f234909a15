/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the journal what was written?  Record by record against the chain of
 * hashes, its end against the chain's own row, a record that somebody noted
 * elsewhere against what he noted.  Goes on behind what does not fit, from the
 * hash that stands there: so one changed record is one misfit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/store_priv.h"

void audit_misfit(struct store_audit *audit, int64_t seq, const char *run,
                  const char *fmt, ...)
{
    va_list ap;

    if (audit->misfits++)
        return;
    audit->first_seq = seq;
    snprintf(audit->first_run, sizeof(audit->first_run), "%s", run ? run : "");
    va_start(ap, fmt);
    vsnprintf(audit->why, sizeof(audit->why), fmt, ap);
    va_end(ap);
}

/* -- the records ---------------------------------------------------------- */

enum {
    COL_SEQ,
    COL_T_MS,
    COL_RUN, /* the first of CHAIN_FIELDS texts */
    COL_HASH = 8
};

struct walk {
    struct store_audit *audit;
    const struct store_anchor *anchor;
    int64_t expected; /* seq of the next one */
    unsigned char hash[CHAIN_BYTES];
    bool anchored; /* the noted record was met */
};

/* A number that is stored as a text, or a text as bytes, would read the same
 * here and otherwise elsewhere. */
static bool has_its_types(struct query *q)
{
    static const struct {
        enum db_kind kind;
        bool may_be_null;
    } columns[COL_HASH + 1] = {
        {DB_NUMBER, false}, {DB_NUMBER, false}, /* seq, t_ms */
        {DB_TEXT, false},                       /* run */
        {DB_TEXT, true},    {DB_TEXT, true},    /* cluster, node */
        {DB_TEXT, true},                        /* step */
        {DB_TEXT, false},   {DB_TEXT, true},    /* kind, data */
        {DB_TEXT, false},                       /* hash */
    };

    for (int i = 0; i <= COL_HASH; i++) {
        enum db_kind kind = query_kind(q, i);

        if (kind != columns[i].kind &&
            !(kind == DB_NULL && columns[i].may_be_null))
            return false;
    }
    return true;
}

/* Lengths from the database: a text changed to hold a NUL is seen. */
static int next_of_row(struct query *q, unsigned char hash[CHAIN_BYTES],
                       struct err *err)
{
    struct chain_field fields[CHAIN_FIELDS];

    for (int i = 0; i < CHAIN_FIELDS; i++) {
        fields[i].text = query_column(q, COL_RUN + i);
        fields[i].len = query_bytes(q, COL_RUN + i);
    }
    return chain_next(hash, query_number(q, COL_SEQ), query_number(q, COL_T_MS),
                      fields, err);
}

static void tell_changed(struct walk *walk, struct query *q)
{
    char t[CLOCK_TEXT_BYTES];

    clock_rfc3339(query_number(q, COL_T_MS), t);
    audit_misfit(
        walk->audit, query_number(q, COL_SEQ), query_column(q, COL_RUN),
        "journal record %lld (run %s, %s) does not follow from the "
        "one before: the journal was changed by another hand",
        (long long)query_number(q, COL_SEQ), query_column(q, COL_RUN), t);
}

/* What is missing is counted; who wrote it nobody can tell. */
static void tell_missing(struct walk *walk, int64_t seq, const char *before)
{
    if (seq < walk->expected)
        audit_misfit(walk->audit, seq, before,
                     "journal record %lld (run %s) was put in by another hand",
                     (long long)seq, before);
    for (; walk->expected < seq; walk->expected++)
        audit_misfit(walk->audit, walk->expected, NULL,
                     "journal record %lld is missing (the next one is of run "
                     "%s): the journal was changed by another hand",
                     (long long)walk->expected, before);
}

static void check_anchor(struct walk *walk, int64_t seq, const char *run,
                         const char *hash)
{
    const struct store_anchor *anchor = walk->anchor;

    if (!anchor || anchor->seq != seq)
        return;
    walk->anchored = true;
    if (strcmp(anchor->hash, hash) != 0)
        audit_misfit(walk->audit, seq, run,
                     "journal record %lld (run %s) has another hash than the "
                     "one that was noted: the chain was made anew by another "
                     "hand",
                     (long long)seq, run);
}

static int check_row(struct walk *walk, struct query *q, struct err *err)
{
    unsigned char stored[CHAIN_BYTES];
    const char *text = query_column(q, COL_HASH);
    int64_t seq = query_number(q, COL_SEQ);
    bool typed = has_its_types(q), parsed = chain_parse(text, stored) == 0;

    if (seq != walk->expected)
        tell_missing(walk, seq, query_column(q, COL_RUN));
    walk->expected = seq + 1;
    if (next_of_row(q, walk->hash, err) < 0)
        return -1;
    if (!typed || !parsed || memcmp(walk->hash, stored, CHAIN_BYTES) != 0)
        tell_changed(walk, q);
    if (parsed)
        memcpy(walk->hash, stored, CHAIN_BYTES);
    check_anchor(walk, seq, query_column(q, COL_RUN), text ? text : "");
    walk->audit->head.seq = seq;
    snprintf(walk->audit->head.hash, STORE_HASH_BYTES, "%s", text ? text : "");
    walk->audit->records++;
    if (walk->audit->misfits == 0)
        walk->audit->good++;
    return 0;
}

static int check_rows(struct store *store, struct walk *walk, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, &store->reader,
               "SELECT seq, t_ms, run, cluster, node, step, kind, data, hash"
               " FROM journal ORDER BY seq");
    while ((rc = query_step(&q, err)) > 0) {
        if (check_row(walk, &q, err) < 0) {
            rc = -1;
            break;
        }
    }
    query_release(&q);
    return rc < 0 ? -1 : 0;
}

/* -- the end -------------------------------------------------------------- */

/* Records cut off at the end leave a chain that is sound in itself. */
static int check_end(struct store *store, struct walk *walk, struct err *err)
{
    unsigned char stored[CHAIN_BYTES];
    int64_t said = -1, last = walk->expected - 1;
    bool same = false;
    struct query q;
    int rc;

    query_init(&q, &store->reader, "SELECT seq, hash FROM chain");
    rc = query_step(&q, err);
    if (rc > 0) {
        said = query_number(&q, 0);
        same = said == last && chain_parse(query_column(&q, 1), stored) == 0 &&
               memcmp(walk->hash, stored, CHAIN_BYTES) == 0;
    }
    query_release(&q);
    if (rc < 0)
        return -1;
    if (!same)
        audit_misfit(walk->audit, said > last ? last + 1 : last, NULL,
                     "the journal does not end with record %lld as its "
                     "chain says (%lld): it was changed by another hand",
                     (long long)last, (long long)said);
    for (; said > last + 1; said--) /* each is one that is missing */
        walk->audit->misfits++;
    return 0;
}

static void check_anchored(struct walk *walk)
{
    if (walk->anchor && !walk->anchored)
        audit_misfit(walk->audit, walk->anchor->seq, NULL,
                     "journal record %lld, whose hash was noted, is missing",
                     (long long)walk->anchor->seq);
}

static int audit_all(struct store *store, const struct store_anchor *anchor,
                     struct store_audit *audit, struct err *err)
{
    struct walk walk = {.audit = audit, .anchor = anchor, .expected = 1};

    if (check_rows(store, &walk, err) < 0 || check_end(store, &walk, err) < 0)
        return -1;
    check_anchored(&walk);
    return audit_runs(store, audit, err) < 0 ||
                   store->reader.ops->check(&store->reader, audit, err) < 0
               ? -1
               : 0;
}

/* One snapshot for all of it: others may be writing. */
int store_audit(struct store *store, const struct store_anchor *anchor,
                struct store_audit *audit, struct err *err)
{
    int rc;

    memset(audit, 0, sizeof(*audit));
    if (db_begin(&store->reader, DB_TURN_LOOK, err) < 0)
        return -1;
    rc = audit_all(store, anchor, audit, err);
    db_rollback(&store->reader);
    return rc;
}

int store_verify(struct store *store, int64_t *records, struct err *err)
{
    struct store_audit audit;
    int rc = store_audit(store, NULL, &audit, err);

    *records = audit.good;
    if (rc == 0 && audit.misfits)
        rc = err_set(err, CAUSE_SYSTEM, "%s", audit.why);
    return rc;
}
