/* SPDX-License-Identifier: Apache-2.0
 *
 * cucm/rotate against a publisher, three subscribers and two nodes of IM&P:
 * order and proof, what refuses it, and what it leaves when something fails.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/theirs.h"

#define REST "/platformcom/api/v1/certmgr/config"
#define ROTATE "apply cucm/rotate lab --yes type="
#define RESTART "utils service restart Cisco Tomcat"

static const char *const quick[] = {
    "--set", "service_ms=5",      "--set", "ucm_days=100",
    "--set", "ucm_phones_ms=700", NULL};
static const char *const nodes[] = {"ucm1", "ucm2", "ucm3",
                                    "ucm4", "imp1", "imp2"};
enum {
    NODES = sizeof(nodes) / sizeof(*nodes),
    UCM = 4
};

static struct bed *cluster(void **state)
{
    struct bed *bed = bed_start(state, "ucm:3+2", quick);

    bed_inventory(bed, "cluster lab", "retries = 0\ntimeout_connect = 5");
    return bed;
}

static const char *shows(struct bed *bed, size_t i, const char *unit)
{
    return bed_text(json_object_get(bed_lab(bed, "node %s", nodes[i]), "ucm"),
                    unit);
}

static void all_show(struct bed *bed, const char *unit, size_t from, size_t to,
                     const char *state)
{
    for (size_t i = from; i < to; i++)
        assert_string_equal(shows(bed, i, unit), state);
}

/* Where in the lab's record a node's command first stands; 0: nowhere. */
static json_int_t when(struct bed *bed, const char *node, const char *command)
{
    json_t *list =
               json_object_get(bed_lab(bed, "history %s", node), "commands"),
           *entry;
    size_t i;

    json_array_foreach(
        list, i,
        entry) if (strcmp(bed_text(entry, "text"), command) ==
                   0) return json_integer_value(json_object_get(entry, "seq"));
    return 0;
}

static void was_orderly(struct bed *bed)
{
    json_t *c = bed_lab(bed, "cluster lab");

    assert_true(json_integer_value(json_object_get(c, "most_dropping")) <= 1);
    bed_is_safe(bed);
}

/* What a person does when the CA has changed. */
static void trusts_new(struct bed *bed)
{
    bed_write(bed, "ucm-ca.crt",
              arena_printf(&bed->arena, "%s%s", bed_read(bed, "ucm-ca.crt"),
                           bed_read(bed, "dbca-lab.crt")));
}

/* -- as it should be ------------------------------------------------------- */

/* Seed 004 steps 1 to 7, and `check' afterwards. */
static void test_tomcat(void **state)
{
    struct bed *bed = cluster(state);
    json_int_t last = 0;
    struct bed_run *run = bed_do(bed, ROTATE "tomcat");

    bed_ends(run, 0, "done");
    all_show(bed, "tomcat", 0, NODES, "new");
    all_show(bed, "CallManager", 0, UCM, "old");
    assert_int_equal(bed_count(bed, "*", "POST " REST "/csr"), 1);
    assert_int_equal(bed_count(bed, "*", "POST " REST "/identity/*"), 1);
    assert_int_equal(bed_events(run, "step-done", NULL, "replicated"), NODES);
    assert_int_equal(bed_events(run, "step-done", NULL, "prove"), NODES);
    for (size_t i = 0; i < NODES; i++) {
        json_int_t now = when(bed, nodes[i], RESTART);

        assert_true(now > last);
        last = now;
        assert_int_equal(bed_count(bed, nodes[i], RESTART), 1);
    }
    assert_true(when(bed, "ucm1", "POST " REST "/trust/certificates") <
                when(bed, "ucm1", "POST " REST "/identity/certificates"));
    assert_int_equal(bed_count(bed, "*", "* Cisco UDS Tomcat"), UCM);
    assert_int_equal(bed_count(bed, "*", "* Cisco Tftp"), 1);
    assert_int_equal(bed_count(bed, "*", "* Cisco DRF Master"), 1);
    assert_int_equal(bed_count(bed, "*", "* Cisco CallManager"), 0);
    was_orderly(bed);
    trusts_new(bed);
    run = bed_do(bed, "check lab");
    assert_int_equal(run->code, 0);
    run = bed_do(bed, "rollback last --yes");
    assert_int_equal(run->code, 5);
    assert_true(bed_said(run, "there is no way back"));
}

/* Mixed mode: the CTL before any restart; phones are waited for. */
static void test_callmanager(void **state)
{
    struct bed *bed = cluster(state);
    json_int_t ctl, first;
    struct bed_run *run;

    for (size_t i = 0; i < UCM; i++)
        bed_lab(bed, "set %s ucm_phones 3", nodes[i]);
    for (size_t i = 0; i < NODES; i++)
        bed_lab(bed, "set %s ucm_mixed 1", nodes[i]);
    run = bed_do(bed, ROTATE "CallManager");
    bed_ends(run, 0, "done");
    all_show(bed, "CallManager", 0, UCM, "new");
    all_show(bed, "tomcat", 0, NODES, "old");
    all_show(bed, "TVS", 0, UCM, "old");
    ctl = when(bed, "ucm1", "utils ctl update CTLFile");
    first = when(bed, "ucm1", "utils service restart Cisco Tftp");
    assert_true(ctl > 0 && first > ctl);
    assert_int_equal(bed_count(bed, "*", "utils ctl update*"), 1);
    for (size_t i = 0; i < UCM; i++)
        assert_true(when(bed, nodes[i],
                         "utils service restart Cisco "
                         "CallManager") <
                    when(bed, nodes[i],
                         "utils service restart Cisco Trust "
                         "Verification Service"));
    assert_int_equal(bed_count(bed, "imp*", "utils service restart*"), 0);
    assert_true(json_integer_value(json_object_get(
                    bed_await(run, "step-done", "ucm1", "phones"), "took_ms")) >
                50);
    was_orderly(bed);
}

/* IM&P: its own publisher leads; shown behind STARTTLS. */
static void test_presence(void **state)
{
    struct bed *bed = bed_start(state, "ucm:0+2", quick);
    struct bed_run *run;

    run = bed_do(bed, ROTATE "cup-xmpp");
    bed_ends(run, 0, "done");
    for (size_t i = NODES - 2; i < NODES; i++) {
        assert_string_equal(shows(bed, i, "cup-xmpp"), "new");
        assert_int_equal(bed_count(bed, nodes[i], "* Cisco XCP Router"), 1);
    }
    assert_int_equal(bed_count(bed, "imp1", "POST " REST "/identity/*"), 1);
    assert_int_equal(bed_count(bed, "ucm1", "POST *"), 0);
    assert_int_equal(bed_count(bed, "ucm1", "utils service restart*"), 0);
    assert_false(bed_said(run, "no certificate is shown"));
    run = bed_do(bed, "plan cucm/rotate lab type=cup-xmpp-s2s");
    assert_true(bed_said(run, "imp2") && bed_said(run, "no certificate is "
                                                       "shown on port 5269"));
    was_orderly(bed);
}

/* -- what refuses it, and leaves everything alone -------------------------- */

static void refuses(struct bed *bed, const char *type, const char *words)
{
    struct bed_run *run = bed_do(bed, "plan cucm/rotate lab type=%s", type);

    assert_int_equal(run->code, 5);
    if (!bed_said(run, words))
        fail_msg("it does not say \"%s\": %s", words, str_text(&run->out_text));
    assert_int_equal(bed_count(bed, "*", "POST *"), 0);
    assert_int_equal(bed_count(bed, "*", "utils service restart*"), 0);
}

static void test_gates(void **state)
{
    struct bed *bed = cluster(state);

    bed_lab(bed, "set ucm3 ucm_replication 4");
    refuses(bed, "tomcat", "its replication is in state 4 and not monitored");
    bed_lab(bed, "set ucm3 ucm_replication 2");
    bed_lab(bed, "set imp2 ucm_sso 1");
    refuses(bed, "tomcat", "SSO is on: turn it off before");
    bed_lab(bed, "set imp2 ucm_sso 0");
    bed_lab(bed, "inject ucm2 fail-async 'utils service restart Cisco CTI*'");
    bed_lab(bed, "foreign ucm2 'utils service restart Cisco CTIManager'");
    refuses(bed, "CallManager", "Cisco CTIManager does not run");
    bed_lab(bed, "foreign ucm2 'utils service restart Cisco CTIManager'");
    bed_inventory_drop(bed, "node ucm4");
    refuses(bed, "tomcat",
            "the publisher lists ucm4.example.com, which is no "
            "node of the inventory's cluster");
}

/* CAs that alter what was asked for: refused here, never uploaded. */
static void alters(struct bed *bed, const char *section, const char *words)
{
    struct bed_run *run;

    bed_write(bed, "section", section);
    run = bed_do(bed, ROTATE "tomcat --accept request");
    assert_int_not_equal(run->code, 0);
    if (!bed_said(run, words))
        fail_msg("it does not say \"%s\": %s", words, str_text(&run->err_text));
    assert_int_equal(bed_count(bed, "*", "POST " REST "/trust/*"), 0);
    assert_int_equal(bed_count(bed, "*", "POST " REST "/identity/*"), 0);
    assert_int_equal(bed_count(bed, "*", "utils service restart*"), 0);
    all_show(bed, "tomcat", 0, NODES, "old");
}

static const char sign_by_section[] =
    "#!/bin/sh\n" CA AGO " -cert inter.crt -keyfile inter.key"
    " -in /dev/stdin -days 30 -extensions $(cat section)\n"
    "cat inter.crt\n";

static const char sections[] =
    "%s\n[added]\nsubjectAltName = DNS:added.example.com,"
    "DNS:ucm1.example.com\n"
    "keyUsage = digitalSignature,keyEncipherment,dataEncipherment\n"
    "extendedKeyUsage = serverAuth,clientAuth\n"
    "[narrow]\nkeyUsage = digitalSignature,keyEncipherment\n"
    "[as_asked]\nbasicConstraints = CA:FALSE\n";

static void test_altered_by_the_issuer(void **state)
{
    struct bed *bed = their_start(state, "ucm:3+2",
                                  "kind = command\ncommand = ./sign\n", quick);

    their_script(bed, "sign", sign_by_section);
    bed_write(bed, "ca.cnf",
              arena_printf(&bed->arena, sections, bed_read(bed, "ca.cnf")));
    alters(bed, "added", "lacks the name that was asked for");
    alters(bed, "narrow", "Data Encipherment");
    bed_write(bed, "section", "as_asked");
    bed_ends(bed_do(bed, ROTATE "tomcat --accept request"), 0, "done");
    all_show(bed, "tomcat", 0, NODES, "new");
    bed_is_safe(bed);
}

/* -- what fails on the way ------------------------------------------------- */

/* Nobody behind it is touched, and it is finished from there. */
static void test_subscriber_does_not_start(void **state)
{
    struct bed *bed = cluster(state);
    struct bed_run *run;

    bed_lab(bed, "inject ucm3 fail-async '" RESTART "' always");
    run = bed_do(bed, ROTATE "tomcat");
    bed_ends(run, 4, "incomplete");
    all_show(bed, "tomcat", 0, 2, "new");
    assert_string_equal(shows(bed, 2, "tomcat"), "down");
    assert_false(bed_said(run, "it can be taken back"));
    all_show(bed, "tomcat", 3, NODES, "stale");
    assert_int_equal(bed_count(bed, "ucm4", "utils service restart*"), 0);
    assert_int_equal(bed_count(bed, "imp*", "utils service restart*"), 0);
    bed_lab(bed, "clear");
    bed_ends(bed_next(run, "resume"), 0, "done");
    all_show(bed, "tomcat", 0, NODES, "new");
    assert_int_equal(bed_count(bed, "*", "POST " REST "/csr"), 1);
    assert_int_equal(bed_count(bed, "*", "POST " REST "/identity/*"), 1);
    assert_int_equal(bed_count(bed, "ucm1", RESTART), 1);
    assert_int_equal(bed_count(bed, "ucm2", RESTART), 1);
    was_orderly(bed);
}

/* Replication that misses a node: no service starts anew anywhere. */
static void test_upload_misses_a_node(void **state)
{
    struct bed *bed = cluster(state);
    struct bed_run *run;

    bed_lab(bed, "set imp2 ucm_misses 1");
    run = bed_do(bed, ROTATE "tomcat");
    bed_ends(run, 4, "incomplete");
    assert_true(bed_said(run, "the upload has not reached it"));
    assert_int_equal(bed_count(bed, "*", "utils service restart*"), 0);
    was_orderly(bed);
}

/* Answers that did not come are asked of the nodes, not repeated. */
static void test_answers_lost(void **state)
{
    struct bed *bed = cluster(state);

    bed_lab(bed, "inject ucm1 no-reply 'POST " REST "/csr'");
    bed_lab(bed, "inject ucm1 no-reply 'POST " REST "/identity/*'");
    bed_lab(bed, "inject ucm1 no-reply 'POST " REST "/trust/*'");
    bed_ends(bed_do(bed, ROTATE "tomcat"), 0, "done");
    all_show(bed, "tomcat", 0, NODES, "new");
    assert_int_equal(bed_count(bed, "*", "POST " REST "/csr"), 2);
    assert_int_equal(bed_count(bed, "*", "POST " REST "/identity/*"), 1);
    assert_int_equal(bed_count(bed, "*", "POST " REST "/trust/*"), 1);
    was_orderly(bed);
}

/* What the API says along with its no is told, and the run is finished later.
 */
static void test_api_says_no(void **state)
{
    struct bed *bed = bed_start(state, "ucm:1+0", quick);
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "retries = 0\ntimeout_connect = 5");
    bed_lab(bed, "inject ucm1 fail 'POST " REST "/identity/*' always");
    run = bed_do(bed, ROTATE "tomcat");
    bed_ends(run, 4, "incomplete");
    assert_true(bed_said(run, "its API says no (status 500): Internal error"));
    all_show(bed, "tomcat", 0, 2, "old");
    bed_lab(bed, "clear");
    bed_ends(bed_next(run, "resume"), 0, "done");
    all_show(bed, "tomcat", 0, 2, "new");
    assert_int_equal(bed_count(bed, "*", "POST " REST "/csr"), 1);
    was_orderly(bed);
}

static void test_killed(void **state)
{
    struct bed *bed = cluster(state);
    int id = bed_id(bed_lab(bed, "hold ucm2 after '" RESTART "'"));
    struct bed_run *run = bed_begin(bed, BED_PLAIN, ROTATE "tomcat");

    bed_lab(bed, "wait held %d", id);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    all_show(bed, "tomcat", 0, NODES, "new");
    assert_int_equal(bed_count(bed, "*", "POST " REST "/csr"), 1);
    assert_int_equal(bed_count(bed, "*", "POST " REST "/identity/*"), 1);
    assert_int_equal(bed_count(bed, "ucm1", RESTART), 1);
    was_orderly(bed);
}

/* A person has it signed elsewhere, and meanwhile the request stays: a second
 * one would take the first one's key away. */
static void test_signed_elsewhere(void **state)
{
    struct bed *bed = their_start(state, "ucm:1+0", "kind = csr\n", quick);
    struct bed_run *run;

    bed_write(bed, "ca.cnf",
              arena_printf(&bed->arena, sections, bed_read(bed, "ca.cnf")));
    bed_write(bed, "section", "as_asked");
    run = bed_do(bed, ROTATE "tomcat");
    bed_ends(run, 4, "waiting");
    assert_int_equal(bed_count(bed, "*", "POST " REST "/csr"), 1);
    their_script(bed, "desk",
                 arena_printf(&bed->arena, "set -e\n{%s} <%s >answer.pem\n",
                              strchr(sign_by_section, '\n'),
                              their_find(bed, "lab", "*.csr")));
    their_run(bed, "desk", NULL);
    bed_ends(bed_do(bed, "resume last --yes"), 4, "waiting");
    run = bed_do(bed, "issue last answer.pem");
    assert_int_equal(run->code, 0);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_int_equal(bed_count(bed, "*", "POST " REST "/csr"), 1);
    all_show(bed, "tomcat", 0, 2, "new");
    was_orderly(bed);
}

/* A node that was added does not stand in the certificate: it says so, and the
 * same run brings it in. */
static void test_node_was_added(void **state)
{
    const char *const args[] = {"--set", "service_ms=5", "--set",
                                "ucm_not_named=1", NULL};
    struct bed *bed = bed_start(state, "ucm:1+0", args);
    struct bed_run *run;

    for (size_t i = 0; i < 2; i++)
        bed_lab(bed, "set %s ucm_not_named 0", nodes[i]);
    run = bed_do(bed, "plan cucm/rotate lab type=tomcat if_days_left=1");
    assert_int_equal(run->code, 0);
    assert_true(bed_said(run, "ucm2.example.com does not stand in the tomcat "
                              "certificate: a new multi-server request is "
                              "due"));
    bed_ends(bed_do(bed, ROTATE "tomcat"), 0, "done");
    trusts_new(bed);
    run = bed_do(bed, "plan cucm/rotate lab type=tomcat if_days_left=1");
    assert_true(bed_said(run, "days left, more than 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_tomcat, bed_stop),
        cmocka_unit_test_teardown(test_callmanager, bed_stop),
        cmocka_unit_test_teardown(test_presence, bed_stop),
        cmocka_unit_test_teardown(test_gates, bed_stop),
        cmocka_unit_test_teardown(test_altered_by_the_issuer, bed_stop),
        cmocka_unit_test_teardown(test_subscriber_does_not_start, bed_stop),
        cmocka_unit_test_teardown(test_upload_misses_a_node, bed_stop),
        cmocka_unit_test_teardown(test_answers_lost, bed_stop),
        cmocka_unit_test_teardown(test_api_says_no, bed_stop),
        cmocka_unit_test_teardown(test_killed, bed_stop),
        cmocka_unit_test_teardown(test_signed_elsewhere, bed_stop),
        cmocka_unit_test_teardown(test_node_was_added, bed_stop),
    };

    return crew_tests(tests);
}
