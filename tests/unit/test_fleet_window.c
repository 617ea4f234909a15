/* SPDX-License-Identifier: Apache-2.0
 *
 * When the next window is: days, midnights, pauses, joins, and the nights in
 * which a clock is changed.  Every moment is what GNU date says, as in
 * `TZ=Europe/London date -d "2027-03-28 02:00" +%s'.
 */
#include "tests/unit/fleet_fixture.h"
#include "tests/unit/slow.h"

#include <pthread.h>
#include <time.h>

#include "core/fleet/window.h"

#define C "[cluster c]\nproduct = cms\n"

struct expected {
    const char *lines;  /* of the cluster */
    int64_t at;         /* asked */
    int64_t begin, end; /* 0: none */
};

/* The windows of the only cluster; the inventory is to be freed. */
static struct inventory *read_windows(const char *lines)
{
    struct inventory *inv;
    char text[2048];

    snprintf(text, sizeof(text), C "%s", lines);
    inv = fixture_read(text);
    expect_faults(inv, 0, 1); /* it has no nodes */
    return inv;
}

static void check_next(const struct expected *e)
{
    struct inventory *inv = read_windows(e->lines);
    struct window_span span = {0, 0};
    bool found = windows_next(inv->clusters[0]->windows, e->at, &span);

    if (found != (e->begin != 0) ||
        (found && (span.begin != e->begin || span.end != e->end)))
        fail_msg("%s at %lld: %s %lld..%lld", e->lines, (long long)e->at,
                 found ? "found" : "none", (long long)span.begin,
                 (long long)span.end);
    inventory_free(inv);
}

#define LONDON " Europe/London\n"
#define NEW_YORK " America/New_York\n"

/* clang-format off */
static const struct expected table[] = {
    /* plain */
    { "window = Sat 01:00-05:00" LONDON,
      /* from 2026-11-28 01:00 */
      1795841999, 1795827600, 1795842000 },
    { "window = Sat 01:00-05:00" LONDON,
      /* from 2026-12-05 01:00 */
      1795842000, 1796432400, 1796446800 },
    { "window = Sat 01:00-05:00" LONDON,
      /* from 2026-11-28 01:00 */
      1795827600, 1795827600, 1795842000 },
    { "window = Sat 01:00-05:00" LONDON,
      /* from 2027-07-03 01:00 */
      1814396400, 1814572800, 1814587200 },
    { "window = Sat 01:00-05:00\n",
      /* from 2027-07-03 01:00 */
      1814396400, 1814576400, 1814590800 },
    { "window = Sat 01:00-05:00 UTC\n",
      /* from 2027-07-03 01:00 */
      1814396400, 1814576400, 1814590800 },
    { "window = Mon,Thu 22:00-23:30" NEW_YORK,
      /* from 2026-12-03 22:00 */
      1796101200, 1796353200, 1796358600 },
    { "window = Mon-Wed,Fri 02:00-03:00\n",
      /* from 2026-12-04 02:00 */
      1796180400, 1796349600, 1796353200 },
    { "window = Fri-Mon 02:00-03:00\n",
      /* from 2026-12-07 02:00 */
      1796526000, 1796608800, 1796612400 },
    { "window = Fri-Mon 02:00-03:00\n",
      /* from 2026-12-11 02:00 */
      1796612400, 1796954400, 1796958000 },
    { "window = daily 02:00-03:00\n",
      /* from 2027-01-01 02:00 */
      1798686000, 1798768800, 1798772400 },
    /* midnight */
    { "window = Sat 23:00-03:00" LONDON,
      /* from 2026-11-28 23:00 */
      1795919400, 1795906800, 1795921200 },
    { "window = Sat 23:00-03:00" LONDON,
      /* from 2026-12-05 23:00 */
      1795921200, 1796511600, 1796526000 },
    { "window = Sat 00:00-24:00" LONDON,
      /* from 2026-11-28 00:00 */
      1795910399, 1795824000, 1795910400 },
    { "window = Thu 23:00-00:00\n",
      /* from 2026-12-31 23:00 */
      1798588800, 1798758000, 1798761600 },
    /* joins */
    { "window = Sat 01:00-03:00\nwindow = Sat 02:00-05:00\n",
      /* from 2026-11-28 01:00 */
      1795833000, 1795827600, 1795842000 },
    { "window = Sat 03:00-05:00\nwindow = Sat 01:00-03:00\n",
      /* from 2026-11-28 01:00 */
      1795838400, 1795827600, 1795842000 },
    { "window = Sat 01:00-09:00\nwindow = Sat 02:00-03:00\n",
      /* from 2026-11-28 01:00 */
      1795838400, 1795827600, 1795856400 },
    { "window = Sat 01:00-02:00\nwindow = Sat 02:01-03:00\n",
      /* from 2026-11-28 01:00 */
      1795829400, 1795827600, 1795831200 },
    { "window = Sat 20:00-24:00\nwindow = Sun 00:00-04:00\n",
      /* from 2026-11-28 20:00 */
      1795914000, 1795896000, 1795924800 },
    { "window = Mon-Fri 00:00-24:00\n",
      /* from 2026-11-30 00:00 */
      1796385600, 1795996800, 1796428800 },
    { "window = Sat 01:00-05:00" LONDON "window = Sat 00:00-01:00" NEW_YORK,
      /* from 2026-11-28 01:00 */
      1795824000, 1795827600, 1795845600 },
    { "window = Sat 22:00-23:00" LONDON "window = Sat 22:00-23:00" NEW_YORK,
      /* from 2026-11-28 22:00 */
      1795906800, 1795921200, 1795924800 },
    /* pauses */
    { "window = Sat 01:00-05:00" LONDON "no_window = 2026-12-24..2027-01-02\n",
      /* from 2027-01-09 01:00 */
      1797724800, 1799456400, 1799470800 },
    { "window = Sat 01:00-05:00" LONDON "no_window = 2026-12-24..2027-01-01\n",
      /* from 2027-01-02 01:00 */
      1797724800, 1798851600, 1798866000 },
    { "window = Sat 01:00-05:00" LONDON
      "no_window = 2026-12-05\nno_window = 2026-12-12\n",
      /* from 2026-12-19 01:00 */
      1796083200, 1797642000, 1797656400 },
    { "window = Wed 23:00-03:00" LONDON "no_window = 2026-12-24\n",
      /* from 2026-12-23 23:00 */
      1798027200, 1798066800, 1798070400 },
    { "window = Wed 23:00-03:00" LONDON "no_window = 2026-12-23\n",
      /* from 2026-12-24 00:00 */
      1798027200, 1798070400, 1798081200 },
    { "window = daily 00:00-24:00" NEW_YORK "no_window = 2026-12-24\n",
      /* from 2026-12-25 00:00 */
      1798131600, 1798174800, 1798131600 + WINDOW_AHEAD },
    { "window = Mon 12:00-24:00\n" "window = Tue-Thu 00:00-24:00\n"
      "no_window = 2026-12-02\n",
      /* from 2026-11-30 12:00 */
      1796126400, 1796040000, 1796169600 },
    { "window = Mon 12:00-24:00\n" "window = Tue-Thu 00:00-24:00\n"
      "no_window = 2026-12-02\n",
      /* from 2026-12-03 00:00 */
      1796169600, 1796256000, 1796342400 },
    { "window = Sat 01:00-05:00\n" "no_window = 2026-12-01..2027-11-20\n",
      /* from 2027-11-27 01:00 */
      1796083200, 1827277200, 1827291600 },
    { "window = daily 00:00-24:00" LONDON
      "no_window = 2026-12-25..2026-12-28\n" /* they overlap */
      "no_window = 2026-12-31..2027-12-31\n"
      "no_window = 2026-12-01..2026-12-26\n",
      /* from 2026-12-29 00:00 to 2026-12-31 00:00 */
      1797724800, 1798502400, 1798675200 },
    /* none, or no end, within a year */
    { "window = Sat 01:00-05:00\n" "no_window = 2026-12-01..2027-12-31\n",
      1796083200, 0, 0 },
    { "window = Sat 01:00-05:00\n" "no_window = 2026-12-01..2027-12-31\n",
      1795845600, 0, 0 },
    { "window = daily 00:00-24:00\nno_window = 2026-11-27\n",
      /* from 2026-11-28 00:00 */
      1796083200, 1795824000, 1796083200 + WINDOW_AHEAD },
    { "window = Sat 01:00-05:00" LONDON
      "no_window = 2026-12-01..2027-12-31\n", /* it ends at the moment asked */
      1795842000, 0, 0 },
    /* the clock goes forward: at 01:00 in London, at 02:00 in New York */
    { "window = Sun 01:00-03:00" LONDON,
      /* from 2027-03-28 02:00 */
      1806192000, 1806195600, 1806199200 },
    { "window = Sun 01:30-03:00" LONDON,
      /* from 2027-03-28 02:00 */
      1806192000, 1806195600, 1806199200 },
    { "window = Sun 00:00-05:00" LONDON,
      /* from 2027-03-28 00:00 */
      1806192000, 1806192000, 1806206400 },
    { "window = Sat 23:00-01:00" LONDON,
      /* from 2027-03-27 23:00 */
      1806192000, 1806188400, 1806195600 },
    { "window = Sat 23:00-01:30" LONDON,
      /* from 2027-03-27 23:00 */
      1806192000, 1806188400, 1806195600 },
    { "window = Sun 01:15-01:45" LONDON,
      /* from 2027-04-04 01:15 */
      1806192000, 1806797700, 1806799500 },
    { "window = Sun 02:00-04:00" NEW_YORK,
      /* from 2027-03-14 03:00 */
      1805000400, 1805007600, 1805011200 },
    { "window = Sun 01:30-02:30" NEW_YORK,
      /* from 2027-03-14 01:30 */
      1805000400, 1805005800, 1805007600 },
    { "window = Sat 22:00-06:00" NEW_YORK,
      /* from 2027-03-13 22:00 */
      1805000400, 1804993200, 1805018400 },
    /* the clock goes back: from 02:00 to 01:00 in both */
    { "window = Sun 01:00-03:00" LONDON,
      /* from 2026-10-25 01:00 BST */
      1792882800, 1792886400, 1792897200 },
    { "window = Sun 00:30-01:30" LONDON,
      /* from 2026-10-25 00:30 */
      1792882800, 1792884600, 1792888200 },
    { "window = Sun 01:15-01:45" LONDON,
      /* from 2026-10-25 01:15 BST */
      1792882800, 1792887300, 1792889100 },
    { "window = Sun 02:00-03:00" LONDON,
      /* from 2026-10-25 02:00 GMT */
      1792882800, 1792893600, 1792897200 },
    { "window = Sun 01:00-03:00" LONDON,
      /* from 2026-10-25 01:00 BST */
      1792891800, 1792886400, 1792897200 },
    { "window = Sun 01:15-01:45" LONDON,
      /* from 2026-11-01 01:15 */
      1792890900, 1793495700, 1793497500 },
    { "window = Sun 01:00-03:00" NEW_YORK,
      /* from 2026-11-01 01:00 EDT */
      1793505600, 1793509200, 1793520000 },
    { "window = Sun 01:30-04:00" NEW_YORK,
      /* from 2026-11-01 01:30 EDT */
      1793505600, 1793511000, 1793523600 },
    { "window = Sat 23:00-01:30" NEW_YORK,
      /* from 2026-10-31 23:00 */
      1793505600, 1793502000, 1793511000 },
    /* a pause is as long as its day: 23 hours and 25 */
    { "window = daily 00:00-24:00" LONDON "no_window = 2026-10-25\n",
      /* from 2026-10-26 00:00 */
      1792971000, 1792972800, 1792971000 + WINDOW_AHEAD },
    { "window = Sun 22:00-02:00" LONDON "no_window = 2027-03-28\n",
      /* from 2027-03-29 00:00 */
      1806269400, 1806274800, 1806282000 },
    /* clocks that change at midnight, and by half an hour */
    { "window = Sun 00:00-02:00 Asia/Beirut\n",
      /* from 2027-03-28 01:00 */
      1806141600, 1806184800, 1806188400 },
    { "window = Sat 22:00-24:00 Asia/Beirut\n",
      /* from 2027-03-27 22:00 */
      1806141600, 1806177600, 1806184800 },
    { "window = Sun 02:00-04:00 Australia/Lord_Howe\n",
      /* from 2026-10-04 02:30 */
      1790991000, 1791041400, 1791046800 },
};
/* clang-format on */

static void test_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check_next(&table[i]);
}

/* -- whose windows ------------------------------------------------------- */

static void expect_next(const struct inventory *inv, const char *cluster,
                        int64_t at, int64_t begin)
{
    struct window_span span;

    assert_true(
        windows_next(inventory_cluster(inv, cluster)->windows, at, &span));
    assert_int_equal(span.begin, begin);
}

static void test_precedence(void **state)
{
    static const int64_t at = 1795651200; /* Thu 2026-11-26 00:00 UTC */
    struct inventory *inv =
        fixture_read("[fleet]\nwindow = Sat 01:00-05:00\n"
                     "window = Sun 01:00-05:00\nno_window = 2026-11-28\n"
                     "[cluster a]\nproduct = cms\n"
                     "[cluster b]\nproduct = cms\nwindow = Fri 02:00-03:00\n"
                     "window = Sat 02:00-03:00\n"
                     "[cluster c]\nproduct = cms\nno_window = 2026-11-29\n");

    (void)state;
    expect_faults(inv, 0, 3); /* no nodes */
    expect_next(inv, "a", at, 1795914000);
    expect_next(inv, "b", at, 1795744800);
    expect_next(inv, "b", 1795752000, 1796349600); /* the fleet's pause */
    expect_next(inv, "c", at, 1795827600);         /* its own */
    inventory_free(inv);
}

static void test_none_named(void **state)
{
    struct inventory *inv = fixture_read(C);

    (void)state;
    assert_null(inv->clusters[0]->windows);
    inventory_free(inv);
}

static void test_out_of_time(void **state)
{
    struct inventory *inv = read_windows("window = daily 00:00-24:00" NEW_YORK);
    const struct windows *windows = inv->clusters[0]->windows;
    struct window_span span;

    (void)state;
    assert_false(windows_next(windows, -1, &span));
    assert_false(windows_next(windows, INT64_MIN, &span));
    assert_false(windows_next(windows, INT64_MAX, &span));
    assert_true(windows_next(windows, 0, &span));
    assert_true(windows_next(windows, 16725225600 - 1, &span));
    assert_false(windows_next(windows, 16725225600, &span));
    inventory_free(inv);
}

/* -- clocks --------------------------------------------------------------- */

static void test_clock(void **state)
{
    struct inventory *inv = read_windows("window = Sun 01:00-03:00" LONDON
                                         "window = Sun 01:00-03:00" NEW_YORK);
    const struct windows *windows = inv->clusters[0]->windows;
    struct window_clock clock;

    (void)state;
    windows_clock(windows, 1806195600 - 1, &clock);
    assert_string_equal(clock.zone, "Europe/London");
    assert_int_equal(clock.hour, 0);
    assert_int_equal(clock.offset_s, 0);
    windows_clock(windows, 1806195600, &clock);
    assert_int_equal(clock.year, 2027);
    assert_int_equal(clock.month, 3);
    assert_int_equal(clock.day, 28);
    assert_int_equal(clock.hour, 2);
    assert_int_equal(clock.minute, 0);
    assert_int_equal(clock.second, 0);
    assert_int_equal(clock.weekday, 0);
    assert_int_equal(clock.offset_s, 3600);
    inventory_free(inv);
}

static void test_change(void **state)
{
    static const struct {
        int64_t begin, end;
        int change;
    } spans[] = {
        {1806195600, 1806199200, 3600},  /* 02:00 BST to 03:00 */
        {1806188400, 1806195600, 0},     /* 23:00 to 01:00 GMT */
        {1806188400, 1806195601, 3600},  /* and a second more */
        {1806195601, 1806199200, 0},     /* begins after the change */
        {1792886400, 1792897200, -3600}, /* 01:00 BST to 03:00 GMT */
        {1795827600, 1795842000, 0},     /* in November */
    };
    struct inventory *inv = read_windows("window = Sun 01:00-03:00" LONDON);

    (void)state;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        struct window_span span = {spans[i].begin, spans[i].end};
        assert_int_equal(windows_change(inv->clusters[0]->windows, &span),
                         spans[i].change);
    }
    inventory_free(inv);
}

/* glibc reads the same files by code of its own.  The clock of `zone', every
 * `step' seconds, is the same by both. */
static void compare(const char *zone, int64_t from, int64_t to, int64_t step)
{
    char line[160];
    struct inventory *inv;

    snprintf(line, sizeof(line), "window = Sun 01:00-03:00 %s\n", zone);
    inv = read_windows(line);
    setenv("TZ", zone, 1);
    tzset();
    if (is_slow())
        step *= 23;
    for (time_t t = from; t < to; t += step) {
        struct window_clock clock;
        struct tm tm;

        windows_clock(inv->clusters[0]->windows, t, &clock);
        assert_non_null(localtime_r(&t, &tm));
        if (clock.offset_s != tm.tm_gmtoff || clock.hour != tm.tm_hour ||
            clock.minute != tm.tm_min || clock.day != tm.tm_mday ||
            clock.weekday != tm.tm_wday)
            fail_msg("%s at %lld", zone, (long long)t);
    }
    inventory_free(inv);
    unsetenv("TZ");
    tzset();
}

/* Zones that change by whole hours, halves, at midnight, by decree, never. */
static void test_against_libc(void **state)
{
    static const char *const zones[] = {
        "Europe/London",    "America/New_York", "Australia/Lord_Howe",
        "Pacific/Chatham",  "Asia/Beirut",      "Africa/Casablanca",
        "America/Santiago", "Asia/Kathmandu",   "Etc/GMT+11",
    };
    static const int64_t from = 1767225600, to = from + 3 * 366 * 86400;

    (void)state;
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
        compare(zones[i], from, to, 900);
}

/* From this day on: the files of the machine decide (docs/adr/0013). */
static void test_every_zone(void **state)
{
    FILE *f = fopen("/usr/share/zoneinfo/zone.tab", "r");
    int64_t from = time(NULL);
    char line[256], zone[100];
    size_t n = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#' || sscanf(line, "%*s %*s %99s", zone) != 1)
            continue;
        if (n++ % (is_slow() ? 9 : 1))
            continue;
        compare(zone, from, from + WINDOW_AHEAD, 3600);
    }
    (void)fclose(f);
    assert_true(n > 300);
}

/* -- threads, and the zone of the process --------------------------------- */

static void test_process_zone(void **state)
{
    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    test_next(state);
    unsetenv("TZ");
    tzset();
}

enum {
    THREADS = 4,
    ROUNDS = 200
};

static void *ask(void *user)
{
    const struct windows *windows = user;
    struct window_span span;
    size_t good = 0;

    for (int i = 0; i < ROUNDS; i++)
        good += windows_next(windows, 1806192000, &span) &&
                span.begin == 1806195600 && span.end == 1806199200;
    return good == ROUNDS ? user : NULL;
}

static void test_threads(void **state)
{
    struct inventory *inv = read_windows("window = Sun 01:00-03:00" LONDON);
    void *windows = (void *)(uintptr_t)inv->clusters[0]->windows, *answer;
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, windows), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &answer), 0);
        assert_ptr_equal(answer, windows);
    }
    inventory_free(inv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_none_named),
        cmocka_unit_test(test_out_of_time),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_against_libc),
        cmocka_unit_test(test_process_zone),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_every_zone),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
