/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/session.h - what a command that reaches nodes stands on: loop, links,
 * secrets, store, signals.  Opened before, closed after; nothing of it is
 * known to core but by the vtables it is given.
 */
#ifndef CERTFLEET_CLI_SESSION_H
#define CERTFLEET_CLI_SESSION_H

#include <uv.h>

#include "cli/app.h"
#include "core/fleet/secret_ref.h"
#include "core/link.h"
#include "core/store/store.h"

typedef void session_signal_f(void *user);

struct session {
    struct app *app;
    uv_loop_t loop;
    struct link_provider links;
    struct secret_cache *secrets;
    struct store *store;         /* NULL unless asked for */
    uv_signal_t signals[2];      /* SIGINT, SIGTERM */
    unsigned n_signals;          /* how often one came */
    session_signal_f *on_signal; /* NULL: nothing is done */
    void *user;
};

/* The inventory must have been read.  0, or an exit code: app_fail was
 * called and nothing is left open.  From here on writing is asynchronous. */
int session_open(struct session *session, struct app *app, bool with_store);
/* Turns of the loop until `done`.  False when it went to sleep before. */
bool session_turn(struct session *session, const bool *done);
/* Everything that used it must be closed or closing.  Flushes the outputs. */
void session_close(struct session *session);

#endif
