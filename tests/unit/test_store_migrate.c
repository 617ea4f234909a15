/* SPDX-License-Identifier: Apache-2.0
 *
 * A store moved into another one, between both databases and both ways: the
 * same records, the same chain, all or nothing.
 */
#include "tests/unit/slow.h"
#include "tests/unit/store_parts.h"

enum {
    MANY = 1100 /* records of one run: more than one page */
};

static void fill(struct bed *bed)
{
    struct tally t = {0};
    struct store_record odd = {.run = "r1",
                               .cluster = "",
                               .kind = "act",
                               .data = "{\"a\":\"\\u00e4?\"}"};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    for (int i = 0; i < MANY; i++)
        put(bed->store, "r1", "act", "{\"n\":1}", &t);
    store_append(bed->store, &odd, on_told, call_new(&t));
    t.in_call = false;
    end(bed->store, "r1", "done", true, &t);
    begin(bed->store, "r2", "apac", &t);
    put(bed->store, "r2", "generation", "{\"number\":7}", &t);
    end(bed->store, "r2", "incomplete", false, &t);
    settle_well(bed, &t);
    bed_close(bed);
}

enum {
    RECORDS = MANY + 6
};

/* A bed on SQLite, whatever this round is about. */
static void lite_make(struct bed *bed)
{
    folder_make(bed);
    bed->url[0] = '\0';
}

static int migrate(const struct bed *from, const struct bed *to, int fail_at,
                   struct err *err)
{
    struct store *a = bed_store(from, NULL, err), *b = bed_store(to, NULL, err);
    struct store_moved moved;
    int64_t records = raw_number(from, "SELECT COUNT(*) FROM journal");
    int rc;

    assert_non_null(a);
    assert_non_null(b);
    store_fail_at(b, fail_at);
    err_reset(err);
    rc = store_migrate(a, b, &moved, err);
    store_fail_at(b, 0);
    if (rc == 0) {
        assert_int_equal(moved.records, records);
        assert_int_equal(moved.runs, 2);
        assert_int_equal(moved.head.seq, records + 1);
    }
    store_close(a);
    store_close(b);
    return rc;
}

static struct store_audit audited(const struct bed *bed,
                                  const struct store_anchor *anchor)
{
    struct store *store = bed_store(bed, NULL, NULL);
    struct store_audit audit;
    struct err err = {0};

    assert_non_null(store);
    assert_int_equal(store_audit(store, anchor, &audit, &err), 0);
    assert_int_equal(audit.misfits, 0);
    store_close(store);
    return audit;
}

/* Where it ends then. */
static struct store_anchor filled(struct bed *bed)
{
    struct store_anchor head;

    fill(bed);
    head = audited(bed, NULL).head;
    assert_int_equal(head.seq, RECORDS);
    return head;
}

/* `before` is where it ended when it was moved; one record more says where to
 * on this side, where from on that. */
static void are_moved(const struct bed *from, const struct bed *to,
                      const struct store_anchor *before)
{
    struct store_anchor here = audited(from, before).head;
    struct store_anchor there = audited(to, before).head;

    assert_int_equal(here.seq, before->seq + 1);
    assert_int_equal(there.seq, before->seq + 1);
    assert_string_not_equal(here.hash, there.hash);
}

/* Who still has the old one in its inventory is told the new one. */
static void is_not_gone_on_with(struct bed *bed, const struct bed *other)
{
    struct err err = {0};
    struct tally t = {0};

    bed_open(bed);
    begin(bed->store, "r3", "emea", &t);
    settle(bed, &t);
    assert_int_equal(t.bad, 1);
    assert_int_equal(t.err.cause, CAUSE_INPUT);
    assert_says(&t.err, "was moved to ");
    assert_says(&t.err, other->url[0] ? other->url : other->folder);
    t = (struct tally){0};
    store_takeover(bed->store, "r2", on_told, call_new(&t));
    t.in_call = false;
    settle(bed, &t);
    assert_int_equal(t.bad, 1);
    assert_int_equal(t.err.cause, CAUSE_INPUT);
    assert_int_equal(store_unlock(bed->store, "apac", "r2", &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_says(&err, "was moved to ");
    bed_close(bed);
}

static void assert_well(int rc, const struct err *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

/* And what was unfinished is gone on with there. */
static void there_and_back(void **state)
{
    struct bed *bed = *state, other, back;
    struct store_anchor was, then;
    struct err err = {0};
    unsigned number = 0;

    lite_make(&other);
    folder_make(&back);
    was = filled(bed);
    assert_well(migrate(bed, &other, 0, &err), &err);
    are_moved(bed, &other, &was);
    is_not_gone_on_with(bed, &other);
    then = audited(&other, NULL).head;
    assert_well(migrate(&other, &back, 0, &err), &err);
    are_moved(&other, &back, &then);
    audited(&back, &was);
    assert_run(&back, "r1", (struct seen){1, false, false, true});
    assert_run(&back, "r2", (struct seen){1, false, true, true});
    perform(&back, "r2", "apac", play_resume);
    assert_run(&back, "r2", (struct seen){1, false, false, true});
    back.store = bed_store(&back, NULL, &err);
    assert_int_equal(store_generation(back.store, "emea", &number, &err), 0);
    assert_int_equal(number, 7); /* put() writes of emea */
    store_close(back.store);
    folder_remove(&other);
    folder_remove(&back);
}

static void two_are_not_made_one(void **state)
{
    struct bed *bed = *state, other;
    struct err err = {0};

    lite_make(&other);
    fill(bed);
    fill(&other);
    assert_int_equal(migrate(bed, &other, 0, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_says(&err, "is not empty");
    assert_int_equal(raw_number(&other, "SELECT COUNT(*) FROM journal"),
                     RECORDS);
    folder_remove(&other);
}

static void what_was_changed_is_not_moved(void **state)
{
    struct bed *bed = *state, other;
    struct err err = {0};

    lite_make(&other);
    fill(bed);
    raw_do(bed, "UPDATE journal SET data = '{}' WHERE seq = 3");
    assert_int_equal(migrate(bed, &other, 0, &err), -1);
    assert_says(&err, "record 3 ");
    assert_int_equal(raw_number(&other, "SELECT COUNT(*) FROM journal"), 0);
    folder_remove(&other);
}

static void play_hold(struct part *p)
{
    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    settle_well(p->bed, &p->t);
    park(p);
    bed_close(p->bed);
}

static void a_living_run_stays(void **state)
{
    struct bed *bed = *state, other;
    struct err err = {0};
    struct part holder;

    lite_make(&other);
    part_start(&holder, bed, "r1", "emea", play_hold);
    part_await(&holder);
    assert_int_equal(migrate(bed, &other, 0, &err), -1);
    assert_int_equal(err.cause, CAUSE_LOCKED);
    assert_says(&err, "run r1 is at work");
    part_go(&holder);
    assert_int_equal(part_end(&holder), 0);
    folder_remove(&other);
}

/* Wherever it stops, the target is as empty as before, and takes it the next
 * time. */
static void it_is_all_or_nothing(void **state)
{
    static const int places[] = {
        1,    2,           3,           4,           500,
        MANY, RECORDS + 4, RECORDS + 6, RECORDS + 9, RECORDS + 10};
    struct bed *bed = *state, other;
    struct store_anchor was;
    struct err err = {0};

    folder_make(&other);
    was = filled(bed);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places);
         i += is_slow() ? 4 : 1) {
        assert_int_equal(migrate(bed, &other, places[i], &err), -1);
        assert_says(&err, "no room left");
        assert_int_equal(raw_number(&other, "SELECT COUNT(*) FROM journal"), 0);
        assert_int_equal(raw_number(&other, "SELECT COUNT(*) FROM runs"), 0);
    }
    assert_well(migrate(bed, &other, 0, &err), &err);
    are_moved(bed, &other, &was);
    folder_remove(&other);
}

struct doomed {
    const struct bed *from, *to;
};
static struct doomed doomed;

static void play_doomed(struct part *p)
{
    struct err err = {0};

    (void)p;
    migrate(doomed.from, doomed.to, 0, &err);
}

/* Until somebody waits for a lock that we have. */
static void await_waiter(const struct bed *bed)
{
    for (int i = 0; i < 600; i++) {
        if (raw_number(bed, "SELECT COUNT(*) FROM pg_stat_activity"
                            " WHERE wait_event_type = 'Lock'") > 0)
            return;
        poll(NULL, 0, 50);
    }
    fail_msg("nobody waits");
}

/* The same for a process that is killed when all but the last part is there.
 * (Of SQLite's file test_store_crash.c and tests/prove know what it does.) */
static void who_is_killed_leaves_nothing(void **state)
{
    struct bed *bed = *state, other;
    struct store_anchor was;
    struct err err = {0};
    struct part part;
    struct raw raw;

    if (!bed->url[0])
        return;
    folder_make(&other);
    was = filled(bed);
    migrate(bed, &other, 2, &err); /* so that there are tables */
    raw = raw_open(&other);
    raw_say(&raw, "BEGIN; LOCK TABLE locks IN EXCLUSIVE MODE");
    doomed = (struct doomed){bed, &other};
    part_start(&part, bed, "r1", "emea", play_doomed);
    await_waiter(&other);
    part_kill(&part);
    raw_say(&raw, "COMMIT");
    raw_close(&raw);
    assert_int_equal(raw_number(&other, "SELECT COUNT(*) FROM journal"), 0);
    assert_well(migrate(bed, &other, 0, &err), &err);
    are_moved(bed, &other, &was);
    folder_remove(&other);
}

/* clang-format off */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(there_and_back),
        CASE(two_are_not_made_one),
        CASE(what_was_changed_is_not_moved),
        CASE(a_living_run_stays),
        CASE(it_is_all_or_nothing),
        CASE(who_is_killed_leaves_nothing),
    };

    alarm(110);
    return bed_run("migrate", tests, sizeof(tests) / sizeof(*tests));
}
