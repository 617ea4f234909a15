/* SPDX-License-Identifier: Apache-2.0
 *
 * An ACME server signs: Debian's uacme, or certbot for services, is the program
 * of kind = command, with requests of ours, and Debian's pebble is the server.
 * Skipped where these are not installed, or where nothing may be mounted: uacme
 * trusts the system's roots alone, so that pebble's is put over them in a mount
 * namespace.
 */
#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"
#include "tests/scenario/theirs.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SETTLED_MS = 60000 /* pebble dates nothing back */
};

/* The tests run side by side: each has a server, with ports that end in n. */
#define PORT(n) "1400" n
#define ROOTS_PORT(n) "1500" n
#define URL(n) "https://localhost:" PORT(n) "/dir"
#define UACME "0"
#define CERTBOT "1"
#define COMMAND "kind = command\ncommand = ./sign\n"

/* clang-format off */
#define SERVER(n) \
    "set -e\n" \
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes" \
    " -keyout tls.key -out tls.crt -days 9 -subj /CN=localhost" \
    " -addext subjectAltName=DNS:localhost\n" \
    "cat >pebble.json <<END\n" \
    "{\"pebble\": {\"listenAddress\": \"127.0.0.1:" PORT(n) "\"," \
    " \"managementListenAddress\": \"127.0.0.1:" ROOTS_PORT(n) "\"," \
    " \"certificate\": \"tls.crt\", \"privateKey\": \"tls.key\"," \
    " \"httpPort\": 5002, \"tlsPort\": 5001}}\nEND\n" \
    "export PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_VA_NOSLEEP=1\n" \
    "export PEBBLE_WFE_NONCEREJECT=0\n" /* certbot falls over it at times */ \
    "pebble -config pebble.json >pebble.log 2>&1 & echo $! >pebble.pid\n"

/* As docs/issuers.md has it, in a namespace of its own. */
static const char uacme[] =
    "#!/bin/sh\nset -e\n"
    "unshare -rm sh -c 'mount --bind tls.crt"
    " /etc/ssl/certs/ca-certificates.crt && exec uacme -a " URL(UACME)
    " -c account -h ./hook \"$@\"' - \"$@\"\n";
static const char sign[] =
    "#!/bin/sh\n"
    "set -e\n"
    "out=$(mktemp -d) && trap 'rm -r \"$out\"' EXIT\n"
    "cat >\"$out/r.csr\"\n"
    "./uacme -n issue \"$out/r.csr\" >&2\n"
    "cat \"$out/r-cert.pem\"\n";

/* certbot makes its account when it is first asked, and proves nothing here
 * but that it left a file in the web server's folder. */
static const char certbot[] =
    "#!/bin/sh\n"
    "set -e\n"
    "out=$(mktemp -d) && trap 'rm -r \"$out\"' EXIT\n"
    "REQUESTS_CA_BUNDLE=tls.crt certbot certonly -n --csr "
    "\"$CERTFLEET_REQUEST\" --server " URL(CERTBOT)
    " --webroot -w . --cert-path \"$out/crt\" --chain-path \"$out/chain\""
    " --fullchain-path \"$out/full\" --agree-tos"
    " --register-unsafely-without-email --config-dir account --work-dir work"
    " --logs-dir logs >&2\n"
    "cat \"$out/full\"\n";

/* Until it answers, with a deadline; then its root. */
#define UNTIL "set -e\nend=$(($(date +%s) + 30))\nuntil "
#define ANSWERS "; do [ $(date +%s) -lt $end ]; done\n"
static const char enroll[] = UNTIL "./uacme -y new" ANSWERS;
#define ROOT(n) \
    UNTIL "printf 'GET /roots/0 HTTP/1.0\\r\\n\\r\\n' |" \
          " openssl s_client -quiet -connect localhost:" ROOTS_PORT(n) " |" \
          " openssl x509 -out their.crt" ANSWERS UNTIL \
          "openssl s_client -connect localhost:" PORT(n) " </dev/null" ANSWERS

static const char able[] =
    "command -v pebble && command -v uacme &&"
    " unshare -rm mount --bind /etc/hostname"
    " /etc/ssl/certs/ca-certificates.crt\n";
/* clang-format on */

static int run(struct bed *bed, const char *name, const char *text)
{
    const char *path;
    pid_t child;
    int status;

    their_script(bed, name, text);
    path = their_path(bed, name);
    child = fork();
    if (child == 0) {
        if (chdir(bed->dir) == 0 && freopen("/dev/null", "w", stdout) &&
            freopen("/dev/null", "w", stderr))
            execl("/bin/sh", "sh", path, (char *)NULL);
        _exit(126);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int stop(void **state)
{
    struct bed *bed = *state;
    char text[32] = "";
    FILE *file;

    if (bed && (file = fopen(their_path(bed, "pebble.pid"), "r")) != NULL) {
        if (fgets(text, sizeof(text), file) && strtol(text, NULL, 10) > 1)
            kill((pid_t)strtol(text, NULL, 10), SIGTERM);
        fclose(file);
    }
    return bed_stop(state);
}

/* The wait until what was just issued is valid everywhere, and the run. */
static void finish(struct bed_run *rotation)
{
    int fd = (int)syscall(SYS_pidfd_open, rotation->pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_true(fd >= 0);
    assert_int_equal(poll(&p, 1, SETTLED_MS + BED_DEADLINE_MS), 1);
    close(fd);
    bed_finish(rotation);
}

static void test_acme(void **state)
{
    struct bed *bed = their_start(state, "3+2", COMMAND, NULL);
    struct bed_run *rotation;

    if (run(bed, "able", able) != 0) {
        print_message("skipped: pebble, uacme or a mount is missing\n");
        skip();
    }
    their_script(bed, "hook", "#!/bin/sh\n[ \"$2\" = http-01 ]\n");
    their_script(bed, "uacme", uacme);
    their_script(bed, "sign", sign);
    assert_int_equal(run(bed, "server", SERVER(UACME)), 0);
    assert_int_equal(run(bed, "root", ROOT(UACME)), 0);
    assert_int_equal(run(bed, "enroll", enroll), 0);
    rotation = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    assert_string_equal(
        bed_text(bed_await(rotation, "warning", NULL, "issue"), "state"),
        "dates");
    finish(rotation);
    bed_ends(rotation, 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_non_null(strstr(bed_read(bed, "pebble.log"), "Issued certificate"));
    their_hunt(bed);
}

/* Each node has names of its own, as certbot wants them: with a dot. */
static void test_certbot(void **state)
{
    static const char *const args[] = {"--services", "webadmin,callbridge",
                                       NULL};
    struct bed *bed = their_start(state, "2+0", COMMAND, args);
    struct bed_run *rotation;
    const json_t *services;

    if (run(bed, "able", "command -v pebble && command -v certbot\n") != 0) {
        print_message("skipped: pebble or certbot is missing\n");
        skip();
    }
    bed_inventory(bed, "cluster lab", "service_issuer = dbca");
    bed_inventory(bed, "node core1", "names = cms1.example.com");
    bed_inventory(bed, "node core2", "names = cms2.example.com");
    their_script(bed, "sign", certbot);
    assert_int_equal(run(bed, "server", SERVER(CERTBOT)), 0);
    assert_int_equal(run(bed, "root", ROOT(CERTBOT)), 0);
    rotation = bed_begin(bed, BED_JSON,
                         "apply cms/service-rotate lab --yes "
                         "service=webadmin,callbridge");
    assert_string_equal(
        bed_text(bed_await(rotation, "warning", NULL, "issue"), "state"),
        "dates");
    finish(rotation);
    bed_ends(rotation, 0, "done");
    services = json_object_get(bed_lab(bed, "node core2"), "services");
    assert_string_equal(
        bed_text(json_object_get(services, "callbridge"), "state"), "new");
    assert_string_equal(
        bed_text(json_object_get(services, "webadmin"), "state"), "new");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_acme, stop),
        cmocka_unit_test_teardown(test_certbot, stop),
    };

    return crew_tests(tests);
}
