/* SPDX-License-Identifier: Apache-2.0
 *
 * A store that a test fills, in the folder "state" of cli_capture.h: begun,
 * records put, ended; each is durable when its function returns.
 */
#ifndef CERTFLEET_TESTS_CLI_STORE_H
#define CERTFLEET_TESTS_CLI_STORE_H

#include <uv.h>

#include "core/store/store.h"
#include "tests/unit/cli_capture.h"

struct cli_store {
    struct store *store;
    uv_loop_t loop;
    bool stored;
};

static void cli_store_stored(void *user, const struct err *err)
{
    struct cli_store *s = user;

    if (err)
        fail_msg("%s", err->text);
    s->stored = true;
}

static void cli_store_wait(struct cli_store *s)
{
    while (!s->stored)
        assert_true(uv_run(&s->loop, UV_RUN_ONCE) || s->stored);
    s->stored = false;
}

static void cli_store_begin(struct cli_store *s, const struct store_run *run)
{
    struct err err = {.cause = CAUSE_NONE};

    s->stored = false;
    uv_loop_init(&s->loop);
    s->store = store_open("state", &s->loop, &err);
    assert_non_null(s->store);
    store_begin(s->store, run, &(struct store_names){&run->target, 1},
                cli_store_stored, s);
    cli_store_wait(s);
}

static inline void cli_store_put(struct cli_store *s,
                                 const struct store_record *r)
{
    store_append(s->store, r, cli_store_stored, s);
    cli_store_wait(s);
}

/* outcome NULL: it does not end, and whoever looks finds it dead. */
static void cli_store_end(struct cli_store *s, const char *run,
                          const char *outcome, int code)
{
    const struct store_ending ending = {
        .run = run, .outcome = outcome, .exit_code = code};

    if (outcome) {
        store_end(s->store, &ending, cli_store_stored, s);
        cli_store_wait(s);
    }
    store_close(s->store);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
}

#endif
