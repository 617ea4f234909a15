/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/journal.h - a run's way into the store and to its listeners.
 *
 * Every record goes through here, so that all carry the run's id; a run that
 * only plans has no store, and its completions come all the same, later, on
 * the loop.  A failed write is final: `failed` is set once, and whoever waits
 * is told.
 */
#ifndef CERTFLEET_RUN_JOURNAL_H
#define CERTFLEET_RUN_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "core/run/event.h"
#include "core/store/store.h"

struct journal {
    uv_loop_t *loop;
    struct store *store; /* NULL: nothing is kept */
    char run[STORE_ID_BYTES];
    struct event_sink *sinks;
    bool failed; /* the store took a record no more */
    struct err err;
};

struct journal_record {
    const char *cluster, *node, *step, *kind;
    json_t *data; /* stolen */
};

void journal_write(struct journal *journal, const struct journal_record *record,
                   store_done_f *done, void *user);
/* Between a durable intent and its act: is the run ours still?  0, or -1: it
 * may be in other hands, and nothing goes out. */
int journal_may_act(const struct journal *journal, struct err *err);
/* Fills in time and run, tells every listener. */
void journal_tell(struct journal *journal, struct event *event);

#endif
