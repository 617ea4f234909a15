/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks among processes: who holds a cluster, who lives, who was shut out, and
 * what the one that comes too late is told.
 */
#include "tests/unit/slow.h"
#include "tests/unit/store_parts.h"

/* -- parts ----------------------------------------------------------------- */

static void play_hold(struct part *p)
{
    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    put(p->bed->store, p->run, "act", "{}", &p->t);
    settle_well(p->bed, &p->t);
    park(p);
    put(p->bed->store, p->run, "act", "{}", &p->t);
    settle_well(p->bed, &p->t);
}

static void expect_locked(struct part *p, const char *const *says)
{
    settle(p->bed, &p->t);
    assert_int_equal(p->t.bad, p->t.asked);
    assert_int_equal(p->t.err.cause, CAUSE_LOCKED);
    for (; *says; says++)
        assert_says(&p->t.err, *says);
    assert_int_equal(store_commits(p->bed->store), 0);
    bed_close(p->bed);
}

static void play_begin_living(struct part *p)
{
    static const char *const says[] = {
        "run r2 ",     "cluster emea",           "run r1 of alice@ctrl1 (pid ",
        "is at work ", "`certfleet show -f r1`", NULL};

    bed_open(p->bed);
    begin(p->bed->store, p->run, "emea", &p->t);
    put(p->bed->store, p->run, "act", "{}", &p->t);
    expect_locked(p, says);
}

static void play_begin_dead(struct part *p)
{
    static const char *const says[] = {"run r2 ",
                                       "cluster emea",
                                       "unfinished run r1 of alice@ctrl1 (pid ",
                                       "(its process is gone)",
                                       "`certfleet resume r1`",
                                       "`certfleet rollback r1`",
                                       "`certfleet unlock emea --run r1`",
                                       NULL};

    bed_open(p->bed);
    begin(p->bed->store, p->run, "emea", &p->t);
    expect_locked(p, says);
}

static void play_begin_incomplete(struct part *p)
{
    static const char *const says[] = {"unfinished run r1 ",
                                       ", ended incomplete)", NULL};

    bed_open(p->bed);
    begin(p->bed->store, p->run, "emea", &p->t);
    expect_locked(p, says);
}

static void play_takeover_living(struct part *p)
{
    static const char *const says[] = {"run r1 is still at work (alice@ctrl1, "
                                       "pid ",
                                       "`certfleet show -f r1`", NULL};

    bed_open(p->bed);
    takeover(p->bed->store, "r1", &p->t);
    expect_locked(p, says);
}

static void play_takeover_held(struct part *p)
{
    static const char *const says[] = {"run r1 cannot have cluster emea",
                                       "run r2 ", "is at work", NULL};

    bed_open(p->bed);
    takeover(p->bed->store, "r1", &p->t);
    expect_locked(p, says);
}

static void play_incomplete(struct part *p)
{
    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    end(p->bed->store, p->run, "incomplete", false, &p->t);
    settle_well(p->bed, &p->t);
    bed_close(p->bed);
}

/* -- looking on ------------------------------------------------------------ */

static int unlock(struct bed *bed, const char *cluster, const char *run,
                  struct err *err)
{
    struct store *store = bed_store(bed, NULL, err);
    int rc;

    assert_non_null(store);
    err_reset(err);
    rc = store_unlock(store, cluster, run, err);
    verified(store);
    store_close(store);
    return rc;
}

static const struct seen living = {1, true, true, false};
static const struct seen dead = {1, false, true, false};
static const struct seen over = {1, false, false, true};
static const struct seen stuck = {1, false, true, true};

/* -- locks ----------------------------------------------------------------- */

static void a_living_run_keeps_its_cluster(void **state)
{
    struct bed *bed = *state;
    struct err err = {0};
    struct part holder;

    part_start(&holder, bed, "r1", "emea", play_hold);
    part_await(&holder);
    assert_run(bed, "r1", living);
    perform(bed, "r2", "emea", play_begin_living);
    perform(bed, "r1", "emea", play_takeover_living);
    assert_int_equal(unlock(bed, "emea", "r1", &err), -1);
    assert_int_equal(err.cause, CAUSE_LOCKED);
    assert_says(&err, "run r1 is still at work");
    perform(bed, "r3", "apac", play_whole); /* another cluster is free */
    assert_run(bed, "r2", (struct seen){0});
    part_go(&holder); /* and nothing was taken from it */
    assert_int_equal(part_end(&holder), 0);
}

static void a_killed_run_is_dead(void **state)
{
    struct bed *bed = *state;
    struct part holder;

    part_start(&holder, bed, "r1", "emea", play_hold);
    part_await(&holder);
    part_kill(&holder);
    bed_time_passes(bed);
    assert_run(bed, "r1", dead);
    perform(bed, "r2", "emea", play_begin_dead);
    assert_run(bed, "r2", (struct seen){0});
    perform(bed, "r1", "emea", play_resume);
    assert_run(bed, "r1", over);
    perform(bed, "r3", "emea", play_whole);
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM journal"), 7);
}

static void an_incomplete_run_keeps_its_cluster(void **state)
{
    struct bed *bed = *state;

    perform(bed, "r1", "emea", play_incomplete);
    assert_run(bed, "r1", stuck);
    perform(bed, "r2", "emea", play_begin_incomplete);
    perform(bed, "r1", "emea", play_resume);
    assert_run(bed, "r1", over);
}

static void a_cluster_of_another_is_not_taken_over(void **state)
{
    struct bed *bed = *state;
    struct part holder;

    perform(bed, "r1", "emea", play_whole);
    part_start(&holder, bed, "r2", "emea", play_hold);
    part_await(&holder);
    perform(bed, "r1", "emea", play_takeover_held);
    assert_run(bed, "r1", over);
    part_kill(&holder);
    bed_time_passes(bed);
}

static void unlock_abandons_the_dead(void **state)
{
    struct bed *bed = *state;
    struct err err = {0};
    struct part holder;

    part_start(&holder, bed, "r1", "emea", play_hold);
    part_await(&holder);
    part_kill(&holder);
    bed_time_passes(bed);
    assert_int_equal(unlock(bed, "emea", "r9", &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_says(&err, "held by run r1, not by r9");
    assert_int_equal(unlock(bed, "apac", "r1", &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_says(&err, "no run holds cluster apac");
    assert_int_equal(unlock(bed, "emea", "r1", &err), 0);
    assert_run(bed, "r1", over);
    assert_int_equal(
        raw_number(bed, "SELECT COUNT(*) FROM journal WHERE cluster = 'emea'"
                        " AND kind = 'run' AND data LIKE '%\"unlock\"%'"),
        1);
    perform(bed, "r2", "emea", play_whole);
}

/* Every step of an unlock may fail: then the lock stands. */
static void unlock_is_all_or_nothing(void **state)
{
    struct bed *bed = *state;
    struct part holder;
    struct store *store;
    int n = 1;

    part_start(&holder, bed, "r1", "emea", play_hold);
    part_await(&holder);
    part_kill(&holder);
    bed_time_passes(bed);
    store = bed_store(bed, NULL, NULL);
    assert_non_null(store);
    for (;; n++) {
        struct err err = {0};
        store_fail_at(store, n);
        if (store_unlock(store, "emea", "r1", &err) == 0)
            break;
        store_fail_at(store, 0);
        assert_int_equal(err.cause, CAUSE_SYSTEM);
        assert_int_equal(verified(store), 2);
        assert_run(bed, "r1", dead);
    }
    store_fail_at(store, 0);
    assert_true(n > 7);
    store_close(store);
    assert_run(bed, "r1", over);
}

static void play_shut_out(struct part *p)
{
    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    settle_well(p->bed, &p->t);
    park(p);
    put(p->bed->store, p->run, "act", "{}", &p->t);
    put(p->bed->store, p->run, "act", "{}", &p->t);
    end(p->bed->store, p->run, "done", true, &p->t);
    settle(p->bed, &p->t);
    assert_int_equal(p->t.bad, 3);
    assert_int_equal(p->t.err.cause, CAUSE_LOCKED);
    assert_says(&p->t.err, "run r1 was taken away from this process");
    bed_close(p->bed);
}

/* A process that only seems dead (its lock file is gone, as on a network file
 * system that lost its locks; its lease has run out) writes nothing any more.
 */
static void who_lost_the_lock_is_shut_out(void **state)
{
    struct bed *bed = *state;
    struct err err = {0};
    struct part holder;
    char path[128];

    snprintf(path, sizeof(path), "%s/locks/r1.lock", bed->folder);
    part_start(&holder, bed, "r1", "emea", play_shut_out);
    part_await(&holder);
    if (bed->url[0])
        bed_time_passes(bed);
    else
        assert_int_equal(unlink(path), 0);
    assert_int_equal(unlock(bed, "emea", "r1", &err), 0);
    part_go(&holder);
    assert_int_equal(part_end(&holder), 0);
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM journal"), 2);
    perform(bed, "r1", "emea", play_resume); /* with a new number */
    assert_run(bed, "r1", over);
}

/* What two have seen to be due, one has renewed meanwhile. */
static void a_cluster_that_was_changed_is_left(void **state)
{
    struct bed *bed = *state;
    const char *cluster = "emea";
    struct store_run row = {.id = "r3", .playbook = "p", .target = cluster};
    const struct store_names names = {&cluster, 1};
    struct tally t = {0};

    if (is_slow())
        skip(); /* valgrind takes our loop for lost in the child */
    perform(bed, "r1", "emea", play_whole);
    bed_open(bed);
    assert_int_equal(store_head(bed->store, &row.seen, &t.err), 0);
    assert_int_equal(row.seen, 2);
    perform(bed, "r2", "emea", play_whole);
    store_begin(bed->store, &row, &names, on_told, call_new(&t));
    t.in_call = false;
    settle(bed, &t);
    assert_int_equal(t.bad, 1);
    assert_int_equal(t.err.cause, CAUSE_LOCKED);
    assert_says(&t.err, "run r2 has changed cluster emea since");
    assert_int_equal(store_head(bed->store, &row.seen, &t.err), 0);
    store_begin(bed->store, &row, &names, on_told, call_new(&t));
    t.in_call = false;
    settle(bed, &t);
    assert_int_equal(t.bad, 1);
    bed_close(bed);
}

/* clang-format off */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_living_run_keeps_its_cluster),
        CASE(a_killed_run_is_dead),
        CASE(an_incomplete_run_keeps_its_cluster),
        CASE(a_cluster_of_another_is_not_taken_over),
        CASE(unlock_abandons_the_dead),
        CASE(unlock_is_all_or_nothing),
        CASE(who_lost_the_lock_is_shut_out),
        CASE(a_cluster_that_was_changed_is_left),
    };

    alarm(110);
    return bed_run("locks", tests, sizeof(tests) / sizeof(*tests));
}
