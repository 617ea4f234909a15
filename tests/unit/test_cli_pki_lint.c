/* SPDX-License-Identifier: Apache-2.0
 *
 * `pki lint' and `pki checks' as a user types them: findings with their ids in
 * text and JSON, a service's files together, the weights of an inventory, and
 * docs/preflight.md, which is the table.
 */
#include "cli/cmd_pki_lint.h"
#include "tests/unit/cli_capture.h"

static const char ini[] = "[cluster lab]\nproduct = cms\n"
                          "[preflight]\n";

static void capture_put(const char *path, const char *text, const char *more)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fputs(more, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int make_set(void **state)
{
    if (capture_setup(state) != 0)
        return -1;
    assert_int_equal(CERTFLEET("pki", "selfsigned", "dbca", "CN:Database CA"),
                     0);
    assert_int_equal(CERTFLEET("pki", "csr", "dbserver", "CN:core1.example.com",
                               "subjectAltName:10.0.0.1"),
                     0);
    assert_int_equal(CERTFLEET("pki", "sign", "dbserver", "dbca"), 0);
    assert_int_equal(CERTFLEET("pki", "csr", "dbclient", "CN:postgres"), 0);
    assert_int_equal(
        CERTFLEET("pki", "sign", "dbclient", "dbca", "--purpose", "client"), 0);
    return 0;
}

#define DATABASE_SET                                                           \
    "dbserver.key", "dbserver.crt", "dbclient.key", "dbclient.crt", "dbca.crt"

static void test_a_database_set(void **state)
{
    (void)state;
    assert_int_equal(
        CERTFLEET("pki", "lint", "--service", "database", DATABASE_SET), 0);
    assert_says(capture.out, "dbserver.crt: nothing found");
    assert_says(capture.out, "database: nothing found");
    assert_int_equal(CERTFLEET("pki", "lint", "--service", "database", "--host",
                               "core7.example.com", DATABASE_SET),
                     1);
    assert_says(capture.out, "database: error F3: ");
    assert_int_equal(CERTFLEET("pki", "lint", "--service", "database",
                               "dbclient.key", "dbclient.crt", "dbca.crt"),
                     0);
    assert_int_equal(CERTFLEET("pki", "lint", "--service", "database",
                               "dbclient.key", "dbclient.crt"),
                     1);
    assert_says(capture.out, "database: error F10: 2 files");
}

static void test_a_service(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("pki", "lint", "--service", "webadmin", "--host",
                               "core1.example.com", "dbserver.key",
                               "dbserver.crt", "dbca.crt"),
                     0);
    assert_int_equal(CERTFLEET("pki", "lint", "--service", "callbridge",
                               "dbserver.key", "dbserver.crt", "dbca.crt"),
                     1);
    assert_says(capture.out, "callbridge: error D5: ");
    assert_int_equal(
        CERTFLEET("pki", "lint", "--service", "turn", "dbserver.key"), 2);
    assert_says(capture.err, "KEY CERTIFICATE [BUNDLE]");
    assert_int_equal(CERTFLEET("pki", "lint", "--service", "xmpp", "a", "b"),
                     2);
}

static void test_findings_in_json(void **state)
{
    json_t *line;

    (void)state;
    assert_int_equal(CERTFLEET("--json", "pki", "lint", "--service",
                               "callbridge", "dbserver.key", "dbserver.crt",
                               "dbca.crt"),
                     1);
    line = json_loads(capture.out, JSON_DISABLE_EOF_CHECK, NULL);
    assert_string_equal(json_string_value(json_object_get(line, "event")),
                        "finding");
    assert_string_equal(json_string_value(json_object_get(line, "finding")),
                        "D5");
    assert_string_equal(json_string_value(json_object_get(line, "state")),
                        "error");
    json_decref(line);
}

static void test_others_may_read_a_key(void **state)
{
    (void)state;
    assert_int_equal(chmod("dbserver.key", 0644), 0);
    assert_int_equal(CERTFLEET("pki", "lint", "dbserver.key"), 1);
    assert_says(capture.out, "dbserver.key: error A11: ");
    assert_int_equal(chmod("dbserver.key", 0600), 0);
    assert_int_equal(CERTFLEET("pki", "lint", "dbserver.key"), 0);
}

/* The same finding, off, a warning, and one that blocks until accepted. */
static void test_weights(void **state)
{
    (void)state;
    capture_put("off.ini", ini, "F10 = off\n");
    capture_put("warn.ini", ini, "F10 = warning\n");
    capture_put("block.ini", ini, "F10 = block\n");
    assert_int_equal(CERTFLEET("-i", "off.ini", "pki", "lint", "--service",
                               "database", "dbca.crt"),
                     0);
    assert_null(strstr(capture.out, "F10"));
    assert_int_equal(CERTFLEET("-i", "warn.ini", "pki", "lint", "--service",
                               "database", "dbca.crt"),
                     0);
    assert_says(capture.out, "database: warning F10: ");
    assert_int_equal(CERTFLEET("-i", "block.ini", "pki", "lint", "--service",
                               "database", "dbca.crt"),
                     1);
    assert_says(capture.out, "database: block F10: ");
    assert_int_equal(CERTFLEET("-i", "block.ini", "pki", "lint", "--service",
                               "database", "--accept", "F10", "dbca.crt"),
                     0);
    assert_int_equal(CERTFLEET("pki", "lint", "--accept", "F1", "dbca.crt"), 2);
    assert_says(capture.err, "data depends on it");
}

static void test_what_keeps_its_weight(void **state)
{
    (void)state;
    capture_put("keep.ini", ini, "H2 = warning\nB33 = off\n");
    assert_int_equal(CERTFLEET("-i", "keep.ini", "inventory", "check"), 2);
    assert_says(capture.err, "keep.ini:4: error: H2 cannot be `warning', at "
                             "least `error': whoever initializes");
    assert_says(capture.err, "keep.ini:5: error: unknown check `B33'");
    assert_says(capture.err, "did you mean `B3'");
}

static void test_checks(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("pki", "checks"), 0);
    assert_says(capture.out, "F1     error     database set");
    assert_int_equal(CERTFLEET("--json", "pki", "checks"), 0);
    assert_says(capture.out, "\"check\":\"G1\"");
    assert_int_equal(CERTFLEET("pki", "checks", "--markdown"), 0);
    assert_says(capture.out, "| H2 | error, kept | cluster |");
}

static void test_the_page_is_the_table(void **state)
{
    static char page[1 << 18];
    const char *end = strstr(__FILE__, "/tests/unit/");
    char path[4096];
    struct str made;

    (void)state;
    assert_non_null(end);
    snprintf(path, sizeof(path), "%.*s/docs/preflight.md",
             (int)(end - __FILE__), __FILE__);
    capture_read(path, page, sizeof(page));
    str_init(&made, sizeof(page));
    pki_checks_page(&made);
    if (!strstr(page, str_text(&made)))
        fail_msg("docs/preflight.md is stale: certfleet pki checks "
                 "--markdown");
    str_reset(&made);
    pki_dated_page(&made);
    if (!strstr(page, str_text(&made)))
        fail_msg("docs/preflight.md has other dates");
    str_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_database_set),
        cmocka_unit_test(test_a_service),
        cmocka_unit_test(test_findings_in_json),
        cmocka_unit_test(test_others_may_read_a_key),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_what_keeps_its_weight),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_the_page_is_the_table),
    };

    return cmocka_run_group_tests(tests, make_set, capture_teardown);
}
