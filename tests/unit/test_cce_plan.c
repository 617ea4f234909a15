/* SPDX-License-Identifier: Apache-2.0
 *
 * cce/rotate as a table, its gates, goals and guard: what it lets through and
 * what it does not, whatever a planner says.
 */
#include "tests/unit/cce_fixture.h"

#define ICM_NEW "cce-icm-new-g7-3f9a.jks"

/* -- the table ------------------------------------------------------------- */

/* No quote of PowerShell's, nothing that cmd takes for its own. */
static unsigned send_row(struct cce_bed *bed, size_t node,
                         const struct step *step)
{
    struct view view = {.plan = bed->pc, .node = node};
    unsigned sent = 0;

    for (size_t k = 0; act_at(&view, step, k); k++) {
        const struct act *act = act_at(&view, step, k);
        struct err err = {0};
        struct str text;

        if (act->kind == ACT_LOCAL || !plan_has_cell(bed->pc, step, node))
            continue;
        str_init(&text, 4096);
        if (act_text(&view, act, &text, &err) < 0)
            fail_msg("%s: %s", step->id, err.text);
        if (act->kind == ACT_COMMAND &&
            !command_match(&cce_product, str_text(&text), &err))
            fail_msg("%s: %s", step->id, err.text);
        assert_null(strpbrk(str_text(&text), "'&|<>^"));
        assert_null(strstr(str_text(&text), "changeit"));
        str_release(&text);
        sent++;
    }
    return sent;
}

static void test_acts_can_be_sent(void **state)
{
    struct cce_bed *bed = *state;
    unsigned sent = 0;

    for (size_t row = 0; row < cce_rotate.n_steps; row++)
        sent += send_row(bed, 0, &cce_rotate.steps[row]);
    assert_true(sent > 25);
}

static void test_only_commands_of_the_table(void **state)
{
    static const char *const never[] = {
        "shutdown /r",
        "net stop W3SVC /y",
        "net start a b",
        "copy /b /y x C:\\icm\\ssl\\cacerts",
        "move /y C:\\icm\\ssl\\x C:\\icm\\ssl\\cacerts",
        "del C:\\icm\\ssl\\cacerts",
        "certutil -delstore My " OLD_IIS,
        "certutil -addstore -f Root x.crt",
        "certreq -new -machine -q -f x.inf cce-g7-3f9a.csr",
        "netsh http delete sslcert " CCE_IIS,
        "netsh http update sslcert ipport=0.0.0.0:8443 certhash=" OLD_IIS
        " appid=" APP " certstorename=MY",
        CCE_DIAGFW("C:") "/task:UnbindAndDeleteCert",
        CCE_DIAGFW("C:") "/task:CreateAndBindCert",
        CCE_LIST("cce-a -storepass changeit"),
        CCE_LIST("C:\\icm\\ssl\\cacerts"),
        CCE_IMPORT("ca-1", "cce-root", "C:\\icm\\ssl\\cacerts"),
        "sc query a|b",
        "echo %PATH%",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        if (command_match(&cce_product, never[i], NULL))
            fail_msg("may be sent: %s", never[i]);
}

static void test_inputs(void **state)
{
    static const char *const wrong[] = {
        "drive=",    "drive=DD",      "drive=1",       "drive=D:",
        "tomcat=",   "tomcat=a b",    "tomcat=a&calc", "tomcat=a\"",
        "tomcat=a%", "if_days_left=x"};
    struct cce_bed *bed = *state;
    struct err err = {0};
    struct plan *plan;
    struct str text;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        err = (struct err){0};
        if (cce_plan_of(bed, wrong[i], &err))
            fail_msg("taken: %s", wrong[i]);
        assert_int_equal(err.cause, CAUSE_INPUT);
    }
    plan = cce_plan_of(bed, "drive=D", &err);
    assert_non_null(plan);
    str_init(&text, 64);
    assert_true(cce_variable(&(struct view){.plan = &plan->clusters[0]},
                             "drive", &text));
    assert_string_equal(str_text(&text), "D:");
    str_release(&text);
    plan_free(plan);
    plan = cce_plan_of(bed, "tomcat=Tomcat10.1", &err);
    assert_non_null(plan);
    plan_free(plan);
}

static void test_request(void **state)
{
    static const char *const lines[] = {
        "Subject = \"CN=aw1.example.com\"\r\n",
        "FriendlyName = \"aw1.example.com\"\r\n",
        "MachineKeySet = TRUE\r\n",
        "_continue_ = \"dns=aw1.example.com&\"\r\n",
        "_continue_ = \"dns=aw.example.com&\"\r\n",
        "_continue_ = \"ipaddress=10.0.0.1&\"\r\n",
        "OID = 1.3.6.1.5.5.7.3.1\r\n",
        "OID = 1.3.6.1.5.5.7.3.2\r\n"};
    struct cce_bed *bed = *state;
    const struct secret *inf = cce_own(bed, "inf")->content;

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (!memmem(inf->data, inf->len, lines[i], strlen(lines[i])))
            fail_msg("not asked for: %s", lines[i]);
}

static void test_prepare_refuses(void **state)
{
    struct cce_bed *bed = *state;
    struct cluster cluster = *bed->pc->cluster;
    struct node node = *bed->pc->nodes[0].node;
    const char *const bare[] = {"aw1", NULL};
    struct plan_cluster pc = *bed->pc;
    struct plan_node nodes[2] = {bed->pc->nodes[0], bed->pc->nodes[1]};
    struct err err = {0};

    for (size_t i = 0; i < 2; i++)
        memset(&nodes[i].own, 0, sizeof(nodes[i].own));
    pc.nodes = nodes;
    pc.cluster = &cluster;
    nodes[0].node = &node;
    node.names = bare;
    assert_int_equal(cce_prepare(&pc, &err), -1);
    node = *bed->pc->nodes[0].node;
    node.keystore_password = NULL;
    assert_int_equal(cce_prepare(&pc, &err), -1);
    assert_int_equal(nodes[0].own.n, 0); /* before anything is made */
}

/* -- gates ----------------------------------------------------------------- */

static bool found(struct cce_bed *bed, const char *id)
{
    struct findings findings = {0};
    struct err err = {0};
    bool is = false;
    size_t errors = 0;

    assert_int_equal(cce_decide(bed->pc, &findings, &err), 0);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.list[i];

        errors += f->severity == SEVERITY_ERROR;
        is |= f->severity == SEVERITY_ERROR && id && strcmp(f->id, id) == 0 &&
              strcmp(f->node, "aw1") == 0;
    }
    findings_release(&findings);
    return id ? is && errors == 1 : errors == 0;
}

/* Each broken alone is found alone. */
static void test_gates(void **state)
{
    struct cce_bed *bed = *state;
    struct cce_facts *f = bed->f, was;

    cce_begins(f);
    was = *f;
    assert_true(found(bed, NULL));
    for (int s = 0; s < CCE_SERVICES; s++) {
        f->service[s] = WIN_STOPPED;
        assert_true(found(bed, "not-running"));
        f->service[s] = WIN_UNKNOWN;
        assert_true(found(bed, "no-service"));
        *f = was;
    }
    for (int l = 0; l < CCE_LISTENERS; l++) {
        f->bound[l].thumb[0] = '\0';
        assert_true(found(bed, "not-bound"));
        *f = was;
        f->bound[l].app[0] = '\0';
        assert_true(found(bed, "not-bound"));
        *f = was;
        f->shown[l].sha1[0] = '\0';
        assert_true(found(bed, "not-shown"));
        *f = was;
        put_thumb(f->shown[l].sha1, FOREIGN);
        assert_true(found(bed, "not-loaded"));
        *f = was;
    }
    f->node.clock.off_ms = -901000;
    assert_true(found(bed, "clock-skew"));
    *f = was;
    assert_true(found(bed, NULL));
}

static void test_java_home(void **state)
{
    static const char *const wrong[] = {
        "",         "%CCE_JAVA_HOME%", "C:",     "\\\\a\\b",
        "C:\\a\"b", "C:\\a'b",         "C:\\a&b"};
    struct cce_bed *bed = *state;

    cce_begins(bed->f);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(bed->f->home, sizeof(bed->f->home), "%s", wrong[i]);
        if (!found(bed, "java-home"))
            fail_msg("taken: %s", wrong[i]);
    }
}

/* A router has no Tomcat, and nobody asks for one. */
static void test_router_without_tomcat(void **state)
{
    struct cce_bed *bed = *state;

    cce_begins(bed->f);
    ((struct cce_facts *)bed->pc->nodes[1].facts)->service[CCE_TOMCAT] =
        WIN_UNKNOWN;
    assert_true(found(bed, NULL));
}

static void test_way_back(void **state)
{
    struct cce_bed *bed = *state;
    struct err err = {0};

    bed->pc->nodes[1].left_out = true;
    assert_int_equal(cce_way_back(bed->pc, 0, &err), 0);
    put(bed->f->copy_sha256[CCE_STORE_JAVA][CCE_OLD], "cc");
    assert_int_equal(cce_way_back(bed->pc, 0, &err), -1);
    put(bed->f->copy_sha256[CCE_STORE_JAVA][CCE_OLD], "old-java");
    assert_int_equal(cce_way_back(bed->pc, INT64_MAX, &err), -1);
    /* what is bound is not in the machine's store */
    cce_begins(bed->f);
    bed->f->in_my[CCE_PORTICO_7890][0] = '\0';
    assert_true(found(bed, NULL));
    assert_false(bed->pc->way_back);
    assert_int_equal(cce_way_back(bed->pc, 0, &err), -1);
    assert_non_null(strstr(bed->pc->no_way_back, OLD_PORTICO));
}

static void test_recognised(void **state)
{
    struct cce_bed *bed = *state;
    struct cce_bound *b = bed->f->bound;
    struct err err = {0};

    bed->pc->nodes[1].left_out = true;
    assert_int_equal(cce_recognise(bed->pc, &err), 0);
    put_thumb(b[CCE_IIS_443].thumb, bed->leaf_info.sha1);
    b[CCE_PORTICO_7890].thumb[0] = '\0'; /* died after UnbindCert */
    put(bed->f->store_sha256[CCE_STORE_ICM], "new-icm");
    assert_int_equal(cce_recognise(bed->pc, &err), 0);
    put_thumb(b[CCE_IIS_443].thumb, OLD_PORTICO); /* another listener's */
    assert_int_equal(cce_recognise(bed->pc, &err), -1);
    b[CCE_IIS_443].thumb[0] = '\0';
    assert_int_equal(cce_recognise(bed->pc, &err), -1);
    put_thumb(b[CCE_IIS_443].thumb, OLD_IIS);
    assert_int_equal(cce_recognise(bed->pc, &err), 0);
    put(bed->f->store_sha256[CCE_STORE_JAVA], "cc");
    assert_int_equal(cce_recognise(bed->pc, &err), -1);
}

/* -- goals ----------------------------------------------------------------- */

static void test_staging_goals(void **state)
{
    struct cce_bed *bed = *state;
    struct err why = {0};

    assert_int_equal(cce_goal_keep(&bed->view, &why), GOAL_OPEN);
    bed->pc->nodes[0].backup_ms = 1;
    assert_int_equal(cce_goal_keep(&bed->view, &why), GOAL_MET);
    assert_int_equal(cce_goal_trust(&bed->view, &why), GOAL_MET);
    bed->f->trusted[0] = false;
    assert_int_equal(cce_goal_trust(&bed->view, &why), GOAL_OPEN);
    assert_int_equal(cce_goal_accept(&bed->view, &why), GOAL_MET);
    put_thumb(bed->f->in_my[CCE_IIS_443], OLD_IIS);
    assert_int_equal(cce_goal_accept(&bed->view, &why), GOAL_OPEN);
    assert_int_equal(cce_goal_import(&bed->view, &why), GOAL_MET);
    bed->view.acted = true; /* exit code 0, and nothing was done */
    assert_int_equal(cce_goal_trust(&bed->view, &why), GOAL_ERROR);
    assert_int_equal(cce_goal_accept(&bed->view, &why), GOAL_ERROR);
    bed->f->staged[CCE_STORE_JAVA].n = 0;
    assert_int_equal(cce_goal_import(&bed->view, &why), GOAL_ERROR);
}

/* On a server whose row has just acted, or has not. */
static void goal_is(struct cce_bed *bed, goal_f *goal, enum goal open,
                    enum goal acted)
{
    struct view view = bed->view;
    struct err why = {0};

    assert_int_equal(goal(&view, &why), open);
    view.acted = true;
    assert_int_equal(goal(&view, &why), acted);
}

static void swap(struct cce_bed *bed, const char *word)
{
    for (int s = 0; s < CCE_STORES; s++) {
        char text[16];

        snprintf(text, sizeof(text), "%s-%s", word, cce_store_words[s]);
        put(bed->f->store_sha256[s], text);
    }
}

static void bind_all(struct cce_bed *bed)
{
    for (int l = 0; l < CCE_LISTENERS; l++)
        put_thumb(bed->f->bound[l].thumb, bed->leaf_info.sha1);
}

static void test_live_goals(void **state)
{
    struct cce_bed *bed = *state;

    goal_is(bed, cce_goal_stores, GOAL_OPEN, GOAL_ERROR);
    goal_is(bed, cce_goal_iis, GOAL_OPEN, GOAL_ERROR);
    goal_is(bed, cce_goal_portico, GOAL_OPEN, GOAL_ERROR);
    swap(bed, "new");
    bind_all(bed);
    goal_is(bed, cce_goal_stores, GOAL_MET, GOAL_MET);
    goal_is(bed, cce_goal_iis, GOAL_MET, GOAL_MET);
    goal_is(bed, cce_goal_portico, GOAL_MET, GOAL_MET);
    bed->f->valid = false;
    goal_is(bed, cce_goal_portico, GOAL_OPEN, GOAL_ERROR);
    bed->view.back = true;
    goal_is(bed, cce_goal_stores, GOAL_OPEN, GOAL_ERROR);
    goal_is(bed, cce_goal_iis, GOAL_OPEN, GOAL_ERROR);
    /* no copy, no digest: two blanks are not the same */
    bed->view.back = false;
    put(bed->f->copy_sha256[CCE_STORE_ICM][CCE_NEW], "");
    put(bed->f->store_sha256[CCE_STORE_ICM], "");
    goal_is(bed, cce_goal_stores, GOAL_OPEN, GOAL_ERROR);
}

/* The port's word counts, and only of this walk. */
static void test_shown(void **state)
{
    struct cce_bed *bed = *state;

    bind_all(bed);
    swap(bed, "new");
    goal_is(bed, cce_goal_iisadmin, GOAL_OPEN, GOAL_OPEN);
    goal_is(bed, cce_goal_diagfw, GOAL_OPEN, GOAL_OPEN);
    for (int l = 0; l < CCE_LISTENERS; l++)
        bed->f->shown[l] = bed->leaf_info;
    goal_is(bed, cce_goal_iisadmin, GOAL_MET, GOAL_MET);
    goal_is(bed, cce_goal_diagfw, GOAL_MET, GOAL_MET);
    goal_is(bed, cce_goal_prove, GOAL_MET, GOAL_MET);
    bed->f->service[CCE_W3SVC] = WIN_STOPPED;
    goal_is(bed, cce_goal_iisadmin, GOAL_OPEN, GOAL_ERROR);
    bed->f->service[CCE_W3SVC] = WIN_STARTING;
    goal_is(bed, cce_goal_iisadmin, GOAL_BUSY, GOAL_BUSY);
    bed->f->service[CCE_W3SVC] = WIN_UNKNOWN;
    goal_is(bed, cce_goal_iisadmin, GOAL_UNKNOWN, GOAL_UNKNOWN);
    bed->f->service[CCE_W3SVC] = WIN_RUNNING;
    bed->view.walk_ms = UINT64_MAX;
    goal_is(bed, cce_goal_iisadmin, GOAL_OPEN, GOAL_OPEN);
}

/* Changed by this run, and not seen to start since. */
static void test_started_anew(void **state)
{
    struct cce_bed *bed = *state;

    swap(bed, "new");
    goal_is(bed, cce_goal_tomcat, GOAL_MET, GOAL_MET);
    plan_note_sent(bed->pc, 0, CCE_REPLACE_ICM("C:", ICM_NEW));
    goal_is(bed, cce_goal_tomcat, GOAL_OPEN, GOAL_MET);
    swap(bed, "old");
    goal_is(bed, cce_goal_tomcat, GOAL_OPEN, GOAL_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CCE_TEST(test_acts_can_be_sent),
        CCE_TEST(test_only_commands_of_the_table),
        CCE_TEST(test_inputs),
        CCE_TEST(test_request),
        CCE_TEST(test_prepare_refuses),
        CCE_TEST(test_gates),
        CCE_TEST(test_java_home),
        CCE_TEST(test_router_without_tomcat),
        CCE_TEST(test_way_back),
        CCE_TEST(test_recognised),
        CCE_TEST(test_staging_goals),
        CCE_TEST(test_live_goals),
        CCE_TEST(test_shown),
        CCE_TEST(test_started_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
