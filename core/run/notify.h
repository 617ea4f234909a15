/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/notify.h - tells a program of the user's what happened, until it
 * says that it was understood.
 *
 * A notice is a file in STATE_DIR/notify before anybody is told, and it goes
 * when the program that got it on its standard input ended with 0.  Else it
 * stays, with those behind it, for the next delivery: in their order, each at
 * least once, also after a crash.  A notice holds no secret.
 */
#ifndef CERTFLEET_RUN_NOTIFY_H
#define CERTFLEET_RUN_NOTIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "core/base/err.h"

enum {
    NOTIFY_DEADLINE_MS = 60000 /* of the program */
};

struct notify;
/* `argv`: the program, its path absolute, NULL-ended; both texts are the
 * caller's and stay. */
struct notify *notify_new(uv_loop_t *loop, const char *state_dir,
                          const char *const *argv);
void notify_free(struct notify *notify); /* nothing is being delivered */

/* Durable when it returns 0.  Takes the reference. */
int notify_put(struct notify *notify, json_t *notice, struct err *err);

/* A certificate has so many days left: is that under a mark (28, 14, 7, 3, 1
 * days, and its end) that nobody was told of?  Notes the mark; `mark` is it.
 * Of several at once the lowest alone. */
int notify_mark(struct notify *notify, const char *sha256, long long days,
                bool *due, int *mark, struct err *err);

/* All that is there, one after the other; `done` comes once, later.  `left`:
 * how many stay, since the program did not take the first of them: `err`. */
typedef void notify_f(void *user, size_t left, const struct err *err);
void notify_deliver(struct notify *notify, notify_f *done, void *user);

#endif
