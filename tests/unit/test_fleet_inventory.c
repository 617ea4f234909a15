/* SPDX-License-Identifier: Apache-2.0
 *
 * What a valid inventory means: values, defaults, precedence, paths, places.
 */
#include "tests/unit/fleet_fixture.h"

static const char small[] = "[issuer dbca]\n"
                            "ca_cert = ca-{cluster}.crt\n"
                            "ca_key = /keys/ca-{cluster}.key\n"
                            "[cluster emea]\n"
                            "product = cms\n"
                            "issuer = dbca\n"
                            "[node core1]\n"
                            "cluster = emea\n"
                            "roles = database callbridge\n";

static void test_defaults(void **state)
{
    struct inventory *inv = fixture_read(small);
    const struct node *n = inventory_node(inv, "core1");
    const struct issuer *ca = inventory_cluster(inv, "emea")->issuer;
    char path[128];

    (void)state;
    expect_faults(inv, 0, 0);
    snprintf(path, sizeof(path), "%s/.local/state/certfleet", fixture_folder);
    assert_string_equal(inv->state_dir, path);
    snprintf(path, sizeof(path), "%s/.ssh/known_hosts", fixture_folder);
    assert_string_equal(inv->known_hosts, path);
    snprintf(path, sizeof(path), "%s/.ssh/config", fixture_folder);
    assert_string_equal(inv->ssh_config, path);
    assert_string_equal(inv->folder, fixture_folder);
    assert_string_equal(inv->path, fixture_file);
    assert_false(inv->accept_new);
    assert_int_equal(inv->max_sessions, 200);
    assert_int_equal(inv->warn_days, 30);
    assert_int_equal(inv->keep_days, 30);
    assert_int_equal(inv->keep_backups, 3);
    assert_string_equal(n->address, "core1");
    assert_null(n->user);
    assert_null(n->password);
    assert_null(n->identity);
    assert_false(n->identity_named);
    assert_int_equal(n->port, 0);
    assert_int_equal(n->db_port, 5432);
    assert_int_equal(n->roles, DATABASE | CALLBRIDGE);
    assert_int_equal(n->connect_timeout_s, 15);
    assert_int_equal(n->command_timeout_s, 60);
    assert_int_equal(n->timeout_leave_s, 300);
    assert_int_equal(n->timeout_init_s, 300);
    assert_int_equal(n->timeout_connect_s, 300);
    assert_int_equal(n->timeout_join_s, 1800);
    assert_int_equal(n->retries, 2);
    assert_false(n->weak_algorithms);
    assert_int_equal(n->line, 7);
    assert_int_equal(n->cluster->on_failure, ON_FAILURE_ROLLBACK);
    assert_int_equal(n->cluster->leave, LANE_ONE_BY_ONE);
    assert_int_equal(n->cluster->join, LANE_ONE_BY_ONE);
    snprintf(path, sizeof(path), "%s/ca-{cluster}.crt", fixture_folder);
    assert_string_equal(ca->ca_cert, path);
    assert_string_equal(ca->ca_key, "/keys/ca-{cluster}.key");
    assert_int_equal(ca->kind, ISSUER_INTERNAL);
    assert_string_equal(ca->key, "rsa:2048");
    assert_int_equal(ca->ca_days, 3650);
    assert_int_equal(ca->days, 825);
    inventory_free(inv);
}

static void test_every_value(void **state)
{
    struct inventory *inv = fixture_read(
        "[fleet]\nstate_dir = state\nknown_hosts = ~/kh\n"
        "host_keys = accept-new\nssh_config = none\nmax_sessions = 7\n"
        "warn_days = 1\nkeep_days = 0\nkeep_backups = 9\n"
        "[issuer i]\nkind = internal\nca_cert = c\nca_key = k\n"
        "ca_key_password = file:p\nca_days = 100\ndays = 10\nkey = ec:P-384\n"
        "[cluster c]\nproduct = cms\nissuer = i\non_failure = hold\n"
        "leave = parallel\njoin = parallel\n"
        "subject = O=Example\\, Inc.,C=GB\n"
        "[node n]\ncluster = c\naddress = 10.1.2.3\nport = 2222\n"
        "roles = database, callbridge\ninterface = b\n"
        "db_address = 10.0.0.1\ndb_port = 5433\nnames = a.example b.example\n"
        "host_key = SHA256:uNiVztksCsDhcc0u9e8BrrZTrF8w5p7bvGmGmxx4c7A=\n"
        "user = EXAMPLE\\admin\nweak_algorithms = yes\n");
    const struct node *n = inventory_node(inv, "n");
    const struct cluster *c = inventory_cluster(inv, "c");
    char path[128];

    (void)state;
    expect_faults(inv, 0, 0);
    assert_true(inv->accept_new);
    assert_null(inv->ssh_config);
    assert_int_equal(inv->max_sessions, 7);
    assert_int_equal(inv->keep_days, 0);
    snprintf(path, sizeof(path), "file:%s/p", fixture_folder);
    assert_string_equal(c->issuer->ca_key_password, path);
    assert_string_equal(c->issuer->key, "ec:P-384");
    assert_int_equal(c->issuer->days, 10);
    assert_int_equal(c->on_failure, ON_FAILURE_HOLD);
    assert_int_equal(c->leave, LANE_PARALLEL);
    assert_int_equal(c->join, LANE_PARALLEL);
    assert_string_equal(c->subject, "O=Example\\, Inc.,C=GB");
    assert_string_equal(c->words->product, "cms");
    assert_int_equal(n->roles, DATABASE | CALLBRIDGE);
    assert_string_equal(n->address, "10.1.2.3");
    assert_int_equal(n->port, 2222);
    assert_string_equal(n->interface, "b");
    assert_string_equal(n->db_address, "10.0.0.1");
    assert_int_equal(n->db_port, 5433);
    assert_string_equal(n->names[0], "a.example");
    assert_string_equal(n->names[1], "b.example");
    assert_null(n->names[2]);
    assert_string_equal(n->host_key,
                        "SHA256:uNiVztksCsDhcc0u9e8BrrZTrF8w5p7bvGmGmxx4c7A");
    assert_string_equal(n->user, "EXAMPLE\\admin");
    assert_true(n->weak_algorithms);
    inventory_free(inv);
}

static void test_precedence(void **state)
{
    struct inventory *inv = fixture_read(
        "[node n1]\ncluster = c\nuser = of-node\nretries = 0\n"
        "[node n2]\ncluster = c\n"
        "[node n3]\ncluster = d\n"
        "[cluster c]\nproduct = cms\nuser = of-cluster\nport = 23\n"
        "retries = 1\ntimeout_join = 5\n"
        "[cluster d]\nproduct = cms\n"
        "[fleet]\nuser = of-fleet\nretries = 9\ncommand_timeout = 7\n"
        "timeout_join = 6\npassword = env:P\n");
    const struct node *n1 = inventory_node(inv, "n1");
    const struct node *n2 = inventory_node(inv, "n2");
    const struct node *n3 = inventory_node(inv, "n3");

    (void)state;
    expect_faults(inv, 0, 0);
    assert_string_equal(n1->user, "of-node");
    assert_string_equal(n2->user, "of-cluster");
    assert_string_equal(n3->user, "of-fleet");
    assert_int_equal(n1->retries, 0);
    assert_int_equal(n2->retries, 1);
    assert_int_equal(n3->retries, 9);
    assert_int_equal(n1->port, 23);
    assert_int_equal(n3->port, 0);
    assert_int_equal(n1->timeout_join_s, 5);
    assert_int_equal(n3->timeout_join_s, 6);
    assert_int_equal(n1->command_timeout_s, 7);
    assert_string_equal(n1->password, "env:P");
    inventory_free(inv);
}

/* Two sections with `prompt` ask for two secrets; one section for one. */
static enum check_grade grade(const struct check_setting *list, const char *id)
{
    while (list->id && strcmp(list->id, id) != 0)
        list++;
    return list->id ? list->grade : CHECK_OFF;
}

/* The cluster's own line beats the fleet's, wherever the sections stand. */
static void test_preflight(void **state)
{
    struct inventory *inv =
        fixture_read("[preflight b]\nB3 = note\nH2 = error\n"
                     "[cluster a]\nproduct = cms\n"
                     "[cluster b]\nproduct = cms\n"
                     "[preflight]\nB3 = error ; a comment\nF7 = block\n");

    (void)state;
    assert_int_equal(inv->n_errors, 0);
    assert_int_equal(grade(inv->checks, "B3"), CHECK_ERROR);
    assert_int_equal(grade(inv->clusters[0]->checks, "B3"), CHECK_ERROR);
    assert_int_equal(grade(inv->clusters[0]->checks, "F7"), CHECK_BLOCK);
    assert_int_equal(grade(inv->clusters[1]->checks, "B3"), CHECK_NOTE);
    assert_int_equal(grade(inv->clusters[1]->checks, "F7"), CHECK_BLOCK);
    assert_int_equal(grade(inv->clusters[1]->checks, "H2"), CHECK_ERROR);
    inventory_free(inv);
}

static void test_prompts_differ(void **state)
{
    struct inventory *inv =
        fixture_read("[fleet]\npassword = prompt\n"
                     "[cluster c]\nproduct = cms\n[node n1]\ncluster = c\n"
                     "[node n2]\ncluster = c\n"
                     "[node n3]\ncluster = c\npassword = prompt\n");
    const char *p1 = inventory_node(inv, "n1")->password;

    (void)state;
    expect_faults(inv, 0, 0);
    assert_string_equal(p1, "prompt:password for [fleet]");
    assert_string_equal(p1, inventory_node(inv, "n2")->password);
    assert_string_equal(inventory_node(inv, "n3")->password,
                        "prompt:password for [node n3]");
    inventory_free(inv);
}

static void test_order_and_index(void **state)
{
    struct inventory *inv =
        fixture_read("[node b]\ncluster = y\n[cluster y]\nproduct = cms\n"
                     "[node a]\ncluster = x\n[cluster x]\nproduct = cms\n"
                     "[node c]\ncluster = y\n");

    (void)state;
    expect_faults(inv, 0, 0);
    assert_int_equal(inv->n_clusters, 2);
    assert_int_equal(inv->n_nodes, 3);
    assert_string_equal(inv->clusters[0]->name, "y");
    assert_int_equal(inv->clusters[0]->n_nodes, 2);
    assert_string_equal(inv->clusters[0]->nodes[1]->name, "c");
    assert_string_equal(inv->nodes[0]->name, "b");
    for (size_t i = 0; i < inv->n_nodes; i++)
        assert_int_equal(inv->nodes[i]->index, i);
    for (size_t i = 0; i < inv->n_clusters; i++)
        assert_int_equal(inv->clusters[i]->index, i);
    assert_null(inventory_node(inv, "y"));
    assert_null(inventory_cluster(inv, "zz"));
    inventory_free(inv);
}

static void test_identity(void **state)
{
    struct inventory *inv;
    char path[128];

    (void)state;
    mkdir(".ssh", 0700);
    fixture_write(".ssh/id_ed25519", "key", 3);
    fixture_write("other", "key", 3);
    inv = fixture_read("[cluster c]\nproduct = cms\n[node n1]\ncluster = c\n"
                       "[node n2]\ncluster = c\nidentity = other\n");
    expect_faults(inv, 0, 0);
    snprintf(path, sizeof(path), "%s/.ssh/id_ed25519", fixture_folder);
    assert_string_equal(inventory_node(inv, "n1")->identity, path);
    assert_false(inventory_node(inv, "n1")->identity_named);
    snprintf(path, sizeof(path), "%s/other", fixture_folder);
    assert_string_equal(inventory_node(inv, "n2")->identity, path);
    assert_true(inventory_node(inv, "n2")->identity_named);
    inventory_free(inv);
    unlink(".ssh/id_ed25519");
}

static void test_state_dir(void **state)
{
    struct inventory_options options = {.path = fixture_file,
                                        .products = fixture_products};
    struct inventory *inv;
    char path[128];

    (void)state;
    fixture_write("fleet.ini", small, strlen(small));
    setenv("XDG_STATE_HOME", "/xdg", 1);
    inv = inventory_read(&options, NULL);
    assert_string_equal(inv->state_dir, "/xdg/certfleet");
    inventory_free(inv);
    options.state_dir = "mine";
    inv = inventory_read(&options, NULL);
    snprintf(path, sizeof(path), "%s/mine", fixture_folder);
    assert_string_equal(inv->state_dir, path);
    inventory_free(inv);
    unsetenv("XDG_STATE_HOME");
}

static void test_places(void **state)
{
    struct inventory_options options = {.products = fixture_products};
    struct inventory *inv;
    struct err err;

    (void)state;
    unlink("certfleet.ini");
    if (access("/etc/certfleet/certfleet.ini", F_OK) != 0) {
        assert_null(inventory_read(&options, &err));
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_non_null(strstr(err.text, "./certfleet.ini"));
        assert_non_null(strstr(err.text, "/etc/certfleet/certfleet.ini"));
        assert_non_null(strstr(err.text, "CERTFLEET_INVENTORY"));
    }
    fixture_write("certfleet.ini", small, strlen(small));
    inv = inventory_read(&options, &err);
    assert_non_null(inv);
    assert_string_equal(inv->path, "./certfleet.ini");
    assert_string_equal(inv->folder, fixture_folder);
    inventory_free(inv);
    /* What is named and missing is not replaced by another. */
    setenv("CERTFLEET_INVENTORY", "nowhere.ini", 1);
    assert_null(inventory_read(&options, &err));
    assert_non_null(strstr(err.text, "nowhere.ini: No such file"));
    fixture_write("env.ini", small, strlen(small));
    setenv("CERTFLEET_INVENTORY", "env.ini", 1);
    inv = inventory_read(&options, &err);
    assert_string_equal(inv->path, "env.ini");
    inventory_free(inv);
    options.path = "gone.ini";
    assert_null(inventory_read(&options, &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
    options.path = fixture_folder;
    assert_null(inventory_read(&options, &err));
    assert_non_null(strstr(err.text, "Is a directory"));
    unsetenv("CERTFLEET_INVENTORY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_value),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_preflight),
        cmocka_unit_test(test_prompts_differ),
        cmocka_unit_test(test_order_and_index),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_state_dir),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
