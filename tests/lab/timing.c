/* SPDX-License-Identifier: Apache-2.0
 *
 * How long nobody was served, beside what the nodes needed themselves.
 *
 * The outage: from the remove of the node that was initialized last to the
 * last connect (without connect-only nodes: to that initialize).  The nodes'
 * own time: for each verb in between, the slowest node's, from the arrival of
 * the command to its outcome.  No client can be faster than their sum.
 */
#include <string.h>

#include "tests/lab/control.h"

struct window {
    struct lab *lab;
    struct lab_cluster *cluster;
    struct entry *first, *initialize;
    uint64_t to_ms;
};

static bool is_verb(const struct entry *e, const char *verb)
{
    static const char prefix[] = "database cluster ";
    size_t len = strlen(verb);
    const char *at = e->text + strlen(prefix);

    return strncmp(e->text, prefix, strlen(prefix)) == 0 &&
           strncmp(at, verb, len) == 0 && (at[len] == '\0' || at[len] == ' ');
}

static uint64_t end_of(const struct entry *e)
{
    return e->outcome_ms ? e->outcome_ms : e->answered_ms;
}

static bool has_worked(const struct entry *e, const char *verb)
{
    return is_verb(e, verb) && e->outcome && strcmp(e->outcome, "success") == 0;
}

static bool find_window(struct window *w)
{
    for (uint64_t seq = 1; seq <= w->lab->record->n; seq++) {
        struct entry *e = record_entry(w->lab, seq);
        if (e->node->cluster == w->cluster && has_worked(e, "initialize"))
            w->initialize = e;
    }
    for (uint64_t seq = 1; w->initialize && seq < w->initialize->seq; seq++) {
        struct entry *e = record_entry(w->lab, seq);
        if (e->node == w->initialize->node && has_worked(e, "remove"))
            w->first = e;
    }
    if (!w->first)
        return false;
    w->to_ms = end_of(w->initialize);
    for (uint64_t seq = w->first->seq; seq <= w->lab->record->n; seq++) {
        struct entry *e = record_entry(w->lab, seq);
        if (e->node->cluster == w->cluster && has_worked(e, "connect") &&
            end_of(e) > w->to_ms)
            w->to_ms = end_of(e);
    }
    return true;
}

/* The slowest node's time for this verb; 0: nobody was asked to. */
static uint64_t add_phase(const struct window *w, const char *verb,
                          json_t *phases)
{
    const struct entry *slowest = NULL;

    for (uint64_t seq = w->first->seq; seq <= w->lab->record->n; seq++) {
        const struct entry *e = record_entry(w->lab, seq);
        if (e->node->cluster != w->cluster || !is_verb(e, verb) ||
            e->t_ms > w->to_ms || end_of(e) < e->t_ms)
            continue;
        if (!slowest || end_of(e) - e->t_ms > end_of(slowest) - slowest->t_ms)
            slowest = e;
    }
    if (!slowest)
        return 0;
    json_array_append_new(
        phases,
        json_pack("{s:s,s:s,s:I}", "verb", verb, "node", slowest->node->name,
                  "own_ms", (json_int_t)(end_of(slowest) - slowest->t_ms)));
    return end_of(slowest) - slowest->t_ms;
}

void timing_run(struct ask *ask, char **words, int n)
{
    static const char *const verbs[] = {"remove", "certs", "localnode",
                                        "initialize", "connect"};
    struct window w = {.lab = ask_lab(ask)};
    uint64_t own = 0, outage;
    json_t *phases, *body;

    w.cluster = n > 1 ? lab_cluster(w.lab, words[1]) : w.lab->clusters[0];
    if (!w.cluster || !find_window(&w)) {
        ask_fail(ask, "no cluster of that name was taken apart and put "
                      "together again");
        return;
    }
    phases = json_array();
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        own += add_phase(&w, verbs[i], phases);
    outage = w.to_ms - w.first->t_ms;
    body = json_pack("{s:s,s:I,s:I,s:f}", "cluster", w.cluster->name,
                     "outage_ms", (json_int_t)outage, "own_ms", (json_int_t)own,
                     "ratio", own ? (double)outage / (double)own : 0.0);
    json_object_set_new(body, "phases", phases);
    ask_answer(ask, body);
}
