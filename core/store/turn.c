/* SPDX-License-Identifier: Apache-2.0
 *
 * One transaction and the journal in it: the chain's end is read when it
 * begins and written back when it commits.  Whoever runs it holds `writing`.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/store_priv.h"

static int read_head(struct turn *turn, struct err *err)
{
    char sql[64];
    struct query q;
    int rc;

    /* Where it is not locked already: all turns, one after the other */
    snprintf(sql, sizeof(sql), "SELECT seq, hash FROM chain%s",
             turn->db->ops->lock_row);
    query_init(&q, turn->db, sql);
    rc = query_step(&q, err);
    if (rc > 0) {
        turn->seq = query_number(&q, 0);
        rc = chain_parse(query_column(&q, 1), turn->hash) == 0;
    }
    query_release(&q);
    if (rc == 0)
        return err_set(err, CAUSE_SYSTEM,
                       "%s: the journal's end is not recorded as it must be: "
                       "restore it from a backup",
                       turn->store->title);
    return rc < 0 ? -1 : 0;
}

int turn_begin(struct turn *turn, struct store *store, struct err *err)
{
    memset(turn, 0, sizeof(*turn));
    turn->store = store;
    turn->db = &store->writer;
    turn->number = ++store->turns;
    store->turn_began_ms = clock_boot_ms();
    if (db_begin(turn->db, DB_TURN_WRITE, err) < 0) {
        db_rollback(turn->db);
        return -1;
    }
    if (read_head(turn, err) == 0)
        return 0;
    db_rollback(turn->db);
    return -1;
}

static struct chain_field field(const char *text)
{
    return (struct chain_field){text, text ? strlen(text) : 0};
}

int turn_put(struct turn *turn, const struct store_record *record, int64_t t_ms,
             struct err *err)
{
    const char *texts[CHAIN_FIELDS] = {record->run,  record->cluster,
                                       record->node, record->step,
                                       record->kind, record->data};
    struct chain_field fields[CHAIN_FIELDS];
    char hash[CHAIN_TEXT_BYTES];
    struct query q;

    for (int i = 0; i < CHAIN_FIELDS; i++)
        fields[i] = field(texts[i]);
    turn->seq++;
    if (chain_next(turn->hash, turn->seq, t_ms, fields, err) < 0)
        return -1;
    chain_text(turn->hash, hash);
    query_init(&q, turn->db,
               "INSERT INTO journal (seq, t_ms, run, cluster, node, step,"
               " kind, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_int(&q, turn->seq);
    query_int(&q, t_ms);
    for (int i = 0; i < CHAIN_FIELDS; i++)
        query_text(&q, texts[i]);
    query_text(&q, hash);
    return query_run(&q, err);
}

int turn_commit(struct turn *turn, struct err *err)
{
    char hash[CHAIN_TEXT_BYTES];
    struct query q;

    chain_text(turn->hash, hash);
    query_init(&q, turn->db, "UPDATE chain SET seq = ?, hash = ?");
    query_int(&q, turn->seq);
    query_text(&q, hash);
    if (query_run(&q, err) < 0)
        return -1;
    turn->committing = true;
    if (db_commit(turn->db, err) < 0)
        return -1;
    atomic_fetch_add(&turn->store->commits, 1);
    return 0;
}

void turn_undo(struct turn *turn)
{
    db_rollback(turn->db);
}

bool turn_was_cut(const struct turn *turn)
{
    return turn->store->url && !turn->db->pg;
}

static int find_record(struct turn *turn, int64_t seq,
                       const unsigned char hash[CHAIN_BYTES], struct err *err)
{
    char text[CHAIN_TEXT_BYTES];
    struct query q;

    chain_text(hash, text);
    query_init(&q, turn->db,
               "SELECT 1 FROM journal WHERE seq = ? AND hash = ?");
    query_int(&q, seq);
    query_text(&q, text);
    return query_found(&q, err);
}

/* Behind the lock that the lost one had: it is over by then, either way. */
int turn_is_there(const struct turn *turn, struct err *err)
{
    struct turn look;
    int rc;

    if (!turn->committing)
        return 0;
    if (turn_begin(&look, turn->store, err) < 0)
        return -1;
    rc = find_record(&look, turn->seq, turn->hash, err);
    turn_undo(&look);
    return rc;
}
