/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run comes to: outcomes of its clusters, the exit code, and the
 * command line that a person types next.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/run/run_priv.h"

struct outcome_row {
    const char *word; /* contract.md, "Events" */
    int exit_code;    /* contract.md, "Exit codes" */
    int rank;         /* which one stands for a run of several clusters */
};

/* clang-format off */
static const struct outcome_row outcomes[] = {
    [OUTCOME_NONE]        = { "error",       2,   0 },
    [OUTCOME_DONE]        = { "done",        0,   2 },
    [OUTCOME_NOT_DUE]     = { "ok",          0,   1 },
    [OUTCOME_STAGED]      = { "ok",          0,   3 },
    [OUTCOME_INPUT]       = { "error",       2,   4 },
    [OUTCOME_INTERRUPTED] = { "interrupted", 130, 5 },
    [OUTCOME_REFUSED]     = { "refused",     5,   6 },
    [OUTCOME_LOCKED]      = { "locked",      6,   7 },
    [OUTCOME_ROLLED_BACK] = { "rolled-back", 1,   8 },
    [OUTCOME_CLEANED]     = { "rolled-back", 1,   8 },
    [OUTCOME_WAITING]     = { "waiting",     4,   9 },
    [OUTCOME_INCOMPLETE]  = { "incomplete",  4,   10 },
};
/* clang-format on */

const char *outcome_word(enum outcome outcome)
{
    return outcomes[outcome].word;
}

int outcome_exit(enum outcome outcome)
{
    return outcomes[outcome].exit_code;
}

enum outcome outcome_worse(enum outcome a, enum outcome b)
{
    return outcomes[b].rank >= outcomes[a].rank ? b : a;
}

static const char *const *left_out(struct run *run, const struct course *course)
{
    const struct plan_cluster *pc = course->pc;
    const char **names =
        arena_alloc(&run->plan->arena, (pc->n_nodes + 1) * sizeof(*names));
    size_t n = 0;

    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].left_out || pc->nodes[i].dropped || pc->nodes[i].away)
            names[n++] = pc->nodes[i].node->name;
    return names;
}

static int64_t so_far(int64_t began, int64_t sum, bool had)
{
    if (began)
        return sum + clock_wall_ms() - began;
    return sum > 0 || had ? sum : -1;
}

static void cluster_result(struct run *run, size_t i,
                           struct cluster_result *result)
{
    const struct course *course = &run->courses[i];
    const struct plan_cluster *pc = course->pc;

    *result = (struct cluster_result){
        .cluster = pc->cluster->name,
        .primary =
            pc->holder == SIZE_MAX ? NULL : pc->nodes[pc->holder].node->name,
        .outcome = course->state == COURSE_ENDED ? course->outcome
                                                 : OUTCOME_INTERRUPTED,
        .outage_ms =
            so_far(pc->outage_began_ms, pc->outage_ms, course->had_outage),
        .degraded_ms = so_far(pc->degraded_began_ms, pc->degraded_ms,
                              course->had_degraded),
        .left_out = left_out(run, course),
        .way_back_until = pc->way_back ? pc->way_back_until : 0,
        .why = course->why.cause ? course->why.text : NULL,
    };
}

static const char *command_line(struct run *run, const char *verb)
{
    return arena_printf(&run->plan->arena, "%s %s %s",
                        run->options.self ? run->options.self : "certfleet",
                        verb, run->journal.run);
}

/* A run that stands in the middle can go on, or be taken back if there is a
 * way: both are named, each on its own line, or they are read as one recipe. */
static const char *other_command(struct run *run)
{
    for (size_t i = 0; i < run->plan->n_clusters; i++)
        if (run->result.clusters[i].outcome == OUTCOME_INCOMPLETE &&
            run->plan->clusters[i].way_back && !run->courses[i].walk.back &&
            run->options.mode != RUN_ROLLBACK)
            return command_line(run, "rollback");
    return NULL;
}

/* Of a done run `resume' would only say that it is done; of one without a way
 * back `rollback' would only say that. */
static bool goes_back(const struct course *course)
{
    const struct plan_cluster *pc = course->pc;

    return course->walk.back ||
           (course->mode == RUN_ROLLBACK && (pc->way_back || pc->was_done));
}

/* Else its issuer has the requests already. */
static bool is_carried(const struct plan_cluster *pc)
{
    return plan_issuer(pc)->kind == ISSUER_CSR;
}

static const char *next_command(struct run *run)
{
    const char *verb = NULL;
    bool carried = false; /* somebody brings certificates in files */

    for (size_t i = 0; i < run->plan->n_clusters; i++) {
        const struct course *course = &run->courses[i];
        enum outcome o = run->result.clusters[i].outcome;
        bool open = o == OUTCOME_INCOMPLETE || o == OUTCOME_INTERRUPTED;

        if (open && goes_back(course))
            verb = "rollback";
        else if (!verb && (open || o == OUTCOME_STAGED || o == OUTCOME_WAITING))
            verb = "resume";
        carried = carried || (o == OUTCOME_WAITING && is_carried(course->pc));
    }
    if (carried && run->begun)
        return arena_printf(&run->plan->arena, "%s FILE...",
                            command_line(run, "issue"));
    if (!verb || !run->begun)
        return NULL;
    return command_line(run, verb);
}

static enum outcome outcome_of_cause(const struct run *run)
{
    if (run->err.cause == CAUSE_LOCKED)
        return OUTCOME_LOCKED;
    /* a store that cannot be written: known before the first packet */
    return run->err.cause == CAUSE_INPUT || run->err.cause == CAUSE_SYSTEM
               ? OUTCOME_INPUT
               : OUTCOME_REFUSED;
}

void run_make_result(struct run *run)
{
    struct run_result *r = &run->result;
    size_t n = run->plan->n_clusters;
    struct cluster_result *list =
        arena_alloc(&run->plan->arena, (n + 1) * sizeof(*list));

    r->run = run->begun ? run->journal.run : NULL;
    r->clusters = list;
    r->n_clusters = n;
    r->outcome = OUTCOME_NONE;
    if (run->err.cause) {
        r->err = &run->err;
        r->n_clusters = 0;
        r->outcome = outcome_of_cause(run);
        r->exit_code = outcomes[r->outcome].exit_code;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        cluster_result(run, i, &list[i]);
        r->outcome = outcome_worse(r->outcome, list[i].outcome);
        if (list[i].way_back_until &&
            (!r->way_back_until || list[i].way_back_until < r->way_back_until))
            r->way_back_until = list[i].way_back_until;
    }
    r->exit_code = outcomes[r->outcome].exit_code;
    if (run->options.mode == RUN_ROLLBACK && r->outcome == OUTCOME_ROLLED_BACK)
        r->exit_code = 0;
    r->next = next_command(run);
    r->other =
        r->next && strstr(r->next, " resume ") ? other_command(run) : NULL;
}

struct store_names run_keeps(const struct run *run)
{
    const struct plan *plan = run->plan;
    const char **list =
        arena_alloc(&run->plan->arena, (plan->n_clusters + 1) * sizeof(*list));
    size_t n = 0;

    for (size_t i = 0; i < plan->n_clusters; i++) {
        enum outcome o = run->result.clusters[i].outcome;
        if (o == OUTCOME_INCOMPLETE ||
            (o == OUTCOME_INTERRUPTED && plan->clusters[i].left))
            list[n++] = plan->clusters[i].cluster->name;
    }
    return (struct store_names){list, n};
}
