/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files may go: age, use, generation, snapshots, and what cannot be
 * told.
 */
#include "cli/prune_list.h"
#include "tests/unit/cli_capture.h"

enum {
    DAY = 86400,
    NOW = 400 * DAY
};

static const int emea, apac, core1, core2;
static struct prune_list list;

static void add_set(const int *node, const char *name, unsigned generation,
                    int64_t age_days, bool in_use)
{
    const struct prune_file file = {
        .cluster = &emea,
        .node = node,
        .mtime = age_days < 0 ? -1 : NOW - age_days * DAY,
        .generation = generation,
        .in_use = in_use,
    };

    prune_add(&list, &file, name);
}

static void add_backup(const int *node, const char *name, int64_t age_days)
{
    const struct prune_file file = {
        .cluster = &emea,
        .node = node,
        .mtime = age_days < 0 ? -1 : NOW - age_days * DAY,
        .backup = true,
    };

    prune_add(&list, &file, name);
}

/* The names that go, joined. */
static const char *goes(void)
{
    static char text[1024];
    const struct prune_rules rules = {
        .now = NOW, .keep_days = 30, .keep_backups = 2};

    prune_decide(&list, &rules);
    text[0] = '\0';
    for (size_t i = 0; i < list.n; i++)
        if (list.files[i].goes)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
                     list.files[i].name);
    return text;
}

static int teardown(void **state)
{
    (void)state;
    prune_release(&list);
    return 0;
}

static void test_old_unused_sets_go(void **state)
{
    (void)state;
    add_set(&core1, "g1", 1, 100, false);
    add_set(&core1, "g2-young", 2, 29, false);
    add_set(&core1, "g3", 3, 100, true);
    assert_string_equal(goes(), "g1 ");
}

/* One node still uses it: no node loses it, nor its other files. */
static void test_a_generation_in_use_stays_everywhere(void **state)
{
    (void)state;
    add_set(&core1, "server-g1", 1, 100, false);
    add_set(&core2, "client-g1", 1, 100, true);
    add_set(&core2, "server-g1", 1, 100, false);
    assert_string_equal(goes(), "");
    list.files[0].cluster = &apac;
    assert_string_equal(goes(), "server-g1 ");
}

static void test_an_unknown_age_stays(void **state)
{
    (void)state;
    add_set(&core1, "g1", 1, -1, false);
    add_backup(&core1, "cf-0001-primary.bak", -1);
    assert_string_equal(goes(), "");
}

/* The newest two of each node stay; .bak and .json are one snapshot. */
static void test_newest_backups_stay(void **state)
{
    (void)state;
    add_backup(&core1, "cf-0001-primary.bak", 5);
    add_backup(&core1, "cf-0001-primary.json", 5);
    add_backup(&core1, "cf-0002-primary.bak", 4);
    add_backup(&core1, "cf-0002-primary.json", 4);
    add_backup(&core1, "cf-0003-primary.bak", 3);
    add_backup(&core1, "cf-0003-primary.json", 3);
    add_backup(&core2, "cf-0001-replica.bak", 500);
    assert_string_equal(goes(), "cf-0001-primary.bak cf-0001-primary.json ");
}

static void test_only_what_was_shown_goes(void **state)
{
    struct prune_list shown = {.n = 0};
    struct prune_file file = {.node = &core1, .goes = true};

    (void)state;
    prune_add(&shown, &file, "a");
    add_set(&core1, "a", 1, 100, false);
    add_set(&core1, "b", 1, 100, false);
    add_set(&core2, "a", 1, 100, false);
    assert_string_equal(goes(), "a b a ");
    prune_only(&list, &shown);
    assert_true(list.files[0].goes);
    assert_false(list.files[1].goes);
    assert_false(list.files[2].goes);
    prune_release(&shown);
}

static void test_backup_names(void **state)
{
    static const char *const ours[] = {
        "cf-3f9a-primary.bak", "cf-3f9a-replica.json", "cf-3f9a-connect.bak",
        "cf-3f9a-primary-2.bak"};
    static const char *const others[] = {
        "cf-3f9a-primary",
        "cf-3f9-primary.bak",
        "cf-3F9A-primary.bak",
        "xcf-3f9a-primary.bak",
        "cf-3f9a-master.bak",
        "backup.bak",
        "cf-3f9a-primary.bak2",
        "cf-",
        "",
        "cf-3f9a-primaryx.bak",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (!prune_is_backup(ours[i]))
            fail_msg("%s is a backup", ours[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (prune_is_backup(others[i]))
            fail_msg("%s is no backup", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_old_unused_sets_go, teardown),
        cmocka_unit_test_teardown(test_a_generation_in_use_stays_everywhere,
                                  teardown),
        cmocka_unit_test_teardown(test_an_unknown_age_stays, teardown),
        cmocka_unit_test_teardown(test_newest_backups_stay, teardown),
        cmocka_unit_test_teardown(test_only_what_was_shown_goes, teardown),
        cmocka_unit_test(test_backup_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
