/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose process lives, where many machines have one database: a lease a run, by
 * the server's clock alone.  We count it by our own steady clock, from before
 * we asked for it, and stop a margin earlier than the server does: what was
 * sent last has arrived, or is lost, when somebody else may go on.
 *
 * The list of what we hold has a lock of its own, which nobody keeps while he
 * waits for the database: the loop asks here before each act.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/store/pg_priv.h"

enum {
    LEASE_MARGIN = 6, /* one part of so many */
    LEASE_RENEW = 3,
    LEASE_RETRY_MS = 1000
};

struct lease {
    struct lease *next;
    char run[STORE_ID_BYTES];
    uint64_t until_ms; /* clock_boot_ms(): nothing is sent after it */
};

enum renewal {
    RENEWAL_NONE,
    RENEWAL_WAITING, /* for a thread of the pool */
    RENEWAL_AT_WORK
};

/* Outlives the store until the loop has let go of all of it. */
struct leases {
    uv_mutex_t guard; /* of first and state */
    uv_cond_t idle;
    struct lease *first;
    enum renewal state;
    bool closing, renewed, lapsed;
    struct store *store;
    struct db db; /* whoever is RENEWAL_AT_WORK */
    uv_work_t work;
    uv_timer_t renew, lapse;
    int open; /* handles, and the work */
    store_lapse_f *on_lapse;
    void *user;
};

static uint64_t counted_ms(const struct store *store)
{
    return store->lease_ms - store->lease_ms / LEASE_MARGIN;
}

/* -- what we hold ------------------------------------------------------------
 */

static struct lease *find(struct leases *leases, const char *run)
{
    for (struct lease *l = leases->first; l; l = l->next)
        if (strcmp(l->run, run) == 0)
            return l;
    return NULL;
}

static void lease_kept(struct store *store, struct hold *hold)
{
    struct leases *leases = store->leases;
    struct lease *l;

    uv_mutex_lock(&leases->guard);
    l = find(leases, hold->run);
    if (!l) {
        l = calloc(1, sizeof(*l));
        if (!l)
            abort();
        memcpy(l->run, hold->run, strnlen(hold->run, STORE_ID_BYTES - 1));
        l->next = leases->first;
        leases->first = l;
    }
    l->until_ms = store->turn_began_ms + counted_ms(store);
    uv_mutex_unlock(&leases->guard);
}

static void lease_drop(struct store *store, struct hold *hold)
{
    struct leases *leases = store->leases;
    struct lease **at, *l;

    if (!leases)
        return;
    uv_mutex_lock(&leases->guard);
    for (at = &leases->first; (l = *at); at = &l->next)
        if (strcmp(l->run, hold->run) == 0) {
            *at = l->next;
            free(l);
            break;
        }
    uv_mutex_unlock(&leases->guard);
}

static void extend(struct leases *leases, const char *run, uint64_t until_ms)
{
    struct lease *l;

    uv_mutex_lock(&leases->guard);
    l = find(leases, run);
    if (l)
        l->until_ms = until_ms;
    uv_mutex_unlock(&leases->guard);
}

/* False: there is none.  The one that runs out first. */
static bool first_to_end(struct leases *leases, struct lease *first)
{
    bool any = false;

    uv_mutex_lock(&leases->guard);
    for (const struct lease *l = leases->first; l; l = l->next)
        if (!any || l->until_ms < first->until_ms) {
            *first = *l;
            any = true;
        }
    uv_mutex_unlock(&leases->guard);
    return any;
}

static int set_lapsed(const struct store *store, const char *run,
                      struct err *err)
{
    return err_set(err, CAUSE_LOCKED,
                   "this controller's lease of run %s has run out (%s was not "
                   "reached for %llu s): nothing more is sent for it, and "
                   "another controller may go on with it",
                   run, store->title,
                   (unsigned long long)counted_ms(store) / 1000);
}

int store_may_act(struct store *store, const char *run, struct err *err)
{
    uint64_t now = clock_boot_ms();
    const struct lease *l;
    bool may;

    if (!store->leases)
        return 0;
    uv_mutex_lock(&store->leases->guard);
    l = find(store->leases, run);
    may = l && now < l->until_ms;
    uv_mutex_unlock(&store->leases->guard);
    return may ? 0 : set_lapsed(store, run, err);
}

/* -- within a turn ------------------------------------------------------------
 */

#define LEASE_END "clock_timestamp() + ? * INTERVAL '1 millisecond'"

static int take_new(struct turn *turn, const char *run, struct err *err)
{
    struct query q;

    query_init(&q, turn->db,
               "INSERT INTO leases (run, owner, ends) VALUES (?, ?, " LEASE_END
               ") ON CONFLICT (run) DO NOTHING RETURNING 1");
    query_text(&q, run);
    query_text(&q, turn->store->owner);
    query_int(&q, (int64_t)turn->store->lease_ms);
    return query_found(&q, err);
}

/* A row that is locked is being renewed: its owner lives. */
static int is_over(struct turn *turn, const char *run, struct err *err)
{
    struct query q;

    query_init(&q, turn->db,
               "SELECT 1 FROM leases WHERE run = ? AND ends <="
               " clock_timestamp() FOR UPDATE SKIP LOCKED");
    query_text(&q, run);
    return query_found(&q, err);
}

static int lease_take(struct turn *turn, struct hold *hold, struct err *err)
{
    struct query q;
    int rc = take_new(turn, hold->run, err);

    if (rc != 0)
        return rc;
    rc = is_over(turn, hold->run, err);
    if (rc <= 0)
        return rc;
    query_init(&q, turn->db,
               "UPDATE leases SET owner = ?, ends = " LEASE_END
               " WHERE run = ?");
    query_text(&q, turn->store->owner);
    query_int(&q, (int64_t)turn->store->lease_ms);
    query_text(&q, hold->run);
    return query_run(&q, err) < 0 ? -1 : 1;
}

static int lease_confirm(struct turn *turn, const struct hold *hold,
                         struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, turn->db,
               "SELECT 1 FROM leases WHERE run = ? AND owner = ?"
               " AND ends > clock_timestamp()");
    query_text(&q, hold->run);
    query_text(&q, turn->store->owner);
    rc = query_found(&q, err);
    if (rc == 0)
        return set_lapsed(turn->store, hold->run, err);
    return rc < 0 ? -1 : 0;
}

static int lease_quit(struct turn *turn, const struct hold *hold,
                      struct err *err)
{
    struct query q;

    query_init(&q, turn->db, "DELETE FROM leases WHERE run = ? AND owner = ?");
    query_text(&q, hold->run);
    query_text(&q, turn->store->owner);
    return query_run(&q, err);
}

/* Who ends in good order lets nobody wait; else the lease runs out. */
static void lease_leave(struct store *store)
{
    struct err err = {.cause = CAUSE_NONE};
    struct lease first;
    struct query q;

    if (!store->leases)
        return;
    if (first_to_end(store->leases, &first) && store->writer.pg) {
        query_init(&q, &store->writer, "DELETE FROM leases WHERE owner = ?");
        query_text(&q, store->owner);
        if (query_run(&q, &err) < 0)
            log_info("%s", err.text);
    }
    leases_release(store);
}

const struct life_ops lease_ops = {
    .take = lease_take,
    .confirm = lease_confirm,
    .quit = lease_quit,
    .kept = lease_kept,
    .drop = lease_drop,
    .leave = lease_leave,
};

/* -- renewing: in the pool ---------------------------------------------------
 */

static int renew(struct leases *leases, struct err *err)
{
    uint64_t until = clock_boot_ms() + counted_ms(leases->store);
    struct query q;
    int rc;

    query_init(&q, &leases->db,
               "UPDATE leases SET ends = " LEASE_END
               " WHERE owner = ? AND ends > clock_timestamp() RETURNING run");
    query_int(&q, (int64_t)leases->store->lease_ms);
    query_text(&q, leases->store->owner);
    while ((rc = query_step(&q, err)) > 0)
        extend(leases, query_column(&q, 0), until);
    query_release(&q);
    return rc;
}

/* True for the one who is to do it. */
static bool claim(struct leases *leases)
{
    bool ours;

    uv_mutex_lock(&leases->guard);
    ours = leases->state == RENEWAL_WAITING && !leases->closing;
    leases->state = ours ? RENEWAL_AT_WORK : RENEWAL_NONE;
    uv_mutex_unlock(&leases->guard);
    return ours;
}

static void on_pool(uv_work_t *work)
{
    struct leases *leases = work->data;
    struct err err = {.cause = CAUSE_NONE};

    if (!claim(leases))
        return;
    leases->renewed = renew(leases, &err) == 0;
    if (!leases->renewed)
        log_warn("a lease could not be renewed: %s", err.text);
    uv_mutex_lock(&leases->guard);
    leases->state = RENEWAL_NONE;
    uv_cond_signal(&leases->idle);
    uv_mutex_unlock(&leases->guard);
}

/* -- the loop ----------------------------------------------------------------
 */

static void one_less(struct leases *leases)
{
    if (--leases->open > 0)
        return;
    uv_cond_destroy(&leases->idle);
    uv_mutex_destroy(&leases->guard);
    free(leases);
}

static void on_lapse(uv_timer_t *timer);

static void watch(struct leases *leases)
{
    uint64_t now = clock_boot_ms();
    struct lease first;

    if (first_to_end(leases, &first))
        uv_timer_start(&leases->lapse, on_lapse,
                       first.until_ms > now ? first.until_ms - now : 0, 0);
    else
        uv_timer_stop(&leases->lapse);
}

static void on_lapse(uv_timer_t *timer)
{
    struct leases *leases = timer->data;
    struct err err = {.cause = CAUSE_NONE};
    struct lease first;

    if (!first_to_end(leases, &first) || first.until_ms > clock_boot_ms()) {
        watch(leases);
        return;
    }
    if (leases->lapsed)
        return; /* it was told */
    leases->lapsed = true;
    set_lapsed(leases->store, first.run, &err);
    if (leases->on_lapse)
        leases->on_lapse(leases->user, first.run, &err);
}

static void on_renew(uv_timer_t *timer);

static void on_renewed(uv_work_t *work, int status)
{
    struct leases *leases = work->data;

    (void)status; /* nobody cancels it */
    if (!leases->closing) {
        watch(leases);
        uv_timer_start(&leases->renew, on_renew,
                       leases->renewed ? leases->store->lease_ms / LEASE_RENEW
                                       : LEASE_RETRY_MS,
                       0);
    }
    one_less(leases);
}

static void on_renew(uv_timer_t *timer)
{
    struct leases *leases = timer->data;
    struct lease first;

    if (!first_to_end(leases, &first)) {
        uv_timer_start(&leases->renew, on_renew,
                       leases->store->lease_ms / LEASE_RENEW, 0);
        return;
    }
    watch(leases);
    leases->state = RENEWAL_WAITING;
    leases->open++;
    if (uv_queue_work(leases->store->loop, &leases->work, on_pool, on_renewed) <
        0)
        abort();
}

static void timer_init(struct leases *leases, uv_timer_t *timer)
{
    uv_timer_init(leases->store->loop, timer);
    timer->data = leases;
    uv_unref((uv_handle_t *)timer);
    leases->open++;
}

void leases_init(struct store *store)
{
    struct leases *leases;

    if (!store->loop)
        return;
    leases = calloc(1, sizeof(*leases));
    if (!leases || uv_mutex_init(&leases->guard) < 0 ||
        uv_cond_init(&leases->idle) < 0)
        abort();
    store->leases = leases;
    leases->store = store;
    leases->db = (struct db){.ops = &pg_ops, .store = store};
    leases->work.data = leases;
    timer_init(leases, &leases->renew);
    timer_init(leases, &leases->lapse);
    uv_timer_start(&leases->renew, on_renew, store->lease_ms / LEASE_RENEW, 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
    one_less(handle->data);
}

void leases_release(struct store *store)
{
    struct leases *leases = store->leases;

    store->leases = NULL;
    uv_mutex_lock(&leases->guard);
    leases->closing = true;
    while (leases->state == RENEWAL_AT_WORK)
        uv_cond_wait(&leases->idle, &leases->guard);
    uv_mutex_unlock(&leases->guard);
    db_close(&leases->db);
    while (leases->first) {
        struct lease *l = leases->first;
        leases->first = l->next;
        free(l);
    }
    uv_close((uv_handle_t *)&leases->renew, on_timer_closed);
    uv_close((uv_handle_t *)&leases->lapse, on_timer_closed);
}

void store_on_lapse(struct store *store, store_lapse_f *fn, void *user)
{
    if (!store->leases)
        return;
    store->leases->on_lapse = fn;
    store->leases->user = user;
}
