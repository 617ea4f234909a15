/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys made ahead: each is given out once, of however many processes, and none
 * that is not just as it was put there.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/run/spare.h"
#include "tests/unit/remove_tree.h"

static char folder[] = "/tmp/certfleet-spare-XXXXXX";

static const struct spare emea = {folder, "emea", "rsa:2048", NULL};

/* The paths of what is in the cluster's folder; how many. */
enum {
    FILES_MAX = 64
};
static char paths[FILES_MAX][512];

static size_t list_files(const char *cluster)
{
    char where[256];
    struct dirent *entry;
    size_t n = 0;
    DIR *dir;

    snprintf(where, sizeof(where), "%s/spare/%s", folder, cluster);
    dir = opendir(where);
    while (dir && n < FILES_MAX && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            snprintf(paths[n++], sizeof(paths[0]), "%s/%s", where,
                     entry->d_name);
    if (dir)
        closedir(dir);
    return n;
}

static void make(const struct spare *spare)
{
    struct err err = {.cause = CAUSE_NONE};

    if (spare_make(spare, &err) < 0)
        fail_msg("%s", err.text);
}

static int clear(void **state)
{
    (void)state;
    spare_tidy(&emea, 0);
    return 0;
}

static void test_once(void **state)
{
    struct secret *key;
    struct stat st;

    (void)state;
    assert_null(spare_take(&emea));
    make(&emea);
    assert_int_equal(list_files("emea"), 1);
    assert_int_equal(stat(paths[0], &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    key = spare_take(&emea);
    assert_non_null(key);
    assert_non_null(strstr(secret_text(key), "BEGIN PRIVATE KEY"));
    secret_free(key);
    assert_int_equal(list_files("emea"), 0);
    assert_null(spare_take(&emea));
}

static void test_another_kind_or_cluster(void **state)
{
    const struct spare other = {folder, "apac", "rsa:2048", NULL};
    const struct spare bigger = {folder, "emea", "rsa:3072", NULL};

    (void)state;
    make(&emea);
    assert_null(spare_take(&other));
    assert_null(spare_take(&bigger));
    assert_int_equal(list_files("emea"), 1);
    /* its name says another kind than it is */
    {
        char renamed[600];

        snprintf(renamed, sizeof(renamed), "%s/spare/emea/rsa-3072-1.key",
                 folder);
        assert_int_equal(rename(paths[0], renamed), 0);
    }
    assert_null(spare_take(&bigger));
    assert_int_equal(list_files("emea"), 0);
    assert_false(spare_is_of_use("ec:P-256"));
    assert_true(spare_is_of_use("rsa:4096"));
}

/* -- what is not as it was made ------------------------------------------- */

static void harm_mode(const char *path)
{
    assert_int_equal(chmod(path, 0640), 0);
}

static void harm_text(const char *path)
{
    FILE *f = fopen(path, "r+");

    assert_non_null(f);
    fseek(f, 200, SEEK_SET);
    fputs("????", f);
    fclose(f);
}

static void harm_end(const char *path)
{
    assert_int_equal(truncate(path, 900), 0);
}

static void harm_empty(const char *path)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void harm_second_name(const char *path)
{
    char other[600];

    snprintf(other, sizeof(other), "%s/stolen", folder);
    unlink(other);
    assert_int_equal(link(path, other), 0);
}

static void harm_link(const char *path)
{
    char real[600];

    snprintf(real, sizeof(real), "%s/elsewhere", folder);
    assert_int_equal(rename(path, real), 0);
    assert_int_equal(symlink(real, path), 0);
}

static void test_harmed_ones_are_thrown_away(void **state)
{
    static void (*const harms[])(const char *) = {harm_mode,        harm_text,
                                                  harm_end,         harm_empty,
                                                  harm_second_name, harm_link};

    (void)state;
    for (size_t i = 0; i < sizeof(harms) / sizeof(*harms); i++) {
        make(&emea);
        assert_int_equal(list_files("emea"), 1);
        harms[i](paths[0]);
        assert_null(spare_take(&emea));
        assert_int_equal(list_files("emea"), 0);
    }
    /* the good one beside a harmed one is found */
    make(&emea);
    list_files("emea");
    harm_mode(paths[0]);
    make(&emea);
    {
        struct secret *key = spare_take(&emea);
        assert_non_null(key);
        secret_free(key);
    }
}

static void test_locked(void **state)
{
    struct secret *word = secret_from("hunter2", 7),
                  *wrong = secret_from("hunter3", 7), *key;
    const struct spare locked = {folder, "emea", "rsa:2048", word};
    const struct spare other = {folder, "emea", "rsa:2048", wrong};
    struct secret *text;

    (void)state;
    make(&locked);
    make(&locked);
    assert_int_equal(list_files("emea"), 2);
    text = file_read(paths[0], 10000, NULL);
    assert_non_null(text);
    assert_non_null(strstr(secret_text(text), "BEGIN ENCRYPTED PRIVATE KEY"));
    secret_free(text);
    key = spare_take(&locked);
    assert_non_null(key);
    assert_non_null(strstr(secret_text(key), "BEGIN PRIVATE KEY"));
    secret_free(key);
    /* the passphrase was changed since */
    assert_null(spare_take(&other));
    assert_int_equal(list_files("emea"), 0);
    secret_free(word);
    secret_free(wrong);
}

/* -- many processes ---------------------------------------------------------
 */

enum {
    TAKERS = 4,
    KEYS = 12
};

/* Takes until there are none, and writes down what it got. */
static void take_all(int number, int start)
{
    char path[300], byte;
    struct secret *key;
    FILE *f;

    snprintf(path, sizeof(path), "%s/got-%d", folder, number);
    f = fopen(path, "w");
    while (read(start, &byte, 1) > 0)
        ;
    while ((key = spare_take(&emea)) != NULL) {
        char sha[PKI_SHA256_HEX];

        pki_sha256(key->data, key->len, sha);
        fprintf(f, "%s\n", sha);
        secret_free(key);
    }
    fclose(f);
    _exit(0);
}

static size_t read_got(char got[][PKI_SHA256_HEX], size_t n, int number)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof(path), "%s/got-%d", folder, number);
    f = fopen(path, "r");
    assert_non_null(f);
    while (n < KEYS + 1 && fscanf(f, "%64s", got[n]) == 1)
        n++;
    fclose(f);
    return n;
}

static void test_no_two_have_the_same(void **state)
{
    char got[KEYS + 1][PKI_SHA256_HEX];
    pid_t children[TAKERS];
    int start[2];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        make(&emea);
    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < TAKERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            close(start[1]);
            take_all(i, start[0]);
        }
    }
    close(start[0]);
    close(start[1]); /* all at once */
    for (int i = 0; i < TAKERS; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
        n = read_got(got, n, i);
    }
    assert_int_equal(n, KEYS);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(got[i], got[k]);
}

/* -- tidied -----------------------------------------------------------------
 */

static bool is_apac(void *user, const char *cluster)
{
    (void)user;
    return strcmp(cluster, "apac") == 0;
}

static void test_tidied(void **state)
{
    const struct spare apac = {folder, "apac", "rsa:2048", NULL};
    struct utimbuf old = {1000, 1000};

    (void)state;
    for (int i = 0; i < 3; i++)
        make(&emea);
    make(&apac);
    assert_int_equal(spare_tidy(&emea, 2), 2);
    assert_int_equal(list_files("emea"), 2);
    assert_int_equal(utime(paths[0], &old), 0);
    assert_int_equal(spare_tidy(&emea, 2), 1);
    spare_tidy_others(folder, is_apac, NULL);
    assert_int_equal(list_files("emea"), 0);
    assert_int_equal(list_files("apac"), 1);
    spare_tidy(&apac, 0);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return remove_tree(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_once, clear),
        cmocka_unit_test_teardown(test_another_kind_or_cluster, clear),
        cmocka_unit_test_teardown(test_harmed_ones_are_thrown_away, clear),
        cmocka_unit_test_teardown(test_locked, clear),
        cmocka_unit_test_teardown(test_no_two_have_the_same, clear),
        cmocka_unit_test_teardown(test_tidied, clear),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
