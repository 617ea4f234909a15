/* SPDX-License-Identifier: Apache-2.0
 *
 * kind = adcs: a database cluster whose certificates a Microsoft CA signs, on a
 * Windows server that is a node of the inventory: at once, after its manager
 * has agreed, or never; and what may happen to the connection in between.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/guest.h"

static struct bed *pki; /* the lab of the CA; NULL: it is not there */

static struct bed *start_with(void **state, const char *shape,
                              const char *const *args, const char *templates)
{
    static const char *const servers[] = {"--servers", "adcs-ca", NULL};
    struct bed *bed = bed_start(state, shape, args);
    void *guest;

    pki = bed_start(&guest, "1+0", servers);
    guest_join(bed, "pki", pki);
    bed_inventory_drop(bed, "issuer dbca");
    bed_write(
        bed, "certfleet.ini",
        arena_printf(&bed->arena,
                     "%s\n[issuer dbca]\nkind = adcs\nnode = ca1\n"
                     "config = CA1\\IssuingCA\nca_cert = %s/adcs-root.crt\n"
                     "%s\n",
                     bed_read(bed, "certfleet.ini"), pki->dir, templates));
    return bed;
}

static struct bed *start(void **state, const char *shape)
{
    return start_with(state, shape, NULL,
                      "template = WebServer\ntemplate_client = Workstation");
}

static int stop(void **state)
{
    void *guest = pki;
    int rc = bed_stop(state);

    pki = NULL;
    return rc | bed_stop(&guest);
}

/* -- the CA ---------------------------------------------------------------- */

/* Its requests, as "issued issued". */
static const char *requests(void)
{
    const json_t *list = json_object_get(bed_lab(pki, "node ca1"), "requests");
    const char *text = "";
    const json_t *r;
    size_t i;

    json_array_foreach(list, i, r)
    {
        text = arena_printf(&pki->arena, "%s%s%s", text, i ? " " : "",
                            bed_text(r, "state"));
    }
    return text;
}

static void manager(const char *what, int id)
{
    json_t *answer = bed_lab(
        pki, "foreign ca1 'cmd /d /s /c \"certutil -%s %d\"'", what, id);

    assert_non_null(strstr(bed_text(answer, "output"), "successfully"));
}

/* Nothing of ours lies there any more. */
static void is_tidy(void)
{
    assert_int_equal(bed_files(pki, "ca1", "cf-*"), 0);
}

static struct bed_run *waits(struct bed *bed, struct bed_run *run)
{
    bed_ends(run, 4, "waiting");
    assert_int_equal(bed_events(run, "step-waiting", NULL, "issue"), 1);
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " resume "));
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
    return run;
}

/* -- at once --------------------------------------------------------------- */

static void test_at_once(void **state)
{
    struct bed *bed = start(state, "3+2");
    struct bed_run *run = bed_do(bed, "check pki");

    assert_int_equal(bed_events(run, "certificate", "ca1", NULL), 1);
    assert_true(bed_said(run, "CN=IssuingCA"));
    bed_lab(pki, "set ca1 adcs_words japanese");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_string_equal(requests(), "issued issued");
    assert_int_equal(bed_count(pki, "ca1", "*certreq -submit*WebServer*"), 1);
    assert_int_equal(bed_count(pki, "ca1", "*certreq -submit*Workstation*"), 1);
    assert_int_equal(bed_events(run, "command", "ca1", "issue"), 2);
    is_tidy();
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* -- when its manager has agreed ------------------------------------------- */

static void test_pending(void **state)
{
    struct bed *bed = start(state, "1+1");
    struct bed_run *run;

    bed_lab(pki, "set ca1 adcs_policy pending");
    bed_lab(pki, "set ca1 win_shell powershell");
    run = waits(bed, bed_apply(bed, ""));
    assert_true(bed_said(run, "has 2 requests that its manager is to issue: "
                              "1 (server_crt), 2 (client_crt)"));
    is_tidy();
    run = bed_do(bed, "show last");
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " resume "));
    /* a file of its console's would do, too, if it were there */
    assert_true(
        bed_said(bed_do(bed, "issue last gone.cer"), "gone.cer: No such file"));
    /* one of them, then the other; nothing is given in again */
    manager("resubmit", 2);
    run = waits(bed, bed_do(bed, "resume last --yes"));
    assert_true(bed_said(run, "has 1 request that its manager is to issue: "
                              "1 (server_crt)"));
    bed_lab(pki, "down ca1");
    waits(bed, bed_do(bed, "resume last --yes"));
    bed_lab(pki, "up ca1");
    manager("resubmit", 1);
    bed_ends(bed_next(run, "resume"), 0, "done");
    bed_is_new(bed, "lab", "core1");
    assert_string_equal(requests(), "issued issued");
    assert_int_equal(bed_count(pki, "ca1", "*certreq -submit*"), 2);
    is_tidy();
}

/* -- never ----------------------------------------------------------------- */

static void fails(struct bed *bed, int code, const char *outcome,
                  const char *why)
{
    struct bed_run *run = bed_apply(bed, "");

    bed_ends(run, code, outcome);
    if (!bed_said(run, why))
        fail_msg("wanted \"%s\", it says: %s", why, str_text(&run->err_text));
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
}

static void test_refused(void **state)
{
    struct bed *bed = start(state, "1+1");

    bed_lab(pki, "set ca1 adcs_policy deny");
    fails(bed, 1, "rolled-back", "has denied request 1; it says: ");
    is_tidy();
    bed_lab(pki, "set ca1 adcs_policy pending");
    waits(bed, bed_apply(bed, ""));
    manager("deny", 2);
    bed_lab(pki, "set ca1 adcs_words japanese");
    bed_ends(bed_do(bed, "resume last --yes"), 1, "rolled-back");
    assert_true(bed_said(bed->runs, "has denied request 2"));
    bed_lab(pki, "set ca1 adcs_policy issue");
    bed_lab(pki, "inject ca1 fail '*certreq*' once");
    fails(bed, 1, "rolled-back", "the request got no id; it says: ");
    is_tidy();
    bed_lab(pki, "down ca1");
    fails(bed, 1, "rolled-back", "issuer dbca, node ca1");
    bed_lab(pki, "up ca1");
    bed_lab(pki, "host-key ca1");
    fails(bed, 5, "refused", "host key");
}

/* What it gives is judged here, whatever the CA has thought of it. */
static void test_wrong_template(void **state)
{
    struct bed *bed = start_with(state, "1+1", NULL, "template = WebServer");

    fails(bed, 1, "rolled-back", "the issuer's answer for client_crt");
    assert_string_equal(requests(), "issued issued");
    is_tidy();
}

/* -- a connection that is lost, a process that is killed ------------------- */

/* The second one's command has acted and nobody heard it: what it printed is
 * there. */
static void test_lost(void **state)
{
    struct bed *bed = start(state, "1+1");

    /* the answer is not to be had now: the run waits for it */
    bed_lab(pki, "inject ca1 sftp-drop-before 'open cf-*.cer' always");
    waits(bed, bed_apply(bed, ""));
    bed_lab(pki, "clear");
    bed_lab(pki, "inject ca1 drop-after '*certreq -submit*' once");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_string_equal(requests(), "issued issued");
    /* what it printed is not to be had at once */
    bed_lab(pki, "inject ca1 sftp-drop-before 'open cf-*.txt' nth=2");
    bed_ends(bed_apply(bed, ""), 0, "done");
    /* nor has it acted: then it is given in again */
    bed_lab(pki, "inject ca1 drop-before '*certreq -submit*' once");
    bed_ends(bed_apply(bed, ""), 0, "done");
    assert_string_equal(requests(), "issued issued issued issued issued "
                                    "issued");
    bed_is_new(bed, "lab", "core1");
    is_tidy();
}

/* Both times the command has acted, and the answer waits. */
static void test_killed(void **state)
{
    static const int signals[] = {SIGINT, SIGKILL};
    struct bed *bed = start(state, "1+1");

    for (size_t i = 0; i < 2; i++) {
        int hold = bed_id(bed_lab(pki, "hold ca1 after '*certreq -submit*'"));
        struct bed_run *run =
            bed_begin(bed, BED_PLAIN, "apply cms/db-rotate lab --yes");

        bed_lab(pki, "wait held %d", hold);
        assert_int_equal(kill(run->pid, signals[i]), 0);
        assert_int_equal(bed_finish(run), 128 + signals[i]);
        bed_lab(pki, "release %d", hold);
        bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    }
    assert_string_equal(requests(), "issued issued issued issued");
    assert_int_equal(bed_count(pki, "ca1", "*certreq -submit*"), 4);
    bed_is_new(bed, "lab", "core1");
    is_tidy();
}

/* -- other playbooks ------------------------------------------------------- */

/* Each node has requests of its own; the Call Bridge's is for both. */
static void test_services(void **state)
{
    static const char *const args[] = {"--services", "webadmin,callbridge",
                                       NULL};
    struct bed *bed = start_with(
        state, "2+0", args, "template = Machine\ntemplate_server = WebServer");
    struct bed_run *run;

    bed_inventory(bed, "cluster lab", "service_issuer = dbca");
    bed_lab(pki, "set ca1 adcs_policy pending");
    run = bed_do(bed, "apply cms/service-rotate lab --yes --accept trust-store "
                      "service=webadmin,callbridge");
    bed_ends(run, 4, "waiting");
    assert_true(bed_said(run, "has 4 requests"));
    assert_true(bed_said(run, "(webadmin_crt of node core2)"));
    for (int id = 1; id <= 4; id++)
        manager("resubmit", id);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    assert_int_equal(bed_count(pki, "ca1", "*certreq -submit*WebServer*"), 2);
    assert_int_equal(bed_count(pki, "ca1", "*certreq -submit*Machine*"), 2);
    bed_is_safe(bed);
    is_tidy();
}

/* The nodes make keys and requests themselves. */
static void test_vos(void **state)
{
    static const char *const args[] = {"--set", "service_ms=5", NULL};
    struct bed *bed = start_with(state, "vos:1", args, "template = CiscoUC");

    bed_ends(bed_do(bed, "apply vos/rotate lab --yes"), 0, "done");
    assert_string_equal(requests(), "issued issued");
    bed_is_safe(bed);
    is_tidy();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_at_once, stop),
        cmocka_unit_test_teardown(test_pending, stop),
        cmocka_unit_test_teardown(test_refused, stop),
        cmocka_unit_test_teardown(test_wrong_template, stop),
        cmocka_unit_test_teardown(test_lost, stop),
        cmocka_unit_test_teardown(test_killed, stop),
        cmocka_unit_test_teardown(test_services, stop),
        cmocka_unit_test_teardown(test_vos, stop),
    };

    return crew_tests(tests);
}
