/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/console_model.h - what is known of a run from its events alone, and how
 * it looks in a window of a given size.  Pure: no loop, no output, no clock.
 */
#ifndef CERTFLEET_CLI_CONSOLE_MODEL_H
#define CERTFLEET_CLI_CONSOLE_MODEL_H

#include "core/base/str.h"
#include "core/run/event.h"
#include "core/run/plan.h"

enum line_state {
    LINE_IDLE,
    LINE_WORKS,
    LINE_RETRIES,
    LINE_DONE,
    LINE_FAILED
};

struct console_line { /* a node, or a cluster when node is NULL */
    char *cluster, *node;
    char *step;   /* current or last; NULL: none yet */
    char *detail; /* of the last failure or retry, visible */
    enum line_state state;
    int64_t since_ms;        /* wall; of the state */
    int64_t outage_since_ms; /* cluster: 0: none under way */
    int64_t outage_ms;       /* cluster: the outages that have ended, summed */
    bool had_outage, rollback;
};

struct console_model {
    struct console_line *lines;
    size_t n, room;
    int64_t began_ms;
    char run[64];
};

void model_release(struct console_model *model);
struct console_line *model_line(struct console_model *model,
                                const char *cluster, const char *node);
void model_take(struct console_model *model, const struct event *event);

/* The live block: at most `rows` lines of at most `columns` characters, each
 * ends with a newline.  Clusters first, then nodes at work, failed ones, the
 * rest; what does not fit is counted in the last line. */
struct model_window {
    size_t columns, rows;
    int64_t now_ms;
    bool color;
};
void model_draw(const struct console_model *model,
                const struct model_window *window, struct str *out);

/* "7 s", "3:05", "1:02:03" */
void model_duration(struct str *out, int64_t ms);
/* One plain line for an event, with a newline. */
void model_plain(const struct event *event, struct str *out);
/* Does the event deserve a line even with -q, and above a live view? */
bool model_is_loud(const struct event *event);

#endif
