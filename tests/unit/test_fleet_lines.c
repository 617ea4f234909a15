/* SPDX-License-Identifier: Apache-2.0
 *
 * What inih does to a file when used plainly, and must not do here: lines cut,
 * joined, hidden or not counted.
 */
#include "tests/unit/fleet_fixture.h"

#define C "[cluster c]\nproduct = cms\n" /* 2 lines */

static void test_crlf_and_bom(void **state)
{
    struct inventory *inv =
        fixture_read("\xef\xbb\xbf[cluster c]\r\nproduct = cms\r\n\r\n"
                     "[node a]\r\ncluster = c\r\nuser = x\r\nadress = 1\r\n");

    (void)state;
    expect_faults(inv, 1, 0);
    expect_fault(inv, FAULT_ERROR, 7, "adress");
    assert_string_equal(inventory_node(inv, "a")->user, "x");
    inventory_free(inv);
    /* before a key, before a comment, before nothing */
    inv = fixture_read("\xef\xbb\xbf; c\n" C "[node a]\ncluster = c\n");
    expect_faults(inv, 0, 0);
    inventory_free(inv);
    inv = fixture_read("\xef\xbb\xbf");
    expect_faults(inv, 0, 1);
    inventory_free(inv);
}

/* Plain inih hangs an indented line onto the value above. */
static void test_indented_lines(void **state)
{
    struct inventory *inv =
        fixture_read("  [cluster c]\n\tproduct = cms\n"
                     "[node a]\n  cluster = c\n    user = x\n"
                     "  ; comment\n  # comment\n"
                     "      port = 2222\n  [ node\t b ]  ; behind\n"
                     "  cluster = c\n");

    (void)state;
    expect_faults(inv, 0, 0);
    assert_string_equal(inventory_node(inv, "a")->user, "x");
    assert_int_equal(inventory_node(inv, "a")->port, 2222);
    assert_non_null(inventory_node(inv, "b"));
    inventory_free(inv);
    inv = fixture_read(C "[node a]\ncluster = c\nnames = x.example\n"
                         "        y.example\n");
    expect_faults(inv, 1, 0);
    expect_fault(inv, FAULT_ERROR, 6, "neither a section");
    inventory_free(inv);
}

static void test_comments(void **state)
{
    struct inventory *inv =
        fixture_read("[fleet] ; all\npassword = command:a;b #c ; note\n"
                     "user = a#b\t;x\n" C "[node a] # x\ncluster = c ; d ; e\n"
                     "address=h;i\n");

    (void)state;
    expect_fault(inv, FAULT_ERROR, 8, "bad address `h;i'");
    expect_faults(inv, 1, 0);
    assert_string_equal(inventory_node(inv, "a")->password, "command:a;b #c");
    assert_string_equal(inventory_node(inv, "a")->user, "a#b");
    inventory_free(inv);
}

static void test_sections(void **state)
{
    struct inventory *inv = fixture_read(
        "[fleet]\n[cluster c]\n[cluster c]\nproduct = cms\n"
        "[node a\ncluster = c\n[node b] x\ncluster = c\n[node c]\n");

    (void)state;
    /* empty and repeated ones are seen, broken ones still open a section */
    expect_fault(inv, FAULT_ERROR, 2, "has no `product'");
    expect_fault(inv, FAULT_ERROR, 3, "already on line 2");
    expect_fault(inv, FAULT_ERROR, 5, "a section without `]'");
    expect_fault(inv, FAULT_ERROR, 7, "behind the `]'");
    expect_fault(inv, FAULT_ERROR, 9, "has no `cluster'");
    assert_int_equal(inv->n_errors, 5);
    inventory_free(inv);
}

static char *long_text(const char *before, size_t fill, const char *after)
{
    size_t head = strlen(before), tail = strlen(after);
    char *text = malloc(head + fill + tail + 1);

    assert_non_null(text);
    memcpy(text, before, head);
    memset(text + head, 'x', fill);
    memcpy(text + head + fill, after, tail + 1);
    return text;
}

static void test_long_lines(void **state)
{
    static const char rest[] = "\nport = 23\n";
    char *text = long_text(C "[node a]\ncluster = c\nuser = ", 5000, rest);
    struct inventory *inv = fixture_read(text);

    (void)state;
    expect_faults(inv, 1, 0);
    expect_fault(inv, FAULT_ERROR, 5, "a line of 5007 bytes; at most ");
    assert_int_equal(inventory_node(inv, "a")->port, 23);
    inventory_free(inv);
    free(text);
    /* a cut key line still counts: no follow-up about a missing cluster */
    text = long_text(C "[node a]\ncluster = ", 5000, rest);
    inv = fixture_read(text);
    expect_faults(inv, 1, 1);
    expect_fault(inv, FAULT_WARNING, 1, "no nodes");
    inventory_free(inv);
    free(text);
    /* nothing in it that could be a key: told once */
    text = long_text(C "[node a]\ncluster = c\n", 5000, rest);
    inv = fixture_read(text);
    expect_faults(inv, 1, 0);
    expect_fault(inv, FAULT_ERROR, 5, "a line of 5000 bytes");
    inventory_free(inv);
    free(text);
    /* comments may be of any length; names of sections may not */
    text = long_text("; ", 70000, "\n" C "[node a]\ncluster = c\n");
    inv = fixture_read(text);
    expect_faults(inv, 0, 0);
    inventory_free(inv);
    free(text);
    text = long_text(C "[node ", 64, "]\ncluster = c\n");
    inv = fixture_read(text);
    expect_fault(inv, FAULT_ERROR, 3, "63 at most");
    inventory_free(inv);
    free(text);
}

/* Well over the 200 bytes that inih has compiled in: kept whole, or refused
 * by a build that cannot; never cut. */
static void test_values_are_whole(void **state)
{
    char *text = long_text(C "[node a]\ncluster = c\nuser = ", 1000, "\n");
    struct inventory *inv = fixture_read(text);

    (void)state;
    if (inv->n_errors)
        expect_fault(inv, FAULT_ERROR, 5, "a line of 1007 bytes");
    else
        assert_int_equal(strlen(inventory_node(inv, "a")->user), 1000);
    inventory_free(inv);
    free(text);
}

static void test_nul_bytes(void **state)
{
    static const char text[] = C "[node a]\ncluster = c\nuser = x\0y\n"
                                 "[node\0b]\nport = 23\n";
    struct inventory *inv = fixture_read_bytes(text, sizeof(text) - 1);

    (void)state;
    expect_faults(inv, 2, 0);
    expect_fault(inv, FAULT_ERROR, 5, "a NUL byte");
    expect_fault(inv, FAULT_ERROR, 6, "a NUL byte");
    inventory_free(inv);
}

static void test_no_final_newline(void **state)
{
    struct inventory *inv = fixture_read(C "[node a]\ncluster = c\nport = 24");

    (void)state;
    expect_faults(inv, 0, 0);
    assert_int_equal(inventory_node(inv, "a")->port, 24);
    inventory_free(inv);
    inv = fixture_read(C "[node a]\ncluster = c\nport");
    expect_fault(inv, FAULT_ERROR, 5, "neither a section");
    inventory_free(inv);
}

/* `-i <(generate)' */
static void test_pipe(void **state)
{
    struct inventory_options options = {.products = fixture_products};
    struct inventory *inv;
    char path[32];
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], C, sizeof(C) - 1), sizeof(C) - 1);
    close(fds[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
    options.path = path;
    inv = inventory_read(&options, NULL);
    assert_non_null(inv);
    assert_int_equal(inv->n_clusters, 1);
    inventory_free(inv);
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crlf_and_bom),
        cmocka_unit_test(test_indented_lines),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_values_are_whole),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_no_final_newline),
        cmocka_unit_test(test_pipe),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
