/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad input: one clear line for each, 2 or 5 as the contract has it, and
 * nothing changed on any node.  What is known here is known before the first
 * packet: no node has heard of it.
 */
#include "tests/scenario/crew.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/pki/pki.h"

#define APPLY "apply cms/db-rotate lab --yes"

struct slip {
    const char *name;
    void (*spoil)(struct bed *bed); /* or NULL */
    const char *words;
    int code;
    const char *says[4]; /* all in one line of standard error */
};

/* -- what is spoilt -------------------------------------------------------- */

static void append(struct bed *bed, const char *text)
{
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%s%s", bed_read(bed, "certfleet.ini"),
                           text));
}

static void copy(struct bed *bed, const char *from, const char *to)
{
    bed_write(bed, to, bed_read(bed, from));
}

static void make_private(struct bed *bed, const char *name, mode_t mode)
{
    assert_int_equal(
        chmod(arena_printf(&bed->arena, "%s/%s", bed->dir, name), mode), 0);
}

static void unknown_key(struct bed *bed)
{
    bed_inventory(bed, "fleet", "colour = red");
}

static void many_faults(struct bed *bed)
{
    bed_inventory(bed, "fleet", "colour = red\nwarn_days = soon");
    bed_inventory(bed, "node core1", "roles = database connect");
}

static void node_twice(struct bed *bed)
{
    append(bed, "\n[node core1]\ncluster = lab\naddress = 127.0.0.9\n"
                "roles = connect\n");
}

static void address_twice(struct bed *bed)
{
    append(bed, arena_printf(&bed->arena,
                             "\n[node core9]\ncluster = lab\naddress = %s\n"
                             "port = 2222\nroles = connect\n",
                             bed_node(bed, "core1", "address")));
}

static void no_cluster(struct bed *bed)
{
    append(bed, "\n[node stray]\naddress = 127.0.0.9\nroles = connect\n");
}

static void env_not_set(struct bed *bed)
{
    bed_inventory(bed, "cluster lab", "password = env:CMS_NEVER_SET");
}

static void password_missing(struct bed *bed)
{
    bed_inventory(bed, "cluster lab", "password = file:nothing");
}

static void password_open(struct bed *bed)
{
    make_private(bed, "password", 0644);
}

static void password_plain(struct bed *bed)
{
    bed_inventory(bed, "cluster lab", "password = hunter2hunter2");
}

static void password_command(struct bed *bed)
{
    bed_inventory(bed, "cluster lab", "password = command:exit 7");
}

static void password_prompt(struct bed *bed)
{
    bed_inventory(bed, "cluster lab", "password = prompt");
}

static void identity_missing(struct bed *bed)
{
    bed_inventory(bed, "node edge1", "identity = nothing");
}

static void identity_no_key(struct bed *bed)
{
    bed_inventory(bed, "node edge1", "identity = id_ed25519.pub");
}

static void identity_folder(struct bed *bed)
{
    bed_inventory(bed, "node edge1", "identity = certs");
}

static void ca_no_ca(struct bed *bed)
{
    copy(bed, "certs/lab/dbclusterserver.cer", "dbca-lab.crt");
    copy(bed, "certs/lab/dbclusterserver.key", "dbca-lab.key");
}

static void ca_other_key(struct bed *bed)
{
    copy(bed, "certs/lab/dbclusterca.cer", "dbca-lab.crt");
    copy(bed, "certs/lab/dbclusterserver.key", "dbca-lab.key");
}

static void ca_without_key(struct bed *bed)
{
    copy(bed, "certs/lab/dbclusterca.cer", "dbca-lab.crt");
}

static void ca_garbage(struct bed *bed)
{
    bed_write(bed, "dbca-lab.crt", "no certificate\n");
    bed_write(bed, "dbca-lab.key", "no key\n");
}

static void ca_expired(struct bed *bed)
{
    const struct pki_ca_options options = {
        .cert_path = arena_printf(&bed->arena, "%s/dbca-lab.crt", bed->dir),
        .key_path = arena_printf(&bed->arena, "%s/dbca-lab.key", bed->dir),
        .cluster = "lab",
        .key = "ec:P-256",
        .days = 30,
        .now = (int64_t)time(NULL) - 90LL * 86400,
        .make = true,
    };
    struct pki_ca ca;
    struct err err = {0};

    if (pki_ca_open(&options, &ca, NULL, &err) < 0)
        fail_msg("%s", err.text);
    pki_ca_release(&ca);
}

static void no_issuer(struct bed *bed)
{
    bed_inventory_drop(bed, "issuer dbca");
}

/* A database of years to come: the number that SQLite keeps for its users. */
static void newer_schema(struct bed *bed)
{
    const unsigned char later[4] = {0, 0, 0, 99};
    int fd;

    bed_ends(bed_do(bed, "runs"), 0, "ok"); /* makes it */
    fd = open(arena_printf(&bed->arena, "%s/state/certfleet.db", bed->dir),
              O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, later, sizeof(later), 60), sizeof(later));
    close(fd);
}

static void spoil_database(struct bed *bed, long from, size_t len)
{
    char *noise = malloc(len);
    int fd;

    assert_non_null(noise);
    memset(noise, 0xa5, len);
    bed_ends(bed_do(bed, "runs"), 0, "ok");
    fd = open(arena_printf(&bed->arena, "%s/state/certfleet.db", bed->dir),
              O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, noise, len, from), len);
    close(fd);
    free(noise);
}

static void no_database(struct bed *bed)
{
    spoil_database(bed, 0, 4096);
}

static void torn_database(struct bed *bed)
{
    spoil_database(bed, 4096, 32768);
}

static void plan_of_garbage(struct bed *bed)
{
    bed_write(bed, "x.plan", "{\"certfleet_plan\": 1");
}

/* What only the nodes can tell. */

static void password_wrong(struct bed *bed)
{
    bed_write(bed, "password", "not-the-password");
}

static void host_key_unknown(struct bed *bed)
{
    bed_write(bed, "known_hosts", "");
}

static void host_key_changed(struct bed *bed)
{
    bed_lab(bed, "host-key edge1");
}

static void status_unknown(struct bed *bed)
{
    bed_lab(bed, "set edge1 status_word Sideways");
}

static void key_wants_passphrase(struct bed *bed)
{
    const char *path = arena_printf(&bed->arena, "%s/locked", bed->dir);
    const char *argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N",
                          "something",  "-f", path, NULL};

    assert_int_equal(rig_run(argv), 0);
    bed_inventory(bed, "cluster lab", "identity = locked");
}

/* -- the table ------------------------------------------------------------- */

/* clang-format off */
static const struct slip slips[] = {
    { "an unknown key",        unknown_key,      APPLY, 2, { "certfleet.ini:2:", "colour", "[fleet]" } },
    { "a node twice",          node_twice,       APPLY, 2, { "certfleet.ini:", "[node core1]", "line" } },
    { "an address twice",      address_twice,    APPLY, 2, { "certfleet.ini:", "core9", "core1" } },
    { "a node of no cluster",  no_cluster,       APPLY, 2, { "certfleet.ini:", "stray", "cluster" } },
    { "no inventory",          NULL, "-i /nonexistent/fleet.ini " APPLY, 2, { "/nonexistent/fleet.ini", "No such file" } },
    { "no issuer",             no_issuer,        APPLY, 2, { "certfleet.ini:", "issuer", "dbca" } },
    { "env not set",           env_not_set,      APPLY, 2, { "core1", "CMS_NEVER_SET", "not set" } },
    { "no password file",      password_missing, APPLY, 2, { "core1", "/nothing", "No such file" } },
    { "an open password file", password_open,    APPLY, 2, { "password", "0644", "chmod 600" } },
    { "a password itself",     password_plain,   APPLY, 2, { "certfleet.ini:", "password", "env:NAME" } },
    { "a failing command",     password_command, APPLY, 2, { "core1", "command", "exit code 7" } },
    { "nobody to ask",         password_prompt,  APPLY, 2, { "core1", "password", "no terminal" } },
    { "no identity",           identity_missing, APPLY, 2, { "certfleet.ini:", "identity", "No such file" } },
    { "an identity of none",   identity_no_key,  APPLY, 2, { "edge1", "id_ed25519.pub", "no private key" } },
    { "a folder as identity",  identity_folder,  APPLY, 2, { "edge1", "identity", "certs" } },
    { "a CA that is none",     ca_no_ca,         APPLY, 2, { "issuer dbca", "dbca-lab.crt", "is no CA" } },
    { "a CA's other key",      ca_other_key,     APPLY, 2, { "issuer dbca", "dbca-lab.key", "does not belong" } },
    { "a CA without its key",  ca_without_key,   APPLY, 2, { "issuer dbca", "dbca-lab.key", "put the key back" } },
    { "a CA of garbage",       ca_garbage,       APPLY, 2, { "issuer dbca", "dbca-lab.crt", "no certificate" } },
    { "an expired CA",         ca_expired,       APPLY, 2, { "issuer dbca", "dbca-lab.crt", "expired" } },
    { "an unknown playbook",   NULL, "apply cms/db-rotat lab --yes", 2, { "cms/db-rotat'", "did you mean", "cms/db-rotate" } },
    { "an unknown cluster",    NULL, "apply cms/db-rotate lob --yes", 2, { "lob", "did you mean", "lab" } },
    { "a glob of nothing",     NULL, "apply cms/db-rotate x* --yes", 2, { "x*", "certfleet.ini" } },
    { "a node as target",      NULL, "apply cms/db-rotate core1 --yes", 2, { "core1", "is a node", "lab" } },
    { "an unknown input",      NULL, APPLY " primry=core1", 2, { "primry", "primary=NODE" } },
    { "an unknown node",       NULL, APPLY " primary=core9", 2, { "primary=core9", "no node" } },
    { "a client as primary",   NULL, APPLY " primary=edge1", 2, { "edge1", "no database node" } },
    { "no number of days",     NULL, APPLY " if_days_left=ten", 2, { "if_days_left=ten", "a number from 0" } },
    { "an input twice",        NULL, APPLY " primary=core1 primary=core2", 2, { "primary=", "twice" } },
    { "an unknown step",       NULL, APPLY " --until pussh", 2, { "pussh", "did you mean", "push" } },
    { "an unknown warning",    NULL, APPLY " --accept data-los", 2, { "--accept data-los:", "data-loss" } },
    { "an unknown option",     NULL, APPLY " --yess", 2, { "--yess", "did you mean" } },
    { "an unknown failure",    NULL, APPLY " --on-failure panic", 2, { "--on-failure", "rollback|hold", "panic" } },
    { "an unknown command",    NULL, "aply cms/db-rotate lab", 2, { "aply", "did you mean", "apply" } },
    { "no --yes",              NULL, "apply cms/db-rotate lab", 5, { "no terminal", "--yes" } },
    { "no plan file",          NULL, "apply --plan nothing.plan --yes", 2, { "nothing.plan", "No such file" } },
    { "a plan of garbage",     plan_of_garbage, "apply --plan x.plan --yes", 2, { "x.plan" } },
    { "no folder for state",   NULL, "--state-dir password/state " APPLY, 2, { "state folder", "password/state", "Not a directory" } },
    { "a newer store",         newer_schema,     APPLY, 2, { "state folder", "newer certfleet", "99" } },
    { "no store",              no_database,      APPLY, 2, { "state folder", "certfleet.db", "damaged" } },
    { "a torn store",          torn_database,    APPLY, 2, { "state folder", "certfleet.db", "damaged" } },
};
static const struct slip heard[] = {
    { "a wrong password",      password_wrong,   APPLY, 5, { "database cluster status", "refused the password of user admin", "correct it first" } },
    { "an unknown host key",   host_key_unknown, APPLY, 5, { "host key of", "is unknown: SHA256:", "known_hosts" } },
    { "a changed host key",    host_key_changed, APPLY, 5, { "edge1", "HAS CHANGED", "ssh-keygen -f" } },
    { "an unknown status",     status_unknown,   APPLY, 5, { "edge1", "Sideways", "fits no rule" } },
    { "a key with a passphrase", key_wants_passphrase, APPLY, 5, { "locked", "cannot be used", "passphrase" } },
};
/* clang-format on */

/* One line of them has all the words. */
static bool says_in_a_line(const char *text, const char *const *words)
{
    char *copied = strdup(text), *rest = copied, *line;
    bool found = false;

    while (!found && (line = strsep(&rest, "\n"))) {
        found = true;
        for (const char *const *w = words; *w; w++)
            found = found && strstr(line, *w);
    }
    free(copied);
    return found;
}

static json_int_t connections(struct bed *bed)
{
    json_t *answer = bed_lab(bed, "nodes");
    const json_t *node;
    json_int_t sum = 0;
    size_t i;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        sum += json_integer_value(json_object_get(node, "connections_total"));
    }
    return sum;
}

static json_int_t failed_logins(struct bed *bed)
{
    json_t *answer = bed_lab(bed, "nodes");
    const json_t *node;
    json_int_t sum = 0;
    size_t i;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        const json_t *user =
            json_object_get(json_object_get(node, "logins"), "admin");
        sum += json_integer_value(json_object_get(user, "failed"));
    }
    return sum;
}

static void rejects(struct bed *bed, const struct slip *slip)
{
    struct bed_run *run = bed_do(bed, "%s", slip->words);

    bed_ends(run, slip->code, slip->code == 2 ? "error" : "refused");
    if (!says_in_a_line(str_text(&run->err_text), slip->says))
        fail_msg("no line with `%s' `%s' `%s': %s", slip->says[0],
                 slip->says[1] ? slip->says[1] : "",
                 slip->says[2] ? slip->says[2] : "", str_text(&run->err_text));
    assert_true(*bed_text(bed_result(run), "detail") != '\0');
}

static void test_slip(void **state)
{
    const struct slip *slip = *state;
    struct bed *bed;

    *state = NULL;
    bed = bed_start(state, "1+1", NULL);
    if (slip->spoil)
        slip->spoil(bed);
    rejects(bed, slip);
    assert_int_equal(connections(bed), 0);
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

static void test_heard(void **state)
{
    const struct slip *slip = *state;
    struct bed *bed;

    *state = NULL;
    bed = bed_start(state, "1+1", NULL);
    slip->spoil(bed);
    rejects(bed, slip);
    /* a wrong password is tried once, on one node */
    assert_int_equal(failed_logins(bed), slip->spoil == password_wrong);
    bed_lab(bed, "set edge1 status_word Enabled");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

/* Every fault at once, each with its line; `inventory check' says the same. */
static void test_many_faults(void **state)
{
    static const char *const commands[] = {APPLY, "inventory check", "check"};
    struct bed *bed = bed_start(state, "1+1", NULL);

    many_faults(bed);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        struct bed_run *run = bed_do(bed, "%s", commands[i]);

        assert_int_equal(run->code, 2);
        assert_true(bed_said(run, "certfleet.ini:2: error: "));
        assert_true(bed_said(run, "certfleet.ini:3: error: "));
        assert_true(bed_said(run, "warn_days"));
        assert_true(bed_said(run, "roles"));
        assert_true(bed_said(run, "4 errors"));
    }
    assert_int_equal(connections(bed), 0);
}

/* -- what is not needed is not asked for ----------------------------------- */

/* A CA whose key is kept offline: the set is made, the way back makes none. */
static void test_ca_is_away(void **state)
{
    struct bed *bed = bed_start(state, "1+1", NULL);
    const char *key = arena_printf(&bed->arena, "%s/dbca-lab.key", bed->dir);
    struct bed_run *run = bed_apply(bed, "--until push");

    bed_ends(run, 0, "ok");
    assert_int_equal(unlink(key), 0);
    bed_inventory(bed, "issuer dbca", "ca_key_password = env:NEVER_SET");
    bed_ends(bed_next(run, "resume"), 0, "done");
    bed_is_new(bed, "lab", "core1");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
    bed_ends(bed_apply(bed, ""), 2, "error");
}

static struct CMUnitTest test_of(const struct slip *slip, CMUnitTestFunction f)
{
    return (struct CMUnitTest){
        .name = slip->name,
        .test_func = f,
        .teardown_func = bed_stop,
        .initial_state = (void *)(uintptr_t)slip,
    };
}

int main(void)
{
    enum {
        SLIPS = sizeof(slips) / sizeof(*slips),
        HEARD = sizeof(heard) / sizeof(*heard)
    };
    static struct CMUnitTest tests[SLIPS + HEARD + 2];
    size_t n = 0;

    for (size_t i = 0; i < SLIPS; i++)
        tests[n++] = test_of(&slips[i], test_slip);
    for (size_t i = 0; i < HEARD; i++)
        tests[n++] = test_of(&heard[i], test_heard);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test_teardown(test_ca_is_away, bed_stop);
    tests[n] = (struct CMUnitTest)cmocka_unit_test_teardown(test_many_faults,
                                                            bed_stop);
    return crew_tests(tests);
}
