/* SPDX-License-Identifier: Apache-2.0
 *
 * An event as JSON: the contract's names, nothing that does not apply.
 */
#include "core/run/event.h"

#include "core/base/clock.h"

static void set_text(json_t *object, const char *key, const char *value)
{
    if (!value)
        return;
    json_t *text = json_string(value);
    if (!text) /* no UTF-8: what a node sent is made visible before, a name
                  from the file system may be anything */
        text = json_string("(not text)");
    json_object_set_new(object, key, text);
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
    set_text(object, "command", event->command);
    set_text(object, "detail", event->detail);
    if (event->took_ms >= 0)
        json_object_set_new(object, "took_ms", json_integer(event->took_ms));
    return object;
}
