/* SPDX-License-Identifier: Apache-2.0
 *
 * The state folder: its modes, and what is refused and why.
 */
#include "tests/unit/store_parts.h"

#include <sys/stat.h>

static unsigned mode_of(const struct bed *bed, const char *name)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", bed->folder, name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void files_are_private(void **state)
{
    struct bed *bed = *state, deep = *bed;
    struct tally t = {0};
    mode_t old = umask(0);

    snprintf(deep.folder, sizeof(deep.folder), "%.40s/a/b", bed->folder);
    bed_open(&deep);
    begin(deep.store, "r1", "emea", &t);
    settle_well(&deep, &t);
    umask(old);
    assert_int_equal(mode_of(bed, "a"), 0700);
    assert_int_equal(mode_of(&deep, "."), 0700);
    assert_int_equal(mode_of(&deep, "locks"), 0700);
    assert_int_equal(mode_of(&deep, "locks/r1.lock"), 0600);
    assert_int_equal(mode_of(&deep, "certfleet.db"), 0600);
    assert_int_equal(mode_of(&deep, "certfleet.db-wal"), 0600);
    assert_int_equal(mode_of(&deep, "certfleet.db-shm"), 0600);
    bed_close(&deep);
}

static void refused(const struct bed *bed, enum cause cause, const char *says)
{
    struct err err = {0};

    assert_null(store_open(bed->folder, NULL, &err));
    assert_int_equal(err.cause, cause);
    assert_says(&err, bed->folder);
    assert_says(&err, says);
}

static void a_newer_schema_is_refused(void **state)
{
    struct bed *bed = *state;

    perform(bed, "r1", "emea", play_whole);
    raw_do(bed, "PRAGMA user_version = 2");
    refused(bed, CAUSE_INPUT, "newer certfleet (schema 2, this one knows 1)");
}

static void what_is_no_database_is_refused(void **state)
{
    struct bed *bed = *state;
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/certfleet.db", bed->folder);
    f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 500; i++)
        fputs("nothing of ours\n", f);
    fclose(f);
    refused(bed, CAUSE_SYSTEM, "certfleet.db is damaged");
}

static void play_read_only(struct part *p)
{
    struct err err = {0};

    if (geteuid() == 0 && setuid(65534) < 0)
        _exit(1);
    assert_null(store_open(p->bed->folder, NULL, &err));
    assert_int_equal(err.cause, CAUSE_SYSTEM);
    assert_says(&err, p->bed->folder);
    assert_says(&err, "cannot be written (another one: --state-dir DIR): "
                      "Permission denied");
}

static void a_closed_folder_is_named(void **state)
{
    struct bed *bed = *state;

    assert_int_equal(chmod(bed->folder, 0555), 0);
    perform(bed, "r1", "emea", play_read_only);
    assert_int_equal(chmod(bed->folder, 0700), 0);
}

/* clang-format off */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(files_are_private),
        CASE(a_newer_schema_is_refused),
        CASE(what_is_no_database_is_refused),
        CASE(a_closed_folder_is_named),
    };

    alarm(110);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
