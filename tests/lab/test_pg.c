/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab on real PostgreSQL: that certificates decide who gets in, that rows
 * are counted for what they are, that power comes and goes, and that nothing
 * is left behind however the lab ends.  Skipped where no server is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "tests/lab/pg.h"
#include "tests/lab/rig.h"

enum {
    SKIPPED = 77,
    GONE_MS = 15000
};
#define PORT "15432"
#define NEW_5                                                                  \
    "newserver.key newserver.cer newclient.key newclient.cer newca.cer"
#define NEW_3 "newclient.key newclient.cer newca.cer"
#define OLD_5                                                                  \
    "dbclusterserver.key dbclusterserver.cer dbclusterclient.key "             \
    "dbclusterclient.cer dbclusterca.cer"

static char programs[512];

/* -- what is left of a lab ---------------------------------------------------
 */

struct bed {
    struct rig *rig;
    char base[256]; /* all data lies there, all children work there */
};

static void read_base(struct bed *bed)
{
    char path[512];
    struct secret *s;

    snprintf(path, sizeof(path), "%s/pg.path", bed->rig->dir);
    s = file_read(path, sizeof(bed->base) - 1, NULL);
    assert_non_null(s);
    snprintf(bed->base, sizeof(bed->base), "%s", secret_text(s));
    secret_free(s);
}

static void start(struct bed *bed, const char *shape, const char *option,
                  const char *value)
{
    const char *args[] = {"--make", shape,  "--postgres", "--db-port",
                          PORT,     option, value,        NULL};

    bed->rig = rig_start(LAB_PROGRAM, args);
    read_base(bed);
}

/* Some process with its working folder under `base`; 0: none. */
static pid_t find_child(const char *base)
{
    DIR *proc = opendir("/proc");
    struct dirent *d;
    pid_t found = 0;

    assert_non_null(proc);
    while (found == 0 && (d = readdir(proc))) {
        char link[300], cwd[1024];
        ssize_t n;
        if (strspn(d->d_name, "0123456789") != strlen(d->d_name))
            continue;
        snprintf(link, sizeof(link), "/proc/%s/cwd", d->d_name);
        n = readlink(link, cwd, sizeof(cwd) - 1);
        if (n < 0)
            continue;
        cwd[n] = '\0';
        if (strncmp(cwd, base, strlen(base)) == 0)
            found = (pid_t)strtol(d->d_name, NULL, 10);
    }
    closedir(proc);
    return found;
}

static bool all_gone(const char *base)
{
    uint64_t until = clock_mono_ms() + GONE_MS;
    pid_t pid;

    while ((pid = find_child(base)) != 0) {
        uint64_t now = clock_mono_ms();
        struct pollfd p = {.fd = pidfd_open(pid, 0), .events = POLLIN};
        int n = 1;
        if (p.fd >= 0) {
            n = now < until ? poll(&p, 1, (int)(until - now)) : 0;
            close(p.fd);
        }
        if (n <= 0) {
            fprintf(stderr, "%d is left in %s\n", (int)pid, base);
            return false;
        }
    }
    return true;
}

static unsigned violations(const json_t *verdict)
{
    json_t *list = json_object_get(verdict, "violations"), *v;
    size_t i;

    json_array_foreach(list, i, v)
    {
        char *text = json_dumps(v, 0);
        fprintf(stderr, "violation: %s\n", text);
        free(text);
    }
    return (unsigned)json_array_size(list);
}

/* The caller drops the verdict; asserts that nothing is left. */
static json_t *stop(struct bed *bed)
{
    json_t *verdict = NULL;

    assert_true(find_child(bed->base) > 0);
    assert_int_equal(rig_stop(bed->rig, &verdict), 0);
    assert_non_null(verdict);
    assert_int_equal(find_child(bed->base), 0);
    assert_int_equal(access(bed->base, F_OK), -1);
    return verdict;
}

static json_t *cluster_of(const json_t *verdict)
{
    return json_array_get(json_object_get(verdict, "clusters"), 0);
}

static long long number(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

/* Healthy, led, nothing lost, and every database node holds every row. */
static void assert_whole(const json_t *verdict, const char *state)
{
    json_t *c = cluster_of(verdict), *n;
    size_t i;

    assert_string_equal(json_string_value(json_object_get(c, "state")), state);
    assert_true(json_is_true(json_object_get(c, "healthy")));
    assert_int_equal(number(c, "rows_lost"), 0);
    assert_true(number(c, "rows_acknowledged") >= 1000);
    json_array_foreach(json_object_get(c, "nodes"), i, n)
    {
        const char *name = json_string_value(json_object_get(n, "node"));
        if (*name == 'c')
            assert_int_equal(number(n, "rows"), number(c, "rows_acknowledged"));
    }
}

static void stop_whole(struct bed *bed, const char *state)
{
    json_t *verdict = stop(bed);

    assert_int_equal(violations(verdict), 0);
    assert_whole(verdict, state);
    json_decref(verdict);
}

/* -- by hand --------------------------------------------------------------- */

static void type(struct bed *bed, unsigned node, const char *command)
{
    char *text = rig_dialog(bed->rig, node, command, "Y");

    if (!strstr(text, "started"))
        fprintf(stderr, "%s:\n%s\n", command, text);
    assert_non_null(strstr(text, "started"));
    free(text);
}

static void certs(struct bed *bed, unsigned node, const char *names)
{
    char command[512], *text;

    snprintf(command, sizeof(command), "database cluster certs %s", names);
    text = rig_ssh(bed->rig, node, command, NULL);
    assert_non_null(strstr(text, "SUCCESS: "));
    free(text);
}

static void await(struct bed *bed, const char *node, const char *verb,
                  const char *how)
{
    assert_true(rig_do(bed->rig, "wait %s command 'database cluster %s*' %s",
                       node, verb, how));
}

static void leave(struct bed *bed, unsigned node, const char *name)
{
    type(bed, node, "database cluster remove");
    await(bed, name, "remove", "success");
}

static void towards(struct bed *bed, unsigned node, const char *verb,
                    unsigned primary)
{
    char address[16], command[64];

    rig_address(bed->rig, primary, address);
    snprintf(command, sizeof(command), "database cluster %s %s", verb, address);
    type(bed, node, command);
}

static void other_set(struct bed *bed, char dir[128])
{
    const char *argv[] = {LAB_PROGRAM, "--make", "3+1", "--only-make", "--base",
                          NULL,        "--dir",  NULL,  NULL};

    snprintf(dir, 128, "%s/other", bed->rig->dir);
    argv[5] = bed->rig->base;
    argv[7] = dir;
    assert_int_equal(rig_run(argv), 0);
}

static void push_set(struct bed *bed, const char *dir, unsigned node)
{
    static const char *const names[] = {"server.key", "server.cer",
                                        "client.key", "client.cer", "ca.cer"};
    char batch[2048];
    int n = 0;

    for (size_t i = 0; i < 5; i++)
        n += snprintf(batch + n, sizeof(batch) - (size_t)n,
                      "put %s/certs/lab/dbcluster%s new%s\n", dir, names[i],
                      names[i]);
    assert_int_equal(rig_sftp(bed->rig, node, batch), 0);
}

/* psql of the package, to the first node, with the client certificate of this
 * folder (NULL: none).  0: it got in. */
static int visit(struct bed *bed, const char *mode, const char *dir)
{
    char psql[600], address[16], info[1200], with[600] = "";
    const char *argv[] = {psql, "-X", "-w", "-q",
                          "-A", "-t", "-c", "SELECT count(*) FROM space",
                          info, NULL};

    rig_address(bed->rig, 1, address);
    if (dir)
        snprintf(with, sizeof(with),
                 "sslcert=%s/certs/lab/dbclusterclient.cer "
                 "sslkey=%s/certs/lab/dbclusterclient.key",
                 dir, dir);
    snprintf(psql, sizeof(psql), "%s/psql", programs);
    snprintf(info, sizeof(info),
             "hostaddr=%s port=" PORT " user=postgres dbname=postgres "
             "sslmode=%s sslrootcert=%s/certs/lab/dbclusterca.cer %s",
             address, mode, bed->rig->dir, with);
    return rig_run(argv);
}

/* -- tests ----------------------------------------------------------------- */

static void test_bootstrap(void **state)
{
    struct bed bed;
    char other[128];

    (void)state;
    start(&bed, "3+1", NULL, NULL);
    assert_true(rig_do(bed.rig, "wait lab healthy true"));
    other_set(&bed, other);
    assert_int_equal(visit(&bed, "verify-ca", bed.rig->dir), 0);
    assert_int_not_equal(visit(&bed, "verify-ca", NULL), 0);
    assert_int_not_equal(visit(&bed, "verify-ca", other), 0);
    assert_int_not_equal(visit(&bed, "disable", bed.rig->dir), 0);
    assert_true(rig_do(bed.rig, "wait lab rows_acknowledged 1[0-9][1-9]?"));
    stop_whole(&bed, "old");
}

static void test_rotation(void **state)
{
    static const char *const names[] = {"", "core1", "core2", "core3", "edge1"};
    struct bed bed;
    char other[128];

    (void)state;
    start(&bed, "3+1", NULL, NULL);
    other_set(&bed, other);
    for (unsigned n = 4; n >= 1; n--) {
        push_set(&bed, other, n);
        leave(&bed, n, names[n]);
        certs(&bed, n, n < 4 ? NEW_5 : NEW_3);
    }
    assert_int_not_equal(visit(&bed, "verify-ca", bed.rig->dir), 0);
    type(&bed, 1, "database cluster initialize");
    await(&bed, "core1", "initialize", "success");
    towards(&bed, 4, "connect", 1);
    await(&bed, "edge1", "connect", "success");
    for (unsigned n = 2; n <= 3; n++) {
        towards(&bed, n, "join", 1);
        await(&bed, names[n], "join", "success");
    }
    assert_true(rig_do(bed.rig, "wait lab healthy true"));
    assert_int_not_equal(visit(&bed, "require", bed.rig->dir), 0);
    stop_whole(&bed, "new");
}

/* Each refusal is PostgreSQL's own, and its words stand in the status. */
static void test_wrong_sets(void **state)
{
    struct bed bed;
    char other[128], *text;

    (void)state;
    start(&bed, "3+0", NULL, NULL);
    other_set(&bed, other);
    push_set(&bed, other, 3);
    leave(&bed, 3, "core3");
    certs(&bed, 3, NEW_5);
    towards(&bed, 3, "join", 1);
    await(&bed, "core3", "join", "failed");
    text = rig_ssh(bed.rig, 3, "database cluster status", NULL);
    assert_non_null(strstr(text, "certificate verify failed"));
    free(text);
    type(&bed, 3, "database cluster remove"); /* clears the error */
    assert_true(rig_do(bed.rig, "wait core3 error null"));

    /* its server is of the right root, its client is not */
    certs(&bed, 3,
          "dbclusterserver.key dbclusterserver.cer newclient.key "
          "newclient.cer dbclusterca.cer");
    towards(&bed, 3, "join", 1);
    assert_true(rig_do(bed.rig, "wait core3 error '*unknown ca*'"));
    type(&bed, 3, "database cluster remove");
    assert_true(rig_do(bed.rig, "wait core3 error null"));
    certs(&bed, 3, OLD_5);
    towards(&bed, 3, "join", 1);
    await(&bed, "core3", "join", "success");
    assert_true(rig_do(bed.rig, "wait lab healthy true"));
    stop_whole(&bed, "old");
}

/* A primary does not wait for its replicas: a row that it acknowledged in its
 * last moment is lost with it.  Here it has none: its writer rests, and a
 * verdict waits until every replica holds what its primary does. */
static void lose_power_caught_up(struct bed *bed, const char *node)
{
    assert_true(rig_do(bed->rig, "set %s rows_per_s 0", node));
    assert_true(rig_do(bed->rig, "verdict"));
    assert_true(rig_do(bed->rig, "down %s", node));
    assert_true(rig_do(bed->rig, "set %s rows_per_s 20", node));
}

static void test_failover(void **state)
{
    struct bed bed;

    (void)state;
    start(&bed, "3+0", NULL, NULL);
    lose_power_caught_up(&bed, "core1");
    assert_true(rig_do(bed.rig, "wait lab primary core[23]"));
    assert_true(rig_do(bed.rig, "up core1"));
    assert_true(rig_do(bed.rig, "wait lab healthy true"));
    assert_true(rig_do(bed.rig, "move-primary core1"));
    assert_true(rig_do(bed.rig, "wait lab primary core1"));
    assert_true(rig_do(bed.rig, "wait lab healthy true"));
    assert_true(rig_do(bed.rig, "down core2"));
    assert_true(rig_do(bed.rig, "down core3"));
    assert_true(rig_do(bed.rig, "wait lab primaries 0"));
    assert_true(rig_do(bed.rig, "up core2"));
    assert_true(rig_do(bed.rig, "wait lab primary core1"));
    assert_true(rig_do(bed.rig, "up core3"));
    assert_true(rig_do(bed.rig, "wait lab healthy true"));
    stop_whole(&bed, "old");
}

/* The power goes while a join runs: the node stays out, and can come again. */
static void test_power_lost_in_join(void **state)
{
    struct bed bed;

    (void)state;
    start(&bed, "3+0", "--set", "join_ms=0");
    leave(&bed, 2, "core2");
    towards(&bed, 2, "join", 1);
    assert_true(rig_do(bed.rig, "down core2"));
    assert_true(rig_do(bed.rig, "up core2"));
    assert_true(rig_do(bed.rig, "wait core2 pending false"));
    assert_true(rig_do(bed.rig, "wait lab primary core1"));
    leave(&bed, 3, "core3");
    towards(&bed, 3, "join", 1);
    await(&bed, "core3", "join", "success");
    assert_true(rig_do(bed.rig, "wait core3 in_sync true"));
    json_decref(stop(&bed));
}

/* The wrong node is initialized: rows that were acknowledged are gone. */
static void test_loss_is_seen(void **state)
{
    struct bed bed;
    json_t *verdict;

    (void)state;
    start(&bed, "3+0", "--set", "rows_per_s=1000");
    leave(&bed, 3, "core3");
    leave(&bed, 2, "core2");
    leave(&bed, 1, "core1");
    type(&bed, 3, "database cluster initialize");
    await(&bed, "core3", "initialize", "success");
    verdict = stop(&bed);
    assert_true(number(cluster_of(verdict), "rows_lost") > 0);
    json_decref(verdict);
}

static void test_expired(void **state)
{
    struct bed bed;
    json_t *verdict;

    (void)state;
    start(&bed, "3+0", "--days", "-1");
    leave(&bed, 2, "core2");
    verdict = stop(&bed);
    assert_int_equal(number(cluster_of(verdict), "rows_lost"), 0);
    assert_int_equal(number(cluster_of(verdict), "rows_acknowledged"), 1000);
    json_decref(verdict);
}

static void end_by(int how)
{
    struct bed bed;
    const char *const argv[] = {"rm", "-rf", "--", bed.base, NULL};

    start(&bed, "3+0", NULL, NULL);
    assert_true(find_child(bed.base) > 0);
    kill(bed.rig->pid, how);
    assert_int_equal(rig_stop(bed.rig, NULL), how == SIGKILL ? 128 + how : 0);
    assert_true(all_gone(bed.base));
    assert_int_equal(rig_run(argv), 0);
}

static void test_terminated(void **state)
{
    (void)state;
    end_by(SIGTERM);
}

static void test_killed(void **state)
{
    (void)state;
    end_by(SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_wrong_sets),
        cmocka_unit_test(test_failover),
        cmocka_unit_test(test_power_lost_in_join),
        cmocka_unit_test(test_loss_is_seen),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_terminated),
        cmocka_unit_test(test_killed),
    };

    if (!pg_find_programs(programs, sizeof(programs))) {
        puts("no PostgreSQL server 15 or newer: skipped");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
