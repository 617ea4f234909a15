/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose cluster it is: two runs at once, dead runs, unlock; which run is
 * meant; a fleet that has changed under a run.
 */
#include "tests/scenario/crew.h"

#include <signal.h>
#include <string.h>

#define REMOVE "database cluster remove"
#define APPLY "apply cms/db-rotate lab --yes"

static const char in_push[] = "core2 before 'pki match dbclient*'";
static const char in_leave[] = "core2 after '" REMOVE "'";
static const char *const two_clusters[] = {"--clusters", "2", NULL};

static struct bed_run *stand_at(struct bed *bed, const char *words,
                                const char *where, int *hold)
{
    struct bed_run *run;

    *hold = bed_id(bed_lab(bed, "hold %s", where));
    run = bed_begin(bed, BED_JSON, "%s", words);
    bed_lab(bed, "wait held %d", *hold);
    bed_await(run, "run-started", NULL, NULL);
    return run;
}

static const char *id_of(struct bed_run *run)
{
    return bed_text(bed_await(run, "run-started", NULL, NULL), "run");
}

/* Its id: the process is gone, its run is not. */
static const char *killed_at(struct bed *bed, const char *words,
                             const char *where)
{
    int hold;
    struct bed_run *run = stand_at(bed, words, where, &hold);

    assert_int_equal(kill(run->pid, SIGKILL), 0);
    run->plain = true;
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", hold);
    return id_of(run);
}

static json_int_t connections(struct bed *bed)
{
    json_t *answer = bed_lab(bed, "nodes");
    const json_t *node;
    json_int_t sum = 0;
    size_t i;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        sum += json_integer_value(json_object_get(node, "connections_total"));
    }
    return sum;
}

/* Ends so, and no node has heard of it. */
static struct bed_run *ends_unheard(struct bed *bed, int code,
                                    const char *outcome, const char *words)
{
    json_int_t before = connections(bed);
    struct bed_run *run = bed_do(bed, "%s", words);

    bed_ends(run, code, outcome);
    assert_int_equal(connections(bed), before);
    return run;
}

static const char *words_of(struct bed *bed, const char *a, const char *b,
                            const char *c)
{
    return arena_printf(&bed->arena, "%s %s %s", a, b, c);
}

static void says(const struct bed_run *run, const char *word)
{
    if (!bed_said(run, word))
        fail_msg("it does not say `%s': %s", word, str_text(&run->err_text));
}

/* -- living runs ----------------------------------------------------------- */

static void test_two_at_once(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *first, *second;
    int hold;

    first = stand_at(bed, APPLY, in_leave, &hold);
    second = ends_unheard(bed, 6, "locked", APPLY);
    says(second, id_of(first));
    says(second, arena_printf(&bed->arena, "pid %d", (int)first->pid));
    says(second, "show -f");
    ends_unheard(bed, 6, "locked",
                 words_of(bed, "resume", id_of(first), "--yes"));
    ends_unheard(bed, 6, "locked", "rollback last --yes");
    ends_unheard(bed, 6, "locked",
                 words_of(bed, "unlock lab --run", id_of(first), ""));
    bed_lab(bed, "release %d", hold);
    bed_finish(first);
    bed_ends(first, 0, "done");
    bed_is_new(bed, "lab", "core1");
    bed_ends(bed_apply(bed, ""), 0, "done");
}

/* Whoever is first: one does it, the other one is told. */
static void test_a_race(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *runs[3];
    int done = 0;

    for (int i = 0; i < 3; i++)
        runs[i] = bed_begin(bed, BED_JSON, APPLY);
    for (int i = 0; i < 3; i++) {
        bed_finish(runs[i]);
        done += runs[i]->code == 0;
        if (runs[i]->code != 0)
            bed_ends(runs[i], 6, "locked");
    }
    assert_int_equal(done, 1);
    assert_int_equal(bed_count(bed, "*", REMOVE), 3);
    bed_is_new(bed, "lab", "core1");
}

static void test_two_clusters_at_once(void **state)
{
    struct bed *bed = bed_start(state, "2+1", two_clusters);
    struct bed_run *a, *b;

    a = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab1 --yes");
    b = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab2 --yes");
    bed_finish(a);
    bed_finish(b);
    bed_ends(a, 0, "done");
    bed_ends(b, 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
}

/* Both find no CA, and want to make the same one. */
static void test_two_clusters_one_ca(void **state)
{
    struct bed *bed = bed_start(state, "1+0", two_clusters);
    struct bed_run *a, *b;

    bed_inventory_drop(bed, "issuer dbca");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[issuer dbca]\nkind = internal\n"
                           "ca_cert = one.crt\nca_key = one.key\n"
                           "key = ec:P-256\n",
                           bed_read(bed, "certfleet.ini")));
    a = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab1 --yes");
    b = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab2 --yes");
    bed_finish(a);
    bed_finish(b);
    bed_ends(a, 0, "done");
    bed_ends(b, 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
}

static void test_one_of_many(void **state)
{
    struct bed *bed = bed_start(state, "2+0", two_clusters);
    struct bed_run *all;
    int hold;

    all = stand_at(bed, "apply cms/db-rotate lab* --yes",
                   "lab1-core2 before '" REMOVE "'", &hold);
    says(ends_unheard(bed, 6, "locked", "apply cms/db-rotate lab2 --yes"),
         id_of(all));
    says(ends_unheard(bed, 6, "locked", "apply cms/db-rotate lab* --yes"),
         id_of(all));
    bed_lab(bed, "release %d", hold);
    bed_finish(all);
    bed_ends(all, 0, "done");
    bed_is_new(bed, "lab2", "lab2-core1");
}

/* -- dead runs ------------------------------------------------------------- */

static void test_apply_after_a_dead_run(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    const char *id = killed_at(bed, APPLY, in_leave);
    struct bed_run *run = ends_unheard(bed, 6, "locked", APPLY);

    /* both by name, and what to type */
    says(run, arena_printf(&bed->arena, "resume %s", id));
    says(run, arena_printf(&bed->arena, "rollback %s", id));
    says(run, arena_printf(&bed->arena, "unlock lab --run %s", id));
    bed_ends(bed_do(bed, "resume %s --yes", id), 0, "done");
    bed_is_new(bed, "lab", "core1");
    bed_ends(bed_apply(bed, ""), 0, "done");
}

static void test_unlock_a_dead_run(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    const char *id = killed_at(bed, APPLY, in_push);

    ends_unheard(bed, 6, "locked", APPLY);
    ends_unheard(bed, 2, "error", "unlock lab");
    ends_unheard(bed, 2, "error", "unlock lab --run 1999");
    ends_unheard(bed, 2, "error",
                 words_of(bed, "unlock nowhere --run", id, ""));
    ends_unheard(bed, 0, "ok", words_of(bed, "unlock lab --run", id, ""));
    ends_unheard(bed, 2, "error", words_of(bed, "unlock lab --run", id, ""));
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* An abandoned run that had taken nodes out: apply sees what is there. */
static void test_unlock_in_the_middle(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    const char *id = killed_at(bed, APPLY, in_leave);

    bed_lab(bed, "wait core2 role standalone");
    bed_ends(bed_do(bed, "unlock lab --run last"), 0, "ok");
    bed_ends(bed_apply(bed, ""), 5, "refused");
    assert_int_equal(bed_count(bed, "core1", REMOVE), 0);
    /* it can still be gone on with */
    bed_ends(bed_do(bed, "resume %s --yes", id), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Somebody unlocks, and another run is through: what the abandoned one had
 * staged can be taken away, and no more. */
static void test_rollback_below_a_later_run(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    const char *id = killed_at(bed, APPLY, in_push);
    unsigned removed;

    bed_ends(bed_do(bed, "unlock lab --run %s", id), 0, "ok");
    bed_ends(bed_apply(bed, ""), 0, "done");
    removed = bed_count(bed, "*", REMOVE);
    assert_int_equal(bed_files(bed, "core2", "db*-g1-*"), 5);
    bed_ends(bed_do(bed, "rollback %s --yes", id), 0, "rolled-back");
    assert_int_equal(bed_count(bed, "*", REMOVE), removed);
    assert_int_equal(bed_files(bed, "core2", "db*-g1-*"), 0);
    assert_int_equal(bed_files(bed, "core2", "db*-g2-*"), 5);
    bed_is_new(bed, "lab", "core1");
}

/* The same, when it had begun to take the cluster apart. */
static void test_resume_below_a_later_run(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    const char *id = killed_at(bed, APPLY, in_leave);
    unsigned removed;

    bed_lab(bed, "wait core2 role standalone");
    bed_ends(bed_do(bed, "unlock lab --run %s", id), 0, "ok");
    bed_lab(bed, "foreign core2 'database cluster join %s'",
            bed_node(bed, "core1", "address"));
    bed_lab(bed, "wait lab healthy true");
    bed_ends(bed_apply(bed, ""), 0, "done");
    removed = bed_count(bed, "*", REMOVE);
    bed_ends(bed_do(bed, "resume %s --yes", id), 4, "incomplete");
    bed_ends(bed_do(bed, "rollback %s --yes", id), 4, "incomplete");
    assert_int_equal(bed_count(bed, "*", REMOVE), removed);
    bed_is_new(bed, "lab", "core1");
}

static void test_dead_run_of_many(void **state)
{
    struct bed *bed = bed_start(state, "2+0", two_clusters);
    const char *id = killed_at(bed, "apply cms/db-rotate lab* --yes",
                               "lab1-core2 before '" REMOVE "'");

    says(ends_unheard(bed, 6, "locked", "apply cms/db-rotate lab2 --yes"), id);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab1", "lab1-core1");
    bed_is_new(bed, "lab2", "lab2-core1");
}

/* -- another fleet --------------------------------------------------------- */

static void other_fleet(struct bed *bed, const char *id, const char *before)
{
    struct bed_run *run = bed_do(bed, "resume %s --yes", id);

    bed_ends(run, 5, "refused");
    bed_ends(bed_do(bed, "rollback %s --yes", id), 5, "refused");
    assert_int_equal(bed_count(bed, "*", REMOVE), 1);
    bed_write(bed, "certfleet.ini", before);
    bed_ends(bed_do(bed, "resume %s --yes", id), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_node_gone_from_the_inventory(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    const char *before = bed_read(bed, "certfleet.ini");
    const char *id = killed_at(bed, APPLY, in_leave);

    bed_inventory_drop(bed, "node core3");
    other_fleet(bed, id, before);
}

static void test_node_new_in_the_inventory(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    const char *before = bed_read(bed, "certfleet.ini");
    const char *id = killed_at(bed, APPLY, in_leave);

    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[node core9]\ncluster = lab\n"
                           "address = 127.0.0.1\nport = 9\n"
                           "roles = database\n",
                           before));
    other_fleet(bed, id, before);
}

static void test_other_roles(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    const char *before = bed_read(bed, "certfleet.ini");
    const char *id = killed_at(bed, APPLY, in_leave);
    const char *node = strstr(before, "[node edge1]");
    const char *roles = node ? strstr(node, "connect") : NULL;

    assert_non_null(roles);
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*sdatabase%s", (int)(roles - before),
                           before, roles + strlen("connect")));
    other_fleet(bed, id, before);
}

/* -- which run ------------------------------------------------------------- */

static void test_which_run(void **state)
{
    struct bed *bed = bed_start(state, "1+0", NULL);
    struct bed_run *run;
    const char *first, *second, *prefix;

    ends_unheard(bed, 2, "error", "resume last --yes");
    ends_unheard(bed, 2, "error", "show last");
    run = bed_apply(bed, "--until issue");
    bed_ends(run, 0, "ok");
    first = bed_run_id(run);
    bed_ends(bed_do(bed, "show 2"), 0, "ok"); /* of one, anything is unique */
    run = bed_apply(bed, "--until issue");
    bed_ends(run, 0, "ok");
    second = bed_run_id(run);
    assert_string_equal(bed_run_id(bed_do(bed, "show last")), second);
    prefix = arena_strndup(&bed->arena, first, strlen(first) - 1);
    assert_string_equal(bed_run_id(bed_do(bed, "show %s", prefix)), first);

    run = ends_unheard(bed, 2, "error", "resume 2 --yes");
    says(run, "2");
    ends_unheard(bed, 2, "error", "rollback 2 --yes");
    ends_unheard(bed, 2, "error", "resume 1999 --yes");
    ends_unheard(bed, 2, "error", "rollback nothing --yes");
    ends_unheard(bed, 2, "error", "show nothing");
    ends_unheard(bed, 2, "error", "unlock lab --run nothing");
    ends_unheard(bed, 2, "error", "resume --yes");
    bed_ends(bed_do(bed, "resume %s --yes", prefix), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_two_at_once, bed_stop),
        cmocka_unit_test_teardown(test_a_race, bed_stop),
        cmocka_unit_test_teardown(test_two_clusters_at_once, bed_stop),
        cmocka_unit_test_teardown(test_two_clusters_one_ca, bed_stop),
        cmocka_unit_test_teardown(test_one_of_many, bed_stop),
        cmocka_unit_test_teardown(test_apply_after_a_dead_run, bed_stop),
        cmocka_unit_test_teardown(test_unlock_a_dead_run, bed_stop),
        cmocka_unit_test_teardown(test_unlock_in_the_middle, bed_stop),
        cmocka_unit_test_teardown(test_rollback_below_a_later_run, bed_stop),
        cmocka_unit_test_teardown(test_resume_below_a_later_run, bed_stop),
        cmocka_unit_test_teardown(test_dead_run_of_many, bed_stop),
        cmocka_unit_test_teardown(test_node_gone_from_the_inventory, bed_stop),
        cmocka_unit_test_teardown(test_node_new_in_the_inventory, bed_stop),
        cmocka_unit_test_teardown(test_other_roles, bed_stop),
        cmocka_unit_test_teardown(test_which_run, bed_stop),
    };

    return crew_tests(tests);
}
