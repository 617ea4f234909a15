/* SPDX-License-Identifier: Apache-2.0
 *
 * An event as JSON: the contract's names, nothing that does not apply.
 */
#include "core/run/event.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/str.h"

enum {
    TEXT_CAP = 1 << 20
};

/* Not every text was made visible where it came from: a name of the file
 * system may be anything, and a long text may be cut within a character. */
static void set_text(json_t *object, const char *key, const char *value)
{
    struct str visible;

    if (!value)
        return;
    str_init(&visible, TEXT_CAP);
    str_add_visible(&visible, value, strlen(value), true);
    json_object_set_new(object, key, json_string(str_text(&visible)));
    str_release(&visible);
}

json_t *event_json(const struct event *event)
{
    json_t *object = json_object();
    char t[CLOCK_TEXT_BYTES];

    clock_rfc3339(event->t_ms, t);
    set_text(object, "t", t);
    set_text(object, "event", event->event);
    set_text(object, "run", event->run);
    set_text(object, "cluster", event->cluster);
    set_text(object, "node", event->node);
    set_text(object, "step", event->step);
    set_text(object, "state", event->state);
    set_text(object, "check", event->check);
    set_text(object, "command", event->command);
    set_text(object, "detail", event->detail);
    if (event->took_ms >= 0)
        json_object_set_new(object, "took_ms", json_integer(event->took_ms));
    return object;
}
