/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing in the right order.  A third Ctrl-C ends the process at
 * once: the store and `resume' are made for that.
 */
#include "cli/session.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/open_store.h"
#include "cli/process.h"
#include "core/base/log.h"
#include "transport/port.h"

static const int signal_numbers[2] = {SIGINT, SIGTERM};

static void on_signal(uv_signal_t *handle, int number)
{
    struct session *session = handle->data;

    (void)number;
    if (++session->n_signals > 2)
        _exit(EXIT_INTERRUPTED);
    if (session->on_signal)
        session->on_signal(session->user);
}

static void start_signals(struct session *session)
{
    for (size_t i = 0; i < 2; i++) {
        uv_signal_t *handle = &session->signals[i];

        uv_signal_init(&session->loop, handle);
        handle->data = session;
        uv_signal_start(handle, on_signal, signal_numbers[i]);
        uv_unref((uv_handle_t *)handle);
    }
}

static void raise_limits(struct session *session)
{
    const struct inventory *inv = session->app->inventory;
    size_t fit = process_descriptors(inv->n_nodes);

    if (fit < inv->n_nodes && fit < inv->max_sessions)
        log_warn("the limit of open files allows %zu nodes at a time of %zu: "
                 "raise it (ulimit -n) or lower max_sessions",
                 fit, inv->n_nodes);
}

static void hide(struct session *session, const char *ref)
{
    if (ref)
        secret_ref_hide(session->secrets, ref, session->app->inventory->folder);
}

/* All that the inventory names, also of nodes that this command leaves alone:
 * no child of ours is to inherit any. */
static void hide_environment(struct session *session)
{
    const struct inventory *inv = session->app->inventory;

    hide(session, inv->store_password);
    for (size_t i = 0; i < inv->n_nodes; i++) {
        hide(session, inv->nodes[i]->password);
        hide(session, inv->nodes[i]->passphrase);
        hide(session, inv->nodes[i]->api_password);
        hide(session, inv->nodes[i]->keystore_password);
    }
    for (size_t i = 0; i < inv->n_clusters; i++)
        hide(session, inv->clusters[i]->key_passphrase);
    for (size_t i = 0; i < inv->n_issuers; i++)
        hide(session, inv->issuers[i].ca_key_password);
}

/* As if we had been killed: connections close with us, and what is to be done
 * now another controller knows as well as we do. */
static void on_lapse(void *user, const char *run, const struct err *err)
{
    struct session *session = user;
    struct app *app = session->app;

    out_sync(&app->out);
    app_fail(app, err);
    snprintf(app->final.run, sizeof(app->final.run), "%s", run);
    app_next(app, "certfleet resume %s", run);
    app_leave(app, EXIT_INCOMPLETE);
}

int session_open(struct session *session, struct app *app, bool with_store)
{
    /* a node's session is two connections, one for commands, one for files */
    struct port_options options = {.max_sessions =
                                       2 * app->inventory->max_sessions};
    struct err err = {.cause = CAUSE_NONE};

    memset(session, 0, sizeof(*session));
    session->app = app;
    raise_limits(session);
    if (uv_loop_init(&session->loop) < 0)
        return app_failf(app, CAUSE_SYSTEM,
                         "no event loop can be made: the "
                         "limit of open files is too low");
    if (with_store) {
        session->store = open_store(app->inventory, &session->loop, &err);
        if (!session->store) {
            uv_loop_close(&session->loop);
            return app_fail(app, &err);
        }
        store_on_lapse(session->store, on_lapse, session);
    }
    session->links.ops = port_ops();
    session->links.port = port_new(&session->loop, &options);
    session->secrets = secret_cache_new();
    hide_environment(session);
    start_signals(session);
    return EXIT_DONE;
}

bool session_turn(struct session *session, const bool *done)
{
    while (!*done)
        if (uv_run(&session->loop, UV_RUN_ONCE) == 0 && !*done)
            return false;
    return true;
}

/* Links that never stood (a secret was missing) close on the next turns, and
 * nobody tells when: they must be gone before their port. */
static void settle(struct session *session)
{
    enum {
        TURNS = 4
    };

    for (int i = 0; i < TURNS; i++)
        uv_run(&session->loop, UV_RUN_NOWAIT);
}

void session_close(struct session *session)
{
    int rc;

    settle(session);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&session->signals[i], NULL);
    port_free(session->links.port);
    store_close(session->store);
    secret_cache_free(session->secrets);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&session->loop);
    assert(rc == 0 && "a handle was left open");
    (void)rc;
    out_sync(&session->app->out);
}
