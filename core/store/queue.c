/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches: what one turn of the loop appends waits in `filling`, goes to the
 * pool at the turn's end, and is completed in the loop's thread.  One batch is
 * in flight at a time; what comes meanwhile is the next one, so that a slow
 * disk makes larger transactions, not longer queues.  Knows no SQL.
 */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/store_priv.h"

enum {
    AGAIN_MS = 250 /* between two tries to reach a server */
};

enum batch_state {
    BATCH_WAITING,
    BATCH_WRITING,
    BATCH_WRITTEN
};

struct batch {
    uv_work_t work;
    struct store *store; /* NULL: completed by the store's end */
    struct arena arena;
    struct op *first, **last;
    uv_mutex_t guard; /* of state: the pool and store_close() meet here */
    uv_cond_t written;
    enum batch_state state;
    struct err err;
};

/* Outlives the store until the loop has closed both. */
struct queue_hooks {
    uv_prepare_t turn_end;
    uv_idle_t awake; /* the turn must not sleep before its end was seen */
    int open;
};

static struct batch *batch_new(struct store *store)
{
    struct batch *b = calloc(1, sizeof(*b));

    if (!b || uv_mutex_init(&b->guard) < 0 || uv_cond_init(&b->written) < 0)
        abort();
    b->work.data = b;
    b->store = store;
    b->last = &b->first;
    arena_init(&b->arena);
    return b;
}

static void batch_free(struct batch *b)
{
    arena_release(&b->arena);
    uv_cond_destroy(&b->written);
    uv_mutex_destroy(&b->guard);
    free(b);
}

/* -- writing: in the pool, or in the thread that closes ------------------- */

static int write_once(struct batch *b, struct turn *turn, struct err *err)
{
    if (turn_begin(turn, b->store, err) < 0)
        return -1;
    for (struct op *op = b->first; op; op = op->next)
        if (op_write(turn, op, err) < 0)
            goto undo;
    if (turn_commit(turn, err) == 0)
        return 0;
undo:
    turn_undo(turn);
    return -1;
}

/* A server that is back before half a lease is over was not away: else each of
 * its restarts would end every run. */
static int write_ops(struct batch *b, struct err *err)
{
    uint64_t until = clock_boot_ms() + b->store->lease_ms / 2;
    struct turn turn;
    int rc = write_once(b, &turn, err);

    while (rc < 0 && turn_was_cut(&turn) && clock_boot_ms() < until) {
        poll(NULL, 0, AGAIN_MS);
        rc = turn_is_there(&turn, err);
        if (rc > 0)
            break;
        if (rc == 0) {
            holds_undo(b->store);
            rc = write_once(b, &turn, err);
        }
    }
    if (rc >= 0)
        err_reset(err);
    return rc < 0 ? -1 : 0;
}

static void fail_runs(struct batch *b)
{
    for (struct op *op = b->first; op; op = op->next)
        hold_make(b->store, op->record.run)->failure = b->err;
}

static void batch_write(struct batch *b)
{
    struct store *store = b->store;

    uv_mutex_lock(&store->writing);
    if (write_ops(b, &b->err) == 0) {
        holds_keep(store);
    } else {
        holds_undo(store);
        fail_runs(b);
    }
    uv_mutex_unlock(&store->writing);
}

/* True for the one who is to write it. */
static bool batch_claim(struct batch *b)
{
    bool ours;

    uv_mutex_lock(&b->guard);
    ours = b->state == BATCH_WAITING;
    if (ours)
        b->state = BATCH_WRITING;
    uv_mutex_unlock(&b->guard);
    return ours;
}

static void batch_settle(struct batch *b)
{
    uv_mutex_lock(&b->guard);
    b->state = BATCH_WRITTEN;
    uv_cond_signal(&b->written);
    uv_mutex_unlock(&b->guard);
}

static void on_pool(uv_work_t *work)
{
    struct batch *b = work->data;

    if (!batch_claim(b))
        return;
    batch_write(b);
    batch_settle(b);
}

/* -- completing: in the loop's thread ------------------------------------- */

/* A completion may close the store, which completes the rest of the list. */
static void batch_complete(struct batch *b)
{
    while (b->first) {
        struct op *op = b->first;
        b->first = op->next;
        if (op->done)
            op->done(op->user, b->err.cause != CAUSE_NONE ? &b->err : NULL);
    }
}

static void arm(struct store *store);

static void on_written(uv_work_t *work, int status)
{
    struct batch *b = work->data;

    (void)status; /* nobody cancels it */
    if (b->store)
        batch_complete(b);
    if (b->store) {
        b->store->flight = NULL;
        arm(b->store);
    }
    batch_free(b);
}

/* -- the loop's turn ------------------------------------------------------ */

static void on_awake(uv_idle_t *idle)
{
    (void)idle;
}

static void on_turn_end(uv_prepare_t *prepare)
{
    struct store *store = prepare->data;
    struct queue_hooks *hooks = store->hooks;

    uv_prepare_stop(&hooks->turn_end);
    uv_idle_stop(&hooks->awake);
    store->flight = store->filling;
    store->filling = NULL;
    if (uv_queue_work(store->loop, &store->flight->work, on_pool, on_written) <
        0)
        abort();
}

/* A started handle keeps the loop alive, a stopped one does not: an idle
 * store never holds up the end of the program. */
static void arm(struct store *store)
{
    if (!store->filling || store->flight)
        return;
    uv_prepare_start(&store->hooks->turn_end, on_turn_end);
    uv_idle_start(&store->hooks->awake, on_awake);
}

static void on_hook_closed(uv_handle_t *handle)
{
    struct queue_hooks *hooks = handle->data;

    if (--hooks->open == 0)
        free(hooks);
}

int queue_init(struct store *store, struct err *err)
{
    struct queue_hooks *hooks;

    if (!store->loop)
        return 0;
    hooks = calloc(1, sizeof(*hooks));
    if (!hooks)
        return err_set(err, CAUSE_SYSTEM, "out of memory");
    uv_prepare_init(store->loop, &hooks->turn_end);
    uv_idle_init(store->loop, &hooks->awake);
    hooks->turn_end.data = store;
    hooks->open = 2;
    store->hooks = hooks;
    return 0;
}

/* The batch in the pool: if no thread has it yet, it is written here. */
static void finish_flight(struct store *store)
{
    struct batch *b = store->flight;

    if (batch_claim(b)) {
        batch_write(b);
        batch_settle(b);
    }
    uv_mutex_lock(&b->guard);
    while (b->state != BATCH_WRITTEN)
        uv_cond_wait(&b->written, &b->guard);
    uv_mutex_unlock(&b->guard);
    batch_complete(b);
    b->store = NULL; /* on_written() frees it */
    store->flight = NULL;
}

static void finish_filling(struct store *store)
{
    struct batch *b = store->filling;

    store->filling = NULL;
    batch_write(b);
    batch_complete(b);
    batch_free(b);
}

void queue_release(struct store *store)
{
    struct queue_hooks *hooks = store->hooks;

    if (!hooks)
        return;
    /* In order; a completion may append once more */
    while (store->flight || store->filling) {
        if (store->flight)
            finish_flight(store);
        else
            finish_filling(store);
    }
    hooks->turn_end.data = hooks->awake.data = hooks;
    uv_close((uv_handle_t *)&hooks->turn_end, on_hook_closed);
    uv_close((uv_handle_t *)&hooks->awake, on_hook_closed);
    store->hooks = NULL;
}

/* -- the calls ------------------------------------------------------------ */

static struct op *op_new(struct store *store, enum op_kind kind,
                         store_done_f *done, void *user)
{
    struct batch *b;
    struct op *op;

    assert(store->loop); /* one without is for reading */
    if (!store->filling)
        store->filling = batch_new(store);
    b = store->filling;
    op = arena_alloc(&b->arena, sizeof(*op));
    op->kind = kind;
    op->t_ms = clock_wall_ms();
    op->done = done;
    op->user = user;
    *b->last = op;
    b->last = &op->next;
    arm(store);
    return op;
}

void store_append(struct store *store, const struct store_record *record,
                  store_done_f *done, void *user)
{
    struct op *op = op_new(store, OP_APPEND, done, user);
    struct arena *arena = &store->filling->arena;

    assert(record->run && record->kind);
    op->record.run = arena_strdup(arena, record->run);
    op->record.cluster = arena_strdup(arena, record->cluster);
    op->record.node = arena_strdup(arena, record->node);
    op->record.step = arena_strdup(arena, record->step);
    op->record.kind = arena_strdup(arena, record->kind);
    op->record.data = arena_strdup(arena, record->data);
}

static struct store_names copy_names(struct arena *arena,
                                     const struct store_names *names)
{
    const char **list = arena_alloc(arena, (names->n + 1) * sizeof(*list));

    for (size_t i = 0; i < names->n; i++)
        list[i] = arena_strdup(arena, names->list[i]);
    return (struct store_names){list, names->n};
}

void store_begin(struct store *store, const struct store_run *run,
                 const struct store_names *clusters, store_done_f *done,
                 void *user)
{
    struct op *op = op_new(store, OP_BEGIN, done, user);
    struct arena *arena = &store->filling->arena;
    struct store_names names = copy_names(arena, clusters);

    op->clusters = names.list;
    op->n_clusters = names.n;
    op->run.id = op->record.run = arena_strdup(arena, run->id);
    op->run.playbook = arena_strdup(arena, run->playbook);
    op->run.target = arena_strdup(arena, run->target);
    op->run.inputs = arena_strdup(arena, run->inputs);
    op->run.user = arena_strdup(arena, run->user);
    op->run.host = arena_strdup(arena, run->host);
    op->run.started_ms = run->started_ms;
    op->run.seen = run->seen;
}

void store_takeover(struct store *store, const char *run, store_done_f *done,
                    void *user)
{
    struct op *op = op_new(store, OP_TAKEOVER, done, user);

    op->record.run = arena_strdup(&store->filling->arena, run);
}

void store_end(struct store *store, const struct store_ending *ending,
               store_done_f *done, void *user)
{
    struct op *op = op_new(store, OP_END, done, user);
    struct arena *arena = &store->filling->arena;

    op->record.run = arena_strdup(arena, ending->run);
    op->outcome = arena_strdup(arena, ending->outcome);
    op->exit_code = ending->exit_code;
    op->keep = copy_names(arena, &ending->keep);
}
