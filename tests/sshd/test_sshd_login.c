/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/test_sshd_login.c - host keys and every way to log in, against
 * a real sshd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/secret.h"
#include "tests/sshd/bed.h"
#include "tests/sshd/bed_client.h"

static struct {
    struct bed *bed;
    struct bed_server *keys;     /* public keys only */
    struct bed_server *password; /* of BED_USER; three addresses */
    struct bed_server *kbdint;   /* the same, by keyboard-interactive */
    char ed25519[256];
    char rsa[256];
    char locked[256]; /* with a passphrase */
    char known[256];
} t;

#define PASSPHRASE "open sesame"

static void need_bed(void)
{
    if (t.bed == NULL) {
        skip();
        abort(); /* skip() does not come back */
    }
}

static void need_user(void)
{
    need_bed();
    if (!t.bed->has_user)
        skip();
}

static void target_by_key(struct link_target *target)
{
    client_target(target, t.keys->address, t.keys->port, t.bed->user);
    target->known_hosts = t.known;
    target->identity = t.ed25519;
    target->identity_required = true;
}

static void try_once(const struct link_target *target, struct answer *a)
{
    struct client c;
    struct link *l;

    client_init(&c, NULL);
    l = client_open(&c, target);
    client_connect(&c, l, a);
    client_close(&c, l);
    client_release(&c);
}

static void test_ed25519(void **state)
{
    struct link_target target;
    struct answer a;

    (void)state;
    need_bed();
    target_by_key(&target);
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
}

static void test_rsa_signs_in_the_pool(void **state)
{
    struct link_target target;
    struct answer a;

    (void)state;
    need_bed();
    target_by_key(&target);
    target.identity = t.rsa;
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
}

static void test_key_with_passphrase(void **state)
{
    struct link_target target;
    struct answer a;

    (void)state;
    need_bed();
    target_by_key(&target);
    target.identity = t.locked;
    target.passphrase = secret_from(PASSPHRASE, strlen(PASSPHRASE));
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
    secret_free(target.passphrase);
    target.passphrase = secret_from("wrong", 5);
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "passphrase");
    secret_free(target.passphrase);
    target.passphrase = NULL; /* must not ask the terminal */
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "passphrase");
}

static void test_missing_key(void **state)
{
    struct link_target target;
    struct answer a;

    (void)state;
    need_bed();
    target_by_key(&target);
    target.identity = "/nonexistent/id";
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "/nonexistent/id");
    target.identity_required = false;
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "publickey");
}

static void test_agent(void **state)
{
    struct link_target target;
    struct answer a;

    (void)state;
    need_bed();
    setenv("SSH_AUTH_SOCK", t.bed->agent_socket, 1);
    target_by_key(&target);
    target.identity = NULL;
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
    unsetenv("SSH_AUTH_SOCK");
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "publickey");
}

static void test_unknown_host_key(void **state)
{
    struct link_target target;
    struct answer a;
    char print[128];

    (void)state;
    need_bed();
    target_by_key(&target);
    target.known_hosts = "/nonexistent/known_hosts";
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "is unknown");
    bed_fingerprint(t.keys, print);
    assert_non_null(strstr(a.err.text, print));
}

static void test_changed_host_key(void **state)
{
    struct link_target target;
    struct bed_server liar = *t.keys;
    char known[256];
    struct answer a;

    (void)state;
    need_bed();
    bed_path(t.bed, "known.changed", known);
    snprintf(liar.host_key, sizeof(liar.host_key), "%.100s.pub", t.ed25519);
    bed_trust(&liar, known);
    target_by_key(&target);
    target.known_hosts = known;
    target.accept_new = true; /* changed is not new */
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "HAS CHANGED");
}

static void test_pin(void **state)
{
    struct link_target target;
    char print[128];
    struct answer a;

    (void)state;
    need_bed();
    bed_fingerprint(t.keys, print);
    target_by_key(&target);
    target.known_hosts = "/nonexistent/known_hosts";
    target.host_key = print;
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
    print[10] = print[10] == 'A' ? 'B' : 'A';
    target.known_hosts = t.known; /* the pin beats it */
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "pins");
}

static void test_accept_new(void **state)
{
    struct link_target target;
    struct answer a;
    char known[256];
    char *text;

    (void)state;
    need_bed();
    bed_path(t.bed, "known.new", known);
    target_by_key(&target);
    target.known_hosts = known;
    target.accept_new = true;
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
    text = bed_read(known);
    assert_non_null(strstr(text, t.keys->address));
    free(text);
    target.accept_new = false;
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
}

static void target_by_password(struct link_target *target,
                               const struct bed_server *s, const char *word)
{
    client_target(target, s->address, s->port, BED_USER);
    target->known_hosts = t.known;
    target->password = secret_from(word, strlen(word));
}

static void test_password(void **state)
{
    struct link_target target;
    struct answer a;

    (void)state;
    need_user();
    target_by_password(&target, t.password, BED_PASSWORD);
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
    secret_free(target.password);
}

static void test_kbdint(void **state)
{
    struct link_target target;
    struct answer a;
    unsigned failed;

    (void)state;
    need_user();
    target_by_password(&target, t.kbdint, BED_PASSWORD);
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
    secret_free(target.password);
    failed = bed_count_log(t.kbdint, "Failed keyboard-interactive");
    target_by_password(&target, t.kbdint, "wrong");
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "refused the password");
    bed_wait_log(t.kbdint, "Failed keyboard-interactive", failed + 1);
    assert_int_equal(bed_count_log(t.kbdint, "Failed keyboard-interactive"),
                     failed + 1);
    secret_free(target.password);
}

/* Three nodes, one account, a wrong password: it goes out once. */
static void test_wrong_password_is_sent_once(void **state)
{
    static const char *const places[3] = {"127.0.77.11", "127.0.77.12",
                                          "127.0.77.13"};
    struct link_target targets[3];
    struct link *links[3];
    struct answer a[3] = {0};
    struct answer again = {0};
    struct client c;

    (void)state;
    need_user();
    client_init(&c, NULL);
    for (int i = 0; i < 3; i++) {
        target_by_password(&targets[i], t.password, "wrong");
        targets[i].address = places[i];
        targets[i].host_key = NULL;
        targets[i].accept_new = true;
        targets[i].known_hosts = "/dev/null";
        links[i] = client_open(&c, &targets[i]);
        c.ops->connect(links[i], client_on_done, &a[i]);
    }
    client_wait_all(&c, a, 3);
    for (int i = 0; i < 3; i++)
        assert_end(&a[i], LINK_REFUSED, "refused");
    client_connect(&c, links[1], &again);
    assert_end(&again, LINK_REFUSED, "refused");
    bed_wait_log(t.password, "Failed password", 1);
    assert_int_equal(bed_count_log(t.password, "Failed password"), 1);
    for (int i = 0; i < 3; i++) {
        client_close(&c, links[i]);
        secret_free(targets[i].password);
    }
    client_release(&c);
}

static void test_right_password_lets_all_in(void **state)
{
    struct secret *word;
    struct link_target target;
    struct link *links[5];
    struct answer a[5] = {0};
    struct client c;

    (void)state;
    need_user();
    target_by_password(&target, t.password, BED_PASSWORD);
    word = target.password;
    client_init(&c, NULL);
    for (int i = 0; i < 5; i++) {
        links[i] = client_open(&c, &target);
        c.ops->connect(links[i], client_on_done, &a[i]);
    }
    client_wait_all(&c, a, 5);
    for (int i = 0; i < 5; i++) {
        assert_end(&a[i], LINK_OK, NULL);
        client_close(&c, links[i]);
    }
    client_release(&c);
    secret_free(word);
}

/* An account whose password must be changed: its right password is asked
 * for, and then a new one, which is nobody's to choose here. */
static void test_expired_password(void **state)
{
    char *const expire[] = {"chage", "-d", "0", BED_USER, NULL};
    char *const renew[] = {"chage", "-d", "-1", BED_USER, NULL};
    struct link_target target;
    struct answer a;

    (void)state;
    need_user();
    assert_int_equal(bed_run(expire), 0);
    target_by_password(&target, t.kbdint, BED_PASSWORD);
    try_once(&target, &a);
    assert_int_equal(bed_run(renew), 0);
    secret_free(target.password);
    assert_end(&a, LINK_REFUSED, "new password");
}

/* An agent with more keys than the server takes tries: the password is
 * tried on a connection of its own. */
static void test_agent_with_too_many_keys(void **state)
{
    struct link_target target;
    struct answer a;
    char name[32], path[256];

    (void)state;
    need_user();
    setenv("SSH_AUTH_SOCK", t.bed->agent_socket, 1);
    for (int i = 0; i < 8; i++) {
        char *add[] = {"ssh-add", "-q", path, NULL};

        snprintf(name, sizeof(name), "stranger%d", i);
        bed_make_stranger(t.bed, name, path);
        assert_int_equal(bed_run(add), 0);
    }
    target_by_password(&target, t.password, BED_PASSWORD);
    try_once(&target, &a);
    unsetenv("SSH_AUTH_SOCK");
    assert_end(&a, LINK_OK, NULL);
    secret_free(target.password);
}

/* A pin of a key that the server has, but does not show first. */
static void test_pin_of_another_type(void **state)
{
    struct link_target target;
    struct bed_server *s, other;
    char print[128], path[256], lines[300];
    struct answer a;

    (void)state;
    need_bed();
    bed_make_key(t.bed, "host_rsa", "rsa", "", path);
    snprintf(lines, sizeof(lines), "HostKey %s\n", path);
    s = bed_serve(t.bed, "127.0.77.5", lines);
    other = *s;
    snprintf(other.host_key, sizeof(other.host_key), "%.100s.pub", path);
    bed_fingerprint(&other, print);
    target_by_key(&target);
    target.address = s->address;
    target.port = s->port;
    target.host_key = print;
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
    print[10] = print[10] == 'A' ? 'B' : 'A';
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "pins");
}

static void test_no_algorithm_in_common(void **state)
{
    struct bed_server *s;
    struct link_target target;
    struct answer a;

    (void)state;
    need_bed();
    s = bed_serve(t.bed, "127.0.77.4",
                  "KexAlgorithms diffie-hellman-group14-sha1\n");
    target_by_key(&target);
    target.address = s->address;
    target.port = s->port;
    bed_trust(s, t.known);
    try_once(&target, &a);
    assert_end(&a, LINK_REFUSED, "weak_algorithms");
    target.weak_algorithms = true;
    try_once(&target, &a);
    assert_end(&a, LINK_OK, NULL);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("SSH_AUTH_SOCK");
    t.bed = bed_new();
    if (t.bed == NULL)
        return 0;
    bed_path(t.bed, "known", t.known);
    bed_make_key(t.bed, "id_ed25519", "ed25519", "", t.ed25519);
    bed_make_key(t.bed, "id_rsa", "rsa", "", t.rsa);
    bed_make_key(t.bed, "id_locked", "ed25519", PASSPHRASE, t.locked);
    bed_start_agent(t.bed, t.ed25519);
    t.keys = bed_serve(t.bed, "127.0.77.1", NULL);
    bed_trust(t.keys, t.known);
    if (!bed_make_user(t.bed))
        return 0;
    t.password = bed_serve(t.bed,
                           "127.0.77.2 127.0.77.11 127.0.77.12 "
                           "127.0.77.13",
                           "UsePAM yes\nPasswordAuthentication yes\n");
    t.kbdint = bed_serve(t.bed, "127.0.77.3",
                         "UsePAM yes\nKbdInteractiveAuthentication yes\n");
    bed_trust(t.password, t.known);
    bed_trust(t.kbdint, t.known);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (t.bed != NULL)
        bed_free(t.bed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_rsa_signs_in_the_pool),
        cmocka_unit_test(test_key_with_passphrase),
        cmocka_unit_test(test_missing_key),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_unknown_host_key),
        cmocka_unit_test(test_changed_host_key),
        cmocka_unit_test(test_pin),
        cmocka_unit_test(test_accept_new),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_kbdint),
        cmocka_unit_test(test_wrong_password_is_sent_once),
        cmocka_unit_test(test_right_password_lets_all_in),
        cmocka_unit_test(test_expired_password),
        cmocka_unit_test(test_agent_with_too_many_keys),
        cmocka_unit_test(test_pin_of_another_type),
        cmocka_unit_test(test_no_algorithm_in_common),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
