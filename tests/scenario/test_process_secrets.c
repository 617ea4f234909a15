/* SPDX-License-Identifier: Apache-2.0
 *
 * During a whole run no password, passphrase or private key is on any command
 * line, in any output, event or record; and what is kept is kept private.
 */
#include "tests/scenario/crew.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS "database cluster status"
#define REMOVE "database cluster remove"
#define CERTS "database cluster certs*"
#define INIT "database cluster initialize"
#define JOIN "database cluster join*"
#define APPLY "-v -v apply cms/db-rotate lab --yes"

enum {
    MAX_WORDS = 32,
    KEY_BODY = 32, /* of the base64 of a private key: nothing else has it */
};

/* The words that may be nowhere. */
static struct {
    const char *word[MAX_WORDS];
    size_t n;
    unsigned looked_at; /* command lines, files */
} secrets;

static void keep_secret(struct bed *bed, const char *word)
{
    assert_true(secrets.n < MAX_WORDS);
    secrets.word[secrets.n++] = arena_strdup(&bed->arena, word);
}

static void start_over(struct bed *bed)
{
    memset(&secrets, 0, sizeof(secrets));
    keep_secret(bed, bed_read(bed, "password"));
    keep_secret(bed, "PRIVATE KEY");
}

/* The first line of its base64. */
static void keep_key(struct bed *bed, const char *name)
{
    const char *text = strchr(bed_read(bed, name), '\n');

    assert_non_null(text);
    assert_true(strlen(text) > KEY_BODY);
    keep_secret(bed, arena_strndup(&bed->arena, text + 1, KEY_BODY));
}

static const char *found_in(const char *bytes, size_t len)
{
    for (size_t i = 0; i < secrets.n; i++)
        if (memmem(bytes, len, secrets.word[i], strlen(secrets.word[i])))
            return secrets.word[i];
    return NULL;
}

/* A file as it is; gone meanwhile: nothing. */
static void look_at(const char *path)
{
    static char bytes[1 << 22];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;

    if (fd < 0)
        return;
    while (len < sizeof(bytes) &&
           (n = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
        len += (size_t)n;
    close(fd);
    secrets.looked_at += len > 0;
    if (found_in(bytes, len))
        fail_msg("%s holds `%.8s...'", path, found_in(bytes, len));
}

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512] = "";
    const char *end;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (!fgets(text, sizeof(text), f))
        *text = '\0';
    fclose(f);
    end = strrchr(text, ')'); /* the name may hold anything */
    return end ? (pid_t)strtol(end + 3, NULL, 10) : 0;
}

static bool is_of(pid_t pid, pid_t ancestor)
{
    while (pid > 1 && pid != ancestor)
        pid = parent_of(pid);
    return pid == ancestor;
}

/* The run's own, and those of its children's children. */
static void look_at_command_lines(pid_t run)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    char path[300];

    assert_non_null(proc);
    while ((entry = readdir(proc))) {
        if (!is_of((pid_t)strtol(entry->d_name, NULL, 10), run))
            continue;
        snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        look_at(path);
    }
    closedir(proc);
}

/* -- what is kept ---------------------------------------------------------- */

static bool ends_with(const char *path, const char *end)
{
    size_t len = strlen(path), tail = strlen(end);

    return len >= tail && strcmp(path + len - tail, end) == 0;
}

static int look_at_kept(const char *path, const struct stat *st, int kind,
                        struct FTW *ftw)
{
    mode_t mode = st->st_mode & 07777;

    (void)ftw;
    if (mode != (kind == FTW_D ? 0700 : 0600))
        fail_msg("%s has mode %04o", path, (unsigned)mode);
    /* what holds keys by its nature */
    if (kind == FTW_F && !ends_with(path, ".key") && !strstr(path, "/backups/"))
        look_at(path);
    return 0;
}

static void look_at_state(struct bed *bed)
{
    const char *path = arena_printf(&bed->arena, "%s/state", bed->dir);

    assert_int_equal(nftw(path, look_at_kept, 16, FTW_PHYS), 0);
}

static void look_at_outputs(struct bed *bed)
{
    for (struct bed_run *run = bed->runs; run; run = run->next)
        if (found_in(str_text(&run->out_text), run->out_text.len) ||
            found_in(str_text(&run->err_text), run->err_text.len))
            fail_msg("certfleet %s has said a secret", run->line);
}

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
        keep_key(bed, name);
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
    run = bed_begin(bed, BED_JSON, "%s", words);
    for (size_t i = 0; i < N; i++) {
        bed_lab(bed, "wait held %d", hold[i]);
        look_at_command_lines(run->pid);
        look_at_state(bed);
        bed_lab(bed, "release %d", hold[i]);
    }
    bed_finish(run);
    bed_ends(run, 0, "done");
}

static void settles(struct bed *bed)
{
    keep_new_keys(bed);
    keep_key(bed, "dbca-lab.key");
    assert_int_equal(mode_of(bed, "dbca-lab.key"), 0600);
    bed_ends(bed_do(bed, "-v -v show last"), 0, "ok");
    bed_ends(bed_do(bed, "-v -v rollback last --yes"), 0, "rolled-back");
    bed_ends(bed_do(bed, "-v -v check"), 3, "due");
    look_at_state(bed);
    look_at_outputs(bed);
    assert_true(secrets.looked_at > 20);
    bed_is_old(bed, "lab", "core1");
}

/* -- ways to log in -------------------------------------------------------- */

static void test_password(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    start_over(bed);
    watched(bed, APPLY);
    settles(bed);
}

static void append_issuer(struct bed *bed)
{
    bed_write(bed, "ca.pass", "correct-horse-battery");
    assert_int_equal(
        chmod(arena_printf(&bed->arena, "%s/ca.pass", bed->dir), 0600), 0);
    bed_inventory(bed, "issuer dbca", "ca_key_password = file:ca.pass");
    keep_secret(bed, "correct-horse-battery");
}

static void test_passphrases(void **state)
{
    static const char *const by_key[] = {"--auth", "key", NULL};
    struct bed *bed = bed_start(state, "2+1", by_key);
    const char *path = arena_printf(&bed->arena, "%s/id_ed25519", bed->dir);
    const char *argv[] = {"ssh-keygen",     "-q", "-p", "-P", "", "-N",
                          "staple-of-keys", "-f", path, NULL};

    assert_int_equal(rig_run(argv), 0);
    start_over(bed);
    append_issuer(bed);
    bed_inventory(bed, "cluster lab", "passphrase = env:KEY_WORDS");
    bed->env[0] = "KEY_WORDS=staple-of-keys";
    keep_secret(bed, "staple-of-keys");
    keep_key(bed, "id_ed25519");
    watched(bed, APPLY);
    settles(bed);
    assert_non_null(strstr(bed_read(bed, "dbca-lab.key"), "ENCRYPTED"));
}

/* The command is looked at while it runs: it waits for us at a pipe. */
static void test_password_by_command(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    const char *gate = arena_printf(&bed->arena, "%s/gate", bed->dir);
    struct bed_run *run;
    unsigned before;
    int fd;

    start_over(bed);
    assert_int_equal(mkfifo(gate, 0600), 0);
    bed_inventory(bed, "cluster lab", "password = command:cat gate");
    run = bed_begin(bed, BED_JSON, APPLY);
    fd = open(gate, O_WRONLY | O_CLOEXEC); /* when it reads */
    assert_true(fd >= 0);
    before = secrets.looked_at;
    look_at_command_lines(run->pid);
    assert_true(secrets.looked_at >= before + 2); /* its child's, too */
    assert_int_equal(write(fd, secrets.word[0], strlen(secrets.word[0])),
                     strlen(secrets.word[0]));
    close(fd);
    bed_finish(run);
    bed_ends(run, 0, "done");
    look_at_state(bed);
    look_at_outputs(bed);
    bed_is_new(bed, "lab", "core1");
}

/* Refused everywhere: what is said of it holds nothing either. */
static void test_wrong_password(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);

    start_over(bed);
    bed_write(bed, "password", "wrong-but-still-secret");
    keep_secret(bed, "wrong-but-still-secret");
    bed_ends(bed_do(bed, APPLY), 5, "refused");
    look_at_state(bed);
    look_at_outputs(bed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_password, bed_stop),
        cmocka_unit_test_teardown(test_passphrases, bed_stop),
        cmocka_unit_test_teardown(test_password_by_command, bed_stop),
        cmocka_unit_test_teardown(test_wrong_password, bed_stop),
    };

    return crew_tests(tests);
}
