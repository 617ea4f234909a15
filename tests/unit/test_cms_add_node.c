/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-add-node without a packet: its inputs, who is asked and who is
 * changed, what the guard lets through, and what a way back aims at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "playbooks/cms/handshake.h"
#include "tests/unit/cms_fixture.h"

enum {
    CORE1,
    CORE2,
    CORE3,
    EDGE1
};

#define JOIN "database cluster join 10.0.0.1"
#define CONNECT "database cluster connect 10.0.0.1"

static const char alone[] = "Status : Disabled\nInterface : none\n"
                            "Last command : none\n";

static struct plan *make_plan(struct fixture *fx, const char *const *inputs,
                              struct err *err)
{
    const struct plan_request request = {
        .inventory = fx->inventory,
        .playbook = registry_playbook("cms/db-add-node"),
        .target = "lab",
        .clusters = fx->inventory->clusters,
        .n_clusters = fx->inventory->n_clusters,
        .inputs = inputs,
        .tag = "3f9a",
    };

    return plan_new(&request, err);
}

static void use_plan(struct fixture *fx, const char *node)
{
    char word[64];
    const char *const inputs[] = {word, NULL};
    struct err err = {0};

    snprintf(word, sizeof(word), "node=%s", node);
    plan_free(fx->plan);
    fx->plan = make_plan(fx, inputs, &err);
    assert_non_null(fx->plan);
    fx->pc = &fx->plan->clusters[0];
}

/* A decided plan: this node is new, the rest a cluster that core1 leads. */
static void decided(struct fixture *fx, const char *node, size_t newcomer)
{
    use_plan(fx, node);
    assert_true(fx->pc->nodes[newcomer].newcomer);
    assert_int_equal(
        plan_name_set(fx->pc, 7, "3f9a", fx->inventory->state_dir, NULL), 0);
    cms_db_assign(fx->pc, CORE1);
    for (size_t i = 0; i < fx->pc->n_nodes; i++) {
        struct plan_node *pn = &fx->pc->nodes[i];
        pn->db_address = pn->node->address;
        pn->interface = "a";
        if (i == newcomer)
            fixture_says(fx, i, alone);
        else if (i == CORE1)
            fixture_place(fx, i, AS_PRIMARY, NULL, JOIN);
        else
            fixture_place(fx, i, i == EDGE1 ? AS_CLIENT : AS_REPLICA,
                          "10.0.0.1", i == EDGE1 ? CONNECT : JOIN);
    }
}

static void reuse(struct fixture *fx, size_t newcomer)
{
    for (size_t i = 0; i < fx->pc->n_nodes; i++)
        fx->pc->nodes[i].bystander = i != newcomer;
    fx->pc->reused = fx->pc->issued = true;
}

static int open_bed(void **state)
{
    static struct fixture fx;

    fixture_open(&fx);
    *state = &fx;
    return 0;
}

static int close_bed(void **state)
{
    fixture_close(*state);
    return 0;
}

static const struct step *row(const char *id, uint32_t roles)
{
    for (size_t i = 0; i < CMS_DB_STEPS; i++)
        if (strcmp(cms_db_steps[i].id, id) == 0 &&
            (cms_db_steps[i].roles & roles))
            return &cms_db_steps[i];
    fail_msg("there is no row %s", id);
    return NULL;
}

/* -- inputs ---------------------------------------------------------------- */

static void inputs_are_known_before_the_first_packet(void **state)
{
    static const struct {
        const char *words[3], *said;
    } rows[] = {
        {{NULL}, "which node is new?"},
        {{"node=core9", NULL}, "no such node"},
        {{"node=core3", "role=connect", NULL}, "with another role"},
        {{"node=core3", "role=turn", NULL}, "neither database nor connect"},
        {{"node=core3", "rotate=later", NULL}, "neither yes nor no"},
        {{"node=core3", "colour=blue", NULL}, "has no input"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct err err = {0};
        assert_null(make_plan(*state, rows[i].words, &err));
        assert_int_equal(err.cause, CAUSE_INPUT);
        if (!strstr(err.text, rows[i].said))
            fail_msg("%s", err.text);
    }
}

/* -- who has cells --------------------------------------------------------- */

static void bystanders_are_only_asked(void **state)
{
    struct fixture *fx = *state;

    decided(fx, "core3", CORE3);
    reuse(fx, CORE3);
    for (size_t i = 0; i < CMS_DB_STEPS; i++)
        for (size_t n = 0; n < fx->pc->n_nodes; n++) {
            const struct step *step = &cms_db_steps[i];
            if (n != CORE3 && plan_has_cell(fx->pc, step, n))
                assert_null(step->acts);
        }
    assert_true(plan_has_cell(fx->pc, row("join", CMS_REPLICA), CORE3));
    assert_true(plan_has_cell(fx->pc, row("prove", CMS_DATABASE), CORE1));
}

static void a_newcomer_is_no_outage(void **state)
{
    struct fixture *fx = *state;

    decided(fx, "edge1", EDGE1);
    assert_true(plan_has_outage(fx->pc, row("init", CMS_PRIMARY)));
    assert_false(plan_has_outage(fx->pc, row("connect", CMS_CONNECT)));
    reuse(fx, EDGE1);
    assert_false(plan_has_outage(fx->pc, row("init", CMS_PRIMARY)));
}

/* -- the acts -------------------------------------------------------------- */

static void list_acts(struct fixture *fx, size_t node, bool back,
                      struct str *out)
{
    struct view view = fixture_view(fx, node);

    view.back = back;
    for (size_t i = 0; i < CMS_DB_STEPS; i++) {
        const struct step *step = &cms_db_steps[i];
        const struct act *act;
        if (!(step->flags & STEP_LIVE) || !plan_has_cell(fx->pc, step, node))
            continue;
        for (size_t k = 0; (act = act_at(&view, step, k)); k++) {
            struct err err = {0};
            if (act_text(&view, act, out, &err) < 0)
                fail_msg("%s: %s", step->id, err.text);
            str_add(out, "\n");
        }
    }
}

static void acts_are(struct fixture *fx, size_t node, bool back,
                     const char *wanted)
{
    struct str text;

    str_init(&text, 8192);
    list_acts(fx, node, back, &text);
    assert_string_equal(str_text(&text), wanted);
    str_release(&text);
}

static void it_is_switched_and_joins(void **state)
{
    decided(*state, "core3", CORE3);
    reuse(*state, CORE3);
    acts_are(*state, CORE3, false,
             "database cluster certs dbserver-g7-3f9a.key "
             "dbserver-g7-3f9a.crt dbclient-g7-3f9a.key dbclient-g7-3f9a.crt "
             "dbca-g7-3f9a.crt\ndatabase cluster localnode a\n" JOIN "\n");
    decided(*state, "edge1", EDGE1);
    reuse(*state, EDGE1);
    acts_are(*state, EDGE1, false,
             "database cluster certs dbclient-g7-3f9a.key "
             "dbclient-g7-3f9a.crt dbca-g7-3f9a.crt\n"
             "database cluster localnode a\n" CONNECT "\n");
}

static void back_it_leaves_and_has_what_it_had(void **state)
{
    struct fixture *fx = *state;
    struct plan_node *pn;

    decided(fx, "core3", CORE3);
    reuse(fx, CORE3);
    fixture_place(fx, CORE3, AS_REPLICA, "10.0.0.1", JOIN);
    acts_are(fx, CORE3, true,
             "database cluster remove\ndatabase cluster certs none\n");
    pn = &fx->pc->nodes[CORE3];
    pn->old_interface = "b";
    pn->old.n = 3;
    pn->old.files[0] = (struct set_file){.slot = "client_key", .name = "k"};
    pn->old.files[1] = (struct set_file){.slot = "client_crt", .name = "c"};
    pn->old.files[2] = (struct set_file){.slot = "ca_crt", .name = "ca"};
    acts_are(fx, CORE3, true,
             "database cluster remove\ndatabase cluster certs k c ca\n"
             "database cluster localnode b\n");
}

/* -- goals on the way back ------------------------------------------------- */

static enum goal back_goal(struct fixture *fx, size_t node, const char *id)
{
    struct view view = fixture_view(fx, node);
    struct err why = {0};

    view.back = true;
    return row(id, fx->pc->nodes[node].roles)->goal(&view, &why);
}

static void back_a_member_is_to_leave(void **state)
{
    struct fixture *fx = *state;

    decided(fx, "core3", CORE3);
    reuse(fx, CORE3);
    fixture_place(fx, CORE3, AS_REPLICA, "10.0.0.1", JOIN);
    assert_int_equal(back_goal(fx, CORE3, "leave"), GOAL_OPEN);
    assert_int_not_equal(back_goal(fx, CORE3, "join"), GOAL_MET);
    assert_int_not_equal(back_goal(fx, CORE3, "prove"), GOAL_MET);
    /* out, but it still names files that it did not have */
    fixture_place(fx, CORE3, AS_ALONE, NULL, "database cluster remove");
    assert_int_equal(back_goal(fx, CORE3, "leave"), GOAL_MET);
    assert_int_equal(back_goal(fx, CORE3, "certs"), GOAL_OPEN);
    assert_int_not_equal(back_goal(fx, CORE3, "prove"), GOAL_MET);
    fixture_says(fx, CORE3, alone);
    assert_int_equal(back_goal(fx, CORE3, "certs"), GOAL_MET);
    assert_int_equal(back_goal(fx, CORE3, "join"), GOAL_MET);
    assert_int_equal(back_goal(fx, CORE3, "prove"), GOAL_MET);
}

/* -- the guard ------------------------------------------------------------- */

static void guarded(struct fixture *fx, size_t node, bool back,
                    const char *command, const char *wanted)
{
    const struct act act = {ACT_CONFIRM, command};
    struct view view = fixture_view(fx, node);
    struct err err = {0};
    bool hold = false;
    int rc;

    view.back = back;
    rc = cms_guard(&view, &act, command, &hold, &err);
    if (!wanted && rc < 0)
        fail_msg("refused: %s", err.text);
    if (wanted && (rc == 0 || !strstr(err.text, wanted)))
        fail_msg("`%s' on node %zu: %s", command, node,
                 rc == 0 ? "let through" : err.text);
}

static void the_others_are_never_touched(void **state)
{
    struct fixture *fx = *state;

    decided(fx, "core3", CORE3);
    reuse(fx, CORE3);
    guarded(fx, CORE1, false, "database cluster remove", "I3");
    guarded(fx, CORE2, false, "database cluster remove", "I3");
    guarded(fx, CORE2, true, "database cluster remove", "I3");
    guarded(fx, EDGE1, false, "database cluster certs a b c", "I3");
    guarded(fx, CORE1, false, "database cluster initialize", "I3");
}

static void it_joins_and_is_never_initialized(void **state)
{
    struct fixture *fx = *state;

    decided(fx, "core3", CORE3);
    reuse(fx, CORE3);
    guarded(fx, CORE3, false, JOIN, NULL);
    guarded(fx, CORE3, false, "database cluster join 10.0.0.2", "I2");
    guarded(fx, CORE3, false, "database cluster initialize", "I1");
    /* not even when it is called the holder, and nobody leads */
    cms_db_assign(fx->pc, CORE3);
    for (size_t i = CORE1; i < CORE3; i++)
        fixture_place(fx, i, AS_ALONE, NULL, JOIN);
    guarded(fx, CORE3, false, "database cluster initialize", "I1");
    guarded(fx, CORE3, false, JOIN, "I2");
}

static void back_it_may_leave_and_not_come_in(void **state)
{
    struct fixture *fx = *state;

    decided(fx, "core3", CORE3);
    reuse(fx, CORE3);
    guarded(fx, CORE3, true, JOIN, "I2");
    guarded(fx, CORE3, true, "database cluster certs none", NULL);
    guarded(fx, CORE3, false, "database cluster certs none", "I5");
    fixture_place(fx, CORE3, AS_REPLICA, "10.0.0.1", JOIN);
    guarded(fx, CORE3, true, "database cluster remove", NULL);
    guarded(fx, CORE3, true, "database cluster certs none", "I3");
    /* its own files are to be there before it loses these */
    fx->pc->nodes[CORE3].old.n = 1;
    fx->pc->nodes[CORE3].old.files[0] =
        (struct set_file){.slot = "ca_crt", .name = "ca", .sha256 = "12"};
    guarded(fx, CORE3, true, "database cluster remove", "I3");
    /* nobody who was a member is left without certificates */
    fx->pc->nodes[CORE2].bystander = false;
    fixture_place(fx, CORE2, AS_ALONE, NULL, JOIN);
    guarded(fx, CORE2, true, "database cluster certs none", "I5");
}

/* -- who meets whom -------------------------------------------------------- */

static void it_meets_nobody_with_its_old_set(void **state)
{
    struct fixture *fx = *state;
    struct cms_pairs pairs;
    size_t with = 0;

    decided(fx, "core3", CORE3);
    cms_pairs_make(fx->pc, &pairs); /* a rotation is folded in */
    for (size_t i = 0; i < pairs.n; i++) {
        const struct cms_pair *p = &pairs.list[i];
        bool its = p->client == CORE3 || p->server == CORE3;
        assert_int_equal(p->client_new, p->server_new);
        assert_true(!its || p->client_new);
        with += its;
    }
    assert_true(with > 0);
    cms_pairs_release(&pairs);
    reuse(fx, CORE3);
    cms_pairs_make(fx->pc, &pairs); /* all have the set that it gets */
    for (size_t i = 0; i < pairs.n; i++)
        assert_true(pairs.list[i].client_new && pairs.list[i].server_new);
    assert_true(pairs.n > 0);
    cms_pairs_release(&pairs);
}

/* -- the journal ----------------------------------------------------------- */

static void the_plan_survives_the_journal(void **state)
{
    struct fixture *fx = *state;
    struct err err = {0};
    json_t *json;

    decided(fx, "core3", CORE3);
    reuse(fx, CORE3);
    fx->pc->nodes[CORE3].old_interface = "b";
    json = plan_cluster_json(fx->pc);
    use_plan(fx, "core3");
    assert_int_equal(plan_cluster_load(fx->pc, json, &err), 0);
    json_decref(json);
    /* its folder is read, and nothing is made in it */
    assert_true(fx->pc->reused && fx->pc->issued);
    assert_true(fx->pc->nodes[CORE3].newcomer);
    assert_false(fx->pc->nodes[CORE3].bystander);
    assert_string_equal(fx->pc->nodes[CORE3].old_interface, "b");
    assert_true(fx->pc->nodes[CORE1].bystander);
    assert_false(fx->pc->nodes[CORE1].newcomer);
}

static void only_what_was_put_is_ours_to_remove(void **state)
{
    struct fixture *fx = *state;
    struct plan_node *pn;

    decided(fx, "core3", CORE3);
    pn = &fx->pc->nodes[CORE3];
    plan_note_file(fx->pc, CORE3, "dbca-g7-3f9a.crt"); /* lay there before */
    plan_note_put(fx->pc, CORE3, "dbca-g7-3f9a.crt");
    plan_note_put(fx->pc, CORE3, "dbclient-g7-3f9a.crt");
    assert_false(plan_has_put(pn, "dbca-g7-3f9a.crt"));
    assert_true(plan_has_put(pn, "dbclient-g7-3f9a.crt"));
    assert_true(plan_knows_file(pn, "dbclient-g7-3f9a.crt"));
}

#define BED(test) cmocka_unit_test_setup_teardown(test, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED(inputs_are_known_before_the_first_packet),
        BED(bystanders_are_only_asked),
        BED(a_newcomer_is_no_outage),
        BED(it_is_switched_and_joins),
        BED(back_it_leaves_and_has_what_it_had),
        BED(back_a_member_is_to_leave),
        BED(the_others_are_never_touched),
        BED(it_joins_and_is_never_initialized),
        BED(back_it_may_leave_and_not_come_in),
        BED(it_meets_nobody_with_its_old_set),
        BED(the_plan_survives_the_journal),
        BED(only_what_was_put_is_ours_to_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
