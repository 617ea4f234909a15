/* SPDX-License-Identifier: Apache-2.0
 *
 * Every fault that `window' and `no_window' can have, alone and all at once,
 * and what is none.
 */
#include "tests/unit/fleet_fixture.h"

#define C "[cluster c]\nproduct = cms\n"
#define W C "window = Sat 01:00-05:00\n"

struct wrong {
    const char *text;
    unsigned line;
    const char *part;
};

/* clang-format off */
/* Each is the only error of its text. */
static const struct wrong errors[] = {
    { C "window = Sat 01:00-05:00 Europe/Londn\n", 3,
      "bad window `Sat 01:00-05:00 Europe/Londn' in [cluster c]: unknown zone "
      "`Europe/Londn': an IANA name is wanted" },
    { C "window = Sat 01:00-05:00 Europe\n", 3, "unknown zone `Europe'" },
    { C "window = Sat 01:00-05:00 europe/london\n", 3, "unknown zone" },
    { C "window = Sat 01:00-05:00 BST\n", 3, "unknown zone `BST'" },
    { C "window = Sat 01:00-05:00 +01:00\n", 3, "unknown zone `+01:00'" },
    { C "window = Sat 01:00-05:00 right/Europe/London\n", 3, "unknown zone" },
    { C "window = Sat 01:00-05:00 localtime\n", 3, "unknown zone" },
    { C "window = Sat 01:00-05:00 /etc/localtime\n", 3, "unknown zone" },
    { C "window = Sat 01:00-05:00 Europe/../Europe/London\n", 3,
      "unknown zone" },
    { C "window = Sat 01:00-05:00 Europe//London\n", 3, "unknown zone" },
    { C "window = Sat 01:00-05:00 Europe/London x y\n", 3,
      "`x y' stands behind the zone" },
    { C "window = Sat 05:00-05:00\n", 3,
      "it ends when it begins; a whole day is 00:00-24:00" },
    { C "window = Sat 24:00-05:00\n", 3,
      "`24:00-05:00' are no times of a day" },
    { C "window = Sat 01:00-24:01\n", 3, "no times of a day" },
    { C "window = Sat 01:60-05:00\n", 3, "no times of a day" },
    { C "window = Sat 25:00-05:00\n", 3, "no times of a day" },
    { C "window = Sat 1:00-05:00\n", 3, "DAYS HH:MM-HH:MM ZONE is wanted" },
    { C "window = Sat 01:00-5:00\n", 3, "DAYS HH:MM-HH:MM ZONE is wanted" },
    { C "window = Sat 01:00 - 05:00\n", 3, "DAYS HH:MM-HH:MM ZONE is wanted" },
    { C "window = Sat 01:00..05:00\n", 3, "DAYS HH:MM-HH:MM ZONE is wanted" },
    { C "window = Sat 01-00-05:00\n", 3, "no times of a day" },
    { C "window = Sat\n", 3, "DAYS HH:MM-HH:MM ZONE is wanted" },
    { C "window = 01:00-05:00\n", 3, "unknown day `01:00'" },
    { C "window = Sam 01:00-05:00\n", 3,
      "unknown day `Sam': Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily" },
    { C "window = Saturday 01:00-05:00\n", 3, "unknown day `Saturday'" },
    { C "window = sat 01:00-05:00\n", 3, "unknown day `sat'" },
    { C "window = Sat, Sun 01:00-05:00\n", 3, "unknown day `'" },
    { C "window = Sat,,Sun 01:00-05:00\n", 3, "unknown day `'" },
    { C "window = Mon-Fri-Sun 01:00-05:00\n", 3, "unknown day `Fri-Sun'" },
    { C "window = Mon- 01:00-05:00\n", 3, "unknown day `'" },
    { C "window = daily,Sat 01:00-05:00\n", 3, "unknown day `daily'" },
    { C "window =\n", 3, "nothing stands behind the `='" },
    { C "[node n]\ncluster = c\nwindow = Sat 01:00-05:00\n", 5,
      "unknown key `window' in [node n]: it belongs into: fleet cluster" },

    { W "no_window = 2027-01-02..2026-12-24\n", 4,
      "bad no_window `2027-01-02..2026-12-24' in [cluster c]: its last day is "
      "before its first" },
    { W "no_window = 2026-12-24..2026-11-25\n", 4, "before its first" },
    { W "no_window = 2026-12-24..2026-12-23\n", 4, "before its first" },
    { W "no_window = 2026-02-29\n", 4, "2026-02-29: there is no such day" },
    { W "no_window = 2026-13-01\n", 4, "there is no such day" },
    { W "no_window = 2026-00-10\n", 4, "there is no such day" },
    { W "no_window = 2026-12-00\n", 4, "there is no such day" },
    { W "no_window = 1969-12-31\n", 4, "there is no such day" },
    { W "no_window = 2501-01-01\n", 4, "there is no such day" },
    { W "no_window = 2026-12-24..2026-12-32\n", 4,
      "2026-12-32: there is no such day" },
    { W "no_window = 24.12.2026\n", 4, "a day, or two with `..' between them" },
    { W "no_window = 2026-12-24..\n", 4, "a day, or two with `..'" },
    { W "no_window = 2026-12-24 .. 2027-01-02\n", 4,
      "` .. 2027-01-02' stands behind the days" },
    { W "no_window = 2026-12-24 Europe/London\n", 4,
      "` Europe/London' stands behind the days" },
    { W "no_window = 2026-12-24..2027-01-02..2027-02-01\n", 4,
      "stands behind the days" },
    { W "no_window = 2026-12-241\n", 4, "`1' stands behind the days" },

    { C "no_window = 2026-12-24\n", 3,
      "[cluster c] has no `window' that the no_window on line 3 could take "
      "days from" },
    { "[fleet]\nno_window = 2026-12-24\n" C, 3,
      "[cluster c] has no `window' that the no_window on line 2 could take" },
};

static const char *const good[] = {
    C,
    W,
    W "window = Sat 01:00-05:00\n", /* twice is once */
    W "window = Sun 23:00-03:00 America/Argentina/Buenos_Aires\n",
    W "window = Mon-Fri,Sun 00:00-24:00 Etc/GMT+11\n",
    W "window = Fri-Mon 00:00-00:01   UTC\n",
    W "window = daily 23:59-00:00 America/Port-au-Prince ; a comment\n",
    W "no_window = 2028-02-29\nno_window = 2028-02-29..2028-02-29\n",
    ("[fleet]\nwindow = Sat 01:00-05:00\n" C "no_window = 2026-12-24\n"),
    ("[fleet]\nwindow = Sat 01:00-05:00\nno_window = 2026-12-24\n" C),
};
/* clang-format on */

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct inventory *inv = fixture_read(errors[i].text);

        expect_fault(inv, FAULT_ERROR, errors[i].line, errors[i].part);
        assert_int_equal(inv->n_errors, 1);
        inventory_free(inv);
    }
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct inventory *inv = fixture_read(good[i]);

        expect_faults(inv, 0, 1); /* it has no nodes */
        inventory_free(inv);
    }
}

/* A bad line is told, and is not taken for none: no_window has its window. */
static void test_all_at_once(void **state)
{
    struct inventory *inv = fixture_read("[fleet]\n"
                                         "window = Sat 01:00-05:00 Nowhere\n"
                                         "window = Son 01:00-05:00\n"
                                         "no_window = 2026-12-24..2026-12-01\n"
                                         "window = Sat 05:00-05:00\n"
                                         "no_window = never\n"
                                         "warn_days = 3\n"
                                         "warn_days = 4\n" C "window = Sat\n");

    (void)state;
    expect_fault(inv, FAULT_ERROR, 2, "unknown zone");
    expect_fault(inv, FAULT_ERROR, 3, "unknown day");
    expect_fault(inv, FAULT_ERROR, 4, "before its first");
    expect_fault(inv, FAULT_ERROR, 5, "ends when it begins");
    expect_fault(inv, FAULT_ERROR, 6, "a day, or two");
    expect_fault(inv, FAULT_ERROR, 8, "`warn_days' is already in [fleet]");
    expect_fault(inv, FAULT_ERROR, 11, "HH:MM-HH:MM");
    expect_faults(inv, 7, 1);
    inventory_free(inv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_all_at_once),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
