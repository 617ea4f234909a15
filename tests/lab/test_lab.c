/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab itself, by OpenSSH's clients: its words, its refusals, its faults,
 * and that it sees what a careless client does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/lab/rig.h"

#define NEW_5                                                                  \
    "newserver.key newserver.cer newclient.key newclient.cer newca.cer"
#define NEW_3 "newclient.key newclient.cer newca.cer"

static struct rig *start(const char *shape, const char *setting)
{
    const char *args[8] = {"--make", shape, NULL};

    if (setting) {
        args[2] = "--set";
        args[3] = setting;
    }
    return rig_start(LAB_PROGRAM, args);
}

/* -- small questions ---------------------------------------------------------
 */

static bool prints(struct rig *rig, unsigned node, const char *command,
                   const char *wanted)
{
    char *text = rig_ssh(rig, node, command, NULL);
    bool found = strstr(text, wanted) != NULL;

    if (!found)
        fprintf(stderr, "%s: wanted '%s' in:\n%s\n", command, wanted, text);
    free(text);
    return found;
}

static int code_of(struct rig *rig, unsigned node, const char *command)
{
    int code;

    free(rig_ssh(rig, node, command, &code));
    return code;
}

static char *field(struct rig *rig, const char *what, const char *name)
{
    json_t *o = rig_ask(rig, "%s", what), *v = json_object_get(o, name);
    char *text = json_is_string(v) ? strdup(json_string_value(v))
                                   : json_dumps(v, JSON_ENCODE_ANY);

    json_decref(o);
    return text ? text : strdup("null");
}

static bool is(struct rig *rig, const char *what, const char *name,
               const char *wanted)
{
    char *text = field(rig, what, name);
    bool same = strcmp(text, wanted) == 0;

    if (!same)
        fprintf(stderr, "%s %s: %s, wanted %s\n", what, name, text, wanted);
    free(text);
    return same;
}

static unsigned violations(const json_t *verdict, const char *rule)
{
    json_t *list = json_object_get(verdict, "violations"), *v;
    unsigned n = 0;
    size_t i;

    json_array_foreach(list, i, v)
    {
        const char *r = json_string_value(json_object_get(v, "rule"));
        if (!rule || strcmp(r, rule) == 0)
            n++;
        if (!rule)
            fprintf(stderr, "violation %s: %s\n", r,
                    json_string_value(json_object_get(v, "text")));
    }
    return n;
}

/* Stops the lab; asserts that it saw exactly `n` violations of the rule. */
static void stop(struct rig *rig, const char *rule, unsigned n)
{
    json_t *verdict = NULL;

    assert_int_equal(rig_stop(rig, &verdict), 0);
    assert_non_null(verdict);
    assert_int_equal(violations(verdict, rule), n);
    json_decref(verdict);
}

static void say_yes(struct rig *rig, unsigned node, const char *command,
                    const char *started)
{
    char *text = rig_dialog(rig, node, command, "Y");

    if (!strstr(text, started))
        fprintf(stderr, "%s:\n%s\n", command, text);
    assert_non_null(strstr(text, started));
    free(text);
}

/* -- another set -------------------------------------------------------------
 */

struct other_set {
    char dir[64];
};

static void make_other_set(struct rig *rig, struct other_set *set,
                           const char *days)
{
    char line[512];

    snprintf(set->dir, sizeof(set->dir), "%s/other", rig->dir);
    snprintf(line, sizeof(line),
             "%s --make 3+2 --only-make --days %s --base %s --dir %s",
             LAB_PROGRAM, days, rig->base, set->dir);
    assert_int_equal(system(line), 0);
}

static void push_set(struct rig *rig, const struct other_set *set,
                     unsigned node)
{
    static const char *const names[] = {"server.key", "server.cer",
                                        "client.key", "client.cer", "ca.cer"};
    char batch[2048] = "";

    for (size_t i = 0; i < 5; i++) {
        size_t at = strlen(batch);
        snprintf(batch + at, sizeof(batch) - at,
                 "put %s/certs/lab/dbcluster%s new%s\n", set->dir, names[i],
                 names[i]);
    }
    assert_int_equal(rig_sftp(rig, node, batch), 0);
}

static void wait_done(struct rig *rig, const char *node, const char *verb)
{
    assert_true(rig_do(rig, "wait %s command 'database cluster %s*' success",
                       node, verb));
}

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

/* -- refusals
 * ------------------------------------------------------------------ */

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

/* -- the rotation by hand (facts/cms.md 3.7)
 * ------------------------------------ */

static void leave(struct rig *rig, unsigned node, const char *name)
{
    say_yes(rig, node, "database cluster remove", "started");
    wait_done(rig, name, "remove");
    assert_true(prints(rig, node,
                       *name == 'c' ? "database cluster certs " NEW_5
                                    : "database cluster certs " NEW_3,
                       "SUCCESS: "));
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
    snprintf(command, sizeof(command),
             "openssl s_client -starttls postgres -connect %s:5432 "
             "-CAfile %s/certs/lab/dbclusterca.cer </dev/null 2>/dev/null"
             "|grep -q 'Verify return code: 0 (ok)'",
             address, set.dir);
    assert_int_equal(system(command), 0);
    stop(rig, NULL, 0);
}

/* -- what a careless client does is seen
 * ---------------------------------------- */

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

/* -- certificates are really verified
 * --------------------------------------------- */

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

/* -- files
 * -------------------------------------------------------------------------- */

static void test_files(void **state)
{
    struct rig *rig = start("1+0", NULL);
    char batch[512];

    (void)state;
    assert_int_equal(rig_sftp(rig, 1, "mkdir a\n"), 1);
    snprintf(batch, sizeof(batch), "put %s/lab.ini bad_name.cer\n", rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    snprintf(batch, sizeof(batch), "put %s/lab.ini good-1.cer\nls -l\n",
             rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    snprintf(batch, sizeof(batch), "get good-1.cer %s/back\n", rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    snprintf(batch, sizeof(batch), "cmp %s/back %s/lab.ini", rig->dir,
             rig->dir);
    assert_int_equal(system(batch), 0);
    assert_int_equal(rig_sftp(rig, 1, "rename good-1.cer good-2.cer\n"), 0);
    assert_int_equal(rig_sftp(rig, 1, "rm good-2.cer\n"), 0);
    assert_true(rig_do(rig, "set core1 disk_bytes 3000"));
    snprintf(batch, sizeof(batch),
             "put %s/id_ed25519.pub full.cer\n"
             "put %s/lab.ini fuller.cer\n"
             "put %s/known_hosts fullest.cer\n",
             rig->dir, rig->dir, rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    stop(rig, NULL, 0);
}

static void test_file_faults(void **state)
{
    struct rig *rig = start("1+0", NULL);
    char batch[512];

    (void)state;
    snprintf(batch, sizeof(batch), "put %s/lab.ini good.cer\n", rig->dir);
    assert_true(rig_do(rig, "inject core1 sftp-drop-before 'write good*'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 255);
    assert_true(rig_do(rig, "inject core1 sftp-fail 'open good*'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    assert_true(rig_do(rig, "inject core1 disk-full 'write *'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 1);
    assert_true(rig_do(rig, "inject core1 sftp-slow 'open *' ms=50"));
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    assert_true(rig_do(rig, "inject core1 corrupt 'write *'"));
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    snprintf(batch, sizeof(batch), "get good.cer %s/back\n", rig->dir);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
    snprintf(batch, sizeof(batch), "cmp -s %s/back %s/lab.ini", rig->dir,
             rig->dir);
    assert_int_equal(WEXITSTATUS(system(batch)), 1);
    stop(rig, NULL, 0);
}

/* -- faults of commands
 * ---------------------------------------------------------------- */

static void test_command_faults(void **state)
{
    struct rig *rig = start("3+0", NULL);

    (void)state;
    assert_true(rig_do(rig, "inject core1 drop-before version"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_int_equal(code_of(rig, 1, "version"), 0);
    assert_true(rig_do(rig, "inject core1 fail version nth=2"));
    assert_true(prints(rig, 1, "version", "3.9"));
    assert_true(prints(rig, 1, "version", "FAILURE: "));
    assert_true(rig_do(rig, "inject core1 prompt-inside '*status'"));
    assert_true(prints(rig, 1, "database cluster status", "core1> help"));
    assert_true(rig_do(rig, "inject core1 channel-refused session"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "inject core1 refuse"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "inject core1 auth-lost"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "inject core1 slow version ms=300"));
    assert_true(prints(rig, 1, "version", "3.9"));
    assert_true(rig_do(rig, "set core1 trickle 3"));
    assert_true(prints(rig, 1, "database cluster status", "Last command"));
    assert_true(rig_do(rig, "inject core2 fail-async '*remove'"));
    say_yes(rig, 2, "database cluster remove", "started");
    assert_true(rig_do(rig, "wait core2 command '*remove' failed"));
    assert_true(is(rig, "node core2", "role", "replica"));
    stop(rig, NULL, 0);
}

static void test_hold_and_during(void **state)
{
    struct rig *rig = start("3+0", NULL);
    char *text;
    int status;
    pid_t pid;

    (void)state;
    assert_true(rig_do(rig, "hold core2 before 'database cluster remove'"));
    pid = fork();
    if (pid == 0) {
        text = rig_dialog(rig, 2, "database cluster remove", "Y");
        _exit(strstr(text, "started") ? 0 : 1);
    }
    assert_true(rig_do(rig, "wait held 1"));
    assert_true(is(rig, "node core2", "role", "replica"));
    assert_true(rig_do(rig, "release 1"));
    waitpid(pid, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 0);
    wait_done(rig, "core2", "remove");

    /* taken and acted on, but nobody hears of it */
    assert_true(rig_do(rig, "inject core3 drop-during '*remove'"));
    free(rig_dialog(rig, 3, "database cluster remove", "Y"));
    wait_done(rig, "core3", "remove");
    assert_true(is(rig, "node core3", "role", "standalone"));
    assert_true(rig_do(rig, "foreign core2 'database cluster join 1.2.3.4'"));
    assert_true(rig_do(rig, "wait core2 command '*join*' failed"));
    stop(rig, "I2", 1);
}

/* -- power
 * --------------------------------------------------------------------------------
 */

static void test_power(void **state)
{
    struct rig *rig = start("3+0", "remove_ms=30000");

    (void)state;
    assert_true(rig_do(rig, "down core1"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    assert_true(rig_do(rig, "wait lab primary core[23]"));
    assert_true(rig_do(rig, "up core1"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    assert_true(is(rig, "node core1", "role", "replica"));
    assert_true(rig_do(rig, "move-primary core1"));
    assert_true(rig_do(rig, "wait lab primary core1"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    assert_true(rig_do(rig, "down core2"));
    assert_true(rig_do(rig, "down core3"));
    assert_true(rig_do(rig, "wait lab primaries 0"));
    assert_true(rig_do(rig, "up core2"));
    assert_true(rig_do(rig, "wait lab primaries 1"));
    assert_true(rig_do(rig, "up core3"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    say_yes(rig, 2, "database cluster remove", "started");
    assert_true(rig_do(rig, "reboot core2 50"));
    assert_true(rig_do(rig, "wait core2 command '*remove' lost"));
    assert_true(rig_do(rig, "wait core2 up true"));
    assert_true(rig_do(rig, "wait lab healthy true"));
    assert_true(is(rig, "cluster", "rows_lost", "0"));
    stop(rig, NULL, 0);
}

/* -- logins
 * ---------------------------------------------------------------------------------
 */

static void test_logins(void **state)
{
    struct rig *rig = start("1+0", "max_failed=2");
    char password[64], path[128];
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/password", rig->dir);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(password, sizeof(password), f));
    fclose(f);
    assert_int_equal(rig_login(rig, 1, "password", password), 0);
    assert_int_equal(rig_login(rig, 1, "password", "wrong"), 255);
    assert_true(rig_do(rig, "set core1 auth_keyboard 1"));
    assert_int_equal(rig_login(rig, 1, "keyboard-interactive", password), 0);
    assert_int_equal(rig_login(rig, 1, "keyboard-interactive", "no"), 255);
    assert_int_equal(rig_login(rig, 1, "password", password), 255);
    assert_true(rig_do(rig, "set core1 max_failed 0"));
    assert_true(rig_do(rig, "password core1 admin")); /* has expired */
    assert_true(prints(rig, 1, "version", "new password"));
    assert_true(rig_do(rig, "host-key core1"));
    assert_int_equal(code_of(rig, 1, "version"), 255);
    stop(rig, NULL, 0);
}

static void test_many_nodes(void **state)
{
    const char *const args[] = {"--make", "3+2", "--clusters", "40", NULL};
    struct rig *rig = rig_start(LAB_PROGRAM, args);

    (void)state;
    assert_true(prints(rig, 200, "hostname", "lab40-edge2"));
    assert_true(is(rig, "cluster lab40", "healthy", "true"));
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
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_file_faults),
        cmocka_unit_test(test_command_faults),
        cmocka_unit_test(test_hold_and_during),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_many_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
