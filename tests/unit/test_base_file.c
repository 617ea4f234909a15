/* SPDX-License-Identifier: Apache-2.0
 *
 * What is synced, and in which order: this program's own fsync stands before
 * the library's and notes what it is given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/file.h"

enum {
    MOST_SYNCS = 16
};

static struct stat synced[MOST_SYNCS];
static size_t n_synced;
static char dir[] = "/tmp/certfleet-file.XXXXXX";

int fsync(int fd)
{
    assert_true(n_synced < MOST_SYNCS);
    assert_int_equal(fstat(fd, &synced[n_synced++]), 0);
    return (int)syscall(SYS_fsync, fd);
}

static bool was_synced(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    for (size_t i = 0; i < n_synced; i++)
        if (synced[i].st_dev == st.st_dev && synced[i].st_ino == st.st_ino)
            return true;
    return false;
}

static int enter_folder(void **state)
{
    (void)state;
    memset(dir + strlen(dir) - 6, 'X', 6);
    n_synced = 0;
    return mkdtemp(dir) ? chdir(dir) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    unlink("a/b/c/file");
    rmdir("a/b/c");
    rmdir("a/b");
    rmdir("a");
    return chdir("/") | rmdir(dir);
}

/* A power cut takes a folder whose entry was not synced, whatever is in it. */
static void every_new_folder_is_synced_into_the_one_above(void **state)
{
    struct err err = {0};
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/a/b/c", dir);
    assert_int_equal(file_make_folders(path, &err), 0);
    assert_true(was_synced("."));
    assert_true(was_synced("a"));
    assert_true(was_synced("a/b"));
    assert_true(file_exists("a/b/c"));
}

static void a_folder_that_was_there_is_left_alone(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(mkdir("a", 0750), 0);
    assert_int_equal(file_make_folders("a/b", &err), 0);
    assert_true(was_synced("a"));
    assert_false(was_synced("."));
    assert_int_equal(file_make_folders("a/b", &err), 0);
    assert_int_equal(n_synced, 1);
}

static void a_file_is_synced_before_its_name(void **state)
{
    struct err err = {0};
    struct stat st;

    (void)state;
    assert_int_equal(file_make_folders("a/b/c", &err), 0);
    n_synced = 0;
    assert_int_equal(file_write("a/b/c/file", "x", 1, 0600, true, &err), 0);
    assert_int_equal(n_synced, 2);
    assert_int_equal(stat("a/b/c/file", &st), 0);
    assert_int_equal(synced[0].st_ino, st.st_ino);
    assert_int_equal(synced[0].st_size, 1);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_int_equal(synced[1].st_ino, st.st_ino);
}

static void a_file_in_a_folders_place_is_told(void **state)
{
    struct err err = {0};
    int fd = open("a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_make_folders("a/b", &err), -1);
    assert_non_null(strstr(err.text, "a/b"));
    unlink("a");
}

#define IN_FOLDER(test)                                                        \
    cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_new_folder_is_synced_into_the_one_above),
        IN_FOLDER(a_folder_that_was_there_is_left_alone),
        IN_FOLDER(a_file_is_synced_before_its_name),
        IN_FOLDER(a_file_in_a_folders_place_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
