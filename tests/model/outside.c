/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine reaches for outside of itself, replaced by the linker
 * (--wrap): clock and timers, journal, a reading, a command.  The invariants
 * are checked here, from the world and not from what the engine believes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/run/act.h"
#include "tests/model/harness.h"

unsigned long model_unseen_moves;

/* The linker's names: what is called instead. */
uint64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_wall_ms(void);
int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t ms,
                          uint64_t repeat);
void __wrap_uv_close(uv_handle_t *handle, uv_close_cb cb);
void __wrap_journal_tell(struct journal *journal, struct event *event);
void __wrap_journal_write(struct journal *journal,
                          const struct journal_record *record,
                          store_done_f *done, void *user);
void __wrap_probe_start(const struct probe_options *options, probe_done_f *done,
                        void *user);
int __wrap_send_act(const struct sending *sending, bool *hold, struct err *err);
void __wrap_plan_note_sent(struct plan_cluster *pc, size_t node,
                           const char *command);
void __real_plan_note_sent(struct plan_cluster *pc, size_t node,
                           const char *command);
void __wrap_plan_note_file(struct plan_cluster *pc, size_t node,
                           const char *name);
char *__wrap_arena_strdup(struct arena *a, const char *text);
char *__real_arena_strdup(struct arena *a, const char *text);
void __wrap_course_clean(struct course *course, course_f *done);
void __wrap_course_gates_passed(struct course *course);

/* -- what the loop would bring -------------------------------------------- */

static struct due *later(void (*run)(struct due *), void *user, int rc)
{
    struct due *due = &h.due[h.n_due++];

    if (h.n_due == DUE_MAX)
        abort();
    *due = (struct due){.run = run, .user = user, .rc = rc};
    return due;
}

static void on_pause(struct course *course)
{
    if (course->state == COURSE_DECIDED)
        course_stage(course);
    else if (course->state == COURSE_STAGED)
        course_go_live(course);
    else
        h.life = LIFE_ENDED;
}

void outside_drain(void)
{
    h.course.on_pause = on_pause;
    for (;;) {
        if (h.next_due < h.n_due) {
            struct due due = h.due[h.next_due++];
            due.run(&due);
            if (h.next_due == h.n_due)
                h.next_due = h.n_due = 0;
        } else if (h.course_due) {
            h.course_due = false;
            h.on_course(&h.course.timer);
        } else {
            return;
        }
    }
}

/* -- clock and timers ----------------------------------------------------- */

uint64_t __wrap_clock_mono_ms(void)
{
    return h.now;
}

int64_t __wrap_clock_wall_ms(void)
{
    return AT_NOW;
}

int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    (void)loop;
    (void)timer;
    return 0;
}

/* A cell's timer is its state; only the course's is kept. */
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t ms,
                          uint64_t repeat)
{
    (void)repeat;
    if (timer == &h.course.timer) {
        h.on_course = cb;
        h.course_due = ms == 0;
        h.course_waits = ms > 0;
        if (ms > 0)
            h.look_again = h.course.later;
    } else if (((struct cell *)timer->data)->state == CELL_WAIT) {
        h.on_waited = cb;
    } else {
        h.on_poll = cb;
    }
    return 0;
}

void __wrap_uv_close(uv_handle_t *handle, uv_close_cb cb)
{
    cb(handle);
}

/* -- the journal ---------------------------------------------------------- */

static bool is_word(const json_t *data, const char *key, const char *word)
{
    const char *text = json_string_value(json_object_get(data, key));

    return text && strcmp(text, word) == 0;
}

static size_t node_called(const char *name)
{
    for (size_t i = 0; name && i < h.pc->n_nodes; i++)
        if (strcmp(h.pc->nodes[i].node->name, name) == 0)
            return i;
    return SIZE_MAX;
}

static void keep_cell(const struct journal_record *record,
                      const struct step *step)
{
    struct journaled *j = &h.journal;
    size_t node = node_called(record->node), n;
    bool back = is_word(record->data, "walk", "back");
    const json_t *acts = json_object_get(record->data, "acts");

    if (step->flags & STEP_LIVE) {
        if (back != j->was_back)
            j->turned = false;
        j->was_back = back;
    }
    if ((step->flags & STEP_TURN) && (is_word(record->data, "to", "done") ||
                                      is_word(record->data, "to", "skipped")))
        j->turned = true;
    if (!is_word(record->data, "to", "apply") || !(step->flags & STEP_LIVE))
        return;
    j->left = true;
    j->outage_sent |= (step->flags & STEP_OUTAGE) != 0;
    j->was_done = false;
    n = json_array_size(acts);
    if (node != SIZE_MAX && n > 0)
        j->sent[node] =
            view_code(json_string_value(json_array_get(acts, n - 1)));
}

/* What core/run/resume.c makes of the records; test_journal compares. */
static void keep(const struct journal_record *record, const struct step *step)
{
    struct journaled *j = &h.journal;

    if (strcmp(record->kind, "cell") == 0 && step) {
        keep_cell(record, step);
    } else if (strcmp(record->kind, "holder") == 0) {
        j->holder = node_called(
            json_string_value(json_object_get(record->data, "holder")));
    } else if (strcmp(record->kind, "plan") == 0) {
        j->holder = h.pc->holder;
    } else if (strcmp(record->kind, "outcome") == 0 &&
               !is_word(record->data, "outcome", "refused") &&
               !is_word(record->data, "outcome", "interrupted")) {
        j->was_done = is_word(record->data, "outcome", "done");
    }
}

static void on_written(struct due *due)
{
    due->written(due->user, NULL);
}

/* The intent of a live row is durable by an event of its own; that of others
 * at once. */
void __wrap_journal_write(struct journal *journal,
                          const struct journal_record *record,
                          store_done_f *done, void *user)
{
    const struct cell *cell = user;
    const struct step *step = NULL;

    (void)journal;
    for (size_t row = 0; record->step && row < h.plan->playbook->n_steps; row++)
        if (strcmp(h.plan->playbook->steps[row].id, record->step) == 0 &&
            (!record->node || (h.plan->playbook->steps[row].roles &
                               h.pc->nodes[node_called(record->node)].roles)))
            step = &h.plan->playbook->steps[row];
    keep(record, step);
    if (h.on_record)
        h.on_record(record);
    json_decref(record->data);
    if (!done)
        return;
    h.on_intent = done;
    if (!harness_is_live(cell))
        later(on_written, user, 0)->written = done;
}

void __wrap_journal_tell(struct journal *journal, struct event *event)
{
    (void)journal;
    (void)event;
}

/* -- a reading ------------------------------------------------------------ */

static void on_probed(struct due *due)
{
    static const struct err silent = {CAUSE_LOST, "it does not answer"};
    static const struct err none = {CAUSE_NONE, ""};

    due->probed(due->user, due->rc, false, due->rc < 0 ? &silent : &none);
}

static void read_files(struct cms_facts *f, size_t node, bool back)
{
    const struct file_set *set = plan_target(h.pc, node, back);

    memset(f->target_sha256, 0, sizeof(f->target_sha256));
    f->target_back = back;
    for (size_t k = 0; k < set->n; k++)
        if (plan_node_gets(&h.pc->nodes[node], &set->files[k]) &&
            (back || h.world.node[node].has_new))
            memcpy(f->target_sha256[k], set->files[k].sha256, PKI_SHA256_HEX);
}

void __wrap_probe_start(const struct probe_options *options, probe_done_f *done,
                        void *user)
{
    size_t node = options->view->node;
    struct cms_facts *f = (struct cms_facts *)h.pc->nodes[node].facts;
    bool up = h.world.node[node].up;

    later(on_probed, user, up ? 0 : -1)->probed = done;
    f->base.unreachable = !up;
    if (!up)
        return;
    h.now++;
    h.view[node] = view_now(node);
    f->status = *view_status(h.view[node]);
    f->base.read_ms[0] = h.now;
    if (f->status.place == CMS_STANDALONE)
        f->standalone_ms = h.now;
    if (options->reads & CMS_READ_TARGET)
        read_files(f, node, options->view->back);
    h.saw_foreign[node] =
        h.world.node[node].foreign && h.world.node[node].last == CODE_FOREIGN;
}

/* -- a command, or a file ------------------------------------------------- */

static void on_answered(struct due *due)
{
    static const struct err failure = {CAUSE_REMOTE, "FAILURE"};

    due->sent(due->user, due->rc < 0 ? SENT_ERROR : SENT_OK, &failure);
}

/* Nothing live: done and answered at once. */
static int stage(const struct sending *s)
{
    struct plan_node *pn =
        s->view->node == SIZE_MAX ? NULL : &h.pc->nodes[s->view->node];
    int rc = 0;

    if (s->act->kind == ACT_LOCAL) {
        h.pc->issued = h.pc->loaded = h.journal.issued = true;
        course_record(s->course, "generation", json_object());
    }
    if (pn && s->act->kind == ACT_FETCH)
        pn->backup_ms = AT_NOW;
    if (s->act->kind == ACT_PUT && h.spoil)
        rc = -1;
    else if (s->act->kind == ACT_PUT && strcmp(s->act->text, "ca_crt") == 0)
        h.world.node[s->view->node].has_new = 1;
    later(on_answered, s->user, rc)->sent = s->done;
    return 0;
}

static void check_sent(const struct sending *s, const char *text)
{
    size_t node = s->view->node;
    uint8_t code = view_code(text);
    struct err err = {0};

    if (!command_match(&cms_product, text, &err))
        breach_note("I6", "%s", text);
    if (h.saw_foreign[node] && h.accept != ACCEPTED_FOREIGN)
        breach_note("I7", "`%s' on %s, where somebody else was seen", text,
                    h.pc->nodes[node].node->name);
    if (code >= CODE_JOIN) {
        size_t to = (size_t)(code - CODE_JOIN) % WORLD_MAX;
        if (!(h.led[node] >> to & 1) && !world_leads(&h.world, to))
            breach_note("I2", "`%s' on %s: nobody leads there", text,
                        h.pc->nodes[node].node->name);
    }
}

int __wrap_send_act(const struct sending *s, bool *hold, struct err *err)
{
    struct str text;
    int rc = 0;

    *hold = false;
    h.on_sent = s->done;
    if (s->act->kind == ACT_LOCAL)
        return stage(s);
    str_init(&text, 4096);
    rc = act_text(s->view, s->act, &text, err);
    if (rc == 0 && !h.options.no_guard)
        rc = cms_guard(s->view, s->act, str_text(&text), hold, err);
    if (rc == 0 && !harness_is_live(s->user)) {
        stage(s);
    } else if (rc == 0) {
        check_sent(s, str_text(&text));
        h.flight[s->view->node] = view_code(str_text(&text));
    }
    str_release(&text);
    return rc;
}

void __wrap_plan_note_sent(struct plan_cluster *pc, size_t node,
                           const char *command)
{
    struct plan_node *pn = &pc->nodes[node];

    if (pc != h.pc) { /* a plan that resume.c reads */
        __real_plan_note_sent(pc, node, command);
        return;
    }
    if (strncmp(command, "database cluster", 16) != 0)
        return;
    h.sent[node] = view_code(command);
    pn->n_sent = CODES - 2;
    pn->sent[pn->n_sent++] = view_code_text(node, h.sent[node]);
}

void __wrap_plan_note_file(struct plan_cluster *pc, size_t node,
                           const char *name)
{
    (void)pc;
    (void)node;
    (void)name;
}

/* A plan's arena only grows; millions of states share this one. */
char *__wrap_arena_strdup(struct arena *a, const char *text)
{
    uint8_t code = text ? view_code(text) : CODE_NONE;

    for (size_t i = 0; code && i < h.world.n; i += h.world.n_data)
        if (strcmp(text, view_code_text(i, code)) == 0)
            return (char *)(uintptr_t)view_code_text(i, code);
    return __real_arena_strdup(a, text);
}

/* -- the gates, and taking staged files away ------------------------------ */

static void on_clean(struct due *due)
{
    due->cleaned(due->user);
}

void __wrap_course_clean(struct course *course, course_f *done)
{
    for (size_t i = 0; i < h.world.n; i++) {
        if (!h.world.node[i].up)
            continue;
        if (h.world.node[i].new_set)
            breach_note("I4", "files in use are taken off %s",
                        h.pc->nodes[i].node->name);
        h.world.node[i].has_new = 0;
    }
    later(on_clean, course, 0)->cleaned = done;
}

/* All agree on one primary, all are in sync.  What else gates ask has nothing
 * to do with the order (tests/scenario/test_refused.c). */
static size_t agreed_holder(void)
{
    size_t holder = SIZE_MAX;

    for (size_t i = 0; i < h.world.n; i++) {
        const struct cms_facts *f = cms_facts_at(h.pc, i);
        enum cms_place place = f->status.place;
        const struct cms_member *me = cms_status_me(&f->status);

        if (place == CMS_IS_PRIMARY && holder == SIZE_MAX)
            holder = i;
        else if (place == CMS_IS_PRIMARY ||
                 (i < h.world.n_data && !(me && me->in_sync)) ||
                 (i >= h.world.n_data && place != CMS_IS_CLIENT))
            return SIZE_MAX;
    }
    return holder;
}

void __wrap_course_gates_passed(struct course *course)
{
    size_t holder = agreed_holder();

    if (holder == SIZE_MAX) {
        course_clean_then(course, OUTCOME_REFUSED);
        return;
    }
    cms_db_assign(h.pc, holder);
    h.journal.holder = holder;
    for (size_t i = 0; i < h.world.n; i++) {
        const char *last = cms_facts_at(h.pc, i)->status.last;
        h.pc->nodes[i].first_last = view_code_text(i, view_code(last));
        h.world.node[i].foreign = 0; /* what was there before is not */
    }
    course_record(course, "plan", plan_cluster_json(h.pc));
    course_halt_at(course, COURSE_DECIDED);
}

/* -- what arrives at a node ----------------------------------------------- */

static void check_remove(size_t i, bool back)
{
    const struct world *w = &h.world;
    size_t others = 0;

    for (size_t k = 0; k < w->n; k++)
        if (!back && !w->node[k].has_new)
            breach_note("I3", "%s leaves, and %s has not got the new set",
                        h.pc->nodes[i].node->name, h.pc->nodes[k].node->name);
    if (!world_leads(w, i))
        return;
    for (size_t k = 0; k < w->n_data; k++)
        others += k != i && w->node[k].role != ALONE &&
                  w->node[k].group == w->node[i].group;
    if (!(h.led[i] >> i & 1)) /* it began to lead since it was read */
        model_unseen_moves++;
    else if (others)
        breach_note("I3", "the primary %s leaves before %zu others",
                    h.pc->nodes[i].node->name, others);
    else if (h.journal.holder != i)
        breach_note("I1", "%s leaves last, and is not journaled as holder",
                    h.pc->nodes[i].node->name);
}

static void check_initialize(size_t i)
{
    if (!h.world.node[i].newest)
        breach_note("I1", "initialize on %s, whose copy is old",
                    h.pc->nodes[i].node->name);
    if (h.journal.holder != i)
        breach_note("I1", "initialize on %s, which is not journaled as holder",
                    h.pc->nodes[i].node->name);
    for (size_t k = 0; k < h.world.n_data; k++)
        if (k != i && world_leads(&h.world, k))
            breach_note("I1", "initialize on %s while %s leads",
                        h.pc->nodes[i].node->name, h.pc->nodes[k].node->name);
}

void outside_arrive(size_t node, uint8_t code, bool back)
{
    if (code == CODE_REMOVE)
        check_remove(node, back);
    else if (code == CODE_INIT)
        check_initialize(node);
    else if (code == CODE_CERTS_NEW && !h.world.node[node].has_new)
        breach_note("I3", "switched to files that are not there");
    world_take(&h.world, node, code);
}
