/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store tells: runs, words that name one, the journal, generations,
 * later runs, and a run that was taken over in vain.
 */
#include "tests/unit/store_fixture.h"

/* A run from begin to end. */
static void whole(struct bed *bed, const char *run, const char *cluster,
                  const char *outcome)
{
    struct tally t = {0};

    begin(bed->store, run, cluster, &t);
    end(bed->store, run, outcome, true, &t);
    settle_well(bed, &t);
}

/* -- names ----------------------------------------------------------------- */

static void found(struct bed *bed, const char *word, const char *run)
{
    char id[STORE_ID_BYTES];
    struct err err = {0};

    if (store_find(bed->store, word, id, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(id, run);
}

static void not_found(struct bed *bed, const char *word, const char *says,
                      const char *too)
{
    char id[STORE_ID_BYTES];
    struct err err = {0};

    assert_int_equal(store_find(bed->store, word, id, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_string_equal(id, "");
    assert_says(&err, says);
    assert_says(&err, too);
}

static void a_word_names_a_run(void **state)
{
    struct bed *bed = *state;

    bed_open(bed);
    not_found(bed, "last", "no run \"last\"", "no runs yet");
    whole(bed, "20261121T031559Z-3f9a", "emea", "done");
    whole(bed, "20261121T031559Z-3f", "emea", "done");
    whole(bed, "20261120T000000Z-0001", "emea", "done");
    found(bed, "last", "20261120T000000Z-0001");
    found(bed, "20261121T031559Z-3f9a", "20261121T031559Z-3f9a");
    found(bed, "20261121T031559Z-3f9", "20261121T031559Z-3f9a");
    found(bed, "20261121T031559Z-3f", "20261121T031559Z-3f");
    found(bed, "20261120", "20261120T000000Z-0001");
    not_found(bed, "20261121", "begins 2 runs: 20261121T031559Z-3f, ",
              "20261121T031559Z-3f9a");
    not_found(bed, "2027", "no run \"2027\"", "20261120T000000Z-0001");
    not_found(bed, "", "no run \"\"", "20261120T000000Z-0001");
    not_found(bed, "%", "no run \"%\"", "20261120T000000Z-0001");
    bed_close(bed);
}

static void many_are_cut(void **state)
{
    struct bed *bed = *state;
    char id[STORE_ID_BYTES], run[40];
    struct err err = {0};

    bed_open(bed);
    for (int i = 0; i < 12; i++) {
        snprintf(run, sizeof(run), "20261121T0000%02dZ-aaaa", i);
        whole(bed, run, "emea", "done");
    }
    assert_int_equal(store_find(bed->store, "2026", id, &err), -1);
    assert_says(&err, "begins 12 runs: 20261121T000011Z-aaaa, ");
    assert_non_null(strstr(err.text, ", ..."));
    assert_null(strstr(err.text, "20261121T000000Z-aaaa"));
    bed_close(bed);
}

static void ids_are_new(void **state)
{
    static const char digits[] = "0123456789", hex[] = "0123456789abcdef";
    char id[STORE_ID_BYTES];
    struct tm t = {0};
    const char *tail;

    (void)state;
    store_new_id(id);
    tail = strptime(id, "%Y%m%dT%H%M%SZ-", &t);
    assert_non_null(tail);
    assert_int_equal(strspn(id, digits), 8);
    assert_int_equal(strspn(tail, hex), 4);
    assert_int_equal(strlen(tail), 4);
}

/* -- runs ------------------------------------------------------------------ */

struct seen {
    int n, stop_at;
    char ids[128], outcome[32], clusters[64], inputs[64];
    struct store_run last;
};

static bool on_run(void *user, const struct store_run *run)
{
    struct seen *s = user;
    size_t used = strlen(s->ids);

    snprintf(s->ids + used, sizeof(s->ids) - used, "%s ", run->id);
    snprintf(s->outcome, sizeof(s->outcome), "%s",
             run->outcome ? run->outcome : "-");
    snprintf(s->clusters, sizeof(s->clusters), "%s", run->clusters);
    snprintf(s->inputs, sizeof(s->inputs), "%s", run->inputs);
    assert_string_equal(run->user, "alice");
    assert_string_equal(run->host, "ctrl1");
    assert_string_equal(run->playbook, "cms/db-rotate");
    s->last = *run;
    return ++s->n != s->stop_at;
}

static struct seen look(struct bed *bed, const char *run, int stop_at)
{
    struct seen seen = {.stop_at = stop_at};
    struct err err = {0};

    assert_int_equal(store_runs(bed->store, run, on_run, &seen, &err), 0);
    return seen;
}

static void runs_are_told(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct seen seen;

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    begin(bed->store, "r2", "apac", &t);
    begin(bed->store, "r3", "amer", &t);
    settle_well(bed, &t);
    assert_string_equal(look(bed, NULL, 0).ids, "r3 r2 r1 ");
    assert_string_equal(look(bed, NULL, 2).ids, "r3 r2 ");
    assert_int_equal(look(bed, "r4", 0).n, 0);
    seen = look(bed, "r1", 0);
    assert_string_equal(seen.ids, "r1 ");
    assert_string_equal(seen.outcome, "-");
    assert_string_equal(seen.clusters, "[\"emea\"]");
    assert_string_equal(seen.inputs, "{\"primary\":\"core1\"}");
    assert_true(seen.last.living && seen.last.holds && !seen.last.ended_ms);
    store_end(bed->store,
              &(struct store_ending){.run = "r1",
                                     .outcome = "incomplete",
                                     .exit_code = 4,
                                     .keep = {(const char *[]){"emea"}, 1}},
              NULL, NULL);
    end(bed->store, "r2", "done", true, &t);
    settle_well(bed, &t);
    seen = look(bed, "r1", 0);
    assert_string_equal(seen.outcome, "incomplete");
    assert_int_equal(seen.last.exit_code, 4);
    assert_true(!seen.last.living && seen.last.holds && seen.last.ended_ms);
    seen = look(bed, "r2", 0);
    assert_true(!seen.last.living && !seen.last.holds);
    bed_close(bed);
}

/* -- the journal ----------------------------------------------------------- */

struct pages {
    int64_t last;
    int n, stop_at;
    char kinds[128];
};

static bool on_entry(void *user, const struct store_entry *entry)
{
    struct pages *p = user;
    size_t used = strlen(p->kinds);

    assert_true(entry->seq > p->last);
    assert_true(entry->t_ms > 1700000000000);
    p->last = entry->seq;
    snprintf(p->kinds + used, sizeof(p->kinds) - used, "%s ",
             entry->record.kind);
    return ++p->n != p->stop_at;
}

static struct pages read_journal(struct bed *bed, const char *run,
                                 int64_t after, int stop_at)
{
    struct pages pages = {.stop_at = stop_at};
    struct err err = {0};

    assert_int_equal(
        store_journal(bed->store, run, after, on_entry, &pages, &err), 0);
    return pages;
}

static void the_journal_is_in_order(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    put(bed->store, "r1", "plan", "{}", &t);
    begin(bed->store, "r2", "apac", &t);
    put(bed->store, "r2", "act", "{}", &t);
    put(bed->store, "r1", "cell", NULL, &t);
    end(bed->store, "r1", "done", true, &t);
    settle_well(bed, &t);
    assert_string_equal(read_journal(bed, "r1", 0, 0).kinds,
                        "run plan cell run ");
    assert_string_equal(read_journal(bed, "r1", 2, 0).kinds, "cell run ");
    assert_string_equal(read_journal(bed, NULL, 0, 0).kinds,
                        "run plan run act cell run ");
    assert_int_equal(read_journal(bed, NULL, 0, 2).last, 2);
    assert_int_equal(read_journal(bed, NULL, 6, 0).n, 0);
    bed_close(bed);
}

static void generations_only_grow(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct err err = {0};
    unsigned n = 99;

    bed_open(bed);
    assert_int_equal(store_generation(bed->store, "emea", &n, &err), 0);
    assert_int_equal(n, 0);
    begin(bed->store, "r1", "emea", &t);
    put(bed->store, "r1", "generation", "{\"number\":7,\"tag\":\"3f9a\"}", &t);
    put(bed->store, "r1", "generation", "{\"number\":11}", &t);
    put(bed->store, "r1", "generation", "{\"number\":2}", &t);
    put(bed->store, "r1", "act", "{\"number\":50}", &t);
    settle_well(bed, &t);
    assert_int_equal(store_generation(bed->store, "emea", &n, &err), 0);
    assert_int_equal(n, 11);
    assert_int_equal(store_generation(bed->store, "apac", &n, &err), 0);
    assert_int_equal(n, 0);
    put(bed->store, "r1", "generation", "{\"number\":\"x\"}", &t);
    settle_well(bed, &t);
    assert_int_equal(store_generation(bed->store, "emea", &n, &err), -1);
    assert_says(&err, "record 6");
    bed_close(bed);
}

/* -- what came later ------------------------------------------------------- */

static void later(struct bed *bed, const char *run, const char *expected)
{
    char id[STORE_ID_BYTES];
    struct err err = {0};

    if (store_later_run(bed->store, "emea", run, id, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(id, expected);
}

static void again(struct bed *bed, const char *run, const char *outcome)
{
    struct tally t = {0};

    takeover(bed->store, run, &t);
    end(bed->store, run, outcome, true, &t);
    settle_well(bed, &t);
}

static void a_later_run_is_seen(void **state)
{
    struct bed *bed = *state;
    char id[STORE_ID_BYTES];
    struct err err = {0};

    bed_open(bed);
    whole(bed, "r0", "emea", "done");
    whole(bed, "r1", "emea", "done");
    later(bed, "r1", "");
    later(bed, "r0", "r1");
    whole(bed, "r2", "emea", "refused");
    whole(bed, "r3", "emea", "staged");
    whole(bed, "r4", "emea", "rolled-back");
    whole(bed, "r5", "apac", "done");
    whole(bed, "r7", "emea", "ok");
    later(bed, "r1", "");
    whole(bed, "r6", "emea", "interrupted");
    later(bed, "r1", "r6");
    later(bed, "r6", "");
    again(bed, "r6", "rolled-back");
    later(bed, "r1", "");
    again(bed, "r3", "done"); /* the staged one went on: it is later now */
    later(bed, "r1", "r3");
    later(bed, "r6", "r3");
    assert_int_equal(store_later_run(bed->store, "emea", "r9", id, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    bed_close(bed);
}

/* -- taken over in vain ---------------------------------------------------- */

static void a_refused_rollback_leaves_done(void **state)
{
    struct bed *bed = *state;
    struct seen seen;

    bed_open(bed);
    whole(bed, "r0", "emea", "done");
    whole(bed, "r1", "emea", "done");
    again(bed, "r0", "refused");
    seen = look(bed, "r0", 0);
    assert_string_equal(seen.outcome, "done");
    assert_true(seen.last.ended_ms && !seen.last.holds);
    later(bed, "r1", "");   /* it did not change a thing */
    later(bed, "r0", "r1"); /* and is no less stale */
    again(bed, "r1", "refused");
    later(bed, "r0", "r1"); /* done before, changed before */
    bed_close(bed);
}

static void a_refused_resume_keeps_the_clusters(void **state)
{
    struct bed *bed = *state;
    struct tally t = {0};
    struct seen seen;

    bed_open(bed);
    begin(bed->store, "r1", "emea", &t);
    settle_well(bed, &t);
    bed_close(bed); /* its process goes without an end */
    bed_open(bed);
    again(bed, "r1", "refused");
    seen = look(bed, "r1", 0);
    assert_string_equal(seen.outcome, "-");
    assert_true(seen.last.holds && !seen.last.living && !seen.last.ended_ms);
    again(bed, "r1", "done");
    assert_false(look(bed, "r1", 0).last.holds);
    bed_close(bed);
}

static void ids_are_file_names(void **state)
{
    static const char *const bad[] = {
        "", "../r1", ".open", "a b",
        "0123456789012345678901234567890123456789"};
    struct bed *bed = *state;

    bed_open(bed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct tally t = {0};
        begin(bed->store, bad[i], "emea", &t);
        settle(bed, &t);
        assert_int_equal(t.bad, 1);
        assert_int_equal(t.err.cause, CAUSE_INPUT);
    }
    whole(bed, "r1", "emea", "done");
    {
        struct tally t = {0};
        begin(bed->store, "r1", "emea", &t);
        takeover(bed->store, "r2", &t);
        settle(bed, &t);
        assert_int_equal(t.bad, 2);
        assert_says(&t.err, "there is a run r1 already");
    }
    bed_close(bed);
}

/* clang-format off */
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_word_names_a_run),
        CASE(many_are_cut),
        cmocka_unit_test(ids_are_new),
        CASE(runs_are_told),
        CASE(the_journal_is_in_order),
        CASE(generations_only_grow),
        CASE(a_later_run_is_seen),
        CASE(a_refused_rollback_leaves_done),
        CASE(a_refused_resume_keeps_the_clusters),
        CASE(ids_are_file_names),
    };

    return bed_run("reads", tests, sizeof(tests) / sizeof(*tests));
}
