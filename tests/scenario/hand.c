/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy by SQLite's own backup, with the rows as they were beside them.
 */
#include "tests/scenario/hand.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void hand_sql(struct hand *hand, const char *fmt, ...)
{
    char *text = NULL, *why = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    va_end(ap);
    if (sqlite3_exec(hand->db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    free(text);
}

const char *hand_ask(struct hand *hand, const char *question)
{
    const char *answer;
    sqlite3_stmt *q;

    assert_int_equal(sqlite3_prepare_v2(hand->db, question, -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    answer = arena_strdup(&hand->bed->arena,
                          (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    return answer ? answer : "";
}

void hand_reach_in(struct hand *hand, struct bed *bed, const char *name)
{
    struct arena *arena = &bed->arena;
    sqlite3 *from;
    sqlite3_backup *backup;

    hand->bed = bed;
    hand->folder = arena_printf(arena, "%s/%s", bed->dir, name);
    assert_int_equal(mkdir(hand->folder, 0700), 0);
    assert_int_equal(
        sqlite3_open_v2(arena_printf(arena, "%s/state/certfleet.db", bed->dir),
                        &from, SQLITE_OPEN_READONLY, NULL),
        SQLITE_OK);
    assert_int_equal(
        sqlite3_open(arena_printf(arena, "%s/certfleet.db", hand->folder),
                     &hand->db),
        SQLITE_OK);
    backup = sqlite3_backup_init(hand->db, "main", from, "main");
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    sqlite3_backup_finish(backup);
    sqlite3_close(from);
    hand_sql(hand, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF;"
                   "CREATE TEMP TABLE was AS SELECT * FROM journal;"
                   "CREATE TEMP TABLE was_runs AS SELECT * FROM runs;"
                   "CREATE TEMP TABLE was_chain AS SELECT * FROM chain");
    hand->last =
        strtoll(hand_ask(hand, "SELECT max(seq) FROM journal"), NULL, 10);
    assert_true(hand->last > 100);
}

void hand_put_back(struct hand *hand)
{
    hand_sql(hand,
             "BEGIN; DELETE FROM journal; DELETE FROM runs WHERE id NOT IN"
             " (SELECT run FROM run_clusters); DELETE FROM chain;"
             "INSERT INTO journal SELECT * FROM was;"
             "INSERT OR REPLACE INTO runs SELECT * FROM was_runs;"
             "INSERT INTO chain SELECT * FROM was_chain; COMMIT");
}
