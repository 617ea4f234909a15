/* SPDX-License-Identifier: Apache-2.0
 *
 * One cluster's states and what follows what.  Rows are walk.c's business,
 * several clusters are run.c's.
 */
#include "core/run/course.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/probe.h"

static const char *const state_names[] = {
    "new",     "gates",     "decided", "staging",  "staged", "survey",
    "forward", "back-read", "back",    "cleaning", "ended",
};

static const struct playbook *playbook_of(const struct course *course)
{
    return course->pc->plan->playbook;
}

/* -- telling, and the setter
 * ---------------------------------------------------- */

static void tell(struct course *course, const char *event, const char *detail,
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

static void write_record(struct course *course, const char *kind, json_t *data)
{
    const struct journal_record record = {
        .cluster = course->pc->cluster->name,
        .kind = kind,
        .data = data,
    };
    journal_write(course->journal, &record, NULL, NULL);
}

static void set_state(struct course *course, enum course_state state)
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
static void call_later(struct course *course, course_f *what, uint64_t ms)
{
    course->later = what;
    uv_timer_start(&course->timer, on_later, ms, 0);
}

static void halt_at(struct course *course, enum course_state state)
{
    set_state(course, state);
    call_later(course, course->on_pause, 0);
}

static void note_why(struct course *course, const struct err *err)
{
    if (!course->why.cause)
        course->why = *err;
}

static void finish(struct course *course, enum outcome outcome)
{
    course->outcome = outcome;
    write_record(course, "outcome",
                 json_pack("{s:s, s:I, s:I, s:s}", "outcome",
                           outcome_word(outcome), "outage_ms",
                           (json_int_t)course->pc->outage_ms, "degraded_ms",
                           (json_int_t)course->pc->degraded_ms, "why",
                           course->why.text));
    halt_at(course, COURSE_ENDED);
}

static void on_cleaned(struct course *course)
{
    finish(course, course->after_cleaning);
}

static void clean_then(struct course *course, enum outcome outcome)
{
    if (!course->pc->issued || course->pc->left) {
        finish(course, outcome);
        return;
    }
    course->after_cleaning = outcome;
    set_state(course, COURSE_CLEANING);
    course_clean(course, on_cleaned);
}

/* -- walks
 * ------------------------------------------------------------------------ */

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

static void start_live(struct course *course, bool back)
{
    const struct playbook *pb = playbook_of(course);

    set_state(course, back ? COURSE_BACK : COURSE_FORWARD);
    if (back)
        tell(course, "rollback-started",
             course->why.cause ? course->why.text : NULL, -1);
    start_walk(course, first_row_with(pb, STEP_LIVE), pb->n_steps - 1, back);
}

static void start_gates(struct course *course)
{
    set_state(course, COURSE_GATES);
    start_walk(course, 0, first_row_with(playbook_of(course), STEP_STAGE) - 1,
               false);
}

/* -- reading every node before a decision
 * --------------------------------------------- */

static void read_all(struct course *course);
static void survey_read(struct course *course);
static void back_read(struct course *course);

static void all_read(struct course *course)
{
    if (course->unread > 0 && !course->interrupted &&
        clock_mono_ms() < course->read_deadline_ms)
        call_later(course, read_all, 1000);
    else if (course->state == COURSE_SURVEY)
        call_later(course, survey_read, 0);
    else
        call_later(course, back_read, 0);
}

struct look {
    struct course *course;
    size_t node;
};

static void on_look(void *user, int rc, bool refused, const struct err *err)
{
    struct look *look = user;
    struct course *course = look->course;

    if (rc < 0) {
        course->unread++;
        if (refused)
            course->read_deadline_ms = 0;
        course->read_err = *err;
        err_context(&course->read_err, "node %s does not answer",
                    course->pc->nodes[look->node].node->name);
    }
    free(look);
    if (--course->reading == 0)
        all_read(course);
}

static void look_at(struct course *course, size_t node)
{
    struct look *look = calloc(1, sizeof(*look));
    const struct view view = {
        .plan = course->pc,
        .node = node,
        .back = true,
        .walk_ms = clock_mono_ms(),
    };
    const struct probe_options options = {
        .ops = course->ops,
        .link = course->links[node],
        .view = &view,
        .reads = playbook_of(course)->back_reads,
    };

    if (!look)
        abort();
    look->course = course;
    look->node = node;
    course->reading++;
    probe_start(&options, on_look, look);
}

static void read_all(struct course *course)
{
    course->unread = 0;
    course->reading = 1;
    for (size_t i = 0; i < course->pc->n_nodes; i++)
        if (!course->pc->nodes[i].left_out)
            look_at(course, i);
    if (--course->reading == 0)
        all_read(course);
}

static void start_reading(struct course *course, enum course_state state)
{
    unsigned seconds = 0;

    for (size_t i = 0; i < course->pc->n_nodes; i++)
        if (course->pc->nodes[i].node->timeout_leave_s > seconds)
            seconds = course->pc->nodes[i].node->timeout_leave_s;
    /* A run may wait for a node that reboots; a person who typed `resume` is
     * told at once. */
    course->read_deadline_ms =
        state == COURSE_SURVEY ? 0 : clock_mono_ms() + seconds * 1000;
    set_state(course, state);
    read_all(course);
}

/* -- way back
 * ----------------------------------------------------------------------------
 */

static void cannot_go_back(struct course *course, const struct err *err)
{
    tell(course, "warning", err->text, -1);
    note_why(course, err);
    finish(course, course->pc->was_done && !course->pc->left
                       ? OUTCOME_REFUSED
                       : OUTCOME_INCOMPLETE);
}

static void back_read(struct course *course)
{
    struct err err = course->read_err;

    if (course->unread > 0)
        cannot_go_back(course, &err);
    else if (playbook_of(course)->way_back(course->pc, clock_wall_ms() / 1000,
                                           &err) < 0)
        cannot_go_back(course, &err);
    else
        start_live(course, true);
}

static void go_back(struct course *course)
{
    start_reading(course, COURSE_BACK_READ);
}

/* -- resume and rollback: look first
 * ------------------------------------------------------- */

static void survey_read(struct course *course)
{
    struct err err = {0};
    enum outcome refused =
        course->pc->was_done ? OUTCOME_REFUSED : OUTCOME_INCOMPLETE;

    if (course->interrupted) {
        finish(course, OUTCOME_INTERRUPTED);
    } else if (course->unread > 0) {
        note_why(course, &course->read_err);
        finish(course, refused);
    } else if (playbook_of(course)->recognise(course->pc, &err) < 0) {
        course->why = err;
        finish(course, refused);
    } else {
        err_reset(&course->why);
        halt_at(course, COURSE_DECIDED);
    }
}

/* -- gates
 * ------------------------------------------------------------------------------------
 */

static bool blocks(const struct course *course, const struct finding *f)
{
    return f->severity == SEVERITY_ERROR ||
           (f->severity == SEVERITY_BLOCK &&
            !plan_accepts(course->pc->plan, f->id));
}

static void refuse_by(struct course *course, const struct finding *f)
{
    struct err err = {0};

    err_set(&err, CAUSE_REFUSED, "%s%s%s%s", f->node ? "node " : "",
            f->node ? f->node : "", f->node ? ": " : "", f->text);
    if (f->severity == SEVERITY_BLOCK)
        err_set(&err, CAUSE_REFUSED,
                "%.900s (--accept %s goes on all the "
                "same)",
                err.text, f->id);
    tell(course, "warning", err.text, -1);
    note_why(course, &err);
}

static bool judge_findings(struct course *course)
{
    const struct findings *findings = &course->pc->findings;
    bool refused = false;

    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *f = &findings->list[i];
        struct event e = {
            .event = "warning",
            .cluster = course->pc->cluster->name,
            .node = f->node,
            .step = "gates",
            .state = f->id,
            .detail = f->text,
            .took_ms = -1,
        };
        if (blocks(course, f)) {
            refuse_by(course, f);
            refused = true;
        } else if (f->severity != SEVERITY_INFO) {
            journal_tell(course->journal, &e);
        }
    }
    return !refused;
}

static int name_generation(struct course *course, struct err *err)
{
    struct plan_cluster *pc = course->pc;
    unsigned kept = 0;

    if (pc->tag[0])
        return 0; /* resumed: the set has its names */
    if (run_store_generation(course->run, pc->cluster->name, &kept, err) < 0)
        return -1;
    return plan_name_set(pc, 1 + (kept > pc->number ? kept : pc->number),
                         pc->plan->tag, pc->plan->inventory->state_dir, err);
}

static void gates_passed(struct course *course)
{
    struct plan_cluster *pc = course->pc;
    const struct playbook *pb = playbook_of(course);
    struct str why;
    struct err err = {0};

    findings_release(&pc->findings);
    if (pb->decide(pc, &pc->findings, &err) < 0 ||
        (judge_findings(course) && name_generation(course, &err) < 0))
        note_why(course, &err);
    if (course->why.cause) {
        clean_then(course, OUTCOME_REFUSED);
        return;
    }
    pc->decided = true;
    str_init(&why, sizeof(pc->why_not_due) - 1);
    if (pb->not_due && pb->not_due(pc, &why)) {
        pc->not_due = true;
        snprintf(pc->why_not_due, sizeof(pc->why_not_due), "%s",
                 str_text(&why));
        tell(course, "warning", pc->why_not_due, -1);
        finish(course, OUTCOME_NOT_DUE);
    } else {
        write_record(course, "plan", plan_cluster_json(pc));
        halt_at(course, COURSE_DECIDED);
    }
    str_release(&why);
}

/* -- the ends of walks
 * ---------------------------------------------------------------------------
 */

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
        clean_then(course, OUTCOME_INTERRUPTED);
    else if (course->walk.end == WALK_MET)
        gates_passed(course);
    else if (course->walk.end == WALK_STOPPED) /* --until gates */
        finish(course, OUTCOME_STAGED);
    else
        clean_then(course, OUTCOME_REFUSED);
}

static void staging_ended(struct course *course)
{
    switch (course->walk.end) {
    case WALK_MET:
        halt_at(course, COURSE_STAGED);
        break;
    case WALK_STOPPED:
        finish(course,
               course->interrupted ? OUTCOME_INTERRUPTED : OUTCOME_STAGED);
        break;
    case WALK_FAILED:
    case WALK_HOLD:
        if (course->pc->left) /* resumed: something live is under way */
            finish(course, OUTCOME_INCOMPLETE);
        else
            clean_then(course, OUTCOME_CLEANED);
        break;
    }
}

static void forward_ended(struct course *course)
{
    const struct walk *walk = &course->walk;

    if (walk->end == WALK_MET)
        finish(course, has_dropped(course) ? OUTCOME_INCOMPLETE : OUTCOME_DONE);
    else if (walk->end == WALK_STOPPED)
        finish(course,
               course->interrupted ? OUTCOME_INTERRUPTED : OUTCOME_STAGED);
    else if (!course->pc->left)
        clean_then(course, OUTCOME_REFUSED);
    else if (walk->end == WALK_HOLD || course->on_failure == ON_FAILURE_HOLD)
        finish(course, OUTCOME_INCOMPLETE);
    else
        go_back(course);
}

static void back_ended(struct course *course)
{
    if (course->walk.end == WALK_MET && !has_dropped(course))
        finish(course, OUTCOME_ROLLED_BACK);
    else if (course->walk.end == WALK_STOPPED)
        finish(course, OUTCOME_INTERRUPTED);
    else
        finish(course, OUTCOME_INCOMPLETE);
}

static void after_walk(struct course *course)
{
    if (course->walk.why.cause)
        note_why(course, &course->walk.why);
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

void course_walk_ended(struct course *course)
{
    call_later(course, after_walk, 0);
}

/* -- from run.c
 * --------------------------------------------------------------------------------------
 */

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
    if (course->mode == RUN_ROLLBACK && !course->pc->left &&
        !course->pc->was_done)
        clean_then(course, OUTCOME_ROLLED_BACK); /* nothing live was changed */
    else if (course->mode == RUN_ROLLBACK ||
             (course->mode == RUN_RESUME && course->pc->left))
        start_reading(course, COURSE_SURVEY);
    else
        start_gates(course);
}

void course_stage(struct course *course)
{
    const struct playbook *pb = playbook_of(course);

    if (course->mode == RUN_ROLLBACK || course->pc->was_back) {
        go_back(course);
        return;
    }
    set_state(course, COURSE_STAGING);
    start_walk(course, first_row_with(pb, STEP_STAGE),
               first_row_with(pb, STEP_LIVE) - 1, false);
}

void course_go_live(struct course *course)
{
    start_live(course, false);
}

void course_give_up(struct course *course, enum outcome outcome)
{
    clean_then(course, outcome);
}

void course_interrupt(struct course *course)
{
    course->interrupted = true;
    if ((course->state == COURSE_GATES || course->state == COURSE_STAGING ||
         course->state == COURSE_FORWARD) &&
        !course->pc->left)
        walk_stop(&course->walk, WALK_STOPPED);
}

/* -- the two clocks that people ask for
 * ----------------------------------------------------------------- */

static void write_clock(struct course *course, const char *what, bool begins,
                        int64_t ms)
{
    write_record(course, "clock",
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
    if ((step->flags & STEP_OUTAGE) && !course->pc->outage_began_ms) {
        course->pc->outage_began_ms = now;
        course->had_outage = true;
        write_clock(course, "outage", true, now);
        tell(course, "outage-started", NULL, -1);
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
    tell(course, "outage-ended", NULL, took);
}

void course_note_whole(struct course *course)
{
    if (!course->pc->degraded_began_ms)
        return;
    course->pc->degraded_ms += clock_wall_ms() - course->pc->degraded_began_ms;
    course->pc->degraded_began_ms = 0;
    write_clock(course, "degraded", false, course->pc->degraded_ms);
}
