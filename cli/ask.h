/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/ask.h - one question on the terminal, answered on the loop.
 */
#ifndef CERTFLEET_CLI_ASK_H
#define CERTFLEET_CLI_ASK_H

#include <stdbool.h>
#include <uv.h>

#include "cli/out.h"

/* Is there somebody to ask: standard input is a terminal, and so is one of
 * the outputs? */
bool ask_is_possible(void);

/* `yes` only for the whole word; an end of input, a vanished terminal or
 * ask_cancel is a no. */
typedef void ask_f(void *user, bool yes);

struct ask;
/* Prints the question and waits for a line.  Never calls `done` inside. */
struct ask *ask_start(uv_loop_t *loop, struct out *out, const char *question,
                      ask_f *done, void *user);
/* `done` is not called any more; nothing once it was. */
void ask_cancel(struct ask *ask);

#endif
