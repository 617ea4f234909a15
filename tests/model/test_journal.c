/* SPDX-License-Identifier: Apache-2.0
 *
 * What the model takes for the journal's word after a crash is what
 * core/run/resume.c reads from the same records: on many ways, each with its
 * faults, crashes, resumes and rollbacks, both are asked again and again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "playbooks/registry.h"
#include "tests/model/harness.h"

enum {
    WAYS = 1500,
    STEPS = 300
};

int __wrap_store_journal(struct store *store, const char *run, int64_t after,
                         store_entry_f *each, void *user, struct err *err);
int __wrap_store_runs(struct store *store, const char *run, store_run_f *each,
                      void *user, struct err *err);

/* -- the records of one way ----------------------------------------------- */

struct kept {
    char *node, *step, *kind, *data;
};
static struct kept records[4096];
static size_t n_records;

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void keep(const struct journal_record *record)
{
    struct kept *k = &records[n_records++];

    assert_true(n_records < sizeof(records) / sizeof(records[0]));
    k->node = copy(record->node);
    k->step = copy(record->step);
    k->kind = copy(record->kind);
    k->data = json_dumps(record->data, JSON_COMPACT);
}

static void forget(void)
{
    for (size_t i = 0; i < n_records; i++) {
        free(records[i].node);
        free(records[i].step);
        free(records[i].kind);
        free(records[i].data);
    }
    n_records = 0;
}

/* -- the store, as resume.c sees it --------------------------------------- */

int __wrap_store_journal(struct store *store, const char *run, int64_t after,
                         store_entry_f *each, void *user, struct err *err)
{
    (void)store;
    (void)run;
    (void)after;
    (void)err;
    for (size_t i = 0; i < n_records; i++) {
        const struct store_entry entry = {.t_ms = AT_NOW,
                                          .record = {.cluster = "lab",
                                                     .node = records[i].node,
                                                     .step = records[i].step,
                                                     .kind = records[i].kind,
                                                     .data = records[i].data}};
        if (!each(user, &entry))
            break;
    }
    return 0;
}

int __wrap_store_runs(struct store *store, const char *run, store_run_f *each,
                      void *user, struct err *err)
{
    const struct store_run row = {.id = run,
                                  .playbook = "cms/db-rotate",
                                  .target = "lab",
                                  .inputs = "{}"};

    (void)store;
    (void)err;
    each(user, &row);
    return 0;
}

/* -- both readings -------------------------------------------------------- */

static void compare(void)
{
    const struct run_load options = {
        .inventory = h.inventory, .back = true, .playbook = registry_playbook};
    const struct journaled *j = &h.journal;
    struct err err = {0};
    struct plan *plan = run_load_plan(NULL, "run", &options, &err);
    const struct plan_cluster *pc;

    if (!plan)
        fail_msg("%s", err.text);
    pc = &plan->clusters[0];
    assert_int_equal(pc->left, j->left);
    assert_int_equal(pc->outage_sent, j->outage_sent);
    assert_int_equal(pc->turned, j->turned);
    assert_int_equal(pc->was_back, j->was_back);
    assert_int_equal(pc->was_done, j->was_done);
    assert_int_equal(pc->issued, j->issued);
    assert_int_equal(pc->holder, j->holder);
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct plan_node *pn = &pc->nodes[i];
        uint8_t last = CODE_NONE;
        for (size_t k = 0; k < pn->n_sent; k++)
            if (strncmp(pn->sent[k], "database", 8) == 0)
                last = view_code(pn->sent[k]);
        assert_int_equal(last, j->sent[i]);
    }
    plan_free(plan);
}

static unsigned dice = 1;

static unsigned roll(unsigned sides)
{
    dice = dice * 1103515245 + 12345;
    return (dice >> 16) % sides;
}

struct explored_ends {
    unsigned ended, gone, outages, turns, backs;
};

/* One way, by the dice; a state that nothing leaves ends it. */
static void walk(struct explored_ends *seen)
{
    event_t events[MODEL_EVENTS];
    struct shot shot, next;

    forget();
    model_first(&shot);
    for (unsigned n = 0; n < STEPS; n++) {
        size_t count = model_events(&shot, events);
        if (count == 0)
            break;
        model_step(&shot, events[roll((unsigned)count)], &next);
        assert_false(breach.found);
        shot = next;
        if (h.journal.holder != SIZE_MAX && (n % 5 == 0 || h.life == LIFE_GONE))
            compare();
        seen->gone += h.life == LIFE_GONE;
        seen->outages += h.journal.outage_sent;
        seen->turns += h.journal.turned;
        seen->backs += h.journal.was_back;
    }
    seen->ended += h.life == LIFE_ENDED;
}

static void both_read_the_same(void **state)
{
    const struct model_options options = {
        .data = 2,
        .clients = 1,
        .budgets = {.faults = 1, .downs = 1, .moves = 1, .crashes = 2}};
    struct explored_ends seen = {0};

    (void)state;
    model_open(&options);
    h.on_record = keep;
    for (unsigned i = 0; i < WAYS; i++)
        walk(&seen);
    forget();
    model_close();
    /* the dice came to everything that is compared */
    assert_true(seen.ended && seen.gone && seen.outages && seen.turns &&
                seen.backs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_read_the_same)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
