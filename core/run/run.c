/* SPDX-License-Identifier: Apache-2.0
 *
 * Several clusters as one run: begin, ask, barrier, end.  What happens inside
 * a cluster is course.c's business.
 */
#include "core/run/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/reach.h"
#include "core/run/run_priv.h"

static void on_later(uv_timer_t *timer)
{
    struct run *run = timer->data;

    run->later(run);
}

static void call_later(struct run *run, void (*what)(struct run *))
{
    run->later = what;
    uv_timer_start(&run->timer, on_later, 0, 0);
}

const char *run_id(const struct run *run)
{
    return run->journal.run;
}

int run_store_generation(struct run *run, const char *cluster, unsigned *number,
                         struct err *err)
{
    *number = 0;
    if (!run->options.store)
        return 0;
    return store_generation(run->options.store, cluster, number, err);
}

static const char *mode_word(const struct run *run)
{
    static const char *const words[] = {
        [RUN_PLAN] = "plan",
        [RUN_APPLY] = "apply",
        [RUN_RESUME] = "resume",
        [RUN_ROLLBACK] = "rollback",
    };

    return words[run->options.mode];
}

/* -- the longest turn ----------------------------------------------------- */

static uint64_t thread_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

enum {
    READING_NS = 100000 /* so much may a turn be told too long or too short */
};

struct reading {
    const uv_loop_t *loop;
    uint64_t at_ns, cpu_us, wall_us;
};

/* Hundreds of runs on one loop ask at the same moment, and the thread's CPU
 * time is a system call: those behind the first take its reading. */
static const struct reading *read_clocks(uv_loop_t *loop)
{
    static struct reading last; /* of the loop's thread, the only one */
    uint64_t now = uv_hrtime();

    if (last.loop == loop && now - last.at_ns < READING_NS)
        return &last;
    last = (struct reading){
        .loop = loop,
        .at_ns = now,
        .cpu_us = thread_cpu_us(),
        .wall_us = (now - uv_metrics_idle_time(loop)) / 1000,
    };
    return &last;
}

/* From one prepare to the next lies one whole turn; waiting costs no CPU, and
 * for the wall libuv's own count of idle time is taken off. */
static void on_turn(uv_prepare_t *prepare)
{
    struct run *run = prepare->data;
    const struct reading *now = read_clocks(prepare->loop);
    uint64_t cpu = now->cpu_us, wall = now->wall_us;

    if (run->turn_cpu_us && cpu - run->turn_cpu_us > run->longest_cpu_us)
        run->longest_cpu_us = cpu - run->turn_cpu_us;
    if (run->turn_wall_us && wall - run->turn_wall_us > run->longest_wall_us)
        run->longest_wall_us = wall - run->turn_wall_us;
    run->turn_cpu_us = cpu;
    run->turn_wall_us = wall;
}

/* -- the end -------------------------------------------------------------- */

static void tell_end(struct run *run)
{
    run->ended = true;
    uv_prepare_stop(&run->turn);
    run->result.longest_turn_cpu_us = run->longest_cpu_us;
    run->result.longest_turn_wall_us = run->longest_wall_us;
    run->options.on_end(run->options.user, &run->result);
}

static void on_ended(void *user, const struct err *err)
{
    struct run *run = user;

    if (err && !run->err.cause) {
        run->err = *err;
        run->result.err = &run->err;
    }
    if (!run->ended)
        call_later(run, tell_end);
}

/* A way back that was refused leaves a done run what history says it is. */
/* What the store keeps of it.  A refused run has changed nothing (one that was
 * taken over is then again what it was); with --keep-going others may be done.
 */
static enum outcome lasting_outcome(const struct run *run)
{
    if (run->result.outcome == OUTCOME_REFUSED)
        for (size_t i = 0; i < run->plan->n_clusters; i++)
            if (run->courses[i].acted)
                return OUTCOME_DONE;
    return run->result.outcome;
}

static void end_run(struct run *run)
{
    run->ending = true;
    run_make_result(run);
    if (!run->begun) {
        call_later(run, tell_end);
        return;
    }
    const struct store_ending ending = {
        .run = run->journal.run,
        .outcome = outcome_word(lasting_outcome(run)),
        .exit_code = run->result.exit_code,
        .keep = run_keeps(run),
    };
    store_end(run->options.store, &ending, on_ended, run);
}

/* -- the barriers --------------------------------------------------------- */

static bool all_in(const struct run *run, bool (*is)(const struct course *))
{
    for (size_t i = 0; i < run->plan->n_clusters; i++)
        if (!is(&run->courses[i]))
            return false;
    return true;
}

static bool is_ended(const struct course *course)
{
    return course->state == COURSE_ENDED;
}

static bool is_decided(const struct course *course)
{
    return course->state == COURSE_DECIDED || is_ended(course);
}

static bool is_past_staging(const struct course *course)
{
    return course->state == COURSE_STAGED || is_ended(course) ||
           course->state == COURSE_FORWARD ||
           course->state == COURSE_BACK_READ || course->state == COURSE_BACK;
}

static bool is_bad(const struct course *course)
{
    return is_ended(course) && course->outcome != OUTCOME_DONE &&
           course->outcome != OUTCOME_NOT_DUE &&
           course->outcome != OUTCOME_STAGED &&
           course->outcome != OUTCOME_WAITING &&
           course->outcome != OUTCOME_ROLLED_BACK;
}

static bool is_waiting(const struct course *course)
{
    return is_ended(course) && course->outcome == OUTCOME_WAITING;
}

/* The clusters of a run go live together: what is staged waits for the one
 * that a person must bring certificates for. */
static bool must_wait(const struct run *run)
{
    bool waiting = false;

    for (size_t i = 0; i < run->plan->n_clusters; i++) {
        waiting = waiting || is_waiting(&run->courses[i]);
        if (run->plan->clusters[i].left || run->plan->clusters[i].was_done)
            return false;
    }
    return waiting && !run->options.keep_going;
}

/* One refusal stops all clusters before any of them is changed, unless told
 * otherwise; once one was changed (resume) each goes its own way. */
static bool must_give_up(const struct run *run)
{
    bool bad = false;

    for (size_t i = 0; i < run->plan->n_clusters; i++) {
        bad = bad || is_bad(&run->courses[i]);
        if (run->plan->clusters[i].left || run->plan->clusters[i].was_done)
            return false;
    }
    return bad && !run->options.keep_going;
}

static void give_up(struct run *run, enum course_state state, const char *why)
{
    for (size_t i = 0; i < run->plan->n_clusters; i++) {
        struct course *course = &run->courses[i];

        if (course->state != state)
            continue;
        if (!course->why.cause)
            err_set(&course->why, CAUSE_REFUSED, "%s", why);
        course_give_up(course,
                       run->interrupts ? OUTCOME_INTERRUPTED : OUTCOME_REFUSED);
    }
}

static bool any_in(const struct run *run, enum course_state state)
{
    for (size_t i = 0; i < run->plan->n_clusters; i++)
        if (run->courses[i].state == state)
            return true;
    return false;
}

static bool plan_has_moved(const struct run *run)
{
    char hash[PKI_SHA256_HEX];

    if (!run->options.plan_hash)
        return false;
    plan_hash(run->plan, hash);
    return strcmp(hash, run->options.plan_hash) != 0;
}

static void ask(struct run *run)
{
    if (run->interrupts) {
        give_up(run, COURSE_DECIDED, "interrupted");
    } else if (must_give_up(run)) {
        give_up(run, COURSE_DECIDED,
                "another cluster was refused; --keep-going goes on without "
                "it");
    } else if (plan_has_moved(run)) {
        give_up(run, COURSE_DECIDED,
                "the nodes are not as the plan file has them: make a new "
                "plan");
    } else if (!run->asked) {
        run->asked = true;
        run->options.on_plan(run->options.user, run, run->plan);
    }
}

static void open_barrier(struct run *run)
{
    bool waits = must_wait(run);

    if (run->interrupts)
        give_up(run, COURSE_STAGED, "interrupted");
    else if (must_give_up(run))
        give_up(run, COURSE_STAGED,
                "another cluster was refused; --keep-going goes on without "
                "it");
    else
        for (size_t i = 0; i < run->plan->n_clusters; i++)
            if (run->courses[i].state != COURSE_STAGED)
                continue;
            else if (waits)
                course_stay(&run->courses[i]);
            else
                course_go_live(&run->courses[i]);
}

void run_review(struct run *run)
{
    if (run->ending)
        return;
    if (all_in(run, is_ended))
        end_run(run);
    else if (any_in(run, COURSE_DECIDED) && all_in(run, is_decided))
        ask(run);
    else if (any_in(run, COURSE_STAGED) && all_in(run, is_past_staging))
        open_barrier(run);
}

/* Yes was said, to this plan: who wants to know later which one it was has its
 * hash.  In the journal before anything that follows from it. */
static void note_answer(struct run *run)
{
    char hash[PKI_SHA256_HEX];
    struct journal_record record = {.kind = "go"};

    if (run->options.mode == RUN_PLAN)
        return;
    plan_hash(run->plan, hash);
    record.data =
        json_pack("{s:s, s:s}", "mode", mode_word(run), "plan_sha256", hash);
    if (run->options.mode == RUN_APPLY && run->options.approved)
        json_object_set(record.data, "approved", run->options.approved);
    journal_write(&run->journal, &record, NULL, NULL);
}

void run_go(struct run *run)
{
    if (run->answered)
        return;
    run->answered = true;
    note_answer(run);
    for (size_t i = 0; i < run->plan->n_clusters; i++) {
        if (run->courses[i].state != COURSE_DECIDED)
            continue;
        if (run->options.mode == RUN_PLAN)
            course_give_up(&run->courses[i], OUTCOME_DONE);
        else
            course_stage(&run->courses[i]);
    }
}

void run_stop(struct run *run)
{
    if (run->answered)
        return;
    run->answered = true;
    give_up(run, COURSE_DECIDED, "not confirmed");
}

/* -- the beginning -------------------------------------------------------- */

static void tell_started(struct run *run)
{
    struct event e = {
        .event = "run-started",
        .state = mode_word(run),
        .detail = run->plan->playbook->id,
        .took_ms = -1,
    };
    journal_tell(&run->journal, &e);
}

static void start_courses(struct run *run)
{
    tell_started(run);
    for (size_t i = 0; i < run->plan->n_clusters; i++)
        course_start(&run->courses[i]);
    run_review(run);
}

static void on_begun(void *user, const struct err *err)
{
    struct run *run = user;

    if (!err) {
        run->begun = true;
        call_later(run, start_courses);
        return;
    }
    run->err = *err;
    run->ending = true;
    run_make_result(run);
    call_later(run, tell_end);
}

static void begin(struct run *run)
{
    const struct plan *plan = run->plan;
    const char **names = calloc(plan->n_clusters + 1, sizeof(*names));
    json_t *json = plan_json(plan);
    char *inputs = json_dumps(json_object_get(json, "inputs"), JSON_COMPACT);
    const struct store_run row = {
        .id = run->journal.run,
        .playbook = plan->playbook->id,
        .target = plan->target,
        .inputs = inputs,
        .seen = run->options.seen,
    };

    if (!names)
        abort();
    for (size_t i = 0; i < plan->n_clusters; i++)
        names[i] = plan->clusters[i].cluster->name;
    store_begin(run->options.store, &row,
                &(struct store_names){names, plan->n_clusters}, on_begun, run);
    free(inputs);
    json_decref(json);
    free(names);
}

/* A done run is taken back only while nothing was built upon it. */
static int is_latest(struct run *run, struct err *err)
{
    char later[STORE_ID_BYTES];

    for (size_t i = 0; i < run->plan->n_clusters; i++) {
        const struct plan_cluster *pc = &run->plan->clusters[i];
        if (!pc->was_done)
            continue;
        if (store_later_run(run->options.store, pc->cluster->name,
                            run->journal.run, later, err) < 0)
            return -1;
        if (later[0])
            return err_set(err, CAUSE_REFUSED,
                           "run %s is later than run %s on cluster %s: take "
                           "that one back first",
                           later, run->journal.run, pc->cluster->name);
    }
    return 0;
}

static void take_over(struct run *run)
{
    struct err err = {0};

    memcpy(run->journal.run, run->options.id,
           strnlen(run->options.id, STORE_ID_BYTES - 1));
    if (run->options.mode == RUN_ROLLBACK && is_latest(run, &err) < 0)
        on_begun(run, &err);
    else
        store_takeover(run->options.store, run->journal.run, on_begun, run);
}

void run_start(struct run *run)
{
    uv_loop_configure(run->options.loop, UV_METRICS_IDLE_TIME);
    uv_prepare_start(&run->turn, on_turn);
    uv_unref((uv_handle_t *)&run->turn);
    switch (run->options.mode) {
    case RUN_PLAN:
        call_later(run, start_courses);
        break;
    case RUN_APPLY:
        store_new_id(run->journal.run);
        begin(run);
        break;
    case RUN_RESUME:
    case RUN_ROLLBACK:
        take_over(run);
        break;
    }
}

/* -- interrupts, and the very end ----------------------------------------- */

static void at_once(struct run *run)
{
    run->ending = true;
    run_make_result(run);
    run->result.outcome = OUTCOME_INTERRUPTED;
    run->result.exit_code = 130;
    run->result.at_once = true;
    tell_end(run);
}

void run_interrupt(struct run *run)
{
    if (run->ended)
        return;
    if (++run->interrupts > 1) {
        call_later(run, at_once);
        return;
    }
    for (size_t i = 0; i < run->plan->n_clusters; i++)
        course_interrupt(&run->courses[i]);
    if (!run->answered)
        give_up(run, COURSE_DECIDED, "interrupted");
}
