/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of approvers, line by line, and what an inventory may say of
 * approvals.
 */
#include "core/fleet/approvers.h"

#include "tests/unit/fleet_fixture.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICrOFOc2uUbptEPdyIC+wQV9xkPf"
#define C "[cluster c]\nproduct = cms\n"

struct line {
    const char *text, *wrong; /* NULL: it is good */
};

/* clang-format off */
static const struct line lines[] = {
    { "alice " KEY, NULL },
    { "\t alice,a@example.com \t" KEY " a comment\r", NULL },
    { "\"alice a\" " KEY, NULL },
    { "# who\n\nalice " KEY, NULL },
    { "alice namespaces=\"certfleet-plan@certfleet\" " KEY, NULL },
    { "alice namespaces=\"a,b c\",valid-before=\"20300101Z\" " KEY, NULL },
    { "alice Valid-After=\"2026\" " KEY, NULL },
    { "*@example.com cert-authority " KEY, NULL },
    { "*@example.com cert-authority,namespaces=\"x\" " KEY, NULL },
    { "a sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t==",
      NULL },
    { "", "there is no key in it" },
    { "# alice " KEY, "there is no key in it" },
    { "alice", "line 1: there is no key behind the principal" },
    { "alice ssh-ed25519", "line 1: there is no key behind its kind" },
    { "\n\nalice option " KEY, "line 3: option `option' is not" },
    { "alice no-touch-required " KEY, "is not cert-authority, namespaces" },
    { "alice namespaces=x " KEY, "option `namespaces=x' is not" },
    { "alice namespaces=\"\" " KEY, "option `namespaces=\"\"' is not" },
    { "alice namespaces=\"x " KEY, "a quote stays open" },
    { "alice valid-before=\"2030\"", "there is no key behind the options" },
    { "alice valid-before=\"2030\" rsa AAAA", "`rsa' is no kind of key" },
    { "alice ssh-rsa AAAA", "its key is not base64" },
    { "alice ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAICrOFOc2uUbptEPdyIC!", "base64" },
    { "* " KEY, "`*' is a pattern" },
    { "*@example.com " KEY, "is a pattern" },
    { "alice,!bob " KEY, "is a pattern" },
    { "al?ce " KEY, "is a pattern" },
    { "al\"i\"ce " KEY, "its principals are no names" },
    { "\"\" " KEY, "its principals are no names" },
    { KEY, "line 1: " },
    { "alice " KEY "\nbob " KEY "\nmallory", "line 3: there is no key" },
};
/* clang-format on */

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct arena arena;
        struct approvers approvers;
        struct err err = {.cause = CAUSE_NONE};
        int rc;

        arena_init(&arena);
        fixture_write("approvers", lines[i].text, strlen(lines[i].text));
        rc = approvers_read(&arena, "approvers", &approvers, &err);
        if (rc != (lines[i].wrong ? -1 : 0))
            fail_msg("line %zu: %s: %s", i, lines[i].text, err.text);
        if (rc < 0) {
            assert_int_equal(err.cause, CAUSE_INPUT);
            if (!strstr(err.text, lines[i].wrong) ||
                strncmp(err.text, "approvers: ", 11) != 0)
                fail_msg("%s: %s", lines[i].text, err.text);
        }
        arena_release(&arena);
    }
}

static void test_what_is_read(void **state)
{
    static const char text[] =
        "# x\n\"al,bob\" " KEY " c\n*@x cert-authority " KEY "\n";
    struct arena arena;
    struct approvers approvers;
    struct err err;

    (void)state;
    arena_init(&arena);
    fixture_write("approvers", text, sizeof(text) - 1);
    assert_int_equal(approvers_read(&arena, "approvers", &approvers, &err), 0);
    assert_int_equal(approvers.n, 2);
    assert_string_equal(approvers.list[0].principals, "al,bob");
    assert_string_equal(approvers.list[0].type, "ssh-ed25519");
    assert_string_equal(approvers.list[0].blob, strchr(KEY, ' ') + 1);
    assert_false(approvers.list[0].authority);
    assert_int_equal(approvers.list[0].line, 2);
    assert_true(approvers.list[1].authority);
    assert_int_equal(approvers.list[1].line, 3);
    /* who may write to it may approve */
    assert_int_equal(chmod("approvers", 0666), 0);
    assert_int_equal(approvers_read(&arena, "approvers", &approvers, &err), -1);
    assert_non_null(strstr(err.text, "everybody may write to it"));
    assert_int_equal(chmod("approvers", 0600), 0);
    fixture_write("approvers", "alice\0" KEY, sizeof("alice\0" KEY) - 1);
    assert_int_equal(approvers_read(&arena, "approvers", &approvers, &err), -1);
    assert_non_null(strstr(err.text, "it is no text"));
    arena_release(&arena);
}

static void is_fault(const char *text, unsigned line, const char *part)
{
    struct inventory *inv = fixture_read(text);

    expect_fault(inv, FAULT_ERROR, line, part);
    assert_int_equal(inv->n_errors, 1);
    inventory_free(inv);
}

static void test_inventory(void **state)
{
    struct inventory *inv;

    (void)state;
    fixture_write("good", "alice " KEY, strlen("alice " KEY));
    fixture_write("bad", "alice", 5);
    inv = fixture_read("[fleet]\napprovals = 2\napprovers = good\n" C
                       "[cluster d]\nproduct = cms\napprovals = 0\n"
                       "[cluster e]\nproduct = cms\napproval_days = 1\n"
                       "approver_ca = bad\n");
    assert_int_equal(inv->n_errors, 0);
    assert_int_equal(inv->clusters[0]->approvals, 2);
    assert_int_equal(inv->clusters[0]->approval_days, 7);
    assert_null(inv->clusters[0]->approver_ca);
    assert_string_equal(strrchr(inv->clusters[0]->approvers, '/'), "/good");
    assert_int_equal(inv->clusters[1]->approvals, 0);
    assert_int_equal(inv->clusters[2]->approvals, 2);
    assert_int_equal(inv->clusters[2]->approval_days, 1);
    assert_string_equal(strrchr(inv->clusters[2]->approver_ca, '/'), "/bad");
    inventory_free(inv);
    inv = fixture_read(C);
    assert_int_equal(inv->clusters[0]->approvals, 0);
    inventory_free(inv);

    is_fault(C "approvals = 1\n", 3,
             "[cluster c] wants 1 approval, and has neither `approvers' nor");
    is_fault("[fleet]\napprovals = 2\n" C, 2, "[cluster c] wants 2 approvals");
    is_fault(C "approvals = 3\napprovers = good\n", 3,
             "a number from 0 to 2 is wanted");
    is_fault(C "approvals = 1\napprovers = bad\n", 4,
             "bad: line 1: there is no key behind the principal");
    is_fault(C "approvals = 1\napprovers = gone\n", 4, "No such file");
    is_fault(C "approvals = 1\napprover_ca = gone\n", 4, "No such file");
    is_fault(C "[node n]\ncluster = c\napprovals = 1\n", 5,
             "it belongs into: fleet cluster");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_what_is_read),
        cmocka_unit_test(test_inventory),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
