/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/event.h - what a run tells: one struct, any number of listeners
 * (console, JSON lines, report).  Listeners never change the run and may fail
 * without harm (a closed output).  Texts are valid during the call.
 */
#ifndef CERTFLEET_RUN_EVENT_H
#define CERTFLEET_RUN_EVENT_H

#include <jansson.h>
#include <stdint.h>

struct event {
    int64_t t_ms;      /* wall */
    const char *event; /* "run-started" ... (contract.md, "Events") */
    const char *run, *cluster, *node, *step;
    const char *state, *command, *detail; /* or NULL */
    const char *check;                    /* of a finding; or NULL */
    int64_t took_ms;                      /* -1: does not apply */
};
typedef void event_f(void *user, const struct event *event);

struct event_sink {
    event_f *tell;
    void *user;
    struct event_sink *next;
};

/* One JSON object for an event: the contract's field names, new reference. */
json_t *event_json(const struct event *event);

#endif
