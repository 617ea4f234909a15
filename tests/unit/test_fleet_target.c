/* SPDX-License-Identifier: Apache-2.0
 *
 * Words to clusters and nodes, and what is said when they mean nothing; the
 * distance of words.
 */
#include "core/fleet/suggest.h"
#include "core/fleet/target.h"
#include "tests/unit/fleet_fixture.h"

static struct inventory *inv;
static struct arena arena;
static struct target target;
static struct err err;

static int setup(void **state)
{
    if (fixture_setup(state) < 0)
        return -1;
    arena_init(&arena);
    inv = fixture_read("[cluster emea-1]\nproduct = cms\n"
                       "[cluster emea-2]\nproduct = cms\n"
                       "[cluster apac]\nproduct = cms\n"
                       "[node a1]\ncluster = apac\n"
                       "[node e11]\ncluster = emea-1\n"
                       "[node e21]\ncluster = emea-2\n"
                       "[node e12]\ncluster = emea-1\n"
                       "[node core1]\ncluster = apac\n");
    return 0;
}

static int teardown(void **state)
{
    inventory_free(inv);
    arena_release(&arena);
    return fixture_teardown(state);
}

typedef int target_f(const struct inventory *, struct arena *,
                     const char *const *, size_t, struct target *,
                     struct err *);

#define FIND(f, ...) find(f, (const char *const[]){__VA_ARGS__, NULL})

static int find(target_f *f, const char *const *words)
{
    size_t n = 0;

    while (words[n])
        n++;
    err_reset(&err);
    return f(inv, &arena, words, n, &target, &err);
}

static void expect(size_t clusters, size_t nodes, const char *names)
{
    struct str got;

    str_init(&got, 1024);
    assert_int_equal(target.n_clusters, clusters);
    assert_int_equal(target.n_nodes, nodes);
    for (size_t i = 0; i < clusters; i++)
        str_addf(&got, "%s ", target.clusters[i]->name);
    for (size_t i = 0; i < nodes; i++)
        str_addf(&got, "%s ", target.nodes[i]->name);
    assert_string_equal(str_text(&got), names);
    str_release(&got);
}

static void test_all(void **state)
{
    (void)state;
    assert_int_equal(FIND(target_clusters, NULL), 0);
    expect(3, 5, "emea-1 emea-2 apac a1 e11 e21 e12 core1 ");
    assert_int_equal(FIND(target_nodes, NULL), 0);
    expect(3, 5, "emea-1 emea-2 apac a1 e11 e21 e12 core1 ");
}

static void test_names(void **state)
{
    (void)state;
    /* each once, in the order of the file */
    assert_int_equal(FIND(target_clusters, "apac", "emea-1", "apac"), 0);
    expect(2, 4, "emea-1 apac a1 e11 e12 core1 ");
    assert_int_equal(FIND(target_nodes, "e12", "apac", "a1"), 0);
    expect(2, 3, "emea-1 apac a1 e12 core1 ");
    assert_int_equal(FIND(target_nodes, "e21"), 0);
    expect(1, 1, "emea-2 e21 ");
}

static void test_globs(void **state)
{
    (void)state;
    assert_int_equal(FIND(target_clusters, "emea-*"), 0);
    expect(2, 3, "emea-1 emea-2 e11 e21 e12 ");
    assert_int_equal(FIND(target_clusters, "*[2c]"), 0);
    expect(2, 3, "emea-2 apac a1 e21 core1 ");
    assert_int_equal(FIND(target_nodes, "apa?", "e11"), 0);
    expect(2, 3, "emea-1 apac a1 e11 core1 ");
    assert_int_equal(FIND(target_clusters, "emea-?", "nothing*"), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "matches `nothing*'"));
    /* globs are of clusters, also where nodes may be named */
    assert_int_equal(FIND(target_nodes, "e1*"), -1);
    assert_non_null(strstr(err.text, "only clusters are matched"));
}

static void test_node_for_cluster(void **state)
{
    (void)state;
    assert_int_equal(FIND(target_clusters, "e12"), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "`e12' is a node"));
    assert_non_null(strstr(err.text, "its cluster is `emea-1'"));
}

static void test_unknown(void **state)
{
    (void)state;
    assert_int_equal(FIND(target_clusters, "emea1"), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_non_null(strstr(err.text, "no cluster `emea1'"));
    assert_non_null(strstr(err.text, "did you mean `emea-1' or `emea-2'?"));
    assert_int_equal(FIND(target_clusters, "emea"), -1);
    assert_non_null(strstr(err.text, "`emea-1' or `emea-2'?"));
    assert_int_equal(FIND(target_nodes, "cora1"), -1);
    assert_non_null(strstr(err.text, "did you mean `core1'?"));
    /* nodes are not suggested where clusters are wanted */
    assert_int_equal(FIND(target_clusters, "cora1"), -1);
    assert_null(strstr(err.text, "core1"));
    assert_int_equal(FIND(target_nodes, "completely-else"), -1);
    assert_null(strstr(err.text, "did you mean"));
    assert_int_equal(FIND(target_nodes, ""), -1);
}

static void test_distance(void **state)
{
    char long_word[100];

    (void)state;
    memset(long_word, 'x', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    assert_int_equal(suggest_distance("", ""), 0);
    assert_int_equal(suggest_distance("abc", ""), 3);
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("Address", "address"), 0);
    assert_int_equal(suggest_distance("adress", "address"), 1);
    assert_int_equal(suggest_distance("adderss", "address"), 1);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(suggest_distance("ab", "ba"), 1);
    assert_true(suggest_distance(long_word, "x") > 1000);
    long_word[63] = '\0';
    assert_int_equal(suggest_distance(long_word, long_word), 0);
}

static void test_three_at_most(void **state)
{
    static const char *const names[] = {"core9", "kore1", "core1",
                                        "core2", "core3", "core4"};
    struct suggest suggest;
    struct str text;

    (void)state;
    str_init(&text, 256);
    suggest_start(&suggest, "core1");
    for (size_t i = 0; i < 6; i++)
        suggest_offer(&suggest, names[i]);
    suggest_add(&suggest, &text);
    assert_string_equal(str_text(&text),
                        "; did you mean `core1', `core9' or `kore1'?");
    str_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_three_at_most),
        cmocka_unit_test(test_node_for_cluster),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
