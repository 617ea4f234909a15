/* SPDX-License-Identifier: Apache-2.0
 *
 * The store in one process: batches, order, the audit chain, reads, faults.
 */
#include "tests/unit/store_fixture.h"

/* -- batches --------------------------------------------------------------- */

static void a_turn_is_one_transaction(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    assert_int_equal(store_commits(bed->store), 1);
    for (int i = 0; i < 100; i++)
        put(bed->store, "r1", "act", "{}", &t);
    assert_int_equal(t.told, 1);
    settle_well(bed, &t);
    assert_int_equal(store_commits(bed->store), 2);
    assert_int_equal(verified(bed->store), 101);
    assert_false(uv_loop_alive(&bed->loop));
    bed_close(bed);
}

struct again {
    struct bed *bed;
    struct tally *t;
    int left;
};

static void on_again(void *user, const struct err *err)
{
    struct again *again = user;

    assert_null(err);
    if (again->left-- > 0)
        put(again->bed->store, "r1", "act", NULL, again->t);
}

/* What completions append goes together too, into the next one. */
static void completions_feed_the_next_batch(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct again again = {bed, &t, 10};
    struct store_record record = {.run = "r1", .kind = "act"};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    for (int i = 0; i < 10; i++)
        store_append(bed->store, &record, on_again, &again);
    settle_well(bed, &t);
    assert_int_equal(again.left, 0);
    assert_int_equal(store_commits(bed->store), 2);
    assert_int_equal(verified(bed->store), 21);
    bed_close(bed);
}

struct during {
    uv_timer_t timer;
    struct bed *bed;
    struct tally *t;
    struct raw raw;
    int left;
};

static void on_timer(uv_timer_t *timer)
{
    struct during *d = timer->data;

    put(d->bed->store, "r1", "act", NULL, d->t);
    if (--d->left == 0) {
        raw_say(&d->raw, "COMMIT");
        uv_close((uv_handle_t *)timer, NULL);
    }
}

/* While another process keeps the store busy a batch is in flight: the turns
 * that pass meanwhile become one transaction. */
static void what_comes_in_flight_waits_together(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct during d = {.bed = bed, .t = &t, .left = 20};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    d.raw = raw_open(bed);
    raw_lock(&d.raw);
    put(bed->store, "r1", "act", NULL, &t);
    uv_run(&bed->loop, UV_RUN_NOWAIT); /* it goes to the pool */
    uv_timer_init(&bed->loop, &d.timer);
    d.timer.data = &d;
    uv_timer_start(&d.timer, on_timer, 1, 1);
    settle_well(bed, &t);
    assert_int_equal(store_commits(bed->store), 3);
    assert_int_equal(verified(bed->store), 22);
    raw_close(&d.raw);
    bed_close(bed);
}

struct late {
    uv_prepare_t prepare;
    uv_timer_t deadline;
    struct bed *bed;
    struct tally t;
    bool overdue;
};

static void on_late_told(void *user, const struct err *err)
{
    struct late *late = user;

    assert_null(err);
    uv_close((uv_handle_t *)&late->deadline, NULL);
    uv_close((uv_handle_t *)&late->prepare, NULL);
}

static void on_late(uv_prepare_t *prepare)
{
    struct late *late = prepare->data;
    struct store_record record = {.run = "r1", .kind = "act"};

    store_append(late->bed->store, &record, on_late_told, late);
    uv_prepare_stop(prepare); /* closing it here would keep the loop awake */
}

static void on_overdue(uv_timer_t *timer)
{
    ((struct late *)timer->data)->overdue = true;
}

/* Appended when the loop is about to sleep: it must not sleep on it. */
static void what_comes_last_wakes_the_loop(void **state)
{
    struct bed *bed = *state;
    struct late late = {.bed = bed};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &late.t);
    settle_well(bed, &late.t);
    uv_timer_init(&bed->loop, &late.deadline);
    late.deadline.data = &late;
    uv_timer_start(&late.deadline, on_overdue, 10000, 0);
    uv_prepare_init(&bed->loop, &late.prepare);
    late.prepare.data = &late;
    uv_prepare_start(&late.prepare, on_late);
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    assert_false(late.overdue);
    assert_int_equal(verified(bed->store), 2);
    bed_close(bed);
}

static void close_writes_what_waits(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    put(bed->store, "r1", "act", NULL, &t);
    bed_close(bed);
    assert_int_equal(t.told, 2);
    assert_int_equal(t.bad, 0);
    bed_open(bed);
    assert_int_equal(verified(bed->store), 2);
    bed_close(bed);
}

static void close_waits_for_what_flies(void **state)
{
    struct bed *bed = *state;

    for (int i = 0; i < 20; i++) {
        char run[8];
        struct tally t = {0};
        snprintf(run, sizeof(run), "r%d", i);
        bed_open(bed);
        begin(bed->store, run, run, &t);
        uv_run(&bed->loop, UV_RUN_NOWAIT);
        put(bed->store, run, "act", NULL, &t);
        end(bed->store, run, "done", true, &t);
        store_close(bed->store);
        assert_int_equal(t.told, 3);
        assert_int_equal(t.bad, 0);
        uv_run(&bed->loop, UV_RUN_DEFAULT);
        assert_int_equal(uv_loop_close(&bed->loop), 0);
    }
    bed_open(bed);
    assert_int_equal(verified(bed->store), 60);
    bed_close(bed);
}

static void on_close(void *user, const struct err *err)
{
    struct bed *bed = user;

    assert_null(err);
    store_close(bed->store);
    bed->store = NULL;
}

static void a_completion_may_close(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct store_record record = {.run = "r1", .kind = "act"};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    store_append(bed->store, &record, on_close, bed);
    put(bed->store, "r1", "act", NULL, &t);
    settle_well(bed, &t);
    assert_null(bed->store);
    assert_int_equal(uv_loop_close(&bed->loop), 0);
}

/* -- the chain ------------------------------------------------------------- */

static void fill(struct bed *bed)
{
    struct tally t = {0};
    struct store_record record = {
        .run = "r1", .cluster = "", .node = NULL, .kind = "act"};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    for (int i = 0; i < 3; i++)
        put(bed->store, "r1", "act", "{\"n\":1}", &t);
    store_append(bed->store, &record, on_told, call_new(&t));
    t.in_call = false;
    settle_well(bed, &t);
    assert_int_equal(verified(bed->store), 5);
    bed_close(bed);
}

#define SOME_HASH                                                              \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void another_hand_is_seen(void **state)
{
    /* clang-format off */
    static const struct {
        const char *sql; int good; const char *says;
        bool lite_only; /* the other has no such text */
    } c[] = {
        { "UPDATE journal SET data = '{\"n\":2}' WHERE seq = 3",
          2, "record 3 " },
        { "UPDATE journal SET t_ms = t_ms + 1 WHERE seq = 2",
          1, "record 2 " },
        { "UPDATE journal SET cluster = NULL WHERE seq = 5", 4, "record 5 " },
        { "UPDATE journal SET node = '' WHERE seq = 5", 4, "record 5 " },
        { "UPDATE journal SET cluster = node, node = cluster WHERE seq = 5",
          4, "record 5 " },
        { "UPDATE journal SET data = CAST(x'7b7d00' AS TEXT) WHERE seq = 3",
          2, "record 3 ", .lite_only = true },
        { "UPDATE journal SET hash = '" SOME_HASH "' WHERE seq = 1",
          0, "record 1 " },
        { "DELETE FROM journal WHERE seq = 3", 2, "record 3 is missing" },
        { "DELETE FROM journal WHERE seq = 1", 0, "record 1 is missing" },
        { "DELETE FROM journal WHERE seq = 5", 4, "end with record 4" },
        { "UPDATE journal SET seq = 9 WHERE seq = 2;"
          "UPDATE journal SET seq = 2 WHERE seq = 3;"
          "UPDATE journal SET seq = 3 WHERE seq = 9", 1, "record 2 " },
        { "UPDATE chain SET hash = 'x'", 5, "end with record 5" },
    };
    /* clang-format on */
    struct bed *bed = *state;

    for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
        struct bed one;
        struct err err = {0};
        int64_t records;
        if (c[i].lite_only && bed->url[0])
            continue;
        folder_make(&one);
        fill(&one);
        raw_do(&one, c[i].sql);
        one.store = bed_store(&one, NULL, &err);
        assert_non_null(one.store);
        assert_int_equal(store_verify(one.store, &records, &err), -1);
        assert_int_equal(records, c[i].good);
        assert_says(&err, c[i].says);
        store_close(one.store);
        folder_remove(&one);
    }
    fill(bed);
}

/* The encoding is fixed: a journal of today must verify for ever. */
static void the_hash_is_what_it_was(void **state)
{
    struct chain_field f[CHAIN_FIELDS] = {{"r", 1}, {NULL, 0}, {"", 0},
                                          {"s", 1}, {"k", 1},  {"{}", 2}};
    unsigned char hash[CHAIN_BYTES] = {0};
    char text[CHAIN_TEXT_BYTES];
    struct err err = {0};

    (void)state;
    assert_int_equal(chain_next(hash, 1, 1795231159123, f, &err), 0);
    chain_text(hash, text);
    assert_string_equal(
        text,
        "7f8c2f7435019fb9dbc3d860b7e28404fd5f7e09d78c2e823c47014f4d67dd16");
}

/* -- faults ---------------------------------------------------------------- */

enum fault_what {
    FAULT_BEGIN,
    FAULT_APPEND,
    FAULT_TAKEOVER,
    FAULT_END
};

static void fault_write(struct bed *bed, enum fault_what what, struct tally *t)
{
    if (what == FAULT_BEGIN)
        begin(bed->store, "r1", "emea", t);
    else if (what == FAULT_TAKEOVER)
        takeover(bed->store, "r1", t);
    put(bed->store, "r1", "act", "{}", t);
    put(bed->store, "r1", "act", NULL, t);
    if (what == FAULT_END)
        end(bed->store, "r1", "done", true, t);
}

static void fault_prepare(struct bed *bed, enum fault_what what)
{
    struct tally t = {0};

    if (what != FAULT_BEGIN)
        begin(bed->store, "r1", "emea", &t);
    if (what == FAULT_TAKEOVER)
        end(bed->store, "r1", "incomplete", false, &t);
    settle_well(bed, &t);
}

static bool is_living(const struct bed *bed)
{
    char path[128];

    if (bed->url[0])
        return raw_number(bed, "SELECT COUNT(*) FROM leases") > 0;
    snprintf(path, sizeof(path), "%s/locks/r1.lock", bed->folder);
    return access(path, F_OK) == 0;
}

/* Whatever step fails: each is told once, nothing is in, the rest stands. */
static void fault_check(struct bed *bed, enum fault_what what, struct tally *t,
                        int64_t before)
{
    bool held = what == FAULT_APPEND || what == FAULT_END;

    assert_int_equal(t->bad, t->asked);
    assert_int_equal(t->err.cause, CAUSE_SYSTEM);
    assert_says(&t->err, "no room left");
    assert_int_equal(verified(bed->store), before);
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM runs"),
                     what == FAULT_BEGIN ? 0 : 1);
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM locks"),
                     what == FAULT_BEGIN ? 0 : 1);
    assert_int_equal(is_living(bed), held);
    put(bed->store, "r1", "act", NULL, t); /* final for this run */
    settle(bed, t);
    assert_int_equal(t->bad, t->asked);
    assert_int_equal(verified(bed->store), before);
}

/* Once there is room again: what is still to be tried comes through. */
static void fault_recover(struct bed *bed, enum fault_what what)
{
    struct tally t = {0};

    if (what == FAULT_BEGIN)
        begin(bed->store, "r1", "emea", &t);
    if (what == FAULT_TAKEOVER)
        takeover(bed->store, "r1", &t);
    if (what == FAULT_BEGIN || what == FAULT_TAKEOVER)
        put(bed->store, "r1", "act", NULL, &t);
    end(bed->store, "r1", "done", true, &t);
    settle_well(bed, &t);
    assert_false(is_living(bed));
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM locks"), 0);
    verified(bed->store);
}

static bool fault_one(enum fault_what what, int n)
{
    struct tally t = {0};
    struct bed bed;
    int64_t before;

    folder_make(&bed);
    bed_open(&bed);
    fault_prepare(&bed, what);
    before = verified(bed.store);
    store_fail_at(bed.store, n);
    fault_write(&bed, what, &t);
    settle(&bed, &t);
    store_fail_at(bed.store, 0);
    if (t.bad) {
        fault_check(&bed, what, &t, before);
        fault_recover(&bed, what);
    }
    bed_close(&bed);
    folder_remove(&bed);
    return t.bad > 0;
}

static void every_step_may_fail(void **state)
{
    int step = bed_server.pid ? 3 : 1; /* a store on a server takes longer */

    (void)state;
    for (enum fault_what what = FAULT_BEGIN; what <= FAULT_END; what++) {
        int n = 1;
        while (fault_one(what, n))
            n += step;
        assert_true(n > 6); /* BEGIN, head, fence, 2 records, head, COMMIT */
        assert_true(n < 50);
    }
}

/* clang-format off */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_turn_is_one_transaction),
        CASE(completions_feed_the_next_batch),
        CASE(what_comes_in_flight_waits_together),
        CASE(what_comes_last_wakes_the_loop),
        CASE(close_writes_what_waits),
        CASE(close_waits_for_what_flies),
        CASE(a_completion_may_close),
        CASE(another_hand_is_seen),
        cmocka_unit_test(the_hash_is_what_it_was),
        cmocka_unit_test(every_step_may_fail),
    };

    return bed_run("batches", tests, sizeof(tests) / sizeof(*tests));
}
