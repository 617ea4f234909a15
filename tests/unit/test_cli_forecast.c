/* SPDX-License-Identifier: Apache-2.0
 *
 * What `windows' says would begin: readings written by the test, moments that
 * it chooses, and the pace of fleet/renew.
 */
#include "tests/unit/cli_store.h"

#include "cli/forecast.h"
#include "cli/reading.h"
#include "core/base/clock.h"

static const char inventory[] =
    "[fleet]\n"
    "ssh_config = none\n"
    "state_dir = state\n"
    "window = Sun 01:00-03:00 Europe/London\n"
    "[cluster a]\nproduct = cms\n"
    "[node a1]\ncluster = a\naddress = 192.0.2.1\n"
    "[node a2]\ncluster = a\naddress = 192.0.2.2\n"
    "[cluster b]\nproduct = cms\n"
    "[node b1]\ncluster = b\naddress = 192.0.2.3\n"
    "[cluster c]\nproduct = cms\nwindow = daily 00:00-24:00\n"
    "[node c1]\ncluster = c\naddress = 192.0.2.4\n";

#define DAY 86400LL
#define NOW 1805846400LL /* Wed 2027-03-24 00:00 UTC */
#define OPENS                                                                  \
    1806195600LL /* Sun 2027-03-28 01:00 UTC: the clock goes forward */
#define CLOSES 1806199200LL /* an hour later */
#define NEXT 1806796800LL   /* Sun 2027-04-04 00:00 UTC */

/* -- readings ---------------------------------------------------------------
 */

static char lines[1 << 14];

static void node_ends(const char *cluster, const char *node, int64_t not_after,
                      const char *more)
{
    size_t len = strlen(lines);
    long long soon = clock_wall_ms() / 1000 + 60;

    snprintf(lines + len, sizeof(lines) - len,
             "{\"cluster\":\"%s\",\"node\":\"%s\",\"at\":%lld,\"up\":true,"
             "\"healthy\":true,\"certs\":[{\"service\":\"database server\","
             "\"file\":\"x.crt\",\"from\":0,\"to\":%lld,\"playbook\":"
             "\"cms/db-rotate\"}%s]}\n",
             cluster, node, soon, (long long)not_after, more);
}

static void node_is_silent(const char *cluster, const char *node)
{
    size_t len = strlen(lines);

    snprintf(lines + len, sizeof(lines) - len,
             "{\"cluster\":\"%s\",\"node\":\"%s\",\"at\":5,\"up\":false,"
             "\"certs\":[]}\n",
             cluster, node);
}

/* All with so many days left at the moment of the test. */
static void all_end(int days)
{
    lines[0] = '\0';
    node_ends("a", "a1", NOW + days * DAY, "");
    node_ends("a", "a2", NOW + days * DAY + 60, "");
    node_ends("b", "b1", NOW + days * DAY + 120, "");
    node_ends("c", "c1", NOW + days * DAY, "");
}

/* -- a forecast, a line each ------------------------------------------------
 */

static char said[4096];

static void say(const struct cast_row *row)
{
    size_t len = strlen(said);

    snprintf(said + len, sizeof(said) - len, "%s %s", row->cluster->name,
             forecast_word(row->state));
    len = strlen(said);
    if (row->begins)
        snprintf(said + len, sizeof(said) - len, " %lld",
                 (long long)row->begins);
    len = strlen(said);
    for (size_t i = 0; i < row->n_tasks; i++)
        len += (size_t)snprintf(
            said + len, sizeof(said) - len, " %s%s%s",
            row->tasks[i].playbook->id, row->tasks[i].inputs ? " " : "",
            row->tasks[i].inputs ? row->tasks[i].inputs[0] : "");
    snprintf(said + len, sizeof(said) - len, "\n");
}

#define FORECAST(now, ...)                                                     \
    forecast((now), (const char *const[]){__VA_ARGS__, NULL})

static void forecast(int64_t now, const char *const *words)
{
    const struct inventory_options options = {.path = "certfleet.ini"};
    struct err err = {.cause = CAUSE_NONE};
    struct app app = {.inventory = inventory_read(&options, &err)};
    struct renew renew = {.app = &app, .now = now};
    struct forecast made;

    assert_non_null(app.inventory);
    mkdir("state", 0700);
    capture_write("state/reading.json", lines);
    arena_init(&renew.arena);
    if (renew_read_words(&renew, words, &err) < 0 ||
        forecast_make(&renew, &made, &err) < 0)
        fail_msg("%s", err.text);
    said[0] = '\0';
    for (size_t i = 0; i < made.n; i++)
        say(&made.rows[i]);
    arena_release(&renew.arena);
    inventory_free(app.inventory);
}

#define assert_forecast(expected) assert_string_equal(said, (expected))

static char text[1024];

__attribute__((format(printf, 1, 2))) static const char *at(const char *format,
                                                            ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return text;
}

/* -- what begins when -------------------------------------------------------
 */

static void test_nothing_was_read(void **state)
{
    (void)state;
    lines[0] = '\0';
    FORECAST(NOW, "*");
    assert_forecast("a not known\nb not known\nc not known\n");
    /* one node of two: what the other has nobody knows */
    node_ends("a", "a1", NOW, "");
    FORECAST(NOW, "a");
    assert_forecast("a not known\n");
}

static void test_due_now_waits_for_its_window(void **state)
{
    (void)state;
    all_end(10);
    FORECAST(NOW, "*");
    assert_forecast(at("c begins %lld cms/db-rotate\n"
                       "a begins %lld cms/db-rotate\n"
                       "b begins %lld cms/db-rotate\n",
                       NOW, OPENS, OPENS));
}

/* 33 days left: due in three days, the hour after which c begins; a and b after
 * that window has closed, so in the next. */
static void test_due_later(void **state)
{
    (void)state;
    all_end(33);
    lines[0] = '\0';
    node_ends("a", "a1", CLOSES + 30 * DAY + 1, "");
    node_ends("a", "a2", CLOSES + 30 * DAY + 1, "");
    node_ends("b", "b1", OPENS + 30 * DAY, "");
    node_ends("c", "c1", NOW + 33 * DAY + 1, "");
    FORECAST(NOW, "*");
    assert_forecast(at("c begins %lld cms/db-rotate\n"
                       "b begins %lld cms/db-rotate\n"
                       "a begins %lld cms/db-rotate\n",
                       NOW + 3 * DAY + 3600, OPENS, NEXT));
    FORECAST(NOW, "a", "b", "due=3");
    assert_forecast("a not due\nb not due\n");
}

/* What becomes due while the window is open is found by the pass of that hour.
 */
static void test_due_while_it_is_open(void **state)
{
    (void)state;
    lines[0] = '\0';
    node_ends("b", "b1", OPENS + 30 * DAY + 1800, "");
    FORECAST(OPENS - 1800, "b");
    assert_forecast(at("b begins %lld cms/db-rotate\n", OPENS + 1800));
}

static void test_services_are_named(void **state)
{
    (void)state;
    lines[0] = '\0';
    node_ends("b", "b1", NOW + 400 * DAY,
              ",{\"service\":\"webadmin\",\"file\":\"w.crt\",\"from\":0,"
              "\"to\":1806000000,\"playbook\":\"cms/service-rotate\",\"key\":"
              "\"service\",\"value\":\"webadmin\"},"
              "{\"service\":\"database ca\",\"file\":\"ca.crt\",\"from\":0,"
              "\"to\":1806000000}");
    FORECAST(NOW, "b");
    assert_forecast(
        at("b begins %lld cms/service-rotate service=webadmin\n", OPENS));
}

/* -- the pace ---------------------------------------------------------------
 */

static void test_one_after_the_other(void **state)
{
    (void)state;
    all_end(10);
    FORECAST(NOW, "a", "b", "max_clusters=1");
    assert_forecast(at("a begins %lld cms/db-rotate\n"
                       "b begins %lld cms/db-rotate\n",
                       OPENS, OPENS + 60));
}

static void test_canary_settles(void **state)
{
    (void)state;
    all_end(10);
    FORECAST(NOW, "a", "b", "canary=b", "settle=10");
    assert_forecast(at("b begins %lld cms/db-rotate\n"
                       "a begins %lld cms/db-rotate\n",
                       OPENS, OPENS + 660));
    /* it has no window before the canary's: nobody begins before it */
    FORECAST(NOW, "a", "c", "canary=a");
    assert_non_null(strstr(said, "c not begun"));
}

static void test_silent_node_stops_the_others(void **state)
{
    (void)state;
    all_end(10);
    lines[0] = '\0';
    node_is_silent("b", "b1");
    node_ends("c", "c1", NOW + 10 * DAY, "");
    FORECAST(NOW, "b", "c");
    assert_non_null(strstr(said, "b unreachable"));
    assert_non_null(strstr(said, "c not begun"));
    FORECAST(NOW, "b", "c", "max_failures=1");
    assert_non_null(strstr(said, at("c begins %lld cms/db-rotate\n", NOW)));
}

/* -- the runs before --------------------------------------------------------
 */

static void make_run(const char *id, const char *cluster, const char *outcome)
{
    const struct store_run run = {.id = id,
                                  .playbook = "cms/db-rotate",
                                  .target = cluster,
                                  .inputs = "{}"};
    struct cli_store s;

    cli_store_begin(&s, &run);
    cli_store_end(&s, id, outcome, 0);
}

static void test_too_short(void **state)
{
    (void)state;
    all_end(10);
    make_run("20261128T100000Z-0001", "b", "done");
    /* an hour is enough for what took moments */
    FORECAST(NOW, "b");
    assert_forecast(at("b begins %lld cms/db-rotate\n", OPENS));
    /* a second is not: the next window it is */
    FORECAST(CLOSES - 1, "b");
    assert_forecast(at("b too short cms/db-rotate\n"
                       "b begins %lld cms/db-rotate\n",
                       NEXT));
}

static void test_changed_since(void **state)
{
    (void)state;
    lines[0] = '\0';
    snprintf(lines, sizeof(lines),
             "{\"cluster\":\"b\",\"node\":\"b1\",\"at\":5,\"up\":true,"
             "\"certs\":[]}\n");
    FORECAST(NOW, "b");
    assert_forecast("b not known\n");
}

static void test_held(void **state)
{
    (void)state;
    all_end(10);
    make_run("20261128T100000Z-0002", "c", NULL);
    FORECAST(NOW, "c");
    assert_forecast("c held cms/db-rotate\n");
}

/* -- the file and the command -----------------------------------------------
 */

static void test_lines_that_are_none(void **state)
{
    (void)state;
    all_end(10);
    memmove(lines + 6, lines, strlen(lines) + 1);
    memcpy(lines, "{\"a\":\n", 6);
    snprintf(lines + strlen(lines), 64,
             "[]\n{}\n{\"cluster\":\"b\",\"node\":\"a1\"}\nend");
    FORECAST(NOW, "b");
    assert_forecast(at("b begins %lld cms/db-rotate\n", OPENS));
}

static void test_command(void **state)
{
    json_t *result;

    (void)state;
    all_end(10);
    capture_write("state/reading.json", lines);
    assert_int_equal(CERTFLEET("windows", "a"), 0);
    assert_says(capture.out, "Europe/London");
    assert_int_equal(CERTFLEET("windows", "a", "--json"), 0);
    assert_says(capture.out, "\"event\":\"window-run\",\"cluster\":\"a\"");
    result = capture_result();
    json_decref(result);
    assert_int_equal(CERTFLEET("windows", "a", "canry=a"), 2);
    assert_says(capture.err, "did you mean `canary'?");
}

static int setup(void **state)
{
    if (capture_setup(state) < 0)
        return -1;
    capture_write("certfleet.ini", inventory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_was_read),
        cmocka_unit_test(test_due_now_waits_for_its_window),
        cmocka_unit_test(test_due_later),
        cmocka_unit_test(test_due_while_it_is_open),
        cmocka_unit_test(test_services_are_named),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_canary_settles),
        cmocka_unit_test(test_silent_node_stops_the_others),
        cmocka_unit_test(test_lines_that_are_none),
        cmocka_unit_test(test_command),
        /* from here on there is a store */
        cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_changed_since),
        cmocka_unit_test(test_held),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
