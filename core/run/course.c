/* SPDX-License-Identifier: Apache-2.0
 *
 * One cluster's states and what follows what.  Rows are walk.c's business,
 * several clusters are run.c's.
 */
#include "core/run/course_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/issue.h"
#include "core/run/probe.h"

static const char *const state_names[] = {
    "new",     "gates",     "decided", "staging",  "staged", "survey",
    "forward", "back-read", "back",    "cleaning", "ended",
};

const struct playbook *course_playbook(const struct course *course)
{
    return course->pc->plan->playbook;
}

/* -- telling, and the setter ---------------------------------------------- */

void course_tell(struct course *course, const char *event, const char *detail,
                 int64_t took_ms)
{
    struct event e = {
        .event = event,
        .cluster = course->pc->cluster->name,
        .detail = detail,
        .took_ms = took_ms,
    };
    journal_tell(course->journal, &e);
}

void course_record(struct course *course, const char *kind, json_t *data)
{
    const struct journal_record record = {
        .cluster = course->pc->cluster->name,
        .kind = kind,
        .data = data,
    };
    journal_write(course->journal, &record, NULL, NULL);
}

void course_set_state(struct course *course, enum course_state state)
{
    log_debug("cluster %s: %s -> %s", course->pc->cluster->name,
              state_names[course->state], state_names[state]);
    course->state = state;
}

static void on_later(uv_timer_t *timer)
{
    struct course *course = timer->data;

    course->later(course);
}

/* What follows a callback of a walk or a probe begins on a later turn, so that
 * nothing is freed below its own feet. */
void course_later(struct course *course, course_f *what, uint64_t ms)
{
    course->later = what;
    uv_timer_start(&course->timer, on_later, ms, 0);
}

void course_halt_at(struct course *course, enum course_state state)
{
    course_set_state(course, state);
    course_later(course, course->on_pause, 0);
}

void course_note_why(struct course *course, const struct err *err)
{
    if (!course->why.cause)
        course->why = *err;
}

static int64_t so_far(int64_t began, int64_t sum)
{
    return began ? sum + clock_wall_ms() - began : sum;
}

void course_finish(struct course *course, enum outcome outcome)
{
    course->outcome = outcome;
    course_record(course, "outcome",
                  json_pack("{s:s, s:I, s:I, s:s}", "outcome",
                            outcome_word(outcome), "outage_ms",
                            (json_int_t)so_far(course->pc->outage_began_ms,
                                               course->pc->outage_ms),
                            "degraded_ms",
                            (json_int_t)so_far(course->pc->degraded_began_ms,
                                               course->pc->degraded_ms),
                            "why", course->why.text));
    course_halt_at(course, COURSE_ENDED);
}

static void on_cleaned(struct course *course)
{
    course_finish(course, course->after_cleaning);
}

/* A node may have made files before there is a set. */
static bool has_staged(const struct plan_cluster *pc)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].n_put)
            return true;
    return pc->issued;
}

void course_clean_then(struct course *course, enum outcome outcome)
{
    if (!has_staged(course->pc) || course->pc->left) {
        course_finish(course, outcome);
        return;
    }
    course->after_cleaning = outcome;
    course_set_state(course, COURSE_CLEANING);
    course_clean(course, on_cleaned);
}

/* -- walks ---------------------------------------------------------------- */

static size_t first_row_with(const struct playbook *pb, unsigned flag)
{
    size_t row = 0;

    while (row < pb->n_steps && !(pb->steps[row].flags & flag))
        row++;
    return row;
}

static void start_walk(struct course *course, size_t first, size_t last,
                       bool back)
{
    walk_release(&course->walk);
    walk_init(&course->walk, course, first, last, back);
    walk_start(&course->walk);
}

void course_start_live(struct course *course, bool back)
{
    const struct playbook *pb = course_playbook(course);

    if (back && course->state != COURSE_BACK) {
        /* While the primary has not left, it serves with the old set: that is
         * what the turn of a way back is for. */
        course->pc->turned = !course->pc->outage_sent ||
                             (course->pc->was_back && course->pc->turned);
        course_tell(course, "rollback-started",
                    course->why.cause ? course->why.text : NULL, -1);
    }
    course_set_state(course, back ? COURSE_BACK : COURSE_FORWARD);
    start_walk(course, first_row_with(pb, STEP_LIVE), pb->n_steps - 1, back);
}

static void start_gates(struct course *course)
{
    course_set_state(course, COURSE_GATES);
    start_walk(course, 0,
               first_row_with(course_playbook(course), STEP_STAGE) - 1, false);
}

/* -- the ends of walks ---------------------------------------------------- */

static bool has_dropped(const struct course *course)
{
    for (size_t i = 0; i < course->pc->n_nodes; i++)
        if (course->pc->nodes[i].dropped)
            return true;
    return false;
}

static void gates_ended(struct course *course)
{
    if (course->interrupted)
        course_clean_then(course, OUTCOME_INTERRUPTED);
    else if (course->walk.end == WALK_MET ||
             course->walk.end == WALK_STOPPED) /* --until gates */
        course_gates_passed(course);
    else
        course_clean_then(course, OUTCOME_REFUSED);
}

static void staging_ended(struct course *course)
{
    switch (course->walk.end) {
    case WALK_MET:
        course_halt_at(course, COURSE_STAGED);
        break;
    case WALK_STOPPED:
        course_finish(course, course->interrupted ? OUTCOME_INTERRUPTED
                                                  : OUTCOME_STAGED);
        break;
    case WALK_WAITING:
        course_finish(course, OUTCOME_WAITING);
        break;
    case WALK_FAILED:
    case WALK_HOLD:
    case WALK_MOVED:
        if (course->pc->left) /* resumed: something live is under way */
            course_finish(course, OUTCOME_INCOMPLETE);
        else /* a gate that shows only now (a clock, a login) is a gate, too */
            course_clean_then(course, course->why.cause == CAUSE_REFUSED
                                          ? OUTCOME_REFUSED
                                          : OUTCOME_CLEANED);
        break;
    }
}

static void forward_ended(struct course *course)
{
    const struct walk *walk = &course->walk;

    if (walk->end == WALK_MET)
        course_finish(course,
                      has_dropped(course) ? OUTCOME_INCOMPLETE : OUTCOME_DONE);
    else if (walk->end == WALK_STOPPED)
        course_finish(course, course->interrupted ? OUTCOME_INTERRUPTED
                                                  : OUTCOME_STAGED);
    else if (!course->pc->left)
        course_clean_then(course, OUTCOME_REFUSED);
    else if (walk->end == WALK_HOLD ||
             (course->pc->outage_sent && course->on_failure == ON_FAILURE_HOLD))
        course_finish(course, OUTCOME_INCOMPLETE);
    else
        course_go_back(course);
}

static void back_ended(struct course *course)
{
    if (course->walk.end == WALK_MET && !has_dropped(course))
        course_finish(course, OUTCOME_ROLLED_BACK);
    else if (course->walk.end == WALK_STOPPED)
        course_finish(course, OUTCOME_INTERRUPTED);
    else if (course->pc->was_done && !course->acted)
        course_finish(course, OUTCOME_REFUSED);
    else
        course_finish(course, OUTCOME_INCOMPLETE);
}

static void walk_anew(struct course *course)
{
    course_playbook(course)->assign(course->pc, course->moved_to);
    course_start_live(course, course->state == COURSE_BACK);
}

static void after_walk(struct course *course)
{
    if (course->walk.end == WALK_MOVED) {
        walk_anew(course);
        return;
    }
    if (course->walk.why.cause)
        course_note_why(course, &course->walk.why);
    switch (course->state) {
    case COURSE_GATES:
        gates_ended(course);
        break;
    case COURSE_STAGING:
        staging_ended(course);
        break;
    case COURSE_FORWARD:
        forward_ended(course);
        break;
    case COURSE_BACK:
        back_ended(course);
        break;
    default:
        log_warn("cluster %s: a walk ended in state %s",
                 course->pc->cluster->name, state_names[course->state]);
        abort();
    }
}

/* The cells that still run end on what the old plan said; then the walk
 * begins anew, and goals pass over what is done. */
void course_holder_moved(struct course *course, size_t holder)
{
    const char *name = course->pc->nodes[holder].node->name;

    course->moved_to = holder;
    course_record(course, "holder", json_pack("{s:s}", "holder", name));
    course_tell(course, "warning",
                "the primary has moved: the walk begins anew", -1);
}

void course_walk_ended(struct course *course)
{
    course_later(course, after_walk, 0);
}

/* -- from run.c ----------------------------------------------------------- */

void course_init(struct course *course)
{
    uv_timer_init(course->loop, &course->timer);
    course->timer.data = course;
}

void course_release(struct course *course)
{
    walk_release(&course->walk);
}

void course_start(struct course *course)
{
    if (course->mode == RUN_RESUME && course->pc->was_done &&
        !course->pc->was_short)
        course_finish(course, OUTCOME_DONE); /* nothing to do */
    else if (course->mode == RUN_ROLLBACK && !course->pc->left &&
             !course->pc->was_done)
        course_clean_then(course,
                          OUTCOME_ROLLED_BACK); /* nothing live was changed */
    else if (course->mode == RUN_ROLLBACK && !course_playbook(course)->way_back)
        course_go_back(course); /* which says that there is none */
    else if (course->mode == RUN_ROLLBACK ||
             (course->mode == RUN_RESUME && course->pc->left))
        course_look(course, COURSE_SURVEY);
    else
        start_gates(course);
}

void course_stage(struct course *course)
{
    const struct playbook *pb = course_playbook(course);

    if (course->mode == RUN_ROLLBACK || course->pc->was_back) {
        course_go_back(course);
        return;
    }
    course_set_state(course, COURSE_STAGING);
    start_walk(course, first_row_with(pb, STEP_STAGE),
               first_row_with(pb, STEP_LIVE) - 1, false);
}

void course_go_live(struct course *course)
{
    course_start_live(course, false);
}

void course_give_up(struct course *course, enum outcome outcome)
{
    course_clean_then(course, outcome);
}

void course_stay(struct course *course)
{
    course_finish(course, OUTCOME_STAGED);
}

void course_interrupt(struct course *course)
{
    course->interrupted = true;
    if ((course->state == COURSE_GATES || course->state == COURSE_STAGING ||
         course->state == COURSE_FORWARD) &&
        !course->pc->left)
        walk_stop(&course->walk, WALK_STOPPED);
    if (course->issuing)
        issue_cancel(course->issuing);
}

/* -- the two clocks that people ask for ----------------------------------- */

static void write_clock(struct course *course, const char *what, bool begins,
                        int64_t ms)
{
    course_record(course, "clock",
                  json_pack("{s:s, s:s, s:I}", "clock", what, "edge",
                            begins ? "began" : "ended", "ms", (json_int_t)ms));
}

void course_note_live_act(struct course *course, const struct step *step)
{
    int64_t now = clock_wall_ms();

    if (!course->pc->degraded_began_ms) {
        course->pc->degraded_began_ms = now;
        course->had_degraded = true;
        write_clock(course, "degraded", true, now);
    }
    /* Past the turn somebody serves: what connects then ends an outage, and
     * never begins one. */
    if ((step->flags & STEP_OUTAGE) && !course->pc->turned &&
        !course->pc->outage_began_ms) {
        course->pc->outage_began_ms = now;
        course->had_outage = true;
        write_clock(course, "outage", true, now);
        course_tell(course, "outage-started", NULL, -1);
    }
}

void course_note_served(struct course *course)
{
    int64_t took = clock_wall_ms() - course->pc->outage_began_ms;

    if (!course->pc->outage_began_ms)
        return;
    course->pc->outage_began_ms = 0;
    course->pc->outage_ms += took;
    write_clock(course, "outage", false, course->pc->outage_ms);
    course_tell(course, "outage-ended", NULL, took);
}

void course_note_whole(struct course *course)
{
    if (!course->pc->degraded_began_ms)
        return;
    course->pc->degraded_ms += clock_wall_ms() - course->pc->degraded_began_ms;
    course->pc->degraded_began_ms = 0;
    write_clock(course, "degraded", false, course->pc->degraded_ms);
}
