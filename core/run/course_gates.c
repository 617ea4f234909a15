/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gates' readings come to: findings that refuse or warn, the name of
 * the new generation, the decided plan in the journal.
 */
#include <stdio.h>
#include <string.h>

#include "core/run/course_priv.h"
#include "core/run/preflight.h"

static bool blocks(const struct course *course, const struct finding *f)
{
    return f->severity == SEVERITY_ERROR ||
           (f->severity == SEVERITY_BLOCK &&
            !plan_accepts(course->pc->plan, f->id));
}

static struct event event_of(const struct course *course, const char *step,
                             const struct finding *f)
{
    return (struct event){
        .event = "warning",
        .cluster = course->pc->cluster->name,
        .node = f->node,
        .step = step,
        .state = f->id,
        .check = preflight_check(f->id),
        .detail = f->text,
        .took_ms = -1,
    };
}

/* For later readers of the run (`show -v', `report'): what was known before
 * anything was changed.  `weight': NULL where nothing follows from it. */
static void note(struct course *course, const char *step,
                 const struct finding *f, const char *weight)
{
    const struct journal_record record = {
        .cluster = course->pc->cluster->name,
        .node = f->node,
        .step = step,
        .kind = "note",
        .data = json_pack("{s:s, s:s}", "id", f->id, "text", f->text),
    };

    if (weight)
        json_object_set_new(record.data, "weight", json_string(weight));
    journal_write(course->journal, &record, NULL, NULL);
}

static void refuse_by(struct course *course, const struct finding *f)
{
    struct err err = {0};
    struct event e = event_of(course, "gates", f);
    bool accept = f->severity == SEVERITY_BLOCK;
    struct str ids;

    str_init(&ids, 64);
    preflight_add_ids(&ids, f->id);
    err_set(&err, CAUSE_REFUSED, "%s%s%s%s%s%s%s", f->node ? "node " : "",
            f->node ? f->node : "", f->node ? ": " : "", f->text,
            accept ? " (--accept " : " [", accept ? f->id : str_text(&ids),
            accept ? " goes on all the same)" : "]");
    e.detail = err.text;
    journal_tell(course->journal, &e);
    note(course, "gates", f, "refuses");
    course_note_why(course, &err);
    str_release(&ids);
}

void course_tell_finding(struct course *course, const char *step,
                         const struct finding *f)
{
    struct event e = event_of(course, step, f);

    if (f->severity == SEVERITY_INFO) {
        note(course, step, f, NULL); /* nothing to act on */
        return;
    }
    journal_tell(course->journal, &e);
    note(course, step, f,
         f->severity == SEVERITY_WARNING ? "warning" : "accepted");
}

static bool judge_findings(struct course *course)
{
    const struct findings *findings = &course->pc->findings;
    bool refused = false;

    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *f = &findings->list[i];
        if (blocks(course, f)) {
            refuse_by(course, f);
            refused = true;
        } else {
            course_tell_finding(course, "gates", f);
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

static void gates_judged(struct course *course)
{
    struct plan_cluster *pc = course->pc;
    const struct playbook *pb = course_playbook(course);
    struct str why;
    struct err err = {0};

    preflight_grade(pc->cluster->checks, &pc->findings);
    if (!judge_findings(course) || course->why.cause) {
        course_clean_then(course, OUTCOME_REFUSED);
        return;
    }
    pc->decided = true;
    str_init(&why, sizeof(pc->why_not_due) - 1);
    if (pb->not_due && pb->not_due(pc, &why)) {
        pc->not_due = true;
        snprintf(pc->why_not_due, sizeof(pc->why_not_due), "%s",
                 str_text(&why));
        course_tell(course, "warning", pc->why_not_due, -1);
        course_finish(course, OUTCOME_NOT_DUE);
    } else if (name_generation(course, &err) < 0) {
        course_note_why(course, &err);
        course_clean_then(course, OUTCOME_REFUSED);
    } else {
        course_record(course, "plan", plan_cluster_json(pc));
        if (course->walk.end == WALK_STOPPED) /* --until gates */
            course_finish(course, OUTCOME_STAGED);
        else
            course_halt_at(course, COURSE_DECIDED);
    }
    str_release(&why);
}

static void weigh(uv_work_t *work)
{
    struct course *course = work->data;

    course_playbook(course)->weigh(course->pc, &course->pc->findings);
}

static void on_weighed(uv_work_t *work, int status)
{
    struct course *course = work->data;

    (void)status;
    if (course->interrupted)
        course_clean_then(course, OUTCOME_INTERRUPTED);
    else
        gates_judged(course);
}

void course_gates_passed(struct course *course)
{
    struct plan_cluster *pc = course->pc;
    const struct playbook *pb = course_playbook(course);
    struct err err = {0};

    findings_release(&pc->findings);
    if (pb->decide(pc, &pc->findings, &err) < 0)
        course_note_why(course, &err);
    if (!pb->weigh || course->why.cause) {
        gates_judged(course);
        return;
    }
    course->weighing.data = course;
    uv_queue_work(course->loop, &course->weighing, weigh, on_weighed);
}
