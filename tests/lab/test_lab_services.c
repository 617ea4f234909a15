/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of the lab's services: when a file begins to be served, what does
 * not start, what is down and for how long.
 */
#include "tests/lab/test_services.h"

/* -- when files are loaded ---------------------------------------------------
 */

static void test_loaded_at_start(void **state)
{
    struct rig *rig = start_services("webadmin,callbridge");
    struct roots roots = {0};

    (void)state;
    make_other(rig, &roots);
    push_new(rig, &roots);
    assert_true(serves(rig, 1, 8443, roots.old));
    assert_true(serves(rig, 3, 5061, roots.old));
    says(rig, 1, "webadmin certs new.key new.cer new-root.cer", "");
    assert_true(serves(rig, 1, 8443, roots.old));
    assert_true(is_state(rig, "core1", "webadmin", "stale"));
    assert_true(prints(rig, 1, "webadmin restart", "pair match"));
    assert_true(serves(rig, 1, 8443, roots.new));
    assert_false(serves(rig, 1, 8443, roots.old));
    assert_true(is_state(rig, "core1", "webadmin", "new"));
    assert_true(is(rig, "cluster", "services", "mixed"));
    assert_int_equal(service_number(rig, "core1", "webadmin", "drops"), 1);
    assert_true(service_number(rig, "core1", "webadmin", "down_ms") >= 100);
    assert_int_equal(service_number(rig, "core1", "callbridge", "drops"), 0);

    /* back, by disable and enable */
    assert_int_equal(code_of(rig, 1, "webadmin disable"), 0);
    assert_false(listens(rig, 1, 8443));
    says(rig, 1, "webadmin certs webadmin.key webadmin.cer root.cer", "");
    assert_true(prints(rig, 1, "webadmin enable", "pair match"));
    assert_true(serves(rig, 1, 8443, roots.old));
    assert_true(is(rig, "cluster", "services", "old"));
    stop(rig, NULL, 0);
}

/* Files of the same names: nobody sees them until the restart. */
static void test_same_names(void **state)
{
    struct rig *rig = start_services("callbridge");
    struct roots roots = {0};

    (void)state;
    make_other(rig, &roots);
    push(rig, &roots, "callbridge.key", "callbridge.key");
    push(rig, &roots, "callbridge.cer", "callbridge.cer");
    push(rig, &roots, "root.cer", "root.cer");
    assert_true(serves(rig, 1, 5061, roots.old));
    assert_true(is_state(rig, "core1", "callbridge", "stale"));
    assert_true(prints(rig, 1, "callbridge restart", "pair match"));
    assert_true(serves(rig, 1, 5061, roots.new));
    /* a reboot loads them too */
    assert_true(rig_do(rig, "foreign core1 'callbridge certs none'"));
    assert_true(rig_do(rig, "reboot core1 10"));
    assert_true(rig_do(rig, "wait core1 up true"));
    assert_false(listens(rig, 1, 5061));
    stop(rig, "I4", 3);
}

/* -- what does not start -----------------------------------------------------
 */

static void test_mismatch(void **state)
{
    static const char wrong[] = "FAILURE: Key and certificate problem: "
                                "certificate and key do not match\n";
    struct rig *rig = start_services("webadmin,callbridge");

    (void)state;
    says(rig, 1, "callbridge certs webadmin.key callbridge.cer", "");
    assert_true(listens(rig, 1, 5061));
    assert_true(prints(rig, 1, "callbridge restart", wrong));
    assert_false(listens(rig, 1, 5061));
    assert_true(is_state(rig, "core1", "callbridge", "down"));
    says(rig, 1, "callbridge certs callbridge.key callbridge.cer root.cer", "");
    assert_false(listens(rig, 1, 5061));
    assert_true(prints(rig, 1, "callbridge restart", "pair match"));
    assert_true(is_state(rig, "core1", "callbridge", "old"));

    assert_int_equal(code_of(rig, 2, "webadmin disable"), 0);
    says(rig, 2, "webadmin certs none", "");
    assert_true(prints(rig, 2, "webadmin enable",
                       "FAILURE: TLS port set but no certificates configured"));
    assert_true(prints(rig, 2, "webadmin", "Enabled                 : false"));
    says(rig, 2, "webadmin certs webadmin.key callbridge.cer root.cer", "");
    assert_true(prints(rig, 2, "webadmin enable", wrong));
    says(rig, 2, "webadmin certs webadmin.key webadmin.cer dbclusterca.cer",
         "");
    assert_true(prints(rig, 2, "webadmin enable",
                       "FAILURE: certificate not verified by CA bundle"));
    assert_false(listens(rig, 2, 8443));
    stop(rig, NULL, 0);
}

static void test_faults_strike(void **state)
{
    struct rig *rig = start_services("callbridge");

    (void)state;
    assert_true(rig_do(rig, "inject core1 fail 'callbridge restart'"));
    assert_true(prints(rig, 1, "callbridge restart", "FAILURE: "));
    assert_true(is_state(rig, "core1", "callbridge", "old"));
    assert_true(rig_do(rig, "inject core1 drop-during 'callbridge restart'"));
    free(rig_ssh(rig, 1, "callbridge restart", NULL)); /* cut, and up again */
    assert_true(is_state(rig, "core1", "callbridge", "old"));
    assert_int_equal(service_number(rig, "core1", "callbridge", "drops"), 1);
    assert_true(rig_do(rig, "inject core1 fail-async 'callbridge restart'"));
    assert_true(prints(rig, 1, "callbridge restart", "FAILURE: "));
    assert_true(is_state(rig, "core1", "callbridge", "down"));
    assert_true(rig_do(rig, "inject core1 slow-async 'callbridge *' ms=400"));
    assert_true(prints(rig, 1, "callbridge restart", "SUCCESS: "));
    assert_true(service_number(rig, "core1", "callbridge", "down_ms") >= 400);
    stop(rig, NULL, 0);
}

/* -- what is down, and when ---------------------------------------------------
 */

/* Somebody types it, and nobody waits for the answer. */
static void type_alone(struct rig *rig, const char *node, const char *command)
{
    const char *const argv[] = {
        "bash",
        "-c",
        "\"$0\" --ctl \"$1\" foreign \"$2\" \"$3\" >/dev/null 2>&1 &",
        LAB_PROGRAM,
        rig->dir,
        node,
        command,
        NULL};

    assert_int_equal(rig_run(argv), 0);
}

static void test_down_while_restarting(void **state)
{
    struct rig *rig = start_services("webadmin,callbridge");
    json_t *verdict = NULL;

    (void)state;
    assert_true(rig_do(rig, "set core1 service_ms 1500"));
    type_alone(rig, "core1", "callbridge restart");
    assert_true(rig_do(rig, "wait core1 services.callbridge.state down"));
    assert_false(listens(rig, 1, 5061));
    assert_true(listens(rig, 1, 8443));
    assert_true(prints(rig, 1, "callbridge restart", "FAILURE: "));
    assert_true(rig_do(rig, "wait core1 services.callbridge.state old"));
    assert_true(listens(rig, 1, 5061));
    assert_true(service_number(rig, "core1", "callbridge", "down_ms") >= 1500);
    /* one node after the other, and what carries no calls with them */
    assert_int_equal(code_of(rig, 2, "webadmin disable"), 0);
    assert_true(prints(rig, 2, "callbridge restart", "SUCCESS"));
    assert_true(prints(rig, 3, "callbridge restart", "SUCCESS"));
    assert_int_equal(rig_stop(rig, &verdict), 0);
    assert_int_equal(
        json_integer_value(json_object_get(
            json_array_get(json_object_get(verdict, "clusters"), 0),
            "most_dropping")),
        1);
    json_decref(verdict);
}

/* It says SUCCESS, and its port refuses for a while yet. */
static void test_late(void **state)
{
    struct rig *rig = start_services("webadmin,callbridge");

    (void)state;
    assert_true(rig_do(rig, "set core1 service_late_ms 1500"));
    assert_true(prints(rig, 1, "webadmin restart", "pair match"));
    assert_false(listens(rig, 1, 8443));
    assert_true(prints(rig, 1, "webadmin", ": webadmin not running"));
    assert_true(rig_do(rig, "wait core1 services.webadmin.state old"));
    assert_true(listens(rig, 1, 8443));
    assert_true(prints(rig, 1, "webadmin", ": webadmin running"));
    assert_true(service_number(rig, "core1", "webadmin", "down_ms") >= 1500);
    /* the wait ends with the service */
    assert_true(rig_do(rig, "set core1 service_late_ms 30000"));
    assert_true(prints(rig, 1, "callbridge restart", "pair match"));
    assert_true(rig_do(rig, "set core1 service_late_ms 0"));
    assert_true(prints(rig, 1, "callbridge restart", "pair match"));
    assert_true(listens(rig, 1, 5061));
    /* its files go meanwhile; the webadmin's time ends after its own */
    assert_true(rig_do(rig, "set core1 service_late_ms 1000"));
    assert_true(prints(rig, 1, "callbridge restart", "pair match"));
    assert_true(rig_do(rig, "rm core1 callbridge.key"));
    assert_true(prints(rig, 1, "webadmin restart", "pair match"));
    assert_true(rig_do(rig, "wait core1 services.webadmin.state old"));
    assert_true(is_state(rig, "core1", "callbridge", "down"));
    assert_true(rig_do(rig, "set core1 service_words 1"));
    says(rig, 1, "callbridge trust c2w root.cer",
         "SUCCESS: callbridge trust c2w\n");
    says(rig, 1, "webadmin disable", "SUCCESS: webadmin disabled\n");
    stop(rig, NULL, 0);
}

static void test_two_down_are_seen(void **state)
{
    struct rig *rig = start_services("callbridge");

    (void)state;
    assert_true(is(rig, "cluster", "most_dropping", "0"));
    assert_true(rig_do(rig, "set core1 service_ms 30000"));
    type_alone(rig, "core1", "callbridge restart");
    assert_true(rig_do(rig, "wait core1 services.callbridge.state down"));
    assert_true(is(rig, "cluster", "most_dropping", "1"));
    assert_true(rig_do(rig, "set core2 service_ms 0"));
    assert_true(prints(rig, 2, "callbridge restart", "SUCCESS"));
    assert_true(is(rig, "cluster", "most_dropping", "2"));
    assert_true(rig_do(rig, "reboot core1 10")); /* what waits is lost */
    assert_true(rig_do(rig, "wait core1 services.callbridge.state old"));
    stop(rig, NULL, 0);
}

/* -- who takes whose certificate ----------------------------------------------
 */

static bool refuses(struct rig *rig, const char *line)
{
    char *all = field(rig, "cluster", "refused");
    bool found = strstr(all, line) != NULL;

    free(all);
    return found;
}

/* A store that names the old root only: who changes its certificate is
 * refused by all others, and what was noted stays. */
static void test_refused_by_trust(void **state)
{
    struct rig *rig = start_services("all");
    struct roots roots = {0};

    (void)state;
    assert_true(is(rig, "cluster", "refused", "[]"));
    make_other(rig, &roots);
    push_new(rig, &roots);
    says(rig, 1, "webadmin certs new.key new.cer new-root.cer", "");
    assert_true(is(rig, "cluster", "refused", "[]"));
    assert_true(prints(rig, 1, "webadmin restart", "SUCCESS"));
    assert_true(refuses(rig, "\"core2 callbridge refuses webadmin of core1\""));
    assert_true(refuses(rig, "\"core3 uploader refuses webadmin of core1\""));
    assert_false(refuses(rig, "core1 callbridge refuses"));
    assert_int_equal(code_of(rig, 1, "webbridge3 disable"), 0);
    says(rig, 1, "webbridge3 c2w certs web-new.key web-new-chain.cer", "");
    assert_true(prints(rig, 1, "webbridge3 enable", "SUCCESS"));
    assert_true(
        refuses(rig, "\"core3 callbridge refuses webbridge3 of core1\""));
    assert_true(
        refuses(rig, "\"core1 scheduler refuses webbridge3 of core1\""));
    assert_false(refuses(rig, "webbridge3 refuses"));
    stop(rig, NULL, 0);
}

static void put_both(struct rig *rig, const struct roots *roots)
{
    const char *const argv[] = {"bash",     "-c",       "cat $0 $1 >$2/both",
                                roots->old, roots->new, rig->dir,
                                NULL};

    assert_int_equal(rig_run(argv), 0);
    for (unsigned n = 1; n <= 3; n++)
        assert_true(rig_do(rig, "put core%u both.cer %s/both", n, rig->dir));
}

/* In three phases nobody is ever refused; also where a store holds the very
 * certificate instead of its issuer. */
static void test_trusted_first(void **state)
{
    struct rig *rig = start_services("webadmin,callbridge");
    struct roots roots = {0};

    (void)state;
    make_other(rig, &roots);
    push_new(rig, &roots);
    put_both(rig, &roots);
    for (unsigned n = 1; n <= 3; n++) {
        says(rig, n, "callbridge trust cluster both.cer", "");
        assert_true(prints(rig, n, "callbridge restart", "SUCCESS"));
    }
    says(rig, 1, "webadmin certs new.key new.cer new-root.cer", "");
    assert_true(prints(rig, 1, "webadmin restart", "SUCCESS"));
    assert_true(
        rig_do(rig, "put core2 only.cer %s/webadmin.cer", roots.folder));
    assert_true(is(rig, "cluster", "refused", "[]"));
    /* only the new one of core1: that of core3 is refused by it */
    says(rig, 2, "callbridge trust cluster only.cer", "");
    assert_true(prints(rig, 2, "callbridge restart", "SUCCESS"));
    assert_true(is(rig, "cluster", "refused",
                   "[\"core2 callbridge refuses webadmin of core3\"]"));
    stop(rig, NULL, 0);
}

/* -- REST
 * ---------------------------------------------------------------------- */

/* What it answers: "CODE CALLS", without a body "CODE", or nothing. */
static bool api_says(struct rig *rig, const char *user, const char *wanted)
{
    static const char line[] =
        "test \"$({ printf 'GET /api/v1/system/status HTTP/1.1\r\n"
        "Authorization: Basic %s\r\n\r\n' $(printf '%s:%s' \"$1\" "
        "\"$(cat $2/password)\" | base64 -w 0); } | openssl s_client -quiet "
        "-connect $3:8443 -CAfile $0 -verify_return_error 2>/dev/null | sed "
        "-n 's,^HTTP/1.1 \\([0-9]*\\).*,\\1,p;"
        "s,.*<callLegsActive>\\([0-9]*\\)<.*,\\1,p' | xargs)\" = \"$4\"";
    char root[200], address[16];
    const char *const argv[] = {"bash",   "-c",    line,   root, user,
                                rig->dir, address, wanted, NULL};

    rig_address(rig, 1, address);
    snprintf(root, sizeof(root), "%s/" SERVICES_DIR "/root.cer", rig->dir);
    return rig_run(argv) == 0;
}

static void test_calls(void **state)
{
    struct rig *rig = start_services("webadmin,callbridge");

    (void)state;
    assert_true(api_says(rig, "admin", "200 0"));
    assert_true(rig_do(rig, "calls core1 7"));
    assert_true(api_says(rig, "admin", "200 7"));
    assert_true(api_says(rig, "somebody", "401"));
    assert_true(prints(rig, 1, "webadmin restart", "SUCCESS"));
    assert_true(api_says(rig, "admin", "200 7"));
    assert_true(is(rig, "node core1", "calls_lost", "0"));
    says(rig, 1, "callbridge certs webadmin.key callbridge.cer", "");
    assert_true(prints(rig, 1, "callbridge restart", "FAILURE"));
    assert_true(api_says(rig, "admin", "503"));
    says(rig, 1, "callbridge certs callbridge.key callbridge.cer", "");
    assert_true(prints(rig, 1, "callbridge restart", "SUCCESS"));
    assert_true(api_says(rig, "admin", "200 0"));
    assert_true(is(rig, "node core1", "calls_lost", "7"));
    assert_int_equal(code_of(rig, 1, "webadmin disable"), 0);
    assert_true(api_says(rig, "admin", ""));
    stop(rig, NULL, 0);
}

/* -- where they come from -----------------------------------------------------
 */

static void test_made(void **state)
{
    static const char *const wrong[] = {LAB_PROGRAM,  "--make",       "1+0",
                                        "--services", "webadmin,xyz", "--dir",
                                        "/",          "--only-make",  NULL};
    struct rig *rig = start_services("webadmin,callbridge");

    (void)state;
    assert_true(
        holds(rig, "certfleet.ini", "roles = database webadmin callbridge\n"));
    assert_true(holds(rig, "lab.ini",
                      "webadmin certs = webadmin.key webadmin.cer root.cer\n"));
    assert_int_equal(rig_run(wrong), 1);
    stop(rig, NULL, 0);
    rig = start("1+0", NULL);
    assert_true(holds(rig, "certfleet.ini", "roles = database callbridge\n"));
    assert_false(listens(rig, 1, 8443));
    assert_true(prints(rig, 1, "webadmin", "Key file                : none"));
    assert_true(is(rig, "cluster", "services", "none"));
    stop(rig, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded_at_start),
        cmocka_unit_test(test_same_names),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_faults_strike),
        cmocka_unit_test(test_down_while_restarting),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_two_down_are_seen),
        cmocka_unit_test(test_refused_by_trust),
        cmocka_unit_test(test_trusted_first),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
