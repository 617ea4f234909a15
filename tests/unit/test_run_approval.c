/* SPDX-License-Identifier: Apache-2.0
 *
 * What is signed, byte by byte; the file of signatures; the gate of a run.
 */
#include "tests/unit/approval_fixture.h"

#include "core/run/plan.h"

/* -- the statement -------------------------------------------------------- */

static void test_statement(void **state)
{
    json_t *json = some_plan();
    struct approval_plan plan = plan_of(json);
    char *text = statement_of(&plan, NOON);

    (void)state;
    assert_string_equal(
        text,
        "certfleet: I approve this plan (format 1)\n"
        "{\"accepted\":[\"even\"],\"approved\":\"" NOON "\","
        "\"clusters\":[\"lab1\",\"lab2\"],\"file_sha256\":\"" HEX2 "\","
        "\"inputs\":{\"without\":\"core\\u00E4\"},\"plan_sha256\":\"" HEX "\","
        "\"playbook\":\"cms/db-rotate\",\"target\":\"lab*\"}\n");
    free(text);
    json_decref(json);
}

/* Whatever is another plan is another statement. */
static void test_everything_is_bound(void **state)
{
    static const char *const keys[] = {"playbook", "target",   "inputs",
                                       "accepted", "clusters", NULL};
    json_t *json = some_plan();
    struct approval_plan plan = plan_of(json);
    char *text = statement_of(&plan, NOON), *other;

    (void)state;
    for (const char *const *key = keys; *key; key++) {
        json_t *changed = json_copy(json);
        struct approval_plan of = plan_of(changed);

        json_object_set_new(changed, *key, json_pack("[{s:s}]", "cluster", ""));
        other = statement_of(&of, NOON);
        assert_string_not_equal(text, other);
        free(other);
        json_object_del(changed, *key);
        other = statement_of(&of, NOON);
        assert_string_not_equal(text, other);
        free(other);
        json_decref(changed);
    }
    other = statement_of(&plan, "2026-11-28T12:00:01Z");
    assert_string_not_equal(text, other);
    free(other);
    plan.plan_sha256[5] = 'f';
    other = statement_of(&plan, NOON);
    assert_string_not_equal(text, other);
    free(other);
    plan = plan_of(json);
    plan.file_sha256[5] = 'f';
    other = statement_of(&plan, NOON);
    assert_string_not_equal(text, other);
    free(other);
    free(text);
    json_decref(json);
}

static void test_times(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-11-28",
        "2026-11-28T12:00:00",
        "2026-11-28T12:00:00z",
        "2026-11-28T12:00:00Z ",
        " 2026-11-28T12:00:00Z",
        "2026-11-28T12:00:00.0Z",
        "2026-11-28T12:00:00+00:00",
        "2026-1-28T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-11-28T24:00:00Z",
        "2026-11-28T12:00:60Z",
        "1969-12-31T23:59:59Z",
        "+2026-11-28T12:00:00Z",
        NULL,
    };
    char text[APPROVAL_TIME_BYTES];

    (void)state;
    assert_int_equal(approval_time(NOON), AT_NOON);
    approval_time_text(AT_NOON, text);
    assert_string_equal(text, NOON);
    for (const char *const *t = bad; *t; t++)
        if (approval_time(*t) != -1)
            fail_msg("`%s' was taken", *t);
    assert_int_equal(approval_time(NULL), -1);
}

/* -- the file ------------------------------------------------------------- */

static void test_file(void **state)
{
    struct approval one = {.kind = APPROVAL_X509,
                           .time = NOON,
                           .plan_sha256 = HEX,
                           .signature = "-----\nx\n-----\n"};
    static const char *const none[] = {
        "{",
        "[]",
        "{}",
        "{\"certfleet_approval\":2,\"kind\":\"ssh\"}",
        "{\"certfleet_approval\":1,\"kind\":\"pgp\"}",
        "{\"certfleet_approval\":1,\"kind\":\"ssh\",\"kind\":\"ssh\"}",
        "{\"certfleet_approval\":1,\"kind\":\"ssh\"} x",
    };
    enum {
        NONE = sizeof(none) / sizeof(*none)
    };
    struct approvals all;
    struct arena arena;
    struct str text;

    (void)state;
    arena_init(&arena);
    str_init(&text, 1 << 16);
    for (size_t i = 0; i < NONE; i++)
        str_addf(&text, "%s\n\n", none[i]);
    approval_line(&one, &text);
    approvals_read(str_text(&text), text.len - 1, &arena, &all);
    assert_int_equal(all.n, NONE + 1);
    for (size_t i = 0; i < NONE; i++) {
        assert_non_null(all.list[i].why);
        assert_int_equal(all.list[i].line, 2 * i + 1);
    }
    assert_null(all.list[NONE].why);
    assert_int_equal(all.list[NONE].kind, APPROVAL_X509);
    assert_string_equal(all.list[NONE].time, NOON);
    assert_string_equal(all.list[NONE].plan_sha256, HEX);
    assert_string_equal(all.list[NONE].signature, one.signature);
    approvals_read("", 0, &arena, &all);
    assert_int_equal(all.n, 0);
    str_reset(&text);
    for (int i = 0; i < 3 * APPROVALS_MAX; i++)
        str_add(&text, "x\n");
    approvals_read(str_text(&text), text.len, &arena, &all);
    assert_int_equal(all.n, APPROVALS_MAX);
    assert_true(all.more);
    approvals_read(str_text(&text), 2 * APPROVALS_MAX, &arena, &all);
    assert_int_equal(all.n, APPROVALS_MAX);
    assert_false(all.more);
    str_release(&text);
    arena_release(&arena);
}

/* -- the key in a signature ----------------------------------------------- */

static void test_key_of_a_signature(void **state)
{
    static const char wanted[] =
        "SHA256:P6np6GiHkeoZdQwruYebCcJWUfqVtSH1MI8FA1y05qE";
    static const char end[] = "\n-----END SSH SIGNATURE-----";
    struct arena arena;
    char cut[sizeof(armour) + sizeof(end)];

    (void)state;
    arena_init(&arena);
    assert_string_equal(approval_ssh_key(armour, &arena), wanted);
    assert_null(approval_ssh_key("", &arena));
    for (size_t len = 0; len < sizeof(armour) - 1; len++) {
        const char *key;

        snprintf(cut, sizeof(cut), "%.*s", (int)len, armour);
        if (len < strlen(armour) - 1)
            assert_null(approval_ssh_key(cut, &arena));
        snprintf(cut, sizeof(cut), "%.*s%s", (int)len, armour, end);
        key = approval_ssh_key(cut, &arena);
        assert_true(!key || strcmp(key, wanted) == 0);
    }
    arena_release(&arena);
}

/* -- the gate ------------------------------------------------------------- */

static void test_gate(void **state)
{
    struct cluster a = {.name = "a", .approvals = 2}, b = {.name = "b"};
    struct plan_cluster clusters[] = {{.cluster = &b}, {.cluster = &a}};
    struct plan plan = {.clusters = clusters, .n_clusters = 2};
    json_t *approved = json_pack("{s:[{},{}], s:[]}", "b", "a");
    struct err err = {.cause = CAUSE_NONE};

    (void)state;
    assert_int_equal(approval_gate(&plan, NULL, &err), -1);
    assert_int_equal(err.cause, CAUSE_REFUSED);
    assert_non_null(strstr(err.text, "cluster a wants 2 approvals"));
    assert_int_equal(approval_gate(&plan, approved, &err), -1);
    json_array_append_new(json_object_get(approved, "a"), json_object());
    assert_int_equal(approval_gate(&plan, approved, &err), -1);
    json_array_append_new(json_object_get(approved, "a"), json_object());
    assert_int_equal(approval_gate(&plan, approved, &err), 0);
    json_decref(approved);
    a.approvals = 0;
    assert_int_equal(approval_gate(&plan, NULL, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statement),
        cmocka_unit_test(test_everything_is_bound),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_key_of_a_signature),
        cmocka_unit_test(test_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
