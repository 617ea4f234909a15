/* SPDX-License-Identifier: Apache-2.0
 *
 * The picture of a playbook has every row of the table and every way between
 * them, and no line that leads to nothing.
 */
#include "cli/dot.h"
#include <stdarg.h>

#include "cli/step_words.h"
#include "playbooks/registry.h"
#include "tests/unit/cli_capture.h"

static const struct playbook *pb;
static char text[sizeof(capture.out)];

static int draw(void **state)
{
    if (capture_setup(state) < 0)
        return -1;
    pb = registry_playbook("cms/db-rotate");
    assert_int_equal(CERTFLEET("playbooks", "cms/db-rotate", "--dot"), 0);
    memcpy(text, capture.out, sizeof(text));
    return 0;
}

static bool has(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bool has(const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    return strstr(text, line) != NULL;
}

static void every_row_is_drawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < pb->n_steps; i++) {
        const struct step *s = &pb->steps[i];
        if (!has("row%zu [label=\"%zu  %s\\n%s\\n", i + 1, i + 1, s->id,
                 s->title))
            fail_msg("row %zu, %s, is not drawn", i + 1, s->id);
        assert_true(has("%s\\n%s", step_order_word(s->order),
                        step_kind_word(s->flags)));
    }
    assert_false(has("row%zu", pb->n_steps + 1));
}

/* A chained row stands in the frame of the row above; other rows begin one. */
static void blocks_are_framed(void **state)
{
    (void)state;
    for (size_t i = 0; i < pb->n_steps; i++)
        assert_int_equal(has("subgraph cluster%zu {", i + 1),
                         !(pb->steps[i].flags & STEP_CHAIN));
}

static void every_row_leads_to_the_next(void **state)
{
    (void)state;
    for (size_t i = 1; i < pb->n_steps; i++)
        assert_true(has("row%zu -> row%zu", i, i + 1));
    assert_true(has("row%zu -> done;", pb->n_steps));
}

static void every_row_may_fail(void **state)
{
    bool live = false, turned = false;

    (void)state;
    for (size_t i = 0; i < pb->n_steps; i++) {
        unsigned flags = pb->steps[i].flags;
        live = live || (flags & STEP_LIVE);
        assert_int_equal(has("row%zu -> untouched [", i + 1), !live);
        assert_int_equal(has("row%zu -> back [", i + 1), live);
        assert_int_equal(has("row%zu -> leftout [", i + 1), turned);
        turned = turned || (flags & STEP_TURN);
    }
}

/* Back to the first live row of the same nodes, and to no other. */
static void a_rewind_stays_with_its_nodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < pb->n_steps; i++)
        for (size_t to = 0, first = 0; to < pb->n_steps; to++) {
            bool own = (pb->steps[to].flags & STEP_LIVE) &&
                       (pb->steps[to].roles & pb->steps[i].roles);
            bool wanted =
                own && first == 0 && (pb->steps[i].flags & STEP_REWIND);
            first += own;
            assert_int_equal(
                has("row%zu -> row%zu [style=dotted", i + 1, to + 1), wanted);
        }
}

/* Every line that begins at a name ends at one that is drawn. */
static void no_way_leads_to_nothing(void **state)
{
    size_t ways = 0;

    (void)state;
    for (const char *p = text; (p = strstr(p, " -> ")); ways++) {
        char name[32], box[48], end[48];
        p += 4;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, " ;"), p);
        snprintf(box, sizeof(box), "    %s [label=", name);
        snprintf(end, sizeof(end), "  %s [shape=", name);
        assert_true(has("%s", box) || has("%s", end));
    }
    assert_true(ways > 2 * pb->n_steps);
}

/* With an opening brace for each closing one, outside of quotes. */
static void braces_and_quotes_agree(void **state)
{
    int depth = 0, deepest = 0;
    bool quoted = false;

    (void)state;
    for (const char *p = text; *p; p++) {
        if (*p == '\\' && quoted && p[1])
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += (*p == '{') - (*p == '}');
        assert_true(depth >= 0);
        deepest = depth > deepest ? depth : deepest;
    }
    assert_int_equal(depth, 0);
    assert_int_equal(deepest, 2);
    assert_false(quoted);
}

static void quotes_in_a_title_are_escaped(void **state)
{
    static const struct step steps[] = {
        {.id = "a", .title = "the \"new\" set \\", .order = STEP_ONCE}};
    const struct playbook odd = {
        .id = "x/y", .title = "say \"x\"", .steps = steps, .n_steps = 1};
    struct str out;

    (void)state;
    str_init(&out, 8192);
    dot_playbook(&odd, &out);
    assert_non_null(strstr(str_text(&out), "the \\\"new\\\" set \\\\\\n"));
    assert_non_null(strstr(str_text(&out), "say \\\"x\\\"\""));
    str_release(&out);
}

static void it_wants_a_name(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("playbooks", "--dot"), 2);
    assert_says(capture.err, "name it");
}

static void it_is_a_text_in_json(void **state)
{
    (void)state;
    assert_int_equal(CERTFLEET("--json", "playbooks", "cms/db-rotate", "--dot"),
                     0);
    assert_says(capture.out, "\"event\":\"dot\"");
    assert_says(capture.out, "digraph ");
    json_decref(capture_result());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_drawn),
        cmocka_unit_test(blocks_are_framed),
        cmocka_unit_test(every_row_leads_to_the_next),
        cmocka_unit_test(every_row_may_fail),
        cmocka_unit_test(a_rewind_stays_with_its_nodes),
        cmocka_unit_test(no_way_leads_to_nothing),
        cmocka_unit_test(braces_and_quotes_agree),
        cmocka_unit_test(quotes_in_a_title_are_escaped),
        cmocka_unit_test(it_wants_a_name),
        cmocka_unit_test(it_is_a_text_in_json),
    };

    return cmocka_run_group_tests(tests, draw, capture_teardown);
}
