/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading every node before a decision: may a stopped run go on, may a run be
 * taken back?
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/run/course_priv.h"
#include "core/run/probe.h"

/* -- reading every node before a decision --------------------------------- */

static void read_all(struct course *course);
static void survey_read(struct course *course);
static void back_read(struct course *course);

static void all_read(struct course *course)
{
    if (course->unread > 0 && !course->interrupted &&
        clock_mono_ms() < course->read_deadline_ms)
        course_later(course, read_all, 1000);
    else if (course->state == COURSE_SURVEY)
        course_later(course, survey_read, 0);
    else
        course_later(course, back_read, 0);
}

struct look {
    struct course *course;
    size_t node;
};

static void on_look(void *user, int rc, bool refused, const struct err *err)
{
    struct look *look = user;
    struct course *course = look->course;

    course->pc->nodes[look->node].away = rc < 0;
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

/* A node that was absent when the run began is read as gates read it. */
static uint32_t newcomer_reads(const struct course *course, size_t node)
{
    bool known = course->pc->nodes[node].old.n > 0;

    return known ? 0 : course_playbook(course)->steps[0].reads;
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
        .loop = course->loop,
        .ops = course->ops,
        .link = course->links[node],
        .view = &view,
        .reads =
            course_playbook(course)->back_reads | newcomer_reads(course, node),
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
        if (plan_takes_part(course->pc, i))
            look_at(course, i);
    if (--course->reading == 0)
        all_read(course);
}

void course_look(struct course *course, enum course_state state)
{
    unsigned seconds = 0;

    for (size_t i = 0; i < course->pc->n_nodes; i++)
        if (course->pc->nodes[i].node->timeout_leave_s > seconds)
            seconds = course->pc->nodes[i].node->timeout_leave_s;
    /* A run may wait for a node that reboots; a person who typed `resume` is
     * told at once. */
    course->read_deadline_ms =
        state == COURSE_SURVEY ? 0 : clock_mono_ms() + (uint64_t)seconds * 1000;
    course_set_state(course, state);
    read_all(course);
}

/* -- way back ------------------------------------------------------------- */

static void cannot_go_back(struct course *course, const struct err *err)
{
    course_tell(course, "warning", err->text, -1);
    course_note_why(course, err);
    course_finish(course, course->pc->was_done && !course->acted
                              ? OUTCOME_REFUSED
                              : OUTCOME_INCOMPLETE);
}

static void back_read(struct course *course)
{
    struct err err = course->read_err;

    if (course->unread > 0)
        cannot_go_back(course, &err);
    else if (course_playbook(course)->way_back(
                 course->pc, clock_wall_ms() / 1000, &err) < 0)
        cannot_go_back(course, &err);
    else
        course_start_live(course, true);
}

/* A node that was absent when the run began never lost its old set: a way back
 * has nothing to do there, and no old set to aim at. */
static void leave_absent_out(struct plan_cluster *pc)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].old.n == 0 && pc->nodes[i].n_sent == 0)
            pc->nodes[i].left_out = true;
}

void course_go_back(struct course *course)
{
    struct err err = {0};

    if (!course_playbook(course)->way_back) {
        err_set(&err, CAUSE_REFUSED, "there is no way back: %s",
                course->pc->no_way_back);
        cannot_go_back(course, &err);
        return;
    }
    leave_absent_out(course->pc);
    course_look(course, COURSE_BACK_READ);
}

/* -- resume and rollback: look first -------------------------------------- */

static void survey_read(struct course *course)
{
    struct err err = {0};
    enum outcome refused =
        course->pc->was_done ? OUTCOME_REFUSED : OUTCOME_INCOMPLETE;

    if (course->interrupted) {
        course_finish(course, OUTCOME_INTERRUPTED);
    } else if (course->unread > 0) {
        course_note_why(course, &course->read_err);
        course_finish(course, refused);
    } else if (course_playbook(course)->recognise(course->pc, &err) < 0) {
        course->why = err;
        course_finish(course, refused);
    } else {
        err_reset(&course->why);
        course_record(course, "plan", plan_cluster_json(course->pc));
        course_halt_at(course, COURSE_DECIDED);
    }
}
