/* SPDX-License-Identifier: Apache-2.0
 *
 * The services of the lab's appliances, by OpenSSH's and OpenSSL's clients:
 * their printouts, when a file begins to be served, what is down and for how
 * long.
 */
#include "tests/lab/test_parts.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICES_DIR "certs/lab-services/core1"

static struct rig *start_services(const char *list)
{
    const char *const args[] = {"--make", "3+0", "--services", list, NULL};

    return rig_start(LAB_PROGRAM, args);
}

/* -- questions ----------------------------------------------------------------
 */

static void says(struct rig *rig, unsigned node, const char *command,
                 const char *wanted)
{
    char *text = rig_ssh(rig, node, command, NULL);

    assert_string_equal(text, wanted);
    free(text);
}

/* The text or number of a service's field, as JSON has it; free it. */
static char *service_field(struct rig *rig, const char *node,
                           const char *service, const char *name)
{
    json_t *o = rig_ask(rig, "node %s", node);
    json_t *s = json_object_get(json_object_get(o, "services"), service);
    char *text = json_dumps(json_object_get(s, name), JSON_ENCODE_ANY);

    json_decref(o);
    return text ? text : strdup("null");
}

static bool is_state(struct rig *rig, const char *node, const char *service,
                     const char *wanted)
{
    char *text = service_field(rig, node, service, "state");
    bool same = strlen(text) == strlen(wanted) + 2 &&
                strncmp(text + 1, wanted, strlen(wanted)) == 0;

    if (!same)
        fprintf(stderr, "%s %s: %s, wanted %s\n", node, service, text, wanted);
    free(text);
    return same;
}

static long service_number(struct rig *rig, const char *node,
                           const char *service, const char *name)
{
    char *text = service_field(rig, node, service, name);
    long n = strtol(text, NULL, 10);

    free(text);
    return n;
}

static bool listens(struct rig *rig, unsigned node, unsigned port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
    char address[16];

    rig_address(rig, node, address);
    assert_int_equal(inet_pton(AF_INET, address, &sa.sin_addr), 1);
    rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
    close(fd);
    return rc == 0;
}

/* The port shows a certificate of this root, with the node's address. */
static bool serves(struct rig *rig, unsigned node, unsigned port,
                   const char *root)
{
    char where[64], address[16];
    const char *const argv[] = {
        "openssl",    "s_client", "-connect",
        where,        "-CAfile",  root,
        "-verify_ip", address,    "-verify_return_error",
        NULL};

    rig_address(rig, node, address);
    snprintf(where, sizeof(where), "%s:%u", address, port);
    return rig_run(argv) == 0;
}

/* -- other files -------------------------------------------------------------
 */

struct roots {
    char old[200], new[200], folder[150];
};

/* Another lab's services: the same names, of another root. */
static void make_other(struct rig *rig, struct roots *roots)
{
    char dir[100];
    const char *const argv[] = {
        LAB_PROGRAM, "--make",  "3+0",   "--services", "all", "--only-make",
        "--base",    rig->base, "--dir", dir,          NULL};

    snprintf(dir, sizeof(dir), "%s/other", rig->dir);
    assert_int_equal(rig_run(argv), 0);
    snprintf(roots->folder, sizeof(roots->folder), "%s/" SERVICES_DIR, dir);
    snprintf(roots->new, sizeof(roots->new), "%s/root.cer", roots->folder);
    snprintf(roots->old, sizeof(roots->old), "%s/" SERVICES_DIR "/root.cer",
             rig->dir);
}

static void push(struct rig *rig, const struct roots *roots, const char *from,
                 const char *to)
{
    char batch[400];

    snprintf(batch, sizeof(batch), "put %s/%s %s\n", roots->folder, from, to);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
}

static void push_new(struct rig *rig, const struct roots *roots)
{
    push(rig, roots, "webadmin.key", "new.key");
    push(rig, roots, "webadmin.cer", "new.cer");
    push(rig, roots, "web.key", "web-new.key");
    push(rig, roots, "web-chain.cer", "web-new-chain.cer");
    push(rig, roots, "root.cer", "new-root.cer");
}

/* -- words -------------------------------------------------------------------
 */

static void test_webadmin_words(void **state)
{
    struct rig *rig = start_services("webadmin");

    (void)state;
    says(rig, 1, "webadmin",
         "Enabled                 : true\n"
         "TLS listening interface : a\n"
         "TLS listening port      : 8443\n"
         "Key file                : webadmin.key\n"
         "Certificate file        : webadmin.cer\n"
         "CA Bundle file          : root.cer\n"
         "HTTP redirect           : Disabled\n"
         "STATUS                  : webadmin running\n");
    says(rig, 1, "webadmin restart",
         "SUCCESS: TLS interface and port configured\n"
         "SUCCESS: Key and certificate pair match\n"
         "SUCCESS: certificate verified by CA bundle\n");
    says(rig, 1, "webadmin disable", "");
    assert_true(prints(rig, 1, "webadmin", "Enabled                 : false"));
    assert_true(prints(rig, 1, "webadmin", ": webadmin not running\n"));
    assert_true(prints(rig, 1, "webadmin restart", "FAILURE: "));
    says(rig, 1, "webadmin certs webadmin.key webadmin.cer", "");
    assert_true(prints(rig, 1, "webadmin certs gone.key webadmin.cer",
                       "FAILURE: File gone.key not found"));
    assert_true(prints(rig, 1, "webadmin certs one", "Usage:"));
    says(rig, 1, "webadmin enable",
         "SUCCESS: TLS interface and port configured\n"
         "SUCCESS: Key and certificate pair match\n");
    assert_true(prints(rig, 1, "webadmin", "webadmin.cer\nHTTP redirect"));
    assert_true(is_state(rig, "core1", "webadmin", "new"));
    assert_true(is_state(rig, "core2", "webadmin", "old"));
    stop(rig, NULL, 0);
}

static void test_callbridge_words(void **state)
{
    struct rig *rig = start_services("callbridge");

    (void)state;
    says(rig, 1, "callbridge ucm certs root.cer", "");
    says(rig, 1, "callbridge",
         "Listening interfaces  : a\n"
         "Preferred interface   : none\n"
         "Key file              : callbridge.key\n"
         "Certificate file      : callbridge.cer\n"
         "Address               : none\n"
         "CA Bundle file        : root.cer\n"
         "C2W trusted certs                   : root.cer\n"
         "Callbridge cluster trusted certs    : root.cer\n"
         "Callbridge trust branding certs     : none\n"
         "UCM trusted certs         : root.cer\n"
         "UCM verification mode     : enabled\n"
         "IMPS trusted certs        : none\n"
         "IMPS verification mode    : enabled\n"
         "WC3 JWT Expiry in hours   : 24\n"
         "AV1 Video Codec : enabled\n");
    says(rig, 1, "callbridge trust cluster none", "");
    assert_true(
        prints(rig, 1, "callbridge", "cluster trusted certs    : none"));
    assert_true(is_state(rig, "core1", "callbridge", "stale"));
    says(rig, 1, "callbridge restart",
         "SUCCESS: listen interface configured\n"
         "SUCCESS: Key and certificate pair match\n"
         "SUCCESS: certificate verified by CA bundle\n");
    assert_true(is_state(rig, "core1", "callbridge", "new"));
    assert_true(prints(rig, 1, "callbridge enable", "Usage:"));
    assert_true(listens(rig, 1, 5061));
    says(rig, 1, "callbridge certs none", "");
    says(rig, 1, "callbridge restart",
         "SUCCESS: listen interface configured\n");
    assert_false(listens(rig, 1, 5061));
    stop(rig, NULL, 0);
}

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

/* -- where they come from -----------------------------------------------------
 */

static bool holds(struct rig *rig, const char *name, const char *wanted)
{
    char path[200], text[65536];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    return strstr(text, wanted) != NULL;
}

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
    assert_true(is(rig, "cluster", "services", "old")); /* callbridge */
    stop(rig, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webadmin_words),
        cmocka_unit_test(test_callbridge_words),
        cmocka_unit_test(test_loaded_at_start),
        cmocka_unit_test(test_same_names),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_faults_strike),
        cmocka_unit_test(test_down_while_restarting),
        cmocka_unit_test(test_two_down_are_seen),
        cmocka_unit_test(test_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
