/* SPDX-License-Identifier: Apache-2.0
 *
 * Every fault that an inventory can have, each with its line, alone and all
 * at once; and what is no fault.
 */
#include "tests/unit/fleet_fixture.h"

#define C "[cluster c]\nproduct = cms\n"                  /* 2 lines */
#define I "[issuer i]\nca_cert = r.crt\nca_key = r.key\n" /* 3 lines */
#define N(name) "[node " name "]\ncluster = c\n"          /* 2 lines */
#define A "[issuer i]\nkind = adcs\nca_cert = r.crt\n"    /* 3 lines */
#define CA "[cluster p]\nproduct = signs\n[node ca1]\ncluster = p\n"
#define DB(name) N(name) "roles = database\n" /* 3 lines */

struct wrong {
    const char *text;
    unsigned line;
    const char *part;
};

/* clang-format off */
/* Each is the only error of its text. */
static const struct wrong errors[] = {
    { C N("a") "adress = x\n", 5,
      "unknown key `adress' in [node a]; did you mean `address'?" },
    { C N("a") "zzzzzz = x\n", 5, "unknown key `zzzzzz' in [node a]" },
    { C N("a") "warn_days = 3\n", 5, "it belongs into: fleet" },
    { C N("a") "Cluster = c\n", 5, "did you mean `cluster'?" },
    { C "[nodes a]\nfoo = 1\n", 3,
      "unknown section [nodes]; did you mean `node'?" },
    { "[]\n" C, 1, "unknown section []" },
    { C "[preflight]\nb3 = off\n", 4,
      "unknown check `b3' in [preflight]; did you mean `B3'" },
    { C "[preflight c]\nport = 22\n", 4,
      "unknown check `port' in [preflight c]" },
    { C "[preflight]\nB3 = maybe\n", 4,
      "bad B3 `maybe' in [preflight]: off, note, warning, block or error" },
    { C "[preflight]\nH2 = off\n", 4,
      "H2 cannot be `off', at least `error': whose data it is" },
    { C "[preflight c]\nH3 = warning\n", 4,
      "H3 cannot be `warning', at least `block': whose data it is" },
    { C "[preflight]\nB3 = off\nB3 = off\n", 5,
      "`B3' is already in [preflight] on line 4" },
    { C "[preflight c]\n[preflight c]\n", 4,
      "[preflight c] is already on line 3" },
    { C "[preflight]\n[preflight]\n", 4,
      "[preflight] is already on line 3" },
    { "[cluster emea]\nproduct = cms\n[preflight emae]\n", 3,
      "[preflight emae] names a cluster that the file does not have; did you "
      "mean `emea'?" },
    { C N("a") "port = 22\nport = 23\n", 6,
      "`port' is already in [node a] on line 5" },
    { C N("a") N("b") N("a"), 7, "[node a] is already on line 3" },
    { C C, 3, "[cluster c] is already on line 1" },
    { C I I, 6, "[issuer i] is already on line 3" },
    { "[fleet]\n" C "[fleet]\n", 4, "[fleet] is already on line 1" },
    { "[fleet x]\n" C, 1, "[fleet] takes no name" },
    { C "[node]\n", 3, "[node] has no name" },
    { C N("a/b"), 3, "`a/b' is no name for a node" },
    { C N("-a"), 3, "`-a' is no name for a node" },
    { C N("a b"), 3, "`a b' is no name for a node" },
    { C "[node a]\naddress = x\n", 3, "[node a] has no `cluster'" },
    { C "[node a]\n", 3, "[node a] has no `cluster'" },
    { "[cluster emea]\nproduct = cms\n[node a]\ncluster = emae\n", 4,
      "names cluster `emae', which the file does not have; did you mean "
      "`emea'?" },
    { "[cluster c]\n", 1, "[cluster c] has no `product'" },
    { "[cluster c]\nproduct = cmx\n", 2,
      "unknown product `cmx'; known: cms other signs" },
    { C N("a") "roles = databse\n", 5,
      "product cms has no role `databse'; it has: database connect "
      "callbridge webadmin" },
    { I C "issuer = i\n" N("a") "roles = connect database\n", 9,
      "roles database and connect exclude each other" },
    { I C "issuer = i\n" DB("a") DB("b") DB("c1") DB("d") DB("e") DB("f"), 22,
      "[node f] is number 6 with role database in [cluster c]; 5 is the" },
    { C N("a") "port = 0\n", 5, "a number from 1 to 65535 is wanted" },
    { C N("a") "port = 65536\n", 5, "bad port `65536' in [node a]" },
    { C N("a") "port = 22x\n", 5, "a number from 1 to 65535" },
    { C N("a") "port = -1\n", 5, "a number from 1 to 65535" },
    { C N("a") "port = 99999999999999999999\n", 5, "a number from 1 to" },
    { C N("a") "port =\n", 5, "nothing stands behind the `='" },
    { C N("a") "port = ; 22\n", 5, "nothing stands behind the `='" },
    { C N("a") "retries = 101\n", 5, "a number from 0 to 100" },
    { C N("a") "connect_timeout = 0\n", 5, "a number from 1 to 86400" },
    { "[fleet]\nhost_keys = off\n" C, 2, "strict | accept-new" },
    { "[fleet]\nkeep_backups = 0\n" C, 2, "a number from 1 to 1000" },
    { C "on_failure = panic\n", 3, "rollback | hold" },
    { C "leave = all\n", 3, "one-by-one | parallel" },
    { C "join = primary-last\n", 3, "one-by-one | parallel" },
    { C N("a") "weak_algorithms = maybe\n", 5, "yes | no" },
    { C N("a") "address = a b\n", 5, "bad address `a b'" },
    { C N("a") "address = -oProxyCommand=x\n", 5, "bad address" },
    { C N("a") "address = [::1]\n", 5, "without blanks and brackets" },
    { C N("a") "db_address = $(x)\n", 5, "bad db_address" },
    { C N("a") "user = -l root\n", 5, "bad user" },
    { C N("a") "names = a;b\n", 5, "words between blanks or commas" },
    { C N("a") "names = ,\n", 5, "no word in it" },
    { C N("a") "user = \"admin\"\n", 5, "without quotes" },
    { C N("a") "user = ad\x01min\n", 5, "a control character" },
    { C N("a") "host_key = MD5:aa\n", 5, "begins with SHA256:" },
    { C N("a") "host_key = SHA256:abc\n", 5, "43 base64 digits" },
    { C N("a") "host_key = SHA256:uNiVztksCsDhcc0u9e8BrrZTrF8w5p7bvGmGmxx4"
      "c7B\n", 5, "its last digit cannot be right" },
    { C N("a") "host_key = SHA256:uNiVztksCsDhcc0u9e8BrrZTrF8w5p7bvGmGmxx4"
      "c7AA\n", 5, "43 base64 digits" },
    { C N("a") "password = env:\n", 5, "bad password in [node a]: env:" },
    { C N("a") "password = env:A-B\n", 5, "name of an environment variable" },
    { C N("a") "password = file:\n", 5, "file: wants a path" },
    { C N("a") "password = command:\n", 5, "command: wants a command line" },
    { C N("a") "passphrase = prompt:\n", 5, "bad passphrase" },
    { C N("a") "identity = gone\n", 5, "No such file" },
    { "[fleet]\nidentity = ~/gone\n" C, 2, "/gone: No such file" },
    { "[fleet]\nstate_dir = ~nobody/x\n" C, 2, "only ~ and ~/" },
    { "[fleet]\nstore = state.db\n" C, 2, "begins with postgresql://" },
    { "[fleet]\nstore = postgresql://u:p@h/d\n" C, 2, "does not belong" },
    { "[fleet]\nstore = postgres://h/d?password=p\n" C, 2, "does not belong" },
    { "[fleet]\nstore_lease = 5\n" C, 2, "from 6 to 3600" },
    { C "issuer = x\n", 3, "names issuer `x', which the file does not have" },
    { C DB("a"), 1, "nodes with role database but no `issuer'" },
    { I "kind = acme\n" C, 4, "bad kind `acme' in [issuer i]: one of these "
      "is wanted: internal | command | csr | appliance | adcs" },
    { "[issuer i]\nkind = command\nca_cert = c\n" C, 1, "[issuer i] has no "
      "`command', which kind = command needs" },
    { "[issuer i]\nkind = command\nca_cert = c\ncommand = sign\n" C, 4,
      "with a slash in it" },
    { "[issuer i]\nkind = command\nca_cert = c\ncommand = ./s 'a\n" C, 4,
      "a ' that is not closed" },
    { "[issuer i]\nkind = csr\nca_cert = c\nca_key = k\n" C, 4, "`ca_key' is "
      "for kind = internal only" },
    { I "command = /bin/sign\n" C, 4, "`command' is for kind = command only" },
    { I "timeout_issue = 5\n" C, 4, "`timeout_issue' is for kind = command" },
    { "[issuer i]\nkind = appliance\nca_cert = c\n" C, 3,
      "`ca_cert' is for kind = all but appliance" },
    { "[issuer i]\nkind = appliance\ndays = 9\n" C, 3, "`days' is for" },
    { "[issuer i]\nkind = appliance\nkey = rsa:4096\n" C, 3, "`key' is for" },
    { A "config = H\\CA\n" CA, 1, "[issuer i] has no `node', which kind = adcs" },
    { A "node = ca1\n" CA, 1, "[issuer i] has no `config', which kind = adcs" },
    { A "node = ca2\nconfig = H\\CA\n" CA, 4,
      "names node `ca2', which the file does not have; did you mean `ca1'?" },
    { A "node = a\nconfig = H\\CA\n" C N("a"), 4,
      "node a is of product cms, whose nodes sign no requests" },
    { A "node = ca1\nconfig = H\\Our CA\n" CA, 5, "whose name has blanks" },
    { A "node = ca1\nconfig = CA\n" CA, 5, "HOST\\CA is wanted" },
    { A "node = ca1\nconfig = H\\\n" CA, 5, "HOST\\CA is wanted" },
    { A "node = ca1\nconfig = \\CA\n" CA, 5, "HOST\\CA is wanted" },
    { A "node = ca1\nconfig = H\\-CA\n" CA, 5, "HOST\\CA is wanted" },
    { A "node = ca1\nconfig = H\\C\\A\n" CA, 5, "HOST\\CA is wanted" },
    { A "node = ca1\nconfig = H\\CA&x\n" CA, 5, "HOST\\CA is wanted" },
    { A "node = ca1\nconfig = H\\CA\ntemplate = Web Server\n" CA, 6,
      "one word of letters" },
    { A "node = ca1\nconfig = H\\CA\ntemplate_client = a%b\n" CA, 6,
      "bad template_client" },
    { I "template = WebServer\n" C, 4, "`template' is for kind = adcs only" },
    { "[issuer i]\nca_key = k\n" C, 1, "[issuer i] has no `ca_cert'" },
    { "[issuer i]\nca_cert = k\n" C, 1, "[issuer i] has no `ca_key'" },
    { "[issuer i]\nca_cert = k\nca_key = ./k\n" C, 3, "are one file" },
    { "[issuer i]\nca_cert = {node}\nca_key = k\n" C, 2, "only {cluster}" },
    { "[issuer i]\nca_cert = {cluster\nca_key = k\n" C, 2, "only {cluster}" },
    { I "key = rsa:1024\n" C, 4, "rsa:2048 | rsa:3072" },
    { I "days = 0\n" C, 4, "a number from 1 to 36500" },
    { C "subject = Example Inc.\n", 3, "KEY=VALUE between commas" },
    { C "subject = O=a,,C=GB\n", 3, "KEY=VALUE between commas" },
    { C "subject = O=a,C=GBR\n", 3, "a code of two letters" },
    { C "subject = CN=x\n", 3, "the common name is not free" },
    { "user = x\n" C, 1, "`user' stands before the first section" },
    { C N("a") "roles\n", 5, "neither a section, nor `key = value'" },
    { C N("a") "= x\n", 5, "no key before the `='" },
    { C N("a") "address = h\n" N("b") "address = H.\nport = 22\n", 8,
      "[node b] is at h port 22, as is [node a] on line 3" },
    { C N("a") "db_address = 10.0.0.1\n" N("b") "db_address = 10.0.0.1\n", 8,
      "[node b] has the db_address 10.0.0.1 of [node a] on line 3" },
};

/* Each is the only fault of its text. */
static const struct wrong warnings[] = {
    { I C "issuer = i\n" DB("a") DB("b"), 4,
      "[cluster c] has 2 nodes with role database: an odd number" },
    { "[cluster c]\nproduct = cms\n", 1, "[cluster c] has no nodes" },
    { I C "issuer = i\n" DB("a")
      "[cluster d]\nproduct = cms\nissuer = i\n"
      "[node b]\ncluster = d\nroles = database\n", 12,
      "clusters c and d share the database root" },
    /* two issuers, one file */
    { I "[issuer j]\nca_cert = ./r.crt\nca_key = r.key\n"
      C "issuer = i\n" DB("a")
      "[cluster d]\nproduct = cms\nissuer = j\n"
      "[node b]\ncluster = d\nroles = database\n", 15,
      "clusters c and d share the database root" },
    { C N("a") "db_address = 10.0.0.1\n[cluster d]\nproduct = cms\n"
      "[node b]\ncluster = d\ndb_address = 10.0.0.1\n", 10,
      "in another cluster" },
    { "[issuer i]\nca_cert = {cluster}.c\nca_key = k\n" C N("a"), 3,
      "stands in one of ca_cert and ca_key only" },
    { C N("c"), 3, "as a target it means the cluster" },
    { "[fleet]\nssh_config = gone\n" C N("a"), 2, "counts as empty" },
    { "[fleet]\nstate_dir = s # here\n" C N("a"), 2, "` ;' does" },
    { "", 0, "no cluster in it" },
    { "# nothing\n", 0, "no cluster in it" },
};

/* None of these has a fault. */
static const char *const fine[] = {
    C N("a"),
    I C "issuer = i\n" DB("a") DB("b") DB("c1"),
    I C "issuer = i\n" DB("a") DB("b") DB("c1") DB("d") DB("e"),
    /* one root, but only one of the clusters has databases */
    I C "issuer = i\n" DB("a")
      "[cluster d]\nproduct = cms\nissuer = i\n[node b]\ncluster = d\n",
    /* {cluster} gives each its own */
    "[issuer i]\nca_cert = {cluster}.c\nca_key = {cluster}.k\n"
      C "issuer = i\n" DB("a") "[cluster d]\nproduct = cms\nissuer = i\n"
      "[node b]\ncluster = d\nroles = database\n",
    /* one address, two ports */
    C N("a") "address = h\n" N("b") "address = h\nport = 2222\n",
    /* another product has no limits */
    "[cluster c]\nproduct = other\n" N("a") "roles = database connect\n",
    C N("a") "address = fe80::1%eth0\npassword = command:pass show a/b#c\n",
    A "node = ca1\nconfig = ca1.example.com\\Issuing-CA_2\n"
      "template = WebServer\ntemplate_client = Workstation\n"
      "timeout_issue = 30\ndays = 9\n" CA,
    C N("a") "user : admin\nport=22 ;note\n",
};
/* clang-format on */

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct inventory *inv = fixture_read(errors[i].text);
        expect_fault(inv, FAULT_ERROR, errors[i].line, errors[i].part);
        if (inv->n_errors != 1) {
            fixture_print(inv);
            fail_msg("one error was expected of row %zu", i);
        }
        inventory_free(inv);
    }
}

static void test_warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
        struct inventory *inv = fixture_read(warnings[i].text);
        expect_fault(inv, FAULT_WARNING, warnings[i].line, warnings[i].part);
        expect_faults(inv, 0, 1);
        inventory_free(inv);
    }
}

static void test_fine(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        struct inventory *inv = fixture_read(fine[i]);
        expect_faults(inv, 0, 0);
        inventory_free(inv);
    }
}

/* One text with all of them: none hides another, and they come by line. */
static void test_all_at_once(void **state)
{
    struct inventory *inv =
        fixture_read("stray = 1\n"              /* 1: error */
                     "[fleet]\n"                /* 2 */
                     "usr = x\n"                /* 3: error */
                     "max_sessions = many\n"    /* 4: error */
                     "nonsense\n"               /* 5: error */
                     "more nonsense\n"          /* 6: error */
                     "[issuer i]\n"             /* 7: no ca_key */
                     "ca_cert = x\n"            /* 8 */
                     "[cluster c]\n"            /* 9: 2 warnings */
                     "product = cms\n"          /* 10 */
                     "issuer = j\n"             /* 11: error */
                     "[cluster empty]\n"        /* 12: warning */
                     "product = cms\n"          /* 13 */
                     "[node a]\n"               /* 14 */
                     "cluster = c\n"            /* 15 */
                     "roles = database thing\n" /* 16: error */
                     "[node b]\n"               /* 17 */
                     "cluster = c\n"            /* 18 */
                     "address = A\n"            /* 19: error */
                     "roles = database\n"       /* 20 */
                     "[node a]\n"               /* 21: error */
                     "colour = red\n"           /* 22: error */
                     "[knode d]\n"              /* 23: error */
                     "anything = goes\n");      /* 24 */
    static const unsigned lines[] = {1,  3,  4,  5,  6,  7,  9,
                                     11, 12, 16, 19, 21, 22, 23};

    (void)state;
    expect_faults(inv, 12, 2);
    for (size_t i = 0; i < inv->n_faults; i++)
        assert_int_equal(inv->faults[i].line, lines[i]);
    inventory_free(inv);
}

/* What is written by mistake in place of a reference is never shown. */
static void test_secrets_are_not_shown(void **state)
{
    struct inventory *inv = fixture_read(
        "[fleet]\npassword = hunter2\n"
        "[issuer i]\nca_cert = a\nca_key = b\nca_key_password = hunter2 #x\n" C
            N("a") "passwort = hunter2\npassphrase = \"hunter2\"\nhunter2\n");
    struct str text;

    (void)state;
    str_init(&text, 4096);
    inventory_faults(inv, &text);
    expect_faults(inv, 5, 0);
    expect_fault(inv, FAULT_ERROR, 2, "env:NAME");
    assert_null(strstr(str_text(&text), "hunter2"));
    str_release(&text);
    inventory_free(inv);
}

static void test_printed_form(void **state)
{
    struct inventory *inv = fixture_read("[cluster c]\nproduct = cms\n"
                                         "\x1b[2Jx = 1\n");
    struct str text;
    char want[512];

    (void)state;
    str_init(&text, 4096);
    inventory_faults(inv, &text);
    snprintf(want, sizeof(want),
             "%s:1: warning: [cluster c] has no nodes\n"
             "%s:3: error: unknown key `\\x1b[2Jx' in [cluster c]\n",
             fixture_file, fixture_file);
    assert_string_equal(str_text(&text), want);
    str_release(&text);
    inventory_free(inv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_fine),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_secrets_are_not_shown),
        cmocka_unit_test(test_printed_form),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
