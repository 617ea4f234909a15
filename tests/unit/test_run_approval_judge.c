/* SPDX-License-Identifier: Apache-2.0
 *
 * Which signatures count, and every way not to.  Keys are made here by
 * ssh-keygen; no agent is asked.
 */
#include "tests/unit/approval_fixture.h"

#include <unistd.h>

#include "core/base/child.h"
#include "core/base/file.h"
#include "tests/unit/remove_tree.h"

static char folder[] = "/tmp/certfleet-approval-XXXXXX";

static void script(const char *text)
{
    static const char *const passed[] = {"PATH", NULL};
    const char *const argv[] = {"sh", "-ec", text, NULL};
    struct child child = {.argv = argv, .passed = passed, .deadline_s = 60};
    struct err err;

    if (child_run(&child, &err) < 0 || child.code != 0)
        fail_msg("%s: %s", text, str_text(&child.words));
    child_release(&child);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("SSH_AUTH_SOCK");
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    script("for n in alice bob mallory; do ssh-keygen -q -t ed25519 -N '' "
           "-C $n -f $n; done\n"
           "{ printf 'alice,a@example.com '; cat alice.pub; printf 'bob '; "
           "cat bob.pub; } >approvers");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (chdir("/") < 0)
        return -1;
    return remove_tree(folder);
}

/* -- judging -------------------------------------------------------------- */

struct court {
    json_t *json;
    struct approval_plan plan;
    struct cluster cluster;
    struct approval_case of;
    struct arena arena;
    struct approvals all;
    struct approval list[8];
};

static void court_open(struct court *c)
{
    memset(c, 0, sizeof(*c));
    arena_init(&c->arena);
    c->json = some_plan();
    c->plan = plan_of(c->json);
    c->cluster = (struct cluster){.name = "lab",
                                  .approvals = 2,
                                  .approval_days = 7,
                                  .approvers = "approvers"};
    c->of = (struct approval_case){.plan = &c->plan,
                                   .cluster = &c->cluster,
                                   .now = AT_NOON + 3600,
                                   .arena = &c->arena};
    c->all.list = c->list;
}

static void court_close(struct court *c)
{
    json_decref(c->json);
    arena_release(&c->arena);
}

static const char *signed_by(struct court *c, const char *key, const char *time)
{
    char *text = statement_of(&c->plan, time);
    struct str statement, signature;
    struct err err;
    const char *kept;

    str_init(&statement, 1 << 16);
    str_init(&signature, 1 << 16);
    str_add(&statement, text);
    if (approval_sign_ssh(key, &statement, &signature, &err) < 0)
        fail_msg("%s", err.text);
    kept = arena_strdup(&c->arena, str_text(&signature));
    str_release(&statement);
    str_release(&signature);
    free(text);
    return kept;
}

static struct approval *add(struct court *c, const char *key)
{
    struct approval *a = &c->list[c->all.n++];

    *a = (struct approval){.kind = APPROVAL_SSH,
                           .time = NOON,
                           .plan_sha256 = c->plan.plan_sha256,
                           .signature = signed_by(c, key, NOON),
                           .key = ""};
    return a;
}

static void judge(struct court *c)
{
    struct err err = {.cause = CAUSE_NONE};

    if (approvals_judge(&c->of, &c->all, &err) < 0)
        fail_msg("%s", err.text);
}

static void refused_for(struct court *c, struct approval *a, const char *why)
{
    a->why = NULL;
    judge(c);
    if (!a->why || !strstr(a->why, why))
        fail_msg("wanted: %s, but: %s", why, a->why ? a->why : "it counts");
}

static void test_it_counts(void **state)
{
    struct court c;
    struct approval *alice, *bob;
    json_t *json;

    (void)state;
    court_open(&c);
    alice = add(&c, "alice");
    bob = add(&c, "bob");
    judge(&c);
    assert_null(alice->why);
    assert_null(bob->why);
    assert_int_equal(c.all.counted, 2);
    assert_string_equal(alice->principals[0], "alice");
    assert_string_equal(alice->principals[1], "a@example.com");
    assert_string_equal(bob->principals[0], "bob");
    assert_memory_equal(bob->key, "SHA256:", 7);
    json = approvals_json(&c.all);
    assert_int_equal(json_array_size(json), 2);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json, 1), "principal")),
                        "bob");
    json_decref(json);
    court_close(&c);
}

static void test_age(void **state)
{
    struct court c;
    struct approval *a;

    (void)state;
    court_open(&c);
    a = add(&c, "alice");
    c.of.now = AT_NOON + 7 * 86400;
    judge(&c);
    assert_null(a->why);
    c.of.now++;
    refused_for(&c, a, "it is older than 7 days");
    c.cluster.approval_days = 1;
    c.of.now = AT_NOON + 86401;
    refused_for(&c, a, "it is older than 1 day (");
    c.of.now = AT_NOON - 300;
    a->why = NULL;
    judge(&c);
    assert_null(a->why);
    c.of.now--;
    refused_for(&c, a, "it is of the future");
    court_close(&c);
}

static void test_it_does_not_count(void **state)
{
    struct court c;
    struct approval *a;
    const char *good;

    (void)state;
    court_open(&c);
    a = add(&c, "alice");
    good = a->signature;
    a->plan_sha256 = HEX2;
    refused_for(&c, a, "it is for another plan");
    a->plan_sha256 = c.plan.plan_sha256;
    a->time = "2026-11-28T12:00:01Z";
    refused_for(&c, a, "does not hold for this plan file and time");
    a->time = "yesterday";
    refused_for(&c, a, "its time is none");
    a->time = NOON;
    c.plan.file_sha256[0] = '0';
    refused_for(&c, a, "does not hold for this plan file and time");
    c.plan.file_sha256[0] = 'f';
    a->kind = APPROVAL_X509;
    refused_for(&c, a, "the inventory has no approver_ca");
    a->kind = APPROVAL_SSH;
    a->signature = signed_by(&c, "mallory", NOON);
    refused_for(&c, a, "its key is nobody's in approvers");
    a->signature = "-----BEGIN SSH SIGNATURE-----\nAAAA\n"
                   "-----END SSH SIGNATURE-----\n";
    refused_for(&c, a, "it is no SSH signature");
    a->signature = armour;
    refused_for(&c, a, "its key is nobody's in approvers");
    /* signed for git: the same key, another namespace */
    {
        struct secret *file;
        char *text = statement_of(&c.plan, NOON);
        struct err err;

        assert_int_equal(file_write("m", text, strlen(text), 0600, false, &err),
                         0);
        script("ssh-keygen -q -Y sign -n git -f alice m");
        file = file_read("m.sig", 10000, &err);
        assert_non_null(file);
        a->signature = arena_strdup(&c.arena, secret_text(file));
        secret_free(file);
        free(text);
    }
    refused_for(&c, a, "does not hold for this plan file and time");
    assert_int_equal(c.all.counted, 0);
    a->signature = good;
    c.cluster.approvers = NULL;
    refused_for(&c, a, "the inventory has no approvers");
    c.cluster.approvers = "approvers";
    a->why = NULL;
    judge(&c);
    assert_int_equal(c.all.counted, 1);
    court_close(&c);
}

/* One key, or one name behind two keys, is one person. */
static void test_one_person(void **state)
{
    struct court c;
    struct approval *again, *other;

    (void)state;
    court_open(&c);
    add(&c, "alice");
    again = add(&c, "alice");
    other = add(&c, "mallory");
    script("cp approvers two; { printf 'm,A@EXAMPLE.com '; cat mallory.pub; } "
           ">>two");
    c.cluster.approvers = "two";
    judge(&c);
    assert_int_equal(c.all.counted, 1);
    assert_non_null(strstr(again->why, "the same person"));
    assert_non_null(strstr(other->why, "the same person"));
    court_close(&c);
}

/* A key that a CA of theirs has certified: the certificate says who it is. */
static void test_certified_key(void **state)
{
    struct court c;
    struct approval *a;

    (void)state;
    court_open(&c);
    script("ssh-keygen -q -t ed25519 -N '' -f ca\n"
           "certify() { ssh-keygen -q -s ca -I x -n $1 -V $2 mallory.pub; }\n"
           "certify carol@example.com,dave -1h:+1h\n"
           "{ printf '*@example.com cert-authority '; cat ca.pub; } >people");
    c.cluster.approvers = "people";
    a = add(&c, "mallory-cert.pub");
    judge(&c);
    if (a->why)
        fail_msg("%s", a->why);
    assert_string_equal(a->principals[0], "carol@example.com");
    assert_null(a->principals[1]);
    script("ssh-keygen -q -s ca -I x -n dave -V -1h:+1h mallory.pub");
    a->signature = signed_by(&c, "mallory-cert.pub", NOON);
    refused_for(&c, a, "its key is nobody's in people");
    script("ssh-keygen -q -s ca -I x -n carol@example.com -V -2h:-1h "
           "mallory.pub");
    a->signature = signed_by(&c, "mallory-cert.pub", NOON);
    refused_for(&c, a, "its key is nobody's in people");
    a->signature = signed_by(&c, "mallory", NOON);
    refused_for(&c, a, "its key is nobody's in people");
    script("rm mallory-cert.pub");
    court_close(&c);
}

/* One that does not count takes nobody's place. */
static void test_a_bad_one_first(void **state)
{
    struct court c;
    struct approval *bad, *good;

    (void)state;
    court_open(&c);
    bad = add(&c, "alice");
    bad->time = "2026-11-28T11:00:00Z";
    good = add(&c, "alice");
    judge(&c);
    assert_non_null(bad->why);
    assert_null(good->why);
    assert_int_equal(c.all.counted, 1);
    court_close(&c);
}

static void test_no_judge(void **state)
{
    struct court c;
    struct err err = {.cause = CAUSE_NONE};
    char *path = strdup(getenv("PATH"));

    (void)state;
    court_open(&c);
    add(&c, "alice");
    setenv("PATH", folder, 1);
    assert_int_equal(approvals_judge(&c.of, &c.all, &err), -1);
    setenv("PATH", path, 1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "ssh-keygen could not be started"));
    assert_int_equal(c.all.counted, 0);
    free(path);
    court_close(&c);
}

static void test_no_key(void **state)
{
    struct str statement, signature;
    struct err err = {.cause = CAUSE_NONE};

    (void)state;
    str_init(&statement, 100);
    str_init(&signature, 10000);
    assert_int_equal(approval_sign_ssh("nobody", &statement, &signature, &err),
                     -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_int_equal(signature.len, 0);
    str_release(&statement);
    str_release(&signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_counts),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_it_does_not_count),
        cmocka_unit_test(test_one_person),
        cmocka_unit_test(test_certified_key),
        cmocka_unit_test(test_a_bad_one_first),
        cmocka_unit_test(test_no_judge),
        cmocka_unit_test(test_no_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
