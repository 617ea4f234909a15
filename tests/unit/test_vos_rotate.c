/* SPDX-License-Identifier: Apache-2.0
 *
 * vos/rotate for a pair: what the guard lets through and what not, when a
 * restart is over, and which names a trust store's list has for a CA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/run/preflight.h"
#include "playbooks/registry.h"
#include "playbooks/vos/serial.h"
#include "playbooks/vos/vos.h"

#define FILL(field, text) snprintf(field, sizeof(field), "%s", text)
#define OLD "old0000000000000000000000000000000000000000000000000000000"
#define NEW "new0000000000000000000000000000000000000000000000000000000"
#define CSR "csr0000000000000000000000000000000000000000000000000000000"
#define UPLOAD "set cert import own tomcat"
#define RESTART "utils system restart"

/* clang-format off */
static const char ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = internal\nca_cert = ca-{cluster}.crt\n"
    "ca_key = ca-{cluster}.key\n"
    "[cluster lab]\nproduct = vos\nissuer = ca\n"
    "[node one]\ncluster = lab\naddress = 10.0.0.1\nroles = primary\n"
    "[node two]\ncluster = lab\naddress = 10.0.0.2\nroles = secondary\n";
/* clang-format on */

struct fixture {
    char folder[64], path[96], key[96];
    struct inventory *inventory;
    struct plan *plan;
    struct plan_cluster *pc;
};

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static struct vos_facts *facts(const struct fixture *fx, size_t i)
{
    return (struct vos_facts *)fx->pc->nodes[i].facts;
}

static void service(const struct fixture *fx, size_t i, enum vos_running how)
{
    struct vos_services *s = &facts(fx, i)->node.services;

    FILL(s->list[0].name, "Cisco Tomcat");
    s->list[0].running = how;
    s->n = 1;
}

static void text(char **field, const char *words)
{
    free(*field);
    *field = strdup(words);
}

static void shown(const struct fixture *fx, size_t i, const char *sha)
{
    facts(fx, i)->node.shown.info.kind = PKI_CERTIFICATE;
    FILL(facts(fx, i)->node.shown.info.sha256, sha);
    facts(fx, i)->node.shown.at_ms = clock_mono_ms();
}

static void fill_node(const struct fixture *fx, size_t i)
{
    struct vos_facts *f = facts(fx, i);

    for (size_t bit = 0; bit < 32; bit++)
        f->node.base.read_ms[bit] = clock_mono_ms();
    service(fx, i, VOS_STARTED);
    fx->pc->nodes[i].first_last = "Cisco Tomcat;";
    text(&f->own, "Serial Number: 1");
    text(&f->trust, "");
    f->csr_known = true;
    shown(fx, i, OLD);
}

static void read_inventory(struct fixture *fx, struct err *err)
{
    const struct inventory_options options = {.path = fx->path,
                                              .products = registry_words(),
                                              .checks = preflight_words()};

    fx->inventory = inventory_read(&options, err);
    if (!fx->inventory || fx->inventory->n_errors)
        fail_msg("%s", err->text);
}

static void open_plan(struct fixture *fx)
{
    struct err err = {0};

    memset(fx, 0, sizeof(*fx));
    FILL(fx->folder, "/tmp/cf-vos-XXXXXX");
    if (!mkdtemp(fx->folder))
        abort();
    snprintf(fx->path, sizeof(fx->path), "%s/fleet.ini", fx->folder);
    snprintf(fx->key, sizeof(fx->key), "%s/key", fx->folder);
    write_file(fx->path, ini);
    write_file(fx->key, "no key\n");
    read_inventory(fx, &err);
    const struct plan_request request = {
        .inventory = fx->inventory,
        .playbook = &vos_rotate,
        .target = "lab",
        .clusters = fx->inventory->clusters,
        .n_clusters = fx->inventory->n_clusters,
        .tag = "3f9a",
    };
    fx->plan = plan_new(&request, &err);
    if (!fx->plan)
        fail_msg("%s", err.text);
    fx->pc = &fx->plan->clusters[0];
    fill_node(fx, 0);
    fill_node(fx, 1);
    fx->pc->decided = true;
}

static void issue(const struct fixture *fx)
{
    for (size_t i = 0; i < fx->pc->n_nodes; i++) {
        FILL(fx->pc->nodes[i].own.files[0].sha256, CSR);
        FILL(fx->pc->nodes[i].own.files[1].cert_sha256, NEW);
        FILL(facts(fx, i)->csr_sha256, CSR);
    }
    fx->pc->issued = fx->pc->loaded = true;
}

static void close_plan(struct fixture *fx)
{
    plan_free(fx->plan);
    inventory_free(fx->inventory);
    unlink(fx->path);
    unlink(fx->key);
    rmdir(fx->folder);
}

/* 0: it goes out; else what the refusal must say. */
static void guards(const struct fixture *fx, size_t node, const char *command,
                   const char *words)
{
    const struct view view = {.plan = fx->pc, .node = node};
    const struct act act = {.kind = ACT_COMMAND, .text = command};
    struct err err = {0};
    bool hold = false;
    int rc = vos_guard(&view, &act, command, &hold, &err);

    if (!words && rc < 0)
        fail_msg("%s", err.text);
    if (words && (rc == 0 || !strstr(err.text, words)))
        fail_msg("%d, \"%s\", not \"%s\"", rc, err.text, words);
}

static void requests(void **state)
{
    struct fixture fx;

    (void)state;
    open_plan(&fx);
    guards(&fx, 0, "set csr gen tomcat", NULL);
    FILL(facts(&fx, 0)->csr_sha256, OLD);
    guards(&fx, 0, "set csr gen tomcat", "not ours");
    plan_note_sent(fx.pc, 0, "set csr gen tomcat");
    guards(&fx, 0, "set csr gen tomcat", NULL);
    facts(&fx, 0)->csr_known = false;
    guards(&fx, 0, "set csr gen tomcat", "not ours");
    guards(&fx, 0, "set cert import trust tomcat", "no certificate yet");
    issue(&fx);
    guards(&fx, 0, "set csr gen tomcat", "answered already");
    guards(&fx, 0, "set cert delete tomcat a.pem", "no run has a use");
    close_plan(&fx);
}

static void uploads(void **state)
{
    struct fixture fx;

    (void)state;
    open_plan(&fx);
    guards(&fx, 0, UPLOAD, "no certificate yet");
    issue(&fx);
    guards(&fx, 0, UPLOAD, NULL);
    guards(&fx, 1, UPLOAD, "the primary, does not show");
    shown(&fx, 0, NEW);
    guards(&fx, 1, UPLOAD, NULL);
    service(&fx, 0, VOS_DOWN);
    guards(&fx, 1, UPLOAD, "W2: node one: Cisco Tomcat does not run");
    service(&fx, 0, VOS_STARTED);
    facts(&fx, 0)->node.base.read_ms[0] = 0;
    guards(&fx, 1, UPLOAD, "W2: node one was not read");
    FILL(facts(&fx, 0)->csr_sha256, OLD);
    guards(&fx, 0, UPLOAD, "W1: the request that it has");
    facts(&fx, 0)->node.base.read_ms[__builtin_ctz(VOS_READ_CSR)] = 0;
    guards(&fx, 0, UPLOAD, "not read just now");
    close_plan(&fx);
}

static void a_ca_that_is_not_there(void **state)
{
    struct fixture fx;

    (void)state;
    open_plan(&fx);
    issue(&fx);
    fx.pc->nodes[0].own.files[2].content = secret_from("odd", 3);
    guards(&fx, 0, UPLOAD, "W1: its trust store lacks the CA");
    close_plan(&fx);
}

static void restarts(void **state)
{
    struct fixture fx;

    (void)state;
    open_plan(&fx);
    guards(&fx, 0, RESTART, "no certificate yet");
    issue(&fx);
    guards(&fx, 0, RESTART, "W3: its new certificate was not read back");
    close_plan(&fx);
}

static enum goal restarted(const struct fixture *fx, bool acted, bool begun)
{
    const struct view view = {
        .plan = fx->pc, .node = 0, .acted = acted, .begun = begun};
    struct err why = {0};

    return vos_goal_restart(&view, &why);
}

/* It is never told to restart again while it starts. */
static void when_a_restart_is_over(void **state)
{
    struct fixture fx;

    (void)state;
    open_plan(&fx);
    issue(&fx);
    assert_int_equal(restarted(&fx, false, false), GOAL_OPEN);
    assert_int_equal(restarted(&fx, true, true), GOAL_BUSY);
    assert_int_equal(restarted(&fx, false, true), GOAL_OPEN);
    service(&fx, 0, VOS_MOVING);
    assert_int_equal(restarted(&fx, false, true), GOAL_BUSY);
    service(&fx, 0, VOS_DOWN);
    assert_int_equal(restarted(&fx, false, true), GOAL_BUSY);
    service(&fx, 0, VOS_STARTED);
    facts(&fx, 0)->node.shown.at_ms = 0;
    assert_int_equal(restarted(&fx, false, true), GOAL_BUSY);
    shown(&fx, 0, NEW);
    assert_int_equal(restarted(&fx, false, true), GOAL_MET);
    assert_int_equal(restarted(&fx, false, false), GOAL_MET);
    close_plan(&fx);
}

/* -- words ----------------------------------------------------------------- */

static bool lists(const char *list, const char *cn, const char *serial,
                  bool by_name)
{
    struct pki_cert_info ca = {0};
    bool named, found;

    FILL(ca.common_name, cn);
    FILL(ca.serial, serial);
    found = vos_lists_ca(list, &ca, &named);
    assert_int_equal(named, by_name);
    return found;
}

static void names_in_a_trust_store(void **state)
{
    static const char list[] =
        "ipsec-trust/Other_CA_0a.pem: x\r\n"
        "tomcat-trust/Lab_Root_CA_4720d0fa85.pem: Trust Certificate\r\n"
        "tomcat-trust/Old.pem: Signed\r\n"
        "tomcat-trust/torn_4720";

    (void)state;
    assert_true(lists(list, "Lab Root CA", "4720D0FA85", false));
    assert_true(lists(list, "Lab Root CA", "004720D0FA85", false));
    assert_false(lists(list, "Lab Root CA", "4720D0FA86", false));
    assert_false(lists(list, "Lab Root", "4720D0FA85", false));
    assert_false(lists(list, "Other CA", "0A", false));
    assert_false(lists(list, "Old", "77", true));
    assert_false(lists(list, "torn", "4720", false));
    assert_false(lists("", "Old", "77", false));
}

static bool states(const char *text, const char *serial)
{
    return vos_states_serial(text, strlen(text), serial);
}

static void numbers_of_any_length(void **state)
{
    (void)state;
    assert_true(states("[\r\n  Serial Number: 1001\r\n]", "1001"));
    assert_true(states("  SerialNumber: 10:0a", "100A"));
    assert_true(states("Serial Number: 00\n", "0"));
    assert_true(states("serial number: 0b", "B"));
    assert_false(states("Serial Number: 10012\n", "1001"));
    assert_false(states("Serial Number: 100\n", "1001"));
    assert_false(states("Subject: 1001\n", "1001"));
    assert_false(states("Serial Number: 1001\n", ""));
    assert_false(states("Serial Num", "1001"));
}

static void versions(void **state)
{
    static const char words[] =
        "Active Master Version: 12.6.2.10000-5\r\nActive Version\r\n";
    char out[64];

    (void)state;
    assert_true(vos_version_parse(words, strlen(words), out));
    assert_string_equal(out, "12.6.2.10000-5");
    for (size_t n = 0; n < 24; n++)
        assert_false(vos_version_parse(words, n > 22 ? 22 : n, out));
}

static int reads_csr(struct vos_facts *f, const char *words)
{
    const struct link_result result = {
        .end = LINK_OK, .data = words, .len = strlen(words)};

    for (const struct read_row *r = vos_reads; r->bit; r++)
        if (r->bit == VOS_READ_CSR)
            return r->parse(&f->node.base, &r->about, &result, NULL);
    return -2;
}

static void requests_as_printed(void **state)
{
    struct vos_facts *f = (struct vos_facts *)vos_facts_new();

    (void)state;
    assert_int_equal(reads_csr(f, "-----BEGIN CERTIFICATE REQUEST-----\r\nQUJD"
                                  "\r\n-----END CERTIFICATE REQUEST-----\r\n"),
                     0);
    assert_int_equal(strlen(f->csr_sha256), PKI_SHA256_HEX - 1);
    assert_int_equal(reads_csr(f, "CSR is not there\r\n"), 0);
    assert_string_equal(f->csr_sha256, "");
    assert_int_equal(reads_csr(f, "-----BEGIN CERTIFICATE REQ"), -1);
    assert_false(f->csr_known);
    vos_facts_free(&f->node.base);
}

static void only_commands_of_the_table(void **state)
{
    static const char *const never[] = {
        "set cert regen tomcat",      "set cert delete tomcat a.pem",
        "set cert import own ipsec",  "utils system shutdown",
        "utils system restart force", "show csr own ipsec",
    };
    struct err err;

    (void)state;
    assert_non_null(command_match(&vos_product, RESTART, &err));
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        assert_null(command_match(&vos_product, never[i], &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(uploads),
        cmocka_unit_test(a_ca_that_is_not_there),
        cmocka_unit_test(restarts),
        cmocka_unit_test(when_a_restart_is_over),
        cmocka_unit_test(names_in_a_trust_store),
        cmocka_unit_test(numbers_of_any_length),
        cmocka_unit_test(versions),
        cmocka_unit_test(requests_as_printed),
        cmocka_unit_test(only_commands_of_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
