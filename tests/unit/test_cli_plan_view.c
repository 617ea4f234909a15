/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of a made-up playbook as people read it: order, exact commands,
 * outage, way back, findings; what comes from a node cannot steer a terminal.
 */
#include "cli/plan_view.h"
#include "tests/unit/cli_capture.h"

enum {
    LEAD = 1,
    FOLLOW = 2
};

static bool variable(const struct view *view, const char *name, struct str *out)
{
    if (strcmp(name, "me") == 0)
        str_add(out, view->plan->nodes[view->node].node->name);
    else if (strcmp(name, "evil") == 0)
        str_add(out, "a\033[2Jb");
    else
        return false;
    return true;
}

static enum goal never(const struct view *view, struct err *why)
{
    (void)view;
    (void)why;
    return GOAL_OPEN;
}

static enum goal on_second(const struct view *view, struct err *why)
{
    (void)why;
    return view->node == 1 ? GOAL_MET : GOAL_OPEN;
}

/* clang-format off */
static const struct act make_acts[] = {{ACT_LOCAL, "a new set", 0}, {ACT_END}};
static const struct act push_acts[] = {
    {ACT_PUT, "key", 0}, {ACT_FETCH, "old.bak", 0},
    {ACT_COMMAND, "look {me}", LEAD}, {ACT_END}};
static const struct act leave_acts[] = {
    {ACT_CONFIRM, "leave {me}", 0}, {ACT_END}};
static const struct act switch_acts[] = {
    {ACT_COMMAND, "switch {evil}", 0}, {ACT_COMMAND, "go {lost}", 0},
    {ACT_END}};
static const struct step steps[] = {
    {.id = "gates", .title = "look", .roles = LEAD | FOLLOW,
     .order = STEP_PARALLEL, .flags = STEP_READ, .reads = 1, .goal = never},
    {.id = "make", .title = "make it", .order = STEP_ONCE,
     .flags = STEP_STAGE, .acts = make_acts, .goal = never},
    {.id = "push", .title = "push it", .roles = LEAD | FOLLOW,
     .order = STEP_PARALLEL, .flags = STEP_STAGE, .acts = push_acts,
     .goal = never},
    {.id = "leave", .title = "followers out", .roles = FOLLOW,
     .order = STEP_AS_LEAVE, .flags = STEP_LIVE, .acts = leave_acts,
     .goal = on_second},
    {.id = "switch", .title = "followers over", .roles = FOLLOW,
     .order = STEP_AS_LEAVE, .flags = STEP_LIVE | STEP_CHAIN,
     .acts = switch_acts, .goal = never},
    {.id = "leave", .title = "the lead out", .roles = LEAD,
     .order = STEP_ONE_BY_ONE, .flags = STEP_LIVE | STEP_OUTAGE |
     STEP_ONE_WAY, .acts = leave_acts, .goal = never},
    {.id = "prove", .title = "prove it", .roles = LEAD | FOLLOW,
     .order = STEP_PARALLEL, .flags = STEP_LIVE, .reads = 3,
     .goal = never},
};
static const struct command_row rows[] = {
    {"look {}", COMMAND_READS}, {"leave {}", COMMAND_DESTROYS}, {NULL, 0}};
static const struct read_row reads[] = {
    {.bit = 1, .kind = READ_COMMAND, .text = "status"},
    {.bit = 2, .kind = READ_LIST}, {.bit = 0}};
static const struct link_dialect dialect = {.answer = "Y"};
static const struct product product = {
    .name = "box", .commands = rows, .reads = reads, .variable = variable,
    .dialect = &dialect};
static const struct playbook playbook = {
    .id = "box/turn", .title = "turn the box", .product = &product,
    .steps = steps, .n_steps = sizeof(steps) / sizeof(steps[0]),
    .caution = "Calls drop."};
/* clang-format on */

static struct cluster cluster = {.name = "emea", .leave = LANE_ONE_BY_ONE};
static struct node nodes[3] = {{.name = "n1"}, {.name = "n2"}, {.name = "n3"}};
static struct plan_node plan_nodes[3];
static struct plan_cluster pc;
static struct plan plan;
static struct str text;

static int setup(void **state)
{
    (void)state;
    memset(&plan, 0, sizeof(plan));
    memset(&pc, 0, sizeof(pc));
    memset(plan_nodes, 0, sizeof(plan_nodes));
    for (int i = 0; i < 3; i++) {
        plan_nodes[i].node = &nodes[i];
        plan_nodes[i].roles = i == 0 ? LEAD : FOLLOW;
        nodes[i].cluster = &cluster;
    }
    pc = (struct plan_cluster){
        .plan = &plan,
        .cluster = &cluster,
        .nodes = plan_nodes,
        .n_nodes = 3,
        .number = 7,
        .tag = "3f9a",
        .holder = 0,
        .way_back = true,
        .way_back_until = 4102444800, /* 2100-01-01 */
        .outage_estimate_ms = 40000,
        .decided = true,
        .set = {.files = {{.slot = "key", .name = "box-g7-3f9a.key"}}, .n = 1},
    };
    cluster.leave = LANE_ONE_BY_ONE;
    plan.playbook = &playbook;
    plan.target = "emea";
    plan.clusters = &pc;
    plan.n_clusters = 1;
    str_init(&text, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    findings_release(&pc.findings);
    str_release(&text);
    return 0;
}

static void view(const struct plan_view_options *options)
{
    str_reset(&text);
    plan_view(&plan, options, &text);
}

/* Each part stands behind the one before it. */
static void assert_order(const char *const *parts)
{
    const char *p = str_text(&text);

    for (; *parts; parts++) {
        const char *found = strstr(p, *parts);
        if (!found) {
            fail_msg("`%s' is not behind the part before it in:\n%s", *parts,
                     str_text(&text));
            return;
        }
        p = found + strlen(*parts);
    }
}
#define ORDER(...) assert_order((const char *const[]){__VA_ARGS__, NULL})

static void test_blocks_nodes_commands_in_order(void **state)
{
    (void)state;
    view(&(struct plan_view_options){.back = false});
    ORDER("box/turn on emea", "generation 7, tag 3f9a", "holds the data: n1",
          "WAY BACK until 2100-01-01T00:00:00Z", "1. gates: look",
          "reads: status\n", "2. make: make it (here)", "* a new set",
          "3. push", "    n1\n", "+ put box-g7-3f9a.key", "< get old.bak",
          "> look n1", "    n2, n3\n", "+ put box-g7-3f9a.key",
          "4. leave, switch: followers out; followers over (one by one)",
          "    n2\n", "(leave: already so", "> leave n2   (asks; answered Y)",
          "> switch a\\x1b[2Jb", "> go {lost}   ({lost} is not known)",
          "    n3\n", "> leave n3", "OUTAGE BEGINS: users notice, about 40 s",
          "5. leave: the lead out", "ONE_WAY", "    n1\n", "> leave n1",
          "OUTAGE ENDS", "6. prove", "reads: status; the list of files",
          "    n1, n2, n3\n", "Calls drop.", "Plan: 1 cluster, 3 nodes");
    assert_null(strchr(str_text(&text), '\033'));
}

static void test_parallel_lanes_share_a_list(void **state)
{
    (void)state;
    cluster.leave = LANE_PARALLEL;
    view(&(struct plan_view_options){.back = false});
    ORDER("4. leave, switch", "(in parallel)", "> leave n2", "> leave n3");
}

static void test_sum_counts_what_changes_a_node(void **state)
{
    struct plan_sum sum;

    (void)state;
    plan_sum(&plan, false, &sum);
    /* leave 3, switch and go on two followers; `look' only reads */
    assert_int_equal(sum.commands, 3 + 2 * 2);
    assert_int_equal(sum.files, 3);
    assert_true(sum.outage);
    assert_true(sum.one_way);
    assert_false(sum.no_way_back);
}

static void test_until_ends_the_plan(void **state)
{
    (void)state;
    view(&(struct plan_view_options){.until = "push"});
    ORDER("3. push", "ends here");
    assert_null(strstr(str_text(&text), "leave"));
    assert_null(strstr(str_text(&text), "OUTAGE"));
}

static void test_the_way_back_has_live_rows_only(void **state)
{
    (void)state;
    view(&(struct plan_view_options){.back = true});
    ORDER("taken back on emea", "back to each node's old files",
          "1. leave, switch", "OUTAGE BEGINS", "2. leave", "OUTAGE ENDS",
          "3. prove");
    assert_null(strstr(str_text(&text), "push it"));
    assert_null(strstr(str_text(&text), "gates"));
}

static void test_no_way_back_and_findings_are_told(void **state)
{
    static const char *const accepted[] = {"clock-skew", NULL};

    (void)state;
    pc.way_back = false;
    snprintf(pc.no_way_back, sizeof(pc.no_way_back), "the old are over");
    findings_add(&pc.findings, SEVERITY_INFO, "note", NULL, "all \033[1m new");
    findings_add(&pc.findings, SEVERITY_BLOCK, "clock-skew", "n2", "late");
    view(&(struct plan_view_options){.back = false});
    ORDER("NO WAY BACK: the old are over", "BLOCKS n2: late",
          "--accept clock-skew", "note", "all \\x1b[1m new",
          "There is NO WAY BACK.");
    plan.accepted = accepted;
    view(&(struct plan_view_options){.back = false});
    ORDER("accepted n2: late");
}

static void test_left_out_and_not_due(void **state)
{
    (void)state;
    plan_nodes[2].left_out = true;
    view(&(struct plan_view_options){.back = false});
    ORDER("left out: n3");
    assert_null(strstr(str_text(&text), "> leave n3"));
    pc.not_due = true;
    snprintf(pc.why_not_due, sizeof(pc.why_not_due), "400 days left");
    view(&(struct plan_view_options){.back = false});
    ORDER("not due: 400 days left", "0 commands");
    assert_null(strstr(str_text(&text), "gates"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blocks_nodes_commands_in_order,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_parallel_lanes_share_a_list, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_sum_counts_what_changes_a_node,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_until_ends_the_plan, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_way_back_has_live_rows_only,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_way_back_and_findings_are_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_out_and_not_due, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
