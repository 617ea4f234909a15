/* SPDX-License-Identifier: Apache-2.0
 *
 * What only the store on PostgreSQL has: leases that run out, servers that are
 * away, and what its URL may hold.  What it has in common with SQLite the other
 * test_store_*.c run on both.
 */
#include "tests/unit/store_parts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/clock.h"

enum {
    LEASE_S = 2
};

/* -- URLs -------------------------------------------------------------------
 */

static void no_secret_stands_in_a_url(void **state)
{
    static const char *const urls[] = {
        "postgresql://u:hush@h/d",          "postgresql://h/d?password=hush",
        "postgresql://h/d?%70assword=hush", "postgresql://h/d?sslpassword=hush",
        "postgresql://h/d?nonsense=hush",   "hush",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        struct store_place place = {.folder = "/tmp", .url = urls[i]};
        struct err err = {0};

        assert_null(store_open_at(&place, NULL, &err));
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_null(strstr(err.text, "hush"));
        err_reset(&err);
        assert_null(store_open_reader(&place, &err));
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_null(strstr(err.text, "hush"));
    }
}

/* -- servers that are away ---------------------------------------------------
 */

/* A port of ours where nobody is: *fd stays open, and is listened to or not. */
static void port_url(int *fd, bool listens, char url[128])
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &len), 0);
    if (listens)
        assert_int_equal(listen(*fd, 8), 0);
    snprintf(url, 128, "postgresql://certfleet@127.0.0.1:%d/certfleet",
             ntohs(at.sin_port));
}

static void away(bool listens, const char *says, uint64_t within_ms)
{
    struct store_place place = {.folder = "/tmp"};
    uint64_t began = clock_mono_ms();
    struct err err = {0};
    char url[128];
    int fd;

    port_url(&fd, listens, url);
    place.url = url;
    assert_null(store_open_reader(&place, &err));
    assert_int_equal(err.cause, CAUSE_SYSTEM);
    assert_says(&err, url);
    assert_says(&err, says);
    assert_true(clock_mono_ms() - began < within_ms);
    close(fd);
}

static void a_closed_port_is_told(void **state)
{
    (void)state;
    away(false, "Connection refused", 5000);
}

static void a_silent_server_costs_seconds(void **state)
{
    (void)state;
    away(true, "no answer in time", 20000);
}

/* -- the schema ---------------------------------------------------------------
 */

static void a_newer_schema_is_refused_there(void **state)
{
    struct bed *bed = *state;
    struct err err = {0};

    perform(bed, "r1", "emea", play_whole);
    raw_do(bed, "UPDATE certfleet SET version = 2");
    assert_null(bed_store(bed, NULL, &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_says(&err, bed->url);
    assert_says(&err, "newer certfleet (schema 2, this one knows 1)");
}

static void another_encoding_is_refused(void **state)
{
    struct bed *bed = *state;
    struct store_place place = {.folder = bed->folder};
    struct err err = {0};
    char url[256];

    pg_server_url(&bed_server, "", url, sizeof(url));
    pg_server_ask(url, "CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE"
                       " template0 LOCALE 'C'");
    snprintf(url, sizeof(url), "postgresql://certfleet@/narrow?host=%s",
             bed_server.folder);
    place.url = url;
    assert_null(store_open_at(&place, NULL, &err));
    assert_says(&err, "its encoding is LATIN1");
}

/* -- leases
 * -------------------------------------------------------------------- */

struct lapse {
    struct bed *bed;
    uv_timer_t deadline;
    bool over;
    int told;
    struct err err;
};

static void on_lapse(void *user, const char *run, const struct err *err)
{
    struct lapse *lapse = user;

    assert_string_equal(run, "r1");
    lapse->told++;
    lapse->err = *err;
}

static void on_deadline(uv_timer_t *timer)
{
    ((struct lapse *)timer->data)->over = true;
}

static void short_open(struct bed *bed, struct lapse *lapse)
{
    const struct store_place place = {
        .folder = bed->folder, .url = bed->url, .lease_s = LEASE_S};
    struct err err = {0};

    memset(lapse, 0, sizeof(*lapse));
    lapse->bed = bed;
    assert_int_equal(uv_loop_init(&bed->loop), 0);
    bed->store = store_open_at(&place, &bed->loop, &err);
    if (!bed->store)
        fail_msg("%s", err.text);
    store_on_lapse(bed->store, on_lapse, lapse);
    uv_timer_init(&bed->loop, &lapse->deadline);
    lapse->deadline.data = lapse;
}

/* The loop turns until the lapse, or for so long. */
static void turn(struct lapse *lapse, uint64_t ms)
{
    uv_timer_start(&lapse->deadline, on_deadline, ms, 0);
    lapse->over = false;
    while (!lapse->told && !lapse->over)
        uv_run(&lapse->bed->loop, UV_RUN_ONCE);
    uv_timer_stop(&lapse->deadline);
}

static void short_close(struct lapse *lapse)
{
    uv_close((uv_handle_t *)&lapse->deadline, NULL);
    bed_close(lapse->bed);
}

static void play_try(struct part *p)
{
    bed_open(p->bed);
    takeover(p->bed->store, "r1", &p->t);
    settle(p->bed, &p->t);
    assert_int_equal(p->t.bad, 1);
    assert_int_equal(p->t.err.cause, CAUSE_LOCKED);
    assert_says(&p->t.err, "run r1 is still at work");
    bed_close(p->bed);
}

static void a_lease_is_renewed(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct lapse lapse;
    struct err err = {0};

    short_open(bed, &lapse);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    turn(&lapse, 3000 * LEASE_S);
    assert_int_equal(lapse.told, 0);
    assert_int_equal(store_may_act(bed->store, "r1", &err), 0);
    perform(bed, "r2", "emea", play_try);
    put(bed->store, "r1", "act", "{}", &t);
    end(bed->store, "r1", "done", true, &t);
    settle_well(bed, &t);
    assert_int_equal(store_may_act(bed->store, "r1", &err), -1);
    short_close(&lapse);
}

static void play_short(struct part *p)
{
    struct lapse lapse;
    struct err err = {0};

    short_open(p->bed, &lapse);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    settle_well(p->bed, &p->t);
    assert_int_equal(store_may_act(p->bed->store, p->run, &err), 0);
    park(p);
    assert_int_equal(store_may_act(p->bed->store, p->run, &err), -1);
    assert_int_equal(err.cause, CAUSE_LOCKED);
    assert_says(&err, "lease of run r1 has run out");
    put(p->bed->store, p->run, "act", "{}", &p->t);
    settle(p->bed, &p->t);
    assert_int_equal(p->t.bad, 1);
    assert_int_equal(p->t.err.cause, CAUSE_LOCKED);
    turn(&lapse, 20000);
    assert_int_equal(lapse.told, 1);
    short_close(&lapse);
}

/* Until the server says that nobody lives. */
static void await_end_of_lease(struct bed *bed)
{
    uint64_t until = clock_mono_ms() + 15000;

    while (raw_number(bed, "SELECT run_lives('r1')") > 0) {
        assert_true(clock_mono_ms() < until);
        poll(NULL, 0, 20);
    }
}

static void who_is_killed_is_succeeded(void **state)
{
    struct bed *bed = *state;
    struct part holder;

    part_start(&holder, bed, "r1", "emea", play_short);
    part_await(&holder);
    perform(bed, "r1", "emea", play_try);
    part_kill(&holder);
    perform(bed, "r1", "emea", play_try); /* nobody knows yet */
    await_end_of_lease(bed);
    perform(bed, "r1", "emea", play_resume);
    assert_run(bed, "r1", (struct seen){1, false, false, true});
}

/* One that stood still (a machine that was suspended) finds its clusters in
 * other hands, and does not even try. */
static void who_stood_still_does_nothing_more(void **state)
{
    struct bed *bed = *state;
    struct part holder;

    part_start(&holder, bed, "r1", "emea", play_short);
    part_await(&holder);
    assert_int_equal(kill(holder.pid, SIGSTOP), 0);
    await_end_of_lease(bed);
    perform(bed, "r1", "emea", play_resume);
    assert_int_equal(kill(holder.pid, SIGCONT), 0);
    part_go(&holder);
    assert_int_equal(part_end(&holder), 0);
    assert_run(bed, "r1", (struct seen){1, false, false, true});
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM journal"), 4);
}

/* The same when nobody came: it is the lease that counts. */
static void a_lease_that_ran_out_is_none(void **state)
{
    struct bed *bed = *state;
    struct part holder;

    part_start(&holder, bed, "r1", "emea", play_short);
    part_await(&holder);
    assert_int_equal(kill(holder.pid, SIGSTOP), 0);
    await_end_of_lease(bed);
    assert_int_equal(kill(holder.pid, SIGCONT), 0);
    part_go(&holder);
    assert_int_equal(part_end(&holder), 0);
    assert_int_equal(raw_number(bed, "SELECT COUNT(*) FROM journal"), 1);
}

static void a_lost_server_ends_it_in_time(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct lapse lapse;
    struct err err = {0};
    uint64_t began;

    short_open(bed, &lapse);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    pg_server_down(&bed_server, SIGQUIT);
    began = clock_boot_ms();
    turn(&lapse, 20000);
    assert_int_equal(lapse.told, 1);
    assert_true(clock_boot_ms() - began < 1000 * LEASE_S);
    assert_says(&lapse.err, "another controller may go on with it");
    assert_int_equal(store_may_act(bed->store, "r1", &err), -1);
    assert_true(pg_server_up(&bed_server));
    await_end_of_lease(bed); /* the server's clock stops later than ours */
    put(bed->store, "r1", "act", "{}", &t);
    settle(bed, &t);
    assert_int_equal(t.bad, 1);
    short_close(&lapse);
}

/* What was open when the server went is made anew. */
static void a_short_absence_is_nothing(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    pg_server_down(&bed_server, SIGQUIT);
    assert_true(pg_server_up(&bed_server));
    assert_int_equal(verified(bed->store), 1);
    put(bed->store, "r1", "act", "{}", &t);
    end(bed->store, "r1", "done", true, &t);
    settle_well(bed, &t);
    assert_int_equal(verified(bed->store), 3);
    bed_close(bed);
}

static void await_waiter(const struct bed *bed)
{
    uint64_t until = clock_mono_ms() + 15000;

    while (raw_number(bed, "SELECT COUNT(*) FROM pg_stat_activity"
                           " WHERE wait_event_type = 'Lock'") == 0) {
        assert_true(clock_mono_ms() < until);
        poll(NULL, 0, 20);
    }
}

/* In the middle of a turn: it is written once more, and once only. */
static void a_turn_that_was_cut_is_written_again(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct raw raw;

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    raw = raw_open(bed);
    raw_lock(&raw);
    put(bed->store, "r1", "act", "{}", &t);
    put(bed->store, "r1", "act", "{}", &t);
    uv_run(&bed->loop, UV_RUN_NOWAIT); /* it goes to the pool */
    await_waiter(bed);
    raw_do(bed, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock'");
    raw_say(&raw, "COMMIT");
    raw_close(&raw);
    settle_well(bed, &t);
    assert_int_equal(verified(bed->store), 3);
    end(bed->store, "r1", "done", true, &t);
    settle_well(bed, &t);
    bed_close(bed);
}

/* Only the answer to its COMMIT was lost: it is there already. */
static void a_turn_that_is_there_is_not_written_again(void **state)
{
    struct bed *bed = *state;
    struct store_record record = {.run = "r1", .kind = "act"};
    struct tally t = {0};
    struct err err = {0};
    struct turn turn;

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    assert_int_equal(turn_begin(&turn, bed->store, &err), 0);
    assert_int_equal(turn_put(&turn, &record, 1, &err), 0);
    assert_int_equal(turn_commit(&turn, &err), 0);
    assert_int_equal(turn_is_there(&turn, &err), 1);
    turn.hash[0] ^= 1; /* another one's, at that place */
    assert_int_equal(turn_is_there(&turn, &err), 0);
    assert_int_equal(verified(bed->store), 2);
    bed_close(bed);
}

/* clang-format off */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest anywhere[] = {
        cmocka_unit_test(no_secret_stands_in_a_url),
        cmocka_unit_test(a_closed_port_is_told),
        cmocka_unit_test(a_silent_server_costs_seconds),
    };
    const struct CMUnitTest there[] = {
        CASE(a_newer_schema_is_refused_there),
        CASE(another_encoding_is_refused),
        CASE(a_lease_is_renewed),
        CASE(who_is_killed_is_succeeded),
        CASE(who_stood_still_does_nothing_more),
        CASE(a_lease_that_ran_out_is_none),
        CASE(a_lost_server_ends_it_in_time),
        CASE(a_short_absence_is_nothing),
        CASE(a_turn_that_was_cut_is_written_again),
        CASE(a_turn_that_is_there_is_not_written_again),
    };
    int failed;

    alarm(110);
    failed = cmocka_run_group_tests(anywhere, NULL, NULL);
    if (!pg_server_find(&bed_server)) {
        print_message("skipped: no PostgreSQL is installed, or there is no "
                      "user postgres\n");
        return failed;
    }
    if (pg_server_start(&bed_server))
        failed += cmocka_run_group_tests(there, NULL, NULL);
    else
        failed++;
    pg_server_stop(&bed_server);
    return failed;
}
