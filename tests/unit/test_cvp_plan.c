/* SPDX-License-Identifier: Apache-2.0
 *
 * cvp/keystore-rotate as a table, its goals, and its guard: what it lets
 * through and what it does not, whatever a planner says.
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

#include "core/base/clock.h"
#include "core/run/act.h"
#include "core/run/preflight.h"
#include "playbooks/cvp/commands.h"
#include "playbooks/cvp/cvp.h"
#include "playbooks/registry.h"

#define OLD "aa"
#define NEW "bb"
#define NEW_COPY "cvp-new-g7-3f9a.keystore"
#define OLD_COPY "cvp-old-g7-3f9a.keystore"

static const char ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = internal\nca_cert = ca.crt\nca_key = ca.key\n"
    "[cluster lab]\nproduct = cvp\nissuer = ca\n"
    "[node vxml1]\ncluster = lab\naddress = 10.0.0.1\nroles = server\n"
    "names = vxml1.example.com localhost 10.0.0.1\n"
    "keystore_password = env:PW\n"
    "[node oamp1]\ncluster = lab\naddress = 10.0.0.2\nroles = oamp\n"
    "names = oamp1.example.com\nkeystore_password = env:PW\n";

struct bed {
    char folder[64], path[96], key[96];
    struct inventory *inventory;
    struct plan *plan;
    struct plan_cluster *pc;
    struct cvp_facts *f; /* of vxml1 */
    struct view view;
};

static void put(char sha256[PKI_SHA256_HEX], const char *text)
{
    snprintf(sha256, PKI_SHA256_HEX, "%s", text);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static struct plan *plan_of(struct bed *bed, const char *input, struct err *err)
{
    const char *const inputs[] = {input, NULL};
    const struct plan_request request = {
        .inventory = bed->inventory,
        .playbook = registry_playbook("cvp/keystore-rotate"),
        .target = "lab",
        .clusters = bed->inventory->clusters,
        .n_clusters = 1,
        .inputs = input ? inputs : NULL,
        .tag = "3f9a",
    };

    return plan_new(&request, err);
}

static void read_now(struct bed *bed)
{
    for (size_t i = 0; i < 32; i++)
        bed->f->node.base.read_ms[i] = clock_mono_ms();
    for (int a = 0; a < CVP_ALIASES; a++)
        bed->f->shown_ms[a] = clock_mono_ms();
}

/* A server whose new copy is proven, before it is swapped. */
static int open_bed(void **state)
{
    struct bed *bed = calloc(1, sizeof(*bed));
    struct findings findings = {0};
    struct err err = {0};

    assert_non_null(bed);
    snprintf(bed->folder, sizeof(bed->folder), "/tmp/cf-cvp-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    snprintf(bed->path, sizeof(bed->path), "%s/fleet.ini", bed->folder);
    snprintf(bed->key, sizeof(bed->key), "%s/key", bed->folder);
    write_file(bed->path, ini);
    write_file(bed->key, "no key\n");
    bed->inventory =
        inventory_read(&(struct inventory_options){.path = bed->path,
                                                   .products = registry_words(),
                                                   .checks = preflight_words()},
                       &err);
    assert_non_null(bed->inventory);
    assert_int_equal(bed->inventory->n_errors, 0);
    bed->plan = plan_of(bed, NULL, &err);
    assert_non_null(bed->plan);
    bed->pc = &bed->plan->clusters[0];
    bed->f = (struct cvp_facts *)bed->pc->nodes[0].facts;
    bed->view = (struct view){.plan = bed->pc};
    put(bed->f->live_sha256, OLD);
    for (int a = 0; a < CVP_ALIASES; a++) {
        bed->f->live.entry[a].seen = bed->f->live.entry[a].key = true;
        put(bed->f->live.entry[a].leaf.sha256, "old-cert");
    }
    put(bed->f->shown_sha256[CVP_WSM], "old-cert");
    assert_int_equal(cvp_decide(bed->pc, &findings, &err), 0);
    findings_release(&findings);
    assert_int_equal(
        plan_name_set(bed->pc, 7, "3f9a", bed->inventory->state_dir, &err), 0);
    put(bed->f->copy_sha256[CVP_OLD], OLD);
    put(bed->f->copy_sha256[CVP_NEW], NEW);
    bed->f->staged.there = true;
    for (int a = 0; a < CVP_ALIASES; a++) {
        bed->f->staged.entry[a] = (struct cvp_entry){
            .seen = true, .key = true, .chain = 2, .rooted = true};
        put(bed->f->staged.entry[a].leaf.sha256, "new-cert");
        bed->f->service[a] = WIN_RUNNING;
    }
    bed->f->service[CVP_SVC_CALLSERVER] = WIN_RUNNING;
    for (size_t i = 0; i < bed->pc->nodes[0].own.n; i++)
        put(bed->pc->nodes[0].own.files[i].cert_sha256, "new-cert");
    bed->pc->issued = bed->pc->loaded = true;
    read_now(bed);
    *state = bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;

    plan_free(bed->plan);
    inventory_free(bed->inventory);
    unlink(bed->path);
    unlink(bed->key);
    rmdir(bed->folder);
    free(bed);
    return 0;
}

/* -- the table ------------------------------------------------------------- */

static void test_acts_can_be_sent(void **state)
{
    struct bed *bed = *state;
    const struct playbook *pb = &cvp_keystore_rotate;
    unsigned sent = 0;

    for (size_t n = 0; n < bed->pc->n_nodes; n++) {
        struct view view = {.plan = bed->pc, .node = n};

        for (size_t i = 0; i < bed->pc->nodes[n].own.n; i++)
            put(bed->pc->nodes[n].own.files[i].cert_sha256, "0123456789");
        for (size_t row = 0; row < pb->n_steps; row++)
            for (size_t k = 0; act_at(&view, &pb->steps[row], k); k++) {
                const struct act *act = act_at(&view, &pb->steps[row], k);
                struct err err = {0};
                struct str text;

                if (act->kind == ACT_LOCAL ||
                    !plan_has_cell(bed->pc, &pb->steps[row], n))
                    continue;
                str_init(&text, 4096);
                if (act_text(&view, act, &text, &err) < 0)
                    fail_msg("%s: %s", pb->steps[row].id, err.text);
                if (act->kind == ACT_COMMAND &&
                    !command_match(&cvp_product, str_text(&text), &err))
                    fail_msg("%s: %s", pb->steps[row].id, err.text);
                assert_null(strpbrk(str_text(&text), "\"'&|<>^"));
                str_release(&text);
                sent++;
            }
    }
    assert_true(sent > 40);
}

static void test_only_commands_of_the_table(void **state)
{
    static const char *const never[] = {
        "shutdown /r",
        "net stop CallServer /y",
        "net stop a b",
        "copy /b /y x %CVP_HOME%\\conf\\security\\.keystore",
        "del %CVP_HOME%\\conf\\security\\.keystore",
        KEYTOOL "-delete -alias a -keystore " CVP_STORE,
        KEYTOOL "-list -rfc -keystore a -storepass b",
        "net start a&calc",
        "sc query a|b",
        "echo %PATH%",
        KEYTOOL "-genkeypair -v -alias a -keyalg RSA -keysize 2048 -sigalg "
                "SHA256withRSA -validity 365 -dname CN=a,O=b -keystore c",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        if (command_match(&cvp_product, never[i], NULL))
            fail_msg("may be sent: %s", never[i]);
}

static void test_inputs(void **state)
{
    struct bed *bed = *state;
    struct err err = {0};
    struct plan *plan;
    struct str names;

    assert_null(plan_of(bed, "alias=nonsense", &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_null(plan_of(bed, "if_days_left=x", &err));
    plan = plan_of(bed, "alias=vxml_certificate", &err);
    assert_non_null(plan);
    assert_true(cvp_renews(&plan->clusters[0], 0, CVP_VXML));
    assert_false(cvp_renews(&plan->clusters[0], 0, CVP_WSM));
    assert_int_equal(plan->clusters[0].nodes[1].own.n, 0);
    plan_free(plan);
    str_init(&names, 256);
    assert_true(cvp_variable(&bed->view, "names", &names));
    assert_string_equal(str_text(&names),
                        "dns:vxml1.example.com,dns:localhost,ip:10.0.0.1");
    str_release(&names);
}

/* -- the guard ------------------------------------------------------------- */

static int asked(struct bed *bed, const char *text, bool *hold)
{
    const struct act act = {ACT_COMMAND, text};
    struct err err = {0};
    bool held = false;
    int rc = cvp_guard(&bed->view, &act, text, hold ? hold : &held, &err);

    assert_int_equal(rc < 0, err.text[0] != '\0');
    return rc;
}

#define SWAP CVP_REPLACE(NEW_COPY)

static void test_swap_needs_its_ground(void **state)
{
    struct bed *bed = *state;
    bool hold = false;

    assert_int_equal(asked(bed, SWAP, NULL), 0);
    assert_int_equal(asked(bed, CVP_BRING(NEW_COPY), NULL), 0);
    assert_int_equal(asked(bed, CVP_REPLACE("cvp-new-g6-3f9a.keystore"), NULL),
                     -1);
    assert_int_equal(asked(bed, CVP_REPLACE(OLD_COPY), NULL), -1);
    /* the way back has nothing to do with the new one */
    bed->view.back = true;
    assert_int_equal(asked(bed, SWAP, NULL), -1);
    assert_int_equal(asked(bed, CVP_REPLACE(OLD_COPY), NULL), 0);
    bed->view.back = false;
    /* I7: somebody else was at work */
    put(bed->f->live_sha256, "cc");
    assert_int_equal(asked(bed, SWAP, &hold), -1);
    assert_true(hold);
    put(bed->f->live_sha256, OLD);
    /* I5: the copy is gone, or is another */
    put(bed->f->copy_sha256[CVP_OLD], "");
    assert_int_equal(asked(bed, SWAP, NULL), -1);
    put(bed->f->copy_sha256[CVP_OLD], OLD);
    /* I3 */
    bed->f->staged.entry[CVP_VXML].key = false;
    assert_int_equal(asked(bed, SWAP, NULL), -1);
    bed->f->staged.entry[CVP_VXML].key = true;
    bed->f->staged.entry[CVP_VXML].chain = 1;
    assert_int_equal(asked(bed, SWAP, NULL), -1);
    bed->f->staged.entry[CVP_VXML].chain = 2;
    assert_int_equal(asked(bed, SWAP, NULL), 0);
    /* none of it may be old */
    for (int bit = 0; bit < 32; bit++) {
        bed->f->node.base.read_ms[bit] = 1;
        assert_int_equal(
            asked(bed, SWAP, NULL),
            (1U << bit) & (CVP_READ_STATUS | CVP_READ_COPIES | CVP_READ_STAGED)
                ? -1
                : 0);
        read_now(bed);
    }
}

static void test_keys_only_in_the_copy(void **state)
{
    struct bed *bed = *state;

    /* signed: whoever made them anew would lose them */
    assert_int_equal(asked(bed, CVP_DELETE("wsm_certificate", NEW_COPY), NULL),
                     -1);
    assert_int_equal(
        asked(bed, CVP_GENERATE("wsm_certificate", "a.b", NEW_COPY), NULL), -1);
    assert_int_equal(asked(bed, CVP_COPY_ASIDE(NEW_COPY), NULL), -1);
    assert_int_equal(
        asked(bed, CVP_IMPORT("wsm_certificate", "a.crt", NEW_COPY), NULL), 0);
    bed->pc->issued = false;
    assert_int_equal(asked(bed, CVP_DELETE("wsm_certificate", NEW_COPY), NULL),
                     0);
    assert_int_equal(asked(bed, CVP_COPY_ASIDE(NEW_COPY), NULL), 0);
    assert_int_equal(asked(bed, CVP_DELETE("wsm_certificate", OLD_COPY), NULL),
                     -1);
    assert_int_equal(asked(bed, CVP_COPY_ASIDE("x.keystore"), NULL), -1);
    /* the keystore is the new one: the copy of the old one is not made again */
    put(bed->f->live_sha256, NEW);
    assert_int_equal(asked(bed, CVP_COPY_ASIDE(OLD_COPY), NULL), -1);
}

static void test_services(void **state)
{
    struct bed *bed = *state;

    assert_int_equal(asked(bed, "net stop VXMLServer", NULL), -1);
    put(bed->f->live_sha256, NEW);
    assert_int_equal(asked(bed, "net stop VXMLServer", NULL), 0);
    assert_int_equal(asked(bed, "net stop W3SVC", NULL), -1);
    assert_int_equal(asked(bed, "net stop Spooler", NULL), -1);
    bed->view.back = true;
    assert_int_equal(asked(bed, "net start VXMLServer", NULL), -1);
    put(bed->f->live_sha256, OLD);
    assert_int_equal(asked(bed, "net start VXMLServer", NULL), 0);
}

static void test_files(void **state)
{
    struct bed *bed = *state;
    const struct act put = {ACT_PUT, "wsm_crt"};
    const struct act away = {ACT_REMOVE, "wsm-g7-3f9a.csr"};
    struct err err = {0};
    bool hold;

    assert_int_equal(
        cvp_guard(&bed->view, &put, "wsm-g7-3f9a.crt", &hold, &err), 0);
    assert_int_equal(
        cvp_guard(&bed->view, &put, "wsm-g6-3f9a.crt", &hold, &err), -1);
    assert_int_equal(cvp_guard(&bed->view, &put, NEW_COPY, &hold, &err), -1);
    assert_int_equal(cvp_guard(&bed->view, &put, "autoexec.bat", &hold, &err),
                     -1);
    assert_int_equal(
        cvp_guard(&bed->view, &away, "wsm-g7-3f9a.csr", &hold, &err), -1);
}

/* -- goals ----------------------------------------------------------------- */

/* A process that has not fetched it itself: before anything is live it is
 * fetched again, later it is there or is not. */
static void test_keep_goal(void **state)
{
    struct bed *bed = *state;
    struct err why = {0};

    assert_int_equal(cvp_goal_keep(&bed->view, &why), GOAL_OPEN);
    bed->pc->nodes[0].backup_ms = 1;
    assert_int_equal(cvp_goal_keep(&bed->view, &why), GOAL_MET);
    bed->pc->nodes[0].backup_ms = 0;
    bed->pc->left = true;
    put(bed->f->live_sha256, NEW);
    assert_int_equal(cvp_goal_keep(&bed->view, &why), GOAL_MET);
    put(bed->f->copy_sha256[CVP_OLD], "cc");
    assert_int_equal(cvp_goal_keep(&bed->view, &why), GOAL_OPEN);
}

static void test_swap_goal(void **state)
{
    struct bed *bed = *state;
    struct err why = {0};

    assert_int_equal(cvp_goal_swap(&bed->view, &why), GOAL_OPEN);
    bed->view.acted = true;
    assert_int_equal(cvp_goal_swap(&bed->view, &why), GOAL_ERROR);
    put(bed->f->live_sha256, NEW);
    assert_int_equal(cvp_goal_swap(&bed->view, &why), GOAL_MET);
    bed->view.back = true;
    assert_int_equal(cvp_goal_swap(&bed->view, &why), GOAL_ERROR);
    /* no copy, no digest: two blanks are not the same */
    bed->view.back = false;
    put(bed->f->copy_sha256[CVP_NEW], "");
    put(bed->f->live_sha256, "");
    assert_int_equal(cvp_goal_swap(&bed->view, &why), GOAL_ERROR);
}

static void test_service_goal(void **state)
{
    struct bed *bed = *state;
    struct err why = {0};
    char *shown = bed->f->shown_sha256[CVP_WSM];

    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_ERROR); /* not swapped */
    put(bed->f->live_sha256, NEW);
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_OPEN);
    bed->view.acted = true; /* it still shows what it had */
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_ERROR);
    put(shown, ""); /* it is on its way */
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_OPEN);
    put(shown, "new-cert");
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why), GOAL_MET);
    bed->view.walk_ms = UINT64_MAX; /* read before this walk */
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_OPEN);
    bed->view.walk_ms = 0;
    bed->f->service[CVP_SVC_WSM] = WIN_STARTING;
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_BUSY);
    bed->f->service[CVP_SVC_WSM] = WIN_UNKNOWN;
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_UNKNOWN);
    bed->f->service[CVP_SVC_WSM] = WIN_STOPPED;
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_WSM, &why),
                     GOAL_ERROR);
}

/* Its port answered nobody: started by this try, or never touched. */
static void test_unseen_service(void **state)
{
    struct bed *bed = *state;
    struct err why = {0};

    put(bed->f->live_sha256, NEW);
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_CALLSERVER, &why),
                     GOAL_MET);
    plan_note_sent(bed->pc, 0, SWAP);
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_CALLSERVER, &why),
                     GOAL_OPEN);
    bed->view.acted = true;
    assert_int_equal(cvp_goal_service(&bed->view, CVP_SVC_CALLSERVER, &why),
                     GOAL_MET);
}

static void test_recognised(void **state)
{
    struct bed *bed = *state;
    struct err err = {0};

    bed->pc->nodes[1].left_out = true;
    assert_int_equal(cvp_recognise(bed->pc, &err), 0);
    put(bed->f->live_sha256, NEW);
    assert_int_equal(cvp_recognise(bed->pc, &err), 0);
    put(bed->f->live_sha256, "cc");
    assert_int_equal(cvp_recognise(bed->pc, &err), -1);
    assert_int_equal(cvp_way_back(bed->pc, 0, &err), 0);
    put(bed->f->copy_sha256[CVP_OLD], "cc");
    assert_int_equal(cvp_way_back(bed->pc, 0, &err), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_acts_can_be_sent),
        TEST(test_only_commands_of_the_table),
        TEST(test_inputs),
        TEST(test_swap_needs_its_ground),
        TEST(test_keys_only_in_the_copy),
        TEST(test_services),
        TEST(test_files),
        TEST(test_keep_goal),
        TEST(test_swap_goal),
        TEST(test_service_goal),
        TEST(test_unseen_service),
        TEST(test_recognised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
