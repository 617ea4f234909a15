/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of cms/db-rotate: its table of rows, its inputs, its way into the
 * journal and back, its hash, and which commands may be sent at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/run/act.h"
#include "tests/unit/cms_fixture.h"

static struct fixture fx;

static int open_bed(void **state)
{
    (void)state;
    fixture_open(&fx);
    return 0;
}

static int close_bed(void **state)
{
    (void)state;
    fixture_close(&fx);
    return 0;
}

/* -- I6: the commands ----------------------------------------------------- */

static void only_commands_of_the_table_match(void **state)
{
    static const char *const good[] = {
        "database cluster status",
        "database cluster certs a.key a.crt b.key b.crt ca.crt",
        "database cluster certs b.key b.crt ca.crt",
        "database cluster join 10.0.0.1",
        "database cluster join core1.example.com",
        "database cluster connect 2001:db8::1",
        "backup snapshot cf-3f9a-primary",
    };
    static const char *const bad[] = {
        "",
        "reboot",
        "shutdown",
        "factory_reset full",
        "backup rollback cf-3f9a-primary",
        "upgrade",
        "pki csr x CN:y",
        "database cluster join",
        "database cluster join ",
        "database cluster join 10.0.0.1 10.0.0.2",
        "database cluster join 10.0.0.1;reboot",
        "database cluster join 10.0.0.1\nreboot",
        "database cluster join $(reboot)",
        "database cluster join -f",
        "database cluster certs a b",
        "database cluster certs a b c d",
        "database cluster remove now",
        "database cluster remove ",
        " database cluster remove",
        "Database cluster remove",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_non_null(command_match(&cms_product, good[i], NULL));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(command_match(&cms_product, bad[i], NULL));
}

/* -- the rows ------------------------------------------------------------- */

static void rows_are_sound(const struct playbook *pb)
{
    for (size_t i = 0; i < pb->n_steps; i++) {
        const struct step *s = &pb->steps[i];
        unsigned kind = s->flags & (STEP_READ | STEP_STAGE | STEP_LIVE);
        assert_non_null(s->id);
        assert_non_null(s->title);
        assert_non_null(s->goal);
        assert_true(s->roles != 0);
        /* exactly one of them */
        assert_true(kind && (kind & (kind - 1)) == 0);
        /* reads first, then staging, then live: a barrier lies between */
        if (i > 0)
            assert_true(kind >= (pb->steps[i - 1].flags &
                                 (STEP_READ | STEP_STAGE | STEP_LIVE)));
        /* the same id only for other nodes */
        for (size_t k = 0; k < i; k++)
            if (strcmp(pb->steps[k].id, s->id) == 0)
                assert_int_equal(pb->steps[k].roles & s->roles, 0);
        /* a node may have some rows of a block only, all of one kind */
        if (s->flags & STEP_CHAIN)
            assert_true(pb->steps[i - 1].flags & kind);
    }
}

static void every_row_is_sound(void **state)
{
    const struct playbook *const *pb = registry_playbooks();

    (void)state;
    for (; *pb; pb++)
        rows_are_sound(*pb);
}

static void every_act_can_be_sent(void **state)
{
    const struct playbook *pb = &cms_db_rotate;

    (void)state;
    assert_int_equal(
        plan_name_set(fx.pc, 7, "3f9a", fx.inventory->state_dir, NULL), 0);
    cms_db_assign(fx.pc, 0);
    for (size_t i = 0; i < fx.pc->n_nodes; i++) {
        fx.pc->nodes[i].db_address = fx.pc->nodes[i].node->address;
        fx.pc->nodes[i].interface = "a";
    }
    for (size_t row = 0; row < pb->n_steps; row++)
        for (size_t n = 0; n < fx.pc->n_nodes; n++) {
            const struct view view = fixture_view(&fx, n);
            const struct act *act;

            if (!plan_has_cell(fx.pc, &pb->steps[row], n) ||
                pb->steps[row].order == STEP_ONCE)
                continue;
            for (size_t k = 0; (act = act_at(&view, &pb->steps[row], k)); k++) {
                struct str text;
                struct err err = {0};
                str_init(&text, 4096);
                if (act_text(&view, act, &text, &err) < 0)
                    fail_msg("%s: %s", pb->steps[row].id, err.text);
                if (act->kind == ACT_COMMAND || act->kind == ACT_CONFIRM)
                    if (!command_match(&cms_product, str_text(&text), &err))
                        fail_msg("%s: %s", pb->steps[row].id, err.text);
                str_release(&text);
            }
        }
}

static void connect_only_nodes_get_three_files(void **state)
{
    size_t files[2] = {0, 0};

    (void)state;
    for (size_t i = 0; i < fx.pc->set.n; i++) {
        files[0] += plan_node_gets(&fx.pc->nodes[0], &fx.pc->set.files[i]);
        files[1] += plan_node_gets(&fx.pc->nodes[3], &fx.pc->set.files[i]);
    }
    assert_int_equal(files[0], 5);
    assert_int_equal(files[1], 3);
}

static void names_carry_generation_and_tag(void **state)
{
    unsigned generation = 0;

    (void)state;
    assert_int_equal(plan_name_set(fx.pc, 7, "3f9a", "/s", NULL), 0);
    assert_string_equal(fx.pc->set.files[0].name, "dbserver-g7-3f9a.key");
    assert_string_equal(fx.pc->folder, "/s/clusters/lab/g7-3f9a");
    for (size_t i = 0; i < fx.pc->set.n; i++) {
        assert_true(cms_is_ours(fx.pc->set.files[i].name, &generation));
        assert_int_equal(generation, 7);
    }
    assert_false(cms_is_ours("dbserver.key", &generation));
    assert_false(cms_is_ours("dbserver-g7.key", &generation));
    assert_false(cms_is_ours("other-g7-3f9a.key", &generation));
    assert_int_equal(plan_name_set(fx.pc, 7, "../x", "/s", NULL), -1);
}

/* -- inputs --------------------------------------------------------------- */

static void wrong_inputs_are_known_before_any_packet(void **state)
{
    static const char *const bad[] = {
        "primary=core9",   "primary=edge1",
        "primary=",        "without=core1,core9",
        "without=",        "if_days_left=soon",
        "if_days_left=-1", "unknown=1",
        "primary",         "without=core1,core2,core3",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *const inputs[] = {bad[i], NULL};
        struct err err = {0};
        struct plan *plan = fixture_plan(&fx, inputs, &err);
        if (plan)
            fail_msg("`%s' was taken", bad[i]);
        assert_int_equal(err.cause, CAUSE_INPUT);
    }
}

static void an_input_given_twice_is_refused(void **state)
{
    const char *const inputs[] = {"primary=core1", "primary=core2", NULL};

    (void)state;
    assert_null(fixture_plan(&fx, inputs, NULL));
}

static void the_primary_cannot_be_left_out(void **state)
{
    const char *const inputs[] = {"primary=core1", "without=core1", NULL};

    (void)state;
    assert_null(fixture_plan(&fx, inputs, NULL));
}

static void nodes_are_left_out(void **state)
{
    const char *const inputs[] = {"without=core3,edge1", NULL};
    struct plan *plan = fixture_plan(&fx, inputs, NULL);

    (void)state;
    assert_non_null(plan);
    assert_false(plan->clusters[0].nodes[0].left_out);
    assert_true(plan->clusters[0].nodes[2].left_out);
    assert_true(plan->clusters[0].nodes[3].left_out);
    plan_free(plan);
}

/* -- into the journal and back -------------------------------------------- */

static void a_plan_survives_the_journal(void **state)
{
    struct plan *again = fixture_plan(&fx, NULL, NULL);
    struct err err = {0};
    json_t *json;

    (void)state;
    plan_name_set(fx.pc, 7, "3f9a", "/s", NULL);
    cms_db_assign(fx.pc, 1);
    fx.pc->nodes[0].db_address = "10.9.9.9";
    fx.pc->nodes[0].first_last = "database cluster join x";
    fx.pc->way_back = true;
    fx.pc->way_back_until = 1234567890;
    plan_note_file(fx.pc, 2, "a.key");
    json = plan_cluster_json(fx.pc);
    assert_int_equal(plan_cluster_load(&again->clusters[0], json, &err), 0);
    assert_int_equal(again->clusters[0].holder, 1);
    assert_int_equal(again->clusters[0].number, 7);
    assert_string_equal(again->clusters[0].tag, "3f9a");
    assert_string_equal(again->clusters[0].nodes[0].db_address, "10.9.9.9");
    assert_true(again->clusters[0].nodes[1].roles & CMS_PRIMARY);
    assert_true(plan_knows_file(&again->clusters[0].nodes[2], "a.key"));
    assert_int_equal(again->clusters[0].way_back_until, 1234567890);
    json_t *back = plan_cluster_json(&again->clusters[0]);
    assert_true(json_equal(json, back));
    json_decref(back);
    json_decref(json);
    plan_free(again);
}

static void another_node_set_is_refused(void **state)
{
    json_t *json = plan_cluster_json(fx.pc);
    struct err err = {0};

    (void)state;
    json_array_remove(json_object_get(json, "nodes"), 0);
    assert_int_equal(plan_cluster_load(fx.pc, json, &err), -1);
    assert_int_equal(err.cause, CAUSE_REFUSED);
    json_decref(json);
}

static void the_hash_moves_with_what_would_be_done(void **state)
{
    char first[PKI_SHA256_HEX], second[PKI_SHA256_HEX];

    (void)state;
    plan_hash(fx.plan, first);
    plan_hash(fx.plan, second);
    assert_string_equal(first, second);
    cms_db_assign(fx.pc, 1);
    plan_hash(fx.plan, second);
    assert_string_not_equal(first, second);
}

/* A record that is not of our making: entries without a slot are nobody's. */
static void files_without_a_slot_are_left_alone(void **state)
{
    json_t *json, *node,
        *old = json_pack("[{s:s}, {s:s, s:s}]", "name", "x", "slot", "ca_crt",
                         "name", "ca.crt");
    size_t i;

    (void)state;
    assert_int_equal(plan_name_set(fx.pc, 7, "3f9a", "/s", NULL), 0);
    json = plan_cluster_json(fx.pc);
    json_object_set_new(json, "set", json_pack("[{s:s}]", "name", "x"));
    json_array_foreach(json_object_get(json, "nodes"), i, node)
    {
        json_object_set(node, "old", old);
    }
    json_decref(old);
    assert_int_equal(plan_cluster_load(fx.pc, json, NULL), 0);
    assert_string_equal(fx.pc->set.files[0].name, "dbserver-g7-3f9a.key");
    assert_int_equal(fx.pc->nodes[0].old.n, 1);
    assert_null(set_slot(&fx.pc->nodes[0].old, "server_key"));
    assert_string_equal(set_slot(&fx.pc->nodes[0].old, "ca_crt")->name,
                        "ca.crt");
    json_decref(json);
}

#define BED(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

/* -- what is in use -------------------------------------------------------- */

static bool uses(struct fixture *bed, const char *name)
{
    const struct view view = {.plan = bed->pc, .node = 0, .walk_ms = 1};

    return cms_in_use(&view, name);
}

/* What a service that was not read may name is in use: also one whose role was
 * taken off. */
static void unread_is_in_use(void **state)
{
    static const char printout[] = "Enabled : true\nKey file : core.key\n";
    struct fixture bed;
    struct cms_facts *f;

    (void)state;
    fixture_open(&bed);
    fixture_place(&bed, 0, AS_PRIMARY, NULL, "none");
    f = (struct cms_facts *)bed.pc->nodes[0].facts;
    assert_false(uses(&bed, "dbserver-g7-3f9a.key"));
    assert_true(uses(&bed, "webadmin-g7-3f9a.key"));
    cms_service_parse(&f->services, SVC_WEBADMIN, printout, strlen(printout));
    assert_false(uses(&bed, "webadmin-g7-3f9a.key"));
    assert_true(uses(&bed, "core.key"));
    assert_true(uses(&bed, "turnca-g7-3f9a.crt"));
    fixture_close(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED(only_commands_of_the_table_match),
        BED(every_row_is_sound),
        BED(every_act_can_be_sent),
        BED(connect_only_nodes_get_three_files),
        BED(names_carry_generation_and_tag),
        BED(wrong_inputs_are_known_before_any_packet),
        BED(an_input_given_twice_is_refused),
        BED(the_primary_cannot_be_left_out),
        BED(nodes_are_left_out),
        BED(a_plan_survives_the_journal),
        BED(another_node_set_is_refused),
        BED(files_without_a_slot_are_left_alone),
        BED(the_hash_moves_with_what_would_be_done),
        cmocka_unit_test(unread_is_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
