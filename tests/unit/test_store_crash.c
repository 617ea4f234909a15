/* SPDX-License-Identifier: Apache-2.0
 *
 * The store under many processes at once, and after one that is gone: what was
 * completed is there, whatever became of who wrote it.
 */
#include "tests/unit/store_parts.h"

#include <sys/resource.h>

static const struct seen dead = {1, false, true, false};
static const struct seen over = {1, false, false, true};

static void play_race(struct part *p)
{
    park(p);
    bed_open(p->bed);
    begin(p->bed->store, p->run, "emea", &p->t);
    settle(p->bed, &p->t);
    assert_int_equal(write(p->here[1], p->t.bad ? "n" : "y", 1), 1);
    park(p);
}

enum {
    RACERS = 6
};

/* All open a folder that is not there yet and want the same cluster. */
static void one_of_many_gets_the_cluster(void **state)
{
    static const char *const runs[RACERS] = {"r0", "r1", "r2",
                                             "r3", "r4", "r5"};
    struct part racers[RACERS];
    struct bed *bed = *state;
    int winners = 0;

    for (int i = 0; i < RACERS; i++) {
        part_start(&racers[i], bed, runs[i], "emea", play_race);
        part_await(&racers[i]);
    }
    for (int i = 0; i < RACERS; i++)
        part_go(&racers[i]);
    for (int i = 0; i < RACERS; i++) {
        char c = 0;
        assert_int_equal(read(racers[i].here[0], &c, 1), 1);
        assert_true(c == 'y' || c == 'n');
        winners += c == 'y';
    }
    assert_int_equal(winners, 1);
    for (int i = 0; i < RACERS; i++) {
        part_await(&racers[i]);
        part_go(&racers[i]);
    }
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(part_end(&racers[i]), 0);
}

static void play_busy(struct part *p)
{
    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    for (int i = 0; i < 50; i++) {
        put(p->bed->store, p->run, "act", "{}", &p->t);
        put(p->bed->store, p->run, "act", NULL, &p->t);
        settle_well(p->bed, &p->t);
    }
    end(p->bed->store, p->run, "done", true, &p->t);
    settle_well(p->bed, &p->t);
    bed_close(p->bed);
}

static void two_runs_share_the_journal(void **state)
{
    struct bed *bed = *state;
    struct part a, b;

    part_start(&a, bed, "r1", "emea", play_busy);
    part_start(&b, bed, "r2", "apac", play_busy);
    assert_int_equal(part_end(&a), 0);
    assert_int_equal(part_end(&b), 0);
    assert_run(bed, "r1", over);
    assert_run(bed, "r2", over);
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM journal"), 204);
}

/* -- what is left ---------------------------------------------------------- */

static void on_durable(void *user, const struct err *err)
{
    (void)user;
    if (err)
        _exit(1);
    kill(getpid(), SIGKILL); /* in the completion itself */
}

static void play_die(struct part *p)
{
    struct store_record record = {.run = p->run, .kind = "last"};

    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    settle_well(p->bed, &p->t);
    put(p->bed->store, p->run, "act", "{}", &p->t);
    store_append(p->bed->store, &record, on_durable, NULL);
    settle_well(p->bed, &p->t);
}

static void what_was_completed_is_there(void **state)
{
    struct bed *bed = *state;
    struct part part;
    int status;

    part_start(&part, bed, "r1", "emea", play_die);
    status = part_end(&part);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    bed_time_passes(bed);
    assert_run(bed, "r1", dead);
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM journal"), 3);
    assert_int_equal(
        raw_number(bed, "SELECT seq FROM journal WHERE kind = 'last'"), 3);
}

/* A disk that really takes no more: files cannot grow past the limit. */
static void play_full(struct part *p)
{
    struct rlimit limit = {400 * 1024, 400 * 1024};
    char data[8192];

    memset(data, 'x', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    settle_well(p->bed, &p->t);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 200 && !p->t.bad; i++) {
        put(p->bed->store, p->run, "act", data, &p->t);
        put(p->bed->store, p->run, "act", data, &p->t);
        settle(p->bed, &p->t);
    }
    assert_int_equal(p->t.bad, 2);
    assert_int_equal(p->t.err.cause, CAUSE_SYSTEM);
    assert_says(&p->t.err, p->bed->folder);
    assert_int_equal(verified(p->bed->store), p->t.told - p->t.bad);
    /* there is no room to end it either: killed, as it were */
}

static void a_full_disk_leaves_it_whole(void **state)
{
    struct bed *bed = *state;

    if (bed->url[0])
        return; /* the disk is the server's */
    perform(bed, "r1", "emea", play_full);
    assert_run(bed, "r1", dead);
    assert_true(raw_number(bed, "SELECT COUNT(*) FROM journal") > 5);
    perform(bed, "r1", "emea", play_resume);
    assert_run(bed, "r1", over);
}

/* clang-format off */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_of_many_gets_the_cluster),
        CASE(two_runs_share_the_journal),
        CASE(what_was_completed_is_there),
        CASE(a_full_disk_leaves_it_whole),
    };

    alarm(110);
    return bed_run("crashes", tests, sizeof(tests) / sizeof(*tests));
}
