/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard of CUCM, invariant by invariant (playbooks/cucm/cucm.h): what it
 * lets through, and what not when one fact is another; and the goals of rows
 * that start services anew.
 */
#include "tests/unit/cucm_fixture.h"

#define CSR "POST " CUCM_REST "/csr tomcat multi-server pub-ms.example.com"
#define TRUST "POST " CUCM_REST "/trust/certificates tomcat"
#define UPLOAD "POST " CUCM_REST "/identity/certificates tomcat"
#define RESTART "utils service restart Cisco Tomcat"
#define CTL "utils ctl update CTLFile"

static const struct act post = {ACT_POST, ""};
static const struct act command = {ACT_COMMAND, ""};

static bool may(const struct fixture *fx, size_t node, const struct act *act,
                const char *text)
{
    const struct view view = fixture_view(fx, node);
    struct err err = {0};
    bool hold = false;

    return cucm_product.guard(&view, act, text, &hold, &err) == 0;
}

/* Everything until the upload, and the request that was answered. */
static void ready(struct fixture *fx)
{
    fixture_open(fx, "tomcat");
    fixture_issue(fx);
    FILL(fixture_facts(fx, PUB)->units[0].request_sha256, FIXTURE_CSR);
}

/* The upload has reached everybody. */
static void uploaded(struct fixture *fx, const char *type)
{
    fixture_open(fx, type);
    fixture_issue(fx);
    for (size_t i = 0; i < FIXTURE_NODES; i++)
        fixture_cert(fx, i, FIXTURE_NEW, FIXTURE_OLD);
    fx->pc->left = true;
}

/* -- V1: the request, the chain, the answer -------------------------------- */

static void requests(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx, "tomcat");
    assert_true(may(&fx, PUB, &post, CSR));
    assert_false(may(&fx, SUB1, &post, CSR)); /* not the publisher */
    FILL(fixture_facts(&fx, PUB)->units[0].request_sha256, FIXTURE_CSR);
    assert_false(may(&fx, PUB, &post, CSR)); /* somebody's waits */
    plan_note_sent(fx.pc, PUB, CSR);
    assert_true(may(&fx, PUB, &post, CSR)); /* ours, whose answer was lost */
    fixture_facts(&fx, PUB)->certs_known = false;
    assert_false(may(&fx, PUB, &post, CSR));
    fixture_facts(&fx, PUB)->certs_known = true;
    fixture_facts(&fx, PUB)->node.base.read_ms[6] = 1; /* long ago */
    assert_false(may(&fx, PUB, &post, CSR));
    fixture_read(&fx, PUB);
    assert_false(may(&fx, PUB, &post, TRUST)); /* nothing is signed */
    assert_false(may(&fx, PUB, &post, UPLOAD));
    fixture_issue(&fx);
    assert_false(may(&fx, PUB, &post, CSR)); /* it would void the answer */
    assert_true(may(&fx, PUB, &post, TRUST));
    fixture_close(&fx);
}

static void uploads(void **state)
{
    struct fixture fx;

    (void)state;
    ready(&fx);
    assert_true(may(&fx, PUB, &post, UPLOAD));
    assert_false(may(&fx, IMP1, &post, UPLOAD));
    FILL(fixture_facts(&fx, PUB)->units[0].request_sha256, FIXTURE_OLD);
    assert_false(may(&fx, PUB, &post, UPLOAD)); /* another request */
    FILL(fixture_facts(&fx, PUB)->units[0].request_sha256, "");
    assert_false(may(&fx, PUB, &post, UPLOAD)); /* none */
    fixture_close(&fx);
    ready(&fx);
    secret_free(fx.pc->set.files[2].content);
    fx.pc->set.files[2].content =
        secret_from("-----BEGIN CERTIFICATE-----\nAAAA\n"
                    "-----END CERTIFICATE-----\n",
                    59);
    assert_false(may(&fx, PUB, &post, UPLOAD)); /* a CA is not there */
    fixture_close(&fx);
}

/* -- V2: the cluster is well ----------------------------------------------- */

static void nothing_into_a_sick_cluster(void **state)
{
    struct fixture fx;

    (void)state;
    ready(&fx);
    fixture_facts(&fx, PUB)->replication->rows[2].state = 3;
    assert_false(may(&fx, PUB, &post, UPLOAD));
    fixture_facts(&fx, PUB)->replication->rows[2].state = 2;
    assert_true(may(&fx, PUB, &post, UPLOAD));
    fixture_service(&fx, IMP1, "Cisco Tomcat", VOS_DOWN);
    assert_false(may(&fx, PUB, &post, UPLOAD));
    fixture_service(&fx, IMP1, "Cisco Tomcat", VOS_STARTED);
    fixture_facts(&fx, PUB)->node.base.read_ms[1] = 1;
    assert_false(may(&fx, PUB, &post, UPLOAD));
    fixture_close(&fx);
}

/* -- V3, V4: who starts anew, and when ------------------------------------- */

static void restarts(void **state)
{
    struct fixture fx;

    (void)state;
    uploaded(&fx, "tomcat");
    assert_true(may(&fx, PUB, &command, RESTART));
    assert_false(may(&fx, SUB1, &command, RESTART)); /* the publisher first */
    fixture_cert(&fx, PUB, FIXTURE_NEW, FIXTURE_NEW);
    assert_true(may(&fx, SUB1, &command, RESTART));
    fixture_service(&fx, SUB2, "Cisco UDS Tomcat", VOS_DOWN);
    assert_false(may(&fx, SUB1, &command, RESTART)); /* one at a time */
    assert_true(may(&fx, SUB2, &command, RESTART));
    fixture_service(&fx, SUB2, "Cisco UDS Tomcat", VOS_MOVING);
    assert_false(may(&fx, IMP1, &command, RESTART));
    fixture_service(&fx, SUB2, "Cisco UDS Tomcat", VOS_STARTED);
    fixture_cert(&fx, IMP1, FIXTURE_OLD, FIXTURE_OLD);
    assert_false(may(&fx, SUB1, &command, RESTART)); /* it did not get there */
    fixture_cert(&fx, IMP1, FIXTURE_NEW, FIXTURE_OLD);
    assert_false(
        may(&fx, SUB1, &command, "utils service restart Cisco CallManager"));
    assert_false(
        may(&fx, SUB1, &command, "utils service restart Cisco DRF Master"));
    fixture_facts(&fx, SUB1)->node.base.read_ms[0] = 1;
    assert_false(may(&fx, SUB1, &command, RESTART));
    fixture_close(&fx);
}

/* While Tomcat is down its REST is, too: then the shell's word counts. */
static void the_shell_says_it_too(void **state)
{
    struct fixture fx;

    (void)state;
    uploaded(&fx, "tomcat");
    fixture_facts(&fx, SUB1)->certs_known = false;
    assert_false(may(&fx, PUB, &command, RESTART));
    fixture_facts(&fx, SUB1)->units[0].is_target = true;
    assert_true(may(&fx, PUB, &command, RESTART));
    fixture_close(&fx);
}

/* -- V5: the CTL first ----------------------------------------------------- */

static void the_ctl_first(void **state)
{
    static const char start[] = "utils service restart Cisco CallManager";
    struct fixture fx;
    struct cucm_facts *f;

    (void)state;
    uploaded(&fx, "CallManager");
    f = fixture_facts(&fx, PUB);
    assert_true(may(&fx, PUB, &command, start));
    assert_false(may(&fx, PUB, &command, CTL)); /* not mixed */
    f->mixed = true;
    assert_false(may(&fx, PUB, &command, start));
    assert_true(may(&fx, PUB, &command, CTL));
    assert_false(may(&fx, SUB1, &command, CTL));
    assert_false(may(&fx, IMP1, &command, start)); /* not in it at all */
    FILL(f->target_serial, "4fa1001c2233");
    f->ctl = strdup("SERIALNUMBER 4FA1001C2233\n");
    f->ctl_len = strlen(f->ctl);
    assert_true(may(&fx, PUB, &command, start));
    f->mode_known = false;
    assert_false(may(&fx, PUB, &command, start));
    fixture_close(&fx);
}

static void never(void **state)
{
    struct fixture fx;
    struct view view;
    bool hold = false;

    (void)state;
    uploaded(&fx, "tomcat");
    assert_false(may(&fx, PUB, &command, "utils service list"));
    assert_false(may(&fx, PUB, &command, "show ctl"));
    view = fixture_view(&fx, PUB);
    view.back = true; /* there is no way back */
    assert_int_equal(cucm_product.guard(&view, &command, RESTART, &hold, NULL),
                     -1);
    fixture_close(&fx);
}

/* -- goals ----------------------------------------------------------------- */

static enum goal restarted(const struct fixture *fx, bool acted, bool begun)
{
    struct view view = fixture_view(fx, PUB);
    struct err why = {0};

    view.acted = acted;
    view.begun = begun;
    return cucm_goal_restart(&view, &why);
}

static void when_it_has_started_anew(void **state)
{
    struct fixture fx;

    (void)state;
    uploaded(&fx, "tomcat");
    assert_int_equal(restarted(&fx, false, false), GOAL_OPEN);
    fixture_cert(&fx, PUB, FIXTURE_NEW, FIXTURE_NEW);
    assert_int_equal(restarted(&fx, false, false), GOAL_MET);
    assert_int_equal(restarted(&fx, true, true), GOAL_MET);
    /* killed between its services: the listener is one of them only */
    assert_int_equal(restarted(&fx, false, true), GOAL_OPEN);
    fixture_service(&fx, PUB, "Cisco AXL Tomcat", VOS_MOVING);
    assert_int_equal(restarted(&fx, false, true), GOAL_BUSY);
    fixture_service(&fx, PUB, "Cisco AXL Tomcat", VOS_DOWN);
    assert_int_equal(restarted(&fx, true, true), GOAL_ERROR);
    assert_int_equal(restarted(&fx, false, false), GOAL_OPEN);
    fixture_close(&fx);
    fixture_open(&fx, "tomcat");
    fixture_issue(&fx);
    fixture_service(&fx, PUB, "Cisco AXL Tomcat", VOS_NO_SERVICE);
    fixture_cert(&fx, PUB, FIXTURE_NEW, FIXTURE_NEW);
    assert_int_equal(restarted(&fx, true, true), GOAL_MET);
    fixture_close(&fx);
}

/* A server for TFTP alone: nothing there shows the certificate. */
static void without_a_listener(void **state)
{
    struct fixture fx;

    (void)state;
    uploaded(&fx, "CallManager");
    assert_false(cucm_shows_new(fx.pc, PUB));
    fx.pc->nodes[PUB].serves_tls = false;
    assert_true(cucm_shows_new(fx.pc, PUB));
    assert_int_equal(restarted(&fx, false, false), GOAL_OPEN);
    assert_int_equal(restarted(&fx, true, true), GOAL_MET);
    fixture_close(&fx);
}

static int lists(struct cucm_facts *f, const char *text)
{
    const struct link_result result = {
        .end = LINK_OK, .data = text, .len = strlen(text)};

    return cucm_reads[0].parse(&f->node.base, NULL, &result, NULL);
}

static void lists_of_services(void **state)
{
    struct cucm_facts *f = (struct cucm_facts *)cucm_facts_new();

    (void)state;
    assert_int_equal(
        lists(f, "Requesting service status, please wait...\r\n"
                 "System SSH [STARTED]\r\nGetting list of all services\r\n"
                 ">> Return code = 0\r\nCisco Tomcat[STARTED]  \r\n"
                 "Cisco Tftp[STOPPED]  Service Not Activated\r\n"
                 "Cisco HCS Admin UI[STOPPED]  Component is not running\r\n"
                 "Cisco CallManager[STARTING]\r\n"),
        0);
    assert_int_equal(cucm_running_of(f, "Cisco Tomcat"), VOS_STARTED);
    assert_int_equal(cucm_running_of(f, "Cisco Tftp"), VOS_NO_SERVICE);
    assert_int_equal(cucm_running_of(f, "Cisco HCS Admin UI"), VOS_DOWN);
    assert_int_equal(cucm_running_of(f, "Cisco CallManager"), VOS_MOVING);
    assert_int_equal(cucm_running_of(f, "Cisco"), VOS_NO_SERVICE);
    assert_int_equal(lists(f, ""), -1);
    assert_int_equal(lists(f, "Cisco Tftp[STARTED]\n"), -1); /* torn */
    assert_int_equal(lists(f, "Executed command unsuccessfully\n"), -1);
    cucm_facts_free(&f->node.base);
}

static enum goal phones(const struct fixture *fx)
{
    const struct view view = fixture_view(fx, PUB);
    struct err why = {0};

    return cucm_goal_phones(&view, &why);
}

static void when_phones_are_back(void **state)
{
    struct fixture fx;

    (void)state;
    uploaded(&fx, "CallManager");
    fx.pc->nodes[PUB].first_last = "12";
    assert_int_equal(phones(&fx), GOAL_MET);
    fixture_facts(&fx, PUB)->phones = 11;
    assert_int_equal(phones(&fx), GOAL_OPEN);
    fixture_facts(&fx, PUB)->phones_known = false;
    assert_int_equal(phones(&fx), GOAL_OPEN);
    fx.pc->nodes[PUB].first_last = NULL;
    assert_int_equal(phones(&fx), GOAL_PASSED);
    fixture_close(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(uploads),
        cmocka_unit_test(nothing_into_a_sick_cluster),
        cmocka_unit_test(restarts),
        cmocka_unit_test(the_shell_says_it_too),
        cmocka_unit_test(the_ctl_first),
        cmocka_unit_test(never),
        cmocka_unit_test(when_it_has_started_anew),
        cmocka_unit_test(when_phones_are_back),
        cmocka_unit_test(without_a_listener),
        cmocka_unit_test(lists_of_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
