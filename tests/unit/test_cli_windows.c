/* SPDX-License-Identifier: Apache-2.0
 *
 * `windows': what it says of a moment that the test chooses, nights in which
 * the clock is changed among them; and the command itself, now.
 */
#include "tests/unit/cli_capture.h"

#include "cli/windows_view.h"

static const char inventory[] = "[fleet]\n"
                                "ssh_config = none\n"
                                "window = Sun 01:00-03:00 Europe/London\n"
                                "[cluster emea]\n"
                                "product = cms\n"
                                "[cluster apac]\n"
                                "product = cms\n"
                                "window = Sat 23:00-03:00 Australia/Sydney\n"
                                "window = Mon 12:00-24:00 Australia/Sydney\n"
                                "[cluster lab]\n"
                                "product = cms\n"
                                "window = daily 00:00-24:00\n"
                                "no_window = 2026-12-25\n"
                                "[cluster shut]\n"
                                "product = cms\n"
                                "no_window = 2026-10-01..2028-01-01\n";

/* The view of one cluster, into capture.out. */
static void view(const char *cluster, int64_t now, bool json)
{
    struct inventory_options options = {.path = "windows.ini"};
    struct inventory *inv;
    struct table table;
    struct out out;
    struct err err;
    int fd = open("view.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    inv = inventory_read(&options, &err);
    assert_non_null(inv);
    out_init(&out, &(struct out_options){.fd_result = fd,
                                         .fd_text = fd,
                                         .json = json,
                                         .color = OUT_COLOR_NEVER});
    table_init(&table, windows_heads);
    windows_view(&out, &table, inventory_cluster(inv, cluster), now);
    if (!json)
        table_say(&table, &out);
    table_release(&table);
    out_release(&out);
    close(fd);
    inventory_free(inv);
    capture_read("view.txt", capture.out, sizeof(capture.out));
}

/* clang-format off */
static const struct {
    const char *cluster;
    int64_t now;
    const char *says[5]; /* a line each; blanks are one blank */
} views[] = {
    {"emea", 1805846400, { /* 2027-03-24 00:00 UTC */
        "emea next Sun 2027-03-28 02:00 - 03:00 Europe/London "
        "Sun 2027-03-28 01:00 - 02:00 1:00, the clock goes forward by 1:00",
        "emea next Sun 2027-04-04 01:00 - 03:00 Europe/London "
        "Sun 2027-04-04 00:00 - 02:00 2:00",
        "emea next Sun 2027-04-11 01:00 - 03:00 Europe/London "
        "Sun 2027-04-11 00:00 - 02:00 2:00"}},
    {"emea", 1792890000, { /* 2026-10-25 01:00 GMT, for the second time */
        "emea now Sun 2026-10-25 01:00 - 03:00 Europe/London "
        "Sun 2026-10-25 00:00 - 03:00 3:00, the clock goes back by 1:00",
        "emea next Sun 2026-11-01 01:00 - 03:00 Europe/London "
        "Sun 2026-11-01 01:00 - 03:00 2:00",
        "emea next Sun 2026-11-08 01:00 - 03:00",
        "emea next Sun 2026-11-15 01:00 - 03:00"}},
    {"apac", 1795867200, { /* 2026-11-28 12:00 UTC */
        "apac now Sat 2026-11-28 23:00 - Sun 03:00 Australia/Sydney "
        "Sat 2026-11-28 12:00 - 16:00 4:00",
        "apac next Mon 2026-11-30 12:00 - Tue 00:00 Australia/Sydney "
        "Mon 2026-11-30 01:00 - 13:00 12:00",
        "apac next Sat 2026-12-05 23:00 - Sun 03:00 Australia/Sydney ",
        "apac next Mon 2026-12-07 12:00 - Tue 00:00 Australia/Sydney "}},
    {"lab", 1795867200, {
        "lab now until Fri 2026-12-25 00:00 UTC "
        "until Fri 2026-12-25 00:00 -",
        "lab next Sat 2026-12-26 00:00 - no end within a year UTC"}},
    {"lab", 1798848000, { /* 2027-01-02 00:00 */
        "lab now no end within a year UTC no end within a year -"}},
    {"lab", 1798416000, { /* 2026-12-28 00:00 */
        "lab now Sat 2026-12-26 00:00 - no end within a year UTC"}},
    {"shut", 1795867200, {"shut - none within a year - - -"}},
};
/* clang-format on */

/* Runs of blanks become one. */
static void squeeze(char *text)
{
    char *to = text;

    for (const char *p = text; *p; p++)
        if (*p != ' ' || to == text || to[-1] != ' ')
            *to++ = *p;
    *to = '\0';
}

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_views(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        size_t n = 0;

        view(views[i].cluster, views[i].now, false);
        squeeze(capture.out);
        for (; n < 5 && views[i].says[n]; n++) {
            const char *said = strstr(capture.out, views[i].says[n]);
            if (!said || said[-1] != '\n')
                fail_msg("%s\n is not in\n%s", views[i].says[n], capture.out);
        }
        assert_int_equal(count_lines(capture.out), n + 1); /* the heads */
    }
}

/* -- JSON ----------------------------------------------------------------- */

static json_t *line_of(size_t n)
{
    const char *p = capture.out;
    json_t *object;

    for (; n > 0; n--)
        p = strchr(p, '\n') + 1;
    object = json_loadb(p, strcspn(p, "\n"), JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(object));
    return object;
}

static void expect(const json_t *object, const char *key, const char *value)
{
    const char *is = json_string_value(json_object_get(object, key));

    if (!is || strcmp(is, value) != 0)
        fail_msg("%s is %s, not %s", key, is ? is : "no text", value);
}

static void test_json_span(void **state)
{
    json_t *object;

    (void)state;
    view("emea", 1805846400, true);
    assert_int_equal(count_lines(capture.out), 3);
    object = line_of(0);
    expect(object, "event", "window");
    expect(object, "cluster", "emea");
    expect(object, "state", "next");
    expect(object, "zone", "Europe/London");
    expect(object, "begin", "2027-03-28T01:00:00.000Z");
    expect(object, "end", "2027-03-28T02:00:00.000Z");
    expect(object, "local_begin", "2027-03-28T02:00:00+01:00");
    expect(object, "local_end", "2027-03-28T03:00:00+01:00");
    assert_int_equal(json_integer_value(json_object_get(object, "length_s")),
                     3600);
    assert_int_equal(
        json_integer_value(json_object_get(object, "clock_change_s")), 3600);
    json_decref(object);
}

static void test_json_unknown(void **state)
{
    static const char *const unknown[] = {"begin",    "local_begin",
                                          "end",      "local_end",
                                          "length_s", "clock_change_s"};
    json_t *object;

    (void)state;
    view("lab", 1798848000, true);
    assert_int_equal(count_lines(capture.out), 1);
    object = line_of(0);
    expect(object, "state", "open");
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        assert_true(json_is_null(json_object_get(object, unknown[i])));
    json_decref(object);
    view("shut", 1795867200, true);
    object = line_of(0);
    expect(object, "state", "none");
    json_decref(object);
}

/* -- the command ---------------------------------------------------------- */

static void test_command(void **state)
{
    json_t *result;

    (void)state;
    assert_int_equal(CERTFLEET("-i", "windows.ini", "windows"), 0);
    for (size_t i = 0; i < 3; i++)
        assert_says(capture.out,
                    ((const char *const[]){"emea", "apac", "lab"})[i]);
    assert_int_equal(CERTFLEET("-i", "windows.ini", "windows", "em*"), 0);
    assert_says(capture.out, "Europe/London");
    assert_null(strstr(capture.out, "apac"));
    assert_int_equal(CERTFLEET("-i", "windows.ini", "windows", "emae"), 2);
    assert_says(capture.err, "did you mean `emea'?");
    assert_int_equal(CERTFLEET("-i", "windows.ini", "windows", "x*"), 2);
    assert_int_equal(CERTFLEET("-i", "none.ini", "windows"), 2);
    assert_int_equal(CERTFLEET("-i", "windows.ini", "windows", "--json"), 0);
    result = capture_result();
    json_decref(result);
    assert_int_equal(CERTFLEET("-i", "any.ini", "windows"), 0);
    squeeze(capture.out);
    assert_says(capture.out, "\nemea - any time - - -\n");
    assert_int_equal(CERTFLEET("-i", "any.ini", "windows", "--json"), 0);
    assert_says(capture.out, "\"state\":\"any time\"");
}

static int setup(void **state)
{
    if (capture_setup(state) < 0)
        return -1;
    capture_write("windows.ini", inventory);
    capture_write("any.ini", "[fleet]\nssh_config = none\n"
                             "[cluster emea]\nproduct = cms\n");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_json_span),
        cmocka_unit_test(test_json_unknown),
        cmocka_unit_test(test_command),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
