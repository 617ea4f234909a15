/* SPDX-License-Identifier: Apache-2.0
 *
 * Who meets whom in cms/db-rotate, as its rows say.
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
    EDGE1,
    NODES
};

static struct fixture fx;

static int open_bed(void **state)
{
    (void)state;
    fixture_open(&fx);
    cms_db_assign(fx.pc, CORE1);
    return 0;
}

static int close_bed(void **state)
{
    (void)state;
    fixture_close(&fx);
    return 0;
}

/* -- who meets whom -------------------------------------------------------- */

static const struct cms_pair *pair_of(const struct cms_pairs *pairs,
                                      size_t client, size_t server, bool is_new)
{
    for (size_t i = 0; i < pairs->n; i++) {
        const struct cms_pair *p = &pairs->list[i];
        if (p->client == client && p->server == server &&
            p->client_new == is_new && p->server_new == is_new)
            return p;
    }
    fail_msg("%zu and %zu do not meet", client, server);
    return NULL;
}

static size_t mixed(const struct cms_pairs *pairs)
{
    size_t n = 0;

    for (size_t i = 0; i < pairs->n; i++)
        n += pairs->list[i].client_new != pairs->list[i].server_new;
    return n;
}

static void met_in(const struct cms_pairs *pairs, size_t client, size_t server,
                   const char *step)
{
    const struct cms_pair *old = pair_of(pairs, client, server, false);
    const struct cms_pair *fresh = pair_of(pairs, client, server, true);

    assert_string_equal(old->step, "leave");
    assert_true(old->back);
    assert_string_equal(fresh->step, step);
    assert_true(fresh->back);
}

static void the_rows_say_who_meets(void **state)
{
    struct cms_pairs pairs;

    (void)state;
    cms_pairs_make(fx.pc, &pairs);
    /* 3 x 3 databases, themselves included, 1 x 3 to them; twice */
    assert_int_equal(pairs.n, 2 * (9 + 3));
    assert_int_equal(mixed(&pairs), 0);
    met_in(&pairs, CORE1, CORE1, "init");
    met_in(&pairs, EDGE1, CORE1, "connect");
    met_in(&pairs, CORE2, CORE1, "join");
    met_in(&pairs, CORE1, CORE2, "join");
    met_in(&pairs, CORE3, CORE2, "join");
    met_in(&pairs, EDGE1, CORE3, "join");
    cms_pairs_release(&pairs);
}

static void who_is_left_out_meets_nobody(void **state)
{
    struct cms_pairs pairs;

    (void)state;
    fx.pc->nodes[CORE2].left_out = true;
    cms_pairs_make(fx.pc, &pairs);
    assert_int_equal(pairs.n, 2 * (4 + 2));
    for (size_t i = 0; i < pairs.n; i++)
        assert_true(pairs.list[i].client != CORE2 &&
                    pairs.list[i].server != CORE2);
    cms_pairs_release(&pairs);
}

/* A table without the rows that take the primary out: its old set would meet
 * the new ones, and that is found in the table itself. */
static void a_wrong_table_is_found(void **state)
{
    struct playbook wrong = cms_db_rotate;
    struct step rows[32];
    struct findings findings = {.n = 0};
    struct cms_pairs pairs;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < wrong.n_steps; i++)
        if (!(wrong.steps[i].roles == CMS_PRIMARY &&
              strcmp(wrong.steps[i].id, "init") != 0))
            rows[n++] = wrong.steps[i];
    assert_int_equal(n, wrong.n_steps - 2);
    wrong.steps = rows;
    wrong.n_steps = n;
    fx.plan->playbook = &wrong;
    cms_pairs_make(fx.pc, &pairs);
    assert_true(mixed(&pairs) > 0);
    cms_pairs_release(&pairs);
    cms_db_weigh(fx.pc, &findings);
    assert_int_equal(findings.list[0].severity, SEVERITY_ERROR);
    assert_string_equal(findings.list[0].id, "handshake");
    findings_release(&findings);
    fx.plan->playbook = &cms_db_rotate;
}

/* Every live row that sends something moves a node or switches its set, as far
 * as the pairs know: without it less would be judged. */
static void no_row_goes_unseen(void **state)
{
    struct cms_pairs all;

    (void)state;
    cms_pairs_make(fx.pc, &all);
    for (size_t out = 0; out < cms_db_rotate.n_steps; out++) {
        struct playbook less = cms_db_rotate;
        struct step rows[32];
        struct cms_pairs pairs;
        bool differs;

        if (!(less.steps[out].flags & STEP_LIVE) || !less.steps[out].acts)
            continue;
        memcpy(rows, less.steps, less.n_steps * sizeof(rows[0]));
        rows[out].acts = NULL;
        less.steps = rows;
        fx.plan->playbook = &less;
        cms_pairs_make(fx.pc, &pairs);
        differs = pairs.n != all.n || mixed(&pairs) > 0;
        for (size_t i = 0; !differs && i < all.n; i++)
            differs = strcmp(pairs.list[i].step, all.list[i].step) != 0;
        if (!differs)
            fail_msg("row %zu, %s, changes nothing", out, rows[out].title);
        cms_pairs_release(&pairs);
    }
    fx.plan->playbook = &cms_db_rotate;
    cms_pairs_release(&all);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_rows_say_who_meets),
        TEST(who_is_left_out_meets_nobody),
        TEST(a_wrong_table_is_found),
        TEST(no_row_goes_unseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
