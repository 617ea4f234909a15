/* SPDX-License-Identifier: Apache-2.0
 *
 * During a whole run no password, passphrase or private key is on any command
 * line, in any environment, output, event or record; and what is kept is kept
 * private, whatever the user's umask says.
 */
#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS "database cluster status"
#define REMOVE "database cluster remove"
#define CERTS "database cluster certs*"
#define INIT "database cluster initialize"
#define JOIN "database cluster join*"
#define APPLY "-v -v apply cms/db-rotate lab --yes"

/* With what JSON, a URL and a shell would each write in their own way. */
#define CA_WORDS "correct\"horse\\/battery%20"
#define KEY_WORDS "staple\\of \"keys\" & more"

static mode_t mode_of(struct bed *bed, const char *name)
{
    struct stat st;

    assert_int_equal(
        stat(arena_printf(&bed->arena, "%s/%s", bed->dir, name), &st), 0);
    return st.st_mode & 07777;
}

/* The keys of this generation, known when it has been made. */
static void keep_new_keys(struct bed *bed)
{
    const char *tag = strstr(bed_node(bed, "core1", "certs"), "dbserver-g");
    const char *name, *dot;

    assert_non_null(tag);
    tag += strlen("dbserver-");
    dot = strchr(tag, '.');
    for (int i = 0; i < 2; i++) {
        name = arena_printf(&bed->arena, "state/clusters/lab/%.*s/%s-%.*s.key",
                            (int)(dot - tag), tag, i ? "dbclient" : "dbserver",
                            (int)(dot - tag), tag);
        assert_int_equal(mode_of(bed, name), 0600);
        hunt_keep_key(bed, name, NULL);
    }
}

/* Through the run from moment to moment, looking at each. */
static void watched(struct bed *bed, const char *words)
{
    static const char *const moments[] = {
        "core1 before '" STATUS "'", "core2 after 'backup snapshot*'",
        "core1 before 'pki match*'", "core2 before '" REMOVE "'",
        "core2 after '" CERTS "'",   "core1 before '" INIT "'",
        "core2 before '" JOIN "'",
    };
    enum {
        N = sizeof(moments) / sizeof(*moments)
    };
    struct bed_run *run;
    int hold[N];

    for (size_t i = 0; i < N; i++)
        hold[i] = bed_id(bed_lab(bed, "hold %s", moments[i]));
    umask(0); /* it is to see to its files by itself */
    run = bed_begin(bed, BED_JSON, "%s", words);
    umask(077);
    for (size_t i = 0; i < N; i++) {
        bed_lab(bed, "wait held %d", hold[i]);
        hunt_processes(run->pid);
        hunt_state(bed);
        bed_lab(bed, "release %d", hold[i]);
    }
    bed_finish(run);
    bed_ends(run, 0, "done");
}

static void settles(struct bed *bed, const char *ca_password)
{
    keep_new_keys(bed);
    hunt_keep_key(bed, "dbca-lab.key", ca_password);
    assert_int_equal(mode_of(bed, "dbca-lab.key"), 0600);
    bed_ends(bed_do(bed, "-v -v show last"), 0, "ok");
    bed_ends(bed_do(bed, "-v -v rollback last --yes"), 0, "rolled-back");
    bed_ends(bed_do(bed, "-v -v check"), 3, "due");
    bed_ends(bed_do(bed, "-v -v plan cms/db-rotate lab -o p.json"), 0, "ok");
    assert_int_equal(mode_of(bed, "p.json"), 0600);
    hunt_everywhere(bed);
    assert_true(hunt_looks.command_lines >= 7);
    assert_true(hunt_looks.environments >= 7);
    assert_true(hunt_looks.files > 50);
    bed_is_old(bed, "lab", "core1");
}

/* -- the hunter himself ---------------------------------------------------- */

static void finds(const char *text)
{
    if (!hunt_found(text, strlen(text)))
        fail_msg("`%s' was not found", text);
}

/* Each form in the middle of other words. */
static void test_the_hunter(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    char *answer;

    hunt_start(bed);
    finds(arena_printf(&bed->arena, "x=%s;", bed_read(bed, "password")));
    finds("-----BEGIN EC PRIVATE KEY-----");
    hunt_keep_word("a word", "p\"w\\d/%\n12345678");
    finds("a p\"w\\d/%\n12345 b");
    finds("--7022775c642f250a313233340a");
    finds("--7022775C642F250A313233340A");
    finds("\"p\\\"w\\\\d/%\\n12345678\"");
    finds("\"p\\\"w\\\\d\\/%\\n12345678\"");
    finds("/?q=p%22w%5Cd%2F%25%0A12345678");
    finds("%70%22%77%5c%64%2f%25%0a%31%32%33%34%35");
    finds("cCJ3XGQvJQoxMjM0NTY3OAo=");     /* itself */
    finds("IHAid1xkLyUKMTIzNDU2NzgK");     /* a blank before it */
    finds("ICBwIndcZC8lCjEyMzQ1Njc4Cg=="); /* two */
    assert_null(hunt_found("p\"w\\d/%", 7));
    /* and in what the lab keeps of a person's commands */
    bed_lab(bed, "foreign core1 'pki inspect 7022775c642f250a313233340a'");
    answer = json_dumps(bed_lab(bed, "history *"), 0);
    finds(answer);
    free(answer);
}

/* -- ways to log in -------------------------------------------------------- */

static void test_password(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    hunt_start(bed);
    watched(bed, APPLY);
    settles(bed, NULL);
}

static void test_passphrases(void **state)
{
    static const char *const by_key[] = {"--auth", "key", NULL};
    struct bed *bed = bed_start(state, "2+1", by_key);
    const char *path = arena_printf(&bed->arena, "%s/id_ed25519", bed->dir);
    const char *argv[] = {"ssh-keygen", "-q",      "-p", "-P", "",
                          "-N",         KEY_WORDS, "-f", path, NULL};

    hunt_start(bed);
    hunt_keep_identity(bed, "id_ed25519");
    assert_int_equal(rig_run(argv), 0);
    bed_write(bed, "ca.pass", CA_WORDS);
    bed_inventory(bed, "issuer dbca", "ca_key_password = file:ca.pass");
    hunt_keep_word("the CA's password", CA_WORDS);
    bed_inventory(bed, "cluster lab", "passphrase = env:KEY_WORDS");
    bed->env[0] = "KEY_WORDS=" KEY_WORDS;
    hunt_keep_word("the passphrase", KEY_WORDS);
    watched(bed, APPLY);
    settles(bed, CA_WORDS);
    assert_non_null(strstr(bed_read(bed, "dbca-lab.key"), "ENCRYPTED"));
}

/* -- what the program starts ----------------------------------------------- */

/* The command is looked at while it runs: it waits for us at a pipe.  What
 * another key of the inventory takes from the environment is not its. */
static void test_password_by_command(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    const char *gate = arena_printf(&bed->arena, "%s/gate", bed->dir);
    const char *password = bed_read(bed, "password");
    struct bed_run *run;
    int fd;

    hunt_start(bed);
    assert_int_equal(mkfifo(gate, 0600), 0);
    bed_inventory(bed, "cluster lab", "password = command:cat gate");
    bed_inventory(bed, "cluster lab", "passphrase = env:KEY_WORDS");
    bed->env[0] = "KEY_WORDS=" KEY_WORDS;
    hunt_keep_word("the passphrase", KEY_WORDS);
    run = bed_begin(bed, BED_JSON, APPLY);
    fd = open(gate, O_WRONLY | O_CLOEXEC); /* when it reads */
    assert_true(fd >= 0);
    hunt_processes(run->pid);
    assert_true(hunt_looks.command_lines >= 2); /* its child's, too */
    assert_true(hunt_looks.environments >= 2);
    assert_int_equal(write(fd, password, strlen(password)), strlen(password));
    close(fd);
    bed_finish(run);
    bed_ends(run, 0, "done");
    hunt_everywhere(bed);
    bed_is_new(bed, "lab", "core1");
}

/* Behind a proxy of the user's own: it lives as long as the connection. */
static void test_proxy(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    unsigned before;

    hunt_start(bed);
    bed_write(bed, "proxy.sh",
              "exec 3<>/dev/tcp/$1/$2\ncat <&3 &\ncat >&3\nkill $!\n");
    bed_write(bed, "ssh.conf", "Host *\n ProxyCommand bash proxy.sh %h %p\n");
    bed_inventory_drop(bed, "fleet");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "[fleet]\nstate_dir = state\nuser = admin\n"
                           "known_hosts = known_hosts\nssh_config = ssh.conf\n"
                           "password = env:NODE_WORDS\n%s",
                           bed_read(bed, "certfleet.ini")));
    bed->env[0] =
        arena_printf(&bed->arena, "NODE_WORDS=%s", bed_read(bed, "password"));
    before = hunt_looks.environments;
    watched(bed, APPLY);
    /* two connections a node, each with two processes, at seven moments */
    assert_true(hunt_looks.environments >= before + 7 * 4);
    hunt_everywhere(bed);
    bed_is_new(bed, "lab", "core1");
}

/* -- bad ends -------------------------------------------------------------- */

/* Refused everywhere: what is said of it holds nothing either. */
static void test_wrong_password(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);

    hunt_start(bed);
    bed_write(bed, "password", "wrong-but-still-secret");
    hunt_keep_word("the wrong password", "wrong-but-still-secret");
    bed_ends(bed_do(bed, APPLY), 5, "refused");
    hunt_everywhere(bed);
}

/* Killed between any two of its writes: a file half made is private, too. */
static void test_killed(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    int hold = bed_id(bed_lab(bed, "hold core1 before 'pki match*'"));
    struct bed_run *run;

    hunt_start(bed);
    umask(0);
    run = bed_begin(bed, BED_PLAIN, APPLY);
    umask(077);
    bed_lab(bed, "wait held %d", hold);
    kill(run->pid, SIGKILL);
    bed_finish(run);
    bed_lab(bed, "release %d", hold);
    hunt_everywhere(bed);
    bed_ends(bed_do(bed, "-v -v resume last --yes"), 0, "done");
    hunt_everywhere(bed);
    bed_is_new(bed, "lab", "core1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_password, bed_stop),
        cmocka_unit_test_teardown(test_passphrases, bed_stop),
        cmocka_unit_test_teardown(test_password_by_command, bed_stop),
        cmocka_unit_test_teardown(test_proxy, bed_stop),
        cmocka_unit_test_teardown(test_wrong_password, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
        cmocka_unit_test_teardown(test_the_hunter, bed_stop),
    };

    return crew_tests(tests);
}
