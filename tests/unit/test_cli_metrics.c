/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics, to the letter: escaping, labels that stand twice, certificates,
 * silent nodes, runs and outages out of a store, and the file itself.
 */
#include "cli/fleet_metrics.h"
#include "cli/metrics.h"
#include "core/base/file.h"
#include "tests/unit/cli_store.h"

static const char inventory[] = "[fleet]\n"
                                "state_dir = state\n"
                                "ssh_config = none\n"
                                "[cluster emea]\n"
                                "product = cms\n"
                                "[cluster apac]\n"
                                "product = cms\n";

static int setup(void **state)
{
    if (capture_setup(state) < 0)
        return -1;
    capture_write("certfleet.ini", inventory);
    return 0;
}

/* -- the format ----------------------------------------------------------- */

static const struct metrics_family family = {"x_seconds", "gauge", "Some x."};

static void test_labels_are_escaped(void **state)
{
    struct metrics m;
    struct str out;

    (void)state;
    str_init(&out, METRICS_CAP);
    metrics_init(&m, &out);
    metrics_open(&m, &family);
    metrics_add(&m,
                (const struct metrics_label[]){{"a", "q\" b\\ n\n e\033 u\xff"},
                                               {"b", NULL},
                                               {NULL, NULL}},
                -3);
    metrics_add_ms(&m, NULL, 61005);
    metrics_release(&m);
    assert_string_equal(str_text(&out),
                        "# HELP x_seconds Some x.\n"
                        "# TYPE x_seconds gauge\n"
                        "x_seconds{a=\"q\\\" b\\\\ n\\n e\\\\x1b u\\\\xff\","
                        "b=\"\"} -3\n"
                        "x_seconds 61.005\n");
    str_release(&out);
}

/* One pair of name and labels that stands twice, and all is thrown away. */
static void test_no_sample_stands_twice(void **state)
{
    struct metrics m;
    struct str out;
    size_t lines = 0;

    (void)state;
    str_init(&out, METRICS_CAP);
    metrics_init(&m, &out);
    for (int round = 0; round < 2; round++) {
        metrics_open(&m, &family);
        for (int i = 0; i < 2000; i++) {
            char value[16];

            snprintf(value, sizeof(value), "%d", i % 1000);
            metrics_add(
                &m, (const struct metrics_label[]){{"n", value}, {NULL, NULL}},
                i);
        }
    }
    metrics_release(&m);
    for (const char *p = str_text(&out); *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 2 * (2 + 1000)); /* anew in each family */
    assert_says(str_text(&out), "x_seconds{n=\"999\"} 999\n");
    str_release(&out);
}

/* -- a fleet -------------------------------------------------------------- */

static struct fleet_cert make_cert(const char *node, const char *serial,
                                   int64_t not_after)
{
    struct fleet_cert c = {.cluster = "emea", .node = node};

    c.row.info.not_before = 1000;
    c.row.info.not_after = not_after;
    snprintf(c.service, sizeof(c.service), "database server");
    snprintf(c.file, sizeof(c.file), "db.crt");
    snprintf(c.row.info.serial, sizeof(c.row.info.serial), "%s", serial);
    snprintf(c.row.info.common_name, sizeof(c.row.info.common_name), "a,b");
    snprintf(c.row.info.issuer, sizeof(c.row.info.issuer),
             "O=X\\,CN=no,CN=Root \\\"1\\\"\\, Inc,C=GB");
    return c;
}

static const char expected[] =
    "# HELP x509_cert_not_before Unix time of the certificate's NotBefore.\n"
    "# TYPE x509_cert_not_before gauge\n"
    "x509_cert_not_before{cluster=\"emea\",node=\"core1\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"255\",subject_CN=\"a,b\","
    "issuer_CN=\"Root \\\"1\\\", Inc\"} 1000\n"
    "x509_cert_not_before{cluster=\"emea\",node=\"core2\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"-18446744073709551616\","
    "subject_CN=\"a,b\",issuer_CN=\"Root \\\"1\\\", Inc\"} 1000\n"
    "# HELP x509_cert_not_after Unix time of the certificate's NotAfter.\n"
    "# TYPE x509_cert_not_after gauge\n"
    "x509_cert_not_after{cluster=\"emea\",node=\"core1\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"255\",subject_CN=\"a,b\","
    "issuer_CN=\"Root \\\"1\\\", Inc\"} 4999\n"
    "x509_cert_not_after{cluster=\"emea\",node=\"core2\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"-18446744073709551616\","
    "subject_CN=\"a,b\",issuer_CN=\"Root \\\"1\\\", Inc\"} 5001\n"
    "# HELP x509_cert_expired 1 when the certificate has expired.\n"
    "# TYPE x509_cert_expired gauge\n"
    "x509_cert_expired{cluster=\"emea\",node=\"core1\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"255\",subject_CN=\"a,b\","
    "issuer_CN=\"Root \\\"1\\\", Inc\"} 1\n"
    "x509_cert_expired{cluster=\"emea\",node=\"core2\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"-18446744073709551616\","
    "subject_CN=\"a,b\",issuer_CN=\"Root \\\"1\\\", Inc\"} 0\n"
    "# HELP x509_source_up 1 when the node's certificates could be read.\n"
    "# TYPE x509_source_up gauge\n"
    "x509_source_up{source_kind=\"certfleet\",source_name=\"core1\"} 1\n"
    "x509_source_up{source_kind=\"certfleet\",source_name=\"core2\"} 1\n"
    "x509_source_up{source_kind=\"certfleet\",source_name=\"core3\"} 0\n"
    "# HELP certfleet_cert_finding 1 when the certificate has a finding; check "
    "says which.\n"
    "# TYPE certfleet_cert_finding gauge\n"
    "certfleet_cert_finding{cluster=\"emea\",node=\"core1\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"255\",subject_CN=\"a,b\","
    "issuer_CN=\"Root \\\"1\\\", Inc\"} 0\n"
    "certfleet_cert_finding{cluster=\"emea\",node=\"core2\",service=\"database "
    "server\",filename=\"db.crt\",serial_number=\"-18446744073709551616\","
    "subject_CN=\"a,b\",issuer_CN=\"Root \\\"1\\\", Inc\"} 1\n"
    "# HELP certfleet_node_up 1 when the node answered and could be read.\n"
    "# TYPE certfleet_node_up gauge\n"
    "certfleet_node_up{cluster=\"emea\",node=\"core1\"} 1\n"
    "certfleet_node_up{cluster=\"emea\",node=\"core2\"} 1\n"
    "certfleet_node_up{cluster=\"emea\",node=\"core3\"} 0\n"
    "# HELP certfleet_node_healthy 1 when nothing is wrong with the node; "
    "absent when it is not up.\n"
    "# TYPE certfleet_node_healthy gauge\n"
    "certfleet_node_healthy{cluster=\"emea\",node=\"core1\"} 1\n"
    "certfleet_node_healthy{cluster=\"emea\",node=\"core2\"} 0\n"
    "# HELP certfleet_check_timestamp_seconds Unix time at which the nodes "
    "were read.\n"
    "# TYPE certfleet_check_timestamp_seconds gauge\n"
    "certfleet_check_timestamp_seconds 5000\n"
    "# HELP certfleet_warn_seconds The inventory's warn_days: with less left a "
    "certificate is due.\n"
    "# TYPE certfleet_warn_seconds gauge\n"
    "certfleet_warn_seconds 2592000\n";

static void test_a_fleet_to_the_letter(void **state)
{
    struct fleet_cert certs[] = {
        make_cert("core1", "ff", 4999),
        make_cert("core2", "-10000000000000000", 5001)};
    struct fleet_node nodes[] = {{"emea", "core1", true, true},
                                 {"emea", "core2", true, false},
                                 {"emea", "core3", false, false}};
    const struct fleet_facts facts = {.now = 5000,
                                      .warn_days = 30,
                                      .nodes = nodes,
                                      .n_nodes = 3,
                                      .certs = certs,
                                      .n_certs = 2};
    struct str out;

    (void)state;
    snprintf(certs[1].row.findings, sizeof(certs[1].row.findings), "D1");
    str_init(&out, METRICS_CAP);
    fleet_metrics(&facts, NULL, &out);
    assert_string_equal(str_text(&out), expected);
    str_release(&out);
}

/* -- runs ----------------------------------------------------------------- */

/* A run of the cluster that had outages of these milliseconds, in turn. */
static void make_run(const char *id, const char *cluster, const char *outcome,
                     const int *outages)
{
    const struct store_run run = {
        .id = id, .playbook = "p", .target = cluster, .inputs = "{}"};
    struct cli_store s;

    cli_store_begin(&s, &run);
    for (; *outages >= 0; outages++) {
        char data[128];
        const struct store_record record = {
            .run = id, .cluster = cluster, .kind = "outcome", .data = data};

        snprintf(data, sizeof(data), "{\"outage_ms\":%d}", *outages);
        cli_store_put(&s, &record);
    }
    cli_store_end(&s, id, outcome, 0);
}

static char text[1 << 16];

static void test_without_a_store(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("check", "--metrics", "a.prom"), 0);
    capture_read("a.prom", text, sizeof(text));
    assert_says(text, "certfleet_runs{outcome=\"done\"} 0\n");
    assert_null(strstr(text, "last_outage_seconds{"));
    assert_false(file_exists("state/certfleet.db"));
}

/* The last run that had one, and of it the last word. */
static void test_runs_and_outages(void **state)
{
    struct stat st;

    (void)state;
    make_run("20260101T000000Z-0001", "emea", "done", (const int[]){5, -1});
    make_run("20260102T000000Z-0002", "emea", "rolled-back",
             (const int[]){12345, 800, -1});
    make_run("20260103T000000Z-0003", "emea", "refused", (const int[]){0, -1});
    make_run("20260104T000000Z-0004", "gone", "strange", (const int[]){77, -1});
    make_run("20260105T000000Z-0005", "apac", NULL, (const int[]){-1});
    capture_write("a.prom", "old");
    assert_int_equal(CERTFLEET("check", "--metrics", "a.prom"), 0);
    capture_read("a.prom", text, sizeof(text));
    assert_says(text, "# TYPE certfleet_runs gauge\n"
                      "certfleet_runs{outcome=\"done\"} 1\n"
                      "certfleet_runs{outcome=\"rolled-back\"} 1\n"
                      "certfleet_runs{outcome=\"incomplete\"} 0\n"
                      "certfleet_runs{outcome=\"refused\"} 1\n");
    assert_says(text, "certfleet_runs{outcome=\"running\"} 0\n"
                      "certfleet_runs{outcome=\"cut-off\"} 1\n"
                      "certfleet_runs{outcome=\"other\"} 1\n");
    assert_says(text, "# TYPE certfleet_cluster_last_outage_seconds gauge\n"
                      "certfleet_cluster_last_outage_seconds{cluster=\"emea\"}"
                      " 0.800\n"
                      "# HELP certfleet_cluster_last_outage_timestamp_seconds");
    assert_int_equal(stat("a.prom", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

/* A store that cannot be read says nothing of runs; the nodes are told. */
static void test_a_broken_store(void **state)
{
    (void)state;
    assert_int_equal(rename("state/certfleet.db", "kept"), 0);
    capture_write("state/certfleet.db", "this is no database, not at all");
    assert_int_equal(CERTFLEET("check", "--metrics", "a.prom"), 0);
    assert_says(capture.err, "the metrics say nothing of runs");
    capture_read("a.prom", text, sizeof(text));
    assert_says(text, "certfleet_check_timestamp_seconds ");
    assert_null(strstr(text, "certfleet_runs"));
    assert_int_equal(rename("kept", "state/certfleet.db"), 0);
}

static void test_a_folder_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("check", "--metrics", "none/a.prom"), 2);
    assert_says(capture.err, "none/a.prom");
    assert_int_equal(mkdir("d.prom", 0700), 0);
    assert_int_equal(CERTFLEET("check", "--metrics", "d.prom"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_no_sample_stands_twice),
        cmocka_unit_test(test_a_fleet_to_the_letter),
        cmocka_unit_test(test_without_a_store),
        cmocka_unit_test(test_runs_and_outages),
        cmocka_unit_test(test_a_broken_store),
        cmocka_unit_test(test_a_folder_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
