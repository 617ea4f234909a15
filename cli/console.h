/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/console.h - what a person sees while a run is under way.
 *
 * A listener of a run's events.  On a terminal a live view: lines that stay
 * (warnings, failures, outage, rollback) scroll above, below them stands one
 * line a cluster and one a node, redrawn in one write.  Without a terminal,
 * or with -v, a plain line an event.  Everything that came from a node is
 * made visible.  Drawing never waits: a frame is left out while the terminal
 * still has the last one to swallow.
 */
#ifndef CERTFLEET_CLI_CONSOLE_H
#define CERTFLEET_CLI_CONSOLE_H

#include <uv.h>

#include "cli/out.h"
#include "core/run/event.h"
#include "core/run/plan.h"

struct console_options {
    struct out *out;
    uv_loop_t *loop; /* NULL: plain lines only */
    bool plain;      /* plain lines though it is a terminal */
    bool quiet;      /* plain: warnings, failures, outage, rollback only */
};

struct console;
struct console *console_new(const struct console_options *options);
/* The nodes that will be shown, in their order. */
void console_show(struct console *console, const struct plan *plan);
event_f console_tell; /* user: the console */
/* A line of our own, without a newline, where events are shown. */
void console_say(struct console *console, const char *text);
/* While a question is open nothing is redrawn. */
void console_hold(struct console *console, bool hold);
/* Draws the last frame, stops redrawing and frees when its timer is closed.
 * No event may come afterwards. */
void console_close(struct console *console);

#endif
