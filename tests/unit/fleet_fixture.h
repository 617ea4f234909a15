/* SPDX-License-Identifier: Apache-2.0
 *
 * An inventory from a text in a folder of its own, the words of a product as
 * the registry gives them, and questions about faults; for the tests of
 * core/fleet.
 */
#ifndef CERTFLEET_TESTS_FLEET_FIXTURE_H
#define CERTFLEET_TESTS_FLEET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fleet/inventory.h"
#include "tests/unit/remove_tree.h"

enum {
    DATABASE = 1,
    CONNECT = 2,
    CALLBRIDGE = 4,
    WEBADMIN = 8
};
static const struct role_word fixture_roles[] = {
    {"database", DATABASE},
    {"connect", CONNECT},
    {"callbridge", CALLBRIDGE},
    {"webadmin", WEBADMIN},
    {NULL, 0},
};
struct signer { /* only whether there is one is looked at here */
    char unused;
};
static const struct signer fixture_signer;
static const struct product_words fixture_products[] = {
    {"cms", fixture_roles, DATABASE | CONNECT, DATABASE, 5, true},
    {"other", fixture_roles, 0, 0, 0, false},
    {"signs", fixture_roles, 0, 0, 0, false, &fixture_signer},
    {NULL, NULL, 0, 0, 0, false},
};

static char fixture_folder[] = "/tmp/certfleet-test-XXXXXX";
static char fixture_file[sizeof(fixture_folder) + 16];

/* The folder is $HOME too, so that nothing of the caller's is seen. */
static int fixture_setup(void **state)
{
    (void)state;
    if (!mkdtemp(fixture_folder))
        return -1;
    snprintf(fixture_file, sizeof(fixture_file), "%s/fleet.ini",
             fixture_folder);
    setenv("HOME", fixture_folder, 1);
    unsetenv("XDG_STATE_HOME");
    unsetenv("CERTFLEET_INVENTORY");
    return chdir(fixture_folder);
}

static const struct check_word fixture_checks[] = {
    {"B3", CHECK_WARNING, NULL},
    {"F7", CHECK_WARNING, NULL},
    {"H2", CHECK_ERROR, "whose data it is"},
    {"H3", CHECK_BLOCK, "whose data it is"},
    {NULL},
};

static int fixture_teardown(void **state)
{
    (void)state;
    if (chdir("/") < 0)
        return -1;
    return remove_tree(fixture_folder);
}

static inline void fixture_write(const char *name, const void *data, size_t len)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", fixture_folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static inline struct inventory *fixture_read_bytes(const char *data, size_t len)
{
    struct inventory_options options = {.path = fixture_file,
                                        .products = fixture_products,
                                        .checks = fixture_checks};
    struct inventory *inv;
    struct err err;

    fixture_write("fleet.ini", data, len);
    inv = inventory_read(&options, &err);
    if (!inv)
        fail_msg("%s", err.text);
    return inv;
}

static inline struct inventory *fixture_read(const char *text)
{
    return fixture_read_bytes(text, strlen(text));
}

static inline void fixture_print(const struct inventory *inv)
{
    struct str text;

    str_init(&text, 64 * 1024);
    inventory_faults(inv, &text);
    print_message("%s", str_text(&text));
    str_release(&text);
}

/* A fault of this level on this line whose text holds `part`. */
static inline void expect_fault(const struct inventory *inv,
                                enum fault_level level, unsigned line,
                                const char *part)
{
    for (size_t i = 0; i < inv->n_faults; i++)
        if (inv->faults[i].level == level && inv->faults[i].line == line &&
            strstr(inv->faults[i].text, part))
            return;
    fixture_print(inv);
    fail_msg("no such fault on line %u: %s", line, part);
}

static inline void expect_faults(const struct inventory *inv, size_t errors,
                                 size_t warnings)
{
    if (inv->n_errors == errors && inv->n_faults == errors + warnings)
        return;
    fixture_print(inv);
    fail_msg("%zu errors and %zu warnings were expected", errors, warnings);
}

#endif
