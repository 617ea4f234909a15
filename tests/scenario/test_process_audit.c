/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal of real runs, and another hand: whatever one record is changed
 * to, whichever is taken out, moved or cut off, `audit verify' says which.
 * It changes nothing, and works beside a run.
 */
#include "tests/scenario/crew.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/base/file.h"
#include "core/pki/pki.h"
#include "core/store/store.h"
#include "tests/scenario/hand.h"

enum {
    DB_CAP = 1 << 26
};

static const char *const columns[] = {
    "t_ms", "run", "cluster", "node", "step", "kind", "data", "hash", NULL,
};

/* -- the audit ------------------------------------------------------------- */

static void audit(struct hand *hand, const struct store_anchor *anchor,
                  struct store_audit *found)
{
    struct err err = {0};
    struct store *store =
        store_open_reader(&(struct store_place){.folder = hand->folder}, &err);

    if (!store || store_audit(store, anchor, found, &err) < 0)
        fail_msg("%s", err.text);
    store_close(store);
}

static void is_good(struct hand *hand)
{
    struct store_audit found;

    audit(hand, NULL, &found);
    if (found.misfits || found.records != hand->last)
        fail_msg("%lld of %lld do not fit: %s", (long long)found.misfits,
                 (long long)found.records, found.why);
}

/* The first that is named is this one. */
static void is_found(struct hand *hand, int64_t seq, const char *what)
{
    struct store_audit found;

    audit(hand, NULL, &found);
    if (found.misfits == 0)
        fail_msg("record %lld: %s was not found", (long long)seq, what);
    if (found.first_seq != seq || found.good != seq - 1)
        fail_msg("record %lld: %s: record %lld was named, %lld are good: %s",
                 (long long)seq, what, (long long)found.first_seq,
                 (long long)found.good, found.why);
}

/* -- a history ------------------------------------------------------------- */

static void refuse(struct bed *bed, const char *words)
{
    bed_lab(bed, "down core2");
    bed_ends(bed_do(bed, "%s --yes", words), 5, "refused");
    bed_lab(bed, "up core2");
    bed_lab(bed, "wait lab healthy true");
}

/* Made once, before the crew is: each test has a copy of its database. */
static struct bed *history;

/* A rotation, its way back, refused at first, a run that was refused, one that
 * was cut off and given up: all kinds of records. */
static void live(struct bed *bed)
{
    struct bed_run *run;
    int hold;

    bed_ends(bed_apply(bed, ""), 0, "done");
    refuse(bed, "rollback last");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    refuse(bed, "apply cms/db-rotate lab");
    hold = bed_id(bed_lab(bed, "hold core1 before 'pki match*'"));
    run = bed_begin(bed, BED_PLAIN, "apply cms/db-rotate lab --yes");
    bed_lab(bed, "wait held %d", hold);
    kill(run->pid, SIGKILL);
    bed_finish(run);
    bed_lab(bed, "release %d", hold);
    bed_ends(bed_do(bed, "unlock lab --run last"), 0, "ok");
}

static void test_a_history(void **state)
{
    void *bed;

    (void)state;
    history = bed_start(&bed, "2+0", NULL);
    live(history);
}

/* -- changed --------------------------------------------------------------- */

/* One byte of a text, one more of a number, something where nothing was. */
static void change(struct hand *hand, int64_t seq, const char *column)
{
    hand_sql(hand,
             "UPDATE journal SET %s = CASE"
             " WHEN typeof(%s) = 'integer' THEN %s + 1"
             " WHEN coalesce(%s, '') = '' THEN 'x'"
             " ELSE substr(%s, 1, %lld %% length(%s))"
             " || CASE substr(%s, 1 + %lld %% length(%s), 1)"
             "    WHEN 'a' THEN 'b' ELSE 'a' END"
             " || substr(%s, 2 + %lld %% length(%s)) END WHERE seq = %lld",
             column, column, column, column, column, (long long)seq, column,
             column, (long long)seq, column, column, (long long)seq, column,
             (long long)seq);
    assert_int_equal(sqlite3_changes(hand->db), 1);
}

static void restore(struct hand *hand, int64_t seq)
{
    hand_sql(
        hand,
        "INSERT OR REPLACE INTO journal SELECT * FROM was WHERE seq = %lld",
        (long long)seq);
}

static void test_any_column_of_any_record(void **state)
{
    struct hand hand = {0};

    (void)state;
    hand_reach_in(&hand, history, __func__);
    is_good(&hand);
    for (int64_t seq = 1; seq <= hand.last; seq++)
        for (const char *const *c = columns; *c; c++) {
            change(&hand, seq, *c);
            is_found(&hand, seq, *c);
            restore(&hand, seq);
        }
    is_good(&hand);
    sqlite3_close(hand.db);
}

/* The same to whoever reads it, and not what was written. */
static void test_any_type_of_any_record(void **state)
{
    struct hand hand = {0};

    (void)state;
    hand_reach_in(&hand, history, __func__);
    for (int64_t seq = 1; seq <= hand.last; seq++) {
        hand_sql(&hand, "UPDATE journal SET t_ms = t_ms + 0.5 WHERE seq = %lld",
                 (long long)seq);
        is_found(&hand, seq, "half a millisecond");
        restore(&hand, seq);
        hand_sql(&hand,
                 "UPDATE journal SET run = CAST(run AS BLOB) WHERE seq = %lld",
                 (long long)seq);
        is_found(&hand, seq, "bytes for a text");
        restore(&hand, seq);
    }
    is_good(&hand);
    sqlite3_close(hand.db);
}

/* -- taken out, put in, moved ---------------------------------------------- */

static void test_any_record_missing(void **state)
{
    struct store_audit found;
    struct hand hand = {0};

    (void)state;
    hand_reach_in(&hand, history, __func__);
    for (int64_t seq = 1; seq <= hand.last; seq++) {
        hand_sql(&hand, "DELETE FROM journal WHERE seq = %lld", (long long)seq);
        is_found(&hand, seq, "its absence");
        /* and when the others close up */
        hand_sql(&hand,
                 "UPDATE journal SET seq = -seq WHERE seq > %lld;"
                 "UPDATE journal SET seq = -seq - 1 WHERE seq < 0",
                 (long long)seq);
        is_found(&hand, seq, "that the others closed up");
        hand_put_back(&hand);
    }
    hand_sql(&hand,
             "INSERT INTO journal SELECT 0, t_ms, run, cluster, node, step,"
             " kind, data, hash FROM was WHERE seq = 1");
    audit(&hand, NULL, &found);
    assert_true(found.misfits > 0);
    assert_int_equal(found.first_seq, 0);
    sqlite3_close(hand.db);
}

static void swap(struct hand *hand, int64_t a, int64_t b)
{
    hand_sql(hand,
             "UPDATE journal SET seq = -1 WHERE seq = %lld;"
             "UPDATE journal SET seq = %lld WHERE seq = %lld;"
             "UPDATE journal SET seq = %lld WHERE seq = -1",
             (long long)a, (long long)a, (long long)b, (long long)b);
}

static void test_any_two_swapped(void **state)
{
    struct hand hand = {0};

    (void)state;
    hand_reach_in(&hand, history, __func__);
    for (int64_t a = 1; a < hand.last; a++) {
        int64_t far = a + 1 + (a * 7919) % (hand.last - a);

        swap(&hand, a, a + 1);
        is_found(&hand, a, "the swap with the next one");
        swap(&hand, a, a + 1);
        swap(&hand, a, far);
        is_found(&hand, a, "the swap with one far away");
        swap(&hand, a, far);
    }
    is_good(&hand);
    sqlite3_close(hand.db);
}

/* -- cut off --------------------------------------------------------------- */

static void cut_after(struct hand *hand, int64_t seq, bool head_too)
{
    hand_sql(hand, "DELETE FROM journal WHERE seq > %lld", (long long)seq);
    if (head_too)
        hand_sql(
            hand,
            "UPDATE chain SET seq = %lld, hash = coalesce((SELECT hash FROM"
            " journal WHERE seq = %lld), '%064d')",
            (long long)seq, (long long)seq, 0);
}

static void test_any_end_cut_off(void **state)
{
    struct store_audit found;
    struct hand hand = {0};

    (void)state;
    hand_reach_in(&hand, history, __func__);
    for (int64_t seq = hand.last - 1; seq >= 0; seq--) {
        cut_after(&hand, seq, false);
        is_found(&hand, seq + 1, "that it was cut off");
    }
    hand_put_back(&hand);
    /* who makes the chain's end fit has the table of runs against him */
    for (int64_t seq = hand.last - 1; seq >= 0; seq--) {
        cut_after(&hand, seq, true);
        audit(&hand, NULL, &found);
        if (found.misfits == 0)
            fail_msg("not found: cut after record %lld, and the head",
                     (long long)seq);
    }
    hand_put_back(&hand);
    is_good(&hand);
    sqlite3_close(hand.db);
}

/* A whole run with its row and its end of the chain: only what was noted
 * elsewhere shows that. */
static void test_a_whole_run_forgotten(void **state)
{
    struct store_anchor noted;
    struct store_audit found;
    struct hand hand = {0};
    int64_t seq;

    (void)state;
    hand_reach_in(&hand, history, __func__);
    audit(&hand, NULL, &found);
    noted = found.head;
    audit(&hand, &noted, &found);
    assert_int_equal(found.misfits, 0);
    seq = strtoll(
        hand_ask(&hand, "SELECT began - 1 FROM runs ORDER BY began DESC"), NULL,
        10);
    cut_after(&hand, seq, true);
    hand_sql(&hand, "DELETE FROM runs WHERE began > %lld", (long long)seq);
    audit(&hand, NULL, &found);
    assert_int_equal(found.misfits, 0);
    audit(&hand, &noted, &found);
    assert_int_equal(found.misfits, 1);
    assert_int_equal(found.first_seq, noted.seq);
    /* made anew: the same number, another hash */
    noted.seq = seq;
    audit(&hand, &noted, &found);
    assert_int_equal(found.misfits, 1);
    assert_int_equal(found.first_seq, seq);
    sqlite3_close(hand.db);
}

/* -- the table of runs ----------------------------------------------------- */

static void test_a_row_of_a_run_changed(void **state)
{
    static const char *const changes[] = {
        "user_name = 'nobody'",     "host = 'elsewhere'",
        "playbook = 'cms/other'",   "target = 'other'",
        "inputs = '{\"a\":\"b\"}'", "clusters = '[\"other\"]'",
        "outcome = 'done-so'",      "exit_code = exit_code + 1",
        "ended_ms = ended_ms + 1",  "began = began + 1",
    };
    struct store_audit found;
    struct hand hand = {0};
    const char *run;

    (void)state;
    hand_reach_in(&hand, history, __func__);
    run = hand_ask(&hand, "SELECT id FROM runs ORDER BY began LIMIT 1");
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        hand_sql(&hand, "UPDATE runs SET %s WHERE id = '%s'", changes[i], run);
        audit(&hand, NULL, &found);
        if (found.misfits == 0 || strcmp(found.first_run, run) != 0)
            fail_msg("%s was not found", changes[i]);
        hand_put_back(&hand);
    }
    hand_sql(&hand, "DELETE FROM runs WHERE id = '%s'", run);
    audit(&hand, NULL, &found);
    assert_string_equal(found.first_run, run);
    sqlite3_close(hand.db);
}

/* -- as a user ------------------------------------------------------------- */

static const char *digest_of(struct bed *bed, const char *name)
{
    struct secret *bytes = file_read(
        arena_printf(&bed->arena, "%s/%s", bed->dir, name), DB_CAP, NULL);
    char hex[PKI_SHA256_HEX] = "none";

    if (bytes)
        pki_sha256(bytes->data, bytes->len, hex);
    secret_free(bytes);
    return arena_strdup(&bed->arena, hex);
}

static unsigned files_of_state(struct bed *bed)
{
    glob_t found;
    size_t n;

    assert_int_equal(glob(arena_printf(&bed->arena, "%s/state/*", bed->dir), 0,
                          NULL, &found),
                     0);
    n = found.gl_pathc;
    globfree(&found);
    return (unsigned)n;
}

/* Not one byte of the database and its log, no file more or less. */
static struct bed_run *verify_reads_only(struct bed *bed, const char *words)
{
    const char *db = digest_of(bed, "state/certfleet.db");
    const char *wal = digest_of(bed, "state/certfleet.db-wal");
    unsigned files = files_of_state(bed);
    struct bed_run *run = bed_do(bed, "audit verify %s", words);

    assert_string_equal(digest_of(bed, "state/certfleet.db"), db);
    assert_string_equal(digest_of(bed, "state/certfleet.db-wal"), wal);
    assert_int_equal(files_of_state(bed), files);
    return run;
}

#define audit_event(run) bed_await((run), "audit", NULL, NULL)

static void test_beside_a_run(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    struct bed_run *none = bed_do(bed, "audit verify");
    int hold =
        bed_id(bed_lab(bed, "hold core1 before 'database cluster init*'"));
    struct bed_run *run, *look;

    bed_ends(none, 2, "error"); /* and has made no folder */
    assert_false(file_exists(arena_printf(&bed->arena, "%s/state", bed->dir)));
    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    bed_lab(bed, "wait held %d", hold);
    look = verify_reads_only(bed, "");
    bed_ends(look, 0, "ok");
    assert_true(
        json_integer_value(json_object_get(audit_event(look), "records")) > 50);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 0, "done");
    bed_ends(verify_reads_only(bed, ""), 0, "ok");
    bed_is_new(bed, "lab", "core1");
}

static void test_what_it_says(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    struct bed_run *good, *bad;
    json_t *head, *first;
    struct hand hand = {0};
    const char *noted;

    live(bed);
    good = verify_reads_only(bed, "");
    bed_ends(good, 0, "ok");
    head = json_object_get(audit_event(good), "head");
    noted = arena_printf(
        &bed->arena, "%lld:%s",
        (long long)json_integer_value(json_object_get(head, "seq")),
        bed_text(head, "hash"));
    bed_ends(verify_reads_only(bed, noted), 0, "ok");
    bed_ends(bed_do(bed, "audit verify 12"), 2, "error");
    hand_reach_in(&hand, bed, "copy");
    change(&hand, 57, "data");
    bad = bed_do(bed, "audit verify --state-dir copy");
    bed_ends(bad, 1, "error");
    first = json_object_get(audit_event(bad), "first");
    assert_int_equal(json_integer_value(json_object_get(first, "seq")), 57);
    assert_string_equal(bed_text(first, "run"),
                        hand_ask(&hand, "SELECT run FROM was WHERE seq = 57"));
    assert_int_equal(
        json_integer_value(json_object_get(audit_event(bad), "misfits")), 1);
    assert_true(bed_said(bad, "journal record 57 (run 2"));
    sqlite3_close(hand.db);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_column_of_any_record),
        cmocka_unit_test(test_any_type_of_any_record),
        cmocka_unit_test(test_any_record_missing),
        cmocka_unit_test(test_any_two_swapped),
        cmocka_unit_test(test_any_end_cut_off),
        cmocka_unit_test(test_a_whole_run_forgotten),
        cmocka_unit_test(test_a_row_of_a_run_changed),
        cmocka_unit_test_teardown(test_beside_a_run, bed_stop),
        cmocka_unit_test_teardown(test_what_it_says, bed_stop),
    };
    static const struct CMUnitTest first[] = {
        cmocka_unit_test(test_a_history),
    };
    void *bed;
    int failed = cmocka_run_group_tests(first, NULL, NULL);

    failed = failed ? failed : crew_tests(tests);
    bed = history;
    return bed_stop(&bed) != 0 || failed != 0;
}
