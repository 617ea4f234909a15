/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab itself, by OpenSSH's clients: its words, its refusals, the rotation
 * by hand, and that it sees what a careless client does.
 */
#include "tests/lab/test_parts.h"

/* -- words --------------------------------------------------------------------
 */

static void test_status_words(void **state)
{
    struct rig *rig = start("3+1", NULL);
    char *text = rig_ssh(rig, 2, "database cluster status", NULL);
    char a[16], wanted[1024];
    int n = 0;

    (void)state;
    rig_address(rig, 1, a);
    a[strlen(a) - 1] = '\0'; /* 127.X.Y. */
    n = snprintf(wanted, sizeof(wanted),
                 "Status                   : Enabled\n\nNodes:\n");
    for (int i = 1; i <= 3; i++) {
        char label[64];
        snprintf(label, sizeof(label), "    %s%d%s", a, i,
                 i == 2 ? " (me)" : "");
        n += snprintf(
            wanted + n, sizeof(wanted) - (size_t)n, "%-25s: %s\n", label,
            i == 1 ? "Connected Primary" : "Connected Replica ( In Sync )");
    }
    snprintf(wanted + n, sizeof(wanted) - (size_t)n,
             "Node in use              : %s1\n\n"
             "Interface                : a\n\n"
             "Certificates\n"
             "  Server Key             : dbclusterserver.key\n"
             "  Server Certificate     : dbclusterserver.cer\n"
             "  Client Key             : dbclusterclient.key\n"
             "  Client Certificate     : dbclusterclient.cer\n"
             "  CA Certificate         : dbclusterca.cer\n\n"
             "Last command             : 'database cluster join %s1' "
             "(Success)\n",
             a, a);
    assert_string_equal(text, wanted);
    free(text);
    assert_true(rig_do(rig, "set core2 vocabulary master"));
    assert_true(prints(rig, 2, "database cluster status",
                       "Connected Slave ( In Sync )"));
    assert_true(prints(rig, 4, "database cluster status",
                       "Interface       "
                       "         : none"));
    assert_true(prints(rig, 1, "reeboot", "Unknown command"));
    assert_true(prints(rig, 1, "database cluster", "Usage:"));
    assert_true(prints(rig, 1, "backup snapshot cf-1", "ready for download"));
    assert_true(prints(rig, 1, "pki inspect dbclusterca.cer", "Not After : "));
    assert_true(prints(rig, 1,
                       "pki match dbclusterserver.key "
                       "dbclusterclient.cer",
                       "FAILURE: "));
    assert_true(prints(rig, 1,
                       "pki verify dbclusterserver.cer "
                       "dbclusterca.cer",
                       "SUCCESS: "));
    stop(rig, NULL, 0);
}

static void test_expired(void **state)
{
    struct rig *rig = start("3+0", NULL);

    (void)state;
    assert_true(rig_do(rig, "clock core2 +1000000"));
    assert_true(prints(rig, 2, "database cluster status", ".cer (expired)"));
    assert_true(prints(rig, 1, "database cluster status", ": Disconnected"));
    assert_true(prints(rig, 3, "database cluster status", ": Disconnected"));
    stop(rig, NULL, 0);
}

/* -- refusals -------------------------------------------------------------- */

static void test_refusals(void **state)
{
    struct rig *rig = start("3+0", NULL);
    char *text;

    (void)state;
    assert_true(prints(rig, 2,
                       "database cluster certs dbclusterserver.key "
                       "dbclusterserver.cer dbclusterclient.key "
                       "dbclusterclient.cer dbclusterca.cer",
                       "FAILURE: "));
    assert_true(prints(rig, 2, "database cluster initialize", "FAILURE: "));
    text = rig_dialog(rig, 2, "database cluster remove", "y");
    assert_null(strstr(text, "started"));
    free(text);
    assert_true(is(rig, "node core2", "role", "replica"));
    /* no answer at all: standard input is closed */
    assert_true(prints(rig, 2, "database cluster remove", "(Y/n)"));
    assert_true(is(rig, "node core2", "role", "replica"));

    assert_true(rig_do(rig, "set core2 remove_ms 20000"));
    say_yes(rig, 2, "database cluster remove", "started");
    assert_true(prints(rig, 2, "database cluster status", ": Detaching"));
    assert_true(prints(rig, 2, "database cluster status", "cluster join"));
    assert_true(prints(rig, 2, "database cluster remove", "FAILURE: "));
    stop(rig, NULL, 0);
}

/* One key, as some consoles have it; the carriage return behind it is an
 * empty command. */
static void test_confirm_by_key(void **state)
{
    struct rig *rig = start("3+0", "confirm=key");

    (void)state;
    say_yes(rig, 2, "database cluster remove", "started");
    wait_done(rig, "core2", "remove");
    stop(rig, NULL, 0);
}

/* -- the rotation by hand (facts/cms.md 3.7) ------------------------------- */

static void leave(struct rig *rig, unsigned node, const char *name)
{
    say_yes(rig, node, "database cluster remove", "started");
    wait_done(rig, name, "remove");
    assert_true(prints(rig, node,
                       *name == 'c' ? "database cluster certs " NEW_5
                                    : "database cluster certs " NEW_3,
                       "SUCCESS: "));
}

/* What a probe of the database port meets: the new certificate. */
static int check_served(const char *address, const char *dir)
{
    char where[64], ca[128];
    const char *const argv[] = {"openssl",  "s_client", "-starttls",
                                "postgres", "-connect", where,
                                "-CAfile",  ca,         "-verify_return_error",
                                NULL};

    snprintf(where, sizeof(where), "%s:5432", address);
    snprintf(ca, sizeof(ca), "%s/certs/lab/dbclusterca.cer", dir);
    return rig_run(argv);
}

static void test_rotation(void **state)
{
    static const char *const names[] = {"",      "core1", "core2",
                                        "core3", "edge1", "edge2"};
    struct rig *rig = start("3+2", NULL);
    struct other_set set;
    char address[16], command[512];

    (void)state;
    make_other_set(rig, &set, "400");
    rig_address(rig, 1, address);
    for (unsigned n = 1; n <= 5; n++)
        push_set(rig, &set, n);
    for (unsigned n = 2; n <= 5; n++)
        leave(rig, n, names[n]);
    leave(rig, 1, "core1");
    assert_true(prints(rig, 1, "database cluster localnode a", "SUCCESS"));
    say_yes(rig, 1, "database cluster initialize", "started");
    wait_done(rig, "core1", "initialize");
    assert_true(
        prints(rig, 1, "database cluster status", ": Connected Primary"));
    for (unsigned n = 2; n <= 5; n++) {
        const char *verb = n <= 3 ? "join" : "connect";
        snprintf(command, sizeof(command), "database cluster %s %s", verb,
                 address);
        say_yes(rig, n, command, "started");
        wait_done(rig, names[n], verb);
    }
    assert_true(is(rig, "cluster", "state", "new"));
    assert_true(is(rig, "cluster", "healthy", "true"));
    assert_true(is(rig, "cluster", "rows_lost", "0"));
    assert_true(is(rig, "cluster", "primary", "core1"));
    assert_int_equal(check_served(address, set.dir), 0);
    stop(rig, NULL, 0);
}

/* -- what a careless client does is seen ----------------------------------- */

static void test_data_loss_is_seen(void **state)
{
    struct rig *rig = start("3+0", "rows_per_s=1000");
    json_t *verdict = NULL;
    char address[16], command[512];

    (void)state;
    rig_address(rig, 3, address);
    say_yes(rig, 3, "database cluster remove", "started");
    wait_done(rig, "core3", "remove");
    say_yes(rig, 1, "database cluster remove", "started"); /* I3 */
    wait_done(rig, "core1", "remove");
    say_yes(rig, 3, "database cluster initialize", "started"); /* I1 */
    wait_done(rig, "core3", "initialize");
    snprintf(command, sizeof(command), "database cluster join %s", address);
    say_yes(rig, 1, command, "started");
    wait_done(rig, "core1", "join");
    assert_int_equal(rig_stop(rig, &verdict), 0);
    assert_int_equal(violations(verdict, "I3"), 1);
    assert_true(violations(verdict, "I1") >= 1);
    assert_true(json_integer_value(json_object_get(
                    json_array_get(json_object_get(verdict, "clusters"), 0),
                    "rows_lost")) > 0);
    json_decref(verdict);
}

static void test_rules_are_seen(void **state)
{
    struct rig *rig = start("3+0", NULL);
    json_t *verdict = NULL;
    char batch[256], address[16], command[128];

    (void)state;
    rig_address(rig, 3, address);
    say_yes(rig, 2, "database cluster remove", "started");
    wait_done(rig, "core2", "remove");
    snprintf(command, sizeof(command), "database cluster join %s", address);
    say_yes(rig, 2, command, "started"); /* core3 is a replica: I2 */
    wait_done(rig, "core2", "join");
    snprintf(batch, sizeof(batch), "put %s/lab.ini dbclusterca.cer\n",
             rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 0); /* I4 */
    assert_true(prints(rig, 1, "backup rollback x", "recorded"));
    assert_true(prints(rig, 1, "user add BEGIN PRIVATE KEY", "Usage"));
    assert_int_equal(rig_stop(rig, &verdict), 0);
    assert_int_equal(violations(verdict, "I2"), 1);
    assert_int_equal(violations(verdict, "I4"), 1);
    assert_int_equal(violations(verdict, "dangerous"), 1);
    assert_int_equal(violations(verdict, "secret"), 1);
    json_decref(verdict);
}

/* -- certificates are really verified -------------------------------------- */

static void test_bad_sets(void **state)
{
    struct rig *rig = start("3+0", NULL);
    struct other_set set;
    char address[16], command[512];

    (void)state;
    make_other_set(rig, &set, "400");
    rig_address(rig, 1, address);
    snprintf(command, sizeof(command), "database cluster join %s", address);
    push_set(rig, &set, 2);
    leave(rig, 2, "core2"); /* a set of another root: join must fail */
    say_yes(rig, 2, command, "started");
    assert_true(rig_do(rig, "wait core2 command '*join*' failed"));
    assert_true(prints(rig, 2, "database cluster status",
                       "ERROR                    : "));
    assert_true(prints(rig, 2, "database cluster status", "' (Failed)"));
    assert_true(prints(rig, 2, "database cluster initialize", "FAILURE"));
    assert_true(prints(rig, 2, "database cluster clear_error", "SUCCESS"));

    /* at `certs` time, when so chosen: a key that does not match */
    assert_true(rig_do(rig, "set core2 verify_at certs"));
    assert_true(prints(rig, 2,
                       "database cluster certs newclient.key newserver.cer "
                       "newclient.key newclient.cer newca.cer",
                       "do not match"));
    assert_true(prints(rig, 2,
                       "database cluster certs newserver.key newserver.cer "
                       "newserver.key newserver.cer newca.cer",
                       "FAILURE: "));
    assert_true(rig_do(rig, "clock core2 +100000000"));
    assert_true(prints(rig, 2, "database cluster certs " NEW_5, "expired"));
    stop(rig, NULL, 0);
}

/* -- a file of one's own -----------------------------------------------------
 */

static void test_config(void **state)
{
    static const char more[] =
        "\n[user audit]\npassword = x\nrole = audit\nmust_change = 1\n"
        "\n[cluster old]\nprimary = a1\nvocabulary = master\n"
        "\n[node a1]\ncluster = old\naddress = 127.31.1.1\n"
        "db_address = 10.0.0.1\nhostname = cms.example.com\n"
        "files = certs/lab\nuse = dbclusterserver.key dbclusterserver.cer "
        "dbclusterclient.key dbclusterclient.cer dbclusterca.cer\n"
        "interface = b\nversion = 2.9.1\n"
        "\n[node a2]\ncluster = old\naddress = 127.31.1.2\n"
        "db_address = 10.0.0.2\nfiles = certs/lab\nuse = "
        "dbclusterserver.key dbclusterserver.cer dbclusterclient.key "
        "dbclusterclient.cer dbclusterca.cer\nout_of_sync = 1\n"
        "\n[node a3]\ncluster = old\naddress = 127.31.1.3\n"
        "files = certs/lab\ndown = 1\ndown_word = Not Connected\n";
    struct rig *rig = start("1+0", NULL), *own;
    struct other_set set;
    char path[128];
    const char *const args[] = {path, NULL};
    FILE *f;

    (void)state;
    make_other_set(rig, &set, "10");
    snprintf(path, sizeof(path), "%s/lab.ini", set.dir);
    f = fopen(path, "a");
    assert_non_null(f);
    fputs(more, f);
    fclose(f);
    assert_true(rig_do(rig, "down core1")); /* its address is wanted again */
    own = rig_start(LAB_PROGRAM, args);
    assert_true(is(own, "cluster lab", "healthy", "true"));
    assert_true(is(own, "node a2", "in_sync", "false"));
    assert_true(is(own, "node a3", "up", "false"));
    {
        json_t *o = rig_ask(own, "status a1");
        const char *text = json_string_value(json_object_get(o, "text"));
        assert_non_null(strstr(text, "10.0.0.1 (me)        : "
                                     "Connected Master\n"));
        assert_non_null(strstr(text, "10.0.0.2             : "
                                     "Connected Slave ( Sync Behind )\n"));
        assert_non_null(strstr(text, "Interface                : b\n"));
        json_decref(o);
    }
    stop(own, NULL, 0);
    stop(rig, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_words),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_confirm_by_key),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_data_loss_is_seen),
        cmocka_unit_test(test_rules_are_seen),
        cmocka_unit_test(test_bad_sets),
        cmocka_unit_test(test_config),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
