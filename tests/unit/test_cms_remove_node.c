/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/db-remove-node without a packet: who may go, what is sent to whom, and
 * what it aims at on the way back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cms_fixture.h"

enum {
    CORE1,
    CORE2,
    CORE3,
    EDGE1
};

#define JOIN "database cluster join 10.0.0.1"
#define CONNECT "database cluster connect 10.0.0.1"
#define REMOVE "database cluster remove"
#define INIT "database cluster initialize"

static int use_plan(struct fixture *fx, const char *word, struct err *err)
{
    const char *const inputs[] = {word, NULL};
    const struct plan_request request = {
        .inventory = fx->inventory,
        .playbook = registry_playbook("cms/db-remove-node"),
        .target = "lab",
        .clusters = fx->inventory->clusters,
        .n_clusters = fx->inventory->n_clusters,
        .inputs = inputs,
        .tag = "3f9a",
    };

    plan_free(fx->plan);
    fx->plan = plan_new(&request, err);
    fx->pc = fx->plan ? &fx->plan->clusters[0] : NULL;
    return fx->plan ? 0 : -1;
}

/* core3 is to go; core1 leads, and all are in sync. */
static int open_bed(void **state)
{
    static struct fixture fx;
    struct err err = {0};

    fixture_open(&fx);
    assert_int_equal(use_plan(&fx, "node=core3", &err), 0);
    cms_db_assign(fx.pc, CORE1);
    for (size_t i = 0; i < fx.pc->n_nodes; i++) {
        fx.pc->nodes[i].db_address = fx.pc->nodes[i].node->address;
        fx.pc->nodes[i].interface = "a";
    }
    fixture_place(&fx, CORE1, AS_PRIMARY, NULL, JOIN);
    fixture_place(&fx, CORE2, AS_REPLICA, "10.0.0.1", JOIN);
    fixture_place(&fx, CORE3, AS_REPLICA, "10.0.0.1", JOIN);
    fixture_place(&fx, EDGE1, AS_CLIENT, "10.0.0.1", CONNECT);
    *state = &fx;
    return 0;
}

static int close_bed(void **state)
{
    fixture_close(*state);
    return 0;
}

static struct view look(struct fixture *fx, size_t node, bool back)
{
    struct view view = fixture_view(fx, node);

    view.back = back;
    return view;
}

static void guarded(struct fixture *fx, size_t node, bool back,
                    const char *command, const char *wanted)
{
    const struct act act = {ACT_CONFIRM, command};
    const struct view view = look(fx, node, back);
    struct err err = {0};
    bool hold = false;
    int rc = cms_guard(&view, &act, command, &hold, &err);

    if (!wanted && rc < 0)
        fail_msg("refused: %s", err.text);
    if (wanted && (rc == 0 || !strstr(err.text, wanted)))
        fail_msg("`%s' on node %zu: %s", command, node,
                 rc == 0 ? "let through" : err.text);
}

static void only_the_one_that_goes_is_sent_anything(void **state)
{
    guarded(*state, CORE3, false, REMOVE, NULL);
    guarded(*state, CORE2, false, REMOVE, "I3");
    guarded(*state, CORE1, false, REMOVE, "I3");
    guarded(*state, EDGE1, true, REMOVE, "I3");
}

/* Whatever the plan says: as read just now, it leads. */
static void a_primary_never_goes(void **state)
{
    struct fixture *fx = *state;

    fixture_place(fx, CORE1, AS_REPLICA, "10.0.0.3", JOIN);
    fixture_place(fx, CORE3, AS_PRIMARY, NULL, JOIN);
    guarded(fx, CORE3, false, REMOVE, "I1");
    cms_db_assign(fx->pc, CORE3);
    guarded(fx, CORE3, false, REMOVE, "I3");
}

static void it_comes_back_only_on_the_way_back(void **state)
{
    struct fixture *fx = *state;

    fixture_place(fx, CORE3, AS_ALONE, NULL, JOIN);
    guarded(fx, CORE3, false, JOIN, "I2");
    guarded(fx, CORE3, true, JOIN, NULL);
    guarded(fx, CORE3, false, INIT, "I1");
    guarded(fx, CORE3, true, INIT, "I1");
    guarded(fx, CORE3, false, "database cluster certs none", "I5");
    guarded(fx, CORE3, true, "database cluster certs none", "I5");
}

static enum goal goal_of(struct fixture *fx, bool back, goal_f *goal)
{
    const struct view view = look(fx, CORE3, back);
    struct err why = {0};

    return goal(&view, &why);
}

static void goals_aim_out_and_back_in(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(goal_of(fx, false, cms_goal_leave), GOAL_OPEN);
    assert_int_not_equal(goal_of(fx, false, cms_goal_prove), GOAL_MET);
    fixture_place(fx, CORE3, AS_ALONE, NULL, REMOVE);
    assert_int_equal(goal_of(fx, false, cms_goal_leave), GOAL_MET);
    assert_int_equal(goal_of(fx, false, cms_goal_certs), GOAL_MET);
    assert_int_equal(goal_of(fx, false, cms_goal_join), GOAL_MET);
    assert_int_equal(goal_of(fx, false, cms_goal_prove), GOAL_MET);
    assert_int_equal(goal_of(fx, true, cms_goal_join), GOAL_OPEN);
    assert_int_not_equal(goal_of(fx, true, cms_goal_prove), GOAL_MET);
}

/* The others are proven without it: they must not list it any more. */
static void the_others_must_not_see_it(void **state)
{
    struct fixture *fx = *state;
    const struct view view = look(fx, CORE1, false);
    struct err why = {0};

    fx->pc->nodes[CORE1].old.n = 1;
    fx->pc->nodes[CORE1].old.files[0] =
        (struct set_file){.slot = "ca_crt", .name = "ca.crt"};
    fixture_says(fx, CORE1,
                 "Status : Enabled\nNodes:\n"
                 "    10.0.0.1 (me) : Connected Primary\n"
                 "    10.0.0.2 : Connected Replica ( In Sync )\n"
                 "    10.0.0.3 : Connected Replica ( In Sync )\n"
                 "Certificates\n  CA Certificate : ca.crt\n"
                 "Last command : none\n");
    assert_int_not_equal(cms_goal_prove(&view, &why), GOAL_MET);
    assert_non_null(strstr(why.text, "it still sees node core3"));
    fixture_says(fx, CORE1,
                 "Status : Enabled\nNodes:\n"
                 "    10.0.0.1 (me) : Connected Primary\n"
                 "    10.0.0.2 : Connected Replica ( In Sync )\n"
                 "Certificates\n  CA Certificate : ca.crt\n"
                 "Last command : none\n");
    assert_int_equal(cms_goal_prove(&view, &why), GOAL_MET);
}

static void who_goes_is_known_before_the_first_packet(void **state)
{
    struct err err = {0};

    assert_int_equal(use_plan(*state, NULL, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "which node is to go?"));
    err_reset(&err);
    assert_int_equal(use_plan(*state, "node=core9", &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
}

static void the_plan_survives_the_journal(void **state)
{
    struct fixture *fx = *state;
    struct err err = {0};
    json_t *json = plan_cluster_json(fx->pc);

    fx->pc->nodes[CORE3].leaver = false;
    assert_int_equal(plan_cluster_load(fx->pc, json, &err), 0);
    json_decref(json);
    assert_true(fx->pc->nodes[CORE3].leaver);
    assert_false(fx->pc->nodes[CORE3].bystander);
    assert_true(fx->pc->nodes[CORE1].bystander);
}

#define BED(test) cmocka_unit_test_setup_teardown(test, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED(only_the_one_that_goes_is_sent_anything),
        BED(a_primary_never_goes),
        BED(it_comes_back_only_on_the_way_back),
        BED(goals_aim_out_and_back_in),
        BED(the_others_must_not_see_it),
        BED(who_goes_is_known_before_the_first_packet),
        BED(the_plan_survives_the_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
