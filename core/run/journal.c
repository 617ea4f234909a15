/* SPDX-License-Identifier: Apache-2.0
 *
 * Records to the store, events to the listeners.
 */
#include "core/run/journal.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"

struct later { /* a completion without a store: on the loop's next turn */
    uv_timer_t timer;
    store_done_f *done;
    void *user;
};

static void free_later(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_later(uv_timer_t *timer)
{
    struct later *later = timer->data;

    later->done(later->user, NULL);
    uv_close((uv_handle_t *)timer, free_later);
}

static void complete_later(struct journal *journal, store_done_f *done,
                           void *user)
{
    struct later *later = calloc(1, sizeof(*later));

    if (!later)
        abort();
    later->done = done;
    later->user = user;
    uv_timer_init(journal->loop, &later->timer);
    later->timer.data = later;
    uv_timer_start(&later->timer, on_later, 0, 0);
}

struct pending { /* notes a failure before the waiter is told */
    struct journal *journal;
    store_done_f *done;
    void *user;
};

static void on_stored(void *user, const struct err *err)
{
    struct pending *p = user;

    if (err && !p->journal->failed) {
        p->journal->failed = true;
        p->journal->err = *err;
        log_warn("the journal cannot be written: %s", err->text);
    }
    if (p->done)
        p->done(p->user, err);
    free(p);
}

static void append(struct journal *journal, const struct journal_record *record,
                   const char *text, struct pending *pending)
{
    const struct store_record row = {
        .run = journal->run,
        .cluster = record->cluster,
        .node = record->node,
        .step = record->step,
        .kind = record->kind,
        .data = text,
    };
    store_append(journal->store, &row, on_stored, pending);
}

void journal_write(struct journal *journal, const struct journal_record *record,
                   store_done_f *done, void *user)
{
    char *text = NULL;

    if (!journal->store) {
        json_decref(record->data);
        if (done)
            complete_later(journal, done, user);
        return;
    }
    if (record->data) {
        text = json_dumps(record->data, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(record->data);
    }
    struct pending *pending = calloc(1, sizeof(*pending));
    if (!pending)
        abort();
    pending->journal = journal;
    pending->done = done;
    pending->user = user;
    append(journal, record, text, pending);
    free(text);
}

int journal_may_act(const struct journal *journal, struct err *err)
{
    if (!journal->store)
        return 0;
    return store_may_act(journal->store, journal->run, err);
}

void journal_tell(struct journal *journal, struct event *event)
{
    event->t_ms = clock_wall_ms();
    event->run = journal->run[0] ? journal->run : NULL;
    for (struct event_sink *s = journal->sinks; s; s = s->next)
        s->tell(s->user, event);
}
