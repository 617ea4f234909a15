/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's memory put back from a shot and taken into one, and what a new
 * process begins with.
 */
#include "tests/model/harness.h"

#include <stdlib.h>
#include <string.h>

/* -- which cell runs ------------------------------------------------------ */

bool harness_is_live(const struct cell *cell)
{
    return (cell->step->flags & STEP_LIVE) != 0;
}

static bool runs(const struct cell *cell)
{
    return cell->state != CELL_PENDING && !cell_is_settled(cell);
}

struct cell *harness_cell(size_t node)
{
    const struct walk *walk = &h.course.walk;

    for (size_t row = walk->first; walk->cells && row <= walk->last; row++)
        if (runs(walk_cell(walk, row, node)))
            return walk_cell(walk, row, node);
    return NULL;
}

static struct cell *once_cell(void)
{
    const struct walk *walk = &h.course.walk;

    for (size_t row = walk->first; walk->cells && row <= walk->last; row++)
        if (walk_cell(walk, row, SIZE_MAX)->step->order == STEP_ONCE)
            return walk_cell(walk, row, SIZE_MAX);
    return NULL;
}

struct cell *harness_once(void)
{
    struct cell *cell = once_cell();

    return cell && runs(cell) ? cell : NULL;
}

/* -- cells ---------------------------------------------------------------- */

static unsigned bit(bool set, unsigned n)
{
    return set ? 1u << n : 0;
}

static uint16_t pack_cell(const struct cell *cell)
{
    bool acts = cell->state == CELL_APPLY;
    bool acted = cell->acted && runs(cell) && cell->state != CELL_WAIT;

    return (uint16_t)(cell->state | cell->tries << 3 | bit(cell->again, 6) |
                      bit(acted, 7) | bit(cell->spent, 8) |
                      (acts ? cell->act << 9 : 0));
}

static void unpack_cell(struct cell *cell, uint16_t bits)
{
    cell->state = (enum cell_state)(bits & 7);
    cell->tries = (bits >> 3) & 7;
    cell->again = (bits >> 6) & 1;
    cell->acted = (bits >> 7) & 1;
    cell->spent = (bits >> 8) & 1;
    cell->act = bits >> 9;
    cell->acted_ms = cell->acted ? 1 : 0;
    cell->told = cell->state != CELL_PENDING;
    cell->hold = cell->refused = false;
    cell->probes = 0;
    cell->err.cause = CAUSE_NONE;
    cell->deadline_ms = UINT64_MAX;
    cell->polls_since_ms = AT_SEEN;
}

static void free_timer(struct cell *cell)
{
    free(cell->timer);
    cell->timer = NULL;
}

static void put_walk(const struct shot *s)
{
    struct walk *walk = &h.course.walk;

    if (!walk->cells || walk->first != s->first || walk->last != s->last) {
        walk_release(walk);
        walk_init(walk, &h.course, s->first, s->last, false);
    }
    walk->back = s->walk_bits & 1;
    walk->stopping = (s->walk_bits >> 1) & 1;
    walk->hold = (s->walk_bits >> 2) & 1;
    walk->ended = (s->walk_bits >> 3) & 1;
    walk->block = s->block;
    walk->block_end = s->block_end;
    walk->running = s->running;
    walk->end = (enum walk_end)s->walk_end;
    walk->why.cause = (enum cause)((s->walk_bits >> 4) & 7);
    walk->served = (s->walk_bits >> 7) & 1;
    walk->began_ms = AT_BEGIN;
    for (size_t row = walk->first; row <= walk->last; row++) {
        for (size_t i = 0; i < h.world.n; i++)
            unpack_cell(walk_cell(walk, row, i), s->node[i].cell[row]);
        unpack_cell(walk_cell(walk, row, SIZE_MAX), CELL_PENDING);
    }
    if (once_cell())
        unpack_cell(once_cell(), s->once);
}

static void take_walk(struct shot *s)
{
    struct walk *walk = &h.course.walk;

    s->first = (uint8_t)walk->first;
    s->last = (uint8_t)walk->last;
    s->walk_bits =
        (uint8_t)(bit(walk->back, 0) | bit(walk->stopping, 1) |
                  bit(walk->hold, 2) | bit(walk->ended, 3) |
                  (unsigned)walk->why.cause << 4 | bit(walk->served, 7));
    s->block = (uint8_t)walk->block;
    s->block_end = (uint8_t)walk->block_end;
    s->running = (uint8_t)walk->running;
    s->walk_end = (uint8_t)(walk->stopping || walk->ended ? walk->end : 0);
    for (size_t row = walk->first; row <= walk->last; row++) {
        for (size_t i = 0; i < h.world.n; i++) {
            s->node[i].cell[row] = pack_cell(walk_cell(walk, row, i));
            free_timer(walk_cell(walk, row, i));
        }
        free_timer(walk_cell(walk, row, SIZE_MAX));
    }
    if (once_cell())
        s->once = pack_cell(once_cell());
}

/* -- what was seen of a node ---------------------------------------------- */

static void put_files(struct cms_facts *f, size_t node, uint8_t target)
{
    const struct file_set *set =
        target == TARGET_OLD ? &h.pc->nodes[node].old : &h.pc->set;

    memset(f->target_sha256, 0, sizeof(f->target_sha256));
    f->target_back = target == TARGET_OLD;
    for (size_t k = 0; k < set->n; k++)
        if (target == TARGET_OLD || target == TARGET_NEW)
            memcpy(f->target_sha256[k], set->files[k].sha256, PKI_SHA256_HEX);
}

static void put_seen(const struct shot_node *s, size_t node)
{
    static const uint64_t ages[] = {0, AT_BEFORE, AT_SEEN};
    struct cms_facts *f = (struct cms_facts *)h.pc->nodes[node].facts;
    uint16_t view = s->view ? (uint16_t)(s->view - 1)
                            : view_of_place((enum cms_place)s->place);

    if (h.view[node] != view)
        f->status = *view_status(view);
    h.view[node] = view;
    f->base.read_ms[0] = ages[s->age];
    f->standalone_ms = ages[s->alone];
    f->base.unreachable = s->silent;
    put_files(f, node, s->target);
}

static uint8_t age_of(uint64_t ms)
{
    if (ms == 0)
        return 0;
    return ms < h.course.walk.began_ms ? 1 : 2;
}

static uint8_t target_of(const struct cms_facts *f)
{
    if (f->target_back)
        return TARGET_OLD;
    for (size_t k = 0; k < SET_FILES_MAX; k++)
        if (f->target_sha256[k][0])
            return TARGET_NEW;
    return TARGET_NONE;
}

static void take_seen(struct shot_node *s, size_t node)
{
    const struct cms_facts *f = cms_facts_at(h.pc, node);
    const struct cell *cell = harness_cell(node);
    bool acts = cell && cell->state == CELL_APPLY;
    bool judged = h.course.state == COURSE_GATES; /* by all of it, together */

    s->place = (uint8_t)f->status.place;
    s->age = age_of(f->base.read_ms[0]);
    s->alone = age_of(f->standalone_ms);
    if (s->alone == 1)
        s->alone = 0; /* of an earlier walk: counts for nothing */
    s->target = target_of(f);
    s->silent = f->base.unreachable;
    if (acts || judged)
        s->view = (uint16_t)(h.view[node] + 1);
    if (acts) {
        s->led = h.led[node];
        s->saw_foreign = h.saw_foreign[node];
    }
    s->flight = h.flight[node];
}

/* -- nodes, journal, course ----------------------------------------------- */

static void set_sent(size_t node, uint8_t code)
{
    struct plan_node *pn = &h.pc->nodes[node];

    h.sent[node] = code;
    pn->n_sent = code ? CODES - 2 : 0;
    if (code)
        pn->sent[pn->n_sent++] = view_code_text(node, code);
}

static void put_node(const struct shot_node *s, size_t node)
{
    struct plan_node *pn = &h.pc->nodes[node];

    h.world.node[node] = s->w;
    h.first[node] = s->first;
    pn->first_last = s->first ? view_code_text(node, s->first) : NULL;
    h.journal.sent[node] = s->journaled;
    h.led[node] = s->led;
    h.flight[node] = s->flight;
    h.saw_foreign[node] = s->saw_foreign;
    pn->dropped = s->dropped;
    pn->backup_ms = s->backup ? AT_NOW : 0;
    set_sent(node, s->sent);
    put_seen(s, node);
}

static void put_bits(const struct shot *s)
{
    unsigned p = s->plan_bits, j = s->journal_bits;
    size_t none = SIZE_MAX;

    h.pc->left = p & 1;
    h.pc->outage_sent = (p >> 1) & 1;
    h.pc->turned = (p >> 2) & 1;
    h.pc->was_back = (p >> 3) & 1;
    h.pc->was_done = (p >> 4) & 1;
    h.pc->issued = (p >> 5) & 1;
    h.pc->loaded = (p >> 6) & 1;
    h.journal.left = j & 1;
    h.journal.outage_sent = (j >> 1) & 1;
    h.journal.turned = (j >> 2) & 1;
    h.journal.was_back = (j >> 3) & 1;
    h.journal.was_done = (j >> 4) & 1;
    h.journal.issued = (j >> 5) & 1;
    cms_db_assign(h.pc, s->holder ? s->holder - 1u : none);
    h.journal.holder = s->journal_holder ? s->journal_holder - 1u : none;
}

static void take_bits(struct shot *s)
{
    const struct plan_cluster *pc = h.pc;
    const struct journaled *j = &h.journal;

    s->plan_bits = (uint8_t)(bit(pc->left, 0) | bit(pc->outage_sent, 1) |
                             bit(pc->turned, 2) | bit(pc->was_back, 3) |
                             bit(pc->was_done, 4) | bit(pc->issued, 5) |
                             bit(pc->loaded, 6));
    s->journal_bits = (uint8_t)(bit(j->left, 0) | bit(j->outage_sent, 1) |
                                bit(j->turned, 2) | bit(j->was_back, 3) |
                                bit(j->was_done, 4) | bit(j->issued, 5));
    s->holder = (uint8_t)(pc->holder + 1);
    s->journal_holder = (uint8_t)(j->holder + 1);
}

void harness_accept(enum accepted what)
{
    static const char *const lists[][2] = {
        {NULL, NULL}, {"foreign", NULL}, {"data-loss", NULL}};

    h.accept = what;
    h.plan->accepted = lists[what];
}

void harness_put(const struct shot *s)
{
    h.left = s->left;
    h.life = (enum life)s->life;
    harness_accept((enum accepted)s->accept);
    h.now = AT_NOW;
    h.spoil = false;
    h.n_due = h.next_due = 0;
    h.course_due = false;
    h.course_waits = s->waiting;
    put_bits(s);
    if (h.life == LIFE_RUNNING)
        put_walk(s);
    for (size_t i = 0; i < h.world.n; i++)
        put_node(&s->node[i], i);
    h.course.mode = (enum run_mode)s->mode;
    h.course.state = (enum course_state)s->course;
    h.course.outcome = (enum outcome)s->outcome;
    h.course.acted = s->acted;
    h.course.moved_to = s->moved_to;
    h.course.why.cause = (enum cause)s->cause;
    h.course.read_deadline_ms = s->waiting ? UINT64_MAX : 0;
}

static void take_course(struct shot *s)
{
    const struct course *course = &h.course;

    s->mode = (uint8_t)course->mode;
    s->course = (uint8_t)course->state;
    s->acted = course->acted;
    s->moved_to = course->walk.end == WALK_MOVED && course->walk.stopping
                      ? (uint8_t)course->moved_to
                      : 0;
    s->cause = (uint8_t)course->why.cause;
    s->waiting = h.course_waits;
    s->accept = (uint8_t)h.accept;
    if (course->walk.cells)
        take_walk(s);
}

static void take_node(struct shot_node *s, size_t node)
{
    const struct plan_node *pn = &h.pc->nodes[node];

    s->w = h.world.node[node];
    s->first = pn->first_last ? view_code(pn->first_last) : CODE_NONE;
    s->journaled = h.journal.sent[node];
    if (s->w.stray)
        s->led = h.led[node];
    if (h.life != LIFE_RUNNING)
        return;
    s->sent = h.sent[node];
    s->dropped = pn->dropped;
    s->backup = pn->backup_ms != 0;
    take_seen(s, node);
}

/* Connect-only nodes of one state are interchangeable: one order for all. */
static void sort_clients(struct shot *s)
{
    for (size_t i = h.world.n_data; i + 1 < h.world.n; i++)
        for (size_t k = i + 1; k < h.world.n; k++)
            if (memcmp(&s->node[i], &s->node[k], sizeof(s->node[i])) > 0) {
                struct shot_node swap = s->node[i];
                s->node[i] = s->node[k];
                s->node[k] = swap;
            }
}

void harness_take(struct shot *s)
{
    memset(s, 0, sizeof(*s));
    world_renumber(&h.world);
    s->left = h.left;
    s->life = (uint8_t)h.life;
    take_bits(s);
    if (h.life == LIFE_RUNNING)
        take_course(s);
    else
        s->plan_bits = s->holder = 0;
    if (h.life == LIFE_ENDED)
        s->outcome = (uint8_t)h.course.outcome;
    for (size_t i = 0; i < h.world.n; i++)
        take_node(&s->node[i], i);
    sort_clients(s);
}

/* -- processes ------------------------------------------------------------ */

static void forget_seen(size_t node)
{
    struct cms_facts *f = (struct cms_facts *)h.pc->nodes[node].facts;

    memset(f->base.read_ms, 0, sizeof(f->base.read_ms));
    f->standalone_ms = 0;
    f->base.unreachable = false;
    memset(&f->status, 0, sizeof(f->status));
    put_files(f, node, TARGET_NONE);
    h.view[node] = UINT16_MAX;
    h.flight[node] = h.saw_foreign[node] = 0;
    h.pc->nodes[node].dropped = false;
    h.pc->nodes[node].backup_ms = 0;
    set_sent(node, h.journal.sent[node]);
}

void harness_start(enum run_mode mode)
{
    const struct journaled *j = &h.journal;
    struct course *course = &h.course;

    walk_release(&course->walk);
    memset(&course->walk, 0, sizeof(course->walk));
    h.pc->left = j->left;
    h.pc->outage_sent = j->outage_sent;
    h.pc->turned = j->turned;
    h.pc->was_back = j->was_back;
    h.pc->was_done = j->was_done;
    h.pc->issued = j->issued;
    h.pc->loaded = false;
    cms_db_assign(h.pc, j->holder);
    for (size_t i = 0; i < h.world.n; i++)
        forget_seen(i);
    h.life = LIFE_RUNNING;
    course->mode = mode;
    course->state = COURSE_NEW;
    course->acted = false;
    course->moved_to = 0;
    course->why.cause = CAUSE_NONE;
    course->outcome = OUTCOME_NONE;
    h.course_due = h.course_waits = false;
    course_start(course);
    outside_drain();
}
